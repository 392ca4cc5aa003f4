//! How long a page stands, on a clock that is wound on.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{net::TcpStream, time::Instant};
use tower_lsp_server::LspService;
use url::Url;

use super::{Talk, step::Course, step::Step};
use crate::{
    http::send::Limits,
    lsp::{Options, server::Server},
    vault::{ProcessVariables, local::KeySource, provider::TokenSource},
    work::{Core, CoreOptions, Directories},
};

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_answers_is_gone_after_ten_minutes() {
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
    let options = Options { directories, open, quiet: Duration::ZERO, program: None };
    let (service, _socket) = LspService::build(|client| Server::new(client, options)).finish();
    let state = service.inner().state();
    let course = Course::new(state.clone(), core);
    let talk = Arc::new(Talk::open(state, course, Step::Review(Vec::new())).await.unwrap());
    let address = Url::parse(&talk.address()).unwrap();
    let began = Instant::now();
    talk.hold().await;
    assert_eq!(began.elapsed().as_secs(), 600);
    assert!(TcpStream::connect(("127.0.0.1", address.port().unwrap())).await.is_err());
}
