//! A server of ours that stands for every provider and for the target of a request alike: it answers after a pause and
//! counts the questions. What a provider really takes it cannot tell; how many questions there are, and whether one
//! waits for another, it can.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

const VALUE: &str = "canary-bench";

/// Ids of 1Password's shape, which are asked for without a look at the lists.
const ID: &str = "abcdefghijklmnopqrstuvwxyz";

/// Whose questions are asked.
#[derive(Clone, Copy)]
pub enum Provider {
    Aws,
    HashiCorp,
    Connect,
}

impl Provider {
    /// The body of an integration at `address`.
    pub fn integration(self, address: &str) -> String {
        match self {
            Self::Aws => format!("provider = 'aws'\nendpoint = '{address}'\nauth = {{ method = 'keys' }}"),
            Self::HashiCorp => format!("provider = 'hashicorp'\naddress = '{address}'"),
            Self::Connect => {
                format!("provider = 'onepassword'\naddress = '{address}'\nauth = {{ method = 'connect' }}")
            }
        }
    }

    /// The coordinates of one secret.
    pub fn link(self, index: usize) -> String {
        match self {
            Self::Aws => format!("arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{index}-AbCdEf'"),
            Self::HashiCorp => format!("engine = 'kv'\npath = 's{index}'\nkey = 'k'"),
            Self::Connect => format!("reference = 'op://{ID}/{ID}/k'"),
        }
    }
}

pub struct Server {
    pub address: String,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = count.clone();
                thread::spawn(move || answer(stream, pause, &count));
            }
        });
        Self { address, asked }
    }

    pub fn questions(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Answers one request; none where the client went away.
fn answer(mut stream: TcpStream, pause: Duration, asked: &AtomicUsize) -> Option<()> {
    let request = request(&mut stream)?;
    asked.fetch_add(1, Ordering::SeqCst);
    thread::sleep(pause);
    let (media, body) = reply(&request);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nConnection: close");
    let body = body.to_string();
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()
}

fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 16 * 1024]);
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
    }
}

/// The answer in the words of the provider whose path is asked for.
fn reply(request: &str) -> (&'static str, Value) {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    match path {
        _ if path.starts_with("/v1/sys/internal/ui/mounts/") => {
            ("application/json", json!({ "data": { "type": "kv", "path": "kv/", "options": { "version": "2" } } }))
        }
        _ if path.starts_with("/v1/kv/data/") => {
            ("application/json", json!({ "data": { "data": { "k": VALUE }, "metadata": { "version": 1 } } }))
        }
        _ if path.starts_with("/v1/vaults/") => {
            let field = json!({ "id": "k", "label": "k", "type": "CONCEALED", "value": VALUE });
            ("application/json", json!({ "id": ID, "title": "bench", "vault": { "id": ID }, "fields": [field] }))
        }
        _ => ("application/x-amz-json-1.1", secrets_manager(&serde_json::from_str(body).unwrap_or_default())),
    }
}

fn secrets_manager(question: &Value) -> Value {
    let entry = |arn: &Value| json!({ "ARN": arn, "Name": "bench", "SecretString": VALUE });
    match question["SecretIdList"].as_array() {
        Some(list) => json!({ "SecretValues": list.iter().map(entry).collect::<Vec<_>>(), "Errors": [] }),
        None => entry(&question["SecretId"]),
    }
}
