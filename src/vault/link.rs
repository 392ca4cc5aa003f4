//! From a name to the place where its value lives: what the entries of the configuration mean.
//!
//! The user's own file wins over the workspace's, entry by entry. An entry that cannot be understood stays known, with
//! the reason, so that its name is reported as badly linked and not as missing.

pub mod arn;
pub mod aws;
pub mod azure;
pub mod edit;
pub mod field;
pub mod hashicorp;
pub mod integration;
pub mod kv;
pub mod onepassword;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    config::{Complaint, Configuration, Layer, SecretEntry, Source, nearest},
    domain::DomainList,
    name::SecretName,
    status::{Problem, Reason},
    text::Span,
};
use aws::AwsSecret;
use azure::AzureSecret;
use field::{quoted, refuse, refuse_any};
use integration::{Integration, Settings};
use kv::KvSecret;
use onepassword::OpReference;

/// How long a value may be kept in memory unless the user says otherwise, as in Postman's vault.
pub const DEFAULT_TTL: Duration = Duration::from_secs(60 * 60);

/// The integration that always exists: the vault on this machine.
pub const LOCAL: &str = "local";

/// Everything that both files define.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    pub integrations: BTreeMap<String, Arc<Integration>>,
    pub links: BTreeMap<SecretName, Arc<Link>>,
    /// How long a value may be kept in memory; zero keeps none.
    pub cache_ttl: Duration,
    pub workspace_complaints: Vec<Complaint>,
    pub user_complaints: Vec<Complaint>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Link {
    pub name: SecretName,
    pub source: Source,
    /// Where the value lives, or why that cannot be told.
    pub target: Result<Target, Problem>,
    /// The domains as they are written; none where the entry has no list.
    pub allowed_domains: Option<Vec<String>>,
    pub note: Option<String>,
    pub enabled: bool,
    /// The exact canonical text, with the integration's: what a person approves. Equal texts mean equal links.
    pub definition: String,
}

/// The place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A secret of the vault on this machine.
    Local(SecretName),
    External {
        integration: Arc<Integration>,
        coordinates: Coordinates,
    },
}

/// Where a value lives within a provider. One variant for each kind of provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Coordinates {
    Kv(KvSecret),
    Azure(AzureSecret),
    Aws(AwsSecret),
    Onepassword(OpReference),
}

/// A link in 32 bytes: cached values are kept under it, so that a link that was changed never serves an old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(definition: &str) -> Self {
        Self(Sha256::digest(definition).into())
    }
}

impl Coordinates {
    /// Labelled parts, for people.
    pub fn labelled(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Kv(secret) => secret.labelled(),
            Self::Azure(secret) => secret.labelled(),
            Self::Aws(secret) => secret.labelled(),
            Self::Onepassword(secret) => secret.labelled(),
        }
    }
}

impl Coordinates {
    /// The page on which the provider itself shows the secret, where it has one: https only. Nobody is asked.
    pub fn console_url(&self, integration: &Integration) -> Option<Url> {
        let url = match (self, integration.settings.as_ref().ok()?) {
            (Self::Azure(secret), _) => secret.console_url(),
            (Self::Aws(secret), _) => secret.console_url(),
            (Self::Kv(secret), Settings::Hashicorp(cluster)) => Some(cluster.console_url(secret)),
            _ => None,
        };
        url.filter(|url| url.scheme() == "https")
    }
}

impl Link {
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.definition)
    }

    /// The list that the entry has; unset where it has none.
    pub fn domains(&self) -> DomainList {
        self.allowed_domains.as_deref().map(|entries| DomainList::parse(entries).0).unwrap_or_default()
    }
}

impl Definitions {
    /// What the two files mean together.
    pub fn new(user: &Configuration, workspace: &Configuration) -> Self {
        let mut found = Self {
            cache_ttl: user.cache_ttl.as_ref().map_or(DEFAULT_TTL, |ttl| ttl.value),
            user_complaints: user.complaints.clone(),
            workspace_complaints: workspace.complaints.clone(),
            ..Self::default()
        };
        found.shorten_ttl(workspace);
        // The user's come last and replace the workspace's.
        for entry in workspace.integrations.iter().chain(&user.integrations) {
            let (integration, complaints) = Integration::understand(entry);
            found.complaints(entry.source.layer).extend(complaints);
            found.integrations.insert(entry.name.clone(), Arc::new(integration));
        }
        for entry in workspace.secrets.iter().chain(&user.secrets) {
            let (link, complaints) = Link::understand(entry, &found.integrations);
            found.complaints(entry.source.layer).extend(complaints);
            found.links.insert(entry.name.clone(), Arc::new(link));
        }
        found.user_complaints.sort_by_key(|complaint| complaint.span);
        found.workspace_complaints.sort_by_key(|complaint| complaint.span);
        found
    }

