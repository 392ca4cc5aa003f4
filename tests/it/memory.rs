//! Secrets never stay: after a wipe the memory of the server holds no value, in any of its forms, wherever a library
//! may have put a copy.
//!
//! NB. what is scanned is everything that the process may write to: heap, stacks, statics. What a scan cannot reach:
//! registers, the kernel's socket buffers, pages that were swapped out.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "reads the memory of a process as the system shows it")]

use std::{
    fs::{self, File},
    os::unix::{
        fs::{FileExt, MetadataExt, PermissionsExt},
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;
use vaultls::{
    http::send::Limits,
    lsp,
    vault::{ProcessVariables, local::KeySource, provider::TokenSource, value::SecretValue},
    work::{Core, CoreOptions, Directories},
};

use crate::support::{
    client::uri,
    needles::{Canary, Needles},
    program::{Program, copy_program},
    session::Session,
    world::World,
};

/// How long a test waits for what must go: far less than a value is cached for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where in the memory of a process something of `needles` is; an error where it may not be read.
fn scan(pid: u32, needles: &Needles) -> std::io::Result<Vec<String>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|access| access.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        found.extend(needles.find(&readable(&memory, start, end)));
    }
    Ok(found)
}

/// What can be read from `start` to `end`: a page may have gone since the map was read, and those around it have not.
fn readable(memory: &File, start: u64, end: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
    let mut at = 0;
    while at < bytes.len() {
        match memory.read_at(&mut bytes[at..], start + at as u64) {
            Ok(length @ 1..) => at += length,
            Ok(0) | Err(_) => at = (at / PAGE + 1) * PAGE,
        }
    }
    bytes
}

/// The smallest part of a process's memory that comes and goes.
const PAGE: usize = 4096;

/// Waits until nothing of `needles` is left. A server may take a moment to close what it uses no more.
fn wait_until_gone(pid: u32, needles: &Needles) {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = scan(pid, needles).unwrap();
        if found.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "still there after {PATIENCE:?}: {found:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The ways in which a server can run for these tests.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// The program. Only root may read its memory.
    Program,
    /// The same server in a process of the tests, whose memory its own user may read.
    Library,
}

impl Server {
    /// Those whose memory may be read here: one at least.
    fn readable() -> Vec<Self> {
        if rustix::process::geteuid().is_root() { vec![Self::Program, Self::Library] } else { vec![Self::Library] }
    }

    fn open(self, program: &Program, folder: &str) -> Session {
        let command = match self {
            Self::Program => program.command(&["lsp"]),
            Self::Library => library(program),
        };
        Session::open(command, folder)
    }
}

/// Runs [`a_server_for_other_tests`] in a process of its own. The test harness writes to standard output, so the server
/// speaks through descriptor 3.
fn library(program: &Program) -> Command {
    let mut command = Command::new("sh");
    let this = std::env::current_exe().unwrap();
    let script = r#"exec "$0" --exact memory::a_server_for_other_tests --nocapture 3>&1 >/dev/null"#;
    command.args(["-c", script]).arg(this);
    program.surround(&mut command);
    command.env(AS_SERVER, "1");
    command
}

const AS_SERVER: &str = "VAULTLS_TEST_AS_SERVER";

#[test]
fn a_server_for_other_tests() {
    if std::env::var_os(AS_SERVER).is_none() {
        return;
    }
    let secret = |name: &str| std::env::var_os(name).map(|value| SecretValue::new(value.into_encoded_bytes()));
    let folder = |name: &str| PathBuf::from(std::env::var_os(name).unwrap()).join("vaultls");
    let template = CoreOptions {
        root: PathBuf::new(),
        directories: Directories {
            config: folder("XDG_CONFIG_HOME"),
            data: folder("XDG_DATA_HOME"),
            state: folder("XDG_STATE_HOME"),
            runtime: folder("XDG_RUNTIME_DIR"),
        },
        key: KeySource { given: secret("VAULTLS_KEY").map(Arc::new), file: None, keyring: false },
        vault_token: TokenSource { given: secret("VAULT_TOKEN").map(Arc::new), file: None },
        process_variables: ProcessVariables(Arc::new(secret)),
        limits: Limits::default(),
    };
    let options = lsp::Options {
        directories: template.directories.clone(),
        open: Arc::new(move |root| Core::open(CoreOptions { root: root.to_owned(), ..template.clone() })),
        quiet: lsp::Options::QUIET,
        program: None,
    };
    let output = File::options().write(true).open("/proc/self/fd/3").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let code = runtime.block_on(lsp::serve(tokio::io::stdin(), tokio::fs::File::from_std(output), options));
    runtime.shutdown_background();
    assert_eq!(code, 0);
}

/// Sends the request with every value three times: fetched, cached, and over a connection that is there already.
fn send_everything(world: &World, session: &mut Session) {
    let uri = world.uri("all.http");
    session.open_document(&uri, "http", &world.request());
    for _ in 0..3 {
        let answer = session.command("vaultls.run", &json!({ "uri": uri, "request": 0 }));
        assert_eq!(answer["outcome"], "sent", "{answer:#}");
    }
    let seen = world.echo.seen().concat();
    assert!(world.values.iter().all(|canary| seen.contains(&canary.value)), "{seen}");
}

