//! Blanks values wherever they could be read, in any of the forms in which they may come back.
//!
//! Every form of every value is looked for, and what any match covers is masked: matches that overlap are one, so the
//! tail of a long value cannot peep out behind a shorter one. The work is linear in the text.

#![expect(clippy::disallowed_methods, reason = "what must not be shown has to be known to be found")]

mod forms;

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem;
use zeroize::Zeroizing;

use crate::{name::SecretName, vault::value::SecretValue};

/// What stands in place of a value.
pub const MASK: &str = "[redacted]";

/// The shortest value that is masked, in characters (or bytes, where it is no text).
const SHORTEST: usize = 6;

/// Forms longer than this, in bytes, are searched one by one: an automaton of megabytes would cost more than it saves.
const LONGEST_IN_AUTOMATON: usize = 512;

/// The shortest beginning of a value that is masked where a text was cut in the middle of it, in bytes.
const SHORTEST_PREFIX: usize = 4;

/// Values that are ordinary text: masking them would blank half of a response and hide nothing.
const COMMON_WORDS: [&str; 40] = [
    "access",
    "account",
    "admin123",
    "administrator",
    "anonymous",
    "application",
    "application/json",
    "authorization",
    "basic",
    "bearer",
    "changeit",
    "changeme",
    "client",
    "content",
    "credentials",
    "default",
    "disabled",
    "enabled",
    "example",
    "example.com",
    "keep-alive",
    "letmein",
    "localhost",
    "message",
    "passphrase",
    "password",
    "postgres",
    "private",
    "production",
    "public",
    "secret",
    "server",
    "service",
    "staging",
    "string",
    "testing",
    "undefined",
    "unknown",
    "username",
    "version",
];

/// Finds values. Its patterns are values: it cannot be printed. Cloning it is cheap.
///
/// NB. the forms are wiped when it is dropped; the automaton built from the short ones is memory of another crate,
/// which the program's allocator wipes when it is freed.
#[derive(Clone)]
pub struct Redactor {
    /// From the shortest to the longest.
    forms: Arc<[Zeroizing<Vec<u8>>]>,
    /// None where no form is short.
    short: Option<AhoCorasick>,
}

/// A half-open range of bytes to mask.
pub type Range = (usize, usize);

impl Redactor {
    /// Values that cannot be masked (see [`unmaskable`]) are left out.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a SecretName, &'a SecretValue)>) -> Self {
        let mut forms: Vec<Zeroizing<Vec<u8>>> = Vec::new();
        for (_, value) in values {
            if unmaskable(value).is_none() {
                value.expose(|bytes| {
                    forms::of(bytes, &mut |form| {
                        // Forms of a megabyte are too dear to be kept twice until they are sorted.
                        if form.len() <= LONGEST_IN_AUTOMATON || !forms.contains(&form) {
                            forms.push(form);
                        }
                    });
                });
            }
        }
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_unstable_by(|left, right| (left.len(), left.as_slice()).cmp(&(right.len(), right.as_slice())));
        forms.dedup();
        let short = automaton(&forms);
        Self { forms: forms.into(), short }
    }

    /// `text` with every value masked.
    pub fn redact(&self, text: &str) -> String {
        masked(text, &self.find(text))
    }

    /// `text` with every value masked, where `text` was cut off at its end: a value's beginning that stands there is
    /// masked as well.
    pub fn redact_cut(&self, text: &str) -> String {
        let mut ranges = self.find(text);
        let prefix = self.forms.iter().map(|form| prefix_at_end(form, text.as_bytes())).max().unwrap_or(0);
        if prefix >= SHORTEST_PREFIX {
            ranges.push((text.len() - prefix, text.len()));
        }
        masked(text, &merged(ranges))
    }

    /// The ranges to mask, in order and apart.
    fn find(&self, text: &str) -> Vec<Range> {
        let mut ranges = Vec::new();
        if let Some(short) = &self.short {
            for found in short.find_overlapping_iter(text) {
                push(&mut ranges, (found.start(), found.end()));
            }
        }
        for form in self.long() {
            ranges.extend(memmem::find_iter(text.as_bytes(), form).map(|start| (start, start + form.len())));
        }
        merged(ranges)
    }

    fn long(&self) -> impl Iterator<Item = &[u8]> {
        self.forms.iter().rev().map(|form| form.as_slice()).take_while(|form| form.len() > LONGEST_IN_AUTOMATON)
    }
}

