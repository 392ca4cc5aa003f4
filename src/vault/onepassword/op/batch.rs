//! Several values with one `op inject`: a template with a random mark around each, and its answer taken apart again.
//!
//! Values may hold line breaks and anything that looks like a template, so they are found by marks that nobody can
//! have guessed.

use crate::{
    status::{Problem, Reason},
    vault::{link::onepassword::OpReference, value::SecretValue},
};

/// A template, and how to read its answer.
pub(super) struct Batch {
    mark: String,
    template: String,
    count: usize,
}

impl Batch {
    pub(super) fn new(wanted: &[&OpReference]) -> Result<Self, Problem> {
        let mut random = [0; 16];
        let no_random = |_| Problem::new(Reason::Unreachable, "this machine has no random numbers");
        getrandom::fill(&mut random).map_err(no_random)?;
        let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mark = format!("vaultls-{random}-");
        let mut template = String::new();
        for (index, reference) in wanted.iter().enumerate() {
            template += &format!("{mark}{index}:{{{{ {reference} }}}}:{index}\n");
        }
        Ok(Self { mark, template, count: wanted.len() })
    }

    pub(super) fn template(&self) -> &str {
        &self.template
    }

    /// The values in the template's order; none if the answer is not one to it.
    pub(super) fn split(&self, answer: &[u8]) -> Option<Vec<SecretValue>> {
        let mut rest = answer;
        let mut values = Vec::with_capacity(self.count);
        for index in 0..self.count {
            rest = rest.strip_prefix(format!("{}{index}:", self.mark).as_bytes())?;
            let end = format!(":{index}\n");
            let next = index + 1;
            let length = if next == self.count {
                // What reads a template may end it with a line break or without one.
                let whole = rest.strip_suffix(b"\n").unwrap_or(rest);
                whole.strip_suffix(end.trim_end().as_bytes())?.len()
            } else {
                find(rest, format!("{end}{}{next}:", self.mark).as_bytes())?
            };
            let (value, after) = rest.split_at(length);
            values.push(SecretValue::new(value.to_vec()));
            rest = after.strip_prefix(end.as_bytes()).unwrap_or_default();
        }
        Some(values)
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look at their canaries")]
mod tests {
    use super::*;

    /// What comes back when each reference becomes the value of the same place, and then `change` happens.
    fn through(values: &[&[u8]], change: impl Fn(&mut Vec<u8>)) -> Option<Vec<Vec<u8>>> {
        let reference = OpReference::parse("op://v/i/f").unwrap();
        let batch = Batch::new(&vec![&reference; values.len()]).unwrap();
        let mut parts = batch.template().split("{{ op://v/i/f }}");
        let mut answer = parts.next().unwrap().as_bytes().to_vec();
        for (value, part) in values.iter().zip(parts) {
            answer.extend_from_slice(value);
            answer.extend_from_slice(part.as_bytes());
        }
        change(&mut answer);
        let found = batch.split(&answer)?;
        Some(found.into_iter().map(|value| value.expose(<[u8]>::to_vec)).collect())
    }

    #[test]
    fn values_come_back_byte_by_byte() {
        let values: [&[u8]; 6] =
            [b"canary", b"", b"a\nb\n", b"\xff\x00", b":1\nvaultls-00-2:{{ op://x/y/z }}:2\n", b"end:5\n"];
        assert_eq!(through(&values, |_| ()).unwrap(), values);
        let trimmed = through(&values, |answer| drop(answer.pop()));
        assert_eq!(trimmed.unwrap(), values);
    }

    #[test]
    fn an_answer_that_is_cut_or_changed_is_none() {
        let values: [&[u8]; 2] = [b"canary-1", b"canary-2"];
        assert_eq!(through(&values, |answer| answer.truncate(30)), None);
        assert_eq!(through(&values, |answer| answer.truncate(answer.len() - 2)), None);
        assert_eq!(through(&values, |answer| answer.insert(0, b'x')), None);
        assert_eq!(through(&values, Vec::clear), None);
    }

    #[test]
    fn no_two_batches_share_a_mark() {
        let reference = OpReference::parse("op://v/i/f").unwrap();
        let [one, two] = [Batch::new(&[&reference]).unwrap(), Batch::new(&[&reference]).unwrap()];
        assert_ne!(one.mark, two.mark);
    }
}
