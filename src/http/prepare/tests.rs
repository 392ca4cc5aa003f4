//! What a request becomes before its values are put in.

#![expect(clippy::disallowed_methods, reason = "the tests lay out a workspace of their own")]

use std::{collections::BTreeMap, fmt::Write as _, fs};

use expect_test::{Expect, expect};

use super::*;
use crate::syntax::{self, expand::Environment};

fn prepared(kind: Kind, text: &str, files: Option<Files<'_>>) -> Prepared {
    let document = syntax::parse(kind, text);
    let environment = Environment::default();
    let overrides = BTreeMap::new();
    let scope = Scope::new(&document, text, &environment, &overrides, &|_| None);
    prepare(&document, &document.requests[0], &scope, files)
}

/// Everything but the headers that every request has.
fn shown(prepared: &Prepared) -> String {
    let mut out = format!("{} {}\n", prepared.method, prepared.url.shown());
    for (name, value) in &prepared.headers {
        let value = match value {
            PreparedValue::Text(text) => text.shown(),
            PreparedValue::Basic { user, password } => format!("Basic({} : {})", user.shown(), password.shown()),
            PreparedValue::BasicToken(token) => format!("BasicToken({})", token.shown()),
        };
        if !names(name, &header::ACCEPT) && !names(name, &header::USER_AGENT) {
            writeln!(out, "{}: {value}", name.shown()).unwrap();
        }
    }
    show_body(&mut out, &prepared.body);
    for note in &prepared.notes {
        writeln!(out, "note: {note}").unwrap();
    }
    for fault in &prepared.faults {
        match fault {
            PreparedFault::Variable(fault) => writeln!(out, "fault: {:?}", fault.kind).unwrap(),
            PreparedFault::Other { message, .. } | PreparedFault::Unsupported(message) => {
                writeln!(out, "fault: {message}").unwrap();
            }
        }
    }
    out
}

fn show_body(out: &mut String, body: &PreparedBody) {
    match body {
        PreparedBody::None => {}
        PreparedBody::Text { text, syntax } => writeln!(out, "{syntax:?} {:?}", text.shown()).unwrap(),
        PreparedBody::Form(fields) => {
            for (name, value) in fields {
                writeln!(out, "field {} = {}", name.shown(), value.shown()).unwrap();
            }
        }
        PreparedBody::Multipart(parts) => {
            for part in parts {
                let kind = part.content_type.as_ref().map(Expanded::shown);
                writeln!(out, "part {} {:?} {kind:?}", part.name.shown(), part.file_name).unwrap();
                show_content(out, &part.content);
            }
        }
        PreparedBody::GraphQl { query, variables } => {
            writeln!(out, "query {:?} {:?}", query.shown(), variables.as_ref().map(Expanded::shown)).unwrap();
        }
        PreparedBody::Mixed { chunks, syntax, boundary } => {
            writeln!(out, "mixed {syntax:?} {boundary:?}").unwrap();
            chunks.iter().for_each(|chunk| show_content(out, chunk));
        }
        PreparedBody::Bytes(bytes) => writeln!(out, "bytes {:?}", String::from_utf8_lossy(bytes)).unwrap(),
    }
}

fn show_content(out: &mut String, content: &Content) {
    match content {
        Content::Text(text) => writeln!(out, "  text {:?}", text.shown()).unwrap(),
        Content::Bytes(bytes) => writeln!(out, "  bytes {:?}", String::from_utf8_lossy(bytes)).unwrap(),
    }
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&shown(&prepared(Kind::Http, text, None)));
}

/// A collection of one request.
fn check_collection(request: &str, expected: &Expect) {
    let text = format!(
        r#"{{"info":{{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},
            "item":[{{"name":"one","request":{request}}}]}}"#
    );
    expected.assert_eq(&shown(&prepared(Kind::Postman, &text, None)));
}

