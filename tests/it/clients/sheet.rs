//! A text as a client counts in it: places and edits in the encoding that server and client agreed on.

use serde_json::{Value, json};

/// A document as the person sees it.
pub struct Sheet {
    pub text: String,
    /// How columns are counted, such as `utf-16`.
    pub encoding: String,
}

impl Sheet {
    /// Where the first `place` begins.
    pub fn position(&self, place: &str) -> Value {
        let offset = self.text.find(place).unwrap_or_else(|| panic!("no {place} in {}", self.text));
        let before = &self.text[..offset];
        let line = before.rsplit('\n').next().unwrap();
        json!({ "line": before.matches('\n').count(), "character": self.units(line) })
    }

    /// What stands within a range.
    pub fn slice(&self, range: &Value) -> &str {
        &self.text[self.offset(&range["start"])..self.offset(&range["end"])]
    }

    /// The text after edits, which do not overlap.
    pub fn edited(&self, edits: &[Value]) -> String {
        let place = |edit: &Value| (self.offset(&edit["range"]["start"]), self.offset(&edit["range"]["end"]));
        let mut edits: Vec<_> = edits.iter().map(|edit| (place(edit), edit["newText"].as_str().unwrap())).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.0));
        let mut text = self.text.clone();
        for ((start, end), new) in edits {
            text.replace_range(start..end, new);
        }
        text
    }

    fn offset(&self, position: &Value) -> usize {
        let number = |field: &str| usize::try_from(position[field].as_u64().unwrap()).unwrap();
        let start: usize = self.text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        let line = self.text[start..].split('\n').next().unwrap();
        let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
        let found = ends.into_iter().find(|at| self.units(&line[..*at]) == number("character"));
        start + found.unwrap_or_else(|| panic!("{position} is no place in {line:?}"))
    }

    fn units(&self, text: &str) -> usize {
        match self.encoding.as_str() {
            "utf-8" => text.len(),
            "utf-16" => text.encode_utf16().count(),
            "utf-32" => text.chars().count(),
            other => panic!("no client counts in {other}"),
        }
    }
}
