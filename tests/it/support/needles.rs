//! The forms in which a value could be read back, and the search for them.

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A secret that must never be seen, under the name by which a failure tells it.
#[derive(Clone, Debug)]
pub struct Canary {
    pub name: &'static str,
    pub value: String,
}

/// What is looked for, and what it is.
pub struct Needles {
    names: Vec<String>,
    automaton: AhoCorasick,
}

impl Needles {
    pub fn of(canaries: &[Canary]) -> Self {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for Canary { name, value } in canaries {
            for (form, pattern) in forms(value.as_bytes()) {
                names.push(format!("{name} {form}"));
                patterns.push(pattern);
            }
        }
        Self { names, automaton: AhoCorasick::new(patterns).unwrap() }
    }

    /// What stands in `bytes`, with a little of what is around it.
    pub fn find(&self, bytes: &[u8]) -> Vec<String> {
        let hits = self.automaton.find_overlapping_iter(bytes);
        hits.map(|hit| {
            let around = &bytes[hit.start().saturating_sub(48)..(hit.end() + 32).min(bytes.len())];
            format!("{}: {}", self.names[hit.pattern().as_usize()], around.escape_ascii())
        })
        .collect()
    }
}

/// A value in the forms in which it travels. Only its end is looked for: freed memory may begin with the allocator's own
/// notes, and half of a value would be too much as well.
fn forms(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let tail = &value[value.len() - 12..];
    let coded = |write: &dyn Fn(&u8) -> String| tail.iter().map(write).collect::<String>().into_bytes();
    let mut forms = vec![
        ("raw", tail.to_vec()),
        ("upper case", tail.to_ascii_uppercase()),
        ("hex", coded(&|byte| format!("{byte:02x}"))),
        ("hex", coded(&|byte| format!("{byte:02X}"))),
        ("percent-encoded", coded(&|byte| format!("%{byte:02x}"))),
        ("percent-encoded", coded(&|byte| format!("%{byte:02X}"))),
        ("a list of bytes", coded(&|byte| format!("{byte}, "))),
    ];
    for skipped in 0..3 {
        forms.push(("base64", STANDARD.encode(&tail[skipped..skipped + 9]).into_bytes()));
    }
    forms
}
