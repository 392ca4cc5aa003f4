//! The line that makes a block a request: `[METHOD] URL [HTTP/x]`.

use std::borrow::Cow;

use super::lines::trim;
use crate::{syntax::Method, text::Span};

/// Methods that may be written in any case (REST Client, `httpRequestParser`).
const METHODS: [&str; 19] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "LOCK",
    "UNLOCK",
    "PROPFIND",
    "PROPPATCH",
    "COPY",
    "MOVE",
    "MKCOL",
    "MKCALENDAR",
    "ACL",
    "SEARCH",
];

/// Methods that count in upper case only, because their words are too common: those that httpyac adds.
const UPPER_CASE_METHODS: [&str; 9] = [
    "CHECKOUT",
    "CHECKIN",
    "REPORT",
    "MERGE",
    "MKACTIVITY",
    "MKWORKSPACE",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
    "GRAPHQL",
];

/// Methods that count before a URL only: Vault's own, and those that Postman adds.
const METHODS_OF_A_URL: [&str; 6] = ["LIST", "QUERY", "LINK", "UNLINK", "PURGE", "VIEW"];

/// Words that announce another protocol, and why such a request is not run.
const PROTOCOLS: [(&str, &str); 12] = [
    ("GRPC", GRPC),
    ("WEBSOCKET", WEBSOCKET),
    ("WS", WEBSOCKET),
    ("WSS", WEBSOCKET),
    ("GRAPHQLWS", WEBSOCKET),
    ("SSE", EVENTS),
    ("EVENTSOURCE", EVENTS),
    ("MQTT", MQTT),
    ("MQTTS", MQTT),
    ("AMQP", AMQP),
    ("RABBITMQ", AMQP),
    ("RSOCKET", "RSocket requests are recognised, not run"),
];

/// URL schemes of other protocols.
const SCHEMES: [(&str, &str); 9] = [
    ("ws://", WEBSOCKET),
    ("wss://", WEBSOCKET),
    ("grpc://", GRPC),
    ("grpcs://", GRPC),
    ("mqtt://", MQTT),
    ("mqtts://", MQTT),
    ("amqp://", AMQP),
    ("amqps://", AMQP),
    ("rsocket://", "RSocket requests are recognised, not run"),
];

const GRPC: &str = "gRPC requests are recognised, not run";
const WEBSOCKET: &str = "WebSocket requests are recognised, not run";
const EVENTS: &str = "event streams are recognised, not run";
const MQTT: &str = "MQTT requests are recognised, not run";
const AMQP: &str = "AMQP requests are recognised, not run";
const CURL: &str = "curl commands are recognised, not run";
const NO_URL: &str = "it has no URL";

pub(super) struct RequestLine {
    pub method: Method,
    pub url: Span,
    pub version: Option<Span>,
    pub not_runnable: Option<&'static str>,
    /// Whether the block is a curl command, which has no further grammar here.
    pub curl: bool,
    pub fault: Option<&'static str>,
}

/// Reads a line that is neither blank nor a comment; `line` is trimmed.
pub(super) fn read(source: &str, line: Span) -> RequestLine {
    let text = line.of(source);
    if text.starts_with("curl ") || text.starts_with("curl.exe ") {
        let url = curl_url(text).map_or(line, |url| Span::new(line.start + url.start, line.start + url.end));
        let method = implied_method(line.start);
        return RequestLine { method, url, version: None, not_runnable: Some(CURL), curl: true, fault: None };
    }
    let (method, target, protocol) = split_method(text);
    let rest = trim(source, Span::new(line.start + target, line.end));
    let (url, version) = split_version(source, rest);
    let method = match method {
        Some(text) => Method { text, span: Span::new(line.start, line.start + first_word(line.of(source)).len()) },
        None => implied_method(line.start),
    };
    let fault = fault(&method, url.of(source));
    let lone_method = fault == Some(LONE_METHOD);
    let not_runnable = protocol.or_else(|| lone_method.then_some(NO_URL)).or_else(|| scheme(url.of(source)));
    RequestLine { method, url, version, not_runnable, curl: false, fault }
}

/// Cuts `HTTP/x` off the end of a part of the URL. What is written behind it, as in
/// `HTTP/2 (Prior Knowledge)`, belongs to it.
pub(super) fn split_version(source: &str, part: Span) -> (Span, Option<Span>) {
    const WORD: &[u8] = b"HTTP";
    let bytes = part.of(source).as_bytes();
    for slash in memchr::memrchr_iter(b'/', bytes) {
        let Some(word) = slash.checked_sub(WORD.len()) else { break };
        let written = bytes[word..slash].eq_ignore_ascii_case(WORD);
        let number = bytes.get(slash + 1).is_some_and(|byte| !byte.is_ascii_whitespace());
        if written && number && word > 0 && bytes[word - 1].is_ascii_whitespace() {
            let version = Span::new(part.start + word, part.end);
            return (trim(source, Span::new(part.start, version.start)), Some(version));
        }
    }
    (part, None)
}

/// Whether a line inside a request looks like the request line of another one.
pub(super) fn looks_like_request(text: &str) -> bool {
    let word = first_word(text);
    let known = METHODS.contains(&word) || UPPER_CASE_METHODS.contains(&word);
    known && is_url_like(text[word.len()..].trim_start())
}

const LONE_METHOD: &str = "this request has a method and no URL";
const UNKNOWN_METHOD: &str = "no known method begins this line, so all of it is read as the URL";
const LONE_HEADER: &str = "this line is read as the URL of the request; headers stand below a request line";

