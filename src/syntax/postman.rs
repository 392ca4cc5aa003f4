//! Postman collections: v2.0 and v2.1 as trees of items, v1 as a flat list of requests.
//!
//! The formats are those of <https://schema.postman.com/>; where a schema leaves a choice, the reading is that of
//! Postman's own `postman-collection` library. Nothing is decoded but names: texts stay spans of the file.

mod auth;
mod body;
mod item;
mod legacy;
mod marks;
mod scripts;
mod url;

use std::borrow::Cow;

use super::{
    Document, Field, Header, Kind, Label, Method, SyntaxError, Variable, Written,
    json::{self, Tree, Value},
};
use crate::{status::Severity, text::Span};

use marks::{Placement, Places};

/// How much of a text is read to tell whether it is a collection: first little, then more.
const GLANCES: [usize; 3] = [64 << 10, 2 << 20, 32 << 20];

/// Whether a JSON text is a collection, judged by the members of its outermost object. A text that is being typed
/// counts as soon as it names the schema.
pub fn is_collection(text: &str) -> bool {
    for glance in GLANCES {
        let part = &text[..text.floor_char_boundary(glance)];
        let tree = json::scan(part);
        if tree.root().is_some_and(|root| is_outermost(root) || root.get("collection").is_some_and(is_outermost)) {
            return true;
        }
        if part.len() == text.len() {
            return false;
        }
    }
    false
}

/// Whether `object` is the object that a collection consists of.
fn is_outermost(object: Value<'_>) -> bool {
    if object.kind() != json::Kind::Object {
        return false;
    }
    let info = object.get("info").filter(|info| info.kind() == json::Kind::Object);
    if info.and_then(|info| info.get("schema")).is_some_and(|schema| is_schema(&schema.text())) {
        return true;
    }
    if let Some(items) = object.get("item").filter(|items| items.kind() == json::Kind::Array) {
        let first = items.items().next();
        let tree = first.is_some_and(|first| first.get("request").is_some() || first.get("item").is_some());
        return info.is_some() || tree;
    }
    let list = |key| object.get(key).is_some_and(|list| list.kind() == json::Kind::Array);
    let labelled = || object.get("id").is_some() && object.get("name").is_some();
    list("requests") && (list("order") || labelled())
}

/// Whether a text is the address of a collection's schema, on Postman's hosts past and present.
fn is_schema(text: &str) -> bool {
    (text.contains("getpostman.com") || text.contains("postman.com")) && text.contains("/collection")
}

/// Reads a collection.
pub fn parse(text: &str) -> Document {
    let tree = json::scan(text);
    let mut reading = Reading::new(&tree);
    reading.problems();
    if let Some(collection) = tree.root().and_then(collection_in) {
        reading.collection(collection);
    }
    reading.finish()
}

/// The collection itself: answers of Postman's API and reports of its runner wrap it.
fn collection_in(root: Value<'_>) -> Option<Value<'_>> {
    if root.kind() != json::Kind::Object {
        return None;
    }
    let bare = ["item", "requests", "info"].into_iter().any(|key| root.get(key).is_some());
    let wrapped = || root.get("collection").filter(|inner| inner.kind() == json::Kind::Object);
    Some(if bare { root } else { wrapped().unwrap_or(root) })
}

/// A collection that is being read.
struct Reading<'a> {
    source: &'a str,
    tree: &'a Tree<'a>,
    /// Where in a request each string stands.
    places: Places,
    document: Document,
    /// How many more bytes of folder names may be written beside requests; see [`Reading::folders_of`].
    folder_budget: usize,
    folders: Vec<Folder>,
}

/// A folder's name and the folder it stands in, an index of [`Reading::folders`].
struct Folder {
    name: String,
    parent: Option<usize>,
}

/// How many complaints are kept.
const MAX_COMPLAINTS: usize = 200;

/// How many levels of folders are told, the innermost ones.
const MAX_FOLDERS: usize = 64;

impl<'a> Reading<'a> {
    fn new(tree: &'a Tree<'a>) -> Self {
        Self {
            source: tree.source(),
            tree,
            places: Places::new(tree),
            document: Document::empty(Kind::Postman),
            folder_budget: 16 << 20,
            folders: Vec::new(),
        }
    }

    fn problems(&mut self) {
        for problem in &self.tree.problems {
            self.complain(problem.span, problem.message, Severity::Error);
        }
    }

    fn complain(&mut self, span: Span, message: &str, severity: Severity) {
        if self.document.errors.len() == MAX_COMPLAINTS {
            return;
        }
        self.document.errors.push(SyntaxError { span, message: message.to_owned(), severity });
    }

    fn collection(&mut self, collection: Value<'a>) {
        let schema = collection.get("info").and_then(|info| info.get("schema"));
        if let Some(schema) = schema.filter(|schema| !is_known_schema(&schema.text())) {
            let message = "this version of the collection format is not known; it is read as v2.1";
            self.complain(schema.inner(), message, Severity::Warning);
        }
        if collection.get("item").is_some() {
            self.items(collection);
        } else if collection.get("requests").is_some() {
            self.legacy(collection);
        } else {
            let start = collection.span().start;
            let message = "the collection holds no requests: its `item` list is missing";
            self.complain(Span::new(start, start + 1), message, Severity::Warning);
        }
    }

    fn finish(mut self) -> Document {
        self.document.variables.sort_by_key(|variable| variable.span.start);
        marks::collect(self.tree, &self.places, &mut self.document);
        self.document
    }

