//! What an Azure integration and a link into a Key Vault mean: the cloud, the way to sign in, the secret's identifier.
//!
//! The identifier ends up in a URL to which a token is sent. It is taken apart by hand and never normalized: what a
//! URL parser would have to repair was not copied from a vault.

use std::{fmt, path::PathBuf};

use url::Url;

use super::field::{ca_file, refuse};
use crate::config::{Complaint, IntegrationEntry, Layer, SecretEntry, Written};

/// A cloud of Azure: its own sign-in service and its own vaults.
/// Source: <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>, "DNS suffixes".
#[derive(Debug, PartialEq, Eq)]
pub struct Cloud {
    pub title: &'static str,
    /// The host of the sign-in service.
    pub authority: &'static str,
    /// The host of the issuer in id tokens.
    pub issuer: &'static str,
    /// What follows a vault's name.
    pub suffix: &'static str,
}

/// The public cloud first.
pub const CLOUDS: [Cloud; 4] = [
    Cloud {
        title: "public Azure",
        authority: "login.microsoftonline.com",
        issuer: "login.microsoftonline.com",
        suffix: "vault.azure.net",
    },
    Cloud {
        title: "Azure in China",
        authority: "login.chinacloudapi.cn",
        issuer: "login.partner.microsoftonline.cn",
        suffix: "vault.azure.cn",
    },
    Cloud {
        title: "Azure Government",
        authority: "login.microsoftonline.us",
        issuer: "login.microsoftonline.us",
        suffix: "vault.usgovcloudapi.net",
    },
    Cloud {
        title: "Azure Germany",
        authority: "login.microsoftonline.de",
        issuer: "login.microsoftonline.de",
        suffix: "vault.microsoftazure.de",
    },
];

/// A tenant of a cloud and how one signs in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Azure {
    pub cloud: &'static Cloud,
    /// The sign-in service: the cloud's, or one that the user's own file names.
    pub authority: Url,
    /// The directory's id or domain; none leaves it to `az` or to the environment.
    pub tenant: Option<String>,
    pub client_id: Option<String>,
    pub sign_in: SignIn,
    /// A file of PEM certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The session of the Azure CLI.
    Az,
    /// A person in their browser on this machine.
    Browser,
    /// A person in a browser anywhere, with a code.
    Device,
    /// An application's secret, from the user's environment or typed in.
    ClientSecret,
    WorkloadIdentity,
    ManagedIdentity,
}

/// A secret of a Key Vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AzureSecret {
    /// The vault's host in lower case; with a port only from the user's own file.
    pub vault: String,
    pub name: String,
    /// 32 hexadecimal digits; the latest version if none.
    pub version: Option<String>,
}

/// Why a text is no identifier. The messages name the rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    #[error("it starts with `https://`")]
    Scheme,
    #[error("it reads `https://VAULT.vault.azure.net/secrets/NAME`, or that with `/VERSION`")]
    Shape,
    #[error("a vault's host is its name and a suffix of Azure's, such as `my-vault.vault.azure.net`")]
    Host,
    #[error("a secret's name is 1 to 127 letters, digits and `-`")]
    Name,
    #[error("a version is 32 hexadecimal digits; leave it out for the latest")]
    Version,
}

impl SignIn {
    pub const ALL: [Self; 6] =
        [Self::Az, Self::Browser, Self::Device, Self::ClientSecret, Self::WorkloadIdentity, Self::ManagedIdentity];

    /// The word in `auth.method`.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::Browser => "browser",
            Self::Device => "device",
            Self::ClientSecret => "client-secret",
            Self::WorkloadIdentity => "workload-identity",
            Self::ManagedIdentity => "managed-identity",
        }
    }

    /// Whether a person signs in, rather than a program or an application.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Browser | Self::Device)
    }
}

impl Cloud {
    /// The only thing a token is asked for: reading vaults of this cloud.
    pub fn scope(&self) -> String {
        format!("https://{}/.default", self.suffix)
    }

    /// The same in the name of a person, which takes no more rights than the person has.
    pub fn scope_of_person(&self) -> String {
        format!("https://{}/user_impersonation", self.suffix)
    }
}

