//! No provider: a listener that does what no real server can be made to do, and counts who comes.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::ports;

/// A listener. It ends with the process of the tests.
pub struct StandIn {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    came: Arc<AtomicUsize>,
}

impl StandIn {
    /// Treats each connection, after its request has begun to arrive, with `treat`.
    pub fn start(treat: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::hearing(move |_, stream| treat(stream))
    }

    /// Treats each connection with what has come of its request when it begins to arrive: for short ones, all.
    pub fn hearing(treat: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let came = Arc::new(AtomicUsize::new(0));
        let (count, treat) = (came.clone(), Arc::new(treat));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let treat = treat.clone();
                thread::spawn(move || {
                    let mut request = [0; 8192];
                    let length = stream.read(&mut request).unwrap_or(0);
                    treat(&String::from_utf8_lossy(&request[..length]), &mut stream);
                    // What is not read would have the system take the answer back.
                    let _ = stream.shutdown(Shutdown::Write);
                    let _ = io::copy(&mut stream, &mut io::sink());
                });
            }
        });
        Self { address, came }
    }

    /// Takes every request and never answers.
    pub fn silent() -> Self {
        Self::start(|_| thread::park())
    }

    /// Gives every request the same answer.
    pub fn answering(status: &str, headers: &str, body: &str) -> Self {
        let answer = answer(status, headers, body);
        Self::start(move |stream| drop(stream.write_all(&answer)))
    }

    /// How many connections there were.
    pub fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

/// A whole answer, after which the connection ends.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// An address at which nobody listens.
pub fn nobody() -> String {
    format!("http://127.0.0.1:{}", ports::reserve(1))
}
