//! Reads files that a workspace offers, which may be hostile: only regular files, of bounded size, inside one folder.

#![expect(clippy::disallowed_methods, reason = "environment files are read here, each check made on the opened file")]

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::text::decode_bytes;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// How many files of a folder are looked at.
const MAX_FILES: usize = 10_000;

/// The text of a file; none where there is no such file. The error says why it is not read.
pub(super) fn read(path: &Path, inside: &Path) -> Result<Option<String>, String> {
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    if !real.starts_with(inside) {
        return Err("leads out of the workspace and is not read; put a copy beside the document".to_owned());
    }
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    // Before it is opened: opening a device can do things. A folder of this name is somebody else's (`.env` of Python).
    let kind = fs::symlink_metadata(&real).map_err(unreadable)?.file_type();
    if kind.is_dir() {
        return Ok(None);
    }
    const IRREGULAR: &str = "is not a regular file and is not read";
    if !kind.is_file() {
        return Err(IRREGULAR.to_owned());
    }
    let file = options().open(&real).map_err(unreadable)?;
    // And after: what was opened may be another file by now.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(IRREGULAR.to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err("is larger than 1 MiB and is not read".to_owned());
    }
    decode_bytes(&bytes).map(Some).map_err(|error| error.to_string())
}

/// NB. a named pipe that took the file's place must not make the opening wait for a writer.
#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits() as i32);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

/// The folder without symbolic links, if it exists.
pub(super) fn real(folder: &Path) -> Option<PathBuf> {
    fs::canonicalize(folder).ok()
}

/// The files of a folder, by name.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.take(MAX_FILES).filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}
