//! What is said to a person in a line: about a command, a request, a response, a sign-in.

use tower_lsp_server::ls_types::MessageType;

use crate::{
    feature::{command::shown_name, escape},
    http::send::Response,
    lsp::outcome::Outcome,
    work::{Obstacle, status::Report},
};

/// How many obstacles, or definitions, one message names.
const MAX_NAMED: usize = 5;

/// What came of a command, for somebody who sees no answers; none where it is told already.
pub fn of(outcome: &Outcome) -> Option<(MessageType, String)> {
    let (kind, message) = match outcome {
        Outcome::Done { message } => (MessageType::INFO, message.clone()),
        Outcome::Failed { message, .. } => (MessageType::ERROR, message.clone()),
        Outcome::NeedsInput { message, by_hand, .. } => (MessageType::WARNING, format!("{message}: {by_hand}")),
        Outcome::Browser { url, code: Some(code), message, .. } => {
            (MessageType::INFO, sign_in(message, url, Some(code)))
        }
        // The sign-in itself says where to go.
        Outcome::Browser { .. } => return None,
        Outcome::Choices(_) => {
            let message = "run `vaultls link NAME --integration INTEGRATION` in a terminal to choose";
            (MessageType::INFO, message.to_owned())
        }
        Outcome::Page { url, message } => (MessageType::INFO, format!("{message}: {url}")),
        Outcome::Review { pending } if pending.is_empty() => {
            (MessageType::INFO, "nothing in this workspace waits for approval".to_owned())
        }
        Outcome::Review { pending } => {
            let names = pending.iter().take(MAX_NAMED).map(|it| format!("{} `{}`", it.kind, escape::plain(&it.name)));
            let names = names.collect::<Vec<_>>().join(", ");
            let message =
                format!("{} definitions wait for approval: {names}; run `vaultls trust` in a terminal", pending.len());
            (MessageType::WARNING, message)
        }
        // Nobody else puts it where it can be taken from.
        Outcome::Text { text } => (MessageType::INFO, text.clone()),
        Outcome::Status(report) => (MessageType::INFO, overview(report)),
    };
    Some((kind, message))
}

/// The state of everything, in one line.
pub fn overview(report: &Report) -> String {
    let (secrets, integrations) = (report.secrets.len(), report.integrations.len());
    format!("local vault: {}; {secrets} secrets, {integrations} integrations", report.local)
}

/// Where to go, for a person who is shown nothing else.
pub fn sign_in(message: &str, url: &str, code: Option<&str>) -> String {
    let code = code.map(|code| format!(", and enter the code {}", escape::plain(code)));
    format!("{message}: visit {url}{}", code.unwrap_or_default())
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

/// How a request went, with what is to be known of it.
pub fn response(response: &Response, notes: &[String]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::SecretName;

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
