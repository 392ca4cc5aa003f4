//! Renames and references across a workspace.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::client::{Client, Home};

fn uses(name: &str) -> String {
    format!("GET https://a.example.com/\nX: <<vault:{name}>>\nY: {{{{vault:{name}}}}}\n")
}

fn collection(name: &str) -> String {
    let url = format!("https://a.example.com/{{{{vault:{name}}}}}");
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    json!({ "info": { "name": "c", "schema": schema }, "item": [{ "name": "r", "request": { "method": "GET", "url": url } }] })
        .to_string()
}

async fn rename(client: &mut Client, uri: &str, line: u32, character: u32, new: &str) -> Result<Value, Value> {
    let position = json!({ "line": line, "character": character });
    let params = json!({ "textDocument": { "uri": uri }, "position": position, "newName": new });
    client.request("textDocument/rename", params).await
}

/// The number of edits for each file below the workspace.
fn counts(home: &Home, edit: &Value) -> BTreeMap<String, usize> {
    let root = home.uri("");
    let name = |uri: &str| uri.strip_prefix(&root).expect(uri).trim_start_matches('/').to_owned();
    let files = edit["changes"].as_object().unwrap();
    files.iter().map(|(uri, edits)| (name(uri), edits.as_array().unwrap().len())).collect()
}

#[tokio::test]
async fn a_secret_is_renamed_in_every_document_of_the_workspace() {
    let home = Home::new();
    home.write("closed.rest", &uses("old"));
    home.write("deep/er/collection.json", &collection("old"));
    home.write("other-name.http", &uses("older"));
    home.write("other.json", r#"{ "a": "<<vault:old>>" }"#);
    home.write("node_modules/x/a.http", &uses("old"));
    home.write(".hidden/a.http", &uses("old"));
    // On the disk the open document does not use the name.
    home.write("open.http", "GET https://a.example.com/\n");
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("open.http");
    client.open_document(&uri, "http", &uses("old")).await;

    let edit = rename(&mut client, &uri, 1, 12, "new").await.unwrap();
    let expected = [("closed.rest", 2), ("deep/er/collection.json", 1), ("open.http", 2)];
    assert_eq!(counts(&home, &edit), expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert_eq!(edit["changes"][&uri][0]["newText"], "new");
    client.finish().await;
}

#[tokio::test]
async fn the_link_is_renamed_with_its_references() {
    let home = Home::new();
    home.write("vaultls.toml", super::features::LINKED);
    let versioned = json!({ "workspace": { "workspaceEdit": { "documentChanges": true } } });
    let mut client = Client::open(&home, versioned).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &uses("token")).await;
    client.diagnostics(&uri, 1).await;
    let edit = rename(&mut client, &uri, 1, 12, "api/token").await.unwrap();
    let changes = edit["documentChanges"].as_array().unwrap();
    let of = |uri: &str| changes.iter().find(|it| it["textDocument"]["uri"] == uri).unwrap();
    assert_eq!(of(&uri)["textDocument"]["version"], 1);
    let link = of(&home.uri("vaultls.toml"));
    assert_eq!(link["textDocument"]["version"], Value::Null);
    assert_eq!(link["edits"][0]["newText"], "\"api/token\"");
    client.finish().await;
}

#[tokio::test]
async fn a_variable_is_renamed_in_its_document_only() {
    let home = Home::new();
    home.write("b.http", "@host = b\nGET https://{{host}}/\n");
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "@host = a\nGET https://{{host}}/\n").await;
    let edit = rename(&mut client, &uri, 1, 16, "server").await.unwrap();
    assert_eq!(counts(&home, &edit), [("a.http".to_owned(), 2)].into());
    client.finish().await;
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_with_the_reason() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &uses("old")).await;
    let error = rename(&mut client, &uri, 1, 12, "a`b").await.unwrap_err();
    assert_eq!(error["code"], -32803);
    assert!(error["message"].as_str().unwrap().contains("letters"), "{error}");
    client.finish().await;
}

#[tokio::test]
async fn references_are_found_in_files_that_are_not_open() {
    let home = Home::new();
    home.write("closed.http", &uses("old"));
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("open.http");
    client.open_document(&uri, "http", &uses("old")).await;
    let position = json!({ "line": 1, "character": 12 });
    let params =
        json!({ "textDocument": { "uri": uri }, "position": position, "context": { "includeDeclaration": true } });
    let found = client.request("textDocument/references", params).await.unwrap();
    let mut files: Vec<_> = found.as_array().unwrap().iter().map(|it| it["uri"].as_str().unwrap().to_owned()).collect();
    files.dedup();
    assert_eq!(files, [uri, home.uri("closed.http")]);
    client.finish().await;
}

#[tokio::test]
async fn a_file_outside_of_the_workspace_is_searched_with_its_neighbours_only() {
    let home = Home::new();
    home.write("inside.http", &uses("old"));
    home.write("../outside/near.http", &uses("old"));
    home.write("../outside/below/far.http", &uses("old"));
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("inside.http").replace("workspace/inside", "outside/open");
    client.open_document(&uri, "http", &uses("old")).await;
    let edit = rename(&mut client, &uri, 1, 12, "new").await.unwrap();
    let files: Vec<_> = edit["changes"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(files, [uri.replace("open.http", "near.http"), uri]);
    client.finish().await;
}
