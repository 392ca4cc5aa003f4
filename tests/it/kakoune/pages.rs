//! What Kakoune's language client cannot ask is asked on a page in the person's browser: here a real one walks through.

use serde_json::{Value, json};

use super::{CANARY, CONFIG, open, settings, store};
use crate::support::{
    browser::{self, Browser},
    kakoune::{Kakoune, programs},
    nvim::KEY,
    openbao::{OpenBao, ROOT},
};

/// Walks through the page that the person's browser was sent to; what stood on its last step.
async fn walk(browser: &Browser, kakoune: &Kakoune, steps: Value) -> String {
    let walked = browser.walk(&kakoune.visited(1), steps).await;
    assert!(!walked.html.contains(CANARY), "{}", walked.html);
    walked.seen.last().expect("a step").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_created_by_a_code_action() {
    let Some(browser) = browser::browser() else { return };
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:nope>>\n") else { return };
    kakoune.go_to("nope");
    kakoune.press("<space>vf");
    kakoune.wait("the actions", |screen| (screen.menu == ["Create `nope` in the local vault"]).then_some(()));
    kakoune.press("<tab><ret>");
    let steps = json!([["fill", "Value of nope", CANARY], ["press", "Continue"], ["see", "You can close"]]);
    walk(browser, &kakoune, steps).await;
    kakoune.wait_for("%opt{lsp_diagnostic_error_count}", |count| count == "0");
    kakoune.end();
    kakoune.world.search_for(CANARY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_signed_in_to_by_a_token_and_linked_by_choosing() {
    let (Some(browser), Some(server)) = (browser::browser(), OpenBao::start()) else { return };
    let Some(programs) = programs() else { return };
    server.mount("kv", 2);
    server.ask("POST", "kv/data/team/app", &json!({ "data": { "password": CANARY, "user": "ada" } }));
    let config = format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n", server.address);
    let text = "GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:db/pass>>\n";
    let files = [("a.http", text), ("vaultls.toml", ""), (CONFIG, &config)];
    let mut kakoune = Kakoune::start(programs, &settings(), &files);
    kakoune.wait("the reference in red", |screen| (screen.colour("db/pass") == Some("red")).then_some(()));
    kakoune.go_to("db.pass");
    kakoune.press("<space>vf");
    kakoune.wait("the actions", |screen| (screen.menu.len() >= 2).then_some(()));
    kakoune.press("Link<tab><ret>");
    let steps = json!([
        ["press", "Sign in"],
        ["fill", "Token", ROOT],
        ["press", "Continue"],
        ["press", "kv"],
        ["press", "team/"],
        ["press", "app"],
        ["press", "password"],
        ["press", "Link"],
        ["see", "You can close"],
    ]);
    let end = walk(browser, &kakoune, steps).await;
    assert!(end.contains("db/pass is linked to team"), "{end}");
    kakoune.wait_for("%opt{lsp_diagnostic_error_count}", |count| count == "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_vault_is_unlocked_by_its_passphrase() {
    let Some(browser) = browser::browser() else { return };
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:token>>\n") else { return };
    store(&mut kakoune, "token", CANARY);
    kakoune.press("<space>vl");
    kakoune.wait("the lock", |screen| screen.has_said("the local vault is locked").then_some(()));
    kakoune.wait_for("%opt{lsp_diagnostic_warning_count}", |count| count == "1");
    kakoune.press("<space>vu");
    let steps = json!([["fill", "Passphrase", KEY], ["press", "Continue"], ["see", "You can close"]]);
    let end = walk(browser, &kakoune, steps).await;
    assert!(end.contains("the local vault is open"), "{end}");
    kakoune.press("<space>vi");
    kakoune.wait_in("*vaultls-status*", "token: can be had");
    kakoune.end();
    kakoune.world.search_for(CANARY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_to_link_asks_where_the_secret_lives() {
    let Some(browser) = browser::browser() else { return };
    let Some(mut kakoune) = open("GET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:nope>>\n") else { return };
    kakoune.wait("the reference in red", |screen| (screen.colour("nope") == Some("red")).then_some(()));
    kakoune.go_to("nope");
    // The server learns where the cursor is by what is asked there.
    kakoune.command("lsp-hover");
    kakoune.wait("the hover", |screen| screen.info.contains("nope").then_some(()));
    kakoune.command("vaultls-link");
    let steps = json!([
        ["see", "Where does nope live?"],
        ["press", "local vault"],
        ["fill", "Value of nope", CANARY],
        ["press", "Continue"],
        ["see", "You can close"],
    ]);
    walk(browser, &kakoune, steps).await;
    kakoune.wait_for("%opt{lsp_diagnostic_error_count}", |count| count == "0");
    kakoune.end();
    kakoune.world.search_for(CANARY);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_with_the_workspace_is_reviewed_and_trusted() {
    let Some((programs, browser)) = programs().zip(browser::browser()) else { return };
    let definition = "[integrations.theirs]\nprovider = 'hashicorp'\naddress = 'https://vault.example.com'\n";
    let files = [("a.http", "GET http://127.0.0.1:9/x\n"), ("vaultls.toml", definition)];
    let mut kakoune = Kakoune::start(programs, &settings(), &files);
    kakoune.wait("the lens", |screen| screen.text().contains("Send").then_some(()));
    kakoune.press("<space>vt");
    let steps = json!([["see", "vault.example.com"], ["press", "Approve"], ["see", "You can close"]]);
    walk(browser, &kakoune, steps).await;
    kakoune.press("<space>vt");
    kakoune.wait("the end", |screen| screen.has_said("nothing in this workspace waits").then_some(()));
}
