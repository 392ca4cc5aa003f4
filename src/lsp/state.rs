//! The one mutable state: open documents and workspaces behind one lock. It is edited synchronously, before any
//! handler waits, so that requests are answered in the order of the edits; readers get a snapshot.

mod edition;
mod workspace;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tower_lsp_server::ls_types::{Diagnostic, DidChangeTextDocumentParams, TextDocumentItem, Uri};

use crate::{
    feature::Finding,
    lsp::{
        browser::{self, OpenPages},
        client::Editor,
        convert::{self, Lines},
        janitor::Janitor,
        lock::lock,
        options::Options,
        shown::ShownFiles,
        sign_ins::SignIns,
        stops::Stops,
    },
    text::{Encoding, Text},
    work::{Core, answer::Desk},
};

pub use edition::{Edition, Facts, Form, Parsed, Snapshot};
pub use workspace::Workspace;

/// The file of a workspace that says where its secrets live.
pub const CONFIG_FILE: &str = "vaultls.toml";
/// How many long texts are read at the same time.
const PARSERS: usize = 2;
/// How many documents are surveyed at the same time.
const SURVEYS: usize = 4;
/// How many requests are sent at the same time.
const SENDS: usize = 16;

/// Everything that the server knows.
pub struct State {
    pub options: Options,
    pub editor: Editor,
    pub parsers: Semaphore,
    pub surveys: Semaphore,
    pub sends: Semaphore,
    pub stops: Stops,
    pub sign_ins: SignIns,
    pub shown: ShownFiles,
    pub janitor: Janitor,
    pub pages: OpenPages,
    /// Where answers to questions arrive; opened at the first question.
    desk: OnceCell<Desk>,
    /// Told of everything that is found out.
    learned: Notify,
    /// Whether the client was given an answer that is known to be incomplete.
    owes_refresh: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    documents: HashMap<Uri, Open>,
    /// The folders that the client opened.
    roots: Vec<PathBuf>,
    /// By root: those of the client, and the folders of files that stand outside of them.
    workspaces: HashMap<PathBuf, Arc<Workspace>>,
    environment: Option<String>,
    focus: Option<Focus>,
}

/// An open document.
struct Open {
    edition: Arc<Edition>,
    workspace: Arc<Workspace>,
    facts: Arc<Facts>,
    /// The diagnostics that were last published, and of which version.
    said: Option<(i32, Vec<Diagnostic>)>,
    /// The task that looks at the last edition; a newer one replaces it.
    refresh: Option<AbortOnDropHandle<()>>,
}

/// Where the person works, as far as requests tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    pub uri: Uri,
    pub offset: usize,
}

