//! Which secrets a prepared request uses, and where each enters.

use super::{Content, Prepared, PreparedBody, PreparedPart, PreparedValue, is_one_secret};
use crate::{
    http::place::{GraphQlReader, JsonReader},
    name::SecretName,
    syntax::{
        Place,
        body::BodySyntax,
        expand::{Expanded, Flat},
    },
    text::Span,
};

pub(super) fn of(prepared: &Prepared) -> Vec<(SecretName, Span, Place)> {
    let mut found = Found(Vec::new());
    found.add(&prepared.url, Place::Url);
    for (name, value) in &prepared.headers {
        found.add(name, Place::HeaderName);
        match value {
            PreparedValue::Text(text) | PreparedValue::BasicToken(text) => found.add(text, Place::HeaderValue),
            PreparedValue::Basic { user, password } => {
                found.add(user, Place::Auth);
                found.add(password, Place::Auth);
            }
        }
    }
    found.add_body(&prepared.body);
    found.0
}

/// Secrets found so far.
struct Found(Vec<(SecretName, Span, Place)>);

impl Found {
    fn add(&mut self, text: &Expanded, place: Place) {
        self.0.extend(text.secrets().map(|(name, span)| (name.clone(), span, place)));
    }

    fn add_body(&mut self, body: &PreparedBody) {
        match body {
            PreparedBody::None | PreparedBody::Bytes(_) => {}
            PreparedBody::Text { text, syntax } => self.add_text(text, *syntax, &mut JsonReader::default()),
            PreparedBody::Form(fields) => {
                for (name, value) in fields {
                    self.add(name, Place::Body);
                    self.add(value, Place::Body);
                }
            }
            PreparedBody::Multipart(parts) => parts.iter().for_each(|part| self.add_part(part)),
            PreparedBody::GraphQl { query, variables } => {
                self.add_query(query);
                if let Some(variables) = variables {
                    self.add_text(variables, BodySyntax::Json, &mut JsonReader::default());
                }
            }
            PreparedBody::Mixed { chunks, syntax, .. } => {
                let mut reader = JsonReader::default();
                for chunk in chunks {
                    if let Content::Text(text) = chunk {
                        self.add_text(text, *syntax, &mut reader);
                    }
                }
            }
        }
    }

    fn add_text(&mut self, text: &Expanded, syntax: BodySyntax, reader: &mut JsonReader) {
        if syntax != BodySyntax::Json || is_one_secret(text) {
            return self.add(text, Place::Body);
        }
        for piece in &text.pieces {
            match piece {
                Flat::Literal(literal) => reader.read(literal),
                Flat::Secret { name, span } => {
                    let place = if reader.in_string() { Place::Body } else { Place::JsonBare };
                    self.0.push((name.clone(), *span, place));
                }
            }
        }
    }

    fn add_query(&mut self, query: &Expanded) {
        let mut reader = GraphQlReader::default();
        for piece in &query.pieces {
            match piece {
                Flat::Literal(literal) => reader.read(literal),
                Flat::Secret { name, span } => {
                    let place = if reader == GraphQlReader::Bare { Place::JsonBare } else { Place::Body };
                    self.0.push((name.clone(), *span, place));
                }
            }
        }
    }

    fn add_part(&mut self, part: &PreparedPart) {
        self.add(&part.name, Place::Body);
        if let Content::Text(text) = &part.content {
            self.add(text, Place::Body);
        }
        if let Some(content_type) = &part.content_type {
            self.add(content_type, Place::Body);
        }
    }
}
