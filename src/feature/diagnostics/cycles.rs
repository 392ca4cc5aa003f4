//! Variables whose values never end, because they lead back to themselves.

use std::collections::HashMap;

use crate::{
    feature::{Context, code, diagnostics::Findings, escape, variable},
    status::Severity,
    syntax::{Document, Kind, Place, Segment, Variable},
};

/// One for each such variable of the file, at its name.
pub(super) fn push(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if !document.uses.iter().any(|used| used.closed && used.place == Place::Variable) {
        return;
    }
    for variable in endless(context) {
        findings.add(variable.name_span, Severity::Error, code::VARIABLE, || {
            let name = escape::plain(&variable.name);
            format!("the value of `{name}` leads back to itself, so a request that uses it is not sent")
        });
    }
}

/// Takes away the variables that lead nowhere, again and again; what is left leads in circles. Linear.
fn endless<'a>(context: &Context<'a>) -> Vec<&'a Variable> {
    let document = context.document;
    let index = effective(context);
    let mut leads_to = vec![0_usize; document.variables.len()];
    let mut used_by: Vec<Vec<usize>> = vec![Vec::new(); document.variables.len()];
    for from in index.values().copied() {
        for to in uses_in(document, &document.variables[from]).filter_map(|name| index.get(name).copied()) {
            leads_to[from] += 1;
            used_by[to].push(from);
        }
    }
    let mut ends: Vec<usize> = index.values().copied().filter(|one| leads_to[*one] == 0).collect();
    while let Some(end) = ends.pop() {
        for user in &used_by[end] {
            leads_to[*user] -= 1;
            if leads_to[*user] == 0 {
                ends.push(*user);
            }
        }
    }
    let variables = document.variables.iter().enumerate();
    variables.filter(|(one, _)| leads_to[*one] > 0).map(|(_, variable)| variable).collect()
}

/// The definition of each name that counts, as in [`variable::definition`].
fn effective<'a>(context: &Context<'a>) -> HashMap<&'a str, usize> {
    let variables = context.document.variables.iter().enumerate().filter(|(_, variable)| variable.enabled);
    let outside = |name: &str| {
        context.document.kind == Kind::Postman
            && (context.environment.values.contains_key(name) || context.environment.dotenv.contains_key(name))
    };
    let here = variables.filter(|(_, variable)| !outside(&variable.name));
    here.map(|(index, variable)| (variable.name.as_str(), index)).collect()
}

/// The names of the variables that a variable's value uses.
fn uses_in<'a>(document: &'a Document, variable: &'a Variable) -> impl Iterator<Item = &'a str> {
    let spans = variable.value.segments.iter().filter_map(|segment| match segment {
        Segment::Source(span) => Some(*span),
        Segment::Implied(_) => None,
    });
    let uses = spans.flat_map(|span| document.uses_in(span)).filter(|used| used.closed);
    uses.map(|used| variable::bare(&used.name))
}
