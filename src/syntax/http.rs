//! `.http` and `.rest` files: requests between `###` lines.
//!
//! There is no standard. Where its readers agree, this one agrees with them; where they differ it follows VS Code
//! REST Client, except that the scripts of other tools are recognised and left out instead of sent. A block is read
//! in four steps: what stands above the request line, the request line, the head, the body. Every line is looked at
//! a bounded number of times.

mod body;
mod extra;
mod head;
mod lines;
mod metadata;
mod places;
mod request_line;

use self::{
    extra::Extra,
    lines::{Block, Line, Lines},
    metadata::Metadata,
};
use super::{Body, Document, Ignored, Kind, Label, Place, Request, Segment, Settings, SyntaxError, Variable, Written};
use crate::{status::Severity, text::Span};

/// How many findings one file gets; a file with more is not an `.http` file.
const MAX_FINDINGS: usize = 1000;

/// Reads a file. Any text gives a document.
pub fn parse(text: &str) -> Document {
    let mut reader = Reader { source: text, document: Document::empty(Kind::Http) };
    for block in lines::blocks(text) {
        reader.block(block);
    }
    reader.finish()
}

/// What was read so far.
struct Reader<'a> {
    source: &'a str,
    document: Document,
}

/// A request while it is read, with what decides how the rest of it is read.
struct Draft {
    request: Request,
    content_type: Option<Span>,
    host: Option<Span>,
    graphql: bool,
    /// Whether the block holds no further `}}` line; then `{{` lines are text.
    javascript_ended: bool,
}

impl Draft {
    fn new(block: Block) -> Self {
        Self {
            request: Request {
                span: block.span,
                line: Span::at(block.span.start),
                name: None,
                folders: vec![],
                method: super::Method { text: "GET".into(), span: Span::at(block.span.start) },
                url: Written::EMPTY,
                shown_url: None,
                version: None,
                headers: vec![],
                auth: None,
                body: Body::None,
                path_variables: vec![],
                settings: Settings::default(),
                ignored: vec![],
                not_runnable: None,
            },
            content_type: None,
            host: None,
            graphql: false,
            javascript_ended: false,
        }
    }
}

impl Reader<'_> {
    fn block(&mut self, block: Block) {
        let mut draft = Draft::new(block);
        let mut lines = Lines::new(self.source, block.content);
        self.scan(block.title, Place::Elsewhere);
        let Some(line) = self.find_request(&mut draft, &mut lines) else { return };
        self.request_line(&mut draft, &mut lines, line);
        self.headers(&mut draft, &mut lines);
        self.body(&mut draft, &mut lines);
        self.name(&mut draft, block.title);
        self.host(&mut draft);
        self.document.requests.push(draft.request);
    }

    fn finish(mut self) -> Document {
        // Places are found step by step, and a step may go back: a variable below a body is known as one at its end.
        self.document.references.sort_by_key(|reference| reference.span.start);
        self.document.uses.sort_by_key(|used| used.span.start);
        self.document.variables.sort_by_key(|variable| variable.span.start);
        self.document.errors.sort_by_key(|error| error.span);
        self.document
    }

    /// A title such as `### ====` is decoration; `# @name` wins over a title.
    fn name(&self, draft: &mut Draft, title: Span) {
        let text = title.of(self.source);
        if draft.request.name.is_none() && text.contains(char::is_alphanumeric) {
            draft.request.name = Some(Label { text: text.to_owned(), span: title });
        }
    }

    /// A URL that is only a path is completed by the `Host` header (RFC 9112 section 3.2.1); a port of TLS makes it
    /// `https` (REST Client).
    fn host(&self, draft: &mut Draft) {
        let request = &mut draft.request;
        let Some(host) = draft.host.filter(|host| !host.is_empty()) else { return };
        if !request.url.span().is_some_and(|span| span.of(self.source).starts_with('/')) {
            return;
        }
        let port = host.of(self.source).rsplit_once(':').map_or("", |(_, port)| port);
        let scheme = if matches!(port, "443" | "8443") { "https://" } else { "http://" };
        request.shown_url = Some(request.url.clone());
        let start = [Segment::Implied(scheme.into()), Segment::Source(host)];
        request.url.segments.insert_many(0, start);
    }

    /// Takes what a comment says; `line` is trimmed.
    fn comment(&self, draft: &mut Draft, line: Span) {
        let Some(metadata) = metadata::read_comment(self.source, line) else { return };
        match metadata {
            Metadata::Name(span) => {
                draft.request.name = Some(Label { text: span.of(self.source).to_owned(), span });
            }
            Metadata::Ignored(what) => draft.request.ignored.push(Ignored { span: line, what }),
            Metadata::NoRedirect | Metadata::Timeout(_) => metadata::apply(metadata, &mut draft.request.settings),
        }
    }

    /// Defines the variable of a line such as `@host = a`; false if it is none. `line` is trimmed.
    fn define(&mut self, line: Span) -> Option<Span> {
        let definition = metadata::read_definition(self.source, line)?;
        self.document.variables.push(Variable {
            name: definition.name.of(self.source).to_owned(),
            name_span: definition.name,
            span: line,
            value: Written::plain(definition.value),
            enabled: true,
        });
        Some(definition.value)
    }

    /// Passes over what is recognised and not carried out; false if it turns out to be text.
    fn pass(&mut self, draft: &mut Draft, lines: &mut Lines<'_>, line: Line, extra: Extra) -> bool {
        let (what, end) = match extra {
            Extra::Line { what, .. } => {
                self.scan(line.span, Place::Elsewhere);
                draft.request.ignored.push(Ignored { span: lines::trim(self.source, line.span), what });
                return true;
            }
            Extra::Response => ("recorded response", lines.rest().end),
            Extra::Script { what, closer } => {
                let (end, closed) = extra::script_end(self.source, line, lines.rest(), closer);
                if !closed {
                    let message = format!("this {what} is not closed with `{closer}`");
                    self.find(line.span, Severity::Warning, message);
                }
                (what, end)
            }
            Extra::JavaScript if draft.javascript_ended => return false,
            Extra::JavaScript => match extra::javascript_end(self.source, lines.rest()) {
                Some(end) => ("script", end),
                None => {
                    draft.javascript_ended = true;
                    return false;
                }
            },
        };
        let span = lines::trim(self.source, Span::new(line.span.start, end));
        if what != "comment" {
            self.scan_secrets(span);
            draft.request.ignored.push(Ignored { span, what });
        }
        lines.jump(end);
        true
    }

    fn find(&mut self, span: Span, severity: Severity, message: impl Into<String>) {
        if self.document.errors.len() < MAX_FINDINGS {
            self.document.errors.push(SyntaxError { span, message: message.into(), severity });
        }
    }
}

#[cfg(test)]
mod tests;
