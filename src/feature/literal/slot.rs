//! The places of a document that hold literals, and what each is called.

use crate::{
    syntax::{Auth, Body, Document, Escapes, Field, Kind, PartContent, Request, Segment, Written, body::BodySyntax},
    text::Span,
};

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Url,
    /// `Authorization` and its like: a scheme, then credentials.
    Credentials,
    Cookie,
    /// A header that holds no secret.
    Plain,
    /// One value and nothing else: a header, a field, a variable.
    Whole,
    Body(BodySyntax),
}

/// A slot of a document.
pub(super) struct Found<'a> {
    pub(super) slot: Slot,
    pub(super) segment: Span,
    pub(super) escapes: Escapes,
    /// The text before the segment that belongs to the same URL.
    pub(super) before: String,
    pub(super) hint: String,
    pub(super) request: Option<usize>,
    pub(super) variable: Option<String>,
    pub(super) written: &'a Written,
}

/// Headers whose values nobody keeps secret.
const PLAIN: [&str; 14] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "origin",
    "pragma",
    "referer",
    "transfer-encoding",
    "user-agent",
];

/// The slot that holds all of `span`.
pub(super) fn at<'a>(document: &'a Document, source: &str, span: Span) -> Option<Found<'a>> {
    if let Some(found) = in_variable(document, span) {
        return Some(found);
    }
    if let Some(request) = document.request_at(span.start)
        && let Some(found) = in_request(document, source, request, span)
    {
        return Some(found);
    }
    // The credentials of a collection or a folder stand outside of the requests that inherit them.
    let inherits = |request: &Request| credentials(request, source).iter().any(|(.., written)| holds(written, span));
    let request = document.requests.iter().position(inherits)?;
    in_request(document, source, request, span)
}

fn in_variable(document: &Document, span: Span) -> Option<Found<'_>> {
    let variable = document.variables.iter().find(|variable| holds(&variable.value, span))?;
    let mut found = found(Slot::Whole, &variable.value, span, variable.name.clone())?;
    found.variable = Some(variable.name.clone());
    Some(found)
}

fn in_request<'a>(document: &'a Document, source: &str, index: usize, span: Span) -> Option<Found<'a>> {
    let request = &document.requests[index];
    let slots = slots(document.kind, request, source);
    let (slot, hint, written) = slots.into_iter().find(|(.., written)| holds(written, span))?;
    let mut found = found(slot, written, span, hint)?;
    found.request = Some(index);
    if slot == Slot::Url {
        found.before = before(found.written, found.segment, source);
    }
    Some(found)
}

fn found<'a>(slot: Slot, written: &'a Written, span: Span, hint: String) -> Option<Found<'a>> {
    let segment = segments(written).find(|segment| segment.contains(span))?;
    let (escapes, before) = (written.escapes, String::new());
    Some(Found { slot, segment, escapes, before, hint, request: None, variable: None, written })
}

fn segments(written: &Written) -> impl Iterator<Item = Span> {
    written.segments.iter().filter_map(|segment| match segment {
        Segment::Source(span) => Some(*span),
        Segment::Implied(_) => None,
    })
}

fn holds(written: &Written, span: Span) -> bool {
    segments(written).any(|segment| segment.contains(span))
}

/// The text of `written` in front of one of its segments.
fn before(written: &Written, segment: Span, source: &str) -> String {
    let is_it = |one: &Segment| matches!(one, Segment::Source(span) if *span == segment);
    let count = written.segments.iter().position(is_it).unwrap_or_default();
    let before = Written { segments: written.segments[..count].into(), escapes: written.escapes };
    before.text(source).into_owned()
}

type Listed<'a> = (Slot, String, &'a Written);

fn slots<'a>(kind: Kind, request: &'a Request, source: &str) -> Vec<Listed<'a>> {
    let mut slots: Vec<Listed<'a>> = vec![(Slot::Url, "url".into(), &request.url)];
    for header in &request.headers {
        let name = header.name.text(source).trim().to_ascii_lowercase();
        slots.push((header_slot(&name), name, &header.value));
    }
    slots.extend(credentials(request, source));
    slots.extend(request.path_variables.iter().map(|field| row(field, source)));
    match &request.body {
        Body::Text { text, language } => {
            let syntax = body_syntax(kind, request, source, text, language.as_deref());
            slots.push((Slot::Body(syntax), "body".into(), text));
        }
        Body::Form(fields) => slots.extend(fields.iter().map(|field| row(field, source))),
        Body::Multipart(parts) => slots.extend(parts.iter().filter_map(|part| match &part.content {
            PartContent::Text(text) => Some((Slot::Whole, part.key.text(source).into_owned(), text)),
            PartContent::File(_) => None,
        })),
        Body::GraphQl { variables: Some(variables), .. } => {
            slots.push((Slot::Body(BodySyntax::Json), "variables".into(), variables));
        }
        Body::GraphQl { .. } | Body::None | Body::File { .. } => {}
    }
    slots
}

fn row<'a>(field: &'a Field, source: &str) -> Listed<'a> {
    (Slot::Whole, field.key.text(source).into_owned(), &field.value)
}

fn header_slot(name: &str) -> Slot {
    match name {
        "authorization" | "proxy-authorization" => Slot::Credentials,
        "cookie" => Slot::Cookie,
        name if PLAIN.contains(&name) => Slot::Plain,
        _ => Slot::Whole,
    }
}

/// What a collection writes apart from the headers.
fn credentials<'a>(request: &'a Request, source: &str) -> Vec<Listed<'a>> {
    match &request.auth {
        Some(Auth::Basic { user, password }) => {
            vec![(Slot::Whole, "password".into(), password), (Slot::Whole, "user".into(), user)]
        }
        Some(Auth::Bearer { token }) => vec![(Slot::Whole, "token".into(), token)],
        Some(Auth::ApiKey { key, value, .. }) => vec![(Slot::Whole, key.text(source).into_owned(), value)],
        Some(Auth::Unsupported(_)) | None => Vec::new(),
    }
}

/// The language by which values will be put in.
fn body_syntax(kind: Kind, request: &Request, source: &str, text: &Written, language: Option<&str>) -> BodySyntax {
    let declared = request.headers.iter().filter(|header| header.enabled);
    let mut declared = declared.filter(|header| header.name.text(source).trim().eq_ignore_ascii_case("content-type"));
    let content_type = declared.next().map(|header| header.value.text(source));
    BodySyntax::of(kind, language, content_type.as_deref(), || looks_like_json(text, source))
}

fn looks_like_json(text: &Written, source: &str) -> bool {
    let Some(span) = segments(text).next() else { return false };
    let start = span.of(source).trim_start_matches('\u{feff}').trim_start();
    // In a collection line breaks of a raw body are escapes.
    let start = start.trim_start_matches(|char: char| char.is_whitespace());
    let start = start.trim_start_matches("\\n").trim_start_matches("\\r\\n").trim_start_matches("\\t");
    start.trim_start().starts_with(['{', '['])
}
