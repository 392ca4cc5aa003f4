//! What a person learns about a part of another request: from where, since when, of which kind and length. Never the part.

use super::duration;
use crate::{
    feature::{Context, escape, variable},
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
    let request = context.document.requests.iter().find(|request| request.name.as_ref().is_some_and(|it| it.text == name));
    match request {
        Some(request) => {
            let line = 1 + context.source[..request.line.start].matches('\n').count();
            lines.push(format!("- request: {}, line {line}", escape::code(name)));
        }
        None => lines.push(format!("- request: there is none named {}", escape::code(name))),
    }
    match context.survey.answers.get(name) {
        Some(answer) => {
            let ago = answer.at.elapsed().map(duration).unwrap_or_else(|_| "no time".into());
            let origin = escape::host(&answer.origin);
            lines.push(format!("- received: {ago} ago from {origin}, status {}", answer.status));
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
