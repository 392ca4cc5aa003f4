//! The language of a body. It decides how a value is written into it, and how what stands there is read.

use super::Kind;

/// The language of a body's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySyntax {
    /// Values are put in as they are.
    Plain,
    /// `application/x-www-form-urlencoded`, written as it is sent: only values are percent-encoded.
    Form,
    Json,
    Xml,
}

impl BodySyntax {
    /// What the collection says, else what the header `Content-Type` says, else what the text looks like.
    pub fn of(
        kind: Kind,
        language: Option<&str>,
        content_type: Option<&str>,
        looks_like_json: impl Fn() -> bool,
    ) -> Self {
        let media = content_type.map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase());
        match (language, media.as_deref()) {
            (Some("json"), _) => Self::Json,
            (Some("xml"), _) => Self::Xml,
            (_, Some("application/x-www-form-urlencoded")) => Self::Form,
            (_, Some(media)) if media.contains("json") => Self::Json,
            (_, Some(media)) if media.ends_with("xml") => Self::Xml,
            (_, Some(_)) if kind == Kind::Http => Self::Plain,
            (None | Some("" | "text"), _) if looks_like_json() => Self::Json,
            _ => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_believed_before_a_header_and_a_header_before_the_looks() {
        for (kind, language, content_type, looks, expected) in [
            (Kind::Postman, Some("json"), Some("text/plain"), false, BodySyntax::Json),
            (Kind::Postman, Some("xml"), None, true, BodySyntax::Xml),
            (
                Kind::Postman,
                Some("text"),
                Some("Application/X-WWW-Form-URLencoded; charset=utf-8"),
                true,
                BodySyntax::Form,
            ),
            (Kind::Http, None, Some("application/problem+JSON"), false, BodySyntax::Json),
            (Kind::Http, None, Some("application/soap+xml;a=b"), true, BodySyntax::Xml),
            (Kind::Http, None, Some("text/plain"), true, BodySyntax::Plain),
            (Kind::Postman, Some("text"), Some("text/plain"), true, BodySyntax::Json),
            (Kind::Postman, Some("javascript"), None, true, BodySyntax::Plain),
            (Kind::Http, None, None, true, BodySyntax::Json),
            (Kind::Http, None, None, false, BodySyntax::Plain),
        ] {
            let found = BodySyntax::of(kind, language, content_type, || looks);
            assert_eq!(found, expected, "{kind:?} {language:?} {content_type:?} {looks}");
        }
    }
}
