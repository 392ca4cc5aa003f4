//! The URL of a request: one text, or a raw text together with its parts.
//!
//! Postman sends what the parts make. Where they make the raw text, the raw text is read: a reference stands in it
//! as it was typed, while Postman cuts `https://<<vault:host>>` into a host `<<vault` and a port `host>>`.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{Placement, Reading, field, is_enabled, is_null, written};
use crate::{
    status::Severity,
    syntax::{
        Escapes, Field, Place, Segment, Written,
        json::{self, Kind, Value},
    },
    text::Span,
};

pub(super) struct Url {
    pub(super) sent: Written,
    pub(super) shown: Option<Written>,
    pub(super) path_variables: Vec<Field>,
}

impl<'a> Reading<'a> {
    pub(super) fn url(&mut self, url: Option<Value<'a>>) -> Url {
        let Some(url) = url.filter(|url| !is_null(*url)) else {
            return Url { sent: Written::EMPTY, shown: None, path_variables: vec![] };
        };
        self.places.put(url, Placement::At(Place::Url));
        if url.kind() != Kind::Object {
            return Url { sent: written(Some(url)), shown: None, path_variables: vec![] };
        }
        let raw = url.get("raw").filter(|raw| raw.kind() == Kind::String);
        let parts = parts(url);
        self.disabled_rows(url.get("query"));
        let path_variables = path_variables(url.get("variable"));
        let shown = raw.map(|raw| Written::json(raw.inner()));
        let Some(raw) = raw else { return Url { sent: parts, shown, path_variables } };
        if parts.segments.is_empty() {
            return Url { sent: Written::json(raw.inner()), shown, path_variables };
        }
        if parts.text(self.source) != raw.text() {
            self.places.put(raw, Placement::At(Place::Elsewhere));
            let message = "the parts of this URL make another one, and the parts are sent";
            self.complain(raw.inner(), message, Severity::Warning);
            return Url { sent: parts, shown, path_variables };
        }
        for member in url.members().filter(|member| !member.key.is("variable")) {
            if let Some(value) = member.value.filter(|value| value.index() != raw.index()) {
                self.places.put(value, Placement::UrlParts);
            }
        }
        self.disabled_rows(url.get("query"));
        Url { sent: Written::json(raw.inner()), shown, path_variables }
    }

    /// What is switched off is not sent.
    fn disabled_rows(&mut self, rows: Option<Value<'a>>) {
        for row in rows.into_iter().flat_map(Value::items).filter(|row| !is_enabled(*row)) {
            self.places.put(row, Placement::At(Place::Elsewhere));
        }
    }
}

/// Values of `:name` segments. One without a value leaves its segment as it is.
fn path_variables(list: Option<Value<'_>>) -> Vec<Field> {
    let rows = list.into_iter().flat_map(Value::items);
    rows.filter(|row| row.get("value").is_some_and(|value| !is_null(value))).filter_map(field).collect()
}

