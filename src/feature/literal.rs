//! The literals of a document: texts in a request that a reference to a secret could stand for, and what each means.
//!
//! A literal is what a person would call one value: the token behind `Bearer`, one query parameter, one string of a
//! JSON body. Its value is what must be stored so that the request stays the same: the filler encodes a secret for its
//! place, so what the file writes is decoded here for the same place.

mod name;
mod occurrences;
mod slot;
mod unit;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{
    feature::Context,
    name::SecretName,
    syntax::{Document, Escapes, Kind, body::BodySyntax, json},
    text::Span,
};
use slot::{Found, Slot};
use unit::{Quotes, Unit};

pub use occurrences::{MAX_OCCURRENCES, occurrences};

/// The shortest value that is offered without being selected: shorter ones are numbers and words, and could not be
/// masked in a response.
const SHORTEST: usize = 6;

/// The longest value, as vaults take them.
const LONGEST: usize = 1 << 20;

/// A text that could live in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    pub span: Span,
    /// What it is called where it stands: a header, a key, a variable.
    pub hint: String,
    /// The request it belongs to; none in a definition of a variable.
    pub request: Option<usize>,
    /// The variable whose value it is.
    pub variable: Option<String>,
    decoding: Decoding,
}

/// What the filler does to a value in this place, undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoding {
    None,
    /// Percent-encoding (RFC 3986 section 2.1).
    Percent,
    /// Percent-encoding with `+` for a space (URL standard, `application/x-www-form-urlencoded`).
    Form,
    /// The inside of a JSON string.
    Json,
}

/// The literal that `span` selects, or that a bare cursor stands in.
pub fn at(document: &Document, source: &str, span: Span) -> Option<Literal> {
    Literals::new(document, source).at(span)
}

/// Literals of one document, looked for one after the other: a body of megabytes is read once for all that stand in it.
pub struct Literals<'a> {
    document: &'a Document,
    source: &'a str,
    last: Option<Reading<'a>>,
}

impl<'a> Literals<'a> {
    pub fn new(document: &'a Document, source: &'a str) -> Self {
        Self { document, source, last: None }
    }

    /// The same as [`at`].
    pub fn at(&mut self, span: Span) -> Option<Literal> {
        self.source.get(span.start..span.end)?;
        let found = slot::at(self.document, self.source, span)?;
        let free = free(self.document, &found, span)?;
        if self.last.as_ref().is_none_or(|last| !last.is_of(&found)) {
            self.last = Some(Reading::of(self.source, &found));
        }
        let reading = self.last.as_mut()?;
        let (free, cursor) = (reading.decoded_span(free), reading.decoded_span(span));
        let unit = unit::find(&found, &reading.text, &mut reading.quotes, free, cursor)?;
        let literal = literal(&found, reading, unit);
        let value = literal.value(self.document.kind, self.source)?;
        let long_enough = !span.is_empty() || value.chars().count() >= SHORTEST;
        (long_enough && !value.trim().is_empty() && value.len() <= LONGEST).then_some(literal)
    }
}

impl Literal {
    /// What must be stored for the request to stay as it is; none where the text cannot be decoded.
    pub fn value(&self, kind: Kind, source: &str) -> Option<Zeroizing<String>> {
        let raw = self.span.of(source);
        let text = if kind == Kind::Postman { json::decode(raw) } else { Cow::Borrowed(raw) };
        let percent = |text: &str| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
        let value = match self.decoding {
            Decoding::None => Some(text.into_owned()),
            Decoding::Percent => percent(&text),
            Decoding::Form => percent(&text.replace('+', " ")),
            Decoding::Json => Some(json::decode(&text).into_owned()),
        };
        value.map(Zeroizing::new)
    }

    /// A name for it that no secret has yet.
    pub fn name(&self, context: &Context<'_>) -> SecretName {
        name::suggest(context, self)
    }

    /// The hosts it goes to, as far as they are known.
    pub fn hosts(&self, context: &Context<'_>) -> Vec<String> {
        name::hosts(context, self)
    }
}

/// The reference that takes a literal's place in a document of this kind: Postman itself reads braces only.
pub fn reference(kind: Kind, name: &SecretName) -> String {
    match kind {
        Kind::Http => format!("<<vault:{name}>>"),
        Kind::Postman => format!("{{{{vault:{name}}}}}"),
    }
}

fn literal(found: &Found<'_>, reading: &Reading<'_>, unit: Unit) -> Literal {
    let decoding = match found.slot {
        Slot::Url if unit.in_query => Decoding::Form,
        Slot::Url => Decoding::Percent,
        Slot::Body(BodySyntax::Form) => Decoding::Form,
        Slot::Body(BodySyntax::Json) => Decoding::Json,
        _ => Decoding::None,
    };
    Literal {
        span: reading.raw_span(unit.span),
        hint: unit.hint.unwrap_or_else(|| found.hint.clone()),
        request: found.request,
        variable: found.variable.clone(),
        decoding,
    }
}

/// The part of the slot around `span` without references and variables; none where one of them is touched.
fn free(document: &Document, found: &Found<'_>, span: Span) -> Option<Span> {
    let references = document.references_in(found.segment).iter().map(|reference| reference.span);
    let uses = document.uses_in(found.segment).iter().map(|used| used.span);
    let mut free = found.segment;
    for mark in references.chain(uses) {
        let overlaps = mark.overlaps(span) || (span.is_empty() && mark.start < span.start && span.start < mark.end);
        if overlaps {
            return None;
        }
        if mark.end <= span.start {
            free.start = free.start.max(mark.end);
        } else if mark.start >= span.end {
            free.end = free.end.min(mark.start);
        }
    }
    (free.start <= span.start && span.end <= free.end).then_some(free)
}

/// A piece of a file as the text it means.
struct Reading<'a> {
    text: Cow<'a, str>,
    map: Option<json::OffsetMap>,
    segment: Span,
    quotes: Quotes,
}

impl<'a> Reading<'a> {
    fn of(source: &'a str, found: &Found<'_>) -> Self {
        let (raw, segment, quotes) = (found.segment.of(source), found.segment, Quotes::default());
        match found.escapes {
            Escapes::None => Self { text: Cow::Borrowed(raw), map: None, segment, quotes },
            Escapes::Json => {
                let (text, map) = json::decode_with_map(raw);
                Self { text, map: Some(map), segment, quotes }
            }
        }
    }

    fn is_of(&self, found: &Found<'_>) -> bool {
        self.segment == found.segment && self.map.is_some() == (found.escapes == Escapes::Json)
    }

    fn raw(&self, decoded: usize) -> usize {
        self.segment.start + self.map.as_ref().map_or(decoded, |map| map.raw_offset(decoded))
    }

    /// The first character that is written at or behind `raw`.
    fn decoded(&self, raw: usize) -> usize {
        let (mut low, mut high) = (0, self.text.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.raw(middle) < raw { low = middle + 1 } else { high = middle }
        }
        self.text.ceil_char_boundary(low)
    }

    fn decoded_span(&self, raw: Span) -> Span {
        let start = self.decoded(raw.start);
        Span::new(start, self.decoded(raw.end).max(start))
    }

    fn raw_span(&self, decoded: Span) -> Span {
        Span::new(self.raw(decoded.start), self.raw(decoded.end))
    }
}

#[cfg(test)]
mod tests;
