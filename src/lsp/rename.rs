//! References and renames across a workspace.

use std::sync::Arc;

use tower_lsp_server::ls_types::{Location, MessageType, WorkspaceEdit};

use crate::{
    feature::{
        Edit,
        references::{self, Symbol},
        rename,
    },
    lsp::{
        convert::Lines,
        files, refresh,
        state::{Snapshot, State},
    },
    name::SecretName,
    status::ProviderKind,
};

/// Every use of what stands at `offset`: of a secret in the whole workspace, of a variable in its document.
pub async fn references(
    state: &Arc<State>,
    snapshot: &Snapshot,
    offset: usize,
    with_definitions: bool,
) -> Option<Vec<Location>> {
    let symbol = references::symbol(&snapshot.context(), offset)?;
    let encoding = snapshot.encoding;
    if matches!(symbol, Symbol::Variable(_) | Symbol::Request(_)) {
        let spans = references::references(&snapshot.document, &symbol, with_definitions);
        return Some(spans.into_iter().map(|span| snapshot.lines().location(&snapshot.edition.uri, span)).collect());
    }
    let found = files::search(state, snapshot, move |sheet| {
        let spans = references::references(&sheet.document, &symbol, with_definitions);
        let lines = Lines::new(&sheet.file.text, encoding);
        spans.into_iter().map(|span| lines.location(&sheet.file.uri, span)).collect()
    });
    found.await
}

/// Renames what stands at `offset`: every reference of the workspace and the link in `vaultls.toml` in one edit. A
/// secret of the local vault is renamed there as well.
///
/// # Errors
/// A message that says why not.
pub async fn rename(
    state: &Arc<State>,
    mut snapshot: Snapshot,
    offset: usize,
    new: &str,
) -> Result<Option<WorkspaceEdit>, String> {
    // What exists decides what is renamed: the last known will not do.
    refresh::known(state, &snapshot.workspace).await;
    snapshot.known = snapshot.workspace.known();
    let context = snapshot.context();
    let Some(prepared) = rename::prepare(&context, offset) else { return Ok(None) };
    if let Some(objection) = rename::objection(&context, &prepared.symbol, new) {
        return Err(objection);
    }
    let edits = match &prepared.symbol {
        Symbol::Variable(_) | Symbol::Request(_) => {
            rename::edits(&snapshot.edition.path, &snapshot.source, &snapshot.document, &prepared.symbol, new)
        }
        Symbol::Secret(_) => {
            secret_edits(state, &snapshot, &prepared.symbol, new).await.ok_or("the workspace could not be searched")?
        }
    };
    let Some(edit) = files::workspace_edit(state, &edits, None).await else {
        return Err("a file to be changed can no longer be read".into());
    };
    // Last, so that nothing is renamed for an edit that fails.
    if let Symbol::Secret(old) = &prepared.symbol {
        rename_in_vault(state, &snapshot, old, new).await?;
    }
    Ok(Some(edit))
}

/// The edits of every document of the workspace, and of the link.
async fn secret_edits(state: &Arc<State>, snapshot: &Snapshot, symbol: &Symbol, new: &str) -> Option<Vec<Edit>> {
    let (searched, name) = (symbol.clone(), new.to_owned());
    let mut edits = files::search(state, snapshot, move |sheet| {
        rename::edits(&sheet.path, &sheet.source, &sheet.document, &searched, &name)
    })
    .await?;
    if let (Symbol::Secret(old), Ok(new)) = (symbol, SecretName::parse(new)) {
        edits.extend(rename::link_edit(&snapshot.known, old, &new));
    }
    Some(edits)
}

/// A secret that only the local vault holds takes its new name there, else every reference would go stale. Where
/// the new name exists already, the references move to that secret.
async fn rename_in_vault(state: &Arc<State>, snapshot: &Snapshot, old: &SecretName, new: &str) -> Result<(), String> {
    let new = &SecretName::parse(new).map_err(|error| error.to_string())?;
    let context = snapshot.context();
    let local = context.known_secret(old).is_some_and(|it| it.provider == ProviderKind::Local && it.link.is_none());
    if !local || context.known_secret(new).is_some() {
        return Ok(());
    }
    let Some(core) = snapshot.workspace.core(&state.options).await else { return Ok(()) };
    core.rename(old, new).await.map_err(|failure| format!("{failure}; {}", failure.hint))?;
    state.editor.say(MessageType::INFO, format!("`{old}` is now called `{new}` in the local vault too"));
    refresh::all(state);
    Ok(())
}
