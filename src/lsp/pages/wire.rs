//! HTTP/1.1 as far as one browser on this machine needs it: a request a connection, read by httparse (the parser
//! inside of hyper) in buffers of fixed size, and an answer that tells the browser to keep nothing.
//!
//! hyper's own server is not used: a typed secret would pass through its buffers, which nobody wipes, and what it is
//! good at - connections that live on, bodies in pieces, upgrades - is what is refused here.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::work::answer;

/// The longest head of a request, in bytes.
pub const LONGEST_HEAD: usize = 16 * 1024;
/// The longest body, in bytes: what `vaultls answer` takes, and what forms add to it.
pub const LONGEST_BODY: usize = answer::LONGEST + 4096;
const MOST_HEADERS: usize = 64;
/// What is read on after a refusal, in bytes, so that the system does not cut the answer short.
const REST: u64 = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// The head of a request, with those headers that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    /// As it was sent.
    pub target: String,
    pub host: Option<String>,
    pub cookie: Option<String>,
    pub origin: Option<String>,
    pub fetch_site: Option<String>,
    pub content_type: Option<String>,
    /// The body's length, in bytes.
    pub length: usize,
}

/// What is wrong with a request; with what it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unreadable,
    /// Not this machine under the name that it was opened by, or from a page that is not ours.
    Foreign,
    Unknown,
    Method,
    /// The way in was taken before.
    Gone,
    TooLong,
    NoForm,
    /// A form of an earlier page.
    Stale,
}

impl Refusal {
    const fn status(self) -> &'static str {
        match self {
            Self::Unreadable => "400 Bad Request",
            Self::Foreign => "403 Forbidden",
            Self::Unknown => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::Gone => "410 Gone",
            Self::TooLong => "413 Content Too Large",
            Self::NoForm => "415 Unsupported Media Type",
            Self::Stale => "409 Conflict",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Gone => "This page was opened before. If that was not you, do not go on; ask again in your editor.\n",
            Self::Stale => "This form is of an earlier page. Go back and load the page again.\n",
            Self::TooLong => "This is too long. Go back and try something shorter.\n",
            _ => "This is nothing that is asked for here.\n",
        }
    }
}

/// An answer to the browser.
pub enum Reply {
    Page(String),
    /// To another address of ours, with the cookie that opens it.
    To {
        path: String,
        cookie: Option<String>,
    },
    Refused(Refusal),
}

/// Reads the head of a request: with the bytes of the body that came with it. An error where nothing can be answered.
pub async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Result<(Head, Zeroizing<Vec<u8>>), Refusal>> {
    // One buffer that never grows, so that no copy of what was typed is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_HEAD));
    loop {
        let mut part = (&mut *stream).take((LONGEST_HEAD - bytes.len()) as u64);
        if part.read_buf(&mut *bytes).await? == 0 {
            return if bytes.len() == LONGEST_HEAD {
                Ok(Err(Refusal::TooLong))
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        match parse(&bytes) {
            Ok(None) if bytes.len() == LONGEST_HEAD => return Ok(Err(Refusal::TooLong)),
            Ok(None) => {}
            Ok(Some((head, end))) => return Ok(Ok((head, Zeroizing::new(bytes[end..].to_vec())))),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
}

/// Reads the rest of the body.
pub async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    begun: &[u8],
    length: usize,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut body = Zeroizing::new(vec![0; length]);
    let begun = &begun[..begun.len().min(length)];
    body[..begun.len()].copy_from_slice(begun);
    stream.read_exact(&mut body[begun.len()..]).await?;
    Ok(body)
}

/// The head and where it ends; none while it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let end = match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLong),
        Err(_) => return Err(Refusal::Unreadable),
    };
    let method = match request.method {
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        _ => return Err(Refusal::Method),
    };
    let header = |name: &str| one(request.headers, name);
    // A body of unknown length is what two readers could see differently (RFC 9112, section 6.3).
    if header("transfer-encoding")?.is_some() {
        return Err(Refusal::Unreadable);
    }
    let length = match header("content-length")? {
        Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map_err(|_| Refusal::TooLong)?
        }
        Some(_) => return Err(Refusal::Unreadable),
        None => 0,
    };
    let head = Head {
        method,
        target: request.path.unwrap_or_default().to_owned(),
        host: header("host")?,
        cookie: header("cookie")?,
        origin: header("origin")?,
        fetch_site: header("sec-fetch-site")?,
        content_type: header("content-type")?,
        length,
    };
    if length > LONGEST_BODY {
        return Err(Refusal::TooLong);
    }
    Ok(Some((head, end)))
}

