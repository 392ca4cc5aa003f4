//! The one mutable state: open documents and workspaces behind one lock. It is edited synchronously, before any
//! handler waits, so that requests are answered in the order of the edits; readers get a snapshot.

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tempfile::NamedTempFile;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower_lsp_server::ls_types::{Diagnostic, DidChangeTextDocumentParams, ProgressToken, TextDocumentItem, Uri};

use crate::{
    environment::Trouble,
    feature::{Context, Finding},
    lsp::{Options, client::Editor, convert, lock},
    status::{Known, Survey},
    syntax::{self, Document, Kind, expand::Environment},
    text::{Encoding, Text},
    vault::Pending,
    work::{Core, answer::Desk},
};

/// The file of a workspace that says where its secrets live.
pub const CONFIG_FILE: &str = "vaultls.toml";
/// Up to this length, in bytes, a text is read at once; a longer one is read beside the handlers.
const INLINE: usize = 64 << 10;
/// How many long texts are read at the same time.
const PARSERS: usize = 2;
/// How many documents are surveyed at the same time.
const SURVEYS: usize = 4;
/// How many requests are sent at the same time.
const SENDS: usize = 16;
/// How many responses stay open as files.
const FILES: usize = 8;

/// Everything that the server knows.
pub struct State {
    pub options: Options,
    pub editor: Editor,
    pub surveys: Semaphore,
    /// Requests that are sent at the same time.
    pub sends: Semaphore,
    /// Where answers to questions arrive; opened at the first question.
    desk: OnceCell<Desk>,
    /// Responses that the editor was shown as files, the oldest first.
    files: Mutex<VecDeque<NamedTempFile>>,
    parsers: Semaphore,
    /// Told of everything that is found out.
    learned: Notify,
    /// Whether the client was given an answer that is known to be incomplete.
    owes_refresh: AtomicBool,
    /// Runs that the person can stop, by the token of their progress.
    runs: Mutex<HashMap<ProgressToken, CancellationToken>>,
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
    /// Whether diagnostics were published.
    spoken: bool,
    /// The task that looks at the last edition; a newer one replaces it.
    refresh: Option<AbortOnDropHandle<()>>,
}

/// Where the person works, as far as requests tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    pub uri: Uri,
    pub offset: usize,
}

/// What a document is to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Requests, in the client's word or by the file's name and content.
    Requests(Option<Kind>),
    /// The `vaultls.toml` of its workspace.
    Config,
}

/// One version of a document. It never changes.
pub struct Edition {
    pub uri: Uri,
    pub path: PathBuf,
    pub version: i32,
    pub form: Form,
    pub text: Text,
    parsed: OnceCell<Parsed>,
}

#[derive(Clone)]
pub struct Parsed {
    pub source: Arc<str>,
    /// None where the text is in no format that is read, such as a `.json` file that is no collection.
    pub document: Option<Arc<Document>>,
}

/// What was found out about one edition.
#[derive(Default)]
pub struct Facts {
    pub version: Option<i32>,
    pub environment: Arc<Environment>,
    pub survey: Arc<Survey>,
    /// Environment files that could not be used.
    pub troubles: Arc<[Trouble]>,
    /// What is wrong with `vaultls.toml`, where the document is that file.
    pub config: Vec<Finding>,
    /// The survey as far as it still holds after an edit: places are forgotten.
    moved: OnceLock<Arc<Survey>>,
    /// The same after an edit that changed the number of requests.
    bare: OnceLock<Arc<Survey>>,
}

/// All that a feature needs, at one moment.
pub struct Snapshot {
    pub edition: Arc<Edition>,
    pub workspace: Arc<Workspace>,
    pub source: Arc<str>,
    pub document: Arc<Document>,
    pub environment: Arc<Environment>,
    pub survey: Arc<Survey>,
    pub troubles: Arc<[Trouble]>,
    pub known: Arc<Known>,
    pub encoding: Encoding,
}

