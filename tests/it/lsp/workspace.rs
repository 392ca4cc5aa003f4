//! Where documents belong: folders that come and go, documents that are no files, settings, and files that others
//! change.
#![expect(clippy::disallowed_methods, reason = "looks at a file that the server may not change")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    lsp::features::LINKED,
    support::{
        client::{Client, Home, codes},
        program::Program,
        session::Session,
    },
};

const TOKEN: &str = "GET https://api.example.com/\nX: <<vault:token>>\n";
const HOST: &str = "GET https://{{host}}/\n";
const ENVIRONMENTS: &str = r#"{ "dev": { "host": "a.example.com" }, "$shared": {} }"#;

/// A client whose folders are `folders`, paths of the home's workspace.
async fn opened(home: &Home, folders: &[&str], capabilities: Value) -> Client {
    let folders: Vec<_> = folders.iter().map(|path| folder(home, path)).collect();
    let mut client = Client::start(home);
    let params = json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": folders });
    client.request("initialize", params).await.unwrap();
    client.notify("initialized", json!({})).await;
    client
}

/// As an editor names a folder: by its last part.
fn folder(home: &Home, path: &str) -> Value {
    json!({ "uri": home.uri(path), "name": path.rsplit('/').next() })
}

async fn move_folders(client: &mut Client, added: &[Value], removed: &[Value]) {
    let event = json!({ "added": added, "removed": removed });
    client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event })).await;
}

#[tokio::test]
async fn two_folders_with_the_same_name_are_two() {
    let home = Home::new();
    home.write("one/api/vaultls.toml", LINKED);
    home.write("two/api/a.txt", "");
    let mut client = opened(&home, &["one/api", "two/api"], json!({})).await;
    let (one, two) = (home.uri("one/api/a.http"), home.uri("two/api/a.http"));
    client.open_document(&one, "http", TOKEN).await;
    client.open_document(&two, "http", TOKEN).await;
    client.expect_diagnostics(&one, 1, &["1:3-18 untrusted"]).await;
    client.expect_diagnostics(&two, 1, &["1:3-18 missing"]).await;
    client.skip_diagnostics();
    move_folders(&mut client, &[], &[folder(&home, "one/api")]).await;
    // Its own folder is its workspace then, which is the same one.
    client.finish().await;
}

