//! The private pipe of a desk: `\\.\pipe\vaultls-<desk>`. To a pipe made like this one, Windows lets only its maker, the
//! system and administrators write, and nobody on another machine ("Named Pipe Security and Access Rights"). Its name
//! is free for anybody once the desk is closed, so whoever answers is proven to be the desk before anything is said: it
//! knows the key in `answer-<desk>.key`, which lies in the user's profile.

use std::{
    io, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions},
};
use zeroize::Zeroizing;

use crate::disk::{self, Access};

const KEY_LENGTH: usize = 32;
/// System Error Codes: all instances of the pipe are taken.
const PIPE_BUSY: i32 = 231;
/// How long to wait for an instance that is free.
const MOMENT: Duration = Duration::from_millis(10);

type Key = Zeroizing<[u8; KEY_LENGTH]>;

/// The end that calls a desk.
pub(super) type Outgoing = NamedPipeClient;

/// A desk's end of its pipe.
pub(super) struct Listener {
    pipe: String,
    /// The instance of the pipe that the next caller gets.
    next: NamedPipeServer,
    key: Arc<Key>,
    path: PathBuf,
}

/// Who called a desk, and what it proves itself with.
pub(super) struct Caller {
    stream: NamedPipeServer,
    key: Arc<Key>,
}

impl Listener {
    /// Opens the pipe of `desk`, and writes its key into the runtime folder. NB. must be called inside a tokio runtime.
    pub(super) fn open(folder: &Path, desk: &str) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let pipe = pipe_name(desk);
        let next = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&pipe)?;
        let mut key = Key::default();
        getrandom::fill(&mut *key).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let path = key_path(folder, desk);
        disk::replace(&path, &*key, Access::Private)?;
        Ok(Self { pipe, next, key: Arc::new(key), path })
    }

    /// What stands in the runtime folder as long as the desk is open.
    pub(super) fn file(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&mut self) -> io::Result<Caller> {
        let connected = self.next.connect().await;
        // The next instance is there before this one goes, so that the name is never free.
        let following = ServerOptions::new().reject_remote_clients(true).create(&self.pipe)?;
        let stream = mem::replace(&mut self.next, following);
        connected.map(|()| Caller { stream, key: self.key.clone() })
    }
}

impl Caller {
    /// The caller's stream, after proving to it that this is the desk.
    pub(super) async fn verified(mut self) -> io::Result<NamedPipeServer> {
        let mut challenge = [0; KEY_LENGTH];
        self.stream.read_exact(&mut challenge).await?;
        self.stream.write_all(&proof(&self.key, &challenge)).await?;
        Ok(self.stream)
    }
}

/// Calls a desk of the same user.
pub(super) async fn connect(folder: &Path, desk: &str) -> io::Result<Outgoing> {
    let written = Zeroizing::new(disk::read(&key_path(folder, desk), KEY_LENGTH as u64)?);
    let mut key = Key::default();
    if written.len() != KEY_LENGTH {
        return Err(io::ErrorKind::InvalidData.into());
    }
    key.copy_from_slice(&written);
    let mut stream = open(&pipe_name(desk)).await?;
    let mut challenge = [0; KEY_LENGTH];
    getrandom::fill(&mut challenge).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    stream.write_all(&challenge).await?;
    let mut proven = [0; KEY_LENGTH];
    stream.read_exact(&mut proven).await?;
    if bool::from(proven.ct_eq(&proof(&key, &challenge))) {
        return Ok(stream);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other end is not the desk of this ticket"))
}

/// Whether `folder` is one that only the user can look into: it lies in their profile.
pub(super) fn is_private(_folder: &Path) -> bool {
    true
}

/// Whether the process of `desk` is gone.
pub(super) fn is_dead(_folder: &Path, desk: &str) -> bool {
    let gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    ClientOptions::new().open(pipe_name(desk)).is_err_and(gone)
}

/// NB. the other end learns who calls, but cannot act as the caller: that is what these options do by default.
async fn open(pipe: &str) -> io::Result<NamedPipeClient> {
    loop {
        match ClientOptions::new().open(pipe) {
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => tokio::time::sleep(MOMENT).await,
            other => return other,
        }
    }
}

/// What only one who knows the key can say to `challenge`. Both are of one length, so that none runs into the other.
fn proof(key: &Key, challenge: &[u8; KEY_LENGTH]) -> [u8; KEY_LENGTH] {
    Sha256::new().chain_update(key.as_slice()).chain_update(challenge).finalize().into()
}

fn pipe_name(desk: &str) -> String {
    format!(r"\\.\pipe\vaultls-{desk}")
}

fn key_path(folder: &Path, desk: &str) -> PathBuf {
    folder.join(format!("answer-{desk}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A desk's id that no other test and no other process has.
    fn desk() -> String {
        uuid::Uuid::new_v4().simple().to_string()[..8].to_owned()
    }

    #[tokio::test]
    async fn one_who_took_the_name_of_a_pipe_is_told_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk();
        let mut listener = Listener::open(folder.path(), &desk).unwrap();
        listener.key = Arc::new(Key::default());
        let squatter = async { listener.accept().await.unwrap().verified().await };
        let (caller, _) = tokio::join!(connect(folder.path(), &desk), squatter);
        assert_eq!(caller.err().unwrap().kind(), io::ErrorKind::PermissionDenied);
    }

    #[tokio::test]
    async fn a_name_that_is_taken_is_not_shared() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk();
        let _first = Listener::open(folder.path(), &desk).unwrap();
        assert!(Listener::open(folder.path(), &desk).is_err());
    }

    #[tokio::test]
    async fn a_pipe_tells_whether_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let living = desk();
        let _listener = Listener::open(folder.path(), &living).unwrap();
        assert!(is_dead(folder.path(), &desk()) && !is_dead(folder.path(), &living));
    }
}