/// One folder with its core, which is opened when it is first needed.
pub struct Workspace {
    pub root: PathBuf,
    core: OnceCell<Arc<Core>>,
    known: Mutex<Arc<Known>>,
    /// The definitions that the person was last shown for approval.
    shown: Mutex<Vec<Pending>>,
}

impl State {
    pub fn new(editor: Editor, options: Options) -> Self {
        Self {
            options,
            editor,
            surveys: Semaphore::new(SURVEYS),
            sends: Semaphore::new(SENDS),
            desk: OnceCell::new(),
            files: Mutex::default(),
            parsers: Semaphore::new(PARSERS),
            learned: Notify::new(),
            owes_refresh: AtomicBool::new(false),
            runs: Mutex::default(),
            inner: Mutex::default(),
        }
    }

    /// Where answers to questions arrive.
    pub async fn desk(&self) -> io::Result<&Desk> {
        self.desk.get_or_try_init(|| async { Desk::open(&self.options.directories) }).await
    }

    /// Keeps a file until the server ends or enough newer ones came.
    pub fn keep_file(&self, file: NamedTempFile) {
        let mut files = lock(&self.files);
        let oldest = if files.len() == FILES { files.pop_front() } else { None };
        files.push_back(file);
        drop(files);
        drop(oldest);
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

    /// Takes a document over; false where it is none of ours.
    pub fn open(&self, item: TextDocumentItem) -> bool {
        let mut inner = lock(&self.inner);
        let path = convert::document_path(&item.uri);
        let workspace = inner.workspace(&path);
        let Some(form) = Form::of(&path, &item.language_id, &workspace.root) else { return false };
        let text = Text::new(&item.text);
        let edition =
            Edition { uri: item.uri.clone(), path, version: item.version, form, text, parsed: OnceCell::new() };
        let open = Open { edition: Arc::new(edition), workspace, facts: Arc::default(), spoken: false, refresh: None };
        inner.documents.insert(item.uri, open);
        true
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
                    let span = convert::span(&text, range, encoding);
                    text.replace(span, &change.text);
                }
                None => text = Text::new(&change.text),
            }
        }
        open.edition = Arc::new(Edition {
            uri: last.uri.clone(),
            path: last.path.clone(),
            version: params.text_document.version,
            form: last.form,
            text,
            parsed: OnceCell::new(),
        });
        true
    }

    /// Forgets a document and takes its diagnostics back; its form, where it was one of ours.
    pub fn forget(&self, uri: &Uri) -> Option<(Form, Arc<Workspace>)> {
        let mut inner = lock(&self.inner);
        let open = inner.documents.remove(uri)?;
        inner.focus.take_if(|focus| focus.uri == *uri);
        if open.spoken {
            self.editor.publish(uri.clone(), vec![], None);
        }
        Some((open.edition.form, open.workspace))
    }

    /// Ends every task, and forgets everything.
    pub fn end(&self) {
        self.editor.close();
        lock(&self.runs).drain().for_each(|(_, run)| run.cancel());
        lock(&self.files).clear();
        let inner = std::mem::take(&mut *lock(&self.inner));
        drop(inner);
    }

    /// The next thing that is found out lets the client ask again.
    pub fn owe_refresh(&self) {
        self.owes_refresh.store(true, Ordering::SeqCst);
    }

    /// A run that the person can stop under `token`.
    pub fn stoppable(&self, token: Option<&ProgressToken>) -> CancellationToken {
        let stop = CancellationToken::new();
        let mut runs = lock(&self.runs);
        runs.retain(|_, run| !run.is_cancelled());
        if let Some(token) = token {
            runs.insert(token.clone(), stop.clone());
        }
        stop
    }

    /// Stops the run whose progress has `token`.
    pub fn cancel(&self, token: &ProgressToken) {
        if let Some(run) = lock(&self.runs).remove(token) {
            run.cancel();
        }
    }

    /// Changes the workspace's folders. Documents move to their nearest root.
    pub fn move_roots(&self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        let mut inner = lock(&self.inner);
        inner.roots.retain(|root| !removed.contains(root));
        inner.roots.extend(added);
        inner.workspaces.retain(|root, _| !removed.contains(root));
        let mut documents = std::mem::take(&mut inner.documents);
        for open in documents.values_mut() {
            open.workspace = inner.workspace(&open.edition.path);
            open.facts = Arc::default();
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
        if inner.documents.contains_key(uri) {
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
    pub fn workspace(&self, uri: Option<&Uri>) -> Option<Arc<Workspace>> {
        let mut inner = lock(&self.inner);
        let uri = uri.or(inner.focus.as_ref().map(|focus| &focus.uri)).cloned();
        if let Some(open) = uri.as_ref().and_then(|uri| inner.documents.get(uri)) {
            return Some(open.workspace.clone());
        }
        if let Some(path) = uri.as_ref().and_then(convert::file_path) {
            return Some(inner.workspace(&path));
        }
        let root = inner.roots.first().cloned()?;
        Some(inner.workspace_of(&root))
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

    /// Publishes diagnostics if no newer edition came. Diagnostics of what is no document of ours are only taken
    /// back, where there were any.
    pub fn publish(&self, edition: &Arc<Edition>, diagnostics: Option<Vec<Diagnostic>>) {
        let mut inner = lock(&self.inner);
        if !inner.stands(edition) {
            return;
        }
        let Some(open) = inner.documents.get_mut(&edition.uri) else { return };
        let spoken = std::mem::replace(&mut open.spoken, diagnostics.is_some());
        if spoken || diagnostics.is_some() {
            // NB. under the lock: what is said after a later edit must also be sent later.
            self.editor.publish(edition.uri.clone(), diagnostics.unwrap_or_default(), Some(edition.version));
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

    /// Reads an edition, once; none when a newer one came before it was its turn.
    pub async fn parsed(&self, edition: &Arc<Edition>) -> Option<Parsed> {
        let parse = || async {
            if edition.text.len() <= INLINE {
                return Ok(edition.parse());
            }
            let _permit = self.parsers.acquire().await.expect("the semaphore is never closed");
            if !self.stands(edition) {
                return Err(());
            }
            let edition = edition.clone();
            tokio::task::spawn_blocking(move || edition.parse()).await.map_err(|_| ())
        };
        edition.parsed.get_or_try_init(parse).await.ok().cloned()
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
        let Parsed { source, document } = self.parsed(edition).await?;
        let document = document?;
        Some(Snapshot {
            edition: edition.clone(),
            survey: facts.survey(edition.version, document.requests.len()),
            environment: facts.environment.clone(),
            troubles: facts.troubles.clone(),
            known: workspace.known(),
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

    /// The workspace of the nearest root above `path`, else of its own folder.
    fn workspace(&mut self, path: &Path) -> Arc<Workspace> {
        let nearest = self.roots.iter().filter(|root| path.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        let root = nearest.cloned().or_else(|| {
            // A document without a file belongs to the first folder.
            if path.is_absolute() { path.parent().map(Path::to_owned) } else { self.roots.first().cloned() }
        });
        self.workspace_of(&root.unwrap_or_default())
    }

    fn workspace_of(&mut self, root: &Path) -> Arc<Workspace> {
        let new = || {
            Arc::new(Workspace {
                root: root.to_owned(),
                core: OnceCell::new(),
                known: Mutex::default(),
                shown: Mutex::default(),
            })
        };
        self.workspaces.entry(root.to_owned()).or_insert_with(new).clone()
    }
}

impl Form {
    fn of(path: &Path, language: &str, root: &Path) -> Option<Self> {
        let name = path.file_name().unwrap_or_default();
        if name == CONFIG_FILE {
            return (path.parent() == Some(root)).then_some(Self::Config);
        }
        match language {
            "http" | "rest" => Some(Self::Requests(Some(Kind::Http))),
            _ => Some(Self::Requests(None)),
        }
    }
}

impl Edition {
    fn parse(&self) -> Parsed {
        let source: Arc<str> = self.text.to_string().into();
        let kind = match self.form {
            Form::Requests(kind) => kind.or_else(|| Kind::of(&self.path, &source)),
            Form::Config => None,
        };
        let document = kind.map(|kind| Arc::new(syntax::parse(kind, &source)));
        Parsed { source, document }
    }
}

impl Facts {
    pub fn new(version: i32, environment: Arc<Environment>, survey: Survey, troubles: Vec<Trouble>) -> Self {
        let (survey, troubles) = (Arc::new(survey), troubles.into());
        Self { version: Some(version), environment, survey, troubles, ..Self::default() }
    }

    /// There is nothing to find out.
    pub fn nothing(version: i32) -> Self {
        Self { version: Some(version), ..Self::default() }
    }

    pub fn of_config(version: i32, config: Vec<Finding>) -> Self {
        Self { version: Some(version), config, ..Self::default() }
    }

    /// Whether `other` says anything else, apart from where in the text it says it.
    fn differ(&self, other: &Self) -> bool {
        let placeless = |survey: &Survey| {
            let requests = survey.requests.iter();
            let needs = requests.map(|request| {
                let needs = request.needs.iter().map(|need| (need.name.clone(), need.problem.clone()));
                (request.host.clone(), needs.collect::<Vec<_>>())
            });
            needs.collect::<Vec<_>>()
        };
        self.environment != other.environment
            || self.troubles != other.troubles
            || self.config != other.config
            || self.survey.secrets != other.survey.secrets
            || placeless(&self.survey) != placeless(&other.survey)
    }

    /// The survey for a version with so many requests.
    fn survey(&self, version: i32, requests: usize) -> Arc<Survey> {
        if self.version == Some(version) {
            return self.survey.clone();
        }
        if self.survey.requests.len() != requests {
            let bare = || Survey { secrets: self.survey.secrets.clone(), requests: vec![] };
            return self.bare.get_or_init(|| Arc::new(bare())).clone();
        }
        let moved = self.moved.get_or_init(|| {
            let mut survey = Survey::clone(&self.survey);
            survey.requests.iter_mut().flat_map(|request| &mut request.needs).for_each(|need| need.spans.clear());
            Arc::new(survey)
        });
        moved.clone()
    }
}

impl Snapshot {
    /// Works an answer out: at once for a short text, beside the handlers for a long one. None after a fault, or
    /// when a newer edition came before it was its turn.
    pub async fn answer<T: Send + 'static>(
        self,
        state: &State,
        work_out: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        if self.source.len() <= INLINE {
            return Some(work_out(&self));
        }
        let _permit = state.parsers.acquire().await.expect("the semaphore is never closed");
        if !state.stands(&self.edition) {
            return None;
        }
        tokio::task::spawn_blocking(move || work_out(&self)).await.ok()
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            path: &self.edition.path,
            source: &self.source,
            document: &self.document,
            environment: &self.environment,
            survey: &self.survey,
            known: &self.known,
        }
    }
}

impl Workspace {
    /// What was last known of its secrets and integrations.
    pub fn known(&self) -> Arc<Known> {
        lock(&self.known).clone()
    }

    pub fn set_known(&self, known: Known) {
        *lock(&self.known) = Arc::new(known);
    }

    /// Remembers that the person is shown `pending`; what was shown before.
    pub fn show(&self, pending: Vec<Pending>) -> Vec<Pending> {
        std::mem::replace(&mut *lock(&self.shown), pending)
    }

    /// The core, opened at first use on a thread that may block; none when that failed.
    pub async fn core(&self, options: &Options) -> Option<Arc<Core>> {
        let open = || async {
            let (open, root) = (options.open.clone(), self.root.clone());
            tokio::task::spawn_blocking(move || Arc::new(open(&root))).await
        };
        match self.core.get_or_try_init(open).await {
            Ok(core) => Some(core.clone()),
            Err(_) => {
                tracing::error!(root = %self.root.display(), "the workspace could not be opened");
                None
            }
        }
    }
}
