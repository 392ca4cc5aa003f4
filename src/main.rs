//! The program: reads the arguments and the environment once, hardens itself, starts logging, and hands over to a
//! face. The only place that reads the environment.

#![expect(clippy::disallowed_methods, reason = "reads the environment, once, for everything else")]

use std::{alloc::System, env, ffi::OsString, io, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use etcetera::BaseStrategy;
use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{Layer, filter, layer::SubscriberExt, util::SubscriberInitExt};
use vaultls::{
    cli::{
        self, Exit, Machine,
        arguments::{Arguments, Command},
        demo::Serve,
        terminal::Terminal,
    },
    http::send::Limits,
    lsp,
    vault::{ProcessVariables, local::KeySource, provider::TokenSource, value::SecretValue},
    work::{Core, Directories},
};
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: the libraries on the way to a provider leave copies of values in freed memory.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    harden();
    quiet_panics();
    let arguments = Arguments::parse();
    start_logging();
    let mut terminal = Terminal::standard(env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()));
    if arguments.no_input || env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
        terminal.ask_nobody();
    }
    let machine = match machine() {
        Ok(machine) => machine,
        Err(message) => {
            terminal.error(&message, "set HOME, or the XDG base directories");
            return Exit::Usage.into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.error(&format!("the program cannot start: {error}"), "");
            return Exit::Wrong.into();
        }
    };
    let exit = runtime.block_on(hand_over(arguments.command, &machine, &mut terminal));
    // A thread that waits for standard input would keep the program from ending.
    runtime.shutdown_background();
    exit
}

async fn hand_over(command: Command, machine: &Machine, terminal: &mut Terminal) -> ExitCode {
    match command {
        Command::Lsp(_) => {
            let (input, told_to_end) = client();
            let code = lsp::serve(input, tokio::io::stdout(), options(machine.clone())).await;
            // Whoever asks the system to end the server gets what they asked for: editors report anything else.
            let code = if told_to_end.is_cancelled() { 0 } else { code };
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
        Command::Demo => {
            let serve: Serve = |input, output, machine| Box::pin(lsp::serve(input, output, options(machine)));
            cli::demo::demo(serve, terminal).await.into()
        }
        command => cli::run(command, machine, terminal).await.into(),
    }
}

/// What the client says. It also ends when the system tells the program to end, as when a terminal is closed with the
/// editor in it: what the server keeps on the disk for its client goes before the program does. The token tells that it
/// was so.
fn client() -> (impl AsyncRead + Send + Unpin + 'static, CancellationToken) {
    let (input, mut said) = tokio::io::duplex(64 * 1024);
    let told = CancellationToken::new();
    let tell = told.clone();
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            _ = tokio::io::copy(&mut stdin, &mut said) => {}
            () = told_to_end() => tell.cancel(),
        }
    });
    (input, told)
}

#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut hangup), Ok(mut terminate)) = (signal(SignalKind::hangup()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    std::future::pending().await
}

/// How the language server opens workspaces on this machine.
fn options(machine: Machine) -> lsp::Options {
    lsp::Options {
        directories: machine.directories.clone(),
        open: Arc::new(move |root| Core::open(machine.options(root.to_owned(), Limits::default()))),
        quiet: lsp::Options::QUIET,
        program: env::current_exe().ok(),
    }
}

/// What this user and this machine provide.
fn machine() -> Result<Machine, String> {
    let base = etcetera::choose_base_strategy().map_err(|_| "there is no home folder".to_owned())?;
    let data = base.data_dir().join("vaultls");
    let state = base.state_dir().map_or_else(|| data.join("state"), |folder| folder.join("vaultls"));
    // Without a runtime folder of the session, sockets live beside the state, which is as private.
    let runtime = base.runtime_dir().map_or_else(|| state.join("run"), |folder| folder.join("vaultls"));
    Ok(Machine {
        directories: Directories { config: base.config_dir().join("vaultls"), data, state, runtime },
        key: KeySource {
            given: secret("VAULTLS_KEY"),
            file: path("VAULTLS_KEY_FILE"),
            keyring: env::var_os("VAULTLS_NO_KEYRING").is_none_or(|value| value.is_empty() || value == "0"),
        },
        vault_token: TokenSource { given: secret("VAULT_TOKEN"), file: Some(base.home_dir().join(".vault-token")) },
        process_variables: ProcessVariables(Arc::new(process_variable)),
    })
}

/// What `{{$processEnv NAME}}` reads. The key of the vault is no request's business.
fn process_variable(variable: &str) -> Option<SecretValue> {
    let value = env::var_os(variable).filter(|_| variable != "VAULTLS_KEY")?;
    Some(SecretValue::new(value.into_encoded_bytes()))
}

fn secret(variable: &str) -> Option<Arc<SecretValue>> {
    let value = env::var_os(variable).filter(|value| !value.is_empty())?;
    Some(Arc::new(SecretValue::new(value.into_encoded_bytes())))
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(OsString::into)
}

/// Keeps memory out of core files and away from other processes of the same user.
fn harden() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// A panic says where, never what: its message could hold a piece of what was being worked on.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        let _ = writeln!(io::stderr(), "error: internal error at {place}; please report it");
    }));
}

/// Logs to standard error what `VAULTLS_LOG` or `RUST_LOG` asks for, warnings by default.
fn start_logging() {
    let wanted = env::var("VAULTLS_LOG").or_else(|_| env::var("RUST_LOG")).unwrap_or_default();
    let wanted =
        filter::EnvFilter::builder().with_default_directive(filter::LevelFilter::WARN.into()).parse_lossy(wanted);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let quiet = filter::filter_fn(|metadata| may_be_logged(metadata.target(), *metadata.level()));
    let _ = tracing_subscriber::registry().with(lines.with_filter(wanted).with_filter(quiet)).try_init();
}

/// Libraries log headers, bodies and messages of the protocol at their chatty levels; whatever the user asks for,
/// those may not be seen. So only this program's own lines are, and what the protocol's library says of its work.
fn may_be_logged(target: &str, level: tracing::Level) -> bool {
    let library = target.split("::").next().unwrap_or_default();
    library == "vaultls" || (library.starts_with("tower_lsp") && level <= tracing::Level::INFO)
}
