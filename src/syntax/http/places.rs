//! What stands where: the references and variable uses of each part of a request.

use memchr::memchr3_iter;

use super::Reader;
use crate::{
    name::SecretName,
    status::Severity,
    syntax::{
        Place, Reference, Use,
        reference::{Mark, MarkKind, marks},
    },
    text::Span,
};

impl Reader<'_> {
    /// Takes every reference and use in `part`.
    pub(super) fn scan(&mut self, part: Span, place: Place) {
        let source = self.source;
        for mark in marks(part.of(source)) {
            self.take(part.start, mark, place);
        }
    }

    /// Takes the references in `part`, where `{{` is no use of a variable: a script, a recorded response.
    pub(super) fn scan_secrets(&mut self, part: Span) {
        let source = self.source;
        for mark in marks(part.of(source)).filter(|mark| mark.kind != MarkKind::Variable) {
            self.take(part.start, mark, Place::Elsewhere);
        }
    }

    /// Takes every reference and use in a JSON text, telling those inside strings from the bare ones.
    pub(super) fn scan_json(&mut self, part: Span) {
        let source = self.source;
        let text = part.of(source);
        let mut strings = Strings::default();
        let mut read = 0;
        for mark in marks(text) {
            strings.read(&text.as_bytes()[read..mark.span.start]);
            read = mark.span.end;
            let place = if strings.inside { Place::Body } else { Place::JsonBare };
            self.take(part.start, mark, place);
        }
    }

    fn take(&mut self, base: usize, mark: Mark, place: Place) {
        let span = moved(mark.span, base);
        let name_span = moved(mark.name_span, base);
        let name = name_span.of(self.source);
        let closed = mark.closed;
        match mark.kind {
            MarkKind::Vault(spelling) => {
                let name = SecretName::parse(name);
                let padded = mark.padded;
                self.document.references.push(Reference { span, name_span, name, spelling, closed, padded, place });
            }
            MarkKind::Variable => {
                self.document.uses.push(Use { name: name.to_owned(), name_span, span, closed, place });
                if !closed {
                    self.unclosed(span, place);
                }
            }
        }
    }

    fn unclosed(&mut self, span: Span, place: Place) {
        let severity = match place {
            Place::Url | Place::HeaderName | Place::HeaderValue | Place::Auth | Place::Variable => Severity::Warning,
            // A body may be written in a language that has braces of its own.
            Place::Body | Place::JsonBare | Place::Elsewhere => Severity::Information,
        };
        self.find(span, severity, "`{{` is not closed with `}}` on its line, so it is sent as it stands");
    }
}

fn moved(span: Span, by: usize) -> Span {
    Span::new(span.start + by, span.end + by)
}

/// Whether a place in a JSON text is inside a string. No string crosses a line (RFC 8259 section 7), so a quote that
/// is missing while someone types spoils one line only.
#[derive(Default)]
struct Strings {
    inside: bool,
}

impl Strings {
    fn read(&mut self, bytes: &[u8]) {
        let mut escaped = None;
        for at in memchr3_iter(b'"', b'\\', b'\n', bytes) {
            if escaped == Some(at) {
                continue;
            }
            match bytes[at] {
                b'"' => self.inside = !self.inside,
                b'\\' if self.inside => escaped = Some(at + 1),
                b'\n' => self.inside = false,
                _ => {}
            }
        }
    }
}
