//! The person at the terminal, as a sign-in sees one.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    cli::{
        Machine, Stop, prompt,
        terminal::{Style, Terminal, plain, styled},
    },
    status::{Problem, Reason, Session},
    vault::{
        browser,
        person::{Answers, Field, FieldKind, Given, Page, Person, gave_up},
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

/// Whoever wrote one answer to standard input, which is read once something is asked for.
#[derive(Default)]
pub struct AtInput(OnceLock<Given>);

impl AtInput {
    fn given(&self, fields: &[Field]) -> Result<&Given, Problem> {
        if let Some(given) = self.0.get() {
            return Ok(given);
        }
        let asked = fields.first().map_or("an answer", |field| field.label.as_str());
        let answer = prompt::piped(false).map_err(|_| gave_up())?;
        if answer.is_empty() {
            let detail = format!("`{asked}` is asked for, and standard input is empty");
            return Err(Problem::new(Reason::LoginNeeded, detail));
        }
        Ok(self.0.get_or_init(|| Given::new(answer)))
    }
}

impl Person for AtInput {
    fn ask<'a>(&'a self, message: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        async move { self.given(&fields)?.ask(message, fields).await }.boxed()
    }

    fn visit<'a>(&'a self, _: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        let detail = "this takes a browser; sign in from a terminal or an editor";
        std::future::ready(Err(Problem::new(Reason::LoginNeeded, detail))).boxed()
    }
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
            // An empty answer is how one leaves a question, where it is not an answer.
            if typed.is_empty() && !field.optional {
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
