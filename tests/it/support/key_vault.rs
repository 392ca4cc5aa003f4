//! A stand-in of ours for Azure Key Vault and Entra ID, over https on loopback.
//!
//! NB. it is no real server: none could be had that runs on this machine. What it says follows the public REST reference
//! (api-version 2025-07-01: secrets, versions, deleted secrets, error codes), and its judge is Microsoft's own SDK,
//! which has to understand every answer. What it cannot prove is that the real service words its refusals this way.

#![expect(clippy::disallowed_methods, reason = "the test harness writes a certificate")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::oidc;
use super::target::{Answer, Identity, Received, Target};

/// What signs in.
pub const CLIENT: &str = "7b795fb9-09d3-42f4-a494-38864f99ba3c";
pub const CLIENT_SECRET: &str = "canary-client-secret-0b1d";
/// What a workload has instead of a secret.
pub const FEDERATED_TOKEN: &str = "canary-federated-token-93d0";
pub const TENANT: &str = "contoso.onmicrosoft.com";

/// What the stand-in holds, and how it behaves.
#[derive(Default)]
pub struct World {
    /// By name; the latest version last.
    pub secrets: BTreeMap<String, Vec<Version>>,
    pub deleted: Vec<String>,
    /// How many sign-ins there were; the token carries the number.
    pub sign_ins: usize,
    /// Tokens up to this number are not accepted any more.
    pub revoked: usize,
    /// A status and an inner code with which questions that start so are refused.
    pub refusals: Vec<(String, u16, &'static str)>,
    /// Where the challenge says that tokens are for.
    pub resource: Option<&'static str>,
    /// Where the next page of a listing is said to be.
    pub next_link: Option<String>,
    pub silent: bool,
    /// An authorization server (its control address) whose tokens are accepted as well.
    pub authority: Option<String>,
    /// Answers with this, whatever it is asked.
    pub nonsense: Option<&'static str>,
}

pub struct Version {
    pub id: String,
    pub value: String,
    pub enabled: bool,
    pub expires: Option<u64>,
}

/// The running stand-in; it ends when dropped.
pub struct KeyVault {
    pub world: Arc<Mutex<World>>,
    pub authority_pem: Vec<u8>,
    target: Target,
}

/// The version `number` of any secret.
pub fn version(number: usize) -> String {
    format!("{number:032x}")
}

impl KeyVault {
    pub async fn start() -> Self {
        let identity = Identity::new("127.0.0.1");
        let world: Arc<Mutex<World>> = Arc::default();
        let script = {
            let world = world.clone();
            move |request: &Received| lock(&world).answer(request)
        };
        let target = Target::start_tls(&identity, script).await;
        Self { world, authority_pem: identity.authority_pem, target }
    }

    /// The stand-in's URL, both of the vault and of the sign-in service.
    pub fn url(&self) -> String {
        self.target.url("")
    }

    /// Writes the certificate authority to a file.
    pub fn write_authority(&self, path: &Path) {
        fs::write(path, &self.authority_pem).unwrap();
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Adds a version.
    pub fn put(&self, name: &str, value: &str) {
        self.world().put(name, value, true);
    }

    /// The different tokens that came, in their order.
    pub fn tokens(&self) -> Vec<String> {
        let received = self.target.received();
        let mut tokens: Vec<String> =
            received.iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
        tokens.dedup();
        tokens
    }

    /// The questions that were asked, such as `GET /secrets/a/`.
    pub fn questions(&self) -> Vec<String> {
        let received = self.target.received();
        received.iter().map(|request| format!("{} {}", request.method, path(request))).collect()
    }
}

impl World {
    pub fn put(&mut self, name: &str, value: &str, enabled: bool) {
        let versions = self.secrets.entry(name.into()).or_default();
        let id = version(versions.len() + 1);
        versions.push(Version { id, value: value.into(), enabled, expires: None });
    }

    fn answer(&mut self, request: &Received) -> Answer {
        if self.silent {
            return Answer::Silence;
        }
        if let Some(body) = self.nonsense {
            return Answer::ok(body);
        }
        let path = path(request);
        if path == format!("/{TENANT}/oauth2/v2.0/token") {
            return self.sign_in(request);
        }
        let token = request.header("authorization").and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        let own = token.strip_prefix("canary-token-").and_then(|token| token.parse::<usize>().ok());
        let accepted = match own {
            Some(number) => number > self.revoked,
            None => self.authority.as_ref().is_some_and(|authority| oidc::judges(authority, token)),
        };
        if !accepted {
            return self.challenge();
        }
        if let Some((_, status, code)) = self.refusals.iter().find(|(start, ..)| path.starts_with(start.as_str())) {
            let headers: &[_] = if *status == 429 { &[("retry-after", "7")] } else { &[] };
            let inner = json!({"code": code});
            return refuse(*status, if *status == 403 { "Forbidden" } else { code }, &inner, headers);
        }
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["secrets"] => self.page(self.secrets.keys().map(|name| properties(request, name, None))),
            ["secrets", name, "versions"] => self.versions(request, name),
            ["secrets", name, version] => self.secret(request, name, version),
            ["deletedsecrets", name] if self.deleted.iter().any(|deleted| deleted == name) => {
                Answer::ok(json!({"recoveryId": "x", "deletedDate": 1}).to_string())
            }
            _ => missing(),
        }
    }