/// The one header called `name`. Twice is one too many for each that decides something.
fn one(headers: &[httparse::Header<'_>], name: &str) -> Result<Option<String>, Refusal> {
    let mut found = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let first = found.next();
    if found.next().is_some() {
        return Err(Refusal::Unreadable);
    }
    first
        .map(|header| std::str::from_utf8(header.value).map(str::to_owned).map_err(|_| Refusal::Unreadable))
        .transpose()
}

/// Answers, and ends the connection.
pub async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: &Reply, policy: &str) -> io::Result<()> {
    stream.write_all(written(reply, policy).as_bytes()).await?;
    stream.shutdown().await?;
    if matches!(reply, Reply::Refused(_)) {
        // What was not read would make the system cut the answer short.
        tokio::io::copy(&mut (&mut *stream).take(REST), &mut tokio::io::sink()).await?;
    }
    Ok(())
}

fn written(reply: &Reply, policy: &str) -> String {
    let (status, kind, body) = match reply {
        Reply::Page(page) => ("200 OK", "text/html", page.as_str()),
        Reply::To { .. } => ("303 See Other", "text/plain", ""),
        Reply::Refused(refusal) => (refusal.status(), "text/plain", refusal.words()),
    };
    let mut head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: same-origin\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n\
         Content-Security-Policy: {policy}\r\n",
        body.len()
    );
    if let Reply::To { path, cookie } = reply {
        head.push_str(&format!("Location: {path}\r\n"));
        if let Some(cookie) = cookie {
            head.push_str(&format!("Set-Cookie: {cookie}\r\n"));
        }
    }
    head + "\r\n" + body
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(request: &str) -> Result<Head, Refusal> {
        read_head(&mut request.as_bytes()).await.unwrap().map(|(head, _)| head)
    }

    #[tokio::test]
    async fn a_browsers_request_is_understood() {
        let request = "POST /abc HTTP/1.1\r\nHost: 127.0.0.1:1\r\nCookie: a=b\r\nOrigin: http://127.0.0.1:1\r\n\
                       Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\nx=1";
        let (head, begun) = read_head(&mut request.as_bytes()).await.unwrap().unwrap();
        assert_eq!((head.method, head.target.as_str(), head.length), (Method::Post, "/abc", 3));
        assert_eq!((head.host.as_deref(), head.cookie.as_deref()), (Some("127.0.0.1:1"), Some("a=b")));
        assert_eq!(*read_body(&mut &b""[..], &begun, 3).await.unwrap(), b"x=1");
        assert_eq!(*read_body(&mut &b"=1&y"[..], b"x", 3).await.unwrap(), b"x=1");
    }

    #[tokio::test]
    async fn what_two_readers_could_see_differently_is_refused() {
        for (request, refusal) in [
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refusal::Unreadable),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Refusal::Unreadable),
            ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", Refusal::Unreadable),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::Unreadable),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", Refusal::TooLong),
            ("POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n", Refusal::TooLong),
            ("GET / HTTP/1.1\r\nCookie: a=1\r\nCookie: a=2\r\n\r\n", Refusal::Unreadable),
            ("HEAD / HTTP/1.1\r\n\r\n", Refusal::Method),
            ("OPTIONS / HTTP/1.1\r\n\r\n", Refusal::Method),
            ("\x16\x03\x01\r\n\r\n", Refusal::Unreadable),
        ] {
            assert_eq!(check(request).await, Err(refusal), "{request:?}");
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_too_long() {
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(2 * LONGEST_HEAD));
        assert_eq!(check(&long).await, Err(Refusal::TooLong));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(100));
        assert_eq!(check(&many).await, Err(Refusal::TooLong));
        assert!(read_head(&mut &b"GET / HTTP/1.1\r\n"[..]).await.is_err());
    }
}
