//! What the local vault's file holds once it is decrypted: JSON whose values stay in the one buffer that is wiped.
#![expect(clippy::disallowed_methods, reason = "a value is encoded here to be encrypted")]

use std::{borrow::Cow, collections::BTreeMap, io};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Entry, file};
use crate::{name::SecretName, vault::value::SecretValue};

/// All secrets, borrowed from a decrypted buffer.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) secrets: BTreeMap<SecretName, Stored<'a>>,
}

/// One secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored<'a> {
    /// In base64, which needs no escapes and so is never copied by the JSON reader.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<&'a str>,
    #[serde(rename = "allowed-domains", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allowed_domains: Vec<String>,
    pub(super) enabled: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Cow<'a, str>>,
}

impl Default for Stored<'_> {
    fn default() -> Self {
        Self { value: None, allowed_domains: Vec::new(), enabled: true, note: None }
    }
}

impl<'a> Content<'a> {
    /// None where the buffer is no content.
    pub(super) fn parse(buffer: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(buffer).ok()
    }

    /// A buffer with room to be sealed in place. It is measured first, because a growing buffer leaves copies behind.
    pub(super) fn to_buffer(&self) -> Zeroizing<Vec<u8>> {
        let mut length = Length(0);
        serde_json::to_writer(&mut length, self).expect("plain text and numbers are always JSON");
        let mut buffer = Zeroizing::new(Vec::with_capacity(file::room(length.0)));
        serde_json::to_writer(&mut *buffer, self).expect("a vector takes every write");
        buffer
    }

    /// Everything but the values, by name.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entries = self.secrets.iter().map(|(name, stored)| Entry {
            name: name.clone(),
            allowed_domains: stored.allowed_domains.clone(),
            enabled: stored.enabled,
            note: stored.note.as_deref().map(str::to_owned),
            filled: stored.value.is_some_and(|value| !value.is_empty()),
        });
        entries.collect()
    }
}

impl Stored<'_> {
    /// The value; none where there is none, or where it is no base64.
    pub(super) fn value(&self) -> Option<SecretValue> {
        let text = self.value.filter(|text| !text.is_empty())?;
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let length = BASE64_STANDARD.decode_slice(text, &mut bytes).ok()?;
        bytes.truncate(length);
        Some(SecretValue::from(bytes))
    }
}

/// A value as it is stored.
pub(super) fn encode(value: &SecretValue) -> Zeroizing<String> {
    let length = base64::encoded_len(value.len(), true).expect("values are capped far below the address space");
    let mut text = Zeroizing::new(String::with_capacity(length));
    value.expose(|bytes| BASE64_STANDARD.encode_string(bytes, &mut text));
    text
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
