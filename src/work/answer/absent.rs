//! Where there are no Unix sockets, no question can be answered this way; every call says so.

use std::io;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{AnswerError, Answered, Field};
use crate::{vault::person::Answers, work::Directories};

const WHY: &str =
    "questions to a person need a Unix socket, which this system lacks; use `vaultls vault set` and the environment";

/// The desk of a system without sockets.
pub struct Desk {}

impl Desk {
    pub fn open(_directories: &Directories) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, WHY))
    }

    pub fn ask(&self, _fields: Vec<Field>) -> io::Result<(String, oneshot::Receiver<Answered>)> {
        Err(io::Error::new(io::ErrorKind::Unsupported, WHY))
    }

    pub async fn hand_over(&self, _ticket: &str, _answers: Answers) -> Result<Option<serde_json::Value>, AnswerError> {
        Err(AnswerError::Channel(WHY.into()))
    }
}

pub async fn deliver(
    _directories: &Directories,
    _ticket: &str,
    _answers: Zeroizing<Vec<u8>>,
) -> Result<Option<serde_json::Value>, AnswerError> {
    Err(AnswerError::Channel(WHY.into()))
}

pub async fn fields(_directories: &Directories, _ticket: &str) -> Result<Vec<Field>, AnswerError> {
    Err(AnswerError::Channel(WHY.into()))
}
