//! A process that outlives the server by a moment. Some clients kill their server without waiting for its end, and what
//! it keeps on the disk for them has to go all the same.
#![expect(clippy::disallowed_methods, reason = "starts this same program, which waits for the server's end")]

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// What a process needs to find the folders of its user; nothing else of this one's environment is handed on.
const NEEDED: [&str; 8] = [
    "HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "SystemRoot",
];

/// Whoever cleans up. It knows that the server has ended by the end of its standard input, which the system closes
/// however the server ends.
pub struct Janitor {
    program: Option<PathBuf>,
    waiting: OnceLock<Option<Child>>,
}

impl Janitor {
    /// `program` is this program; none starts nobody.
    pub fn new(program: Option<PathBuf>) -> Self {
        Self { program, waiting: OnceLock::new() }
    }

    /// Lets it wait for the end, from the first time on. It works in `folder`.
    pub fn start(&self, folder: &Path) {
        self.waiting.get_or_init(|| {
            let started = start(self.program.as_deref()?, folder);
            started.inspect_err(|error| tracing::warn!(%error, "nobody will clean up after a kill")).ok()
        });
    }
}

fn start(program: &Path, folder: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg("sweep").current_dir(folder).env_clear();
    command.envs(env::vars_os().filter(|(name, _)| NEEDED.iter().any(|needed| name == OsStr::new(needed))));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // A terminal that closes ends whole groups of processes.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}
