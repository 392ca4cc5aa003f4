//! The tree-sitter queries in `queries/http/`: each compiles against the grammar that editors use, and marks what
//! holds a vault reference.

use tree_sitter::{Language, Node, Parser, Query, QueryCursor, StreamingIterator, Tree};

const HIGHLIGHTS: &str = include_str!("../../queries/http/highlights.scm");
const INJECTIONS: &str = include_str!("../../queries/http/injections.scm");

#[test]
fn every_query_compiles_against_the_grammar() {
    for (name, text) in [("highlights", HIGHLIGHTS), ("injections", INJECTIONS)] {
        if let Err(error) = Query::new(&grammar(), text) {
            panic!("queries/http/{name}.scm: {error}");
        }
    }
}

#[test]
fn a_reference_in_a_url_is_marked() {
    check_marked(
        "GET https://api.example.com/<<vault:account/id>>?a=b\n",
        &["https://api.example.com/<<vault:account/id>>?a=b"],
    );
}

#[test]
fn a_reference_that_is_the_whole_url_is_marked() {
    check_marked("GET <<vault:base url>>\n", &["<<vault:base url>>"]);
}

#[test]
fn a_reference_in_a_header_is_marked() {
    check_marked("GET https://a.example\nAuthorization: Bearer <<vault:stripe>>\n", &["Bearer <<vault:stripe>>"]);
}

#[test]
fn a_reference_in_postmans_spelling_is_marked_in_a_body() {
    check_marked("POST https://a.example\nAccept: */*\n\nkey={{vault:stripe}}\n", &["key={{vault:stripe}}"]);
}

/// The grammar knows no `:` inside `{{}}`, so there is no node to mark; the server's diagnostic offers the other spelling.
#[test]
fn the_grammar_takes_postmans_spelling_in_a_header_for_an_error() {
    assert!(parse("GET https://a.example\nX-Key: {{vault:stripe}}\n").root_node().has_error());
}

#[test]
fn a_reference_in_a_variable_is_marked() {
    check_marked("@token = <<vault:stripe>>\n", &["<<vault:stripe>>"]);
}

#[test]
fn a_reference_in_a_json_body_is_marked() {
    check_marked(
        "POST https://a.example\nAccept: */*\n\n{\n  \"key\": \"<<vault:stripe>>\"\n}\n",
        &["{\n  \"key\": \"<<vault:stripe>>\"\n}"],
    );
}

#[test]
fn a_reference_in_a_plain_body_is_marked() {
    check_marked("POST https://a.example\nAccept: */*\n\nkey=<<vault:stripe>>&b=c\n", &["key=<<vault:stripe>>&b=c"]);
}

#[test]
fn text_without_a_reference_is_not_marked() {
    check_marked("@a = b\n\nPOST https://a.example/{{vault}}\nX-Key: <vault:x>\n\nvault:x\n", &[]);
}

#[test]
fn a_json_body_is_injected_as_json() {
    check_injected("POST https://a.example\nAccept: */*\n\n{\n  \"key\": 1\n}\n", &["json"]);
}

#[test]
fn an_xml_body_is_injected_as_xml() {
    check_injected("POST https://a.example\n\n<note>x</note>\n", &["xml"]);
}

#[test]
fn a_body_that_opens_with_a_reference_is_not_injected_as_xml() {
    check_injected("POST https://a.example\n\n<<vault:body>>\n", &[]);
}

/// Every node that the highlights mark as holding a reference, in order, is one of `expected`.
fn check_marked(source: &str, expected: &[&str]) {
    let query = Query::new(&grammar(), HIGHLIGHTS).expect("the highlights compile");
    let tree = parse(source);
    let marked = captures(&query, &tree, source, |index| query.capture_names()[index] == "string.special.vault");
    let texts: Vec<&str> = marked.into_iter().map(|node| source[node.byte_range()].trim_end()).collect();
    assert_eq!(texts, expected, "in {source:?}");
}

fn check_injected(source: &str, expected: &[&str]) {
    let query = Query::new(&grammar(), INJECTIONS).expect("the injections compile");
    let tree = parse(source);
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(&query, tree.root_node(), source.as_bytes());
    let mut languages = Vec::new();
    while let Some(found) = matches.next() {
        for property in query.property_settings(found.pattern_index) {
            if &*property.key == "injection.language" {
                languages.push(property.value.as_deref().expect("a language has a name").to_owned());
            }
        }
    }
    languages.retain(|language| language != "comment");
    assert_eq!(languages, expected, "in {source:?}");
}

fn captures<'tree>(query: &Query, tree: &'tree Tree, source: &str, wanted: impl Fn(usize) -> bool) -> Vec<Node<'tree>> {
    let mut cursor = QueryCursor::new();
    let mut found = cursor.captures(query, tree.root_node(), source.as_bytes());
    let mut nodes = Vec::new();
    while let Some((item, index)) = found.next() {
        let capture = item.captures[*index];
        if wanted(capture.index as usize) {
            nodes.push(capture.node);
        }
    }
    nodes
}

fn parse(source: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&grammar()).expect("the grammar fits the library");
    parser.parse(source, None).expect("a parser with a language parses")
}

fn grammar() -> Language {
    tree_sitter_http::language()
}
