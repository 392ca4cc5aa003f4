//! The forms in which a value may come back: as it is, and as the encoders of this world write it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

/// The shortest line of a longer value that counts as a secret of its own, in bytes.
const SHORTEST_LINE: usize = 16;

/// RFC 3986, all but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// `encodeURIComponent` of ECMAScript.
const COMPONENT: &AsciiSet = &RESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
/// `application/x-www-form-urlencoded` of the URL standard, whose spaces become `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');
/// The URL standard's query percent-encode set.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
/// The URL standard's path percent-encode set.
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}').add(b'^');
/// `encodeURI` of ECMAScript.
const WHOLE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'%')
    .add(b'[')
    .add(b']');

/// Gives every form of `value` to `add`. All of them are UTF-8; some may be equal, some short.
pub(super) fn of(value: &[u8], add: &mut impl FnMut(Zeroizing<Vec<u8>>)) {
    whole(value, add);
    let trimmed = value.trim_ascii();
    if trimmed.len() != value.len() {
        whole(trimmed, add);
    }
    for line in trimmed.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        // The frame of a PEM file is no secret.
        if line.len() >= SHORTEST_LINE && line.len() < trimmed.len() && !line.starts_with(b"-----") {
            whole(line, add);
        }
    }
}

fn whole(value: &[u8], add: &mut impl FnMut(Zeroizing<Vec<u8>>)) {
    let mut add_text = |text: String| add(Zeroizing::new(text.into_bytes()));
    match std::str::from_utf8(value) {
        Ok(text) => {
            add_text(text.to_owned());
            json(text, &mut add_text);
            html(text, &mut add_text);
        }
        Err(_) => as_shown(value, &mut add_text),
    }
    percent(value, &mut add_text);
    base64(value, &mut add_text);
    hexadecimal(value, &mut add_text);
}

/// How bytes that are no text look when somebody shows them as text.
fn as_shown(value: &[u8], add: &mut impl FnMut(String)) {
    let lossy = String::from_utf8_lossy(value);
    let readable = lossy.chars().filter(|char| *char != char::REPLACEMENT_CHARACTER).count();
    if readable >= super::SHORTEST {
        add(lossy.into_owned());
    }
    add(value.iter().map(|byte| char::from(*byte)).collect());
}

fn percent(value: &[u8], add: &mut impl FnMut(String)) {
    for set in [RESERVED, COMPONENT, QUERY, PATH, WHOLE] {
        let encoded = Zeroizing::new(percent_encode(value, set).to_string());
        // A URL inside a URL.
        let again = percent_encode(encoded.as_bytes(), RESERVED).to_string();
        add(encoded.to_ascii_lowercase());
        add(encoded.to_string());
        add(again);
    }
    let form = Zeroizing::new(percent_encode(value, FORM).to_string());
    add(form.replace(' ', "+"));
    let mut every = String::with_capacity(value.len() * 3);
    for byte in value {
        write!(every, "%{byte:02X}").expect("writing to a string cannot fail");
    }
    add(every);
}

fn hexadecimal(value: &[u8], add: &mut impl FnMut(String)) {
    let mut digits = String::with_capacity(value.len() * 2);
    for byte in value {
        write!(digits, "{byte:02x}").expect("writing to a string cannot fail");
    }
    add(digits.to_ascii_uppercase());
    add(digits);
}

/// Base64 cuts bytes in groups of three, so a value inside a longer text has three looks. The digits that also hold
/// bits of its neighbours are left out; where the value stands alone they are masked as well.
fn base64(value: &[u8], add: &mut impl FnMut(String)) {
    for (padded, bare) in [
        (&general_purpose::STANDARD, &general_purpose::STANDARD_NO_PAD),
        (&general_purpose::URL_SAFE, &general_purpose::URL_SAFE_NO_PAD),
    ] {
        let encoded = padded.encode(value);
        // PHP writes a slash in JSON with a backslash.
        add(encoded.replace('/', "\\/"));
        add(encoded);
        add(bare.encode(value));
        for shift in 0..3 {
            let mut shifted = Zeroizing::new(Vec::with_capacity(value.len() + shift));
            shifted.resize(shift, 0);
            shifted.extend_from_slice(value);
            let encoded = Zeroizing::new(bare.encode(&shifted));
            let first = (shift * 8).div_ceil(6);
            let last = shifted.len() * 8 / 6;
            add(encoded.get(first..last).unwrap_or_default().to_owned());
        }
    }
}

/// JSON writers agree on what must be escaped (RFC 8259 section 7) and differ in what they escape besides.
fn json(text: &str, add: &mut impl FnMut(String)) {
    const NOTHING: &str = "";
    let ascii = |char: char| char.is_ascii();
    let any = |_: char| true;
    // A server that echoes a JSON body tells it as a string inside JSON: everything is escaped once more.
    let mut add = |form: String| {
        if form.contains(['"', '\\']) {
            add(escaped(&form, NOTHING, NOTHING, any, false));
        }
        add(form);
    };
    // Most writers; PHP; Python; both with lower and upper hexadecimal; Go; .NET; Gson.
    add(escaped(text, NOTHING, NOTHING, any, false));
    add(escaped(text, "/", NOTHING, any, false));
    for upper in [false, true] {
        add(escaped(text, NOTHING, NOTHING, ascii, upper));
        add(escaped(text, "/", NOTHING, ascii, upper));
        // Those who trust no character.
        add(escaped(text, NOTHING, NOTHING, |_| false, upper));
        add(escaped(text, NOTHING, "<>&", any, upper));
        add(escaped(text, NOTHING, "<>&'=", any, upper));
        add(escaped(text, NOTHING, "<>&'+\"`", ascii, upper));
    }
}

/// A JSON string's inside: `slashed` get a backslash besides what must, `coded` and what is not `plain` a `\u`.
fn escaped(text: &str, slashed: &str, coded: &str, plain: impl Fn(char) -> bool, upper: bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            _ if coded.contains(char) || !plain(char) => unicode_escape(&mut out, char, upper),
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..'\u{20}' => unicode_escape(&mut out, char, upper),
            _ if slashed.contains(char) => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out
}

fn unicode_escape(out: &mut String, char: char, upper: bool) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        let written = if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
        written.expect("writing to a string cannot fail");
    }
}

/// HTML and XML writers differ in how they write quotes.
fn html(text: &str, add: &mut impl FnMut(String)) {
    let less = Zeroizing::new(Zeroizing::new(text.replace('&', "&amp;")).replace('<', "&lt;"));
    let basic = Zeroizing::new(less.replace('>', "&gt;"));
    for double in ["\"", "&quot;", "&#34;"] {
        for single in ["'", "&#39;", "&#039;", "&#x27;", "&apos;"] {
            add(Zeroizing::new(basic.replace('"', double)).replace('\'', single));
        }
    }
    add(less.to_string());
}
