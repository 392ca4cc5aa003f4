//! The one door to secrets: where each name lives, whether it can be had, and its value when a request is sent.

pub mod cache;
pub mod hashicorp;
pub mod link;
pub mod local;
pub mod provider;
pub mod value;

use std::{path::PathBuf, sync::Arc};

use crate::{
    approval::Approvals,
    config::{Complaint, Layer, Source},
    name::SecretName,
    status::{Known, Problem, Status},
};
use value::SecretValue;

/// Where a vault finds its files. Nothing else decides: tests pass folders of their own.
#[derive(Clone, Debug)]
pub struct Options {
    /// The workspace's root folder, whose `vaultls.toml` is read; none when a file stands alone.
    pub workspace: Option<PathBuf>,
    /// The user's `config.toml`.
    pub user_config: PathBuf,
    /// The folder of the local vault's file.
    pub data: PathBuf,
    /// How the local vault's key is found.
    pub key: local::KeySource,
    /// `VAULT_TOKEN` of this process and the user's `~/.vault-token`, used where an integration chose tokens.
    pub vault_token: hashicorp::TokenSource,
    pub approvals: Arc<Approvals>,
}

/// A definition of a workspace that waits for the user's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// `integration` or `secret`.
    pub kind: &'static str,
    pub name: String,
    pub source: Source,
    /// Its exact text in canonical form, to show and to approve.
    pub definition: String,
}

/// The vault of one workspace.
pub struct Vault {
    // The vault helper decides.
}

impl Vault {
    /// Never fails: what is wrong with a file shows in statuses and complaints.
    pub fn open(_options: Options) -> Self {
        todo!()
    }

    /// Reads the configuration files again if they changed. `workspace_text` is the text an editor holds.
    pub fn reload(&self, _workspace_text: Option<&str>) {
        todo!()
    }

    /// What is known about `name`: asks its provider without reading a value; remembered for a short time.
    pub async fn status(&self, _name: &SecretName) -> Status {
        todo!()
    }

    /// The value, from the cache or its provider. Refuses a definition that was not approved.
    pub async fn value(&self, _name: &SecretName) -> Result<Arc<SecretValue>, Problem> {
        todo!()
    }

    /// The domain list of `name`: the trusted link's or the local secret's; unset when nobody wrote one.
    pub fn allowed_domains(&self, _name: &SecretName) -> crate::domain::DomainList {
        todo!()
    }

    pub fn known(&self) -> Known {
        todo!()
    }

    /// Definitions of the workspace that were not approved yet, or were changed since.
    pub fn pending(&self) -> Vec<Pending> {
        todo!()
    }

    /// Complaints about `file`, which is one of the configuration files.
    pub fn complaints(&self, _layer: Layer) -> Vec<Complaint> {
        todo!()
    }

    /// Forgets cached values and statuses: of one name, or all.
    pub async fn reset(&self, _name: Option<&SecretName>) {
        todo!()
    }

    /// The vault on this machine.
    pub fn local(&self) -> &local::LocalVault {
        todo!()
    }

    /// Hands a token to an integration for as long as this process lives.
    pub async fn sign_in(&self, _integration: &str, _token: SecretValue) -> Result<(), Problem> {
        todo!()
    }
}
