//! The settings and pages in `editors/` for editors without a test of their own: what is written there can be read,
//! names only what exists, and starts the server as it wants to be started.
#![expect(clippy::disallowed_methods, reason = "reads the settings")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};
use vaultls::feature::command::Verb;

use crate::support::program::Program;

const HELIX: &str = "editors/helix/languages.toml";
/// The keys of Helix's documentation, page "Languages".
const HELIX_LANGUAGE: [&str; 11] = [
    "name",
    "language-id",
    "scope",
    "injection-regex",
    "file-types",
    "roots",
    "comment-tokens",
    "indent",
    "language-servers",
    "grammar",
    "auto-format",
];

/// The editors whose page begins with the program; VS Code's extension brings it.
const EDITORS: [&str; 6] = ["nvim", "emacs", "kakoune", "helix", "zed", "sublime"];

#[test]
fn helix_is_told_how_to_start_the_server() {
    let settings = table(HELIX);
    let server = &settings["language-server"]["vaultls"];
    assert_eq!(server["command"].as_str(), Some("vaultls"));
    assert_eq!(strings(&server["args"]), ["lsp"]);
}

#[test]
fn helix_is_given_only_keys_that_it_knows() {
    for language in languages(HELIX) {
        for key in language.keys() {
            assert!(HELIX_LANGUAGE.contains(&key.as_str()), "Helix knows no `{key}`");
        }
    }
}

/// Helix's own table has none of them, so each must be whole: without a scope no language at all is read.
#[test]
fn every_language_of_helix_is_whole_and_has_a_server_or_is_injected() {
    for language in languages(HELIX) {
        let is_injected = language.contains_key("injection-regex");
        let servers = language.get("language-servers").map(strings).unwrap_or_default();
        assert!(is_injected || servers == ["vaultls"], "{:?}", language["name"]);
        assert!(["scope", "file-types"].iter().all(|key| language.contains_key(*key)), "{:?}", language["name"]);
    }
}

/// Queries lie in folders with the name of their language; a language without any would lose its colours.
#[test]
fn every_new_language_of_helix_has_its_queries() {
    let folders: BTreeSet<String> = entries("editors/helix/runtime/queries");
    let names = languages(HELIX).into_iter();
    let names: BTreeSet<String> = names.map(|language| text(&language["name"]).to_owned()).collect();
    assert_eq!(names, folders);
    for name in names {
        assert!(entries(&format!("editors/helix/runtime/queries/{name}")).contains("highlights.scm"), "{name}");
    }
}

#[test]
fn the_grammar_that_helix_builds_is_there() {
    let settings = table(HELIX);
    let grammars = settings["grammar"].as_array().expect("grammars");
    let of_zed = table("editors/zed/extension.toml");
    let mut built = Vec::new();
    for grammar in grammars {
        let (name, source) = (text(&grammar["name"]), &grammar["source"]);
        if let Some(path) = source.get("path") {
            let folder = text(path).strip_prefix("/path/to/vaultls/").expect("a path in a clone");
            assert!(repository().join(folder).join("src/parser.c").is_file(), "{folder}");
        } else {
            // The same grammar at the same commit everywhere.
            let same = &of_zed["grammars"][name];
            assert_eq!((&source["git"], &source["rev"]), (&same["repository"], &same["commit"]));
        }
        built.push(name);
    }
    let fetched = strings(&settings["use-grammars"]["only"]);
    assert!(built.iter().all(|name| fetched.contains(name)), "{fetched:?}");
}

#[test]
fn zed_finds_what_its_extension_names() {
    let extension = table("editors/zed/extension.toml");
    let language = table("editors/zed/languages/http/config.toml");
    let name = text(&language["name"]);
    assert_eq!(extension["schema_version"].as_integer(), Some(1));
    // Collections are JSON, which Zed knows by itself.
    assert_eq!(strings(&extension["language_servers"]["vaultls"]["languages"]), [name, "JSON"]);
    assert_eq!(text(&extension["language_servers"]["vaultls"]["language_ids"]["JSON"]), "json");
    assert_eq!(text(&extension["language_servers"]["vaultls"]["language_ids"][name]), "http");
    let grammar = &extension["grammars"][text(&language["grammar"])];
    assert_eq!(text(&grammar["commit"]).len(), 40);
    assert_eq!(strings(&language["path_suffixes"]), ["http", "rest"]);
    let package = table("editors/zed/Cargo.toml");
    assert_eq!(package["package"]["version"], extension["version"]);
    assert_eq!(strings(&package["lib"]["crate-type"]), ["cdylib"]);
}

