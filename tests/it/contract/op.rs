//! 1Password through its command line: the stand-in of `support/op.rs`. What it prints is the value, so nothing that it
//! could print is nonsense; and it keeps no versions.

use std::{fmt::Write, net::SocketAddr};

use serde_json::json;

use super::{Condition, World, keeps};
use crate::support::{
    home::User,
    op::{Op, TOKEN},
};

struct CommandLine(Op);

impl CommandLine {
    fn user_with(&self, token: &str) -> User {
        let mut config =
            "[integrations.team]\nprovider = 'onepassword'\nauth = { method = 'service-account' }\n".to_owned();
        let mut link = |name: &str, reference: &str| {
            write!(config, "[secrets.{name}]\nintegration = 'team'\nreference = 'op://{reference}'\n").unwrap();
        };
        link("value", "dev/db/password");
        link("missing", "dev/nothing/password");
        link("gone", "dev/db/nothing");
        link("forbidden", "closed/db/password");
        (0..100).for_each(|index| link(&format!("many-{index}"), &format!("dev/many/f{index}")));
        let path = self.0.path();
        let variables = [("PATH", path.as_str()), ("HOME", "/home/canary"), ("OP_SERVICE_ACCOUNT_TOKEN", token)];
        User::new(config).with_variables(variables)
    }
}

impl World for CommandLine {
    const VALUE: &'static str = "canary-pass\n";
    const REFUSAL: [&'static str; 2] = ["closed", "read_items"];

    const WAIT: &'static str = "58 minutes";

    async fn start() -> Option<Self> {
        let op = Op::new();
        op.write("token", TOKEN.as_bytes());
        op.write("whoami", br#"{"url":"https://acme.1password.com","account_uuid":"ACME1"}"#);
        op.write("vaults/closed/forbidden", b"");
        let fields: Vec<_> = (0..100).map(|index| json!({"id": format!("f{index}"), "label": ""})).collect();
        op.write("vaults/dev/many.json", json!({"id": "i2", "title": "many", "fields": fields}).to_string().as_bytes());
        (0..100).for_each(|index| op.write(&format!("vaults/dev/many/f{index}"), Self::of_many(index).as_bytes()));
        Some(Self(op))
    }

    fn user(&self) -> User {
        self.user_with(TOKEN)
    }

    fn expired(&self) -> Option<User> {
        Some(self.user_with("ops_canary-revoked"))
    }

    fn credential(&self) -> Option<String> {
        Some(TOKEN.into())
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }

    fn set(&self, condition: Condition) -> bool {
        for file in ["complaint", "silent", "slow"] {
            self.0.forget(file);
        }
        match condition {
            Condition::Fair => {}
            Condition::Down => self.0.write("complaint", b"dial tcp: lookup canary.1password.com: no such host"),
            Condition::Silent => self.0.write("silent", b""),
            Condition::Slow => self.0.write("slow", b""),
            Condition::Throttled => {
                self.0.write("complaint", b"(429) Too Many Requests: canary. Please retry in 58 minutes");
            }
            Condition::Sealed | Condition::Nonsense(_) => return false,
        }
        true
    }

    /// It is asked on this machine: what counts is whether it was asked for a value.
    fn carried(&self, _: &str) -> Option<bool> {
        Some(self.0.calls().iter().any(|call| call.starts_with("read") || call.starts_with("inject")))
    }

    fn visits(&self) -> usize {
        self.0.calls().len()
    }
}

keeps!(CommandLine);
