//! What the person may have done: commands, code actions, and edits of files.

use std::path::Path;

use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, Command, CreateFile, Diagnostic, DocumentChangeOperation,
    DocumentChanges, NumberOrString, OneOf, OptionalVersionedTextDocumentIdentifier, ResourceOp, TextDocumentEdit,
    TextEdit, Uri, WorkspaceEdit,
};

use super::place::{Lines, file_uri};
use crate::{
    feature::{
        actions::{Action, ActionKind, Effect},
        command,
    },
    text::{Encoding, Span, Text},
};

/// What our diagnostics carry as their source.
pub(super) const SOURCE: &str = "vaultls";

/// A file as far as an edit or a location needs it.
pub struct File {
    pub uri: Uri,
    pub text: Text,
    /// The version, where it is open.
    pub version: Option<i32>,
}

pub fn command(title: String, command: &command::Command) -> Command {
    Command { title, command: command.id().into(), arguments: Some(vec![command.argument()]) }
}

/// Whether `kind` is among those a client asks for: each stands for those below it (LSP 3.17, `CodeActionKind`).
pub fn wanted(kind: ActionKind, only: Option<&[CodeActionKind]>) -> bool {
    let kind = action_kind(kind);
    let below = |wanted: &CodeActionKind| {
        let rest = kind.as_str().strip_prefix(wanted.as_str());
        wanted.as_str().is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(below))
}

fn action_kind(kind: ActionKind) -> CodeActionKind {
    match kind {
        ActionKind::QuickFix => CodeActionKind::QUICKFIX,
        ActionKind::Rewrite => CodeActionKind::REFACTOR_REWRITE,
        ActionKind::Extract => CodeActionKind::REFACTOR_EXTRACT,
        ActionKind::Run => CodeActionKind::SOURCE,
    }
}

/// An action with its edit, and with those of the client's diagnostics that it settles. `preferences` says whether the
/// client knows what a preferred action is.
pub fn action(
    action: &Action,
    edit: Option<WorkspaceEdit>,
    diagnostics: &[Diagnostic],
    preferences: bool,
) -> CodeActionOrCommand {
    let code = |diagnostic: &&Diagnostic| match (&diagnostic.code, action.fixes) {
        (Some(NumberOrString::String(code)), Some(fixes)) => {
            code == fixes && diagnostic.source.as_deref() == Some(SOURCE)
        }
        _ => false,
    };
    let settled: Vec<_> = diagnostics.iter().filter(code).cloned().collect();
    CodeActionOrCommand::CodeAction(CodeAction {
        title: action.title.clone(),
        kind: Some(action_kind(action.kind)),
        diagnostics: (!settled.is_empty()).then_some(settled),
        edit,
        command: match &action.effect {
            Effect::Command(effect) => Some(command(action.title.clone(), effect)),
            Effect::Edit(_) => None,
        },
        is_preferred: (preferences && action.preferred).then_some(true),
        ..CodeAction::default()
    })
}

/// What `workspace/executeCommand` of an older client can still be given: a bare command.
pub fn bare_action(action: &Action) -> Option<CodeActionOrCommand> {
    match &action.effect {
        Effect::Command(effect) => Some(CodeActionOrCommand::Command(command(action.title.clone(), effect))),
        Effect::Edit(_) => None,
    }
}

/// Edits of several files as one. With `versioned`, each open file's version is named, so that an edit for an
/// older text is refused; `create` is a file that must be made first.
pub fn workspace_edit(
    files: &[(File, Vec<(Span, String)>)],
    create: Option<&Path>,
    versioned: bool,
    encoding: Encoding,
) -> WorkspaceEdit {
    let edits = |file: &File, edits: &[(Span, String)]| -> Vec<TextEdit> {
        let lines = Lines::new(&file.text, encoding);
        edits.iter().map(|(span, new)| TextEdit::new(lines.range(*span), new.clone())).collect()
    };
    if !versioned {
        let changes = files.iter().map(|(file, changes)| (file.uri.clone(), edits(file, changes)));
        return WorkspaceEdit { changes: Some(changes.collect()), ..WorkspaceEdit::default() };
    }
    let changed = files.iter().map(|(file, changes)| TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier { uri: file.uri.clone(), version: file.version },
        edits: edits(file, changes).into_iter().map(OneOf::Left).collect(),
    });
    let changes = match create.and_then(file_uri) {
        None => DocumentChanges::Edits(changed.collect()),
        Some(uri) => {
            let create =
                DocumentChangeOperation::Op(ResourceOp::Create(CreateFile { uri, options: None, annotation_id: None }));
            DocumentChanges::Operations(
                [create].into_iter().chain(changed.map(DocumentChangeOperation::Edit)).collect(),
            )
        }
    };
    WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }
}
