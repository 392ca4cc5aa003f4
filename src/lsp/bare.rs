//! For clients that do not run our plugin: what a command answers is also said by the protocol's own means.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tower_lsp_server::ls_types::MessageType;
use url::Url;

use crate::{
    feature::{
        command::{Command, Verb, shown_name},
        escape,
    },
    http::{send::Response, shown},
    lsp::{
        browser, client::Unasked, outcome::Outcome, pages, pipe::Pipe, refresh, response, run, run::Errand,
        state::State, words,
    },
    name::SecretName,
    work::{Core, RunOutcome},
};

/// How often one run asks about hosts: each redirect may lead to another one.
const MAX_ROUNDS: usize = 5;
/// An empty answer that comes sooner was given by no person: the client asks nobody.
const BLINK: Duration = Duration::from_millis(500);
const ONCE: &str = "Once";
const ALWAYS: &str = "Always";
const NO: &str = "No";

/// Follows up what a command answered, where that is for a person: on a page in their browser where something is to be
/// asked and that is possible, else in words. What a run did is told by [`follow_up`].
pub fn tell(state: &Arc<State>, command: Option<Command>, outcome: &Outcome) {
    let (task, outcome) = (state.clone(), outcome.clone());
    let Some(command) = command.filter(|command| pages::goes_on(command, &outcome)) else {
        return say(state, &outcome);
    };
    let unheard = outcome.clone();
    let taken = state.editor.spawn(async move {
        if !pages::ask(&task, command.clone(), outcome.clone()).await {
            say(&task, &outcome);
            lead(&task, &command, &outcome).await;
        }
    });
    if !taken {
        say(state, &unheard);
    }
}

/// Sends the browser to where a code is to be entered that was told in words.
async fn lead(state: &Arc<State>, command: &Command, outcome: &Outcome) {
    if let Outcome::Browser { url, code: Some(_), .. } = outcome
        && let Ok(url) = Url::parse(url)
        && let Some((_, core)) = state.home(command.uri()).await
    {
        browser::visit(&state.editor, &core, &url).await;
    }
}

/// Lets the person say on a page what a command is about that came without its argument.
pub fn start(state: &Arc<State>, verb: Verb) -> Outcome {
    let task = state.clone();
    let taken = state.editor.spawn(async move {
        if !pages::start(&task, verb).await {
            let message =
                format!("`{}` takes one argument {}, and no page can ask for it here", verb.id(), verb.shape());
            task.editor.say(MessageType::ERROR, message);
        }
    });
    if taken {
        Outcome::done("a page in the browser asks what this is about")
    } else {
        Outcome::failed("too much is under way")
    }
}

fn say(state: &State, outcome: &Outcome) {
    if let Some((kind, message)) = words::of(outcome) {
        state.editor.say(kind, message);
    }
}

/// Shows what became of a run, and asks about hosts that were never approved. The command was answered before.
pub fn follow_up(state: &Arc<State>, errand: Errand, pipe: Option<Pipe>, outcome: &RunOutcome) {
    let (task, outcome) = (state.clone(), outcome.clone());
    state.editor.spawn(async move { converse(&task, errand, pipe, outcome).await });
}

async fn converse(state: &Arc<State>, errand: Errand, pipe: Option<Pipe>, mut outcome: RunOutcome) {
    for _ in 0..MAX_ROUNDS {
        let unapproved = run::unapproved(&outcome);
        if unapproved.is_empty() {
            break;
        }
        match approve(state, &errand, &unapproved).await {
            Approved::All => {}
            Approved::No => break,
            // Asked there, and then sent from there.
            Approved::Unasked if pages::ask_hosts(state, errand.clone(), unapproved).await => return,
            Approved::Unasked => break,
        }
        outcome = match run::carry_out(state, errand.clone()).await {
            Ok(outcome) => outcome,
            Err(message) => return state.editor.say(MessageType::ERROR, message),
        };
    }
    let (kind, message) = match &outcome {
        RunOutcome::Sent { response, notes } => (MessageType::INFO, words::response(response, notes)),
        RunOutcome::Blocked { obstacles } => (MessageType::WARNING, words::blocked(obstacles)),
        RunOutcome::Failed { message, .. } => (MessageType::ERROR, message.clone()),
    };
    let piped = match (pipe, &outcome) {
        (Some(pipe), RunOutcome::Sent { response, .. }) => pipe.write(&shown::whole(response)).await,
        (Some(pipe), _) => pipe.write(&message).await,
        (None, _) => false,
    };
    match outcome {
        RunOutcome::Sent { response, notes } if !piped => show(state, &errand.core, &response, &notes).await,
        _ => state.editor.say(kind, message),
    }
}

/// What became of the question about hosts.
enum Approved {
    All,
    No,
    /// The client did not ask the person.
    Unasked,
}

/// Asks about each host. No answer is a refusal; an answer that no person can have given is none.
async fn approve(state: &Arc<State>, errand: &Errand, pairs: &[(SecretName, String)]) -> Approved {
    for (secret, host) in pairs {
        let question = format!("Send {} to {}?", shown_name(secret), escape::plain(host));
        let asked = Instant::now();
        let remember = match state.editor.choose(question, &[ONCE, ALWAYS, NO]).await {
            Ok(Some(choice)) if choice == ONCE => false,
            Ok(Some(choice)) if choice == ALWAYS => true,
            Ok(None) if asked.elapsed() < BLINK => return Approved::Unasked,
            Ok(_) => return Approved::No,
            Err(Unasked) => return Approved::Unasked,
        };
        if let Err(failure) = errand.core.allow_host(secret, host, remember).await {
            state.editor.say(MessageType::ERROR, failure.message);
            return Approved::No;
        }
    }
    refresh::all(state);
    Approved::All
}

/// Opens the response in the editor where that is possible, else on a page in the browser, else says how it went.
async fn show(state: &Arc<State>, core: &Arc<Core>, response: &Response, notes: &[String]) {
    if state.editor.abilities().show_document {
        response::show(state, response, notes).await;
    } else if !pages::show(state, core, response, notes).await {
        state.editor.say(MessageType::INFO, words::response(response, notes));
    }
}
