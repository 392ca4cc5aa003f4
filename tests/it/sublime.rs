//! The syntax for Sublime Text, read by a parser of that format: which scopes a colour scheme finds at a place.
#![expect(clippy::disallowed_methods, reason = "reads the syntax")]

use std::{fs, path::Path, sync::LazyLock};

use syntect::parsing::{ParseState, ScopeStack, SyntaxDefinition, SyntaxReference, SyntaxSet};

const SECRET: &str = "constant.other.reference.vaultls";
const NAME: &str = "entity.name.constant.vaultls";

const REQUESTS: &str = "\
# A comment
@base = https://a.example/<<vault:place>>
### First
POST {{base}}/<<vault:account/id>>?a=b HTTP/1.1
// Another comment
Authorization: Bearer <<vault:stripe key>>
X-Key: {{ vault:second }} and {{variable}}

{
  \"key\": \"before <<vault:json>> after\",
  \"number\": 12, \"bare\": {{vault:unquoted}}
}
### Second
POST https://b.example

<note id=\"1\"><to>{{vault:xml}}</to></note>
### Third
POST https://c.example
X-REQUEST-TYPE: GraphQL

query { me(token: \"<<vault:graphql>>\") { id } }
### Fourth
POST https://d.example

<< vault:whole >>
### Fifth
POST https://e.example

< ./body.json
### Sixth
GET https://f.example/<<vault:last>>
";

#[test]
fn a_reference_stands_out_in_a_url_a_header_and_every_body() {
    let names = ["place", "account/id", "stripe key", "second", "json", "unquoted", "xml", "graphql", "whole", "last"];
    for name in names {
        let scopes = scopes(name);
        assert!(scopes.contains(&SECRET.to_owned()) && scopes.contains(&NAME.to_owned()), "{name}: {scopes:?}");
    }
}

#[test]
fn what_surrounds_a_reference_does_not() {
    for place in ["Bearer", "before", "after", "?a=b", "variable", "comment", "me("] {
        assert!(!scopes(place).contains(&SECRET.to_owned()), "{place}: {:?}", scopes(place));
    }
}

#[test]
fn the_parts_of_a_request_have_scopes_of_their_own() {
    for (place, scope) in [
        ("# A comment", "comment.line.http"),
        ("// Another", "comment.line.http"),
        ("@base", "variable.other.http"),
        ("### First", "markup.heading.http"),
        ("### Sixth", "markup.heading.http"),
        ("POST", "keyword.control.http"),
        ("https://b.example", "markup.underline.link.http"),
        ("HTTP/1.1", "constant.language.http"),
        ("Authorization", "entity.name.tag.http"),
        ("{{variable}}", "variable.other.http"),
        ("./body.json", "string.unquoted.path.http"),
    ] {
        assert!(scopes(place).contains(&scope.to_owned()), "{place}: {:?}", scopes(place));
    }
}

#[test]
fn a_body_keeps_the_colours_of_its_language() {
    for (place, scope) in [
        ("key\"", "source.json"),
        ("before", "string.quoted.double.json"),
        ("12", "constant.numeric.json"),
        ("note", "entity.name.tag.localname.xml"),
        ("id=\"1\"", "entity.other.attribute-name.localname.xml"),
        ("graphql>>", "string.quoted.double.http"),
    ] {
        assert!(scopes(place).contains(&scope.to_owned()), "{place}: {:?}", scopes(place));
    }
    // And ends with it.
    assert_eq!(scopes("### Second")[..2], ["source.http", "markup.heading.http"]);
}

/// The scopes at the first place of `place` in [`REQUESTS`], the outermost first.
fn scopes(place: &str) -> Vec<String> {
    let at = REQUESTS.find(place).expect("the place is in the text");
    let (set, syntax) = &*SYNTAX;
    let mut state = ParseState::new(syntax);
    let (mut stack, mut start) = (ScopeStack::new(), 0);
    for line in REQUESTS.split_inclusive('\n') {
        for (offset, change) in state.parse_line(line, set).expect("the syntax has no fault") {
            if start + offset > at {
                return shown(&stack);
            }
            stack.apply(&change).expect("scopes come in pairs");
        }
        start += line.len();
        if start > at {
            return shown(&stack);
        }
    }
    unreachable!("the place is in a line")
}

fn shown(stack: &ScopeStack) -> Vec<String> {
    stack.as_slice().iter().map(|scope| scope.build_string()).collect()
}

/// The syntax among those that Sublime Text brings.
static SYNTAX: LazyLock<(SyntaxSet, SyntaxReference)> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/sublime/HTTP.sublime-syntax");
    let text = fs::read_to_string(path).expect("the syntax is there");
    let syntax = SyntaxDefinition::load_from_str(&text, true, None).expect("the syntax can be read");
    let mut builder = SyntaxSet::load_defaults_newlines().into_builder();
    builder.add(syntax);
    let set = builder.build();
    let syntax = set.find_syntax_by_extension("rest").expect("the syntax knows its files").clone();
    (set, syntax)
});
