//! What answers mean: values out of JSON, and problems out of statuses and the server's fixed sentences.
//!
//! The sentences are matched, never shown: a server may put anything into them, a token too. Which sentence means what
//! was observed on a real OpenBao server; `tests/it/hashicorp.rs` asks it again.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::transport::Answer;
use crate::{
    status::{Problem, Reason},
    vault::{
        fields::{self, Keys, Text},
        link::kv::KvSecret,
        value::SecretValue,
    },
};

/// The engine at a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    V1,
    V2,
    /// The server does not say, to this token: the mount is missing, or nothing in it may be touched.
    Hidden,
}

/// Why an answer brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 403 "permission denied" alone: the token itself is not accepted.
    Token,
    /// 403 as one of "errors occurred": the token is good, its policies say no.
    Policy,
    /// 403 of a mount's description.
    Preflight,
    /// 404 without a word.
    Absent,
    /// 404 because nothing is mounted there.
    NoMount,
    NoNamespace,
    /// A version that is no more.
    Deleted,
    Destroyed,
    /// Told by the status alone.
    Other,
}

/// Who a token belongs to and how long it is good (API: "Lookup a token (self)").
#[derive(Deserialize)]
pub(super) struct Lookup {
    #[serde(default)]
    pub(super) display_name: String,
    /// In seconds; 0 for a token without an end.
    #[serde(default)]
    pub(super) ttl: u64,
}

/// What was asked for, to be named in messages.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The integration's name.
    pub(super) integration: &'a str,
    /// The cluster's address.
    pub(super) cluster: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) secret: &'a KvSecret,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<T> {
    data: Option<T>,
}

#[derive(Default, Deserialize)]
struct Complaint<'a> {
    #[serde(borrow, default)]
    errors: Vec<Cow<'a, str>>,
    #[serde(default)]
    data: Option<Gone>,
}

#[derive(Deserialize)]
struct Gone {
    #[serde(default)]
    metadata: Option<VersionMetadata>,
}

#[derive(Deserialize)]
struct VersionMetadata {
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(default)]
    path: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    options: Option<MountOptions>,
}

#[derive(Deserialize)]
struct Mounts {
    #[serde(default)]
    secret: BTreeMap<String, Mount>,
}

#[derive(Deserialize)]
struct MountOptions {
    #[serde(default)]
    version: Option<String>,
}

#[derive(Deserialize)]
struct SecretV2<'a> {
    #[serde(borrow)]
    data: Option<Keys<'a>>,
}

#[derive(Deserialize)]
struct Subkeys<'a> {
    #[serde(borrow)]
    subkeys: Option<Keys<'a>>,
}

