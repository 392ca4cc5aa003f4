//! The rules of the house, read off the sources: which room may know which, and what each may hold.
//!
//! The rules are told in the crate docs (`src/lib.rs`); a rule that can be a lint is one (`.clippy.toml`).
#![expect(clippy::disallowed_methods, reason = "reads the sources")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

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

/// The rooms of the language server in their order: a file knows only those before its room, and its own.
const SERVER: [&str; 32] = [
    // What knows nothing of the server.
    "lock",
    "options",
    "guard",
    "janitor",
    "pipe",
    // Plain answers, and their words.
    "outcome",
    "words",
    // The client.
    "convert",
    "abilities",
    "capabilities",
    "client",
    "browser",
    // What is under way, and what is open.
    "stops",
    "shown",
    "sign_ins",
    "state",
    // What is found out by itself, and from files.
    "refresh",
    "files",
    "response",
    "settings",
    // What a person asks for.
    "rename",
    "question",
    "environment",
    "extract",
    "run",
    "curl",
    "sign_in",
    "command",
    // How it is told where the client does not draw it.
    "pages",
    "bare",
    // The table.
    "execute",
    "server",
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
    /// `vault::local` for `src/vault/local.rs`, as its parts.
    fn module(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").and_then(|inner| inner.strip_suffix(".rs"));
        inner.expect("sources are below src").split('/').collect()
    }

    /// `vault` for `src/vault/local.rs`.
    fn room(&self) -> &str {
        self.module()[0]
    }

    /// The modules among `modules`, each a file, that this one names: after `crate::`, after `super::`, or in a `use` of
    /// its own children.
    fn names(&self, modules: &BTreeSet<String>) -> BTreeSet<String> {
        let own: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
        let above = |path: Vec<String>| {
            let levels = path.iter().take_while(|part| *part == "super").count();
            [&own[..own.len().saturating_sub(levels)], &path[levels..]].concat()
        };
        let below = |path: Vec<String>| [&own[..], &path[..]].concat();
        let uses = |path: &Vec<String>| modules.contains(&format!("{}::{}", own.join("::"), path[0]));
        let from_root = paths(&self.code, "crate::", false);
        let from_here = paths(&self.code, "super::", true).into_iter().map(above);
        let of_children = paths(&self.code, "use ", false).into_iter().filter(uses).map(below);
        let all = from_root.into_iter().chain(from_here).chain(of_children);
        let file = |path: Vec<String>| {
            let prefixes = (1..=path.len()).rev().map(|length| path[..length].join("::"));
            prefixes.into_iter().find(|prefix| modules.contains(prefix))
        };
        all.filter_map(file).filter(|name| *name != own.join("::")).collect()
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
    let named = ["crate::", "vaultls::"].iter().flat_map(|root| paths(code, root, false));
    let mut rooms: Vec<String> = named.map(|path| path[0].clone()).collect();
    rooms.retain(|room| LAYERS.iter().any(|(name, _)| name == room));
    rooms.dedup();
    rooms
}

/// The paths that begin with `prefix`, without it unless it is `kept`.
fn paths(code: &str, prefix: &str, kept: bool) -> Vec<Vec<String>> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let begins =
        |at: usize| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':');
    let starts = code.match_indices(prefix).map(|(at, _)| at).filter(|at| begins(*at));
    starts.flat_map(|at| tree(&code[if kept { at } else { at + prefix.len() }..])).collect()
}

/// `a::{b, c::d}` as the paths `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return entries(group).into_iter().flat_map(tree).collect();
    }
    let first = word(text);
    if first.is_empty() {
        return Vec::new();
    }
    let below = text[first.len()..].strip_prefix("::").map(tree).filter(|below| !below.is_empty());
    let below = below.unwrap_or_else(|| vec![Vec::new()]);
    below.into_iter().map(|path| [vec![first.clone()], path].concat()).collect()
}

/// The entries of `a::b, c::{d, e}, f}`.
fn entries(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut entries) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                entries.push(&group[start..at]);
                break;
            }
            ',' if depth == 0 => {
                entries.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    entries
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
fn the_servers_rooms_stand_in_an_order() {
    let sources = sources();
    let modules: BTreeSet<String> = sources.iter().map(|source| source.module().join("::")).collect();
    let rank = |room: &str| SERVER.iter().position(|known| *known == room);
    let mut breaches = Vec::new();
    for source in &sources {
        let ["lsp", room, ..] = source.module()[..] else { continue };
        // The tests' own server.
        if room == "fixture" {
            continue;
        }
        let Some(own) = rank(room) else {
            breaches.push(format!("{} has no place here", source.path));
            continue;
        };
        for named in source.names(&modules) {
            let allowed = match named.split("::").collect::<Vec<_>>()[..] {
                ["lsp"] => false,
                ["lsp", other, ..] => other == room || rank(other).is_some_and(|other| other < own),
                _ => true,
            };
            if !allowed {
                breaches.push(format!("{} names {named}", source.path));
            }
        }
    }
    assert_none("a file of the server knows only the rooms before its own", &breaches);
}

/// A file may know the module that it is a part of: that is where what its neighbours share stands.
#[test]
fn no_files_know_each_other_in_a_circle() {
    let sources = sources();
    let modules: BTreeSet<String> = sources.iter().map(|source| source.module().join("::")).collect();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let own = source.module().join("::");
        let mut names = source.names(&modules);
        names.retain(|name| !own.starts_with(&format!("{name}::")));
        named.insert(own, names);
    }
    assert_none("no files know each other in a circle", &circle(&named).into_iter().collect::<Vec<_>>());
}

/// The first circle that is left when everything is taken away that knows nobody who is left.
fn circle(named: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut left = named.clone();
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, names)| !names.iter().any(|name| left.contains_key(name)))
            .map(|(own, _)| own.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|own, _| !free.contains(own));
    }
    let mut at = left.keys().next()?.clone();
    let mut way = Vec::new();
    while !way.contains(&at) {
        way.push(at.clone());
        at = left[&at].iter().find(|name| left.contains_key(*name)).expect("it knows somebody who is left").clone();
    }
    let start = way.iter().position(|passed| *passed == at).expect("the way came back to it");
    Some([&way[start..], &[at]].concat().join(" -> "))
}

#[test]
fn a_circle_is_found() {
    let named = |pairs: &[(&str, &[&str])]| {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        pairs.iter().map(|(own, names)| ((*own).to_owned(), set(names))).collect()
    };
    assert_eq!(circle(&named(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let found = circle(&named(&[("a", &["b"]), ("b", &["c", "d"]), ("c", &["d"]), ("d", &["b"])]));
    assert_eq!(found.as_deref(), Some("b -> c -> d -> b"));
}

#[test]
fn a_file_is_known_by_the_modules_it_names() {
    let modules = ["a", "a::b", "a::b::c", "a::d", "e"].map(str::to_owned).into();
    let code = "use super::{\n    d::{X, Y},\n};\npub use c::Z;\nuse std::fmt;\nfn f(it: crate::e::It) -> super::super::e::It {}";
    let source = Source { path: "src/a/b.rs".into(), code: code.into() };
    assert_eq!(source.names(&modules), ["a::b::c", "a::d", "e"].map(str::to_owned).into());
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
