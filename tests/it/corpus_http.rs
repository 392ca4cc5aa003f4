//! Real `.http` files against what independent readers say of them.

#![expect(clippy::disallowed_methods, reason = "reads the corpus, which lies outside the project")]

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use serde::Deserialize;
use vaultls::{
    status::Severity,
    syntax::{Document, Kind, Request, Segment, Written, parse},
    text::Span,
};

use crate::bad_input::{body_texts, check_spans};

#[derive(Deserialize)]
struct Truth {
    verdict: String,
    /// Present where the readers agree.
    requests: Option<Vec<TrueRequest>>,
}

#[derive(Deserialize)]
struct TrueRequest {
    /// Zero-based, see [`first_line`].
    line: usize,
    method: String,
    url: String,
    /// Each name once.
    headers: Vec<String>,
}

struct File {
    name: String,
    text: String,
    truth: Truth,
}

/// The corpus; none where it is not at hand.
fn corpus() -> Option<Vec<File>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(truth) = std::fs::read_to_string(folder.join("http.truth.json")) else {
        // Written past the harness, which would swallow it: a skipped corpus must be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no corpus beside the project");
        return None;
    };
    let truth: BTreeMap<String, Truth> = serde_json::from_str(&truth).expect("the truth file is JSON");
    let files = truth.into_iter().map(|(name, truth)| {
        let bytes = std::fs::read(folder.join("http").join(&name)).expect("every file of the truth is there");
        File { text: String::from_utf8_lossy(&bytes).into_owned(), name, truth }
    });
    Some(files.collect())
}

fn text(written: &Written, source: &str) -> String {
    written.text(source).into_owned()
}

/// The first line below the `###` line of the request's block; in the first block that line counts too.
fn first_line(request: &Request, source: &str) -> usize {
    let above = source[..request.span.start].matches('\n').count();
    if above == 0 { 0 } else { above + 1 }
}

/// A request in one line, to be compared and shown.
fn listed(line: usize, method: &str, url: &str, headers: &[String]) -> String {
    format!("{line} {method} {} [{}]", url.trim(), headers.join(", "))
}

fn ours(document: &Document, source: &str) -> Vec<String> {
    let list = |request: &Request| {
        let mut headers: Vec<String> = Vec::new();
        for name in request.headers.iter().map(|header| text(&header.name, source)) {
            if !headers.contains(&name) {
                headers.push(name);
            }
        }
        let url = request.shown_url.as_ref().unwrap_or(&request.url);
        listed(first_line(request, source), &request.method.text, &text(url, source), &headers)
    };
    document.requests.iter().map(list).collect()
}

#[test]
fn where_other_readers_agree_so_do_we() {
    let Some(files) = corpus() else { return };
    let (mut agreed, mut misses) = (0, Vec::new());
    for file in &files {
        let Some(requests) = &file.truth.requests else { continue };
        agreed += 1;
        let expected: Vec<String> = requests
            .iter()
            .map(|request| listed(request.line, &request.method, &request.url, &request.headers))
            .collect();
        let found = ours(&parse(Kind::Http, &file.text), &file.text);
        if found != expected {
            misses.push(format!("{}\n  expected {expected:#?}\n  found {found:#?}", file.name));
        }
    }
    println!("{} of {agreed} files agree", agreed - misses.len());
    assert!(misses.is_empty(), "{} misses of {agreed}:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn files_that_everyone_reads_alike_hold_no_errors() {
    let Some(files) = corpus() else { return };
    for file in files.iter().filter(|file| file.truth.verdict == "3-agree") {
        let errors = parse(Kind::Http, &file.text).errors;
        let errors: Vec<_> = errors.iter().filter(|error| error.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.name);
    }
}

#[test]
fn every_file_has_ranges_that_lie_in_it() {
    let Some(files) = corpus() else { return };
    for file in &files {
        check_spans(&parse(Kind::Http, &file.text), &file.text);
    }
}

#[test]
fn every_beginning_of_every_file_is_read() {
    const WHOLE: usize = 2 << 10;
    const SAMPLES: usize = 200;
    let Some(files) = corpus() else { return };
    for file in &files {
        let step = if file.text.len() > WHOLE { file.text.len() / SAMPLES } else { 1 };
        for end in (0..file.text.len()).step_by(step).filter(|end| file.text.is_char_boundary(*end)) {
            let start = &file.text[..end];
            check_spans(&parse(Kind::Http, start), start);
        }
    }
}

/// A reference put at the end of a request's URL, of a header's value or of a body is found where it was put.
#[test]
fn references_that_are_put_in_are_found() {
    let Some(files) = corpus() else { return };
    let mut put = 0;
    for file in &files {
        for request in &parse(Kind::Http, &file.text).requests {
            let values = request.headers.iter().map(|header| &header.value);
            for written in values.chain([&request.url]).chain(body_texts(&request.body)) {
                let Some(Segment::Source(span)) = written.segments.last() else { continue };
                check_reference(file, span.end);
                put += 1;
            }
        }
    }
    println!("{put} references put in and found");
}

fn check_reference(file: &File, at: usize) {
    const REFERENCE: &str = "<<vault:db/pass>>";
    let source = format!("{}{REFERENCE}{}", &file.text[..at], &file.text[at..]);
    let document = parse(Kind::Http, &source);
    let found = document.references.iter().any(|reference| reference.span == Span::new(at, at + REFERENCE.len()));
    assert!(found, "not found at {at} of {}", file.name);
}
