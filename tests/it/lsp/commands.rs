//! Commands: what they answer, what a client without our plugin is told besides, and that none of them can hold
//! the server up.

#![expect(clippy::disallowed_methods, reason = "looks at the files that the server made")]

use std::{net::TcpListener, sync::Arc};

use serde_json::{Value, json};
use vaultls::{
    name::SecretName,
    vault::local::Change,
    work::{Core, answer},
};

use crate::support::{
    client::{Client, Home},
    echo::Echo,
    program::is_private,
};

const CANARY: &str = "canary-4e1d70-command";

fn plugin() -> Value {
    json!({ "vaultls": { "client": "nvim" } })
}

async fn with_plugin(home: &Home) -> Client {
    Client::open_with(home, json!({}), plugin()).await
}

/// Stores a secret in the home's local vault.
async fn store(home: &Home, name: &str) {
    home.store(name, CANARY).await;
}

fn request(address: &str) -> String {
    format!("POST http://{address}/items\nX-Key: <<vault:key>>\n\nhello\n")
}

/// Accepts connections and never answers.
fn stuck() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    address
}

#[tokio::test]
async fn the_status_names_the_environments_of_a_document() {
    let home = Home::new();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://a.example.com/{{x}}\n").await;
    home.write("http-client.env.json", r#"{"prod": {}, "$shared": {}}"#);
    home.write(".vscode/settings.json", r#"{"rest-client.environmentVariables": {"dev": {},},} // settings"#);
    for argument in [json!({ "uri": uri }), json!({ "uri": uri, "offline": true })] {
        let status = client.command("vaultls.status", argument).await;
        assert_eq!(status["environments"], json!(["dev", "prod"]));
    }
    client.finish().await;
}

#[tokio::test]
async fn a_run_answers_with_the_masked_response() {
    let home = Home::new();
    store(&home, "key").await;
    let echo = Echo::start();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request(&echo.address)).await;

    let blocked = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(blocked["outcome"], "blocked");
    assert_eq!(blocked["obstacles"][0]["code"], "host-unapproved");
    assert_eq!(blocked["obstacles"][0]["secret"], "key");
    let host = blocked["obstacles"][0]["host"].clone();
    assert_eq!(echo.seen(), Vec::<String>::new());

    let allow = json!({ "uri": uri, "secret": "key", "host": host, "remember": false });
    let allowed = client.command("vaultls.allowHost", allow).await;
    assert_eq!(allowed["outcome"], "done");
    let sent = client.command("vaultls.run", json!({ "uri": uri, "line": 1 })).await;
    assert_eq!(sent["outcome"], "sent");
    assert_eq!(sent["response"]["status"], 200);
    assert!(sent["response"]["body"].as_str().unwrap().contains("x-key: [redacted]"), "{sent}");
    assert!(!sent.to_string().contains(CANARY));
    assert!(echo.seen()[0].contains(CANARY));
    client.finish().await;
}

#[tokio::test]
async fn a_run_without_arguments_is_about_the_place_of_the_cursor() {
    let home = Home::new();
    let echo = Echo::start();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    let text = format!("GET http://{0}/first\n\n###\nGET http://{0}/second\n", echo.address);
    let nothing = json!({ "command": "vaultls.run", "arguments": [] });
    let early = client.request("workspace/executeCommand", nothing.clone()).await.unwrap();
    assert_eq!(early["outcome"], "failed");
    client.open_document(&uri, "http", &text).await;
    let sent = client.request("workspace/executeCommand", nothing.clone()).await.unwrap();
    assert_eq!(sent["response"]["url"], format!("http://{}/first", echo.address));
    let position = json!({ "line": 3, "character": 2 });
    client
        .request("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": position }))
        .await
        .unwrap();
    let sent = client.request("workspace/executeCommand", nothing).await.unwrap();
    assert_eq!(sent["response"]["url"], format!("http://{}/second", echo.address));
    client.finish().await;
}

