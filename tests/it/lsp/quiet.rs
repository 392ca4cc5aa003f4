//! What the server does not say: nothing that an editor shows as an error in normal work, and no more diagnostics than
//! an editor can bear.

use serde_json::{Value, json};

use crate::{
    lsp::features::LINKED,
    support::{
        client::{Client, Home},
        program::Program,
        session::Session,
    },
};

const MISSING: &str = "### One of many\nGET https://api.example.com/<<vault:absent>>\n\n";

/// Documents as they come along in a day: ours and others, whole and broken, files and none.
fn documents(home: &Home) -> Vec<(String, &'static str, &'static str)> {
    let file = |name: &str| home.uri(name);
    vec![
        (file("a.http"), "http", "@a = b\nGET https://{{a}}.example.com/<<vault:x>>\nX: <<vault:\n\n{ \"a\": "),
        (file("empty.http"), "http", ""),
        (file("b.rest"), "plaintext", "POST https://a.example.com/\n\n<<vault:y>>"),
        (
            file("c.postman_collection.json"),
            "json",
            r#"{ "info": { "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" }, "item": ["#,
        ),
        (file("package.json"), "json", r#"{ "name": "<<vault:x>>", "broken": "#),
        (file("array.json"), "json", "[1, 2"),
        (file("notes.md"), "markdown", "# <<vault:x>>\n"),
        (file("Cargo.toml"), "toml", "[package"),
        (file("vaultls.toml"), "toml", "[secrets.x\n"),
        (file("deep/vaultls.toml"), "toml", "[secrets.x\n"),
        (file("with%20space%C3%A9.http"), "http", "GET https://a.example.com/\n"),
        ("untitled:Untitled-1".into(), "http", "GET https://a.example.com/<<vault:x>>\n"),
        ("untitled:Untitled-2".into(), "json", "{}"),
        ("vscode-notebook-cell:/w/book.ipynb#W0s".into(), "http", "GET https://a.example.com/\n"),
        ("vscode-remote://ssh-remote%2Bhost/w/a.http".into(), "http", "GET https://a.example.com/\n"),
        ("git:/w/a.http?%7B%22ref%22%3A%22HEAD%22%7D".into(), "http", "GET https://a.example.com/\n"),
        ("output:tasks".into(), "Log", "line\n"),
        ("buffer://3".into(), "http", "GET https://a.example.com/\n"),
    ]
}

/// Every question that editors ask by themselves about a document.
fn questions(uri: &str) -> Vec<(&'static str, Value)> {
    let document = json!({ "uri": uri });
    let place = json!({ "textDocument": document, "position": { "line": 1, "character": 4 } });
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 2, "character": 0 } });
    let about = json!({ "textDocument": document, "range": range, "context": { "diagnostics": [], "includeDeclaration": true } });
    let at = |method| (method, place.clone());
    let of = |method| (method, about.clone());
    let mut references = place.clone();
    references["context"] = json!({ "includeDeclaration": true });
    vec![
        at("textDocument/hover"),
        at("textDocument/completion"),
        at("textDocument/definition"),
        at("textDocument/documentHighlight"),
        at("textDocument/prepareRename"),
        ("textDocument/references", references),
        of("textDocument/documentSymbol"),
        of("textDocument/foldingRange"),
        of("textDocument/codeLens"),
        of("textDocument/codeAction"),
        of("textDocument/semanticTokens/full"),
        of("textDocument/semanticTokens/range"),
        of("textDocument/diagnostic"),
    ]
}

/// Opens, edits, saves and closes `document` with every question in between; the answers that are errors.
fn a_day(editor: &mut Session, document: &(String, &'static str, &'static str)) -> Vec<String> {
    let (uri, language, text) = document;
    let identifier = json!({ "uri": uri });
    let mut errors = Vec::new();
    let mut ask = |editor: &mut Session| {
        for (method, params) in questions(uri) {
            if let Err(error) = editor.request(method, &params) {
                errors.push(format!("{method} of {uri}: {error}"));
            }
        }
    };
    ask(editor);
    editor.open_document(uri, language, text);
    ask(editor);
    let version = |version: i32| json!({ "uri": uri, "version": version });
    let whole = json!([{ "text": format!("{text}\n# more\n") }]);
    editor.notify("textDocument/didChange", &json!({ "textDocument": version(2), "contentChanges": whole }));
    let far = json!({ "start": { "line": 900, "character": 900 }, "end": { "line": 901, "character": 0 } });
    let edit = json!([{ "range": far, "text": "é\u{1f600}" }]);
    editor.notify("textDocument/didChange", &json!({ "textDocument": version(3), "contentChanges": edit }));
    ask(editor);
    for method in ["willSave", "didSave"] {
        editor.notify(&format!("textDocument/{method}"), &json!({ "textDocument": identifier, "reason": 1 }));
    }
    editor.notify("textDocument/didClose", &json!({ "textDocument": identifier }));
    ask(editor);
    errors
}

