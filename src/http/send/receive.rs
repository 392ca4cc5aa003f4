//! Reads an answer: bounded, decoded, redacted.

use std::{sync::Arc, time::Instant};

use http::{HeaderMap, header};
use url::Url;
use zeroize::Zeroizing;

use super::{Hop, Limits, Received, Response, SendError, Shown, Witness, failure};
use crate::{domain, http::redact::Redactor, vault::value::SecretValue};

/// How much of a body is looked at to tell text from other data, in bytes.
const SAMPLE: usize = 8 << 10;

/// How an answer came about.
pub(super) struct Receipt<'a> {
    pub(super) hop: &'a Hop,
    pub(super) shown: &'a Shown<'a>,
    /// Each redirect that was followed: status and the URL it led to.
    pub(super) redirects: Vec<(u16, Url)>,
    pub(super) started: Instant,
}

/// Reads what the last hop answered.
pub(super) async fn receive(
    mut response: reqwest::Response,
    receipt: Receipt<'_>,
    limits: &Limits,
    witness: Witness,
) -> Result<Response, SendError> {
    let Receipt { hop, shown, redirects, started } = receipt;
    let body = read(&mut response, limits.body)
        .await
        .map_err(|error| SendError::Failed(shown.text(&failure::describe(error, shown.host(&hop.url)))))?;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let bytes = body.bytes.len() as u64;
    let seen = Seen {
        status: response.status().as_u16(),
        origin: domain::origin_key(&hop.url).unwrap_or_default(),
        headers: response.headers().clone(),
        body,
    };
    let (received, body, redactor) = show(seen, witness).await?;
    let shown = Shown { redactor: &redactor, secret_host: shown.secret_host.clone() };
    let headers = response.headers().iter();
    let (body, binary) = body;
    Ok(Response {
        status: received.status,
        reason: shown.text(&reason(&response)),
        version: format!("{:?}", response.version()),
        method: shown.text(hop.method.as_str()),
        url: shown.url(&hop.url),
        headers: headers.map(|(name, value)| (shown.text(name.as_str()), shown.text(&of_header(value)))).collect(),
        body,
        binary,
        truncated: received.truncated,
        bytes,
        millis,
        redirects: redirects.iter().map(|(status, url)| (*status, shown.url(url))).collect(),
    })
}

/// A body as far as it was read.
struct Body {
    /// Wiped when dropped: what a server echoes may be a secret.
    bytes: Zeroizing<Vec<u8>>,
    truncated: bool,
}

/// Reads chunk by chunk and stops at `limit`: neither an endless body nor one that unpacks to gigabytes is held. A
/// chunk is at most what the connection or the decompressor hands out at once, some kilobytes.
async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Body, reqwest::Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        let room = limit - bytes.len();
        if chunk.len() > room {
            append(&mut bytes, &chunk[..room]);
            return Ok(Body { bytes, truncated: true });
        }
        append(&mut bytes, &chunk);
    }
    Ok(Body { bytes, truncated: false })
}

/// Appends; what the bytes outgrow is wiped.
fn append(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let needed = bytes.len() + more.len();
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(bytes.capacity() * 2)));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
}

/// What the last hop answered, not decoded yet.
struct Seen {
    status: u16,
    origin: String,
    headers: HeaderMap,
    body: Body,
}

/// A body as it is shown, and whether that is a note on binary data.
type Displayed = (String, bool);

/// Decodes and redacts off the async threads: ten megabytes take long enough to hold up everything else.
async fn show(seen: Seen, witness: Witness) -> Result<(Arc<Received>, Displayed, Redactor), SendError> {
    let shown = tokio::task::spawn_blocking(move || {
        let headers = &seen.headers;
        let content_type = value_of(headers, header::CONTENT_TYPE).to_ascii_lowercase();
        let coding = value_of(headers, header::CONTENT_ENCODING);
        let text = if is_plain_coding(&coding) { decode(&seen.body, &content_type) } else { None };
        let value = |value: &http::HeaderValue| SecretValue::new(of_header(value).into_bytes());
        let received = Arc::new(Received {
            status: seen.status,
            origin: seen.origin,
            headers: headers.iter().map(|(name, text)| (name.as_str().to_owned(), value(text))).collect(),
            text,
            truncated: seen.body.truncated,
        });
        let redactor = witness(&received);
        let body = match &received.text {
            Some(text) if received.truncated => (redactor.redact_cut(text), false),
            Some(text) => (redactor.redact(text), false),
            None => (redactor.redact(&note_on_data(&seen.body, &content_type, &coding)), true),
        };
        (received, body, redactor)
    });
    // It is only lost when the whole program ends.
    shown.await.map_err(|_| SendError::Failed("the body could not be read to its end".into()))
}

