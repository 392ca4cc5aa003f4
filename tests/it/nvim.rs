//! The Neovim plugin in the real editor with the real server. Each test runs one file of `tests/nvim/`.

use serde_json::json;

use crate::support::{
    agent::{Agent, PASSWORD},
    nvim::{Editor, neovim},
    openbao::OpenBao,
};

#[test]
fn the_plugin_holds_its_promises_without_a_server() {
    check("plugin", &[]);
}

#[test]
fn every_answer_of_a_scripted_server_is_followed_up() {
    check("outcomes", &[]);
}

#[test]
fn the_editor_shows_what_the_server_says() {
    check("editing", &[]);
}

#[test]
fn a_request_is_sent_and_its_secrets_are_never_seen() {
    check("sending", &["canary-nvim-5f1d0c83b2e94a67", "canary-other-19d3c5"]);
}

#[test]
fn the_user_is_asked_for_trust_links_and_tokens() {
    check("asking", &["canary-token-84be02d7a1"]);
}

/// Against a real server, whose page is visited by a browser that the test plays.
#[tokio::test]
async fn the_user_signs_in_on_a_page_and_chooses_what_to_link() {
    const VALUE: &str = "canary-chosen-2c6f81";
    let Some((neovim, server)) = neovim().zip(OpenBao::start()) else { return };
    let agent = Agent::of(&server);
    agent.secret(VALUE).await;
    agent.people().await;
    let (client, issuer) = agent.oidc(json!({})).await;
    let world = json!({ "address": server.address, "issuer": issuer, "client": client, "token": agent.token().await });
    let editor = Editor::new();
    editor.run_with(neovim, "vault", &[("VAULTLS_TEST_VAULT", &world.to_string())]);
    for canary in [VALUE, PASSWORD] {
        editor.search_for(canary);
    }
}

/// Runs the tests of one file, then searches all that was left on the disk for the canaries in it.
fn check(name: &str, canaries: &[&str]) {
    let Some(neovim) = neovim() else { return };
    let editor = Editor::new();
    editor.run(neovim, name);
    for canary in canaries {
        editor.search_for(canary);
    }
}