impl Azure {
    pub(super) fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        refuse(entry.namespace.as_ref(), "`namespace` belongs to HashiCorp Vault; Azure has `tenant`")?;
        for field in [&entry.region, &entry.account, &entry.profile, &entry.endpoint] {
            refuse(field.as_ref(), "this belongs to AWS; Azure has `tenant` and `client-id`")?;
        }
        let (cloud, authority) = authority(entry)?;
        if let Some(tenant) = &entry.tenant {
            check(
                tenant,
                "tenant",
                is_tenant,
                "is the directory's id or its domain, such as `contoso.onmicrosoft.com`",
            )?;
        }
        if let Some(client) = &entry.client_id {
            check(client, "client-id", is_client, "is an application's id: letters, digits and `-`")?;
        }
        let sign_in = sign_in(entry)?;
        if sign_in.is_personal() {
            check_person(entry)?;
        }
        let text = |field: &Option<Written<String>>| field.as_ref().map(|field| field.value.clone());
        Ok(Self {
            cloud,
            authority,
            tenant: text(&entry.tenant),
            client_id: text(&entry.client_id),
            sign_in,
            ca_file: entry.ca_file.as_ref().map(ca_file).transpose()?,
        })
    }
}

impl AzureSecret {
    /// Reads the coordinates of `entry`; the complaint tells the first thing that is wrong, at its place.
    pub(super) fn understand(entry: &SecretEntry, settings: &Azure) -> Result<Self, Complaint> {
        const OTHERS: &str = "this belongs to another provider; a secret of Azure Key Vault has an `id`";
        const VERSION: &str = "the version of a Key Vault's secret stands at the end of its `id`";
        let of_hashicorp = [&entry.engine, &entry.path, &entry.key];
        let others = [&entry.arn, &entry.role_arn, &entry.json_key, &entry.encoding, &entry.reference];
        for field in of_hashicorp.into_iter().chain(others) {
            refuse(field.as_ref(), OTHERS)?;
        }
        refuse(entry.version_text.as_ref(), VERSION)?;
        refuse(entry.version.as_ref(), VERSION)?;
        let Some(id) = &entry.id else {
            let message = "`id` is missing: the secret's identifier, such as `https://my-vault.vault.azure.net/secrets/my-secret`";
            return Err(Complaint::error(entry.source.site.span, message));
        };
        let secret = Self::parse(&id.value, entry.source.layer)
            .map_err(|error| Complaint::error(id.span, format!("`id`: {error}")))?;
        match secret.cloud() {
            Some(cloud) if cloud != settings.cloud => {
                let message =
                    format!("`id`: this vault is in {}, and the integration in {}", cloud.title, settings.cloud.title);
                Err(Complaint::error(id.span, message))
            }
            _ => Ok(secret),
        }
    }

    /// Reads an identifier. Only the user's own file may name a host that is not Azure's.
    pub fn parse(id: &str, layer: Layer) -> Result<Self, IdentifierError> {
        let rest = id.strip_prefix("https://").ok_or(IdentifierError::Scheme)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (host, name, version) = match parts[..] {
            [host, "secrets", name] => (host, name, None),
            [host, "secrets", name, version] => (host, name, Some(version)),
            _ => return Err(IdentifierError::Shape),
        };
        let vault = host.to_ascii_lowercase();
        let allowed = is_vault(&vault) || (layer == Layer::User && is_host(&vault));
        if !allowed {
            return Err(IdentifierError::Host);
        }
        if !is_word(name, 127) {
            return Err(IdentifierError::Name);
        }
        let version = version.map(str::to_ascii_lowercase);
        if version.as_ref().is_some_and(|text| text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(IdentifierError::Version);
        }
        Ok(Self { vault, name: name.to_owned(), version })
    }

