//! The URL of a filled request. What a value may be depends on where in the URL it stands; the text is parsed once,
//! and that object is judged and sent.

use std::ops::Range;

use http::{HeaderValue, header};
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use super::{FillError, Filler, ReadyHeader, bad_value, buffer::SecretBuffer, encode, first_secret, push_basic};
use crate::{
    http::{
        place::{UrlPart, has_scheme, url_part},
        prepare::parse_url,
    },
    name::SecretName,
    syntax::expand::{Expanded, Flat},
};

pub(super) struct FilledUrl {
    /// Without user and password.
    pub(super) url: Url,
    /// What stood before the `@`, as the header that carries it (RFC 3986 section 3.2.1, RFC 7617).
    pub(super) credentials: Option<ReadyHeader>,
}

impl Filler<'_> {
    pub(super) fn url(&self, expanded: &Expanded) -> Result<FilledUrl, FillError> {
        let mut text = Zeroizing::new(String::new());
        let mut in_path: Vec<(Range<usize>, &SecretName)> = Vec::new();
        let mut user_is_secret = false;
        for (index, piece) in expanded.pieces.iter().enumerate() {
            let (name, part) = match piece {
                Flat::Literal(literal) => {
                    push(&mut text, literal);
                    continue;
                }
                Flat::Secret { name, .. } => (name, url_part(&text, &expanded.pieces[index + 1..])),
            };
            let start = text.len();
            self.put(name, part, &mut text)?;
            match part {
                UrlPart::Path => in_path.push((start..text.len(), name)),
                UrlPart::User => user_is_secret = true,
                _ => {}
            }
        }
        refuse_dot_segments(&text, &in_path)?;
        if !has_scheme(&text) {
            // Only where a value brings the host: for all others it was added before.
            text = Zeroizing::new(format!("http://{}", *text));
        }
        let secret = first_secret(expanded);
        let mut url = parse_url(&text).map_err(|message| (secret.clone(), bad_value(message)))?;
        let credentials = take_credentials(&mut url, user_is_secret).map_err(|problem| (secret, problem))?;
        Ok(FilledUrl { url, credentials })
    }

    fn put(&self, name: &SecretName, part: UrlPart, text: &mut Zeroizing<String>) -> Result<(), FillError> {
        let mut out = SecretBuffer::default();
        self.with_text(name, |value| match part {
            UrlPart::Start => start(value, &mut out),
            UrlPart::Host => encode::host(value, &mut out),
            _ => encode::url(value, &mut out),
        })?;
        push(text, std::str::from_utf8(out.as_slice()).expect("an encoded text is text"));
        Ok(())
    }
}

/// A value that begins the URL: it brings the scheme and the host, perhaps a path, and is taken as it is.
fn start(value: &str, out: &mut SecretBuffer) -> Result<(), &'static str> {
    if value.contains(|char: char| char.is_control() || char == ' ') {
        return Err("begins the URL and holds a space, a line break or another control character");
    }
    out.push_text(value);
    Ok(())
}

/// A value must not climb: a segment that comes out as `.` or `..` would be resolved away, percent-encoded or not (URL
/// standard, "path state").
fn refuse_dot_segments(text: &str, values: &[(Range<usize>, &SecretName)]) -> Result<(), FillError> {
    for (range, name) in values {
        let ends = ['/', '\\', '?', '#'];
        let start = text[..range.start].rfind(ends).map_or(0, |end| end + 1);
        let end = text[range.end..].find(ends).map_or(text.len(), |end| range.end + end);
        let segment = Zeroizing::new(text[start..end].to_ascii_lowercase());
        if matches!(Zeroizing::new(segment.replace("%2e", ".")).as_str(), "." | "..") {
            let detail = format!("the value of `{name}` would make a `.` or `..` of a segment of the path");
            return Err((Some((*name).clone()), bad_value(detail)));
        }
    }
    Ok(())
}

/// Moves user and password from the URL to a header, so that they are treated like one at redirects.
fn take_credentials(url: &mut Url, secret: bool) -> Result<Option<ReadyHeader>, crate::status::Problem> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let user = Zeroizing::new(percent_decode_str(url.username()).collect::<Vec<u8>>());
    if user.contains(&b':') {
        return Err(bad_value("the user in the URL cannot hold a `:`"));
    }
    let mut pair = SecretBuffer::default();
    pair.push(&user);
    pair.push(b":");
    pair.push(&Zeroizing::new(percent_decode_str(url.password().unwrap_or_default()).collect::<Vec<u8>>()));
    let mut header = SecretBuffer::default();
    push_basic(&mut header, pair.as_slice());
    let mut value =
        HeaderValue::from_bytes(header.as_slice()).map_err(|_| bad_value("the user in the URL cannot be sent"))?;
    value.set_sensitive(true);
    let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
    if !cleared {
        return Err(bad_value("the user in the URL cannot be sent"));
    }
    Ok(Some(ReadyHeader { name: header::AUTHORIZATION, value, holds_secret: secret }))
}

/// Appends; what the text outgrows is wiped.
fn push(text: &mut Zeroizing<String>, more: &str) {
    let needed = text.len() + more.len();
    if needed > text.capacity() {
        let mut larger = Zeroizing::new(String::with_capacity(needed.max(text.capacity() * 2)));
        larger.push_str(text);
        *text = larger;
    }
    text.push_str(more);
}
