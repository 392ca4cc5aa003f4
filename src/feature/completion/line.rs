//! Methods at the start of a request line, and the names of headers below it.

use crate::{
    feature::{
        Context,
        completion::{Item, ItemKind, before},
    },
    syntax::Kind,
    text::Span,
};

/// Methods of RFC 9110 section 9 and RFC 5789.
const METHODS: &[(&str, &str)] = &[
    ("GET", "reads"),
    ("POST", "has the body processed"),
    ("PUT", "replaces"),
    ("PATCH", "changes a part"),
    ("DELETE", "removes"),
    ("HEAD", "reads the headers only"),
    ("OPTIONS", "asks what is possible"),
];

/// Request headers that people write by hand (IANA's registry of field names).
const HEADERS: &[(&str, &str)] = &[
    ("Accept", "Accept: application/json"),
    ("Accept-Encoding", "Accept-Encoding: gzip"),
    ("Accept-Language", "Accept-Language: en"),
    ("Authorization", "Authorization: Bearer "),
    ("Cache-Control", "Cache-Control: no-cache"),
    ("Content-Type", "Content-Type: application/json"),
    ("Cookie", "Cookie: "),
    ("If-Match", "If-Match: "),
    ("If-None-Match", "If-None-Match: "),
    ("Origin", "Origin: "),
    ("Referer", "Referer: "),
    ("User-Agent", "User-Agent: "),
    ("X-Api-Key", "X-Api-Key: "),
    ("X-Request-Id", "X-Request-Id: {{$guid}}"),
];

/// What a line can start with at `offset`, in an `.http` file.
pub(super) fn items(context: &Context<'_>, offset: usize) -> Vec<Item> {
    let word = before(context.source, offset);
    let start = offset - word.len();
    let at_line_start = start == 0 || context.source[..start].ends_with('\n');
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if context.document.kind != Kind::Http || !at_line_start || !is_word {
        return Vec::new();
    }
    let span = Span::new(start, offset);
    match zone(&context.source[..start]) {
        Zone::RequestLine => {
            let item = |(name, detail): &(&str, &str)| item(name, ItemKind::Method, detail, span, format!("{name} "));
            METHODS.iter().map(item).collect()
        }
        Zone::Headers => {
            let item = |(name, text): &(&str, &str)| item(name, ItemKind::Header, text, span, (*text).to_owned());
            HEADERS.iter().map(item).collect()
        }
        Zone::Body => Vec::new(),
    }
}

fn item(name: &str, kind: ItemKind, detail: &str, span: Span, text: String) -> Item {
    let detail = Some(detail.trim_end().to_owned());
    Item { label: name.into(), kind, detail, span, text, filter: name.into(), continues: false }
}

/// The part of a request that a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    RequestLine,
    Headers,
    Body,
}

/// Where a line stands that comes after `above`. Lines are read upward to the start of the block, and not far: a
/// body is told by an empty line between it and what stands above.
fn zone(above: &str) -> Zone {
    const MAX_LINES: usize = 200;
    let (mut empty, mut written) = (false, false);
    for (count, line) in above.lines().rev().enumerate() {
        let line = line.trim();
        if line.starts_with("###") {
            break;
        }
        let beside = line.starts_with(['#', '@']) || line.starts_with("//");
        match (line.is_empty(), beside) {
            (true, _) => empty = true,
            (false, true) => {}
            (false, false) if empty => return Zone::Body,
            (false, false) => written = true,
        }
        if count == MAX_LINES {
            return Zone::Body;
        }
    }
    if written { Zone::Headers } else { Zone::RequestLine }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::{completion::complete, fixture::Fixture};

    fn check(text: &str, expected: Option<ItemKind>) {
        let fixture = Fixture::http(text);
        let completions = complete(&fixture.context(), fixture.cursor());
        assert_eq!(completions.items.first().map(|item| item.kind), expected, "{text}");
    }

    #[test]
    fn a_block_starts_with_a_method() {
        check("$0", Some(ItemKind::Method));
        check("### one\n# @name x\nPO$0", Some(ItemKind::Method));
        check("@host = a\n\n$0", Some(ItemKind::Method));
    }

    #[test]
    fn headers_follow_the_request_line() {
        check("GET https://a.b\nAcc$0", Some(ItemKind::Header));
        check("GET https://a.b\nAccept: x\n# note\n$0", Some(ItemKind::Header));
    }

    #[test]
    fn nothing_is_offered_in_a_body_or_inside_a_line() {
        check("POST https://a.b\n\n$0", None);
        check("POST https://a.b\n\ntext\n$0", None);
        check("GET https$0", None);
        check("GET https://a.b\nAccept: te$0", None);
    }

    #[test]
    fn a_header_brings_its_usual_value() {
        let fixture = Fixture::http("GET https://a.b\nconte$0");
        let completions = complete(&fixture.context(), fixture.cursor());
        let item = completions.items.iter().find(|item| item.label == "Content-Type").unwrap();
        assert_eq!((item.span.of(&fixture.source), item.text.as_str()), ("conte", "Content-Type: application/json"));
    }
}
