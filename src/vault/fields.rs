//! The keys of a secret whose value is a JSON object: how one is picked, and how a message names the others.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

/// How many keys a message lists.
const LISTED_KEYS: usize = 5;

/// The keys of an object, each with its JSON as it came.
pub(super) type Keys<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Borrows a text that has no escapes, so that only one with escapes is built anew.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Says which keys there are instead of the one that is missing: names, never values.
pub(super) fn listed(keys: &Keys<'_>) -> String {
    let shown =
        |key: &Cow<'_, str>| format!("`{}`", key.chars().take(40).flat_map(char::escape_debug).collect::<String>());
    let mut listed: Vec<String> = keys.keys().take(LISTED_KEYS).map(shown).collect();
    if keys.len() > LISTED_KEYS {
        listed.push(format!("{} more", keys.len() - LISTED_KEYS));
    }
    if listed.is_empty() { "it has none".to_owned() } else { format!("it has {}", listed.join(", ")) }
}
