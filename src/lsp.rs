//! The language server: one of the two faces. It turns the protocol's messages into calls of features and verbs,
//! and their plain answers into the protocol's values.
//!
//! Three rules keep it answering (each measured, each with a test): the state is edited before a handler first
//! waits; no handler waits for the client; nothing slow runs on the task that drives the handlers.
//!
//! Its rooms stand in an order. A file knows only the rooms before its own, and a test holds it to that
//! (`tests/it/tidy.rs`):
//!
//! ```text
//! lock options guard janitor pipe                 know nothing of the server
//! outcome -> words                                what a command answers, and how that is said in a line
//! convert -> abilities -> client -> browser       the protocol's values, what the client can do, whom one speaks to
//! stops shown sign_ins -> state                   what is under way and what is open, as data behind locks
//! refresh files response settings                 what is found out by itself; what is read and shown beside the state
//! rename question environment extract run curl sign_in
//!                     -> command                  what a person asks for: each returns an outcome, and tells nobody
//! pages -> bare                                   how that is told where the client does not draw it
//! execute -> server                               the table of handlers
//! ```
//!
//! So whoever carries something out need not know whether a plugin, a page in the browser or a message tells it; and the
//! state owns what is under way without knowing who began it.

// What knows nothing of the server.
mod lock;
mod options;
pub mod guard;
mod janitor;
mod pipe;
// Plain answers, and their words.
mod outcome;
mod words;
// The client.
mod convert;
mod abilities;
mod capabilities;
mod client;
mod browser;
// What is under way, and what is open.
mod stops;
mod shown;
mod sign_ins;
mod state;
// What is found out by itself, and from files.
mod refresh;
mod files;
mod response;
mod settings;
// What a person asks for.
mod rename;
mod question;
mod environment;
mod extract;
mod run;
mod curl;
mod sign_in;
mod command;
// How it is told where the client does not draw it.
mod pages;
mod bare;
// The table.
mod execute;
mod server;

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