#[test]
fn nothing_of_a_value_stays_after_a_reset() {
    let world = World::new();
    let needles = Needles::of(&world.values);
    for server in Server::readable() {
        let mut session = server.open(&world.program, &world.uri(""));
        send_everything(&world, &mut session);
        // What a vault elsewhere answered is cached, so a scan that works finds it.
        let found = scan(session.pid(), &needles).unwrap();
        for canary in world.values.iter().filter(|canary| canary.name != "local") {
            let raw = format!("{} raw", canary.name);
            assert!(found.iter().any(|hit| hit.starts_with(&raw)), "{server:?}: {raw} is not in {found:#?}");
        }
        session.command("vaultls.resetCache", &json!({}));
        wait_until_gone(session.pid(), &needles);
        assert_eq!(session.end().status.code(), Some(0));
    }
}

#[test]
fn values_that_are_not_kept_leave_by_themselves() {
    let world = World::new();
    world.program.user_config(&format!("cache.ttl-minutes = 0\n{}", world.integrations));
    let needles = Needles::of(&world.values);
    for server in Server::readable() {
        let mut session = server.open(&world.program, &world.uri(""));
        send_everything(&world, &mut session);
        // Connections are closed when nobody used them for two seconds, and are looked at every two seconds.
        wait_until_gone(session.pid(), &needles);
        assert_eq!(session.end().status.code(), Some(0));
    }
}

#[test]
fn what_a_person_types_does_not_stay() {
    let passphrase = Canary { name: "passphrase", value: "canary-typed-passphrase-71c3e0".into() };
    let value = Canary { name: "value", value: "canary-typed-value-0d4f8a25".into() };
    let mut program = Program::new().with("VAULTLS_KEY", &passphrase.value);
    assert_eq!(program.run_with(&["vault", "set", "other"], b"canary-other-value").code, 0);
    program = program.with("VAULTLS_KEY", "");
    for server in Server::readable() {
        let mut session = server.open(&program, &uri(&program.work()));
        for (command, argument, typed) in
            [("vaultls.unlock", json!({}), &passphrase), ("vaultls.create", json!({ "name": "typed" }), &value)]
        {
            let question = session.command(command, &argument);
            let (ticket, field) = (&question["ticket"], &question["fields"][0]["id"]);
            let answers = json!({ field.as_str().unwrap(): typed.value }).to_string();
            let answered = program.run_with(&["answer", ticket.as_str().unwrap()], answers.as_bytes());
            assert_eq!(answered.code, 0, "{server:?} {command}: {answered:?}");
            wait_until_gone(session.pid(), &Needles::of(std::slice::from_ref(typed)));
        }
        assert_eq!(session.end().status.code(), Some(0));
    }
}

#[test]
fn a_killed_server_leaves_no_core() {
    let program = Program::new();
    for signal in [Signal::ABORT, Signal::SEGV, Signal::KILL] {
        // As generous as the system allows: it is the program that takes this back.
        let mut command = Command::new("sh");
        let script = r#"ulimit -c unlimited 2>/dev/null || ulimit -c "$(ulimit -H -c)"; exec "$0" lsp"#;
        command.args(["-c", script, env!("CARGO_BIN_EXE_vaultls")]);
        program.surround(&mut command);
        let mut session = Session::open(command, &uri(&program.work()));
        let limits = fs::read_to_string(format!("/proc/{}/limits", session.pid())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
        // The language's own handler of a bad access lets the first one pass that no instruction made.
        while session.is_running() {
            session.signal(signal);
            std::thread::sleep(Duration::from_millis(10));
        }
        let heard = session.ended();
        assert_eq!(heard.status.signal(), Some(signal.as_raw()));
        assert!(!heard.status.core_dumped());
    }
    let left: Vec<_> = program.traces().into_iter().map(|(path, _)| path).collect();
    assert!(!left.iter().any(|path| path.file_name().unwrap().to_string_lossy().contains("core")), "{left:?}");
}

#[test]
fn other_processes_of_the_user_cannot_read_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultls"));
    if rustix::process::geteuid().is_root() {
        // Root may read everything, so the program runs as somebody else, who must be able to reach it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copy = folder.path().join("vaultls");
        copy_program(Path::new(env!("CARGO_BIN_EXE_vaultls")), &copy);
        command = Command::new(copy);
        command.uid(NOBODY).gid(NOBODY);
    }
    command.arg("lsp").env_clear().env("HOME", folder.path()).env("VAULTLS_NO_KEYRING", "1").current_dir("/");
    let session = Session::open(command, &uri(folder.path()));
    // The system shows a process that may not be dumped as root's, and keeps all but root out (proc(5)).
    let memory = format!("/proc/{}/mem", session.pid());
    assert_eq!(fs::metadata(&memory).unwrap().uid(), 0);
    assert!(rustix::process::geteuid().is_root() || File::open(&memory).is_err());
    session.end();
}

/// A user without any right.
const NOBODY: u32 = 65534;
