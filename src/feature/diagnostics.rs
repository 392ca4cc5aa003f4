//! What to mark in a document. The survey says which secrets cannot be had; the rest is read off the document.

mod cycles;
mod findings;
#[cfg(test)]
mod tests;
mod variables;

pub use findings::{Findings, MAX_FINDINGS};
pub use variables::similar_variables;

use crate::{
    feature::{
        Context, Finding, code, escape,
        pasted::{self, Pasted},
        sent::Sent,
    },
    name::NameError,
    status::Severity,
    syntax::{Kind, Place, Reference, Spelling},
};

/// The findings of a document, by position. Linear in the document; the most important survive the limit.
pub fn diagnostics(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let sent = Sent::of(context.document);
    requests(context, &mut findings);
    faults(context, &mut findings);
    statuses(context, &sent, &mut findings);
    for error in &context.document.errors {
        findings.add(error.span, error.severity, code::SYNTAX, || escape::plain(&error.message));
    }
    broken_references(context, &mut findings);
    cycles::push(context, &mut findings);
    variables::push(context, &sent, &mut findings);
    not_carried_out(context, &mut findings);
    advice(context, &mut findings);
    pasted_secrets(context, &mut findings);
    findings.finish()
}

/// What requests cannot have, at each place where it enters them.
fn requests(context: &Context<'_>, findings: &mut Findings) {
    for need in context.survey.requests.iter().flat_map(|request| &request.needs) {
        let Some(problem) = &need.problem else { continue };
        for span in &need.spans {
            findings.add_problem(context, *span, &need.name, problem);
        }
    }
}

/// What keeps a request from being sent, whatever its secrets: told here in the words in which `run` would tell it.
fn faults(context: &Context<'_>, findings: &mut Findings) {
    for (survey, request) in context.survey.requests.iter().zip(&context.document.requests) {
        // The parser has said what is wrong with these.
        if request.not_runnable.is_some() {
            continue;
        }
        for fault in &survey.faults {
            findings.add_once(fault.span, Severity::Error, code::REQUEST, || escape::plain(&fault.message));
        }
    }
}

/// References that no request told about, such as those in a variable that nothing uses.
fn statuses(context: &Context<'_>, sent: &Sent, findings: &mut Findings) {
    if context.survey.secrets.values().all(|status| status.problem.is_none()) {
        return;
    }
    for reference in &context.document.references {
        let Ok(name) = &reference.name else { continue };
        let Some(status) = context.survey.secrets.get(name) else { continue };
        let Some(problem) = &status.problem else { continue };
        if reference.closed && sent.contains(reference.span) {
            findings.add_problem(context, reference.span, name, problem);
        }
    }
}

/// References that name nothing, so that a request with one of them is not sent.
fn broken_references(context: &Context<'_>, findings: &mut Findings) {
    for reference in context.document.references.iter().filter(|reference| reference.place != Place::Elsewhere) {
        if !reference.closed {
            let closer = closer(reference.spelling);
            findings.add(reference.span, Severity::Error, code::REFERENCE, || {
                format!("this reference is unfinished; close it with `{closer}`")
            });
        } else if let Err(error) = reference.name {
            let span = if reference.name_span.is_empty() { reference.span } else { reference.name_span };
            findings.add(span, Severity::Error, code::REFERENCE, || match error {
                NameError::Empty => "this reference names no secret; write its name after `vault:`".into(),
                error => error.to_string(),
            });
        }
    }
}

/// Requests that are only recognised, and parts of requests that nothing is done about.
fn not_carried_out(context: &Context<'_>, findings: &mut Findings) {
    let mut faulty: Vec<usize> = context.document.errors.iter().map(|error| error.span.start).collect();
    faulty.sort_unstable();
    for request in &context.document.requests {
        let line = request.line;
        let next = faulty.partition_point(|start| *start < line.start);
        let is_explained = faulty.get(next).is_some_and(|start| line.touches(*start));
        if let Some(why) = request.not_runnable.filter(|_| !is_explained) {
            findings.add(line, Severity::Information, code::SYNTAX, || format!("this request cannot be sent: {why}"));
        }
        for ignored in &request.ignored {
            findings.add_once(ignored.span, Severity::Hint, code::SYNTAX, || {
                format!("nothing is done about this: {}", ignored.what)
            });
        }
    }
}

/// What works and could surprise.
fn advice(context: &Context<'_>, findings: &mut Findings) {
    for reference in context.document.references.iter().filter(|reference| reference.closed) {
        if reference.place == Place::Elsewhere || reference.name.is_err() {
            continue;
        }
        if reference.place == Place::JsonBare {
            findings.add(reference.span, Severity::Information, code::REFERENCE, || {
                "outside a JSON string: the value must be a number, `true`, `false` or `null`".into()
            });
        }
        if reference.padded {
            findings.add(reference.span, Severity::Information, code::REFERENCE, || {
                "spaces next to the delimiters are ignored here, and other tools do not resolve this".into()
            });
        }
        if is_misread_elsewhere(context.document.kind, reference) {
            findings.add(reference.span, Severity::Hint, code::REFERENCE, || {
                "other tools for `.http` files read braces differently; convert it to `<<vault:..>>`".into()
            });
        }
    }
}

/// Secrets that stand in the file itself.
fn pasted_secrets(context: &Context<'_>, findings: &mut Findings) {
    for Pasted { span, what } in pasted::all(context.document, context.source) {
        findings.add(span, Severity::Information, code::PASTED_SECRET, || {
            format!("this looks like {what}; move it to a vault, and replace it if the file was ever shared")
        });
    }
}

/// Whether other readers of `.http` files would evaluate or send this spelling.
pub fn is_misread_elsewhere(kind: Kind, reference: &Reference) -> bool {
    kind == Kind::Http && reference.spelling == Spelling::Curly
}

/// What closes a reference.
pub const fn closer(spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::Angle => ">>",
        Spelling::Curly => "}}",
    }
}
