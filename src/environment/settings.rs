//! The environments that VS Code's REST Client keeps in the settings of a workspace ("Environment variables" in its
//! documentation). Nothing else of that file is looked at, whatever it sets.

use std::path::Path;

use super::{Found, Loading, SHARED, Values, file, members};
use crate::syntax::json::{self, Kind};

pub(super) const FILE: &str = ".vscode/settings.json";

const KEY: &str = "rest-client.environmentVariables";

/// How much text shared values may add to those that refer to them, in bytes: as much as the file may have.
const MAX_ADDED: usize = 1 << 20;

impl Loading<'_> {
    /// Says nothing of what is wrong in the file: it belongs to an editor that does.
    pub(super) fn settings(&mut self, path: &Path, inside: &Path) {
        let Ok(Some(text)) = file::read(path, inside) else { return };
        let tree = json::scan_with_comments(&text);
        let Some(environments) = tree.root().and_then(|root| root.get(KEY)) else { return };
        let shared = environments.get(SHARED).map(|shared| members(shared, path)).unwrap_or_default();
        let mut left = MAX_ADDED;
        for section in environments.members() {
            let Some(values) = section.value.filter(|value| value.kind() == Kind::Object) else { continue };
            let mut values = members(values, path);
            fill(&mut values, &shared, &mut left);
            self.section(&section.key.text(), values);
        }
    }
}

/// Puts shared values in the place of `{{$shared name}}`; `left` is how many more bytes they may add.
fn fill(values: &mut Values, shared: &Values, left: &mut usize) {
    for found in values.values_mut() {
        if let Found::Value(value) = found
            && value.text.contains(OPENER)
        {
            value.text = filled(&value.text, shared, left);
        }
    }
}

const OPENER: &str = "{{$shared ";

fn filled(text: &str, shared: &Values, left: &mut usize) -> String {
    let mut parts = text.split(OPENER);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once("}}").and_then(|(name, rest)| Some((shared.get(name.trim())?, rest)));
        match known {
            Some((Found::Value(value), rest)) if value.text.len() <= *left => {
                *left -= value.text.len();
                filled.push_str(&value.text);
                filled.push_str(rest);
            }
            _ => filled.extend([OPENER, part]),
        }
    }
    filled
}
