//! What each client leaves to a page in the browser: trust, signing in, linking by choosing; with a real OpenBao, and a
//! real Chromium where the page is not ours.
#![expect(clippy::disallowed_methods, reason = "writes the user's own configuration")]

use std::fs;

use serde_json::json;

use super::{CANARY, Editor, desk, profiles};
use crate::support::{
    agent::{Agent, PASSWORD, USER},
    browser::{self, Pages, Visitor},
    client::Home,
    openbao::{OpenBao, ROOT},
    ports,
};

const USES: &str = "GET https://api.example.com/\nX-Key: <<vault:key>>\n";
/// Where the secret lives, for a file in which the integration `team` stands.
const LINK: &str = "[secrets.key]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n\
                    allowed-domains = ['api.example.com']\n";

/// Writes the user's own configuration, which needs no approval.
fn configure(home: &Home, text: &str) {
    let file = home.directories().user_config();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn a_workspace_is_trusted_after_its_definitions_were_shown() {
    for profile in profiles() {
        let (home, desktop) = desk();
        let team = "[integrations.team]\nprovider = 'hashicorp'\naddress = 'https://127.0.0.1:1'\n";
        home.write("vaultls.toml", &format!("{team}{LINK}"));
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.act("untrusted", "Review and trust this workspace's definitions").await;
        let mut page = editor.page().await;
        assert!(page.html.contains("https://127.0.0.1:1"), "{}: {}", profile.client, page.html);
        page.submit(&[("do", "approve")]).await;
        assert!(page.html.contains("You can close this page"), "{}: {}", profile.client, page.html);
        editor.diagnostics(1, Some("login-needed")).await;
        editor.close().await;
    }
}

#[tokio::test]
async fn a_person_signs_in_with_a_token() {
    let Some(server) = OpenBao::start() else { return };
    Agent::of(&server).secret(CANARY).await;
    for profile in profiles() {
        let (home, desktop) = desk();
        configure(
            &home,
            &format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n{LINK}", server.address),
        );
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.act("login-needed", "Sign in to `team`").await;
        let mut page = editor.page().await;
        page.submit(&[("token", ROOT), ("do", "answer")]).await;
        assert!(page.html.contains("You can close this page"), "{}: {}", profile.client, page.html);
        assert!(!page.html.contains(ROOT) && !page.html.contains(CANARY), "{}", page.html);
        editor.diagnostics(1, None).await;
        editor.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_in_the_browser() {
    let (Some(server), Some(chromium)) = (OpenBao::start(), browser::browser()) else { return };
    let agent = Agent::of(&server);
    agent.secret(CANARY).await;
    agent.people().await;
    let (client_id, issuer) = agent.oidc(json!({})).await;
    for profile in profiles() {
        let (home, desktop) = desk();
        configure(
            &home,
            &format!(
                "[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\nauth = {{ method = 'oidc', provider-url = \
                 '{issuer}', jwt-path = 'postman-jwt', client-id = '{client_id}', redirect-ports = '{}' }}\n\
                 {LINK}",
                server.address,
                ports::reserve(1)
            ),
        );
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.act("login-needed", "Sign in to `team`").await;
        let address = editor.opened().await;
        let visitor = Visitor { user: USER, password: PASSWORD, denies: false };
        let ended = chromium.sign_in(Pages::Bao, &address, visitor, None).await;
        assert!(ended.address.starts_with("http://127.0.0.1:"), "{}: {}", profile.client, ended.address);
        let told = editor.said().await;
        assert!(told.starts_with("signed in to `team` as "), "{}: {told}", profile.client);
        editor.diagnostics(1, None).await;
        editor.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_linked_by_choosing_it_in_its_vault() {
    let (Some(server), Some(chromium)) = (OpenBao::start(), browser::browser()) else { return };
    server.mount("kv", 2);
    server.ask("POST", "kv/data/team/app", &json!({ "data": { "password": CANARY, "user": "ada" } }));
    for profile in profiles() {
        let (home, desktop) = desk();
        configure(&home, &format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n", server.address));
        let mut editor = Editor::show(&profile, &home, desktop, USES).await;
        editor.act("missing", "Link `key` to `team`...").await;
        let address = editor.told_page().await;
        let steps = json!([
            ["press", "Sign in"],
            ["fill", "Token", ROOT],
            ["press", "Continue"],
            ["press", "kv"],
            ["press", "team/"],
            ["press", "app"],
            ["see", "user"],
            ["press", "password"],
            ["fill", "Hosts it may be sent to", "api.example.com"],
            ["press", "Link"],
            ["see", "You can close"],
        ]);
        let walked = chromium.walk(&address, steps).await;
        assert!(walked.seen.iter().all(|page| !page.contains(CANARY)), "{}: {:?}", profile.client, walked.seen);
        editor.diagnostics(1, None).await;
        let written = fs::read_to_string(home.root().join("vaultls.toml")).unwrap();
        assert!(written.contains("path = \"team/app\""), "{}: {written}", profile.client);
        editor.close().await;
    }
}
