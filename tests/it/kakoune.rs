//! Kakoune with kakoune-lsp, our commands and the real server.
#![expect(clippy::disallowed_methods, reason = "reads the page of the editor")]

use std::{fs, path::Path};

use crate::support::{
    echo::Echo,
    kakoune::{Kakoune, Programs, newest_programs, programs},
};

const CANARY: &str = "canary-kakoune-6c1f07b3d94e2a58";

/// What the page tells people to put into their kakrc, with the place of this clone.
fn settings() -> String {
    let repository = env!("CARGO_MANIFEST_DIR");
    let page = fs::read_to_string(Path::new(repository).join("editors/kakoune/README.md")).unwrap();
    let block = page.split("```kak\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block to paste");
    block.replace("/path/to/vaultls", repository)
}

#[test]
fn the_editor_shows_what_the_server_says() {
    let Some(programs) = programs() else { return };
    let mut kakoune = Kakoune::start(
        programs,
        &settings(),
        &[("a.http", "### One\nGET http://127.0.0.1:9/x\nAuthorization: Bearer <<vault:nope>>\n"), ("vaultls.toml", "")],
    );
    kakoune.wait("the file", |screen| screen.text().contains("Authorization").then_some(()));
    eprintln!("{:#?}", kakoune.screen());
    kakoune.wait_for("%opt{lsp_diagnostic_error_count}", |count| count == "1");
    eprintln!("{:#?}", kakoune.screen());
    eprintln!("{}", kakoune.buffer("*debug*"));
}