/// Puts the parts of a URL together.
fn parts(url: Value<'_>) -> Written {
    let mut parts = Parts { segments: SmallVec::new() };
    let filled = |key| url.get(key).filter(|value: &Value<'_>| value.scalar().is_some_and(|text| !text.is_empty()));
    if let Some(protocol) = filled("protocol") {
        parts.source(protocol.inner());
        if !protocol.text().ends_with("://") {
            parts.implied("://");
        }
    }
    if let Some(auth) = url.get("auth").filter(|auth| auth.kind() == Kind::Object) {
        parts.userinfo(auth);
    }
    parts.host(url.get("host"));
    if let Some(port) = filled("port") {
        parts.implied(":");
        parts.source(port.inner());
    }
    parts.path(url.get("path"));
    parts.query(url.get("query"));
    if let Some(hash) = filled("hash") {
        parts.implied("#");
        parts.source(hash.inner());
    }
    Written { segments: parts.segments, escapes: Escapes::Json }
}

struct Parts {
    segments: SmallVec<[Segment; 1]>,
}

impl Parts {
    fn source(&mut self, span: Span) {
        self.segments.push(Segment::Source(span));
    }

    fn implied(&mut self, text: &'static str) {
        self.segments.push(Segment::Implied(Cow::Borrowed(text)));
    }

    fn userinfo(&mut self, auth: Value<'_>) {
        let part = |key| auth.get(key).filter(|value: &Value<'_>| value.kind() == Kind::String);
        let (user, password) = (part("user"), part("password"));
        if let Some(user) = user {
            self.source(user.inner());
        }
        if let Some(password) = password {
            self.implied(":");
            self.source(password.inner());
        }
        if user.is_some() || password.is_some() {
            self.implied("@");
        }
    }

    fn host(&mut self, host: Option<Value<'_>>) {
        let Some(host) = host else { return };
        if host.kind() == Kind::String && !host.inner().is_empty() {
            return self.source(host.inner());
        }
        for (index, label) in host.items().enumerate() {
            if index > 0 {
                self.implied(".");
            }
            self.source(label.inner());
        }
    }

    fn path(&mut self, path: Option<Value<'_>>) {
        let Some(path) = path else { return };
        if path.kind() == Kind::String && !path.inner().is_empty() {
            if !path.text().starts_with('/') {
                self.implied("/");
            }
            return self.source(path.inner());
        }
        for segment in path.items() {
            self.implied("/");
            let segment = if segment.kind() == Kind::Object { segment.get("value") } else { Some(segment) };
            if let Some(segment) = segment.filter(|segment| segment.scalar().is_some()) {
                self.source(segment.inner());
            }
        }
    }

    fn query(&mut self, query: Option<Value<'_>>) {
        let Some(query) = query else { return };
        if query.kind() == Kind::String {
            if !query.inner().is_empty() {
                self.implied("?");
                self.source(query.inner());
            }
            return;
        }
        let mut separator = "?";
        for row in query.items().filter(|row| is_enabled(*row)) {
            if !matches!(row.kind(), Kind::Object | Kind::String) {
                continue;
            }
            self.implied(separator);
            separator = "&";
            self.parameter(row);
        }
        for member in query.members() {
            self.implied(separator);
            separator = "&";
            self.encoded(member.key, "&#=");
            if let Some(value) = member.value {
                self.implied("=");
                self.encoded(value, "&#");
            }
        }
    }

    fn parameter(&mut self, row: Value<'_>) {
        if row.kind() == Kind::String {
            return self.source(row.inner());
        }
        if let Some(key) = row.get("key").filter(|key| key.scalar().is_some()) {
            self.encoded(key, "&#=");
        }
        // NB. without a value there is no `=`; with an empty one there is.
        if let Some(value) = row.get("value").filter(|value| !is_null(*value)) {
            self.implied("=");
            self.encoded(value, "&#");
        }
    }

    /// A text in which the characters of `special` mean themselves, so they are percent-encoded; those inside a
    /// variable or reference belong to its name.
    fn encoded(&mut self, value: Value<'_>, special: &str) {
        let (text, map) = json::decode_with_map(value.raw());
        let base = value.inner().start;
        let place = |start, end| Span::new(base + map.raw_offset(start), base + map.raw_offset(end));
        let mut rest = 0;
        let mut name_end = 0;
        for (at, character) in text.char_indices() {
            if at < name_end {
                continue;
            }
            name_end = name_behind(&text, at);
            if name_end == at && special.contains(character) {
                self.source(place(rest, at));
                self.implied(match character {
                    '&' => "%26",
                    '#' => "%23",
                    _ => "%3D",
                });
                rest = at + character.len_utf8();
            }
        }
        self.source(place(rest, text.len()));
    }
}

/// The end of the `{{name}}` or `<<name>>` that starts at `at`; `at` where none does.
fn name_behind(text: &str, at: usize) -> usize {
    let closer = match text.as_bytes().get(at..at + 2) {
        Some(b"{{") => "}}",
        Some(b"<<") => ">>",
        _ => return at,
    };
    // A name has a line at most, and a bounded length: `{{{{{{` is not searched to its end again and again.
    let window = &text[at..text.floor_char_boundary(at + 1024)];
    window.find(closer).map_or(at, |length| at + length + 2)
}
