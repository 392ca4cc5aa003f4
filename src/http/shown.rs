//! A response as a person reads it: its body laid out, and the whole as a text that an editor colours. What was masked
//! stays so: everything here is made of a response that was redacted before.

use std::borrow::Cow;

use crate::{
    http::{redact::MASK, send::Response},
    syntax::{Kind, body::BodySyntax, json},
};

/// A longer body is shown as it came, in bytes: no editor is quick with it.
const LONGEST: usize = 2 << 20;
/// How long a body may become when it is laid out, in bytes.
const LONGEST_LAID_OUT: usize = 4 * LONGEST;
/// Stands for a mask while a body is read: a number that was masked, or the middle of one, is a number still. NB. it is
/// as long as the mask, so that all else stays at its place.
const MASKED: &str = "1111111111";

/// What a response's body is written in, as far as an editor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Json,
    Xml,
    Html,
    Plain,
}

impl Language {
    /// By the header `Content-Type`; without one, by the looks.
    pub fn of(response: &Response) -> Self {
        if response.binary {
            return Self::Plain;
        }
        let mut headers = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let declared = headers.next().map(|(_, value)| value.as_str());
        let media = declared.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if ["text/html", "application/xhtml+xml"].iter().any(|html| media.eq_ignore_ascii_case(html)) {
            return Self::Html;
        }
        match BodySyntax::of(Kind::Http, None, declared, || response.body.trim_start().starts_with(['{', '['])) {
            BodySyntax::Json => Self::Json,
            BodySyntax::Xml => Self::Xml,
            BodySyntax::Form | BodySyntax::Plain => Self::Plain,
        }
    }
}

/// The body with one member or element a line, where it is JSON and not too long. Numbers, names and escapes are those of
/// the server.
pub fn laid_out(response: &Response) -> Option<String> {
    let body = response.body.as_str();
    if body.len() > LONGEST || Language::of(response) != Language::Json {
        return None;
    }
    let readable = body.replace(MASK, MASKED);
    json::lay_out(&json::scan(&readable), body, LONGEST_LAID_OUT)
}

/// The body, laid out where that can be.
pub fn body(response: &Response) -> Cow<'_, str> {
    laid_out(response).map_or(Cow::Borrowed(&response.body), Cow::Owned)
}

/// The response with its status line and headers, as HTTP writes them.
pub fn whole(response: &Response) -> String {
    let mut text = String::new();
    for line in head(response) {
        text.extend([line.as_str(), "\n"]);
    }
    text.extend(["\n", &body(response)]);
    text
}

/// A file for an editor, which colours it by its name.
pub struct Document {
    /// With the dot.
    pub extension: &'static str,
    pub text: String,
}

/// The response as a file. Its status line and headers are a comment in the body's language, so that no other part of
/// the editor finds fault with them.
pub fn document(response: &Response) -> Document {
    let extension = match Language::of(response) {
        Language::Json => ".jsonc",
        Language::Xml => ".xml",
        Language::Html => ".html",
        Language::Plain => return Document { extension: ".txt", text: whole(response) },
    };
    let mut text = String::new();
    if extension == ".jsonc" {
        for line in head(response) {
            text.extend(["// ", &line, "\n"]);
        }
    } else {
        text.push_str("<!--\n");
        for line in head(response) {
            // Two hyphens would end the comment (XML 1.0, section 2.5).
            text.extend([&line.replace("--", "-&#45;"), "\n"]);
        }
        text.push_str("-->\n");
    }
    text.extend(["\n", &body(response)]);
    Document { extension, text }
}

/// The status line and the headers.
fn head(response: &Response) -> impl Iterator<Item = String> {
    let Response { version, status, reason, headers, .. } = response;
    let first = format!("{version} {status} {reason}").trim_end().to_owned();
    std::iter::once(first).chain(headers.iter().map(|(name, value)| format!("{name}: {value}")))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn response(content_type: Option<&str>, body: &str) -> Response {
        let content_type = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
        Response {
            status: 200,
            reason: "OK".into(),
            version: "HTTP/1.1".into(),
            method: "GET".into(),
            url: "https://api.example.com/".into(),
            headers: content_type.into_iter().collect(),
            body: body.into(),
            binary: false,
            truncated: false,
            bytes: body.len() as u64,
            millis: 1,
            redirects: Vec::new(),
        }
    }

    fn json(text: &str) -> String {
        body(&response(Some("application/json"), text)).into_owned()
    }

    #[test]
    fn json_is_laid_out_with_its_masks() {
        let shown = json(r#"{"token":"[redacted]","pin":[redacted],"id":12[redacted]34,"[redacted]":[]}"#);
        expect![[r#"
            {
              "token": "[redacted]",
              "pin": [redacted],
              "id": 12[redacted]34,
              "[redacted]": []
            }"#]]
        .assert_eq(&shown);
    }

    #[test]
    fn what_is_no_json_or_too_long_stays_as_it_came() {
        for text in ["{\"a\":1}\n{\"a\":2}\n", "{\"a\": [1, ", "[redacted][redacted]", "", "<p>"] {
            assert_eq!(json(text), text);
        }
        let long = format!("[{}]", "1,".repeat(LONGEST / 2) + "1");
        assert_eq!(json(&long), long);
        let deep = format!("{}1{}", "[".repeat(LONGEST / 4), "]".repeat(LONGEST / 4));
        assert_eq!(json(&deep), deep);
    }

    #[test]
    fn the_content_type_decides_and_without_one_the_looks() {
        for (content_type, body, expected) in [
            (Some("application/json; charset=utf-8"), "x", Language::Json),
            (Some("application/problem+json"), "{}", Language::Json),
            (Some("text/plain"), "{}", Language::Plain),
            (Some("Text/HTML;charset=utf-8"), "{}", Language::Html),
            (Some("application/xhtml+xml"), "", Language::Html),
            (Some("image/svg+xml"), "", Language::Xml),
            (Some("application/x-www-form-urlencoded"), "a=b", Language::Plain),
            (None, " \n[1]", Language::Json),
            (None, "words", Language::Plain),
        ] {
            assert_eq!(Language::of(&response(content_type, body)), expected, "{content_type:?} {body}");
        }
        assert_eq!(Language::of(&Response { binary: true, ..response(None, "{") }), Language::Plain);
    }

    #[test]
    fn a_file_is_of_its_bodys_language_from_its_first_line_on() {
        let check = |response: &Response, extension, expected: expect_test::Expect| {
            let document = document(response);
            assert_eq!(document.extension, extension);
            expected.assert_eq(&document.text);
        };
        let text = expect![[r#"
            // HTTP/1.1 200 OK
            // content-type: application/json

            [
              1
            ]"#]];
        check(&response(Some("application/json"), "[1]"), ".jsonc", text);
        let text = expect![[r#"
            <!--
            HTTP/1.1 200 OK
            content-type: text/xml; b=-&#45;>
            -->

            <a/>"#]];
        check(&response(Some("text/xml; b=-->"), "<a/>"), ".xml", text);
        let text = expect![[r#"
            HTTP/1.1 200 OK
            content-type: text/plain

            words"#]];
        check(&response(Some("text/plain"), "words"), ".txt", text);
    }
}
