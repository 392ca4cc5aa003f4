//! The built program in a world of its own: own folders, own environment, no terminal.

#![expect(clippy::disallowed_methods, reason = "starts the built program and makes its files")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A key for the local vault: 256 bits in base64.
const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

pub struct Program {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Writes a script that can be run. A shell does it: what this process has open for writing, a program that another
/// test starts meanwhile has open too for a moment, and nothing that is open for writing can be run (execve(2), ETXTBSY).
#[cfg(unix)]
pub fn write_script(path: &Path, text: &str) {
    shell(r#"printf %s "$2" > "$1" && chmod 755 "$1""#, path, text.as_ref());
}

/// Copies a program, by another process for the same reason.
#[cfg(unix)]
pub fn copy_program(from: &Path, to: &Path) {
    shell(r#"cp "$2" "$1" && chmod 755 "$1""#, to, from.as_ref());
}

#[cfg(unix)]
fn shell(script: &str, one: &Path, two: &std::ffi::OsStr) {
    let ended = Command::new("/bin/sh").args(["-c", script, "sh"]).arg(one).arg(two).status().unwrap();
    assert!(ended.success(), "{script}: {}", one.display());
}

/// Whether nobody but the owner may read a file, or look into a folder.
#[cfg(unix)]
pub fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o077 == 0
}

/// Where the folder of the user's profile keeps others out, a file has nothing of its own to say it.
#[cfg(not(unix))]
pub fn is_private(path: &Path) -> bool {
    path.exists()
}

impl Program {
    /// A home without anything, and an empty workspace.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Self { folder, environment: vec![("VAULTLS_KEY".into(), KEY.into())] };
        for name in ["home", "work", "run"] {
            std::fs::create_dir(program.path(name)).unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(program.path("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        // The root of the workspace, wherever the temporary folder happens to lie.
        program.file("vaultls.toml", "");
        program
    }

    /// Sets a variable of the program's environment; an empty value stands for none.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.environment.push((name.into(), value.into()));
        }
        self
    }

    /// Writes a file of the workspace.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// What a file of the workspace holds.
    pub fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// Writes the user's own configuration.
    pub fn user_config(&self, text: &str) {
        let folder = self.path("config").join("vaultls");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, b"")
    }

    /// Runs the program in the workspace with `input` as its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that reads no input closes its end; that is its right.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).expect("output is text"),
            err: String::from_utf8(output.stderr).expect("errors are text"),
        }
    }

    /// The command, to be started otherwise than by [`Self::run`].
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaultls"));
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    /// Gives any command the program's place and environment.
    pub fn surround(&self, command: &mut Command) {
        command.current_dir(self.work()).env_clear().envs(self.environment.iter().cloned());
        command.env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("run")).env("VAULTLS_NO_KEYRING", "1");
        for (variable, name) in [("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state")]
        {
            command.env(variable, self.path(name));
        }
    }

    /// Every file that the program could have written, with its bytes.
    pub fn traces(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(self.folder.path(), &mut found);
        found
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    // What the program made may be gone again.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path, bytes));
        }
    }
}
