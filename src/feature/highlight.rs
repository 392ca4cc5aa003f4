//! The other places in the same document that mean what the cursor is on.

use crate::{
    feature::{
        Context,
        references::{Symbol, definitions_of, names_of, references, symbol},
    },
    text::Span,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Highlight {
    pub span: Span,
    pub kind: HighlightKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HighlightKind {
    /// The value is used.
    Read,
    /// The value is set.
    Write,
}

/// By position; empty where the cursor is on nothing that has a name.
pub fn highlights(context: &Context<'_>, offset: usize) -> Vec<Highlight> {
    let Some(symbol) = symbol(context, offset) else { return Vec::new() };
    let read = references(context.document, &symbol, false);
    let mut found: Vec<_> = read.into_iter().map(|span| Highlight { span, kind: HighlightKind::Read }).collect();
    let defined: Vec<Span> = match &symbol {
        Symbol::Secret(_) => Vec::new(),
        Symbol::Variable(name) => definitions_of(context.document, name).map(|variable| variable.name_span).collect(),
        Symbol::Request(name) => names_of(context.document, name).map(|label| label.span).collect(),
    };
    found.extend(defined.into_iter().map(|span| Highlight { span, kind: HighlightKind::Write }));
    found.sort_by_key(|highlight| highlight.span);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(text: &str, expected: &[(&str, HighlightKind)]) {
        let fixture = Fixture::http(text);
        let found = highlights(&fixture.context(), fixture.cursor());
        let shown: Vec<_> = found.iter().map(|one| (one.span.of(&fixture.source), one.kind)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_definition_of_a_variable_is_told_from_its_uses() {
        let expected = [("v", HighlightKind::Write), ("{{v}}", HighlightKind::Read)];
        check("@v = 1\n\nGET https://b/{{v$0}}\n", &expected);
    }

    #[test]
    fn every_reference_of_a_secret_is_lit() {
        let expected = [("<<vault:k>>", HighlightKind::Read), ("{{vault:k}}", HighlightKind::Read)];
        check("GET https://b/<<vault:k>>/{{vault:k$0}}\n", &expected);
    }

    #[test]
    fn plain_text_lights_nothing() {
        check("GET https://$0b/<<vault:k>>\n", &[]);
    }
}
