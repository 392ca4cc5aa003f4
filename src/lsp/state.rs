//! The one mutable state: open documents and workspaces behind one lock. It is edited synchronously, before any
//! handler waits, so that requests are answered in the order of the edits; readers get a snapshot.

mod workspace;
mod edition;
mod snapshot;
mod documents;
mod reading;

use std::{
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
        browser::OpenPages, client::Editor, janitor::Janitor, lock::lock, options::Options, outcome::Outcome,
        shown::ShownFiles, sign_ins::SignIns, stops::Stops,
    },
    text::{Encoding, Text},
    work::{Core, answer::Desk},
};
use documents::Documents;

pub use documents::Focus;
pub use edition::{Edition, Facts, Form, Parsed};
pub use snapshot::Snapshot;
pub use workspace::{CONFIG_FILE, Workspace};

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
    desk: OnceCell<Desk<Outcome>>,
    /// Told of everything that is found out.
    learned: Notify,
    /// Whether the client was given an answer that is known to be incomplete.
    owes_refresh: AtomicBool,
    /// The environment that requests are sent with.
    environment: Mutex<Option<String>>,
    documents: Mutex<Documents>,
}

impl State {
    pub fn new(editor: Editor, options: Options) -> Self {
        let nowhere = options.directories.runtime.join("unsaved");
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
            environment: Mutex::default(),
            documents: Mutex::new(Documents::new(nowhere)),
        }
    }

    /// Where answers to questions arrive.
    pub async fn desk(&self) -> io::Result<&Desk<Outcome>> {
        self.desk.get_or_try_init(|| async { Desk::open(&self.options.directories) }).await
    }

    pub fn encoding(&self) -> Encoding {
        self.editor.abilities().encoding
    }

    /// Begins with what the client said about itself.
    pub fn begin(&self, roots: Vec<PathBuf>, environment: Option<String>) {
        lock(&self.documents).begin(roots);
        *lock(&self.environment) = environment;
    }

    /// Takes a document over.
    pub fn open(&self, item: TextDocumentItem) {
        lock(&self.documents).open(item);
    }

    /// Applies edits, one after the other as the protocol asks; false where the document is none of ours.
    pub fn change(&self, params: DidChangeTextDocumentParams) -> bool {
        lock(&self.documents).change(params, self.encoding())
    }

    /// Forgets a document and takes its diagnostics back; its form, where it was one of ours.
    pub fn forget(&self, uri: &Uri) -> Option<(Form, Arc<Workspace>)> {
        let mut documents = lock(&self.documents);
        let open = documents.close(uri)?;
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
        let documents = lock(&self.documents).take();
        drop(documents);
    }

    /// The next thing that is found out lets the client ask again.
    pub fn owe_refresh(&self) {
        self.owes_refresh.store(true, Ordering::SeqCst);
    }

    /// Changes the workspace's folders. Documents move to their nearest root.
    pub fn move_roots(&self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        removed.iter().for_each(|root| self.sign_ins.end(root, None));
        lock(&self.documents).move_roots(added, removed);
    }

    pub fn environment(&self) -> Option<String> {
        lock(&self.environment).clone()
    }

    /// Chooses an environment; whether that changed anything.
    pub fn choose_environment(&self, environment: Option<String>) -> bool {
        let mut chosen = lock(&self.environment);
        let changed = *chosen != environment;
        *chosen = environment;
        changed
    }

    pub fn focus(&self) -> Option<Focus> {
        lock(&self.documents).focus().cloned()
    }

    /// Remembers where the person works.
    pub fn set_focus(&self, uri: &Uri, offset: usize) {
        lock(&self.documents).set_focus(uri, offset);
    }

    /// Whether `folder` is one that the client opened.
    pub fn is_root(&self, folder: &Path) -> bool {
        lock(&self.documents).is_root(folder)
    }

    /// Every open document.
    pub fn documents(&self) -> Vec<Uri> {
        lock(&self.documents).iter().map(|open| open.edition.uri.clone()).collect()
    }

    /// The open document of a file.
    pub fn document_of(&self, path: &Path) -> Option<Arc<Edition>> {
        let documents = lock(&self.documents);
        documents.iter().find(|open| open.edition.path == path).map(|open| open.edition.clone())
    }

    /// The current edition of a document with its workspace.
    pub fn edition(&self, uri: &Uri) -> Option<(Arc<Edition>, Arc<Workspace>)> {
        let documents = lock(&self.documents);
        let open = documents.get(uri)?;
        Some((open.edition.clone(), open.workspace.clone()))
    }

    /// Every current edition.
    pub fn editions(&self) -> Vec<(Arc<Edition>, Arc<Workspace>)> {
        let documents = lock(&self.documents);
        documents.iter().map(|open| (open.edition.clone(), open.workspace.clone())).collect()
    }

    /// Whether no newer edition came.
    pub fn stands(&self, edition: &Arc<Edition>) -> bool {
        lock(&self.documents).stands(edition)
    }

    /// The workspaces in use, and those of the client's folders.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        lock(&self.documents).workspaces()
    }

    /// The workspace of `uri`, which need not be open; without one, that of the focused document, or the first.
    pub fn workspace(&self, uri: Option<&Uri>) -> Arc<Workspace> {
        lock(&self.documents).workspace(uri)
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
        let mut documents = lock(&self.documents);
        let before = documents.get_mut(uri).and_then(|open| open.refresh.replace(start()));
        drop(documents);
        drop(before);
    }

    /// Keeps what was found out about `edition` and wakes those who wait for it; false when it no longer stands.
    pub fn learn(&self, edition: &Arc<Edition>, facts: Option<Facts>) -> bool {
        let mut documents = lock(&self.documents);
        if !documents.stands(edition) {
            return false;
        }
        let mut news = false;
        if let (Some(open), Some(facts)) = (documents.get_mut(&edition.uri), facts) {
            news = open.facts.differ(&facts);
            open.facts = Arc::new(facts);
        }
        drop(documents);
        self.learned.notify_waiters();
        if self.owes_refresh.swap(false, Ordering::SeqCst) || news {
            self.editor.refresh();
        }
        true
    }

    /// Publishes diagnostics if no newer edition came, and the client was not told the same before. Diagnostics of what
    /// is no document of ours are only taken back, where there were any.
    pub fn publish(&self, edition: &Arc<Edition>, diagnostics: Option<Vec<Diagnostic>>) {
        let mut documents = lock(&self.documents);
        if !documents.stands(edition) {
            return;
        }
        let Some(open) = documents.get_mut(&edition.uri) else { return };
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
            let waits =
                lock(&self.documents).get(uri).is_some_and(|open| open.facts.version != Some(open.edition.version));
            if !waits {
                return;
            }
            learned.await;
        }
    }

    /// What is wrong with the `vaultls.toml` that is open under `uri`.
    pub fn config_findings(&self, uri: &Uri) -> Option<Vec<Finding>> {
        Some(lock(&self.documents).get(uri)?.facts.config.clone())
    }

    /// What `vaultls.toml` of `workspace` says in the editor, where it is open there.
    pub fn config_text(&self, workspace: &Workspace) -> Option<Text> {
        let edition = self.document_of(&workspace.root.join(CONFIG_FILE))?;
        Some(edition.text.clone())
    }
}
