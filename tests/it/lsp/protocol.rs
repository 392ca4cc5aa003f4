//! The protocol itself: its life, its order, and what breaks other servers. Each test is a fact that was measured
//! on the library below and that the design depends on.

use serde_json::{Value, json};

use crate::support::client::{Client, Home, framed};

/// One request for each name.
fn text(name: &str) -> String {
    format!("GET https://api.example.com/\nX-Key: <<vault:{name}>>\n")
}

fn place(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}

#[tokio::test]
async fn the_exit_code_is_0_after_shutdown() {
    let home = Home::new();
    let client = Client::open(&home, json!({})).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test]
async fn the_exit_code_is_1_without_shutdown() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    client.notify("exit", Value::Null).await;
    assert_eq!(client.ended().await, 1);
}

#[tokio::test]
async fn shutdown_and_exit_in_one_breath_are_a_good_end() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let shutdown = framed(&json!({ "jsonrpc": "2.0", "id": 99, "method": "shutdown" }));
    let exit = framed(&json!({ "jsonrpc": "2.0", "method": "exit" }));
    client.send_raw(&[shutdown, exit].concat()).await;
    let _ = client.answer(99).await;
    assert_eq!(client.ended().await, 0);
}

#[tokio::test]
async fn the_server_ends_with_its_input() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    client.hang_up();
    assert_eq!(client.ended().await, 1);
}

#[tokio::test]
async fn a_client_introduces_itself_once() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let again = client.request("initialize", json!({ "capabilities": {} })).await;
    assert_eq!(again.unwrap_err()["code"], -32600);
    client.finish().await;
}

#[tokio::test]
async fn nothing_is_answered_before_the_introduction() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let early = client.request("textDocument/hover", place("file:///a.http", 0, 0)).await;
    assert_eq!(early.unwrap_err()["code"], -32002);
    client.initialize(&home, json!({}), Value::Null).await;
    client.finish().await;
}

#[tokio::test]
async fn the_first_encoding_the_client_names_is_used() {
    for (offered, chosen, column) in [
        (json!(["utf-8", "utf-16"]), "utf-8", 9),
        (json!(["utf-32", "utf-8"]), "utf-32", 6),
        (json!(["utf-16"]), "utf-16", 7),
        (json!(["utf-7"]), "utf-16", 7),
        (Value::Null, "utf-16", 7),
    ] {
        let home = Home::new();
        let mut client = Client::start(&home);
        let capabilities = json!({ "general": { "positionEncodings": offered } });
        let answer = client.initialize(&home, capabilities, Value::Null).await;
        assert_eq!(answer["capabilities"]["positionEncoding"], chosen);

        let uri = home.uri("a.http");
        client.open_document(&uri, "http", "GET https://api.example.com/\nX: a😀b<<vault:name>>\n").await;
        let hover = client.request("textDocument/hover", place(&uri, 1, column)).await.unwrap();
        let start = &hover["range"]["start"]["character"];
        assert_eq!(*start, column, "{chosen}: {hover}");
        client.finish().await;
    }
}

#[tokio::test]
async fn a_request_sees_every_edit_before_it() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text("name-0")).await;
    let mut asked = Vec::new();
    for version in 2..2_000 {
        client.change_document(&uri, version, &text(&format!("name-{version}"))).await;
        asked.push((version, client.ask("textDocument/hover", place(&uri, 1, 18)).await));
    }
    let mut stale = 0;
    for (version, id) in asked {
        let hover = client.answer(id).await.unwrap();
        let shown = hover["contents"]["value"].as_str().unwrap_or_default();
        stale += usize::from(!shown.contains(&format!("name-{version}`")));
    }
    assert_eq!(stale, 0);
    client.finish().await;
}

