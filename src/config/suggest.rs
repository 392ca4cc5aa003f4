//! "Did you mean": the known word nearest to an unknown one.

/// The candidate with the fewest edits to `word`; none when even that one differs in more than a third of it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let scored = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    scored.filter(|(edits, _)| *edits <= limit).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps that turn `a` into `b`, case and the two dashes ignored.
fn distance(a: &str, b: &str) -> usize {
    let normal = |text: &str| -> String {
        text.chars().take(64).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    strsim::osa_distance(&normal(a), &normal(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        let words = ["integration", "path", "allowed-domains"];
        for (slip, word) in [
            ("intgration", Some("integration")),
            ("allowed_domains", Some("allowed-domains")),
            ("Path", Some("path")),
            ("zebra", None),
            ("x", None),
        ] {
            assert_eq!(nearest(slip, words), word, "{slip}");
        }
    }
}