/// Where a value stands in `text` in any of its forms: of a value that cannot be masked, as it is. In order and apart.
pub fn occurrences(name: &SecretName, value: &SecretValue, text: &str) -> Vec<Range> {
    if unmaskable(value).is_none() {
        return Redactor::new([(name, value)]).find(text);
    }
    value.expose(|bytes| match bytes {
        [] => Vec::new(),
        _ => memmem::find_iter(text.as_bytes(), bytes).map(|start| (start, start + bytes.len())).collect(),
    })
}

/// Why a value cannot be masked without blanking ordinary text: too short, or a common word. Said when it is
/// stored.
pub fn unmaskable(value: &SecretValue) -> Option<&'static str> {
    value.expose(|bytes| {
        let text = std::str::from_utf8(bytes).map(str::trim);
        let length = text.map_or(bytes.len(), |text| text.chars().count());
        if length < SHORTEST {
            return Some("it is shorter than 6 characters");
        }
        let text = text.ok()?;
        if COMMON_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Some("it is a common word");
        }
        let first = text.chars().next();
        text.chars().all(|char| Some(char) == first).then_some("it is one character over and over")
    })
}

/// Finds the short forms in any ASCII case: header names, host names and hexadecimal digits change theirs on the way.
fn automaton(forms: &[Zeroizing<Vec<u8>>]) -> Option<AhoCorasick> {
    let short = forms.iter().take_while(|form| form.len() <= LONGEST_IN_AUTOMATON);
    let patterns: Vec<&[u8]> = short.map(|form| form.as_slice()).collect();
    if patterns.is_empty() {
        return None;
    }
    let built = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(patterns)
        // It fails only past 2^31 states: 4 million forms of the longest size, more than memory holds.
        .expect("patterns of at most 512 bytes fit an automaton");
    Some(built)
}

/// Adds a range to ranges that are in order and apart; `range` ends no earlier than the last of them.
fn push(ranges: &mut Vec<Range>, (mut start, end): Range) {
    while let Some(last) = ranges.last().filter(|last| last.1 > start) {
        start = start.min(last.0);
        ranges.pop();
    }
    ranges.push((start, end));
}

fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable_by_key(|range| (range.1, range.0));
    let mut apart = Vec::with_capacity(ranges.len());
    for range in ranges {
        push(&mut apart, range);
    }
    apart
}

fn masked(text: &str, ranges: &[Range]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    for (start, end) in ranges {
        // Forms are UTF-8, so what they match starts and ends between characters.
        out.push_str(&text[rest..*start]);
        out.push_str(MASK);
        rest = *end;
    }
    out.push_str(&text[rest..]);
    out
}

/// The length of the longest proper prefix of `form` that ends `text` (Knuth, Morris and Pratt), in any ASCII case.
fn prefix_at_end(form: &[u8], text: &[u8]) -> usize {
    let longest = text.len().min(form.len() - 1);
    let tail = &text[text.len() - longest..];
    let fallback = fallbacks(&form[..longest]);
    let mut length = 0;
    for byte in tail {
        while length > 0 && (length == longest || !form[length].eq_ignore_ascii_case(byte)) {
            length = fallback[length - 1];
        }
        if length < longest && form[length].eq_ignore_ascii_case(byte) {
            length += 1;
        }
    }
    length
}

