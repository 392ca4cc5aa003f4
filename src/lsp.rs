//! The language server: one of the two faces. It turns the protocol's messages into calls of features and verbs,
//! and their plain answers into the protocol's values.
//!
//! Three rules keep it answering (each measured, each with a test): the state is edited before a handler first
//! waits; no handler waits for the client; nothing slow runs on the task that drives the handlers.

// The table.
mod server;
// What it stands on.
mod abilities;
mod bare;
mod browser;
mod capabilities;
mod client;
mod command;
mod convert;
mod curl;
mod environment;
mod execute;
mod extract;
mod files;
mod janitor;
mod lock;
mod options;
mod outcome;
mod pages;
mod pipe;
mod question;
mod refresh;
mod rename;
mod response;
mod run;
mod settings;
mod shown;
mod sign_in;
mod sign_ins;
mod state;
mod stops;
mod words;
// What protects it.
pub mod guard;

#[cfg(test)]
mod fixture;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp_server::LspService;

use crate::work::Core;
use guard::{Guard, Lifecycle};

pub use options::Options;

/// How long answers that are under way may take once the client is gone.
const GRACE: Duration = Duration::from_secs(3);

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
