//! Sends a filled request and follows redirects, asking the policy at every hop.
//!
//! What is sent is judged first: `guard` sees the very [`Url`] object of each hop before a connection is made. What
//! comes back is bounded in time and size, and redacted before anybody sees it.

mod failure;
mod receive;
mod redirect;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::header;
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    domain::is_loopback,
    http::{
        fill::{self, Ready, ReadyBody, ReadyHeader},
        redact::{MASK, Redactor},
    },
    status::Problem,
    vault::value::SecretValue,
};
use receive::Receipt;
use redirect::Step;

/// How many exchanges run at once; more wait for their turn.
const PARALLEL: usize = 64;
/// How long a connection may take, where the whole exchange has longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection waits for the next request. Its buffers hold the last one, values included, until it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

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

/// What came back before anything in it is masked: it cannot be printed.
pub struct Received {
    pub status: u16,
    /// Who answered, after redirects, as `domain::origin_key` names it.
    pub origin: String,
    /// In order; a name may occur twice.
    pub headers: Vec<(String, SecretValue)>,
    /// The body as text; none where it is no text.
    pub text: Option<Zeroizing<String>>,
    /// Whether the body was longer than the limit.
    pub truncated: bool,
}

/// Sees what came back before anybody else, off the async threads; answers with the redactor by which it is shown.
pub type Witness = Box<dyn FnOnce(&Arc<Received>) -> Redactor + Send>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The policy refused a hop; nothing was sent to it.
    Refused(Problem),
    /// The exchange failed; a message for people, redacted.
    Failed(String),
}

/// The sender: connection pools for the process, made at first use.
pub struct Sender {
    /// Certificates besides those of the system, in PEM; from the user's own configuration only.
    roots: Vec<u8>,
    outside: Slot,
    /// For this machine itself: what is sent to a loopback address never goes through a proxy.
    loopback: Slot,
    turns: Semaphore,
}

/// A client, once it is needed.
type Slot = Mutex<Option<Result<reqwest::Client, String>>>;

impl Default for Sender {
    fn default() -> Self {
        Self::with_roots(Vec::new())
    }
}

impl Sender {
    /// A sender that trusts the certificates in `pem` besides those of the system. NB. never from a workspace.
    pub fn with_roots(pem: Vec<u8>) -> Self {
        Self { roots: pem, outside: Slot::default(), loopback: Slot::default(), turns: Semaphore::new(PARALLEL) }
    }

    /// `guard` is asked for the first URL and for each redirect's, before anything is sent to it. What came back is masked
    /// as `witness` says, what goes wrong by `redactor`. Dropping the future ends the exchange.
    pub async fn send(
        &self,
        ready: Ready,
        guard: &(dyn Fn(&Url) -> Result<(), Problem> + Sync),
        redactor: &Redactor,
        limits: &Limits,
        witness: Witness,
    ) -> Result<Response, SendError> {
        let _turn = self.turns.acquire().await;
        let timeout = ready.timeout.unwrap_or(limits.timeout);
        let shown = Shown::new(&ready, redactor);
        let exchange = Exchange { sender: self, guard, shown: &shown, limits };
        match tokio::time::timeout(timeout, exchange.run(ready, witness)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::Failed(format!("no complete answer within {}", seconds(timeout)))),
        }
    }

    /// Closes the connections that no exchange uses, and with them the buffers in which the last requests stand.
    pub fn hang_up(&self) {
        *lock(&self.outside) = None;
        *lock(&self.loopback) = None;
    }

    /// The client for `url`. Making one reads the system's certificates, so it is done once and late.
    fn client(&self, url: &Url) -> Result<reqwest::Client, SendError> {
        let is_loopback = is_loopback(url);
        let mut slot = lock(if is_loopback { &self.loopback } else { &self.outside });
        slot.get_or_insert_with(|| self.build(is_loopback)).clone().map_err(SendError::Failed)
    }

    fn build(&self, is_loopback: bool) -> Result<reqwest::Client, String> {
        let roots = reqwest::Certificate::from_pem_bundle(&self.roots)
            .map_err(|_| "the additional certificates are not valid PEM")?;
        let builder = || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT);
            if is_loopback { builder.no_proxy() } else { builder }
        };
        let built = builder().tls_certs_merge(roots.clone()).build();
        // A machine without any certificates can still send plain http, and https to the certificates named here.
        built.or_else(|_| builder().tls_certs_only(roots).build()).map_err(|error| failure::describe(error, None))
    }
}

