//! What stands between a client and a real server, and makes the weather: the server itself is left alone, so that
//! tests can share it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::stand_in;

/// How it goes on the way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// Connections are closed without a word.
    Down,
    /// Connections are taken, and nothing is ever answered.
    Silent,
    /// Every connection reaches the server only after this time.
    Slow(Duration),
    /// Every request gets this answer.
    Answer(Vec<u8>),
}

/// A running front. It ends when dropped.
pub struct Front {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    said: Said,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What went to the server, and what came back.
#[derive(Clone, Default)]
struct Said {
    asked: Arc<Mutex<Vec<u8>>>,
    answered: Arc<Mutex<Vec<u8>>>,
}

impl Front {
    /// Before the server at `address`, such as `127.0.0.1:8200`.
    pub async fn start(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (weather, _) = watch::channel(Weather::Fair);
        let (said, connections): (Said, Arc<AtomicUsize>) = Default::default();
        let own = listener.local_addr().unwrap();
        let (server, sender) = (address.to_owned(), weather.clone());
        let (log, count) = (said.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(client, server.clone(), sender.subscribe(), log.clone()));
            }
        });
        Self { address: own, weather, said, connections, task }
    }

    /// Changes the weather, also for connections that are open.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whether `text` ever came back from the server.
    pub fn carried(&self, text: &str) -> bool {
        count(&self.said.answered, text) > 0
    }

    /// How often `text` went to the server.
    pub fn asked(&self, text: &str) -> usize {
        count(&self.said.asked, text)
    }
}

fn count(said: &Mutex<Vec<u8>>, text: &str) -> usize {
    said.lock().unwrap().windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer that is the same for everybody.
pub fn answer(status: &str, headers: &str, body: &str) -> Weather {
    Weather::Answer(stand_in::answer(status, headers, body))
}

async fn carry(mut client: TcpStream, server: String, mut weather: watch::Receiver<Weather>, said: Said) {
    let now = weather.borrow_and_update().clone();
    match now {
        Weather::Down => {}
        // Until the weather turns, and then the connection is gone.
        Weather::Silent => drop(weather.changed().await),
        Weather::Answer(bytes) => {
            let _ = client.read(&mut [0; 16 * 1024]).await;
            let _ = client.write_all(&bytes).await;
            let _ = client.shutdown().await;
            // What is not read would have the system take the answer back.
            let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
        }
        Weather::Fair | Weather::Slow(_) => {
            if let Weather::Slow(time) = now {
                tokio::time::sleep(time).await;
            }
            let Ok(server) = TcpStream::connect(&server).await else { return };
            tokio::select! {
                () = relay(client, server, &said) => {}
                _ = weather.changed() => {}
            }
        }
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, said: &Said) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::join!(pass(from_client, to_server, &said.asked), pass(from_server, to_client, &said.answered));
}

/// Passes on what comes, and writes it down.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, said: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer).await
        && length > 0
    {
        said.lock().unwrap().extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
