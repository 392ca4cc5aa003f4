//! For clients that do not run our plugin: what a command answers is also said by the protocol's own means.

use std::{
    collections::VecDeque,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tempfile::NamedTempFile;
use tower_lsp_server::ls_types::MessageType;

use crate::{
    feature::{command::shown_name, escape},
    http::send::Response,
    lsp::{
        client::Unasked,
        command::{Answer, Outcome},
        convert, lock,
        pipe::Pipe,
        refresh, run,
        run::Errand,
        state::State,
    },
    name::SecretName,
    status::Reason,
    work::{Obstacle, RunOutcome},
};

/// How many obstacles one message names.
const MAX_NAMED: usize = 5;
/// How often one run asks about hosts: each redirect may lead to another one.
const MAX_ROUNDS: usize = 5;
/// How many responses stay open as files.
const MAX_FILES: usize = 8;
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

/// Says what a command answered, where that is for a person. What a run did is told by [`follow_up`].
pub fn tell(state: &State, answer: &Answer) {
    let Answer::Other(outcome) = answer else { return };
    match outcome {
        Outcome::Done { message } => state.editor.say(MessageType::INFO, message.as_str()),
        Outcome::Failed { message, .. } => state.editor.say(MessageType::ERROR, message.as_str()),
        Outcome::NeedsInput { message, by_hand, .. } => {
            state.editor.say(MessageType::WARNING, format!("{message}: {by_hand}"));
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
        Outcome::Status(report) => {
            let (secrets, integrations) = (report.secrets.len(), report.integrations.len());
            let message = format!("local vault: {}; {secrets} secrets, {integrations} integrations", report.local);
            state.editor.say(MessageType::INFO, message);
        }
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
        if unapproved.is_empty() || !approve(state, &errand, &unapproved).await {
            break;
        }
        outcome = match run::carry_out(state, errand.clone()).await {
            Ok(outcome) => outcome,
            Err(message) => return state.editor.say(MessageType::ERROR, message),
        };
    }
    let (kind, message, text) = match &outcome {
        RunOutcome::Sent { response, notes } => (MessageType::INFO, told(response, notes), written(response)),
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
        RunOutcome::Sent { response, .. } if !piped => show(state, &response, message).await,
        _ => state.editor.say(kind, message),
    }
}

/// The hosts to ask about, if nothing else stands in the way.
fn unapproved(outcome: &RunOutcome) -> Vec<(SecretName, String)> {
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

/// Asks about each host; whether all were approved. No answer is a refusal.
async fn approve(state: &Arc<State>, errand: &Errand, pairs: &[(SecretName, String)]) -> bool {
    for (secret, host) in pairs {
        let question = format!("Send {} to {}?", shown_name(secret), escape::plain(host));
        let remember = match state.editor.choose(question, &[ONCE, ALWAYS, NO]).await {
            Ok(Some(choice)) if choice == ONCE => false,
            Ok(Some(choice)) if choice == ALWAYS => true,
            Ok(_) | Err(Unasked) => return false,
        };
        if let Err(failure) = errand.core.allow_host(secret, host, remember).await {
            state.editor.say(MessageType::ERROR, failure.message);
            return false;
        }
    }
    refresh::all(state);
    true
}

fn blocked(obstacles: &[Obstacle]) -> String {
    let mut lines: Vec<_> = obstacles.iter().take(MAX_NAMED).map(obstacle).collect();
    if obstacles.len() > MAX_NAMED {
        lines.push(format!("and {} more", obstacles.len() - MAX_NAMED));
    }
    format!("not sent: {}", lines.join(" | "))
}

fn obstacle(obstacle: &Obstacle) -> String {
    let mut text = String::new();
    if let Some(secret) = &obstacle.secret {
        text = format!("{}: ", shown_name(secret));
    }
    text.push_str(&obstacle.message);
    if !obstacle.hint.is_empty() {
        text.push_str(&format!(" ({})", obstacle.hint));
    }
    text
}

/// Opens the response in the editor where that is possible, else says by `message` how it went.
async fn show(state: &Arc<State>, response: &Response, message: String) {
    if state.editor.abilities().show_document {
        let uri = keep(state, response).await.and_then(|path| convert::file_uri(&path));
        if let Some(uri) = uri
            && state.editor.show(convert::show_document(uri)).await
        {
            return;
        }
    }
    state.editor.say(MessageType::INFO, message);
}

/// How it went, in a line.
fn told(response: &Response, notes: &[String]) -> String {
    let mut message = summary(response);
    for note in notes {
        message.push_str(&format!("; {note}"));
    }
    message
}

fn summary(response: &Response) -> String {
    let Response { status, reason, method, url, millis, bytes, .. } = response;
    let url = escape::plain(url);
    format!("{method} {url}: {status} {}, {millis} ms, {bytes} bytes", escape::plain(reason))
}

/// Writes the response, which is redacted, to a file that only the user can read and that ends with the server.
async fn keep(state: &Arc<State>, response: &Response) -> Option<PathBuf> {
    // The desk's folder is private: opening it made sure of that.
    state.desk().await.ok()?;
    let (folder, text) = (state.options.directories.runtime.clone(), written(response));
    let file = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::Builder::new().prefix("response-").suffix(".txt").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        std::io::Result::Ok(file)
    });
    let file = file.await.ok()?.ok()?;
    let path = file.path().to_owned();
    state.shown.keep(file);
    Some(path)
}

fn written(response: &Response) -> String {
    let Response { version, status, reason, headers, body, .. } = response;
    let mut text = format!("{version} {status} {reason}\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(body);
    text
}
