//! What a tag turns into a release, held together with what it names: the workflow, the packages, the extension and the
//! pages about them. The workflow itself runs only where it is hosted; here its parts are held together, and its own
//! shell steps are run one by one, those of the packages with the built program.
#![expect(clippy::disallowed_methods, reason = "reads the repository's files, has YAML read by Python, and runs steps")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use toml::Table;

#[cfg(unix)]
use crate::support::program::{copy_program, write_script};
use crate::support::provision;

const RELEASE: &str = ".github/workflows/release.yml";
const MASON: &str = "editors/registries/mason/package.yaml";

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
    assert_eq!(folders, 3, "what is packed comes from the folder of `{profile}`");
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
    assert!(read("editors/vscode/src/program.ts").contains(r#"path.join(places.extension, "bundled", PROGRAM)"#));
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
    if let Some(mason) = yaml(MASON) {
        assert_eq!(text(&mason["source"]["id"]), format!("pkg:github/OWNER/REPOSITORY@v{version}"));
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
    if let Some(mason) = yaml(MASON) {
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

/// A repository as a release's runner has it, as far as the steps look at it.
struct Runner {
    folder: TempDir,
    workflow: Value,
    commit: String,
}

impl Runner {
    const TARGET: &str = "x86_64-unknown-linux-musl";

    /// None where the workflow cannot be read, which was said.
    fn new() -> Option<Self> {
        let workflow = yaml(RELEASE)?;
        let runner = Self { folder: tempfile::tempdir().unwrap(), workflow, commit: "0123456789abcdef".repeat(2) };
        for file in ["Cargo.toml", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", MASON] {
            runner.file(file, &read(file));
        }
        Some(runner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A program that steps find before the system's: a shell script.
    #[cfg(unix)]
    fn program(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_script(&path, &format!("#!/bin/sh\n{script}\n"));
    }

    /// Where a build leaves the program.
    fn built() -> String {
        format!("target/{}/dist/vaultls", Self::TARGET)
    }

    /// Runs a step as its runner does; what it printed, or that it failed.
    fn run(&self, job: &str, name: &str, tag: &str) -> Result<String, String> {
        let step = step_of(&self.workflow, job, name);
        let script = text(&step["run"]).replace("${{ matrix.target }}", Self::TARGET);
        let script = script.replace("${{ matrix.vsce }}", "linux-x64");
        assert!(!script.contains("${{"), "{script}");
        let inside = step.get("working-directory").map_or("", text);
        let path = env::join_paths(
            [self.path("bin")].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
        );
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script])
            .current_dir(self.path(inside))
            .env("PATH", path.unwrap())
            .envs([("GITHUB_REF_NAME", tag), ("GITHUB_REPOSITORY", "someone/requests"), ("RUNNER_OS", "Linux")])
            .env("VAULTLS_COMMIT", &self.commit)
            .stdin(Stdio::null())
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

#[cfg(unix)]
#[test]
fn only_the_version_s_own_tag_is_released() {
    let Some(runner) = Runner::new() else { return };
    for (tag, good) in
        [(format!("v{}", version()), true), ("v99.0.0".into(), false), (version().replace('.', "-"), false)]
    {
        assert_eq!(runner.run("program", "The tag is the version", &tag).is_ok(), good, "{tag}");
    }
}

#[cfg(unix)]
#[test]
fn a_program_that_names_another_commit_or_does_not_work_is_not_released() {
    let Some(runner) = Runner::new() else { return };
    let right = format!("vaultls {} ({})", version(), &runner.commit[..12]);
    let wrong = format!("vaultls {} (ffffffffffff)", version());
    for (says, demo, good) in [(&right, 0, true), (&wrong, 0, false), (&right, 1, false)] {
        runner.program(&Runner::built(), &format!("case $1 in demo) exit {demo};; esac; echo '{says}'"));
        let tag = format!("v{}", version());
        assert_eq!(runner.run("program", "The program works and says what it is", &tag).is_ok(), good, "{says} {demo}");
    }
}

#[cfg(unix)]
#[test]
fn a_package_holds_the_program_its_pages_and_every_shells_completions() {
    let Some(runner) = Runner::new() else { return };
    fs::create_dir_all(runner.path(&Runner::built()).parent().unwrap()).unwrap();
    copy_program(Path::new(env!("CARGO_BIN_EXE_vaultls")), &runner.path(&Runner::built()));
    runner.run("program", "Pack", "v0").unwrap();
    let package = format!("packages/vaultls-{}.tar.gz", Runner::TARGET);
    let output = Command::new("tar").arg("-tzf").arg(runner.path(&package)).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let held: BTreeSet<&str> = listed.lines().filter_map(|name| name.split_once('/')).map(|(_, name)| name).collect();
    for name in ["vaultls", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "man/vaultls.1"] {
        assert!(held.contains(name), "{name} is not in {held:?}");
    }
    let folder = runner.path("out").join(format!("vaultls-{}", Runner::TARGET));
    for (name, start) in [
        ("vaultls.bash", "_vaultls()"),
        ("_vaultls", "#compdef vaultls"),
        ("vaultls.fish", "complete -c vaultls"),
        ("vaultls.ps1", "Register-ArgumentCompleter"),
        ("vaultls.elv", "edit:completion:arg-completer[vaultls]"),
    ] {
        let completions = fs::read_to_string(folder.join("completions").join(name)).unwrap();
        assert!(completions.contains(start), "{name}");
    }
}

/// With an `npm` that packs what lies in `bundled`: the real one packs for the tests in the editor.
#[cfg(unix)]
#[test]
fn an_extension_holds_one_program() {
    const PACKS: &str = r#"case "$*" in
        *pack*)
            for last; do :; done
            mkdir -p extension && cp -r bundled extension/ && python3 -m zipfile -c "$last" extension/ ;;
    esac"#;
    let Some(runner) = Runner::new() else { return };
    runner.program("bin/npm", PACKS);
    // Where there is no such program, one of the same use.
    runner.program("bin/unzip", r#"python3 -m zipfile -l "$2" | sed 's/ .*//'"#);
    runner.file(&Runner::built(), "");
    runner.file(&format!("{}.d", Runner::built()), "");
    runner.file("packages/keep", "");
    runner.file("editors/vscode/package.json", "{}");
    let run = || runner.run("program", "The extension with the program inside", "v0");
    run().unwrap();
    assert!(runner.path("packages/vaultls-linux-x64.vsix").is_file());
    runner.file("editors/vscode/bundled/vaultls-of-another-platform", "");
    assert!(run().is_err());
}

#[cfg(unix)]
#[test]
fn a_release_is_listed_in_its_checksums_and_lacks_nothing_that_mason_names() {
    let Some(runner) = Runner::new() else { return };
    let entry = |tag| runner.run("release", "The entry for mason", tag);
    runner.file("packages/vaultls-linux-x64.vsix", "an extension");
    assert!(entry("v0").is_err(), "no program is there");
    let assets = yaml(MASON).unwrap()["source"]["asset"].as_array().unwrap().clone();
    for asset in &assets {
        runner.file(&format!("packages/{}", text(&asset["file"])), "a program");
    }
    entry("v0").unwrap();
    let written = fs::read_to_string(runner.path("packages/mason-package.yaml")).unwrap();
    assert!(written.contains(&format!("id: pkg:github/someone/requests@v{}\n", version())), "{written}");
    assert!(written.contains("homepage: https://github.com/someone/requests\n"), "{written}");
    runner.run("release", "Checksums", "v0").unwrap();
    let sums = fs::read_to_string(runner.path("packages/SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), assets.len() + 2, "{sums}");
    let check = ["--check", "--strict", "--quiet", "SHA256SUMS"];
    let checked = Command::new("sha256sum").args(check).current_dir(runner.path("packages")).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    runner.program("bin/gh", "echo \"$@\"");
    let told = runner.run("release", "Release", "v1.2.3").unwrap();
    assert!(told.starts_with("release create v1.2.3 --verify-tag"), "{told}");
    assert!(told.contains("packages/SHA256SUMS") && told.contains("packages/vaultls-linux-x64.vsix"), "{told}");
}

/// One target of each system is tested with every change.
#[test]
fn what_is_released_for_is_tested_for() {
    let (Some(release), Some(ci)) = (yaml(RELEASE), yaml(".github/workflows/ci.yml")) else { return };
    let targets = |job: &Value| -> BTreeSet<String> {
        let platforms = job["strategy"]["matrix"]["include"].as_array().expect("a matrix");
        platforms.iter().map(|platform| text(&platform["target"]).to_owned()).collect()
    };
    let system = |target: &String| target.split_once('-').expect("a target").1.to_owned();
    let (released, tested) = (targets(&release["jobs"]["program"]), targets(&ci["jobs"]["portable"]));
    assert!(tested.is_subset(&released), "{tested:?}");
    let systems = |targets: &BTreeSet<String>| targets.iter().map(system).collect::<BTreeSet<_>>();
    assert_eq!(systems(&released), systems(&tested));
}

/// Mason unpacks the file and runs what `bin` names in it.
#[test]
fn mason_gets_the_program_of_each_platform() {
    let (Some(workflow), Some(entry)) = (yaml(RELEASE), yaml(MASON)) else { return };
    let platforms = workflow["jobs"]["program"]["strategy"]["matrix"]["include"].as_array().expect("a matrix");
    let built: BTreeMap<&str, String> = platforms
        .iter()
        .map(|platform| text(&platform["target"]))
        .map(|target| (target, if target.contains("windows") { ".zip" } else { ".tar.gz" }.to_owned()))
        .collect();
    let mut named = BTreeMap::new();
    for asset in entry["source"]["asset"].as_array().expect("assets") {
        let (file, program) = (text(&asset["file"]), text(&asset["bin"]));
        let (name, program) = program.split_once('/').expect("the program lies in a folder");
        let target = name.strip_prefix("vaultls-").expect("the folder is called after the target");
        let (system, suffix) = match text(&asset["target"]) {
            "linux_x64" => ("x86_64-unknown-linux-musl", ""),
            "linux_arm64" => ("aarch64-unknown-linux-musl", ""),
            "darwin_x64" => ("x86_64-apple-darwin", ""),
            "darwin_arm64" => ("aarch64-apple-darwin", ""),
            "win_x64" => ("x86_64-pc-windows-msvc", ".exe"),
            other => panic!("`{other}` is no platform of mason's that is built for"),
        };
        assert_eq!((target, program), (system, format!("vaultls{suffix}").as_str()));
        named.insert(target, file.strip_prefix(name).expect("the file is called as its folder").to_owned());
    }
    assert_eq!(named, built);
    assert_eq!(text(&entry["bin"]["vaultls"]), "{{source.asset.bin}}");
    assert_eq!((text(&entry["name"]), text(&entry["neovim"]["lspconfig"])), ("vaultls", "vaultls"));
    assert_eq!(entry["languages"], serde_json::json!(["HTTP"]));
    assert!(text(&entry["homepage"]).starts_with("https://"), "the registry wants a homepage");
}

/// Who downloads a file can learn which commit it was built from, by whom.
#[test]
fn what_is_released_is_attested() {
    let Some(workflow) = yaml(RELEASE) else { return };
    let job = &workflow["jobs"]["release"];
    for permission in ["contents", "id-token", "attestations"] {
        assert_eq!(text(&job["permissions"][permission]), "write", "{permission}");
    }
    let steps = job["steps"].as_array().expect("steps");
    let place = |what: &str| {
        let found = steps.iter().position(|step| step.to_string().contains(what));
        found.unwrap_or_else(|| panic!("no step has `{what}`"))
    };
    let order = ["download-artifact", "sha256sum", "attest-build-provenance", "gh release create"].map(place);
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(text(&steps[order[2]]["with"]["subject-checksums"]), "packages/SHA256SUMS");
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
    step_of(workflow, "program", name)
}

fn step_of<'a>(workflow: &'a Value, job: &str, name: &str) -> &'a Value {
    let steps = workflow["jobs"][job]["steps"].as_array().expect("steps");
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
