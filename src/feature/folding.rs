//! What can be folded: each request, and a body of several lines inside it.

use crate::{
    feature::Context,
    syntax::{Body, Kind, Request},
    text::Span,
};

/// From a byte of the line that stays visible to a byte of the last line that is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    pub span: Span,
}

/// By position. A collection's requests are folded as well as the JSON that they are made of.
pub fn folds(context: &Context<'_>) -> Vec<Fold> {
    let source = context.source;
    let spans = context.document.requests.iter().flat_map(|request| {
        let body = if context.document.kind == Kind::Http { body(request, source) } else { None };
        [Some(request.span), body]
    });
    let trimmed = spans.flatten().map(|span| trimmed(span, source));
    trimmed.filter(|span| span.of(source).contains('\n')).map(|span| Fold { span }).collect()
}

/// From the end of the line before the body, which stays visible, to the body's end.
fn body(request: &Request, source: &str) -> Option<Span> {
    let Body::Text { text, .. } = &request.body else { return None };
    let span = trimmed(text.span()?, source);
    span.of(source).contains('\n').then_some(span)
}

/// Without the empty lines at the end.
fn trimmed(span: Span, source: &str) -> Span {
    Span::new(span.start, span.start + span.of(source).trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(text: &str, expected: &[&str]) {
        let fixture = Fixture::http(text);
        let folds = folds(&fixture.context());
        assert_eq!(folds.iter().map(|fold| fold.span.of(&fixture.source)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_request_folds_without_the_empty_lines_behind_it() {
        check(
            "### one\nGET https://a.b\n\n\n### two\nGET https://a.b\n",
            &["### one\nGET https://a.b", "### two\nGET https://a.b"],
        );
    }

    #[test]
    fn a_body_of_several_lines_folds_too() {
        check(
            "### one\nPOST https://a.b\n\n{\n  \"a\": 1\n}\n\n",
            &["### one\nPOST https://a.b\n\n{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"],
        );
    }

    #[test]
    fn a_single_line_does_not_fold() {
        check("GET https://a.b\n", &[]);
    }
}
