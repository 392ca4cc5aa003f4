//! The tree-sitter queries: each compiles against the grammars that editors use, and marks what holds a vault
//! reference. What injects the grammar of references into others is tried in the real Neovim.
#![expect(clippy::disallowed_methods, reason = "reads the queries, builds parsers, and starts the editor")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tree_sitter::{Language, Node, Parser, Query, QueryCursor, StreamingIterator, Tree};

use crate::support::{
    nvim::{Editor, Neovim, check_report, neovims},
    provision,
};

const HIGHLIGHTS: &str = include_str!("../../queries/http/highlights.scm");
const INJECTIONS: &str = include_str!("../../queries/http/injections.scm");
const STRINGS: &str = include_str!("../../queries/json/highlights.scm");
const REFERENCES: &str = "queries/vaultref/highlights.scm";

/// The folders of queries for files of requests.
const OF_REQUESTS: [&str; 5] = [
    "queries/http",
    "editors/nvim/queries/http",
    "editors/nvim/queries/kulala_http",
    "editors/helix/runtime/queries/http-vault",
    "editors/zed/languages/http",
];

/// The folders of queries for collections.
const OF_COLLECTIONS: [&str; 3] =
    ["queries/json", "editors/nvim/queries/json", "editors/helix/runtime/queries/postman"];

#[test]
fn every_query_compiles_against_its_grammar() {
    let requests = OF_REQUESTS.map(|folder| (folder, grammar()));
    let collections = OF_COLLECTIONS.map(|folder| (folder, tree_sitter_json::LANGUAGE.into()));
    for (folder, language) in requests.into_iter().chain(collections) {
        let files = queries_in(folder);
        assert!(!files.is_empty(), "{folder} holds no query");
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            if let Err(error) = Query::new(&language, &text) {
                panic!("{}: {error}", path.display());
            }
        }
    }
}

/// Editors find queries by folder only, so some lie in several; but for the line that says what they extend, such
/// files are the same.
#[test]
fn copies_of_a_query_are_the_same() {
    let injections = "injections.scm";
    let copies = [
        (REFERENCES.to_owned(), "editors/nvim/queries/vaultref/highlights.scm".to_owned()),
        (REFERENCES.to_owned(), "editors/helix/runtime/queries/vaultref/highlights.scm".to_owned()),
        (format!("{}/{injections}", OF_REQUESTS[1]), format!("{}/{injections}", OF_REQUESTS[2])),
        (format!("{}/{injections}", OF_REQUESTS[1]), format!("{}/{injections}", OF_REQUESTS[3])),
    ];
    let names = ["highlights.scm", injections];
    let of_collections = OF_COLLECTIONS[1..].iter().flat_map(|folder| names.map(|name| (folder, name)));
    let of_collections =
        of_collections.map(|(folder, name)| (format!("queries/json/{name}"), format!("{folder}/{name}")));
    for (original, copy) in copies.into_iter().chain(of_collections) {
        assert_eq!(without_heritage(&original), without_heritage(&copy), "{copy} differs from {original}");
    }
}

#[test]
fn neovim_adds_its_queries_to_those_that_are_there() {
    for folder in ["editors/nvim/queries/http", "editors/nvim/queries/kulala_http", "editors/nvim/queries/json"] {
        for path in queries_in(folder) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("; extends\n"), "{} would replace what is there", path.display());
        }
    }
}

#[test]
fn neovim_colours_a_reference_to_the_character() {
    for neovim in neovims() {
        check_neovim(neovim);
    }
}

