//! Where in a text a secret stands: in which part of a URL, inside or outside a JSON string, a GraphQL string, an XML
//! section. Each reader walks over the literal text only: what a value holds never changes where the next one stands.

use crate::syntax::expand::Flat;

/// A part of a URL, as the URL standard cuts it for http and https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlPart {
    /// Nothing stands before: the value brings the scheme and the host.
    Start,
    /// Before the `@` of the authority.
    User,
    Host,
    Path,
    Query,
    Fragment,
}

impl UrlPart {
    /// Whether a value that stands here can decide where the request goes.
    pub(super) const fn names_host(self) -> bool {
        matches!(self, Self::Start | Self::Host)
    }
}

/// The part in which a piece between `before` and `after` stands.
pub(super) fn url_part(before: &str, after: &[Flat]) -> UrlPart {
    if before.is_empty() {
        return UrlPart::Start;
    }
    let start = authority_start(before);
    let rest = &before[start..];
    let Some(end) = rest.find(is_authority_end) else {
        return if rest_of_authority_has_user(after) { UrlPart::User } else { UrlPart::Host };
    };
    let tail = &rest[end..];
    if tail.contains('#') {
        UrlPart::Fragment
    } else if tail.contains('?') {
        UrlPart::Query
    } else {
        UrlPart::Path
    }
}

/// The offset at which the authority of a URL starts. The URL standard skips any number of slashes and backslashes
/// after the scheme of a URL such as these.
pub(super) fn authority_start(url: &str) -> usize {
    let scheme = url.find(':').filter(|colon| is_scheme(&url[..*colon]));
    let after = scheme.map_or(0, |colon| colon + 1);
    after + url[after..].find(|char| char != '/' && char != '\\').unwrap_or(url.len() - after)
}

/// Whether `url` starts with a scheme. A bare `:` does not count: `localhost:8080` is a host and a port. For http and
/// https the URL standard takes one slash or backslash for two.
pub(super) fn has_scheme(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    let special = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_scheme(scheme) && (rest.starts_with("//") || (special && rest.starts_with(['/', '\\'])))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

const fn is_authority_end(char: char) -> bool {
    matches!(char, '/' | '\\' | '?' | '#')
}

fn rest_of_authority_has_user(after: &[Flat]) -> bool {
    for piece in after {
        let Flat::Literal(text) = piece else { continue };
        match text.find(|char| is_authority_end(char) || char == '@') {
            Some(found) => return text[found..].starts_with('@'),
            None => continue,
        }
    }
    false
}

/// Reads JSON text from left to right (RFC 8259): only strings matter here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JsonReader {
    in_string: bool,
    escaped: bool,
}

impl JsonReader {
    pub(super) fn read(&mut self, literal: &str) {
        for byte in literal.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }

    pub(super) const fn in_string(self) -> bool {
        self.in_string
    }
}

/// Reads a GraphQL document from left to right (GraphQL specification, sections 2.1 and 2.9.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum GraphQlReader {
    #[default]
    Bare,
    String,
    BlockString,
    Comment,
}

impl GraphQlReader {
    pub(super) fn read(&mut self, literal: &str) {
        let mut rest = literal;
        while let Some(first) = rest.chars().next() {
            let mut taken = first.len_utf8();
            match self {
                Self::Bare if rest.starts_with("\"\"\"") => (*self, taken) = (Self::BlockString, 3),
                Self::Bare if first == '"' => *self = Self::String,
                Self::Bare if first == '#' => *self = Self::Comment,
                Self::String if first == '\\' => {
                    taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
                }
                Self::String if matches!(first, '"' | '\n' | '\r') => *self = Self::Bare,
                Self::BlockString if rest.starts_with("\\\"\"\"") => taken = 4,
                Self::BlockString if rest.starts_with("\"\"\"") => (*self, taken) = (Self::Bare, 3),
                Self::Comment if matches!(first, '\n' | '\r') => *self = Self::Bare,
                _ => {}
            }
            rest = &rest[taken..];
        }
    }
}

