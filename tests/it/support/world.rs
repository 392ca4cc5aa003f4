//! A program with a secret of every kind in reach: in the local vault, in OpenBao, in AWS's emulator and in the stand-in
//! for Azure Key Vault, and a target on the loopback to which all of them may go.
#![expect(clippy::disallowed_methods, reason = "makes the files of a test")]

use serde_json::json;

use super::{
    echo::Echo,
    key_vault::{CLIENT, CLIENT_SECRET, KeyVault, TENANT},
    ministack::{ROOT, Seeded},
    needles::Canary,
    openbao::OpenBao,
    program::Program,
};

/// What the local vault holds.
const LOCAL: &str = "canary-local-5b8e1f90c3d7a246";
const HASHICORP: &str = "canary-hashicorp-2c94e07b51fa";
const AZURE: &str = "canary-azure-90fe31b7d5c8";
/// What the emulator was filled with (`servers/aws_seed.py`).
const AWS: &str = "canary-aws-v2-91be";

pub struct World {
    pub program: Program,
    pub echo: Echo,
    /// The values that requests use; those of servers that cannot be had are left out.
    pub values: Vec<Canary>,
    /// What opens vaults: keys and tokens in the program's environment.
    pub keys: Vec<Canary>,
    /// The user's own configuration.
    pub integrations: String,
    /// Its servers run in there.
    _runtime: tokio::runtime::Runtime,
    pub bao: Option<OpenBao>,
    pub key_vault: KeyVault,
}

impl World {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let key_vault = runtime.block_on(KeyVault::start());
        let mut world = Self {
            program: Program::new(),
            echo: Echo::start_keeping(),
            values: Vec::new(),
            keys: Vec::new(),
            integrations: String::new(),
            _runtime: runtime,
            bao: OpenBao::start(),
            key_vault,
        };
        world.key("the local vault's key", "VAULTLS_KEY", "canary-passphrase-e8a1b06d97");
        let integrations = [world.hashicorp(), world.aws(), world.azure()].concat();
        world.integrations = integrations;
        world.settle();
        let origin = world.origin();
        let stored = world.program.run_with(&["vault", "set", "local", "--allow-domain", &origin], LOCAL.as_bytes());
        assert_eq!(stored.code, 0, "{stored:?}");
        world.values.push(Canary { name: "local", value: LOCAL.into() });
        world
    }

    /// `http://127.0.0.1:PORT` of the target.
    pub fn origin(&self) -> String {
        format!("http://{}", self.echo.address)
    }

    /// The URI of a file of the workspace.
    pub fn uri(&self, name: &str) -> String {
        super::client::uri(&self.program.work().join(name))
    }

    /// A request that uses every value in every kind of place.
    pub fn request(&self) -> String {
        let names: Vec<&str> = self.values.iter().map(|canary| canary.name).collect();
        let each = |write: &dyn Fn(&str) -> String| names.iter().map(|name| write(name)).collect::<Vec<_>>();
        format!(
            "### all\n# @name all\nPOST {}/x?{}\nContent-Type: application/json\nAuthorization: Basic {} {}\n{}\n\n{{{}}}\n",
            self.origin(),
            each(&|name| format!("{name}=<<vault:{name}>>")).join("&"),
            format_args!("<<vault:{}>>", names[0]),
            format_args!("<<vault:{}>>", names[names.len() - 1]),
            each(&|name| format!("X-{name}: Bearer <<vault:{name}>>")).join("\n"),
            each(&|name| format!("\"{name}\": \"<<vault:{name}>>\"")).join(", "),
        )
    }

    /// Sets a variable of the program's environment; an empty value stands for none.
    pub fn set(&mut self, variable: &str, value: &str) {
        let program = std::mem::replace(&mut self.program, Program::new());
        self.program = program.with(variable, value);
    }

    /// Writes the user's own configuration as it is now.
    pub fn settle(&self) {
        self.program.user_config(&self.integrations);
    }

    /// Every key of the environment gets a value that opens nothing.
    pub fn use_wrong_keys(&mut self, wrong: &str) {
        for variable in ["VAULTLS_KEY", "VAULT_TOKEN", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET"] {
            self.set(variable, wrong);
        }
    }

    fn key(&mut self, name: &'static str, variable: &str, value: &str) {
        self.set(variable, value);
        self.keys.push(Canary { name, value: value.into() });
    }

    /// A secret of the user's own configuration, which may go to the target.
    fn secret(&mut self, name: &'static str, value: &str, place: &str) -> String {
        self.values.push(Canary { name, value: value.into() });
        format!("[secrets.{name}]\nintegration = '{name}'\nallowed-domains = ['{}']\n{place}\n", self.origin())
    }

    fn hashicorp(&mut self) -> String {
        let Some(bao) = &self.bao else { return String::new() };
        bao.mount("kv", 2);
        bao.ask("POST", "kv/data/app", &json!({"data": {"password": HASHICORP}}));
        let token = bao.token("reader", "path \"*\" { capabilities = [\"read\", \"list\"] }", "1h");
        let address = bao.address.clone();
        self.key("HashiCorp's token", "VAULT_TOKEN", &token);
        let secret = self.secret("hashicorp", HASHICORP, "engine = 'kv'\npath = 'app'\nkey = 'password'");
        format!("[integrations.hashicorp]\nprovider = 'hashicorp'\naddress = '{address}'\n{secret}")
    }

    fn aws(&mut self) -> String {
        let Some(seeded) = Seeded::shared() else { return String::new() };
        let (id, key) = ROOT;
        self.key("AWS's key id", "AWS_ACCESS_KEY_ID", id);
        self.key("AWS's key", "AWS_SECRET_ACCESS_KEY", key);
        let secret = self.secret("aws", AWS, &format!("arn = '{}'", seeded.arn("prod/db")));
        let endpoint = &seeded.server.address;
        format!("[integrations.aws]\nprovider = 'aws'\nendpoint = '{endpoint}'\nauth = {{ method = 'keys' }}\n{secret}")
    }

    fn azure(&mut self) -> String {
        self.key_vault.put("db", AZURE);
        let url = self.key_vault.url();
        self.key("Azure's client secret", "AZURE_CLIENT_SECRET", CLIENT_SECRET);
        let ca = self.program.work().join("ca.pem");
        std::fs::write(&ca, &self.key_vault.authority_pem).unwrap();
        let secret = self.secret("azure", AZURE, &format!("id = '{url}/secrets/db'"));
        format!(
            "[integrations.azure]\nprovider = 'azure'\naddress = '{url}'\nca-file = '{}'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = 'client-secret' }}\n{secret}",
            ca.display()
        )
    }
}
