//! What is open in the editor: documents, and the workspaces that they are of. Plain data, edited under one lock.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::task::AbortOnDropHandle;
use tower_lsp_server::ls_types::{Diagnostic, DidChangeTextDocumentParams, TextDocumentItem, Uri};

use super::{
    edition::{Edition, Facts, Form},
    workspace::Workspace,
};
use crate::{
    lsp::convert::{self, Lines},
    text::{Encoding, Text},
};

pub struct Documents {
    open: HashMap<Uri, Open>,
    /// The folders that the client opened.
    roots: Vec<PathBuf>,
    /// By root: those of the client, and the folders of files that stand outside of them.
    workspaces: HashMap<PathBuf, Arc<Workspace>>,
    /// The folder of documents that have none, in a client that opened none. There is no such folder: nothing is read
    /// in it, also not what lies where the editor happened to be started.
    nowhere: PathBuf,
    focus: Option<Focus>,
}

/// An open document.
pub struct Open {
    pub edition: Arc<Edition>,
    pub workspace: Arc<Workspace>,
    pub facts: Arc<Facts>,
    /// The diagnostics that were last published, and of which version.
    pub said: Option<(i32, Vec<Diagnostic>)>,
    /// The task that looks at the last edition; a newer one replaces it.
    pub refresh: Option<AbortOnDropHandle<()>>,
}

/// Where the person works, as far as requests tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    pub uri: Uri,
    pub offset: usize,
}

impl Documents {
    pub fn new(nowhere: PathBuf) -> Self {
        Self { open: HashMap::new(), roots: Vec::new(), workspaces: HashMap::new(), nowhere, focus: None }
    }

    /// Forgets everything; what was known.
    pub fn take(&mut self) -> Self {
        let nothing = Self::new(self.nowhere.clone());
        std::mem::replace(self, nothing)
    }

    pub fn begin(&mut self, roots: Vec<PathBuf>) {
        self.roots = roots;
    }

    pub fn open(&mut self, item: TextDocumentItem) {
        let (workspace, path) = self.place(&item.uri);
        let form = Form::of(&path, &item.language_id, &workspace.root);
        let text = Text::new(&item.text);
        let edition = Edition::new(item.uri.clone(), path, item.version, form, text);
        let open = Open { edition: Arc::new(edition), workspace, facts: Arc::default(), said: None, refresh: None };
        if form != Form::Config {
            self.focus = Some(Focus { uri: item.uri.clone(), offset: 0 });
        }
        self.open.insert(item.uri, open);
    }

    /// Applies edits, one after the other as the protocol asks; false where the document is none of ours.
    pub fn change(&mut self, params: DidChangeTextDocumentParams, encoding: Encoding) -> bool {
        let Some(open) = self.open.get_mut(&params.text_document.uri) else { return false };
        let last = &open.edition;
        let mut text = last.text.clone();
        for change in params.content_changes {
            match change.range {
                Some(range) => {
                    let span = Lines::new(&text, encoding).span(range);
                    text.replace(span, &change.text);
                }
                None => text = Text::new(&change.text),
            }
        }
        open.edition = Arc::new(last.next(params.text_document.version, text));
        true
    }

    /// Closes a document; what was known of it.
    pub fn close(&mut self, uri: &Uri) -> Option<Open> {
        let open = self.open.remove(uri)?;
        self.focus.take_if(|focus| focus.uri == *uri);
        Some(open)
    }

    /// Changes the client's folders. Documents move to their nearest root.
    pub fn move_roots(&mut self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        self.roots.retain(|root| !removed.contains(root) && !added.contains(root));
        self.roots.extend(added);
        self.workspaces.retain(|root, _| !removed.contains(root));
        let mut moving = std::mem::take(&mut self.open);
        for open in moving.values_mut() {
            let (workspace, path) = self.place(&open.edition.uri);
            if !Arc::ptr_eq(&workspace, &open.workspace) {
                open.edition = Arc::new(open.edition.moved(path, &workspace.root));
                open.workspace = workspace;
                open.facts = Arc::default();
            }
        }
        self.open = moving;
    }

    pub fn focus(&self) -> Option<&Focus> {
        self.focus.as_ref()
    }

    pub fn set_focus(&mut self, uri: &Uri, offset: usize) {
        if self.open.get(uri).is_some_and(|open| open.edition.form != Form::Config) {
            self.focus = Some(Focus { uri: uri.clone(), offset });
        }
    }

    /// Whether `folder` is one that the client opened.
    pub fn is_root(&self, folder: &Path) -> bool {
        self.roots.iter().any(|root| root == folder)
    }

    pub fn get(&self, uri: &Uri) -> Option<&Open> {
        self.open.get(uri)
    }

    pub fn get_mut(&mut self, uri: &Uri) -> Option<&mut Open> {
        self.open.get_mut(uri)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// Whether no newer edition came.
    pub fn stands(&self, edition: &Arc<Edition>) -> bool {
        self.open.get(&edition.uri).is_some_and(|open| Arc::ptr_eq(&open.edition, edition))
    }

    /// The workspaces in use, and those of the client's folders.
    pub fn workspaces(&mut self) -> Vec<Arc<Workspace>> {
        for root in self.roots.clone() {
            self.workspace_of(&root);
        }
        self.workspaces.values().cloned().collect()
    }

    /// The workspace of `uri`, which need not be open; without one, that of the focused document, or the first.
    pub fn workspace(&mut self, uri: Option<&Uri>) -> Arc<Workspace> {
        let uri = uri.or(self.focus.as_ref().map(|focus| &focus.uri)).cloned();
        if let Some(open) = uri.as_ref().and_then(|uri| self.open.get(uri)) {
            return open.workspace.clone();
        }
        match uri.as_ref().and_then(convert::file_path) {
            Some(path) => self.nearest(&path),
            None => self.first(),
        }
    }

    /// The workspace of a document, and its path there. One that is no file belongs to the first folder.
    fn place(&mut self, uri: &Uri) -> (Arc<Workspace>, PathBuf) {
        if let Some(path) = convert::file_path(uri) {
            return (self.nearest(&path), path);
        }
        let workspace = self.first();
        let path = workspace.root.join(convert::unsaved_name(uri));
        (workspace, path)
    }

    /// The workspace of the client's first folder, else the one of nowhere.
    fn first(&mut self) -> Arc<Workspace> {
        let root = self.roots.first().unwrap_or(&self.nowhere).clone();
        self.workspace_of(&root)
    }

    /// The workspace of the nearest root above a file, else of its own folder.
    fn nearest(&mut self, path: &Path) -> Arc<Workspace> {
        let nearest = self.roots.iter().filter(|root| path.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        let root = nearest.map_or_else(|| path.parent().unwrap_or(path), PathBuf::as_path).to_owned();
        self.workspace_of(&root)
    }

    fn workspace_of(&mut self, root: &Path) -> Arc<Workspace> {
        self.workspaces.entry(root.to_owned()).or_insert_with(|| Arc::new(Workspace::new(root.to_owned()))).clone()
    }
}
