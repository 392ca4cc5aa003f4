//! A named pipe of the client's, for one response or one text: some clients lose what a command answers and can show no document of
//! the server's, but read a pipe into a buffer. Nothing of the response is then on the disk.

use std::path::PathBuf;

#[cfg(unix)]
use std::time::Duration;

/// How long a reader may take for a response.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(60);

/// A pipe that is waited on. Its reader is told the end, also when nothing was written.
pub struct Pipe {
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such pipes"))]
    path: PathBuf,
}

impl Pipe {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes `text`; whether a reader took all of it. Anything but a pipe that is being read is left alone.
    #[cfg(unix)]
    pub async fn write(self, text: &str) -> bool {
        use tokio::io::AsyncWriteExt;
        let Some(mut sender) = self.open() else { return false };
        let written = tokio::time::timeout(PATIENCE, sender.write_all(text.as_bytes())).await;
        matches!(written, Ok(Ok(())))
    }

    /// There are no such pipes here.
    #[cfg(not(unix))]
    pub async fn write(self, _text: &str) -> bool {
        false
    }

    #[cfg(unix)]
    fn open(&self) -> Option<tokio::net::unix::pipe::Sender> {
        if !self.path.is_absolute() {
            return None;
        }
        let sender = tokio::net::unix::pipe::OpenOptions::new().open_sender(&self.path).ok()?;
        // In a folder that everybody may write to, another user could have made it, and would read what comes.
        let maker = rustix::fs::fstat(&sender).ok()?.st_uid;
        (maker == rustix::process::getuid().as_raw()).then_some(sender)
    }
}

/// To open it and to close it is what its reader waits for.
#[cfg(unix)]
impl Drop for Pipe {
    fn drop(&mut self) {
        drop(self.open());
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{path::Path, process::Command};

    use super::*;

    fn make(path: &Path) {
        #[expect(clippy::disallowed_methods, reason = "makes a pipe as an editor does")]
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    /// What a reader of the pipe gets when `with` is done with it.
    async fn read(with: impl AsyncFnOnce(Pipe)) -> String {
        use tokio::io::AsyncReadExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        make(&path);
        let mut reader = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&path).unwrap();
        let mut text = String::new();
        let ((), read) = tokio::join!(with(Pipe::new(path)), async {
            let _ = reader.readable().await;
            reader.read_to_string(&mut text).await
        });
        read.unwrap();
        text
    }

    #[tokio::test]
    async fn a_reader_gets_the_whole_text() {
        let text = "x".repeat(300_000);
        assert_eq!(read(async |pipe| assert!(pipe.write(&text).await)).await, text);
    }

    #[tokio::test]
    async fn a_reader_is_told_the_end_where_nothing_came() {
        assert_eq!(read(async |pipe| drop(pipe)).await, "");
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_reads_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        make(&path);
        assert!(!Pipe::new(path).write("text").await);
    }

    #[tokio::test]
    async fn a_file_is_never_written_to() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!Pipe::new(file.path().to_owned()).write("text").await);
        assert_eq!(file.as_file().metadata().unwrap().len(), 0);
        assert!(!Pipe::new("pipe".into()).write("text").await);
    }
}
