//! What the server is started with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::work::{Core, Directories};

/// What the server is started with.
#[derive(Clone)]
pub struct Options {
    pub directories: Directories,
    /// Opens the workspace of a root folder. It may block.
    pub open: Arc<dyn Fn(&Path) -> Core + Send + Sync>,
    /// How long nothing must be typed before a document is looked at.
    pub quiet: Duration,
    /// This program, to clean up after a server that was killed; none cleans up only at the next start.
    pub program: Option<PathBuf>,
}

impl Options {
    /// The quiet time that feels immediate and still spares the vaults a question for each letter.
    pub const QUIET: Duration = Duration::from_millis(200);
}