    fn sign_in(&mut self, request: &Received) -> Answer {
        let form: BTreeMap<_, _> = request.body().split('&').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!(form.get("grant_type"), Some(&"client_credentials"));
        assert_eq!(form.get("scope"), Some(&"https%3A%2F%2Fvault.azure.net%2F.default"));
        let refused = |name: &str, code: u64| {
            // As from Entra ID, with line breaks in it.
            let text = format!("AADSTS{code}: canary-said-by-entra\r\nTrace ID: x");
            let body = json!({"error": name, "error_description": text, "error_codes": [code]});
            Answer::with("401 Unauthorized", &[], body.to_string())
        };
        if form.get("client_id") != Some(&CLIENT) {
            return refused("unauthorized_client", 700_016);
        }
        // A federated token comes as an assertion (RFC 7523, section 2.2).
        let asserts = form.get("client_assertion_type")
            == Some(&"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
            && form.get("client_assertion") == Some(&FEDERATED_TOKEN);
        if !asserts && form.get("client_secret") != Some(&CLIENT_SECRET) {
            return refused("invalid_client", 7_000_215);
        }
        self.sign_ins += 1;
        let token = format!("canary-token-{}", self.sign_ins);
        Answer::ok(json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token}).to_string())
    }

    fn challenge(&self) -> Answer {
        let resource = self.resource.unwrap_or("https://vault.azure.net");
        let challenge = format!("Bearer authorization=\"https://login.evil.io/other\", resource=\"{resource}\"");
        let body = json!({"error": {"code": "Unauthorized", "message": "AKV10000: canary-said-by-vault"}});
        Answer::with("401 Unauthorized", &[("www-authenticate", &challenge)], body.to_string())
    }

    fn versions(&self, request: &Received, name: &str) -> Answer {
        let versions = self.secrets.get(name).map(Vec::as_slice).unwrap_or_default();
        self.page(versions.iter().enumerate().map(|it| properties(request, name, Some(it))))
    }

    fn page(&self, listed: impl Iterator<Item = Value>) -> Answer {
        let value: Vec<Value> = listed.collect();
        Answer::ok(json!({"value": value, "nextLink": self.next_link}).to_string())
    }

    fn secret(&self, request: &Received, name: &str, version: &str) -> Answer {
        let Some(versions) = self.secrets.get(name) else { return missing() };
        let mut versions = versions.iter().enumerate();
        let found = if version.is_empty() { versions.next_back() } else { versions.find(|(_, it)| it.id == version) };
        let Some((index, found)) = found else { return missing() };
        if !found.enabled {
            return refuse(403, "Forbidden", &json!({"code": "SecretDisabled"}), &[]);
        }
        let mut body = properties(request, name, Some((index, found)));
        body["value"] = found.value.as_str().into();
        Answer::ok(body.to_string())
    }
}

fn properties(request: &Received, name: &str, version: Option<(usize, &Version)>) -> Value {
    let host = request.header("host").unwrap_or_default();
    match version {
        None => json!({"id": format!("https://{host}/secrets/{name}"), "attributes": {"enabled": true}}),
        Some((index, Version { id, enabled, expires, .. })) => json!({
            "id": format!("https://{host}/secrets/{name}/{id}"),
            "attributes": {"enabled": enabled, "created": 1_700_000_000 + index, "exp": expires},
        }),
    }
}

fn missing() -> Answer {
    let body = json!({"error": {"code": "SecretNotFound", "message": "canary-said-by-vault"}});
    Answer::with("404 Not Found", &[], body.to_string())
}

fn refuse(status: u16, code: &str, inner: &Value, headers: &[(&str, &str)]) -> Answer {
    let body = json!({"error": {"code": code, "message": "canary-said-by-vault", "innererror": inner}});
    Answer::with(&format!("{status} No"), headers, body.to_string())
}

/// The path without the query, which names the version of the interface.
fn path(request: &Received) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
