//! Real collections, with the truth that Postman's own library gives.

#![expect(clippy::disallowed_methods, reason = "the corpus lies on the disk")]

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use proptest::{prelude::*, test_runner::RngSeed};
use serde::Deserialize;
use vaultls::{
    syntax::{Auth, Body, Document, Request, Written, postman},
    text::decode_bytes,
};

#[derive(Deserialize)]
struct Truth {
    kind: String,
    requests: Vec<TrueRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrueRequest {
    /// Missing in v1, whose folders nobody judged.
    path: Option<Vec<String>>,
    name: Option<String>,
    method: Option<String>,
    url: Option<String>,
    body_mode: Option<String>,
    auth: Option<String>,
    /// The URL that Postman's library sends, where it is another than `url`.
    sent: Option<String>,
}

/// The files of the corpus with their text, or nothing where there is no corpus.
fn corpus() -> Vec<(String, String)> {
    let folder = folder().join("postman");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED: there is no corpus at {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = decode_bytes(&std::fs::read(&path).unwrap()).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    files.sort();
    files
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus")
}

fn truth() -> BTreeMap<String, Truth> {
    let text = std::fs::read(folder().join("postman.truth.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn every_request_of_the_corpus_is_listed_as_postman_lists_it() {
    let files = corpus();
    if files.is_empty() {
        return;
    }
    let truth = truth();
    let (mut requests, mut matched, mut sent, mut misses) = (0, 0, 0, Vec::new());
    for (file, text) in &files {
        let Some(truth) = truth.get(file) else { continue };
        let document = postman::parse(text);
        let inherits = holds_inherited_auth(text);
        if document.requests.len() != truth.requests.len() {
            misses.push(format!("{file}: {} requests, not {}", document.requests.len(), truth.requests.len()));
        }
        for (request, expected) in document.requests.iter().zip(&truth.requests) {
            requests += 1;
            let faults = faults(request, expected, text, inherits && truth.kind == "collection");
            if faults.is_empty() {
                matched += 1;
            } else {
                misses.push(format!("{file}: {:?}: {}", expected.name, faults.join("; ")));
            }
            sent += usize::from(is_sent_as(request, expected, text));
        }
    }
    println!("listed as Postman lists them: {matched} of {requests}; sent to the same URL: {sent} of {requests}");
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
    assert_eq!(sent, requests);
}

/// What differs from the truth.
fn faults(request: &Request, expected: &TrueRequest, text: &str, inherits: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut compare = |what: &str, read: Option<&str>, expected: Option<&str>| {
        if read != expected {
            faults.push(format!("{what}: {read:?}, not {expected:?}"));
        }
    };
    if let Some(path) = &expected.path {
        compare("folders", Some(&request.folders.join("/")), Some(&path.join("/")));
    }
    compare("name", request.name.as_ref().map(|name| name.text.as_str()), expected.name.as_deref());
    let holds_request = request.not_runnable != Some("the item holds no request");
    compare("method", holds_request.then_some(&*request.method.text), expected.method.as_deref());
    let listed = request.shown_url.as_ref().unwrap_or(&request.url);
    let url = listed.span().map(|_| listed.text(text));
    compare("URL", url.as_deref(), expected.url.as_deref());
    if !request.ignored.iter().any(|ignored| ignored.what == "disabled body") {
        compare("body", mode(&request.body), expected.body_mode.as_deref().map(modern_mode));
    }
    let auth = match expected.auth.as_deref() {
        // v1 has no truth about credentials, and an inherited one is none of the request's own.
        None if inherits || expected.path.is_none() => return faults,
        None | Some("noauth") => None,
        auth => auth,
    };
    compare("auth", scheme(request.auth.as_ref()), auth);
    faults
}

/// v1 has names of its own for the modes.
fn modern_mode(mode: &str) -> &str {
    match mode {
        "params" => "formdata",
        "binary" => "file",
        mode => mode,
    }
}

fn mode(body: &Body) -> Option<&'static str> {
    match body {
        Body::None => None,
        Body::Text { .. } => Some("raw"),
        Body::Form(_) => Some("urlencoded"),
        Body::Multipart(_) => Some("formdata"),
        Body::File { .. } => Some("file"),
        Body::GraphQl { .. } => Some("graphql"),
    }
}

fn scheme(auth: Option<&Auth>) -> Option<&str> {
    auth.map(|auth| match auth {
        Auth::Basic { .. } => "basic",
        Auth::Bearer { .. } => "bearer",
        Auth::ApiKey { .. } => "apikey",
        Auth::Unsupported(scheme) => scheme,
    })
}

/// Whether the collection or one of its folders has credentials that its requests take over.
fn holds_inherited_auth(text: &str) -> bool {
    fn of_items(group: &serde_json::Value) -> bool {
        let children = group["item"].as_array();
        children.is_some_and(|children| group["auth"].is_object() || children.iter().any(of_items))
    }
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    of_items(&json) || of_items(&json["collection"])
}

/// Whether the URL, its path variables filled in, is the one that Postman's library makes.
fn is_sent_as(request: &Request, expected: &TrueRequest, text: &str) -> bool {
    let Some(wanted) = expected.sent.as_ref().or(expected.url.as_ref()) else { return request.url.is_empty() };
    let mut url = request.url.text(text).into_owned();
    for field in &request.path_variables {
        let segment = format!("/:{}", field.key.text(text));
        if url.ends_with(&segment) || url.contains(&format!("{segment}/")) || url.contains(&format!("{segment}?")) {
            url = url.replacen(&segment, &format!("/{}", field.value.text(text)), 1);
        }
    }
    // The library turns `\` into `/` at once; here that happens when the URL is read by the standard's rules.
    let same = &url == wanted || url.replace('\\', "/") == *wanted;
    if !same {
        println!("sent elsewhere: {:?}\n  here    {url}\n  Postman {wanted}", expected.name);
    }
    same
}

#[test]
fn collections_are_told_from_other_files() {
    let truth = truth_if_any();
    for (file, text) in corpus() {
        let expected = truth.contains_key(&file);
        assert_eq!(postman::is_collection(&text), expected, "{file}");
    }
}

fn truth_if_any() -> BTreeMap<String, Truth> {
    if corpus().is_empty() { BTreeMap::new() } else { truth() }
}

#[test]
fn every_prefix_of_every_file_is_read_and_every_span_lies_inside() {
    for (file, text) in corpus() {
        // About sixty prefixes of each file, at uneven places; each of a small one.
        let step = if text.len() < 1500 { 1 } else { text.len() / 60 + 7 };
        for end in (0..=text.len()).step_by(step).filter(|end| text.is_char_boundary(*end)) {
            let prefix = &text[..end];
            check_spans(&postman::parse(prefix), prefix, &file);
        }
        check_spans(&postman::parse(&text), &text, &file);
    }
}

/// Slices the source at every span of the document.
fn check_spans(document: &Document, source: &str, file: &str) {
    let mut last = 0;
    for request in &document.requests {
        assert!(request.span.start >= last, "{file}: requests follow each other");
        last = request.span.end;
        let _ = (request.span.of(source), request.line.of(source), request.method.span.of(source));
        assert!(request.span.contains(request.line), "{file}");
        let _ = request.name.as_ref().map(|name| name.span.of(source));
        for text in texts(request) {
            let _ = text.text(source);
        }
        for ignored in &request.ignored {
            let _ = ignored.span.of(source);
        }
    }
    let mut last = 0;
    for reference in &document.references {
        assert!(reference.span.start >= last && reference.span.contains(reference.name_span), "{file}");
        last = reference.span.end;
        let _ = (reference.span.of(source), reference.name_span.of(source));
    }
    let mut last = 0;
    for used in &document.uses {
        assert!(used.span.start >= last && used.span.contains(used.name_span), "{file}");
        last = used.span.end;
        let _ = (used.span.of(source), used.name_span.of(source));
    }
    for variable in &document.variables {
        let _ = (variable.span.of(source), variable.name_span.of(source), variable.value.text(source));
    }
    for error in &document.errors {
        let _ = error.span.of(source);
    }
    assert!(document.errors.len() <= 200, "{file}");
}

/// Every text of a request.
fn texts(request: &Request) -> Vec<&Written> {
    let mut texts = vec![&request.url];
    texts.extend(&request.shown_url);
    texts.extend(request.headers.iter().flat_map(|header| [&header.name, &header.value]));
    texts.extend(request.path_variables.iter().flat_map(|field| [&field.key, &field.value]));
    match &request.body {
        Body::None | Body::Multipart(_) => {}
        Body::Text { text, .. } | Body::File { path: text, .. } => texts.push(text),
        Body::Form(fields) => texts.extend(fields.iter().flat_map(|field| [&field.key, &field.value])),
        Body::GraphQl { query, variables } => texts.extend([query].into_iter().chain(variables)),
    }
    match &request.auth {
        Some(Auth::Basic { user, password }) => texts.extend([user, password]),
        Some(Auth::Bearer { token }) => texts.push(token),
        Some(Auth::ApiKey { key, value, .. }) => texts.extend([key, value]),
        Some(Auth::Unsupported(_)) | None => {}
    }
    texts
}

/// Reads a hostile text in a time that only a mistake exceeds: debug builds on a loaded machine included.
fn check_bounded(what: &str, text: &str) {
    let start = Instant::now();
    let document = postman::parse(text);
    let _ = postman::is_collection(text);
    check_spans(&document, text, what);
    let took = start.elapsed();
    println!("{what}: {} bytes, {} references, {took:?}", text.len(), document.references.len());
    assert!(took.as_secs() < 60, "{what} took {took:?}");
}

#[test]
fn hostile_collections_are_read_in_bounded_time() {
    let item = r#"{"name":"r","request":"https://x/"}"#;
    check_bounded("a million arrays", &"[".repeat(1_000_000));
    check_bounded("a million objects", &"{\"item\":".repeat(1_000_000));
    let folders = format!("{}{item}{}", "{\"name\":\"f\",\"item\":[".repeat(100_000), "]}".repeat(100_000));
    check_bounded("a hundred thousand folders in each other", &folders);
    let long = "n".repeat(1 << 20);
    let items = vec![item; 20_000].join(",");
    let auth = format!(r#""auth":{{"type":"{long}"}}"#);
    let name = format!(r#"{{{auth},"item":[{{"name":"{long}","item":[{items}]}}]}}"#);
    check_bounded("a long folder name above many requests", &name);
    let line = format!(r#"{{"item":[{{"request":{{"url":"{}"}}}}]}}"#, "x".repeat(50 << 20));
    check_bounded("a line of 50 MB", &line);
    let references = format!(r#"{{"item":[{{"request":"{}"}}]}}"#, "<<vault:a>>".repeat(1_000_000));
    check_bounded("a million references", &references);
    let escaped = format!(r#"{{"item":[{{"request":"{}"}}]}}"#, r"\u003c\u003cvault:a>>".repeat(200_000));
    check_bounded("escaped references", &escaped);
    let members = format!(r#"{{"item":[{{"request":{{{}}}}}]}}"#, r#""k":1,"#.repeat(500_000));
    check_bounded("a request of many members", &members);
    let folders: Vec<String> =
        (0..20_000).map(|id| format!(r#"{{"id":"{id}","folders_order":["{}"]}}"#, id + 1)).collect();
    let circle = format!(
        r#"{{"requests":[{{"url":"a","folder":"7"}}],"folders":[{},{{"id":"20000","folders_order":["0"]}}]}}"#,
        folders.join(",")
    );
    check_bounded("folders in a circle", &circle);
    let query = format!(r#"{{"item":[{{"request":{{"url":{{"query":[{{"key":"{}"}}]}}}}}}]}}"#, "{{<<".repeat(200_000));
    check_bounded("a query of openers", &query);
}

fn collection_like() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\n",
        "null",
        "1",
        "true",
        "\"item\":",
        "\"request\":",
        "\"url\":",
        "\"raw\":",
        "\"query\":",
        "\"header\":",
        "\"body\":",
        "\"mode\":\"raw\"",
        "\"auth\":",
        "\"type\":\"basic\"",
        "\"key\":",
        "\"value\":",
        "\"variable\":",
        "\"event\":",
        "\"<<vault:a>>\"",
        "\"{{b}}\"",
        "\"A: b\\nC: d\"",
        "\"requests\":",
        "\"folders\":",
        "\"order\":",
        "\"headers\":",
        "\"é\\ud83d\\u003c\"",
        "\"host\":",
        "\"path\":",
        "\"disabled\":true",
        "[{",
        "}]",
        "\"x\",",
        "\"listen\":\"test\"",
        "\"script\":",
    ];
    let word = proptest::sample::select(words.to_vec());
    proptest::collection::vec(word, 0..80).prop_map(|words| words.concat())
}

proptest! {
    // The same texts every time, so that what passes once passes always.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_document(text in collection_like()) {
        check_spans(&postman::parse(&text), &text, "generated");
        let _ = postman::is_collection(&text);
    }
}
