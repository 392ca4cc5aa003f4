//! What can be done at a place: send its request, mend its references, and help a secret that cannot be had.

mod mend;
mod remedy;

use std::path::PathBuf;

use crate::{
    feature::{
        Context, Edit,
        command::{Command, Run},
        trouble,
    },
    text::Span,
};

/// The most actions offered at once.
const MAX_ACTIONS: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Plain text.
    pub title: String,
    pub kind: ActionKind,
    /// The code of the findings that it settles.
    pub fixes: Option<&'static str>,
    /// Whether it is what a person most likely wants.
    pub preferred: bool,
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    QuickFix,
    /// Says the same in another way.
    Rewrite,
    /// Does something outside the text.
    Run,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Edit(Change),
    Command(Command),
}

/// Edits that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A file that the edits need and that does not exist yet.
    pub create: Option<PathBuf>,
    pub edits: Vec<Edit>,
}

/// What can be done at `span`, which may be a bare cursor; `uri` is the document's, as the editor names it.
pub fn actions(context: &Context<'_>, uri: &str, span: Span) -> Vec<Action> {
    let mut actions = Vec::new();
    for trouble in trouble::at(context, span) {
        remedy::push(context, uri, &trouble, span, &mut actions);
    }
    mend::push(context, span, &mut actions);
    actions.extend(send(context, uri, span));
    let mut seen = std::collections::HashSet::new();
    actions.retain(|action| seen.insert(action.title.clone()));
    actions.truncate(MAX_ACTIONS);
    actions
}

fn send(context: &Context<'_>, uri: &str, span: Span) -> Option<Action> {
    let request = context.document.request_at(span.start)?;
    if context.document.requests[request].not_runnable.is_some() {
        return None;
    }
    let run = Run { uri: uri.to_owned(), request: Some(request), line: None, environment: None };
    Some(Action::command(Command::Run(run), None))
}

impl Action {
    /// Its title is the command's own.
    fn command(command: Command, fixes: Option<&'static str>) -> Self {
        let kind = if fixes.is_some() { ActionKind::QuickFix } else { ActionKind::Run };
        Self { title: command.title(), kind, fixes, preferred: false, effect: Effect::Command(command) }
    }

    fn edit(title: String, kind: ActionKind, fixes: &'static str, edits: Vec<Edit>) -> Self {
        let effect = Effect::Edit(Change { create: None, edits });
        Self { title, kind, fixes: Some(fixes), preferred: false, effect }
    }

    fn preferred(mut self) -> Self {
        self.preferred = true;
        self
    }
}
