//! Pages in the browser for clients without our plugin: what they ask, list and show, through the protocol and a real
//! Chromium; and who is kept out, by requests as an attacker would write them.
#![expect(clippy::disallowed_methods, reason = "makes the files of a test")]

mod canaries;
mod state;
mod stranger;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use url::Url;
use vaultls::{
    name::SecretName,
    vault::{local::Change, value::SecretValue},
    work::Core,
};

use crate::support::{
    browser::{self, Browser},
    client::{Client, Home},
    echo::Echo,
    needles::{Canary, Needles},
    openbao::{OpenBao, ROOT},
};

const CANARY: &str = "canary-91b7e3-typed-on-a-page";
/// A line of a value with several.
const LINE: &str = "canary-51c7d9e2aa04-line-of-a-key";

/// A client that can show a page in the browser, and has no plugin.
async fn open(home: &Home) -> Client {
    Client::open(home, json!({ "window": { "showDocument": { "support": true } } })).await
}

/// The page that the client is asked to show.
async fn page(client: &mut Client) -> String {
    let request = client.expect("window/showDocument").await;
    assert_eq!(request["params"]["external"], true, "{request}");
    client.reply(&request, json!({ "success": true })).await;
    let said = client.expect("window/showMessage").await;
    assert!(said["params"]["message"].as_str().unwrap().contains("in your browser"), "{said}");
    request["params"]["uri"].as_str().unwrap().to_owned()
}

/// Walks through a page, and checks what none may do. With `VAULTLS_PICTURES`, a folder, pictures of what is seen are
/// left there.
async fn walk(browser: &Browser, address: &str, mut steps: Value) -> Vec<String> {
    if let Some(folder) = std::env::var_os("VAULTLS_PICTURES") {
        steps = pictured(&steps, &PathBuf::from(folder));
    }
    let walked = browser.walk(address, steps).await;
    let complaints: Vec<_> = walked.complaints.iter().filter(|it| !it.contains("favicon")).collect();
    assert_eq!(complaints, Vec::<&String>::new());
    assert!(!walked.html.contains("<script"), "{}", walked.html);
    let typed = [Canary { name: "typed", value: CANARY.into() }, Canary { name: "line", value: LINE.into() }];
    assert_eq!(Needles::of(&typed).find(walked.html.as_bytes()), [""; 0]);
    // The address that the person sees opens nothing for anybody else.
    assert!(!walked.address.contains(Url::parse(address).unwrap().path()));
    walked.seen
}

/// A picture after each look, wide and light, then narrow and dark.
fn pictured(steps: &Value, folder: &Path) -> Value {
    let mut all = Vec::new();
    for step in steps.as_array().unwrap() {
        all.push(step.clone());
        if step[0] == "see" {
            let name: String = step[1].as_str().unwrap().chars().filter(char::is_ascii_alphanumeric).collect();
            for (kind, width, scheme) in [("wide", 1100, "light"), ("narrow", 420, "dark")] {
                all.push(json!(["shot", folder.join(format!("{name}-{kind}.png")), width, scheme]));
            }
        }
    }
    all.into()
}

async fn store(home: &Home, name: &str) {
    let core = Arc::new(Core::open(home.core_options(&home.root())));
    let value = SecretValue::new(CANARY.as_bytes().to_vec());
    core.store(&SecretName::parse(name).unwrap(), Change { value: Some(value), ..Change::default() }).await.unwrap();
}

/// Writes the user's own configuration, which needs no approval.
fn configure(home: &Home, text: &str) {
    let file = home.directories().user_config();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[tokio::test]
async fn a_value_that_is_typed_on_a_page_heals_what_waited() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    let mut client = open(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:payments/token>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-27 missing"]).await;
    let asked = client.command("vaultls.create", json!({ "uri": uri, "name": "payments/token" })).await;
    assert_eq!(asked["outcome"], "needsInput");
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "The value of"],
        ["fill", "Value of payments/token", CANARY],
        ["see", "It is in no message of your editor"],
        ["key", "Enter"],
        ["see", "You can close this page"]
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[2].contains("payments/token is in the local vault"), "{seen:?}");
    client.expect_diagnostics(&uri, 1, &["1:3-27 host-unapproved"]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_locked_vault_is_opened_before_a_value_is_asked_for() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    store(&home, "other").await;
    let home = home.locked();
    let mut client = open(&home).await;
    client.command("vaultls.create", json!({ "name": "key" })).await;
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "The passphrase of the local vault"],
        ["fill", "Passphrase", "not it"],
        ["press", "Continue"],
        ["see", "This did not work"],
        ["press", "Try again"],
        ["fill", "Passphrase", "canary-7f3a9c-passphrase"],
        ["press", "Continue"],
        ["see", "The value of"],
        ["fill", "Value of key", CANARY],
        ["press", "Continue"],
        ["see", "You can close"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[1].contains("this is not the passphrase"), "{seen:?}");
    assert!(seen[3].contains("key is in the local vault"), "{seen:?}");
    client.finish().await;
}

