//! The Neovim plugin in the real editor with the real server. Each test runs one file of `tests/nvim/`. What is kept for
//! other people's registries is tried here as well.
#![expect(clippy::disallowed_methods, reason = "lays the registries' entries where the editor finds them")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

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

#[test]
fn the_entry_for_nvim_lspconfig_starts_the_bare_server() {
    let Some(neovim) = neovim() else { return };
    let editor = Editor::new();
    let runtime = editor.home().join("registry");
    fs::create_dir_all(runtime.join("lsp")).unwrap();
    fs::copy(registries().join("nvim-lspconfig/vaultls.lua"), runtime.join("lsp/vaultls.lua")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_vaultls")).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&others))).unwrap();
    let variables = [("VAULTLS_PLUGIN", runtime.to_str().unwrap()), ("PATH", path.to_str().unwrap())];
    editor.run_with(neovim, "lspconfig", &variables);
}

fn registries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/registries")
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