#[test]
fn sublime_is_told_how_to_start_the_server() {
    let settings: serde_json::Value =
        serde_json::from_str(&read("editors/sublime/LSP.sublime-settings")).expect("settings are JSON");
    let client = &settings["clients"]["vaultls"];
    assert_eq!(client["command"], serde_json::json!(["vaultls", "lsp"]));
    let selector = client["selector"].as_str().expect("a selector");
    let syntax = read("editors/sublime/HTTP.sublime-syntax");
    let (requests, collections) = selector.split_once(" | ").expect("two languages");
    assert!(syntax.contains(&format!("scope: {requests}\n")), "no syntax has the scope {requests}");
    assert_eq!(collections, "source.json");
}

/// What a page shows to be pasted can be read by who it is for.
#[test]
fn examples_on_the_pages_can_be_read() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (language, example) in examples(&text) {
            let fault = match language {
                "toml" => example.parse::<Table>().err().map(|error| error.to_string()),
                "json" => serde_json::from_str::<serde_json::Value>(example).err().map(|error| error.to_string()),
                _ => continue,
            };
            assert_eq!(fault, None, "{}:\n{example}", page.display());
            count += 1;
        }
    }
    assert!(count >= 4, "only {count} examples were found");
}

/// Somebody new counts them.
#[test]
fn a_page_begins_with_five_steps_from_the_program_to_the_masked_response() {
    for editor in EDITORS {
        let page = read(&format!("editors/{editor}/README.md"));
        let start = page.split("\n## ").next().unwrap();
        let numbers = start.lines().filter_map(|line| line.split_once(". ")?.0.parse::<usize>().ok());
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{editor}");
        let wanted = ["cargo install --path . --locked", "vaultls example", "<<vault:my-token>>", "masked"];
        for part in wanted {
            assert!(start.contains(part), "{editor}: no step says `{part}`");
        }
    }
}

#[test]
fn what_a_page_says_to_run_is_a_command_of_the_program() {
    let program = Program::new();
    let mut verbs = BTreeSet::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        // Code within a line, and lines of a block.
        let spans = text.split(['`', '\n']).flat_map(|part| part.split("&& ")).map(str::trim);
        let words = spans.filter_map(|span| span.strip_prefix("vaultls ")?.split_whitespace().next());
        verbs.extend(words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).map(str::to_owned));
    }
    assert!(verbs.contains("example") && verbs.contains("vault"), "{verbs:?}");
    for verb in verbs {
        assert_eq!(program.run(&["help", &verb]).code, 0, "`vaultls {verb}`");
    }
}

#[test]
fn files_that_a_page_links_to_exist() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
            let path = link.split('#').next().unwrap_or_default();
            let is_file = !path.is_empty() && !link.contains("://");
            assert!(!is_file || page.parent().unwrap().join(path).exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn every_command_that_is_named_exists() {
    let ids: BTreeSet<&str> = Verb::ALL.iter().map(|verb| verb.id()).collect();
    let mut named = BTreeSet::new();
    let package = entries("editors/emacs").into_iter().filter(|name| name.ends_with(".el"));
    let package = package.map(|name| repository().join("editors/emacs").join(name));
    for path in pages().into_iter().chain(package) {
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("vaultls.").skip(1) {
            let length = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
            let word = format!("vaultls.{}", &rest[..length]);
            let is_command =
                !["toml", "el", "kak", "vsix", "schema", "server", "sublime"].contains(&&rest[..length]) && length > 0;
            if is_command {
                assert!(ids.contains(word.as_str()), "{}: there is no command `{word}`", path.display());
                named.insert(word);
            }
        }
    }
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), ids);
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn table(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn languages(path: &str) -> Vec<Table> {
    let settings = table(path);
    let languages = settings["language"].as_array().expect("languages").iter();
    languages.map(|language| language.as_table().expect("a language").clone()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(text).collect()
}

fn entries(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The pages of the editors that this module is about, and the one about all.
fn pages() -> Vec<PathBuf> {
    let folders = ["emacs", "helix", "kakoune", "zed", "sublime", "tree-sitter-vaultref"];
    let pages = folders.map(|folder| repository().join("editors").join(folder).join("README.md"));
    pages.into_iter().chain([repository().join("editors/README.md")]).collect()
}

/// The fenced examples of a page, each with its language.
fn examples(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n```").enumerate().filter(|(index, _)| index % 2 == 1).filter_map(|(_, block)| block.split_once('\n'))
}