#[tokio::test]
async fn a_file_outside_of_all_folders_belongs_to_its_own() {
    let home = Home::new();
    home.write("outside/vaultls.toml", LINKED);
    home.write("inside/a.txt", "");
    let mut client = opened(&home, &["inside"], json!({})).await;
    let (outside, inside) = (home.uri("outside/a.http"), home.uri("inside/a.http"));
    client.open_document(&outside, "http", TOKEN).await;
    client.open_document(&inside, "http", TOKEN).await;
    client.expect_diagnostics(&outside, 1, &["1:3-18 untrusted"]).await;
    client.expect_diagnostics(&inside, 1, &["1:3-18 missing"]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_link_file_is_checked_once_its_folder_is_opened() {
    let home = Home::new();
    home.write("outer/inner/vaultls.toml", LINKED);
    let mut client = opened(&home, &["outer"], json!({})).await;
    let config = home.uri("outer/inner/vaultls.toml");
    client.open_document(&config, "toml", &LINKED.replace("engine = \"kv\"", "engine = 3")).await;
    move_folders(&mut client, &[folder(&home, "outer/inner")], &[]).await;
    client.expect_diagnostics(&config, 1, &["6:9-10 config"]).await;
    move_folders(&mut client, &[], &[folder(&home, "outer/inner")]).await;
    client.expect_diagnostics(&config, 1, &[]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_document_that_was_never_saved_belongs_to_the_first_folder() {
    let home = Home::new();
    home.write("first/vaultls.toml", LINKED);
    home.write("first/http-client.env.json", r#"{ "$shared": { "host": "a.example.com" } }"#);
    home.write("second/a.txt", "");
    let mut client = opened(&home, &["first", "second"], json!({})).await;
    for uri in ["untitled:Untitled-1", "untitled:/new/a.http", "vscode-notebook-cell:/a/book.ipynb#W0sZmlsZQ=="] {
        client.open_document(uri, "http", "GET https://{{host}}/\nX: <<vault:token>>\n").await;
        client.expect_diagnostics(uri, 1, &["1:3-18 untrusted"]).await;
    }
    // Also where it moves to another one.
    client.skip_diagnostics();
    move_folders(&mut client, &[], &[folder(&home, "first")]).await;
    client.expect_diagnostics("untitled:Untitled-1", 1, &["0:12-20 variable", "1:3-18 missing"]).await;
    client.finish().await;
}

#[test]
fn without_a_folder_nothing_is_read_where_the_editor_was_started() {
    let program = Program::new();
    program.file("vaultls.toml", LINKED);
    program.file("http-client.env.json", r#"{ "$shared": { "host": "a.example.com" } }"#);
    let mut editor = Session::start(program.command(&["lsp"]));
    let pulls =
        json!({ "textDocument": { "diagnostic": {} }, "workspace": { "diagnostics": { "refreshSupport": true } } });
    editor.request("initialize", &json!({ "capabilities": pulls })).unwrap();
    editor.notify("initialized", &json!({}));
    for uri in ["untitled:Untitled-1", "vscode-remote://ssh-remote%2Bhost/work/a.http"] {
        editor.open_document(uri, "http", "GET https://{{host}}/\nX: <<vault:token>>\n");
        // On a busy machine the vaults are not heard in time, and one is to ask again.
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let document = json!({ "textDocument": { "uri": uri } });
            let report = editor.request("textDocument/diagnostic", &document).unwrap();
            let codes = codes(report["items"].as_array().unwrap());
            if codes == ["0:12-20 variable", "1:3-18 missing"] {
                break;
            }
            assert!(Instant::now() < end, "{uri}: {codes:?}");
        }
        // What needs a folder says so; the person's own vault does not.
        let link = json!({ "integration": "vault", "path": "a", "key": "b" });
        let linked = editor.command("vaultls.link", &json!({ "uri": uri, "name": "token", "link": link }));
        assert_eq!(linked["outcome"], "failed", "{linked}");
        let created = editor.command("vaultls.create", &json!({ "uri": uri, "name": "token" }));
        assert_eq!(created["outcome"], "needsInput", "{created}");
    }
    assert_eq!(std::fs::read_to_string(program.work().join("vaultls.toml")).unwrap(), LINKED);
    assert_eq!(editor.end().status.code(), Some(0));
}

#[tokio::test]
async fn each_cell_of_a_notebook_is_a_document_of_its_own() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let cells = ["vscode-notebook-cell:/a/book.ipynb#W0s", "vscode-notebook-cell:/a/book.ipynb#W1s"];
    for (index, cell) in cells.iter().enumerate() {
        let text = format!("@base = https://cell-{index}.example.com\nGET {{{{base}}}}/\n");
        client.open_document(cell, "http", &text).await;
    }
    let place = json!({ "textDocument": { "uri": cells[1] }, "position": { "line": 1, "character": 8 } });
    let definition = client.request("textDocument/definition", place.clone()).await.unwrap();
    assert_eq!(definition["uri"], cells[1]);
    let mut renaming = place;
    renaming["newName"] = json!("origin");
    let edit = client.request("textDocument/rename", renaming).await.unwrap();
    let changed: Vec<_> = edit["changes"].as_object().unwrap().keys().collect();
    assert_eq!(changed, [cells[1]]);
    client.finish().await;
}

#[tokio::test]
async fn a_file_that_is_renamed_or_deleted_takes_its_diagnostics_along() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let (before, after) = (home.uri("before.http"), home.uri("after.http"));
    client.open_document(&before, "http", TOKEN).await;
    client.expect_diagnostics(&before, 1, &["1:3-18 missing"]).await;
    client.skip_diagnostics();
    // As editors tell of it: the one is closed, the other one opened.
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": before } })).await;
    client.open_document(&after, "http", TOKEN).await;
    let taken_back = client.expect("textDocument/publishDiagnostics").await;
    assert_eq!(taken_back["params"], json!({ "uri": before, "diagnostics": [] }));
    client.expect_diagnostics(&after, 1, &["1:3-18 missing"]).await;
    client.finish().await;
}

#[tokio::test]
async fn an_older_client_names_its_root_in_other_words() {
    let home = Home::new();
    home.write("vaultls.toml", LINKED);
    for root in [json!({ "rootUri": home.uri("") }), json!({ "rootPath": home.root() })] {
        let mut client = Client::start(&home);
        let mut params = json!({ "processId": null, "capabilities": {} });
        params.as_object_mut().unwrap().extend(root.as_object().unwrap().clone());
        client.request("initialize", params).await.unwrap();
        client.notify("initialized", json!({})).await;
        client.open_document(&home.uri("below/a.http"), "http", TOKEN).await;
        client.expect_diagnostics(&home.uri("below/a.http"), 1, &["1:3-18 untrusted"]).await;
        client.finish().await;
    }
}

#[tokio::test]
async fn a_change_on_the_disk_shows_where_the_client_watches_nothing() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("below/a.http");
    client.open_document(&uri, "http", &format!("{HOST}X: <<vault:token>>\n")).await;
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable", "1:3-18 missing"]).await;
    home.write("vaultls.toml", LINKED);
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable", "1:3-18 untrusted"]).await;
    home.write("http-client.env.json", r#"{ "$shared": { "host": "a.example.com" } }"#);
    client.expect_diagnostics(&uri, 1, &["1:3-18 untrusted"]).await;
    home.write("http-client.env.json", "{}");
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable", "1:3-18 untrusted"]).await;
    client.finish().await;
}

/// What a client can do that is to be asked for its settings.
fn asked() -> Value {
    json!({ "workspace": { "configuration": true, "didChangeConfiguration": { "dynamicRegistration": true } } })
}

/// Answers the server's question about the settings.
async fn answer_settings(client: &mut Client, settings: Value) {
    let question = client.expect("workspace/configuration").await;
    assert_eq!(question["params"]["items"], json!([{ "section": "vaultls" }]));
    client.reply(&question, json!([settings])).await;
}

#[tokio::test]
async fn settings_are_asked_for_at_the_start_and_when_they_changed() {
    let home = Home::new();
    home.write("http-client.env.json", ENVIRONMENTS);
    let mut client = Client::open(&home, asked()).await;
    let registered = client.expect("client/registerCapability").await;
    assert_eq!(
        registered["params"]["registrations"],
        json!([{ "id": "vaultls/settings", "method": "workspace/didChangeConfiguration", "registerOptions": { "section": "vaultls" } }])
    );
    client.reply(&registered, Value::Null).await;
    answer_settings(&mut client, Value::Null).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", HOST).await;
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable"]).await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    answer_settings(&mut client, json!({ "environment": "dev" })).await;
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": {} })).await;
    answer_settings(&mut client, json!({})).await;
    client.expect_diagnostics(&uri, 1, &["0:12-20 variable"]).await;
    client.finish().await;
}

#[tokio::test]
async fn what_was_said_at_the_start_stands_where_the_settings_say_nothing() {
    let home = Home::new();
    home.write("http-client.env.json", ENVIRONMENTS);
    let options = json!({ "vaultls": { "environment": "dev" } });
    let capabilities = json!({ "workspace": { "configuration": true } });
    let mut client = Client::open_with(&home, capabilities, options).await;
    answer_settings(&mut client, Value::Null).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", HOST).await;
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.finish().await;
}

/// They tell the environment by themselves: what a person chose is not in their settings.
#[tokio::test]
async fn our_plugins_are_not_asked_for_settings() {
    let home = Home::new();
    let mut client = Client::open_with(&home, asked(), json!({ "vaultls": { "client": "nvim" } })).await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    client.open_document(&home.uri("a.http"), "http", HOST).await;
    client.expect_diagnostics(&home.uri("a.http"), 1, &["0:12-20 variable"]).await;
    client.finish().await;
}
