//! The colours of one place under all the languages that are injected there, as an editor lays them over each other:
//! a body keeps those of its own language while a reference in it stands out.

use tree_sitter::{Language, Node, Parser, Query, QueryCursor, StreamingIterator};

use super::{HIGHLIGHTS, INJECTIONS, STRINGS, grammar};

/// The grammar of references is no dependency: that it is injected is what is looked at here.
const REFERENCES: &str = "vaultref";
const STRING_INJECTIONS: &str = include_str!("../../../queries/json/injections.scm");
/// The grammar's own package brings no colours.
const GRAPHQL: &str = "(name) @property (string_value) @string \"query\" @keyword";

#[test]
fn a_reference_in_a_json_body_stands_out_beside_its_colours() {
    let body = "POST https://a.example\nAccept: */*\n\n{\n  \"key\": \"a <<vault:x>>\",\n  \"number\": 12\n}\n";
    check(body, "<<vault:x>>", &["http string.special.vault", "json string", "json string.special.vault", REFERENCES]);
    check(body, "key", &["http string.special.vault", "json string.special.key", "json string"]);
    check(body, "12", &["http string.special.vault", "json number"]);
}

#[test]
fn a_json_body_without_a_reference_has_its_own_colours_alone() {
    check("POST https://a.example\n\n{ \"key\": 12 }\n", "12", &["json number"]);
}

#[test]
fn a_reference_in_an_xml_body_stands_out_beside_its_colours() {
    for reference in ["<<vault:x>>", "{{vault:x}}"] {
        let body = format!("POST https://a.example\nAccept: */*\n\n<note id=\"1\"><to>{reference}</to></note>\n");
        // XML takes `<<` for a mistake, and still knows the elements around it.
        for (place, colour) in
            [(reference, REFERENCES), ("note", "xml tag"), ("id", "xml property"), ("to>", "xml tag")]
        {
            assert!(colours(&body, place).iter().any(|it| it == colour), "{place}: {:?}", colours(&body, place));
        }
    }
}

#[test]
fn a_reference_in_a_graphql_body_stands_out_beside_its_colours() {
    let head = "POST https://a.example\nX-REQUEST-TYPE: GraphQL\n\n";
    let body = format!("{head}query {{\n  me(token: \"<<vault:x>>\") {{ id }}\n}}\n");
    check(&body, "<<vault:x>>", &["http string.special.vault", "graphql string", REFERENCES]);
    check(&body, "query", &["http string.special.vault", "graphql keyword", REFERENCES]);
    check(&format!("{head}query {{\n  me {{ id }}\n}}\n"), "me", &["graphql property"]);
}

#[test]
fn a_reference_in_a_url_or_a_header_stands_out() {
    let text = "GET https://a.example/<<vault:x>>\nX-Key: {{token}} <<vault:y>>\n";
    check(text, "<<vault:x>>", &["http string.special.url", "http string.special.vault", REFERENCES]);
    check(text, "<<vault:y>>", &["http string", "http string.special.vault", REFERENCES]);
    check(text, "X-Key", &["http property"]);
}

fn check(source: &str, place: &str, expected: &[&str]) {
    assert_eq!(colours(source, place), expected, "at {place:?} in {source:?}");
}

/// The colours at the first place of `place`, each with its language, the outermost language first.
fn colours(source: &str, place: &str) -> Vec<String> {
    let at = source.find(place).expect("the place is in the text");
    let mut found = Vec::new();
    lay("http", source, 0, at, &mut found);
    found
}

/// Adds the colours of `language` at the byte `at` of the whole, then those of the languages injected into it.
/// `source` begins at the byte `start` of the whole.
fn lay(language: &str, source: &str, start: usize, at: usize, found: &mut Vec<String>) {
    let (grammar, highlights, injections): (Language, _, _) = match language {
        "http" => (grammar(), vec![HIGHLIGHTS], INJECTIONS),
        "json" => {
            (tree_sitter_json::LANGUAGE.into(), vec![tree_sitter_json::HIGHLIGHTS_QUERY, STRINGS], STRING_INJECTIONS)
        }
        "xml" => (tree_sitter_xml::LANGUAGE_XML.into(), vec![tree_sitter_xml::XML_HIGHLIGHT_QUERY], ""),
        "graphql" => (tree_sitter_graphql::LANGUAGE.into(), vec![GRAPHQL], ""),
        _ => return found.push(language.to_owned()),
    };
    let mut parser = Parser::new();
    parser.set_language(&grammar).expect("the grammar fits the library");
    let tree = parser.parse(source, None).expect("a parser with a language parses");
    for text in highlights {
        let query = Query::new(&grammar, text).expect("the highlights compile");
        for (name, _) in marks(&query, tree.root_node(), source, at - start) {
            let colour = format!("{language} {name}");
            if !found.contains(&colour) {
                found.push(colour);
            }
        }
    }
    let query = Query::new(&grammar, injections).expect("the injections compile");
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(&query, tree.root_node(), source.as_bytes());
    while let Some(one) = matches.next() {
        let language = query.property_settings(one.pattern_index).iter().find(|it| &*it.key == "injection.language");
        let language = language.and_then(|it| it.value.as_deref()).expect("an injection names its language");
        for capture in one.captures.iter().filter(|it| query.capture_names()[it.index as usize] == "injection.content")
        {
            let range = capture.node.byte_range();
            if range.contains(&(at - start)) {
                lay(language, &source[range.clone()], start + range.start, at, found);
            }
        }
    }
}

/// The marks over the byte `at`, in the query's order; of marks on one node, those of later patterns come later.
fn marks<'tree>(query: &Query, root: Node<'tree>, source: &str, at: usize) -> Vec<(String, Node<'tree>)> {
    let mut cursor = QueryCursor::new();
    let mut captures = cursor.captures(query, root, source.as_bytes());
    let mut found = Vec::new();
    while let Some((one, index)) = captures.next() {
        let capture = one.captures[*index];
        let name = query.capture_names()[capture.index as usize];
        if capture.node.byte_range().contains(&at) && !name.starts_with("markup") && name != "spell" {
            found.push((name.to_owned(), capture.node));
        }
    }
    found
}
