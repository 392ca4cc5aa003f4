//! Which literal a cursor means, what it is called, and what is stored for it.

use super::*;
use crate::feature::{fixture::Fixture, pasted};

/// The literal at the cursor as it is written, its value and its name.
fn found(fixture: &Fixture) -> Option<(String, String, String)> {
    let context = fixture.context();
    let (literal, _) = pasted::meant(&context, Span::at(fixture.cursor()))?;
    let value = literal.value(context.document.kind, context.source).unwrap().to_string();
    Some((literal.span.of(context.source).to_owned(), value, literal.name(&context).to_string()))
}

#[track_caller]
fn check(text: &str, written: &str, value: &str, name: &str) {
    let expected = Some((written.to_owned(), value.to_owned(), name.to_owned()));
    assert_eq!(found(&Fixture::http(text)), expected, "{text}");
}

#[track_caller]
fn check_none(text: &str) {
    assert_eq!(found(&Fixture::http(text)), None, "{text}");
}

#[track_caller]
fn check_postman(request: &str, written: &str, value: &str, name: &str) {
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let text = format!(r#"{{"info":{{"schema":"{schema}"}},"item":[{{"name":"r","request":{request}}}]}}"#);
    let expected = Some((written.to_owned(), value.to_owned(), name.to_owned()));
    assert_eq!(found(&Fixture::postman(&text)), expected, "{text}");
}

#[test]
fn the_credentials_of_a_header_are_what_follows_the_scheme() {
    let head = "GET https://a.b/\nAuthorization: ";
    check(&format!("{head}Bearer abc$0def-1\n"), "abcdef-1", "abcdef-1", "a.b/token");
    check(&format!("{head}Basic ann secret$0word\n"), "secretword", "secretword", "a.b/password");
    check(&format!("{head}Basic ann:secret$0word\n"), "secretword", "secretword", "a.b/password");
    check(&format!("{head}Basic anna$0bel:secretword\n"), "annabel", "annabel", "a.b/user");
    check_none(&format!("{head}Bea$0rer abcdef-1\n"));
}

#[test]
fn a_header_is_one_value_and_a_cookie_many() {
    check("GET https://a.b/\nX-Api-Key: a b$0 cd ef\n", "a b cd ef", "a b cd ef", "a.b/api-key");
    check("GET https://a.b/\nX-Key: {{x}}abc$0def\n", "abcdef", "abcdef", "a.b/key");
    check("GET https://a.b/\nCookie: a=1; session=abc$0def; b=2\n", "abcdef", "abcdef", "a.b/session");
    check_none("GET https://a.b/\nAccept: application/$0json\n");
}

#[test]
fn a_parameter_of_the_query_is_decoded() {
    check("GET https://a.b/x?p=1&api_key=a%2Fb+c$0def#f\n", "a%2Fb+cdef", "a/b cdef", "a.b/api_key");
    check_none("GET https://a.$0bcdefgh/x?p=1\n");
    check_none("GET https://a.b/path$0path?p=1\n");
    check_none("GET https://a.b/x?par$0ameter=abcdefgh\n");
}

#[test]
fn a_string_of_a_json_body_is_decoded() {
    let head = "POST https://a.b/\nContent-Type: application/json\n\n";
    check(&format!("{head}{{\"n\": 1, \"pass\": \"a\\\"b$0\\ncd\"}}\n"), "a\\\"b\\ncd", "a\"b\ncd", "a.b/pass");
    check(&format!("{head}[\n  \"abc$0def\"\n]\n"), "abcdef", "abcdef", "a.b/body");
    check_none(&format!("{head}{{\"pass$0word\": \"abcdef\"}}\n"));
    check_none(&format!("{head}{{\"n\": 12$034567}}\n"));
}

#[test]
fn a_field_of_a_form_is_decoded() {
    let head = "POST https://a.b/\nContent-Type: application/x-www-form-urlencoded\n\n";
    check(&format!("{head}user=ann&pass=a%26b+c$0d\n"), "a%26b+cd", "a&b cd", "a.b/pass");
    check_none(&format!("{head}us$0er=annabel\n"));
}

#[test]
fn a_variable_is_named_as_it_is_and_goes_where_it_is_used() {
    check("@token = abc$0def\nGET https://a.b/\nX: {{token}}\n", "abcdef", "abcdef", "token");
    let fixture = Fixture::http("@token = abc$0def\nGET https://a.b/\nX: {{token}}\n###\nGET https://c.d/\n");
    let (literal, _) = pasted::meant(&fixture.context(), Span::at(fixture.cursor())).unwrap();
    assert_eq!(literal.hosts(&fixture.context()), ["a.b"]);
    check_none("@host = https://a.$0b\nGET {{host}}/\n");
}

#[test]
fn references_variables_and_short_values_are_left_alone() {
    for value in ["<<vault:k$0>>", "{{tok$0en}}", "ab$0c", "$0"] {
        check_none(&format!("GET https://a.b/\nX-Key: {value}\n"));
    }
    check_none("# X-Key: abc$0defgh\n");
}

#[test]
fn what_is_selected_is_taken_as_it_is() {
    let check = |text: &str, selected: &str, expected: Option<&str>| {
        let fixture = Fixture::http(text);
        let start = text.find(selected).unwrap();
        let span = Span::new(start, start + selected.len());
        let literal = at(&fixture.document, &fixture.source, span);
        assert_eq!(literal.map(|it| it.span.of(text).to_owned()).as_deref(), expected, "{text}");
    };
    check("GET https://a.b/team/abc/x\n", "abc", Some("abc"));
    check("GET https://a.b/team/abc/x\n", "a.b", None);
    check("GET https://a.b/\n\nplain abc text\n", " abc ", Some("abc"));
    check("GET https://a.b/\nX: a<<vault:k>>b\n", "a<<vault:k", None);
    check("POST https://a.b/\n\n{\"a\": \"bcd\"}\n", "\"bcd\"", Some("bcd"));
    check("POST https://a.b/\n\n{\"a\": \"bcd\"}\n", "\"a\": \"bcd\"", None);
    check("POST https://a.b/\nContent-Type: text/xml\n\n<a>b&amp;c</a>\n", "b&amp;c", None);
    check("GET https://a.b/\nX: y\n\nbody\n", "y\n\nbo", None);
}

#[test]
fn a_collection_is_read_through_its_escapes() {
    let header = r#"{"method":"GET","url":"https://a.b/","header":[{"key":"X-Key","value":"a\"bc$0def"}]}"#;
    check_postman(header, r#"a\"bcdef"#, "a\"bcdef", "a.b/key");
    let body = r#"{"method":"POST","url":"https://a.b/","body":{"mode":"raw","raw":"{\n \"pass\": \"a\\nb$0cdef\"}"}}"#;
    check_postman(body, r"a\\nbcdef", "a\nbcdef", "a.b/pass");
    let auth = r#"{"url":"https://a.b/","auth":{"type":"bearer","bearer":[{"key":"token","value":"abc$0def"}]}}"#;
    check_postman(auth, "abcdef", "abcdef", "a.b/token");
    let form =
        r#"{"url":"https://a.b/","body":{"mode":"urlencoded","urlencoded":[{"key":"pw","value":"a%2$0Fb def"}]}}"#;
    check_postman(form, "a%2Fb def", "a%2Fb def", "a.b/pw");
}

#[test]
fn a_name_that_exists_is_not_suggested() {
    let fixture = Fixture::http("@token = abc$0def\nGET https://a.b/\n").known("token").known("token-2");
    let (literal, _) = pasted::meant(&fixture.context(), Span::at(fixture.cursor())).unwrap();
    assert_eq!(literal.name(&fixture.context()).as_str(), "token-3");
}

#[test]
fn a_name_holds_no_foreign_characters() {
    check("GET https://a.b/?näme%20<x>=abc$0def\n", "abcdef", "abcdef", "a.b/n-me-20-x");
}

#[test]
fn every_occurrence_is_found_where_it_stands_alone() {
    let text = "@t = canary-1234\nGET https://a.b/?k=canary-1234&l=canary-12345\nX: canary-1234\nY: Bearer <<vault:k>>\n\n\
                # canary-1234\nxcanary-1234 canary-1234\n";
    let fixture = Fixture::http(text);
    let lines = |spans: Vec<Span>| -> Vec<usize> {
        spans.iter().map(|span| text[..span.start].matches('\n').count()).collect()
    };
    let spans = occurrences(&fixture.document, text, "canary-1234", "canary-1234");
    assert_eq!(lines(spans), [0, 1, 2, 6]);
    assert_eq!(occurrences(&fixture.document, text, "a.b", "a.b"), []);
}

#[test]
fn the_parts_of_a_url_go_on_making_the_whole() {
    let url = r#"{"raw":"https://a.b/?k=canary-1234","protocol":"https","host":["a","b"],"path":[""],"query":[{"key":"k","value":"canary-1234"}]}"#;
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let text =
        format!(r#"{{"info":{{"schema":"{schema}"}},"item":[{{"name":"canary-1234","request":{{"url":{url}}}}}]}}"#);
    let fixture = Fixture::postman(&text);
    let spans = occurrences(&fixture.document, &text, "canary-1234", "canary-1234");
    assert_eq!(spans.len(), 2);
    let mut changed = text.clone();
    for span in spans.iter().rev() {
        changed.replace_range(span.start..span.end, "{{vault:k}}");
    }
    let document = crate::syntax::parse(Kind::Postman, &changed);
    assert_eq!(document.errors, []);
    assert_eq!(document.requests[0].url.text(&changed), "https://a.b/?k={{vault:k}}");
}

#[test]
fn literals_looked_for_in_any_order_are_those_found_alone() {
    let body = r#"{"a": "one \" 1", "b": ["two-two"],
        "c": "three-33", "d": 4, "open": "five-55"#;
    let text =
        format!("POST https://a.b/?q=query-value\nX-Key: header-value\nContent-Type: application/json\n\n{body}\n");
    let collection = serde_json::json!({
        "info": { "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
        "item": [{ "request": { "method": "POST", "url": "https://a.b/", "body": { "mode": "raw", "raw": body } } }],
    });
    for fixture in [Fixture::http(&text), Fixture::postman(&collection.to_string())] {
        let (document, source) = (&fixture.document, fixture.source.as_str());
        let alone: Vec<_> = (0..source.len()).map(|offset| at(document, source, Span::at(offset))).collect();
        assert!(alone.iter().flatten().count() > 20, "{source}");
        let mut literals = Literals::new(document, source);
        for offset in (0..source.len()).chain((0..source.len()).rev()) {
            assert_eq!(literals.at(Span::at(offset)), alone[offset], "at {offset} of {source}");
        }
    }
}
