//! The state of everything on a page with what can be done about it, a sign-in by code, a new vault, and values of
//! several lines.

use std::time::Duration;

use serde_json::json;
use vaultls::work::Core;

use super::{CANARY, LINE, configure, open, page, store, stranger::Visitor, walk};
use crate::support::{
    browser,
    client::Home,
    echo::Echo,
    oidc::{CLIENT, Oidc, TENANT},
    openbao::{OpenBao, ROOT},
};

const PASSPHRASE: &str = "canary-41aa90-new-passphrase";

fn key() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{LINE}\n-----END PRIVATE KEY-----\n")
}

/// An integration `cloud` that one signs in to with a code.
fn by_device(home: &Home, oidc: &Oidc) {
    configure(
        home,
        &format!(
            "[integrations.cloud]\nprovider = 'azure'\naddress = '{}'\nca-file = '{}'\ntenant = '{TENANT}'\n\
             client-id = '{CLIENT}'\nauth = {{ method = 'device' }}\n",
            oidc.issuer,
            oidc.ca_file().display()
        ),
    );
}

#[tokio::test]
async fn what_the_state_shows_is_mended_beside_it() {
    let (Some(server), Some(browser)) = (OpenBao::start(), browser::browser()) else { return };
    let home = Home::new();
    store(&home, "key").await;
    configure(
        &home,
        &format!(
            "[integrations.team]\nprovider = \"hashicorp\"\naddress = \"{}\"\n\
             [secrets.linked]\nintegration = \"team\"\nengine = \"kv\"\npath = \"app\"\nkey = \"k\"\n",
            server.address
        ),
    );
    home.write("vaultls.toml", "[secrets.other]\nintegration = \"team\"\nengine = \"kv\"\npath = \"b\"\nkey = \"k\"\n");
    let mut client = open(&home).await;
    let status = client.command("vaultls.status", json!({})).await;
    assert_eq!(status["outcome"], "status");
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "Vaults and secrets"],
        ["press", "Review"],
        ["see", "Does this workspace say what you want?"],
        ["press", "Leave it"],
        ["press", "Review"],
        ["press", "Approve"],
        ["see", "are trusted"],
        ["press", "Sign in"],
        ["fill", "Token", ROOT],
        ["press", "Continue"],
        ["see", "signed in to"],
        ["press", "Disconnect"],
        ["see", "is disconnected"],
        ["press", "Look again"],
        ["see", "Vaults and secrets"],
        ["press", "Close"],
        ["see", "You can close"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[0].contains("Local vault\n\nopen") && seen[0].contains("team\n\nHashiCorp Vault"), "{seen:?}");
    assert!(seen[0].contains("key\n\nlocal vault") && seen[0].contains("wait for your approval"), "{seen:?}");
    assert!(seen[0].contains("linked\n\nteam · engine kv · path app · key k"), "{seen:?}");
    assert!(!seen[2].contains("wait for your approval"), "{seen:?}");
    assert!(seen[3].contains("HashiCorp Vault") && seen[3].contains("Disconnect"), "{seen:?}");
    assert!(!seen[5].contains("Disconnect"), "{seen:?}");
    client.finish().await;
}

#[tokio::test]
async fn a_vault_is_locked_and_opened_where_its_state_is_shown() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    store(&home, "key").await;
    let home = home.locked();
    let mut client = open(&home).await;
    client.command("vaultls.status", json!({})).await;
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "Vaults and secrets"],
        ["press", "Unlock"],
        ["press", "Not now"],
        ["press", "Unlock"],
        ["fill", "Passphrase", "canary-7f3a9c-passphrase"],
        ["press", "Continue"],
        ["see", "Vaults and secrets"],
        ["press", "Lock"],
        ["see", "everything cached is forgotten"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[0].contains("Local vault\n\nlocked"), "{seen:?}");
    assert!(seen[1].contains("Local vault\n\nopen") && seen[1].contains("key\n\nlocal vault"), "{seen:?}");
    assert!(seen[2].contains("Local vault\n\nlocked"), "{seen:?}");
    client.finish().await;
}

