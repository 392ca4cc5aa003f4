//! `vaultls.extract`: a literal of an open document moves into the local vault. It is stored first, and only then do
//! references take its place: whatever fails in between, nothing is lost. The value travels in no message of ours: the
//! command names the place, and what replaces it is a reference.

use std::{collections::BTreeSet, sync::Arc};

use tower_lsp_server::ls_types::{MessageType, Uri};
use zeroize::Zeroizing;

use crate::{
    feature::{Edit, command::Extract, literal},
    lsp::{
        files,
        outcome::{Outcome, told},
        question, refresh,
        state::{Snapshot, State},
    },
    status::Reason,
    vault::value::SecretValue,
    work::{
        Core,
        extract::{counted, is_sought},
        verbs::Failure,
    },
};

const CHANGED: &str = "the document changed since this was offered; ask for the actions again";

/// A literal on its way.
struct Errand {
    core: Arc<Core>,
    snapshot: Snapshot,
    wanted: Extract,
    value: Zeroizing<String>,
    /// As the document writes it.
    written: Zeroizing<String>,
}

/// Stores what `wanted` names and replaces it everywhere; asks for the passphrase first where the vault wants it.
///
/// # Errors
/// A message where nothing was done.
pub async fn extract(state: &Arc<State>, wanted: Extract) -> Result<Outcome, String> {
    if !state.editor.abilities().applies_edits {
        return Err("this editor takes no edits from a server; use `vaultls extract` in a terminal".into());
    }
    let errand = errand(state, wanted).await?;
    match errand.store().await {
        Ok(warning) => {
            let replaced = errand.replace(state).await;
            Ok(Outcome::done(warning.map_or(replaced.clone(), |warning| format!("{replaced}; {warning}"))))
        }
        Err(failure) if failure.reason == Some(Reason::Locked) => {
            let later = state.clone();
            let go_on = async move |passphrase| {
                errand.core.unlock(passphrase).await?;
                let warning = errand.store().await?;
                let replaced = errand.replace(&later).await;
                later.editor.say(MessageType::INFO, replaced);
                Ok(warning.into())
            };
            Ok(question::ask(state, question::passphrase(), go_on).await)
        }
        Err(failure) => Err(told(&failure)),
    }
}

async fn errand(state: &Arc<State>, wanted: Extract) -> Result<Errand, String> {
    let uri: Uri = wanted.uri.parse().map_err(|_| "the document's URI is not valid".to_owned())?;
    let snapshot = state.snapshot(&uri).await.ok_or("the document is not open, or holds no requests")?;
    if snapshot.edition.version != wanted.version {
        return Err(CHANGED.into());
    }
    let found = literal::at(&snapshot.document, &snapshot.source, wanted.span);
    let found = found.filter(|literal| literal.span == wanted.span).ok_or("no value stands at this place")?;
    let value = found.value(snapshot.document.kind, &snapshot.source).ok_or("this value cannot be decoded")?;
    let written = Zeroizing::new(wanted.span.of(&snapshot.source).to_owned());
    let core = snapshot.workspace.core(&state.options).await.ok_or("the workspace could not be opened")?;
    Ok(Errand { core, snapshot, wanted, value, written })
}

impl Errand {
    async fn store(&self) -> Result<Option<String>, Failure> {
        let value = SecretValue::new(self.value.as_bytes().to_vec());
        self.core.store_new(&self.wanted.name, value, self.wanted.allowed_domains.clone()).await
    }

    /// Lets the editor put references in every place of the value. Says what is under way; how it went is told by the
    /// task that waits for the editor.
    async fn replace(&self, state: &Arc<State>) -> String {
        refresh::all(state);
        let name = &self.wanted.name;
        let stored = format!("`{name}` is stored in the local vault");
        let edits = self.edits(state).await;
        let places = edits.len();
        let files = edits.iter().map(|edit| &edit.file).collect::<BTreeSet<_>>().len();
        let edit = if edits.is_empty() { None } else { files::workspace_edit(state, &edits, None).await };
        let Some(edit) = edit else {
            return format!(
                "{stored}, and the document changed meanwhile: write `<<vault:{name}>>` where the value stands"
            );
        };
        let (waiting, name) = (state.clone(), name.clone());
        let taken = state.editor.spawn(async move {
            if let Err(reason) = waiting.editor.apply(edit).await {
                let message = format!(
                    "`{name}` is stored in the local vault, but the value still stands in the file: {reason}; \
                     write `<<vault:{name}>>` in its place"
                );
                waiting.editor.say(MessageType::WARNING, message);
            }
        });
        if !taken {
            return format!(
                "{stored}, but the editor is busy: write `<<vault:{name}>>` where the value stands",
                name = self.wanted.name
            );
        }
        let (places, files) = (counted(places, "place"), counted(files, "file"));
        format!("{stored}; its reference takes {places} in {files}; {}", crate::work::extract::HISTORY)
    }

    async fn edits(&self, state: &Arc<State>) -> Vec<Edit> {
        let (name, value, written) = (self.wanted.name.clone(), self.value.clone(), self.written.clone());
        let found = files::search_for(state, &self.snapshot, self.written.clone(), move |sheet| {
            let spans = literal::occurrences(&sheet.document, &sheet.source, &value, &written);
            let text = literal::reference(sheet.document.kind, &name);
            spans.into_iter().map(|span| Edit { file: sheet.path.clone(), span, text: text.clone() }).collect()
        });
        let mut edits = if is_sought(&self.value) { found.await.unwrap_or_default() } else { Vec::new() };
        let (document, own) = (&self.snapshot.edition, self.wanted.span);
        let known = edits.iter().any(|edit| edit.file == document.path && edit.span.overlaps(own));
        if !known && state.stands(document) {
            let text = literal::reference(self.snapshot.document.kind, &self.wanted.name);
            edits.push(Edit { file: document.path.clone(), span: own, text });
        }
        edits
    }
}
