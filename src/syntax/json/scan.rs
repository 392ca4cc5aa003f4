//! From text to nodes, in one pass and without recursion.
//!
//! The scanner is a table of what may come next in the innermost open bracket. What may not come is noted, and
//! read as what it most likely is: a missing comma between two members, a bracket that was never closed.

use memchr::{memchr, memchr3, memmem};

use super::{BARE, ESCAPED, Kind, Node, Problem, Tree, UNCLOSED};
use crate::text::Span;

/// How many problems are kept: past that, a text is not worth explaining.
const MAX_PROBLEMS: usize = 100;

/// Reads a JSON text; a byte order mark is skipped.
pub fn scan(source: &str) -> Tree<'_> {
    read(Scanner::new(source))
}

/// Reads a text of the kind that VS Code keeps its settings in: comments and a last comma are nothing wrong there.
pub fn scan_with_comments(source: &str) -> Tree<'_> {
    read(Scanner { has_comments: true, ..Scanner::new(source) })
}

fn read(mut scanner: Scanner<'_>) -> Tree<'_> {
    let source = scanner.source;
    if u32::try_from(source.len()).is_ok() {
        scanner.run();
    } else {
        scanner.problem(0, 0, "the text is too large");
    }
    Tree { source, nodes: scanner.nodes, problems: scanner.problems }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The first member or element, or the closing bracket.
    First,
    /// A member or element, behind a comma.
    Item,
    /// The colon behind a key.
    Colon,
    /// A member's value, behind the colon.
    Value,
    /// A comma or the closing bracket.
    Comma,
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Frame {
    node: u32,
    object: bool,
    expect: Expect,
}

struct Scanner<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    problems: Vec<Problem>,
    /// Whether comments and a last comma are part of the language.
    has_comments: bool,
    /// The open brackets around `top`, outermost first.
    outer: Vec<Frame>,
    top: Frame,
    /// How many objects and arrays are open, so that a stray bracket is told without a search.
    open_objects: usize,
    open_arrays: usize,
    /// The end of the last token.
    last_end: usize,
    /// Where the last comma stands.
    comma: usize,
    /// The next quote that is not escaped, and whether it would close a string; see `close_on_later_line`.
    later_quote: Option<(usize, bool)>,
}

/// The frame around the outermost value.
const OUTSIDE: u32 = u32::MAX;

impl<'a> Scanner<'a> {
    fn new(source: &'a str) -> Self {
        let at = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            source,
            bytes: source.as_bytes(),
            at,
            // Real collections have about one node for each 17 to 25 bytes.
            nodes: Vec::with_capacity(source.len() / 20),
            problems: Vec::new(),
            has_comments: false,
            outer: Vec::new(),
            top: Frame { node: OUTSIDE, object: false, expect: Expect::First },
            open_objects: 0,
            open_arrays: 0,
            last_end: at,
            comma: at,
            later_quote: None,
        }
    }

    fn run(&mut self) {
        while let Some(byte) = self.next_byte() {
            let start = self.at;
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => self.open(byte == b'{'),
                b'}' | b']' => self.close(byte == b'}'),
                b',' => self.comma(),
                b':' => self.colon(),
                b'/' if matches!(self.bytes.get(start + 1), Some(b'/' | b'*')) => {
                    self.comment();
                    continue;
                }
                _ => self.word(),
            }
            self.last_end = self.at;
        }
        self.finish();
    }

    /// Skips white space.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
            // Indented texts are white space by half: eight bytes at a time.
            while let Some(word) = word_at(self.bytes, self.at) {
                let blank = zeros(word ^ each(b' ')) | zeros(word ^ each(b'\t'));
                let blank = blank | zeros(word ^ each(b'\n')) | zeros(word ^ each(b'\r'));
                let skipped = (!blank & each(0x80)).trailing_zeros() / 8;
                self.at += skipped as usize;
                if skipped < 8 {
                    break;
                }
            }
        }
    }

    fn string(&mut self) {
        let start = self.at;
        let marks = self.string_end();
        let mut key = self.expects_key();
        if self.top.object && !key && self.colon_follows() {
            // `"url": ` is being typed above `"method": "GET"`.
            self.problem(self.last_end, self.last_end, "a value is missing");
            self.top.expect = Expect::Item;
            key = true;
        }
        if marks & UNCLOSED != 0 {
            self.problem(start, self.at, "the string is never closed");
        }
        self.place(start, if key { Kind::Key } else { Kind::String });
        self.push(start, self.at, if key { Kind::Key } else { Kind::String }, marks);
    }

    fn expects_key(&self) -> bool {
        self.top.object && !matches!(self.top.expect, Expect::Colon | Expect::Value)
    }

    fn colon_follows(&self) -> bool {
        self.bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// Moves behind the string that starts here.
    fn string_end(&mut self) -> u8 {
        let mut marks = 0;
        self.at += 1;
        loop {
            match self.string_stop() {
                Some(b'"') => {
                    self.at += 1;
                    return marks;
                }
                Some(b'\\') => {
                    marks |= ESCAPED;
                    // The escaped byte may be the first of several; the rest of them stop nothing.
                    self.at += if matches!(self.bytes.get(self.at + 1), None | Some(b'\n' | b'\r')) { 1 } else { 2 };
                }
                Some(_) if let Some(quote) = self.close_on_later_line() => {
                    self.problem(self.at, self.at + 1, "a line break in a string is written `\\n`");
                    // What is jumped over may hold backslashes.
                    marks |= ESCAPED;
                    self.at = quote;
                }
                _ => {
                    self.leave_separator();
                    return marks | UNCLOSED;
                }
            }
        }
    }

    /// Moves to the next quote, backslash or line feed of a string.
    fn string_stop(&mut self) -> Option<u8> {
        // Most strings are short: a few words first, the vector search for the rest.
        for _ in 0..4 {
            let Some(word) = word_at(self.bytes, self.at) else { break };
            let stops = zeros(word ^ each(b'"')) | zeros(word ^ each(b'\\')) | zeros(word ^ each(b'\n'));
            if stops != 0 {
                self.at += (stops.trailing_zeros() / 8) as usize;
                return Some(self.bytes[self.at]);
            }
            self.at += 8;
        }
        let found = memchr3(b'"', b'\\', b'\n', &self.bytes[self.at..]);
        self.at = found.map_or(self.bytes.len(), |offset| self.at + offset);
        self.bytes.get(self.at).copied()
    }

    /// At a line feed inside a string: where the string ends if the next quote closes it (a text was pasted as it
    /// is) rather than opens another one (the closing quote is still to be typed).
    fn close_on_later_line(&mut self) -> Option<usize> {
        // NB. asked again before that quote is reached, the answer is the same; to look for it each time would let
        // a hostile text cost its length squared.
        if self.later_quote.is_none_or(|(quote, _)| quote < self.at) {
            let quote = self.plain_quote().unwrap_or(self.bytes.len());
            let behind = self.bytes.iter().skip(quote + 1).find(|byte| !byte.is_ascii_whitespace());
            let closes = quote < self.bytes.len() && matches!(behind, None | Some(b',' | b'}' | b']'));
            self.later_quote = Some((quote, closes));
        }
        let (quote, closes) = self.later_quote.expect("it was just set");
        // `"name": "abc,` and `"": 1` on the next line: nothing between them is a line of text.
        let text = || self.bytes[self.at..quote].iter().any(|byte| !byte.is_ascii_whitespace());
        (closes && text()).then_some(quote)
    }

    /// The next quote that is not escaped.
    fn plain_quote(&self) -> Option<usize> {
        let mut at = self.at;
        loop {
            at += memchr(b'"', &self.bytes[at..])?;
            let slashes = self.bytes[self.at..at].iter().rev().take_while(|byte| **byte == b'\\').count();
            if slashes % 2 == 0 {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Moves back over the carriage return and the comma at the end of an unclosed string.
    fn leave_separator(&mut self) {
        let blank = |byte: u8| byte.is_ascii_whitespace();
        let mut end = self.at;
        let first = self.bytes[..end].iter().rposition(|byte| *byte == b'"').map_or(0, |quote| quote + 1);
        while end > first && blank(self.bytes[end - 1]) {
            end -= 1;
        }
        if end > first && self.bytes[end - 1] == b',' {
            end -= 1;
        }
        self.at = end;
    }

    fn open(&mut self, object: bool) {
        let start = self.at;
        self.at += 1;
        let kind = if object { Kind::Object } else { Kind::Array };
        self.place(start, kind);
        let node = self.nodes.len() as u32;
        self.push(start, self.at, kind, 0);
        self.outer.push(self.top);
        self.top = Frame { node, object, expect: Expect::First };
        if object {
            self.open_objects += 1;
        } else {
            self.open_arrays += 1;
        }
    }

    fn close(&mut self, object: bool) {
        let start = self.at;
        self.at += 1;
        let open = if object { self.open_objects } else { self.open_arrays };
        if open == 0 {
            return self.problem(start, self.at, "the bracket closes nothing");
        }
        while self.top.object != object {
            self.never_closed();
            self.pop(self.last_end);
        }
        match self.top.expect {
            Expect::Item if self.has_comments => {}
            Expect::Item => self.problem(self.comma, self.comma + 1, "the last comma is one too many"),
            Expect::Colon | Expect::Value => self.problem(start, start, "a value is missing"),
            Expect::First | Expect::Comma => {}
        }
        self.pop(self.at);
    }

    fn never_closed(&mut self) {
        let start = self.nodes[self.top.node as usize].start as usize;
        self.problem(start, start + 1, "the bracket is never closed");
    }

    /// Ends the innermost open bracket at `end`. NB. only while one is open.
    fn pop(&mut self, end: usize) {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[self.top.node as usize];
        (node.end, node.next) = (end as u32, next);
        if self.top.object {
            self.open_objects -= 1;
        } else {
            self.open_arrays -= 1;
        }
        self.top = self.outer.pop().expect("every open bracket stands in a frame");
    }

    fn comma(&mut self) {
        self.comma = self.at;
        self.at += 1;
        if self.top.node == OUTSIDE {
            return self.problem(self.comma, self.at, "the comma is one too many");
        }
        match self.top.expect {
            Expect::Comma => {}
            Expect::First | Expect::Item => self.problem(self.comma, self.at, "the comma is one too many"),
            Expect::Colon | Expect::Value => self.problem(self.comma, self.comma, "a value is missing"),
        }
        self.top.expect = Expect::Item;
    }

    fn colon(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.top.expect == Expect::Colon {
            self.top.expect = Expect::Value;
        } else {
            self.problem(start, self.at, "the colon has no key before it");
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = if rest[1] == b'/' {
            memchr(b'\n', rest)
        } else {
            memmem::find(&rest[2..], b"*/").map(|offset| offset + 4)
        };
        self.at = start + length.unwrap_or(rest.len());
        if !self.has_comments {
            self.problem(start, self.at, "JSON has no comments");
        }
    }

    /// A number, `true`, `false`, `null`, or what is no JSON.
    fn word(&mut self) {
        let start = self.at;
        let word = self.bare_word();
        let kind = match word {
            "true" => Kind::True,
            "false" => Kind::False,
            "null" => Kind::Null,
            _ if is_number(word) => Kind::Number,
            _ => Kind::Junk,
        };
        if self.expects_key() {
            self.problem(start, self.at, "a key is written in double quotes");
            self.place(start, Kind::Key);
            return self.push(start, self.at, Kind::Key, BARE);
        }
        if kind == Kind::Junk {
            self.rest_of_junk(start);
            self.problem(start, self.at, "this is not JSON: a text is written in double quotes");
        }
        self.place(start, kind);
        self.push(start, self.at, kind, 0);
    }

    fn bare_word(&mut self) -> &'a str {
        let start = self.at;
        let ends =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let length = self.bytes[start..].iter().position(ends).unwrap_or(self.bytes.len() - start);
        self.at = start + length;
        &self.source[start..self.at]
    }

    /// Takes in the rest of the line up to the next bracket, comma or quote: `<<vault:two words>>` stays whole.
    fn rest_of_junk(&mut self, start: usize) {
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b',' | b'{' | b'}' | b'[' | b']' | b'"');
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        self.at = start + self.source[start..self.at].trim_end_matches([' ', '\t']).len();
    }

    /// Takes note of a value or key that starts here, and of what is missing before it.
    fn place(&mut self, start: usize, kind: Kind) {
        if self.top.expect == Expect::Comma {
            let message = match self.top.node {
                OUTSIDE => "the text goes on behind its end",
                _ => "a comma is missing",
            };
            self.problem(self.last_end, start, message);
        }
        if self.top.expect == Expect::Colon {
            self.problem(self.last_end, start, "a colon is missing");
        }
        if kind == Kind::Key {
            self.top.expect = Expect::Colon;
            return;
        }
        if self.top.object && matches!(self.top.expect, Expect::First | Expect::Item | Expect::Comma) {
            self.problem(start, start + 1, "the value has no key");
        }
        self.top.expect = Expect::Comma;
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, kind: Kind, marks: u8) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: end as u32, next, kind, marks });
    }

    #[cold]
    fn problem(&mut self, start: usize, end: usize, message: &'static str) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { span: Span::new(start, end), message });
        }
    }

    /// Ends what is open at the end of the text. Only the innermost bracket is told: the others follow from it.
    fn finish(&mut self) {
        if self.top.node != OUTSIDE {
            self.never_closed();
        } else if self.top.expect == Expect::First {
            self.problem(self.at, self.at, "the text is empty");
        }
        while self.top.node != OUTSIDE {
            self.pop(self.last_end);
        }
    }
}

/// The eight bytes at `at`, the first in the lowest place.
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

/// A word of eight times `byte`.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of each byte of `word` that is zero, and of no other.
const fn zeros(word: u64) -> u64 {
    let low = each(0x7f);
    !(((word & low) + low) | word | low)
}

/// RFC 8259 section 6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