#[tokio::test]
async fn incremental_edits_are_applied_one_after_the_other() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://a/\nX: \u{1f600}<<vault:old>>\n").await;
    let edit = |line: u32, start: u32, end: u32, text: &str| {
        let range = json!({ "start": { "line": line, "character": start }, "end": { "line": line, "character": end } });
        json!({ "range": range, "text": text })
    };
    // The second edit's place counts on the first, in UTF-16: the smiley is two units wide.
    let changes = json!([edit(0, 0, 0, "# a comment\n"), edit(2, 13, 16, "new")]);
    let document = json!({ "uri": uri, "version": 2 });
    client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes })).await;
    let hover = client.request("textDocument/hover", place(&uri, 2, 14)).await.unwrap();
    assert!(hover["contents"]["value"].as_str().unwrap().contains("`new`"), "{hover}");
    client.finish().await;
}

#[tokio::test]
async fn messages_that_cannot_be_decoded_leave_the_server_alive() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text("before")).await;
    for body in ["{}", "[]", "no json", "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":"] {
        client.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }
    let torn = r#"{"jsonrpc":"2.0","id":77,"method":"textDocument/hover","params":{"#;
    client.send_raw(format!("Content-Length: {}\r\n\r\n{torn}", torn.len()).as_bytes()).await;
    assert_eq!(client.answer(77).await.unwrap_err()["code"], -32700);

    // A lone surrogate, as a JavaScript client can send it.
    let change = json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": "LONE" }] });
    let message = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": change }).to_string();
    let message = message.replace("LONE", r"GET https://a/\nX: \ud83d<<vault:after>>\n");
    client.send_raw(format!("Content-Length: {}\r\n\r\n{message}", message.len()).as_bytes()).await;
    let hover = client.request("textDocument/hover", place(&uri, 1, 14)).await.unwrap();
    assert!(hover["contents"]["value"].as_str().unwrap().contains("`after`"), "{hover}");
    client.finish().await;
}

#[tokio::test]
async fn requests_about_unknown_documents_and_places_have_no_answer() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let unknown = client.request("textDocument/hover", place("file:///nowhere.http", 0, 0)).await;
    assert_eq!(unknown, Ok(Value::Null));
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &text("x")).await;
    let outside = client.request("textDocument/hover", place(&uri, 4_000_000_000, 4_000_000_000)).await;
    assert_eq!(outside, Ok(Value::Null));
    client.finish().await;
}

#[tokio::test]
async fn methods_that_are_not_ours_are_refused() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    assert_eq!(client.request("textDocument/unheardOf", json!({})).await.unwrap_err()["code"], -32601);
    assert_eq!(client.request("textDocument/hover", json!({ "position": 1 })).await.unwrap_err()["code"], -32602);
    client.finish().await;
}

#[tokio::test]
async fn other_json_is_ignored_silently() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("package.json");
    client.open_document(&uri, "json", r#"{ "name": "<<vault:x>>", "broken": "#).await;
    assert_eq!(client.request("textDocument/hover", place(&uri, 0, 20)).await, Ok(Value::Null));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    client.finish_without_diagnostics().await;
}

/// Whatever takes long waits in line behind a gate, so that it cannot be done before it is looked for.
#[test]
fn a_long_document_is_read_beside_the_handlers() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(1).build().unwrap().block_on(async {
        let home = Home::new();
        let client = Client::open(&home, json!({})).await;
        a_short_document_beside_a_long_one(&home, client).await;
    });
}

async fn a_short_document_beside_a_long_one(home: &Home, mut client: Client) {
    let (short, long) = (home.uri("short.http"), home.uri("long.http"));
    client.open_document(&short, "http", &text("short")).await;
    client.expect_diagnostics(&short, 1, &["1:7-22 missing"]).await;
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = tokio::task::spawn_blocking(move || gate.recv().unwrap());
    let block = "### A request\nGET https://api.example.com/<<vault:long>>\n\n";
    client.open_document(&long, "http", &block.repeat(20_000)).await;
    let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": long } })).await;
    let hover = client.ask("textDocument/hover", place(&short, 1, 18)).await;
    // The short document's answer does not wait for the long one's.
    assert!(client.answer(hover).await.unwrap()["contents"]["value"].as_str().unwrap().contains("`short`"));
    assert!(!client.was_answered(symbols));
    open.send(()).unwrap();
    gate.await.unwrap();
    assert_eq!(client.answer(symbols).await.unwrap().as_array().unwrap().len(), 10_000);
    client.finish().await;
}