#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The `data` of a success; none where the answer is not what Vault says.
    fn data<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice::<Envelope<T>>(&self.body).ok()?.data
    }

    /// Whether one of the server's complaints holds `words`.
    pub(super) fn says(&self, words: &str) -> bool {
        self.complaint().errors.iter().any(|error| error.contains(words))
    }

    fn complaint(&self) -> Complaint<'_> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn refusal(&self) -> Refusal {
        let said = self.complaint();
        let says = |words: &str| said.errors.iter().any(|error| error.contains(words));
        match self.status {
            403 if says("invalid token") => Refusal::Token,
            403 if says("preflight capability check") => Refusal::Preflight,
            403 if says("errors occurred") || says("error occurred") => Refusal::Policy,
            403 if says("permission denied") => Refusal::Token,
            404 if says("namespace not found") => Refusal::NoNamespace,
            404 if says("no handler for route") => Refusal::NoMount,
            404 => match said.data.and_then(|data| data.metadata) {
                Some(metadata) if metadata.destroyed => Refusal::Destroyed,
                Some(metadata) if !metadata.deletion_time.is_empty() => Refusal::Deleted,
                _ => Refusal::Absent,
            },
            _ => Refusal::Other,
        }
    }

    /// The engine that a mount's description tells of.
    pub(super) fn engine(&self, asked: Asked<'_>) -> Result<Engine, Problem> {
        if self.refusal() == Refusal::Preflight {
            return Ok(Engine::Hidden);
        }
        if !self.is_success() {
            return Err(self.problem(asked));
        }
        let mount: Mount = self.data().ok_or_else(|| nonsense(asked))?;
        let found = mount.path.trim_end_matches('/');
        if found != asked.secret.mount {
            return Err(Problem::new(Reason::NotFound, beside(asked, found)));
        }
        match (mount.kind.as_str(), mount.options.and_then(|options| options.version).as_deref()) {
            ("kv", Some("2")) => Ok(Engine::V2),
            ("kv" | "generic", _) => Ok(Engine::V1),
            _ => {
                let detail = format!(
                    "the engine `{}` of `{}` holds no key-value secrets",
                    asked.secret.mount, asked.integration
                );
                Err(Problem::new(Reason::NotFound, detail))
            }
        }
    }

    /// The value of the asked key in the answer of an engine.
    pub(super) fn value(&self, engine: Engine, asked: Asked<'_>) -> Result<SecretValue, Problem> {
        if !self.is_success() {
            return Err(self.problem(asked));
        }
        let keys: Keys<'_> = match engine {
            Engine::V1 => self.data(),
            Engine::V2 | Engine::Hidden => self.data::<SecretV2<'_>>().and_then(|secret| secret.data),
        }
        .ok_or_else(|| nonsense(asked))?;
        let raw = keys.get(asked.secret.key.as_str()).ok_or_else(|| no_key(&keys, asked))?;
        decode(raw.get(), asked)
    }

    /// Whether the answer to `subkeys` holds the asked key, as text and not as an object.
    pub(super) fn check_subkeys(&self, asked: Asked<'_>) -> Result<(), Problem> {
        if !self.is_success() {
            return Err(self.problem(asked));
        }
        let keys = self.data::<Subkeys<'_>>().and_then(|answer| answer.subkeys).ok_or_else(|| nonsense(asked))?;
        let raw = keys.get(asked.secret.key.as_str()).ok_or_else(|| no_key(&keys, asked))?;
        if raw.get().starts_with('{') { Err(not_a_text(asked)) } else { Ok(()) }
    }

    /// The names that a listing tells.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        Some(self.data::<Names>()?.keys)
    }

    /// The KV engines that are listed, by their mount paths, each with its version for people.
    pub(super) fn engines(&self) -> Option<Vec<(String, String)>> {
        let mounts: Mounts = self.data().filter(|_| self.is_success())?;
        let kv = mounts.secret.into_iter().filter(|(_, mount)| matches!(mount.kind.as_str(), "kv" | "generic"));
        let told = kv.map(|(path, mount)| {
            let version = mount.options.and_then(|options| options.version).unwrap_or_else(|| "1".to_owned());
            (path.trim_end_matches('/').to_owned(), format!("KV version {version}"))
        });
        Some(told.collect())
    }

    /// The keys of a secret whose values are no objects.
    pub(super) fn subkey_names(&self) -> Option<Vec<String>> {
        let keys = self.data::<Subkeys<'_>>()?.subkeys?;
        let texts = keys.iter().filter(|(_, raw)| !raw.get().starts_with('{'));
        Some(texts.map(|(key, _)| key.to_string()).collect())
    }

    /// What a token says about itself.
    pub(super) fn lookup(&self) -> Option<Lookup> {
        self.data().filter(|_| self.is_success())
    }

    /// What a setting holds.
    pub(super) fn content(&self) -> Option<serde_json::Value> {
        self.data()
    }

    /// What the token may do with a path.
    pub(super) fn capabilities(&self, path: &str) -> Option<Vec<String>> {
        self.data::<BTreeMap<String, Vec<String>>>()?.remove(path)
    }

    /// Why the answer brought nothing, for people.
    pub(super) fn problem(&self, asked: Asked<'_>) -> Problem {
        let Asked { integration, cluster, secret, .. } = asked;
        let (reason, detail) = match (self.refusal(), self.status) {
            (Refusal::Token, _) | (_, 401) => (
                Reason::LoginNeeded,
                format!("`{cluster}` does not accept the token of `{integration}`: it is invalid or expired"),
            ),
            (Refusal::Policy | Refusal::Preflight, _) | (_, 403) => return forbidden(asked),
            (Refusal::NoNamespace, _) => {
                let namespace = asked.namespace.unwrap_or("root");
                (Reason::NotFound, format!("`{integration}` has no namespace `{namespace}`"))
            }
            (Refusal::NoMount, _) => {
                (Reason::NotFound, format!("`{integration}` has no secrets engine `{}`", secret.mount))
            }
            (Refusal::Destroyed, _) => {
                (Reason::VersionGone, format!("{} of `{secret}` was destroyed", version(secret)))
            }
            (Refusal::Deleted, _) => (Reason::VersionGone, format!("{} of `{secret}` was deleted", version(secret))),
            (Refusal::Absent, _) => (Reason::NotFound, absent(asked)),
            (_, 429) => (Reason::Throttled, throttled(cluster, self.retry_after)),
            (_, 503 | 472 | 473) => (Reason::Sealed, format!("`{cluster}` is sealed or not ready ({})", self.status)),
            (_, 300..=399) => (Reason::NotConfigured, elsewhere(self, asked)),
            (_, 400..=499) => {
                (Reason::NotFound, format!("`{cluster}` refuses the question for `{secret}` ({})", self.status))
            }
            (_, 500..=599) => {
                (Reason::Unreachable, format!("`{cluster}` failed ({}); its own log says why", self.status))
            }
            _ => return nonsense(asked),
        };
        Problem::new(reason, detail)
    }
}

