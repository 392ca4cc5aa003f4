//! A link and an integration as they are to be written: the one shape that the editor's commands, the command line and the writer of
//! `vaultls.toml` share.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a secret is to live. Which fields are needed, the integration's provider says; absent ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLink {
    pub integration: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// 1Password's `op://vault/item/field`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<NewVersion>,
    /// The name in the local vault, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where given, it replaces the list that stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
}

/// A version as its vault names it: by a number, or by an id or a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewVersion {
    Number(u64),
    Text(String),
}

impl NewVersion {
    /// A version as it is typed.
    pub fn parse(text: String) -> Self {
        text.parse().map_or(Self::Text(text), Self::Number)
    }
}

/// An integration as it is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIntegration {
    pub provider: String,
    pub address: String,
    pub namespace: Option<String>,
    /// Only for the user's own configuration.
    pub ca_file: Option<PathBuf>,
    /// The fields of `auth`, in their order.
    pub auth: Vec<(&'static str, String)>,
}
