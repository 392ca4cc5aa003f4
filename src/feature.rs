//! What an editor shows, worked out from data alone: no disk, no network, no values, no protocol types.

use std::path::Path;

use crate::{
    status::{Known, Survey},
    syntax::{Document, expand::Environment},
};

/// All that a feature may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub path: &'a Path,
    pub source: &'a str,
    pub document: &'a Document,
    pub environment: &'a Environment,
    pub survey: &'a Survey,
    pub known: &'a Known,
}
