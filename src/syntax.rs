//! From text to document. Parsing is total: any text gives a document, with what was understood and a list of
//! what was not. A document holds byte spans of the text it came from and copies almost nothing.

pub mod body;
pub mod exchange;
pub mod expand;
pub mod http;
pub mod json;
pub mod postman;
pub mod reference;
pub mod template;

use std::{borrow::Cow, path::Path, time::Duration};

use smallvec::{SmallVec, smallvec};

use crate::{
    name::{NameError, SecretName},
    text::Span,
};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `.http` and `.rest`: requests between `###` lines.
    Http,
    /// A Postman collection, v1 to v2.1.
    Postman,
}

impl Kind {
    /// The format of a file by its name, or for `.json` by its first bytes; none for anything else.
    pub fn of(path: &Path, text: &str) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "http" | "rest" => Some(Self::Http),
            "json" if postman::is_collection(text) => Some(Self::Postman),
            _ => None,
        }
    }
}

/// Reads `text`.
pub fn parse(kind: Kind, text: &str) -> Document {
    match kind {
        Kind::Http => http::parse(text),
        Kind::Postman => postman::parse(text),
    }
}

/// What a file says, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub kind: Kind,
    pub requests: Vec<Request>,
    /// Every secret reference outside comments, by position.
    pub references: Vec<Reference>,
    /// Definitions of variables.
    pub variables: Vec<Variable>,
    /// Uses of variables (`{{name}}`, without vault references), by position.
    pub uses: Vec<Use>,
    pub errors: Vec<SyntaxError>,
}

impl Document {
    pub fn empty(kind: Kind) -> Self {
        Self { kind, requests: vec![], references: vec![], variables: vec![], uses: vec![], errors: vec![] }
    }

    /// The index of the request whose block holds `offset`.
    pub fn request_at(&self, offset: usize) -> Option<usize> {
        let index = self.requests.partition_point(|request| request.span.start <= offset).checked_sub(1)?;
        self.requests[index].span.touches(offset).then_some(index)
    }

    /// The requests called `name`.
    pub fn requests_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Request> {
        self.requests.iter().filter(move |request| request.name.as_ref().is_some_and(|label| label.text == name))
    }

    /// The index of the reference at `offset`.
    pub fn reference_at(&self, offset: usize) -> Option<usize> {
        let index = self.references.partition_point(|reference| reference.span.start <= offset).checked_sub(1)?;
        self.references[index].span.touches(offset).then_some(index)
    }

    /// The references that stand inside `span`.
    pub fn references_in(&self, span: Span) -> &[Reference] {
        let start = self.references.partition_point(|reference| reference.span.start < span.start);
        let end = self.references.partition_point(|reference| reference.span.start < span.end);
        &self.references[start..end.max(start)]
    }

    /// The variable uses that stand inside `span`.
    pub fn uses_in(&self, span: Span) -> &[Use] {
        let start = self.uses.partition_point(|used| used.span.start < span.start);
        let end = self.uses.partition_point(|used| used.span.start < span.end);
        &self.uses[start..end.max(start)]
    }
}

/// How the characters of a span stand for the characters of the text it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// One to one.
    None,
    /// The inside of a JSON string (RFC 8259 section 7).
    Json,
}

/// A piece of a [`Written`] text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Stands in the file.
    Source(Span),
    /// Implied by the format, such as the `://` between two fields of a collection's URL.
    Implied(Cow<'static, str>),
}

/// A text as the file writes it: not copied, not decoded, its variables and references untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Almost always one, which then costs no allocation: a large collection has a hundred thousand of these.
    pub segments: SmallVec<[Segment; 1]>,
    pub escapes: Escapes,
}

impl Written {
    pub const EMPTY: Self = Self { segments: SmallVec::new_const(), escapes: Escapes::None };

    pub fn plain(span: Span) -> Self {
        Self { segments: smallvec![Segment::Source(span)], escapes: Escapes::None }
    }

    pub fn json(span: Span) -> Self {
        Self { segments: smallvec![Segment::Source(span)], escapes: Escapes::Json }
    }

    /// From the first byte of it in the file to the last; none when nothing of it stands there.
    pub fn span(&self) -> Option<Span> {
        let mut spans = self.segments.iter().filter_map(|segment| match segment {
            Segment::Source(span) => Some(*span),
            Segment::Implied(_) => None,
        });
        let first = spans.next()?;
        Some(spans.fold(first, |whole, span| Span::new(whole.start.min(span.start), whole.end.max(span.end))))
    }

    /// The text with escapes decoded; variables and references stay as written.
    pub fn text<'a>(&self, source: &'a str) -> Cow<'a, str> {
        if let [Segment::Source(span)] = self.segments.as_slice() {
            return decode(span.of(source), self.escapes);
        }
        let mut text = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Source(span) => text.push_str(&decode(span.of(source), self.escapes)),
                Segment::Implied(implied) => text.push_str(implied),
            }
        }
        Cow::Owned(text)
    }

    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(|segment| match segment {
            Segment::Source(span) => span.is_empty(),
            Segment::Implied(text) => text.is_empty(),
        })
    }
}

