//! Signing in: the question that each way becomes, what its answer brings, and what a refusal means.
//!
//! Which sentence means what was observed on a real OpenBao server; `tests/it/hashicorp_sign_in.rs` asks it again.
#![expect(clippy::disallowed_methods, reason = "a password or a token leaves here, for the cluster it is of")]

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    endpoint::Question,
    tokens::{Held, Lease},
    transport::Answer,
};
use crate::{
    status::{Problem, Reason},
    vault::{link::hashicorp::Oidc, value::SecretValue},
};

/// How many second factors a person is asked for.
const MOST_FACTORS: usize = 8;

/// A way to sign in, with everything in it that the cluster wants to see.
pub(super) enum Proof<'a> {
    Userpass {
        mount: &'a str,
        username: &'a str,
        password: &'a SecretValue,
    },
    Approle {
        mount: &'a str,
        role_id: &'a SecretValue,
        secret_id: &'a SecretValue,
    },
    /// A signed token, of the cluster's own OIDC provider or of somebody else whom it trusts.
    Jwt {
        mount: &'a str,
        role: Option<&'a str>,
        token: &'a SecretValue,
    },
}

#[derive(Deserialize)]
struct LoginAnswer {
    auth: Option<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    #[serde(default)]
    client_token: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    mfa_requirement: Option<MfaRequirement>,
}

/// A second factor that is wanted before there is a token (API: "/sys/mfa/validate").
#[derive(Deserialize)]
struct MfaRequirement {
    mfa_request_id: String,
    #[serde(default)]
    mfa_constraints: BTreeMap<String, Constraint>,
}

#[derive(Deserialize)]
struct Constraint {
    #[serde(default)]
    any: Vec<Factor>,
}

#[derive(Deserialize)]
struct Factor {
    id: String,
    #[serde(default)]
    uses_passcode: bool,
}

/// What a sign-in brought.
pub(super) enum Outcome {
    Token(Held),
    /// A one-time code is wanted first.
    SecondFactor(SecondFactor),
}

/// The first way to give each second factor that is wanted.
pub(super) struct SecondFactor {
    request: String,
    /// The id of each method, and whether it wants a code.
    methods: Vec<(String, bool)>,
}

impl<'a> Proof<'a> {
    pub(super) fn of_oidc(oidc: &'a Oidc, token: &'a SecretValue) -> Self {
        Self::Jwt { mount: &oidc.jwt_path, role: oidc.role.as_deref(), token }
    }

    /// None where a part is no text, which no cluster can have given out.
    pub(super) fn question(&self) -> Option<Question> {
        let text = |value: &SecretValue| value.expose_text(str::to_owned);
        let (path, body) = match self {
            Self::Userpass { mount, username, password } => {
                (format!("auth/{mount}/login/{username}"), json!({ "password": text(password)? }))
            }
            Self::Approle { mount, role_id, secret_id } => {
                (format!("auth/{mount}/login"), json!({ "role_id": text(role_id)?, "secret_id": text(secret_id)? }))
            }
            Self::Jwt { mount, role, token } => {
                let mut body = json!({ "jwt": text(token)? });
                if let Some(role) = role {
                    body["role"] = Value::from(*role);
                }
                (format!("auth/{mount}/login"), body)
            }
        };
        Some(Question::post(path, &body))
    }