#[test]
fn normal_work_shows_no_error_in_an_editor() {
    let program = Program::new();
    let home = Home::new();
    home.write("vaultls.toml", LINKED);
    let mut editor = Session::start(program.command(&["lsp"]));
    let folder = json!({ "uri": home.uri(""), "name": "workspace" });
    let capabilities = json!({ "window": { "workDoneProgress": true }, "workspace": { "configuration": true } });
    let params =
        json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": [folder], "trace": "verbose" });
    editor.request("initialize", &params).unwrap();
    editor.notify("initialized", &json!({}));
    // What clients send besides, whether it was asked for or not.
    for (method, params) in [
        ("$/setTrace", json!({ "value": "verbose" })),
        ("$/cancelRequest", json!({ "id": 4_711 })),
        ("$/unheardOf", json!({})),
        ("$/progress", json!({ "token": 1, "value": { "kind": "end" } })),
        ("window/workDoneProgress/cancel", json!({ "token": "unknown" })),
        ("workspace/didChangeConfiguration", json!({ "settings": null })),
        ("workspace/didChangeConfiguration", json!({ "settings": { "vaultls": { "environment": 3 }, "other": [] } })),
        ("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": home.uri(".env"), "type": 3 }] })),
        ("workspace/didChangeWorkspaceFolders", json!({ "event": { "added": [folder], "removed": [] } })),
        (
            "workspace/didRenameFiles",
            json!({ "files": [{ "oldUri": home.uri("a.http"), "newUri": home.uri("b.http") }] }),
        ),
        ("textDocument/didClose", json!({ "textDocument": { "uri": home.uri("never-opened.http") } })),
        ("textDocument/didSave", json!({ "textDocument": { "uri": home.uri("never-opened.http") } })),
        (
            "textDocument/didChange",
            json!({ "textDocument": { "uri": home.uri("never-opened.http"), "version": 2 }, "contentChanges": [{ "text": "" }] }),
        ),
    ] {
        editor.notify(method, &params);
    }
    let mut errors = Vec::new();
    for document in documents(&home) {
        errors.extend(a_day(&mut editor, &document));
        // And once more: what was closed can be opened again.
        errors.extend(a_day(&mut editor, &document));
    }
    assert_eq!(errors, Vec::<String>::new());
    let heard = editor.end();
    assert_eq!(heard.status.code(), Some(0));
    let wire = String::from_utf8(heard.wire).unwrap();
    for shown in ["window/showMessage", "window/logMessage", "\"error\""] {
        assert!(!wire.contains(shown), "{shown} in {wire}");
    }
    // Editors show the standard error as the server's failures.
    assert_eq!(String::from_utf8(heard.log).unwrap(), "");
}

#[tokio::test]
async fn what_is_not_open_is_not_spoken_of() {
    let home = Home::new();
    for file in 0..100 {
        home.write(&format!("part-{}/{file}.http", file % 10), &MISSING.repeat(100));
    }
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/<<vault:absent>>\n").await;
    client.expect_diagnostics(&uri, 1, &["0:28-44 missing"]).await;
    client.finish_without_diagnostics().await;
}

#[tokio::test]
async fn a_workspace_of_ten_thousand_faults_is_told_of_once_per_document() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let text = MISSING.repeat(100);
    let uris: Vec<_> = (0..100).map(|file| home.uri(&format!("{file}.http"))).collect();
    for uri in &uris {
        client.open_document(uri, "http", &text).await;
    }
    for uri in &uris {
        while client.next_diagnostics(uri, 1).await.len() < 100 {}
    }
    client.skip_diagnostics();
    // Nothing changed by this, so that nothing is said.
    let changed = json!({ "changes": [{ "uri": home.uri("vaultls.toml"), "type": 2 }] });
    client.notify("workspace/didChangeWatchedFiles", changed).await;
    client.change_document(&uris[0], 2, "").await;
    client.expect_diagnostics(&uris[0], 2, &[]).await;
    // The others were looked at before the one that was edited later.
    client.finish_without_diagnostics().await;
}

/// No time passes while anything is done, however busy the machine is.
#[tokio::test(start_paused = true)]
async fn typing_beside_ten_thousand_faults_does_not_flood_the_editor() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &MISSING.repeat(10_000)).await;
    while client.next_diagnostics(&uri, 1).await.is_empty() {}
    client.skip_diagnostics();
    let start = json!({ "start": { "line": 0, "character": 4 }, "end": { "line": 0, "character": 4 } });
    for version in 2..=200 {
        let document = json!({ "uri": uri, "version": version });
        let change = json!([{ "range": start, "text": "x" }]);
        client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": change })).await;
    }
    let last = loop {
        let diagnostics = client.next_diagnostics(&uri, 200).await;
        if !diagnostics.is_empty() {
            break diagnostics;
        }
    };
    let published: Vec<_> = client.unread_diagnostics().into_iter().filter(|version| *version > 1).collect();
    assert!(published.len() < 20, "200 letters published {published:?}");
    assert_eq!(last.len(), 1_001);
    let bytes = Value::from(last).to_string().len();
    assert!(bytes < 512 << 10, "{bytes} bytes");
    client.finish().await;
}

#[tokio::test]
async fn a_request_that_is_sent_is_the_one_that_was_just_typed() {
    let home = Home::new();
    let echo = crate::support::echo::Echo::start();
    let mut client = Client::open_with(&home, json!({}), json!({ "vaultls": { "client": "nvim" } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "").await;
    for version in 2..30 {
        client.change_document(&uri, version, &format!("GET http://{}/{version}\n", echo.address)).await;
        let params = json!({ "command": "vaultls.run", "arguments": [{ "uri": uri, "line": 0 }] });
        let run = client.ask("workspace/executeCommand", params).await;
        client.change_document(&uri, version, "GET http://localhost:9/later\n").await;
        let sent = client.answer(run).await.unwrap();
        assert_eq!(sent["response"]["url"], format!("http://{}/{version}", echo.address));
    }
    client.finish().await;
}
