//! Reads the files that a request sends. A request comes from a file somebody else may have written, so it may name
//! only regular files inside the workspace, of a bounded size.

#![expect(clippy::disallowed_methods, reason = "body files are read here, after all that is checked about them")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

/// The largest file that is sent, in bytes.
pub(super) const LARGEST: u64 = 10 << 20;

/// Reads the file `written`, looked up from `folder` first and then from `root`, which it may not leave, not even by a
/// link. The error is a message for people.
pub(super) fn read(written: &str, folder: &Path, root: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = checked(written, folder, root)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(written, &error))?;
    // It may have grown since its size was asked.
    if bytes.len() as u64 > LARGEST { Err(too_large(written)) } else { Ok(bytes) }
}

/// Whether [`read`] would find the file fit; nothing of it is read.
pub(super) fn look(written: &str, folder: &Path, root: &Path) -> Result<Vec<u8>, String> {
    checked(written, folder, root).map(|_| Vec::new())
}

fn checked(written: &str, folder: &Path, root: &Path) -> Result<File, String> {
    let path = relative(written)?;
    let found = [folder, root].iter().map(|base| base.join(&path)).find(|path| path.symlink_metadata().is_ok());
    let Some(found) = found else {
        return Err(format!("the file `{written}` does not exist beside the request or in the workspace's root"));
    };
    let real = found.canonicalize().map_err(|error| unreadable(written, &error))?;
    let root = root.canonicalize().map_err(|error| unreadable(written, &error))?;
    if !real.starts_with(&root) {
        return Err(format!("the file `{written}` lies outside the workspace; copy it into the workspace to send it"));
    }
    let file = open(&real).map_err(|error| unreadable(written, &error))?;
    // Asked of the open file: what its name stands for can change at any time.
    let metadata = file.metadata().map_err(|error| unreadable(written, &error))?;
    if !metadata.is_file() {
        return Err(format!("`{written}` is not a regular file"));
    }
    if metadata.len() > LARGEST { Err(too_large(written)) } else { Ok(file) }
}

/// A path that can be looked up from a folder.
fn relative(written: &str) -> Result<PathBuf, String> {
    if written.is_empty() {
        return Err("the name of the file is missing".into());
    }
    let path = Path::new(written);
    let plain = |component| matches!(component, Component::Normal(_) | Component::CurDir | Component::ParentDir);
    let looks_absolute = written.starts_with(['/', '\\', '~']) || written.as_bytes().get(1) == Some(&b':');
    if looks_absolute || written.contains('\0') || !path.components().all(plain) {
        return Err(format!("the file `{}` is not named by a relative path", written.escape_debug()));
    }
    Ok(path.to_owned())
}

fn too_large(written: &str) -> String {
    format!("the file `{written}` is larger than {} MiB", LARGEST >> 20)
}

/// Opens without waiting for the other end of a pipe, and without following a link put there since it was looked at.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Opens folders as well, so that they can be told apart from files that may not be read.
#[cfg(windows)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt as _;

    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)
}

fn unreadable(written: &str, error: &io::Error) -> String {
    format!("the file `{written}` cannot be read ({})", error.kind())
}
