//! Signing in from an editor. A sign-in runs beside the handlers, however long the person takes; whoever waits - the
//! command, or the last `vaultls answer` - gets the next thing that happens in it. One integration is signed in to
//! once at a time: who asks again meanwhile is shown the same question.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;
use tower_lsp_server::ls_types::MessageType;

use crate::{
    feature::{command::Login, escape},
    lsp::{
        browser,
        client::Progress,
        lock::lock,
        outcome::{Outcome, told},
        refresh,
        sign_ins::{Key, SignIn},
        state::{State, Workspace},
        words,
    },
    status::{Problem, Reason, Session},
    vault::{
        browser::may_open,
        person::{Answers, Field, Page, Person, gave_up},
        value::SecretValue,
    },
    work::{
        Core,
        answer::Answered,
        verbs::{Failure, signed_in},
    },
};

/// The field for the address that a browser on another machine was sent to.
const ADDRESS: &str = "address";

/// What is done with the person until they are signed in.
type SigningIn = Box<dyn for<'p> FnOnce(&'p dyn Person) -> BoxFuture<'p, Result<Session, Failure>> + Send>;

/// Begins a sign-in, or joins the one under way, and answers with what happens next in it.
pub async fn login(state: &Arc<State>, workspace: &Workspace, core: Arc<Core>, it: Login) -> Outcome {
    if let Err(problem) = core.vault.may_sign_in(&it.integration) {
        return Failure::from(problem).into();
    }
    let key = (workspace.root.clone(), it.integration);
    let (sign_in, begins, mut stage) = state.sign_ins.enter(&key);
    let name = key.1.clone();
    let home = core.clone();
    let login: SigningIn = Box::new(move |person| async move { core.login(&name, person).await }.boxed());
    if begins && !begin(state, home, key, sign_in, login) {
        return Outcome::failed("too much is under way");
    }
    let happens = stage.wait_for(Option::is_some).await;
    match happens.ok().and_then(|stage| stage.clone()) {
        Some(outcome) => outcome,
        None => Outcome::failed("the sign-in was ended"),
    }
}

/// Starts the task of a sign-in; it ends with the server, or when somebody ends it.
fn begin(state: &Arc<State>, core: Arc<Core>, key: Key, sign_in: Arc<SignIn>, login: SigningIn) -> bool {
    let entered = Entered { state: state.clone(), core, key, sign_in };
    state.editor.spawn(async move {
        let stop = entered.sign_in.stop.clone();
        stop.run_until_cancelled(carry_out(login, &entered)).await;
    })
}

/// A sign-in's place among those under way, which it leaves when it ends in whatever way.
struct Entered {
    state: Arc<State>,
    core: Arc<Core>,
    key: Key,
    sign_in: Arc<SignIn>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.state.sign_ins.leave(&self.key, &self.sign_in);
    }
}

async fn carry_out(login: SigningIn, entered: &Entered) {
    let Entered { state, core, key: (_, integration), sign_in } = entered;
    let person = AtEditor { state, core, integration, sign_in, silent: Mutex::default(), progress: Mutex::default() };
    let ended = login(&person).await;
    let silent = *lock(&person.silent);
    let shown = escape::plain(integration);
    refresh::all(state);
    let (kind, message, outcome) = match ended {
        Ok(session) => {
            let message = signed_in(&shown, &session);
            (MessageType::INFO, message.clone(), Outcome::Done { message })
        }
        Err(failure) => {
            let (message, code) = (told(&failure), failure.code());
            (MessageType::WARNING, message.clone(), Outcome::Failed { message, code })
        }
    };
    let heard = sign_in.tell(outcome);
    // Somebody who only looked away knows.
    if !heard && !silent {
        state.editor.say(kind, message);
    }
}

/// The person in front of the editor.
struct AtEditor<'a> {
    state: &'a Arc<State>,
    core: &'a Arc<Core>,
    integration: &'a str,
    sign_in: &'a SignIn,
    /// Whether the sign-in ended because they did not want it: they need not be told.
    silent: Mutex<bool>,
    /// Shown from the first page until the sign-in is over, which is later than the person's way back from the page.
    progress: Mutex<Option<Progress>>,
}

