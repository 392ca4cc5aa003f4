//! Somebody else at an OpenBao server: an administrator who prepares it over plain HTTP or TLS, and the person whose
//! browser is played by a client of ours.
#![expect(clippy::disallowed_methods, reason = "the test reads a certificate, and types what a person would")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use url::Url;
use vaultls::{
    status::{Problem, Reason},
    vault::{
        person::{Answers, Field, Page, Person},
        value::SecretValue,
    },
};

use super::openbao::{OpenBao, ROOT};

/// The user of [`Agent::people`] and her password.
pub const USER: &str = "alice";
pub const PASSWORD: &str = "canary-password-51b0e7";

/// A client of a server, within one namespace.
#[derive(Clone)]
pub struct Agent {
    pub address: String,
    pub namespace: String,
    ca_file: Option<PathBuf>,
    client: reqwest::Client,
}

impl Agent {
    pub fn of(server: &OpenBao) -> Self {
        let ca_file = server.address.starts_with("https").then(|| server.ca_file());
        let client = client(ca_file.as_deref());
        Self { address: server.address.clone(), namespace: String::new(), ca_file, client }
    }

    pub fn within(&self, namespace: &str) -> Self {
        Self { namespace: namespace.into(), ..self.clone() }
    }

    /// Asks as root; the answer must be a success.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask_as(ROOT, method, path, &body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub async fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self
            .client
            .request(method.parse().unwrap(), format!("{}/v1/{path}", self.address))
            .header("X-Vault-Token", token)
            .header("X-Vault-Namespace", &self.namespace);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Users who may sign in by a password, and one of them with an entity, as an OIDC provider wants one.
    pub async fn people(&self) {
        self.ask("POST", "sys/auth/userpass", json!({"type": "userpass"})).await;
        let policy = "path \"identity/oidc/provider/+/authorize\" { capabilities = [\"read\", \"update\"] }\n\
                      path \"identity/oidc/token/*\" { capabilities = [\"read\"] }";
        self.policy("person", policy).await;
        self.user(USER, json!({})).await;
        let accessor = self.ask("GET", "sys/auth", Value::Null).await["userpass/"]["accessor"].clone();
        let entity = self.ask("POST", "identity/entity", json!({"name": USER})).await["data"]["id"].clone();
        let alias = json!({"name": USER, "canonical_id": entity, "mount_accessor": accessor});
        self.ask("POST", "identity/entity-alias", alias).await;
    }

    /// A user with [`PASSWORD`], and more settings than that.
    pub async fn user(&self, name: &str, more: Value) {
        let mut user = json!({"password": PASSWORD, "token_policies": "reader,person"});
        user.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.ask("POST", &format!("auth/userpass/users/{name}"), user).await;
    }

    pub async fn policy(&self, name: &str, policy: &str) {
        self.ask("POST", &format!("sys/policies/acl/{name}"), json!({"policy": policy})).await;
    }

    /// A secret `kv/app` with the key `password`, and a policy `reader` for it.
    pub async fn secret(&self, value: &str) {
        self.ask("POST", "sys/mounts/kv", json!({"type": "kv", "options": {"version": "1"}})).await;
        self.ask("POST", "kv/app", json!({"password": value})).await;
        self.policy("reader", "path \"kv/*\" { capabilities = [\"read\", \"list\"] }").await;
    }

    /// What `vaultls setup hashicorp` prepares, made by hand. Returns the client's id and the issuer.
    pub async fn oidc(&self, role: Value) -> (String, String) {
        let client = json!({
            "redirect_uris": "http://127.0.0.1:10545/,http://127.0.0.1:10534/",
            "client_type": "public", "assignments": "allow_all",
        });
        self.ask("POST", "identity/oidc/client/main", client).await;
        let told = self.ask("GET", "identity/oidc/client/main", Value::Null).await;
        let id = told["data"]["client_id"].as_str().unwrap().to_owned();
        let provider = json!({"allowed_client_ids": id, "issuer": self.address});
        self.ask("POST", "identity/oidc/provider/main", provider).await;
        let told = self.ask("GET", "identity/oidc/provider/main", Value::Null).await;
        let issuer = told["data"]["issuer"].as_str().unwrap().to_owned();
        self.ask("POST", "sys/auth/postman-jwt", json!({"type": "jwt"})).await;
        let mut config = json!({"oidc_discovery_url": issuer, "default_role": "postman"});
        if let Some(file) = &self.ca_file {
            config["oidc_discovery_ca_pem"] = std::fs::read_to_string(file).unwrap().into();
        }
        self.ask("POST", "auth/postman-jwt/config", config).await;
        let mut whole = json!({
            "bound_audiences": id, "user_claim": "sub", "role_type": "jwt", "token_policies": "reader",
        });
        whole.as_object_mut().unwrap().extend(role.as_object().cloned().unwrap_or_default());
        self.ask("POST", "auth/postman-jwt/role/postman", whole).await;
        (id, issuer)
    }