    /// The cloud whose vault it is; none for a host of the user's own.
    pub fn cloud(&self) -> Option<&'static Cloud> {
        CLOUDS.iter().find(|cloud| name_of_vault(&self.vault, cloud).is_some())
    }

    /// The secret in the portal of its cloud; none for a host of the user's own, and for a cloud that has closed.
    pub fn console_url(&self) -> Option<Url> {
        let portal = match self.cloud()?.suffix {
            "vault.azure.net" => "portal.azure.com",
            "vault.azure.cn" => "portal.azure.cn",
            "vault.usgovcloudapi.net" => "portal.azure.us",
            _ => return None,
        };
        let version = self.version.as_deref().map(|version| format!("/{version}")).unwrap_or_default();
        let id = format!("https://{}/secrets/{}{version}", self.vault, self.name);
        Url::parse(&format!("https://{portal}/#asset/Microsoft_Azure_KeyVault/Secret/{id}")).ok()
    }

    /// Labelled parts, for people.
    pub fn labelled(&self) -> Vec<(&'static str, String)> {
        let mut parts = vec![("vault", self.vault.clone()), ("secret", self.name.clone())];
        parts.extend(self.version.clone().map(|version| ("version", version)));
        parts
    }
}

/// The secret without its version, as messages name it.
impl fmt::Display for AzureSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vault, self.name)
    }
}

/// The cloud and its sign-in service, from `address`.
fn authority(entry: &IntegrationEntry) -> Result<(&'static Cloud, Url), Complaint> {
    let public = &CLOUDS[0];
    let of_cloud = |cloud: &'static Cloud| {
        let url = Url::parse(&format!("https://{}/", cloud.authority)).expect("the table holds host names");
        (cloud, url)
    };
    let Some(written) = &entry.address else { return Ok(of_cloud(public)) };
    let text = written.value.strip_suffix('/').unwrap_or(&written.value);
    let host = text.strip_prefix("https://").map(str::to_ascii_lowercase);
    let host = host.ok_or_else(|| Complaint::error(written.span, "`address` starts with `https://`"))?;
    if let Some(cloud) = CLOUDS.iter().find(|cloud| cloud.authority == host) {
        return Ok(of_cloud(cloud));
    }
    if entry.source.layer == Layer::Workspace {
        let message = "`address` of Azure is where to sign in, such as `https://login.microsoftonline.us`; another one counts only in the user's own configuration";
        return Err(Complaint::error(written.span, message));
    }
    let url = is_host(&host).then(|| Url::parse(&format!("https://{host}/")).ok()).flatten();
    let url = url.ok_or_else(|| Complaint::error(written.span, "`address` is `https://` and a host"))?;
    Ok((public, url))
}

fn sign_in(entry: &IntegrationEntry) -> Result<SignIn, Complaint> {
    entry.auth.refuse_all_but(&[])?;
    let Some(method) = &entry.auth.method else { return Ok(SignIn::Az) };
    SignIn::ALL.into_iter().find(|known| known.method() == method.value).ok_or_else(|| {
        let known = SignIn::ALL.map(|known| format!("`{}`", known.method())).join(", ");
        Complaint::error(method.span, format!("this way to sign in is not supported; Azure knows {known}"))
    })
}

/// What a person's sign-in takes: the application that asks, and one directory, since an integration is bound to one.
fn check_person(entry: &IntegrationEntry) -> Result<(), Complaint> {
    const SHARED: [&str; 3] = ["common", "organizations", "consumers"];
    let missing = |label: &str| {
        let message = format!("`{label}` is missing, which this way to sign in needs");
        Complaint::error(entry.auth.method.as_ref().map_or(entry.source.site.span, |method| method.span), message)
    };
    let tenant = entry.tenant.as_ref().ok_or_else(|| missing("tenant"))?;
    entry.client_id.as_ref().ok_or_else(|| missing("client-id"))?;
    if SHARED.contains(&tenant.value.to_ascii_lowercase().as_str()) {
        return Err(Complaint::error(tenant.span, "`tenant` names one directory, by its id or its domain"));
    }
    Ok(())
}

fn check(field: &Written<String>, label: &str, valid: fn(&str) -> bool, rule: &str) -> Result<(), Complaint> {
    if valid(&field.value) { Ok(()) } else { Err(Complaint::error(field.span, format!("`{label}` {rule}"))) }
}

fn is_tenant(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| is_word(label, 63)) && !text.starts_with('-')
}