/// For each prefix of `form` the length of the longest shorter one that ends it.
fn fallbacks(form: &[u8]) -> Vec<usize> {
    let mut table = vec![0; form.len()];
    let mut length = 0;
    for index in 1..form.len() {
        while length > 0 && !form[length].eq_ignore_ascii_case(&form[index]) {
            length = table[length - 1];
        }
        if form[length].eq_ignore_ascii_case(&form[index]) {
            length += 1;
        }
        table[index] = length;
    }
    table
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose};
    use proptest::{prelude::ProptestConfig, test_runner::RngSeed};

    use super::*;

    fn redactor(values: &[&[u8]]) -> Redactor {
        let name = SecretName::parse("canary").unwrap();
        let values: Vec<SecretValue> = values.iter().map(|value| SecretValue::new(value.to_vec())).collect();
        Redactor::new(values.iter().map(|value| (&name, value)))
    }

    fn check(value: &str, text: &str, expected: &str) {
        assert_eq!(redactor(&[value.as_bytes()]).redact(text), expected, "{text}");
    }

    #[test]
    fn a_value_is_masked_as_it_is() {
        check("canary-4e1b", "a canary-4e1b, canary-4e1bcanary-4e1b.", "a [redacted], [redacted][redacted].");
        check("canary-4e1b", "nothing here", "nothing here");
        check("canary-4e1b", "", "");
    }

    #[test]
    fn letters_may_change_their_case() {
        check("Canary-4E1B.example", "https://canary-4e1b.example/", "https://[redacted]/");
    }

    #[test]
    fn each_encoded_form_is_masked() {
        let value = "ca/n+a\"r<y>&'\\é 7f";
        for form in [
            "ca%2Fn%2Ba%22r%3Cy%3E%26%27%5C%C3%A9%207f",
            "ca%2fn%2ba%22r%3cy%3e%26%27%5c%c3%a9%207f",
            "ca%2Fn%2Ba%22r%3Cy%3E%26'%5C%C3%A9%207f",
            "ca%2Fn%2Ba%22r%3Cy%3E%26%27%5C%C3%A9+7f",
            "ca%252Fn%252Ba%2522r%253Cy%253E%2526%2527%255C%25C3%25A9%25207f",
            r#"ca/n+a\"r<y>&'\\é 7f"#,
            r#"ca\/n+a\"r<y>&'\\é 7f"#,
            r#"ca/n+a\\\"r<y>&'\\\\é 7f"#,
            r#"ca\/n+a\"r<y>&'\\\u00e9 7f"#,
            r#"ca/n+a\"r<y>&'\\\u00E9 7f"#,
            r#"ca/n+a\"r\u003cy\u003e\u0026'\\é 7f"#,
            r#"ca/n\u002Ba\u0022r\u003Cy\u003E\u0026\u0027\\\u00E9 7f"#,
            "ca/n+a&quot;r&lt;y&gt;&amp;&#39;\\é 7f",
            "ca/n+a&#34;r&lt;y&gt;&amp;&#39;\\é 7f",
            "ca/n+a&quot;r&lt;y&gt;&amp;&#x27;\\é 7f",
            "ca/n+a&quot;r&lt;y&gt;&amp;&apos;\\é 7f",
            "ca/n+a\"r&lt;y&gt;&amp;'\\é 7f",
            "63612f6e2b6122723c793e26275cc3a9203766",
            "63612F6E2B6122723C793E26275CC3A9203766",
        ] {
            check(value, &format!("<{form}>"), "<[redacted]>");
        }
    }

    #[test]
    fn a_json_string_of_nothing_but_escapes_is_masked() {
        check("k-7<f3", r#""\u006b\u002d\u0037\u003c\u0066\u0033""#, "\"[redacted]\"");
        check("k-7<f3", r#""\u006B\u002D\u0037\u003C\u0066\u0033""#, "\"[redacted]\"");
    }

    #[test]
    fn base64_is_masked_wherever_the_value_stands_in_it() {
        let value = "canary-?>~-4e1b77";
        for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE, &general_purpose::URL_SAFE_NO_PAD] {
            for before in ["", "u", "us", "user:"] {
                for after in ["", ":", "ab", "}}}"] {
                    let text = engine.encode(format!("{before}{value}{after}"));
                    let redacted = redactor(&[value.as_bytes()]).redact(&text);
                    assert!(redacted.contains(MASK), "{before}|{after}: {text}");
                    // What is left beside the mask belongs to the neighbours and to less than one byte of the value.
                    let left = redacted.replace(MASK, "").len();
                    assert!(left <= before.len() * 2 + after.len() * 2 + 4, "{before}|{after}: {redacted}");
                }
            }
        }
    }

    #[test]
    fn overlapping_values_leave_no_tail() {
        let redactor = redactor(&[b"canary-aaa-bbb", b"bbb-ccc-canary", b"canary-aaa"]);
        assert_eq!(redactor.redact("x canary-aaa-bbb-ccc-canary y"), "x [redacted] y");
    }

    #[test]
    fn a_trimmed_value_and_its_lines_are_masked() {
        check("canary-4e1b\n", "canary-4e1b", "[redacted]");
        let key = "-----BEGIN KEY-----\ncanary0123456789abcdef\ncanaryfedcba9876543210\n-----END KEY-----\n";
        check(key, "x-line: canaryfedcba9876543210", "x-line: [redacted]");
        check(key, "-----BEGIN KEY-----", "-----BEGIN KEY-----");
    }

    #[test]
    fn ordinary_text_is_not_blanked() {
        for value in ["true", "1", "", "Password", "secret", "      x", "aaaaaaaaaa"] {
            assert!(unmaskable(&SecretValue::new(value.into())).is_some(), "{value:?}");
            check(value, "true 1 password secret aaaaaaaaaa", "true 1 password secret aaaaaaaaaa");
        }
        assert_eq!(unmaskable(&SecretValue::new(b"canary".to_vec())), None);
        assert_eq!(unmaskable(&SecretValue::new(vec![0xff; 6])), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_masked_in_their_encodings() {
        let redactor = redactor(&[b"\xff\xfecanary\x00\x01"]);
        assert_eq!(redactor.redact("fffe63616e6172790001"), MASK);
        assert_eq!(redactor.redact("\u{fffd}\u{fffd}canary\u{0}\u{1}"), MASK);
        assert_eq!(redactor.redact("ÿþcanary\u{0}\u{1}"), MASK);
    }

    #[test]
    fn bytes_that_are_parts_of_characters_cut_no_character() {
        let redactor = redactor(&[b"\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"]);
        assert_eq!(redactor.redact("ééééééé"), "ééééééé");
    }

    #[test]
    fn a_beginning_is_masked_where_the_text_was_cut() {
        let redactor = redactor(&[b"canary-4e1b-9d"]);
        assert_eq!(redactor.redact_cut("a canary-4e1b-9d and canary-4e"), "a [redacted] and [redacted]");
        assert_eq!(redactor.redact_cut("a cancanary-4"), "a can[redacted]");
        assert_eq!(redactor.redact_cut("a can"), "a can");
        assert_eq!(redactor.redact_cut("63616e6172792d34"), MASK);
    }

    #[test]
    fn a_huge_value_is_masked_whole_and_beginnings_of_it_at_a_cut() {
        let value: String = (0..50_000).map(|index| format!("{index:05}")).collect();
        let redactor = redactor(&[value.as_bytes()]);
        assert_eq!(redactor.redact(&format!("<{value}>{value}")), format!("<{MASK}>{MASK}"));
        assert_eq!(redactor.redact_cut(&format!("<{}", &value[..177_777])), format!("<{MASK}"));
        assert_eq!(redactor.redact(&general_purpose::STANDARD.encode(&value)), MASK);
    }

    #[test]
    fn a_text_of_nothing_but_matches_is_quick() {
        let redactor = redactor(&[b"abababab", b"babababababa", "ab".repeat(300).as_bytes()]);
        assert_eq!(redactor.redact(&"ab".repeat(500_000)), MASK);
    }

    proptest::proptest! {
        // The same texts every time, so that what passes once passes always.
        #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn no_value_survives(value in "\\PC{6,40}", before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let secret = SecretValue::new(value.clone().into_bytes());
            if unmaskable(&secret).is_none() {
                let redacted = redactor(&[value.as_bytes()]).redact(&format!("{before}{value}{after}"));
                proptest::prop_assert!(!redacted.contains(&value) || MASK.contains(&value));
            }
        }
    }
}
