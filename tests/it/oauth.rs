//! Signing in by OAuth 2.0 over real sockets: who the loopback listener speaks to, and what is believed of a hostile
//! server or a hostile web page.
#![expect(clippy::disallowed_methods, reason = "the tests look at what came back")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;
use vaultls::{
    status::{Problem, Reason},
    vault::{
        oauth::{App, DeviceFlow, Flow, Loopback, LoopbackHost, Server, Tokens, Wire, refresh},
        person::{Answers, Field, Page, Person},
        value::SecretValue,
    },
};

use crate::support::{
    browser::{Pages, Visitor as Clicker, browser},
    oidc::{CLIENT, Oidc, TENANT, judges},
    openbao::OpenBao,
    ports,
    target::{Answer, Received, Target},
};

const CODE: &str = "canary-code-40d1";
const ACCESS: &str = "canary-access-9b02";
const REFRESH: &str = "canary-refresh-77ae";

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// An authorization server that answers as a test says, once it told where it is.
async fn authority(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Target {
    let script: Script = Arc::new(script);
    Target::start(move |request| {
        if request.target == "/.well-known/openid-configuration" {
            json_answer(&discovery(request))
        } else {
            script(request)
        }
    })
    .await
}

fn discovery(request: &Received) -> Value {
    let issuer = format!("http://{}", request.header("host").unwrap());
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/ui/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "device_authorization_endpoint": format!("{issuer}/device"),
    })
}

fn json_answer(body: &Value) -> Answer {
    Answer::with("200 OK", &[("content-type", "application/json")], body.to_string())
}

fn refusal(code: &str) -> Answer {
    let body = json!({"error": code, "error_description": "<script>said by the server</script>"});
    Answer::with("400 Bad Request", &[("content-type", "application/json")], body.to_string())
}

fn wire(target: &Target) -> Wire {
    Wire::to(&Url::parse(&target.url("")).unwrap(), None).unwrap()
}

fn app(scopes: &[&str]) -> App {
    App { client_id: "us".into(), scopes: scopes.iter().map(ToString::to_string).collect() }
}

fn anywhere() -> Loopback {
    Loopback { host: LoopbackHost::Address, ports: Vec::new() }
}

async fn begin(target: &Target, scopes: &[&str]) -> Flow {
    let server = Server::discover(&target.url(""), &wire(target)).await.unwrap();
    Flow::begin(server, app(scopes), &anywhere(), wire(target)).await.unwrap()
}

/// A flow at a server that nothing is asked of.
async fn waiting() -> (Target, Flow) {
    let target = authority(|_| Answer::Silence).await;
    let flow = begin(&target, &["openid"]).await;
    (target, flow)
}

/// The fields of the page's query.
fn asked(flow: &Flow) -> HashMap<String, String> {
    flow.page().query_pairs().into_owned().collect()
}

/// The address with which the browser comes back.
fn back(flow: &Flow, query: &str) -> String {
    let asked = asked(flow);
    format!("{}?{}", asked["redirect_uri"], query.replace("STATE", &asked["state"]))
}

/// A GET as a browser sends it.
async fn get(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    raw(&url, &format!("GET {}?{} HTTP/1.1\r\nHost: {host}\r\n\r\n", url.path(), url.query().unwrap_or_default())).await
}

