//! The claims of an id token.
//!
//! Its signature is not checked: it came from the token endpoint itself, over a connection whose certificate was
//! (OpenID Connect Core 1.0, section 3.1.3.7, rule 6). Whoever is handed the token checks the signature.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::Issuer;

/// By how many seconds the server's clock may be ahead or behind.
const LEEWAY: u64 = 60;

/// The longest name of a person.
const LONGEST_NAME: usize = 254;

/// Who signed in. Texts are the server's, for people to see; what cannot be shown is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The name under which people sign in there.
    pub username: Option<String>,
    /// Entra ID: the id of the tenant.
    pub tenant: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    nonce: Option<String>,
    preferred_username: Option<String>,
    upn: Option<String>,
    email: Option<String>,
    tid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The claims of `token`, or what is wrong with it.
pub(super) fn check(
    token: &str,
    issuer: &Issuer,
    client_id: &str,
    nonce: Option<&str>,
) -> Result<Claims, &'static str> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let payload = payload(token).ok_or("the id token cannot be read")?;
    if !issuer.is(&payload.iss) {
        return Err("the id token is of another issuer");
    }
    let several = matches!(payload.aud, Audience::Several(_));
    let audiences = match payload.aud {
        Audience::One(one) => vec![one],
        Audience::Several(several) => several,
    };
    let authorized = payload.azp.as_deref();
    let is_for_us = audiences.iter().any(|audience| audience == client_id);
    if !is_for_us || authorized.is_some_and(|party| party != client_id) {
        return Err("the id token is for another application");
    }
    if several && audiences.len() > 1 && authorized.is_none() {
        return Err("the id token is for several applications");
    }
    if payload.exp <= now.saturating_sub(LEEWAY) as f64 {
        return Err("the id token has expired; is this machine's clock right?");
    }
    if let Some(nonce) = nonce
        && !bool::from(payload.nonce.unwrap_or_default().as_bytes().ct_eq(nonce.as_bytes()))
    {
        return Err("the id token is not of this sign-in");
    }
    let username = payload.preferred_username.or(payload.upn).or(payload.email);
    Ok(Claims {
        username: username.filter(|name| can_be_shown(name)),
        tenant: payload.tid.filter(|id| can_be_shown(id)),
    })
}

fn payload(token: &str) -> Option<Payload> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, payload, _] = parts[..] else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn can_be_shown(text: &str) -> bool {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '@' | '.' | '-' | '_' | '+' | '#' | ' ');
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn token(change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": "https://a.io", "aud": "us", "exp": 4_102_444_800_u64, "nonce": "n", "sub": "1",
            "preferred_username": "alice@example.com", "tid": "9188040d-6c67",
        });
        change(&mut claims);
        format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn judge(change: impl FnOnce(&mut Value)) -> Result<Claims, &'static str> {
        check(&token(change), &Issuer::Exactly("https://a.io".into()), "us", Some("n"))
    }

    #[test]
    fn a_good_token_tells_who_it_is() {
        let claims = Claims { username: Some("alice@example.com".into()), tenant: Some("9188040d-6c67".into()) };
        assert_eq!(judge(|_| {}), Ok(claims.clone()));
        assert_eq!(judge(|token| token["aud"] = json!(["us"])), Ok(claims.clone()));
        assert_eq!(
            judge(|token| {
                token["aud"] = json!(["us", "them"]);
                token["azp"] = json!("us");
            }),
            Ok(claims)
        );
        assert_eq!(judge(|token| token["preferred_username"] = json!("<b>x")).unwrap().username, None);
    }

    #[test]
    fn every_claim_that_counts_is_checked() {
        for (field, value, fault) in [
            ("iss", json!("https://a.io/"), "another issuer"),
            ("iss", json!(null), "cannot be read"),
            ("aud", json!("them"), "another application"),
            ("aud", json!([]), "another application"),
            ("aud", json!(["us", "them"]), "several applications"),
            ("aud", json!({"us": 1}), "cannot be read"),
            ("azp", json!("them"), "another application"),
            ("exp", json!(1_600_000_000), "expired"),
            ("exp", json!(-1), "expired"),
            ("exp", json!("tomorrow"), "cannot be read"),
            ("exp", json!(null), "cannot be read"),
            ("nonce", json!("m"), "not of this sign-in"),
            ("nonce", json!(null), "not of this sign-in"),
        ] {
            let fault_found = judge(|token| token[field] = value).unwrap_err();
            assert!(fault_found.contains(fault), "{field}: {fault_found}");
        }
    }

    #[test]
    fn what_is_no_token_is_told() {
        for text in ["", "a.b", "a.b.c.d", "..", "e30.e30.x", "e30.!.x"] {
            let found = check(text, &Issuer::Exactly("https://a.io".into()), "us", None);
            assert_eq!(found, Err("the id token cannot be read"), "{text}");
        }
    }
}
