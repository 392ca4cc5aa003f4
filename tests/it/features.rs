//! The table of features in the README: made of `features.toml`, and each cell names a test that there is.
#![expect(clippy::disallowed_methods, reason = "reads the README and the tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    editors: Vec<String>,
    feature: Vec<Feature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feature {
    name: String,
    /// In the order of the editors.
    cells: Vec<String>,
}

const NOWHERE: &str = "–";

#[test]
fn the_readme_has_the_table_of_features() {
    let features = features();
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let table = table(&features);
    assert!(readme.contains(&table), "the README has another table than this:\n{table}");
}

#[test]
fn each_cell_is_tested() {
    for feature in features().feature {
        for cell in feature.cells.iter().filter(|cell| *cell != NOWHERE) {
            let (letter, test) = cell.split_once(' ').expect("a letter and a test");
            assert!(["T", "P"].contains(&letter), "{}: {cell}", feature.name);
            assert!(exists(test), "{}: there is no test `{test}`", feature.name);
        }
    }
}

/// Markdown, a row for each feature.
fn table(features: &Features) -> String {
    let row = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let heads = std::iter::once("").chain(features.editors.iter().map(String::as_str));
    let mut table = row(heads.collect());
    table.push_str(&format!("|---{}|\n", "|---".repeat(features.editors.len())));
    for feature in &features.feature {
        assert_eq!(feature.cells.len(), features.editors.len(), "{}", feature.name);
        let letters = feature.cells.iter().map(|cell| cell.split(' ').next().unwrap_or_default());
        table.push_str(&row(std::iter::once(feature.name.as_str()).chain(letters).collect()));
    }
    table
}

/// Whether there is a test of that path in this program.
fn exists(test: &str) -> bool {
    let mut parts: Vec<&str> = test.split("::").collect();
    let Some(name) = parts.pop() else { return false };
    let file = repository().join("tests/it").join(parts.join("/")).with_extension("rs");
    let Ok(text) = fs::read_to_string(file) else { return false };
    let Some(place) = text.find(&format!("fn {name}()")) else { return false };
    let before: Vec<&str> = text[..place].lines().rev().take_while(|line| !line.is_empty()).collect();
    let is = |attribute: &str| before.iter().any(|line| line.trim().starts_with(attribute));
    (is("#[test]") || is("#[tokio::test")) && !is("#[ignore")
}

fn features() -> Features {
    toml::from_str(include_str!("features.toml")).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