fn check_neovim(neovim: &Neovim) {
    let editor = Editor::new();
    let parsers = editor.home().join("parsers/parser");
    fs::create_dir_all(&parsers).unwrap();
    let vaultref = repository().join("editors/tree-sitter-vaultref");
    let sources =
        [("http", package("tree-sitter-http")), ("json", package("tree-sitter-json")), ("vaultref", vaultref)];
    for (name, folder) in sources {
        if let Err(reason) = compile(&folder.join("src"), &parsers.join(format!("{name}.so"))) {
            return provision::skip(&format!("the colours of tree-sitter in Neovim: {reason}"));
        }
    }
    let mut command = editor.command(neovim);
    command.args(["--headless", "-l"]).arg(repository().join("tests/queries/neovim.lua"));
    command.env("VAULTLS_PARSERS", editor.home().join("parsers")).env("VAULTLS_REPOSITORY", repository());
    check_report("tree-sitter", &command.stdin(Stdio::null()).output().expect("Neovim starts"));
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

/// For Neovim a bare `<` in a pattern begins a word, so `<<` has to be spelled otherwise.
#[test]
fn patterns_mean_the_same_to_every_editor() {
    for path in OF_REQUESTS.iter().chain(&OF_COLLECTIONS).flat_map(|folder| queries_in(folder)) {
        let text = fs::read_to_string(&path).unwrap();
        let patterns = text.lines().filter(|line| line.contains("match?"));
        for line in patterns {
            let bare = line.replace("[<]", "").replace("[{]", "");
            assert!(!bare.contains(['<', '{', '>']), "{}: {line}", path.display());
            assert!(!line.contains("lua-match"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn a_string_of_a_collection_that_holds_a_reference_is_marked() {
    let source = r#"{"url": "https://a.example/{{vault:key}}", "vault:x": "{{key}}", "b": "<<vault:k>>"}"#;
    let language: Language = tree_sitter_json::LANGUAGE.into();
    let query = Query::new(&language, STRINGS).expect("the highlights compile");
    let mut parser = Parser::new();
    parser.set_language(&language).expect("the grammar fits the library");
    let tree = parser.parse(source, None).expect("a parser with a language parses");
    let marked = captures(&query, &tree, source, |_| true);
    let texts: Vec<&str> = marked.into_iter().map(|node| &source[node.byte_range()]).collect();
    assert_eq!(texts, ["https://a.example/{{vault:key}}", "<<vault:k>>"]);
}

#[test]
fn a_graphql_body_is_injected_as_graphql() {
    check_injected("POST https://a.example\nX-REQUEST-TYPE: GraphQL\n\nquery {\n  me { id }\n}\n", &["graphql"]);
}

#[test]
fn the_grammar_of_references_is_injected_where_one_stands() {
    check_injected("GET https://a.example/<<vault:a>>\nX-Key: <<vault:b>>\nX-Other: c\n", &["vaultref", "vaultref"]);
    check_injected("POST https://a.example\nAccept: */*\n\nkey={{vault:stripe}}\n", &["vaultref"]);
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
    check_injected("POST https://a.example\n\n<<vault:body>>\n", &["vaultref"]);
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

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn queries_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).expect("a folder of queries");
    let paths = entries.map(|entry| entry.expect("an entry of a folder of queries").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "scm")).collect()
}

/// A query without the line that says what it adds to, if the first line does.
fn without_heritage(path: &str) -> String {
    let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    match text.split_once('\n') {
        Some((first, rest)) if first == "; extends" || first.starts_with("; inherits: ") => rest.to_owned(),
        _ => text,
    }
}

/// Where the sources of a dependency are.
fn package(name: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--offline", "--locked", "--manifest-path"]);
    let output = command.arg(repository().join("Cargo.toml")).output().expect("cargo starts");
    let known: Value = serde_json::from_slice(&output.stdout).expect("cargo tells its packages");
    let packages = known["packages"].as_array().expect("a list of packages");
    let found = packages.iter().find(|package| package["name"] == name).expect("a dependency of this crate");
    let manifest = Path::new(found["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}

/// Builds a parser as editors do.
fn compile(source: &Path, library: &Path) -> Result<(), String> {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O1", "-I"]).arg(source).arg("-o").arg(library).arg(source.join("parser.c"));
    provision::run(&mut command)
}
