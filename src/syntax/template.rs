//! A text cut at its references and variables: the only thing that values are filled into, so that what a
//! value contains is never read as syntax again.

use crate::{
    name::SecretName,
    syntax::{Escapes, Segment, Written, json, reference},
    text::Span,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pub pieces: Vec<Piece>,
}

/// Spans are places in the file; a template of implied text or of another file has empty spans at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Secret {
        name: SecretName,
        span: Span,
    },
    /// A reference that names nothing: unfinished, or not a name.
    Broken {
        span: Span,
    },
    Variable {
        /// What stands between the braces, trimmed.
        name: String,
        span: Span,
    },
}

impl Template {
    /// Cuts a text of the file `source`.
    pub fn read(written: &Written, source: &str) -> Self {
        let mut template = Self::default();
        for segment in &written.segments {
            match segment {
                Segment::Implied(text) => template.literal(text),
                Segment::Source(span) => match written.escapes {
                    Escapes::None => template.cut(span.of(source), |offset| span.start + offset),
                    Escapes::Json => {
                        let raw = span.of(source);
                        let (text, map) = json::decode_with_map(raw);
                        template.cut(&text, |offset| span.start + map.raw_offset(offset));
                    }
                },
            }
        }
        template
    }

    /// Cuts a text that stands in no file.
    pub fn of_text(text: &str) -> Self {
        let mut template = Self::default();
        template.cut(text, |_| 0);
        template
    }

    fn literal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    fn cut(&mut self, text: &str, place: impl Fn(usize) -> usize) {
        let mut rest = 0;
        for mark in reference::marks(text) {
            self.literal(&text[rest..mark.span.start]);
            rest = mark.span.end;
            let span = Span::new(place(mark.span.start), place(mark.span.end));
            let name = mark.name_span.of(text);
            self.pieces.push(match (mark.kind, mark.closed) {
                (reference::MarkKind::Vault(_), true) => match SecretName::parse(name) {
                    Ok(name) => Piece::Secret { name, span },
                    Err(_) => Piece::Broken { span },
                },
                (reference::MarkKind::Vault(_), false) => Piece::Broken { span },
                (reference::MarkKind::Variable, true) => Piece::Variable { name: name.to_owned(), span },
                // An unfinished `{{` is text, as in the other readers of this format.
                (reference::MarkKind::Variable, false) => {
                    self.literal(mark.span.of(text));
                    continue;
                }
            });
        }
        self.literal(&text[rest..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, start: usize, end: usize) -> Piece {
        Piece::Secret { name: SecretName::parse(name).unwrap(), span: Span::new(start, end) }
    }

    fn literal(text: &str) -> Piece {
        Piece::Literal(text.into())
    }

    #[test]
    fn a_text_is_cut_at_references_and_variables() {
        let source = "a<<vault:x>>b{{host}}{{vault:y}}";
        let template = Template::read(&Written::plain(Span::new(0, source.len())), source);
        assert_eq!(
            template.pieces,
            [
                literal("a"),
                secret("x", 1, 12),
                literal("b"),
                Piece::Variable { name: "host".into(), span: Span::new(13, 21) },
                secret("y", 21, 32),
            ]
        );
    }

    #[test]
    fn spans_point_through_json_escapes() {
        let source = r#""\u00e9\u003c<vault:x>>\n""#;
        let template = Template::read(&Written::json(Span::new(1, source.len() - 1)), source);
        assert_eq!(template.pieces, [literal("é"), secret("x", 7, 23), literal("\n")]);
    }

    #[test]
    fn an_unfinished_variable_is_text_and_an_unfinished_reference_is_broken() {
        assert_eq!(Template::of_text("a {{b").pieces, [literal("a {{b")]);
        assert_eq!(Template::of_text("<<vault:b").pieces, [Piece::Broken { span: Span::at(0) }]);
    }
}
