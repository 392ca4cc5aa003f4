//! The arguments of commands about vaults, links and trust.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, Workspace, integration_name, name};
use crate::name::SecretName;

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
