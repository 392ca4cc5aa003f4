//! From the top of a block to the end of its headers.

use super::{
    Draft, Reader, extra,
    lines::{Line, Lines, trim},
    metadata, request_line,
};
use crate::{
    status::Severity,
    syntax::{Header, Ignored, Place, Segment, Written, reference::marks},
    text::Span,
};

/// What a line of the head is.
enum HeadLine {
    /// The colon's offset in the line.
    Header(usize),
    /// httpyac's `...headers`.
    Spread,
    /// A name, and no colon yet.
    LoneName,
    OtherRequest,
    /// Nothing that a head holds: the body begins here.
    Text,
}

impl Reader<'_> {
    /// Passes over what stands above the request line, and finds that line; it comes trimmed.
    pub(super) fn find_request(&mut self, draft: &mut Draft, lines: &mut Lines<'_>) -> Option<Span> {
        while let Some(line) = lines.next() {
            let span = trim(self.source, line.span);
            let text = span.of(self.source);
            if text.is_empty() {
                continue;
            }
            if metadata::is_comment(text) {
                self.comment(draft, span);
            } else if text.starts_with('@') {
                if self.definition(span, *lines) {
                    return Some(span);
                }
            } else {
                let extra = extra::before_request(text);
                if !extra.is_some_and(|extra| self.pass(draft, lines, line, extra)) {
                    return Some(span);
                }
            }
        }
        None
    }

    /// Takes a line above the request line that begins with `@`; true if it has to be the request line. To the other
    /// readers every malformed one is; here only one that nothing follows, so that a slip does not spoil a request.
    fn definition(&mut self, line: Span, mut below: Lines<'_>) -> bool {
        if let Some(value) = self.define(line) {
            self.scan(value, Place::Variable);
            return false;
        }
        self.find(line, Severity::Error, "a variable is defined as `@name = value`");
        let alone = below.all(|line| {
            let text = line.span.of(self.source).trim();
            text.is_empty() || metadata::is_comment(text)
        });
        if !alone || line.of(self.source).contains(char::is_whitespace) {
            self.scan(line, Place::Elsewhere);
            return false;
        }
        true
    }

    /// Reads the request line and the lines that continue its URL.
    pub(super) fn request_line(&mut self, draft: &mut Draft, lines: &mut Lines<'_>, line: Span) {
        let read = request_line::read(self.source, line);
        if let Some(fault) = read.fault {
            let severity = if read.has_no_url() { Severity::Error } else { Severity::Warning };
            self.find(line, severity, fault);
        }
        if read.curl {
            self.scan(line, Place::Elsewhere);
        } else {
            self.scan(read.url, Place::Url);
        }
        let request = &mut draft.request;
        request.line = line;
        request.method = read.method;
        request.url = Written::plain(read.url);
        request.version = read.version;
        request.not_runnable = read.not_runnable;
        draft.graphql = request.method.text == "GRAPHQL";
        if read.curl {
            self.curl(lines);
        } else {
            self.continue_url(draft, lines);
        }
    }

    fn curl(&mut self, lines: &mut Lines<'_>) {
        for line in lines {
            if !metadata::is_comment(line.span.of(self.source).trim_start()) {
                self.scan(line.span, Place::Elsewhere);
            }
        }
    }

    /// Takes the lines below that begin with `?`, `&` or `/` as parts of the URL.
    fn continue_url(&mut self, draft: &mut Draft, lines: &mut Lines<'_>) {
        while let Some(line) = lines.peek() {
            let span = trim(self.source, line.span);
            let text = span.of(self.source);
            let comment = metadata::is_comment(text) && !self.is_fragment(line, span);
            if !comment && !continues_url(text) {
                break;
            }
            lines.next();
            if comment {
                self.comment(draft, span);
                continue;
            }
            if draft.request.version.is_some() {
                let message = "this stands behind the protocol version and is not sent; move it above";
                self.find(span, Severity::Warning, message);
                self.scan(span, Place::Elsewhere);
                continue;
            }
            let (part, version) = request_line::split_version(self.source, span);
            self.scan(part, Place::Url);
            draft.request.version = version;
            draft.request.url.segments.push(Segment::Source(part));
        }
    }

    /// Reads the headers, and leaves `lines` at the first line that may be body.
    pub(super) fn headers(&mut self, draft: &mut Draft, lines: &mut Lines<'_>) {
        let continued = draft.request.url.segments.len() > 1;
        let mut first = true;
        while let Some(line) = lines.peek() {
            let span = trim(self.source, line.span);
            let text = span.of(self.source);
            if text.is_empty() {
                lines.next();
                return;
            }
            if extra::anywhere(text).is_some() || extra::is_include(line.span.of(self.source)) {
                return;
            }
            if continued && first && self.is_fragment(line, span) {
                let message = "a fragment is not sent, and the head ends with it; remove this line";
                self.find(span, Severity::Warning, message);
                self.scan(span, Place::Elsewhere);
                lines.next();
                return;
            }
            first = false;
            if metadata::is_comment(text) {
                self.comment(draft, span);
            } else if let Some(value) = text.starts_with('@').then(|| self.define(span)).flatten() {
                self.scan(value, Place::Variable);
            } else if !self.head_line(draft, line, span) {
                return;
            }
            lines.next();
        }
    }

    /// An indented `#fragment` below the other parts of a URL; the other readers let the head end there.
    fn is_fragment(&self, line: Line, span: Span) -> bool {
        let text = span.of(self.source);
        span.start > line.span.start && text.len() > 1 && text.starts_with('#') && !text[1..].starts_with([' ', '#'])
    }

    /// Takes a line of the head; false if the body begins with it.
    fn head_line(&mut self, draft: &mut Draft, line: Line, span: Span) -> bool {
        let text = span.of(self.source);
        match classify(text, span.start > line.span.start) {
            HeadLine::Header(colon) => self.header(draft, span, colon),
            HeadLine::Spread => {
                self.scan(span, Place::Elsewhere);
                draft.request.ignored.push(Ignored { span, what: "spread of headers" });
            }
            HeadLine::LoneName => {
                self.scan(span, Place::HeaderName);
                self.find(span, Severity::Error, "a header is written `Name: value`; this line has no `:`");
            }
            HeadLine::OtherRequest => {
                self.scan(span, Place::Elsewhere);
                self.find(span, Severity::Warning, OTHER_REQUEST);
            }
            HeadLine::Text => {
                let message = "this is read as the start of the body; put an empty line above it";
                self.find(span, Severity::Warning, message);
                return false;
            }
        }
        true
    }

    fn header(&mut self, draft: &mut Draft, span: Span, colon: usize) {
        let name = trim(self.source, Span::new(span.start, span.start + colon));
        let value = trim(self.source, Span::new(span.start + colon + 1, span.end));
        let text = name.of(self.source);
        if text.eq_ignore_ascii_case("content-type") {
            draft.content_type.get_or_insert(value);
        } else if text.eq_ignore_ascii_case("host") {
            draft.host.get_or_insert(value);
        } else if text.eq_ignore_ascii_case("x-request-type") {
            draft.graphql |= value.of(self.source).eq_ignore_ascii_case("graphql");
        }
        self.scan(name, Place::HeaderName);
        self.scan(value, Place::HeaderValue);
        draft.request.headers.push(Header {
            span: Span::new(name.start, value.end.max(span.start + colon + 1)),
            name: Written::plain(name),
            value: Written::plain(value),
            enabled: true,
        });
    }
}