    /// Why the cluster let nobody in; none where the answer tells nothing about signing in.
    pub(super) fn refusal(&self, answer: &Answer, cluster: &str) -> Option<Problem> {
        let mount = self.mount();
        let says = |words: &str| answer.says(words);
        let (reason, words) = match (self, answer.status) {
            (Self::Userpass { username, .. }, 400) if says("invalid username or password") => (
                Reason::LoginNeeded,
                format!("does not accept this password for `{username}`; after a few wrong ones it locks the user out"),
            ),
            // NB. the same answer for both: nobody outside shall learn which.
            (Self::Userpass { username, .. }, 403) => (
                Reason::Forbidden,
                format!(
                    "lets `{username}` not in at `auth/{mount}` (403): the user is locked out for a while after wrong passwords, or there is no such auth method"
                ),
            ),
            (Self::Approle { .. }, 400) if says("invalid role or secret ID") || says("invalid role ID") => {
                (Reason::LoginNeeded, "does not accept VAULT_SECRET_ID for this role id".to_owned())
            }
            (Self::Jwt { role, .. }, 400) if says("could not be found") || says("missing role") => {
                let role = role.map_or("a default role".to_owned(), |role| format!("the role `{role}`"));
                (Reason::NotConfigured, format!("has not {role} at `auth/{mount}`"))
            }
            (Self::Jwt { .. }, 400) if says("could not load configuration") => {
                (Reason::NotConfigured, format!("has no configuration at `auth/{mount}`"))
            }
            (Self::Jwt { .. }, 400) if says("(aud)") => (
                Reason::NotConfigured,
                format!("does not accept the token's audience at `auth/{mount}`: its role has other `bound_audiences`"),
            ),
            (Self::Jwt { .. }, 400) if says("(exp)") || says("(nbf)") => {
                (Reason::LoginNeeded, "does not accept the signed token: it is expired, or the clocks differ".into())
            }
            (Self::Jwt { .. }, 400) => (Reason::LoginNeeded, format!("does not accept the token at `auth/{mount}`")),
            (_, 403 | 404) if !says("namespace not found") => {
                (Reason::Forbidden, format!("lets nobody in at `auth/{mount}` ({}): is that its path?", answer.status))
            }
            _ => return None,
        };
        Some(Problem::new(reason, format!("`{cluster}` {words}")))
    }

    fn mount(&self) -> &str {
        match self {
            Self::Userpass { mount, .. } | Self::Approle { mount, .. } | Self::Jwt { mount, .. } => mount,
        }
    }
}

impl Outcome {
    /// None where the answer is not one of a sign-in.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let grant = serde_json::from_slice::<LoginAnswer>(&answer.body).ok()?.auth?;
        if let Some(mfa) = grant.mfa_requirement.filter(|_| grant.client_token.is_empty()) {
            let factors = mfa.mfa_constraints.into_values().filter_map(|constraint| {
                let mut ways = constraint.any;
                let at = ways.iter().position(|way| way.uses_passcode).unwrap_or_default();
                (at < ways.len()).then(|| ways.swap_remove(at))
            });
            let methods = factors.take(MOST_FACTORS).map(|factor| (factor.id, factor.uses_passcode)).collect();
            return Some(Self::SecondFactor(SecondFactor { request: mfa.mfa_request_id, methods }));
        }
        let lease = Lease::new(Duration::from_secs(grant.lease_duration), grant.renewable);
        let token = grant.client_token.into_bytes();
        (!token.is_empty()).then(|| Self::Token(Held::own(SecretValue::new(token), lease)))
    }
}

impl SecondFactor {
    /// How many codes are to be asked for.
    pub(super) fn codes(&self) -> usize {
        self.methods.iter().filter(|(_, wants_code)| *wants_code).count()
    }

    /// None where a code is no text.
    pub(super) fn question(&self, codes: Vec<SecretValue>) -> Option<Question> {
        let mut codes = codes.into_iter();
        let mut payload = serde_json::Map::new();
        for (id, wants_code) in &self.methods {
            let code =
                if *wants_code { vec![codes.next()?.expose_text(|text| text.trim().to_owned())?] } else { vec![] };
            payload.insert(id.clone(), json!(code));
        }
        let body = json!({ "mfa_request_id": self.request, "mfa_payload": payload });
        Some(Question::post("sys/mfa/validate".into(), &body))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn nobody_is_asked_for_endless_codes() {
        let constraints: Vec<String> = (0..1000)
            .map(|at| format!("\"c{at}\":{{\"any\":[{{\"id\":\"m{at}\",\"uses_passcode\":true}}]}}"))
            .collect();
        let constraints = constraints.join(",");
        let body = format!(
            "{{\"auth\":{{\"mfa_requirement\":{{\"mfa_request_id\":\"r\",\"mfa_constraints\":{{{constraints}}}}}}}}}"
        );
        let body = Zeroizing::new(body.into_bytes());
        let answer = Answer { status: 200, retry_after: None, location: None, body };
        let Some(Outcome::SecondFactor(factor)) = Outcome::of(&answer) else { panic!("a second factor is wanted") };
        assert_eq!(factor.codes(), MOST_FACTORS);
    }
}
