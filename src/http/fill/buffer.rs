//! A buffer for text that holds values: what it outgrows is wiped.

use bytes::Bytes;
use zeroize::Zeroizing;

/// Bytes that are wiped when dropped and when they move to a larger place.
#[derive(Default)]
pub(super) struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    const FIRST_CAPACITY: usize = 256;

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let capacity = needed.max(self.0.capacity() * 2).max(Self::FIRST_CAPACITY);
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    pub(super) fn push_char(&mut self, char: char) {
        self.push_text(char.encode_utf8(&mut [0; 4]));
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The same bytes for sending; they are wiped when the last user of them is done.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }
}
