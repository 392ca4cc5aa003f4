//! The value out of an answer: the text as it is, one key of it, or bytes written as text.

use std::{borrow::Cow, collections::BTreeMap};

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::failure::{Asked, Said, nonsense};
use crate::{
    status::{Problem, Reason},
    vault::{
        link::arn::{AwsSecret, Encoding},
        value::SecretValue,
    },
};

/// How many keys a message lists.
const LISTED_KEYS: usize = 5;

/// The keys of an object, each with its JSON as it came.
type Keys<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The value that the link means. NB. takes the fields out, so that they are wiped here.
pub(super) fn of(output: GetSecretValueOutput, asked: &Asked<'_>) -> Result<SecretValue, Problem> {
    // Every answer of AWS names its secret; one of something else decodes to nothing.
    let (Said::Secret(secret), Some(_)) = (asked.said, &output.arn) else { return Err(nonsense(asked)) };
    let text = match (output.secret_string, output.secret_binary) {
        (Some(text), _) => Zeroizing::new(text.into_bytes()),
        (None, Some(binary)) => encode(&Zeroizing::new(binary.into_inner()), secret)?,
        (None, None) => return Err(empty(secret)),
    };
    let value = match &secret.json_key {
        Some(key) => pick(&text, key, secret)?,
        None => text,
    };
    if value.is_empty() {
        return Err(empty(secret));
    }
    if value.len() > SecretValue::MAX_LENGTH {
        let limit = SecretValue::MAX_LENGTH / 1024;
        return Err(bad(format!("secret `{}` is larger than {limit} KiB", secret.arn.name)));
    }
    Ok(SecretValue::from(value))
}

fn encode(bytes: &[u8], secret: &AwsSecret) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let name = &secret.arn.name;
    let encoding = secret
        .encoding
        .ok_or_else(|| bad(format!("secret `{name}` is binary; link it with `encoding`: base64, hex or text")))?;
    match encoding {
        Encoding::Base64 => Ok(Zeroizing::new(BASE64_STANDARD.encode(bytes).into_bytes())),
        Encoding::Hex => Ok(Zeroizing::new(hex(bytes))),
        Encoding::Text if std::str::from_utf8(bytes).is_ok() => Ok(Zeroizing::new(bytes.to_vec())),
        Encoding::Text => Err(bad(format!("secret `{name}` is not UTF-8; link it with `encoding` base64 or hex"))),
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
    let mut text = Vec::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

/// The value of one key: a text without its quotes and escapes, a number or a truth value as it is written.
fn pick(text: &[u8], key: &str, secret: &AwsSecret) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let name = &secret.arn.name;
    let keys: Keys<'_> = serde_json::from_slice(text)
        .map_err(|_| bad(format!("secret `{name}` is not a JSON object; link it without `json-key`")))?;
    let json = keys.get(key).ok_or_else(|| no_key(&keys, key, secret))?.get();
    match json.as_bytes().first() {
        Some(b'"') => {
            let text = serde_json::from_str::<Text<'_>>(json)
                .map_err(|_| bad(format!("the key `{key}` of secret `{name}` is no text")))?;
            Ok(Zeroizing::new(text.0.into_owned().into_bytes()))
        }
        Some(b'{' | b'[') => Err(bad(format!(
            "the key `{key}` of secret `{name}` holds an object or a list; link a key that holds a text"
        ))),
        Some(b'n') | None => Err(empty(secret)),
        Some(_) => Ok(Zeroizing::new(json.as_bytes().to_vec())),
    }
}

/// Borrows a text that has no escapes, so that only one with escapes is built anew.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn no_key(keys: &Keys<'_>, key: &str, secret: &AwsSecret) -> Problem {
    let shown =
        |key: &Cow<'_, str>| format!("`{}`", key.chars().take(40).flat_map(char::escape_debug).collect::<String>());
    let mut listed: Vec<String> = keys.keys().take(LISTED_KEYS).map(shown).collect();
    if keys.len() > LISTED_KEYS {
        listed.push(format!("{} more", keys.len() - LISTED_KEYS));
    }
    let rest = if listed.is_empty() { "it has none".to_owned() } else { format!("it has {}", listed.join(", ")) };
    Problem::new(Reason::NotFound, format!("secret `{}` has no key `{key}`; {rest}", secret.arn.name))
}

fn empty(secret: &AwsSecret) -> Problem {
    let part = secret.json_key.as_ref().map(|key| format!("the key `{key}` of ")).unwrap_or_default();
    Problem::new(Reason::Empty, format!("{part}secret `{}` is empty", secret.arn.name))
}

fn bad(detail: String) -> Problem {
    Problem::new(Reason::BadValue, detail)
}
