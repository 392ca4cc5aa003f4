//! The arguments of the command line and their help. What a person reads here is all the manual they may ever read.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

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

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vaultls list shop.http --format json\n\nIn JSON, `line` and `column` count from 1."
)]
pub struct List {
    /// .http or .rest files, or Postman collections
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// List the names of the environments that there are for the files, instead of their requests
    #[arg(long)]
    pub environments: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls run shop.http                 the only request of a file
  vaultls run shop.http#login           the request called `login`
  vaultls run shop.http:12              the request at line 12
  vaultls run shop.http --all --env staging --var user=ann
  vaultls run shop.http --all --format junit > vaultls.xml

A request is sent only when every secret in it can be had and may go to its host. A host that was never approved
is asked for on a terminal; elsewhere name it with --allow-host, or list it in the secret's allowed domains.

Exit codes: 0 all answered below 400; 1 some answered 400 or above, failed, or lack something; 2 wrong arguments;
3 only an approval or a rule stands in the way.")]
pub struct Run {
    /// A file, with `#name` or `:line` for one of its requests
    #[arg(required = true, value_name = "FILE[#NAME|:LINE]")]
    pub targets: Vec<String>,
    /// Send every request of the files, in order, also after one that failed
    #[arg(long)]
    pub all: bool,
    /// Send no more after the first request that fails or is not sent
    #[arg(long, visible_alias = "bail")]
    pub fail_fast: bool,
    /// Print only what went wrong
    #[arg(long, short)]
    pub quiet: bool,
    /// The environment to use (`vaultls list FILE --environments` names them)
    #[arg(long = "env", value_name = "NAME")]
    pub environment: Option<String>,
    /// A variable's value, stronger than every other; not for secrets, because it is seen in process lists
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<(String, String)>,
    /// Let secrets without allowed domains go to this host, this time
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// How long an exchange may take, in seconds, where the request names no time
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    pub format: RunFormat,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    Text,
    Json,
    /// JUnit XML: a test for each request, for the reports of CI services
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    Human,
    Json,
    /// JUnit XML: a test for each finding, and one for each file without any
    Junit,
    /// SARIF 2.1.0, for code scanning services
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls check .
  vaultls check api/ --env ci --format github
  vaultls check . --offline --format sarif > vaultls.sarif

Lines and columns count from 1, columns in characters.

Exit codes: 0 no errors or warnings; 1 some; 2 wrong arguments; 3 nothing but approvals or rules.")]
pub struct Check {
    /// Files and folders; folders are searched for .http and .rest files and Postman collections
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// The environment to use (`vaultls list FILE --environments` names them)
    #[arg(long = "env", value_name = "NAME")]
    pub environment: Option<String>,
    /// Ask no external vault
    #[arg(long)]
    pub offline: bool,
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub format: CheckFormat,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
pub struct Status {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  vaultls link stripe-key --integration payments --engine kv --path payments/stripe --key api_key \\
      --allow-domain api.stripe.com
  vaultls link db --integration prod --json-key password \\
      --arn arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf
  vaultls link stripe-key --integration payments
                                    choose from what is there, in a terminal
  vaultls link mail --integration contoso --id https://my-vault.vault.azure.net/secrets/mail
  vaultls link npm --integration team --reference op://dev/npm/token

The link is written to vaultls.toml, which is meant to be committed: it holds no value. Making it is also approving
it, on this machine.")]
pub struct Link {
    /// The name that stands in `<<vault:name>>`
    #[arg(value_parser = name)]
    pub name: SecretName,
    /// The integration of vaultls.toml or of your own configuration
    #[arg(long)]
    pub integration: String,
    /// HashiCorp Vault: where the secrets engine is mounted; `secret` unless set
    #[arg(long, value_name = "MOUNT", conflicts_with = "whole")]
    pub engine: Option<String>,
    /// HashiCorp Vault: the secret's path below the mount
    #[arg(long, requires = "key", conflicts_with = "whole")]
    pub path: Option<String>,
    /// HashiCorp Vault: the key in the secret
    #[arg(long, requires = "path", conflicts_with = "whole")]
    pub key: Option<String>,
    /// AWS: the secret's ARN
    #[arg(long, group = "whole")]
    pub arn: Option<String>,
    /// AWS: a role to assume for reading it
    #[arg(long, requires = "arn", value_name = "ARN")]
    pub role_arn: Option<String>,
    /// AWS: the key in a secret that is a JSON object
    #[arg(long, requires = "arn", value_name = "KEY")]
    pub json_key: Option<String>,
    /// AWS: how a binary secret becomes text: base64, hex or text
    #[arg(long, requires = "arn")]
    pub encoding: Option<String>,
    /// Azure: the secret's identifier, with its version if not the latest
    #[arg(long, group = "whole", value_name = "URL", conflicts_with = "version")]
    pub id: Option<String>,
    /// 1Password: the secret reference, with names or ids
    #[arg(long, group = "whole", value_name = "op://VAULT/ITEM/FIELD", conflicts_with = "version")]
    pub reference: Option<String>,
    /// A version other than the latest; of AWS, its id or its stage
    #[arg(long)]
    pub version: Option<String>,
    /// A domain that the secret may be sent to; may be given several times
    #[arg(long = "allow-domain", value_name = "DOMAIN")]
    pub allowed_domains: Vec<String>,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  vaultls extract shop.http:12:24 --name stripe-key

The value at this place (a token of a header, a parameter, a field, a string of a JSON body, a variable's value) is
stored in the local vault, and then a reference takes its place in every request file of the workspace. `vaultls check`
tells where values look like secrets. Lines and columns count from 1, columns in characters.

The value may still be in the history of the repository: if the file was ever shared, replace it where it was issued.")]
pub struct Extract {
    /// A .http or .rest file or a Postman collection, with the line and perhaps the column
    #[arg(value_name = "FILE:LINE[:COLUMN]")]
    pub place: String,
    /// The name that the secret gets
    #[arg(long, value_parser = name)]
    pub name: SecretName,
    /// A domain that the secret may be sent to [default: the host of its request]
    #[arg(long = "allow-domain", value_name = "DOMAIN")]
    pub allowed_domains: Vec<String>,
    /// The environment in which the host is looked for
    #[arg(long = "env", value_name = "NAME")]
    pub environment: Option<String>,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  vaultls curl shop.http#login

The command is for a POSIX shell. Where the request refers to a secret, `<<vault:name>>` stands in the command: put
the value there yourself, and mind that a shell keeps a history.")]
pub struct Curl {
    /// A file, with `#name` or `:line` for one of its requests
    #[arg(value_name = "FILE[#NAME|:LINE]")]
    pub target: String,
    /// The request called this, in place of `#NAME`
    #[arg(long, value_name = "NAME")]
    pub request: Option<String>,
    /// The environment to use (`vaultls list FILE --environments` names them)
    #[arg(long = "env", value_name = "NAME")]
    pub environment: Option<String>,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls example                   write example.http here
  vaultls example --host http://localhost:8080 try.http
                                    for a server of your own that answers with what came")]
pub struct Example {
    /// The file to write, or `-` to print the example
    #[arg(value_name = "FILE", default_value = "example.http")]
    pub path: PathBuf,
    /// The server that the example asks, in place of httpbin.org
    #[arg(long, value_name = "URL")]
    pub host: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls trust                     show what waits for approval and what was approved
  vaultls trust --approve           approve everything that waits, as it is shown
  vaultls trust --revoke stripe-key take back every approval of that name

What a workspace defines (where secrets live, which servers hold them, where they may go) counts only after you
approved it. The approval is kept on this machine, and asked for again when the definition changes.")]
pub struct Trust {
    /// Show what waits and what was approved (this is also what happens without any flag)
    #[arg(long, conflicts_with_all = ["approve", "revoke"])]
    pub list: bool,
    /// Approve what waits: the named definitions, or all
    #[arg(long, value_name = "NAME", num_args = 0.., conflicts_with = "revoke")]
    pub approve: Option<Vec<String>>,
    /// Take approvals back: of the named secrets and integrations, or all of this workspace
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub revoke: Option<Vec<String>>,
    /// Do not ask on a terminal
    #[arg(long)]
    pub yes: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls doctor                    look, without asking any vault
  vaultls doctor --online           ask each trusted integration about the secrets linked to it

Shows every integration with how one signs in there, the local vault's key, complaints about configuration files,
the programs that would be run, and the names of variables that matter and are set. Never a value.

Exit codes: 0 nothing is wrong; 1 something is.")]
pub struct Doctor {
    /// Ask each trusted integration about the secrets linked to it
    #[arg(long)]
    pub online: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vaultls browse payments
  vaultls browse payments kv --filter stripe --format json")]
pub struct Browse {
    pub integration: String,
    /// What was chosen so far, from the outside in
    pub path: Vec<String>,
    /// A part of the names that are wanted
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub filter: String,
    /// The page, as the one before it said
    #[arg(long)]
    pub page: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
#[command(after_help = "\
In a terminal you are asked for what the integration needs: a token or a password without showing it, a code, a visit
to a page in the browser. Elsewhere one answer is read from standard input. The session is tried and ends with this
command, which lives too briefly to keep it: `vaultls run` signs in by itself where it must, and an editor keeps its
session until it is closed.")]
pub struct Login {
    pub integration: String,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
pub struct Setup {
    #[command(subcommand)]
    pub command: SetupCommand,
}

#[derive(Debug, Subcommand)]
pub enum SetupCommand {
    /// Prepare HashiCorp Vault or OpenBao for signing in with the browser
    Hashicorp(SetupHashicorp),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Makes the cluster an OIDC provider with a public client, a JWT auth method that trusts it, a policy and a role. Each
step is shown and asked for. It can be run again: what is there already is kept, or brought up to what is wanted.

Examples:
  VAULT_TOKEN=... vaultls setup hashicorp https://vault.acme.io:8200 --mount kv --write
  vaultls setup hashicorp https://vault.acme.io:8200 --dry-run

Environment:
  VAULT_TOKEN       a token of an administrator (not needed for --dry-run)
  VAULT_ADDR        the cluster's URL, where it is not given as an argument; where both are, they have to agree
  VAULT_NAMESPACE   the namespace; none unless set
  VAULT_CACERT      a file with the cluster's certificate authority, as --ca-file
  OIDC_CLIENT_NAME  the OIDC client [postman-integration-client]
  REDIRECT_URI      where the browser may be led back to [http://127.0.0.1:10545/,http://127.0.0.1:10534/]
  JWT_AUTH_PATH     the path of the JWT auth method [postman-jwt]
  OIDC_ROLE         its role [postman]
  POLICY_NAME       the policy [postman-integration-policy]

The administrator's token takes a policy with: create and read on identity/oidc/client/* and identity/oidc/provider/*,
update and sudo on sys/auth/*, create and update on auth/*, update on sys/policy/*. Where something is there already
and has to be changed, also update on that.")]
pub struct SetupHashicorp {
    /// The cluster, such as `https://vault.acme.io:8200`; VAULT_ADDR unless given
    pub cluster_url: Option<String>,
    /// Print the commands of the `vault` program that do the same, and change nothing
    #[arg(short, long)]
    pub dry_run: bool,
    /// Do not ask before each step
    #[arg(short, long)]
    pub yes: bool,
    /// Let people read this KV engine, instead of every secret; may be given several times
    #[arg(long = "mount", value_name = "MOUNT", conflicts_with = "policy_paths")]
    pub mounts: Vec<String>,
    /// Let people read this path of the API, such as `kv/data/payments/*`, instead of every secret; may be given
    /// several times
    #[arg(long = "policy-path", value_name = "PATH")]
    pub policy_paths: Vec<String>,
    /// The cluster's certificate authority (PEM), where it is a private one; VAULT_CACERT unless given
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The name of the integration
    #[arg(long, value_name = "NAME", default_value = "vault", value_parser = integration_name)]
    pub name: String,
    /// Write the integration to vaultls.toml, and approve it; with a certificate authority, to your own configuration
    #[arg(long)]
    pub write: bool,
    #[command(flatten)]
    pub workspace: Workspace,
}

#[derive(Debug, Args)]
pub struct Vault {
    #[command(subcommand)]
    pub command: VaultCommand,
}

#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Store a secret, or change what is stored about it
    #[command(after_help = "\
Examples:
  vaultls vault set stripe-key --allow-domain api.stripe.com
  pass show stripe | vaultls vault set stripe-key

The value is asked for without showing it, or read from standard input, never from an argument. One line break at
the end of standard input is left out, because most programs add one; --raw keeps every byte.")]
    Set {
        #[arg(value_parser = name)]
        name: SecretName,
        /// A domain that the secret may be sent to; may be given several times
        #[arg(long = "allow-domain", value_name = "DOMAIN")]
        allowed_domains: Vec<String>,
        /// A note for people
        #[arg(long)]
        note: Option<String>,
        /// Keep a line break at the end of standard input
        #[arg(long)]
        raw: bool,
        /// Leave the value as it is and change only the rest
        #[arg(long, conflicts_with = "raw")]
        keep_value: bool,
    },
    /// List the secrets, without values
    List {
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Remove a secret
    Rm {
        #[arg(value_parser = name)]
        name: SecretName,
    },
    /// Rename a secret; requests that mention it are not changed
    Rename {
        #[arg(value_parser = name)]
        from: SecretName,
        #[arg(value_parser = name)]
        to: SecretName,
    },
    /// Let requests use a secret again
    Enable {
        #[arg(value_parser = name)]
        name: SecretName,
    },
    /// Keep a secret from being used
    Disable {
        #[arg(value_parser = name)]
        name: SecretName,
    },
    /// Write the whole vault to a file, to be imported elsewhere
    #[command(after_help = "\
Examples:
  vaultls vault export vault.json
  vaultls vault export vault.json --plain

The file is encrypted under a password of at least 12 characters, which is asked for without showing it, or read from
standard input. Only you can read the file.")]
    Export {
        file: PathBuf,
        /// Write every value in clear
        #[arg(long)]
        plain: bool,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
    },
    /// Take over what another vault exported
    #[command(after_help = "\
Examples:
  vaultls vault import vault.json --dry-run
  vaultls vault import vault.json --duplicates keep-both

All of the file is taken over, or nothing. The password of an encrypted file is asked for, or read from standard input.")]
    Import {
        file: PathBuf,
        /// What to do about secrets whose names exist here with something else
        #[arg(long, value_enum)]
        duplicates: Option<Duplicates>,
        /// Say what would happen, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete the whole vault, for example when its key is lost
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Duplicates {
    /// Keep those here
    Skip,
    /// Take those of the file
    Replace,
    /// Take those of the file under other names
    KeepBoth,
}

#[derive(Debug, Args)]
pub struct Cache {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Say how to forget cached values
    Reset,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Standard input is a JSON object with one text for each field of the question; at a terminal each is asked for.
Ends when the server has acted: exit code 0 when all went well, 1 with the reason when it did not.")]
pub struct Answer {
    /// What the language server gave out
    pub ticket: String,
}

#[derive(Debug, Args)]
pub struct Lsp {
    /// Accepted because many editors pass it; standard input and output are always used
    #[arg(long)]
    pub stdio: bool,
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
