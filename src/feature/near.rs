//! Names that a person may have meant.

/// How many names one search compares at most, so that a huge list cannot hold up an editor.
const MAX_COMPARED: usize = 2_000;
/// How many suggestions are of use.
const MAX_SUGGESTIONS: usize = 3;

/// Up to three of `candidates` that are a slip away from `written`, the nearest first. Case does not count.
pub fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = written.to_lowercase();
    let limit = slips(wanted.len());
    let mut found: Vec<(usize, &str)> = candidates
        .take(MAX_COMPARED)
        .filter(|candidate| *candidate != written && candidate.len().abs_diff(wanted.len()) <= limit)
        .map(|candidate| (strsim::osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(MAX_SUGGESTIONS).collect()
}

/// How many slips a name of `length` bytes may hold: a third of it, at least one and at most three.
fn slips(length: usize) -> usize {
    (length / 3).clamp(1, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_found() {
        let names = ["Stripe_Key", "stripe-key", "strip", "database-key"];
        assert_eq!(nearest("stirpe-key", names.into_iter()), ["stripe-key", "Stripe_Key"]);
    }

    #[test]
    fn short_names_need_to_be_nearer() {
        assert_eq!(nearest("ab", ["cd", "ac", "abc"].into_iter()), ["abc", "ac"]);
    }

    #[test]
    fn the_name_itself_is_no_suggestion() {
        assert!(nearest("key", ["key"].into_iter()).is_empty());
    }
}
