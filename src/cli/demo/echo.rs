//! A server on the loopback that answers with what it was sent and remembers it: the demo's stand-in for an API.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The longest request that is read, in bytes.
const LONGEST: usize = 64 << 10;

pub struct Echo {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    listener: JoinHandle<()>,
}

impl Echo {
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = seen.clone();
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, log.clone()));
            }
        });
        Ok(Self { port, seen, listener })
    }

    /// The requests so far, as they came over the wire.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn answer(mut stream: TcpStream, log: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    let request = read_request(&mut stream).await?;
    log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n";
    let response = format!("{head}Content-Length: {}\r\n\r\n{request}", request.len());
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// The head and, where its length is told, the body.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if is_complete(&text) {
            return Ok(text.into_owned());
        }
        if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or(0)
}
