//! The VS Code extension in the real editor with the real server. Each test runs one suite of `editors/vscode/test`
//! inside the extension host of the real VS Code, which runs as a server and is shown by a headless Chromium.
//!
//! It needs `npm` and a Chromium (`apt-get install --no-install-recommends chromium`, or an installed Google Chrome,
//! or the program that `VAULTLS_CHROMIUM` names). Without a Chromium the tests say so and pass, in CI too; everything
//! else is fetched by npm from pinned lock files, and must be had in CI.

use crate::support::{nvim::Editor, vscode::vscode};

#[test]
fn a_request_is_sent_from_vs_code_and_its_secrets_are_never_seen() {
    check("trusted", &["canary-vscode-3b91e7d05a6c42f8"]);
}

#[test]
fn nothing_is_sent_in_restricted_mode() {
    check("restricted", &[]);
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