    /// A workspace may ask for a shorter life of values, never for a longer one.
    fn shorten_ttl(&mut self, workspace: &Configuration) {
        let Some(ttl) = &workspace.cache_ttl else { return };
        if ttl.value <= self.cache_ttl {
            self.cache_ttl = ttl.value;
            return;
        }
        let minutes = self.cache_ttl.as_secs() / 60;
        let message = format!("ignored: a workspace can only shorten the user's {minutes} minutes");
        self.workspace_complaints.push(Complaint::warning(ttl.span, message));
    }

    fn complaints(&mut self, layer: Layer) -> &mut Vec<Complaint> {
        match layer {
            Layer::User => &mut self.user_complaints,
            Layer::Workspace => &mut self.workspace_complaints,
        }
    }
}

impl Link {
    /// What `entry` means, and what is wrong with it.
    fn understand(entry: &SecretEntry, integrations: &BTreeMap<String, Arc<Integration>>) -> (Self, Vec<Complaint>) {
        let mut complaints = check_domains(entry);
        let target = match &entry.fault {
            Some(fault) => Err(not_configured(&entry.name, fault)),
            None => Target::understand(entry, integrations).map_err(|complaint| {
                let problem = not_configured(&entry.name, &complaint.message);
                complaints.push(complaint);
                problem
            }),
        };
        let domains = entry.allowed_domains.as_ref();
        let link = Self {
            name: entry.name.clone(),
            source: entry.source.clone(),
            definition: definition(entry, target.as_ref().ok()),
            target,
            allowed_domains: domains.map(|list| list.iter().map(|domain| domain.value.clone()).collect()),
            note: entry.note.clone(),
            enabled: entry.enabled,
        };
        (link, complaints)
    }
}

impl Target {
    fn understand(entry: &SecretEntry, integrations: &BTreeMap<String, Arc<Integration>>) -> Result<Self, Complaint> {
        let header = entry.source.site.span;
        let Some(name) = &entry.integration else {
            return Err(Complaint::error(
                header,
                "a secret needs `integration`: a name from `[integrations]`, or `local`",
            ));
        };
        if name.value == LOCAL {
            return local(entry).map(Self::Local);
        }
        let Some(integration) = integrations.get(&name.value) else {
            let suggestion = nearest(&name.value, integrations.keys().map(String::as_str).chain([LOCAL]));
            return Err(Complaint::error(name.span, unknown_integration(suggestion)));
        };
        let settings =
            integration.settings.as_ref().map_err(|problem| Complaint::error(name.span, problem.detail.clone()))?;
        let coordinates = match settings {
            Settings::Hashicorp(_) => {
                let message = "`name` belongs to the local vault; an external secret has `path` and `key`";
                refuse(entry.local_name.as_ref(), message)?;
                Coordinates::Kv(KvSecret::understand(entry)?)
            }
            Settings::Aws(settings) => {
                refuse(entry.local_name.as_ref(), "`name` belongs to the local vault; a secret of AWS has an `arn`")?;
                Coordinates::Aws(AwsSecret::understand(entry, settings)?)
            }
            Settings::Azure(settings) => {
                refuse(entry.local_name.as_ref(), "`name` belongs to the local vault; a secret of Azure has an `id`")?;
                Coordinates::Azure(AzureSecret::understand(entry, settings)?)
            }
            Settings::Onepassword(settings) => {
                let message = "`name` belongs to the local vault; a secret of 1Password has a `reference`";
                refuse(entry.local_name.as_ref(), message)?;
                Coordinates::Onepassword(OpReference::understand(entry, settings)?)
            }
        };
        Ok(Self::External { integration: integration.clone(), coordinates })
    }
}

/// The name in the local vault that an entry means.
fn local(entry: &SecretEntry) -> Result<SecretName, Complaint> {
    for field in [&entry.engine, &entry.path, &entry.key] {
        refuse(field.as_ref(), "a secret of the local vault has no `engine`, `path`, `key` or `version`")?;
    }
    refuse(entry.id.as_ref(), "a secret of the local vault has no `id`")?;
    refuse(entry.version.as_ref(), "a secret of the local vault has no `engine`, `path`, `key` or `version`")?;
    let others = [&entry.arn, &entry.role_arn, &entry.json_key, &entry.encoding, &entry.reference, &entry.version_text];
    refuse_any(&others, "a secret of the local vault has no coordinates of an external one")?;
    match &entry.local_name {
        None => Ok(entry.name.clone()),
        Some(name) => SecretName::parse(&name.value).map_err(|error| Complaint::error(name.span, error.to_string())),
    }
}

