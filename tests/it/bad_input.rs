//! Texts that no one means: the readers stay total, bounded, and inside the text.

use proptest::{prelude::*, test_runner::RngSeed};
use vaultls::{
    syntax::{Body, Document, Kind, PartContent, Request, Segment, Written, parse},
    text::Span,
};

/// Asserts that every span of `document` lies in `source`, on characters, in order.
pub(crate) fn check_spans(document: &Document, source: &str) {
    let mut spans: Vec<Span> = document.requests.iter().flat_map(request_spans).collect();
    spans.extend(document.references.iter().flat_map(|reference| [reference.span, reference.name_span]));
    spans.extend(document.uses.iter().flat_map(|used| [used.span, used.name_span]));
    spans.extend(document.variables.iter().flat_map(|variable| [variable.span, variable.name_span]));
    spans.extend(document.variables.iter().flat_map(|variable| written_spans(&variable.value)));
    spans.extend(document.errors.iter().map(|error| error.span));
    for span in spans {
        let whole = span.start <= span.end && source.get(span.start..span.end).is_some();
        assert!(whole, "{span:?} is no part of the text of {} bytes", source.len());
    }
    assert!(document.requests.is_sorted_by(|a, b| a.span.end <= b.span.start), "requests overlap");
    assert!(document.requests.iter().all(|request| request.span.contains(request.line)), "a line outside its request");
    assert!(document.references.is_sorted_by(|a, b| a.span.end <= b.span.start), "references overlap");
    assert!(document.uses.is_sorted_by(|a, b| a.span.end <= b.span.start), "uses overlap");
}

fn request_spans(request: &Request) -> Vec<Span> {
    let mut spans = vec![request.span, request.line, request.method.span];
    spans.extend(request.name.iter().map(|name| name.span));
    spans.extend(request.version);
    spans.extend(request.ignored.iter().map(|ignored| ignored.span));
    spans.extend(request.headers.iter().map(|header| header.span));
    let mut written = vec![&request.url];
    written.extend(&request.shown_url);
    written.extend(request.headers.iter().flat_map(|header| [&header.name, &header.value]));
    written.extend(body_texts(&request.body));
    spans.extend(written.into_iter().flat_map(written_spans));
    spans
}

/// The texts that a body is made of.
pub(crate) fn body_texts(body: &Body) -> Vec<&Written> {
    match body {
        Body::None => vec![],
        Body::Text { text, .. } => vec![text],
        Body::Form(fields) => fields.iter().flat_map(|field| [&field.key, &field.value]).collect(),
        Body::Multipart(parts) => parts
            .iter()
            .flat_map(|part| match &part.content {
                PartContent::Text(text) | PartContent::File(text) => [&part.key, text],
            })
            .collect(),
        Body::File { path, .. } => vec![path],
        Body::GraphQl { query, variables } => std::iter::once(query).chain(variables).collect(),
    }
}

fn written_spans(written: &Written) -> Vec<Span> {
    let spans = written.segments.iter().filter_map(|segment| match segment {
        Segment::Source(span) => Some(*span),
        Segment::Implied(_) => None,
    });
    spans.collect()
}

fn read(source: &str) -> Document {
    let document = parse(Kind::Http, source);
    check_spans(&document, source);
    document
}

#[test]
fn texts_without_requests_are_read() {
    for source in ["", "\u{feff}", "\n\r\n", "\r", "###", "###\n", "\u{feff}### x", "@", "#", "\0", "{{", "<<vault:"] {
        read(source);
    }
    assert_eq!(read("").requests.len(), 0);
}

#[test]
fn a_file_may_hold_a_million_references() {
    let count = 1_000_000;
    let body = "{\"a\": \"<<vault:k>>\"}\n".repeat(count);
    let document = read(&format!("POST https://a\n\n{body}"));
    assert_eq!(document.references.len(), count);
}

#[test]
fn a_line_may_be_fifty_megabytes_long() {
    let line = "{\"vector\": [0.1, 0.2, 0.3], \"key\": \"<<vault:k>>\"}".repeat((50 << 20) / 50);
    let document = read(&format!("POST https://a\n\n{line}"));
    assert_eq!(document.references.len(), (50 << 20) / 50);
}

/// Each of these would never end if the search for a closer were begun anew at every opener.
#[test]
fn openers_without_closers_are_passed_over() {
    for piece in ["{{", "{{a", "<<vault:a ", "<<vault:a", "{{a <<", "<< ", "< <", "{ {", " HTTP/", "\"[\\\"{", ":", "?"]
    {
        let line = piece.repeat((1 << 18) / piece.len());
        for start in ["", "GET https://a/", "GET https://a\nA: ", "GET https://a\n", "POST https://a\n\n"] {
            read(&format!("{start}{line}"));
        }
    }
}

#[test]
fn a_file_may_hold_very_many_lines_of_one_kind() {
    for line in [
        "{{",
        "> {%",
        "< {%",
        "###",
        "# @name x",
        "@a = b",
        "@a",
        "/*",
        "< a",
        "HTTP/1.1 200",
        "&a=b",
        "A: b",
        "a",
        "?? a",
        "...",
    ] {
        let lines = format!("{line}\n").repeat(100_000);
        for start in ["", "GET https://a\n", "POST https://a\n\nx\n\n"] {
            read(&format!("{start}{lines}"));
        }
    }
}

proptest! {
    // The same texts every time, so that what passes once passes always.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn shuffled_pieces_of_requests_are_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        read(&pieces.concat());
    }
}

const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\u{feff}",
    "\u{a0}",
    "é",
    "\0",
    "###",
    "### name",
    "# ",
    "// ",
    "# @name x",
    "# @timeout 5",
    "@a = ",
    "@",
    "=",
    "GET ",
    "POST ",
    "get ",
    "FOO ",
    "https://a/b",
    "/c",
    "?d=e",
    "&f",
    " HTTP/1.1",
    "A: ",
    "Content-Type: ",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "Host: a:443",
    "X-Request-Type: GraphQL",
    ":",
    "{",
    "}",
    "[",
    "\"",
    "\\",
    "{{",
    "}}",
    "{{a}}",
    "<<",
    ">>",
    ">",
    "<<vault:a>>",
    "<<vault:",
    "{{vault:b}}",
    "< ",
    "<@ ",
    "> {%",
    "%}",
    "< {%",
    "> a.js",
    ">> b",
    "<> c",
    "?? d",
    "HTTP/1.1 200 OK",
    "/*",
    "*/",
    "run #a",
    "curl https://a",
    "GRAPHQL ",
    "WS ",
    "...",
    "a=b",
    "body",
];
