//! A request with its variables replaced and its secrets still names.
//!
//! Everything a person can be told about a request before it is sent is known here: where it goes, which secrets it
//! uses and where, what cannot be replaced, what is not supported.

mod authorization;
mod body;
mod file;
mod part;
mod secrets;
mod url;

use std::{borrow::Cow, path::Path, time::Duration};

use http::{HeaderName, Method, header};

use crate::{
    http::place::url_part,
    name::SecretName,
    syntax::{
        Auth, Document, Kind, Place, Request, Written,
        body::BodySyntax,
        expand::{Expanded, Fault, Flat, Scope, expand},
    },
    text::Span,
};

/// What is sent, but for the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub method: String,
    pub url: Expanded,
    /// In order; a name may occur twice.
    pub headers: Vec<(Expanded, PreparedValue)>,
    pub body: PreparedBody,
    pub follow_redirects: bool,
    pub timeout: Option<Duration>,
    /// Everything that keeps it from being sent, apart from secrets: unknown variables, an unreadable body file.
    pub faults: Vec<PreparedFault>,
    /// What does not keep it from being sent and may surprise, as sentences for people.
    pub notes: Vec<String>,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedValue {
    Text(Expanded),
    /// `Basic` and two texts that are joined and base64-encoded when filled (RFC 7617 section 2).
    Basic {
        user: Expanded,
        password: Expanded,
    },
    /// `Basic` and one text with a secret in it: encoded when filled if it then holds a `:`, which base64 never does.
    BasicToken(Expanded),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedBody {
    None,
    Text {
        text: Expanded,
        syntax: BodySyntax,
    },
    /// Field by field; names and values are percent-encoded when filled.
    Form(Vec<(Expanded, Expanded)>),
    /// Part by part; the boundary is made when filled, so that no content can hold it.
    Multipart(Vec<PreparedPart>),
    /// Sent as the JSON object of the GraphQL over HTTP specification; `variables` is a JSON text.
    GraphQl {
        query: Expanded,
        variables: Option<Expanded>,
    },
    /// A text with files in it, such as a multipart body written by hand. `boundary` is the one its header names.
    Mixed {
        chunks: Vec<Content>,
        syntax: BodySyntax,
        boundary: Option<String>,
    },
    /// Bytes of a file, sent as they are.
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Text(Expanded),
    Bytes(Vec<u8>),
}

impl Content {
    fn length(&self) -> usize {
        match self {
            Self::Text(text) => length(text),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A part of a multipart form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedPart {
    pub name: Expanded,
    pub content: Content,
    pub file_name: Option<String>,
    pub content_type: Option<Expanded>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedFault {
    Variable(Fault),
    /// Something else, with its place and a message for people.
    Other {
        span: Span,
        message: String,
    },
    /// A kind of request, or of authentication, that is recognised and cannot be carried out.
    Unsupported(String),
}

/// Where the files that a request names are looked up, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The document's folder, searched first.
    pub folder: &'a Path,
    /// The workspace's root, searched next. No file outside it is ever opened.
    pub root: &'a Path,
    pub reading: Reading,
}

/// How much of the named files is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of them, to send them.
    Everything,
    /// Those in which variables are replaced. The others are only looked at: whether they could be sent.
    Templates,
}

impl PreparedFault {
    fn other(span: Span, message: impl Into<String>) -> Self {
        Self::Other { span, message: message.into() }
    }
}

impl Prepared {
    /// Each secret it uses, with the place where it enters and the kind of place.
    pub fn secrets(&self) -> Vec<(SecretName, Span, Place)> {
        secrets::of(self)
    }

    /// The URL with its variables replaced, if it holds no secret and is valid: the very object that is sent.
    pub fn url(&self) -> Option<::url::Url> {
        url::parse(&self.url.as_literal()?).ok()
    }

    /// Where the request goes, if no secret can decide that and the URL is valid: right in scheme, host and port, with
    /// secrets in the rest of the URL left blank. It is what the policy is asked about before anything is read.
    pub fn target(&self) -> Option<::url::Url> {
        url::parse(&url::with_blanks(&self.url)?).ok()
    }

    /// How much text and data it holds, in bytes, for those who have many of them.
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| {
            length(name)
                + match value {
                    PreparedValue::Text(text) | PreparedValue::BasicToken(text) => length(text),
                    PreparedValue::Basic { user, password } => length(user) + length(password),
                }
        });
        let body = match &self.body {
            PreparedBody::None => 0,
            PreparedBody::Text { text, .. } => length(text),
            PreparedBody::Form(fields) => fields.iter().map(|(name, value)| length(name) + length(value)).sum(),
            PreparedBody::Multipart(parts) => parts.iter().map(|part| length(&part.name) + part.content.length()).sum(),
            PreparedBody::GraphQl { query, variables } => length(query) + variables.as_ref().map_or(0, length),
            PreparedBody::Mixed { chunks, .. } => chunks.iter().map(Content::length).sum(),
            PreparedBody::Bytes(bytes) => bytes.len(),
        };
        length(&self.url) + headers.sum::<usize>() + body
    }

    /// The secrets that can decide where the request goes.
    pub fn secrets_in_host(&self) -> Vec<SecretName> {
        let mut before = String::new();
        let mut names = Vec::new();
        for (index, piece) in self.url.pieces.iter().enumerate() {
            match piece {
                Flat::Literal(text) => before.push_str(text),
                Flat::Secret { name, .. } => {
                    if url_part(&before, &self.url.pieces[index + 1..]).names_host() {
                        names.push(name.clone());
                    }
                }
            }
        }
        names
    }
}

/// Prepares `request`. Body files are left alone unless `files` says where they are.
pub fn prepare(document: &Document, request: &Request, scope: &Scope<'_>, files: Option<Files<'_>>) -> Prepared {
    let mut preparation =
        Preparation { kind: document.kind, request, scope, files, faults: Vec::new(), notes: Vec::new() };
    preparation.refuse_unsupported();
    let method = preparation.method();
    let mut headers = preparation.headers();
    let mut url = preparation.url(&headers);
    preparation.authenticate(&mut headers, &mut url);
    let settings = &request.settings;
    let body = if settings.omit_body { PreparedBody::None } else { preparation.body(&mut headers) };
    add_defaults(&mut headers);
    let Preparation { faults, notes, .. } = preparation;
    Prepared {
        method,
        url,
        headers,
        body,
        follow_redirects: settings.follow_redirects,
        timeout: settings.timeout,
        faults,
        notes,
    }
}

type Headers = Vec<(Expanded, PreparedValue)>;

/// What is known while a request is prepared.
struct Preparation<'a> {
    kind: Kind,
    request: &'a Request,
    scope: &'a Scope<'a>,
    files: Option<Files<'a>>,
    faults: Vec<PreparedFault>,
    notes: Vec<String>,
}

