//! What is known about a secret name: plain data that every face shows, never a value.
//!
//! `Reason` is the one list of why a secret cannot be had. Diagnostics, hover, actions, lenses, `check` and
//! `run` each match on it exhaustively, so a new reason does not compile until all of them handle it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};

use crate::{name::SecretName, text::Span};

/// Why a secret cannot be had for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Missing,
    Empty,
    Disabled,
    DomainDenied,
    HostUnapproved,
    Locked,
    NotConfigured,
    Unreachable,
    Disconnected,
    LoginNeeded,
    MfaNeeded,
    Forbidden,
    NotFound,
    VersionGone,
    Ambiguous,
    Throttled,
    Sealed,
    Tls,
    ClockSkew,
    Untrusted,
    BadValue,
}

/// How loud an editor shows a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Error,
    Warning,
    Information,
    Hint,
}

impl Reason {
    pub const ALL: [Self; 21] = [
        Self::Missing,
        Self::Empty,
        Self::Disabled,
        Self::DomainDenied,
        Self::HostUnapproved,
        Self::Locked,
        Self::NotConfigured,
        Self::Unreachable,
        Self::Disconnected,
        Self::LoginNeeded,
        Self::MfaNeeded,
        Self::Forbidden,
        Self::NotFound,
        Self::VersionGone,
        Self::Ambiguous,
        Self::Throttled,
        Self::Sealed,
        Self::Tls,
        Self::ClockSkew,
        Self::Untrusted,
        Self::BadValue,
    ];

    /// The stable code that editors, `--format json` and SARIF carry.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Disabled => "disabled",
            Self::DomainDenied => "domain-denied",
            Self::HostUnapproved => "host-unapproved",
            Self::Locked => "locked",
            Self::NotConfigured => "not-configured",
            Self::Unreachable => "unreachable",
            Self::Disconnected => "disconnected",
            Self::LoginNeeded => "login-needed",
            Self::MfaNeeded => "mfa-needed",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::VersionGone => "version-gone",
            Self::Ambiguous => "ambiguous",
            Self::Throttled => "throttled",
            Self::Sealed => "sealed",
            Self::Tls => "tls",
            Self::ClockSkew => "clock-skew",
            Self::Untrusted => "untrusted",
            Self::BadValue => "bad-value",
        }
    }

    /// How an editor marks it before anything is sent.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Missing
            | Self::Empty
            | Self::DomainDenied
            | Self::NotConfigured
            | Self::NotFound
            | Self::VersionGone
            | Self::Ambiguous
            | Self::BadValue => Severity::Error,
            Self::Locked
            | Self::Unreachable
            | Self::Disconnected
            | Self::LoginNeeded
            | Self::MfaNeeded
            | Self::Forbidden
            | Self::Throttled
            | Self::Sealed
            | Self::Tls
            | Self::ClockSkew
            | Self::Untrusted => Severity::Warning,
            Self::HostUnapproved => Severity::Information,
            Self::Disabled => Severity::Hint,
        }
    }

    /// Whether trying again later, with nothing changed, may help.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Throttled | Self::Sealed)
    }

    /// What a person can do about it, in one line.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Missing => "create it in the local vault, or link the name to an external vault",
            Self::Empty => "enter a value, or link the name to an external vault",
            Self::Disabled => "enable the secret",
            Self::DomainDenied => "allow this host for the secret, or send the request elsewhere",
            Self::HostUnapproved => "allow the host once, or always on this machine",
            Self::Locked => "unlock the local vault",
            Self::NotConfigured => "complete or correct the settings",
            Self::Unreachable => "check the address and the network, then try again",
            Self::Disconnected => "connect the integration again, or link the name elsewhere",
            Self::LoginNeeded => "sign in",
            Self::MfaNeeded => "enter the one-time code",
            Self::Forbidden => "ask the vault's administrator for permission to read it",
            Self::NotFound => "correct the link",
            Self::VersionGone => "use the latest version",
            Self::Ambiguous => "choose one of the matching items",
            Self::Throttled => "wait, then try again",
            Self::Sealed => "wait until the vault is unsealed, then try again",
            Self::Tls => "check the server's certificate or the configured CA",
            Self::ClockSkew => "correct this machine's clock",
            Self::Untrusted => "review the definition and trust it",
            Self::BadValue => "store a value that fits this place",
        }
    }
}

/// A reason with the facts of this case. `detail` is shown to people and never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub reason: Reason,
    /// What exactly is wrong, without a full stop: "no permission to read `kv/app` (403 permission denied)".
    pub detail: String,
}

impl Problem {
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Which vault a secret lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    Local,
    Hashicorp,
    Azure,
    Aws,
    Onepassword,
    /// The environment of this process, for `{{$processEnv NAME}}`.
    Environment,
}

