//! Requests as somebody writes them who is not the person's browser.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use url::{Url, form_urlencoded};

use super::{CANARY, open, page, store};
use crate::support::{
    client::{Client, Home},
    echo::Echo,
};

/// Somebody who came in by the token, and writes requests by hand.
pub struct Visitor {
    authority: String,
    path: String,
    cookie: String,
}

impl Visitor {
    pub fn enter(address: &str) -> Self {
        let url = Url::parse(address).unwrap();
        let authority = format!("127.0.0.1:{}", url.port().unwrap());
        let entered = send(&authority, &format!("GET {} HTTP/1.1\r\nHost: {authority}\r\n\r\n", url.path()));
        assert!(entered.starts_with("HTTP/1.1 303"), "{entered}");
        let cookie = header(&entered, "Set-Cookie").unwrap();
        let (cookie, attributes) = cookie.split_once("; ").unwrap();
        let path = header(&entered, "Location").unwrap();
        assert_eq!(attributes, format!("HttpOnly; SameSite=Strict; Path={path}"));
        assert!(!path.contains(url.path().trim_start_matches('/')));
        Self { authority, path, cookie: cookie.to_owned() }
    }

    pub fn get(&self) -> String {
        let Self { authority, path, cookie } = self;
        send(authority, &format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\n\r\n"))
    }

    /// Sends a form of the page `shown`.
    pub fn post(&self, shown: &str, fields: &[(&str, &str)]) -> String {
        let key = shown.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let all = [("key", key)].iter().chain(fields).copied().collect::<Vec<_>>();
        self.post_as(&form(&all), &[])
    }

    /// Sends a form with some headers changed; an empty one is left out.
    fn post_as(&self, body: &str, changed: &[(&str, &str)]) -> String {
        let Self { authority, path, cookie } = self;
        let origin = format!("http://{authority}");
        let length = body.len().to_string();
        let mut headers = vec![
            ("Host", authority.as_str()),
            ("Cookie", cookie),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", &length),
        ];
        for (name, value) in changed {
            headers.retain(|(known, _)| known != name);
            headers.extend((!value.is_empty()).then_some((*name, *value)));
        }
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        send(authority, &format!("POST {path} HTTP/1.1\r\n{headers}\r\n{body}"))
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The whole answer; empty where there is none.
fn send(authority: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn header(answer: &str, name: &str) -> Option<String> {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.map(str::to_owned)
}

async fn create(home: &Home) -> (Client, String) {
    let mut client = open(home).await;
    client.command("vaultls.create", json!({ "name": "key" })).await;
    let address = page(&mut client).await;
    (client, address)
}

fn key(shown: &str) -> &str {
    shown.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_opens_the_page_once() {
    let home = Home::new();
    let (client, address) = create(&home).await;
    let visitor = Visitor::enter(&address);
    let url = Url::parse(&address).unwrap();
    let again = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", url.path(), visitor.authority);
    let refused = send(&visitor.authority, &again);
    assert!(refused.starts_with("HTTP/1.1 410 Gone") && refused.contains("If that was not you"), "{refused}");
    assert_eq!(header(&refused, "Set-Cookie"), None);
    // Whoever has it from a log cannot look on without the cookie.
    let bare = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", visitor.path, visitor.authority);
    assert!(send(&visitor.authority, &bare).starts_with("HTTP/1.1 403"));
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_somebody_else_changes_nothing() {
    let home = Home::new();
    let (client, address) = create(&home).await;
    let visitor = Visitor::enter(&address);
    let shown = visitor.get();
    let port = visitor.authority.split(':').nth(1).unwrap();
    let body = form(&[("key", key(&shown)), ("do", "answer"), ("value", CANARY)]);
    for (name, value, status) in [
        ("Host", "localhost", "403"),
        ("Host", "vault.evil.io", "403"),
        ("Host", "", "403"),
        ("Cookie", "", "403"),
        ("Cookie", "vaultls=guessed", "403"),
        ("Origin", "https://evil.io", "403"),
        ("Origin", "null", "403"),
        ("Origin", "", "403"),
        ("Origin", &format!("http://localhost:{port}"), "403"),
        ("Content-Type", "text/plain", "415"),
        ("Transfer-Encoding", "chunked", "400"),
    ] {
        let refused = visitor.post_as(&body, &[(name, value)]);
        assert!(refused.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {value}: {refused}");
    }
    let forged = form(&[("key", "guessed"), ("do", "answer"), ("value", CANARY)]);
    assert!(visitor.post_as(&forged, &[]).starts_with("HTTP/1.1 409"));
    assert!(!home.directories().data.join("vault").exists());
    // The question stands, and the person answers it. A form counts once.
    assert!(visitor.post_as(&body, &[("Origin", ""), ("Sec-Fetch-Site", "same-origin")]).starts_with("HTTP/1.1 303"));
    assert!(visitor.post_as(&body, &[]).starts_with("HTTP/1.1 409"));
    let done = visitor.get();
    assert!(done.contains("You can close this page") && !done.contains(CANARY), "{done}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_and_the_question_stands() {
    let home = Home::new();
    let (client, address) = create(&home).await;
    let visitor = Visitor::enter(&address);
    let shown = visitor.get();
    let long = form(&[("key", key(&shown)), ("value", &"x".repeat(2 << 20))]);
    assert!(visitor.post_as(&long, &[]).starts_with("HTTP/1.1 413"));
    let head = format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", visitor.authority, "x".repeat(1 << 17));
    assert!(send(&visitor.authority, &head).starts_with("HTTP/1.1 413"));
    // Connections that say nothing do not keep the person out.
    let silent: Vec<_> = (0..7).map(|_| TcpStream::connect(&visitor.authority).unwrap()).collect();
    assert!(visitor.get().starts_with("HTTP/1.1 200"));
    drop(silent);
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_the_browser_to_keep_nothing() {
    let home = Home::new();
    let (client, address) = create(&home).await;
    let visitor = Visitor::enter(&address);
    let refused =
        send(&visitor.authority, &format!("GET /favicon.ico HTTP/1.1\r\nHost: {}\r\n\r\n", visitor.authority));
    for answer in [visitor.get(), refused] {
        for (name, value) in [
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ] {
            assert_eq!(header(&answer, name).as_deref(), Some(value));
        }
        let policy = header(&answer, "Content-Security-Policy").unwrap();
        for rule in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "style-src 'sha256-"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    }
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ninth_page_closes_the_first() {
    let home = Home::new();
    let mut client = open(&home).await;
    let mut addresses = Vec::new();
    for _ in 0..9 {
        client.command("vaultls.create", json!({ "name": "key" })).await;
        addresses.push(page(&mut client).await);
    }
    let port = |address: &str| Url::parse(address).unwrap().port().unwrap();
    // The socket closes when its task is next scheduled.
    while TcpStream::connect(("127.0.0.1", port(&addresses[0]))).is_ok() {
        tokio::task::yield_now().await;
    }
    Visitor::enter(&addresses[8]);
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_page_closes_the_socket() {
    let home = Home::new();
    let (client, address) = create(&home).await;
    let visitor = Visitor::enter(&address);
    let shown = visitor.get();
    visitor.post(&shown, &[("do", "leave")]);
    assert!(visitor.get().contains("You can close this page"));
    while TcpStream::connect(&visitor.authority).is_ok() {
        tokio::task::yield_now().await;
    }
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workspace_writes_forges_no_words() {
    let home = Home::new();
    store(&home, "key").await;
    let echo = Echo::start();
    let mut client = open(&home).await;
    let uri = home.uri("a.http");
    let text = format!("GET http://{}/</code><b>safe</b>\u{202e}\nX: <<vault:key>>\n", echo.address);
    client.open_document(&uri, "http", &text).await;
    client.command("vaultls.run", json!({ "uri": uri })).await;
    let question = client.expect("window/showMessageRequest").await;
    client.reply(&question, json!(null)).await;
    let visitor = Visitor::enter(&page(&mut client).await);
    let shown = visitor.get();
    assert!(!shown.contains("<b>") && !shown.contains('\u{202e}'), "{shown}");
    assert!(shown.contains("&lt;/code&gt;&lt;b&gt;safe&lt;/b&gt;\\u{202e}"), "{shown}");
    visitor.post(&shown, &[("do", "leave")]);
    assert!(visitor.get().contains("nothing was changed"));
    assert_eq!(echo.seen(), Vec::<String>::new());
    client.finish().await;
}
