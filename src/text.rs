//! The text of a document: a rope that takes the editor's edits, and the translation between byte offsets
//! (used everywhere inside) and the editor's positions. The only user of ropey.

use ropey::Rope;
use serde::{Deserialize, Serialize};

/// A half-open range of byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub const fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    pub const fn len(self) -> usize {
        self.end - self.start
    }

    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `offset` lies inside or at either end.
    pub const fn touches(self, offset: usize) -> bool {
        self.start <= offset && offset <= self.end
    }

    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The bytes of `source` it names. NB. panics outside `source`: spans belong to the text they came from.
    pub fn of(self, source: &str) -> &str {
        &source[self.start..self.end]
    }
}

/// How an editor counts columns (LSP 3.17, `PositionEncodingKind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    #[default]
    Utf16,
    Utf32,
}

/// A zero-based line and column, the column in units of an [`Encoding`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// A document's text. Cloning it is cheap.
#[derive(Clone, Debug, Default)]
pub struct Text {
    rope: Rope,
}

impl Text {
    pub fn new(text: &str) -> Self {
        Self { rope: Rope::from_str(text) }
    }

    /// Replaces `span`, which is clamped to the text and to character boundaries.
    pub fn replace(&mut self, span: Span, with: &str) {
        let length = self.rope.len_bytes();
        let start = self.rope.byte_to_char(span.start.min(length));
        let end = self.rope.byte_to_char(span.end.min(length)).max(start);
        self.rope.remove(start..end);
        self.rope.insert(start, with);
    }

    pub fn len(&self) -> usize {
        self.rope.len_bytes()
    }

    pub fn is_empty(&self) -> bool {
        self.rope.len_bytes() == 0
    }

    pub fn lines(&self) -> usize {
        self.rope.len_lines()
    }

    /// The byte offset of `position`; a position past a line's end or the text's end is clamped, as LSP asks.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let (line, column) = (position.line as usize, position.column as usize);
        if line >= self.rope.len_lines() {
            return self.rope.len_bytes();
        }
        let start = self.rope.line_to_char(line);
        let end = start + self.line_chars(line);
        let target = match encoding {
            Encoding::Utf32 => (start + column).min(end),
            Encoding::Utf16 => {
                let unit = self.rope.char_to_utf16_cu(start) + column;
                if unit >= self.rope.char_to_utf16_cu(end) { end } else { self.rope.utf16_cu_to_char(unit) }
            }
            Encoding::Utf8 => {
                let byte = self.rope.char_to_byte(start) + column;
                if byte >= self.rope.char_to_byte(end) { end } else { self.rope.byte_to_char(byte) }
            }
        };
        self.rope.char_to_byte(target)
    }

    /// The position of a byte offset; an offset past the end is clamped.
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let char = self.rope.byte_to_char(offset.min(self.rope.len_bytes()));
        let line = self.rope.char_to_line(char);
        let start = self.rope.line_to_char(line);
        let column = match encoding {
            Encoding::Utf32 => char - start,
            Encoding::Utf16 => self.rope.char_to_utf16_cu(char) - self.rope.char_to_utf16_cu(start),
            Encoding::Utf8 => self.rope.char_to_byte(char) - self.rope.char_to_byte(start),
        };
        Position { line: line as u32, column: column as u32 }
    }

    /// The characters of a line without its line break.
    fn line_chars(&self, line: usize) -> usize {
        let slice = self.rope.line(line);
        let mut count = slice.len_chars();
        if count > 0 && slice.char(count - 1) == '\n' {
            count -= 1;
        }
        if count > 0 && slice.char(count - 1) == '\r' {
            count -= 1;
        }
        count
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.rope.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

/// Why bytes are no text. Its message names places, never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not UTF-8 text: byte {offset} is invalid; save the file as UTF-8")]
    Utf8 { offset: usize },
    #[error("not UTF-16 text: the two bytes at {offset} are half a character; save the file as UTF-8")]
    Utf16 { offset: usize },
}

/// The text of a file: UTF-8, or UTF-16 where a byte order mark says so (The Unicode Standard, section 23.8). The mark
/// itself is left out, as editors do, so offsets count from the first character behind it.
pub fn decode_bytes(bytes: &[u8]) -> Result<String, DecodeError> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_utf8(rest, 3),
        _ => decode_utf8(bytes, 0),
    }
}

/// `skipped` bytes stand before `bytes` in the file.
fn decode_utf8(bytes: &[u8], skipped: usize) -> Result<String, DecodeError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(DecodeError::Utf8 { offset: skipped + error.valid_up_to() }),
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DecodeError> {
    let (pairs, rest) = bytes.as_chunks();
    let mut text = String::with_capacity(bytes.len());
    // The byte order mark stands before the first unit.
    let mut offset = 2;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = character.map_err(|_| DecodeError::Utf16 { offset })?;
        text.push(character);
        offset += 2 * character.len_utf16();
    }
    if rest.is_empty() { Ok(text) } else { Err(DecodeError::Utf16 { offset }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decoded_by_their_byte_order_mark() {
        for bytes in [
            b"a\xc3\xa9".as_slice(),
            b"\xef\xbb\xbfa\xc3\xa9".as_slice(),
            b"\xff\xfea\0\xe9\0".as_slice(),
            b"\xfe\xff\0a\0\xe9".as_slice(),
        ] {
            assert_eq!(decode_bytes(bytes).unwrap(), "a\u{e9}", "{bytes:x?}");
        }
        assert_eq!(decode_bytes(b"").unwrap(), "");
        assert_eq!(decode_bytes(b"\xff\xfe\x3d\xd8\x00\xde").unwrap(), "\u{1f600}");
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_their_offset() {
        assert_eq!(decode_bytes(b"ab\xff"), Err(DecodeError::Utf8 { offset: 2 }));
        assert_eq!(decode_bytes(b"\xef\xbb\xbfab\xff"), Err(DecodeError::Utf8 { offset: 5 }));
        assert_eq!(decode_bytes(b"\xff\xfea\0\x3d\xd8a\0"), Err(DecodeError::Utf16 { offset: 4 }));
        assert_eq!(decode_bytes(b"\xff\xfea\0b"), Err(DecodeError::Utf16 { offset: 4 }));
    }

    fn position(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    #[test]
    fn only_the_line_breaks_of_the_protocol_end_a_line() {
        let text = Text::new("a\u{2028}b\u{85}c\x0bd\re\r\nf\ng");
        assert_eq!(text.lines(), 4);
    }

    #[test]
    fn positions_count_in_the_units_of_the_encoding() {
        let text = Text::new("é😀x\r\nnext");
        for (encoding, column) in [(Encoding::Utf8, 6), (Encoding::Utf16, 3), (Encoding::Utf32, 2)] {
            assert_eq!(text.offset(position(0, column), encoding), 6);
            assert_eq!(text.position(6, encoding), position(0, column));
        }
    }

    #[test]
    fn positions_outside_are_clamped() {
        let text = Text::new("ab\r\ncd");
        assert_eq!(text.offset(position(0, 99), Encoding::Utf16), 2);
        assert_eq!(text.offset(position(9, 0), Encoding::Utf16), 6);
        assert_eq!(text.position(99, Encoding::Utf16), position(1, 2));
    }

    #[test]
    fn edits_replace_bytes() {
        let mut text = Text::new("héllo");
        text.replace(Span::new(1, 3), "e");
        assert_eq!(text.to_string(), "hello");
        text.replace(Span::new(99, 120), "!");
        assert_eq!(text.to_string(), "hello!");
    }
}
