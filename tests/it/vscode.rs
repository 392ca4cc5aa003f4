//! The VS Code extension in the real editor with the real server. Each test runs one suite of `editors/vscode/test`
//! inside the extension host of the real VS Code, which runs as a server and is shown by a headless Chromium.
//!
//! It needs `npm` and a Chromium (`apt-get install --no-install-recommends chromium`, or an installed Google Chrome,
//! or the program that `VAULTLS_CHROMIUM` names). Without a Chromium the tests say so and pass, in CI too; everything
//! else is fetched by npm from pinned lock files, and must be had in CI.

use serde_json::Value;
use vaultls::feature::command::Verb;

use crate::support::{nvim::Editor, vscode::vscode};

#[test]
fn a_request_is_sent_from_vs_code_and_its_secrets_are_never_seen() {
    check("trusted", &["canary-vscode-3b91e7d05a6c42f8"]);
}

#[test]
fn nothing_is_sent_in_restricted_mode() {
    check("restricted", &[]);
}

#[test]
fn the_extension_announces_every_command_of_the_server() {
    let package: Value = serde_json::from_str(include_str!("../../editors/vscode/package.json")).unwrap();
    let commands = package["contributes"]["commands"].as_array().unwrap();
    for id in Verb::ALL.map(Verb::id) {
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
