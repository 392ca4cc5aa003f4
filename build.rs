//! Tells the program the commit it is built from, for `vaultls --version`.
#![expect(clippy::disallowed_methods, reason = "asks git, and the environment that cargo gives a build script")]

use std::{env, fs, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=VAULTLS_COMMIT");
    println!("cargo::rustc-env=VAULTLS_VERSION={}", version());
}

/// Such as `0.1.0 (3f2a9c1d7e04)`; the bare number where no commit is known.
fn version() -> String {
    let number = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match commit() {
        Some(commit) => format!("{number} ({commit})"),
        None => number,
    }
}

/// What a release names, else what a published package holds, else what the checkout stands at. Only a release build
/// asks git: others would be built anew with every commit.
fn commit() -> Option<String> {
    let named = env::var("VAULTLS_COMMIT").ok().or_else(packaged).or_else(checked_out)?;
    let short: String = named.trim().chars().take(12).collect();
    (!short.is_empty() && short.chars().all(|character| character.is_ascii_hexdigit())).then_some(short)
}

/// The commit that `cargo package` wrote down.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

fn checked_out() -> Option<String> {
    if env::var("PROFILE").ok()? != "release" {
        return None;
    }
    // The log of HEAD is written with every commit and checkout.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={}", log.trim());
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}
