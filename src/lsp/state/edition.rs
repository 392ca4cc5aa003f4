//! One version of one document: its text, what was read in it, and what was found out about it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tokio::sync::OnceCell;
use tower_lsp_server::ls_types::Uri;

use crate::{
    environment::Trouble,
    feature::{Context, Finding},
    lsp::state::{CONFIG_FILE, State, Workspace},
    status::{Known, Survey},
    syntax::{self, Document, Kind, expand::Environment},
    text::{Encoding, Text},
};

/// Up to this length, in bytes, a text is read at once; a longer one is read beside the handlers.
const INLINE: usize = 64 << 10;

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
    /// Whether the vaults were asked about any edition of the document yet.
    pub learned: bool,
    pub chooses: bool,
    pub encoding: Encoding,
}

impl Form {
    /// What a document in the client's word `language` is to the workspace of `root`.
    pub fn of(path: &Path, language: &str, root: &Path) -> Self {
        Self::Requests(matches!(language, "http" | "rest").then_some(Kind::Http)).at(path, root)
    }

    /// The same document in another workspace.
    fn at(self, path: &Path, root: &Path) -> Self {
        match self {
            _ if path.file_name() == Some(CONFIG_FILE.as_ref()) && path.parent() == Some(root) => Self::Config,
            Self::Config => Self::Requests(None),
            Self::Requests(kind) => Self::Requests(kind),
        }
    }
}

impl Edition {
    pub fn new(uri: Uri, path: PathBuf, version: i32, form: Form, text: Text) -> Self {
        Self { uri, path, version, form, text, parsed: OnceCell::new() }
    }

    /// The same document with a newer text.
    pub fn next(&self, version: i32, text: Text) -> Self {
        Self::new(self.uri.clone(), self.path.clone(), version, self.form, text)
    }

    /// The same text in the workspace of `root`.
    pub fn moved(&self, path: PathBuf, root: &Path) -> Self {
        let form = self.form.at(&path, root);
        Self::new(self.uri.clone(), path, self.version, form, self.text.clone())
    }

    /// Reads it, once; none when a newer one came before it was its turn.
    pub async fn parsed(self: &Arc<Self>, state: &State) -> Option<Parsed> {
        let parse = || async {
            if self.text.len() <= INLINE {
                return Ok(self.parse());
            }
            let _permit = state.parsers.acquire().await.expect("the semaphore is never closed");
            if !state.stands(self) {
                return Err(());
            }
            let edition = self.clone();
            tokio::task::spawn_blocking(move || edition.parse()).await.map_err(|_| ())
        };
        self.parsed.get_or_try_init(parse).await.ok().cloned()
    }

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
    pub fn differ(&self, other: &Self) -> bool {
        let placeless = |survey: &Survey| {
            let requests = survey.requests.iter();
            let needs = requests.map(|request| {
                let needs = request.needs.iter().map(|need| (need.name.clone(), need.problem.clone()));
                let faults: Vec<String> = request.faults.iter().map(|fault| fault.message.clone()).collect();
                (request.host.clone(), needs.collect::<Vec<_>>(), faults)
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
    pub fn survey(&self, version: i32, requests: usize) -> Arc<Survey> {
        if self.version == Some(version) {
            return self.survey.clone();
        }
        if self.survey.requests.len() != requests {
            let bare = || Survey { requests: vec![], ..Survey::clone(&self.survey) };
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
            chooses: self.chooses,
        }
    }
}
