//! What stands between a client and a real server, and makes the weather: the server itself is left alone, so that
//! tests can share it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How it goes on the way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// Connections are closed without a word.
    Down,
    /// Connections are taken, and nothing is ever answered.
    Silent,
    /// Every request gets this answer.
    Answer(Vec<u8>),
}

/// A running front. It ends when dropped.
pub struct Front {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// What came back from the server.
    answered: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Front {
    /// Before the server at `address`, such as `127.0.0.1:8200`.
    pub async fn start(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (weather, _) = watch::channel(Weather::Fair);
        let (answered, connections): (Arc<Mutex<Vec<u8>>>, Arc<AtomicUsize>) = Default::default();
        let own = listener.local_addr().unwrap();
        let (server, sender) = (address.to_owned(), weather.clone());
        let (log, count) = (answered.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(client, server.clone(), sender.subscribe(), log.clone()));
            }
        });
        Self { address: own, weather, answered, connections, task }
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
        let answered = self.answered.lock().unwrap();
        answered.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer that is the same for everybody.
pub fn answer(status: &str, headers: &str, body: &str) -> Weather {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    Weather::Answer(text.into_bytes())
}

async fn carry(
    mut client: TcpStream,
    server: String,
    mut weather: watch::Receiver<Weather>,
    answered: Arc<Mutex<Vec<u8>>>,
) {
    let now = weather.borrow_and_update().clone();
    match now {
        Weather::Down => {}
        // Until the weather turns, and then the connection is gone.
        Weather::Silent => drop(weather.changed().await),
        Weather::Answer(bytes) => {
            let _ = client.read(&mut [0; 16 * 1024]).await;
            let _ = client.write_all(&bytes).await;
            let _ = client.shutdown().await;
        }
        Weather::Fair => {
            let Ok(server) = TcpStream::connect(&server).await else { return };
            tokio::select! {
                () = relay(client, server, &answered) => {}
                _ = weather.changed() => {}
            }
        }
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, answered: &Mutex<Vec<u8>>) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let forth = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length) = from_server.read(&mut buffer).await
            && length > 0
            && to_client.write_all(&buffer[..length]).await.is_ok()
        {
            answered.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(forth, back);
}