/// How URLs and texts of one exchange are shown.
struct Shown<'a> {
    redactor: &'a Redactor,
    /// The host that a value decided.
    secret_host: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(ready: &Ready, redactor: &'a Redactor) -> Self {
        let secret_host = ready.host_is_secret.then(|| ready.url.host_str().unwrap_or_default().to_owned());
        Self { redactor, secret_host }
    }

    fn text(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    fn url(&self, url: &Url) -> String {
        if self.hides(url) {
            let rest = self.redactor.redact(&url[url::Position::BeforePath..]);
            return format!("{}://{MASK}{rest}", url.scheme());
        }
        self.redactor.redact(url.as_str())
    }

    /// The host for a message; none when it is a value's.
    fn host<'u>(&self, url: &'u Url) -> Option<&'u str> {
        url.host_str().filter(|_| !self.hides(url))
    }

    fn hides(&self, url: &Url) -> bool {
        self.secret_host.is_some() && self.secret_host.as_deref() == url.host_str()
    }

    fn refusal(&self, url: &Url, problem: &Problem) -> SendError {
        SendError::Refused(if self.hides(url) {
            fill::conceal(problem)
        } else {
            Problem::new(problem.reason, self.redactor.redact(&problem.detail))
        })
    }
}

/// One exchange: a request and the redirects that follow from it.
struct Exchange<'a> {
    sender: &'a Sender,
    guard: &'a (dyn Fn(&Url) -> Result<(), Problem> + Sync),
    shown: &'a Shown<'a>,
    limits: &'a Limits,
}

impl Exchange<'_> {
    async fn run(&self, ready: Ready, witness: Witness) -> Result<Response, SendError> {
        let started = Instant::now();
        let follow = ready.follow_redirects;
        let mut hop = Hop::first(ready);
        let mut seen = vec![(hop.method.clone(), hop.url.clone())];
        let mut redirects = Vec::new();
        loop {
            let response = self.send_hop(&hop).await?;
            let step = if follow { redirect::step(&hop, &response) } else { Step::Stay };
            match step {
                Step::Stay => {
                    let receipt = Receipt { hop: &hop, shown: self.shown, redirects, started };
                    return receive::receive(response, receipt, self.limits, witness).await;
                }
                Step::Refuse(message) => return Err(SendError::Failed(self.shown.text(&message))),
                Step::Go(next) => {
                    if redirects.len() >= self.limits.redirects {
                        let message = format!("stopped after {} redirects", self.limits.redirects);
                        return Err(SendError::Failed(message));
                    }
                    let visit = (next.method.clone(), next.url.clone());
                    if seen.contains(&visit) {
                        return Err(SendError::Failed("the redirects lead back to where they were".into()));
                    }
                    redirects.push((response.status().as_u16(), next.url.clone()));
                    seen.push(visit);
                    hop = *next;
                }
            }
        }
    }

    /// Asks the policy, then sends.
    async fn send_hop(&self, hop: &Hop) -> Result<reqwest::Response, SendError> {
        (self.guard)(&hop.url).map_err(|problem| self.shown.refusal(&hop.url, &problem))?;
        self.guard_host_header(hop)?;
        let client = self.sender.client(&hop.url)?;
        let mut request = reqwest::Request::new(hop.method.clone(), hop.url.clone());
        for header in &hop.headers {
            request.headers_mut().append(header.name.clone(), header.value.clone());
        }
        if let Some(body) = &hop.body {
            *request.body_mut() = Some(body.bytes.clone().into());
        }
        let failed = |error| SendError::Failed(self.shown.text(&failure::describe(error, self.shown.host(&hop.url))));
        client.execute(request).await.map_err(failed)
    }

    /// A `Host` header sends a request to another site of the same server, so the policy is asked about that one too.
    fn guard_host_header(&self, hop: &Hop) -> Result<(), SendError> {
        for header in hop.headers.iter().filter(|header| header.name == header::HOST) {
            let host = header.value.to_str().ok();
            let named = host.and_then(|host| Url::parse(&format!("{}://{host}/", hop.url.scheme())).ok());
            let Some(named) = named else {
                return Err(SendError::Failed("the `Host` header is not a host".into()));
            };
            if !is_loopback(&hop.url) && named.host_str() != hop.url.host_str() {
                (self.guard)(&named).map_err(|problem| self.shown.refusal(&named, &problem))?;
            }
        }
        Ok(())
    }
}

/// One request on the wire.
struct Hop {
    method: http::Method,
    url: Url,
    headers: Vec<ReadyHeader>,
    body: Option<ReadyBody>,
}

impl Hop {
    fn first(mut ready: Ready) -> Self {
        Self {
            method: ready.method.clone(),
            url: ready.url.clone(),
            headers: std::mem::take(&mut ready.headers),
            body: ready.body.take(),
        }
    }
}

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Result<reqwest::Client, String>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