fn note_on_data(body: &Body, content_type: &str, coding: &str) -> String {
    let coding = if is_plain_coding(coding) { "" } else { coding };
    let kinds: Vec<&str> = [content_type, coding].into_iter().filter(|kind| !kind.is_empty()).collect();
    let kind = if kinds.is_empty() { "of unknown type".to_owned() } else { kinds.join(", ") };
    let more = if body.truncated { "more than " } else { "" };
    format!("binary data ({kind}), {more}{} bytes, not shown", body.bytes.len())
}

/// Whether nothing is left to unpack. A coding that was unpacked is taken out of the headers by then.
fn is_plain_coding(coding: &str) -> bool {
    coding.split(',').all(|part| matches!(part.trim().to_ascii_lowercase().as_str(), "" | "identity"))
}

/// The body as text; none where it is no text.
fn decode(body: &Body, content_type: &str) -> Option<Zeroizing<String>> {
    let bytes = body.bytes.as_slice();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    match charset(bytes, content_type) {
        Charset::Utf16 { little } => return Some(utf16(bytes, little)),
        Charset::Latin1 => return Some(Zeroizing::new(bytes.iter().map(|byte| windows_1252(*byte)).collect())),
        Charset::Utf8 => {}
    }
    if bytes[..bytes.len().min(SAMPLE)].contains(&0) || is_binary_media(media) {
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Zeroizing::new(text.to_owned())),
        // The cut can fall inside a character.
        Err(error) if body.truncated && error.error_len().is_none() => {
            Some(Zeroizing::new(String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()))
        }
        Err(_) if is_text_media(media) => Some(Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())),
        Err(_) => None,
    }
}

enum Charset {
    Utf8,
    Utf16 {
        little: bool,
    },
    /// Windows-1252, as the Encoding standard reads every label of Latin-1.
    Latin1,
}

fn charset(bytes: &[u8], content_type: &str) -> Charset {
    // A byte order mark wins over the header (Encoding standard, "decode").
    match bytes {
        [0xff, 0xfe, ..] => return Charset::Utf16 { little: true },
        [0xfe, 0xff, ..] => return Charset::Utf16 { little: false },
        [0xef, 0xbb, 0xbf, ..] => return Charset::Utf8,
        _ => {}
    }
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let label = parameters.find(|(key, _)| key.trim() == "charset").map(|(_, value)| value.trim().trim_matches('"'));
    match label {
        Some("iso-8859-1" | "iso8859-1" | "latin1" | "us-ascii" | "windows-1252" | "cp1252") => Charset::Latin1,
        Some("utf-16" | "utf-16le") => Charset::Utf16 { little: true },
        Some("utf-16be") => Charset::Utf16 { little: false },
        _ => Charset::Utf8,
    }
}

fn utf16(bytes: &[u8], little: bool) -> Zeroizing<String> {
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    });
    let chars = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    Zeroizing::new(chars.skip_while(|char| *char == '\u{feff}').collect())
}

/// A byte of Windows-1252 (Encoding standard, index windows-1252).
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
        '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}',
        '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}',
        '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn is_text_media(media: &str) -> bool {
    media.starts_with("text/")
        || media.ends_with("json")
        || media.ends_with("xml")
        || media.ends_with("yaml")
        || media.ends_with("javascript")
        || media == "application/x-www-form-urlencoded"
}

fn is_binary_media(media: &str) -> bool {
    let family = media.split('/').next().unwrap_or_default();
    matches!(family, "image" | "audio" | "video" | "font") && !media.ends_with("xml")
}

fn value_of(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).map(of_header).unwrap_or_default()
}

/// A header's value as text: UTF-8 where it is, else byte by byte.
fn of_header(value: &http::HeaderValue) -> String {
    let bytes = value.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn reason(response: &reqwest::Response) -> String {
    match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    }
}
