//! The grammar of a link into a KV secrets engine of HashiCorp Vault or OpenBao: mount, path, key, version.
//!
//! The parts end up in a URL path. Everything that could mean something there besides itself is refused before a
//! client sees it, instead of being escaped: a path that needs escaping was not written by someone who reads secrets.

use std::fmt;

use super::field::{refuse, refuse_any};
use crate::config::{Complaint, SecretEntry, Written};

/// A key within a secret of a KV engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KvSecret {
    /// The mount path of the engine, without `/` at its ends.
    pub mount: String,
    /// The secret's path below the mount, without `/` at its ends.
    pub path: String,
    pub key: String,
    /// The version; the latest if none. Only engines of version 2 have them.
    pub version: Option<u64>,
}

/// Why a text is no path. The messages name the rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("it starts or ends with `/`")]
    Ends,
    #[error("it has an empty part (`//`)")]
    EmptyPart,
    #[error("`.` and `..` are not allowed as parts")]
    Dots,
    #[error("`%`, `?`, `#`, `\\` and `*` are not allowed")]
    Meaning,
    #[error("control and invisible characters are not allowed")]
    Invisible,
}

const MAX_LENGTH: usize = 512;

impl KvSecret {
    /// Reads the coordinates of `entry`; the complaint tells the first thing that is wrong, at its place.
    pub fn understand(entry: &SecretEntry) -> Result<Self, Complaint> {
        let header = entry.source.site.span;
        if let Some(id) = &entry.id {
            return Err(Complaint::error(id.span, "`id` belongs to Azure; here a secret has `engine`, `path`, `key`"));
        }
        let needed = |field: &Option<Written<String>>, name: &str, what: &str| {
            field.clone().ok_or_else(|| Complaint::error(header, format!("`{name}` is missing: {what}")))
        };
        let engine = needed(&entry.engine, "engine", "the mount path of the KV secrets engine, such as `kv`")?;
        let path = needed(&entry.path, "path", "the secret's path below the engine's mount")?;
        let key = needed(&entry.key, "key", "the key within the secret")?;
        for (field, name) in [(&engine, "engine"), (&path, "path")] {
            check_path(&field.value).map_err(|error| Complaint::error(field.span, format!("`{name}`: {error}")))?;
        }
        check_key(&key.value).map_err(|error| Complaint::error(key.span, format!("`key`: {error}")))?;
        if let Some(version) = &entry.version_text {
            return Err(Complaint::error(version.span, "`version` is a number here; leave it out for the latest"));
        }
        let others = [&entry.arn, &entry.role_arn, &entry.json_key, &entry.encoding];
        refuse_any(&others, "this belongs to AWS; here a secret has `engine`, `path`, `key`")?;
        let message = "`reference` belongs to 1Password; here a secret has `engine`, `path`, `key`";
        refuse(entry.reference.as_ref(), message)?;
        if let Some(version) = entry.version.as_ref().filter(|version| version.value == 0) {
            return Err(Complaint::error(version.span, "versions start at 1; leave `version` out for the latest"));
        }
        let version = entry.version.as_ref().map(|version| version.value);
        Ok(Self { mount: engine.value, path: path.value, key: key.value, version })
    }

    /// Labelled parts, for people.
    pub fn labelled(&self) -> Vec<(&'static str, String)> {
        let mut parts = vec![("engine", self.mount.clone()), ("path", self.path.clone()), ("key", self.key.clone())];
        parts.extend(self.version.map(|version| ("version", version.to_string())));
        parts
    }
}

/// The secret without its key, as the vault's own tools print it.
impl fmt::Display for KvSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mount, self.path)
    }
}

/// Checks the path of a mount, a secret or a namespace.
pub fn check_path(path: &str) -> Result<(), PathError> {
    check_text(path)?;
    if path.contains(['%', '?', '#', '\\', '*']) {
        return Err(PathError::Meaning);
    }
    if path.starts_with('/') || path.ends_with('/') {
        return Err(PathError::Ends);
    }
    for part in path.split('/') {
        match part.trim() {
            "" => return Err(PathError::EmptyPart),
            "." | ".." => return Err(PathError::Dots),
            _ => {}
        }
    }
    Ok(())
}

/// A key is compared with the keys of a JSON object and never part of a URL, so it may hold almost anything.
pub(super) fn check_key(key: &str) -> Result<(), PathError> {
    check_text(key)
}

fn check_text(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.len() > MAX_LENGTH {
        return Err(PathError::TooLong);
    }
    if text.chars().any(is_invisible) {
        return Err(PathError::Invisible);
    }
    Ok(())
}

/// Controls, line separators, zero-width characters and marks that turn the direction of text (Unicode UAX #9).
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_taken() {
        for path in ["kv", "team/kv", "payments/stripe", "Zahlungen/größe", "a b/c.d-e_f", "...", "a..b"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn what_means_more_than_itself_is_refused() {
        for (path, error) in [
            ("", PathError::Empty),
            ("../../sys/auth", PathError::Dots),
            ("a/./b", PathError::Dots),
            ("a/.. /b", PathError::Dots),
            ("a//b", PathError::EmptyPart),
            ("a/ /b", PathError::EmptyPart),
            ("/a", PathError::Ends),
            ("a/", PathError::Ends),
            ("%2e%2e/a", PathError::Meaning),
            ("a?version=1", PathError::Meaning),
            ("a#x", PathError::Meaning),
            ("a\\..\\b", PathError::Meaning),
            ("a/*", PathError::Meaning),
            ("a\nb", PathError::Invisible),
            ("a\0b", PathError::Invisible),
            ("a\u{202e}b", PathError::Invisible),
            ("a\u{200b}b", PathError::Invisible),
        ] {
            assert_eq!(check_path(path), Err(error), "{path:?}");
        }
        assert_eq!(check_path(&"x".repeat(513)), Err(PathError::TooLong));
    }

    #[test]
    fn a_key_may_hold_what_a_path_may_not() {
        assert_eq!(check_key("tls.crt/100%?"), Ok(()));
        assert_eq!(check_key("a\tb"), Err(PathError::Invisible));
    }
}
