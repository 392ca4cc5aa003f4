//! The files in which the editor was shown responses.

use std::{collections::VecDeque, sync::Mutex};

use tempfile::NamedTempFile;

use crate::lsp::lock::lock;

/// How many responses stay open as files.
const MAX_FILES: usize = 8;

/// Responses that the editor was shown as files, the oldest first. They are removed when the server ends, or when
/// enough newer ones came.
#[derive(Default)]
pub struct ShownFiles(Mutex<VecDeque<NamedTempFile>>);

impl ShownFiles {
    pub fn keep(&self, file: NamedTempFile) {
        let mut files = lock(&self.0);
        let oldest = if files.len() == MAX_FILES { files.pop_front() } else { None };
        files.push_back(file);
        drop(files);
        drop(oldest);
    }

    /// Removes them all.
    pub fn end(&self) {
        lock(&self.0).clear();
    }
}