fn decode(raw: &str, escapes: Escapes) -> Cow<'_, str> {
    match escapes {
        Escapes::None => Cow::Borrowed(raw),
        Escapes::Json => json::decode(raw),
    }
}

/// A request that could be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The whole block, from its `###` line (or its first line) to the next block.
    pub span: Span,
    /// The line that a reader takes for the request: the request line, or a collection item's name.
    pub line: Span,
    pub name: Option<Label>,
    /// The folders above it, outermost first.
    pub folders: Vec<String>,
    pub method: Method,
    /// The URL that is sent.
    pub url: Written,
    /// The URL as listed, where a collection writes both a raw URL and its parts.
    pub shown_url: Option<Written>,
    /// The protocol version, such as `HTTP/1.1`, where written.
    pub version: Option<Span>,
    pub headers: Vec<Header>,
    pub auth: Option<Auth>,
    pub body: Body,
    /// Values of `:name` segments of a collection's URL path.
    pub path_variables: Vec<Field>,
    pub settings: Settings,
    /// What stands in the request and is not carried out, such as a script. `run` says so.
    pub ignored: Vec<Ignored>,
    /// Why it cannot be run at all: another protocol than HTTP, a format that is only recognised.
    pub not_runnable: Option<&'static str>,
}

/// A text together with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub text: String,
    pub span: Span,
}

/// The method in upper case. The span is empty where the file leaves it out and `GET` is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub text: Cow<'static, str>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// From the name's first byte to the value's last.
    pub span: Span,
    pub name: Written,
    pub value: Written,
    pub enabled: bool,
}

/// A key and a value of a form, a query or a list of path variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub key: Written,
    pub value: Written,
    pub enabled: bool,
}

/// A part of a multipart form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub key: Written,
    pub content: PartContent,
    pub content_type: Option<Written>,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartContent {
    Text(Written),
    File(Written),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    None,
    Text {
        text: Written,
        /// The language that a collection names (`json`, `xml`, ...); decides how values are put in.
        language: Option<String>,
    },
    /// `application/x-www-form-urlencoded`, field by field (collections).
    Form(Vec<Field>),
    /// `multipart/form-data`, part by part (collections).
    Multipart(Vec<Part>),
    /// `< path`, or `<@ path` where the file's own variables are to be filled.
    File {
        path: Written,
        substitute: bool,
    },
    /// A GraphQL query with its variables (a JSON text).
    GraphQl {
        query: Written,
        variables: Option<Written>,
    },
}

/// Credentials that a format writes apart from the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    Basic {
        user: Written,
        password: Written,
    },
    Bearer {
        token: Written,
    },
    ApiKey {
        key: Written,
        value: Written,
        in_query: bool,
    },
    /// A scheme that is recognised and not carried out; its name.
    Unsupported(String),
}

/// What a request says about how it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub follow_redirects: bool,
    pub timeout: Option<Duration>,
    /// The body is written and not sent: Postman sends none with `GET` and its like unless a collection asks for it.
    pub omit_body: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { follow_redirects: true, timeout: None, omit_body: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    pub span: Span,
    /// What it is, for a sentence like "`pre-request script` is not run".
    pub what: &'static str,
}

/// How a reference is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// `<<vault:name>>`
    Angle,
    /// `{{vault:name}}`
    Curly,
}

/// A reference to a secret, possibly still being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// From the opener to the closer; an unfinished one ends with the last byte that can belong to it.
    pub span: Span,
    /// The name without the spaces next to the delimiters; empty right after the `:` when none is written.
    pub name_span: Span,
    pub name: Result<SecretName, NameError>,
    pub spelling: Spelling,
    /// False while the closer is missing.
    pub closed: bool,
    /// Whether spaces stand next to a delimiter.
    pub padded: bool,
    pub place: Place,
}

/// Where in a request something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Url,
    HeaderName,
    HeaderValue,
    /// In a body that is not JSON, or inside a string of one that is.
    Body,
    /// In a JSON body, outside any string.
    JsonBare,
    Auth,
    /// The value of a variable.
    Variable,
    /// In a script, a recorded response, a name: never sent.
    Elsewhere,
}

/// A definition of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub name_span: Span,
    /// The whole definition.
    pub span: Span,
    pub value: Written,
    pub enabled: bool,
}

/// A use of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What stands between the braces, trimmed: `host`, `$guid`, `login.response.body.token`.
    pub name: String,
    pub name_span: Span,
    /// From `{{` to `}}`; an unfinished one ends at the end of its line.
    pub span: Span,
    pub closed: bool,
    pub place: Place,
}

/// Something that could not be understood, or will surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub span: Span,
    pub message: String,
    pub severity: crate::status::Severity,
}
