//! Puts values into a prepared request, each encoded for its place.
//!
//! A value is data wherever it goes: it is escaped or encoded for the language it is put into, or refused where that
//! language cannot carry it, and it is never read for variables or references again.

#![expect(clippy::disallowed_methods, reason = "this is where values enter a request")]

mod body;
mod buffer;
mod encode;
mod url;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use zeroize::Zeroizing;

use crate::{
    http::prepare::{Prepared, PreparedValue},
    name::SecretName,
    status::{Problem, Reason},
    syntax::expand::{Expanded, Flat},
    vault::value::SecretValue,
};
use buffer::SecretBuffer;

pub type Values = BTreeMap<SecretName, Arc<SecretValue>>;

/// Why a request could not be filled: the secret it is about, if it is about one, and what is wrong.
pub type FillError = (Option<SecretName>, Problem);

/// The largest value that is put into a request, in bytes.
const LARGEST_VALUE: usize = 1 << 20;

/// A request that holds values: it cannot be printed.
pub struct Ready {
    pub(super) method: Method,
    pub(super) url: ::url::Url,
    pub(super) headers: Vec<ReadyHeader>,
    pub(super) body: Option<ReadyBody>,
    pub(super) follow_redirects: bool,
    pub(super) timeout: Option<Duration>,
    /// Whether a value decided the host: then no message may name the host.
    pub(super) host_is_secret: bool,
}

pub(super) struct ReadyHeader {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    pub(super) holds_secret: bool,
}

pub(super) struct ReadyBody {
    /// Wiped when the last of its copies is dropped.
    pub(super) bytes: Bytes,
    pub(super) holds_secret: bool,
}

/// Fills every place or none. A problem names the secret, never its bytes.
pub fn fill(prepared: &Prepared, values: &Values) -> Result<Ready, FillError> {
    if !prepared.faults.is_empty() {
        return Err((None, bad_value("the request has parts that cannot be worked out")));
    }
    let filler = Filler { values };
    let method = Method::from_bytes(prepared.method.as_bytes())
        .map_err(|_| (None, bad_value(format!("`{}` is not a method", prepared.method.escape_debug()))))?;
    let mut headers = Vec::with_capacity(prepared.headers.len());
    for (name, value) in &prepared.headers {
        headers.push(filler.header(name, value)?);
    }
    let url = filler.url(&prepared.url)?;
    if let Some(credentials) = url.credentials
        && !headers.iter().any(|header| header.name == header::AUTHORIZATION)
    {
        headers.push(credentials);
    }
    let body = filler.body(&prepared.body, &mut headers)?;
    Ok(Ready {
        method,
        url: url.url,
        headers,
        body,
        follow_redirects: prepared.follow_redirects,
        timeout: prepared.timeout,
        host_is_secret: !prepared.secrets_in_host().is_empty(),
    })
}

impl Ready {
    /// The URL that will be sent; it may hold values, so it is for the policy's eyes only.
    pub fn url(&self) -> &::url::Url {
        &self.url
    }

    /// Whether a value decided the host: then no message may name the host.
    pub fn host_is_secret(&self) -> bool {
        self.host_is_secret
    }

    /// What may be told of the policy's refusal of this URL. Where a value decided the host the words are the same
    /// whatever the host is, so that nobody can ask the policy about a value.
    pub fn conceal(&self, problem: Problem) -> Problem {
        if self.host_is_secret { conceal(&problem) } else { problem }
    }
}

/// A refusal that does not name the host.
pub(super) fn conceal(problem: &Problem) -> Problem {
    let detail = "the host that this URL gets from a secret is not allowed for every secret of the request";
    Problem::new(problem.reason, detail)
}

/// Wipes the copy of the URL that is ours; the connection's own is out of reach.
impl Drop for Ready {
    fn drop(&mut self) {
        if let Ok(blank) = ::url::Url::parse("data:") {
            drop(Zeroizing::new(String::from(std::mem::replace(&mut self.url, blank))));
        }
    }
}

/// Knows the values.
#[derive(Clone, Copy)]
struct Filler<'a> {
    values: &'a Values,
}

