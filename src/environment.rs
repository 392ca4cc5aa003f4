//! Finds and reads the environment files of a document: `http-client.env.json`, its private and `.user`
//! siblings, the environments that REST Client keeps in `.vscode/settings.json`, `.env`, and Postman's exported
//! environments. They are data: nothing in them reaches this process's own environment.
//!
//! The rules, where the tools that read these files differ:
//! - Files are looked for from the document's folder up to the workspace root; for each key the nearest file wins.
//! - In one folder `.user` (Visual Studio) wins over the private file, that over the public one, and that over the
//!   settings.
//! - The chosen environment wins over `$shared`, wherever either stands.
//! - An object with a `provider` (a secret provider of Visual Studio) keeps the value elsewhere. Other objects (`Security`
//!   and `SSLConfiguration` of JetBrains) are no values for a variable and are passed over.

mod dotenv;
mod file;
mod settings;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    syntax::{
        expand::{Elsewhere, Environment, EnvironmentValue, Store},
        json::{self, Kind, Tree, Value},
    },
    text::Span,
};

/// A file that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub file: std::path::PathBuf,
    /// What is wrong and in which line; never what stands there.
    pub message: String,
}

/// The environment files of one folder, the one that wins first.
const FILES: [&str; 3] = ["http-client.env.json.user", "http-client.private.env.json", "http-client.env.json"];

const DOTENV: &str = ".env";

/// The section that every environment shares.
const SHARED: &str = "$shared";

/// The values for `document` when `name` is chosen. Files are looked for from the document's folder up to `root`.
pub fn load(document: &Path, root: &Path, name: Option<&str>) -> (Environment, Vec<Trouble>) {
    let mut loading = Loading {
        name,
        available: BTreeSet::new(),
        chosen: BTreeMap::new(),
        shared: BTreeMap::new(),
        troubles: Vec::new(),
    };
    let mut environment = Environment { name: name.map(str::to_owned), ..Environment::default() };
    let Some(places) = places(document, root) else { return (environment, loading.troubles) };
    if document.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        loading.postman(&places);
    }
    for folder in &places.folders {
        for file in FILES {
            loading.sections(&folder.join(file), &places.inside);
        }
        loading.settings(&folder.join(settings::FILE), &places.inside);
    }
    environment.dotenv = loading.dotenv(&places);
    environment.available = loading.available.into_iter().collect();
    let mut found = loading.shared;
    found.append(&mut loading.chosen);
    for (name, found) in found {
        match found {
            Found::Value(value) => drop(environment.values.insert(name, value)),
            Found::Elsewhere(elsewhere) => drop(environment.elsewhere.insert(name, elsewhere)),
        }
    }
    (environment, loading.troubles)
}

/// The files that [`load`] would read for a document in `folder`, whether they are there or not. Those of Postman are
/// not among them: how they are called is not known before.
pub fn files(folder: &Path, root: &Path) -> Vec<PathBuf> {
    let Some(places) = places(&folder.join("a"), root) else { return Vec::new() };
    let names = FILES.into_iter().chain([settings::FILE, DOTENV]);
    places.folders.iter().flat_map(|folder| names.clone().map(|name| folder.join(name))).collect()
}

/// Where files may lie.
struct Places {
    /// The document's folder and those above it, the nearest first.
    folders: Vec<PathBuf>,
    /// The real folder that no file may lie outside of.
    inside: PathBuf,
}

/// How many folders are looked into.
const MAX_FOLDERS: usize = 64;

fn places(document: &Path, root: &Path) -> Option<Places> {
    let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = |folder: &Path, root: &Path| -> Vec<PathBuf> {
        let folders = folder.ancestors().take_while(|above| above.starts_with(root));
        folders.take(MAX_FOLDERS).map(Path::to_owned).collect()
    };
    let real_root = file::real(root);
    if let Some(inside) = &real_root
        && folder.starts_with(root)
    {
        return Some(Places { folders: above(folder, root), inside: inside.clone() });
    }
    let real_folder = file::real(folder)?;
    match real_root {
        Some(root) if real_folder.starts_with(&root) => {
            Some(Places { folders: above(&real_folder, &root), inside: root })
        }
        // A document outside the workspace has its own folder and no more.
        _ => Some(Places { folders: vec![folder.to_owned()], inside: real_folder }),
    }
}

/// What an environment says about a variable.
enum Found {
    Value(EnvironmentValue),
    Elsewhere(Elsewhere),
}

type Values = BTreeMap<String, Found>;

struct Loading<'a> {
    name: Option<&'a str>,
    available: BTreeSet<String>,
    chosen: Values,
    shared: Values,
    troubles: Vec<Trouble>,
}