impl Preparation<'_> {
    /// Replaces the variables of a text; what cannot be replaced becomes a fault of the request.
    fn expand(&mut self, written: &Written) -> Expanded {
        let expanded = expand(written, self.scope);
        self.take_faults(expanded)
    }

    fn take_faults(&mut self, mut expanded: Expanded) -> Expanded {
        self.faults.extend(expanded.faults.drain(..).map(PreparedFault::Variable));
        expanded
    }

    fn fault(&mut self, span: Option<Span>, message: impl Into<String>) {
        self.faults.push(PreparedFault::other(span.unwrap_or(self.request.line), message));
    }

    fn refuse_unsupported(&mut self) {
        if let Some(reason) = self.request.not_runnable {
            self.faults.push(PreparedFault::Unsupported(reason.into()));
        }
        if let Some(Auth::Unsupported(scheme)) = &self.request.auth {
            let message = format!("the authentication type `{scheme}` is not supported; write the header itself");
            self.faults.push(PreparedFault::Unsupported(message));
        }
    }

    fn method(&mut self) -> String {
        let method = self.request.method.text.to_ascii_uppercase();
        if method == "GRAPHQL" {
            return "POST".into();
        }
        if method == "CONNECT" || Method::from_bytes(method.as_bytes()).is_err() {
            self.fault(Some(self.request.method.span), format!("the method `{method}` cannot be sent"));
        }
        method
    }

    fn headers(&mut self) -> Headers {
        let mut headers = Headers::new();
        for header in self.request.headers.iter().filter(|header| header.enabled) {
            let mut name = self.expand(&header.name);
            let mut value = self.expand(&header.value);
            trim(&mut name);
            trim(&mut value);
            let Some(name) = self.checked_name(name, header.span) else { continue };
            if is_ours(&name) {
                continue;
            }
            if let Some(message) = unsendable(&value) {
                self.fault(Some(header.span), message);
                continue;
            }
            let value = if names(&name, &header::AUTHORIZATION) {
                match authorization::read(value) {
                    Ok(value) => value,
                    Err(message) => {
                        self.fault(Some(header.span), message);
                        continue;
                    }
                }
            } else if names(&name, &header::ACCEPT_ENCODING) {
                PreparedValue::Text(readable_codings(value))
            } else {
                PreparedValue::Text(value)
            };
            headers.push((name, value));
        }
        headers
    }

    fn checked_name(&mut self, name: Expanded, span: Span) -> Option<Expanded> {
        let Some(text) = name.as_literal() else { return Some(name) };
        if HeaderName::from_bytes(text.as_bytes()).is_ok() {
            return Some(name);
        }
        // A line of nothing, as a collection's last row often is, is no header and no fault.
        if !text.is_empty() {
            self.fault(Some(span), format!("`{}` is not a header name", shortened(&text)));
        }
        None
    }
}