    /// A token of [`USER`].
    pub async fn token(&self) -> String {
        let path = format!("auth/userpass/login/{USER}");
        let (_, answer) = self.ask_as("", "POST", &path, &json!({"password": PASSWORD})).await;
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Demands a one-time code of everybody who signs in by a password. Those of [`USER`] are read at `totp/code/alice`,
    /// as from an app of hers.
    pub async fn second_factor(&self) {
        let method = json!({"issuer": "test", "period": 30, "algorithm": "SHA1", "digits": 6});
        let id = self.ask("POST", "identity/mfa/method/totp", method).await["data"]["method_id"].clone();
        let entity = self.ask("GET", &format!("identity/entity/name/{USER}"), Value::Null).await["data"]["id"].clone();
        let url = json!({"method_id": id, "entity_id": entity});
        let url = self.ask("POST", "identity/mfa/method/totp/admin-generate", url).await["data"]["url"].clone();
        let enforcement = json!({"mfa_method_ids": [id], "auth_method_types": ["userpass"]});
        self.ask("POST", "identity/mfa/login-enforcement/all", enforcement).await;
        self.ask("POST", "sys/mounts/totp", json!({"type": "totp"})).await;
        self.ask("POST", "totp/keys/alice", json!({"url": url})).await;
    }

    /// How many tokens with this display name are alive.
    pub async fn tokens_of(&self, display_name: &str) -> usize {
        let (_, list) = self.ask_as(ROOT, "LIST", "auth/token/accessors", &Value::Null).await;
        let mut count = 0;
        for accessor in list["data"]["keys"].as_array().into_iter().flatten() {
            let (_, told) =
                self.ask_as(ROOT, "POST", "auth/token/lookup-accessor", &json!({"accessor": accessor})).await;
            count += usize::from(told["data"]["display_name"] == display_name);
        }
        count
    }
}

fn client(ca_file: Option<&Path>) -> reqwest::Client {
    // Tests share it, and a connection ends with the runtime of the test that opened it.
    let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
    let builder = builder.no_proxy().redirect(reqwest::redirect::Policy::none());
    let Some(path) = ca_file else { return builder.tls_certs_only(Vec::new()).build().unwrap() };
    let certificates = reqwest::Certificate::from_pem_bundle(&std::fs::read(path).unwrap()).unwrap();
    builder.tls_certs_only(certificates).build().unwrap()
}

/// Somebody who types these answers, by the fields' ids.
pub struct Typist(pub Vec<(&'static str, String)>);

impl Person for Typist {
    fn ask<'a>(&'a self, _: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        let typed = |field: Field| {
            let (_, text) = self.0.iter().find(|(id, _)| **id == field.id)?;
            Some((field.id, SecretValue::new(text.clone().into_bytes())))
        };
        let answers: Answers = fields.into_iter().filter_map(typed).collect();
        std::future::ready(Ok(answers)).boxed()
    }

    fn visit<'a>(&'a self, _: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        std::future::ready(Err(nobody())).boxed()
    }
}

/// What a person does at the page of a sign-in.
pub enum Browser {
    /// Signs in; the browser is led back to this machine.
    Returns(Agent),
    /// Signs in with a browser elsewhere, and pastes the address it was led to.
    Pastes(Agent),
    /// Stays at the page, as after a "No" there; says which page it is.
    Stays(Mutex<Option<tokio::sync::oneshot::Sender<Page>>>),
}

impl Person for Browser {
    fn ask<'a>(&'a self, _: &'a str, _: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        std::future::ready(Err(nobody())).boxed()
    }

    fn visit<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move {
            match self {
                Self::Pastes(agent) => Ok(SecretValue::new(agent.authorize(&page.url).await.into_bytes())),
                Self::Returns(agent) => {
                    agent.returns(&page.url).await;
                    std::future::pending().await
                }
                Self::Stays(sender) => {
                    let sender = sender.lock().unwrap().take().expect("one visit");
                    let _ = sender.send(page.clone());
                    std::future::pending().await
                }
            }
        }
        .boxed()
    }
}

impl Agent {
    /// Signs in at `page` with a browser that is led back to this machine.
    pub async fn returns(&self, page: &Url) {
        let address = self.authorize(page).await;
        let answer = client(None).get(address).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// What the page does once its person has signed in: asks the API behind it, and goes where that says.
    pub async fn authorize(&self, page: &Url) -> String {
        let token = self.token().await;
        let mut api = page.clone();
        api.set_path(&page.path().replacen("/ui/vault/", "/v1/", 1));
        let answer = self.client.get(api).header("X-Vault-Token", token).send().await.unwrap();
        let told: Value = answer.json().await.unwrap();
        let query: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
        let mut back = Url::parse(&query["redirect_uri"]).unwrap();
        let (code, state) = (told["code"].as_str().expect("a code"), told["state"].as_str().unwrap());
        back.query_pairs_mut().append_pair("code", code).append_pair("state", state);
        back.into()
    }
}

fn nobody() -> Problem {
    Problem::new(Reason::LoginNeeded, "nobody does this here")
}
