//! Sends a filled request and follows redirects, asking the policy at every hop.

use std::time::Duration;

use serde::Serialize;

use crate::{
    http::{fill::Ready, redact::Redactor},
    status::Problem,
};

/// The bounds of one exchange.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For the whole exchange, where the request names no other.
    pub timeout: Duration,
    /// The longest body that is kept, after decompression, in bytes.
    pub body: usize,
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), body: 10 << 20, redirects: 10 }
    }
}

/// What came back, every text redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    pub status: u16,
    /// The reason phrase the server sent, or the registered one.
    pub reason: String,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    pub method: String,
    /// The URL that answered, after redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Whether the body is shown as a note on binary data instead.
    pub binary: bool,
    /// Whether the body was longer than the limit.
    pub truncated: bool,
    /// The body's length as received and decompressed, in bytes, as far as it was read.
    pub bytes: u64,
    /// From sending to the last byte.
    pub millis: u64,
    /// Each redirect that was followed: status and the URL it led to.
    pub redirects: Vec<(u16, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The policy refused a hop; nothing was sent to it.
    Refused(Problem),
    /// The exchange failed; a message for people, redacted.
    Failed(String),
}

/// The sender: one connection pool for the process, made at first use.
#[derive(Default)]
pub struct Sender {}

impl Sender {
    /// `guard` is asked for the first URL and for each redirect's, before anything is sent to it.
    pub async fn send(
        &self,
        _ready: Ready,
        _guard: &(dyn Fn(&url::Url) -> Result<(), Problem> + Sync),
        _redactor: &Redactor,
        _limits: &Limits,
    ) -> Result<Response, SendError> {
        todo!()
    }
}
