//! The whole exchange, from the text of a request to the redacted response, against loopback servers.
//!
//! Every value is a canary. What may be read (responses, messages) is searched for it; what was sent is read from the
//! server's side of the wire.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose};
use vaultls::{
    approval::Approvals,
    domain::DomainList,
    http::{
        fill::{self, Values},
        prepare::{self, Prepared},
        redact::Redactor,
        send::{Limits, Response, SendError, Sender},
    },
    name::SecretName,
    policy::Policy,
    status::Reason,
    syntax::{
        self, Kind,
        expand::{Environment, Scope},
    },
    vault::value::SecretValue,
};

use crate::support::{
    stand_in,
    target::{Answer, Identity, Received, Target, head},
};

const CANARY: &str = "canary-7f3a9c+e/B=";

/// One request, and all that decides how it goes.
struct Case {
    kind: Kind,
    text: String,
    values: Vec<(&'static str, Vec<u8>)>,
    /// The domain list of every secret.
    allowed: Vec<String>,
    limits: Limits,
    roots: Vec<u8>,
}

/// How far a request came.
#[derive(Debug)]
enum Outcome {
    /// A value does not fit its place: the secret and the message.
    Unfit(Option<SecretName>, String),
    Refused(Reason, String),
    Failed(String),
    Sent(Box<Response>),
}

impl Case {
    fn new(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Http,
            text: text.into(),
            values: vec![("key", CANARY.into())],
            allowed: vec!["*".into(), "http://*".into()],
            limits: Limits::default(),
            roots: Vec::new(),
        }
    }

    fn value(mut self, value: impl AsRef<[u8]>) -> Self {
        self.values = vec![("key", value.as_ref().to_vec())];
        self
    }

    fn allowed(mut self, entries: &[String]) -> Self {
        self.allowed = entries.to_vec();
        self
    }

    fn prepared(&self) -> Prepared {
        let document = syntax::parse(self.kind, &self.text);
        let environment = Environment::default();
        let overrides = BTreeMap::new();
        let scope = Scope::new(&document, &self.text, &environment, &overrides, &|_| None);
        let prepared = prepare::prepare(&document, &document.requests[0], &scope, None);
        assert_eq!(prepared.faults, [], "{}", self.text);
        prepared
    }

    async fn run(self) -> Outcome {
        let prepared = self.prepared();
        let named = |(name, value): &(&str, Vec<u8>)| {
            (SecretName::parse(name).expect("a name"), Arc::new(SecretValue::new(value.clone())))
        };
        let values: Values = self.values.iter().map(named).collect();
        let ready = match fill::fill(&prepared, &values) {
            Ok(ready) => ready,
            Err((secret, problem)) => return Outcome::Unfit(secret, problem.detail),
        };
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        let (domains, complaints) = DomainList::parse(&self.allowed);
        assert!(complaints.is_empty());
        let guard = |url: &url::Url| values.keys().try_for_each(|name| policy.check(name, &domains, url));
        let redactor = Redactor::new(values.iter().map(|(name, value)| (name, &**value)));
        let sender = Sender::with_roots(self.roots);
        let shown_by = redactor.clone();
        let outcome = match sender.send(ready, &guard, &redactor, &self.limits, Box::new(move |_| shown_by)).await {
            Ok(response) => Outcome::Sent(Box::new(response)),
            Err(SendError::Refused(problem)) => Outcome::Refused(problem.reason, problem.detail),
            Err(SendError::Failed(message)) => Outcome::Failed(message),
        };
        let told = format!("{outcome:?}");
        for (_, value) in self.values.iter().filter(|(_, value)| value.len() >= 8) {
            assert!(!told.contains(&String::from_utf8_lossy(value)[..]), "a value was told: {told}");
        }
        outcome
    }

    async fn response(self) -> Response {
        match self.run().await {
            Outcome::Sent(response) => *response,
            other => panic!("{other:?}"),
        }
    }

    /// The message of an exchange that failed.
    async fn failure(self) -> String {
        match self.run().await {
            Outcome::Failed(message) => message,
            other => panic!("{other:?}"),
        }
    }

