//! The figures that vaultls is built to, measured in one run and told as ratios: `cargo bench`.
//!
//! Machines differ and are noisy, so nothing here fails on a time; each figure stands beside something measured in
//! the same run.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark starts the program and prints")]

mod shared;
mod vaults;

use std::{
    alloc::System,
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use vaultls::{
    approval::Approvals,
    feature::{self, Context, pasted},
    name::SecretName,
    status::{Known, Survey},
    syntax::{self, Kind, expand::Environment},
    text::{Span, Text},
    vault::{
        Options, ProcessVariables, Vault,
        cache::Cache,
        link::Fingerprint,
        local::{Change, KeySource},
        provider::TokenSource,
        value::SecretValue,
    },
};
use zeroizing_alloc::ZeroAlloc;

use shared::{generated_collection, generated_http, median, ratio, row};

/// As in the program.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() {
    // `cargo bench -- --test` and `cargo test --benches` only want to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("figure                                          median      beside");
    parsing();
    editing();
    looking_for_pasted_secrets();
    cached_value();
    vaults::asking();
    starting();
}

/// Parsing with references, against the speed of memory and of `serde_json`.
fn parsing() {
    let http = generated_http(3 << 20);
    let parsed = median(|| shared::parse(&http));
    leave("parse", parsed);
    let copied = median(|| drop(black_box(http.clone())));
    let rate = http.len() as f64 / parsed.as_secs_f64() / 1e6;
    row("parse a 3 MB .http file", parsed, &format!("{rate:.0} MB/s; a plain copy takes {copied:.1?}"));

    let collection = generated_collection(4 << 20);
    let parsed = median(|| drop(black_box(syntax::parse(Kind::Postman, &collection))));
    let value = median(|| shared::grow_a_tree(&collection));
    leave("tree", value);
    row("parse a 4 MB collection", parsed, &format!("{:.2} of serde_json::Value ({value:.1?})", ratio(parsed, value)));
    let references = syntax::parse(Kind::Postman, &collection).references.len();
    println!("  with {references} references found in the collection");
}

/// Leaves a time for the benchmark `unwiped`, which runs next.
fn leave(work: &str, time: Duration) {
    std::fs::write(shared::note(work), time.as_nanos().to_string()).expect("the target folder takes a file");
}

/// One character typed into a 3 MB file, until its diagnostics are computed.
fn editing() {
    let source = generated_http(3 << 20);
    let mut text = Text::new(&source);
    let environment = Environment::default();
    let (survey, known) = (Survey::default(), Known::default());
    let at = source.len() / 2;
    let mut at = (at..).find(|offset| source.is_char_boundary(*offset)).expect("the end is a boundary");
    let edited = median(|| {
        text.replace(Span::at(at), "x");
        at += 1;
        let source = text.to_string();
        let document = syntax::parse(Kind::Http, &source);
        let context = Context {
            path: Path::new("bench.http"),
            source: &source,
            document: &document,
            environment: &environment,
            survey: &survey,
            known: &known,
            chooses: false,
        };
        drop(black_box(feature::diagnostics::diagnostics(&context)));
    });
    let parsed = median(|| drop(black_box(syntax::parse(Kind::Http, &source))));
    row("one character in 3 MB, to new diagnostics", edited, &format!("{:.2} of a parse alone", ratio(edited, parsed)));
}

/// The search for literals that look like secrets, in a file without any and in one where every request has one.
fn looking_for_pasted_secrets() {
    let clean = generated_http(3 << 20);
    let full = clean.replace("X-Request-Id: {{$guid}}", "X-Api-Key: 9f8e7d6c5b4a39281706f5e4d3c2b1a0");
    for (what, source) in [("none", clean), ("one in every request", full)] {
        let document = syntax::parse(Kind::Http, &source);
        let looked = median(|| drop(black_box(pasted::all(&document, &source))));
        let parsed = median(|| shared::parse(&source));
        row(&format!("pasted secrets in 3 MB: {what}"), looked, &format!("{:.2} of a parse", ratio(looked, parsed)));
    }
}

/// A cached value, as external vaults have them, against decrypting one from the local vault each time.
fn cached_value() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let key = SecretValue::new(b"a passphrase of the benchmark".to_vec());
    let vault = Vault::open(Options {
        workspace: None,
        user_config: folder.path().join("config.toml"),
        data: folder.path().to_owned(),
        key: KeySource { given: Some(Arc::new(key)), file: None, keyring: false },
        vault_token: TokenSource::default(),
        approvals: Arc::new(Approvals::open(folder.path().join("approvals"))),
        process_variables: ProcessVariables::default(),
    });
    let name = SecretName::parse("bench").expect("a valid name");
    let change = Change { value: Some(SecretValue::new(b"canary-bench".to_vec())), ..Change::default() };
    vault.local().set(&name, change).expect("the local vault takes a value");
    const ROUNDS: u32 = 1_000;
    let local = median(|| {
        runtime.block_on(async {
            for _ in 0..ROUNDS {
                drop(black_box(vault.value(&name).await.expect("a value")));
            }
        });
    }) / ROUNDS;
    let cache = Cache::default();
    let (link, ttl) = (Fingerprint::of("bench"), Duration::from_secs(3600));
    let cached = median(|| {
        runtime.block_on(async {
            for _ in 0..ROUNDS {
                let load = async { Ok(SecretValue::new(b"canary-bench".to_vec())) };
                drop(black_box(cache.get(link, ttl, load).await.expect("a value")));
            }
        });
    }) / ROUNDS;
    row(
        "a cached value of an external vault",
        cached,
        &format!("{:.3} of a read of the local vault ({local:.1?})", ratio(cached, local)),
    );
}

/// The program: start to `initialize` answered, memory after it, size.
fn starting() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_vaultls"));
    let bare = median(|| {
        let status = Command::new(&program).arg("--version").stdout(Stdio::null()).status();
        assert!(status.expect("the program starts").success());
    });
    let mut memory = None;
    let started = median(|| {
        let mut server = Server::start(&program);
        server.initialize();
        memory = server.resident_memory();
    });
    row("start to `initialize` answered", started, &format!("{:.2} of `vaultls --version`", ratio(started, bare)));
    let memory =
        memory.map_or("not known here".to_owned(), |kilobytes| format!("{:.1} MiB", kilobytes as f64 / 1024.0));
    println!("resident memory after it                        {memory}");
    let size = std::fs::metadata(&program).expect("the program exists").len();
    println!("size of the program                             {:.1} MB", size as f64 / 1e6);
}

/// A language server as an editor starts it.
struct Server {
    child: Child,
}

impl Server {
    fn start(program: &Path) -> Self {
        let child = Command::new(program)
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { child }
    }

    fn initialize(&mut self) {
        let message = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#;
        let input = self.child.stdin.as_mut().expect("stdin is a pipe");
        write!(input, "Content-Length: {}\r\n\r\n{message}", message.len()).expect("the server reads");
        input.flush().expect("the server reads");
        let mut output = BufReader::new(self.child.stdout.as_mut().expect("stdout is a pipe"));
        let mut length = 0;
        loop {
            let mut line = String::new();
            output.read_line(&mut line).expect("the server answers");
            match line.trim_end().split_once(": ") {
                Some((_, value)) => length = value.parse().expect("a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        output.read_exact(&mut body).expect("the server answers");
        assert!(String::from_utf8_lossy(&body).contains("capabilities"), "an answer to `initialize`");
    }

    /// In kilobytes, where the system tells it (Linux).
    fn resident_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