fn unknown_integration(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(word) => format!("there is no integration of this name: did you mean `{word}`?"),
        None => "there is no integration of this name; define it as `[integrations.NAME]`".into(),
    }
}

fn check_domains(entry: &SecretEntry) -> Vec<Complaint> {
    let Some(written) = &entry.allowed_domains else { return Vec::new() };
    let texts: Vec<String> = written.iter().map(|domain| domain.value.clone()).collect();
    let span = |index: usize| written.get(index).map_or(entry.source.site.span, |domain| domain.span);
    let (list, errors) = DomainList::parse(&texts);
    let mut complaints: Vec<Complaint> =
        errors.into_iter().map(|(index, error)| Complaint::error(span(index), error.to_string())).collect();
    let invalid: Vec<Span> = complaints.iter().map(|complaint| complaint.span).collect();
    let valid = written.iter().filter(|domain| !invalid.contains(&domain.span));
    for (domain, pattern) in valid.zip(&list.patterns) {
        if pattern.is_too_wide() {
            let message = "this entry lets the secret go to hosts of strangers; name the host";
            complaints.push(Complaint::warning(domain.span, message));
        }
    }
    complaints
}

fn not_configured(name: &SecretName, fault: &str) -> Problem {
    Problem::new(Reason::NotConfigured, format!("the link of `{name}` cannot be used: {fault}"))
}