#[test]
fn variables_are_replaced_and_secrets_stay() {
    check(
        "@host = api.example.com\n@token = <<vault:key>>\nPOST https://{{host}}/a\nX-Token: {{token}}\n\n{{token}}",
        &expect![[r#"
            POST https://api.example.com/a
            X-Token: <<vault:key>>
            Plain "<<vault:key>>"
        "#]],
    );
}

#[test]
fn what_every_request_has_is_added_unless_written() {
    let headers = |text: &str| {
        let prepared = prepared(Kind::Http, text, None);
        let headers: Headers = prepared.headers;
        [header::ACCEPT, header::USER_AGENT].map(|name| value_of(&headers, &name).unwrap().into_owned())
    };
    let agent = concat!("vaultls/", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers("GET https://a.example/"), ["*/*", agent]);
    assert_eq!(headers("GET https://a.example/\naccept: b\nUSER-AGENT: c"), ["b", "c"]);
}

#[test]
fn a_missing_scheme_or_host_is_added() {
    for (text, url) in [
        ("GET api.example.com/a", "http://api.example.com/a"),
        ("GET localhost:8080/a", "http://localhost:8080/a"),
        ("GET /a?b\nHost: api.example.com", "http://api.example.com/a?b"),
        ("GET /a\nHost: api.example.com:8443", "https://api.example.com:8443/a"),
        ("GET /a\nHost: api.example.com:443", "https://api.example.com:443/a"),
        ("GET <<vault:base>>/a", "<<vault:base>>/a"),
    ] {
        let prepared = prepared(Kind::Http, text, None);
        assert_eq!((prepared.url.shown().as_str(), prepared.faults.as_slice()), (url, [].as_slice()), "{text}");
    }
}

#[test]
fn what_cannot_be_sent_is_a_fault() {
    for (text, fault) in [
        ("GET /a", "has no host"),
        ("GET ftp://a.example/", "only http and https"),
        ("GET https://a b.example/", "not valid"),
        ("GET https://a..example/", "no valid host"),
        ("GET https://a.example/\nAuthorization: Digest user <<vault:key>>", "digest"),
        ("GET https://a.example/\nAuthorization: AWS id <<vault:key>> region:x", "AWS"),
    ] {
        let shown = shown(&prepared(Kind::Http, text, None));
        assert!(shown.contains("fault: ") && shown.contains(fault), "{text}: {shown}");
    }
}

#[test]
fn a_header_of_a_collection_needs_a_name() {
    check_collection(
        r#"{"method":"GET","url":"https://a.example/","header":[{"key":"A B","value":"1"},{"key":"","value":""}]}"#,
        &expect![[r#"
            GET https://a.example/
            fault: `A B` is not a header name
        "#]],
    );
}

#[test]
fn schemes_with_parameters_of_their_own_are_sent_as_written() {
    for value in ["Digest username=\"u\", response=\"<<vault:key>>\"", "AWS4-HMAC-SHA256 Credential=x", "Bearer a b"] {
        let text = format!("GET https://a.example/\nAuthorization: {value}");
        assert!(shown(&prepared(Kind::Http, &text, None)).contains(&format!("Authorization: {value}\n")), "{value}");
    }
}

#[test]
fn the_short_ways_of_basic_are_read() {
    for (value, expected) in [
        ("Basic user <<vault:key>>", "Basic(user : <<vault:key>>)"),
        ("basic user:<<vault:key>>", "Basic(user : <<vault:key>>)"),
        ("Basic   <<vault:user>>   pass word ", "Basic(<<vault:user>> : pass word)"),
        ("Basic <<vault:user>>:<<vault:key>>", "Basic(<<vault:user>> : <<vault:key>>)"),
        ("Basic dXNlcjpwYXNz", "Basic dXNlcjpwYXNz"),
        ("Basic <<vault:key>>", "BasicToken(<<vault:key>>)"),
    ] {
        let text = format!("GET https://a.example/\nAuthorization: {value}");
        let shown = shown(&prepared(Kind::Http, &text, None));
        assert!(shown.contains(&format!("Authorization: {expected}\n")), "{value}: {shown}");
    }
}

#[test]
fn the_target_is_known_unless_a_secret_can_decide_it() {
    for (url, target) in [
        ("https://a.example/<<vault:key>>?<<vault:key>>", Some("https://a.example/_?_")),
        ("https://u:<<vault:key>>@a.example/", Some("https://u:_@a.example/")),
        ("https://<<vault:key>>.example/", None),
        ("https://<<vault:key>>/", None),
        ("https://api.<<vault:key>>", None),
        ("https:///<<vault:key>>/x", None),
        ("https://h:<<vault:key>>/", None),
        ("<<vault:key>>://h/", None),
        (r"https:\\<<vault:key>>/", None),
        ("<<vault:key>>", None),
    ] {
        let prepared = prepared(Kind::Http, &format!("GET {url}"), None);
        assert_eq!(prepared.target().as_ref().map(::url::Url::as_str), target, "{url}");
        assert_eq!(prepared.url(), None, "{url}");
        assert_eq!(prepared.secrets_in_host().is_empty(), target.is_some(), "{url}");
    }
}

#[test]
fn secrets_are_listed_with_their_places() {
    let text = "POST https://a.example/<<vault:a>>\nX-<<vault:b>>: <<vault:c>>\nAuthorization: Basic u <<vault:d>>\n\
                Content-Type: application/json\n\n{\"e\": \"<<vault:e>>\", \"f\": <<vault:f>>}";
    let secrets = prepared(Kind::Http, text, None).secrets();
    let places: Vec<(&str, Place)> = secrets.iter().map(|(name, _, place)| (name.as_str(), *place)).collect();
    assert_eq!(
        places,
        [
            ("a", Place::Url),
            ("b", Place::HeaderName),
            ("c", Place::HeaderValue),
            ("d", Place::Auth),
            ("e", Place::Body),
            ("f", Place::JsonBare),
        ]
    );
    for (name, span, _) in &secrets {
        assert_eq!(span.of(text), format!("<<vault:{name}>>"));
    }
}

#[test]
fn graphql_is_sent_as_json() {
    check(
        "GRAPHQL https://a.example/\n\n{ b }\n\n{\"c\": 1}",
        &expect![[r#"
            POST https://a.example/
            content-type: application/json
            query "{ b }" Some("{\"c\": 1}")
        "#]],
    );
}

#[test]
fn path_variables_fill_whole_segments() {
    check_collection(
        r#"{"method":"GET","url":{"raw":"https://a.example:8443/:id/x:id/:idx/:id?q=/:id","protocol":"https",
            "host":["a","example"],"port":"8443","path":[":id","x:id",":idx",":id"],"query":[{"key":"q","value":"/:id"}],
            "variable":[{"key":"id","value":"a b/{{vault:key}}?"}]}}"#,
        &expect![[r#"
            GET https://a.example:8443/a%20b/<<vault:key>>%3F/x:id/:idx/a%20b/<<vault:key>>%3F?q=/:id
        "#]],
    );
}

#[test]
fn credentials_of_a_collection_become_headers_or_a_query() {
    check_collection(
        r#"{"method":"GET","url":"https://a.example/","header":[{"key":"authorization","value":"old"}],
            "auth":{"type":"basic","basic":[{"key":"username","value":"u"},{"key":"password","value":"{{vault:key}}"}]}}"#,
        &expect![[r#"
            GET https://a.example/
            authorization: Basic(u : <<vault:key>>)
        "#]],
    );
    check_collection(
        r#"{"method":"GET","url":"https://a.example/",
            "auth":{"type":"bearer","bearer":[{"key":"token","value":"{{vault:key}}"}]}}"#,
        &expect![[r#"
            GET https://a.example/
            authorization: Bearer <<vault:key>>
        "#]],
    );
    check_collection(
        r##"{"method":"GET","url":"https://a.example/?b=c#d","auth":{"type":"apikey","apikey":[
            {"key":"key","value":"k&"},{"key":"value","value":"v={{vault:key}}"},{"key":"in","value":"query"}]}}"##,
        &expect![[r#"
            GET https://a.example/?b=c&k%26=v%3D<<vault:key>>#d
        "#]],
    );
    check_collection(
        r#"{"method":"GET","url":"https://a.example/","auth":{"type":"apikey","apikey":[
            {"key":"key","value":"X-Key"},{"key":"value","value":"{{vault:key}}"}]}}"#,
        &expect![[r#"
            GET https://a.example/
            X-Key: <<vault:key>>
        "#]],
    );
    check_collection(
        r#"{"method":"GET","url":"https://a.example/","auth":{"type":"hawk"}}"#,
        &expect![[r#"
            GET https://a.example/
            fault: the authentication type `hawk` is not supported; write the header itself
        "#]],
    );
}

#[test]
fn bodies_of_a_collection_are_typed_by_their_language() {
    for (body, expected) in [
        (r#"{"mode":"raw","raw":"{\"a\":1}","options":{"raw":{"language":"json"}}}"#, "application/json\nJson"),
        (r#"{"mode":"raw","raw":"<a/>","options":{"raw":{"language":"xml"}}}"#, "application/xml\nXml"),
        (r#"{"mode":"raw","raw":"a"}"#, "text/plain\nPlain"),
        (r#"{"mode":"raw","raw":"{}"}"#, "text/plain\nJson"),
    ] {
        let text = format!(
            r#"{{"info":{{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},
                "item":[{{"name":"one","request":{{"method":"POST","url":"https://a.example/","body":{body}}}}}]}}"#
        );
        let shown = shown(&prepared(Kind::Postman, &text, None));
        assert!(shown.contains(&format!("content-type: {expected}")), "{body}: {shown}");
    }
}

#[test]
fn rows_that_are_switched_off_are_not_sent() {
    check_collection(
        r#"{"method":"POST","url":"https://a.example/","header":[{"key":"A","value":"1","disabled":true},{"key":"B","value":"2"}],
            "body":{"mode":"urlencoded","urlencoded":[{"key":"c","value":"3","disabled":true},{"key":"d","value":"{{vault:key}}"}]}}"#,
        &expect![[r#"
            POST https://a.example/
            B: 2
            content-type: application/x-www-form-urlencoded
            field d = <<vault:key>>
        "#]],
    );
}

/// A workspace with files in it and beside it.
struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("api")).unwrap();
        fs::write(folder.path().join("outside.txt"), "outside").unwrap();
        fs::write(root.join("shared.txt"), "shared").unwrap();
        fs::write(root.join("api/near.txt"), "near {{host}} <<vault:key>>").unwrap();
        Self { folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn prepared(&self, text: &str, reading: Reading) -> Prepared {
        let root = self.root();
        prepared(Kind::Http, text, Some(Files { folder: &root.join("api"), root: &root, reading }))
    }

    /// The body and the faults of a request whose body is `line`. Looking at its file finds the faults that reading
    /// it finds.
    fn check(&self, line: &str, expected: &str) {
        let text = format!("@host = h\nPOST https://a.example/\n\n{line}");
        let read = self.prepared(&text, Reading::Everything);
        assert!(shown(&read).contains(expected), "{line}: {}", shown(&read));
        assert_eq!(self.prepared(&text, Reading::Templates).faults, read.faults, "{line}");
    }
}

#[test]
fn a_body_file_is_found_beside_the_request_or_in_the_root() {
    let workspace = Workspace::new();
    workspace.check("< near.txt", "bytes \"near {{host}} <<vault:key>>\"");
    workspace.check("< ./near.txt", "bytes \"near");
    workspace.check("< shared.txt", "bytes \"shared\"");
    workspace.check("< ../shared.txt", "bytes \"shared\"");
    workspace.check("<@ near.txt", "Plain \"near h <<vault:key>>\"");
}

#[test]
fn a_secret_in_a_body_file_enters_where_the_file_is_named() {
    let text = "POST https://a.example/\n\n<@ near.txt";
    let workspace = Workspace::new();
    let prepared = workspace.prepared(text, Reading::Templates);
    let [(_, span, Place::Body)] = prepared.secrets()[..] else { panic!("{:?}", prepared.secrets()) };
    assert_eq!(span.of(text), "near.txt");
}

#[test]
fn a_file_that_is_sent_as_it_is_is_not_read_before() {
    let workspace = Workspace::new();
    let prepared = workspace.prepared("POST https://a.example/\n\n< shared.txt", Reading::Templates);
    assert_eq!(prepared.body, PreparedBody::Bytes(vec![]));
    assert_eq!(prepared.faults, []);
}

#[test]
fn a_body_file_may_not_lie_outside_the_workspace() {
    let workspace = Workspace::new();
    workspace.check("< ../../outside.txt", "outside the workspace");
    for path in ["/etc/passwd", "/proc/self/environ", "/dev/zero", "~/.ssh/id_rsa", "\\\\host\\share", "C:\\x"] {
        workspace.check(&format!("< {path}"), "not named by a relative path");
    }
    workspace.check("< missing.txt", "does not exist");
    workspace.check("< .", "not a regular file");
    workspace.check("< <<vault:key>>", "cannot hold a secret");
}

#[cfg(unix)]
#[test]
fn links_pipes_and_devices_are_no_body_files() {
    use std::os::unix::fs::symlink;

    let workspace = Workspace::new();
    let api = workspace.root().join("api");
    symlink(workspace.folder.path().join("outside.txt"), api.join("out")).unwrap();
    symlink(api.join("near.txt"), api.join("in")).unwrap();
    symlink("/dev/zero", api.join("zero")).unwrap();
    symlink("/proc/self/environ", api.join("environ")).unwrap();
    for link in ["out", "zero", "environ"] {
        workspace.check(&format!("< {link}"), "outside the workspace");
    }
    workspace.check("< in", "bytes \"near");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, api.join("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    workspace.check("< pipe", "not a regular file");
}

#[test]
fn a_body_file_has_a_largest_size() {
    let workspace = Workspace::new();
    let path = workspace.root().join("large");
    let file = fs::File::create(&path).unwrap();
    file.set_len(file::LARGEST).unwrap();
    let prepared = workspace.prepared("POST https://a.example/\n\n< large", Reading::Everything);
    assert_eq!(prepared.faults, []);
    file.set_len(file::LARGEST + 1).unwrap();
    workspace.check("< large", "larger than 10 MiB");
}

#[test]
fn body_files_are_left_alone_where_nothing_is_sent() {
    check(
        "POST https://a.example/\n\n< ../../outside.txt",
        &expect![[r#"
            POST https://a.example/
        "#]],
    );
}

#[test]
fn a_text_with_files_in_it_is_put_together() {
    let text = "@host = h\nPOST https://a.example/\nContent-Type: multipart/form-data; boundary=\"b\"\n\n--b\n\n<<vault:key>>\n--b\n\n\
                < near.txt\n--b\n\n<@ ./near.txt\n--b--";
    let workspace = Workspace::new();
    let mut prepared = workspace.prepared(text, Reading::Everything);
    // The reader of `.http` files may still refuse these; what they become is settled here.
    prepared.faults.clear();
    expect![[r#"
        POST https://a.example/
        Content-Type: multipart/form-data; boundary="b"
        mixed Plain Some("b")
          text "--b\r\n\r\n<<vault:key>>\r\n--b\r\n\r\n"
          bytes "near {{host}} <<vault:key>>"
          text "\r\n--b\r\n\r\n"
          text "near h <<vault:key>>"
          text "\r\n--b--\r\n"
    "#]]
    .assert_eq(&shown(&prepared));
}
