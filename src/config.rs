//! What is written in `vaultls.toml` and in the user's configuration, entry by entry with its place, and
//! complaints about what is wrong. One bad entry never hides the good ones.
//!
//! This is what was *written*; what it means (which vault, which coordinates, trusted or not) is `vault::link`.

mod new_link;
mod read;
mod schema;
mod suggest;

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{
    disk,
    name::SecretName,
    status::{Severity, Site},
    text::Span,
};

pub use new_link::{NewIntegration, NewLink, NewVersion};
pub use read::{check_integration_name, read};
pub use schema::schema;
pub use suggest::nearest;

/// Which file an entry comes from. Entries of a workspace count only after the user approved them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    Workspace,
    User,
}

/// The place of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub layer: Layer,
    pub site: Site,
}

/// Something wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub span: Span,
    pub severity: Severity,
    pub message: String,
}

impl Complaint {
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { span, severity: Severity::Error, message: message.into() }
    }

    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { span, severity: Severity::Warning, message: message.into() }
    }
}

/// A value and the place where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    pub value: T,
    pub span: Span,
}

/// One configuration file as it was written. Entries stand in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `cache.ttl-minutes`: how long a value may be kept in memory; zero keeps none.
    pub cache_ttl: Option<Written<Duration>>,
    pub integrations: Vec<IntegrationEntry>,
    pub secrets: Vec<SecretEntry>,
    pub complaints: Vec<Complaint>,
}

/// An `[integrations.NAME]` entry. Its fields are not checked beyond their types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationEntry {
    pub name: String,
    pub source: Source,
    pub provider: Option<Written<String>>,
    pub address: Option<Written<String>>,
    pub namespace: Option<Written<String>>,
    pub tenant: Option<Written<String>>,
    pub client_id: Option<Written<String>>,
    pub region: Option<Written<String>>,
    pub account: Option<Written<String>>,
    pub profile: Option<Written<String>>,
    /// Only ever present in the user's own file.
    pub endpoint: Option<Written<String>>,
    /// Only ever present in the user's own file.
    pub ca_file: Option<Written<String>>,
    pub auth: AuthEntry,
    /// Why the entry cannot be used; a complaint tells the place.
    pub fault: Option<String>,
}

/// The `auth` of an integration. Which fields belong to which method, the integration's provider says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthEntry {
    pub method: Option<Written<String>>,
    /// By their names as they are written.
    pub fields: BTreeMap<&'static str, Written<String>>,
}

impl AuthEntry {
    pub fn field(&self, name: &str) -> Option<&Written<String>> {
        self.fields.get(name)
    }

    /// Refuses the fields that are not among `known`.
    pub fn refuse_all_but(&self, known: &[&str]) -> Result<(), Complaint> {
        let Some((name, field)) = self.fields.iter().find(|(name, _)| !known.contains(*name)) else { return Ok(()) };
        let method = self.method.as_ref().map_or("the usual way", |method| &method.value);
        Err(Complaint::error(field.span, format!("signing in by {method} takes no `{name}`")))
    }
}

/// A `[secrets.NAME]` entry. Its fields are not checked beyond their types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    pub name: SecretName,
    pub source: Source,
    pub integration: Option<Written<String>>,
    pub engine: Option<Written<String>>,
    pub path: Option<Written<String>>,
    pub key: Option<Written<String>>,
    pub id: Option<Written<String>>,
    pub arn: Option<Written<String>>,
    pub role_arn: Option<Written<String>>,
    pub json_key: Option<Written<String>>,
    pub encoding: Option<Written<String>>,
    /// 1Password's secret reference.
    pub reference: Option<Written<String>>,
    pub version: Option<Written<u64>>,
    /// `version` where it is a text: the id or the stage of a version.
    pub version_text: Option<Written<String>>,
    /// The name in the local vault, where it differs.
    pub local_name: Option<Written<String>>,
    pub allowed_domains: Option<Vec<Written<String>>>,
    pub note: Option<String>,
    pub enabled: bool,
    /// Why the entry cannot be used; a complaint tells the place.
    pub fault: Option<String>,
}

/// The text of a configuration file, as far as it can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileText {
    Absent,
    Text(String),
    /// Why it cannot be read.
    Unusable(String),
}

impl FileText {
    /// The largest configuration file, in bytes.
    pub const CAP: u64 = 1024 * 1024;

    /// Reads `path`.
    pub fn load(path: &Path) -> Self {
        match disk::read(path, Self::CAP) {
            Ok(bytes) => String::from_utf8(bytes).map_or_else(|_| Self::Unusable("it is not UTF-8".into()), Self::Text),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Self::Absent
            }
            Err(error) => Self::Unusable(error.to_string()),
        }
    }

    /// A text that an editor holds, which may be larger than a file may be.
    pub fn of_editor(text: &str) -> Self {
        if text.len() as u64 > Self::CAP {
            return Self::Unusable(format!("it is larger than {} KiB", Self::CAP / 1024));
        }
        Self::Text(text.to_owned())
    }

    /// What is written in it.
    pub fn read(&self, layer: Layer, path: &Path) -> Configuration {
        match self {
            Self::Absent => Configuration::default(),
            Self::Text(text) => read(text, layer, path),
            Self::Unusable(reason) => Configuration {
                complaints: vec![Complaint::error(Span::at(0), format!("this file is not used: {reason}"))],
                ..Configuration::default()
            },
        }
    }
}
