//! HashiCorp Vault's protocol: a real OpenBao behind a front.

use std::{fmt::Write, net::SocketAddr, sync::OnceLock};

use serde_json::json;

use super::{Condition, World, keeps};
use crate::support::{
    front::{Front, answer},
    home::User,
    openbao::OpenBao,
};

struct Cluster {
    front: Front,
    token: &'static str,
}

/// The server that all clauses share, and a token for everything but `kv/secret/forbidden`.
fn server() -> Option<&'static (OpenBao, String)> {
    static SERVER: OnceLock<Option<(OpenBao, String)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let server = OpenBao::start()?;
        server.mount("kv", 2);
        let put =
            |path: &str, value: &str| server.ask("POST", &format!("kv/data/{path}"), &json!({"data": {"k": value}}));
        put("app/value", "canary-old-31aa");
        put("app/value", Cluster::VALUE);
        put("secret/forbidden", "canary-forbidden-4d01");
        (0..100).for_each(|index| drop(put(&format!("many/{index}"), &Cluster::of_many(index))));
        server.ask("POST", "kv/destroy/app/value", &json!({"versions": [1]}));
        let allowed = ["app/*", "many/*"].map(|path| {
            ["data", "subkeys", "metadata"]
                .map(|part| format!("path \"kv/{part}/{path}\" {{ capabilities = [\"read\"] }}\n"))
        });
        let token = server.token("contract", &allowed.concat().concat(), "1h");
        Some((server, token))
    });
    server.as_ref()
}

impl World for Cluster {
    const VALUE: &'static str = "canary-hashicorp-5b7e";
    const REFUSAL: [&'static str; 2] = ["403", "kv/data/secret/forbidden"];

    async fn start() -> Option<Self> {
        let (server, token) = server()?;
        let address = server.address.strip_prefix("http://").unwrap();
        Some(Self { front: Front::start(address).await, token })
    }

    fn user(&self) -> User {
        let address = self.front.address;
        let mut config = format!("[integrations.team]\nprovider = 'hashicorp'\naddress = 'http://{address}'\n");
        let mut link = |name: &str, path: &str, rest: &str| {
            let fields = format!("integration = 'team'\nengine = 'kv'\nkey = 'k'\npath = '{path}'\n{rest}");
            write!(config, "[secrets.{name}]\n{fields}\n").unwrap();
        };
        link("value", "app/value", "");
        link("missing", "app/nothing", "");
        link("gone", "app/value", "version = 1");
        link("forbidden", "secret/forbidden", "");
        (0..100).for_each(|index| link(&format!("many-{index}"), &format!("many/{index}"), ""));
        User { config, token: Some(self.token.to_owned()), ..User::default() }
    }

    fn expired(&self) -> Option<User> {
        Some(User { token: Some("canary-revoked-token".into()), ..self.user() })
    }

    fn credential(&self) -> Option<String> {
        Some(self.token.into())
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.front.address)
    }

    fn set(&self, condition: Condition) -> bool {
        let told = || match condition {
            Condition::Throttled => {
                let body = r#"{"errors":["request path \"kv/data/app/value\": rate limit quota exceeded"]}"#;
                answer("429 Too Many Requests", "Retry-After: 7\r\n", body)
            }
            _ => answer("503 Service Unavailable", "", r#"{"errors":["Vault is sealed"]}"#),
        };
        self.front.set(condition.weather().unwrap_or_else(told));
        true
    }

    fn carried(&self, text: &str) -> Option<bool> {
        Some(self.front.carried(text))
    }

    fn visits(&self) -> usize {
        self.front.connections()
    }
}

keeps!(Cluster);
