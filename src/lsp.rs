//! The language server: one of the two faces. It turns the protocol's messages into calls of features and verbs,
//! and their plain answers into the protocol's values.
//!
//! Three rules keep it answering (each measured, each with a test): the state is edited before a handler first
//! waits; no handler waits for the client; nothing slow runs on the task that drives the handlers.

// The table.
mod server;
// What it stands on.
mod bare;
mod capabilities;
mod client;
mod command;
mod convert;
mod curl;
mod environment;
mod extract;
mod files;
mod janitor;
mod pages;
mod pipe;
mod refresh;
mod rename;
mod run;
mod settings;
mod sign_in;
mod state;
// What protects it.
pub mod guard;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp_server::LspService;

use crate::work::{Core, Directories};
use guard::{Guard, Lifecycle};

/// How long answers that are under way may take once the client is gone.
const GRACE: Duration = Duration::from_secs(3);

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

/// Serves one client until it says `exit` or its input ends. Returns the process's exit code: 0 after `shutdown`,
/// else 1. NB. reading the standard input cannot be interrupted, so the program must end with
/// `std::process::exit`.
pub async fn serve(
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + 'static,
    options: Options,
) -> i32 {
    let (service, socket) = LspService::build(|client| server::Server::new(client, options))
        .custom_method("window/workDoneProgress/cancel", server::Server::cancel_progress)
        .finish();
    let state = service.inner().state();
    let lifecycle = Arc::<Lifecycle>::default();
    let (input, reading) = guard::filter(input);
    let serving = tower_lsp_server::Server::new(input, output, socket)
        .concurrency_level(usize::MAX)
        .serve(Guard::new(service, lifecycle.clone()));
    let gone = async {
        tokio::select! {
            _ = reading => {}
            () = lifecycle.exited() => {}
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = serving => {}
        () = gone => {}
    }
    let cores: Vec<Arc<Core>> = state.workspaces().iter().filter_map(|workspace| workspace.opened()).collect();
    state.end();
    join_all(cores.iter().map(|core| core.end())).await;
    lifecycle.exit_code()
}

/// Locks `mutex`, also after a panic of another holder: every change under these locks is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
