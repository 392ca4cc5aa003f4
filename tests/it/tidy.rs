//! The rules of the house, read off the sources: which room may know which, and what each may hold.
//!
//! The rules are told in the crate docs (`src/lib.rs`); a rule that can be a lint is one (`.clippy.toml`).
#![expect(clippy::disallowed_methods, reason = "reads the sources")]

use std::{collections::BTreeMap, fs, path::Path};

/// The layer of each room directly below `src`. A file imports from lower layers and from its own room.
const LAYERS: [(&str, u8); 18] = [
    ("name", 0),
    ("text", 0),
    ("status", 0),
    ("disk", 0),
    ("domain", 1),
    ("approval", 1),
    ("config", 1),
    ("syntax", 1),
    ("environment", 2),
    ("vault", 2),
    ("feature", 2),
    ("policy", 3),
    ("http", 3),
    ("work", 4),
    ("lsp", 5),
    ("cli", 5),
    ("lib", 6),
    ("main", 6),
];

/// Rooms of one layer that may know each other: words in terms of words, entries in terms of domains.
const NEIGHBOURS: [(&str, &str); 6] = [
    ("status", "name"),
    ("status", "text"),
    ("config", "domain"),
    ("http", "policy"),
    ("cli", "lsp"),
    ("config", "approval"),
];

/// Each heavy crate has one owner; an owner ending in `/` is a folder.
const OWNERS: [(&str, &[&str]); 17] = [
    ("ropey", &["src/text.rs"]),
    ("moka", &["src/vault/cache.rs"]),
    ("aws_sdk_secretsmanager", &["src/vault/aws.rs", "src/vault/aws/"]),
    ("aws_sdk_sts", &["src/vault/aws.rs", "src/vault/aws/"]),
    ("aws_config", &["src/vault/aws.rs", "src/vault/aws/"]),
    ("aws_sigv4", &["src/vault/aws/"]),
    ("vaultrs", &["src/vault/hashicorp.rs", "src/vault/hashicorp/"]),
    ("azure_core", &["src/vault/azure.rs", "src/vault/azure/"]),
    ("azure_identity", &["src/vault/azure/"]),
    ("azure_security_keyvault_secrets", &["src/vault/azure.rs", "src/vault/azure/"]),
    ("oauth2", &["src/vault/oauth.rs", "src/vault/oauth/"]),
    ("keyring", &["src/vault/local/"]),
    ("ls_types", &["src/lsp/"]),
    ("tower_lsp_server", &["src/lsp.rs", "src/lsp/"]),
    ("clap", &["src/cli.rs", "src/cli/", "src/main.rs"]),
    ("httparse", &["src/lsp/pages/wire.rs"]),
    ("aho_corasick", &["src/http/redact.rs", "src/http/redact/"]),
];

struct Source {
    path: String,
    /// The program's lines, without its unit tests.
    code: String,
}

impl Source {
    /// `vault` for `src/vault/local.rs`.
    fn room(&self) -> &str {
        let inner = self.path.strip_prefix("src/").expect("sources are below src");
        inner.split(['/', '.']).next().expect("a split has a first part")
    }
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<Source>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                found.push(Source { path: path.to_str().unwrap().replace('\\', "/"), code });
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The rooms that a file names after `crate::` or, in the program's root, `vaultls::`.
fn imports(code: &str) -> Vec<String> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for prefix in ["crate::", "vaultls::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                rooms.extend(first_words_of_group(group));
            } else {
                rooms.push(word(rest));
            }
        }
    }
    rooms.retain(|room| LAYERS.iter().any(|(name, _)| name == room));
    rooms
}

/// The first word of each entry of `a::b, c::{d, e}, f}`.
fn first_words_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut words, mut at_start) = (0, Vec::new(), true);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            _ if at_start && character.is_alphabetic() => {
                words.push(word(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// Fails with every breach of one rule at once.
fn assert_none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn every_room_has_a_layer() {
    let unknown: Vec<String> = sources()
        .iter()
        .filter(|source| !LAYERS.iter().any(|(room, _)| *room == source.room()))
        .map(|source| source.path.clone())
        .collect();
    assert_none("a new room needs a layer here and in the crate docs", &unknown);
}

#[test]
fn nothing_calls_up() {
    let layers: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    let mut breaches = Vec::new();
    for source in sources() {
        let room = source.room();
        for import in imports(&source.code) {
            let allowed = import == room
                || layers[import.as_str()] < layers[room]
                || NEIGHBOURS.contains(&(room, import.as_str()));
            if !allowed {
                breaches.push(format!("{} names crate::{import}", source.path));
            }
        }
    }
    assert_none("a file imports from lower layers or its own room", &breaches);
}

#[test]
fn the_check_of_imports_sees_groups() {
    let code =
        "use crate::{\n    name::SecretName,\n    http::{send::Sender, fill},\n    lsp,\n};\nlet x = crate::work::y();";
    assert_eq!(imports(code), ["name", "http", "lsp", "work"]);
}

#[test]
fn heavy_crates_have_one_owner() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (name, owners) in OWNERS {
            let owned = owners
                .iter()
                .any(|owner| source.path == *owner || (owner.ends_with('/') && source.path.starts_with(owner)));
            let used = [format!("use {name}"), format!(" {name}::"), format!("({name}::"), format!("<{name}::")];
            let uses = source.code.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
                used.iter()
                    .any(|text| line.contains(text.as_str()) || line.starts_with(&text[1..]) && text.starts_with(' '))
            });
            if uses && !owned {
                breaches.push(format!("{} uses {name}, which {owners:?} owns", source.path));
            }
        }
    }
    assert_none("each heavy crate has one owner", &breaches);
}

#[test]
fn parsing_and_features_are_total_and_synchronous() {
    let mut breaches = Vec::new();
    for source in sources() {
        let total = source.path.starts_with("src/syntax/") || source.path.starts_with("src/feature/");
        if total && source.code.lines().any(|line| line.contains("async fn") || line.contains(".await")) {
            breaches.push(source.path);
        }
    }
    assert_none("parsers and features await nothing", &breaches);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> =
        sources().iter().filter(|source| !source.code.starts_with("//!")).map(|source| source.path.clone()).collect();
    assert_none("a file opens with a `//!` paragraph", &silent);
}

#[test]
fn lints_are_only_lifted_with_a_reason() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (index, line) in source.code.lines().enumerate() {
            let bare = line.contains("#[allow(") || line.contains("#![allow(");
            let silent = line.contains("expect(") && line.trim_start().starts_with('#') && !line.contains("reason");
            if bare || (silent && line.trim_end().ends_with(']')) {
                breaches.push(format!("{}:{}", source.path, index + 1));
            }
        }
    }
    assert_none("a lint is lifted by `expect` with a reason", &breaches);
}

#[test]
fn a_value_cannot_be_printed() {
    let value = sources().into_iter().find(|source| source.path == "src/vault/value.rs").expect("the file exists");
    for derive in ["Debug", "Clone", "Serialize", "Display"] {
        assert!(!value.code.contains(&format!("impl {derive}")) && !value.code.contains(&format!("derive({derive}")));
    }
}