/// A value from its JSON: a text without its quotes and escapes, a number or a truth value as it is written.
fn decode(json: &str, asked: Asked<'_>) -> Result<SecretValue, Problem> {
    let Asked { secret, .. } = asked;
    let bytes = match json.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> = serde_json::from_str::<Text<'_>>(json).map_err(|_| nonsense(asked))?.0;
            Zeroizing::new(text.into_owned().into_bytes())
        }
        Some(b'{' | b'[') => return Err(not_a_text(asked)),
        Some(b'n') | None => {
            return Err(Problem::new(Reason::Empty, format!("the key `{}` of `{secret}` is null", secret.key)));
        }
        Some(_) => Zeroizing::new(json.as_bytes().to_vec()),
    };
    if bytes.is_empty() {
        return Err(Problem::new(Reason::Empty, format!("the key `{}` of `{secret}` is empty", secret.key)));
    }
    if bytes.len() > SecretValue::MAX_LENGTH {
        let limit = SecretValue::MAX_LENGTH / 1024;
        let detail = format!("the key `{}` of `{secret}` is larger than {limit} KiB", secret.key);
        return Err(Problem::new(Reason::BadValue, detail));
    }
    Ok(SecretValue::from(bytes))
}

/// The token's policies do not let it read. NB. of an engine that is hidden the version is not known.
pub(super) fn forbidden(asked: Asked<'_>) -> Problem {
    let Asked { integration, secret, .. } = asked;
    let KvSecret { mount, path, .. } = secret;
    let detail = format!(
        "no permission to read `{secret}` in `{integration}` (403 permission denied); it takes a policy with `read` on \
         `{mount}/data/{path}`, or on `{mount}/{path}` where the engine is of version 1"
    );
    Problem::new(Reason::Forbidden, detail)
}

fn not_a_text(asked: Asked<'_>) -> Problem {
    let Asked { secret, .. } = asked;
    let detail =
        format!("the key `{}` of `{secret}` holds an object or a list; link a key that holds a text", secret.key);
    Problem::new(Reason::BadValue, detail)
}

fn no_key(keys: &Keys<'_>, asked: Asked<'_>) -> Problem {
    let Asked { secret, .. } = asked;
    Problem::new(Reason::NotFound, format!("`{secret}` has no key `{}`; {}", secret.key, fields::listed(keys)))
}

fn absent(asked: Asked<'_>) -> String {
    let Asked { integration, secret, .. } = asked;
    match secret.version {
        Some(version) => format!("`{integration}` has no secret `{secret}`, or none of its versions is {version}"),
        None if secret.path.starts_with("data/") => {
            format!("`{integration}` has no secret `{secret}`; `path` is written without `data/`")
        }
        None => format!("`{integration}` has no secret `{secret}`"),
    }
}

/// The link's mount goes on into the path of the real one.
fn beside(asked: Asked<'_>, found: &str) -> String {
    let Asked { integration, secret, .. } = asked;
    match secret.mount.strip_prefix(found).and_then(|rest| rest.strip_prefix('/')).filter(|_| !found.is_empty()) {
        Some(rest) => format!(
            "`{integration}` has no engine `{}`; its engine is `{found}`, so the path starts with `{rest}/`",
            secret.mount
        ),
        None => format!("`{integration}` has no secrets engine `{}`", secret.mount),
    }
}

fn throttled(cluster: &str, retry_after: Option<u64>) -> String {
    match retry_after {
        Some(seconds) => format!("`{cluster}` limits the rate of requests; it asks to wait {seconds} s"),
        None => format!("`{cluster}` limits the rate of requests"),
    }
}

fn elsewhere(answer: &Answer, asked: Asked<'_>) -> String {
    let place = answer.location.as_deref().map(|host| format!(" to `{host}`")).unwrap_or_default();
    format!(
        "`{}` redirects{place}, where the token is not sent; set `address` to the server that answers itself",
        asked.cluster
    )
}

