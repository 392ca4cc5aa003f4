//! All that a feature needs, at one moment.

use std::sync::Arc;

use super::{edition::Edition, workspace::Workspace};
use crate::{
    environment::Trouble,
    feature::Context,
    lsp::convert::Lines,
    status::{Known, Survey},
    syntax::{Document, expand::Environment},
    text::Encoding,
};

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

impl Snapshot {
    /// Its text as the client counts in it.
    pub fn lines(&self) -> Lines<'_> {
        Lines::new(&self.edition.text, self.encoding)
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
