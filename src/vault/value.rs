//! The only type that carries a secret.
//!
//! Its bytes are wiped when it is dropped, the spare capacity of their buffer included (zeroize, `Vec<u8>`). What that
//! cannot reach: copies that the HTTP and TLS libraries made on the way here, and what the system paged out.

use zeroize::Zeroizing;

/// A value that is wiped when dropped. It cannot be printed, compared, cloned or serialized; reading it takes a
/// closure, so that every use can be found.
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// The largest value, in bytes. Secrets are keys and passwords; more is a mistake or an attack.
    pub const MAX_LENGTH: usize = 1024 * 1024;

    /// Takes the bytes over. NB. copies the caller made before are the caller's to wipe.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Lends the bytes to `use_it`.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        use_it(&self.0)
    }

    /// Lends the text to `use_it`; none when the bytes are not UTF-8.
    pub fn expose_text<R>(&self, use_it: impl FnOnce(&str) -> R) -> Option<R> {
        std::str::from_utf8(&self.0).ok().map(use_it)
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes over a buffer that is wiped already.
impl From<Zeroizing<Vec<u8>>> for SecretValue {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}
