//! Diagnostics: pushed or pulled, never both, never for an older version than the last edit.

use serde_json::{Value, json};

use crate::support::client::{Client, Home, codes};

const MISSING: &str = "GET https://api.example.com/\nX: <<vault:absent>>\n";

fn pulling() -> Value {
    json!({ "textDocument": { "diagnostic": {} }, "workspace": { "diagnostics": { "refreshSupport": true } } })
}

/// Pulls until the diagnostics are these: again as often as the server says that there are others.
async fn pull(client: &mut Client, uri: &str, expected: &[&str]) {
    loop {
        let document = json!({ "textDocument": { "uri": uri } });
        let report = client.request("textDocument/diagnostic", document).await.unwrap();
        assert_eq!(report["kind"], "full");
        if codes(report["items"].as_array().unwrap()) == expected {
            return;
        }
        // On a busy machine the vaults are not heard in time.
        let again = client.expect("workspace/diagnostic/refresh").await;
        client.reply(&again, Value::Null).await;
    }
}

#[tokio::test]
async fn a_missing_secret_is_marked_with_its_code() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    let diagnostics = client.expect_diagnostics(&uri, 1, &["1:3-19 missing"]).await;
    assert_eq!(diagnostics[0]["source"], "vaultls");
    assert_eq!(diagnostics[0]["severity"], 1);
    client.finish().await;
}

/// No time passes while anything is done, however busy the machine is.
#[tokio::test(start_paused = true)]
async fn only_the_last_of_a_burst_of_edits_is_looked_at() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "").await;
    for version in 2..100 {
        client.change_document(&uri, version, &MISSING.replace("absent", &format!("absent-{version}"))).await;
    }
    let last = client.expect_diagnostics(&uri, 99, &["1:3-22 missing"]).await;
    assert!(last[0]["message"].as_str().unwrap().contains("absent-99"), "{last:?}");
    let later: Vec<_> = client.unread_diagnostics().into_iter().filter(|version| *version > 1).collect();
    assert!(later.iter().all(|version| *version == 99), "looked at {later:?} as well");
    client.finish().await;
}

#[tokio::test]
async fn closing_a_document_takes_its_diagnostics_back() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", MISSING).await;
    client.expect_diagnostics(&uri, 1, &["1:3-19 missing"]).await;
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
    pull(&mut client, &uri, &["1:3-19 missing"]).await;
    client.change_document(&uri, 2, &MISSING.replace("X:", "Key:")).await;
    pull(&mut client, &uri, &["1:5-21 missing"]).await;
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
    client.expect_diagnostics(&uri, 1, &["1:3-19 missing"]).await;
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
    client.expect_diagnostics(&uri, 1, &["6:9-10 config"]).await;
    client.change_document(&uri, 2, super::features::LINKED).await;
    client.expect_diagnostics(&uri, 2, &[]).await;
    client.finish().await;
}

#[tokio::test]
async fn an_edit_of_the_link_file_shows_in_open_documents() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &MISSING.replace("absent", "token")).await;
    client.expect_diagnostics(&uri, 1, &["1:3-18 missing"]).await;
    client.open_document(&home.uri("vaultls.toml"), "toml", super::features::LINKED).await;
    client.expect_diagnostics(&home.uri("vaultls.toml"), 1, &[]).await;
    // The definition came with the workspace: it waits for approval.
    client.expect_diagnostics(&uri, 1, &["1:3-18 untrusted"]).await;
    client.finish().await;
}

#[tokio::test]
async fn environment_files_are_read_again_when_they_change() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://{{host}}/\n").await;
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable"]).await;
    home.write("http-client.env.json", r#"{ "dev": { "host": "a.example.com" }, "$shared": {} }"#);
    client
        .notify("workspace/didChangeConfiguration", json!({ "settings": { "vaultls": { "environment": "dev" } } }))
        .await;
    client.expect_diagnostics(&uri, 1, &[]).await;
    home.write("http-client.env.json", "{ \"dev\": ");
    let changed = json!({ "changes": [{ "uri": home.uri("http-client.env.json"), "type": 2 }] });
    client.notify("workspace/didChangeWatchedFiles", changed).await;
    client.expect_diagnostics(&uri, 1, &["0:0-0 config", "0:12-20 variable"]).await;
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
    client.expect_diagnostics(&outer, 1, &["1:3-18 missing"]).await;
    client.expect_diagnostics(&inner, 1, &["1:3-18 missing"]).await;
    client.skip_diagnostics();
    client.notify("workspace/didChangeWorkspaceFolders", added).await;
    client.expect_diagnostics(&inner, 1, &["1:3-18 untrusted"]).await;
    client.finish_without_diagnostics().await;
}

#[tokio::test]
async fn a_folder_that_is_removed_takes_its_definitions_along() {
    let home = Home::new();
    home.write("inner/vaultls.toml", super::features::LINKED);
    let mut client = Client::open(&home, json!({})).await;
    let folder = json!({ "uri": home.uri("inner"), "name": "inner" });
    let moved = |added: &[&Value], removed: &[&Value]| json!({ "event": { "added": added, "removed": removed } });
    client.notify("workspace/didChangeWorkspaceFolders", moved(&[&folder], &[])).await;
    let inner = home.uri("inner/a.http");
    client.open_document(&inner, "http", &MISSING.replace("absent", "token")).await;
    client.expect_diagnostics(&inner, 1, &["1:3-18 untrusted"]).await;
    client.notify("workspace/didChangeWorkspaceFolders", moved(&[], &[&folder])).await;
    client.expect_diagnostics(&inner, 1, &["1:3-18 missing"]).await;
    client.finish().await;
}

#[tokio::test]
async fn ten_thousand_faults_do_not_flood_the_editor() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    let block = "### One of many\nGET https://api.example.com/<<vault:absent>>\n\n";
    client.open_document(&uri, "http", &block.repeat(10_000)).await;
    // On a busy machine what the text alone tells comes first, and that is nothing.
    let diagnostics = loop {
        let published = client.expect("textDocument/publishDiagnostics").await;
        let diagnostics = published["params"]["diagnostics"].as_array().unwrap().clone();
        if !diagnostics.is_empty() {
            break diagnostics;
        }
    };
    // A thousand, and one that says that there are more.
    assert_eq!(diagnostics.len(), 1_001);
    assert!(
        diagnostics.iter().any(|one| one["message"].as_str().unwrap().contains("9000")),
        "{:?}",
        diagnostics.last()
    );
    client.finish().await;
}
