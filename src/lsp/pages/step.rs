//! What a page shows, and what an answer leads to. Each act is the command that a plugin would send in its place; what
//! comes of it is the next page.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    form::Form,
    link::{Bound, ByHand, Hurdle, Places, Start},
};
use crate::{
    feature::command::Command,
    http::send::Response,
    lsp::{
        bare,
        command::{self, Answer, Outcome, told},
        refresh, run,
        run::Errand,
        state::State,
    },
    name::SecretName,
    vault::{
        Pending,
        person::{Answers, Field},
    },
    work::{Core, RunOutcome},
};

/// The most hosts that one request asks about, each redirect counted.
const MAX_HOSTS: usize = 20;

/// What one page shows.
pub enum Step {
    /// Something only the person knows.
    Ask(Ask),
    /// Which secret, and which vault.
    Start(Start),
    /// What a vault has to choose from.
    Places(Places),
    /// Why a vault cannot be looked into, and what can be done about it.
    Hurdle(Hurdle),
    /// A place in a vault as it is typed.
    ByHand(ByHand),
    /// A place that was chosen, and where the secret may go.
    Bound(Bound),
    /// Definitions, exactly as they would be approved.
    Review(Vec<Pending>),
    /// Whether a secret may go to a host.
    Host {
        secret: SecretName,
        host: String,
        title: String,
    },
    /// Another page, on which one signs in.
    Visit {
        url: String,
        code: Option<String>,
        message: String,
        ask: Option<Ask>,
    },
    Response {
        response: Box<Response>,
        notes: Vec<String>,
    },
    End(End),
}

/// A question whose answer is handed over as `vaultls answer` does.
#[derive(Clone)]
pub struct Ask {
    pub ticket: String,
    pub message: String,
    pub fields: Vec<Field>,
}

/// The last page.
pub struct End {
    pub good: bool,
    pub message: String,
    /// Whether the same can be begun anew.
    pub again: bool,
}

/// What comes next, as it is told to whoever answered.
#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
enum Next {
    Done {
        message: String,
    },
    NeedsInput {
        ticket: String,
        message: String,
        fields: Vec<Field>,
    },
    Browser {
        url: String,
        code: Option<String>,
        message: String,
        ticket: Option<String>,
        #[serde(default)]
        fields: Vec<Field>,
    },
    Failed {
        message: String,
    },
}

impl Step {
    pub fn done(message: impl Into<String>) -> Self {
        Self::End(End { good: true, message: message.into(), again: false })
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::End(End { good: false, message: message.into(), again: false })
    }

    /// Whether nothing can be answered any more.
    pub fn is_last(&self) -> bool {
        match self {
            Self::End(end) => !end.again,
            Self::Response { .. } => true,
            _ => false,
        }
    }
}

/// What is done in one conversation, and for what.
pub struct Course {
    pub state: Arc<State>,
    pub core: Arc<Core>,
    /// What the person asked for last, to be begun anew where it failed.
    last: Option<Command>,
    /// What they wanted before something else had to be settled.
    then: Option<Command>,
    /// The request that waits for hosts to be approved.
    errand: Option<Errand>,
    hosts: Vec<(SecretName, String)>,
    asked: usize,
}

impl Course {
    pub fn new(state: Arc<State>, core: Arc<Core>) -> Self {
        Self { state, core, last: None, then: None, errand: None, hosts: Vec::new(), asked: 0 }
    }

    /// The first page after `command` was answered with `outcome`; none where there is nothing to answer.
    pub async fn begin(&mut self, command: Command, outcome: Outcome) -> Option<Step> {
        let asks = match &outcome {
            Outcome::NeedsInput { .. } | Outcome::Choices(_) => true,
            Outcome::Review { pending } => !pending.is_empty(),
            Outcome::Failed { code, .. } => matches!(command, Command::Browse(_)) && code.is_some(),
            _ => false,
        };
        if !asks {
            return None;
        }
        Some(self.follow(command, outcome).await)
    }

