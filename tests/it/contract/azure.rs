//! Azure Key Vault: the stand-in of `support/key_vault.rs`, which speaks TLS, behind a front that lets it through.

use std::{fmt::Write, net::SocketAddr, sync::Arc};

use super::{Condition, World, keeps};
use crate::support::{
    front::{Front, Weather},
    home::User,
    key_vault::{CLIENT, CLIENT_SECRET, KeyVault, TENANT, version},
};

struct Vaults {
    server: KeyVault,
    front: Front,
    /// Holds the file of the stand-in's certificate authority.
    folder: Arc<tempfile::TempDir>,
}

impl Vaults {
    fn user_with(&self, client_secret: &str) -> User {
        let (address, ca) = (self.front.address, self.folder.path().join("ca.pem"));
        let mut config = format!(
            "[integrations.team]\nprovider = 'azure'\naddress = 'https://{address}'\nca-file = '{}'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'client-secret' }}\n",
            ca.display()
        );
        let mut link = |name: &str, path: &str| {
            write!(config, "[secrets.{name}]\nintegration = 'team'\nid = 'https://{address}/secrets/{path}'\n")
                .unwrap();
        };
        for name in ["value", "missing", "forbidden"] {
            link(name, name);
        }
        link("gone", &format!("value/{}", version(9)));
        (0..100).for_each(|index| link(&format!("many-{index}"), &format!("many-{index}")));
        User { config, ..User::default() }.with_variables([("AZURE_CLIENT_SECRET", client_secret)])
    }
}

impl World for Vaults {
    const VALUE: &'static str = "canary-azure-8d3f";
    const REFUSAL: [&'static str; 2] = ["ForbiddenByRbac", "Key Vault Secrets User"];

    async fn start() -> Option<Self> {
        let server = KeyVault::start().await;
        server.put("value", Self::VALUE);
        server.put("forbidden", "canary-forbidden-77b2");
        (0..100).for_each(|index| server.put(&format!("many-{index}"), &Self::of_many(index)));
        let front = Front::start(server.url().strip_prefix("https://").unwrap()).await;
        let folder = Arc::new(tempfile::tempdir().unwrap());
        server.write_authority(&folder.path().join("ca.pem"));
        let world = Self { server, front, folder };
        world.set(Condition::Fair);
        Some(world)
    }

    fn user(&self) -> User {
        self.user_with(CLIENT_SECRET)
    }

    fn expired(&self) -> Option<User> {
        Some(self.user_with("canary-wrong-client-secret"))
    }

    fn credential(&self) -> Option<String> {
        Some(CLIENT_SECRET.into())
    }

    fn address(&self) -> Option<SocketAddr> {
        Some(self.front.address)
    }

    fn set(&self, condition: Condition) -> bool {
        let nonsense = matches!(condition, Condition::Nonsense(_));
        let weather = condition.weather().filter(|_| !nonsense);
        self.front.set(weather.unwrap_or(Weather::Fair));
        let mut world = self.server.world();
        world.nonsense = match condition {
            Condition::Nonsense(body) => Some(body),
            _ => None,
        };
        world.refusals = match condition {
            Condition::Throttled => vec![("/secrets".into(), 429, "Throttled")],
            Condition::Sealed => vec![("/secrets".into(), 503, "ServiceUnavailable")],
            _ => vec![
                ("/secrets/forbidden".into(), 403, "ForbiddenByRbac"),
                ("/deletedsecrets/forbidden".into(), 403, "ForbiddenByRbac"),
            ],
        };
        true
    }

    /// The wire is encrypted: what counts is whether the stand-in was asked for the value.
    fn carried(&self, _: &str) -> Option<bool> {
        Some(self.server.questions().contains(&"GET /secrets/value/".into()))
    }

    fn visits(&self) -> usize {
        self.front.connections()
    }
}

keeps!(Vaults);
