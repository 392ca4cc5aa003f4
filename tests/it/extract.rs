//! A value that stands in a request moves into the local vault: through the protocol, and in a terminal.

#![expect(clippy::disallowed_methods, reason = "looks at the files that were changed, and at canaries")]

use std::sync::Arc;

use expect_test::expect;
use serde_json::{Value, json};
use vaultls::{
    name::SecretName,
    work::{Core, answer},
};

use crate::support::{
    client::{Client, Home},
    echo::Echo,
    program::Program,
};

const CANARY: &str = "canary-9d1f40-extract";

fn editor() -> Value {
    json!({
        "workspace": { "applyEdit": true, "workspaceEdit": { "documentChanges": true } },
        "textDocument": { "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } } },
    })
}

fn text() -> String {
    format!("GET https://api.example.com/\nX-Api-Key: {CANARY}\n")
}

/// The action of moving the value at a place.
async fn offered(client: &mut Client, uri: &str, line: u32, character: u32) -> Value {
    let place = json!({ "line": line, "character": character });
    let params = json!({
        "textDocument": { "uri": uri },
        "range": { "start": place, "end": place },
        "context": { "diagnostics": [] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    let mut actions = actions.as_array().unwrap().iter();
    actions.find(|action| action["command"]["command"] == "vaultls.extract").cloned().unwrap_or_default()
}

/// The value of a secret of the home's local vault.
async fn stored(home: &Home, name: &str) -> Option<String> {
    let core = Arc::new(Core::open(home.core_options(&home.root())));
    let value = core.vault.value(&SecretName::parse(name).unwrap()).await.ok()?;
    value.expose_text(str::to_owned)
}

#[tokio::test]
async fn a_value_is_stored_and_every_place_of_it_is_replaced() {
    let home = Home::new();
    home.write("closed.http", &format!("@key = {CANARY}\nGET https://a.b/\nX: {{{{key}}}}\n"));
    home.write("other.http", "GET https://a.b/\n");
    let mut client = Client::open(&home, editor()).await;
    let uri = home.uri("open.http");
    client.open_document(&uri, "http", &text()).await;
    client.expect_diagnostics(&uri, 1, &["1:11-32 pasted-secret"]).await;
    let action = offered(&mut client, &uri, 1, 15).await;
    assert_eq!(action["title"], "Move this value to the local vault as `api.example.com/api-key`");
    assert!(!action.to_string().contains(CANARY));
    let command = &action["command"]["arguments"][0];
    assert_eq!(command["allowedDomains"], json!(["api.example.com"]));

    let id = client.ask("workspace/executeCommand", action["command"].clone()).await;
    let edit = client.expect("workspace/applyEdit").await;
    client.reply(&edit, json!({ "applied": true })).await;
    let answer = client.answer(id).await.unwrap();
    assert_eq!(answer["outcome"], "done", "{answer}");
    expect![[r#""`api.example.com/api-key` is stored in the local vault; its reference takes 2 places in 2 files; it may still be in the history of the repository: if the file was ever shared, replace it where it was issued""#]]
        .assert_eq(&answer["message"].to_string());
    assert!(!format!("{answer}{edit}").contains(CANARY));
    let changes = edit["params"]["edit"]["documentChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 2);
    let of = |name: &str| changes.iter().find(|it| it["textDocument"]["uri"] == home.uri(name)).unwrap();
    assert_eq!(of("open.http")["textDocument"]["version"], 1);
    for name in ["open.http", "closed.http"] {
        assert_eq!(of(name)["edits"][0]["newText"], "<<vault:api.example.com/api-key>>");
    }
    assert_eq!(stored(&home, "api.example.com/api-key").await.as_deref(), Some(CANARY));
    client.expect("window/showMessage").await;
    client.finish().await;
}

#[tokio::test]
async fn a_refused_edit_loses_nothing() {
    let home = Home::new();
    let plugin = json!({ "vaultls": { "client": "nvim" } });
    let mut client = Client::open_with(&home, editor(), plugin).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text()).await;
    client.expect_diagnostics(&uri, 1, &["1:11-32 pasted-secret"]).await;
    let action = offered(&mut client, &uri, 1, 15).await;
    let id = client.ask("workspace/executeCommand", action["command"].clone()).await;
    let edit = client.expect("workspace/applyEdit").await;
    client.reply(&edit, json!({ "applied": false, "failureReason": "it is read-only" })).await;
    client.answer(id).await.unwrap();
    let told = client.expect("window/showMessage").await;
    let message = told["params"]["message"].as_str().unwrap();
    assert!(message.contains("still stands in the file: it is read-only"), "{message}");
    assert_eq!(stored(&home, "api.example.com/api-key").await.as_deref(), Some(CANARY));
    // The same again is no conflict: the value under this name is the same.
    let again = client.request("workspace/executeCommand", action["command"].clone()).await.unwrap();
    let edit = client.expect("workspace/applyEdit").await;
    client.reply(&edit, json!({ "applied": true })).await;
    assert_eq!(again["outcome"], "done", "{again}");
    client.finish().await;
}

#[tokio::test]
async fn nothing_is_stored_for_a_place_that_moved() {
    let home = Home::new();
    let mut client = Client::open_with(&home, editor(), json!({ "vaultls": { "client": "nvim" } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text()).await;
    let action = offered(&mut client, &uri, 1, 15).await;
    client.change_document(&uri, 2, &format!("# new\n{}", text())).await;
    let answer = client.request("workspace/executeCommand", action["command"].clone()).await.unwrap();
    assert_eq!(answer["outcome"], "failed");
    assert!(answer["message"].as_str().unwrap().contains("changed"), "{answer}");
    let mut argument = action["command"]["arguments"][0].clone();
    argument["version"] = json!(2);
    for span in [json!({ "start": 0, "end": 3 }), json!({ "start": 9, "end": 1 }), json!({ "start": 0, "end": 99999 })]
    {
        argument["span"] = span;
        let answer = client.command("vaultls.extract", argument.clone()).await;
        assert_eq!(answer["outcome"], "failed", "{answer}");
    }
    assert_eq!(stored(&home, "api.example.com/api-key").await, None);
    client.finish().await;
}

#[tokio::test]
async fn a_locked_vault_is_opened_first() {
    let home = Home::new();
    let core = Arc::new(Core::open(home.core_options(&home.root())));
    core.store(&SecretName::parse("first").unwrap(), vaultls::vault::local::Change::default()).await.unwrap();
    let home = home.locked();
    let mut client = Client::open_with(&home, editor(), json!({ "vaultls": { "client": "nvim" } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text()).await;
    let action = offered(&mut client, &uri, 1, 15).await;
    let question = client.request("workspace/executeCommand", action["command"].clone()).await.unwrap();
    assert_eq!(question["outcome"], "needsInput", "{question}");
    let (ticket, id) = (question["ticket"].as_str().unwrap(), question["fields"][0]["id"].as_str().unwrap());
    let answers = json!({ id: "canary-7f3a9c-passphrase" }).to_string().into_bytes();
    answer::deliver(&home.directories(), ticket, answers.into()).await.unwrap();
    let edit = client.expect("workspace/applyEdit").await;
    client.reply(&edit, json!({ "applied": true })).await;
    let told = client.expect("window/showMessage").await;
    assert!(told["params"]["message"].as_str().unwrap().contains("is stored in the local vault"), "{told}");
    client.finish().await;
}

#[tokio::test]
async fn an_editor_that_takes_no_edits_is_told_the_other_way() {
    let home = Home::new();
    let mut client = Client::open_with(&home, json!({}), json!({ "vaultls": { "client": "nvim" } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text()).await;
    let start = text().find(CANARY).unwrap();
    let span = json!({ "start": start, "end": start + CANARY.len() });
    let answer =
        client.command("vaultls.extract", json!({ "uri": uri, "version": 1, "span": span, "name": "k" })).await;
    assert_eq!(answer["outcome"], "failed");
    assert!(answer["message"].as_str().unwrap().contains("vaultls extract"), "{answer}");
    assert_eq!(stored(&home, "k").await, None);
    client.finish().await;
}

/// What the server at the other end sees is the same before and after.
#[track_caller]
fn check_same(file: &str, text: &str, place: &str, value: &str) {
    let echo = Echo::start();
    let text = text.replace("HOST", &echo.address);
    let program = Program::new();
    program.file(file, &text);
    let sent = program.run(&["run", file]);
    assert_eq!(sent.code, 0, "{sent:?}");
    let output = program.run(&["extract", &format!("{file}:{place}"), "--name", "k"]);
    assert_eq!(output.code, 0, "{output:?}\n{text}");
    let changed = std::fs::read_to_string(program.work().join(file)).unwrap();
    assert!(!changed.contains(value), "{changed}");
    assert!(!format!("{output:?}").contains(value), "{output:?}");
    let sent = program.run(&["run", file]);
    assert_eq!(sent.code, 0, "{sent:?}\n{changed}");
    let seen = echo.seen();
    assert_eq!(seen[0], seen[1], "{changed}");
}

#[test]
fn the_request_stays_the_same() {
    let head = "POST http://HOST/x\n";
    let json = format!("{head}Content-Type: application/json\n\n{{\"a\": \"b\", \"k\": \"canary-\\\"é\\\\9\\n\"}}\n");
    let form = format!("{head}Content-Type: application/x-www-form-urlencoded\n\na=b&k=canary-%26%20%C3%A9&c=d\n");
    for (text, place, value) in [
        ("GET http://HOST/x?a=b&k=canary-%2F%C3%A9&c=d\n", "1:40", "canary"),
        ("GET http://HOST/\nAuthorization: Bearer canary-1.2~3\n", "2", "canary"),
        ("GET http://HOST/\nAuthorization: Basic ann canary:1 x\n", "2:30", "canary"),
        ("GET http://HOST/\nAuthorization: Basic ann:canary-12\n", "2:30", "canary"),
        ("GET http://HOST/\nX-Key: canary with spaces, and \"quotes\"\n", "2", "canary"),
        ("GET http://HOST/\nCookie: a=b; session=canary-12; c=d\n", "2:25", "canary"),
        ("@key = canary-12\n\nGET http://HOST/{{key}}\nX: a{{key}}b\n", "1", "canary"),
        (&json, "4:24", "canary"),
        (&form, "4:9", "canary"),
    ] {
        check_same("a.http", text, place, value);
    }
}

#[test]
fn the_request_of_a_collection_stays_the_same() {
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let collection = |request: &Value, auth: &Value| {
        let item = json!([{ "name": "r", "request": request }]);
        let text = json!({ "info": { "name": "c", "schema": schema }, "auth": auth, "item": item });
        serde_json::to_string_pretty(&text).unwrap()
    };
    // The last one: of a URL that is written twice, the raw text is what is read.
    let line = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        (lines.iter().rposition(|line| line.contains("canary")).unwrap() + 1).to_string()
    };
    let row = |key: &str| json!([{ "key": key, "value": "canary-\"é&=+12" }]);
    let body = |mode: &str, content: Value| json!({ "method": "POST", "url": "http://HOST/", "body": { "mode": mode, mode: content } });
    let bearer = json!({ "type": "bearer", "bearer": [{ "key": "token", "value": "canary-12~3" }] });
    let query = json!([{ "key": "k", "value": "canary-12" }]);
    let raw = "http://HOST/?k=canary-12";
    let url = json!({ "raw": raw, "protocol": "http", "host": ["HOST"], "path": [""], "query": query });
    for (request, auth) in [
        (json!({ "method": "GET", "url": "http://HOST/", "header": row("X-Key") }), Value::Null),
        (body("urlencoded", row("k")), Value::Null),
        (body("raw", json!("{\"k\": \"canary-\\\"\\n12\"}")), Value::Null),
        (json!({ "method": "GET", "url": "http://HOST/" }), bearer),
        (json!({ "method": "GET", "url": url }), Value::Null),
    ] {
        let text = collection(&request, &auth);
        check_same("c.json", &text, &line(&text), "canary");
    }
}

#[test]
fn a_common_word_is_replaced_in_its_own_place_alone() {
    let program = Program::new();
    let (own, other) = (
        "GET https://a.b/\nX-Api-Key: password\nX: password\n",
        "POST https://a.b/\n\n{\"grant_type\": \"password\"}\n",
    );
    program.file("a.http", own).file("b.http", other);
    let output = program.run(&["extract", "a.http:2", "--name", "k"]);
    assert_eq!((output.code, output.out.as_str()), (0, "a.http: 1 place replaced\n"), "{output:?}");
    let read = |file: &str| std::fs::read_to_string(program.work().join(file)).unwrap();
    assert_eq!(read("a.http"), "GET https://a.b/\nX-Api-Key: <<vault:k>>\nX: password\n");
    assert_eq!(read("b.http"), other);
}

#[test]
fn a_terminal_is_told_what_changed() {
    let program = Program::new();
    program.file("a.http", text()).file("deep/b.http", text()).file("c.http", "GET https://a.b/\n");
    let checked = program.run(&["check", "a.http"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    expect![[r#"
        a.http:2:12: info: this looks like a secret; move it to a vault, and replace it if the file was ever shared [pasted-secret]
    "#]]
    .assert_eq(&checked.out);
    let output = program.run(&["extract", "a.http:2", "--name", "shop/key"]);
    assert_eq!(output.code, 0, "{output:?}");
    expect![[r#"
        a.http: 1 place replaced
        deep/b.http: 1 place replaced
    "#]]
    .assert_eq(&output.out);
    expect![[r#"
        stored shop/key
        it may still be in the history of the repository: if the file was ever shared, replace it where it was issued
    "#]]
    .assert_eq(&output.err);
    let changed = std::fs::read_to_string(program.work().join("deep/b.http")).unwrap();
    assert_eq!(changed, "GET https://api.example.com/\nX-Api-Key: <<vault:shop/key>>\n");
    let listed = program.run(&["vault", "list"]);
    assert_eq!(listed.out, "shop/key  api.example.com\n");
    assert_eq!(program.run(&["check", "."]).code, 0);
}

#[test]
fn a_place_without_a_value_changes_nothing() {
    let program = Program::new();
    program.file("a.http", text());
    program.run_with(&["vault", "set", "taken"], b"another value");
    for (place, name, why) in [
        ("a.http:1", "k", "no value stands on this line"),
        ("a.http:9", "k", "no such line"),
        ("a.http:2:3", "k", "no value stands at this column"),
        ("a.http", "k", "names no place"),
        ("a.http:2", "taken", "there is a secret `taken` already"),
    ] {
        let output = program.run(&["extract", place, "--name", name]);
        assert_ne!(output.code, 0);
        assert!(output.err.contains(why), "{place}: {output:?}");
    }
    assert_eq!(std::fs::read_to_string(program.work().join("a.http")).unwrap(), text());
    assert_eq!(program.run(&["vault", "list"]).out, "taken  hosts are asked for\n");
}

// To make a link takes a privilege on Windows.
#[cfg(unix)]
#[test]
fn files_keep_their_byte_order_mark_and_their_links() {
    let program = Program::new();
    program.file("real.http", [b"\xef\xbb\xbf".as_slice(), text().as_bytes()].concat());
    std::os::unix::fs::symlink("real.http", program.work().join("link.http")).unwrap();
    let output = program.run(&["extract", "link.http:2", "--name", "k"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(program.work().join("link.http").symlink_metadata().unwrap().is_symlink());
    let bytes = std::fs::read(program.work().join("real.http")).unwrap();
    assert_eq!(bytes, b"\xef\xbb\xbfGET https://api.example.com/\nX-Api-Key: <<vault:k>>\n");
}
