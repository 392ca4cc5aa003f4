//! What an `[integrations.NAME]` entry means: which kind of vault, where it is, and how one signs in there.

use std::{net::IpAddr, path::PathBuf};

use url::{Host, Url};

use super::{arn, azure::Azure, hashicorp::Hashicorp, onepassword::OnePassword, quoted, refuse_any};
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

/// An account of Amazon Web Services, as one identity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// The region that every secret must be of, where one is written.
    pub region: Option<String>,
    /// The number of the account that every secret must be of, where one is written.
    pub account: Option<String>,
    pub auth: AwsAuth,
    /// An emulator, asked in place of AWS: https, or http on this machine.
    pub endpoint: Option<Url>,
}

/// Who one is for AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsAuth {
    /// A profile of the AWS tools' own files; `main`, then `default`, where none is named.
    Profile(Option<String>),
    /// Access keys from this process's environment, or typed in.
    Keys,
}

/// The providers that can be used, for messages.
const KNOWN_PROVIDERS: &str = "`hashicorp`, `aws`, `azure` and `onepassword`";

/// The longest name of a profile, in bytes.
const MAX_PROFILE: usize = 128;

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

impl Aws {
    fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        let message = "this belongs to HashiCorp Vault; AWS has `region`, `account` and `profile`";
        refuse_any(&[&entry.address, &entry.namespace, &entry.ca_file], message)?;
        refuse_any(&[&entry.tenant, &entry.client_id], "`tenant` and `client-id` belong to Azure")?;
        let checked = |field: &Option<Written<String>>, message: &str, is_good: fn(&str) -> bool| match field {
            Some(field) if !is_good(&field.value) => Err(Complaint::error(field.span, message)),
            _ => Ok(field.as_ref().map(|field| field.value.clone())),
        };
        let endpoint = entry.endpoint.as_ref().map(|written| {
            parse_address("endpoint", &written.value).map_err(|fault| Complaint::error(written.span, fault))
        });
        Ok(Self {
            region: checked(&entry.region, "`region` is written like `eu-west-1`", arn::is_region)?,
            account: checked(&entry.account, "`account` is a number of 12 digits", arn::is_account)?,
            auth: AwsAuth::understand(entry)?,
            endpoint: endpoint.transpose()?,
        })
    }
}

impl AwsAuth {
    fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        entry.auth.refuse_all_but(&[])?;
        match (entry.auth.method.as_ref().map(|method| (method.value.as_str(), method.span)), &entry.profile) {
            (None | Some(("profile", _)), None) => Ok(Self::Profile(None)),
            (None | Some(("profile", _)), Some(profile)) if is_profile(&profile.value) => {
                Ok(Self::Profile(Some(profile.value.clone())))
            }
            (None | Some(("profile", _)), Some(profile)) => {
                Err(Complaint::error(profile.span, "`profile` is the name of a profile in `~/.aws/config`"))
            }
            (Some(("keys", _)), None) => Ok(Self::Keys),
            (Some(("keys", _)), Some(profile)) => {
                Err(Complaint::error(profile.span, "`profile` and the method `keys` exclude each other"))
            }
            (Some((_, span)), _) => {
                Err(Complaint::error(span, "this way to sign in is not supported; use `profile` or `keys`"))
            }
        }
    }
}

fn is_profile(name: &str) -> bool {
    (1..=MAX_PROFILE).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && name.trim() == name
}

/// An address to which a token may be sent.
pub fn parse_address(field: &str, text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("`{field}` is not a URL: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("`{field}` starts with `https://` and a host"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(format!("`{field}` must be https: over http everyone on the way can read the token"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("`{field}` holds no user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{field}` holds no `?` or `#`"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with("/v1") {
        return Err(format!("`{field}` ends before `/v1`"));
    }
    url.set_path(&path);
    Ok(url)
}

/// Whether `url` names this machine itself, where nobody listens on the way (RFC 6761, section 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

pub(super) fn ca_file(written: &Written<String>) -> Result<PathBuf, Complaint> {
    let path = PathBuf::from(&written.value);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Complaint::error(written.span, "`ca-file` must be an absolute path"))
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

    fn address(address: &str) -> Result<String, String> {
        understand(Layer::Workspace, &format!("provider = 'hashicorp'\naddress = '{address}'"))
    }

    #[test]
    fn addresses_are_kept_in_one_form() {
        for (written, canonical) in [
            ("https://vault.acme.io:8200/", "https://vault.acme.io:8200"),
            ("HTTPS://Vault.Acme.io:443", "https://vault.acme.io"),
            ("https://acme.io/vault/", "https://acme.io/vault"),
            ("http://127.0.0.1:8200", "http://127.0.0.1:8200"),
            ("http://[::1]:8200", "http://[::1]:8200"),
            ("http://localhost:8200", "http://localhost:8200"),
        ] {
            let definition = address(written).unwrap();
            assert!(definition.contains(&format!("address = \"{canonical}\"\n")), "{definition}");
        }
    }

    #[test]
    fn a_token_is_never_sent_to_a_doubtful_address() {
        for (written, fault) in [
            ("vault.acme.io:8200", "`address` starts with"),
            ("file:///etc", "`address` starts with"),
            ("http://vault.acme.io", "`address` must be https"),
            ("http://localhost.evil.io", "`address` must be https"),
            ("http://127.0.0.1.evil.io", "`address` must be https"),
            ("https://user@vault.acme.io", "`address` holds no user"),
            ("https://vault.acme.io@evil.io", "`address` holds no user"),
            ("https://vault.acme.io/?x", "`address` holds no `?`"),
            ("https://vault.acme.io/v1/", "`address` ends before"),
            ("", "`address` is not a URL"),
        ] {
            let error = address(written).unwrap_err();
            assert!(error.starts_with(fault), "{written}: {error}");
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
        assert!(understand(Layer::User, &format!("{base}namespace = 'team-a/b'\nca-file = '/ca.pem'")).is_ok());
    }
}
