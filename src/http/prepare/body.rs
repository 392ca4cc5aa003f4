//! The body of a prepared request.

use std::{borrow::Cow, path::Path};

use http::{HeaderName, header};

use super::{
    Content, Headers, Preparation, PreparedBody, PreparedPart, PreparedValue, Reading, add_if_missing, file, names,
    trim, value_of,
};
use crate::{
    syntax::{
        Body, Escapes, Field, Kind, Part, PartContent, Segment, Written,
        body::BodySyntax,
        expand::{Expanded, Flat, expand_template},
        template::Template,
    },
    text::Span,
};

/// REST Client's way of saying that a body is a GraphQL query.
const REQUEST_TYPE: HeaderName = HeaderName::from_static("x-request-type");

impl Preparation<'_> {
    pub(super) fn body(&mut self, headers: &mut Headers) -> PreparedBody {
        let request = self.request;
        match &request.body {
            Body::None => PreparedBody::None,
            Body::Text { text, language } => self.text_body(text, language.as_deref(), headers),
            Body::Form(fields) => {
                add_if_missing(headers, &header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                PreparedBody::Form(self.fields(fields))
            }
            Body::Multipart(parts) => {
                // Its header names the boundary, which is made when filled.
                headers.retain(|(name, _)| !names(name, &header::CONTENT_TYPE));
                let parts = parts.iter().filter(|part| part.enabled);
                PreparedBody::Multipart(parts.filter_map(|part| self.part(part)).collect())
            }
            Body::File { path, substitute } => self.file_body(path, *substitute, headers),
            Body::GraphQl { query, variables } => {
                headers.retain(|(name, _)| !names(name, &REQUEST_TYPE));
                add_if_missing(headers, &header::CONTENT_TYPE, "application/json");
                let variables = variables.as_ref().map(|variables| self.expand(variables));
                let variables = variables.filter(|text| text.as_literal().is_none_or(|text| !text.trim().is_empty()));
                PreparedBody::GraphQl { query: self.expand(query), variables }
            }
        }
    }

    fn text_body(&mut self, written: &Written, language: Option<&str>, headers: &mut Headers) -> PreparedBody {
        let declared = value_of(headers, &header::CONTENT_TYPE).map(Cow::into_owned);
        if self.kind == Kind::Postman && !written.is_empty() {
            add_if_missing(headers, &header::CONTENT_TYPE, content_type(language));
        }
        let boundary = boundary(headers);
        let lines = if self.kind == Kind::Http { include_lines(written, self.scope.source) } else { None };
        if lines.is_some() || boundary.is_some() {
            return self.mixed_body(written, lines.unwrap_or_default(), declared.as_deref(), boundary);
        }
        let text = self.expand(written);
        let syntax = self.syntax(declared.as_deref(), language, &text);
        PreparedBody::Text { text, syntax }
    }

    /// A text in which some lines name files.
    fn mixed_body(
        &mut self,
        written: &Written,
        includes: Vec<Include>,
        declared: Option<&str>,
        boundary: Option<String>,
    ) -> PreparedBody {
        let mut chunks = Vec::new();
        let mut rest = written.clone();
        for include in includes {
            let (before, after) = split_at(&rest, include.line);
            self.push_text(&before, &mut chunks);
            let path = Written::plain(include.path);
            chunks.push(self.file_content(&path, include.substitute).unwrap_or(Content::Bytes(vec![])));
            rest = after;
        }
        self.push_text(&rest, &mut chunks);
        let first = chunks.iter().find_map(|chunk| match chunk {
            Content::Text(text) => Some(text),
            Content::Bytes(_) => None,
        });
        let syntax = first.map_or(BodySyntax::Plain, |text| self.syntax(declared, None, text));
        PreparedBody::Mixed { chunks, syntax, boundary }
    }

    fn push_text(&mut self, written: &Written, chunks: &mut Vec<Content>) {
        if !written.is_empty() {
            chunks.push(Content::Text(self.expand(written)));
        }
    }

    fn file_body(&mut self, path: &Written, substitute: bool, headers: &Headers) -> PreparedBody {
        match self.file_content(path, substitute) {
            None => PreparedBody::None,
            Some(Content::Bytes(bytes)) => PreparedBody::Bytes(bytes),
            Some(Content::Text(text)) => {
                let declared = value_of(headers, &header::CONTENT_TYPE).map(Cow::into_owned);
                let syntax = self.syntax(declared.as_deref(), None, &text);
                PreparedBody::Text { text, syntax }
            }
        }
    }

    /// What a file holds; none where files are not read now, or it cannot be read, which is a fault then.
    fn file_content(&mut self, path: &Written, substitute: bool) -> Option<Content> {
        let span = path.span();
        if !substitute {
            return Some(Content::Bytes(self.file_bytes(path, Reading::Everything)?.1));
        }
        let bytes = self.file_bytes(path, Reading::Templates)?.1;
        let Ok(text) = String::from_utf8(bytes) else {
            self.fault(span, "the file is not UTF-8 text, so its variables cannot be replaced");
            return None;
        };
        let template = Template::of_text(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let mut expanded = expand_template(&template, self.scope);
        move_to(&mut expanded, span.unwrap_or(self.request.line));
        Some(Content::Text(self.take_faults(expanded)))
    }

    /// The name of a file and its bytes; none of these where less is read now than `needs`.
    fn file_bytes(&mut self, path: &Written, needs: Reading) -> Option<(String, Vec<u8>)> {
        let span = path.span();
        let faults = self.faults.len();
        let mut expanded = self.expand(path);
        trim(&mut expanded);
        let files = self.files?;
        if self.faults.len() > faults {
            return None;
        }
        let Some(name) = expanded.as_literal() else {
            self.fault(span, "the name of a file cannot hold a secret");
            return None;
        };
        let is_read = files.reading == Reading::Everything || needs == Reading::Templates;
        let read = if is_read { file::read } else { file::look };
        match read(&name, files.folder, files.root) {
            Ok(bytes) => Some((name.into_owned(), bytes)),
            Err(message) => {
                self.fault(span, message);
                None
            }
        }
    }

    fn syntax(&self, declared: Option<&str>, language: Option<&str>, text: &Expanded) -> BodySyntax {
        BodySyntax::of(self.kind, language, declared, || looks_like_json(text))
    }

    fn fields(&mut self, fields: &[Field]) -> Vec<(Expanded, Expanded)> {
        let enabled = fields.iter().filter(|field| field.enabled);
        enabled.map(|field| (self.expand(&field.key), self.expand(&field.value))).collect()
    }

    fn part(&mut self, part: &Part) -> Option<PreparedPart> {
        let name = self.expand(&part.key);
        let content_type = part.content_type.as_ref().map(|written| {
            let mut text = self.expand(written);
            trim(&mut text);
            text
        });
        let content_type = content_type.filter(|text| !text.pieces.is_empty());
        match &part.content {
            PartContent::Text(text) => {
                let content = Content::Text(self.expand(text));
                Some(PreparedPart { name, content, file_name: None, content_type })
            }
            PartContent::File(path) => {
                let (path, bytes) = self.file_bytes(path, Reading::Everything)?;
                let file_name = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
                let content_type = content_type.or_else(|| Some(Expanded::literal("application/octet-stream")));
                Some(PreparedPart { name, content: Content::Bytes(bytes), file_name, content_type })
            }
        }
    }
}

/// The media type that Postman sends for a raw body of a language.
fn content_type(language: Option<&str>) -> &'static str {
    match language {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("html") => "text/html",
        Some("javascript") => "application/javascript",
        _ => "text/plain",
    }
}

