//! Moves a literal into the local vault: what looks like a pasted secret, what is selected, or the value at the cursor.

use crate::{
    feature::{
        Context,
        actions::{Action, ActionKind},
        code,
        command::{Command, Extract},
        pasted,
    },
    text::Span,
};

/// The action at `span`, if a literal stands there. NB. its version is for the edge to fill in.
pub(super) fn action(context: &Context<'_>, uri: &str, span: Span) -> Option<Action> {
    let (literal, pasted) = pasted::meant(context, span)?;
    let hosts = literal.hosts(context);
    let extract = Extract {
        uri: uri.to_owned(),
        version: 0,
        span: literal.span,
        name: literal.name(context),
        allowed_domains: (!hosts.is_empty()).then_some(hosts),
    };
    let action = Action::command(Command::Extract(extract), pasted.map(|_| code::PASTED_SECRET));
    Some(match pasted {
        Some(_) => action.preferred(),
        None => Action { kind: ActionKind::Extract, ..action },
    })
}
