//! One folder that documents work in.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::sync::OnceCell;

use crate::{
    lsp::{lock::lock, options::Options},
    status::Known,
    vault::Pending,
    work::Core,
};

/// The file of a workspace that says where its secrets live.
pub const CONFIG_FILE: &str = "vaultls.toml";

/// One folder with its core, which is opened when it is first needed.
pub struct Workspace {
    pub root: PathBuf,
    core: OnceCell<Arc<Core>>,
    known: Mutex<Arc<Known>>,
    /// The definitions that the person was last shown for approval.
    shown: Mutex<Vec<Pending>>,
}

impl Workspace {
    pub fn new(root: PathBuf) -> Self {
        Self { root, core: OnceCell::new(), known: Mutex::default(), shown: Mutex::default() }
    }

    /// What was last known of its secrets and integrations.
    pub fn known(&self) -> Arc<Known> {
        lock(&self.known).clone()
    }

    pub fn set_known(&self, known: Known) {
        *lock(&self.known) = Arc::new(known);
    }

    /// Remembers that the person is shown `pending`; what was shown before.
    pub fn show(&self, pending: Vec<Pending>) -> Vec<Pending> {
        std::mem::replace(&mut *lock(&self.shown), pending)
    }

    /// The core, if it was opened.
    pub fn opened(&self) -> Option<Arc<Core>> {
        self.core.get().cloned()
    }

    /// The core, opened at first use on a thread that may block; none when that failed.
    pub async fn core(&self, options: &Options) -> Option<Arc<Core>> {
        let open = || async {
            let (open, root) = (options.open.clone(), self.root.clone());
            tokio::task::spawn_blocking(move || Arc::new(open(&root))).await
        };
        match self.core.get_or_try_init(open).await {
            Ok(core) => Some(core.clone()),
            Err(_) => {
                tracing::error!(root = %self.root.display(), "the workspace could not be opened");
                None
            }
        }
    }
}
