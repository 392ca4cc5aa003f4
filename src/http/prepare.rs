//! A request with its variables replaced and its secrets still names.

use std::{path::Path, time::Duration};

use crate::{
    name::SecretName,
    syntax::{
        Document, Place, Request,
        expand::{Expanded, Fault, Scope},
    },
    text::Span,
};

/// What is sent, but for the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub method: String,
    pub url: Expanded,
    /// In order; a name may occur twice.
    pub headers: Vec<(Expanded, Expanded)>,
    pub body: PreparedBody,
    pub follow_redirects: bool,
    pub timeout: Option<Duration>,
    /// Everything that keeps it from being sent, apart from secrets: unknown variables, an unreadable body file.
    pub faults: Vec<PreparedFault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedBody {
    None,
    /// The `bool` of each piece's place is decided when filled: see `fill`.
    Text {
        text: Expanded,
        json: bool,
    },
    /// Field by field; names and values are percent-encoded when filled.
    Form(Vec<(Expanded, Expanded)>),
    /// Bytes of a file, sent as they are.
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedFault {
    Variable(Fault),
    /// Something else, with its place and a message for people.
    Other {
        span: Span,
        message: String,
    },
}

impl Prepared {
    /// Each secret it uses, with the place where it enters and the kind of place.
    pub fn secrets(&self) -> Vec<(SecretName, Span, Place)> {
        todo!()
    }

    /// The URL with its variables replaced, if it holds no secret and is valid: the very object that is sent.
    pub fn url(&self) -> Option<url::Url> {
        todo!()
    }
}

/// Prepares `request`. Body files are read only where `files` is given: the folder they are looked up from and
/// the workspace root they may not leave.
pub fn prepare(
    _document: &Document,
    _request: &Request,
    _scope: &Scope<'_>,
    _files: Option<(&Path, &Path)>,
) -> Prepared {
    todo!()
}