impl ProviderKind {
    /// The name as people know it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Local => "local vault",
            Self::Hashicorp => "HashiCorp Vault",
            Self::Azure => "Azure Key Vault",
            Self::Aws => "AWS Secrets Manager",
            Self::Onepassword => "1Password",
            Self::Environment => "process environment",
        }
    }
}

/// Who is signed in to an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The person or role, as the provider calls it.
    pub who: Option<String>,
    /// The one organization that the integration is bound to while it is connected: a tenant, an account, a cluster
    /// with its namespace.
    pub organization: Option<String>,
    /// When one has to sign in again at the latest.
    #[serde(serialize_with = "moment")]
    pub until: Option<SystemTime>,
}

/// Where a secret lives and how its next use will go, as far as that is known without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    pub provider: ProviderKind,
    /// The integration's name; none for the local vault.
    pub integration: Option<String>,
    /// Labelled coordinates to show, such as `("path", "payments/stripe")`. Already validated text.
    pub coordinates: Vec<(&'static str, String)>,
    /// Domains the secret may be sent to; empty means that hosts are asked for one by one.
    pub allowed_domains: Vec<String>,
    /// How long a cached value will still serve.
    pub cached_for: Option<Duration>,
    /// When the provider was last asked about it.
    #[serde(serialize_with = "moment")]
    pub checked_at: Option<SystemTime>,
    /// The https page on which the provider itself shows the secret; none while the link is not trusted.
    pub console: Option<String>,
    pub note: Option<String>,
}

/// A moment as RFC 3339 in UTC, to the second.
fn moment<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let moment = at.and_then(|at| jiff::Timestamp::try_from(at).ok());
    moment.map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).serialize(serializer)
}

/// What is known about one name, apart from any request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    pub origin: Option<Origin>,
    /// Why the value cannot be had; none when nothing is known to be wrong.
    pub problem: Option<Problem>,
    /// Whether the vault was really asked; false while a check is under way or was not possible.
    pub checked: bool,
}

/// What one request will do with secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestSurvey {
    /// The host the request goes to, in its normal form; none while the URL cannot be worked out.
    pub host: Option<String>,
    pub needs: Vec<Need>,
    /// What keeps it from being sent apart from secrets and variables: its URL, a header, a file.
    pub faults: Vec<RequestFault>,
    /// The names of the requests that are sent before it, in order.
    #[serde(skip)]
    pub first: Vec<String>,
}

/// Something wrong with a request itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestFault {
    #[serde(skip)]
    pub span: Span,
    /// For people, with the way out.
    pub message: String,
}

/// One secret that one request uses, however indirectly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    pub name: SecretName,
    /// Where in the request the secret comes in: its reference, or the `{{variable}}` that leads to it.
    #[serde(skip)]
    pub spans: Vec<Span>,
    /// Why this request may not have it: the secret's own problem first, else the policy's.
    pub problem: Option<Problem>,
}

/// Everything known about the secrets of one document. Computed by the core, read by every feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Every well-formed name that the document mentions.
    pub secrets: BTreeMap<SecretName, Status>,
    /// One for each request of the document, in its order.
    pub requests: Vec<RequestSurvey>,
    /// What was answered to requests that have a name, while it still stands.
    #[serde(skip)]
    pub answers: BTreeMap<String, Answered>,
}

/// What may be told of an answer: no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub at: SystemTime,
    pub status: u16,
    /// Who answered, as `domain::origin_key` names it.
    pub origin: String,
    /// The names of its headers, in order and once each.
    pub headers: Vec<String>,
    /// The names in its body, where that is JSON.
    pub shape: Arc<Shape>,
    /// The parts that are asked for, by the expressions that do.
    pub parts: BTreeMap<String, Part>,
}

/// The names in a JSON value, without any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Of an object, in the order of the text.
    pub members: Vec<(String, Shape)>,
    /// Of an array: how many elements it has, and the first of them.
    pub elements: Option<(usize, Box<Shape>)>,
}

/// What may be told of a part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// `text`, `number`, `object` and so on.
    pub kind: &'static str,
    /// In bytes, as it is sent.
    pub length: usize,
}

/// A place in a file: for a link or an integration, the name in its `[secrets.name]` header, quotes included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Site {
    pub file: PathBuf,
    pub span: Span,
}

/// A secret or a link that exists, for completion and lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSecret {
    pub name: SecretName,
    pub provider: ProviderKind,
    pub integration: Option<String>,
    pub note: Option<String>,
    pub enabled: bool,
    /// The link's place; none for a secret of the local vault without a link.
    pub link: Option<Site>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIntegration {
    pub name: String,
    pub provider: ProviderKind,
    pub site: Site,
}

/// Everything that can be named here. Plain data for the features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// By name.
    pub secrets: Vec<KnownSecret>,
    pub integrations: Vec<KnownIntegration>,
    /// The `vaultls.toml` into which new links go, with its text if it exists.
    pub link_file: Option<(PathBuf, Option<String>)>,
}
