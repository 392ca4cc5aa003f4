//! Files of the user's folders and the configuration: read with a cap, replaced whole, locked between processes.
//!
//! A reader of a replaced file sees the old bytes or the new ones, never a mixture, also after a power cut.
#![expect(clippy::disallowed_methods, reason = "the one owner of the vault's and the configuration's files")]

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use tempfile::NamedTempFile;

/// How long a file's readers are waited for.
const MOMENT: Duration = Duration::from_secs(2);
/// How often is looked whether something is free.
const GLANCE: Duration = Duration::from_millis(10);

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The owner alone (0600 in a Unix file system). On Windows as the folder says: one of the user's profile lets only
    /// the user, the system and administrators in.
    Private,
    /// As the file was before; for a new file, as the user's settings say.
    Shared,
}

/// What a file looked like, to notice that another process replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Tells replacements apart that fall within one tick of the file system's clock.
    inode: u64,
}

impl Stamp {
    /// The stamp of `path`; none where there is no file.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::from_metadata(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn from_metadata(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode: inode(metadata) }
    }
}

/// Reads a regular file of at most `cap` bytes. Anything else (a pipe, a device, a folder) is refused before it is
/// opened, because opening a pipe waits for its writer.
pub fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(cap)).unwrap_or(0) + 1);
    File::open(path)?.take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} KiB", cap / 1024)));
    }
    Ok(bytes)
}

/// Replaces the file at `path` by `bytes`, whose folder must exist.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no folder"))?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut file = successor(path, folder, access)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    take_place(file, path)?;
    sync_folder(folder)
}

/// Writes a new file for everybody who may read the folder; `ErrorKind::AlreadyExists` where something is there.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes `path` and what is missing above it, for the owner alone; tightens `path` if it exists already. On Windows it
/// is as private as the folder that it is made in.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// Whether a file stands at `path`.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether `path` itself is a symbolic link.
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

/// Removes a file; that it was not there is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The file names of a folder, sorted; none where there is no folder.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Takes the lock that `path` stands for, from every other process and thread, until the result is dropped. Waits for
/// at most `patience`; a timeout is `ErrorKind::TimedOut`.
pub fn lock(path: &Path, patience: Duration) -> io::Result<Lock> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let end = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(fs::TryLockError::Error(error)) => return Err(error),
            Err(fs::TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked"));
            }
            Err(fs::TryLockError::WouldBlock) => thread::sleep(GLANCE),
        }
    }
}

/// A lock that is held. The system releases it when the file is closed, also when the process dies.
#[must_use]
pub struct Lock {
    _file: File,
}

/// An empty file that takes the place of `path` later, with the permissions that `path` has; a new shared file gets
/// what the user's mask leaves.
#[cfg(unix)]
fn successor(path: &Path, folder: &Path, access: Access) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let old = fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777);
    let mode = if access == Access::Private { 0o600 } else { 0o666 };
    let permissions = fs::Permissions::from_mode(mode);
    let file = tempfile::Builder::new().prefix(".vaultls-").permissions(permissions).tempfile_in(folder)?;
    if let (Access::Shared, Some(mode)) = (access, old) {
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn successor(_path: &Path, folder: &Path, _access: Access) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".vaultls-").tempfile_in(folder)
}

/// Puts `file` where `path` is. On Windows a file that somebody reads at this moment cannot be replaced; scanners do.
fn take_place(mut file: NamedTempFile, path: &Path) -> io::Result<()> {
    let end = Instant::now() + MOMENT;
    loop {
        let Err(failure) = file.persist(path) else { return Ok(()) };
        if cfg!(unix) || failure.error.kind() != io::ErrorKind::PermissionDenied || Instant::now() >= end {
            return Err(failure.error);
        }
        file = failure.file;
        thread::sleep(GLANCE);
    }
}

/// A rename survives a power cut only once its folder is written (fsync(2), NOTES).
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old", Access::Private).unwrap();
        let before = Stamp::of(&path).unwrap();
        replace(&path, b"new", Access::Private).unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"new");
        assert_ne!(Stamp::of(&path).unwrap(), before);
        assert_eq!(names(folder.path()).unwrap(), ["file"]);
    }

    #[test]
    fn a_file_that_is_read_at_the_moment_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old", Access::Private).unwrap();
        let mut reader = File::open(&path).unwrap();
        let (starts, started) = mpsc::channel();
        thread::scope(|scope| {
            let replaced = scope.spawn(|| {
                starts.send(()).unwrap();
                replace(&path, b"new", Access::Private)
            });
            started.recv().unwrap();
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, "old");
            drop(reader);
            replaced.join().unwrap().unwrap();
        });
        assert_eq!(read(&path, 10).unwrap(), b"new");
    }

    #[test]
    fn a_file_over_the_cap_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, &[b'x'; 11], Access::Private).unwrap();
        assert_eq!(read(&path, 11).unwrap().len(), 11);
        assert_eq!(read(&path, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), 10).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        #[cfg(unix)]
        assert_eq!(read(Path::new("/dev/zero"), 10).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_lock_is_exclusive_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path, Duration::ZERO).unwrap();
        assert_eq!(lock(&path, Duration::ZERO).err().unwrap().kind(), io::ErrorKind::TimedOut);
        drop(held);
        // A program that another test starts at this moment has it as well, until it begins.
        assert!(lock(&path, Duration::from_secs(60)).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn private_files_and_folders_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        private_folder(&inner).unwrap();
        replace(&inner.join("file"), b"", Access::Private).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join("file"))), (0o700, 0o600));
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        private_folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_shared_file_keeps_the_permissions_it_had() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"1", Access::Private).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"2", Access::Shared).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
