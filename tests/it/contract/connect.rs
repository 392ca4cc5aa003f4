//! 1Password's Connect server: the stand-in of `support/connect.rs`, behind a front. It keeps no versions.

use std::{fmt::Write, net::SocketAddr};

use serde_json::json;

use super::{Condition, HOTEL, World, keeps};
use crate::support::{
    connect::{ConnectServer, TOKEN},
    front::{Front, answer},
    home::User,
};

struct Connect {
    server: ConnectServer,
    front: Front,
}

impl Connect {
    fn user_with(&self, token: &str) -> User {
        let address = self.front.address;
        let mut config = format!(
            "[integrations.team]\nprovider = 'onepassword'\naddress = 'http://{address}'\nauth = {{ method = 'connect' }}\n"
        );
        let mut link = |name: &str, reference: &str| {
            write!(config, "[secrets.{name}]\nintegration = 'team'\nreference = 'op://{reference}'\n").unwrap();
        };
        link("value", "Dev/db/password");
        link("missing", "Dev/nothing/password");
        link("gone", "Dev/db/nothing");
        link("forbidden", "Closed/db/password");
        (0..100).for_each(|index| link(&format!("many-{index}"), &format!("Dev/many/f{index}")));
        User { config, ..User::default() }.with_variables([("OP_CONNECT_TOKEN", token)])
    }
}

impl World for Connect {
    const VALUE: &'static str = "canary-connect-02cd";
    const REFUSAL: [&'static str; 2] = ["403 Forbidden", "a token with the vault in its scope"];

    /// There may be no vaults.
    const NONSENSE: &'static [&'static str] = &[HOTEL, "", "null", "{}"];

    async fn start() -> Option<Self> {
        let server = ConnectServer::start().await;
        let field = |id: &str, value: &str| json!({"id": id, "type": "CONCEALED", "label": id, "value": value});
        server.put("Dev", "item0", "db", &json!([field("password", Self::VALUE)]));
        let many = (0..100).map(|index| field(&format!("f{index}"), &Self::of_many(index)));
        server.put("Dev", "item1", "many", &many.collect());
        server.put("Closed", "item2", "db", &json!([field("password", "canary-closed")]));
        server.world().closed = Some("Closed".into());
        let front = Front::start(server.url().strip_prefix("http://").unwrap()).await;
        Some(Self { server, front })
    }

    fn user(&self) -> User {
        self.user_with(TOKEN)
    }

    fn expired(&self) -> Option<User> {
        Some(self.user_with("canary-revoked-connect-token"))
    }

    fn credential(&self) -> Option<String> {
        Some(TOKEN.into())
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.front.address)
    }

    fn set(&self, condition: Condition) -> bool {
        let of_connect =
            |status: &str, headers: &str| answer(status, headers, r#"{"status":0,"message":"canary-said-by-connect"}"#);
        let told = || match condition {
            Condition::Throttled => of_connect("429 Too Many Requests", "Retry-After: 7\r\n"),
            _ => of_connect("503 Service Unavailable", ""),
        };
        self.front.set(condition.weather().unwrap_or_else(told));
        true
    }

    /// An item comes with its values, so what counts is whether one was asked for.
    fn carried(&self, text: &str) -> Option<bool> {
        Some(self.front.carried(text))
    }

    fn visits(&self) -> usize {
        self.server.questions().len()
    }
}

keeps!(Connect);
