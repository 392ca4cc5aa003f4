//! What `{{login.response.body.$.token}}` asks for: a part of a request of the same file, or of what was answered to it,
//! as REST Client ("Request variables"), Visual Studio and kulala write it.

use crate::{syntax::json::path::JsonPath, text::Span};

/// A part of an exchange, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The name of the request.
    pub request: &'a str,
    pub side: Side,
    pub part: Part<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Response,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    WholeBody,
    Body(JsonPath),
    /// The name of a header, in any case.
    Header(&'a str),
}

/// Reads what stands between the braces, without the `%` that asks for percent-encoding; none where it asks for no
/// exchange.
pub fn read(expression: &str) -> Option<Result<Asked<'_>, String>> {
    let (name, side, rest) = split(expression)?;
    let part = if let Some(rest) = rest.strip_prefix("body") {
        body(rest)
    } else if let Some(rest) = rest.strip_prefix("headers") {
        header(rest)
    } else {
        return None;
    };
    Some(part.map(|part| Asked { request: name, side, part }))
}

/// The place of the request's name in a use that asks for an exchange; `span` is that of the expression.
pub fn name_span(expression: &str, span: Span) -> Option<Span> {
    let (name, ..) = split(expression)?;
    Some(Span::new(span.start, span.start + name.len()))
}

/// The name of a request, the side, and what follows: `login`, `response`, `body.token`.
pub fn split(expression: &str) -> Option<(&str, Side, &str)> {
    let sides = [(".response.", Side::Response), (".request.", Side::Request)];
    let found = sides.into_iter().filter_map(|(mark, side)| Some((expression.find(mark)?, mark, side)));
    let (at, mark, side) = found.min_by_key(|(at, ..)| *at)?;
    let name = &expression[..at];
    is_name(name).then(|| (name, side, &expression[at + mark.len()..]))
}

/// Whether a request of that name can be asked for.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    !name.is_empty() && name.len() <= 64 && name.trim() == name && name.bytes().all(allowed)
}

fn body(rest: &str) -> Result<Part<'_>, String> {
    if rest.is_empty() || rest == ".*" {
        return Ok(Part::WholeBody);
    }
    let path = rest.strip_prefix('.').unwrap_or(rest);
    // Visual Studio's way of naming the language of the body.
    let path = path.strip_prefix("asJson.").unwrap_or(path);
    if path.starts_with('/') || path.starts_with("asXml") {
        return Err("XPath is not supported; take a value of a JSON body, a header, or the whole body by `*`".into());
    }
    JsonPath::parse(path).map(Part::Body).map_err(|why| format!("the path {why}"))
}

fn header(rest: &str) -> Result<Part<'_>, String> {
    let name = rest.strip_prefix('.').unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err("this needs the name of a header, as in `login.response.headers.Location`".into());
    }
    Ok(Part::Header(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, request: &str, side: Side, part: Part<'_>) {
        assert_eq!(read(expression), Some(Ok(Asked { request, side, part })), "{expression}");
    }

    #[test]
    fn parts_are_read_in_every_spelling() {
        let token = || Part::Body(JsonPath::parse("$.token").unwrap());
        check("login.response.body.$.token", "login", Side::Response, token());
        check("login.response.body.token", "login", Side::Response, token());
        check("login.response.body.asJson.$.token", "login", Side::Response, token());
        check("login.response.body.*", "login", Side::Response, Part::WholeBody);
        check("login.response.body", "login", Side::Response, Part::WholeBody);
        check("login.response.headers.X-Token", "login", Side::Response, Part::Header("X-Token"));
        check("login.request.headers.Accept", "login", Side::Request, Part::Header("Accept"));
        check("v2.log in.response.body.*", "v2.log in", Side::Response, Part::WholeBody);
        let array = Part::Body(JsonPath::parse("$[0].request.id").unwrap());
        check("list.response.body.$[0].request.id", "list", Side::Response, array);
    }

    #[test]
    fn what_asks_for_no_exchange_is_a_plain_variable() {
        for expression in ["host", "login.response", "login.response.status", ".response.body.x", "a`b.response.body.x"]
        {
            assert_eq!(read(expression), None, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_says_so() {
        for expression in ["l.response.body./a/b", "l.response.body.//b", "l.response.body.asXml./a"] {
            assert!(read(expression).unwrap().unwrap_err().starts_with("XPath is not supported"), "{expression}");
        }
        for expression in ["l.response.headers", "l.response.headers.", "l.response.headers.a b"] {
            assert!(read(expression).unwrap().unwrap_err().contains("the name of a header"), "{expression}");
        }
        assert_eq!(read("l.response.body.$[").unwrap().unwrap_err(), "the path misses a `]`");
    }
}
