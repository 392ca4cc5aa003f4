//! A part of a request that was sent, for another request: `{{login.request.headers.X-Api-Key}}`. What comes out still
//! holds names and no values, so each secret in it goes on being judged as itself.

use super::{Prepared, PreparedBody, PreparedValue};
use crate::syntax::{
    exchange::Part,
    expand::{Expanded, Flat},
    json::{self, path, path::JsonPath},
};

/// Stand in a text for the secrets in it while it is read as JSON: characters that mean nothing (Unicode, "Supplementary
/// Private Use Area-A").
const MARKS: std::ops::RangeInclusive<char> = '\u{f0000}'..='\u{ffffd}';

impl Prepared {
    /// A part of it as it was sent.
    ///
    /// # Errors
    /// Why there is no such part, for people.
    pub fn part(&self, part: &Part<'_>) -> Result<Expanded, String> {
        match part {
            Part::Header(name) => self.header_part(name),
            Part::WholeBody => self.body_part().cloned(),
            Part::Body(path) => within(self.body_part()?, path),
        }
    }

    fn header_part(&self, wanted: &str) -> Result<Expanded, String> {
        let named = |name: &Expanded| name.as_literal().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        match self.headers.iter().find(|(name, _)| named(name)) {
            Some((_, PreparedValue::Text(value))) => Ok(value.clone()),
            Some(_) => Err("basic authentication is only put together when it is sent".into()),
            None => Err(format!("it was sent without a header `{wanted}`")),
        }
    }

    fn body_part(&self) -> Result<&Expanded, String> {
        match &self.body {
            PreparedBody::Text { text, .. } => Ok(text),
            PreparedBody::None => Err("it was sent without a body".into()),
            _ => Err("only a body that is written as text can be taken from".into()),
        }
    }
}

fn within(body: &Expanded, path: &JsonPath) -> Result<Expanded, String> {
    let mut text = String::new();
    for (index, piece) in body.pieces.iter().enumerate() {
        match piece {
            Flat::Literal(literal) if literal.chars().any(|char| MARKS.contains(&char)) => {
                return Err("its body holds characters for private use".into());
            }
            Flat::Literal(literal) => text.push_str(literal),
            Flat::Secret { .. } => text.push(mark(index).ok_or("its body holds too many secrets")?),
        }
    }
    let tree = json::scan(&text);
    let found = tree.root().map(|root| path.first(root)).transpose();
    let found = found.map_err(|path::TooMuch| "the path takes too long to follow")?.flatten();
    let found = path::content(found.ok_or("the path leads to nothing in its body")?);
    let mut part = Expanded::default();
    let mut rest = 0;
    for (at, char) in found.char_indices().filter(|(_, char)| MARKS.contains(char)) {
        push_literal(&mut part, &found[rest..at]);
        rest = at + char.len_utf8();
        let index = (u32::from(char) - u32::from(*MARKS.start())) as usize;
        part.pieces.extend(body.pieces.get(index).cloned());
    }
    push_literal(&mut part, &found[rest..]);
    Ok(part)
}

fn mark(index: usize) -> Option<char> {
    let char = char::from_u32(u32::from(*MARKS.start()).checked_add(u32::try_from(index).ok()?)?)?;
    MARKS.contains(&char).then_some(char)
}

fn push_literal(part: &mut Expanded, text: &str) {
    if !text.is_empty() {
        part.pieces.push(Flat::Literal(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        http::prepare::prepare,
        syntax::{
            self, Kind, exchange,
            expand::{Environment, Scope},
        },
    };

    const REQUEST: &str = "POST https://a.b\nX-Key: k <<vault:key>>!\nAuthorization: Basic u:<<vault:p>>\n\n\
        {\"user\": {\"name\": \"a\\n<<vault:user>>b\"}, \"pin\": <<vault:pin>>}\n";

    fn check(part: &str, expected: Result<&str, &str>) {
        let document = syntax::parse(Kind::Http, REQUEST);
        let (environment, overrides) = (Environment::default(), BTreeMap::new());
        let scope = Scope::new(&document, REQUEST, &environment, &overrides, &|_| None);
        let prepared = prepare(&document, &document.requests[0], &scope, None);
        let expression = format!("login.request.{part}");
        let asked = exchange::read(&expression).unwrap().unwrap();
        let found = prepared.part(&asked.part).map(|part| part.shown());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{part}");
    }

    #[test]
    fn a_part_keeps_its_secrets_as_names() {
        check("headers.x-key", Ok("k <<vault:key>>!"));
        check("body.$.user.name", Ok("a\n<<vault:user>>b"));
        check("body.$.pin", Ok("<<vault:pin>>"));
        check("body.user", Ok("{\"name\": \"a\\n<<vault:user>>b\"}"));
    }

    #[test]
    fn a_part_that_is_not_there_says_so() {
        check("body.$.nope", Err("the path leads to nothing in its body"));
        check("headers.X-Nope", Err("it was sent without a header `X-Nope`"));
        check("headers.Authorization", Err("basic authentication is only put together when it is sent"));
    }
}