/// A status bar asks for what is known offline, at any time: that opens nothing.
#[tokio::test]
async fn only_a_person_opens_the_state() {
    let home = Home::new();
    let mut client = open(&home).await;
    client.command("vaultls.status", json!({ "offline": true })).await;
    let said = client.expect("window/showMessage").await;
    assert!(said["params"]["message"].as_str().unwrap().starts_with("local vault: absent"), "{said}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workspace_defines_forges_no_state() {
    let home = Home::new();
    home.write(
        "vaultls.toml",
        "[integrations.p]\nprovider = \"hashicorp\"\naddress = \"https://a.example.com/</p><b>signed in</b>\"\n\
         [secrets.x]\nintegration = \"p\"\nengine = \"kv\"\npath = \"</li><button name=do value=lock>\u{202e}\"\nkey = \"k\"\n",
    );
    let mut client = open(&home).await;
    client.command("vaultls.status", json!({})).await;
    let visitor = Visitor::enter(&page(&mut client).await);
    let shown = visitor.get();
    assert!(!shown.contains("<b>") && !shown.contains("value=lock") && !shown.contains('\u{202e}'), "{shown}");
    // What was never approved is not signed in to, by whatever a form says.
    assert!(!shown.contains("name=\"sign-in\""), "{shown}");
    visitor.post(&shown, &[("sign-in", "99")]);
    assert!(visitor.get().contains("Vaults and secrets"));
    visitor.post(&visitor.get(), &[("sign-in", "0")]);
    let refused = visitor.get();
    assert!(refused.contains("This did not work"), "{refused}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_by_code_shows_the_code_and_ends_by_itself() {
    let (Some(oidc), Some(browser)) = (Oidc::start(3600), browser::browser()) else { return };
    let home = Home::new();
    by_device(&home, &oidc);
    let mut client = open(&home).await;
    let begun = client.command("vaultls.login", json!({ "integration": "cloud" })).await;
    assert_eq!(begun["outcome"], "browser", "{begun}");
    // One page, and it is ours: the provider's is a link on it.
    let address = page(&mut client).await;
    let code = begun["code"].as_str().unwrap();
    let told = home.root().join("the-page-is-shown");
    let steps =
        json!([["see", "enter this code there"], ["tell", told], ["see", "signed in to"], ["see", "You can close"]]);
    let person = async {
        while !told.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let url = begun["url"].as_str().unwrap().parse().unwrap();
        oidc.person().enter_code(&url, code, "alice@example.com").await
    };
    let (seen, entered) = tokio::join!(walk(browser, &address, steps), person);
    assert!(entered.contains("Success"), "{entered}");
    assert!(seen[0].contains(code) && seen[0].contains(begun["url"].as_str().unwrap()), "{seen:?}");
    assert!(seen[1].contains("signed in to cloud as alice@example.com"), "{seen:?}");
    let said = client.expect("window/showMessage").await;
    assert!(said["params"]["message"].as_str().unwrap().starts_with("signed in to `cloud`"), "{said}");
    client.finish().await;
}

/// Whoever looks on does not end it, and what ended elsewhere is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_ended_elsewhere_ends_on_the_page() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let home = Home::new();
    by_device(&home, &oidc);
    let mut client = open(&home).await;
    client.command("vaultls.login", json!({ "integration": "cloud" })).await;
    let visitor = Visitor::enter(&page(&mut client).await);
    for _ in 0..2 {
        assert!(visitor.get().contains("enter this code there"));
    }
    client.command("vaultls.disconnect", json!({ "integration": "cloud" })).await;
    client.expect("window/showMessage").await;
    let ended = visitor.get();
    assert!(ended.contains("the sign-in was ended") && !ended.contains("http-equiv"), "{ended}");
    client.finish().await;
}

#[tokio::test]
async fn a_new_vault_asks_for_its_passphrase_and_then_for_the_value() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new().locked();
    let mut client = open(&home).await;
    client.command("vaultls.create", json!({ "name": "key" })).await;
    let address = page(&mut client).await;
    let steps = json!([
        ["see", "The local vault is new"],
        ["fill", "A passphrase for it, of 8 characters or more", PASSPHRASE],
        ["press", "Continue"],
        ["see", "The value of"],
        ["fill", "Value of key", CANARY],
        ["press", "Continue"],
        ["see", "You can close"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[2].contains("key is in the local vault"), "{seen:?}");
    assert!(seen.iter().all(|it| !it.contains(PASSPHRASE)), "{seen:?}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_several_lines_is_stored_line_by_line() {
    let Some(browser) = browser::browser() else { return };
    let home = Home::new();
    let mut client = open(&home).await;
    client.command("vaultls.create", json!({ "name": "key" })).await;
    let address = page(&mut client).await;
    let steps = json!([
        ["fill", "Value of key", key()],
        ["press", "Continue"],
        ["see", "this key came as one line"],
        ["fill", "Value of key, line by line", key()],
        ["press", "Store these lines"],
        ["see", "You can close"],
    ]);
    let seen = walk(browser, &address, steps).await;
    assert!(seen[1].contains("key is in the local vault") && !seen[0].contains(LINE), "{seen:?}");
    client.finish().await;

    let echo = Echo::start();
    let core = std::sync::Arc::new(Core::open(home.core_options(&home.root())));
    let name = vaultls::name::SecretName::parse("key").unwrap();
    core.allow_host(&name, &echo.address, true).await.unwrap();
    let mut client = open(&home).await;
    let uri = home.uri("a.http");
    let text = format!("POST http://{}/\n\n<<vault:key>>\n", echo.address);
    client.open_document(&uri, "http", &text).await;
    let sent = client.command("vaultls.run", json!({ "uri": uri })).await;
    assert_eq!(sent["outcome"], "sent", "{sent}");
    assert!(!sent.to_string().contains(LINE), "{sent}");
    let shown = client.expect("window/showDocument").await;
    client.reply(&shown, json!({ "success": true })).await;
    client.finish().await;
    assert!(echo.seen()[0].contains(&key()), "{:?}", echo.seen());
}

/// What is asked for in one line takes no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_value_may_have_several_lines() {
    let home = Home::new();
    store(&home, "key").await;
    let home = home.locked();
    let mut client = open(&home).await;
    client.command("vaultls.unlock", json!({})).await;
    let visitor = Visitor::enter(&page(&mut client).await);
    let shown = visitor.get();
    assert!(!shown.contains("<textarea"), "{shown}");
    visitor.post(&shown, &[("do", "lines"), ("passphrase", "canary-7f3a9c-passphrase\r\n")]);
    let refused = visitor.get();
    assert!(refused.contains("This did not work") && !refused.contains("canary"), "{refused}");
    client.finish().await;
}
