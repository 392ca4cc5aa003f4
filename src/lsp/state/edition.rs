//! One version of one document: its text, what was read in it, and what was found out about it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tokio::sync::OnceCell;
use tower_lsp_server::ls_types::Uri;

use super::workspace::CONFIG_FILE;
use crate::{
    environment::Trouble,
    feature::Finding,
    status::Survey,
    syntax::{self, Document, Kind, expand::Environment},
    text::Text,
};

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

    /// What was read in it, by `parse` where that was not done before.
    pub async fn parsed_by(&self, parse: impl AsyncFnOnce() -> Option<Parsed>) -> Option<Parsed> {
        let parsed = self.parsed.get_or_try_init(|| async { parse().await.ok_or(()) }).await;
        parsed.ok().cloned()
    }

    pub fn parse(&self) -> Parsed {
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
                (request.host.clone(), needs.collect::<Vec<_>>(), faults, request.first.clone())
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
