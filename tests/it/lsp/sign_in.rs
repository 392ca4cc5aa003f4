//! Signing in, disconnecting and choosing, against a real server (OpenBao); and what a workspace may not decide.
#![expect(clippy::disallowed_methods, reason = "writes the user's own configuration")]

use serde_json::{Value, json};
use vaultls::work::answer;

use crate::support::{
    agent::Agent,
    client::{Client, Home},
    echo::Echo,
    openbao::{OpenBao, ROOT},
    ports,
};

const CANARY: &str = "canary-a1c4e2-signed-in";

fn plugin() -> Value {
    json!({ "vaultls": { "client": "nvim" } })
}

/// Writes the user's own configuration, which needs no approval.
fn configure(home: &Home, text: &str) {
    let file = home.directories().user_config();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

async fn answer_with(home: &Home, question: &Value, value: &str) -> Result<Option<Value>, answer::AnswerError> {
    let (ticket, id) = (question["ticket"].as_str().unwrap(), question["fields"][0]["id"].as_str().unwrap());
    answer::deliver(&home.directories(), ticket, json!({ id: value }).to_string().into_bytes().into()).await
}

#[tokio::test]
async fn a_session_begins_ends_and_begins_again() {
    let Some(server) = OpenBao::start() else { return };
    server.mount("kv", 2);
    server.ask("POST", "kv/data/app", &json!({ "data": { "key": CANARY } }));
    let home = Home::new();
    let echo = Echo::start();
    configure(
        &home,
        &format!(
            "[integrations.team]\nprovider = \"hashicorp\"\naddress = \"{}\"\n\
             [secrets.key]\nintegration = \"team\"\nengine = \"kv\"\npath = \"app\"\nkey = \"key\"\n\
             allowed-domains = [\"http://{}\"]\n",
            server.address, echo.address
        ),
    );
    let mut client = Client::open_with(&home, json!({}), plugin()).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", &format!("GET http://{}/\nX: <<vault:key>>\n", echo.address)).await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 login-needed"]).await;

    let login = json!({ "uri": uri, "integration": "team" });
    let question = client.command("vaultls.login", login.clone()).await;
    assert_eq!(question["outcome"], "needsInput");
    let refused = answer_with(&home, &question, "canary-wrong-token").await;
    assert!(matches!(refused, Err(answer::AnswerError::Failed(_))), "{refused:?}");
    let question = client.command("vaultls.login", login.clone()).await;
    // A second window is shown the same question.
    assert_eq!(client.command("vaultls.login", login.clone()).await, question);
    let done = answer_with(&home, &question, ROOT).await.unwrap().unwrap();
    assert_eq!(done["outcome"], "done");
    client.expect_diagnostics(&uri, 1, &[]).await;
    let sent = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(sent["outcome"], "sent", "{sent}");
    let status = client.command("vaultls.status", json!({ "uri": uri })).await;
    let team = &status["integrations"][0];
    assert_eq!((&team["name"], &team["trusted"], &team["problem"]), (&json!("team"), &json!(true), &Value::Null));
    assert_eq!((&team["address"], &team["signIn"]), (&json!(server.address), &json!("token")));

    // Twice is as good as once.
    for _ in 0..2 {
        assert_eq!(client.command("vaultls.disconnect", login.clone()).await["outcome"], "done");
    }
    client.expect_diagnostics(&uri, 1, &["1:3-16 disconnected"]).await;
    let blocked = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(blocked["obstacles"][0]["code"], "disconnected");
    let browse = json!({ "uri": uri, "name": "key", "integration": "team" });
    let choices = client.command("vaultls.browse", browse).await;
    assert_eq!((&choices["outcome"], &choices["code"]), (&json!("failed"), &json!("disconnected")));
    assert_eq!(echo.seen().len(), 1);

    let question = client.command("vaultls.login", login).await;
    answer_with(&home, &question, ROOT).await.unwrap();
    client.expect_diagnostics(&uri, 1, &[]).await;
    client.finish().await;
}

#[tokio::test]
async fn a_browser_that_comes_back_heals_what_waited() {
    let Some(server) = OpenBao::start() else { return };
    let agent = Agent::of(&server);
    agent.secret(CANARY).await;
    agent.people().await;
    let (client_id, issuer) = agent.oidc(json!({})).await;
    let home = Home::new();
    configure(
        &home,
        &format!(
            "[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\nauth = {{ method = 'oidc', \
             provider-url = '{issuer}', jwt-path = 'postman-jwt', client-id = '{client_id}', \
             redirect-ports = '{}' }}\n\
             [secrets.key]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n",
            server.address,
            ports::reserve(1)
        ),
    );
    let window = json!({ "window": { "showDocument": { "support": true } } });
    let mut client = Client::open_with(&home, window, plugin()).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 login-needed"]).await;

    let login = json!({ "uri": uri, "integration": "team" });
    let page = client.command("vaultls.login", login.clone()).await;
    assert_eq!((&page["outcome"], &page["fields"][0]["id"]), (&json!("browser"), &json!("address")), "{page}");
    let shown = client.expect("window/showDocument").await;
    assert_eq!((&shown["params"]["uri"], &shown["params"]["external"]), (&page["url"], &json!(true)));
    client.reply(&shown, json!({ "success": true })).await;
    // Asking again meanwhile is no second sign-in.
    assert_eq!(client.command("vaultls.login", login).await, page);
    agent.returns(&page["url"].as_str().unwrap().parse().unwrap()).await;
    let told = client.expect("window/showMessage").await;
    assert!(told["params"]["message"].as_str().unwrap().starts_with("signed in to `team` as "), "{told}");
    client.expect_diagnostics(&uri, 1, &["1:3-16 host-unapproved"]).await;
    let status = client.command("vaultls.status", json!({ "uri": uri })).await;
    assert!(status["integrations"][0]["session"]["until"].is_string(), "{status}");
    assert!(!status.to_string().contains("canary"));
    // On a slow machine the sign-in takes long enough to show that it is under way.
    client.skip("window/workDoneProgress/create");
    client.finish().await;
}

#[tokio::test]
async fn the_page_of_a_secret_is_shown_in_the_browser_or_told() {
    const AZURE: &str = "[integrations.az]\nprovider = \"azure\"\nauth = { method = \"client-secret\" }\ntenant = \"t.example\"\n\
        client-id = \"c\"\n[secrets.db]\nintegration = \"az\"\nid = \"https://team.vault.azure.net/secrets/db\"\n";
    const PAGE: &str =
        "https://portal.azure.com/#asset/Microsoft_Azure_KeyVault/Secret/https://team.vault.azure.net/secrets/db";
    let home = Home::new();
    configure(&home, AZURE);
    let open = json!({ "name": "db" });
    let mut client = Client::open_with(&home, json!({}), plugin()).await;
    let page = client.command("vaultls.openAtProvider", open.clone()).await;
    assert_eq!((&page["outcome"], &page["url"]), (&json!("page"), &json!(PAGE)));
    client.finish().await;

    let window = json!({ "window": { "showDocument": { "support": true } } });
    let mut client = Client::open_with(&home, window, plugin()).await;
    assert_eq!(client.command("vaultls.openAtProvider", open).await["outcome"], "done");
    let shown = client.expect("window/showDocument").await;
    assert_eq!((&shown["params"]["uri"], &shown["params"]["external"]), (&json!(PAGE), &json!(true)));
    client.reply(&shown, json!({ "success": true })).await;
    client.finish().await;
}

#[tokio::test]
async fn the_page_of_a_link_that_nobody_approved_is_not_opened() {
    let home = Home::new();
    home.write(
        "vaultls.toml",
        "[integrations.az]\nprovider = \"azure\"\n[secrets.db]\nintegration = \"az\"\n\
         id = \"https://team.vault.azure.net/secrets/db\"\n",
    );
    let mut client = Client::open_with(&home, json!({}), plugin()).await;
    let refused = client.command("vaultls.openAtProvider", json!({ "name": "db" })).await;
    assert_eq!((&refused["outcome"], &refused["code"]), (&json!("failed"), &json!("untrusted")));
    client.finish().await;
}

#[tokio::test]
async fn a_changed_definition_shows_what_changed() {
    const BEFORE: &str = "[integrations.p]\nprovider = \"hashicorp\"\naddress = \"https://vault.example.com\"\n";
    let home = Home::new();
    home.write("vaultls.toml", BEFORE);
    let mut client = Client::open_with(&home, json!({}), plugin()).await;
    let uri = home.uri("a.http");
    let review = client.command("vaultls.trust", json!({ "uri": uri })).await;
    assert_eq!(review["pending"][0].get("changes"), None);
    client.command("vaultls.trust", json!({ "uri": uri, "approve": true })).await;
    home.write("vaultls.toml", &BEFORE.replace("vault.example.com", "vault.example.com.evil.io"));
    let review = client.command("vaultls.trust", json!({ "uri": uri })).await;
    let changes = review["pending"][0]["changes"].as_array().unwrap();
    let changed: Vec<_> = changes.iter().filter(|line| line["change"] != "kept").collect();
    assert_eq!(
        changed,
        [
            &json!({ "change": "removed", "text": "address = \"https://vault.example.com\"" }),
            &json!({ "change": "added", "text": "address = \"https://vault.example.com.evil.io\"" }),
        ]
    );
    client.finish().await;
}

#[tokio::test]
async fn settings_that_a_workspace_may_carry_decide_nothing() {
    let home = Home::new();
    let lure = Echo::start();
    let server = format!("http://{}", lure.address);
    let hostile = json!({
        "address": server, "endpoint": server, "proxy": server, "caFile": "/tmp/evil.pem", "program": "/tmp/evil",
        "az": "/tmp/evil", "opPath": "/tmp/evil", "userConfig": "/tmp/evil.toml", "trust": true, "approve": true,
        "integrations": { "p": { "provider": "hashicorp", "address": server } },
        "secrets": { "key": { "integration": "p", "engine": "kv", "path": "a", "key": "k" } },
    });
    let mut options = hostile.clone();
    options["client"] = json!("nvim");
    home.write(
        "vaultls.toml",
        "[integrations.p]\nprovider = \"hashicorp\"\naddress = \"https://127.0.0.1:1\"\n\
         [secrets.key]\nintegration = \"p\"\nengine = \"kv\"\npath = \"a\"\nkey = \"k\"\n",
    );
    let mut client = Client::open_with(&home, json!({}), json!({ "vaultls": options })).await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "vaultls": hostile } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://api.example.com/\nX: <<vault:key>>\n").await;
    client.expect_diagnostics(&uri, 1, &["1:3-16 untrusted"]).await;
    let status = client.command("vaultls.status", json!({ "uri": uri })).await;
    let [integration] = status["integrations"].as_array().unwrap().as_slice() else { panic!("{status}") };
    assert_eq!((&integration["address"], &integration["trusted"]), (&json!("https://127.0.0.1:1"), &json!(false)));
    assert_eq!(lure.seen(), Vec::<String>::new());
    client.finish().await;
}
