//! The findings of one file as they come together: in order, once each, and not too many.

use std::collections::HashSet;

use crate::{
    feature::{Context, Finding, Tag, code, trouble},
    name::SecretName,
    status::{Problem, Reason, Severity},
    text::Span,
};

/// The most findings of one file; one more says how many were left out.
pub const MAX_FINDINGS: usize = 1_000;

/// How many findings are compared with names that exist: comparing takes time, and nobody reads more.
const MAX_COMPARED: usize = 100;

/// Findings up to the limit. Messages are made only for those that are kept.
#[derive(Default)]
pub struct Findings {
    kept: Vec<Finding>,
    left_out: usize,
    seen: HashSet<(Span, &'static str)>,
}

impl Findings {
    pub fn add(&mut self, span: Span, severity: Severity, code: &'static str, message: impl FnOnce() -> String) {
        if self.kept.len() == MAX_FINDINGS {
            self.left_out += 1;
            return;
        }
        self.kept.push(Finding { span, severity, code, message: message(), tag: None });
    }

    /// Whether there is still time to look for names that may have been meant.
    pub(super) fn compares(&self) -> bool {
        self.kept.len() < MAX_COMPARED
    }

    /// Something that may belong to several requests, once for each place.
    pub(super) fn add_once(
        &mut self,
        span: Span,
        severity: Severity,
        code: &'static str,
        message: impl FnOnce() -> String,
    ) {
        if self.seen.insert((span, code)) {
            self.add(span, severity, code, message);
        }
    }

    /// By position, with the number of those left out.
    pub fn finish(mut self) -> Vec<Finding> {
        self.kept.sort_by_key(|finding| (finding.span, finding.severity));
        if self.left_out > 0 {
            let message = format!("{} more findings are not shown", self.left_out);
            let severity = Severity::Information;
            self.kept.push(Finding { span: Span::at(0), severity, code: code::SYNTAX, message, tag: None });
        }
        self.kept
    }

    /// A secret's problem, once for each place and reason: an inherited field belongs to many requests.
    pub(super) fn add_problem(&mut self, context: &Context<'_>, span: Span, name: &SecretName, problem: &Problem) {
        let (reason, compares, before) = (problem.reason, self.compares(), self.kept.len());
        self.add_once(span, reason.severity(), reason.code(), || {
            if compares { trouble::message(context, name, problem) } else { trouble::short_message(name, problem) }
        });
        if reason == Reason::Disabled
            && let Some(finding) = self.kept.get_mut(before)
        {
            finding.tag = Some(Tag::Unnecessary);
        }
    }
}
