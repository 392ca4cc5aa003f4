//! The command line: arguments in, the verbs of `work` in between, text or JSON and an exit code out.

pub mod arguments;
pub mod demo;
pub mod terminal;
mod answer;
mod browse;
mod check;
mod curl;
mod doctor;
mod documents;
mod example;
mod extract;
mod junit;
mod link;
mod list;
mod person;
mod prompt;
mod run;
mod sarif;
mod setup;
mod status;
mod transfer;
mod trust;
mod vault;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use crate::{
    http::send::Limits,
    status::Reason,
    vault::{ProcessVariables, local::KeySource, provider::TokenSource},
    work::{Core, CoreOptions, Directories, files, verbs::Failure},
};
use arguments::Command;
use terminal::Terminal;

/// What this user and this machine provide, read once at the start of the program.
#[derive(Clone, Debug)]
pub struct Machine {
    pub directories: Directories,
    pub key: KeySource,
    pub vault_token: TokenSource,
    /// The variables of this process, for `{{$processEnv NAME}}`.
    pub process_variables: ProcessVariables,
}

impl Machine {
    /// Opens the workspace at `root`.
    pub fn open(&self, root: PathBuf) -> Arc<Core> {
        Arc::new(Core::open(self.options(root, Limits::default())))
    }

    pub fn options(&self, root: PathBuf, limits: Limits) -> CoreOptions {
        let Self { directories, key, vault_token, process_variables } = self.clone();
        CoreOptions { root, directories, key, vault_token, process_variables, limits }
    }
}

/// How the program ends. Said in `--help`, so it may not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything went as asked.
    Done = 0,
    /// Something is wrong: a finding, an answer of 400 or above, a failure.
    Wrong = 1,
    /// The command itself cannot be carried out: wrong arguments, a file that is none.
    Usage = 2,
    /// A rule or a missing approval forbids it, and nothing else is wrong.
    NotAllowed = 3,
}

impl Exit {
    /// What stands for several ends: whatever is wrong outweighs what is merely not allowed.
    pub fn and(self, other: Self) -> Self {
        let weight = |exit: Self| match exit {
            Self::Done => 0,
            Self::NotAllowed => 1,
            Self::Wrong => 2,
            Self::Usage => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Stop {
    /// To be told to the person, with a way out where there is one.
    Told { exit: Exit, message: String, hint: String },
    /// Whoever read the output went away, which is no error.
    OutputClosed,
}

impl Stop {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Told { exit: Exit::Usage, message: message.into(), hint: hint.into() }
    }

    pub fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Told { exit: Exit::Wrong, message: message.into(), hint: hint.into() }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::wrong(error.to_string(), ""),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let hint = match failure.reason {
            // An editor would ask now; a command says where it can be told.
            Some(Reason::Locked) => {
                "set VAULTLS_KEY or VAULTLS_KEY_FILE, or run the command in a terminal to be asked".to_owned()
            }
            _ => failure.hint,
        };
        Self::wrong(failure.message, hint)
    }
}

type Outcome = Result<Exit, Stop>;

/// Carries out a command and reports why it could not be, if it could not.
pub async fn run(command: Command, machine: &Machine, terminal: &mut Terminal) -> Exit {
    let outcome = dispatch(command, machine, terminal).await;
    match outcome.and_then(|exit| Ok(terminal.flush().map(|()| exit)?)) {
        Ok(exit) => exit,
        Err(Stop::OutputClosed) => Exit::Done,
        Err(Stop::Told { exit, message, hint }) => {
            terminal.error(&message, &hint);
            exit
        }
    }
}

async fn dispatch(command: Command, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    match command {
        Command::List(arguments) => list::list(&arguments, terminal),
        Command::Run(arguments) => run::run(arguments, machine, terminal).await,
        Command::Check(arguments) => check::check(arguments, machine, terminal).await,
        Command::Status(arguments) => status::status(arguments, machine, terminal).await,
        Command::Doctor(arguments) => doctor::doctor(&arguments, machine, terminal).await,
        Command::Browse(arguments) => browse::browse(arguments, machine, terminal).await,
        Command::Link(arguments) => link::link(arguments, machine, terminal).await,
        Command::Extract(arguments) => extract::extract(arguments, machine, terminal).await,
        Command::Curl(arguments) => curl::curl(arguments, machine, terminal).await,
        Command::Trust(arguments) => trust::trust(&arguments, machine, terminal),
        Command::Login(arguments) => link::login(arguments, machine, terminal).await,
        Command::Setup(arguments) => setup::setup(arguments.command, machine, terminal).await,
        Command::Vault(arguments) => vault::vault(arguments, machine, terminal).await,
        Command::Cache(arguments) => status::cache(&arguments, terminal),
        Command::Answer(arguments) => answer::answer(&arguments, machine, terminal).await,
        Command::Example(arguments) => example::example(&arguments, terminal),
        Command::Sweep => Ok(answer::sweep(machine)),
        Command::Completions { shell } => arguments::completions(shell, terminal),
        Command::Man { folder } => arguments::manual(folder.as_deref(), terminal),
        Command::Lsp(_) | Command::Demo => {
            Err(Stop::usage("this command is carried out by the program itself", "start the `vaultls` program"))
        }
    }
}

/// The folder a command works in: the one that was named, else the workspace around `path`, else around here.
fn root(named: Option<&PathBuf>, path: Option<&Path>) -> Result<PathBuf, Stop> {
    let Some(named) = named else {
        return Ok(files::workspace_root(path.unwrap_or(Path::new("."))));
    };
    if named.is_dir() {
        return Ok(named.clone());
    }
    Err(Stop::usage(format!("{} is no folder", named.display()), "name the workspace's folder with --root"))
}
