//! Blanks values wherever they could be read, in any of the forms in which they may come back.

use crate::{name::SecretName, vault::value::SecretValue};

/// What stands in place of a value.
pub const MASK: &str = "[redacted]";

/// Finds values. Its patterns are values: it cannot be printed.
pub struct Redactor {}

impl Redactor {
    pub fn new<'a>(_values: impl IntoIterator<Item = (&'a SecretName, &'a SecretValue)>) -> Self {
        todo!()
    }

    /// `text` with every value masked.
    pub fn redact(&self, _text: &str) -> String {
        todo!()
    }
}

/// Why a value cannot be masked without blanking ordinary text: too short, or a common word. Said when it is
/// stored.
pub fn unmaskable(_value: &SecretValue) -> Option<&'static str> {
    todo!()
}
