//! What a tag turns into a release, held together with what it names: the workflow, the packages, the extension and the
//! pages about them. The workflow itself runs only where it is hosted; what is checked here is that its parts fit.
#![expect(clippy::disallowed_methods, reason = "reads the files of the repository, and has YAML read by Python")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use toml::Table;

use crate::support::{program::Program, provision};

const RELEASE: &str = ".github/workflows/release.yml";

/// "Publishing Extensions", platform-specific extensions, of VS Code's documentation, by the platform of Rust.
const VSCODE_TARGETS: [(&str, &str); 6] = [
    ("x86_64-unknown-linux-musl", "linux-x64"),
    ("aarch64-unknown-linux-musl", "linux-arm64"),
    ("x86_64-apple-darwin", "darwin-x64"),
    ("aarch64-apple-darwin", "darwin-arm64"),
    ("x86_64-pc-windows-msvc", "win32-x64"),
    ("aarch64-pc-windows-msvc", "win32-arm64"),
];

#[test]
fn each_program_goes_into_the_extension_for_its_platform() {
    let Some(workflow) = yaml(RELEASE) else { return };
    let platforms = workflow["jobs"]["program"]["strategy"]["matrix"]["include"].as_array().expect("a matrix");
    let mut seen = BTreeSet::new();
    for platform in platforms {
        let pair = (text(&platform["target"]), text(&platform["vsce"]));
        assert!(VSCODE_TARGETS.contains(&pair), "{pair:?}");
        assert!(seen.insert(pair), "{pair:?} is built twice");
    }
}

#[test]
fn the_profile_that_is_released_exists() {
    let Some(workflow) = yaml(RELEASE) else { return };
    let script = scripts(&workflow);
    let profile = script.split("--profile ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a profile");
    assert!(manifest()["profile"].get(profile).is_some(), "Cargo.toml has no profile `{profile}`");
    let folders = script.matches(&format!("/{profile}/vaultls")).count();
    assert_eq!(folders, 2, "what is packed comes from the folder of `{profile}`");
}

/// The build script reads the variable, so that `--version` names the commit.
#[test]
fn the_commit_is_told_to_the_build() {
    let Some(workflow) = yaml(RELEASE) else { return };
    assert_eq!(text(&workflow["env"]["VAULTLS_COMMIT"]), "${{ github.sha }}");
    assert!(read("build.rs").contains("env::var(\"VAULTLS_COMMIT\")"));
}

