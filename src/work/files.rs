//! Files that a person names: reading them as text, finding the workspace they belong to, and walking folders.
//! Everything is bounded, because a folder can hold anything.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk,
    text::{self, DecodeError},
};

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 << 20;
/// How many files one walk finds at most.
const MOST_FILES: usize = 20_000;
/// How deep a walk goes.
const DEEPEST: usize = 32;

/// Why a file cannot be worked with. Shown to people after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("no such file")]
    Missing,
    #[error("is a folder; name a file in it")]
    Folder,
    #[error("is not an ordinary file")]
    Special,
    #[error("is longer than {} MiB", LONGEST_FILE >> 20)]
    TooLong,
    #[error("is not text")]
    Binary,
    #[error("is {0}")]
    NotText(#[from] DecodeError),
    #[error("cannot be read: {0}")]
    Other(io::Error),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::FileTooLarge => Self::TooLong,
            _ => Self::Other(error),
        }
    }
}

/// The text of an ordinary file.
pub fn read(path: &Path) -> Result<Arc<str>, FileError> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(FileError::Folder);
    }
    if !metadata.is_file() {
        return Err(FileError::Special);
    }
    decode(&disk::read(path, LONGEST_FILE)?).map(Arc::from)
}

/// Replaces the text of a file by `new`, if it still is `old`. A symbolic link stays one, and the file's permissions
/// and its byte order mark stay as they are.
///
/// # Errors
/// Why nothing was written, for people, after the file's name.
pub fn rewrite(path: &Path, old: &str, new: &str) -> Result<(), String> {
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    let bytes = disk::read(&path, LONGEST_FILE).map_err(|error| error.to_string())?;
    if text::decode_bytes(&bytes).map_err(|error| error.to_string())? != old {
        return Err("it changed meanwhile".into());
    }
    let mark = bytes.starts_with(b"\xef\xbb\xbf");
    if !mark && bytes != old.as_bytes() {
        return Err("it is UTF-16 text; save it as UTF-8".into());
    }
    let mark: &[u8] = if mark { b"\xef\xbb\xbf" } else { b"" };
    let replaced = disk::replace(&path, &[mark, new.as_bytes()].concat(), disk::Access::Shared);
    replaced.map_err(|error| error.to_string())
}

fn decode(bytes: &[u8]) -> Result<String, FileError> {
    let text = text::decode_bytes(bytes)?;
    // Every binary format has one early on, and no text does.
    if text.contains('\0') {
        return Err(FileError::Binary);
    }
    Ok(text)
}

/// The folder that a file or folder works in: the nearest one above it with a `vaultls.toml`, else the nearest
/// with a `.git`, else its own folder.
pub fn workspace_root(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
    let above = |marker: &str| folder.ancestors().find(|folder| folder.join(marker).exists());
    above("vaultls.toml").or_else(|| above(".git")).unwrap_or(folder).to_owned()
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Files whose names can be those of a document, sorted.
    pub files: Vec<PathBuf>,
    /// Folders that could not be read, and why.
    pub troubles: Vec<(PathBuf, io::Error)>,
    /// Whether there was more than one walk looks at.
    pub cut: bool,
}

/// Finds documents under `folder`. Symbolic links, hidden folders, and folders of installed or built things are
/// left out.
pub fn walk(folder: &Path) -> Walk {
    let mut walk = Walk::default();
    descend(folder, 0, &mut walk);
    walk.files.sort();
    walk
}

fn descend(folder: &Path, depth: usize, walk: &mut Walk) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return walk.troubles.push((folder.to_owned(), error)),
    };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() && !is_left_out(&path) {
            folders.push(path);
        } else if kind.is_file() && may_be_document(&path) {
            if walk.files.len() >= MOST_FILES {
                walk.cut = true;
                return;
            }
            walk.files.push(path);
        }
    }
    if depth >= DEEPEST {
        walk.cut |= !folders.is_empty();
        return;
    }
    folders.sort();
    for folder in folders {
        descend(&folder, depth + 1, walk);
    }
}

fn is_left_out(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || matches!(&*name, "node_modules" | "target" | "vendor" | "__pycache__")
}

fn may_be_document(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    matches!(extension.as_str(), "http" | "rest" | "json")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files and look at canaries")]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn a_walk_is_sorted_and_leaves_out_what_is_not_ours() {
        let files = ["b.http", "a/c.REST", "a/d.json", "a/e.txt", ".git/x.http", "node_modules/y.http"];
        let folder = folder(&files.map(|name| (name, b"".as_slice())));
        let found = walk(folder.path()).files;
        assert_eq!(found, ["a/c.REST", "a/d.json", "b.http"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn what_is_no_text_file_is_named_as_such() {
        let folder =
            folder(&[("ok.http", b"\xef\xbb\xbfGET /"), ("binary.http", b"\xff\x00\x01\x02"), ("zero.http", b"a\0b")]);
        let check = |name: &str| read(&folder.path().join(name)).map_err(|error| error.to_string());
        assert_eq!(check("ok.http").as_deref(), Ok("GET /"));
        assert!(check("binary.http").unwrap_err().starts_with("is not UTF-8 text"));
        assert_eq!(check("zero.http").unwrap_err(), "is not text");
        assert_eq!(check("none.http").unwrap_err(), "no such file");
        assert!(check("").unwrap_err().starts_with("is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read() {
        assert!(matches!(read(Path::new("/dev/zero")), Err(FileError::Special)));
    }

    #[test]
    fn the_root_is_marked_by_the_link_file_before_the_repository() {
        let folder =
            folder(&[("r/.git/HEAD", b""), ("r/p/vaultls.toml", b""), ("r/p/a/b.http", b""), ("r/q/c.http", b"")]);
        let root =
            |name: &str| workspace_root(&folder.path().join(name)).strip_prefix(folder.path()).unwrap().to_owned();
        assert_eq!(root("r/p/a/b.http"), Path::new("r/p"));
        assert_eq!(root("r/q/c.http"), Path::new("r"));
    }
}