async fn raw(url: &Url, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn redirect(flow: &Flow) -> Url {
    Url::parse(&asked(flow)["redirect_uri"]).unwrap()
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn text(value: &SecretValue) -> String {
    value.expose_text(str::to_owned).unwrap()
}

fn id_token(claims: &Value) -> String {
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Has the browser come back with a code, and exchanges it.
async fn signed_in(flow: Flow) -> Result<Tokens, Problem> {
    let address = back(&flow, &format!("code={CODE}&state=STATE"));
    let (code, page) = tokio::join!(flow.wait(), get(&address));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    flow.exchange(code?).await
}

#[tokio::test]
async fn the_code_is_exchanged_with_its_proof() {
    let nonce = Arc::new(Mutex::new(String::new()));
    let told = nonce.clone();
    let target = authority(move |request| {
        let issuer = format!("http://{}", request.header("host").unwrap());
        let claims = json!({
            "iss": issuer, "aud": "us", "exp": 4_102_444_800_u64, "nonce": *told.lock().unwrap(),
            "preferred_username": "alice@example.com",
        });
        json_answer(&json!({
            "access_token": ACCESS, "token_type": "Bearer", "expires_in": 3600, "refresh_token": REFRESH,
            "id_token": id_token(&claims),
        }))
    })
    .await;
    let flow = begin(&target, &["openid", "vault"]).await;
    let asked = asked(&flow);
    *nonce.lock().unwrap() = asked["nonce"].clone();
    assert_eq!((asked["response_type"].as_str(), asked["scope"].as_str()), ("code", "openid vault"));
    assert_eq!((asked["client_id"].as_str(), asked["code_challenge_method"].as_str()), ("us", "S256"));
    assert!(asked["state"].len() >= 22 && asked["nonce"].len() >= 22 && asked["state"] != asked["nonce"]);
    let tokens = signed_in(flow).await.unwrap();
    assert_eq!((text(&tokens.access), text(tokens.refresh.as_ref().unwrap())), (ACCESS.into(), REFRESH.into()));
    assert_eq!(tokens.claims.unwrap().username.as_deref(), Some("alice@example.com"));
    assert_eq!(tokens.expires_in.map(|it| it.as_secs()), Some(3600));
    let received = target.received();
    let request = received.last().unwrap();
    let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    assert_eq!((request.method.as_str(), form["grant_type"].as_str()), ("POST", "authorization_code"));
    assert_eq!((form["code"].as_str(), &form["redirect_uri"]), (CODE, &asked["redirect_uri"]));
    let verifier = &form["code_verifier"];
    assert!((43..=128).contains(&verifier.len()));
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), asked["code_challenge"]);
    assert!(request.header("authorization").is_none() && !form.contains_key("client_secret"));
}

/// Hostile case 54.
#[tokio::test]
async fn a_redirect_with_another_state_is_refused_and_the_listener_stays() {
    let (_target, flow) = waiting().await;
    let strangers = async {
        for query in ["", "code=x", "code=x&state=", "code=x&state=other", "code=x&state=STATE&state=STATE", "error=x"]
        {
            let answer = get(&back(&flow, query)).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{query}: {answer}");
        }
        get(&back(&flow, "code=x&state=STATE")).await
    };
    let (code, answer) = tokio::join!(flow.wait(), strangers);
    assert!(code.is_ok() && answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Hostile case 54, its end.
#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_longer_than_five_minutes() {
    tokio::time::resume();
    let (_target, flow) = waiting().await;
    let redirect = redirect(&flow);
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let problem = flow.wait().await.err().unwrap();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "nobody signed in within 5 minutes; try again"));
    assert!(started.elapsed().as_secs() <= 300);
    drop(flow);
    // A program that another test starts at this moment has the socket as well, until it begins.
    while TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).await.is_ok() {}
}

/// Hostile case 55.
#[tokio::test]
async fn an_error_is_told_without_markup_on_a_static_page() {
    let (target, flow) = waiting().await;
    let query = "state=STATE&error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E%0d%0aX: y";
    let address = back(&flow, query);
    let (code, answer) = tokio::join!(flow.wait(), get(&address));
    let detail = format!(
        "`{}`: the sign-in was cancelled or denied (access_denied: \\u{{3c}}script\\u{{3e}}alert(1)\\u{{3c}}/script\\u{{3e}}\\u{{d}}\\u{{a}}X: y)",
        target.url("")
    );
    assert_eq!(code.err().unwrap(), Problem::new(Reason::LoginNeeded, detail));
    assert!(!answer.contains("script") && !answer.contains("denied") && !answer.contains("X: y"), "{answer}");
    for header in [
        "Cache-Control: no-store\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Content-Security-Policy: default-src 'none'",
        "X-Content-Type-Options: nosniff\r\n",
    ] {
        assert!(answer.contains(header), "{answer}");
    }
}

