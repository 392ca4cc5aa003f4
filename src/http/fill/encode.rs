//! How a value is written in each language it is put into. Each function says what is wrong with a value that its
//! language cannot carry; the words follow "the value of `name`".

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::buffer::SecretBuffer;

type Encoded = Result<(), &'static str>;

/// Everything but the unreserved characters of RFC 3986: a value is one piece of data in a URL or a form, so every
/// character that could end the piece is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) const NOT_TEXT: &str = "is not UTF-8 text; such a value can only be part of a body that is not JSON or XML";

pub(super) fn raw(value: &[u8], out: &mut SecretBuffer) -> Encoded {
    out.push(value);
    Ok(())
}

/// A header value: one line of text (RFC 9110 section 5.5; line breaks would start headers of their own).
pub(super) fn header(value: &[u8], out: &mut SecretBuffer) -> Encoded {
    single_line(value)?;
    if std::str::from_utf8(value).is_err() {
        return Err(NOT_TEXT);
    }
    out.push(value);
    Ok(())
}

/// The user of `Basic` (RFC 7617 section 2).
pub(super) fn basic_user(value: &[u8], out: &mut SecretBuffer) -> Encoded {
    if value.contains(&b':') {
        return Err("holds a `:`, which cannot be part of the user of basic authentication");
    }
    raw(value, out)
}

/// A piece of a URL.
pub(super) fn url(value: &str, out: &mut SecretBuffer) -> Encoded {
    single_line(value.as_bytes())?;
    percent(value.as_bytes(), out);
    Ok(())
}

/// A name or a value of `application/x-www-form-urlencoded`.
pub(super) fn form(value: &[u8], out: &mut SecretBuffer) -> Encoded {
    if std::str::from_utf8(value).is_err() {
        return Err(NOT_TEXT);
    }
    percent(value, out);
    Ok(())
}

pub(super) fn percent(value: &[u8], out: &mut SecretBuffer) {
    for piece in percent_encode(value, RESERVED) {
        out.push_text(piece);
    }
}

/// A piece of a host, such as the name of a tenant: nothing that could end the host.
pub(super) fn host(value: &str, out: &mut SecretBuffer) -> Encoded {
    single_line(value.as_bytes())?;
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '-' | '.' | '_' | ':' | '[' | ']');
    if !value.chars().all(allowed) {
        return Err("holds a character that cannot be part of a host");
    }
    out.push_text(value);
    Ok(())
}

/// The inside of a JSON string (RFC 8259 section 7). The line separators of Unicode are escaped too: JavaScript before
/// ECMAScript 2019 reads them as ends of the line.
pub(super) fn json_string(value: &str, out: &mut SecretBuffer) {
    for char in value.chars() {
        match char {
            '"' => out.push_text("\\\""),
            '\\' => out.push_text("\\\\"),
            '\n' => out.push_text("\\n"),
            '\r' => out.push_text("\\r"),
            '\t' => out.push_text("\\t"),
            '\0'..'\u{20}' | '\u{7f}' | '\u{2028}' | '\u{2029}' => unicode_escape(u32::from(char), out),
            _ => out.push_char(char),
        }
    }
}

fn unicode_escape(code: u32, out: &mut SecretBuffer) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_text("\\u");
    for shift in [12, 8, 4, 0] {
        out.push(&[DIGITS[(code >> shift & 0xf) as usize]]);
    }
}

/// A value outside any JSON string: it has to be a JSON value that is complete in itself.
pub(super) fn json_bare(value: &str, out: &mut SecretBuffer) -> Encoded {
    if !is_json_scalar(value) {
        return Err("is not a number, `true`, `false` or `null`; put the reference in quotes to send it as a string");
    }
    out.push_text(value);
    Ok(())
}

fn is_json_scalar(value: &str) -> bool {
    matches!(value, "true" | "false" | "null") || is_json_number(value)
}