#[tokio::test]
async fn a_vault_is_signed_in_to_looked_into_and_linked_on_one_page() {
    let (Some(server), Some(browser)) = (OpenBao::start(), browser::browser()) else { return };
    server.mount("kv", 2);
    server.ask("POST", "kv/data/team/app", &json!({ "data": { "password": CANARY, "user": "ada" } }));
    let home = Home::new();
    configure(&home, &format!("[integrations.team]\nprovider = \"hashicorp\"\naddress = \"{}\"\n", server.address));
    let mut client = open(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:db/pass>>\n").await;
    let found = client.expect_diagnostics(&uri, 1, &["1:3-20 missing"]).await;
    let range = found[0]["range"].clone();
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    let link = actions.as_array().unwrap().iter().find(|it| it["title"] == "Link `db/pass` to `team`...").unwrap();
    let link = if link["command"].is_object() { &link["command"] } else { link };
    let argument = link["arguments"][0].clone();
    let failed = client.command(link["command"].as_str().unwrap(), argument).await;
    assert_eq!((&failed["outcome"], &failed["code"]), (&json!("failed"), &json!("login-needed")));
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "cannot be looked into yet"],
        ["press", "Sign in"],
        ["fill", "Token", ROOT],
        ["press", "Continue"],
        ["see", "Part of the name"],
        ["fill", "Part of the name", "k"],
        ["key", "Enter"],
        ["press", "kv"],
        ["press", "team/"],
        ["press", "app"],
        ["see", "user"],
        ["press", "password"],
        ["fill", "Hosts it may be sent to", "api.example.com"],
        ["press", "Link"],
        ["see", "You can close"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen.last().unwrap().contains("db/pass is linked to team"), "{seen:?}");
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.skip("window/showMessage");
    let written = std::fs::read_to_string(home.root().join("vaultls.toml")).unwrap();
    assert!(written.contains("path = \"team/app\"") && written.contains("api.example.com"), "{written}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_is_what_the_page_showed() {
    const BEFORE: &str = "[integrations.p]\nprovider = \"hashicorp\"\naddress = \"https://vault.example.com\"\n";
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    home.write("vaultls.toml", BEFORE);
    let mut client = open(&home).await;
    let trust = json!({ "uri": home.uri("a.http") });
    client.command("vaultls.trust", trust.clone()).await;
    let first = page(&mut client).await;
    // The page was shown; then the file changes under it, and another window looks at it as well.
    let visitor = stranger::Visitor::enter(&first);
    let shown = visitor.get();
    assert!(shown.contains("vault.example.com"), "{shown}");
    home.write("vaultls.toml", &BEFORE.replace("vault.example.com", "vault.example.com.evil.io"));
    client.command("vaultls.trust", trust.clone()).await;
    let second = page(&mut client).await;
    let seen =
        walk(browser, &second, json!([["see", "evil.io"], ["press", "Leave it"], ["see", "You can close"]])).await;
    assert!(seen[0].contains("vault.example.com.evil.io"), "{seen:?}");
    assert!(visitor.post(&shown, &[("do", "approve")]).starts_with("HTTP/1.1 303"));
    assert!(visitor.get().contains("1 definitions of this workspace are trusted"));
    let status = client.command("vaultls.status", trust).await;
    assert_eq!(status["integrations"][0]["trusted"], false, "{status}");
    page(&mut client).await;
    client.finish().await;
}

#[tokio::test]
async fn a_client_that_asks_nobody_lets_the_page_ask_about_the_host() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    store(&home, "key").await;
    let echo = Echo::start();
    let mut client = open(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{}/\nX-Key: <<vault:key>>\n", echo.address)).await;
    let blocked = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(blocked["outcome"], "blocked");
    let question = client.expect("window/showMessageRequest").await;
    let unable = json!({ "code": -32601, "message": "no such method" });
    client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": unable })).await;
    let address = page(&mut client).await;
    let walking = walk(browser, &address, json!([["see", "Send key to"], ["press", "Once"], ["see", "You can close"]]));
    let showing = async {
        let file = client.expect("window/showDocument").await;
        client.reply(&file, json!({ "success": true })).await;
        let file = Url::parse(file["params"]["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let (seen, shown) = tokio::join!(walking, showing);
    assert!(seen[0].contains(&echo.address) && seen[1].contains("200 OK"), "{seen:?}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert_eq!(echo.seen().len(), 1);
    client.finish().await;
}

#[tokio::test]
async fn a_command_without_its_argument_asks_what_it_is_about() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    let mut client = open(&home).await;
    let params = json!({ "command": "vaultls.link", "arguments": [] });
    let asked = client.request("workspace/executeCommand", params).await.unwrap();
    assert_eq!(asked["outcome"], "done", "{asked}");
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "Where does a secret live?"],
        ["fill", "Name of the secret", "key"],
        ["press", "local vault"],
        ["fill", "Value of key", CANARY],
        ["press", "Continue"],
        ["see", "You can close"],
    ]);
    walk(browser, &address, steps).await;
    let core = Core::open(home.core_options(&home.root()));
    assert_eq!(core.vault.local().entries().len(), 1);
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_shows_no_documents_gets_the_response_on_a_page() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new().with_desktop();
    store(&home, "key").await;
    let echo = Echo::start();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    let text = format!("POST http://{}/\nX-Key: <<vault:key>>\n\n<script>alert(1)</script>\n", echo.address);
    client.open_document(&uri, "http", &text).await;
    client.command("vaultls.run", json!({ "uri": uri })).await;
    // One that asks nobody, either.
    let question = client.expect("window/showMessageRequest").await;
    client.reply(&question, json!(null)).await;
    let said = client.expect("window/showMessage").await;
    assert!(said["params"]["message"].as_str().unwrap().contains("in your browser"), "{said}");
    let address = loop {
        match std::fs::read_to_string(home.opened()) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => tokio::task::yield_now().await,
        }
    };
    let steps = json!([
        ["see", "Send key to"],
        ["press", "Always"],
        ["see", "This is shown once"],
        ["open", "headers"],
        ["see", "content-type"]
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[1].contains("200 OK") && seen[1].contains("<script>alert(1)</script>"), "{seen:?}");
    assert!(seen.iter().all(|it| !it.contains(CANARY)), "{seen:?}");
    assert_eq!(echo.seen().len(), 1);
    client.finish().await;
}
