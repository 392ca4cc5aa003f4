//! For clients that do not run our plugin: what a command answers is also said by the protocol's own means.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;
use tower_lsp_server::ls_types::MessageType;
use url::Url;

use crate::{
    feature::{
        command::{Command, Verb, shown_name},
        escape,
    },
    http::{send::Response, shown},
    lsp::{
        client::Unasked,
        command::{self, Answer, Outcome},
        convert, lock, pages,
        pipe::Pipe,
        refresh, run,
        run::Errand,
        sign_in,
        state::State,
    },
    name::SecretName,
    status::Reason,
    work::{Core, Obstacle, RunOutcome, status::Report},
};

/// How many obstacles one message names.
const MAX_NAMED: usize = 5;
/// How often one run asks about hosts: each redirect may lead to another one.
const MAX_ROUNDS: usize = 5;
/// How many responses stay open as files.
const MAX_FILES: usize = 8;
/// An empty answer that comes sooner was given by no person: the client asks nobody.
const BLINK: Duration = Duration::from_millis(500);
const ONCE: &str = "Once";
const ALWAYS: &str = "Always";
const NO: &str = "No";

/// Responses that the editor was shown as files, the oldest first. They are removed when the server ends, or when
/// enough newer ones came.
#[derive(Default)]
pub struct ShownFiles(Mutex<VecDeque<NamedTempFile>>);

impl ShownFiles {
    fn keep(&self, file: NamedTempFile) {
        let mut files = lock(&self.0);
        let oldest = if files.len() == MAX_FILES { files.pop_front() } else { None };
        files.push_back(file);
        drop(files);
        drop(oldest);
    }

    /// Removes them all.
    pub fn end(&self) {
        lock(&self.0).clear();
    }
}

/// Follows up what a command answered, where that is for a person: on a page in their browser where something is to be
/// asked and that is possible, else in words. What a run did is told by [`follow_up`].
pub fn tell(state: &Arc<State>, command: Option<Command>, answer: &Answer) {
    let Answer::Other(outcome) = answer else { return };
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
        && let Some((_, core)) = command::home(state, command.uri()).await
    {
        pages::visit(state, &core, &url).await;
    }
}

/// Lets the person say on a page what a command is about that came without its argument.
pub fn start(state: &Arc<State>, verb: Verb) -> Answer {
    let task = state.clone();
    let taken = state.editor.spawn(async move {
        if !pages::start(&task, verb).await {
            let message =
                format!("`{}` takes one argument {}, and no page can ask for it here", verb.id(), verb.shape());
            task.editor.say(MessageType::ERROR, message);
        }
    });
    if taken {
        Answer::done("a page in the browser asks what this is about")
    } else {
        Answer::failed("too much is under way")
    }
}

/// The state of everything, in one line.
pub fn overview(report: &Report) -> String {
    let (secrets, integrations) = (report.secrets.len(), report.integrations.len());
    format!("local vault: {}; {secrets} secrets, {integrations} integrations", report.local)
}

fn say(state: &State, outcome: &Outcome) {
    match outcome {
        Outcome::Done { message } => state.editor.say(MessageType::INFO, message.as_str()),
        Outcome::Failed { message, .. } => state.editor.say(MessageType::ERROR, message.as_str()),
        Outcome::NeedsInput { message, by_hand, .. } => {
            state.editor.say(MessageType::WARNING, format!("{message}: {by_hand}"));
        }
        Outcome::Browser { url, code: Some(code), message, .. } => {
            state.editor.say(MessageType::INFO, sign_in::in_words(message, url, Some(code)));
        }
        // The sign-in itself says where to go.
        Outcome::Browser { .. } => {}
        Outcome::Choices(_) => {
            let message = "run `vaultls link NAME --integration INTEGRATION` in a terminal to choose";
            state.editor.say(MessageType::INFO, message);
        }
        Outcome::Page { url, message } => state.editor.say(MessageType::INFO, format!("{message}: {url}")),
        Outcome::Review { pending } if pending.is_empty() => {
            state.editor.say(MessageType::INFO, "nothing in this workspace waits for approval");
        }
        Outcome::Review { pending } => {
            let names = pending.iter().take(MAX_NAMED).map(|it| format!("{} `{}`", it.kind, escape::plain(&it.name)));
            let names = names.collect::<Vec<_>>().join(", ");
            let message =
                format!("{} definitions wait for approval: {names}; run `vaultls trust` in a terminal", pending.len());
            state.editor.say(MessageType::WARNING, message);
        }
        // Nobody else puts it where it can be taken from.
        Outcome::Text { text } => state.editor.say(MessageType::INFO, text.as_str()),
        Outcome::Status(report) => state.editor.say(MessageType::INFO, overview(report)),
    }
}

/// Shows what became of a run, and asks about hosts that were never approved. The command was answered before.
pub fn follow_up(state: &Arc<State>, errand: Errand, pipe: Option<Pipe>, outcome: &RunOutcome) {
    let (task, outcome) = (state.clone(), outcome.clone());
    state.editor.spawn(async move { converse(&task, errand, pipe, outcome).await });
}

