//! The inside of JSON strings (RFC 8259 section 7): escapes, and the way back from a decoded text to what is written.

use std::borrow::Cow;

use memchr::memchr;

/// The text that the inside of a JSON string means. Wrong escapes stay as written; a lone surrogate becomes U+FFFD.
pub fn decode(raw: &str) -> Cow<'_, str> {
    decode_into(raw, |_, _| ())
}

/// The same, with a map from offsets in the text to offsets in `raw`.
pub fn decode_with_map(raw: &str) -> (Cow<'_, str>, OffsetMap) {
    let mut escapes = Vec::new();
    let text = decode_into(raw, |decoded, raw| escapes.push((decoded, raw)));
    (text, OffsetMap { escapes })
}

/// Leads from a decoded text back to what was written. It costs memory per escape, not per character.
#[derive(Clone, Debug, Default)]
pub struct OffsetMap {
    /// Where each escape ends: in the decoded text, and in the raw one.
    escapes: Vec<(usize, usize)>,
}

impl OffsetMap {
    /// The offset in the raw text of the character that starts at `decoded`; the end leads to the end.
    pub fn raw_offset(&self, decoded: usize) -> usize {
        let behind = self.escapes.partition_point(|(end, _)| *end <= decoded);
        match behind.checked_sub(1) {
            Some(last) => {
                let (decoded_end, raw_end) = self.escapes[last];
                raw_end + (decoded - decoded_end)
            }
            None => decoded,
        }
    }
}

fn decode_into(raw: &str, mut escape_ends: impl FnMut(usize, usize)) -> Cow<'_, str> {
    let Some(first) = memchr(b'\\', raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut text = String::with_capacity(raw.len());
    text.push_str(&raw[..first]);
    let mut at = first;
    while at < raw.len() {
        match escape(&raw[at..]) {
            Some((character, length)) => {
                text.push(character);
                at += length;
                escape_ends(text.len(), at);
            }
            None => {
                // NB. what follows a backslash that starts no escape is read afresh, except a second backslash.
                text.push('\\');
                at += 1;
            }
        }
        let next = memchr(b'\\', &raw.as_bytes()[at..]).map_or(raw.len(), |offset| at + offset);
        text.push_str(&raw[at..next]);
        at = next;
    }
    Cow::Owned(text)
}

/// The character that the escape at the start of `raw` means, and its length in bytes.
fn escape(raw: &str) -> Option<(char, usize)> {
    let character = match raw.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(raw),
        _ => return None,
    };
    Some((character, 2))
}

fn unicode_escape(raw: &str) -> Option<(char, usize)> {
    let unit = code_unit(raw)?;
    if !(0xd800..0xe000).contains(&unit) {
        return Some((char::from_u32(unit)?, 6));
    }
    let low = raw.get(6..).and_then(code_unit).filter(|low| (0xdc00..0xe000).contains(low));
    match low {
        Some(low) if unit < 0xdc00 => {
            let character = char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?;
            Some((character, 12))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

/// The number in `\uXXXX` at the start of `raw`.
fn code_unit(raw: &str) -> Option<u32> {
    let digits = raw.strip_prefix("\\u")?.get(..4)?;
    // `from_str_radix` would take a sign.
    let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u32::from_str_radix(digits, 16).ok())?
}
