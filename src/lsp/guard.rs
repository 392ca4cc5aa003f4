//! Keeps the server alive whatever arrives and whatever breaks: a panic in a handler becomes an error answer, and
//! a message that cannot be decoded is repaired or answered, because the library stops at the first of either.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::FutureExt;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    sync::Notify,
};
use tokio_util::task::AbortOnDropHandle;
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_service::Service;

/// The longest message that is read, in bytes. A document beyond it could not be edited with pleasure anyway.
const MAX_MESSAGE: usize = 64 << 20;
/// The longest header line, in bytes.
const MAX_HEADER: u64 = 4 << 10;
/// How much of a message that is too long is searched for its id.
const PEEK: usize = 4 << 10;
/// The method under which a message that could not be decoded reaches the guard.
const UNDECODABLE: &str = "$/vaultls/undecodable";

/// How far the protocol's life has come.
#[derive(Debug, Default)]
pub struct Lifecycle {
    shutdown: AtomicBool,
    exit: Notify,
}

impl Lifecycle {
    /// The exit code that the protocol asks for: 0 after `shutdown`, else 1 (LSP 3.17, "Exit Notification").
    pub fn exit_code(&self) -> i32 {
        i32::from(!self.shutdown.load(Ordering::SeqCst))
    }

    /// Waits for `exit`.
    pub async fn exited(&self) {
        self.exit.notified().await;
    }

    fn saw(&self, method: &str) {
        match method {
            "shutdown" => self.shutdown.store(true, Ordering::SeqCst),
            "exit" => self.exit.notify_one(),
            _ => {}
        }
    }
}

/// A service whose handlers may panic: the request is answered with an internal error, and life goes on.
pub struct Guard<S> {
    inner: S,
    lifecycle: Arc<Lifecycle>,
}

impl<S> Guard<S> {
    pub fn new(inner: S, lifecycle: Arc<Lifecycle>) -> Self {
        Self { inner, lifecycle }
    }
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.method() == UNDECODABLE {
            return Box::pin(std::future::ready(Ok(undecodable(request))));
        }
        self.lifecycle.saw(request.method());
        let id = request.id().cloned();
        let method = request.method().to_owned();
        let Ok(handler) = std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) else {
            return Box::pin(std::future::ready(Ok(panicked(id, &method))));
        };
        let handler = AssertUnwindSafe(handler).catch_unwind();
        Box::pin(async move { handler.await.unwrap_or_else(|_| Ok(panicked(id, &method))) })
    }
}

fn panicked(id: Option<Id>, method: &str) -> Option<Response> {
    tracing::error!(method, "a handler panicked");
    id.map(|id| Response::from_error(id, Error::internal_error()))
}

fn undecodable(request: Request) -> Option<Response> {
    let (_, id, params) = request.into_parts();
    let why =
        params.as_ref().and_then(|params| params.get("why")?.as_str()).unwrap_or("the message was not understood");
    let error = Error { code: ErrorCode::ParseError, message: why.to_owned().into(), data: None };
    Some(Response::from_error(id?, error))
}

/// Reads the protocol's frames from `input` and hands on only what the library can decode. The task ends with the
/// input.
pub fn filter(input: impl AsyncRead + Send + Unpin + 'static) -> (DuplexStream, AbortOnDropHandle<()>) {
    let (mut sender, receiver) = tokio::io::duplex(1 << 16);
    let task = tokio::spawn(async move {
        let mut reader = BufReader::new(input);
        while let Ok(Some(frame)) = next_frame(&mut reader).await {
            let Some(body) = decodable(frame) else { continue };
            let header = format!("Content-Length: {}\r\n\r\n", body.len());
            if sender.write_all(header.as_bytes()).await.is_err() || sender.write_all(&body).await.is_err() {
                return;
            }
        }
    });
    (receiver, AbortOnDropHandle::new(task))
}

/// What stood in the input.
enum Frame {
    Body(Vec<u8>),
    /// A message that is longer than any sensible one; its beginning.
    TooLong(Vec<u8>),
}