/// Hostile case 56.
#[tokio::test]
async fn another_issuer_aborts_the_sign_in() {
    let (_target, flow) = waiting().await;
    let address = back(&flow, "code=x&state=STATE&iss=https://evil.io");
    let (code, _) = tokio::join!(flow.wait(), get(&address));
    assert!(code.err().unwrap().detail.contains("came back from another server"));
}

/// Hostile case 57.
#[tokio::test]
async fn taken_ports_are_named_and_never_shared() {
    let port = ports::reserve(2);
    let ports = vec![port, port + 1];
    let listen = async |port| TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let (first, second) = (listen(ports[0]).await, listen(ports[1]).await);
    let target = authority(|_| Answer::Silence).await;
    let server = Server::discover(&target.url(""), &wire(&target)).await.unwrap();
    let begin = |host| {
        let back = Loopback { host, ports: ports.clone() };
        let (server, wire) = (server.clone(), wire(&target));
        async move { Flow::begin(server, app(&[]), &back, wire).await }
    };
    let problem = begin(LoopbackHost::Address).await.err().unwrap();
    let listed = format!("127.0.0.1:{} and 127.0.0.1:{}", ports[0], ports[1]);
    assert!(problem.reason == Reason::NotConfigured && problem.detail.contains(&listed), "{problem:?}");
    drop(second);
    // A program that another test starts at this moment has the closed socket as well, until it begins.
    let begun = async |host| loop {
        if let Ok(flow) = begin(host).await {
            break flow;
        }
    };
    assert_eq!(redirect(&begun(LoopbackHost::Address).await).port(), Some(ports[1]));
    // Browsers look for `localhost` on IPv6 first: a port that somebody else has there is taken.
    if let Ok(other) = TcpListener::bind(("::1", ports[1])).await {
        assert!(begin(LoopbackHost::Name).await.is_err());
        drop(other);
    }
    let by_name = begun(LoopbackHost::Name).await;
    assert_eq!(asked(&by_name)["redirect_uri"], format!("http://localhost:{}", ports[1]));
    drop(first);
}

