//! The URL of a prepared request: what is implied by a format is written out, so that it can be parsed as it will be
//! sent.

use http::header;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{Headers, Preparation, shortened, trim, value_of};
use crate::{
    domain::{normal_host, shown_host},
    http::place::{authority_start, has_scheme, url_part},
    syntax::{
        Field, Kind, Written,
        expand::{Expanded, Flat},
    },
    text::Span,
};

/// What a path variable of a collection may not change: Postman keeps `/`, so that a value can be several segments.
const PATH_VALUE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`');
/// What a key or value of a query may not hold as it is (RFC 3986 section 3.4, and the separators of a form).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The most pieces of a URL. Each piece is judged by what stands around it, so that a file of a million references in
/// one URL would take forever.
const MAX_PIECES: usize = 1000;

impl Preparation<'_> {
    pub(super) fn url(&mut self, headers: &Headers) -> Expanded {
        let request = self.request;
        let span = request.url.span();
        let mut url = self.expand(&request.url);
        normalize(&mut url);
        if url.pieces.len() > MAX_PIECES {
            self.fault(span, format!("the URL is made of more than {MAX_PIECES} parts; put values into the body"));
            return Expanded::default();
        }
        if url.pieces.is_empty() {
            self.fault(span, "the request has no URL");
            return url;
        }
        self.complete(&mut url, headers, span);
        if self.kind == Kind::Postman {
            self.fill_path_variables(&mut url);
        }
        self.judge(&url, span);
        url
    }

    /// Adds the scheme, and the host where a `Host` header holds it (RFC 9112 section 3.2.1).
    fn complete(&mut self, url: &mut Expanded, headers: &Headers, span: Option<Span>) {
        let Some(Flat::Literal(first)) = url.pieces.first_mut() else { return };
        if first.starts_with('/') && !first.starts_with("//") {
            let Some(host) = value_of(headers, &header::HOST) else {
                return self.fault(span, "the request has no host; write a whole URL or a `Host` header");
            };
            let secure = host.ends_with(":443") || host.ends_with(":8443");
            *first = format!("{}://{host}{first}", if secure { "https" } else { "http" });
        } else if !has_scheme(first) {
            // As in the other readers of both formats.
            *first = format!("http://{}", first.trim_start_matches('/'));
        }
    }

    /// Puts the values of `:name` segments in.
    fn fill_path_variables(&mut self, url: &mut Expanded) {
        let request = self.request;
        let fields: Vec<(String, &Field)> = request
            .path_variables
            .iter()
            .filter(|field| field.enabled)
            .map(|field| (field.key.text(self.scope.source).into_owned(), field))
            .collect();
        if fields.is_empty() {
            return;
        }
        let mut filled = Expanded::default();
        let (mut in_path, mut behind_path) = (false, false);
        for (index, piece) in url.pieces.iter().enumerate() {
            let text = match piece {
                Flat::Literal(text) if !behind_path => text,
                Flat::Literal(text) => {
                    push_literal(&mut filled, text);
                    continue;
                }
                secret @ Flat::Secret { .. } => {
                    filled.pieces.push(secret.clone());
                    continue;
                }
            };
            let mut start = 0;
            if !in_path {
                let authority = if index == 0 { authority_start(text) } else { 0 };
                let slash = text[authority..].find(['/', '?', '#']);
                in_path = slash.is_some();
                start = slash.map_or(text.len(), |slash| authority + slash);
            }
            let end = text[start..].find(['?', '#']).map_or(text.len(), |end| start + end);
            behind_path = end < text.len();
            push_literal(&mut filled, &text[..start]);
            let ends = behind_path || index + 1 == url.pieces.len();
            self.fill_segments(&text[start..end], ends, &fields, &mut filled);
            push_literal(&mut filled, &text[end..]);
        }
        *url = filled;
    }

    /// Copies `path`, a piece of a URL's path, with the values of its variable segments. Its last segment is complete
    /// only where the path `ends` with it.
    fn fill_segments(&mut self, path: &str, ends: bool, fields: &[(String, &Field)], filled: &mut Expanded) {
        let mut rest = path;
        while let Some(slash) = rest.find("/:") {
            let (head, tail) = rest.split_at(slash + 1);
            push_literal(filled, head);
            let end = tail.find('/').unwrap_or(tail.len());
            let field = fields.iter().find(|(key, _)| *key == tail[1..end]);
            match field {
                Some((_, field)) if end < tail.len() || ends => {
                    let value = self.expand(&field.value);
                    append_encoded(filled, value, PATH_VALUE);
                }
                _ => push_literal(filled, &tail[..end]),
            }
            rest = &tail[end..];
        }
        push_literal(filled, rest);
    }

    /// Says what is wrong with a URL, as far as that can be known before it is filled.
    fn judge(&mut self, url: &Expanded, span: Option<Span>) {
        let Some(text) = with_blanks(url) else { return };
        let target = match parse(&text) {
            Ok(target) => target,
            // A variable without a value is the better message for what is missing.
            Err(_) if !self.faults.is_empty() => return,
            Err(message) => return self.fault(span, format!("{message}: `{}`", shortened(&url.shown()))),
        };
        if !target.username().is_empty() || target.password().is_some() {
            let host = normal_host(&target).map(|host| shown_host(&host)).unwrap_or_default();
            self.notes.push(format!("the URL holds a user name before its `@`; the request goes to `{host}`"));
        }
    }

    /// Adds a key and a value to the query.
    pub(super) fn add_query(&mut self, url: &mut Expanded, key: &Written, value: &Written) {
        let (key, value) = (self.expand(key), self.expand(value));
        let fragment = split_fragment(url);
        let has_query = url.pieces.iter().any(|piece| matches!(piece, Flat::Literal(text) if text.contains('?')));
        push_literal(url, if has_query { "&" } else { "?" });
        append_encoded(url, key, QUERY_VALUE);
        push_literal(url, "=");
        append_encoded(url, value, QUERY_VALUE);
        for piece in fragment {
            match piece {
                Flat::Literal(text) => push_literal(url, &text),
                secret @ Flat::Secret { .. } => url.pieces.push(secret),
            }
        }
    }
}

/// Parses a URL by the one standard that counts here (WHATWG), and refuses what this program does not send.
pub(in crate::http) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the URL is not valid ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http and https URLs can be sent".into());
    }
    if normal_host(&url).is_none() {
        return Err("the URL has no valid host".into());
    }
    Ok(url)
}

/// The text of a URL with its secrets left blank; none if one of them can decide where the request goes.
pub(super) fn with_blanks(url: &Expanded) -> Option<String> {
    let mut text = String::new();
    for (index, piece) in url.pieces.iter().enumerate() {
        match piece {
            Flat::Literal(literal) => text.push_str(literal),
            Flat::Secret { .. } if url_part(&text, &url.pieces[index + 1..]).names_host() => return None,
            Flat::Secret { .. } => text.push('_'),
        }
    }
    Some(text)
}

/// Takes out what the URL standard ignores: spaces around it, tabs and line breaks in it.
fn normalize(url: &mut Expanded) {
    for piece in &mut url.pieces {
        if let Flat::Literal(text) = piece {
            text.retain(|char| !matches!(char, '\t' | '\n' | '\r'));
        }
    }
    trim(url);
    url.pieces.retain(|piece| !matches!(piece, Flat::Literal(text) if text.is_empty()));
}

fn push_literal(expanded: &mut Expanded, text: &str) {
    if text.is_empty() {
        return;
    }
    match expanded.pieces.last_mut() {
        Some(Flat::Literal(last)) => last.push_str(text),
        _ => expanded.pieces.push(Flat::Literal(text.to_owned())),
    }
}

fn append_encoded(expanded: &mut Expanded, value: Expanded, set: &'static AsciiSet) {
    for piece in value.pieces {
        match piece {
            Flat::Literal(text) => push_literal(expanded, &utf8_percent_encode(&text, set).to_string()),
            secret @ Flat::Secret { .. } => expanded.pieces.push(secret),
        }
    }
}

/// Cuts off and returns what follows the first `#`, with it.
fn split_fragment(url: &mut Expanded) -> Vec<Flat> {
    for (index, piece) in url.pieces.iter_mut().enumerate() {
        let Flat::Literal(text) = piece else { continue };
        if let Some(hash) = text.find('#') {
            let tail = text.split_off(hash);
            let mut fragment = url.pieces.split_off(index + 1);
            fragment.insert(0, Flat::Literal(tail));
            return fragment;
        }
    }
    Vec::new()
}