    /// Asks about each host of a request, and sends it when all are approved.
    pub fn begin_hosts(&mut self, errand: Errand, hosts: Vec<(SecretName, String)>) -> Option<Step> {
        self.errand = Some(errand);
        self.hosts = hosts;
        self.next_host()
    }

    /// Acts on a form of `step`.
    pub async fn act(&mut self, step: Step, mut form: Form) -> Step {
        if form.text("do").as_deref() == Some("leave") {
            return Step::done("nothing was changed");
        }
        match step {
            Step::Ask(ask) => self.answer(ask, &mut form).await,
            Step::Start(start) => self.start(start, &form).await,
            Step::Places(places) => self.choose(places, &form).await,
            Step::Hurdle(hurdle) => self.jump(hurdle, &form).await,
            Step::ByHand(by_hand) => self.link_by_hand(by_hand, &form).await,
            Step::Bound(bound) => self.link(bound, &form).await,
            Step::Review(pending) => self.approve(pending, &form).await,
            Step::Host { secret, host, title } => match form.text("do").as_deref() {
                Some("once") => self.allow(secret, host, false).await,
                Some("always") => self.allow(secret, host, true).await,
                _ => Step::Host { secret, host, title },
            },
            Step::Visit { ask: Some(ask), .. } if form.text("do").as_deref() == Some("paste") => {
                self.answer(ask, &mut form).await
            }
            Step::Visit { .. } => self.go_on().await,
            Step::End(End { again: true, .. }) => match self.last.clone() {
                Some(command) => self.carry_out(command).await,
                None => step,
            },
            Step::Response { .. } | Step::End(_) => step,
        }
    }

    /// Carries out `command`, and goes on with `then` when it is done.
    pub async fn first(&mut self, command: Command, then: Command) -> Step {
        self.then = Some(then);
        self.carry_out(command).await
    }

    pub async fn carry_out(&mut self, command: Command) -> Step {
        match command::carry_out(&self.state, command.clone()).await {
            Answer::Other(outcome) => self.follow(command, outcome).await,
            Answer::Run(_) => Step::failed("a request is sent from the editor"),
        }
    }

    /// What was wanted, or what was asked for last.
    async fn go_on(&mut self) -> Step {
        match self.then.take().or_else(|| self.last.clone()) {
            Some(command) => Box::pin(self.carry_out(command)).await,
            None => Step::done("go on in your editor"),
        }
    }

    /// The page for what a command answered.
    async fn follow(&mut self, command: Command, outcome: Outcome) -> Step {
        self.last = Some(command.clone());
        match outcome {
            Outcome::Done { message } | Outcome::Text { text: message } => self.settled(message).await,
            Outcome::NeedsInput { ticket, message, fields, .. } => Step::Ask(Ask { ticket, message, fields }),
            Outcome::Browser { url, code, message, ticket, fields, .. } => visit(url, code, message, ticket, fields),
            Outcome::Choices(listing) => match command {
                Command::Browse(at) => Places { at, listing }.step(),
                _ => Step::failed("there is nothing to choose"),
            },
            // What is approved is what is shown here, not what the answer was made from.
            Outcome::Review { .. } => match self.core.vault.pending() {
                pending if pending.is_empty() => self.settled("nothing waits for approval".into()).await,
                pending => Step::Review(pending),
            },
            Outcome::Failed { message, code } => match command {
                Command::Browse(browse) => Step::Hurdle(Hurdle::of(browse, message, code)),
                _ => self.gave_way(message),
            },
            Outcome::Page { url, message } => Step::Visit { url, code: None, message, ask: None },
            Outcome::Status(_) => Step::done("this is shown in the editor"),
        }
    }

    /// Something is done: on with what was wanted before it.
    async fn settled(&mut self, message: String) -> Step {
        match self.then.take() {
            Some(then) => Box::pin(self.carry_out(then)).await,
            None => Step::done(message),
        }
    }

    fn gave_way(&self, message: String) -> Step {
        Step::End(End { good: false, message, again: self.last.is_some() })
    }

