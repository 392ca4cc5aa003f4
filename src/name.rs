//! The name of a secret, validated once and trusted everywhere after.

use std::{fmt, sync::Arc};

/// The name that stands in `<<vault:name>>`: 1 to 128 characters of `[A-Za-z0-9._/-]` and inner spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Arc<str>);

/// Why a text is not a secret name. Its message never repeats the text: the text may be hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a secret name cannot be empty")]
    Empty,
    #[error("a secret name has at most {max} characters", max = SecretName::MAX_LENGTH)]
    TooLong,
    #[error("a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces")]
    Character,
    #[error("a secret name cannot start or end with a space")]
    Padded,
}

impl SecretName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 128;

    const PROCESS_PREFIX: &str = "env:";

    /// Checks `text` and keeps it unchanged.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(NameError::TooLong);
        }
        if !text.bytes().all(Self::allows) {
            return Err(NameError::Character);
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(NameError::Padded);
        }
        Ok(Self(text.into()))
    }

    /// The name under which `{{$processEnv VARIABLE}}` is treated: a process variable may hold a credential, so it
    /// goes through the same approval and masking as a secret. No reference can spell it: `:` is not allowed.
    pub fn of_process_variable(variable: &str) -> Option<Self> {
        let valid = !variable.is_empty()
            && variable.len() <= Self::MAX_LENGTH
            && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        valid.then(|| Self(format!("{}{variable}", Self::PROCESS_PREFIX).into()))
    }

    /// The process variable it stands for, if it does.
    pub fn process_variable(&self) -> Option<&str> {
        self.0.strip_prefix(Self::PROCESS_PREFIX)
    }

    /// Whether `byte` may stand in a name.
    pub const fn allows(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-' | b' ')
    }

    /// The name as a key of a TOML table: bare where that is allowed, else in quotes (TOML 1.0, "Keys").
    pub fn toml_key(&self) -> String {
        let bare = self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if bare { self.0.to_string() } else { format!("\"{}\"", self.0) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for SecretName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for SecretName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for SecretName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_kept_as_written() {
        for text in ["a", "db/pass", "stripe.key-2_x", "two words"] {
            assert_eq!(SecretName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        assert_eq!(SecretName::parse(""), Err(NameError::Empty));
        assert_eq!(SecretName::parse(&"x".repeat(129)), Err(NameError::TooLong));
        assert_eq!(SecretName::parse("a`b"), Err(NameError::Character));
        assert_eq!(SecretName::parse("a\nb"), Err(NameError::Character));
        assert_eq!(SecretName::parse("\u{202e}x"), Err(NameError::Character));
        assert_eq!(SecretName::parse(" a"), Err(NameError::Padded));
    }
}
