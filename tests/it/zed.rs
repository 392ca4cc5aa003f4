//! The extension for Zed: it compiles, and decides as it should. It runs inside Zed as WebAssembly; what it decides is
//! the same on this machine.
#![expect(clippy::disallowed_methods, reason = "starts cargo")]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::support::provision;

#[test]
fn the_extension_compiles_and_its_own_tests_pass() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/zed/Cargo.toml");
    let cargo = |verb: &str| {
        let mut command = Command::new(env!("CARGO"));
        command.args([verb, "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
        command.env("CARGO_TARGET_DIR", provision::servers().join("zed")).env_remove("CARGO_BUILD_TARGET");
        command
    };
    if let Err(reason) = provision::run(&mut cargo("fetch")) {
        return provision::skip(&format!("the extension for Zed: {reason}"));
    }
    let output = cargo("test").stdin(Stdio::null()).output().expect("cargo starts");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("4 passed"), "{said}");
}