#[tokio::test]
async fn a_file_that_is_not_open_can_be_run() {
    let home = Home::new();
    let echo = Echo::start();
    home.write("closed.http", &format!("GET http://{}/closed\n", echo.address));
    let mut client = with_plugin(&home).await;
    let sent = client.command("vaultls.run", json!({ "uri": home.uri("closed.http"), "request": 0 })).await;
    assert_eq!(sent["outcome"], "sent");
    let absent = client.command("vaultls.run", json!({ "uri": home.uri("absent.http") })).await;
    assert_eq!(absent["outcome"], "failed");
    let beyond = client.command("vaultls.run", json!({ "uri": home.uri("closed.http"), "request": 7 })).await;
    assert_eq!(beyond["outcome"], "failed");
    client.finish().await;
}

#[tokio::test]
async fn an_argument_that_is_none_is_refused_and_not_repeated() {
    let home = Home::new();
    let mut client = with_plugin(&home).await;
    let answer = client.command("vaultls.create", json!({ "value": CANARY })).await;
    assert_eq!(answer["outcome"], "failed");
    assert!(!answer.to_string().contains(CANARY));
    let unknown = client.command("vaultls.unheardOf", json!({})).await;
    assert_eq!(unknown["outcome"], "failed");
    client.finish().await;
}

#[tokio::test]
async fn a_new_secret_is_asked_for_beside_the_protocol_and_heals_the_document() {
    let home = Home::new();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 missing"]).await;
    let create = json!({ "uri": uri, "name": "key", "allowedDomains": ["api.example.com"] });
    let question = client.command("vaultls.create", create).await;
    assert_eq!(question["outcome"], "needsInput");
    assert_eq!(question["fields"][0]["kind"], "hidden");
    let (ticket, id) = (question["ticket"].as_str().unwrap(), question["fields"][0]["id"].as_str().unwrap());
    let answers = json!({ id: CANARY }).to_string().into_bytes();
    answer::deliver(&home.directories(), ticket, answers.into()).await.unwrap();
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.finish().await;
}

/// Answers the first field of a question as `vaultls answer` does.
async fn answer_with(home: &Home, question: &Value, value: &str) -> Result<Option<Value>, answer::AnswerError> {
    let (ticket, id) = (question["ticket"].as_str().unwrap(), question["fields"][0]["id"].as_str().unwrap());
    answer::deliver(&home.directories(), ticket, json!({ id: value }).to_string().into_bytes().into()).await
}

/// A person who typed a value is not sent away with it.
#[tokio::test]
async fn a_vault_without_a_key_gets_one_before_its_first_value_is_asked_for() {
    let home = Home::new().locked();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 missing"]).await;
    let create = json!({ "uri": uri, "name": "key", "allowedDomains": ["api.example.com"] });
    let first = client.command("vaultls.create", create).await;
    assert_eq!((&first["outcome"], &first["fields"][0]["id"]), (&json!("needsInput"), &json!("passphrase")));
    let next = answer_with(&home, &first, "a passphrase that is long").await.unwrap().expect("a question comes next");
    assert_eq!((&next["outcome"], &next["fields"][0]["id"]), (&json!("needsInput"), &json!("value")));
    assert_eq!(answer_with(&home, &next, CANARY).await.unwrap(), None);
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.finish().await;
}