impl Loading<'_> {
    /// `{"dev": {"key": "value"}, "$shared": {..}}`
    fn sections(&mut self, path: &Path, inside: &Path) {
        let Some(text) = self.read(path, inside) else { return };
        let tree = json::scan(&text);
        let Some(root) = self.object(&tree, path) else { return };
        for section in root.members() {
            let Some(values) = section.value.filter(|value| value.kind() == Kind::Object) else { continue };
            self.section(&section.key.text(), members(values, path));
        }
    }

    fn section(&mut self, name: &str, values: Values) {
        if name == SHARED {
            merge(&mut self.shared, values);
        } else if !name.starts_with('$') {
            if self.name == Some(name) {
                merge(&mut self.chosen, values);
            }
            self.available.insert(name.to_owned());
        }
    }

    /// The environments and globals that Postman exports, beside the document.
    fn postman(&mut self, places: &Places) {
        let Some(folder) = places.folders.first() else { return };
        for path in file::list(folder) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let globals = name.ends_with(".postman_globals.json");
            let Some(stem) = name.strip_suffix(".postman_environment.json").or(globals.then_some("")) else { continue };
            let Some(text) = self.read(&path, &places.inside) else { continue };
            let tree = json::scan(&text);
            let Some(root) = self.object(&tree, &path) else { continue };
            // Answers of Postman's API wrap it.
            let root = root.get("environment").unwrap_or(root);
            let rows = root.get("values").map(|values| rows(values, &path)).unwrap_or_default();
            if globals {
                merge(&mut self.shared, rows);
                continue;
            }
            let label = root.get("name").and_then(Value::scalar).filter(|name| !name.is_empty());
            let label = label.unwrap_or(stem.into()).into_owned();
            if self.name == Some(&*label) {
                merge(&mut self.chosen, rows);
            }
            self.available.insert(label);
        }
    }

    /// The nearest `.env` file.
    fn dotenv(&mut self, places: &Places) -> BTreeMap<String, EnvironmentValue> {
        for folder in &places.folders {
            let path = folder.join(DOTENV);
            let Some(text) = self.read(&path, &places.inside) else { continue };
            let (entries, faults) = dotenv::parse(&text);
            if let Some((line, message)) = faults.first() {
                self.trouble(&path, format!("line {line}: {message}"));
            }
            let value = |entry: dotenv::Entry| {
                (entry.key, EnvironmentValue { text: entry.value, file: path.clone(), span: Some(entry.key_span) })
            };
            return entries.into_iter().map(value).collect();
        }
        BTreeMap::new()
    }

    fn read(&mut self, path: &Path, inside: &Path) -> Option<String> {
        match file::read(path, inside) {
            Ok(text) => text,
            Err(message) => {
                self.trouble(path, message);
                None
            }
        }
    }

    /// The object that a file consists of. What is wrong is told; what is right still counts.
    fn object<'t>(&mut self, tree: &'t Tree<'t>, path: &Path) -> Option<Value<'t>> {
        if let Some(problem) = tree.problems.first() {
            let line = line_of(tree.source(), problem.span.start);
            self.trouble(path, format!("line {line}: {}", problem.message));
        }
        let root = tree.root().filter(|root| root.kind() == Kind::Object);
        if root.is_none() && tree.problems.is_empty() {
            self.trouble(path, "line 1: the file is no JSON object".to_owned());
        }
        root
    }

    fn trouble(&mut self, path: &Path, message: String) {
        self.troubles.push(Trouble { file: path.to_owned(), message });
    }
}

/// The line of an offset, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..offset]).count()
}

/// Takes over what is not there yet: nearer files come first.
fn merge(values: &mut Values, more: Values) {
    for (key, value) in more {
        values.entry(key).or_insert(value);
    }
}

/// The texts, numbers, truth values and secret providers of an object; the last of equal keys counts.
fn members(object: Value<'_>, path: &Path) -> Values {
    let found = object.members().filter_map(|member| {
        let (written, span) = (member.value?, member.key.inner());
        let found = match written.scalar() {
            Some(text) => value(text.into_owned(), path, span),
            None => Found::Elsewhere(Elsewhere { store: store(written)?, file: path.to_owned(), span }),
        };
        Some((member.key.text().into_owned(), found))
    });
    found.collect()
}

/// `{"provider": .., ..}`
fn store(object: Value<'_>) -> Option<Store> {
    let field = |name: &str| object.get(name).filter(|value| value.kind() == Kind::String).map(Value::text);
    Some(Store::read(&field("provider")?, field))
}

/// `[{"key": .., "value": .., "enabled": ..}]`
fn rows(list: Value<'_>, path: &Path) -> Values {
    let enabled = list.items().filter(|row| row.get("enabled").is_none_or(|enabled| enabled.kind() != Kind::False));
    let scalars = enabled.filter_map(|row| {
        let key = row.get("key").filter(|key| key.kind() == Kind::String)?;
        let text = row.get("value")?.scalar()?.into_owned();
        Some((key.text().into_owned(), value(text, path, key.inner())))
    });
    scalars.collect()
}

fn value(text: String, path: &Path, span: Span) -> Found {
    Found::Value(EnvironmentValue { text, file: path.to_owned(), span: Some(span) })
}
