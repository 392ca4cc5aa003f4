//! What is wrong with the secrets at a place: shared by everything that speaks about it.

use crate::{
    feature::{Context, escape, near},
    name::SecretName,
    status::{Problem, Reason},
    syntax::Place,
    text::Span,
};

/// How many troubles one place is asked about, so that selecting a whole file stays cheap.
const MAX_AT_ONCE: usize = 10;

/// A secret that cannot be had, and for which host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble<'a> {
    pub name: &'a SecretName,
    pub problem: &'a Problem,
    /// The host of the request, where the trouble is a request's.
    pub host: Option<&'a str>,
}

/// What is wrong at `span`: with what requests use there, however indirectly, else with the references there.
pub fn at<'a>(context: &Context<'a>, span: Span) -> Vec<Trouble<'a>> {
    let mut found = Vec::new();
    for request in &context.survey.requests {
        for need in &request.needs {
            let Some(problem) = &need.problem else { continue };
            if need.spans.iter().any(|place| meets(*place, span)) {
                push(&mut found, Trouble { name: &need.name, problem, host: request.host.as_deref() });
            }
        }
    }
    for reference in references_at(context, span) {
        let Ok(name) = &reference.name else { continue };
        let told = found.iter().any(|trouble| trouble.name == name);
        if told || reference.place == Place::Elsewhere {
            continue;
        }
        if let Some(problem) = context.survey.secrets.get(name).and_then(|status| status.problem.as_ref()) {
            push(&mut found, Trouble { name, problem, host: None });
        }
    }
    found
}

/// The references that `span` touches, a cursor at either end included.
pub fn references_at<'a>(
    context: &Context<'a>,
    span: Span,
) -> impl Iterator<Item = &'a crate::syntax::Reference> + use<'a> {
    let references = &context.document.references;
    let first = references.partition_point(|reference| reference.span.end < span.start);
    references[first..].iter().take_while(move |reference| reference.span.start <= span.end)
}

/// The detail and the way out, as plain text; for a missing secret with the name that may have been meant.
pub fn message(context: &Context<'_>, name: &SecretName, problem: &Problem) -> String {
    let meant = if problem.reason == Reason::Missing { similar(context, name) } else { Vec::new() };
    let Some(meant) = meant.first() else { return short_message(name, problem) };
    let detail = escape::plain(&problem.detail);
    format!("{detail}: did you mean `{meant}`? Otherwise {}", hint(name, problem.reason))
}

/// The same without a comparison of names.
pub fn short_message(name: &SecretName, problem: &Problem) -> String {
    format!("{}; {}", escape::plain(&problem.detail), hint(name, problem.reason))
}

/// What a person can do about it; a process variable is not kept in any vault.
pub fn hint(name: &SecretName, reason: Reason) -> &'static str {
    match reason {
        Reason::Missing | Reason::Empty if name.process_variable().is_some() => {
            "set it in the environment in which vaultls is started"
        }
        reason => reason.hint(),
    }
}

/// Secrets that exist and are spelled nearly like `name`.
pub fn similar<'a>(context: &Context<'a>, name: &SecretName) -> Vec<&'a str> {
    near::nearest(name.as_str(), context.known.secrets.iter().map(|secret| secret.name.as_str()))
}

fn push<'a>(found: &mut Vec<Trouble<'a>>, trouble: Trouble<'a>) {
    if found.len() < MAX_AT_ONCE && !found.contains(&trouble) {
        found.push(trouble);
    }
}

fn meets(one: Span, other: Span) -> bool {
    one.start <= other.end && other.start <= one.end
}
