//! AWS Secrets Manager: an emulator that checks signatures and policies, behind a front.

use std::{fmt::Write, net::SocketAddr};

use super::{Condition, World, keeps};
use crate::support::{
    front::{Front, answer},
    home::User,
    ministack::{ACCOUNT, REGION, Seeded},
};

struct Account {
    seeded: &'static Seeded,
    front: Front,
}

impl Account {
    fn user_with(&self, keys: [&str; 2]) -> User {
        let address = self.front.address;
        let mut config = format!(
            "[integrations.team]\nprovider = 'aws'\nendpoint = 'http://{address}'\nauth = {{ method = 'keys' }}\n"
        );
        let mut link = |name: &str, arn: &str, rest: &str| {
            write!(config, "[secrets.{name}]\nintegration = 'team'\narn = '{arn}'\n{rest}\n").unwrap();
        };
        link("value", self.seeded.arn("prod/db"), "");
        link("missing", &format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/nothing"), "");
        link("gone", self.seeded.arn("prod/db"), "version = '00000000-0000-0000-0000-000000000000'");
        link("forbidden", self.seeded.arn("json"), "");
        for index in 0..100 {
            link(&format!("many-{index}"), self.seeded.arn(&format!("many/{index}")), "");
        }
        let user = User { config, ..User::default() };
        user.with_variables([("AWS_ACCESS_KEY_ID", keys[0]), ("AWS_SECRET_ACCESS_KEY", keys[1])])
    }
}

impl World for Account {
    const VALUE: &'static str = "canary-aws-v2-91be";
    const REFUSAL: [&'static str; 2] = ["AccessDeniedException", "secretsmanager:GetSecretValue"];

    /// AWS does not say.
    const WAIT: &'static str = "ThrottlingException";

    async fn start() -> Option<Self> {
        let seeded = Seeded::shared()?;
        let front = Front::start(seeded.server.address.strip_prefix("http://").unwrap()).await;
        Some(Self { seeded, front })
    }

    fn user(&self) -> User {
        self.user_with(self.seeded.key_pair("contract"))
    }

    fn expired(&self) -> Option<User> {
        Some(self.user_with(["AKIACANARYUNKNOWN000", "canary-unknown-key"]))
    }

    fn credential(&self) -> Option<String> {
        Some(self.seeded.keys("contract"))
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.front.address)
    }

    fn set(&self, condition: Condition) -> bool {
        let of_aws = |status: &str, code: &str| {
            let body = format!("{{\"__type\":\"{code}\",\"message\":\"canary-said-by-aws\"}}");
            answer(status, "Content-Type: application/x-amz-json-1.1\r\n", &body)
        };
        let told = || match condition {
            Condition::Throttled => of_aws("400 Bad Request", "ThrottlingException"),
            _ => of_aws("500 Internal Server Error", "InternalServiceError"),
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

keeps!(Account);
