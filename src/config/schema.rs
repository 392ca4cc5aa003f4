//! The JSON schema of `vaultls.toml` and of the user's `config.toml`, for editors that complete and check TOML.
//!
//! These types exist for their schema alone. The file is read by hand (`read.rs`), because one bad entry must not
//! hide the good ones; a test there holds the field names of both together.
#![expect(dead_code, reason = "the types are read by the schema generator, never built")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

/// Names and coordinates of the secrets of a workspace: no values. Commit it and share it.
#[derive(JsonSchema)]
#[schemars(title = "vaultls.toml", rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    /// How long fetched values stay in memory.
    cache: Option<Cache>,
    /// Named connections, each to one organization of one provider.
    integrations: Option<BTreeMap<IntegrationName, Integration>>,
    /// Where each secret lives, by the name that stands in `<<vault:name>>`.
    secrets: Option<BTreeMap<Name, Secret>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Cache {
    /// Minutes; 0 keeps nothing. A workspace can only shorten what the user set (60 unless set).
    #[schemars(range(min = 0, max = 1440))]
    ttl_minutes: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Integration {
    /// The kind of vault.
    provider: Provider,
    /// HashiCorp Vault: the server's address: https, or http on this machine itself. Azure: where to sign in, for a
    /// cloud other than the public one, such as `https://login.microsoftonline.us`. 1Password: the Connect server's.
    #[schemars(url)]
    address: Option<String>,
    /// The namespace of Vault Enterprise, HCP or OpenBao, such as `team-a`.
    namespace: Option<String>,
    /// Azure: the directory (tenant) to sign in to, its id or its domain.
    tenant: Option<String>,
    /// Azure: the application (client) id, for the ways to sign in that need one.
    client_id: Option<String>,
    /// AWS: the region, such as `eu-west-1`; every linked ARN must be of it.
    region: Option<String>,
    /// AWS: the account's number; every linked ARN must be of it. 1Password: the desktop app's account, by its sign-in
    /// address, email or id.
    account: Option<String>,
    /// AWS: the profile of `~/.aws/config`; `main`, then `default`, unless set.
    profile: Option<String>,
    /// AWS: the address of an emulator. Only in the user's own configuration.
    #[schemars(url)]
    endpoint: Option<String>,
    /// A file with the certificate authority's certificates (PEM). Only in the user's own configuration.
    ca_file: Option<String>,
    /// How to sign in: HashiCorp Vault by `token` unless set, AWS by `profile`, Azure by
    /// `az`, 1Password by `app`.
    auth: Option<Auth>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Provider {
    Hashicorp,
    Azure,
    Aws,
    Onepassword,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Auth {
    /// The usual way of the provider unless set.
    method: Option<Method>,
    /// `oidc`: the OIDC provider's issuer, such as `https://vault.example.com/v1/identity/oidc/provider/default`.
    #[schemars(url)]
    provider_url: Option<String>,
    /// `oidc`: the path of the JWT auth method that takes the provider's tokens.
    jwt_path: Option<String>,
    /// `oidc`: the OIDC client's id.
    client_id: Option<String>,
    /// `oidc`, `jwt`, `kubernetes`: the role to sign in as.
    role: Option<String>,
    /// The path of the auth method, where it is not the usual one.
    mount: Option<String>,
    /// `userpass`: the user's name; asked for unless set.
    username: Option<String>,
    /// `approle`: the role's id; `VAULT_ROLE_ID` unless set.
    role_id: Option<String>,
    /// `jwt`, `kubernetes`: the file of the token. Only in the user's own configuration.
    jwt_file: Option<String>,
    /// `oidc`: the ports on this machine that the browser may be sent back to; `10545,10534` unless set.
    redirect_ports: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Method {
    /// HashiCorp Vault: `VAULT_TOKEN`, `~/.vault-token`, or a token typed in once.
    Token,
    /// HashiCorp Vault: in the browser, by the cluster's own OIDC provider.
    Oidc,
    /// HashiCorp Vault: a user's name and password, typed in once.
    Userpass,
    /// HashiCorp Vault: `VAULT_ROLE_ID` and `VAULT_SECRET_ID`.
    Approle,
    /// HashiCorp Vault: a signed token in a file, which the user's own configuration names.
    Jwt,
    /// HashiCorp Vault: the service account of a pod.
    Kubernetes,
    /// Azure: the session of the Azure CLI.
    Az,
    /// Azure: a person in their browser. A session lasts one day at most.
    Browser,
    /// Azure: a person in a browser on any machine, with a code that is shown here.
    Device,
    /// Azure: an application's secret, from `AZURE_CLIENT_SECRET` or typed in once. Never written in a file.
    ClientSecret,
    /// Azure: a federated token of Kubernetes, from `AZURE_FEDERATED_TOKEN_FILE`.
    WorkloadIdentity,
    /// Azure: the identity of this virtual machine or app service.
    ManagedIdentity,
    /// AWS: a profile of `~/.aws/config` or `~/.aws/credentials`, with SSO, roles and credential processes.
    Profile,
    /// AWS: `AWS_ACCESS_KEY_ID` and its company, or keys typed in once. Never written in a file.
    Keys,
    /// 1Password: the session of the desktop app, through the 1Password CLI `op`.
    App,
    /// 1Password: a service account's token, from `OP_SERVICE_ACCOUNT_TOKEN` or typed in once, through `op`.
    ServiceAccount,
    /// 1Password: a Connect server's token, from `OP_CONNECT_TOKEN` or typed in once. Needs `address`.
    Connect,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Secret {
    /// The integration's name, or `local` for the vault on this machine.
    integration: String,
    /// HashiCorp Vault: the mount path of the KV secrets engine, such as `kv`.
    engine: Option<String>,
    /// HashiCorp Vault: the secret's path below the mount, without `data/`.
    path: Option<String>,
    /// HashiCorp Vault: the key within the secret.
    key: Option<String>,
    /// Azure: the secret's identifier, `https://VAULT.vault.azure.net/secrets/NAME`, with `/VERSION` if not the latest.
    id: Option<String>,
    /// AWS: the secret's ARN.
    arn: Option<String>,
    /// AWS: a role to assume for reading the secret.
    role_arn: Option<String>,
    /// AWS: the key, where the secret is a JSON object; the whole text unless set.
    json_key: Option<String>,
    /// AWS: how a binary secret becomes text.
    encoding: Option<Encoding>,
    /// HashiCorp Vault, KV version 2: the version's number. AWS: its id or its stage. The latest unless set.
    version: Option<Version>,
    /// 1Password: the secret reference, such as `op://vault/item/field`, with names or ids.
    reference: Option<String>,
    /// Local vault: the secret's name there, where it differs.
    name: Option<String>,
    /// Where the secret may be sent: `api.example.com`, `*.example.com`, `http://localhost:8080`.
    allowed_domains: Option<Vec<String>>,
    /// For people.
    note: Option<String>,
    /// Whether the secret may be used; true unless set.
    enabled: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Version {
    Number(#[schemars(range(min = 1))] u32),
    Text(String),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Encoding {
    Base64,
    Hex,
    Text,
}

#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct Name(#[schemars(regex(pattern = r"^[A-Za-z0-9._/-]([A-Za-z0-9._/ -]{0,126}[A-Za-z0-9._/-])?$"))] String);

#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct IntegrationName(#[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"))] String);

/// The schema as pretty JSON with a final line break (JSON Schema draft 7, which TOML editors read best).
pub fn schema() -> String {
    let schema = settings().into_generator().into_root_schema_for::<File>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is made of plain JSON");
    text.push('\n');
    text
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft07().with_transform(RecursiveTransform(forget_null))
}

/// TOML has no null: a field that may be absent is not one that may be null.
fn forget_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if choices.len() == 1 {
            let choices = object.remove("anyOf").expect("it was just seen");
            object.insert("allOf".into(), choices);
        }
    }
}

/// The property names of `T`, for the test that compares them with the reader's.
#[cfg(test)]
pub(super) fn properties<T: JsonSchema>() -> Vec<String> {
    let schema = settings().into_generator().into_root_schema_for::<T>();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap();
    properties.keys().cloned().collect()
}
