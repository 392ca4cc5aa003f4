//! A workspace that the person does not trust: the server itself refuses, because an editor may run commands from lenses
//! and actions past whatever its plugin hides.

use serde_json::{Value, json};
use vaultls::feature::command::Verb;

use crate::support::{
    client::{Client, Home},
    echo::Echo,
};

fn restricted() -> Value {
    json!({ "vaultls": { "client": "vscode", "restricted": true } })
}

/// A complete argument of each command.
fn argument(verb: Verb, uri: &str) -> Value {
    match verb {
        Verb::Run | Verb::CopyCurl | Verb::Status => json!({ "uri": uri }),
        Verb::AllowHost => json!({ "uri": uri, "secret": "key", "host": "api.example.com", "remember": true }),
        Verb::Create | Verb::Enable | Verb::OpenAtProvider => json!({ "uri": uri, "name": "key" }),
        Verb::Link => json!({ "uri": uri, "name": "key", "link": { "integration": "team", "path": "a", "key": "b" } }),
        Verb::Unlock | Verb::Lock | Verb::ResetCache | Verb::UseEnvironment => json!({}),
        Verb::Login | Verb::Disconnect => json!({ "uri": uri, "integration": "team" }),
        Verb::Browse => json!({ "uri": uri, "name": "key", "integration": "team" }),
        Verb::Trust => json!({ "uri": uri, "approve": true }),
        Verb::Extract => json!({ "uri": uri, "version": 1, "span": { "start": 0, "end": 3 }, "name": "key" }),
    }
}

#[tokio::test]
async fn every_command_but_the_status_is_refused() {
    let home = Home::new();
    home.write("vaultls.toml", "[integrations.team]\nprovider = 'hashicorp'\naddress = 'https://vault.example.com'\n");
    let echo = Echo::start();
    let mut client = Client::open_with(&home, json!({}), restricted()).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{}/\n", echo.address)).await;
    for verb in Verb::ALL.into_iter().filter(|verb| *verb != Verb::Status) {
        let answer = client.command(verb.id(), argument(verb, &uri)).await;
        assert_eq!(answer["outcome"], "failed", "{}: {answer}", verb.id());
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("Restricted Mode"), "{}: {message}", verb.id());
    }
    assert_eq!(echo.seen(), Vec::<String>::new());
    let status = client.command(Verb::Status.id(), argument(Verb::Status, &uri)).await;
    assert_eq!(status["outcome"], "status");
    assert_eq!(status["integrations"][0]["problem"]["reason"], "untrusted", "nothing was approved: {status}");
    client.skip_diagnostics();
    client.finish().await;
}

/// A setting may come from the workspace itself.
#[tokio::test]
async fn no_setting_lifts_it() {
    let home = Home::new();
    let mut client = Client::open_with(&home, json!({}), restricted()).await;
    let settings = json!({ "settings": { "vaultls": { "restricted": false } } });
    client.notify("workspace/didChangeConfiguration", settings).await;
    let answer = client.command(Verb::Unlock.id(), json!({})).await;
    assert_eq!(answer["outcome"], "failed");
    client.finish().await;
}