fn fault(method: &Method, url: &str) -> Option<&'static str> {
    if !method.span.is_empty() {
        return None;
    }
    let word = first_word(url);
    let rest = url[word.len()..].trim_start();
    if rest.is_empty() {
        let known = METHODS.contains(&word) || UPPER_CASE_METHODS.contains(&word);
        return known.then_some(LONE_METHOD);
    }
    if word.ends_with(':') {
        return Some(LONE_HEADER);
    }
    let upper_case = word.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    upper_case.then_some(UNKNOWN_METHOD)
}

impl RequestLine {
    /// Whether the request cannot mean anything as it is written.
    pub fn has_no_url(&self) -> bool {
        self.fault == Some(LONE_METHOD)
    }
}

fn implied_method(at: usize) -> Method {
    Method { text: Cow::Borrowed("GET"), span: Span::at(at) }
}

/// The method, where the rest of the line begins, and why another protocol is not run.
fn split_method(text: &str) -> (Option<Cow<'static, str>>, usize, Option<&'static str>) {
    let word = first_word(text);
    let rest = text[word.len()..].trim_start();
    if rest.is_empty() {
        return (None, 0, None);
    }
    let target = text.len() - rest.len();
    let any_case = METHODS.iter().find(|method| method.eq_ignore_ascii_case(word));
    let upper_case = || UPPER_CASE_METHODS.iter().find(|method| **method == word);
    let of_a_url = || METHODS_OF_A_URL.iter().find(|method| **method == word).filter(|_| is_url_like(rest));
    if let Some(method) = any_case.or_else(upper_case).or_else(of_a_url) {
        return (Some(Cow::Borrowed(method)), target, None);
    }
    match PROTOCOLS.iter().find(|(name, _)| *name == word) {
        Some((name, reason)) => (Some(Cow::Borrowed(name)), target, Some(reason)),
        None => (None, 0, None),
    }
}

fn first_word(text: &str) -> &str {
    text.split_once(|c: char| c.is_ascii_whitespace()).map_or(text, |(word, _)| word)
}

fn is_url_like(text: &str) -> bool {
    const STARTS: [&str; 5] = ["http://", "https://", "/", "{{", "<<"];
    STARTS.iter().any(|start| text.starts_with(start))
}

fn scheme(url: &str) -> Option<&'static str> {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().find(|(scheme, _)| starts(scheme)).map(|(_, reason)| *reason)
}

/// The first word of a curl command that is a URL, without quotes.
fn curl_url(text: &str) -> Option<Span> {
    let start = text.find("http://").or_else(|| text.find("https://"))?;
    let length =
        text[start..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(text.len() - start);
    Some(Span::new(start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method, URL and version of `line`.
    fn check(line: &str, expected: (&str, &str, &str)) {
        let read = read(line, Span::new(0, line.len()));
        let version = read.version.map_or("", |span| span.of(line));
        assert_eq!((read.method.text.as_ref(), read.url.of(line), version), expected, "of {line:?}");
    }

    #[test]
    fn method_and_version_may_be_left_out() {
        check("GET https://a/b HTTP/1.1", ("GET", "https://a/b", "HTTP/1.1"));
        check("https://a/b", ("GET", "https://a/b", ""));
        check("https://a/b HTTP/2 (Prior Knowledge)", ("GET", "https://a/b", "HTTP/2 (Prior Knowledge)"));
        check("OPTIONS *", ("OPTIONS", "*", ""));
    }

    #[test]
    fn a_method_may_be_written_in_any_case() {
        check("delete /x", ("DELETE", "/x", ""));
        check("PropFind\t/x", ("PROPFIND", "/x", ""));
        check("report /x", ("GET", "report /x", ""));
    }

    #[test]
    fn a_url_may_hold_spaces_and_its_own_http() {
        check("GET a?q=b \"c d\" HTTP/1.1", ("GET", "a?q=b \"c d\"", "HTTP/1.1"));
        check("GET a?q HTTP/1.1 HTTP/1.1", ("GET", "a?q HTTP/1.1", "HTTP/1.1"));
        check("GET http/a", ("GET", "http/a", ""));
    }

    #[test]
    fn a_reference_may_be_all_of_the_url() {
        check("POST <<vault:base>>/c", ("POST", "<<vault:base>>/c", ""));
        check("{{host}}/c", ("GET", "{{host}}/c", ""));
    }

    #[test]
    fn the_methods_of_a_vault_need_a_url() {
        check("LIST https://v/x", ("LIST", "https://v/x", ""));
        check("LIST of things", ("GET", "LIST of things", ""));
    }

    #[test]
    fn other_protocols_are_told() {
        for line in ["GRPC a/b", "WS ws://a", "wss://a", "MQTT tcp://a", "curl -X POST 'https://a/b'"] {
            assert!(read(line, Span::new(0, line.len())).not_runnable.is_some(), "{line}");
        }
        check("curl -X POST 'https://a/b' -d x", ("GET", "https://a/b", ""));
    }

    #[test]
    fn what_is_no_request_line_is_told() {
        let fault = |line: &str| read(line, Span::new(0, line.len())).fault;
        assert_eq!(fault("FOO /x"), Some(UNKNOWN_METHOD));
        assert_eq!(fault("POST"), Some(LONE_METHOD));
        assert_eq!(fault("User-Agent: x"), Some(LONE_HEADER));
        assert_eq!(fault("GET /x y"), None);
        assert_eq!(fault("{{host}} /x"), None);
    }
}
