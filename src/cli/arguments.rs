//! The arguments of the command line and their help. What a person reads here is all the manual they may ever read.

mod requests;
mod vaults;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub use self::{requests::*, vaults::*};
use crate::{
    cli::{Exit, Outcome, terminal::Terminal},
    config,
    name::SecretName,
};

const EXAMPLES: &str = "\
Examples:
  vaultls vault set stripe-key --allow-domain api.stripe.com
                                    store a secret (asks for the value)
  vaultls check .                   find what would keep requests from being sent
  vaultls run shop.http#login       send one request
  vaultls run shop.http --all --format json
                                    send all of them, for a program to read
  vaultls demo                      see how everything works together
  vaultls example                   write a first .http file to try things on

Exit codes:
  0  everything went as asked
  1  something is wrong: a finding, an answer of 400 or above, a failure
  2  the command cannot be carried out: wrong arguments, a file that is none
  3  only an approval or a rule stands in the way (see `vaultls trust` and `run --allow-host`)

Environment:
  VAULTLS_KEY         the local vault's passphrase or key, where there is no key store
  VAULTLS_KEY_FILE    a file that holds it
  VAULTLS_NO_KEYRING  set to leave the system's key store alone
  VAULT_TOKEN         the token for HashiCorp Vault integrations that use tokens
  VAULTLS_LOG         what is logged to standard error, such as `debug`
  NO_COLOR            set for output without colours";

/// Secrets in HTTP requests that nobody ever writes down.
///
/// Write `<<vault:name>>` in a .http file or a Postman collection. The value lives in an
/// encrypted vault on this machine, in HashiCorp Vault, AWS, Azure or 1Password, goes only to
/// the hosts it is allowed for, and is masked in every response.
#[derive(Debug, Parser)]
#[command(verbatim_doc_comment, name = "vaultls", version = env!("VAULTLS_VERSION"), after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Never ask anything, as where the variable CI is set
    #[arg(long, global = true)]
    pub no_input: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the requests of files and the secrets they use
    List(List),
    /// Send requests and print the responses, with every secret masked
    Run(Run),
    /// Find what would keep requests from being sent, without sending any
    Check(Check),
    /// Show integrations, secrets and the local vault
    Status(Status),
    /// Find out what is wrong with the set-up, and what to do about it
    Doctor(Doctor),
    /// List what an integration has, names only
    Browse(Browse),
    /// Say in vaultls.toml where a secret lives
    Link(Link),
    /// Move a value that stands in a request into the local vault
    Extract(Extract),
    /// Print a request as a curl command, its references left as they are
    Curl(Curl),
    /// Review and approve what this workspace defines
    Trust(Trust),
    /// Try to sign in to an integration
    Login(Login),
    /// Prepare a server so that people can sign in to it from here
    Setup(Setup),
    /// Work with the encrypted vault on this machine
    Vault(Vault),
    /// Forget cached values
    Cache(Cache),
    /// Hand an answer to a waiting language server (used by editor plugins)
    Answer(Answer),
    /// Wait for the end of standard input, then remove what a killed language server left (used by the server)
    #[command(hide = true)]
    Sweep,
    /// Start the language server on standard input and output
    Lsp(Lsp),
    /// Show everything at work, on this machine only, in a few seconds
    Demo,
    /// Write a first .http file to try things on
    Example(Example),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  vaultls completions bash > ~/.local/share/bash-completion/completions/vaultls")]
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write those of all commands into a folder
    #[command(after_help = "Example:\n  vaultls man ~/.local/share/man/man1")]
    Man {
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// What every command that works in a workspace takes.
#[derive(Clone, Debug, Args)]
pub struct Workspace {
    /// The workspace's folder [default: the nearest with a vaultls.toml, else a .git]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Prints the completion script of a shell.
pub fn completions(shell: clap_complete::Shell, terminal: &mut Terminal) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "vaultls", &mut script);
    terminal.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Prints the manual page, or writes one for the program and one for each command into `folder`.
pub fn manual(folder: Option<&Path>, terminal: &mut Terminal) -> Outcome {
    let program = Arguments::command().disable_help_subcommand(true);
    if let Some(folder) = folder {
        clap_mangen::generate_to(program, folder)?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(program).render(&mut page)?;
    terminal.text(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}

fn name(text: &str) -> Result<SecretName, String> {
    SecretName::parse(text).map_err(|error| error.to_string())
}

fn integration_name(text: &str) -> Result<String, &'static str> {
    config::check_integration_name(text).map(|()| text.to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.trim().is_empty() {
        return Err("the name before `=` is missing".into());
    }
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds, such as 2.5")?;
    let duration = Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "write a number above 0".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Arguments::command().debug_assert();
    }
}