/// Whether a text begins as JSON does. Text that is wrongly taken for JSON is refused where a value would break it;
/// JSON that is wrongly taken for text would let a value write members of its own.
fn looks_like_json(text: &Expanded) -> bool {
    let Some(Flat::Literal(first)) = text.pieces.first() else { return false };
    first.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

/// The boundary that a multipart body written by hand uses.
fn boundary(headers: &Headers) -> Option<String> {
    let (_, PreparedValue::Text(value)) = headers.iter().find(|(name, _)| names(name, &header::CONTENT_TYPE))? else {
        return None;
    };
    let value = value.as_literal()?;
    if !value.get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut boundaries = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case("boundary"));
    let boundary = boundaries.next()?.1.trim().trim_matches('"').to_owned();
    (!boundary.is_empty()).then_some(boundary)
}

/// Secrets and faults of a file's text enter where the file is named.
fn move_to(expanded: &mut Expanded, place: Span) {
    for piece in &mut expanded.pieces {
        if let Flat::Secret { span, .. } = piece {
            *span = place;
        }
    }
    for fault in &mut expanded.faults {
        fault.span = place;
    }
}

/// A line of a body that stands for a file.
struct Include {
    /// The line without its line break.
    line: Span,
    path: Span,
    substitute: bool,
}

/// The lines `< path` and `<@ path` of a body; none where there are none.
fn include_lines(written: &Written, source: &str) -> Option<Vec<Include>> {
    if written.escapes != Escapes::None {
        return None;
    }
    let mut includes = Vec::new();
    for segment in &written.segments {
        let Segment::Source(span) = segment else { continue };
        let mut start = span.start;
        for line in span.of(source).split_inclusive('\n') {
            let text = line.trim_end_matches(['\r', '\n']);
            includes.extend(include(text, start));
            start += line.len();
        }
    }
    (!includes.is_empty()).then_some(includes)
}

fn include(line: &str, start: usize) -> Option<Include> {
    let rest = line.strip_prefix('<')?;
    let (substitute, rest) = match rest.strip_prefix('@') {
        Some(rest) => (true, rest.trim_start_matches(|char: char| char.is_ascii_alphanumeric() || char == '_')),
        None => (false, rest),
    };
    let path = rest.trim();
    if !rest.starts_with([' ', '\t']) || path.is_empty() || path.starts_with("{%") {
        return None;
    }
    let from = start + line.len() - rest.trim_start().len();
    let span = Span::new(start, start + line.len());
    Some(Include { line: span, path: Span::new(from, from + path.len()), substitute })
}

/// What stands before and after a span of the source.
fn split_at(written: &Written, at: Span) -> (Written, Written) {
    let mut before = Written { escapes: written.escapes, ..Written::EMPTY };
    let mut after = before.clone();
    let mut found = false;
    for segment in &written.segments {
        match segment {
            Segment::Source(span) if !found && span.contains(at) => {
                found = true;
                before.segments.push(Segment::Source(Span::new(span.start, at.start)));
                after.segments.push(Segment::Source(Span::new(at.end, span.end)));
            }
            _ if found => after.segments.push(segment.clone()),
            _ => before.segments.push(segment.clone()),
        }
    }
    (before, after)
}