    /// The names of the folders above a request, outermost first. A hostile file repeats long names at every request,
    /// so all of them together have a bound.
    fn folders_of(&mut self, innermost: Option<usize>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut next = innermost;
        while let Some(folder) = next.map(|index| &self.folders[index])
            && names.len() < MAX_FOLDERS
        {
            let size = folder.name.len() + size_of::<String>();
            if size > self.folder_budget {
                return Vec::new();
            }
            self.folder_budget -= size;
            names.push(folder.name.clone());
            next = folder.parent;
        }
        names.reverse();
        names
    }

    /// The variables of a collection or folder.
    fn variables(&mut self, list: Option<Value<'a>>) {
        let Some(list) = list else { return };
        for row in list.items() {
            let Some(key) = row.get("key").or_else(|| row.get("id")) else { continue };
            let value = row.get("value");
            if let Some(value) = value {
                self.places.put(value, Placement::At(super::Place::Variable));
            }
            self.document.variables.push(Variable {
                name: key.text().into_owned(),
                name_span: key.inner(),
                span: row.span(),
                value: written(value),
                enabled: is_enabled(row),
            });
        }
    }

    /// The headers of a request: rows, or one text with a header a line.
    fn headers(&mut self, headers: Option<Value<'a>>) -> Vec<Header> {
        let Some(headers) = headers else { return Vec::new() };
        if headers.kind() == json::Kind::String {
            return self.header_lines(headers);
        }
        let mut read = Vec::new();
        for row in headers.items() {
            if row.kind() == json::Kind::String {
                read.extend(self.header_lines(row));
                continue;
            }
            let Some(key) = row.get("key").filter(|key| !key.inner().is_empty()) else { continue };
            let value = row.get("value");
            let enabled = is_enabled(row);
            if enabled {
                self.places.put(key, Placement::At(super::Place::HeaderName));
            }
            if let Some(value) = value.filter(|_| enabled) {
                self.places.put(value, Placement::At(super::Place::HeaderValue));
            }
            let (name, value) = (written(Some(key)), written(value));
            let whole = [name.span(), value.span()].into_iter().flatten();
            let start = whole.clone().map(|span| span.start).min().unwrap_or_default();
            let end = whole.map(|span| span.end).max().unwrap_or_default();
            read.push(Header { span: Span::new(start, end), name, value, enabled });
        }
        read
    }

    /// `Name: value` lines in one string. A line that starts with `//` is switched off, as in Postman's bulk editor.
    fn header_lines(&mut self, text: Value<'a>) -> Vec<Header> {
        self.places.put(text, Placement::At(super::Place::HeaderValue));
        let (decoded, map) = json::decode_with_map(text.raw());
        let base = text.inner().start;
        let place = |part: &str| {
            let start = part.as_ptr() as usize - decoded.as_ptr() as usize;
            Span::new(base + map.raw_offset(start), base + map.raw_offset(start + part.len()))
        };
        let mut headers = Vec::new();
        for line in decoded.lines().map(str::trim) {
            let (enabled, line) = line.strip_prefix("//").map_or((true, line), |line| (false, line.trim()));
            let (name, value) = line.split_once(':').unwrap_or((line, &line[line.len()..]));
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() {
                continue;
            }
            let (name, value) = (place(name), place(value));
            let span = Span::new(name.start, value.end.max(name.end));
            headers.push(Header { span, name: Written::json(name), value: Written::json(value), enabled });
        }
        headers
    }
}

fn is_known_schema(schema: &str) -> bool {
    ["/v1.", "/v2.0", "/v2.1", "/v2/", "/v1/"].into_iter().any(|version| schema.contains(version))
}

/// What a value sends: the text of a string; what is written of anything else; nothing for `null`.
fn written(value: Option<Value<'_>>) -> Written {
    let Some(value) = value else { return Written::EMPTY };
    match value.kind() {
        json::Kind::Null => Written::EMPTY,
        json::Kind::Object | json::Kind::Array => Written::plain(value.span()),
        _ => Written::json(value.inner()),
    }
}

/// A row's switch: v2 writes `disabled`, v1 writes `enabled`.
fn is_enabled(row: Value<'_>) -> bool {
    let says = |key, kind| row.get(key).is_some_and(|value| value.kind() == kind);
    !says("disabled", json::Kind::True) && !says("enabled", json::Kind::False)
}

fn is_null(value: Value<'_>) -> bool {
    value.kind() == json::Kind::Null
}

/// A key and value row, in a list of such rows. Path variables of old collections write `id` for `key`.
fn field(row: Value<'_>) -> Option<Field> {
    let key = row.get("key").or_else(|| row.get("id"))?;
    Some(Field { key: written(Some(key)), value: written(row.get("value")), enabled: is_enabled(row) })
}

fn label(name: Option<Value<'_>>) -> Option<Label> {
    let name = name?;
    Some(Label { text: name.scalar()?.into_owned(), span: name.inner() })
}

/// The method as Postman sends it: in upper case, `GET` where there is none.
fn method(value: Option<Value<'_>>, otherwise: Span) -> Method {
    let text = value.and_then(Value::scalar).filter(|text| !text.is_empty());
    let place = value.map_or(otherwise, Value::inner);
    match text {
        Some(text) => {
            let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
            let known = known.into_iter().find(|known| text.eq_ignore_ascii_case(known));
            let text = known.map_or_else(|| Cow::Owned(text.to_uppercase()), Cow::Borrowed);
            Method { text, span: place }
        }
        None => Method { text: Cow::Borrowed("GET"), span: Span::at(place.start) },
    }
}

#[cfg(test)]
mod tests;
