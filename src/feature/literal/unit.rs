//! Where a literal begins and ends around a cursor, by the rules of the place it stands in.

use super::slot::{Found, Slot};
use crate::{syntax::body::BodySyntax, text::Span};

/// A literal in the text of its slot.
pub(super) struct Unit {
    pub(super) span: Span,
    /// The key it belongs to, where the text around it has one.
    pub(super) hint: Option<String>,
    pub(super) in_query: bool,
}

impl Unit {
    fn new(span: Span) -> Self {
        Self { span, hint: None, in_query: false }
    }
}

/// The literal of `text` at `cursor`, inside `free`: the part around it that holds no reference. What is selected is
/// taken as it is, wherever a value may stand.
pub(super) fn find(found: &Found<'_>, text: &str, quotes: &mut Quotes, free: Span, cursor: Span) -> Option<Unit> {
    let unit = match found.slot {
        Slot::Url => in_url(found, text, free, cursor),
        Slot::Body(BodySyntax::Json) => in_json(text, quotes, free, cursor),
        Slot::Body(BodySyntax::Form) => in_form(text, free, cursor),
        Slot::Body(BodySyntax::Xml | BodySyntax::Plain) => selected(text, free, cursor),
        Slot::Credentials => in_credentials(text, free, cursor),
        Slot::Cookie => in_pairs(text, free, cursor, is_between_cookies),
        Slot::Plain => selected(text, free, cursor),
        Slot::Whole => whole(found, text, free, cursor),
    }?;
    let unit = Unit { span: trimmed(text, unit.span), ..unit };
    let written = unit.span.of(text);
    let is_markup = found.slot == Slot::Body(BodySyntax::Xml) && written.contains(['&', '<', '>']);
    (!unit.span.is_empty() && !is_markup && unit.span.start <= cursor.end && cursor.start <= unit.span.end)
        .then_some(unit)
}

/// A query parameter under the cursor, or any selected part behind the authority.
fn in_url(found: &Found<'_>, text: &str, free: Span, cursor: Span) -> Option<Unit> {
    let url = format!("{}{text}", found.before);
    let offset = found.before.len();
    let head = &url[..offset + cursor.start];
    let authority = head.find("://").map_or(0, |colon| colon + 3);
    let path = authority + head[authority..].find(['/', '?', '#'])?;
    let query = head[path..].find('?').map(|mark| path + mark);
    let in_query = query.is_some_and(|query| !head[query..].contains('#'));
    let ends = |char: char| matches!(char, '&' | '#') || char.is_whitespace();
    let area = within(text, free, cursor, ends);
    if !cursor.is_empty() {
        return Some(Unit {
            span: selection(text, free, cursor)?,
            hint: hint_before(text, area.start, cursor.start),
            in_query,
        });
    }
    let query = query?;
    let from = area.start.max((query + 1).saturating_sub(offset));
    let equals = from + text.get(from..area.end)?.find('=')?;
    (in_query && cursor.start > equals).then(|| Unit {
        span: Span::new(equals + 1, area.end),
        hint: Some(text[from..equals].to_owned()),
        in_query: true,
    })
}

/// The key before a selected value: `key=` at the start of its area.
fn hint_before(text: &str, from: usize, to: usize) -> Option<String> {
    let (key, _) = text.get(from..to)?.rsplit_once('=')?;
    let key = key.rsplit(['?', '&']).next()?;
    (!key.is_empty()).then(|| key.to_owned())
}

/// How far the quotes of a JSON text were followed, so that the next literal of a long line goes on from there. No
/// string crosses a line (RFC 8259 section 7).
#[derive(Default)]
pub(super) struct Quotes {
    /// Where the line starts, and how far it was read.
    line: usize,
    at: usize,
    /// Behind the last quote.
    start: usize,
    inside: bool,
    escaped: bool,
}

impl Quotes {
    fn follow(&mut self, text: &str, to: usize) {
        let goes_on = self.at <= to && !text[self.at..to].contains('\n');
        if !goes_on {
            let line = text[..to].rfind('\n').map_or(0, |end| end + 1);
            *self = Self { line, at: line, start: line, ..Self::default() };
        }
        for (offset, byte) in text[self.at..to].bytes().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.inside => self.escaped = true,
                b'"' => {
                    self.inside = !self.inside;
                    self.start = self.at + offset + 1;
                }
                _ => {}
            }
        }
        self.at = to;
    }
}