impl State {
    pub fn new(editor: Editor, options: Options) -> Self {
        Self {
            janitor: Janitor::new(options.program.clone()),
            options,
            editor,
            parsers: Semaphore::new(PARSERS),
            surveys: Semaphore::new(SURVEYS),
            sends: Semaphore::new(SENDS),
            stops: Stops::default(),
            sign_ins: SignIns::default(),
            shown: ShownFiles::default(),
            pages: OpenPages::default(),
            desk: OnceCell::new(),
            learned: Notify::new(),
            owes_refresh: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    /// Where answers to questions arrive.
    pub async fn desk(&self) -> io::Result<&Desk> {
        self.desk.get_or_try_init(|| async { Desk::open(&self.options.directories) }).await
    }

    pub fn encoding(&self) -> Encoding {
        self.editor.abilities().encoding
    }

    /// Begins with what the client said about itself.
    pub fn begin(&self, roots: Vec<PathBuf>, environment: Option<String>) {
        let mut inner = lock(&self.inner);
        inner.roots = roots;
        inner.environment = environment;
    }

    /// Takes a document over.
    pub fn open(&self, item: TextDocumentItem) {
        let mut inner = lock(&self.inner);
        let (workspace, path) = inner.place(&item.uri, &self.nowhere());
        let form = Form::of(&path, &item.language_id, &workspace.root);
        let text = Text::new(&item.text);
        let edition = Edition::new(item.uri.clone(), path, item.version, form, text);
        let open = Open { edition: Arc::new(edition), workspace, facts: Arc::default(), said: None, refresh: None };
        if form != Form::Config {
            inner.focus = Some(Focus { uri: item.uri.clone(), offset: 0 });
        }
        inner.documents.insert(item.uri, open);
    }

    /// The folder of documents that have none, in a client that opened none. There is no such folder: nothing is read
    /// in it, also not what lies where the editor happened to be started.
    fn nowhere(&self) -> PathBuf {
        self.options.directories.runtime.join("unsaved")
    }

    /// Applies edits, one after the other as the protocol asks; false where the document is none of ours.
    pub fn change(&self, params: DidChangeTextDocumentParams) -> bool {
        let encoding = self.encoding();
        let mut inner = lock(&self.inner);
        let Some(open) = inner.documents.get_mut(&params.text_document.uri) else { return false };
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

    /// Forgets a document and takes its diagnostics back; its form, where it was one of ours.
    pub fn forget(&self, uri: &Uri) -> Option<(Form, Arc<Workspace>)> {
        let mut inner = lock(&self.inner);
        let open = inner.documents.remove(uri)?;
        inner.focus.take_if(|focus| focus.uri == *uri);
        if open.said.is_some() {
            self.editor.publish(uri.clone(), vec![], None);
        }
        Some((open.edition.form, open.workspace))
    }

    /// Ends every task, and forgets everything.
    pub fn end(&self) {
        self.editor.close();
        self.stops.end();
        self.shown.end();
        let inner = std::mem::take(&mut *lock(&self.inner));
        drop(inner);
    }

    /// The next thing that is found out lets the client ask again.
    pub fn owe_refresh(&self) {
        self.owes_refresh.store(true, Ordering::SeqCst);
    }

    /// Changes the workspace's folders. Documents move to their nearest root.
    pub fn move_roots(&self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        removed.iter().for_each(|root| self.sign_ins.end(root, None));
        let mut inner = lock(&self.inner);
        inner.roots.retain(|root| !removed.contains(root) && !added.contains(root));
        inner.roots.extend(added);
        inner.workspaces.retain(|root, _| !removed.contains(root));
        let mut documents = std::mem::take(&mut inner.documents);
        for open in documents.values_mut() {
            let (workspace, path) = inner.place(&open.edition.uri, &self.nowhere());
            if !Arc::ptr_eq(&workspace, &open.workspace) {
                open.edition = Arc::new(open.edition.moved(path, &workspace.root));
                open.workspace = workspace;
                open.facts = Arc::default();
            }
        }
        inner.documents = documents;
    }

    pub fn environment(&self) -> Option<String> {
        lock(&self.inner).environment.clone()
    }

    /// Chooses an environment; whether that changed anything.
    pub fn choose_environment(&self, environment: Option<String>) -> bool {
        let mut inner = lock(&self.inner);
        let changed = inner.environment != environment;
        inner.environment = environment;
        changed
    }

    pub fn focus(&self) -> Option<Focus> {
        lock(&self.inner).focus.clone()
    }

    /// Remembers where the person works.
    pub fn set_focus(&self, uri: &Uri, offset: usize) {
        let mut inner = lock(&self.inner);
        if inner.documents.get(uri).is_some_and(|open| open.edition.form != Form::Config) {
            inner.focus = Some(Focus { uri: uri.clone(), offset });
        }
    }

    /// Whether `folder` is one that the client opened.
    pub fn is_root(&self, folder: &Path) -> bool {
        lock(&self.inner).roots.iter().any(|root| root == folder)
    }

    /// Every open document.
    pub fn documents(&self) -> Vec<Uri> {
        lock(&self.inner).documents.keys().cloned().collect()
    }

    /// The open document of a file.
    pub fn document_of(&self, path: &Path) -> Option<Arc<Edition>> {
        let inner = lock(&self.inner);
        inner.documents.values().find(|open| open.edition.path == path).map(|open| open.edition.clone())
    }

    /// The current edition of a document with its workspace.
    pub fn edition(&self, uri: &Uri) -> Option<(Arc<Edition>, Arc<Workspace>)> {
        let inner = lock(&self.inner);
        let open = inner.documents.get(uri)?;
        Some((open.edition.clone(), open.workspace.clone()))
    }

    /// Every current edition.
    pub fn editions(&self) -> Vec<(Arc<Edition>, Arc<Workspace>)> {
        let inner = lock(&self.inner);
        inner.documents.values().map(|open| (open.edition.clone(), open.workspace.clone())).collect()
    }

    /// Whether no newer edition came.
    pub fn stands(&self, edition: &Arc<Edition>) -> bool {
        lock(&self.inner).stands(edition)
    }

    /// The workspaces in use, and those of the client's folders.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        let mut inner = lock(&self.inner);
        for root in inner.roots.clone() {
            inner.workspace_of(&root);
        }
        inner.workspaces.values().cloned().collect()
    }

    /// The workspace of `uri`, which need not be open; without one, that of the focused document, or the first.
    pub fn workspace(&self, uri: Option<&Uri>) -> Arc<Workspace> {
        let mut inner = lock(&self.inner);
        let uri = uri.or(inner.focus.as_ref().map(|focus| &focus.uri)).cloned();
        if let Some(open) = uri.as_ref().and_then(|uri| inner.documents.get(uri)) {
            return open.workspace.clone();
        }
        match uri.as_ref().and_then(convert::file_path) {
            Some(path) => inner.workspace(&path),
            None => inner.first(&self.nowhere()),
        }
    }

    /// The workspace that `uri` is about, as [`Self::workspace`] finds it, with its core; none where that is no URI, or
    /// the core cannot be opened.
    pub async fn home(&self, uri: Option<&str>) -> Option<(Arc<Workspace>, Arc<Core>)> {
        let uri = match uri {
            Some(uri) => Some(uri.parse().ok()?),
            None => None,
        };
        let workspace = self.workspace(uri.as_ref());
        let core = workspace.core(&self.options).await?;
        Some((workspace, core))
    }

    /// Puts a task in charge of a document's refresh; the one before is dropped.
    pub fn set_refresh(&self, uri: &Uri, start: impl FnOnce() -> AbortOnDropHandle<()>) {
        let mut inner = lock(&self.inner);
        let before = inner.documents.get_mut(uri).and_then(|open| open.refresh.replace(start()));
        drop(inner);
        drop(before);
    }

    /// Keeps what was found out about `edition` and wakes those who wait for it; false when it no longer stands.
    pub fn learn(&self, edition: &Arc<Edition>, facts: Option<Facts>) -> bool {
        let mut inner = lock(&self.inner);
        if !inner.stands(edition) {
            return false;
        }
        let mut news = false;
        if let (Some(open), Some(facts)) = (inner.documents.get_mut(&edition.uri), facts) {
            news = open.facts.differ(&facts);
            open.facts = Arc::new(facts);
        }
        drop(inner);
        self.learned.notify_waiters();
        if self.owes_refresh.swap(false, Ordering::SeqCst) || news {
            self.editor.refresh();
        }
        true
    }

    /// Publishes diagnostics if no newer edition came, and the client was not told the same before. Diagnostics of what
    /// is no document of ours are only taken back, where there were any.
    pub fn publish(&self, edition: &Arc<Edition>, diagnostics: Option<Vec<Diagnostic>>) {
        let mut inner = lock(&self.inner);
        if !inner.stands(edition) {
            return;
        }
        let Some(open) = inner.documents.get_mut(&edition.uri) else { return };
        let say = diagnostics.map(|diagnostics| (edition.version, diagnostics));
        if open.said != say {
            open.said.clone_from(&say);
            // NB. under the lock: what is said after a later edit must also be sent later.
            let diagnostics = say.map(|(_, diagnostics)| diagnostics).unwrap_or_default();
            self.editor.publish(edition.uri.clone(), diagnostics, Some(edition.version));
        }
    }

    /// Waits until the vaults were asked about the current edition of a document.
    pub async fn told(&self, uri: &Uri) {
        loop {
            let learned = self.learned.notified();
            tokio::pin!(learned);
            learned.as_mut().enable();
            let waits = lock(&self.inner)
                .documents
                .get(uri)
                .is_some_and(|open| open.facts.version != Some(open.edition.version));
            if !waits {
                return;
            }
            learned.await;
        }
    }

    /// What is wrong with the `vaultls.toml` that is open under `uri`.
    pub fn config_findings(&self, uri: &Uri) -> Option<Vec<Finding>> {
        Some(lock(&self.inner).documents.get(uri)?.facts.config.clone())
    }

    /// What `vaultls.toml` of `workspace` says in the editor, where it is open there.
    pub fn config_text(&self, workspace: &Workspace) -> Option<Text> {
        let edition = self.document_of(&workspace.root.join(CONFIG_FILE))?;
        Some(edition.text.clone())
    }

    /// The document as it is now, ready for features. What the vaults say is what was last known.
    pub async fn snapshot(&self, uri: &Uri) -> Option<Snapshot> {
        let (edition, _) = self.edition(uri)?;
        self.snapshot_of(&edition).await
    }

    /// The same for an edition, also when a newer one came meanwhile.
    pub async fn snapshot_of(&self, edition: &Arc<Edition>) -> Option<Snapshot> {
        let (workspace, facts) = {
            let inner = lock(&self.inner);
            let open = inner.documents.get(&edition.uri)?;
            (open.workspace.clone(), open.facts.clone())
        };
        let Parsed { source, document } = edition.parsed(self).await?;
        let document = document?;
        Some(Snapshot {
            edition: edition.clone(),
            survey: facts.survey(edition.version, document.requests.len()),
            environment: facts.environment.clone(),
            troubles: facts.troubles.clone(),
            known: workspace.known(),
            learned: facts.version.is_some(),
            chooses: self.editor.abilities().plugin
                || workspace.opened().is_some_and(|core| browser::can_open(&self.editor, &core)),
            encoding: self.encoding(),
            workspace,
            source,
            document,
        })
    }
}

impl Inner {
    fn stands(&self, edition: &Arc<Edition>) -> bool {
        self.documents.get(&edition.uri).is_some_and(|open| Arc::ptr_eq(&open.edition, edition))
    }

    /// The workspace of a document, and its path there. One that is no file belongs to the first folder.
    fn place(&mut self, uri: &Uri, nowhere: &Path) -> (Arc<Workspace>, PathBuf) {
        if let Some(path) = convert::file_path(uri) {
            return (self.workspace(&path), path);
        }
        let workspace = self.first(nowhere);
        let path = workspace.root.join(convert::unsaved_name(uri));
        (workspace, path)
    }

    /// The workspace of the client's first folder, else of `nowhere`.
    fn first(&mut self, nowhere: &Path) -> Arc<Workspace> {
        let root = self.roots.first().cloned();
        self.workspace_of(root.as_deref().unwrap_or(nowhere))
    }

    /// The workspace of the nearest root above a file, else of its own folder.
    fn workspace(&mut self, path: &Path) -> Arc<Workspace> {
        let nearest = self.roots.iter().filter(|root| path.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        let root = nearest.map_or_else(|| path.parent().unwrap_or(path), PathBuf::as_path).to_owned();
        self.workspace_of(&root)
    }

    fn workspace_of(&mut self, root: &Path) -> Arc<Workspace> {
        self.workspaces.entry(root.to_owned()).or_insert_with(|| Arc::new(Workspace::new(root.to_owned()))).clone()
    }
}
