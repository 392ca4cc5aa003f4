//! The private socket of a desk: `answer-<desk>.sock` (0600) in the user's runtime folder (0700). Both ends check that
//! the other belongs to the same user.

use std::{
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        net::UnixStream as Blocking,
    },
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use crate::disk;

/// The end that calls a desk.
pub(super) type Outgoing = UnixStream;

/// A desk's end of its socket.
pub(super) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

/// Who called a desk, not yet looked at.
pub(super) struct Caller(UnixStream);

impl Listener {
    /// Opens the socket of `desk` in the runtime folder. NB. must be called inside a tokio runtime.
    pub(super) fn open(folder: &Path, desk: &str) -> io::Result<Self> {
        private_folder(folder)?;
        sweep(folder);
        let path = socket_path(folder, desk);
        let socket = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }

    /// What stands in the runtime folder as long as the desk is open.
    pub(super) fn file(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&mut self) -> io::Result<Caller> {
        self.socket.accept().await.map(|(stream, _)| Caller(stream))
    }
}

impl Caller {
    /// The caller's stream, if the same user is at its other end.
    pub(super) async fn verified(self) -> io::Result<UnixStream> {
        same_user(&self.0)?;
        Ok(self.0)
    }
}

/// Calls a desk of the same user.
pub(super) async fn connect(folder: &Path, desk: &str) -> io::Result<Outgoing> {
    let stream = UnixStream::connect(socket_path(folder, desk)).await?;
    same_user(&stream)?;
    Ok(stream)
}

fn same_user(stream: &UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    if peer.uid() == rustix::process::getuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other end belongs to another user"))
}

/// Makes `folder` if it is missing, and makes sure that nobody else can look into it.
fn private_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = std::fs::symlink_metadata(folder)?;
    let private = metadata.is_dir()
        && metadata.uid() == rustix::process::getuid().as_raw()
        && metadata.permissions().mode() & 0o077 == 0;
    if private {
        return Ok(());
    }
    let message = format!("{} must be a folder of yours that nobody else may enter (chmod 700)", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Removes the sockets of processes that were killed.
fn sweep(folder: &Path) {
    for name in disk::names(folder).unwrap_or_default() {
        let path = folder.join(&name);
        let is_ours = name.starts_with("answer-") && name.ends_with(".sock");
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_ours && Blocking::connect(&path).is_err_and(refused) {
            let _ = disk::remove(&path);
        }
    }
}

fn socket_path(folder: &Path, desk: &str) -> PathBuf {
    folder.join(format!("answer-{desk}.sock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_owner_can_reach_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("runtime");
        let listener = Listener::open(&runtime, "00000001").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&runtime), mode(listener.file())), (0o700, 0o600));
    }

    #[tokio::test]
    async fn an_open_runtime_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = Listener::open(folder.path(), "00000001").err().expect("it is refused");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[tokio::test]
    async fn sockets_of_dead_processes_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("runtime");
        private_folder(&runtime).unwrap();
        let dead = runtime.join("answer-00000000.sock");
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        let listener = Listener::open(&runtime, "00000001").unwrap();
        assert!(!dead.exists());
        assert!(listener.file().exists());
    }
}
