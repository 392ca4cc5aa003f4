//! Runs a file of `tests/nvim/` in the real Neovim, in a home of its own, and reads what it prints (TAP). Two releases
//! of the editor are tried: the oldest that the plugin serves, and the newest that is packaged.
#![expect(clippy::disallowed_methods, reason = "starts the editor, and searches what it left on the disk")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::provision;

/// The passphrase of the local vault.
pub const KEY: &str = "passphrase of the editor tests";

/// A real Neovim.
pub struct Neovim {
    program: PathBuf,
    /// What it finds the rest of itself by, and other people's plugins that came with it.
    variables: Vec<(&'static str, PathBuf)>,
}

/// Every Neovim that can be had. Which cannot was said.
pub fn neovims() -> &'static [Neovim] {
    static NEOVIMS: OnceLock<Vec<Neovim>> = OnceLock::new();
    NEOVIMS.get_or_init(|| [oldest(), newest()].into_iter().flatten().collect())
}

fn oldest() -> Option<Neovim> {
    Some(Neovim { program: provision::python_tool("nvim")?, variables: Vec::new() })
}

#[cfg(unix)]
fn newest() -> Option<Neovim> {
    use super::debian::{Suite, packages};
    let tree = packages(Suite::Testing, &["neovim", "neovim-which-key", "neovim-lualine", "neovim-treesitter"])?;
    let places = [
        ("VIMRUNTIME", "usr/share/nvim/runtime"),
        ("VAULTLS_NVIM_LIBRARY", "usr/lib/nvim"),
        ("VAULTLS_WHICH_KEY", "usr/share/neovim-which-key"),
        ("VAULTLS_LUALINE", "usr/share/nvim-lualine"),
        ("VAULTLS_TREE_SITTER", "usr/share/neovim-treesitter"),
    ];
    let variables = places.map(|(variable, inside)| (variable, tree.path(inside))).into();
    Some(Neovim { program: tree.program("usr/bin/nvim"), variables })
}

/// The packages are of a system that is not here.
#[cfg(not(unix))]
fn newest() -> Option<Neovim> {
    None
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

    /// Writes the user's `config.toml`.
    pub fn configure(&self, config: &str) {
        let folder = self.home.path().join("config/vaultls");
        fs::create_dir_all(&folder).expect("a folder in the temporary folder");
        fs::write(folder.join("config.toml"), config).expect("a file in the temporary folder");
    }

    /// Runs `tests/nvim/{name}.lua` with these variables in its environment, of which an empty one is taken away; panics
    /// with the whole output when a test in it fails.
    pub fn run_with(&self, neovim: &Neovim, name: &str, variables: &[(&str, &str)]) {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = repository.join("tests/nvim");
        let mut command = self.command(neovim);
        command.arg("-u").arg(scripts.join("init.lua")).arg("-l").arg(scripts.join("run.lua")).arg(name);
        command.env("VAULTLS_PLUGIN", repository.join("editors/nvim"));
        for (variable, value) in variables {
            if value.is_empty() {
                command.env_remove(variable)
            } else {
                command.env(variable, value)
            };
        }
        check_report(name, &command.output().expect("Neovim starts"));
    }

    /// Neovim with nothing of the user's, in this world.
    pub fn command(&self, neovim: &Neovim) -> Command {
        let mut command = Command::new(&neovim.program);
        command.arg("--clean");
        self.confine(&mut command);
        command.envs(neovim.variables.iter().map(|(variable, path)| (variable, path)));
        command.env("VAULTLS_NVIM", &neovim.program);
        command
    }

    /// Panics when a file that the editor or the server left holds `canary`, as it is or in base64 or hex.
    pub fn search_for(&self, canary: &str) {
        let encoded = BASE64_STANDARD.encode(canary);
        let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut searched = 0;
        for path in files_under(self.home.path()) {
            // A server that ends just now takes its files along.
            let bytes = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.expect("a file of the test"),
            };
            for form in [canary, encoded.trim_end_matches('='), &hex] {
                let found = memchr::memmem::find(&bytes, form.as_bytes()).is_some();
                assert!(!found, "{} holds the value as {form}", path.display());
            }
            searched += 1;
        }
        assert!(searched > 0, "the editor left no file at all, so the search proves nothing");
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Lets `command` see nothing but this world.
    pub fn confine(&self, command: &mut Command) {
        let home = self.home.path();
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
        command.env("VAULTLS_KEY", KEY).env("VAULTLS_NO_KEYRING", "1");
        command.env("VAULTLS_BIN", env!("CARGO_BIN_EXE_vaultls"));
        command.env("VAULTLS_TEST_FOLDER", home);
    }
}

/// Panics with the whole output when a test of a report (TAP) failed, or none was run.
pub fn check_report(name: &str, output: &Output) {
    let printed = String::from_utf8_lossy(&output.stdout);
    let planned = printed.lines().find_map(|line| line.strip_prefix("1..")?.parse().ok()).unwrap_or(0);
    let passed = printed.lines().filter(|line| line.starts_with("ok ")).count();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && planned > 0 && passed == planned,
        "{name}: {passed} of {planned} passed, {}\n{printed}\n{errors}",
        output.status,
    );
    for remark in printed.lines().filter(|line| line.starts_with("# ")) {
        println!("{name} {remark}");
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
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read.expect("a folder of the test"),
        };
        for entry in entries {
            let entry = entry.expect("an entry of a folder of the test");
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}
