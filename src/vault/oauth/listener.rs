//! The loopback listener: it waits for the browser to come back, and tells everybody else to go away.
//!
//! It answers one kind of request: a GET of `/`, addressed to the very host and port that the redirect names, with this
//! flow's state. Anything else (a scanner, a favicon, a web page that was led to this machine by its own name) is
//! refused and ends nothing. Pages are static: nothing of a request is repeated in them.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{
    Code, Loopback, LoopbackHost,
    callback::{Expected, LONGEST, Stranger},
};
use crate::status::{Problem, Reason};

/// How many requests are read at a time. More wait their turn, so nobody can crowd out the browser for long.
const MOST_AT_ONCE: usize = 8;

/// How long one request may take to arrive, and its answer to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a socket that accepts nobody is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket of this machine alone; it closes when dropped.
pub(super) struct Listener {
    socket: TcpListener,
    /// The same port of IPv6, where browsers look for `localhost` first.
    second: Option<TcpListener>,
    /// What the Host header has to be.
    authority: String,
    host: LoopbackHost,
}

/// Why a request is not the one that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Unreadable,
    WrongHost,
    WrongMethod,
    WrongPath,
    TooLong,
    Stranger,
}

type Outcome = Result<Code, Problem>;

impl Listener {
    /// Takes the first port of the list that nobody else has.
    pub(super) async fn bind(back: &Loopback) -> Result<Self, Problem> {
        let any = [0];
        let ports: &[u16] = if back.ports.is_empty() { &any } else { &back.ports };
        for port in ports {
            if let Ok(listener) = Self::bind_to(back.host, *port).await {
                return Ok(listener);
            }
        }
        let listed: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let detail = format!(
            "the browser has nowhere to come back to: other programs have {}; close them and try again",
            listed.join(" and ")
        );
        Err(Problem::new(Reason::NotConfigured, detail))
    }

    async fn bind_to(host: LoopbackHost, port: u16) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = socket.local_addr()?.port();
        let (second, name) = match host {
            LoopbackHost::Address => (None, "127.0.0.1"),
            LoopbackHost::Name => (second(port).await?, "localhost"),
        };
        Ok(Self { socket, second, authority: format!("{name}:{port}"), host })
    }

    /// The address that the browser is to be led back to. NB. Microsoft's own libraries name `localhost` without a path.
    pub(super) fn redirect(&self) -> String {
        match self.host {
            LoopbackHost::Address => format!("http://{}/", self.authority),
            LoopbackHost::Name => format!("http://{}", self.authority),
        }
    }

    /// Waits for the request of this flow, and answers it before it returns.
    pub(super) async fn wait(&self, expected: &Expected) -> Outcome {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = self.accept(), if open.len() < MOST_AT_ONCE => open.push(self.serve(stream, expected)),
                Some(served) = open.next(), if !open.is_empty() => {
                    if let Some(outcome) = served {
                        return outcome;
                    }
                }
            }
        }
    }

    async fn accept(&self) -> TcpStream {
        loop {
            let of_second = async {
                match &self.second {
                    Some(second) => second.accept().await,
                    None => std::future::pending().await,
                }
            };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                accepted = of_second => accepted,
            };
            match accepted {
                Ok((stream, _)) => return stream,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Answers one request; the outcome if it was of this flow.
    async fn serve(&self, mut stream: TcpStream, expected: &Expected) -> Option<Outcome> {
        let head = timeout(PATIENCE, read_head(&mut stream)).await.ok()?.ok()?;
        let verdict = head.ok_or(Refusal::TooLong).and_then(|head| self.judge(&head, expected));
        let page = match &verdict {
            Ok(Ok(_)) => page("200 OK", "Almost there", "You can close this page and go back to where you came from."),
            Ok(Err(_)) => {
                page("200 OK", "Nobody was signed in", "You can close this page and see why where you came from.")
            }
            Err(refusal) => page(refusal.status(), "Refused", "This is not the sign-in that is waited for here."),
        };
        let refused = verdict.is_err();
        let answer = async {
            stream.write_all(page.as_bytes()).await?;
            stream.shutdown().await?;
            if refused {
                // What was not read would make the system cut the answer short.
                let mut rest = (&mut stream).take(8 * LONGEST as u64);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
            }
            io::Result::Ok(())
        };
        let _ = timeout(PATIENCE, answer).await;
        verdict.ok()
    }

    fn judge(&self, head: &str, expected: &Expected) -> Result<Outcome, Refusal> {
        let mut lines = head.split("\r\n");
        let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, "HTTP/1.1" | "HTTP/1.0"] = line[..] else { return Err(Refusal::Unreadable) };
        let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(':').unwrap_or((line, ""))).collect();
        let hosts: Vec<&str> = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim())
            .collect();
        match hosts[..] {
            [host] if host.eq_ignore_ascii_case(&self.authority) => {}
            _ => return Err(Refusal::WrongHost),
        }
        if method != "GET" {
            return Err(Refusal::WrongMethod);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != "/" {
            return Err(Refusal::WrongPath);
        }
        expected.judge(query).map_err(|Stranger| Refusal::Stranger)
    }
}

impl Refusal {
    const fn status(self) -> &'static str {
        match self {
            Self::Unreadable | Self::WrongHost | Self::Stranger => "400 Bad Request",
            Self::WrongMethod => "405 Method Not Allowed",
            Self::WrongPath => "404 Not Found",
            Self::TooLong => "431 Request Header Fields Too Large",
        }
    }
}

/// The port on IPv6 as well; none where this machine has no IPv6. An error if somebody else has it, who would get the
/// code.
async fn second(port: u16) -> io::Result<Option<TcpListener>> {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok(None),
    }
}

/// The head of a request without its last empty line; none if it does not end within the limit. An error where nothing
/// can be answered.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            bytes.truncate(end);
            // What is no text is no request line either.
            return Ok(Some(String::from_utf8(bytes).unwrap_or_default()));
        }
        if bytes.len() >= LONGEST {
            return Ok(None);
        }
        let mut part = (&mut *stream).take((LONGEST - bytes.len()) as u64);
        if part.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn page(status: &str, title: &str, words: &str) -> String {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>vaultls: {title}</title><h1>{title}</h1><p>{words}</p></html>\n"
    );
    let length = body.len();
    [
        format!("HTTP/1.1 {status}"),
        "Content-Type: text/html; charset=utf-8".into(),
        format!("Content-Length: {length}"),
        "Connection: close".into(),
        "Cache-Control: no-store".into(),
        "Referrer-Policy: no-referrer".into(),
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'".into(),
        "X-Content-Type-Options: nosniff".into(),
        String::new(),
        body,
    ]
    .join("\r\n")
}