fn version(secret: &KvSecret) -> String {
    secret.version.map_or_else(|| "the latest version".into(), |version| format!("version {version}"))
}

/// A 2xx that no Vault gives: a captive portal, a proxy's login page, another service.
fn nonsense(asked: Asked<'_>) -> Problem {
    Problem::new(
        Reason::Unreachable,
        format!("`{}` does not answer like a Vault; is the address right?", asked.cluster),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests look at the values that they made")]

    use super::*;

    fn secret() -> KvSecret {
        KvSecret { mount: "kv".into(), path: "app/db".into(), key: "password".into(), version: None }
    }

    fn asked(secret: &KvSecret) -> Asked<'_> {
        Asked { integration: "payments", cluster: "https://vault.acme.io", namespace: None, secret }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, location: None, body: Zeroizing::new(body.into()) }
    }

    fn value(json: &str) -> Result<String, Reason> {
        let answer = answer(200, &format!(r#"{{"data":{{"data":{{"other":"canary-0","password":{json}}}}}}}"#));
        let value = answer.value(Engine::V2, asked(&secret())).map_err(|problem| problem.reason)?;
        Ok(value.expose_text(str::to_owned).unwrap())
    }

    #[test]
    fn values_are_what_is_written() {
        for (json, text) in [
            (r#""canary-1""#, "canary-1"),
            (r#"" canary \"2\"\n""#, " canary \"2\"\n"),
            (r#""é😀""#, "é😀"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1.10", "1.10"),
            ("true", "true"),
        ] {
            assert_eq!(value(json), Ok(text.into()), "{json}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (json, reason) in [
            (r#"{"a":1}"#, Reason::BadValue),
            ("[1]", Reason::BadValue),
            ("null", Reason::Empty),
            ("\"\"", Reason::Empty),
        ] {
            assert_eq!(value(json), Err(reason), "{json}");
        }
        let big = format!("\"{}\"", "x".repeat(SecretValue::MAX_LENGTH + 1));
        assert_eq!(value(&big), Err(Reason::BadValue));
    }

    #[test]
    fn an_answer_of_somebody_else_is_no_value() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":{"data":5}}"#,
            "{\"data\":{\"data\":{\"password\":\"\u{1}\"}}}",
        ] {
            let problem = answer(200, body).value(Engine::V2, asked(&secret())).err().unwrap();
            assert_eq!(problem.reason, Reason::Unreachable, "{body}");
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        for (status, body, reason) in [
            (403, r#"{"errors":["permission denied"]}"#, Reason::LoginNeeded),
            (
                403,
                r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#,
                Reason::LoginNeeded,
            ),
            (403, r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#, Reason::Forbidden),
            (403, "a firewall's page", Reason::Forbidden),
            (401, "", Reason::LoginNeeded),
            (404, r#"{"errors":[]}"#, Reason::NotFound),
            (
                404,
                r#"{"data":{"data":null,"metadata":{"deletion_time":"2026-01-01","destroyed":false}}}"#,
                Reason::VersionGone,
            ),
            (404, r#"{"data":{"data":null,"metadata":{"deletion_time":"","destroyed":true}}}"#, Reason::VersionGone),
            (429, "", Reason::Throttled),
            (503, r#"{"errors":["Vault is sealed"]}"#, Reason::Sealed),
            (307, "", Reason::NotConfigured),
            (302, "", Reason::NotConfigured),
            (500, "", Reason::Unreachable),
            (204, "", Reason::Unreachable),
        ] {
            assert_eq!(answer(status, body).problem(asked(&secret())).reason, reason, "{status} {body}");
        }
    }

    #[test]
    fn a_servers_words_are_never_shown() {
        for status in [200, 302, 307, 400, 403, 404, 405, 429, 500, 503] {
            let body = r#"{"errors":["canary-leak permission denied"],"data":{"canary-leak":"canary-leak"}}"#;
            let problem = answer(status, body).problem(asked(&secret()));
            assert!(!problem.detail.contains("canary-leak"), "{problem:?}");
        }
    }

    #[test]
    fn a_missing_key_tells_the_names_of_the_others() {
        let answer = answer(200, r#"{"data":{"data":{"b\u001b[31m":"canary-3","a":"canary-4"}}}"#);
        let problem = answer.value(Engine::V2, asked(&secret())).err().unwrap();
        assert_eq!(problem.detail, "`kv/app/db` has no key `password`; it has `a`, `b\\u{1b}[31m`");
    }
}
