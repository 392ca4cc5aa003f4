//! Words to colour: what a plain grammar cannot see, above all the parts of references.

use crate::{
    feature::Context,
    syntax::{Reference, Use, Variable},
    text::Span,
};

/// The most tokens of one answer; an editor asks for the rest by range.
pub const MAX_TOKENS: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// On one line, not empty.
    pub span: Span,
    pub kind: TokenKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    Method,
    HeaderName,
    /// `<<vault:` and `>>`, or their form with braces.
    Delimiter,
    SecretName,
    /// A variable that is used.
    Variable,
    /// `$guid` and its like.
    Dynamic,
    /// A variable where it is defined.
    Definition,
}

impl TokenKind {
    /// In the order in which an editor is told of them.
    pub const ALL: [Self; 7] = [
        Self::Method,
        Self::HeaderName,
        Self::Delimiter,
        Self::SecretName,
        Self::Variable,
        Self::Dynamic,
        Self::Definition,
    ];
}

/// The tokens inside `range`, by position; they never overlap.
pub fn tokens(context: &Context<'_>, range: Span) -> Vec<Token> {
    let mut tokens = Vec::new();
    let document = context.document;
    // A mark that starts before the range may reach into it: one step back is enough, marks do not overlap.
    let back = |index: usize| index.saturating_sub(1);
    let first = back(document.references.partition_point(|reference| reference.span.start < range.start));
    for reference in document.references[first..].iter().take_while(|one| one.span.start < range.end).take(MAX_TOKENS) {
        tokens.extend(of_reference(reference));
    }
    let first = back(document.uses.partition_point(|used| used.span.start < range.start));
    for used in document.uses[first..].iter().take_while(|one| one.span.start < range.end).take(MAX_TOKENS) {
        tokens.extend(of_use(used));
    }
    for request in document.requests.iter().filter(|request| request.span.overlaps(range)) {
        tokens.push(Token { span: request.method.span, kind: TokenKind::Method });
        for header in &request.headers {
            let name = header.name.span().unwrap_or_default();
            let plain = document.references_in(name).is_empty() && document.uses_in(name).is_empty();
            if plain {
                tokens.push(Token { span: name, kind: TokenKind::HeaderName });
            }
        }
    }
    tokens.extend(document.variables.iter().map(of_definition));
    ordered(tokens, range, context.source)
}

fn of_reference(reference: &Reference) -> impl Iterator<Item = Token> {
    let Reference { span, name_span, closed, .. } = reference;
    let opener = Span::new(span.start, name_span.start);
    let closer = if *closed { Span::new(name_span.end, span.end) } else { Span::at(span.end) };
    [(opener, TokenKind::Delimiter), (*name_span, TokenKind::SecretName), (closer, TokenKind::Delimiter)]
        .into_iter()
        .map(|(span, kind)| Token { span, kind })
}

fn of_use(used: &Use) -> Option<Token> {
    let kind = if used.name.starts_with('$') { TokenKind::Dynamic } else { TokenKind::Variable };
    used.closed.then_some(Token { span: used.name_span, kind })
}

fn of_definition(variable: &Variable) -> Token {
    Token { span: variable.name_span, kind: TokenKind::Definition }
}

/// In order, without those that are empty, break a line, lie outside or begin inside another.
fn ordered(mut tokens: Vec<Token>, range: Span, source: &str) -> Vec<Token> {
    tokens.retain(|token| !token.span.is_empty() && token.span.overlaps(range));
    tokens.sort_unstable_by_key(|token| (token.span, token.kind));
    let mut end = 0;
    tokens.retain(|token| {
        let fits = token.span.start >= end && !token.span.of(source).contains('\n');
        if fits {
            end = token.span.end;
        }
        fits
    });
    tokens.truncate(MAX_TOKENS);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(text: &str, expected: &[(&str, TokenKind)]) {
        let fixture = Fixture::http(text);
        let tokens = tokens(&fixture.context(), Span::new(0, fixture.source.len()));
        let shown: Vec<_> = tokens.iter().map(|token| (token.span.of(&fixture.source), token.kind)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_parts_of_a_request_are_told_apart() {
        check(
            "@host = a.b\nGET https://{{host}}/<<vault:k>>\nAccept: {{$guid}}\n",
            &[
                ("host", TokenKind::Definition),
                ("GET", TokenKind::Method),
                ("host", TokenKind::Variable),
                ("<<vault:", TokenKind::Delimiter),
                ("k", TokenKind::SecretName),
                (">>", TokenKind::Delimiter),
                ("Accept", TokenKind::HeaderName),
                ("$guid", TokenKind::Dynamic),
            ],
        );
    }

    #[test]
    fn an_unfinished_reference_has_no_closer() {
        check(
            "GET a/<<vault:k",
            &[("GET", TokenKind::Method), ("<<vault:", TokenKind::Delimiter), ("k", TokenKind::SecretName)],
        );
    }

    #[test]
    fn a_range_holds_only_its_own_tokens() {
        let fixture = Fixture::http("GET a/<<vault:one>>/<<vault:two>>\n");
        let start = fixture.source.find("two").unwrap();
        let tokens = tokens(&fixture.context(), Span::new(start, start + 3));
        assert_eq!(tokens, [Token { span: Span::new(start, start + 3), kind: TokenKind::SecretName }]);
    }
}
