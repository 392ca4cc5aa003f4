//! What both faces share: one verb, one file; plain data in, plain and redacted data out.

pub mod answer;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::Serialize;

use crate::{
    http::send::{Limits, Response},
    name::SecretName,
    policy::Policy,
    status::{Problem, Survey},
    syntax::{Document, expand::Environment},
    vault::Vault,
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

/// A document as both faces hold it.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub path: PathBuf,
    pub source: Arc<str>,
    pub document: Arc<Document>,
    pub environment: Arc<Environment>,
}

/// One workspace, ready to work.
pub struct Core {
    pub vault: Vault,
    pub policy: Policy,
    pub limits: Limits,
    /// The folder that files of a request may not leave.
    pub root: PathBuf,
    // and the sender
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Obstacle {
    /// The secret it is about; none for a variable, a URL, a body file.
    pub secret: Option<SecretName>,
    /// The host the request would go to, for `domain-denied` and `host-unapproved`.
    pub host: Option<String>,
    /// A code of `Reason`, or `variable`, `url`, `body`, `unsupported`.
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
    /// The statuses of every secret in `sheet` and what each request may do with them. Reads no value.
    pub async fn survey(&self, _sheet: &Sheet) -> Survey {
        todo!()
    }

    /// Sends one request of `sheet`.
    pub async fn run(&self, _sheet: &Sheet, _request: usize, _overrides: &BTreeMap<String, String>) -> RunOutcome {
        todo!()
    }
}

/// A secret's problem as an obstacle.
pub fn obstacle(secret: &SecretName, host: Option<String>, problem: &Problem) -> Obstacle {
    Obstacle {
        secret: Some(secret.clone()),
        host,
        code: problem.reason.code(),
        message: problem.detail.clone(),
        hint: problem.reason.hint().into(),
    }
}
