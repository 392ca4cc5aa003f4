//! The stand-in for Azure Key Vault, judged a second time: Microsoft's SDK for Python, which the program does not use,
//! has to understand every answer and to tell its refusals apart.
#![expect(clippy::disallowed_methods, reason = "runs the SDK in its own interpreter")]

use std::process::Command;

use expect_test::expect;

use crate::support::{
    key_vault::{KeyVault, version},
    provision,
};

const SDK: &str = r#"
import sys, time
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.keyvault.secrets import SecretClient

address, authority, token = sys.argv[1:4]

class Credential:
    def get_token(self, *scopes, **_):
        print("asked for a token for", *scopes)
        return AccessToken(token, int(time.time()) + 3600)

def told(what, ask):
    try:
        print(what, ask())
    except AzureError as error:
        print(what, type(error).__name__, error.status_code, error.error.code)

client = SecretClient(
    address, Credential(), verify_challenge_resource=False, connection_verify=authority, retry_total=0)
told("latest:", lambda: client.get_secret("db").value)
told("first:", lambda: client.get_secret("db", "VERSION").value)
told("name:", lambda: client.get_secret("db").name)
told("versions:", lambda: sorted(one.version for one in client.list_properties_of_secret_versions("db")))
told("names:", lambda: [one.name for one in client.list_properties_of_secrets()])
told("missing:", lambda: client.get_secret("nope"))
told("no version:", lambda: client.get_secret("db", "0" * 32))
told("disabled:", lambda: client.get_secret("off"))
told("deleted:", lambda: client.get_deleted_secret("gone").deleted_date.year)
told("forbidden:", lambda: client.get_secret("closed"))
told("throttled:", lambda: client.get_secret("busy"))
"#;

#[tokio::test]
async fn microsofts_other_sdk_reads_through_the_stand_in() {
    let Some(python) = provision::python_tool("python") else { return };
    let server = KeyVault::start().await;
    server.put("db", "canary-first");
    server.put("db", "canary-latest \u{e9}\n");
    server.world().put("off", "canary-off", false);
    server.world().deleted.push("gone".into());
    let refusals = [("/secrets/closed", 403, "ForbiddenByRbac"), ("/secrets/busy", 429, "Throttled")];
    server.world().refusals = refusals.map(|(path, status, code)| (path.into(), status, code)).into();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    server.write_authority(&authority);
    let mut command = Command::new(python);
    command.args(["-c", &SDK.replace("VERSION", &version(1)), &server.url()]).arg(&authority).arg("canary-token-1");
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONIOENCODING", "ascii:backslashreplace");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    expect![[r#"
        asked for a token for https://vault.azure.net/.default
        latest: canary-latest \xe9

        first: canary-first
        name: db
        versions: ['00000000000000000000000000000001', '00000000000000000000000000000002']
        names: ['db', 'off']
        missing: ResourceNotFoundError 404 SecretNotFound
        no version: ResourceNotFoundError 404 SecretNotFound
        disabled: HttpResponseError 403 Forbidden
        deleted: 1970
        forbidden: HttpResponseError 403 Forbidden
        throttled: HttpResponseError 429 Throttled
    "#]]
    .assert_eq(&text);
}