#[tokio::test]
async fn whoever_answers_learns_whether_it_worked() {
    let home = Home::new();
    store(&home, "key").await;
    let home = home.locked();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET http://localhost:9/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 locked"]).await;
    let question = client.command("vaultls.unlock", json!({})).await;
    let refused = answer_with(&home, &question, "a wrong passphrase").await;
    assert!(matches!(&refused, Err(answer::AnswerError::Failed(why)) if why.contains("passphrase")), "{refused:?}");
    let question = client.command("vaultls.unlock", json!({})).await;
    answer_with(&home, &question, "canary-7f3a9c-passphrase").await.unwrap();
    // No pause and no second try: the vault is open once the answer was taken.
    let run = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(run["obstacles"][0]["code"], "host-unapproved", "{run}");
    client.expect_diagnostics(&uri, 1, &["1:3-16 host-unapproved"]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_vault_that_is_locked_stays_so_until_somebody_unlocks_it() {
    let home = Home::new();
    store(&home, "key").await;
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET http://localhost:9/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 host-unapproved"]).await;
    let locked = client.command("vaultls.lock", json!({})).await;
    assert_eq!(locked["outcome"], "done", "{locked}");
    // The key came from the environment, and cannot be taken from there.
    assert!(locked["message"].as_str().unwrap().contains("its key is still in"), "{locked}");
    client.expect_diagnostics(&uri, 1, &["1:3-16 locked"]).await;
    let run = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(run["obstacles"][0]["code"], "locked", "{run}");
    let question = client.command("vaultls.unlock", json!({})).await;
    answer_with(&home, &question, "canary-7f3a9c-passphrase").await.unwrap();
    client.expect_diagnostics(&uri, 1, &["1:3-16 host-unapproved"]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_host_allowed_once_heals_the_document() {
    let home = Home::new();
    store(&home, "key").await;
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request("localhost:9")).await;
    client.expect_diagnostics(&uri, 1, &["1:7-20 host-unapproved"]).await;
    let allow = json!({ "uri": uri, "secret": "key", "host": "localhost:9", "remember": false });
    assert_eq!(client.command("vaultls.allowHost", allow).await["outcome"], "done");
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_list_of_the_local_vault_is_widened_only_for_good() {
    let home = Home::new();
    store(&home, "key").await;
    let core = Arc::new(Core::open(home.core_options(&home.root())));
    let domains = Change { allowed_domains: Some(vec!["api.example.com".into()]), ..Change::default() };
    core.store(&SecretName::parse("key").unwrap(), domains).await.unwrap();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request("localhost:9")).await;
    client.expect_diagnostics(&uri, 1, &["1:7-20 domain-denied"]).await;
    let allow = |remember: bool| json!({ "uri": uri, "secret": "key", "host": "localhost:9", "remember": remember });
    let refused = client.command("vaultls.allowHost", allow(false)).await;
    assert_eq!(refused["outcome"], "failed", "{refused}");
    let host = client.command("vaultls.run", json!({ "uri": uri })).await["obstacles"][0]["host"].clone();
    let allow = json!({ "uri": uri, "secret": "key", "host": host, "remember": true });
    assert_eq!(client.command("vaultls.allowHost", allow).await["outcome"], "done");
    client.expect_diagnostics(&uri, 1, &[]).await;
    let entries = Core::open(home.core_options(&home.root())).vault.local().entries();
    assert_eq!(entries[0].allowed_domains, ["api.example.com", "http://localhost:9"]);
    client.finish().await;
}

#[tokio::test]
async fn a_list_in_a_file_is_never_widened_from_here() {
    let home = Home::new();
    store(&home, "key").await;
    let text = "[secrets.key]\nintegration = \"local\"\nallowed-domains = [\"api.example.com\"]\n";
    let file = home.write("vaultls.toml", text);
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request("localhost:9")).await;
    client.expect_diagnostics(&uri, 1, &["1:7-20 untrusted"]).await;
    client.command("vaultls.trust", json!({ "uri": uri })).await;
    client.command("vaultls.trust", json!({ "uri": uri, "approve": true })).await;
    client.expect_diagnostics(&uri, 1, &["1:7-20 domain-denied"]).await;
    for remember in [false, true] {
        let allow = json!({ "uri": uri, "secret": "key", "host": "http://localhost:9", "remember": remember });
        let refused = client.command("vaultls.allowHost", allow).await;
        assert_eq!(refused["outcome"], "failed", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("vaultls.toml"), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
    client.finish().await;
}

#[tokio::test]
async fn nobody_is_asked_for_what_could_not_be_used() {
    let home = Home::new();
    home.write("vaultls.toml", "[integrations.p]\nprovider = \"hashicorp\"\naddress = \"https://127.0.0.1:1\"\n");
    let mut client = with_plugin(&home).await;
    for (command, argument, why) in [
        ("vaultls.login", json!({ "integration": "nowhere" }), "no integration"),
        ("vaultls.login", json!({ "integration": "p" }), "not approved"),
        ("vaultls.create", json!({ "name": "key", "allowedDomains": ["*evil"] }), "is not a domain"),
    ] {
        let refused = client.command(command, argument).await;
        assert_eq!(refused["outcome"], "failed", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(why), "{refused}");
    }
    client.finish().await;
}

#[tokio::test]
async fn what_is_not_in_the_local_vault_cannot_be_turned_on() {
    let home = Home::new();
    let mut client = with_plugin(&home).await;
    let refused = client.command("vaultls.enable", json!({ "name": "nowhere" })).await;
    assert_eq!(refused["outcome"], "failed", "{refused}");
    assert!(Core::open(home.core_options(&home.root())).vault.local().entries().is_empty());
    client.finish().await;
}

#[tokio::test]
async fn a_client_without_the_plugin_is_told_the_command_line() {
    let home = Home::new();
    let mut client = Client::open(&home, json!({})).await;
    let question = client.command("vaultls.create", json!({ "name": "my key" })).await;
    assert_eq!(question["outcome"], "needsInput");
    let said = client.expect("window/showMessage").await;
    let message = said["params"]["message"].as_str().unwrap();
    assert!(message.contains("`vaultls vault set 'my key'`"), "{message}");
    client.finish().await;
}

#[tokio::test]
async fn a_client_without_the_plugin_is_asked_about_the_host() {
    let home = Home::new();
    store(&home, "key").await;
    let echo = Echo::start();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request(&echo.address)).await;

    let blocked = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(blocked["outcome"], "blocked");
    let question = client.expect("window/showMessageRequest").await;
    let titles: Vec<_> =
        question["params"]["actions"].as_array().unwrap().iter().map(|it| it["title"].clone()).collect();
    assert_eq!(titles, ["Once", "Always", "No"]);
    assert!(question["params"]["message"].as_str().unwrap().starts_with("Send `key` to "), "{question}");
    client.reply(&question, json!({ "title": "Once" })).await;
    let said = client.expect("window/showMessage").await;
    assert!(said["params"]["message"].as_str().unwrap().contains("200 OK"), "{said}");
    assert_eq!(echo.seen().len(), 1);

    // The host is approved for as long as the server lives.
    assert_eq!(client.command("vaultls.run", json!({ "uri": uri })).await["outcome"], "sent");
    client.expect("window/showMessage").await;
    client.finish().await;
}

#[tokio::test]
async fn no_answer_about_a_host_is_a_refusal() {
    for reply in [json!({ "result": null }), json!({ "error": { "code": -32601, "message": "no such method" } })] {
        let home = Home::new();
        store(&home, "key").await;
        let echo = Echo::start();
        let mut client = Client::open(&home, json!({})).await;
        let uri = home.uri("a.http");
        client.open_document(&uri, "http", &request(&echo.address)).await;
        client.command("vaultls.run", json!({ "uri": uri })).await;
        let question = client.expect("window/showMessageRequest").await;
        let mut answer = json!({ "jsonrpc": "2.0", "id": question["id"] });
        answer.as_object_mut().unwrap().extend(reply.as_object().unwrap().clone());
        client.send(&answer).await;
        let said = client.expect("window/showMessage").await;
        assert!(said["params"]["message"].as_str().unwrap().starts_with("not sent: `key`"), "{said}");
        assert_eq!(echo.seen(), Vec::<String>::new());
        client.finish().await;
    }
}

#[tokio::test]
async fn a_response_is_shown_as_a_private_file_that_ends_with_the_server() {
    let home = Home::new();
    let echo = Echo::start();
    let mut client = Client::open(&home, json!({ "window": { "showDocument": { "support": true } } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{}/shown\n", echo.address)).await;
    client.command("vaultls.run", json!({ "uri": uri })).await;
    let request = client.expect("window/showDocument").await;
    let shown = url::Url::parse(request["params"]["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    let text = std::fs::read_to_string(&shown).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\n"), "{text}");
    assert!(is_private(&shown) && is_private(shown.parent().unwrap()));
    client.reply(&request, json!({ "success": true })).await;
    client.finish().await;
    let left: Vec<_> = std::fs::read_dir(home.directories().runtime).unwrap().flatten().map(|it| it.path()).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn five_hundred_stuck_runs_leave_hover_and_cancel_immediate() {
    let home = Home::new();
    let address = stuck();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    let text = format!("# @timeout 60 m\nGET http://{address}/\nX: {{{{$guid}}}}\n");
    client.open_document(&uri, "http", &text).await;
    let run = json!({ "command": "vaultls.run", "arguments": [{ "uri": uri }] });
    let mut asked = Vec::new();
    for _ in 0..500 {
        asked.push(client.ask("workspace/executeCommand", run.clone()).await);
    }
    let position = json!({ "line": 2, "character": 6 });
    let hover = client.request("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": position }));
    assert_ne!(hover.await.unwrap(), Value::Null);
    assert!(!asked.iter().any(|id| client.was_answered(*id)));
    for id in asked {
        client.notify("$/cancelRequest", json!({ "id": id })).await;
        // By itself it would have failed after an hour.
        assert_eq!(client.answer(id).await.unwrap_err()["code"], -32800);
    }
    client.finish().await;
}

#[tokio::test]
async fn questions_that_nobody_answers_hold_nothing_up() {
    let home = Home::new();
    store(&home, "key").await;
    let address = stuck();
    let mut client = Client::open(&home, json!({})).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &request(&address)).await;
    let run = json!({ "command": "vaultls.run", "arguments": [{ "uri": uri }] });
    let mut asked = Vec::new();
    for version in 2..302 {
        asked.push(client.ask("workspace/executeCommand", run.clone()).await);
        client.change_document(&uri, version, &request(&address)).await;
    }
    for id in asked {
        assert_eq!(client.answer(id).await.unwrap()["outcome"], "blocked");
    }
    client.expect("window/showMessageRequest").await;
    client.skip("window/showMessageRequest");
    client.finish().await;
}

#[tokio::test]
async fn a_run_shows_progress_under_the_clients_token_until_it_is_answered() {
    let home = Home::new();
    let echo = Echo::start();
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{}/\n", echo.address)).await;
    let run = json!({ "command": "vaultls.run", "arguments": [{ "uri": uri }], "workDoneToken": "mine" });
    let id = client.ask("workspace/executeCommand", run).await;
    let (begin, end) = (client.expect("$/progress").await, client.expect("$/progress").await);
    assert_eq!((&begin["params"]["token"], &begin["params"]["value"]["kind"]), (&json!("mine"), &json!("begin")));
    assert_eq!((&end["params"]["token"], &end["params"]["value"]["kind"]), (&json!("mine"), &json!("end")));
    assert_eq!(client.answer(id).await.unwrap()["outcome"], "sent");
    client.finish().await;
}

#[tokio::test]
async fn the_cancel_button_of_the_servers_own_progress_stops_a_run() {
    let home = Home::new();
    let address = stuck();
    let capabilities = json!({ "window": { "workDoneProgress": true } });
    let mut client = Client::open_with(&home, capabilities, plugin()).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{address}/\n")).await;
    let run = json!({ "command": "vaultls.run", "arguments": [{ "uri": uri }] });
    let id = client.ask("workspace/executeCommand", run).await;
    let create = client.expect("window/workDoneProgress/create").await;
    client.reply(&create, Value::Null).await;
    let begin = client.expect("$/progress").await;
    assert_eq!(begin["params"]["value"]["title"], format!("GET http://{address}/"));
    client.notify("window/workDoneProgress/cancel", json!({ "token": create["params"]["token"] })).await;
    assert_eq!(client.answer(id).await.unwrap()["outcome"], "failed");
    assert_eq!(client.expect("$/progress").await["params"]["value"]["kind"], "end");
    client.finish().await;
}

#[tokio::test]
async fn what_is_trusted_is_what_was_shown() {
    let home = Home::new();
    home.write("vaultls.toml", super::features::LINKED);
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:token>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-18 untrusted"]).await;
    // Nothing was shown yet, so nothing can be approved.
    let blind = client.command("vaultls.trust", json!({ "uri": uri, "approve": true })).await;
    assert_eq!(blind["outcome"], "review");
    let names: Vec<_> = blind["pending"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["payments", "token"]);
    // What changed meanwhile was not shown.
    home.write("vaultls.toml", &super::features::LINKED.replace("path = \"app\"", "path = \"other\""));
    let approved = client.command("vaultls.trust", json!({ "uri": uri, "approve": true })).await;
    assert_eq!(approved["outcome"], "done");
    let again = client.command("vaultls.trust", json!({ "uri": uri })).await;
    let names: Vec<_> = again["pending"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["token"]);
    client.finish().await;
}

#[tokio::test]
async fn the_status_lists_names_and_no_values() {
    let home = Home::new();
    store(&home, "key").await;
    let mut client = with_plugin(&home).await;
    let status = client.command("vaultls.status", json!({})).await;
    assert_eq!(status["outcome"], "status");
    assert_eq!(status["local"], "open");
    assert_eq!(status["secrets"][0]["name"], "key");
    assert!(!status.to_string().contains(CANARY));
    assert_eq!(client.command("vaultls.resetCache", json!({})).await["outcome"], "done");
    client.finish().await;
}

#[tokio::test]
async fn a_secret_of_the_local_vault_is_renamed_there_too() {
    let home = Home::new();
    store(&home, "key").await;
    let mut client = with_plugin(&home).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:key>>\n").await;
    let position = json!({ "line": 1, "character": 12 });
    let params = json!({ "textDocument": { "uri": uri }, "position": position, "newName": "api/key" });
    let edit = client.request("textDocument/rename", params).await.unwrap();
    assert_eq!(edit["changes"][&uri][0]["newText"], "api/key");
    client.expect("window/showMessage").await;
    let status = client.command("vaultls.status", json!({})).await;
    assert_eq!(status["secrets"][0]["name"], "api/key");
    client.finish().await;
}

#[tokio::test]
async fn a_link_is_written_into_the_workspaces_file() {
    let home = Home::new();
    home.write("vaultls.toml", &format!("# ours\n{}", super::features::LINKED));
    let mut client = with_plugin(&home).await;
    let link = json!({ "integration": "payments", "engine": "kv", "path": "app", "key": "other" });
    let argument = json!({ "uri": home.uri("a.http"), "name": "other", "link": link });
    assert_eq!(client.command("vaultls.link", argument).await["outcome"], "done");
    let text = std::fs::read_to_string(home.root().join("vaultls.toml")).unwrap();
    assert!(text.starts_with("# ours\n") && text.contains("[secrets.other]\n"), "{text}");
    // The person's own act needs no approval; the rest of the file does.
    let review = client.command("vaultls.trust", json!({ "uri": home.uri("a.http") })).await;
    let names: Vec<_> = review["pending"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["payments", "token"]);
    client.finish().await;
}
