//! What an `[integrations.NAME]` entry means: which kind of vault, where it is, and how one signs in there.

use super::{aws::Aws, azure::Azure, field::quoted, hashicorp::Hashicorp, onepassword::OnePassword};
use crate::{
    config::{Complaint, IntegrationEntry, Source, Written, nearest},
    status::{Problem, ProviderKind, Reason},
};

/// A named connection to one organization of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    pub name: String,
    pub source: Source,
    /// How to reach it, or why it cannot be used.
    pub settings: Result<Settings, Problem>,
    /// The exact canonical text: what a person approves.
    pub definition: String,
}

/// One variant for each kind of provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    Hashicorp(Hashicorp),
    Azure(Azure),
    Aws(Aws),
    Onepassword(OnePassword),
}

/// The providers that can be used, for messages.
const KNOWN_PROVIDERS: &str = "`hashicorp`, `aws`, `azure` and `onepassword`";

impl Integration {
    /// What `entry` means, and what is wrong with it.
    pub fn understand(entry: &IntegrationEntry) -> (Self, Vec<Complaint>) {
        let mut complaints = Vec::new();
        let settings = match &entry.fault {
            Some(fault) => Err(fault.clone()),
            None => Settings::understand(entry).map_err(|complaint| {
                complaints.push(complaint.clone());
                complaint.message
            }),
        };
        let settings = settings.map_err(|fault| {
            let detail = format!("the integration `{}` cannot be used: {fault}", entry.name);
            Problem::new(Reason::NotConfigured, detail)
        });
        let definition = definition(entry, settings.as_ref().ok());
        (Self { name: entry.name.clone(), source: entry.source.clone(), settings, definition }, complaints)
    }

    /// The kind of vault; HashiCorp's for an entry that cannot be told.
    pub fn provider(&self) -> ProviderKind {
        match &self.settings {
            Ok(Settings::Azure(_)) => ProviderKind::Azure,
            Ok(Settings::Aws(_)) => ProviderKind::Aws,
            Ok(Settings::Onepassword(_)) => ProviderKind::Onepassword,
            Ok(Settings::Hashicorp(_)) | Err(_) => ProviderKind::Hashicorp,
        }
    }
}

impl Settings {
    fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        let header = entry.source.site.span;
        let Some(provider) = &entry.provider else {
            return Err(Complaint::error(
                header,
                format!("`provider` is missing; this version knows {KNOWN_PROVIDERS}"),
            ));
        };
        match provider.value.as_str() {
            "hashicorp" => return Hashicorp::understand(entry).map(Self::Hashicorp),
            "aws" => return Aws::understand(entry).map(Self::Aws),
            "azure" => return Azure::understand(entry).map(Self::Azure),
            "onepassword" => return OnePassword::understand(entry).map(Self::Onepassword),
            _ => {}
        }
        let message = match nearest(&provider.value, ["hashicorp", "aws", "azure", "onepassword"]) {
            Some(word) => format!("unknown provider: did you mean `{word}`?"),
            None => format!("unknown provider; this version knows {KNOWN_PROVIDERS}"),
        };
        Err(Complaint::error(provider.span, message))
    }
}

/// The canonical text of an entry. What cannot be understood is shown as it was written.
fn definition(entry: &IntegrationEntry, settings: Option<&Settings>) -> String {
    let mut text = format!("[integrations.{}]\n", key(&entry.name));
    let address = match settings {
        Some(Settings::Hashicorp(settings)) => Some(settings.address.as_str().trim_end_matches('/').to_owned()),
        Some(Settings::Azure(settings)) => Some(settings.authority.as_str().trim_end_matches('/').to_owned()),
        Some(Settings::Aws(_) | Settings::Onepassword(_)) | None => {
            entry.address.as_ref().map(|address| address.value.clone())
        }
    };
    let value = |field: &Option<Written<String>>| field.as_ref().map(|field| field.value.clone());
    let fields = [
        ("provider", value(&entry.provider)),
        ("address", address),
        ("namespace", value(&entry.namespace)),
        ("tenant", value(&entry.tenant)),
        ("client-id", value(&entry.client_id)),
        ("region", value(&entry.region)),
        ("account", value(&entry.account)),
        ("profile", value(&entry.profile)),
        ("endpoint", value(&entry.endpoint)),
        ("ca-file", value(&entry.ca_file)),
    ];
    for (label, field) in fields {
        if let Some(field) = field {
            text += &format!("{label} = {}\n", quoted(&field));
        }
    }
    let method = match (&entry.auth.method, settings) {
        (Some(method), _) => method.value.as_str(),
        (None, Some(Settings::Azure(settings))) => settings.sign_in.method(),
        (None, Some(Settings::Aws(_))) => "profile",
        (None, Some(Settings::Onepassword(settings))) => settings.access.method(),
        (None, Some(Settings::Hashicorp(_)) | None) => "token",
    };
    let mut auth = vec![format!("method = {}", quoted(method))];
    auth.extend(entry.auth.fields.iter().map(|(name, field)| format!("{name} = {}", quoted(&field.value))));
    text += &format!("auth = {{ {} }}\n", auth.join(", "));
    text
}

/// The name as a key of a TOML table: quoted if it holds a dot.
fn key(name: &str) -> String {
    if name.contains('.') { quoted(name) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, Layer};

    /// What is wrong with an integration of `fields`, or its definition.
    fn understand(layer: Layer, fields: &str) -> Result<String, String> {
        let text = format!("[integrations.a]\n{fields}\n");
        let found = config::read(&text, layer, Path::new("x.toml"));
        let (integration, complaints) = Integration::understand(&found.integrations[0]);
        assert_eq!(integration.settings.is_err(), !complaints.is_empty());
        match complaints.first() {
            Some(complaint) => Err(complaint.message.clone()),
            None => Ok(integration.definition),
        }
    }

    #[test]
    fn a_slip_in_a_provider_is_told() {
        for (provider, fault) in [
            ("1password", "unknown provider: did you mean `onepassword`?"),
            ("hashicrop", "unknown provider: did you mean `hashicorp`?"),
            ("zebra", "unknown provider; this version knows `hashicorp`, `aws`, `azure` and `onepassword`"),
        ] {
            assert_eq!(understand(Layer::User, &format!("provider = '{provider}'")), Err(fault.into()));
        }
    }

    #[test]
    fn the_rest_is_checked_too() {
        let base = "provider = 'hashicorp'\naddress = 'https://a.io'\n";
        for (field, fault) in [
            ("namespace = 'a/../b'", "`namespace`: `.` and `..` are not allowed as parts"),
            ("namespace = 'ä'", "`namespace` travels in a header and is plain ASCII"),
            ("ca-file = 'ca.pem'", "`ca-file` must be an absolute path"),
        ] {
            assert_eq!(understand(Layer::User, &format!("{base}{field}")), Err(fault.into()));
        }
        let ca = if cfg!(windows) { "C:/ca.pem" } else { "/ca.pem" };
        assert!(understand(Layer::User, &format!("{base}namespace = 'team-a/b'\nca-file = '{ca}'")).is_ok());
    }
}
