//! What a request with many secrets costs: questions to scripted vaults, which answer after a pause, and the time of
//! fetching from a real server beside that server's own command line.

mod real;
mod scripted;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use vaultls::{
    http::send::Limits,
    vault::{ProcessVariables, local::KeySource, provider::TokenSource, value::SecretValue},
    work::{Core, CoreOptions, Directories, RunOutcome, Sheet},
};

use crate::shared::row;
use scripted::{Provider, Server};

/// How long a server thinks before it answers, as one across an ocean does.
const PAUSE: Duration = Duration::from_millis(100);

/// A vault with the first of the secrets that no other vault has.
struct Shelf<'a> {
    provider: Provider,
    server: &'a Server,
    secrets: usize,
}

pub fn asking() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(counting());
    runtime.block_on(overlapping());
    real::fetching();
}

/// The same secret a hundred times, and a hundred secrets of one vault.
async fn counting() {
    let one: String = (0..100).map(|index| format!("X-{index}: <<vault:s0>>\n")).collect();
    let all: String = (0..100).map(|index| format!("X-{index}: <<vault:s{index}>>\n")).collect();
    for (figure, secrets, headers) in
        [("a request with 1 secret, 100 times", 1, one), ("a request with 100 secrets of AWS", 100, all)]
    {
        let server = Server::start(PAUSE);
        let took = run(&[Shelf { provider: Provider::Aws, server: &server, secrets }], &headers).await;
        let questions = server.questions();
        row(figure, took, &format!("{questions} question(s) to a server that takes {PAUSE:.0?}"));
    }
}

/// Three vaults of three providers, each alone and then together. HashiCorp's is asked two questions, one after the
/// other.
async fn overlapping() {
    let vaults = [(Provider::Aws, 4), (Provider::HashiCorp, 1), (Provider::Connect, 3)];
    let servers = vaults.map(|(provider, pauses)| (provider, Server::start(PAUSE * pauses)));
    let mut alone = Vec::new();
    for (provider, server) in &servers {
        let shelf = Shelf { provider: *provider, server, secrets: 1 };
        alone.push(run(&[shelf], "X-0: <<vault:s0>>\n").await);
    }
    let shelves = servers.each_ref().map(|(provider, server)| Shelf { provider: *provider, server, secrets: 1 });
    let together = run(&shelves, "X-0: <<vault:s0>>\nX-1: <<vault:s1>>\nX-2: <<vault:s2>>\n").await;
    let slowest = alone.iter().max().expect("three vaults");
    let sum: Duration = alone.iter().sum();
    let beside = format!("the slowest alone {slowest:.1?}, the sum {sum:.1?}");
    row("secrets of AWS, HashiCorp and 1Password at once", together, &beside);
}

/// Sends one request with these headers, with the links `s0`, `s1` and so on spread over the vaults.
async fn run(shelves: &[Shelf<'_>], headers: &str) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let core = open(folder.path(), &config(shelves));
    let target = Server::start(Duration::ZERO);
    let text = format!("GET {}/\n{headers}\n", target.address);
    let sheet = Sheet::read(folder.path().join("bench.http"), text.into(), folder.path(), None);
    let sheet = sheet.expect("a file of requests").0;
    let start = Instant::now();
    let outcome = core.run(&sheet, 0, &BTreeMap::new()).await;
    assert!(matches!(outcome, RunOutcome::Sent { .. }), "the request is sent: {}", json!(outcome));
    start.elapsed()
}

fn open(folder: &Path, config: &str) -> Core {
    let below = |name: &str| folder.join(name);
    let directories =
        Directories { config: below("config"), data: below("data"), state: below("state"), runtime: below("run") };
    std::fs::create_dir_all(below("config")).expect("a folder");
    std::fs::write(directories.user_config(), config).expect("the configuration is written");
    let canary = || SecretValue::new(b"canary-bench".to_vec());
    let known = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "OP_CONNECT_TOKEN"];
    let variables = ProcessVariables(Arc::new(move |name| known.contains(&name).then(canary)));
    Core::open(CoreOptions {
        root: folder.to_owned(),
        directories,
        key: KeySource { given: None, file: None, keyring: false },
        vault_token: TokenSource { given: Some(Arc::new(canary())), file: None },
        process_variables: variables,
        limits: Limits::default(),
    })
}

fn config(shelves: &[Shelf<'_>]) -> String {
    let (mut text, mut index) = (String::new(), 0);
    for (number, shelf) in shelves.iter().enumerate() {
        let integration = shelf.provider.integration(&shelf.server.address);
        writeln!(text, "[integrations.v{number}]\n{integration}").expect("a text grows");
        for _ in 0..shelf.secrets {
            let link = shelf.provider.link(index);
            let rest = "allowed-domains = ['http://*']";
            writeln!(text, "[secrets.s{index}]\nintegration = 'v{number}'\n{link}\n{rest}").expect("a text grows");
            index += 1;
        }
    }
    text
}