/// Hostile case 58.
#[tokio::test]
async fn a_web_page_that_reaches_the_listener_by_another_name_is_refused() {
    let (_target, flow) = waiting().await;
    let url = redirect(&flow);
    let port = url.port().unwrap();
    let state = asked(&flow)["state"].clone();
    let target = format!("/?code=x&state={state}");
    let strangers = async {
        for (request, status) in [
            (format!("GET {target} HTTP/1.1\r\nHost: evil.io:{port}\r\n\r\n"), "400"),
            (format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), "400"),
            (format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "400"),
            (format!("GET {target} HTTP/1.1\r\n\r\n"), "400"),
            (format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nhost: 127.0.0.1:{port}\r\n\r\n"), "400"),
            (format!("GET http://evil.io{target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), "404"),
            (format!("POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), "405"),
            (format!("OPTIONS {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), "405"),
            (format!("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), "404"),
            (format!("GET {target} HTTP/2.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"), "400"),
            ("\u{16}\u{3}\u{1}\r\n\r\n".into(), "400"),
            (format!("GET /?{} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "x".repeat(20_000)), "431"),
        ] {
            let answer = raw(&url, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
            assert!(!answer.contains(&state));
        }
    };
    tokio::select! {
        _ = flow.wait() => panic!("a stranger ended the flow"),
        () = strangers => {}
    }
}

#[tokio::test]
async fn silent_connections_do_not_crowd_out_the_browser() {
    let (_target, flow) = waiting().await;
    let url = redirect(&flow);
    let crowd = async {
        let mut silent = Vec::new();
        for _ in 0..7 {
            silent.push(TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap());
        }
        let answer = get(&back(&flow, "code=x&state=STATE")).await;
        drop(silent);
        answer
    };
    let (code, answer) = tokio::join!(flow.wait(), crowd);
    assert!(code.is_ok() && answer.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_pasted_address_signs_in_like_the_redirect() {
    let target = authority(|_| json_answer(&json!({"access_token": ACCESS, "token_type": "bearer"}))).await;
    let flow = begin(&target, &["vault"]).await;
    for pasted in ["x", "http://127.0.0.1:1/?code=x", &back(&flow, "code=x&state=other")] {
        let problem = flow.pasted(&secret(pasted)).err().unwrap();
        assert!(problem.detail.starts_with("what was pasted is not where this sign-in ends"), "{problem:?}");
    }
    assert!(flow.pasted(&secret(&back(&flow, "state=STATE&error=access_denied"))).is_err());
    let person = Visitor { paste: Some(format!("code={CODE}&state=STATE")), visited: Mutex::default() };
    let tokens = flow.sign_in(&person, "sign in".into()).await.unwrap();
    assert_eq!(text(&tokens.access), ACCESS);
    assert!(tokens.claims.is_none() && tokens.expires_in.is_none());
}

/// Somebody who visits a page, and pastes where that leads if they are to.
struct Visitor {
    /// A query, in which `STATE` is filled in.
    paste: Option<String>,
    visited: Mutex<Vec<Page>>,
}

impl Person for Visitor {
    fn ask<'a>(&'a self, _: &'a str, _: Vec<Field>) -> futures_util::future::BoxFuture<'a, Result<Answers, Problem>> {
        unreachable!("nothing is asked in a browser")
    }

    fn visit<'a>(&'a self, page: &'a Page) -> futures_util::future::BoxFuture<'a, Result<SecretValue, Problem>> {
        self.visited.lock().unwrap().push(page.clone());
        let asked: HashMap<String, String> = page.url.query_pairs().into_owned().collect();
        let Some(query) = &self.paste else { return Box::pin(std::future::pending()) };
        let address = format!("{}?{}", asked["redirect_uri"], query.replace("STATE", &asked["state"]));
        Box::pin(std::future::ready(Ok(secret(&address))))
    }
}

/// Hostile case 59: what the token endpoint may answer, and how that fails.
async fn check_answer(answer: fn(&Received) -> Answer, reason: Reason, words: &str) {
    let elsewhere = Target::start(|_| Answer::Silence).await;
    let target = authority(answer).await;
    let problem = signed_in(begin(&target, &["openid"]).await).await.err().unwrap();
    assert!(problem.reason == reason && problem.detail.contains(words), "{words}: {problem:?}");
    assert!(!problem.detail.contains("canary") && !problem.detail.contains('<'), "{problem:?}");
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_token_answer_that_is_too_large_is_refused() {
    let large = |_: &Received| {
        json_answer(&json!({"access_token": ACCESS, "token_type": "bearer", "x": "x".repeat(200 * 1024)}))
    };
    check_answer(large, Reason::NotConfigured, "more than 64 KiB").await;
    let endless = |_: &Received| Answer::Endless {
        head: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec(),
        piece: vec![b' '; 4096],
    };
    check_answer(endless, Reason::NotConfigured, "more than 64 KiB").await;
}

#[tokio::test]
async fn a_token_answer_of_another_type_is_refused() {
    check_answer(
        |_| Answer::with("200 OK", &[("content-type", "text/html")], format!("{{\"access_token\":\"{ACCESS}\"}}")),
        Reason::NotConfigured,
        "no JSON",
    )
    .await;
    check_answer(|_| Answer::ok(format!("{{\"access_token\":\"{ACCESS}\"}}")), Reason::NotConfigured, "no JSON").await;
    for body in [json!({"access_token": 1}), json!([ACCESS]), json!({"token_type": "bearer"}), json!("canary")] {
        let body = body.to_string();
        let target = authority(move |_| Answer::with("200 OK", &[("content-type", "application/json")], &body)).await;
        let problem = signed_in(begin(&target, &[]).await).await.err().unwrap();
        assert!(problem.detail.contains("another type"), "{problem:?}");
    }
    check_answer(
        |_| json_answer(&json!({"access_token": ACCESS, "token_type": "mac"})),
        Reason::NotConfigured,
        "no bearer token",
    )
    .await;
    check_answer(|_| json_answer(&json!({"access_token": "", "token_type": "bearer"})), Reason::NotConfigured, "empty")
        .await;
    check_answer(
        |_| json_answer(&json!({"access_token": ACCESS, "token_type": "bearer"})),
        Reason::NotConfigured,
        "asked for an id token",
    )
    .await;
    check_answer(
        |_| json_answer(&json!({"access_token": ACCESS, "token_type": "bearer", "id_token": "a.b.c"})),
        Reason::NotConfigured,
        "the id token cannot be read",
    )
    .await;
}

#[tokio::test]
async fn a_token_endpoint_that_leads_elsewhere_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let elsewhere = Target::start(|_| json_answer(&json!({"access_token": ACCESS, "token_type": "bearer"}))).await;
        let location = elsewhere.url("/token");
        let target = authority(move |_| Answer::redirect(status, &location)).await;
        let problem = signed_in(begin(&target, &[]).await).await.err().unwrap();
        assert!(problem.detail.contains("it leads elsewhere, which is not followed"), "{problem:?}");
        assert!(elsewhere.received().is_empty());
    }
}

#[tokio::test]
async fn refusals_of_the_token_endpoint_are_told_apart() {
    check_answer(|_| refusal("invalid_grant"), Reason::LoginNeeded, "not accepted any more").await;
    check_answer(|_| refusal("unauthorized_client"), Reason::NotConfigured, "it knows no such application").await;
    check_answer(|_| refusal("invalid_scope"), Reason::Forbidden, "may not ask for this").await;
    check_answer(|_| refusal("something_else"), Reason::LoginNeeded, "something_else").await;
    check_answer(|_| Answer::with("503 No", &[], "canary"), Reason::Unreachable, "failed (503)").await;
    check_answer(|_| Answer::with("429 No", &[], "canary"), Reason::Throttled, "limits the rate").await;
}

/// Hostile case 60.
#[tokio::test]
async fn a_discovery_document_that_leads_elsewhere_is_refused() {
    for (field, value) in [
        ("authorization_endpoint", "file:///etc/passwd"),
        ("authorization_endpoint", "http://x/$(calc)"),
        ("authorization_endpoint", "https://evil.io/authorize"),
        ("token_endpoint", "https://evil.io/token"),
        ("token_endpoint", "http://127.0.0.1:1/token"),
        ("issuer", "https://evil.io"),
    ] {
        let target = Target::start(move |request| {
            let mut document = discovery(request);
            document[field] = value.into();
            json_answer(&document)
        })
        .await;
        let problem = Server::discover(&target.url(""), &wire(&target)).await.err().unwrap();
        assert!(problem.reason == Reason::NotConfigured && problem.detail.contains("is refused"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_discovery_that_is_no_document_is_refused() {
    let elsewhere = authority(|_| Answer::Silence).await;
    let location = elsewhere.url("/.well-known/openid-configuration");
    type Make = Box<dyn Fn() -> Answer + Send + Sync>;
    let answers: [(Make, &str); 5] = [
        (Box::new(move || Answer::redirect(302, &location)), "leads elsewhere"),
        (Box::new(|| json_answer(&json!({"issuer": "x".repeat(100 * 1024)}))), "more than 64 KiB"),
        (Box::new(|| json_answer(&json!({"issuer": 1}))), "another type"),
        (Box::new(|| Answer::ok("{}")), "no JSON"),
        (Box::new(|| Answer::with("404 No", &[], "")), "404"),
    ];
    for (answer, words) in answers {
        let target = Target::start(move |_| answer()).await;
        let problem = Server::discover(&target.url(""), &wire(&target)).await.err().unwrap();
        assert!(problem.detail.contains(words), "{problem:?}");
    }
    assert!(elsewhere.received().is_empty());
    let target = authority(|_| Answer::Silence).await;
    for issuer in ["http://evil.io", "file:///x", "x", "https://user@a.io", "https://a.io/?x", "https://a.io/#x"] {
        let problem = Server::discover(issuer, &wire(&target)).await.err().unwrap();
        assert!(problem.detail.contains("the provider URL is https"), "{issuer}: {problem:?}");
    }
    assert!(target.received().is_empty());
}

/// Hostile case 61, as far as it is the flow's: each has its own state and its own port. That a second sign-in of one
/// integration joins the first is its caller's business.
#[tokio::test]
async fn two_sign_ins_share_nothing() {
    let target = authority(|_| Answer::Silence).await;
    let (one, other) = (begin(&target, &["openid"]).await, begin(&target, &["openid"]).await);
    let (a, b) = (asked(&one), asked(&other));
    for field in ["state", "nonce", "code_challenge", "redirect_uri"] {
        assert_ne!(a[field], b[field], "{field}");
    }
    let crossed = back(&one, &format!("code=x&state={}", b["state"]));
    tokio::select! {
        _ = one.wait() => panic!("the other's state ended this flow"),
        answer = get(&crossed) => assert!(answer.starts_with("HTTP/1.1 400 ")),
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged() {
    let target = authority(|request| {
        if request.body().contains(REFRESH) {
            json_answer(&json!({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 60}))
        } else {
            refusal("invalid_grant")
        }
    })
    .await;
    let server = Server::discover(&target.url(""), &wire(&target)).await.unwrap();
    let tokens = refresh(&server, &app(&["vault"]), &wire(&target), &secret(REFRESH)).await.unwrap();
    assert!(text(&tokens.access) == ACCESS && tokens.refresh.is_none());
    let problem = refresh(&server, &app(&["vault"]), &wire(&target), &secret("old")).await.err().unwrap();
    assert_eq!(problem.reason, Reason::LoginNeeded);
}

/// A server for the device flow; `polls` are its answers to one question after another.
async fn device(details: Value, polls: fn(usize) -> Answer) -> (Target, Result<DeviceFlow, Problem>) {
    let count = Mutex::new(0);
    let target = authority(move |request| {
        if request.target == "/device" {
            return json_answer(&details);
        }
        let mut count = count.lock().unwrap();
        *count += 1;
        polls(*count)
    })
    .await;
    let server = Server::discover(&target.url(""), &wire(&target)).await.unwrap();
    let flow = DeviceFlow::begin(server, app(&["vault"]), wire(&target)).await;
    (target, flow)
}

fn details() -> Value {
    json!({
        "device_code": "canary-device-1c", "user_code": "WDJB-MJHT", "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": 900, "interval": 0,
    })
}

#[tokio::test]
async fn a_code_that_is_entered_elsewhere_signs_in() {
    let (target, flow) = device(details(), |poll| match poll {
        1 => refusal("authorization_pending"),
        _ => json_answer(&json!({"access_token": ACCESS, "token_type": "Bearer"})),
    })
    .await;
    let flow = flow.unwrap();
    let person = Visitor { paste: None, visited: Mutex::default() };
    let tokens = flow.sign_in(&person, "enter the code".into()).await.unwrap();
    assert_eq!(text(&tokens.access), ACCESS);
    let visited = person.visited.lock().unwrap();
    assert_eq!(
        (visited[0].url.as_str(), visited[0].code.as_deref()),
        ("https://microsoft.com/devicelogin", Some("WDJB-MJHT"))
    );
    let polls = target.received().iter().filter(|request| request.target == "/token").count();
    assert_eq!(polls, 2);
}

#[tokio::test]
async fn a_code_that_is_refused_ends_the_wait() {
    for (answer, words) in [
        ((|_| refusal("access_denied")) as fn(usize) -> Answer, "denied"),
        (|_| refusal("expired_token"), "not entered in time"),
        (|_| Answer::redirect(302, "http://127.0.0.1:1/"), "leads elsewhere"),
        (|_| json_answer(&json!({"x": "x".repeat(200 * 1024)})), "more than 64 KiB"),
    ] {
        let problem = device(details(), answer).await.1.unwrap().wait().await.err().unwrap();
        assert!(problem.detail.contains(words), "{problem:?}");
    }
}

#[tokio::test]
async fn a_device_code_that_cannot_be_shown_is_refused() {
    for (field, value, words) in [
        ("user_code", json!("<b>"), "could enter"),
        ("user_code", json!(""), "could enter"),
        ("verification_uri", json!("http://evil.io/"), "not an https address"),
        ("verification_uri", json!("file:///etc"), "not an https address"),
        ("interval", json!(u64::MAX), "too rarely"),
    ] {
        let mut details = details();
        details[field] = value;
        let problem = device(details, |_| Answer::Silence).await.1.err().unwrap();
        assert!(problem.detail.contains(words), "{field}: {problem:?}");
    }
}

/// A flow at a real server.
async fn begin_at(oidc: &Oidc) -> Flow {
    let wire = Wire::to(&Url::parse(&oidc.issuer).unwrap(), Some(&oidc.ca_file())).unwrap();
    let server = Server::discover(&oidc.issuer, &wire).await.unwrap();
    assert!(server.names_itself);
    let scopes = ["openid", "profile", "offline_access", "https://vault.azure.net/user_impersonation"];
    let app = App { client_id: CLIENT.into(), ..app(&scopes) };
    Flow::begin(server, app, &anywhere(), wire).await.unwrap()
}

fn check_tokens(oidc: &Oidc, tokens: &Tokens) {
    assert!(judges(&oidc.control(), &text(&tokens.access)));
    assert!(tokens.refresh.is_some() && tokens.expires_in.is_some());
    let claims = tokens.claims.as_ref().unwrap();
    assert_eq!((claims.username.as_deref(), claims.tenant.as_deref()), (Some("alice@example.com"), Some(TENANT)));
}

#[tokio::test]
async fn a_real_server_signs_in_by_its_forms() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let flow = begin_at(&oidc).await;
    let mut person = oidc.person();
    let (code, page) =
        tokio::join!(flow.wait(), async { get(person.sign_in(flow.page(), "alice@example.com").await.as_str()).await });
    assert!(page.starts_with("HTTP/1.1 200 "));
    check_tokens(&oidc, &flow.exchange(code.unwrap()).await.unwrap());
}

#[tokio::test]
async fn a_real_server_tells_that_one_cancelled() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let flow = begin_at(&oidc).await;
    let mut person = oidc.person();
    let (code, _) = tokio::join!(flow.wait(), async { get(person.cancel(flow.page()).await.as_str()).await });
    let problem = code.err().unwrap();
    let words = "the sign-in was cancelled or denied (access_denied: End-User aborted interaction)";
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, format!("`{}`: {words}", oidc.issuer)));
}

#[tokio::test]
async fn a_real_server_hands_out_a_token_for_a_code_once() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let (flow, other) = (begin_at(&oidc).await, begin_at(&oidc).await);
    let address = oidc.person().sign_in(flow.page(), "alice@example.com").await;
    // The code of one flow is of no use to another, which has another proof.
    let code =
        address.query_pairs().find(|(name, _)| name == "code").unwrap_or_else(|| panic!("{address}")).1.into_owned();
    let crossed = back(&other, &format!("code={code}&state=STATE&iss={}", oidc.issuer));
    let crossed = other.pasted(&secret(&crossed)).ok().unwrap();
    let problem = other.exchange(crossed).await.err().unwrap();
    assert!(problem.reason == Reason::LoginNeeded && problem.detail.contains("invalid_grant"), "{problem:?}");
}

#[tokio::test]
async fn a_real_server_signs_in_in_a_real_browser() {
    let (Some(browser), Some(oidc)) = (browser(), Oidc::start(3600)) else { return };
    for denies in [false, true] {
        let flow = begin_at(&oidc).await;
        let alice = Clicker { user: "alice@example.com", password: "x", denies };
        let page = flow.page().to_string();
        let (code, ended) = tokio::join!(flow.wait(), browser.sign_in(Pages::Oidc, &page, alice, None));
        match code {
            Ok(code) => {
                assert!(!denies && ended.text.contains("You can close this page"), "{}", ended.text);
                check_tokens(&oidc, &flow.exchange(code).await.unwrap());
            }
            Err(problem) => {
                assert!(denies && problem.detail.contains("cancelled or denied"), "{problem:?}");
                assert!(ended.text.contains("Nobody was signed in") && !ended.text.contains("aborted"));
            }
        }
    }
}

#[tokio::test]
async fn openbao_signs_in_in_a_real_browser() {
    let Some(browser) = browser() else { return };
    let Some(bao) = tokio::task::spawn_blocking(OpenBao::start).await.unwrap() else { return };
    bao.ask("POST", "sys/auth/userpass", &json!({"type": "userpass"}));
    bao.ask("POST", "auth/userpass/users/alice", &json!({"password": "wonderland"}));
    let client =
        json!({"redirect_uris": ["http://127.0.0.1:10545/"], "assignments": ["allow_all"], "client_type": "public"});
    bao.ask("POST", "identity/oidc/client/us", &client);
    let client =
        bao.ask("GET", "identity/oidc/client/us", &Value::Null)["data"]["client_id"].as_str().unwrap().to_owned();
    bao.ask("POST", "identity/oidc/provider/main", &json!({"allowed_client_ids": [client], "issuer": bao.address}));
    let issuer = format!("{}/v1/identity/oidc/provider/main", bao.address);
    let wire = Wire::to(&Url::parse(&issuer).unwrap(), None).unwrap();
    let server = Server::discover(&issuer, &wire).await.unwrap();
    let app = App { client_id: client, ..app(&["openid"]) };
    let flow = Flow::begin(server, app, &anywhere(), wire).await.unwrap();
    let alice = Clicker { user: "alice", password: "wonderland", denies: false };
    let page = flow.page().to_string();
    let (code, _) = tokio::join!(flow.wait(), browser.sign_in(Pages::Bao, &page, alice, None));
    let tokens = flow.exchange(code.unwrap()).await.unwrap();
    assert!(tokens.id.is_some() && tokens.claims.is_some());
}

#[tokio::test]
async fn a_real_server_takes_the_code_of_a_device() {
    let Some(oidc) = Oidc::start(3600) else { return };
    let wire = Wire::to(&Url::parse(&oidc.issuer).unwrap(), Some(&oidc.ca_file())).unwrap();
    let server = Server::discover(&oidc.issuer, &wire).await.unwrap();
    let scopes = ["openid", "profile", "offline_access", "https://vault.azure.net/user_impersonation"];
    let app = App { client_id: CLIENT.into(), ..app(&scopes) };
    let flow = DeviceFlow::begin(server, app, wire).await.unwrap();
    let text = oidc.person().enter_code(flow.page(), flow.code(), "alice@example.com").await;
    assert!(text.contains("Success"), "{text}");
    check_tokens(&oidc, &flow.wait().await.unwrap());
}