/// Whether a header belongs to the connection and is written by the sender: a length or framing that does not fit the
/// body would let one request be read as two (RFC 9112 section 11.2).
fn is_ours(name: &Expanded) -> bool {
    names(name, &header::CONTENT_LENGTH) || names(name, &header::TRANSFER_ENCODING)
}

/// Whether the header's name is `wanted`.
fn names(name: &Expanded, wanted: &HeaderName) -> bool {
    name.as_literal().is_some_and(|text| text.eq_ignore_ascii_case(wanted.as_str()))
}

/// The first value of a header, where it holds no secret.
fn value_of<'a>(headers: &'a Headers, wanted: &HeaderName) -> Option<Cow<'a, str>> {
    headers.iter().filter(|(name, _)| names(name, wanted)).find_map(|(_, value)| match value {
        PreparedValue::Text(text) => text.as_literal(),
        _ => None,
    })
}

fn has(headers: &Headers, wanted: &HeaderName) -> bool {
    headers.iter().any(|(name, _)| names(name, wanted))
}

/// Puts a header in place of all that have its name.
fn replace(headers: &mut Headers, name: &HeaderName, value: PreparedValue) {
    headers.retain(|(other, _)| !names(other, name));
    headers.push((Expanded::literal(name.as_str()), value));
}

fn add_if_missing(headers: &mut Headers, name: &HeaderName, value: &str) {
    if !has(headers, name) {
        headers.push((Expanded::literal(name.as_str()), PreparedValue::Text(Expanded::literal(value))));
    }
}

fn add_defaults(headers: &mut Headers) {
    add_if_missing(headers, &header::ACCEPT, "*/*");
    add_if_missing(headers, &header::USER_AGENT, concat!("vaultls/", env!("CARGO_PKG_VERSION")));
}

/// `Accept-Encoding` without the codings that could not be read back: a body nobody can decode is no use, and a value
/// in it could not be found to be masked.
fn readable_codings(value: Expanded) -> Expanded {
    let Some(text) = value.as_literal() else { return value };
    let readable = |coding: &&str| matches!(coding.split(';').next().map(str::trim), Some("gzip" | "identity"));
    let kept: Vec<&str> = text.split(',').map(str::trim).filter(readable).collect();
    Expanded::literal(if kept.is_empty() { "identity".to_owned() } else { kept.join(", ") })
}

/// Why a header's literal text cannot be sent, if it cannot (RFC 9110 section 5.5).
fn unsendable(value: &Expanded) -> Option<&'static str> {
    let breaks = |char: char| char.is_control() && char != '\t';
    let broken = value.pieces.iter().any(|piece| matches!(piece, Flat::Literal(text) if text.contains(breaks)));
    broken.then_some("a header value cannot hold line breaks or other control characters")
}

/// Takes spaces off both ends, as far as they are literal text.
fn trim(expanded: &mut Expanded) {
    if let Some(Flat::Literal(text)) = expanded.pieces.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Flat::Literal(text)) = expanded.pieces.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

fn length(expanded: &Expanded) -> usize {
    let pieces = expanded.pieces.iter().map(|piece| match piece {
        Flat::Literal(text) => text.len(),
        Flat::Secret { name, .. } => name.as_str().len(),
    });
    pieces.sum()
}

/// A text for a message: its first characters, controls escaped.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a text is nothing but one reference: the value is the whole text then, and writes its own syntax.
pub(super) fn is_one_secret(text: &Expanded) -> bool {
    matches!(text.pieces.as_slice(), [Flat::Secret { .. }])
}

pub(super) use url::parse as parse_url;

#[cfg(test)]
mod tests;
