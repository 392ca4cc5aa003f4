//! What both faces share: one verb, one file; plain data in, plain and redacted data out.
//!
//! `survey` (what an editor says) and `run` (what happens) go through the same plan and the same judge, so they
//! cannot disagree.

pub mod answer;
mod browser;
pub mod chain;
pub mod check;
pub mod choices;
pub mod curl;
pub mod dynamic;
pub mod extract;
mod fault;
pub mod files;
pub mod plan;
mod run;
pub mod status;
mod survey;
pub mod transfer;
pub mod verbs;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, Weak},
};

use serde::Serialize;

use crate::{
    approval::Approvals,
    feature::{Context, trouble},
    http::send::{Limits, Response, Sender},
    name::SecretName,
    policy::Policy,
    status::{Known, Problem, Survey},
    syntax::{Document, Kind, expand::Environment},
    vault::{self, ProcessVariables, Vault, local::KeySource, provider::TokenSource, value::SecretValue},
};

/// The folders of one user, named once at the start of the program.
#[derive(Clone, Debug)]
pub struct Directories {
    pub config: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    /// For sockets; private to the user.
    pub runtime: PathBuf,
}

impl Directories {
    /// The user's `config.toml`.
    pub fn user_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

/// What a [`Core`] is made of. Only the root differs from one workspace to the next.
#[derive(Clone, Debug)]
pub struct CoreOptions {
    /// The workspace's root folder: the home of its `vaultls.toml`, of approvals, and of body files.
    pub root: PathBuf,
    pub directories: Directories,
    /// How the local vault's key is found.
    pub key: KeySource,
    /// The tokens that the user's own tools left on this machine.
    pub vault_token: TokenSource,
    /// The variables of this process, for `{{$processEnv NAME}}`.
    pub process_variables: ProcessVariables,
    pub limits: Limits,
}

/// A document as both faces hold it.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub path: PathBuf,
    pub source: Arc<str>,
    pub document: Arc<Document>,
    pub environment: Arc<Environment>,
}

impl Sheet {
    /// What the features read, beside what is known about the secrets.
    pub fn context<'a>(&'a self, survey: &'a Survey, known: &'a Known) -> Context<'a> {
        Context {
            path: &self.path,
            source: &self.source,
            document: &self.document,
            environment: &self.environment,
            survey,
            known,
            chooses: false,
        }
    }

    /// Reads `source` as the content of `path` in the environment called `environment`, with complaints about
    /// environment files; none where the file is in no format that is read.
    pub fn read(
        path: PathBuf,
        source: Arc<str>,
        root: &std::path::Path,
        environment: Option<&str>,
    ) -> Option<(Self, Vec<crate::environment::Trouble>)> {
        let kind = Kind::of(&path, &source)?;
        let document = Arc::new(crate::syntax::parse(kind, &source));
        let (environment, troubles) = crate::environment::load(&path, root, environment);
        Some((Self { path, source, document, environment: Arc::new(environment) }, troubles))
    }
}

/// One workspace, ready to work.
pub struct Core {
    pub vault: Vault,
    pub policy: Policy,
    pub limits: Limits,
    /// The folder that files of a request may not leave.
    pub root: PathBuf,
    /// The user's own configuration.
    user_config: PathBuf,
    process_variables: ProcessVariables,
    approvals: Arc<Approvals>,
    sender: Sender,
    /// Values that were fetched and still live somewhere, so that a later response is masked for them as well.
    fetched: Mutex<Vec<(SecretName, Weak<SecretValue>)>>,
    /// What was answered to requests that others need parts of.
    exchanges: chain::store::Store,
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Obstacle {
    /// The secret it is about; none for a variable, a URL, a body file.
    pub secret: Option<SecretName>,
    /// The host the request would go to, for `domain-denied` and `host-unapproved`.
    pub host: Option<String>,
    /// A code of `Reason`, or `variable`, `reference`, `request`, `unsupported`.
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum RunOutcome {
    Sent {
        response: Box<Response>,
        /// What a person should know: a script that was not run, a body that was cut.
        notes: Vec<String>,
    },
    /// Nothing was sent.
    Blocked { obstacles: Vec<Obstacle> },
    /// Something was sent, and the exchange failed or a redirect was refused.
    Failed { message: String, obstacle: Option<Obstacle> },
}

impl Core {
    /// Opens a workspace. Never fails: what is wrong shows in statuses and complaints.
    pub fn open(options: CoreOptions) -> Self {
        let CoreOptions { root, directories, key, vault_token, process_variables, limits } = options;
        // Approvals belong to the real folder, so that a symbolic link to it is no second workspace.
        let root = root.canonicalize().unwrap_or(root);
        let approvals = Arc::new(Approvals::open(directories.state.join("approvals")));
        let user_config = directories.user_config();
        let vault = Vault::open(vault::Options {
            workspace: Some(root.clone()),
            user_config: user_config.clone(),
            data: directories.data,
            key,
            vault_token,
            approvals: approvals.clone(),
            process_variables: process_variables.clone(),
        });
        let policy = Policy::new(approvals.clone(), root.to_string_lossy().into_owned());
        let (sender, fetched, exchanges) = (Sender::default(), Mutex::default(), chain::store::Store::default());
        Self { vault, policy, limits, root, user_config, process_variables, approvals, sender, fetched, exchanges }
    }
}

/// A secret's problem as an obstacle.
pub fn obstacle(secret: &SecretName, host: Option<String>, problem: &Problem) -> Obstacle {
    Obstacle {
        secret: Some(secret.clone()),
        host,
        code: problem.reason.code(),
        message: problem.detail.clone(),
        hint: trouble::hint(secret, problem.reason).into(),
    }
}
