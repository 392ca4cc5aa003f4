//! Places in files, open or not: what the editor holds wins over the disk. Everything is bounded, because a folder
//! can hold anything.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tower_lsp_server::ls_types::{CodeActionContext, CodeActionOrCommand, Location, MessageType, WorkspaceEdit};
use zeroize::Zeroizing;

use crate::{
    feature::{
        Edit,
        actions::{Action, Effect},
    },
    lsp::{
        convert::{self, File, Lines},
        state::{Snapshot, State},
    },
    status::Site,
    syntax::{self, Document, Kind},
    text::{Span, Text},
    work,
};

/// How many files of a workspace are searched, and how many bytes of them in all.
const MAX_FILES: usize = 5_000;
const MAX_BYTES: usize = 256 << 20;

/// A document of a workspace, open or not.
pub struct Sheet {
    pub path: PathBuf,
    pub file: File,
    pub source: Arc<str>,
    pub document: Arc<Document>,
}

/// The file at `path`; an absent one is empty. None where it cannot be read as text.
pub async fn file(state: &State, path: &Path) -> Option<File> {
    if let Some(edition) = state.document_of(path) {
        return Some(File { uri: edition.uri.clone(), text: edition.text.clone(), version: Some(edition.version) });
    }
    let uri = convert::file_uri(path)?;
    let path = path.to_owned();
    let text = tokio::task::spawn_blocking(move || match work::files::read(&path) {
        Ok(text) => Some(Text::new(&text)),
        Err(work::files::FileError::Missing) => Some(Text::default()),
        Err(_) => None,
    });
    Some(File { uri, text: text.await.ok()??, version: None })
}

/// A place of any file in the protocol's terms.
pub async fn location(state: &State, site: &Site) -> Option<Location> {
    let file = file(state, &site.file).await?;
    Some(Lines::new(&file.text, state.encoding()).location(&file.uri, site.span))
}

/// Edits of any files as one, after `create` was made; none where one of them cannot be read.
pub async fn workspace_edit(state: &State, edits: &[Edit], create: Option<&Path>) -> Option<WorkspaceEdit> {
    let mut files: Vec<(File, Vec<(Span, String)>)> = Vec::new();
    let mut indices: HashMap<&Path, usize> = HashMap::new();
    for edit in edits {
        let index = match indices.get(edit.file.as_path()) {
            Some(index) => *index,
            None => {
                files.push((file(state, &edit.file).await?, Vec::new()));
                indices.insert(&edit.file, files.len() - 1);
                files.len() - 1
            }
        };
        files[index].1.push((edit.span, edit.text.clone()));
    }
    let abilities = state.editor.abilities();
    let create = create.filter(|_| abilities.creates_files);
    Some(convert::workspace_edit(&files, create, abilities.versioned_edits, abilities.encoding))
}

/// Actions as the client takes them. One whose file cannot be read is left out.
pub async fn code_actions(state: &State, actions: &[Action], context: &CodeActionContext) -> Vec<CodeActionOrCommand> {
    let wanted = actions.iter().filter(|action| convert::wanted(action.kind, context.only.as_deref()));
    if !state.editor.abilities().code_actions {
        return wanted.filter_map(convert::bare_action).collect();
    }
    let mut shown = Vec::new();
    for action in wanted {
        let edit = match &action.effect {
            Effect::Command(_) => None,
            Effect::Edit(change) => match workspace_edit(state, &change.edits, change.create.as_deref()).await {
                Some(edit) => Some(edit),
                None => continue,
            },
        };
        let preferences = state.editor.abilities().preferred_actions;
        shown.push(convert::action(action, edit, &context.diagnostics, preferences));
    }
    shown
}

/// Every document of the snapshot's workspace that mentions a vault, as `find` sees it. Nobody writes these letters as
/// escapes of JSON, so that other files need not be parsed.
pub async fn search<T: Send + 'static>(
    state: &State,
    snapshot: &Snapshot,
    find: impl Fn(&Sheet) -> Vec<T> + Send + 'static,
) -> Option<Vec<T>> {
    search_for(state, snapshot, Zeroizing::new("vault:".into()), find).await
}

/// Every document of the snapshot's workspace in which `needle` stands, as `find` sees it. Open documents are searched
/// as they are; of the rest, those below the root. None after a fault.
pub async fn search_for<T: Send + 'static>(
    state: &State,
    snapshot: &Snapshot,
    needle: Zeroizing<String>,
    find: impl Fn(&Sheet) -> Vec<T> + Send + 'static,
) -> Option<Vec<T>> {
    let mut open = Vec::new();
    for (edition, workspace) in state.editions() {
        if !Arc::ptr_eq(&workspace, &snapshot.workspace) {
            continue;
        }
        let file = File { uri: edition.uri.clone(), text: edition.text.clone(), version: Some(edition.version) };
        let Some(parsed) = state.parsed(&edition).await else { continue };
        let Some(document) = parsed.document else { continue };
        open.push(Sheet { path: edition.path.clone(), file, source: parsed.source, document });
    }
    let (root, whole) = (snapshot.workspace.root.clone(), state.is_root(&snapshot.workspace.root));
    let searched = tokio::task::spawn_blocking(move || {
        let files = if whole { work::files::walk(&root).files } else { siblings(&root) };
        search_all(&open, files, &needle, &find)
    });
    let (found, complete) = searched.await.ok()?;
    if !complete {
        let message = "this workspace is too large to be searched as a whole: look at what is left by other means";
        state.editor.say(MessageType::WARNING, message);
    }
    Some(found)
}

/// What `find` sees in the open documents and in the other `files`, and whether all of them were looked at.
fn search_all<T>(
    open: &[Sheet],
    files: Vec<PathBuf>,
    needle: &str,
    find: &impl Fn(&Sheet) -> Vec<T>,
) -> (Vec<T>, bool) {
    let mut found: Vec<T> = open.iter().flat_map(find).collect();
    let mut budget = MAX_BYTES;
    for (index, path) in files.into_iter().filter(|path| !open.iter().any(|sheet| sheet.path == *path)).enumerate() {
        if index == MAX_FILES || budget == 0 {
            return (found, false);
        }
        let Some(sheet) = read(path, needle) else { continue };
        found.extend(find(&sheet));
        budget = budget.saturating_sub(sheet.source.len());
    }
    (found, true)
}

/// The files beside a document that was opened without its folder. What lies below is not searched: it may be a
/// home folder.
fn siblings(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let files = entries.flatten().take(MAX_FILES).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut files: Vec<_> = files.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// A file of the disk in which `needle` stands.
fn read(path: PathBuf, needle: &str) -> Option<Sheet> {
    let extension = path.extension()?.to_ascii_lowercase();
    if !["http", "rest", "json"].iter().any(|known| extension == *known) {
        return None;
    }
    let source = work::files::read(&path).ok()?;
    memchr::memmem::find(source.as_bytes(), needle.as_bytes())?;
    let kind = Kind::of(&path, &source)?;
    let document = Arc::new(syntax::parse(kind, &source));
    let file = File { uri: convert::file_uri(&path)?, text: Text::new(&source), version: None };
    Some(Sheet { path, file, source, document })
}
