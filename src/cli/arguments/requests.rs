//! The arguments of commands about files with requests.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{Format, Workspace, name, seconds, variable};
use crate::name::SecretName;

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
