//! What an answer on a page leads to. Each act is the command that a plugin would send in its place; what comes of it is
//! the next page.

mod choose;
mod status;

use std::sync::Arc;

use super::{
    form::Form,
    link::{Hurdle, Places},
    step::{Ask, End, Status, Step},
};
use crate::{
    feature::command::Command,
    lsp::{
        command::{self, VALUE},
        outcome::{Outcome, told},
        refresh, response, run,
        run::Errand,
        state::State,
        words,
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
const LOST_LINES: &str = "this key came as one line, because a line is all that this field holds; paste it below";

/// What is done in one conversation, and for what.
pub struct Course {
    pub state: Arc<State>,
    pub core: Arc<Core>,
    /// What the person asked for last, to be begun anew where it failed.
    last: Option<Command>,
    /// What they wanted before something else had to be settled.
    then: Option<Command>,
    /// What was done before it, to be said there.
    said: Option<String>,
    /// The request that waits for hosts to be approved.
    errand: Option<Errand>,
    hosts: Vec<(SecretName, String)>,
    asked: usize,
}

impl Course {
    pub fn new(state: Arc<State>, core: Arc<Core>) -> Self {
        Self { state, core, last: None, then: None, said: None, errand: None, hosts: Vec::new(), asked: 0 }
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
            return self.leave(&step).await;
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
            Step::Visit { .. } => self.go_on(step).await,
            Step::Status(status) => self.look_after(status, &form).await,
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
        let outcome = command::carry_out(&self.state, command.clone()).await;
        self.follow(command, outcome).await
    }

    /// Nothing of what `step` offers.
    async fn leave(&mut self, step: &Step) -> Step {
        match (step, self.then.take()) {
            (Step::Status(_), _) => Step::done("ask for it again at any time"),
            (_, Some(then @ Command::Status(_))) => Box::pin(self.carry_out(then)).await,
            (_, _) => Step::done("nothing was changed"),
        }
    }

    /// On from a page elsewhere: to what came of it, else to what was wanted, or what was asked for last.
    pub async fn go_on(&mut self, step: Step) -> Step {
        if let Step::Visit { sign_in: Some(sign_in), .. } = &step {
            return match (sign_in.next(), self.last.clone()) {
                (Some(outcome), Some(command)) => Box::pin(self.follow(command, outcome)).await,
                _ => step,
            };
        }
        match self.then.take().or_else(|| self.last.clone()) {
            Some(command) => Box::pin(self.carry_out(command)).await,
            None => Step::done("go on in your editor"),
        }
    }

    /// The page for what a command answered.
    pub async fn follow(&mut self, command: Command, outcome: Outcome) -> Step {
        self.last = Some(command.clone());
        match outcome {
            Outcome::Done { message } | Outcome::Text { text: message } => self.settled(message).await,
            Outcome::NeedsInput { ticket, message, fields, .. } => self.ask(ticket, message, fields),
            Outcome::Browser { url, code, message, .. } => self.visit(url, code, message).await,
            Outcome::Choices(listing) => match command {
                Command::Browse(at) => Step::Places(Places { at, listing }),
                _ => Step::failed("there is nothing to choose"),
            },
            // What is approved is what is shown here, not what the answer was made from.
            Outcome::Review { .. } => self.show_pending().await,
            Outcome::Failed { message, code } => match command {
                Command::Browse(browse) => Step::Hurdle(Hurdle::of(browse, message, code)),
                _ => self.gave_way(message),
            },
            Outcome::Page { url, message } => Step::Visit { url, code: None, message, sign_in: None },
            Outcome::Status(report) => {
                let uri = command.uri().map(str::to_owned);
                Step::Status(Status { uri, report, said: self.said.take() })
            }
        }
    }

    /// Shows what waits for approval, and then goes on with `then`.
    async fn review(&mut self, then: Command) -> Step {
        self.then = Some(then);
        self.show_pending().await
    }

    async fn show_pending(&mut self) -> Step {
        match self.core.vault.pending() {
            pending if pending.is_empty() => self.settled("nothing waits for approval".into()).await,
            pending => Step::Review(pending),
        }
    }

    /// Something is done: on with what was wanted before it.
    async fn settled(&mut self, message: String) -> Step {
        match self.then.take() {
            Some(then) => {
                self.said = Some(message);
                Box::pin(self.carry_out(then)).await
            }
            None => Step::done(message),
        }
    }

    fn gave_way(&self, message: String) -> Step {
        Step::End(End { good: false, message, again: self.last.is_some() })
    }

    async fn answer(&mut self, ask: Ask, form: &mut Form) -> Step {
        let lines = ask.lines && form.text("do").as_deref() == Some("lines");
        if ask.lines && !lines && form.lost_lines(VALUE) {
            return Step::Ask(Ask { complaint: Some(LOST_LINES), ..ask });
        }
        let mut answers = Answers::new();
        for field in &ask.fields {
            let typed = if lines { form.take_lines(&field.id) } else { form.take(&field.id) };
            if let Some(answer) = typed
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
            Ok(Some(next)) => match self.last.clone() {
                Some(command) => Box::pin(self.follow(command, next)).await,
                None => Step::done("it goes on in your editor"),
            },
            Err(error) => self.gave_way(error.to_string()),
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
        let unapproved = run::unapproved(&outcome);
        if self.asked < MAX_HOSTS && !unapproved.is_empty() {
            self.hosts = unapproved;
            return self.next_host().expect("there is a host to ask about, of a request");
        }
        match outcome {
            RunOutcome::Sent { response, notes } if self.state.editor.abilities().show_document => {
                response::show(&self.state, &response, &notes).await;
                Step::done(words::summary(&response))
            }
            RunOutcome::Sent { response, notes } => Step::Response { response, notes },
            RunOutcome::Blocked { obstacles } => Step::failed(words::blocked(&obstacles)),
            RunOutcome::Failed { message, .. } => Step::failed(message),
        }
    }

    fn ask(&self, ticket: String, message: String, fields: Vec<Field>) -> Step {
        // Everything else that is asked for is one line: passphrases, tokens, codes.
        let lines = matches!((&self.last, &fields[..]), (Some(Command::Create(_)), [field]) if field.id == VALUE);
        Step::Ask(Ask { ticket, message, fields, lines, complaint: None })
    }

    /// A page on which one signs in, with what tells that it is over.
    async fn visit(&self, url: String, code: Option<String>, message: String) -> Step {
        let Some(Command::Login(it)) = &self.last else { return Step::Visit { url, code, message, sign_in: None } };
        let home = self.state.home(it.uri.as_deref()).await;
        let sign_in = home.and_then(|(workspace, _)| self.state.sign_ins.under_way(&workspace.root, &it.integration));
        // The provider's words speak of its own page as this one.
        let message = if code.is_some() { format!("Sign in to `{}`", it.integration) } else { message };
        Step::Visit { url, code, message, sign_in }
    }
}
