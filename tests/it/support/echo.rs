//! A server on the loopback that answers with what it was sent, and remembers it.
//!
//! `/status/404` answers with that status, `/redirect/URL` with a redirect there, anything else with 200 and the whole
//! request as the body.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

pub struct Echo {
    /// `127.0.0.1:port`
    pub address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    pub fn start() -> Self {
        Self::listen("close")
    }

    /// One that keeps its connections for further requests.
    pub fn start_keeping() -> Self {
        Self::listen("keep-alive")
    }

    fn listen(connection: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = seen.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                std::thread::spawn(move || {
                    let mut stream = stream;
                    while answer(&mut stream, connection, &log).is_some() && connection != "close" {}
                });
            }
        });
        Self { address, seen }
    }

    /// The requests so far, as they came over the wire.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers one request, if one comes.
fn answer(stream: &mut TcpStream, connection: &str, log: &Mutex<Vec<String>>) -> Option<()> {
    let request = read_request(stream)?;
    log.lock().unwrap().push(request.clone());
    let target = request.split(' ').nth(1).unwrap_or("/").to_owned();
    let head = if let Some(status) = target.strip_prefix("/status/") {
        format!("HTTP/1.1 {status} Chosen")
    } else if let Some(url) = target.strip_prefix("/redirect/") {
        format!("HTTP/1.1 302 Found\r\nLocation: {url}")
    } else {
        "HTTP/1.1 200 OK".to_owned()
    };
    let length = request.len();
    write!(
        stream,
        "{head}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: {connection}\r\n\r\n{request}"
    )
    .ok()
}

/// The head and, where a length is told, the body.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some(head) = text.find("\r\n\r\n") else { continue };
        let length = text[..head].lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if bytes.len() >= head + 4 + length.unwrap_or(0) {
            return Some(text.into_owned());
        }
    }
}