async fn converse(state: &Arc<State>, errand: Errand, pipe: Option<Pipe>, mut outcome: RunOutcome) {
    for _ in 0..MAX_ROUNDS {
        let unapproved = unapproved(&outcome);
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
    let (kind, message, text) = match &outcome {
        RunOutcome::Sent { response, notes } => (MessageType::INFO, told(response, notes), shown::whole(response)),
        RunOutcome::Blocked { obstacles } => {
            let message = blocked(obstacles);
            (MessageType::WARNING, message.clone(), message)
        }
        RunOutcome::Failed { message, .. } => (MessageType::ERROR, message.clone(), message.clone()),
    };
    let piped = match pipe {
        Some(pipe) => pipe.write(&text).await,
        None => false,
    };
    match outcome {
        RunOutcome::Sent { response, notes } if !piped => show(state, &errand.core, &response, &notes).await,
        _ => state.editor.say(kind, message),
    }
}

/// The hosts to ask about, if nothing else stands in the way.
pub fn unapproved(outcome: &RunOutcome) -> Vec<(SecretName, String)> {
    let obstacles = match outcome {
        RunOutcome::Sent { .. } => &[],
        RunOutcome::Blocked { obstacles } => obstacles.as_slice(),
        RunOutcome::Failed { obstacle, .. } => obstacle.as_slice(),
    };
    let ask = |obstacle: &Obstacle| {
        let asked = obstacle.code == Reason::HostUnapproved.code();
        asked.then(|| Some((obstacle.secret.clone()?, obstacle.host.clone()?))).flatten()
    };
    let pairs: Option<Vec<_>> = obstacles.iter().map(ask).collect();
    pairs.unwrap_or_default()
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

/// Why a request was not sent, in one message.
pub fn blocked(obstacles: &[Obstacle]) -> String {
    let mut lines: Vec<_> = obstacles.iter().take(MAX_NAMED).map(obstacle).collect();
    if obstacles.len() > MAX_NAMED {
        lines.push(format!("and {} more", obstacles.len() - MAX_NAMED));
    }
    format!("not sent: {}", lines.join(" | "))
}

fn obstacle(obstacle: &Obstacle) -> String {
    let Obstacle { secret, message, hint, .. } = obstacle;
    let mut text = message.clone();
    // Most messages name the secret themselves.
    if let Some(name) = secret.as_ref().map(shown_name).filter(|name| !message.contains(name)) {
        text = format!("{name}: {text}");
    }
    if !hint.is_empty() {
        text.push_str(&format!(" ({hint})"));
    }
    text
}

/// Opens the response in the editor where that is possible, else on a page in the browser, else says how it went.
pub async fn show(state: &Arc<State>, core: &Arc<Core>, response: &Response, notes: &[String]) {
    if state.editor.abilities().show_document {
        let uri = keep(state, response).await.and_then(|path| convert::file_uri(&path));
        if let Some(uri) = uri
            && state.editor.show(convert::show_document(uri)).await
        {
            return;
        }
    } else if pages::show(state, core, response, notes).await {
        return;
    }
    state.editor.say(MessageType::INFO, told(response, notes));
}

/// How it went, in a line.
fn told(response: &Response, notes: &[String]) -> String {
    let mut message = summary(response);
    for note in notes {
        message.push_str(&format!("; {note}"));
    }
    message
}

/// How a request went, in one line.
pub fn summary(response: &Response) -> String {
    let Response { status, reason, method, url, millis, bytes, .. } = response;
    let url = escape::plain(url);
    format!("{method} {url}: {status} {}, {millis} ms, {bytes} bytes", escape::plain(reason))
}

/// Writes the response, which is redacted, to a file that only the user can read and that ends with the server.
async fn keep(state: &Arc<State>, response: &Response) -> Option<PathBuf> {
    let desk = state.desk().await.ok()?;
    state.janitor.start(&state.options.directories.runtime);
    let document = shown::document(response);
    let file = desk.write(document.text, document.extension).await.ok()?;
    let path = file.path().to_owned();
    state.shown.keep(file);
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_its_secret_once() {
        for (secret, message, expected) in [
            (Some("key"), "`key` has no allowed domains", "`key` has no allowed domains (do that)"),
            (Some("key"), "there is no secret named `key`", "there is no secret named `key` (do that)"),
            (Some("key"), "no permission to read `keys`", "`key`: no permission to read `keys` (do that)"),
            (None, "the URL has no host", "the URL has no host (do that)"),
        ] {
            let secret = secret.map(|name| SecretName::parse(name).unwrap());
            let (message, hint) = (message.to_owned(), "do that".to_owned());
            let shown = obstacle(&Obstacle { secret, host: None, code: "x", message, hint });
            assert_eq!(shown, expected);
        }
    }
}