impl Person for AtEditor<'_> {
    fn ask<'a>(&'a self, message: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        async move {
            let (ticket, answer) = self.ticket(fields.clone()).await?;
            let by_hand = by_hand(&ticket);
            let question = format!("{message}: {by_hand}");
            let outcome = Outcome::NeedsInput { ticket, message: message.to_owned(), fields, by_hand };
            if !self.sign_in.tell(outcome) {
                self.state.editor.say(MessageType::WARNING, self.unheard(&question));
            }
            let _busy = Busy(self.sign_in);
            match answer.await {
                Ok(answered) => Ok(self.take(answered)),
                Err(_) => Err(self.gave_up()),
            }
        }
        .boxed()
    }

    fn visit<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move {
            if !may_open(&page.url) {
                let detail = "the page to sign in at is neither https nor on this machine, so it is not opened";
                return Err(Problem::new(Reason::NotConfigured, detail));
            }
            let field = Field::text(ADDRESS, "Address that the browser was sent to");
            let (ticket, answer) = self.ticket(vec![field.clone()]).await?;
            let heard = self.sign_in.tell(self.browser(page, ticket, field));
            let _busy = Busy(self.sign_in);
            let progress = self.state.editor.progress(None, format!("Signing in to {}", self.shown()));
            let stop = self.state.stops.stoppable(progress.token.as_ref());
            *lock(&self.progress) = Some(progress);
            self.open(page, heard);
            tokio::select! {
                pasted = self.pasted(answer) => Ok(pasted),
                () = stop.stop.cancelled() => Err(self.gave_up()),
            }
        }
        .boxed()
    }
}

impl AtEditor<'_> {
    async fn ticket(&self, fields: Vec<Field>) -> Result<(String, oneshot::Receiver<Answered<Outcome>>), Problem> {
        let asked = match self.state.desk().await {
            Ok(desk) => desk.ask(fields),
            Err(error) => Err(error),
        };
        asked.map_err(|error| Problem::new(Reason::LoginNeeded, format!("nothing can be asked here: {error}")))
    }

    /// The answers; whoever gave them waits from now on for what happens next.
    fn take(&self, answered: Answered<Outcome>) -> Answers {
        self.sign_in.stage.send_replace(None);
        *lock(&self.sign_in.reply) = Some(answered.reply);
        answered.answers
    }

    /// The address that they pasted; pending where they do not, because the browser may still come back by itself.
    async fn pasted(&self, answer: oneshot::Receiver<Answered<Outcome>>) -> SecretValue {
        match answer.await.ok().and_then(|answered| self.take(answered).remove(ADDRESS)) {
            Some(pasted) => pasted,
            None => std::future::pending().await,
        }
    }

    fn gave_up(&self) -> Problem {
        *lock(&self.silent) = true;
        gave_up()
    }

    fn browser(&self, page: &Page, ticket: String, field: Field) -> Outcome {
        Outcome::Browser {
            integration: self.integration.to_owned(),
            url: page.url.to_string(),
            code: page.code.clone(),
            message: page.message.clone(),
            ticket: Some(ticket),
            fields: vec![field],
        }
    }

    /// Opens the page in the browser, by the client where it can. Says in words what nobody draws.
    fn open(&self, page: &Page, heard: bool) {
        let abilities = self.state.editor.abilities();
        // Whoever asked shows the code, and the way to the page beside it.
        if heard && !abilities.plugin && page.code.is_some() {
            return;
        }
        let drawn = heard && abilities.plugin;
        let words = words::sign_in(&page.message, page.url.as_str(), page.code.as_deref());
        let url = page.url.clone();
        if page.code.is_some() && !drawn {
            self.state.editor.say(MessageType::INFO, words.clone());
        }
        let told = page.code.is_some() || drawn;
        let (task, core) = (self.state.clone(), self.core.clone());
        self.state.editor.spawn(async move {
            let shown = browser::visit(&task.editor, &core, &url).await;
            if !shown && !told {
                task.editor.say(MessageType::INFO, words);
            }
        });
    }

    fn shown(&self) -> String {
        escape::plain(self.integration)
    }

    /// A question for which nobody waits: it stands, and is shown to who asks to sign in again.
    fn unheard(&self, question: &str) -> String {
        if !self.state.editor.abilities().plugin {
            return question.to_owned();
        }
        format!("the sign-in to `{}` asks something more: sign in again to answer it", self.shown())
    }
}

/// While it lives, something is the person's to do; afterwards nothing is, until something happens.
struct Busy<'a>(&'a SignIn);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.stage.send_replace(None);
    }
}

/// How a question is answered without a plugin.
fn by_hand(ticket: &str) -> String {
    format!("run `vaultls answer {ticket}` in a terminal")
}

#[cfg(test)]
mod tests;
