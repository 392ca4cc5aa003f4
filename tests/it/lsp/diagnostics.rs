//! Diagnostics: pushed or pulled, never both, never for an older version than the last edit.

use serde_json::{Value, json};

use crate::support::client::{Client, Home};

const MISSING: &str = "GET https://api.example.com/\nX: <<vault:absent>>\n";

fn codes(diagnostics: &[Value]) -> Vec<String> {
    let code = |it: &Value| {
        let (start, end) = (&it["range"]["start"], &it["range"]["end"]);
        format!("{}:{}-{} {}", start["line"], start["character"], end["character"], it["code"].as_str().unwrap())
    };
    diagnostics.iter().map(code).collect()
}

fn pulling() -> Value {
    json!({ "textDocument": { "diagnostic": {} }, "workspace": { "diagnostics": { "refreshSupport": true } } })
}

async fn pull(client: &mut Client, uri: &str) -> Vec<String> {
    let report = client.request("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } })).await.unwrap();
    assert_eq!(report["kind"], "full");
    codes(report["items"].as_array().unwrap())
}

#[tokio::test]
async fn a_missing_secret_is_marked_with_its_code() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    let diagnostics = client.diagnostics(&uri, 1).await;
    assert_eq!(codes(&diagnostics), ["1:3-20 missing"]);
    assert_eq!(diagnostics[0]["source"], "vaultls");
    assert_eq!(diagnostics[0]["severity"], 1);
    client.finish().await;
}

#[tokio::test]
async fn only_the_last_of_a_burst_of_edits_is_looked_at() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "").await;
    for version in 2..100 {
        client.change_document(&uri, version, &MISSING.replace("absent", &format!("absent-{version}"))).await;
    }
    let last = client.diagnostics(&uri, 99).await;
    assert!(last[0]["message"].as_str().unwrap().contains("absent-99"), "{last:?}");
    let later: Vec<_> = client.unread_diagnostics().into_iter().filter(|version| *version > 1).collect();
    assert!(later.len() < 10, "looked at {later:?} as well");
    client.finish().await;
}

#[tokio::test]
async fn closing_a_document_takes_its_diagnostics_back() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    client.diagnostics(&uri, 1).await;
    client.skip_diagnostics();
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    let taken_back = client.expect("textDocument/publishDiagnostics").await;
    assert_eq!(taken_back["params"], json!({ "uri": uri, "diagnostics": [] }));
    client.finish().await;
}

#[tokio::test]
async fn a_client_that_pulls_is_never_pushed_to() {
    let home = Home::new();
    let mut client = Client::open(&home, pulling()).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    assert_eq!(pull(&mut client, &uri).await, ["1:3-20 missing"]);
    client.change_document(&uri, 2, &MISSING.replace("X:", "Key:")).await;
    assert_eq!(pull(&mut client, &uri).await, ["1:5-22 missing"]);
    client.answer_refreshes().await;
    client.finish_without_diagnostics().await;
}

#[tokio::test]
async fn a_client_that_pulls_and_cannot_be_told_to_is_pushed_to() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let capabilities = json!({ "textDocument": { "diagnostic": {} } });
    let answer = client.initialize(&home, capabilities, Value::Null).await;
    assert_eq!(answer["capabilities"]["diagnosticProvider"], Value::Null);
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    assert_eq!(codes(&client.diagnostics(&uri, 1).await), ["1:3-20 missing"]);
    client.finish().await;
}

#[tokio::test]
async fn the_link_file_is_checked_as_the_editor_holds_it() {
    let home = Home::new();
    home.write("vaultls.toml", super::features::LINKED);
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("vaultls.toml");
    let broken = super::features::LINKED.replace("engine = \"kv\"", "engine = 3");
    client.open_document(&uri, "toml", &broken).await;
    let diagnostics = client.diagnostics(&uri, 1).await;
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(diagnostics[0]["code"], "config");
    assert_eq!(diagnostics[0]["range"]["start"]["line"], 6);
    client.change_document(&uri, 2, super::features::LINKED).await;
    assert_eq!(client.diagnostics(&uri, 2).await, Vec::<Value>::new());
    client.finish().await;
}

#[tokio::test]
async fn an_edit_of_the_link_file_shows_in_open_documents() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &MISSING.replace("absent", "token")).await;
    assert_eq!(codes(&client.diagnostics(&uri, 1).await), ["1:3-19 missing"]);
    client.open_document(&home.uri("vaultls.toml"), "toml", super::features::LINKED).await;
    client.diagnostics(&home.uri("vaultls.toml"), 1).await;
    // The definition came with the workspace: it waits for approval.
    assert_eq!(codes(&client.diagnostics(&uri, 1).await), ["1:3-19 untrusted"]);
    client.finish().await;
}

#[tokio::test]
async fn environment_files_are_read_again_when_they_change() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://{{host}}/\n").await;
    assert_eq!(codes(&client.diagnostics(&uri, 1).await), ["0:12-20 variable"]);
    home.write("http-client.env.json", r#"{ "dev": { "host": "a.example.com" }, "$shared": {} }"#);
    client
        .notify("workspace/didChangeConfiguration", json!({ "settings": { "vaultls": { "environment": "dev" } } }))
        .await;
    assert_eq!(codes(&client.diagnostics(&uri, 1).await), Vec::<String>::new());
    home.write("http-client.env.json", "{ \"dev\": ");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [] })).await;
    let found = codes(&client.diagnostics(&uri, 1).await);
    assert!(found.contains(&"0:0-0 config".to_owned()), "{found:?}");
    client.finish().await;
}

#[tokio::test]
async fn files_are_watched_by_clients_that_can() {
    let home = Home::new();
    let watching = json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } });
    let mut client = Client::open(&home, watching).await;
    let request = client.expect("client/registerCapability").await;
    assert_eq!(request["params"]["registrations"][0]["method"], "workspace/didChangeWatchedFiles");
    client.reply(&request, Value::Null).await;
    client.finish().await;
}

#[tokio::test]
async fn each_folder_of_a_workspace_has_secrets_of_its_own() {
    let home = Home::new();
    home.write("inner/vaultls.toml", super::features::LINKED);
    let mut client = Client::open(&home, json!({})).await;
    let folder = json!({ "uri": home.uri("inner"), "name": "inner" });
    let added = json!({ "event": { "added": [folder], "removed": [] } });
    let (outer, inner) = (home.uri("a.http"), home.uri("inner/a.http"));
    let text = MISSING.replace("absent", "token");
    client.open_document(&outer, "http", &text).await;
    client.open_document(&inner, "http", &text).await;
    assert_eq!(codes(&client.diagnostics(&outer, 1).await), ["1:3-19 missing"]);
    assert_eq!(codes(&client.diagnostics(&inner, 1).await), ["1:3-19 missing"]);
    client.skip_diagnostics();
    client.notify("workspace/didChangeWorkspaceFolders", added).await;
    assert_eq!(codes(&client.diagnostics(&inner, 1).await), ["1:3-19 untrusted"]);
    assert_eq!(codes(&client.diagnostics(&outer, 1).await), ["1:3-19 missing"]);
    client.finish().await;
}
