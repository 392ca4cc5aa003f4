//! The Emacs that the package is tested in, each with Eglot: the oldest that it supports and a new one, out of Debian's
//! packages; on another system the one of the `PATH`.
#![expect(clippy::disallowed_methods, reason = "starts the editor")]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use super::{
    nvim::{Editor, check_report},
    provision,
};

/// One Emacs with what it needs to be told to run from where it lies.
#[derive(Debug)]
pub struct Emacs {
    pub name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Emacs {
    /// Runs `tests/emacs/{name}.el` in a world of its own; panics with the whole output when a test in it fails.
    pub fn run(&self, name: &str, variables: &[(&str, &str)]) -> Editor {
        let editor = Editor::new();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = self.command();
        command.arg("-L").arg(repository.join("tests/emacs")).args(["-l", name, "-f", "test-run"]);
        editor.confine(&mut command);
        command.env("VAULTLS_ELISP", repository.join("editors/emacs")).stdin(Stdio::null());
        // These belong to the editor itself, and stay in the world that it is confined to.
        command.envs(self.variables.iter().map(|(name, path)| (*name, path.as_path()))).envs(variables.iter().copied());
        let output = command.output().expect("Emacs starts");
        check_report(&format!("{name} in {}", self.name), &output);
        for line in String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with("# ")) {
            println!("{}: {}", self.name, line.trim_start_matches("# "));
        }
        editor
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(["-Q", "--batch"]);
        command.envs(self.variables.iter().map(|(name, path)| (*name, path.as_path())));
        command
    }

    fn has_eglot(&self) -> bool {
        let found = self.command().args(["--eval", "(require 'eglot)"]).stdin(Stdio::null()).output();
        found.is_ok_and(|output| output.status.success())
    }
}

/// Every Emacs that can be had here; that there is none was said.
pub fn editions() -> &'static [Emacs] {
    static FOUND: OnceLock<Vec<Emacs>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let fetched = fetched();
        if !fetched.is_empty() {
            assert!(fetched.iter().all(Emacs::has_eglot), "what was fetched does not run: {fetched:?}");
            return fetched;
        }
        let installed = Emacs { name: "emacs", program: "emacs".into(), arguments: Vec::new(), variables: Vec::new() };
        let installed: Vec<_> = [installed].into_iter().filter(Emacs::has_eglot).collect();
        if installed.is_empty() {
            provision::skip_anywhere("the tests in Emacs: there is no `emacs` with Eglot, and none can be fetched");
        }
        installed
    })
}

/// Emacs 28, for which Eglot is a package, and an Emacs that has it.
#[cfg(unix)]
fn fetched() -> Vec<Emacs> {
    use super::debian::{Suite, packages};
    let old = packages(Suite::Old, &["emacs-nox", "elpa-eglot", "elpa-package-lint"]);
    let new = packages(Suite::Stable, &["emacs-nox"]);
    let trees = [("Emacs 28", old), ("Emacs 30", new)];
    trees.into_iter().filter_map(|(name, tree)| unpacked(name, &tree?)).collect()
}

#[cfg(not(unix))]
fn fetched() -> Vec<Emacs> {
    Vec::new()
}

/// The Emacs of a tree of packages. It was built to lie in `/usr`, so it is told where everything is.
#[cfg(unix)]
fn unpacked(name: &'static str, tree: &super::debian::Tree) -> Option<Emacs> {
    let programs = only_folder(&only_folder(&tree.path("usr/libexec/emacs"))?)?;
    let dump = entries(&programs).into_iter().find(|path| path.extension().is_some_and(|it| it == "pdmp"))?;
    let shared = entries(&tree.path("usr/share/emacs")).into_iter().find(|path| path.join("lisp").is_dir())?;
    let mut arguments: Vec<OsString> = vec!["--dump-file".into(), dump.into()];
    for package in entries(&tree.path("usr/share/emacs/site-lisp/elpa-src")) {
        arguments.extend(["-L".into(), package.into()]);
    }
    // It looks for its compiled Lisp beside the folder of the program that it was started as.
    let program = tree.program("usr/bin/emacs-nox");
    let beside = program.parent()?.with_file_name("lib");
    match std::os::unix::fs::symlink("root/usr/lib", beside) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            panic!("no link to the compiled Lisp: {error}")
        }
        _ => {}
    }
    let variables =
        vec![("EMACSLOADPATH", shared.join("lisp")), ("EMACSDATA", shared.join("etc")), ("EMACSPATH", programs)];
    Some(Emacs { name, program, arguments, variables })
}

#[cfg(unix)]
fn only_folder(folder: &Path) -> Option<PathBuf> {
    entries(folder).into_iter().find(|path| path.is_dir())
}

#[cfg(unix)]
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
