//! A server on a machine with nothing on it, for tests that speak to it without a client.

use std::{path::Path, sync::Arc, time::Duration};

use tempfile::TempDir;
use tower_lsp_server::{ClientSocket, LspService};

use super::{options::Options, server::Server, state::State};
use crate::{
    http::send::Limits,
    vault::{ProcessVariables, local::KeySource, provider::TokenSource},
    work::{Core, CoreOptions, Directories},
};

/// The server, with the core of its one workspace.
pub struct Fixture {
    _folder: TempDir,
    pub directories: Directories,
    pub service: LspService<Server>,
    /// What the server says to its client.
    pub socket: ClientSocket,
    pub state: Arc<State>,
    pub core: Arc<Core>,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sub = |name: &str| folder.path().join(name);
        let directories =
            Directories { config: sub("config"), data: sub("data"), state: sub("state"), runtime: sub("run") };
        let template = CoreOptions {
            root: sub("root"),
            directories: directories.clone(),
            key: KeySource { given: None, file: None, keyring: false },
            vault_token: TokenSource::default(),
            process_variables: ProcessVariables::default(),
            limits: Limits::default(),
        };
        let open = Arc::new(move |root: &Path| Core::open(CoreOptions { root: root.to_owned(), ..template.clone() }));
        let core = Arc::new(open(&sub("root")));
        let options = Options { directories: directories.clone(), open, quiet: Duration::ZERO, program: None };
        let (service, socket) = LspService::build(|client| Server::new(client, options)).finish();
        let state = service.inner().state();
        Self { _folder: folder, directories, service, socket, state, core }
    }
}
