//! Every place of a document where the same value stands as a literal.

use memchr::memmem;

use crate::{
    syntax::{Document, Kind, json},
    text::Span,
};

/// How many places of one document are found.
pub const MAX_OCCURRENCES: usize = 100;

/// A shorter value is not looked for elsewhere: it stands for something else there.
const SHORTEST: usize = 8;

/// The literals of `document` whose value is `value`, by position. `written` is another way in which it may stand in
/// the text, such as with escapes.
pub fn occurrences(document: &Document, source: &str, value: &str, written: &str) -> Vec<Span> {
    if value.len() < SHORTEST {
        return Vec::new();
    }
    let mut hits: Vec<Span> = Vec::new();
    for needle in [value, written] {
        let found = memmem::find_iter(source.as_bytes(), needle).map(|start| Span::new(start, start + needle.len()));
        hits.extend(found.filter(|span| stands_alone(source, *span)).take(MAX_OCCURRENCES));
    }
    hits.sort_unstable();
    hits.dedup();
    let parts = if document.kind == Kind::Postman && !hits.is_empty() { url_objects(source) } else { Vec::new() };
    hits.retain(|span| {
        let literal = super::at(document, source, *span);
        let is_it = literal.is_some_and(|literal| {
            literal.span == *span && literal.value(document.kind, source).is_some_and(|other| *other == *value)
        });
        is_it || parts.iter().any(|part| part.contains(*span))
    });
    let mut end = 0;
    hits.retain(|span| {
        let is_behind = span.start >= end;
        end = end.max(span.end);
        is_behind
    });
    hits
}

/// Whether the text around it does not go on with it.
fn stands_alone(source: &str, span: Span) -> bool {
    let goes_on = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
    let before = source[..span.start].chars().next_back();
    // The letter of an escape of a collection, as in `\nvalue`, is no part of a value.
    let escaped = source[..span.start].chars().rev().nth(1) == Some('\\');
    let after = source[span.end..].chars().next();
    (escaped || !before.is_some_and(goes_on)) && !after.is_some_and(goes_on)
}

/// The URLs of a collection that are written as parts: these must go on making the raw text.
fn url_objects(source: &str) -> Vec<Span> {
    let tree = json::scan(source);
    let nodes = (1..tree.len()).map(|index| (tree.node(index - 1), tree.node(index)));
    let urls = nodes
        .filter(|(key, value)| key.kind() == json::Kind::Key && value.kind() == json::Kind::Object && key.is("url"));
    urls.map(|(_, value)| value.span()).collect()
}
