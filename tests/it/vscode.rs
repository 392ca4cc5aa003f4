//! The VS Code extension in the real editor with the real server. Each test runs one suite of `editors/vscode/test`
//! inside the extension host of the real VS Code, which runs as a server and is shown by a headless Chromium.
//!
//! It needs `npm` and a Chromium (`apt-get install --no-install-recommends chromium`, or an installed Google Chrome,
//! or the program that `VAULTLS_CHROMIUM` names). Without a Chromium the tests say so and pass, in CI too; everything
//! else is fetched by npm from pinned lock files, and must be had in CI.

#![expect(clippy::disallowed_methods, reason = "writes the configuration that the editor's server reads")]

use std::{fs, net::TcpListener};

use serde_json::{Value, json};
use vaultls::feature::command::Verb;

use crate::support::{
    agent::{Agent, PASSWORD, USER},
    nvim::Editor,
    openbao::OpenBao,
    vscode::vscode,
};

/// The value that a person at the window never sees.
const CANARY: &str = "canary-window-5f0d1e83b7a24c69";

#[test]
fn a_request_is_sent_from_vs_code_and_its_secrets_are_never_seen() {
    check("trusted", &["canary-vscode-3b91e7d05a6c42f8"]);
}

#[test]
fn nothing_is_sent_in_restricted_mode() {
    check("restricted", &[]);
}

#[test]
fn what_the_server_asks_is_asked_and_told() {
    check("dialogues", &[]);
}

#[test]
fn requests_and_references_are_coloured() {
    if let Some(vscode) = vscode() {
        vscode.colour(&Editor::new());
    }
}

/// The packed extension, from marks over signing in and linking to a masked response.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_person_works_at_the_window() {
    let (Some(vscode), Some(server)) = (vscode(), OpenBao::start()) else { return };
    let agent = Agent::of(&server);
    agent.secret("canary-beside").await;
    agent.policy("reader", "path \"+/*\" { capabilities = [\"read\", \"list\"] }").await;
    server.mount("shop", 2);
    for (name, key) in [("payments/stripe", "api_key"), ("payments/paypal", "client_secret"), ("mail", "password")] {
        agent.ask("POST", &format!("shop/data/{name}"), json!({"data": {key: CANARY}})).await;
    }
    agent.people().await;
    let (client, issuer) = agent.oidc(json!({})).await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let auth = format!(
        "method = 'oidc', provider-url = '{issuer}', jwt-path = 'postman-jwt', client-id = '{client}', redirect-ports = '{port}'"
    );
    let world = Editor::new();
    let config = world.home().join("config/vaultls");
    fs::create_dir_all(&config).unwrap();
    let integration = format!("provider = 'hashicorp'\naddress = '{}'\nauth = {{ {auth} }}\n", server.address);
    fs::write(config.join("config.toml"), format!("[integrations.team]\n{integration}")).unwrap();
    let person = [("VAULTLS_TEST_USER", USER), ("VAULTLS_TEST_PASSWORD", PASSWORD), ("VAULTLS_TEST_CANARY", CANARY)];
    tokio::task::block_in_place(|| vscode.work(&world, &person));
    world.search_for(CANARY);
}

#[test]
fn a_workspace_chooses_nothing_but_the_environment() {
    let package: Value = serde_json::from_str(include_str!("../../editors/vscode/package.json")).unwrap();
    let settings = package["contributes"]["configuration"]["properties"].as_object().unwrap();
    for (name, setting) in settings {
        let expected = if name == "vaultls.environment" { "window" } else { "machine" };
        assert_eq!(setting["scope"], expected, "{name}");
    }
}

#[test]
fn the_extension_announces_every_command_of_the_server() {
    let package: Value = serde_json::from_str(include_str!("../../editors/vscode/package.json")).unwrap();
    let commands = package["contributes"]["commands"].as_array().unwrap();
    // The extension chooses environments by itself.
    for id in Verb::ALL.into_iter().filter(|verb| *verb != Verb::UseEnvironment).map(Verb::id) {
        assert!(commands.iter().any(|command| command["command"] == id), "`{id}` is not in package.json");
    }
}

#[test]
fn the_lock_files_name_no_place_to_fetch_from() {
    for lock in [
        include_str!("../../editors/vscode/package-lock.json"),
        include_str!("servers/vscode/package-lock.json"),
        include_str!("servers/oidc/package-lock.json"),
    ] {
        let lock: Value = serde_json::from_str(lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let named: Vec<_> = packages.iter().filter(|(_, package)| package.get("resolved").is_some()).collect();
        assert!(named.is_empty(), "{named:?}");
    }
}

/// Runs one suite, then searches all that was left on the disk for the canaries in it.
fn check(suite: &str, canaries: &[&str]) {
    let Some(vscode) = vscode() else { return };
    let world = Editor::new();
    vscode.run(&world, suite);
    for canary in canaries {
        world.search_for(canary);
    }
}
