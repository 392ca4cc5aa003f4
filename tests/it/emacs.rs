//! The Emacs package in the real editor, with Eglot and the real server: in the oldest Emacs that it supports and in a
//! new one. Each test runs one file of `tests/emacs/`.

use std::path::Path;

use serde_json::json;

use crate::support::{
    agent::{Agent, PASSWORD},
    emacs::editions,
    openbao::{OpenBao, ROOT},
};

const CANARIES: [&str; 2] = ["canary-emacs-2d81f6c07be3495a", "canary-token-e17b40a92c"];

#[test]
fn the_package_compiles_without_a_warning_and_is_documented() {
    check("archive");
}

#[test]
fn the_editor_shows_what_the_server_says() {
    check("editing");
}

#[test]
fn a_line_above_each_request_sends_it() {
    check("lenses");
}

#[test]
fn a_request_is_sent_and_its_secrets_are_never_seen() {
    check("sending");
}

#[test]
fn responses_are_kept_folded_and_sent_for_again() {
    check("responses");
}

#[test]
fn the_user_is_asked_for_trust_links_and_tokens() {
    check("asking");
}

#[test]
fn the_local_vault_is_locked_and_unlocked() {
    check("locking");
}

#[test]
fn a_newcomer_sees_a_masked_response_by_what_the_page_says() {
    check("newcomer");
}

#[test]
fn the_server_alone_shows_a_response_as_a_private_file() {
    check("bare");
}

/// Against a real server, whose page is visited by a browser that the test plays.
#[tokio::test]
async fn the_user_signs_in_on_a_page_and_chooses_what_to_link() {
    const VALUE: &str = "canary-chosen-7d13b9";
    for emacs in editions() {
        let Some(server) = OpenBao::start() else { return };
        let agent = Agent::of(&server);
        agent.secret(VALUE).await;
        agent.people().await;
        let (client, issuer) = agent.oidc(json!({})).await;
        // Whoever signs in by a password from now on is asked for a code as well.
        let token = agent.token().await;
        agent.second_factor().await;
        let world = json!({
            "address": server.address, "issuer": issuer, "client": client, "token": token, "root": ROOT,
        });
        let editor = emacs.run("vault", &[("VAULTLS_TEST_VAULT", &world.to_string())]);
        for canary in [VALUE, PASSWORD] {
            editor.search_for(canary);
        }
    }
}

/// Runs the tests of one file in each Emacs, then searches all that was left on the disk for what was entered in it.
fn check(name: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/emacs/README.md");
    for emacs in editions() {
        let editor = emacs.run(name, &[("VAULTLS_PAGE", page.to_str().expect("a path in UTF-8"))]);
        for canary in CANARIES {
            editor.search_for(canary);
        }
    }
}