/// The canonical text of an entry: the fields that decide where a value comes from and where it may go, in a fixed
/// order, with everything that is not plain ASCII escaped, so that what is approved is what is seen.
fn definition(entry: &SecretEntry, target: Option<&Target>) -> String {
    let mut text = format!("[secrets.{}]\n", entry.name.toml_key());
    let fields = [
        ("integration", &entry.integration),
        ("engine", &entry.engine),
        ("path", &entry.path),
        ("key", &entry.key),
        ("id", &entry.id),
        ("arn", &entry.arn),
        ("role-arn", &entry.role_arn),
        ("json-key", &entry.json_key),
        ("encoding", &entry.encoding),
        ("reference", &entry.reference),
        ("version", &entry.version_text),
        ("name", &entry.local_name),
    ];
    for (label, field) in fields {
        if let Some(field) = field {
            text += &format!("{label} = {}\n", quoted(&field.value));
        }
    }
    if let Some(version) = &entry.version {
        text += &format!("version = {}\n", version.value);
    }
    if let Some(domains) = &entry.allowed_domains {
        let domains: Vec<String> = domains.iter().map(|domain| quoted(&domain.value)).collect();
        text += &format!("allowed-domains = [{}]\n", domains.join(", "));
    }
    if !entry.enabled {
        text += "enabled = false\n";
    }
    if let Some(Target::External { integration, .. }) = target {
        text += "\n";
        text += &integration.definition;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::config;

    const INTEGRATION: &str =
        "[integrations.payments]\nprovider = 'hashicorp'\naddress = 'https://vault.acme.io:8200/'\n";

    fn definitions(user: &str, workspace: &str) -> Definitions {
        Definitions::new(
            &config::read(user, Layer::User, Path::new("config.toml")),
            &config::read(workspace, Layer::Workspace, Path::new("vaultls.toml")),
        )
    }

    fn link(found: &Definitions, name: &str) -> Link {
        Link::clone(&found.links[name])
    }

    /// The complaints about a workspace that defines `INTEGRATION` and `text`.
    fn check(text: &str, expected: &Expect) {
        let text = format!("{INTEGRATION}{text}");
        let found = definitions("", &text);
        let lines = found.workspace_complaints.iter().map(|complaint| {
            format!("{:?} {:?}: {}\n", complaint.severity, complaint.span.of(&text), complaint.message)
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_link_leads_to_its_integration() {
        let text = format!(
            "{INTEGRATION}[secrets.stripe]\nintegration = 'payments'\nengine = 'kv'\npath = 'a/b'\nkey = 'k'\n"
        );
        let found = definitions("", &text);
        let Ok(Target::External { integration, coordinates }) = link(&found, "stripe").target else { panic!() };
        assert_eq!(integration.name, "payments");
        let shown = coordinates.labelled();
        assert_eq!(shown, [("engine", "kv".to_owned()), ("path", "a/b".into()), ("key", "k".into())]);
    }

    #[test]
    fn the_users_entry_wins() {
        let found =
            definitions("[secrets.a]\nintegration = 'local'\nname = 'mine'\n", "[secrets.a]\nintegration = 'local'\n");
        assert_eq!(link(&found, "a").target, Ok(Target::Local(SecretName::parse("mine").unwrap())));
        assert_eq!(link(&found, "a").source.layer, Layer::User);
    }

    #[test]
    fn a_workspace_link_uses_the_users_integration() {
        let found = definitions(
            INTEGRATION,
            "[integrations.payments]\nprovider = 'hashicorp'\naddress = 'https://evil.io'\n[secrets.a]\nintegration = 'payments'\nengine = 'kv'\npath = 'p'\nkey = 'k'\n",
        );
        let Ok(Target::External { integration, .. }) = link(&found, "a").target else { panic!() };
        assert_eq!(integration.source.layer, Layer::User);
    }

    #[test]
    fn what_is_approved_is_what_is_seen() {
        let text = format!(
            "{INTEGRATION}[secrets.'two words']\nallowed-domains = ['\u{430}pi.io', 'b.io']\nkey = 'k\u{202e}'\npath = 'p'\nengine = 'kv'\nversion = 2\nintegration = 'payments'\nnote = 'n'\n"
        );
        // The right-to-left mark is refused, and still seen.
        expect![[r#"
            [secrets."two words"]
            integration = "payments"
            engine = "kv"
            path = "p"
            key = "k\U0000202E"
            version = 2
            allowed-domains = ["\U00000430pi.io", "b.io"]
        "#]]
        .assert_eq(&link(&definitions("", &text), "two words").definition);
        let text =
            format!("{INTEGRATION}[secrets.a]\nkey = 'k'\npath = 'p'\nengine = 'kv'\nintegration = 'payments'\n");
        expect![[r#"
            [secrets.a]
            integration = "payments"
            engine = "kv"
            path = "p"
            key = "k"

            [integrations.payments]
            provider = "hashicorp"
            address = "https://vault.acme.io:8200"
            auth = { method = "token" }
        "#]]
        .assert_eq(&link(&definitions("", &text), "a").definition);
    }

    #[test]
    fn a_new_address_is_a_new_definition() {
        let text = |host: &str| {
            format!(
                "[integrations.p]\nprovider = 'hashicorp'\naddress = 'https://{host}'\n[secrets.a]\nintegration = 'p'\nengine = 'kv'\npath = 'p'\nkey = 'k'\n"
            )
        };
        let one = link(&definitions("", &text("vault.acme.io")), "a").fingerprint();
        let other = link(&definitions("", &text("vault.acme.io.evil.io")), "a").fingerprint();
        assert_ne!(one, other);
    }

    #[test]
    fn each_fault_is_told_at_its_place() {
        check(
            "[secrets.a]\n[secrets.b]\nintegration = 'paymets'\n[secrets.c]\nintegration = 'local'\npath = 'x'\n[secrets.d]\nintegration = 'payments'\nengine = 'kv'\nkey = 'k'\n[secrets.e]\nintegration = 'payments'\nname = 'x'\n[secrets.f]\nintegration = 'local'\nname = 'a`b'\n",
            &expect![[r#"
                Error "a": a secret needs `integration`: a name from `[integrations]`, or `local`
                Error "'paymets'": there is no integration of this name: did you mean `payments`?
                Error "'x'": a secret of the local vault has no `engine`, `path`, `key` or `version`
                Error "d": `path` is missing: the secret's path below the engine's mount
                Error "'x'": `name` belongs to the local vault; an external secret has `path` and `key`
                Error "'a`b'": a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces
            "#]],
        );
    }

    #[test]
    fn a_bad_link_stays_known_with_its_reason() {
        let found = definitions("", "[secrets.a]\nintegration = 5\n");
        let problem = link(&found, "a").target.unwrap_err();
        assert_eq!(problem.reason, Reason::NotConfigured);
        assert_eq!(problem.detail, "the link of `a` cannot be used: `integration` must be a text in quotes");
    }

    #[test]
    fn doubtful_domains_are_complained_about_one_by_one() {
        check(
            "[secrets.a]\nintegration = 'local'\nallowed-domains = ['api.stripe.com', 'javascript:', '*.com']\n",
            &expect![[r#"
                Error "'javascript:'": what follows the host's `:` is a port from 1 to 65535
                Warning "'*.com'": this entry lets the secret go to hosts of strangers; name the host
            "#]],
        );
    }

    #[test]
    fn a_workspace_only_shortens_the_life_of_values() {
        let hour = Duration::from_secs(3600);
        for (user, workspace, expected, complaints) in [
            ("", "", hour, 0),
            ("", "cache.ttl-minutes = 5", hour / 12, 0),
            ("", "cache.ttl-minutes = 90", hour, 1),
            ("cache.ttl-minutes = 120", "cache.ttl-minutes = 90", hour * 3 / 2, 0),
            ("cache.ttl-minutes = 0", "cache.ttl-minutes = 5", Duration::ZERO, 1),
        ] {
            let found = definitions(user, workspace);
            assert_eq!(
                (found.cache_ttl, found.workspace_complaints.len()),
                (expected, complaints),
                "{user} {workspace}"
            );
        }
    }
}
