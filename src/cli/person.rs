//! The person at the terminal, as a sign-in sees one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    cli::{
        Machine, Stop, prompt,
        terminal::{Style, Terminal, plain, styled},
    },
    status::{Problem, Reason, Session},
    vault::{
        browser,
        person::{Answers, Field, FieldKind, Page, Person, gave_up},
        value::SecretValue,
    },
    work::{Core, verbs::Failure},
};

/// Signs whoever sits at the terminal in to an integration, for as long as this process lives.
pub async fn sign_in(
    core: &Core,
    machine: &Machine,
    integration: &str,
    terminal: &mut Terminal,
) -> Result<Session, Failure> {
    let person = AtTerminal { core, machine, terminal: Mutex::new(terminal) };
    core.login(integration, &person).await
}

struct AtTerminal<'a> {
    core: &'a Core,
    machine: &'a Machine,
    terminal: Mutex<&'a mut Terminal>,
}

impl<'a> AtTerminal<'a> {
    fn terminal(&self) -> MutexGuard<'_, &'a mut Terminal> {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self, message: &str, fields: &[Field]) -> Result<Answers, Problem> {
        let mut terminal = self.terminal();
        if !terminal.is_interactive() {
            let detail = "somebody must sign in, and nobody can be asked here";
            return Err(Problem::new(Reason::LoginNeeded, detail));
        }
        terminal.note(&[styled(Style::Bold, message)]);
        let mut answers = Answers::new();
        for field in fields {
            let typed = typed(&mut terminal, field).map_err(|_| gave_up())?;
            // An empty answer is how one leaves a question.
            if typed.is_empty() {
                return Err(gave_up());
            }
            answers.insert(field.id.clone(), typed);
        }
        Ok(answers)
    }

    /// Opens the page in the browser where there is one here, and says in any case where to go.
    fn show(&self, page: &Page) -> Result<(), Problem> {
        if !browser::may_open(&page.url) {
            let detail = "the page to sign in at is neither https nor on this machine, so it is not opened";
            return Err(Problem::new(Reason::NotConfigured, detail));
        }
        let mut terminal = self.terminal();
        if !terminal.is_interactive() {
            let detail = "this takes a browser, and nobody can be asked here";
            return Err(Problem::new(Reason::LoginNeeded, detail));
        }
        terminal.note(&[styled(Style::Bold, &page.message)]);
        if let Some(code) = &page.code {
            terminal.note(&[plain("code: "), styled(Style::Bold, code)]);
        }
        let opened = browser::open(&page.url, &self.machine.process_variables, Some(&self.core.root));
        let how = if opened { "it opens in the browser: " } else { "visit: " };
        terminal.note(&[plain(how), plain(page.url.as_str())]);
        if page.code.is_none() {
            terminal.note(&[styled(
                Style::Dim,
                "If the browser is on another machine, paste the address that it is sent to in the end.",
            )]);
        }
        Ok(())
    }
}

impl Person for AtTerminal<'_> {
    fn ask<'a>(&'a self, message: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        async move { self.answers(message, &fields) }.boxed()
    }

    fn visit<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move {
            self.show(page)?;
            prompt::pasted().await.ok_or_else(gave_up)
        }
        .boxed()
    }
}

fn typed(terminal: &mut Terminal, field: &Field) -> Result<SecretValue, Stop> {
    match field.kind {
        FieldKind::Text => prompt::line(terminal, &field.label).map(|line| SecretValue::new(line.into_bytes())),
        FieldKind::Hidden | FieldKind::Otp => prompt::hidden(terminal, &field.label),
    }
}
