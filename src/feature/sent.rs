//! Which parts of a document go over the wire: what is disabled, listed twice or recorded is not worth a warning.

use crate::{
    syntax::{Auth, Body, Document, Field, Part, PartContent, Request, Segment, Written},
    text::Span,
};

/// The parts that are sent, and the values of variables that may be.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Invariant: in order, and none inside another.
    spans: Vec<Span>,
}

impl Sent {
    pub fn of(document: &Document) -> Self {
        let mut sent = Self { spans: Vec::new() };
        for request in &document.requests {
            sent.request(request);
        }
        for variable in document.variables.iter().filter(|variable| variable.enabled) {
            sent.written(&variable.value);
        }
        sent.spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut reached = 0;
        sent.spans.retain(|span| {
            let further = span.end > reached;
            reached = reached.max(span.end);
            further
        });
        sent
    }

    pub fn contains(&self, span: Span) -> bool {
        let after = self.spans.partition_point(|part| part.start <= span.start);
        after.checked_sub(1).is_some_and(|index| self.spans[index].contains(span))
    }

    fn request(&mut self, request: &Request) {
        self.written(&request.url);
        for header in request.headers.iter().filter(|header| header.enabled) {
            self.written(&header.name);
            self.written(&header.value);
        }
        match &request.auth {
            Some(Auth::Basic { user: one, password: other } | Auth::ApiKey { key: one, value: other, .. }) => {
                self.written(one);
                self.written(other);
            }
            Some(Auth::Bearer { token }) => self.written(token),
            Some(Auth::Unsupported(_)) | None => {}
        }
        self.fields(&request.path_variables);
        self.body(&request.body);
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::None => {}
            Body::Text { text, .. } => self.written(text),
            Body::Form(fields) => self.fields(fields),
            Body::Multipart(parts) => self.parts(parts),
            Body::File { path, .. } => self.written(path),
            Body::GraphQl { query, variables } => {
                self.written(query);
                if let Some(variables) = variables {
                    self.written(variables);
                }
            }
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields.iter().filter(|field| field.enabled) {
            self.written(&field.key);
            self.written(&field.value);
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts.iter().filter(|part| part.enabled) {
            self.written(&part.key);
            let (PartContent::Text(content) | PartContent::File(content)) = &part.content;
            self.written(content);
            if let Some(content_type) = &part.content_type {
                self.written(content_type);
            }
        }
    }

    fn written(&mut self, written: &Written) {
        self.spans.extend(written.segments.iter().filter_map(|segment| match segment {
            Segment::Source(span) => Some(*span),
            Segment::Implied(_) => None,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feature::fixture::Fixture,
        syntax::{Kind, Variable},
    };

    #[test]
    fn what_is_sent_is_told_from_what_stands_beside_it() {
        let fixture = Fixture::http(
            "# https://in.a/comment\n### name\nPOST https://example.com/path\nAccept: text/plain\n\nthe body\n",
        );
        let sent = Sent::of(&fixture.document);
        let find = |part: &str| {
            let start = fixture.source.find(part).unwrap();
            sent.contains(Span::new(start, start + part.len()))
        };
        for part in ["example.com", "Accept", "text/plain", "the body"] {
            assert!(find(part), "{part}");
        }
        for part in ["in.a", "name", "POST"] {
            assert!(!find(part), "{part}");
        }
    }

    #[test]
    fn a_disabled_variable_is_not_sent() {
        let mut document = Document::empty(Kind::Http);
        let variable = |start, enabled| {
            let span = Span::new(start, start + 5);
            Variable { name: "v".into(), name_span: span, span, value: Written::plain(span), enabled }
        };
        document.variables = vec![variable(0, true), variable(10, false)];
        let sent = Sent::of(&document);
        assert!(sent.contains(Span::new(1, 3)));
        assert!(!sent.contains(Span::new(11, 13)));
    }
}
