//! The Emacs package in the real editor, with Eglot and the real server. Each test runs one file of `tests/emacs/`.
#![expect(clippy::disallowed_methods, reason = "starts the editor")]

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::support::{
    nvim::{Editor, check_report},
    provision,
};

const CANARY: &str = "canary-emacs-2d81f6c07be3495a";
const TOKEN: &str = "canary-token-e17b40a92c";

#[test]
fn the_editor_shows_what_the_server_says() {
    check("editing");
}

#[test]
fn a_request_is_sent_and_its_secrets_are_never_seen() {
    check("sending");
}

#[test]
fn the_user_is_asked_for_trust_links_and_tokens() {
    check("asking");
}

/// Runs the tests of one file, then searches all that was left on the disk for what was entered in it.
fn check(name: &str) {
    if !has_emacs() {
        return;
    }
    let editor = Editor::new();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = emacs();
    command.arg("-L").arg(repository.join("tests/emacs")).args(["-l", name, "-f", "test-run"]);
    editor.confine(&mut command);
    command.env("VAULTLS_ELISP", repository.join("editors/emacs")).stdin(Stdio::null());
    check_report(name, &command.output().expect("Emacs starts"));
    for canary in [CANARY, TOKEN] {
        editor.search_for(canary);
    }
}

/// Whether there is an Emacs with Eglot, which is part of it since version 29; said once where there is none.
fn has_emacs() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let elpa = "(unless (require 'eglot nil t) \
                    (add-to-list 'package-directory-list \"/usr/share/emacs/site-lisp/elpa\") \
                    (package-initialize) (require 'eglot))";
        let found = emacs().args(["--eval", elpa]).stdin(Stdio::null()).output();
        let found = found.is_ok_and(|output| output.status.success());
        if !found {
            provision::skip_anywhere("the tests in Emacs: there is no `emacs` with Eglot on the PATH");
        }
        found
    })
}

fn emacs() -> Command {
    let mut command = Command::new("emacs");
    command.args(["-Q", "--batch"]);
    command
}