impl Filler<'_> {
    /// Lends the bytes of a value to `use_it`, which says what is wrong with them for its place.
    fn with_bytes<R>(
        &self,
        name: &SecretName,
        use_it: impl FnOnce(&[u8]) -> Result<R, &'static str>,
    ) -> Result<R, FillError> {
        let Some(value) = self.values.get(name) else {
            let detail = format!("`{name}` was not read, so it cannot be put in");
            return Err((Some(name.clone()), Problem::new(Reason::Missing, detail)));
        };
        let filled = if value.len() > LARGEST_VALUE {
            Err("is larger than 1 MiB, the most that is put into a request")
        } else {
            value.expose(use_it)
        };
        filled.map_err(|fault| (Some(name.clone()), bad_value(format!("the value of `{name}` {fault}"))))
    }

    /// The same for a value that has to be text.
    fn with_text<R>(
        &self,
        name: &SecretName,
        use_it: impl FnOnce(&str) -> Result<R, &'static str>,
    ) -> Result<R, FillError> {
        self.with_bytes(name, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(
                |_| "is not UTF-8 text; such a value can only be a whole body or part of one that is not JSON",
            )?;
            use_it(text)
        })
    }

    /// Fills a text, whose literals are kept and whose values `put` writes.
    fn text(
        &self,
        text: &Expanded,
        out: &mut SecretBuffer,
        put: impl Fn(&[u8], &mut SecretBuffer) -> Result<(), &'static str>,
    ) -> Result<(), FillError> {
        for piece in &text.pieces {
            match piece {
                Flat::Literal(literal) => out.push_text(literal),
                Flat::Secret { name, .. } => self.with_bytes(name, |bytes| put(bytes, out))?,
            }
        }
        Ok(())
    }

    fn header(&self, name: &Expanded, value: &PreparedValue) -> Result<ReadyHeader, FillError> {
        let mut out = SecretBuffer::default();
        self.text(name, &mut out, encode::header)?;
        let header_name = HeaderName::from_bytes(out.as_slice())
            .map_err(|_| (first_secret(name), bad_value("what stands before the `:` of a header is not a name")))?;
        let name_is_secret = first_secret(name).is_some();
        let (mut header_value, secret) = self.header_value(value)?;
        let holds_secret = name_is_secret || secret.is_some();
        header_value.set_sensitive(holds_secret);
        Ok(ReadyHeader { name: header_name, value: header_value, holds_secret })
    }

    /// The value and a secret it holds.
    fn header_value(&self, value: &PreparedValue) -> Result<(HeaderValue, Option<SecretName>), FillError> {
        let mut out = SecretBuffer::default();
        let secret = match value {
            PreparedValue::Text(text) => {
                self.text(text, &mut out, encode::header)?;
                first_secret(text)
            }
            PreparedValue::Basic { user, password } => {
                let mut pair = SecretBuffer::default();
                self.text(user, &mut pair, encode::basic_user)?;
                if pair.as_slice().contains(&b':') {
                    // RFC 7617 section 2: the first colon ends the user.
                    return Err((None, bad_value("the user of basic authentication cannot hold a `:`")));
                }
                pair.push(b":");
                self.text(password, &mut pair, encode::raw)?;
                push_basic(&mut out, pair.as_slice());
                first_secret(user).or_else(|| first_secret(password))
            }
            PreparedValue::BasicToken(token) => {
                let mut text = SecretBuffer::default();
                self.text(token, &mut text, encode::header)?;
                if text.as_slice().contains(&b':') {
                    push_basic(&mut out, text.as_slice());
                } else {
                    out.push_text("Basic ");
                    out.push(text.as_slice());
                }
                first_secret(token)
            }
        };
        match HeaderValue::from_bytes(out.as_slice()) {
            Ok(value) => Ok((value, secret)),
            Err(_) => Err((secret, bad_value("a header value holds a character that cannot be sent"))),
        }
    }
}

fn push_basic(out: &mut SecretBuffer, pair: &[u8]) {
    out.push_text("Basic ");
    out.push_text(&Zeroizing::new(general_purpose::STANDARD.encode(pair)));
}

fn first_secret(text: &Expanded) -> Option<SecretName> {
    text.secrets().next().map(|(name, _)| name.clone())
}

fn bad_value(detail: impl Into<String>) -> Problem {
    Problem::new(Reason::BadValue, detail)
}
