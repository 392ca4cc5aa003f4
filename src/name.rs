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
    /// The longest expression for a part of an exchange, in bytes.
    const LONGEST_EXPRESSION: usize = 256;

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

    /// The name under which a part of an earlier exchange is treated, such as `login.response.body.$.token`: like a
    /// secret, except that it may go back to `origin` (as `domain::origin_key` gives it), which it came from. The origin is
    /// empty while it is not known. No reference can spell such a name: `@` is not allowed.
    pub fn of_exchange(expression: &str, origin: &str) -> Option<Self> {
        let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'`');
        let valid = !expression.is_empty()
            && expression.len() <= Self::LONGEST_EXPRESSION
            && !expression.starts_with(Self::PROCESS_PREFIX)
            && plain(expression)
            && plain(origin)
            && !origin.contains('@');
        valid.then(|| Self(format!("{expression}@{origin}").into()))
    }

    /// The expression and the origin of a part of an earlier exchange, if it stands for one.
    pub fn exchange(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('@')
    }

    /// A name that is not a secret's own: of a process variable, or of a part of an earlier exchange whose origin is known.
    pub fn derived(text: &str) -> Option<Self> {
        if let Some(variable) = text.strip_prefix(Self::PROCESS_PREFIX) {
            return Self::of_process_variable(variable);
        }
        let (expression, origin) = text.rsplit_once('@')?;
        if origin.is_empty() { None } else { Self::of_exchange(expression, origin) }
    }

    /// Whether it names a secret that some vault could hold.
    pub fn is_own(&self) -> bool {
        self.process_variable().is_none() && self.exchange().is_none()
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
    fn a_part_of_an_exchange_has_a_name_that_no_reference_can_spell() {
        let name = SecretName::of_exchange("login.response.body.$[?@.a]", "https-host:8443").unwrap();
        assert_eq!(name.exchange(), Some(("login.response.body.$[?@.a]", "https-host:8443")));
        assert_eq!(SecretName::derived(name.as_str()).as_ref(), Some(&name));
        assert!(SecretName::parse(name.as_str()).is_err() && !name.is_own());
        for (expression, origin) in
            [("", "a.b"), ("a`b", "a.b"), ("a\nb", "a.b"), ("a", "b@c"), ("env:a", "b"), ("é", "b")]
        {
            assert_eq!(SecretName::of_exchange(expression, origin), None, "{expression} {origin}");
        }
        assert_eq!(SecretName::derived("a.response.body.*@"), None);
        assert_eq!(SecretName::derived("env:A").unwrap().process_variable(), Some("A"));
        assert_eq!(SecretName::parse("plain").unwrap().exchange(), None);
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
