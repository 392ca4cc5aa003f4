//! Finds and reads the environment files of a document: `http-client.env.json`, its private and `.user`
//! siblings, and `.env`. They are data: nothing in them reaches this process's own environment.

use std::path::Path;

use crate::syntax::expand::Environment;

/// A file that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub file: std::path::PathBuf,
    pub message: String,
}

/// The values for `document` when `name` is chosen. Files are looked for from the document's folder up to `root`.
pub fn load(_document: &Path, _root: &Path, _name: Option<&str>) -> (Environment, Vec<Trouble>) {
    todo!()
}