#[test]
fn the_extension_looks_for_the_program_where_a_release_puts_it() {
    let Some(workflow) = yaml(RELEASE) else { return };
    let step = step(&workflow, "The extension with the program inside");
    assert_eq!(text(&step["working-directory"]), "editors/vscode");
    let script = text(&step["run"]);
    let order = ["mkdir -p bundled", "\" bundled/", "npm run build", "npm run pack"].map(|part| script.find(part));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{script}");
    assert!(read("editors/vscode/src/server.ts").contains(r#"path.join(extension.fsPath, "bundled", PROGRAM)"#));
    let package = json("editors/vscode/package.json");
    assert!(package["files"].as_array().expect("files").contains(&"bundled".into()));
    assert!(package["scripts"].get("build").is_some(), "the extension has no script `build`");
    assert!(text(&package["scripts"]["pack"]).starts_with("vsce package "));
}

/// The tag is compared with the one line that says so.
#[test]
fn the_version_stands_on_a_line_of_its_own() {
    let Some(workflow) = yaml(RELEASE) else { return };
    assert!(text(&step(&workflow, "The tag is the version")["run"]).contains("grep -qx \"version = "));
    let line = format!("version = \"{}\"", version());
    assert_eq!(read("Cargo.toml").lines().filter(|found| *found == line).count(), 1);
}

#[test]
fn every_package_has_the_same_version() {
    let version = version();
    for file in ["editors/vscode/package.json", "editors/vscode/package-lock.json"] {
        assert_eq!(text(&json(file)["version"]), version, "{file}");
    }
    assert_eq!(text(&json("editors/vscode/package-lock.json")["packages"][""]["version"]), version);
    assert_eq!(table("editors/zed/extension.toml")["version"].as_str(), Some(version.as_str()));
    if let Some(mason) = yaml("editors/registries/mason/package.yaml") {
        assert_eq!(text(&mason["source"]["id"]), format!("pkg:cargo/vaultls@{version}"));
    }
}

#[test]
fn the_changelog_tells_of_the_version() {
    let heading = format!("## [{}]", version());
    let changelog = read("CHANGELOG.md");
    let section = changelog.split("\n## ").find(|section| format!("## {section}").starts_with(&heading));
    let section = section.unwrap_or_else(|| panic!("CHANGELOG.md has no section `{heading}`"));
    assert!(section.lines().any(|line| line.starts_with("- ")), "the section of {heading} is empty");
}

#[test]
fn the_licences_that_are_named_are_there() {
    let licence = manifest()["package"]["license"].as_str().expect("a licence").to_owned();
    let files = licence.split(" OR ").map(|name| match name {
        "MIT" => ("LICENSE-MIT", "MIT License"),
        "Apache-2.0" => ("LICENSE-APACHE", "Apache License"),
        other => panic!("which file holds {other}?"),
    });
    for (file, title) in files {
        assert!(read(file).contains(title), "{file}");
    }
    assert_eq!(text(&json("editors/vscode/package.json")["license"]), licence);
    assert!(read("editors/vscode/LICENSE.txt").contains("MIT License"));
    if let Some(mason) = yaml("editors/registries/mason/package.yaml") {
        let named: Vec<&str> = mason["licenses"].as_array().expect("licences").iter().map(text).collect();
        assert_eq!(named.join(" OR "), licence);
    }
}

#[test]
fn every_workflow_builds_with_the_compiler_that_is_promised() {
    let promised = manifest()["package"]["rust-version"].as_str().expect("a version of Rust").to_owned();
    for file in [RELEASE, ".github/workflows/ci.yml"] {
        let Some(workflow) = yaml(file) else { return };
        let jobs = workflow["jobs"].as_object().expect("jobs").values();
        let used =
            jobs.flat_map(|job| job["steps"].as_array().expect("steps")).filter_map(|step| step["uses"].as_str());
        let compilers: Vec<&str> = used.filter_map(|used| used.strip_prefix("dtolnay/rust-toolchain@")).collect();
        assert!(!compilers.is_empty(), "{file}");
        assert!(compilers.iter().all(|compiler| compiler.starts_with(&promised)), "{file}: {compilers:?}");
    }
}

#[test]
fn completions_are_packed_for_shells_that_there_are() {
    let Some(workflow) = yaml(RELEASE) else { return };
    let script = text(&step(&workflow, "Pack")["run"]);
    let shells = script.split("for shell in ").nth(1).and_then(|rest| rest.split(';').next()).expect("shells");
    for shell in shells.split_whitespace() {
        assert_eq!(Program::new().run(&["completions", shell]).code, 0, "{shell}");
    }
}

/// A published crate holds what building and reading it needs: no corpus, no pictures, no editors.
#[test]
fn what_is_published_is_there() {
    let manifest = manifest();
    let included = manifest["package"]["include"].as_array().expect("a list of what is published");
    let included: Vec<&str> = included.iter().map(|path| path.as_str().expect("a path")).collect();
    for path in &included {
        let path = path.strip_prefix('/').unwrap_or_else(|| panic!("`{path}` means any folder"));
        assert!(repository().join(path).exists(), "{path}");
    }
    for needed in ["/src", "/build.rs", "/README.md", "/LICENSE-MIT", "/LICENSE-APACHE"] {
        assert!(included.contains(&needed), "{needed}");
    }
}

/// A file in YAML, as Python reads it; none where the test programs cannot be had, which was said.
fn yaml(file: &str) -> Option<Value> {
    let python = provision::python_tool("python")?;
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    let output = Command::new(python)
        .args(["-c", read])
        .arg(repository().join(file))
        .stdin(Stdio::null())
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("Python writes JSON"))
}

/// A step of the job that builds the programs.
fn step<'a>(workflow: &'a Value, name: &str) -> &'a Value {
    let steps = workflow["jobs"]["program"]["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step is called `{name}`"))
}

/// All that the steps run.
fn scripts(workflow: &Value) -> String {
    let steps = workflow["jobs"]["program"]["steps"].as_array().expect("steps");
    steps.iter().filter_map(|step| step["run"].as_str()).collect::<Vec<_>>().join("\n")
}

fn version() -> String {
    manifest()["package"]["version"].as_str().expect("a version").to_owned()
}

fn manifest() -> Table {
    table("Cargo.toml")
}

fn table(file: &str) -> Table {
    read(file).parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}
