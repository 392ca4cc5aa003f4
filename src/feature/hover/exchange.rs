//! What a person learns about a part of another request: from where, since when, of which kind and length. Never the part.

use super::duration;
use crate::{
    feature::{Context, escape, variable},
    status::Answered,
    syntax::{
        Use,
        exchange::{self, Side},
    },
};

/// What is told of the use of a part of an exchange.
pub(super) fn lines(context: &Context<'_>, used: &Use, title: &str) -> Vec<String> {
    let expression = variable::bare(&used.name);
    let Some((name, side, _)) = exchange::split(expression) else { return Vec::new() };
    let side = match side {
        Side::Request => "request",
        Side::Response => "answer",
    };
    let mut lines = vec![format!("**Part of the {side}** {title}"), String::new()];
    let request = context.document.requests_named(name).next();
    match request {
        Some(request) => {
            let line = 1 + memchr::memchr_iter(b'\n', &context.source.as_bytes()[..request.line.start]).count();
            lines.push(format!("- request: {}, line {line}", escape::code(name)));
        }
        None => lines.push(format!("- request: there is none named {}", escape::code(name))),
    }
    match context.survey.answers.get(name) {
        Some(answer) => {
            let origin = escape::host(&answer.origin);
            lines.push(received(answer));
            if let Some(part) = answer.parts.get(expression) {
                lines.push(format!("- part: {} of {} bytes, never shown", part.kind, part.length));
            }
            lines.extend([
                String::new(),
                format!("It goes back to {origin} without asking, and to another host only where you allow it."),
            ]);
        }
        None if request.is_some() => {
            lines.push("- not received yet: that request is sent first, once".into());
        }
        None => {}
    }
    lines
}

/// What is told of a request that others can ask for by its name.
pub(super) fn of_request(context: &Context<'_>, name: &str) -> Vec<String> {
    let mut lines = vec![format!("**Request** {}", escape::code(name)), String::new()];
    match context.survey.answers.get(name) {
        Some(answer) => {
            lines.push(received(answer));
            lines.push("- other requests of this file use that answer again".into());
        }
        None => lines.push(format!(
            "Other requests of this file can use parts of its answer, as in {}.",
            escape::code(&format!("{{{{{name}.response.body.$.token}}}}"))
        )),
    }
    lines
}

fn received(answer: &Answered) -> String {
    let ago = answer.at.elapsed().map(duration).unwrap_or_else(|_| "no time".into());
    format!("- received: {ago} ago from {}, status {}", escape::host(&answer.origin), answer.status)
}