/// RFC 8259 section 6, without the help of a parser that would copy the value.
fn is_json_number(value: &str) -> bool {
    let rest = value.strip_prefix('-').unwrap_or(value);
    let integer = digits(rest);
    if integer == 0 || (integer > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[integer..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The inside of a quoted GraphQL string, which stands inside a JSON string.
pub(super) fn graphql_string(value: &str, out: &mut SecretBuffer) {
    let mut inner = SecretBuffer::default();
    json_string(value, &mut inner);
    json_again(&inner, out);
}

/// The inside of a GraphQL block string, where only the closing quotes are special.
pub(super) fn graphql_block(value: &str, out: &mut SecretBuffer) -> Encoded {
    // One quote before the closing three would join them.
    if value.contains("\"\"\"") || value.ends_with(['"', '\\']) {
        return Err("holds or ends with quotes that would end the block string; use a GraphQL variable");
    }
    json_string(value, out);
    Ok(())
}

/// A value outside any GraphQL string: a number, or a name such as that of an enum value.
pub(super) fn graphql_bare(value: &str, out: &mut SecretBuffer) -> Encoded {
    let is_name = value.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name && !is_json_number(value) {
        return Err("is neither a number nor a name; put the reference in quotes, or use a GraphQL variable");
    }
    out.push_text(value);
    Ok(())
}

fn json_again(inner: &SecretBuffer, out: &mut SecretBuffer) {
    let text = std::str::from_utf8(inner.as_slice()).expect("an escaped text is text");
    json_string(text, out);
}

/// Character data or an attribute's value (XML 1.0, sections 2.2 and 2.4).
pub(super) fn xml(value: &str, out: &mut SecretBuffer) -> Encoded {
    only_xml_characters(value)?;
    for char in value.chars() {
        match char {
            '&' => out.push_text("&amp;"),
            '<' => out.push_text("&lt;"),
            '>' => out.push_text("&gt;"),
            '"' => out.push_text("&quot;"),
            '\'' => out.push_text("&apos;"),
            // A reader turns it into a line feed unless it is written as a reference (section 2.11).
            '\r' => out.push_text("&#13;"),
            _ => out.push_char(char),
        }
    }
    Ok(())
}

/// The inside of a CDATA section; one that holds the end is cut in two (XML 1.0 section 2.7).
pub(super) fn xml_character_data(value: &str, out: &mut SecretBuffer) -> Encoded {
    only_xml_characters(value)?;
    let mut sections = value.split("]]>");
    out.push_text(sections.next().unwrap_or_default());
    for section in sections {
        out.push_text("]]]]><![CDATA[>");
        out.push_text(section);
    }
    // A `]` or `]]` at the end could make an end of the `>` that follows.
    if value.ends_with(']') {
        out.push_text("]]><![CDATA[");
    }
    Ok(())
}

fn only_xml_characters(value: &str) -> Encoded {
    let allowed =
        |char: char| !matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if value.chars().all(allowed) { Ok(()) } else { Err("holds a control character, which XML cannot carry") }
}

/// The quoted name of a part (HTML standard, "multipart/form-data encoding algorithm").
pub(super) fn part_name(value: &[u8], out: &mut SecretBuffer) -> Encoded {
    for byte in value {
        match byte {
            b'"' => out.push_text("%22"),
            b'\r' => out.push_text("%0D"),
            b'\n' => out.push_text("%0A"),
            _ => out.push(&[*byte]),
        }
    }
    Ok(())
}

/// Refuses what could end a header line or a request line. A line break at the end is no exception: it may be part of
/// the value, and only its owner can say that it is not.
fn single_line(value: &[u8]) -> Encoded {
    if matches!(value, [rest @ .., b'\n'] if !rest.iter().any(|byte| matches!(byte, b'\n' | b'\0'))) {
        return Err("ends with a line break, which cannot be sent here; store it without");
    }
    let control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if value.iter().any(control) {
        return Err("holds a line break or another control character, which cannot be sent here");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(put: impl FnOnce(&mut SecretBuffer) -> Encoded) -> Result<String, &'static str> {
        let mut out = SecretBuffer::default();
        put(&mut out)?;
        Ok(String::from_utf8(out.as_slice().to_vec()).unwrap())
    }

    #[test]
    fn a_json_string_reads_back_as_the_value() {
        let value = "a\"b\\c\nd\re\tf\u{1}g\u{7f}h\u{2028}i\u{2029}jé😀</script>";
        let written = text(|out| {
            json_string(value, out);
            Ok(())
        });
        let read: String = serde_json::from_str(&format!("\"{}\"", written.unwrap())).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn only_json_scalars_stand_bare() {
        for value in ["0", "-1", "12.5", "1e9", "-0.5E-3", "true", "false", "null"] {
            assert_eq!(text(|out| json_bare(value, out)).unwrap(), value);
        }
        for value in ["", "01", "1.", ".5", "1e", "+1", "--1", "1 ", "truex", "\"a\"", "{}", "1,\"admin\":true", "1\n"]
        {
            assert!(text(|out| json_bare(value, out)).is_err(), "{value:?}");
        }
    }

    #[test]
    fn character_data_keeps_its_ends_apart() {
        for (value, written) in
            [("a]]>b", "a]]]]><![CDATA[>b"), ("a]", "a]]]><![CDATA["), ("a]]", "a]]]]><![CDATA["), ("a", "a")]
        {
            assert_eq!(text(|out| xml_character_data(value, out)).unwrap(), written, "{value}");
        }
    }

    #[test]
    fn a_line_break_cannot_stand_in_a_line() {
        for value in ["a\r\nX: y", "a\n", "\na", "a\0", "a\rb", "a\u{7f}"] {
            assert!(text(|out| header(value.as_bytes(), out)).is_err(), "{value:?}");
            assert!(text(|out| url(value, out)).is_err(), "{value:?}");
        }
        assert_eq!(text(|out| header(b"a \tb~\xc3\xa9", out)).unwrap(), "a \tb~é");
    }
}
