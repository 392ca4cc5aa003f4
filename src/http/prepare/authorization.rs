//! Credentials: the short ways in which `.http` files write them, and the fields of a collection.

use http::header;

use super::{Headers, Preparation, PreparedValue, replace, trim};
use crate::syntax::{
    Auth,
    expand::{Expanded, Flat},
};

impl Preparation<'_> {
    /// Carries out what a collection says apart from the headers. As in Postman, it wins over a header of its name.
    pub(super) fn authenticate(&mut self, headers: &mut Headers, url: &mut Expanded) {
        let request = self.request;
        match &request.auth {
            None | Some(Auth::Unsupported(_)) => {}
            Some(Auth::Basic { user, password }) => {
                let value = PreparedValue::Basic { user: self.expand(user), password: self.expand(password) };
                replace(headers, &header::AUTHORIZATION, value);
            }
            Some(Auth::Bearer { token }) => {
                let mut value = Expanded::literal("Bearer ");
                let mut token = self.expand(token);
                trim(&mut token);
                value.pieces.extend(token.pieces);
                replace(headers, &header::AUTHORIZATION, PreparedValue::Text(value));
            }
            Some(Auth::ApiKey { key, value, in_query: true }) => self.add_query(url, key, value),
            Some(Auth::ApiKey { key, value, in_query: false }) => {
                let mut name = self.expand(key);
                let mut value = self.expand(value);
                trim(&mut name);
                trim(&mut value);
                let Some(name) = self.checked_name(name, key.span().unwrap_or(request.line)) else { return };
                headers.retain(|(other, _)| !same_name(other, &name));
                headers.push((name, PreparedValue::Text(value)));
            }
        }
    }
}

/// Reads the value of an `Authorization` header. `Basic user password` and `Basic user:password` are encoded when
/// filled; the short ways of schemes that are not carried out are refused, since sent as they stand they would hand
/// the password to the server in clear.
pub(super) fn read(value: Expanded) -> Result<PreparedValue, &'static str> {
    let Some((scheme, mut rest)) = split(&value, char::is_whitespace) else { return Ok(PreparedValue::Text(value)) };
    trim(&mut rest);
    let scheme = scheme.as_literal().map(|text| text.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("basic") => Ok(basic(value, &rest)),
        Some("digest") if !holds(&rest, |char| char == '=') && split(&rest, is_separator).is_some() => {
            Err("digest authentication is not supported")
        }
        Some("aws") if split(&rest, char::is_whitespace).is_some() => Err("AWS signatures are not supported"),
        _ => Ok(PreparedValue::Text(value)),
    }
}

fn basic(value: Expanded, rest: &Expanded) -> PreparedValue {
    if let Some((user, mut password)) = split(rest, is_separator) {
        trim(&mut password);
        return PreparedValue::Basic { user, password };
    }
    if rest.secrets().next().is_some() { PreparedValue::BasicToken(rest.clone()) } else { PreparedValue::Text(value) }
}

fn is_separator(char: char) -> bool {
    char == ':' || char.is_whitespace()
}

fn holds(expanded: &Expanded, wanted: impl Fn(char) -> bool) -> bool {
    expanded.pieces.iter().any(|piece| matches!(piece, Flat::Literal(text) if text.contains(&wanted)))
}

/// Cuts at the first character of literal text that `at` accepts, and drops it.
fn split(expanded: &Expanded, at: impl Fn(char) -> bool) -> Option<(Expanded, Expanded)> {
    for (index, piece) in expanded.pieces.iter().enumerate() {
        let Flat::Literal(text) = piece else { continue };
        let Some(offset) = text.find(&at) else { continue };
        let after = offset + text[offset..].chars().next().map_or(0, char::len_utf8);
        let mut left = expanded.pieces[..index].to_vec();
        let mut right = expanded.pieces[index + 1..].to_vec();
        if offset > 0 {
            left.push(Flat::Literal(text[..offset].to_owned()));
        }
        if after < text.len() {
            right.insert(0, Flat::Literal(text[after..].to_owned()));
        }
        return Some((Expanded { pieces: left, faults: vec![] }, Expanded { pieces: right, faults: vec![] }));
    }
    None
}

fn same_name(left: &Expanded, right: &Expanded) -> bool {
    match (left.as_literal(), right.as_literal()) {
        (Some(left), Some(right)) => left.eq_ignore_ascii_case(&right),
        _ => false,
    }
}
