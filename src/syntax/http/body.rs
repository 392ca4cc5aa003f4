//! The body: which lines of a block it is made of, and what kind of body they make.

use smallvec::SmallVec;

use super::{
    Draft, Reader, extra,
    extra::Extra,
    head::OTHER_REQUEST,
    lines::{Line, Lines, trim},
    metadata, request_line,
};
use crate::{
    status::Severity,
    syntax::{Body, Escapes, Place, Segment, Written},
    text::Span,
};

const QUERY_IN_FILE: &str = "its query stands in a file, which is not supported yet";

/// The lines of a body, while they are collected.
#[derive(Default)]
struct Collected {
    /// What is sent: whole lines, line breaks included. Neighbours are one span.
    kept: Vec<Span>,
    /// Blank lines and definitions that are body only if text follows.
    tail: Vec<Tail>,
    /// Comment lines since the last line of text.
    comments: Option<Span>,
    lines: usize,
    /// The lines of `kept` that stand for a file.
    includes: Vec<Span>,
    /// Whether a response handler was seen: nothing behind it is sent.
    over: bool,
    told_over: bool,
    json: bool,
}

enum Tail {
    Blank(Span),
    /// The whole line, and the value it defines.
    Definition(Span, Span),
}

impl Collected {
    /// Whether a line that comes now begins a paragraph.
    fn at_paragraph(&self) -> bool {
        self.kept.is_empty() || !self.tail.is_empty()
    }

    fn keep(&mut self, line: Span) {
        for tail in self.tail.drain(..) {
            match tail {
                Tail::Blank(_) if self.kept.is_empty() => {}
                Tail::Blank(span) | Tail::Definition(span, _) => push(&mut self.kept, span),
            }
        }
        push(&mut self.kept, line);
        self.lines += 1;
    }
}

fn push(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if last.end == span.start => last.end = span.end,
        _ => spans.push(span),
    }
}

