//! The body of a filled request.

use bytes::Bytes;
use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{FillError, Filler, ReadyBody, ReadyHeader, bad_value, buffer::SecretBuffer, encode};
use crate::{
    http::{
        place::{GraphQlReader, JsonReader, XmlReader},
        prepare::{Content, PreparedBody, PreparedPart, is_one_secret},
    },
    syntax::{
        body::BodySyntax,
        expand::{Expanded, Flat},
    },
};

/// `application/x-www-form-urlencoded` of the URL standard; spaces become `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

/// Where each language's reader stands, for a text that comes in pieces.
#[derive(Default)]
struct Readers {
    json: JsonReader,
    xml: XmlReader,
}

impl Filler<'_> {
    /// The body; a header that only now is known is added to `headers`.
    pub(super) fn body(
        &self,
        body: &PreparedBody,
        headers: &mut Vec<ReadyHeader>,
    ) -> Result<Option<ReadyBody>, FillError> {
        let mut out = SecretBuffer::default();
        match body {
            PreparedBody::None => return Ok(None),
            PreparedBody::Bytes(bytes) => {
                return Ok(Some(ReadyBody { bytes: Bytes::copy_from_slice(bytes), holds_secret: false }));
            }
            PreparedBody::Text { text, syntax } => self.written(text, *syntax, &mut Readers::default(), &mut out)?,
            PreparedBody::Form(fields) => self.form(fields, &mut out)?,
            PreparedBody::Multipart(parts) => headers.push(multipart_header(&self.multipart(parts, &mut out)?)),
            PreparedBody::GraphQl { query, variables } => self.graphql(query, variables.as_ref(), &mut out)?,
            PreparedBody::Mixed { chunks, syntax, boundary } => {
                self.mixed(chunks, *syntax, boundary.as_deref(), &mut out)?;
            }
        }
        Ok(Some(ReadyBody { bytes: out.into_bytes(), holds_secret: holds_secret(body) }))
    }

    fn written(
        &self,
        text: &Expanded,
        syntax: BodySyntax,
        readers: &mut Readers,
        out: &mut SecretBuffer,
    ) -> Result<(), FillError> {
        if is_one_secret(text) && syntax != BodySyntax::Form {
            return self.text(text, out, encode::raw);
        }
        match syntax {
            BodySyntax::Plain => self.text(text, out, encode::raw),
            BodySyntax::Form => self.text(text, out, encode::form),
            BodySyntax::Json => self.json(text, &mut readers.json, out),
            BodySyntax::Xml => self.xml(text, &mut readers.xml, out),
        }
    }

    fn json(&self, text: &Expanded, reader: &mut JsonReader, out: &mut SecretBuffer) -> Result<(), FillError> {
        for piece in &text.pieces {
            match piece {
                Flat::Literal(literal) => {
                    reader.read(literal);
                    out.push_text(literal);
                }
                Flat::Secret { name, .. } if reader.in_string() => self.with_text(name, |value| {
                    encode::json_string(value, out);
                    Ok(())
                })?,
                Flat::Secret { name, .. } => self.with_text(name, |value| encode::json_bare(value, out))?,
            }
        }
        Ok(())
    }

    fn xml(&self, text: &Expanded, reader: &mut XmlReader, out: &mut SecretBuffer) -> Result<(), FillError> {
        for piece in &text.pieces {
            match piece {
                Flat::Literal(literal) => {
                    reader.read(literal);
                    out.push_text(literal);
                }
                Flat::Secret { name, .. } => self.with_text(name, |value| match reader {
                    XmlReader::Markup => encode::xml(value, out),
                    XmlReader::CharacterData => encode::xml_character_data(value, out),
                    XmlReader::Comment => Err("stands in an XML comment; take the reference out of the comment"),
                })?,
            }
        }
        Ok(())
    }

    fn form(&self, fields: &[(Expanded, Expanded)], out: &mut SecretBuffer) -> Result<(), FillError> {
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                out.push(b"&");
            }
            self.form_text(name, out)?;
            out.push(b"=");
            self.form_text(value, out)?;
        }
        Ok(())
    }

    fn form_text(&self, text: &Expanded, out: &mut SecretBuffer) -> Result<(), FillError> {
        for piece in &text.pieces {
            match piece {
                Flat::Literal(literal) => {
                    out.push_text(&utf8_percent_encode(literal, FORM).to_string().replace(' ', "+"));
                }
                Flat::Secret { name, .. } => self.with_bytes(name, |value| encode::form(value, out))?,
            }
        }
        Ok(())
    }

    /// The object of the GraphQL over HTTP specification: the query as a JSON string, the variables as they are.
    fn graphql(&self, query: &Expanded, variables: Option<&Expanded>, out: &mut SecretBuffer) -> Result<(), FillError> {
        out.push_text("{\"query\":\"");
        let mut reader = GraphQlReader::default();
        for piece in &query.pieces {
            match piece {
                Flat::Literal(literal) => {
                    reader.read(literal);
                    encode::json_string(literal, out);
                }
                Flat::Secret { name, .. } => self.with_text(name, |value| match reader {
                    GraphQlReader::String => {
                        encode::graphql_string(value, out);
                        Ok(())
                    }
                    GraphQlReader::BlockString => encode::graphql_block(value, out),
                    GraphQlReader::Bare => encode::graphql_bare(value, out),
                    GraphQlReader::Comment => Err("stands in a GraphQL comment; take the reference out of the comment"),
                })?,
            }
        }
        out.push(b"\"");
        if let Some(variables) = variables {
            out.push_text(",\"variables\":");
            self.written(variables, BodySyntax::Json, &mut Readers::default(), out)?;
        }
        out.push(b"}");
        Ok(())
    }

    /// Writes the parts and returns the boundary, which stands in none of them (RFC 2046 section 5.1.1).
    fn multipart(&self, parts: &[PreparedPart], out: &mut SecretBuffer) -> Result<String, FillError> {
        let mut filled = Vec::with_capacity(parts.len());
        for part in parts {
            filled.push(self.part(part)?);
        }
        let boundary = loop {
            let boundary = format!("vaultls-{}", uuid::Uuid::new_v4().simple());
            let taken = |part: &SecretBuffer| memchr::memmem::find(part.as_slice(), boundary.as_bytes()).is_some();
            if !filled.iter().any(taken) {
                break boundary;
            }
        };
        for part in &filled {
            out.push_text(&format!("--{boundary}\r\n"));
            out.push(part.as_slice());
            out.push_text("\r\n");
        }
        out.push_text(&format!("--{boundary}--\r\n"));
        Ok(boundary)
    }

    /// A part's headers and content (RFC 7578 section 4).
    fn part(&self, part: &PreparedPart) -> Result<SecretBuffer, FillError> {
        let mut out = SecretBuffer::default();
        out.push_text("Content-Disposition: form-data; name=\"");
        self.part_name(&part.name, &mut out)?;
        out.push(b"\"");
        if let Some(file_name) = &part.file_name {
            out.push_text("; filename=\"");
            self.part_name(&Expanded::literal(file_name.as_str()), &mut out)?;
            out.push(b"\"");
        }
        if let Some(content_type) = &part.content_type {
            out.push_text("\r\nContent-Type: ");
            let start = out.len();
            self.text(content_type, &mut out, encode::header)?;
            if HeaderValue::from_bytes(&out.as_slice()[start..]).is_err() {
                return Err((None, bad_value("the content type of a part cannot be sent")));
            }
        }
        out.push_text("\r\n\r\n");
        match &part.content {
            Content::Text(text) => self.text(text, &mut out, encode::raw)?,
            Content::Bytes(bytes) => out.push(bytes),
        }
        Ok(out)
    }

    fn part_name(&self, name: &Expanded, out: &mut SecretBuffer) -> Result<(), FillError> {
        for piece in &name.pieces {
            match piece {
                // A part's name has no faults: every byte that is special is encoded.
                Flat::Literal(literal) => {
                    encode::part_name(literal.as_bytes(), out).map_err(|fault| (None, bad_value(fault)))?;
                }
                Flat::Secret { name, .. } => self.with_bytes(name, |value| encode::part_name(value, out))?,
            }
        }
        Ok(())
    }

    fn mixed(
        &self,
        chunks: &[Content],
        syntax: BodySyntax,
        boundary: Option<&str>,
        out: &mut SecretBuffer,
    ) -> Result<(), FillError> {
        let mut readers = Readers::default();
        for chunk in chunks {
            match chunk {
                Content::Bytes(bytes) => out.push(bytes),
                Content::Text(text) => {
                    if let Some(boundary) = boundary {
                        self.refuse_boundary(text, boundary)?;
                    }
                    self.written(text, syntax, &mut readers, out)?;
                }
            }
        }
        Ok(())
    }

    /// The boundary of a body written by hand cannot be made anew, so a value must not hold it.
    fn refuse_boundary(&self, text: &Expanded, boundary: &str) -> Result<(), FillError> {
        for (name, _) in text.secrets() {
            self.with_bytes(name, |value| match memchr::memmem::find(value, boundary.as_bytes()) {
                Some(_) => Err("holds the boundary of the multipart body; choose another boundary"),
                None => Ok(()),
            })?;
        }
        Ok(())
    }
}

fn multipart_header(boundary: &str) -> ReadyHeader {
    let value = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
        .expect("a boundary is made of letters, digits and `-`");
    ReadyHeader { name: header::CONTENT_TYPE, value, holds_secret: false }
}

fn holds_secret(body: &PreparedBody) -> bool {
    let any = |text: &Expanded| text.secrets().next().is_some();
    let content = |content: &Content| matches!(content, Content::Text(text) if any(text));
    match body {
        PreparedBody::None | PreparedBody::Bytes(_) => false,
        PreparedBody::Text { text, .. } => any(text),
        PreparedBody::Form(fields) => fields.iter().any(|(name, value)| any(name) || any(value)),
        PreparedBody::Multipart(parts) => parts
            .iter()
            .any(|part| any(&part.name) || content(&part.content) || part.content_type.as_ref().is_some_and(any)),
        PreparedBody::GraphQl { query, variables } => any(query) || variables.as_ref().is_some_and(any),
        PreparedBody::Mixed { chunks, .. } => chunks.iter().any(content),
    }
}
