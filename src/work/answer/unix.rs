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
        let path = socket_path(folder, desk);
        // It gets its name once it listens: before, whoever sweeps would find nobody at it and remove it.
        let opening = tempfile::tempdir_in(folder)?;
        let unnamed = opening.path().join("s");
        let socket = UnixListener::bind(&unnamed)?;
        std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&unnamed, &path)?;
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

/// Whether `folder` is one of the user's that nobody else can look into.
pub(super) fn is_private(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::getuid().as_raw()
            && metadata.permissions().mode() & 0o077 == 0
    })
}

/// Whether the process of `desk` is gone.
pub(super) fn is_dead(folder: &Path, desk: &str) -> bool {
    let gone = |error: io::Error| matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound);
    Blocking::connect(socket_path(folder, desk)).is_err_and(gone)
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
    if is_private(folder) {
        return Ok(());
    }
    let message = format!("{} must be a folder of yours that nobody else may enter (chmod 700)", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
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
    async fn a_socket_tells_whether_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("runtime");
        let _listener = Listener::open(&runtime, "00000001").unwrap();
        drop(std::os::unix::net::UnixListener::bind(socket_path(&runtime, "00000000")).unwrap());
        // A program that another test starts at this moment has the socket as well, until it begins.
        while !is_dead(&runtime, "00000000") {}
        assert!(is_dead(&runtime, "00000002"));
        assert!(!is_dead(&runtime, "00000001"));
    }
}