/// The next frame; none at the end of the input. Anything that is not a header is skipped.
async fn next_frame(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Frame>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if (&mut *reader).take(MAX_HEADER).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        match (line.trim_ascii().is_empty(), length) {
            (true, Some(length)) => return read_body(reader, length).await.map(Some),
            (true, None) => {}
            (false, _) => length = content_length(&line).or(length),
        }
    }
}

async fn read_body(reader: &mut (impl AsyncBufRead + Unpin), length: u64) -> std::io::Result<Frame> {
    if length <= MAX_MESSAGE as u64 {
        let mut body = Vec::new();
        (&mut *reader).take(length).read_to_end(&mut body).await?;
        return Ok(Frame::Body(body));
    }
    let mut start = Vec::new();
    (&mut *reader).take(PEEK as u64).read_to_end(&mut start).await?;
    let rest = length - start.len() as u64;
    tokio::io::copy(&mut (&mut *reader).take(rest), &mut tokio::io::sink()).await?;
    Ok(Frame::TooLong(start))
}

/// The number in a `Content-Length` header. The header is searched for in the whole line: after a wrong length the
/// rest of a body stands before it.
fn content_length(line: &[u8]) -> Option<u64> {
    const NAME: &str = "content-length:";
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    let start = line.rfind(NAME)? + NAME.len();
    line[start..].trim().parse().ok()
}

/// A message that the library will decode: the one that came, a repaired one, or a note to the guard that answers
/// in its place; none where nobody waits for an answer.
fn decodable(frame: Frame) -> Option<Vec<u8>> {
    let (body, why) = match frame {
        Frame::TooLong(start) => (start, "the message is too long"),
        Frame::Body(body) if is_message(&body) => return Some(body),
        Frame::Body(body) => {
            let repaired = repair(&body);
            if is_message(&repaired) {
                return Some(repaired);
            }
            (body, "the message is not valid JSON-RPC")
        }
    };
    tracing::warn!(bytes = body.len(), why, "dropped a message");
    let id = request_id(&body)?;
    let note = Request::build(UNDECODABLE).id(id).params(serde_json::json!({ "why": why })).finish();
    serde_json::to_vec(&note).ok()
}

fn is_message(body: &[u8]) -> bool {
    serde_json::from_slice::<Request>(body).is_ok() || serde_json::from_slice::<Response>(body).is_ok()
}

/// Makes text of what is not: half of a surrogate pair, which a JavaScript client can send, and bytes that are not
/// UTF-8 become U+FFFD.
fn repair(body: &[u8]) -> Vec<u8> {
    let mut repaired = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'\\', &body[at..]) {
        repaired.extend_from_slice(&body[at..at + offset]);
        at += offset;
        let length = match (code_unit(body, at), code_unit(body, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                repaired.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            _ => 2.min(body.len() - at),
        };
        repaired.extend_from_slice(&body[at..at + length]);
        at += length;
    }
    repaired.extend_from_slice(&body[at..]);
    match String::from_utf8_lossy(&repaired) {
        std::borrow::Cow::Borrowed(_) => repaired,
        std::borrow::Cow::Owned(text) => text.into_bytes(),
    }
}

/// The code unit of an escape such as `\ud83d` that starts at `at`.
fn code_unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The id of a broken request: the member `id` of the outermost object, where a `method` stands beside it. A
/// broken response is nobody's to answer.
fn request_id(body: &[u8]) -> Option<Id> {
    let (mut id, mut is_request) = (None, false);
    let (mut depth, mut at) = (0usize, 0);
    while at < body.len() {
        match body[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(body, at)?;
                match &body[at..end] {
                    b"\"id\"" if depth == 1 => id = id.or_else(|| member_value(&body[end..])),
                    b"\"method\"" if depth == 1 => is_request = true,
                    _ => {}
                }
                if is_request && id.is_some() {
                    return id;
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The offset behind the string that starts at `start`; none when it never ends.
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', body.get(at..)?)?;
        match body[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

fn member_value(behind_key: &[u8]) -> Option<Id> {
    let value = behind_key.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<Id>();
    let id = values.next()?.ok()?;
    // A number at the very end may have been cut.
    (values.byte_offset() < value.len()).then_some(id)
}

#[cfg(test)]
mod tests;