fn is_client(text: &str) -> bool {
    is_word(text, 64) && !text.starts_with('-')
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether `host` is a vault of any cloud.
fn is_vault(host: &str) -> bool {
    CLOUDS.iter().filter_map(|cloud| name_of_vault(host, cloud)).any(|name| {
        // Source: the naming rules of Microsoft.KeyVault/vaults.
        (3..=24).contains(&name.len())
            && is_word(name, 24)
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && !name.ends_with('-')
            && !name.contains("--")
    })
}

fn name_of_vault<'h>(host: &'h str, cloud: &Cloud) -> Option<&'h str> {
    host.strip_suffix(cloud.suffix)?.strip_suffix('.')
}

/// Whether `text` is a host, with or without a port, that a URL parser leaves exactly as it is.
fn is_host(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    plain && Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.as_str() == format!("https://{text}/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    const VERSION: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn identifiers_are_taken_apart() {
        let id = format!("https://My-Vault.vault.azure.net/secrets/stripe-Key/{VERSION}");
        let secret = AzureSecret::parse(&id, Layer::Workspace).unwrap();
        assert_eq!(
            secret.labelled(),
            [
                ("vault", "my-vault.vault.azure.net".to_owned()),
                ("secret", "stripe-Key".into()),
                ("version", VERSION.to_ascii_lowercase()),
            ]
        );
        for cloud in &CLOUDS {
            let secret = AzureSecret::parse(&format!("https://abc.{}/secrets/a", cloud.suffix), Layer::Workspace);
            let secret = secret.unwrap();
            assert_eq!((secret.cloud(), secret.version), (Some(cloud), None));
        }
    }

    #[test]
    fn a_token_is_never_sent_to_a_doubtful_host() {
        for host in [
            "kv.vault.azure.net",
            "my-vault.vault.azure.net.evil.io",
            "my-vault.vault.azure.net@evil.io",
            "user@my-vault.vault.azure.net",
            "my-vault.vault.azure.net:8443",
            "my-vault.vault.azure.net.",
            "a.my-vault.vault.azure.net",
            "my-vaultvault.azure.net",
            "vault.azure.net",
            ".vault.azure.net",
            "1my-vault.vault.azure.net",
            "my--vault.vault.azure.net",
            "m\u{443}-vault.vault.azure.net",
            "my-vault.vault.azure.net\\.evil.io",
            "my%2dvault.vault.azure.net",
            "127.0.0.1",
            "evil.io",
            "",
        ] {
            let id = format!("https://{host}/secrets/a");
            assert_eq!(AzureSecret::parse(&id, Layer::Workspace), Err(IdentifierError::Host), "{host}");
        }
        for (id, error) in [
            ("http://my-vault.vault.azure.net/secrets/a", IdentifierError::Scheme),
            ("HTTPS://my-vault.vault.azure.net/secrets/a", IdentifierError::Scheme),
            ("my-vault.vault.azure.net/secrets/a", IdentifierError::Scheme),
            ("https:///secrets/a", IdentifierError::Host),
        ] {
            for layer in [Layer::Workspace, Layer::User] {
                assert_eq!(AzureSecret::parse(id, layer), Err(error), "{id}");
            }
        }
    }

    #[test]
    fn what_means_more_than_a_name_is_refused() {
        for (path, error) in [
            ("secrets/x/../../keys/k", IdentifierError::Shape),
            ("secrets/x/..", IdentifierError::Version),
            ("secrets/..", IdentifierError::Name),
            ("secrets/a/a/b", IdentifierError::Shape),
            ("secrets/a/", IdentifierError::Version),
            ("secrets/a/latest", IdentifierError::Version),
            ("secrets/", IdentifierError::Name),
            ("secrets", IdentifierError::Shape),
            ("keys/k", IdentifierError::Shape),
            ("deletedsecrets/a", IdentifierError::Shape),
            ("/secrets/a", IdentifierError::Shape),
            ("secrets/a?api-version=7.4", IdentifierError::Name),
            ("secrets/a#x", IdentifierError::Name),
            ("secrets/%2e%2e", IdentifierError::Name),
            ("secrets/a b", IdentifierError::Name),
            ("secrets/a\n", IdentifierError::Name),
            ("secrets/a_b", IdentifierError::Name),
        ] {
            for layer in [Layer::Workspace, Layer::User] {
                let id = format!("https://my-vault.vault.azure.net/{path}");
                assert_eq!(AzureSecret::parse(&id, layer), Err(error), "{path}");
            }
        }
        let long = format!("https://my-vault.vault.azure.net/secrets/{}", "x".repeat(128));
        assert_eq!(AzureSecret::parse(&long, Layer::User), Err(IdentifierError::Name));
    }

    #[test]
    fn the_users_own_file_may_name_another_host() {
        for host in ["127.0.0.1:8443", "vault.corp.example", "localhost:1", "a.privatelink.vaultcore.azure.net"] {
            let secret = AzureSecret::parse(&format!("https://{host}/secrets/a"), Layer::User).unwrap();
            assert_eq!((secret.vault.as_str(), secret.cloud()), (host, None));
        }
        for host in ["a@b.io", "a.io:443", "a.io:99999", "0x7f.1", "[::1]", "ä.io", ":1"] {
            let id = format!("https://{host}/secrets/a");
            assert_eq!(AzureSecret::parse(&id, Layer::User), Err(IdentifierError::Host), "{host}");
        }
    }

    /// What an integration of `fields` means.
    fn understand(layer: Layer, fields: &str) -> Result<Azure, String> {
        let found =
            config::read(&format!("[integrations.a]\nprovider = 'azure'\n{fields}\n"), layer, Path::new("x.toml"));
        Azure::understand(&found.integrations[0]).map_err(|complaint| complaint.message)
    }

    #[test]
    fn the_cloud_follows_from_where_one_signs_in() {
        let plain = understand(Layer::Workspace, "").unwrap();
        assert_eq!((plain.cloud, plain.authority.as_str()), (&CLOUDS[0], "https://login.microsoftonline.com/"));
        assert_eq!(plain.sign_in, SignIn::Az);
        let government = understand(Layer::Workspace, "address = 'https://login.microsoftonline.us/'").unwrap();
        assert_eq!(government.cloud.suffix, "vault.usgovcloudapi.net");
    }

    #[test]
    fn a_workspace_cannot_choose_who_sees_the_credentials() {
        for address in ["https://login.evil.io", "https://login.microsoftonline.com@evil.io", "https://127.0.0.1:1"] {
            let error = understand(Layer::Workspace, &format!("address = '{address}'")).unwrap_err();
            assert!(error.contains("only in the user's own configuration"), "{error}");
        }
        let error = understand(Layer::Workspace, "address = 'http://login.microsoftonline.com'").unwrap_err();
        assert_eq!(error, "`address` starts with `https://`");
        let own = understand(Layer::User, "address = 'https://127.0.0.1:8443'").unwrap();
        assert_eq!(own.authority.as_str(), "https://127.0.0.1:8443/");
        assert!(understand(Layer::User, "address = 'https://a.io/path'").is_err());
    }

    #[test]
    fn the_rest_is_checked_too() {
        for (fields, fault) in [
            ("namespace = 'a'", "`namespace` belongs to HashiCorp Vault; Azure has `tenant`"),
            ("tenant = 'a/../b'", "`tenant` is the directory's id or its domain, such as `contoso.onmicrosoft.com`"),
            ("tenant = '--query'", "`tenant` is the directory's id or its domain, such as `contoso.onmicrosoft.com`"),
            ("auth = { method = 'browser' }\nclient-id = 'a'", "`tenant` is missing, which this way to sign in needs"),
            ("auth = { method = 'device' }\ntenant = 'a.b'", "`client-id` is missing, which this way to sign in needs"),
            (
                "auth = { method = 'browser' }\ntenant = 'Common'\nclient-id = 'a'",
                "`tenant` names one directory, by its id or its domain",
            ),
            ("client-id = 'a b'", "`client-id` is an application's id: letters, digits and `-`"),
            (
                "auth = { method = 'oidc' }",
                "this way to sign in is not supported; Azure knows `az`, `browser`, `device`, `client-secret`, `workload-identity`, `managed-identity`",
            ),
        ] {
            assert_eq!(understand(Layer::User, fields).map_err(|error| error == fault), Err(true), "{fields}");
        }
        let fields = "tenant = 'contoso.onmicrosoft.com'\nclient-id = '7b795fb9-09d3-42f4-a494-38864f99ba3c'\nauth = { method = 'client-secret' }";
        assert_eq!(understand(Layer::Workspace, fields).unwrap().sign_in, SignIn::ClientSecret);
    }
}