/// The string of a JSON text that the cursor stands in.
fn in_json(text: &str, quotes: &mut Quotes, free: Span, cursor: Span) -> Option<Unit> {
    quotes.follow(text, cursor.start);
    if quotes.escaped {
        return None;
    }
    if !quotes.inside {
        // The quotes may be selected with the string.
        return quoted(text, cursor).and_then(|inner| in_json(text, quotes, free, inner));
    }
    let (line, start) = (quotes.line, quotes.start);
    let end = closing_quote(text, cursor.start)?;
    let cursor_end = if cursor.end == end + 1 { end } else { cursor.end };
    let is_key = text[end + 1..].trim_start().starts_with(':');
    if is_key || cursor_end > end {
        return None;
    }
    let inner = Span::new(start.max(free.start), end.min(free.end));
    let cursor = Span::new(cursor.start, cursor_end);
    let span = if cursor.is_empty() { inner } else { selection(text, inner, cursor)? };
    let hint = key_before(&text[line..start - 1]);
    Some(Unit { span, hint, in_query: false })
}

fn quoted(text: &str, cursor: Span) -> Option<Span> {
    let selected = cursor.of(text);
    let is_quoted = selected.len() > 2 && selected.starts_with('"') && selected.ends_with('"');
    is_quoted.then(|| Span::new(cursor.start + 1, cursor.end - 1))
}

/// The offset of the quote that ends the string around `from`.
fn closing_quote(text: &str, from: usize) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in text[from..].bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(from + offset),
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

/// The key in `.. "key": ` .
fn key_before(text: &str) -> Option<String> {
    let key = text.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    let key = key.rsplit('"').next()?;
    (!key.is_empty()).then(|| key.to_owned())
}

fn in_form(text: &str, free: Span, cursor: Span) -> Option<Unit> {
    in_pairs(text, free, cursor, |char| matches!(char, '&' | '\n' | '\r'))
}

fn is_between_cookies(char: char) -> bool {
    matches!(char, ';')
}

/// The value of `key=value` between two separators.
fn in_pairs(text: &str, free: Span, cursor: Span, ends: impl Fn(char) -> bool) -> Option<Unit> {
    let whole = within(text, Span::new(0, text.len()), cursor, &ends);
    let equals = whole.start + whole.of(text).find('=')?;
    if cursor.start <= equals {
        return None;
    }
    let hint = Some(text[whole.start..equals].trim().to_owned());
    let value = Span::new((equals + 1).max(free.start), whole.end.min(free.end));
    let span = if cursor.is_empty() { value } else { selection(text, value, cursor)? };
    Some(Unit { span, hint, in_query: false })
}

/// What follows the scheme: a token, or the password behind the user.
fn in_credentials(text: &str, free: Span, cursor: Span) -> Option<Unit> {
    let scheme = text.find(char::is_whitespace).unwrap_or(0);
    let is_basic = text[..scheme].eq_ignore_ascii_case("basic");
    let after_scheme = Span::new(free.start.max(scheme), free.end.max(scheme));
    if cursor.start < scheme {
        return None;
    }
    let hint = Some(if is_basic { "password".to_owned() } else { "token".to_owned() });
    if !cursor.is_empty() {
        return Some(Unit { span: selection(text, after_scheme, cursor)?, hint, in_query: false });
    }
    let ends = |char: char| char.is_whitespace() || (is_basic && char == ':');
    let span = within(text, after_scheme, cursor, ends);
    let is_user = is_basic && !text[scheme..].trim_start().is_empty() && {
        let rest = text[span.end..].trim_start_matches(|char: char| char == ':' || char.is_whitespace());
        !rest.is_empty()
    };
    Some(Unit { span, hint: if is_user { Some("user".into()) } else { hint }, in_query: false })
}

/// The one value of a header, a field or a variable.
fn whole(found: &Found<'_>, text: &str, free: Span, cursor: Span) -> Option<Unit> {
    if !cursor.is_empty() {
        return selected(text, free, cursor);
    }
    // A variable that holds an address is no secret.
    let is_address = found.variable.is_some() && free.of(text).contains("://");
    (!is_address).then(|| Unit::new(free))
}

fn selected(text: &str, free: Span, cursor: Span) -> Option<Unit> {
    selection(text, free, cursor).map(Unit::new)
}

/// What is selected, without the space around it; none for a bare cursor.
fn selection(text: &str, area: Span, cursor: Span) -> Option<Span> {
    let span = trimmed(text, cursor);
    (!span.is_empty() && area.contains(span) && !span.of(text).contains('\n')).then_some(span)
}

/// The part of `area` around the cursor in which `ends` holds for no character.
fn within(text: &str, area: Span, cursor: Span, ends: impl Fn(char) -> bool) -> Span {
    let start = text[area.start..cursor.start.max(area.start)].rfind(&ends).map_or(area.start, |end| {
        let char = text[area.start + end..].chars().next().map_or(1, char::len_utf8);
        area.start + end + char
    });
    let from = cursor.end.clamp(area.start, area.end);
    let end = text[from..area.end].find(&ends).map_or(area.end, |end| from + end);
    Span::new(start.min(end), end)
}

fn trimmed(text: &str, span: Span) -> Span {
    let written = span.of(text);
    let start = span.start + (written.len() - written.trim_start().len());
    Span::new(start, (span.end - (written.len() - written.trim_end().len())).max(start))
}