pub(super) const OTHER_REQUEST: &str = "this looks like another request; begin it with a `###` line";

/// A query part, or a further part of the path; `??` begins an assertion, and a `*` in it makes `/` a comment.
fn continues_url(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'?') => !text.starts_with("??"),
        Some(b'&') => true,
        Some(b'/') => !text.starts_with("//") && !text.contains('*'),
        _ => false,
    }
}

fn classify(text: &str, indented: bool) -> HeadLine {
    if request_line::looks_like_request(text) {
        return HeadLine::OtherRequest;
    }
    if let Some(colon) = header_colon(text) {
        return HeadLine::Header(colon);
    }
    if text.starts_with("...") {
        return HeadLine::Spread;
    }
    if !indented && text.bytes().all(is_token) { HeadLine::LoneName } else { HeadLine::Text }
}

/// The colon behind a header's name: a token (RFC 9110 section 5.1) in which references and variables may stand.
fn header_colon(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    if is_name(&text[..colon]) {
        return Some(colon);
    }
    // The colon of a reference is none, and neither is one behind the first byte that no name holds.
    let mut read = 0;
    for mark in marks(text) {
        let before = &text[read..mark.span.start];
        if before.contains(':') {
            break;
        }
        if !before.bytes().all(is_token) {
            return None;
        }
        read = mark.span.end;
    }
    let colon = text[read..].find(':')?;
    let last = text[read..read + colon].trim_end();
    (read > 0 && last.bytes().all(is_token)).then_some(read + colon)
}

fn is_name(text: &str) -> bool {
    let name = text.trim_end();
    !name.is_empty() && name.bytes().all(is_token)
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_its_name_with_a_colon() {
        for (text, colon) in [
            ("Accept: a", 6),
            ("Accept : a", 7),
            ("spring.profile.active: a", 21),
            ("{{name}}: a", 8),
            ("X-{{name}}-Y: a", 12),
            ("<<vault:x>>: a", 11),
            ("X-{{vault:a}}: <<vault:x>>", 13),
            ("A:", 1),
            ("A: <<vault:x>>", 1),
        ] {
            assert_eq!(header_colon(text), Some(colon), "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_no_header() {
        for text in ["\"a\": 1", "{", "<<vault:x>>", "{{a.b}}", "{{a}} b: c", ": a", "a b: c", "nö: a", "(a): b"] {
            assert_eq!(header_colon(text), None, "{text}");
        }
    }

    #[test]
    fn url_parts_are_told_from_comments_and_assertions() {
        for text in ["?a=b", "& a", "/path/{{x}}"] {
            assert!(continues_url(text), "{text}");
        }
        for text in ["?? status == 200", "// no", "/*", "api", ""] {
            assert!(!continues_url(text), "{text}");
        }
    }
}