    /// The message about a value that does not fit.
    async fn misfit(self) -> String {
        match self.run().await {
            Outcome::Unfit(secret, message) => {
                assert_eq!(secret.as_ref().map(SecretName::as_str), Some("key"), "{message}");
                message
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What a server receives when `text`, with `§` for its address, is sent with `value`.
async fn sent(text: &str, value: impl AsRef<[u8]>) -> Received {
    let target = Target::start(|_| Answer::ok("")).await;
    let text = text.replace('§', &target.url(""));
    Case::new(text).value(value).response().await;
    target.received().remove(0)
}

// Redirects and transport.

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_allowed_stops() {
    for status in [301, 302, 303, 307, 308] {
        let other = Target::start(|_| Answer::ok("never")).await;
        let location = other.url("/");
        let target = Target::start(move |_| Answer::redirect(status, &location)).await;
        let case = Case::new(format!("GET {}\nAuthorization: Bearer <<vault:key>>", target.url("/")));
        let outcome = case.allowed(&[target.entry()]).run().await;
        assert!(matches!(outcome, Outcome::Refused(Reason::DomainDenied, _)), "{status}: {outcome:?}");
        assert_eq!(other.received().len(), 0);
    }
}

#[tokio::test]
async fn an_allowed_host_gets_no_headers_that_were_meant_for_another() {
    let other = Target::start(|_| Answer::ok("hello")).await;
    let location = other.url("/landed");
    let target = Target::start(move |_| Answer::redirect(307, &location)).await;
    let text = format!(
        "GET {}\nAuthorization: Basic dXNlcjpwYXNz\nX-Api-Key: <<vault:key>>\nX-Literal: 1\nCookie: a=b\n\
         Accept: text/<<vault:key>>\nAccept-Language: de",
        target.url("/")
    );
    let response = Case::new(text).response().await;
    assert_eq!((response.status, response.body.as_str()), (200, "hello"));
    assert_eq!(response.redirects, [(307, other.url("/landed"))]);
    assert_eq!(target.received()[0].header("x-api-key"), Some(CANARY));
    let landed = &other.received()[0];
    for name in ["authorization", "x-api-key", "x-literal", "cookie", "accept", "referer"] {
        assert!(landed.header(name).is_none_or(|value| value == "*/*"), "{name}");
    }
    assert_eq!(landed.header("accept-language"), Some("de"));
}

#[tokio::test]
async fn dropped_headers_never_come_back() {
    let addresses = Arc::new(std::sync::OnceLock::<(String, String)>::new());
    let known = Arc::clone(&addresses);
    let first = Target::start(move |request| match request.target.as_str() {
        "/" => Answer::redirect(302, &known.get().unwrap().1),
        _ => Answer::ok("back"),
    })
    .await;
    let known = Arc::clone(&addresses);
    let second = Target::start(move |_| Answer::redirect(302, &known.get().unwrap().0)).await;
    addresses.set((first.url("/back"), second.url("/"))).unwrap();
    let response = Case::new(format!("GET {}\nAuthorization: Bearer <<vault:key>>", first.url("/"))).response().await;
    assert_eq!(response.body, "back");
    let received = first.received();
    assert!(received[0].header("authorization").is_some());
    assert_eq!(received[1].header("authorization"), None);
}

#[tokio::test]
async fn headers_stay_on_the_same_origin_and_no_referer_is_sent() {
    let target = Target::start(|request| match request.target.starts_with("/?") {
        true => Answer::redirect(302, "/next"),
        false => Answer::ok(""),
    })
    .await;
    let text = format!("GET {}?k=<<vault:key>>\nX-Api-Key: <<vault:key>>", target.url("/"));
    let response = Case::new(text).response().await;
    assert_eq!(response.url, target.url("/next"));
    let next = &target.received()[1];
    assert_eq!((next.header("x-api-key"), next.header("referer")), (Some(CANARY), None));
}

#[tokio::test]
async fn another_port_is_another_origin() {
    let other = Target::start(|_| Answer::ok("")).await;
    let location = other.url("/");
    let target = Target::start(move |_| Answer::redirect(302, &location)).await;
    assert_eq!(target.address.ip(), other.address.ip());
    let case = Case::new(format!("GET {}\nX-Api-Key: <<vault:key>>", target.url("/")));
    let outcome = case.allowed(&[target.entry()]).run().await;
    assert!(matches!(outcome, Outcome::Refused(Reason::DomainDenied, _)), "{outcome:?}");
}

#[tokio::test]
async fn a_body_with_a_secret_is_not_repeated_elsewhere() {
    for status in [307, 308] {
        let other = Target::start(|_| Answer::ok("")).await;
        let location = other.url("/");
        let target = Target::start(move |_| Answer::redirect(status, &location)).await;
        let case = Case::new(format!("POST {}\n\ntoken <<vault:key>>", target.url("/")));
        assert!(case.failure().await.contains("body, which holds a secret"));
        assert_eq!(other.received().len(), 0);
    }
}

#[tokio::test]
async fn a_post_becomes_a_get_without_its_body_where_the_standard_says_so() {
    for (status, method, body) in
        [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "x"), (308, "POST", "x")]
    {
        let target = Target::start(move |request| match request.target.as_str() {
            "/" => Answer::redirect(status, "/next"),
            _ => Answer::ok(""),
        })
        .await;
        Case::new(format!("POST {}\nContent-Type: text/plain\n\nx", target.url("/"))).response().await;
        let next = &target.received()[1];
        assert_eq!((next.method.as_str(), next.body()), (method, body), "{status}");
        assert_eq!(next.header("content-type").is_some(), method == "POST", "{status}");
    }
}

#[tokio::test]
async fn redirects_that_lead_nowhere_stop_with_a_reason() {
    for (location, reason) in [
        ("file:///etc/passwd", "`file:`"),
        ("ftp://127.0.0.1/", "`ftp:`"),
        ("data:text/plain,x", "`data:`"),
        ("javascript:alert(1)", "`javascript:`"),
        ("http://", "not a URL"),
        ("http://a..b../", "without a valid host"),
        ("/", "lead back"),
        ("", "lead back"),
    ] {
        let target = Target::start(move |_| Answer::redirect(302, location)).await;
        let message = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/"))).failure().await;
        assert!(message.contains(reason), "{location}: {message}");
        assert_eq!(target.received().len(), 1);
    }
}

#[tokio::test]
async fn the_eleventh_redirect_is_not_followed() {
    let target = Target::start(|request| Answer::redirect(302, &format!("{}1", request.target))).await;
    let message = Case::new(format!("GET {}", target.url("/"))).failure().await;
    assert_eq!(message, "stopped after 10 redirects");
    assert_eq!(target.received().len(), 11);
}

#[tokio::test]
async fn a_request_that_follows_no_redirects_gets_the_answer_itself() {
    let target = Target::start(|_| Answer::redirect(302, "http://evil.example/")).await;
    let response = Case::new(format!("# @no-redirect\nGET {}", target.url("/"))).response().await;
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn the_place_a_redirect_names_is_read_like_any_url() {
    for location in ["//evil.example/", "\\\\evil.example/", "/\\evil.example", "http://127.0.0.1@evil.example/"] {
        let target = Target::start(move |_| Answer::redirect(302, location)).await;
        let case = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/")));
        let outcome = case.allowed(&[target.entry()]).run().await;
        let Outcome::Refused(_, detail) = outcome else { panic!("{location}: {outcome:?}") };
        assert!(detail.contains("`evil.example`"), "{detail}");
    }
}

#[tokio::test]
async fn a_user_in_a_redirect_is_not_taken_over() {
    let other = Target::start(|_| Answer::ok("")).await;
    let location = other.url("/").replace("http://", "http://user:pass@");
    let target = Target::start(move |_| Answer::redirect(302, &location)).await;
    let response = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/"))).response().await;
    assert_eq!(response.url, other.url("/"));
    assert_eq!(other.received()[0].header("authorization"), None);
}

#[tokio::test]
async fn https_is_not_left_for_http() {
    let plain = Target::start(|_| Answer::ok("")).await;
    let location = plain.url("/");
    let identity = Identity::new("127.0.0.1");
    let secure = Target::start_tls(&identity, move |_| Answer::redirect(301, &location)).await;
    let mut case = Case::new(format!("GET {}\nX: <<vault:key>>", secure.url("/")));
    case.roots = identity.authority_pem.clone();
    assert!(case.failure().await.contains("from https to http"));
    assert_eq!(plain.received().len(), 0);
}

#[tokio::test]
async fn a_certificate_is_checked_against_its_authority_and_its_name() {
    let identity = Identity::new("127.0.0.1");
    let secure = Target::start_tls(&identity, |_| Answer::ok("hello")).await;
    let text = format!("GET {}\nX: <<vault:key>>", secure.url("/"));
    let mut trusting = Case::new(text.clone());
    trusting.roots = identity.authority_pem.clone();
    assert_eq!(trusting.response().await.body, "hello");
    let message = Case::new(text).failure().await;
    assert!(message.contains("not signed by an authority"), "{message}");

    let misnamed = Identity::new("other.example");
    let secure = Target::start_tls(&misnamed, |_| Answer::ok("hello")).await;
    let mut case = Case::new(format!("GET {}\nX: <<vault:key>>", secure.url("/")));
    case.roots = misnamed.authority_pem.clone();
    let message = case.failure().await;
    assert!(message.contains("for another name"), "{message}");
    assert_eq!(secure.received().len(), 0);
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_is_not_allowed() {
    let target = Target::start(|_| Answer::ok("")).await;
    let case = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/")));
    let outcome = case.allowed(&["api.example.com".into()]).run().await;
    assert!(matches!(outcome, Outcome::Refused(Reason::DomainDenied, _)), "{outcome:?}");
    assert_eq!(target.received().len(), 0);
}

#[tokio::test]
async fn a_host_that_a_value_names_is_never_told() {
    let target = Target::start(|_| Answer::ok("hello")).await;
    let host = target.address.to_string();
    let text = "GET http://<<vault:key>>/path";
    let outcome = Case::new(text).value(&host).allowed(&["api.example.com".into()]).run().await;
    let Outcome::Refused(_, denied) = outcome else { panic!("{outcome:?}") };
    let outcome = Case::new(text).value("other-canary.example").allowed(&["api.example.com".into()]).run().await;
    let Outcome::Refused(_, other) = outcome else { panic!("{outcome:?}") };
    assert_eq!(denied, other);
    let response = Case::new(text).value(&host).response().await;
    assert_eq!(response.url, "http://[redacted]/path");
}

#[tokio::test]
async fn every_host_header_is_judged() {
    let text = "GET https://cdn.example.com/\nHost: cdn.example.com\nHost: evil.example\nX: <<vault:key>>";
    let outcome = Case::new(text).allowed(&["cdn.example.com".into()]).run().await;
    let Outcome::Refused(Reason::DomainDenied, detail) = outcome else { panic!("{outcome:?}") };
    assert!(detail.contains("`evil.example`"), "{detail}");
}

#[tokio::test]
async fn the_host_header_is_judged_as_well() {
    // Never connected: the policy is asked first.
    let text = "GET https://cdn.example.com/\nHost: evil.example\nX: <<vault:key>>";
    let outcome = Case::new(text).allowed(&["cdn.example.com".into()]).run().await;
    let Outcome::Refused(Reason::DomainDenied, detail) = outcome else { panic!("{outcome:?}") };
    assert!(detail.contains("`evil.example`"), "{detail}");
}

#[tokio::test]
async fn a_server_that_never_answers_runs_into_the_timeout() {
    for (setting, words) in [("", "within 60 s"), ("# @timeout 10 m\n", "within 600 s")] {
        let target = Target::start(|_| Answer::Silence).await;
        let exchange = tokio::spawn(Case::new(format!("{setting}GET {}", target.url("/"))).failure());
        while target.received().is_empty() {
            tokio::task::yield_now().await;
        }
        // Only now does time fly.
        tokio::time::pause();
        assert_eq!(exchange.await.unwrap(), format!("no complete answer {words}"));
        tokio::time::resume();
    }
}

#[tokio::test]
async fn failures_are_told_without_the_url() {
    let message = Case::new(format!("GET {}/?k=<<vault:key>>", stand_in::nobody())).failure().await;
    assert!(message.starts_with("`127.0.0.1` refused the connection"), "{message}");

    let target = Target::start(|_| Answer::Pieces(vec![b"not http at all\r\n\r\n".to_vec()])).await;
    let message = Case::new(format!("GET {}?k=<<vault:key>>", target.url("/"))).failure().await;
    assert_eq!(message, "the answer of `127.0.0.1` is not valid HTTP");

    let target = Target::start(|_| Answer::Pieces(vec![])).await;
    let message = Case::new(format!("GET {}?k=<<vault:key>>", target.url("/"))).failure().await;
    assert_eq!(message, "`127.0.0.1` closed the connection before its answer was complete");
}

#[tokio::test]
async fn dropping_the_future_ends_the_exchange() {
    let target = Target::start(|_| Answer::Silence).await;
    let case = Case::new(format!("GET {}", target.url("/")));
    let running = tokio::spawn(case.run());
    while target.received().is_empty() {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
}

// Injection.

#[tokio::test]
async fn line_breaks_and_nul_are_refused_in_headers_and_urls() {
    for value in ["canary\r\nX-Evil: 1", "canary\n", "canary\0", "canary\rx"] {
        for text in
            ["GET http://127.0.0.1/\nX: <<vault:key>>", "GET http://127.0.0.1/?k=<<vault:key>>", "GET <<vault:key>>/"]
        {
            let message = Case::new(text).value(value).misfit().await;
            assert!(message.contains("line break"), "{message}");
            assert!(!message.contains("canary") && !message.contains("Evil"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_trailing_line_break_is_kept_in_a_body() {
    let received = sent("POST §/\nContent-Type: text/plain\n\n[<<vault:key>>]", "canary-7f3a\n").await;
    assert_eq!(received.body(), "[canary-7f3a\n]");
}

#[tokio::test]
async fn a_value_in_a_json_string_cannot_leave_it() {
    let value = "a\"},\"b\\\u{1}\n\u{2028}é";
    let received = sent("POST §/\nContent-Type: application/json\n\n{\"k\": \"x<<vault:key>>y\"}", value).await;
    let read: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(read, serde_json::json!({ "k": format!("x{value}y") }));
    assert!(received.body().contains("\\u2028"));
}

#[tokio::test]
async fn only_a_scalar_stands_bare_in_json() {
    let text = "POST §/\nContent-Type: application/json\n\n{\"k\": <<vault:key>>}";
    assert_eq!(sent(text, "1234567.5").await.body(), "{\"k\": 1234567.5}");
    let message = Case::new(text.replace('§', "http://127.0.0.1")).value("1, \"admin\": true").misfit().await;
    assert!(message.contains("put the reference in quotes"), "{message}");
}

#[tokio::test]
async fn a_value_is_encoded_for_its_part_of_the_url() {
    let received = sent("GET §/a/<<vault:key>>/b?k=<<vault:key>>&l=1", "a/b?c&d=e#f g%").await;
    let encoded = "a%2Fb%3Fc%26d%3De%23f%20g%25";
    assert_eq!(received.target, format!("/a/{encoded}/b?k={encoded}&l=1"));
}

#[tokio::test]
async fn a_value_does_not_climb_in_a_path() {
    for value in ["..", "."] {
        let message = Case::new("GET http://127.0.0.1/a/<<vault:key>>/b").value(value).misfit().await;
        assert!(message.contains("segment of the path"), "{message}");
    }
    let message = Case::new("GET http://127.0.0.1/a/%2E<<vault:key>>").value(".").misfit().await;
    assert!(message.contains("segment of the path"), "{message}");
}

#[tokio::test]
async fn a_value_that_begins_the_url_brings_scheme_and_host() {
    let target = Target::start(|_| Answer::ok("")).await;
    for (text, value) in [
        ("GET <<vault:key>>/c?d=1", target.url("/b")),
        ("GET <<vault:key>>/b/c?d=1", target.address.to_string()),
        ("GET http://<<vault:key>>/b/c?d=1", target.address.to_string()),
    ] {
        Case::new(text).value(value).response().await;
    }
    assert!(target.received().iter().all(|received| received.target == "/b/c?d=1"));
}

#[tokio::test]
async fn a_value_in_a_host_cannot_end_it() {
    for value in ["evil.example/", "evil.example#", "evil.example?", "a@evil.example", "evil.example\\"] {
        let message = Case::new("GET https://<<vault:key>>.example.com/").value(value).misfit().await;
        assert!(message.contains("part of a host"), "{message}");
    }
}

#[tokio::test]
async fn user_and_password_in_a_url_become_a_header() {
    let target = Target::start(|_| Answer::ok("")).await;
    let text = format!("GET http://user:<<vault:key>>@{}/", target.address);
    let response = Case::new(text).value("p@ss:w/ord").response().await;
    assert_eq!(response.url, target.url("/"));
    let expected = format!("Basic {}", general_purpose::STANDARD.encode("user:p@ss:w/ord"));
    assert_eq!(target.received()[0].header("authorization"), Some(expected.as_str()));
}

#[tokio::test]
async fn basic_is_encoded_after_it_is_filled() {
    let expected = format!("Basic {}", general_purpose::STANDARD.encode(format!("user:{CANARY}")));
    for text in ["user <<vault:key>>", "user:<<vault:key>>"] {
        let received = sent(&format!("GET §/\nAuthorization: Basic {text}"), CANARY).await;
        assert_eq!(received.header("authorization"), Some(expected.as_str()), "{text}");
    }
    let received = sent("GET §/\nAuthorization: Basic <<vault:key>>", format!("user:{CANARY}")).await;
    assert_eq!(received.header("authorization"), Some(expected.as_str()));
    let received = sent("GET §/\nAuthorization: Basic <<vault:key>>", "dXNlcjpwYXNz").await;
    assert_eq!(received.header("authorization"), Some("Basic dXNlcjpwYXNz"));
    let message =
        Case::new("GET http://127.0.0.1/\nAuthorization: Basic <<vault:key>> pw").value("us:er").misfit().await;
    assert!(message.contains("holds a `:`"), "{message}");
}

#[tokio::test]
async fn a_value_in_a_form_stays_in_its_field() {
    let text = "POST §/\nContent-Type: application/x-www-form-urlencoded\n\na=<<vault:key>>\n&b=x%20y";
    assert_eq!(sent(text, "1&admin=1+ %").await.body(), "a=1%26admin%3D1%2B%20%25&b=x%20y");
}

#[tokio::test]
async fn a_value_in_xml_is_character_data() {
    let text =
        "POST §/\nContent-Type: application/xml\n\n<a b='<<vault:key>>'><<vault:key>><![CDATA[<<vault:key>>]]></a>";
    let received = sent(text, "x'<y>&]]>").await;
    let escaped = "x&apos;&lt;y&gt;&amp;]]&gt;";
    assert_eq!(received.body(), format!("<a b='{escaped}'>{escaped}<![CDATA[x'<y>&]]]]><![CDATA[>]]></a>"));
}

#[tokio::test]
async fn a_value_in_graphql_stays_in_its_string() {
    let text = "GRAPHQL §/\n\n{ a(k: \"<<vault:key>>\") }\n\n{\"v\": \"<<vault:key>>\"}";
    let received = sent(text, "x\") } \\ \n").await;
    assert_eq!(received.header("content-type"), Some("application/json"));
    let read: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(read["query"], "{ a(k: \"x\\\") } \\\\ \\n\") }");
    assert_eq!(read["variables"]["v"], "x\") } \\ \n");
    let message =
        Case::new("GRAPHQL http://127.0.0.1/\n\n{ a(k: <<vault:key>>) }").value("1) } { b(c: 2").misfit().await;
    assert!(message.contains("GraphQL variable"), "{message}");
}

#[tokio::test]
async fn a_value_cannot_hold_the_boundary_of_a_multipart_body() {
    let text = "POST §/\nContent-Type: multipart/form-data; boundary=xyz\n\n\
                --xyz\nContent-Disposition: form-data; name=\"a\"\n\n<<vault:key>>\n--xyz--";
    let received = sent(text, "canary\n--xy").await;
    assert_eq!(
        received.body(),
        "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncanary\n--xy\r\n--xyz--\r\n"
    );
    let message = Case::new(text.replace('§', "http://127.0.0.1")).value("canary\r\n--xyz--").misfit().await;
    assert!(message.contains("boundary"), "{message}");
}

#[tokio::test]
async fn a_boundary_of_our_own_stands_in_no_part() {
    let target = Target::start(|_| Answer::ok("")).await;
    let request = serde_json::json!({"method": "POST", "url": target.url("/"),
        "header": [{"key": "Content-Type", "value": "multipart/form-data; boundary=old"}],
        "body": {"mode": "formdata", "formdata": [
            {"key": "a\"b", "value": "x{{vault:key}}\r\n--old--", "type": "text"},
            {"key": "c", "value": "{{vault:key}}", "type": "text", "contentType": "application/json"},
            {"key": "d", "value": "off", "type": "text", "disabled": true}]}});
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let collection = serde_json::json!({"info": {"schema": schema}, "item": [{"name": "one", "request": request}]});
    let mut case = Case::new(collection.to_string());
    case.kind = Kind::Postman;
    case.response().await;
    let received = target.received().remove(0);
    let boundary = received.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\nx{CANARY}\r\n--old--\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"c\"\r\nContent-Type: application/json\r\n\r\n\
         {CANARY}\r\n--{boundary}--\r\n"
    );
    assert_eq!(received.body(), expected);
}

#[tokio::test]
async fn bytes_that_are_no_text_go_into_plain_bodies_and_base64_only() {
    let value = b"\xff\xfecanary\x80".as_slice();
    let received = sent("POST §/\nContent-Type: text/plain\n\n<<vault:key>>!", value).await;
    assert_eq!(received.body, b"\xff\xfecanary\x80!");
    let received = sent("GET §/\nAuthorization: Basic user <<vault:key>>", value).await;
    let expected = format!("Basic {}", general_purpose::STANDARD.encode([b"user:".as_slice(), value].concat()));
    assert_eq!(received.header("authorization"), Some(expected.as_str()));
    for text in [
        "GET http://127.0.0.1/\nX: <<vault:key>>",
        "GET http://127.0.0.1/<<vault:key>>",
        "POST http://127.0.0.1/\nContent-Type: application/json\n\n{\"k\":\"<<vault:key>>\"}",
        "POST http://127.0.0.1/\nContent-Type: application/x-www-form-urlencoded\n\nk=<<vault:key>>",
    ] {
        assert!(Case::new(text).value(value).misfit().await.contains("not UTF-8"), "{text}");
    }
}

#[tokio::test]
async fn a_value_of_more_than_a_mebibyte_is_refused() {
    let text = "POST §/\nContent-Type: text/plain\n\n<<vault:key>>";
    assert_eq!(sent(text, vec![b'x'; 1 << 20]).await.body.len(), 1 << 20);
    let case = Case::new(text.replace('§', "http://127.0.0.1")).value(vec![b'x'; 5 << 20]);
    assert!(case.misfit().await.contains("larger than 1 MiB"));
}

#[tokio::test]
async fn what_a_value_holds_is_never_read_again() {
    let value = "{{x}} <<vault:other>> {{$guid}}";
    let received =
        sent("@x = expanded\nPOST §/\nContent-Type: text/plain\nX: <<vault:key>>\n\n<<vault:key>>", value).await;
    assert_eq!((received.header("x"), received.body()), (Some(value), value));
}

#[tokio::test]
async fn a_length_or_framing_that_does_not_fit_is_not_sent() {
    let text = "POST §/\nContent-Type: text/plain\nContent-Length: 1\nTransfer-Encoding: chunked\n\n<<vault:key>>";
    let received = sent(text, CANARY).await;
    assert_eq!(received.body(), CANARY);
    assert_eq!(received.header("transfer-encoding"), None);
}

// Disclosure.

/// The response to a request with the canary, from a server that answers `answer`.
async fn echoed(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Response {
    let target = Target::start(answer).await;
    Case::new(format!("GET {}?k=<<vault:key>>\nAuthorization: Basic user <<vault:key>>", target.url("/")))
        .response()
        .await
}

#[tokio::test]
async fn an_echo_is_masked_in_every_view() {
    let basic = general_purpose::STANDARD.encode(format!("user:{CANARY}"));
    let url_safe = general_purpose::URL_SAFE_NO_PAD.encode(CANARY);
    let forms =
        [CANARY, "canary-7f3a9c%2Be%2FB%3D", "canary-7f3a9c+e\\/B=", "63616e6172792d376633613963", &basic, &url_safe];
    let text = forms.join("\n");
    let response = echoed(move |request| {
        let auth = request.header("authorization").unwrap().to_owned();
        Answer::with("200 Fine canary-7f3a9c+e/B=", &[("x-echo", &auth), ("x-target", &request.target)], &text)
    })
    .await;
    for form in &forms {
        let core = &form[..form.len() - 4];
        assert!(!response.body.contains(core) || form.starts_with("63"), "{form}: {}", response.body);
    }
    assert_eq!(response.reason, "Fine [redacted]");
    let header = |name: &str| response.headers.iter().find(|(header, _)| header == name).unwrap().1.as_str();
    assert!(header("x-echo").contains("[redacted]"), "{}", header("x-echo"));
    assert_eq!(header("x-target"), "/?k=[redacted]");
    assert!(response.url.ends_with("/?k=[redacted]"), "{}", response.url);
}

#[tokio::test]
async fn an_echo_is_masked_across_chunks() {
    let response = echoed(|_| {
        let mut pieces = vec![head("200 OK", &[("transfer-encoding", "chunked")])];
        pieces.extend(CANARY.bytes().map(|byte| format!("1\r\n{}\r\n", char::from(byte)).into_bytes()));
        pieces.push(b"0\r\n\r\n".to_vec());
        Answer::Pieces(pieces)
    })
    .await;
    assert_eq!(response.body, "[redacted]");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

#[tokio::test]
async fn an_echo_is_masked_after_unpacking() {
    let response = echoed(|_| Answer::with("200 OK", &[("content-encoding", "gzip")], gzip(CANARY.as_bytes()))).await;
    assert_eq!((response.body.as_str(), response.bytes), ("[redacted]", CANARY.len() as u64));
}

#[tokio::test]
async fn an_echo_in_a_redirect_is_masked() {
    let response = echoed(|request| match request.target.starts_with("/?") {
        true => Answer::redirect(302, "/seen?again=canary-7f3a9c%2be%2fB%3d"),
        false => Answer::ok(""),
    })
    .await;
    assert!(response.redirects[0].1.ends_with("/seen?again=[redacted]"), "{:?}", response.redirects);
}

#[tokio::test]
async fn a_value_that_is_an_ordinary_word_blanks_nothing() {
    let target = Target::start(|_| Answer::ok("{\"ok\": true, \"n\": 1}")).await;
    for value in ["true", "1"] {
        let response = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/"))).value(value).response().await;
        assert_eq!(response.body, "{\"ok\": true, \"n\": 1}");
    }
}

// What comes back.

#[tokio::test]
async fn an_endless_body_is_cut() {
    let target = Target::start(|_| Answer::Endless { head: head("200 OK", &[]), piece: vec![b'x'; 4096] }).await;
    let mut case = Case::new(format!("GET {}", target.url("/")));
    case.limits.body = 100_000;
    let response = case.response().await;
    assert_eq!((response.truncated, response.bytes, response.body.len()), (true, 100_000, 100_000));
}

#[tokio::test]
async fn a_body_that_unpacks_to_too_much_is_cut() {
    let packed = gzip(&vec![b'x'; 32 << 20]);
    assert!(packed.len() < 1 << 20);
    let target = Target::start(move |_| Answer::with("200 OK", &[("content-encoding", "gzip")], &packed)).await;
    let mut case = Case::new(format!("GET {}", target.url("/")));
    case.limits.body = 1 << 20;
    let response = case.response().await;
    assert_eq!((response.truncated, response.bytes), (true, 1 << 20));
}

#[tokio::test]
async fn a_value_that_the_cut_falls_into_is_masked() {
    let target = Target::start(|_| Answer::ok(format!("xx{CANARY}"))).await;
    let mut case = Case::new(format!("GET {}\nX: <<vault:key>>", target.url("/")));
    case.limits.body = 2 + CANARY.len() - 3;
    assert_eq!(case.response().await.body, "xx[redacted]");
}

#[tokio::test]
async fn a_body_is_shown_by_its_charset() {
    for (content_type, bytes, shown) in [
        ("text/plain", "é€".as_bytes(), "é€"),
        ("text/plain; charset=ISO-8859-1", b"\xe9\x80".as_slice(), "é€"),
        ("text/plain; charset=utf-16le", b"\xe9\0\xac\x20", "é€"),
        ("text/plain", b"\xff\xfe\xe9\0", "é"),
        ("application/json", b"\xef\xbb\xbf{}", "{}"),
        ("text/plain", b"a\xffb", "a\u{fffd}b"),
    ] {
        let target = Target::start(move |_| Answer::with("200 OK", &[("content-type", content_type)], bytes)).await;
        let response = Case::new(format!("GET {}", target.url("/"))).response().await;
        assert_eq!((response.body.as_str(), response.binary), (shown, false), "{content_type}");
    }
}

#[tokio::test]
async fn data_that_is_no_text_is_told_and_not_shown() {
    for (headers, bytes, note) in [
        (vec![("content-type", "image/png")], b"\x89PNG".as_slice(), "binary data (image/png), 4 bytes, not shown"),
        (vec![], b"\x00\x01", "binary data (of unknown type), 2 bytes, not shown"),
        (vec![("content-type", "application/x")], b"\xff\xff", "binary data (application/x), 2 bytes, not shown"),
        (vec![("content-encoding", "br")], b"text", "binary data (br), 4 bytes, not shown"),
    ] {
        let target = Target::start(move |_| Answer::with("200 OK", &headers, bytes)).await;
        let response = Case::new(format!("GET {}", target.url("/"))).response().await;
        assert_eq!((response.body.as_str(), response.binary), (note, true));
    }
}

#[tokio::test]
async fn an_answer_is_told_in_full() {
    let target = Target::start(|_| Answer::with("418 Short And Stout", &[("x-a", "1"), ("x-a", "2")], "tea")).await;
    let started = Instant::now();
    let response = Case::new(format!("DELETE {}", target.url("/pot"))).response().await;
    assert_eq!((response.status, response.reason.as_str()), (418, "Short And Stout"));
    assert_eq!((response.version.as_str(), response.method.as_str()), ("HTTP/1.1", "DELETE"));
    assert_eq!((response.body.as_str(), response.bytes, response.truncated), ("tea", 3, false));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "x-a").count(), 2);
    assert!(Duration::from_millis(response.millis) <= started.elapsed());
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_written() {
    let received =
        sent("PATCH §/a?b=c\nX-Twice: 1\nX-Twice: <<vault:key>>\nAccept-Encoding: br, gzip;q=0.5\n\nbody", CANARY)
            .await;
    assert_eq!((received.method.as_str(), received.target.as_str(), received.body()), ("PATCH", "/a?b=c", "body"));
    let twice: Vec<&str> =
        received.headers.iter().filter(|(name, _)| name == "x-twice").map(|(_, value)| value.as_str()).collect();
    assert_eq!(twice, ["1", CANARY]);
    assert_eq!(received.header("accept"), Some("*/*"));
    assert!(received.header("user-agent").unwrap().starts_with("vaultls/"));
    assert_eq!(received.header("accept-encoding"), Some("gzip;q=0.5"));
    assert_eq!(received.header("content-type"), None);
}
