//! An editor in miniature: speaks the language server protocol (LSP 3.17, "Base Protocol") and keeps every byte it
//! was sent, so that the demo can look for the secret in them.

use std::{collections::HashMap, io, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    time::timeout,
};

/// How long any one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest message, in bytes.
const LONGEST: usize = 4 << 20;

pub struct Client {
    input: BufReader<DuplexStream>,
    output: DuplexStream,
    last_id: i64,
    diagnostics: HashMap<String, Vec<Value>>,
    received: String,
}

impl Client {
    pub fn new(input: DuplexStream, output: DuplexStream) -> Self {
        Self { input: BufReader::new(input), output, last_id: 0, diagnostics: HashMap::new(), received: String::new() }
    }

    /// Everything the server ever said.
    pub fn received(&self) -> &str {
        &self.received
    }

    pub async fn notify(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await
    }

    /// Asks, and waits for the answer.
    pub async fn request(&mut self, method: &str, params: Value) -> io::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        let wait = async {
            loop {
                let message = self.receive().await?;
                if message["id"] == id && message.get("method").is_none() {
                    return answer(method, message);
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| Err(late(method)))
    }

    /// Waits until the diagnostics of `uri` have exactly these codes, in order.
    pub async fn diagnostics(&mut self, uri: &str, codes: &[&str]) -> io::Result<Vec<Value>> {
        let wait = async {
            loop {
                let found = self.diagnostics.get(uri);
                let is_it = |found: &&Vec<Value>| {
                    found.iter().map(|one| one["code"].as_str()).eq(codes.iter().map(|code| Some(*code)))
                };
                if let Some(found) = found.filter(is_it) {
                    return Ok(found.clone());
                }
                self.receive().await?;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| Err(late(&format!("diagnostics {}", codes.join(", ")))))
    }

    /// Reads one message and does what it asks for.
    async fn receive(&mut self) -> io::Result<Value> {
        let message = self.read().await?;
        match (message["method"].as_str(), message.get("id")) {
            (Some(_), Some(id)) => {
                let reply = json!({ "jsonrpc": "2.0", "id": id, "result": null });
                self.send(&reply).await?;
            }
            (Some("textDocument/publishDiagnostics"), None) => {
                let uri = message["params"]["uri"].as_str().unwrap_or_default().to_owned();
                let found = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
                self.diagnostics.insert(uri, found);
            }
            _ => {}
        }
        Ok(message)
    }

    async fn send(&mut self, message: &Value) -> io::Result<()> {
        let text = message.to_string();
        self.output.write_all(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes()).await
    }

    async fn read(&mut self) -> io::Result<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.input.read_line(&mut line).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the language server ended"));
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let length = length.filter(|length| *length <= LONGEST).ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes).await?;
        self.received.push_str(&String::from_utf8_lossy(&bytes));
        Ok(serde_json::from_slice(&bytes)?)
    }
}

fn answer(method: &str, mut message: Value) -> io::Result<Value> {
    match message.get("error") {
        None => Ok(message["result"].take()),
        Some(error) => Err(io::Error::other(format!("{method}: {}", error["message"]))),
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the language server gave no answer: {what}"))
}
