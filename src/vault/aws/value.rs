//! The value out of an answer: the text as it is, one key of it, or bytes written as text.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::failure::{Asked, Said, nonsense};
use crate::{
    status::{Problem, Reason},
    vault::{
        fields::{self, Keys, Text},
        link::aws::{AwsSecret, Encoding},
        value::SecretValue,
    },
};

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

fn no_key(keys: &Keys<'_>, key: &str, secret: &AwsSecret) -> Problem {
    Problem::new(Reason::NotFound, format!("secret `{}` has no key `{key}`; {}", secret.arn.name, fields::listed(keys)))
}

fn empty(secret: &AwsSecret) -> Problem {
    let part = secret.json_key.as_ref().map(|key| format!("the key `{key}` of ")).unwrap_or_default();
    Problem::new(Reason::Empty, format!("{part}secret `{}` is empty", secret.arn.name))
}

fn bad(detail: String) -> Problem {
    Problem::new(Reason::BadValue, detail)
}