impl Reader<'_> {
    /// Reads the rest of a block.
    pub(super) fn body(&mut self, draft: &mut Draft, lines: &mut Lines<'_>) {
        let mut body = Collected::default();
        while let Some(line) = lines.next() {
            let text = line.span.of(self.source).trim();
            if text.is_empty() {
                body.tail.push(Tail::Blank(Span::new(line.span.start, line.next)));
            } else if metadata::is_comment(text) {
                self.comment(draft, trim(self.source, line.span));
                if !body.kept.is_empty() {
                    let start = body.comments.map_or(line.span.start, |run| run.start);
                    body.comments = Some(Span::new(start, line.span.end));
                }
            } else if !self.passed(draft, lines, &mut body, line, text) {
                self.body_line(draft, &mut body, line, text);
            }
        }
        self.make_body(draft, body);
    }

    /// Whether the line is something that is recognised and not sent.
    fn passed(
        &mut self,
        draft: &mut Draft,
        lines: &mut Lines<'_>,
        body: &mut Collected,
        line: Line,
        text: &str,
    ) -> bool {
        let Some(extra) = extra::anywhere(text) else { return false };
        // A status line inside a paragraph is a body that holds HTTP.
        if extra == Extra::Response && !body.at_paragraph() {
            return false;
        }
        let passed = self.pass(draft, lines, line, extra);
        body.over |= passed && matches!(extra, Extra::Line { after_body: true, .. });
        passed
    }

    fn body_line(&mut self, draft: &mut Draft, body: &mut Collected, line: Line, text: &str) {
        let whole = Span::new(line.span.start, line.next);
        let at_paragraph = body.at_paragraph();
        let defined = text.starts_with('@').then(|| self.define_in_body(line)).flatten();
        if let Some(value) = defined.filter(|_| at_paragraph) {
            return body.tail.push(Tail::Definition(whole, value));
        }
        if at_paragraph && request_line::looks_like_request(text) && !self.is_batch(draft) {
            self.find(trim(self.source, line.span), Severity::Warning, OTHER_REQUEST);
            body.told_over = true;
        }
        if body.over {
            return self.behind_handler(body, line);
        }
        if body.kept.is_empty() {
            body.json = is_json(draft.content_type.map(|span| span.of(self.source)), text);
        }
        if let Some(comments) = body.comments.take() {
            self.dropped(comments, body.json);
        }
        if extra::is_include(line.span.of(self.source)) {
            body.includes.push(line.span);
        }
        body.keep(whole);
    }

    /// Whether the body may hold whole requests, as a batch of OData does.
    fn is_batch(&self, draft: &Draft) -> bool {
        let content_type = draft.content_type.map_or("", |span| span.of(self.source));
        matches!(Breaks::of(content_type), Breaks::Multipart)
    }

    /// A line such as `@host = a` defines a variable wherever it stands. In a body only plain names count, so that
    /// an annotation of some language is none.
    fn define_in_body(&mut self, line: Line) -> Option<Span> {
        let span = trim(self.source, line.span);
        let name = metadata::read_definition(self.source, span)?.name.of(self.source);
        let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        plain.then(|| self.define(span)).flatten()
    }

    fn behind_handler(&mut self, body: &mut Collected, line: Line) {
        self.scan(line.span, Place::Elsewhere);
        if !body.told_over {
            body.told_over = true;
            let message = "this stands behind the response handler and is not sent";
            self.find(line.span, Severity::Warning, message);
        }
    }

    fn dropped(&mut self, comments: Span, json: bool) {
        // In JSON a comment cannot be meant as text; elsewhere it may be a heading or a shell comment.
        let severity = if json { Severity::Hint } else { Severity::Warning };
        self.find(comments, severity, "body lines that begin with `#` or `//` are comments and are not sent");
    }

    fn make_body(&mut self, draft: &mut Draft, mut body: Collected) {
        for tail in &body.tail {
            if let Tail::Definition(_, value) = tail {
                self.scan(*value, Place::Variable);
            }
        }
        let Some(last) = body.kept.last_mut() else { return };
        *last = without_line_break(self.source, *last);
        draft.request.body = match body.includes.as_slice() {
            [] if draft.graphql => self.graphql(&body.kept),
            [] => self.text(draft, &body),
            [include] if body.lines == 1 => self.file(draft, *include),
            _ => {
                if draft.graphql {
                    draft.request.not_runnable.get_or_insert(QUERY_IN_FILE);
                }
                self.text(draft, &body)
            }
        };
    }

    fn text(&mut self, draft: &Draft, body: &Collected) -> Body {
        for span in &body.kept {
            if body.json { self.scan_json(*span) } else { self.scan(*span, Place::Body) }
        }
        let content_type = draft.content_type.map_or("", |span| span.of(self.source));
        let segments: SmallVec<[Segment; 1]> = match Breaks::of(content_type) {
            Breaks::AsWritten => body.kept.iter().copied().map(Segment::Source).collect(),
            Breaks::Form => self.form_segments(&body.kept),
            Breaks::Multipart => self.multipart_segments(&body.kept),
        };
        let mut text = Written { segments, escapes: Escapes::None };
        if content_type_is(content_type, "application/x-ndjson") {
            text.segments.push(Segment::Implied("\n".into()));
        }
        Body::Text { text, language: None }
    }

    /// A form may be written with one field a line: the line break between two fields is no part of them.
    fn form_segments(&self, kept: &[Span]) -> SmallVec<[Segment; 1]> {
        let mut segments = SmallVec::new();
        let mut open = true;
        for line in kept.iter().flat_map(|span| Lines::new(self.source, *span)) {
            let span = trim(self.source, line.span);
            let text = span.of(self.source);
            if !open && !text.starts_with('&') {
                segments.push(Segment::Implied("\n".into()));
            }
            open = text.ends_with('&');
            segments.push(Segment::Source(span));
        }
        segments
    }

    /// Lines of a multipart body end with CRLF, whatever ends the lines of the file (RFC 2046 section 5.1.1).
    fn multipart_segments(&self, kept: &[Span]) -> SmallVec<[Segment; 1]> {
        let mut segments = SmallVec::new();
        for line in kept.iter().flat_map(|span| Lines::new(self.source, *span)) {
            segments.extend([Segment::Source(line.span), Segment::Implied("\r\n".into())]);
        }
        segments
    }

    fn file(&mut self, draft: &mut Draft, line: Span) -> Body {
        let text = line.of(self.source);
        let substitute = text.starts_with("<@");
        let sign = text.find([' ', '\t']).unwrap_or(text.len());
        let encoding = text[..sign].trim_start_matches(['<', '@']);
        if !matches!(encoding.to_ascii_lowercase().as_str(), "" | "utf8" | "ascii") {
            draft.request.not_runnable.get_or_insert("its body file is not in UTF-8, which is not supported");
        }
        if draft.graphql {
            draft.request.not_runnable.get_or_insert(QUERY_IN_FILE);
        }
        let path = trim(self.source, Span::new(line.start + sign, line.end));
        self.scan(path, Place::Elsewhere);
        Body::File { path: Written::plain(path), substitute }
    }

    /// The query, and behind an empty line its variables, which begin with a brace.
    fn graphql(&mut self, kept: &[Span]) -> Body {
        let mut query: Vec<Span> = Vec::new();
        let mut variables: Vec<Span> = Vec::new();
        let mut after_blank = false;
        for line in kept.iter().flat_map(|span| Lines::new(self.source, *span)) {
            let text = line.span.of(self.source).trim();
            let begins = after_blank && text.starts_with('{') && !query.is_empty();
            let part = if begins || !variables.is_empty() { &mut variables } else { &mut query };
            push(part, Span::new(line.span.start, line.next));
            after_blank = text.is_empty();
        }
        let query = trim_end(self.source, query);
        let variables = trim_end(self.source, variables);
        query.iter().for_each(|span| self.scan(*span, Place::Body));
        variables.iter().for_each(|span| self.scan_json(*span));
        Body::GraphQl { query: written(query), variables: (!variables.is_empty()).then(|| written(variables)) }
    }
}

/// What becomes of the line breaks of a body.
enum Breaks {
    AsWritten,
    Form,
    Multipart,
}

impl Breaks {
    fn of(content_type: &str) -> Self {
        if content_type_is(content_type, "application/x-www-form-urlencoded") {
            Self::Form
        } else if content_type_is(content_type, "multipart/") {
            Self::Multipart
        } else {
            Self::AsWritten
        }
    }
}

fn content_type_is(content_type: &str, start: &str) -> bool {
    content_type.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// Judged by the content type; where that is missing or a variable, by the first line.
fn is_json(content_type: Option<&str>, first_line: &str) -> bool {
    match content_type {
        Some(text) if !text.contains("{{") && !text.is_empty() => text.to_ascii_lowercase().contains("json"),
        _ => {
            let variable = first_line.starts_with("{{");
            first_line.starts_with(['{', '[']) && !variable
        }
    }
}

fn without_line_break(source: &str, span: Span) -> Span {
    let text = span.of(source);
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Span::new(span.start, span.start + text.len())
}

fn trim_end(source: &str, mut spans: Vec<Span>) -> Vec<Span> {
    while let Some(last) = spans.last_mut() {
        let length = last.of(source).trim_end().len();
        if length > 0 {
            last.end = last.start + length;
            break;
        }
        spans.pop();
    }
    spans
}

fn written(spans: Vec<Span>) -> Written {
    Written { segments: spans.into_iter().map(Segment::Source).collect(), escapes: Escapes::None }
}