    async fn answer(&mut self, ask: Ask, form: &mut Form) -> Step {
        let mut answers = Answers::new();
        for field in &ask.fields {
            if let Some(answer) = form.take(&field.id)
                && !(answer.is_empty() && field.optional)
            {
                answers.insert(field.id.clone(), answer);
            }
        }
        let desk = match self.state.desk().await {
            Ok(desk) => desk,
            Err(error) => return self.gave_way(error.to_string()),
        };
        match desk.hand_over(&ask.ticket, answers).await {
            Ok(None) => {
                let done = self.done();
                self.settled(done).await
            }
            Ok(Some(next)) => self.next(next).await,
            Err(error) => self.gave_way(error.to_string()),
        }
    }

    /// What an answer led to.
    async fn next(&mut self, next: Value) -> Step {
        match serde_json::from_value(next) {
            Ok(Next::Done { message }) => self.settled(message).await,
            Ok(Next::NeedsInput { ticket, message, fields }) => Step::Ask(Ask { ticket, message, fields }),
            Ok(Next::Browser { url, code, message, ticket, fields }) => visit(url, code, message, ticket, fields),
            Ok(Next::Failed { message, .. }) => self.gave_way(message),
            Err(_) => Step::done("it goes on in your editor"),
        }
    }

    /// What is done when the last question was answered.
    fn done(&self) -> String {
        match &self.last {
            Some(Command::Create(create)) => format!("`{}` is in the local vault", create.name),
            Some(Command::Unlock) => "the local vault is open".into(),
            Some(Command::Extract(extract)) => format!("the value is in the local vault as `{}`", extract.name),
            _ => "it is done".into(),
        }
    }

    async fn approve(&mut self, pending: Vec<Pending>, form: &Form) -> Step {
        if form.text("do").as_deref() != Some("approve") {
            return Step::Review(pending);
        }
        let core = self.core.clone();
        let count = pending.len();
        let approved = tokio::task::spawn_blocking(move || core.approve(&pending)).await;
        refresh::all(&self.state);
        match approved {
            Ok(Ok(())) => self.settled(format!("{count} definitions of this workspace are trusted")).await,
            Ok(Err(failure)) => self.gave_way(told(&failure)),
            Err(_) => self.gave_way("the approval could not be stored".into()),
        }
    }

    /// The next host to ask about.
    fn next_host(&mut self) -> Option<Step> {
        let title = self.errand.as_ref()?.title();
        let (secret, host) = self.hosts.pop()?;
        Some(Step::Host { secret, host, title })
    }

    async fn allow(&mut self, secret: SecretName, host: String, remember: bool) -> Step {
        self.asked += 1;
        if let Err(failure) = self.core.allow_host(&secret, &host, remember).await {
            return Step::failed(told(&failure));
        }
        if let Some(step) = self.next_host() {
            return step;
        }
        refresh::all(&self.state);
        let Some(errand) = self.errand.clone() else { return Step::done("it is allowed") };
        match run::carry_out(&self.state, errand).await {
            Ok(outcome) => self.sent(outcome).await,
            Err(message) => Step::failed(message),
        }
    }

    /// What became of the request.
    async fn sent(&mut self, outcome: RunOutcome) -> Step {
        let unapproved = bare::unapproved(&outcome);
        if self.asked < MAX_HOSTS && !unapproved.is_empty() {
            self.hosts = unapproved;
            return self.next_host().expect("there is a host to ask about, of a request");
        }
        match outcome {
            RunOutcome::Sent { response, notes } if self.state.editor.abilities().show_document => {
                bare::show(&self.state, &self.core, &response, &notes).await;
                Step::done(bare::summary(&response))
            }
            RunOutcome::Sent { response, notes } => Step::Response { response, notes },
            RunOutcome::Blocked { obstacles } => Step::failed(bare::blocked(&obstacles)),
            RunOutcome::Failed { message, .. } => Step::failed(message),
        }
    }
}

fn visit(url: String, code: Option<String>, message: String, ticket: Option<String>, fields: Vec<Field>) -> Step {
    let ask = ticket.map(|ticket| Ask { ticket, message: message.clone(), fields });
    Step::Visit { url, code, message, ask }
}
