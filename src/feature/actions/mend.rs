//! Edits of the text itself: references that are unfinished or padded, spellings that others misread, slips.

use crate::{
    feature::{
        Context,
        actions::{Action, ActionKind},
        code,
        diagnostics::{closer, is_misread_elsewhere, similar_variables},
        escape, trouble,
        variable::{self, Expression},
    },
    name::{NameError, SecretName},
    syntax::{Kind, Reference, Spelling, Use},
    text::Span,
};

/// How many references one selection is looked through for.
const MAX_REFERENCES: usize = 20;

/// What can be mended at `span`.
pub(super) fn push(context: &Context<'_>, span: Span, actions: &mut Vec<Action>) {
    for reference in trouble::references_at(context, span).take(MAX_REFERENCES) {
        actions.extend(close(context, reference));
        actions.extend(trim(context, reference));
        if reference.closed && reference.name.is_ok() && is_misread_elsewhere(context.document.kind, reference) {
            actions.extend(convert(context, reference));
        }
    }
    let uses = &context.document.uses;
    let first = uses.partition_point(|used| used.span.end < span.start);
    for used in uses[first..].iter().take_while(|used| used.span.start <= span.end).take(MAX_REFERENCES) {
        define(context, used, actions);
    }
}

/// Puts the closer behind the name, in place of half a closer.
fn close(context: &Context<'_>, reference: &Reference) -> Option<Action> {
    if reference.closed || reference.name_span.is_empty() {
        return None;
    }
    let closer = closer(reference.spelling);
    let edit = context.edit(Span::new(reference.name_span.end, reference.span.end), closer);
    let title = format!("Close the reference with `{closer}`");
    Some(Action::edit(title, ActionKind::QuickFix, code::REFERENCE, vec![edit]).preferred())
}

/// Removes the spaces next to the delimiters, of a reference that is padded or named with a space at its end.
fn trim(context: &Context<'_>, reference: &Reference) -> Option<Action> {
    let broken = matches!(reference.name, Err(NameError::Padded));
    if !reference.closed || !(reference.padded || broken) {
        return None;
    }
    let name = reference.name_span.of(context.source).trim();
    let text = written(reference.spelling, name);
    let edit = context.edit(reference.span, text);
    let title = "Remove the spaces next to the delimiters".into();
    Some(Action::edit(title, ActionKind::QuickFix, code::REFERENCE, vec![edit]).preferred())
}

/// This reference, or all of the file, in the spelling that no other tool takes for its own.
fn convert(context: &Context<'_>, reference: &Reference) -> Vec<Action> {
    let angle = |reference: &Reference| {
        let name = reference.name.as_ref().ok()?;
        let change = reference.closed && is_misread_elsewhere(context.document.kind, reference);
        change.then(|| context.edit(reference.span, written(Spelling::Angle, name.as_str())))
    };
    let Some(edit) = angle(reference) else { return Vec::new() };
    let title = format!("Convert to `{}`", edit.text);
    let mut actions = vec![Action::edit(title, ActionKind::QuickFix, code::REFERENCE, vec![edit]).preferred()];
    let all: Vec<_> = context.document.references.iter().filter_map(angle).collect();
    if all.len() > 1 {
        let title = format!("Convert all {} in this file to `<<vault:..>>`", all.len());
        actions.push(Action::edit(title, ActionKind::Rewrite, code::REFERENCE, all));
    }
    actions
}

/// For a variable without a value: a name that has one, or a definition.
fn define(context: &Context<'_>, used: &Use, actions: &mut Vec<Action>) {
    let Expression::Plain(name) = Expression::of(&used.name) else { return };
    let known = variable::definition(context, name).is_some();
    if known || !used.closed || variable::asks_for_an_exchange(context, name) {
        return;
    }
    let place = variable::bare_span(used, context.source);
    for meant in similar_variables(context, name) {
        let text = if context.document.kind == Kind::Postman { escape::json(meant) } else { meant.to_owned() };
        let title = format!("Replace it with `{}`", escape::plain(meant));
        let edit = context.edit(place, text);
        actions.push(Action::edit(title, ActionKind::QuickFix, code::VARIABLE, vec![edit]));
    }
    let simple = SecretName::parse(name).is_ok() && !name.contains([' ', '/']);
    if context.document.kind == Kind::Http && simple {
        let title = format!("Define `@{name}` at the top of the file");
        let edit = context.edit(Span::at(0), format!("@{name} = \n"));
        actions.push(Action::edit(title, ActionKind::QuickFix, code::VARIABLE, vec![edit]));
    }
}

fn written(spelling: Spelling, name: &str) -> String {
    match spelling {
        Spelling::Angle => format!("<<vault:{name}>>"),
        Spelling::Curly => format!("{{{{vault:{name}}}}}"),
    }
}
