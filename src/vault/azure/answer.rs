//! What the SDK's errors mean: problems out of statuses and error codes.
//!
//! Codes are matched; the server's sentences are neither matched nor shown.
//! Source: <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>.

use azure_core::{Error, error::ErrorKind, http::RawResponse};
use serde::Deserialize;

use super::transport::Failure;
use crate::{
    status::{Problem, Reason},
    vault::link::azure::AzureSecret,
};

/// The role that is enough to read secrets, and no more.
const ROLE: &str = "Key Vault Secrets User";

/// What was asked for, to be named in messages.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The integration's name.
    pub(super) integration: &'a str,
    pub(super) secret: &'a AzureSecret,
}

#[derive(Default, Deserialize)]
struct Complaint {
    #[serde(default)]
    error: Code,
}

#[derive(Default, Deserialize)]
struct Code {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    innererror: Option<Box<Code>>,
}

/// The status of an answer that was no success.
pub(super) fn status(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => Some((*status).into()),
        _ => None,
    }
}

/// Whether it is a matter of permissions alone: another question might be allowed.
pub(super) fn is_permission(error: &Error) -> bool {
    let inner = complaint(error).inner();
    status(error) == Some(403) && !matches!(inner.as_deref(), Some("ForbiddenByFirewall" | "SecretDisabled"))
}

/// Why the answer brought nothing, for people.
pub(super) fn problem(error: &Error, asked: Asked<'_>) -> Problem {
    if let Some(problem) = Failure::find(error) {
        return problem.clone();
    }
    let Asked { integration, secret } = asked;
    let vault = &secret.vault;
    let (reason, detail) = match status(error) {
        Some(401) => (
            Reason::LoginNeeded,
            format!("`{vault}` does not accept the token of `{integration}`: it expired, or belongs to another tenant"),
        ),
        Some(403) => return forbidden(error, asked),
        Some(404) => return absent(asked),
        Some(429) => (Reason::Throttled, throttled(vault, error)),
        Some(status @ 400..=499) => {
            (Reason::NotFound, format!("`{vault}` refuses the question for `{}` ({status})", secret.name))
        }
        Some(status @ 500..=599) => (Reason::Unreachable, format!("`{vault}` failed ({status})")),
        _ => return nonsense(asked),
    };
    Problem::new(reason, detail)
}

/// Something else answers at the vault's address.
pub(super) fn nonsense(asked: Asked<'_>) -> Problem {
    let detail = format!("`{}` does not answer like a Key Vault; is the address right?", asked.secret.vault);
    Problem::new(Reason::Unreachable, detail)
}

/// There is no such secret, or no such version of it.
pub(super) fn absent(asked: Asked<'_>) -> Problem {
    let AzureSecret { vault, name, version } = asked.secret;
    let detail = match version {
        Some(version) => format!("`{vault}` has no secret `{name}`, or none of its versions is `{version}`"),
        None => format!("`{vault}` has no secret `{name}`"),
    };
    Problem::new(Reason::NotFound, detail)
}

pub(super) fn no_version(asked: Asked<'_>) -> Problem {
    let AzureSecret { version, .. } = asked.secret;
    let version = version.as_deref().unwrap_or("latest");
    Problem::new(Reason::NotFound, format!("`{}` has no version `{version}`", asked.secret))
}

pub(super) fn deleted(asked: Asked<'_>) -> Problem {
    let detail = format!("`{}` was deleted; someone with the permission to recover it can bring it back", asked.secret);
    Problem::new(Reason::VersionGone, detail)
}

pub(super) fn disabled(asked: Asked<'_>) -> Problem {
    let which = match &asked.secret.version {
        Some(version) => format!("version `{version}`"),
        None => "the latest version".into(),
    };
    Problem::new(Reason::VersionGone, format!("{which} of `{}` is disabled (SecretDisabled)", asked.secret))
}

fn forbidden(error: &Error, asked: Asked<'_>) -> Problem {
    let Asked { integration, secret } = asked;
    let detail = match complaint(error).inner().as_deref() {
        Some("SecretDisabled") => return disabled(asked),
        Some("ForbiddenByFirewall") => {
            format!(
                "the firewall of `{}` lets nobody in from here (ForbiddenByFirewall); allowlist this machine's address",
                secret.vault
            )
        }
        Some("ForbiddenByPolicy") => format!(
            "`{integration}` may not read `{secret}` (ForbiddenByPolicy); it takes an access policy with `Get` and `List` of secrets"
        ),
        Some("ForbiddenByRbac") => {
            format!("`{integration}` may not read `{secret}` (ForbiddenByRbac); it takes the role `{ROLE}`")
        }
        _ => format!("`{integration}` may not read `{secret}` (403 Forbidden); it takes the role `{ROLE}`"),
    };
    Problem::new(Reason::Forbidden, detail)
}

fn throttled(vault: &str, error: &Error) -> String {
    let seconds = raw(error).and_then(retry_after);
    match seconds {
        Some(seconds) => format!("`{vault}` limits the rate of requests; it asks to wait {seconds} s"),
        None => format!("`{vault}` limits the rate of requests"),
    }
}

fn retry_after(raw: &RawResponse) -> Option<u64> {
    raw.headers().get_optional_str(&azure_core::http::headers::RETRY_AFTER)?.parse().ok()
}

fn raw(error: &Error) -> Option<&RawResponse> {
    match error.kind() {
        ErrorKind::HttpResponse { raw_response, .. } => raw_response.as_deref(),
        _ => None,
    }
}

fn complaint(error: &Error) -> Complaint {
    raw(error).and_then(|raw| serde_json::from_slice(raw.body().as_ref()).ok()).unwrap_or_default()
}

impl Complaint {
    /// The innermost code, which says most.
    fn inner(self) -> Option<String> {
        let mut code = self.error.innererror?;
        while let Some(inner) = code.innererror.take() {
            code = inner;
        }
        code.code
    }
}
