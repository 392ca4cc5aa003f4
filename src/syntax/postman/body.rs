//! The body of a request, by its mode.

use super::{Placement, Reading, field, is_enabled, is_null, marks::looks_like_json, written};
use crate::syntax::{
    Body, Field, Ignored, Part, PartContent, Place, Written,
    json::{Kind, Value},
};

impl<'a> Reading<'a> {
    /// The body, and what of it is not carried out.
    pub(super) fn body(&mut self, body: Option<Value<'a>>) -> (Body, Option<Ignored>) {
        let Some(body) = body.filter(|body| !is_null(*body)) else { return (Body::None, None) };
        if body.kind() == Kind::String {
            return (self.raw_body(Some(body), None), None);
        }
        let Some(mode) = body.get("mode") else { return (Body::None, None) };
        if !is_enabled(body) {
            return (Body::None, Some(Ignored { span: mode.inner(), what: "disabled body" }));
        }
        let content = body.get(&mode.text());
        let read = match &*mode.text() {
            "raw" => {
                let options = body.get("options").and_then(|options| options.get("raw"));
                self.raw_body(content, options.and_then(|raw| raw.get("language")))
            }
            "urlencoded" => Body::Form(self.form(content)),
            "formdata" => Body::Multipart(self.multipart(content)),
            "file" => self.file_body(content),
            "graphql" => self.graphql(content),
            _ => return (Body::None, Some(Ignored { span: mode.inner(), what: "body of an unknown mode" })),
        };
        (read, None)
    }

    pub(super) fn raw_body(&mut self, text: Option<Value<'a>>, language: Option<Value<'a>>) -> Body {
        let language = language.and_then(Value::scalar).map(std::borrow::Cow::into_owned);
        if let Some(text) = text {
            let json = match language.as_deref() {
                Some("json") => true,
                None | Some("text" | "") => looks_like_json(&text.text()),
                Some(_) => false,
            };
            self.places.put(text, if json { Placement::JsonBody } else { Placement::At(Place::Body) });
        }
        Body::Text { text: written(text), language }
    }

    pub(super) fn form(&mut self, rows: Option<Value<'a>>) -> Vec<Field> {
        let mut fields = Vec::new();
        for row in rows.into_iter().flat_map(Value::items) {
            self.body_row(row);
            fields.extend(field(row));
        }
        fields
    }

    pub(super) fn multipart(&mut self, rows: Option<Value<'a>>) -> Vec<Part> {
        let mut parts = Vec::new();
        for row in rows.into_iter().flat_map(Value::items) {
            let Some(key) = row.get("key") else { continue };
            self.body_row(row);
            let content_type = row.get("contentType").filter(|value| !is_null(*value));
            let part = |content| Part {
                key: written(Some(key)),
                content,
                content_type: content_type.map(|value| written(Some(value))),
                enabled: is_enabled(row),
            };
            if row.get("type").is_some_and(|kind| kind.is("file")) {
                parts.extend(files(row.get("src").or_else(|| row.get("value"))).map(PartContent::File).map(part));
            } else {
                parts.push(part(PartContent::Text(written(row.get("value")))));
            }
        }
        parts
    }

    fn body_row(&mut self, row: Value<'a>) {
        if is_enabled(row) {
            self.places.put(row, Placement::At(Place::Body));
        }
    }

    fn file_body(&mut self, file: Option<Value<'a>>) -> Body {
        let Some(file) = file else { return Body::File { path: Written::EMPTY, substitute: false } };
        self.places.put(file, Placement::At(Place::Body));
        if let Some(content) = file.get("content").filter(|content| content.kind() == Kind::String) {
            return Body::Text { text: written(Some(content)), language: None };
        }
        let path = if file.kind() == Kind::Object { file.get("src") } else { Some(file) };
        Body::File { path: written(path), substitute: false }
    }

    pub(super) fn graphql(&mut self, query: Option<Value<'a>>) -> Body {
        let Some(content) = query else { return Body::GraphQl { query: Written::EMPTY, variables: None } };
        self.places.put(content, Placement::At(Place::Body));
        if content.kind() != Kind::Object {
            return Body::GraphQl { query: written(Some(content)), variables: None };
        }
        let variables = content.get("variables").filter(|value| !is_null(*value) && !value.inner().is_empty());
        if let Some(variables) = variables.filter(|value| value.kind() == Kind::String) {
            self.places.put(variables, Placement::JsonBody);
        }
        Body::GraphQl { query: written(content.get("query")), variables: variables.map(|value| written(Some(value))) }
    }
}

/// The files of a part: one path or a list of them, one without a path where none is chosen yet.
fn files(source: Option<Value<'_>>) -> impl Iterator<Item = Written> {
    let list = source.filter(|source| source.kind() == Kind::Array && source.items().next().is_some());
    let single = list.is_none().then(|| source.filter(|source| source.kind() != Kind::Array));
    let listed = list.into_iter().flat_map(Value::items).map(|path| written(Some(path)));
    single.map(written).into_iter().chain(listed)
}