/// Reads XML from left to right (XML 1.0, sections 2.5 and 2.7): whether markup is being read as characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum XmlReader {
    #[default]
    Markup,
    CharacterData,
    Comment,
}

impl XmlReader {
    pub(super) fn read(&mut self, literal: &str) {
        let mut rest = literal;
        loop {
            let (end, next) = match self {
                Self::Markup => match (rest.find("<![CDATA["), rest.find("<!--")) {
                    (Some(data), comment) if comment.is_none_or(|comment| data < comment) => {
                        (data + "<![CDATA[".len(), Self::CharacterData)
                    }
                    (_, Some(comment)) => (comment + "<!--".len(), Self::Comment),
                    _ => return,
                },
                Self::CharacterData => match rest.find("]]>") {
                    Some(end) => (end + "]]>".len(), Self::Markup),
                    None => return,
                },
                Self::Comment => match rest.find("-->") {
                    Some(end) => (end + "-->".len(), Self::Markup),
                    None => return,
                },
            };
            *self = next;
            rest = &rest[end..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> [Flat; 1] {
        [Flat::Literal(text.into())]
    }

    #[test]
    fn the_part_of_a_url_is_the_one_the_standard_reads() {
        for (before, after, part) in [
            ("", "/x", UrlPart::Start),
            ("https://", ".example.com/", UrlPart::Host),
            ("https://example.com:", "/", UrlPart::Host),
            ("https://", ":pw@example.com/", UrlPart::User),
            ("https://user:", "@example.com/", UrlPart::User),
            ("https://user@", "/x@y", UrlPart::Host),
            ("https:/\\", "/", UrlPart::Host),
            ("https:", "/", UrlPart::Host),
            ("https://a/", "?x", UrlPart::Path),
            ("https://a\\", "", UrlPart::Path),
            ("https://a?k=", "/@", UrlPart::Query),
            ("https://a/b?c/d?e=", "", UrlPart::Query),
            ("https://a/b#c?", "", UrlPart::Fragment),
        ] {
            assert_eq!(url_part(before, &literal(after)), part, "{before} | {after}");
        }
    }

    #[test]
    fn a_port_is_no_scheme() {
        assert!(has_scheme("https://x") && has_scheme("HTTPS:/\\x") && has_scheme("ftp://x"));
        assert!(!has_scheme("localhost:8080/x"));
        assert!(!has_scheme("example.com/?u=https://x"));
    }

    #[test]
    fn quotes_behind_backslashes_do_not_end_a_json_string() {
        let mut reader = JsonReader::default();
        for (text, inside) in [(r#"{"a":"#, false), (r#" "x\"y"#, true), (r"\", true), (r#"" "#, true), ("\"", false)] {
            reader.read(text);
            assert_eq!(reader.in_string(), inside, "{text}");
        }
    }

    #[test]
    fn graphql_knows_strings_blocks_and_comments() {
        for (text, expected) in [
            (r#"{ a(b: ""#, GraphQlReader::String),
            (r#"{ a(b: "x\""#, GraphQlReader::String),
            (r#"{ a(b: "x")"#, GraphQlReader::Bare),
            ("\"\"\"x\" \\\"\"\" y", GraphQlReader::BlockString),
            ("\"\"\"x\"\"\"", GraphQlReader::Bare),
            ("# it's \" ", GraphQlReader::Comment),
            ("# it's\n", GraphQlReader::Bare),
        ] {
            let mut reader = GraphQlReader::default();
            reader.read(text);
            assert_eq!(reader, expected, "{text}");
        }
    }

    #[test]
    fn xml_knows_character_data_and_comments() {
        for (text, expected) in [
            ("<a b='", XmlReader::Markup),
            ("<a><![CDATA[ <!-- ", XmlReader::CharacterData),
            ("<a><![CDATA[ ]]> ", XmlReader::Markup),
            ("<a><!-- <![CDATA[ ", XmlReader::Comment),
            ("<a><!-- --> ", XmlReader::Markup),
        ] {
            let mut reader = XmlReader::default();
            reader.read(text);
            assert_eq!(reader, expected, "{text}");
        }
    }
}
