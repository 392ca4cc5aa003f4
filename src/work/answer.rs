//! Questions to a person whose answer may not travel in an editor's messages, because clients log them: the asking
//! process opens a private socket (on Windows a private pipe), and `vaultls answer TICKET` hands the answer over and
//! waits for what the asker made of it.

#[cfg(unix)]
#[path = "answer/unix.rs"]
mod channel;
#[cfg(windows)]
#[path = "answer/windows.rs"]
mod channel;
mod desk;
mod files;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, de};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::vault::{
    person::{Answers, Field},
    value::SecretValue,
};

pub use desk::{Desk, deliver, fields};
pub use files::sweep;

/// How long the id of a desk is, which its files and tickets begin with.
const DESK_DIGITS: usize = 8;

/// The longest message, in bytes.
pub const LONGEST: usize = 1 << 20;

/// An answer that arrived, and the way back to whoever gave it.
pub struct Answered<Next> {
    pub answers: Answers,
    pub reply: Reply<Next>,
}

/// What came of an answer: nothing more to say, or what comes next, in the words of whoever asked and without secrets;
/// else a failure in words.
pub type Effect<Next> = Result<Option<Next>, String>;

/// The way back to whoever answered.
pub struct Reply<Next>(oneshot::Sender<Effect<Next>>);

impl<Next> Reply<Next> {
    /// Tells whoever answered what came of it. Gives it back where nobody waits for it any more, so that it can be
    /// told by other means.
    pub fn send(self, effect: Effect<Next>) -> Result<(), Effect<Next>> {
        self.0.send(effect)
    }
}

/// Why an answer was not taken. Names no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("this is not a ticket")]
    NotATicket,
    #[error("nobody waits for this answer: it was given before, or took longer than five minutes")]
    Expired,
    #[error("the answer is not a JSON object of texts")]
    NotJson,
    #[error("the answer lacks `{0}`")]
    Lacks(String),
    #[error("the answer to `{0}` is empty")]
    Empty(String),
    #[error("`{0}` was not asked for")]
    Unasked(String),
    #[error("the answer is longer than 1 MiB")]
    TooLong,
    #[error("the answer could not be handed over: {0}")]
    Channel(String),
    /// It was taken, and what it was asked for failed, in the words of whoever asked.
    #[error("{0}")]
    Failed(String),
    #[error("the answer was taken, and what became of it is not known: it takes longer than two minutes")]
    Unknown,
}

/// A text that goes straight into a [`SecretValue`].
struct Text(SecretValue);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(SecretValue::new(text.as_bytes().to_vec())))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(SecretValue::new(text.into_bytes())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Reads `{"id": "answer", ..}` and holds it to the fields that were asked for: each is answered, and only an optional
/// one is empty or left out. NB. a text with JSON escapes passes
/// through a buffer of the JSON reader that is not wiped.
fn read_answers(json: &Zeroizing<Vec<u8>>, fields: &[Field]) -> Result<Answers, AnswerError> {
    let texts: BTreeMap<String, Text> = serde_json::from_slice(json).map_err(|_| AnswerError::NotJson)?;
    let answers = texts.into_iter().map(|(id, text)| (id, text.0)).collect();
    check(&answers, fields)?;
    Ok(answers)
}

/// Holds answers to the fields that were asked for.
fn check(answers: &Answers, fields: &[Field]) -> Result<(), AnswerError> {
    for field in fields.iter().filter(|field| !field.optional) {
        let text = answers.get(&field.id).ok_or_else(|| AnswerError::Lacks(field.id.clone()))?;
        if text.is_empty() {
            return Err(AnswerError::Empty(field.id.clone()));
        }
    }
    if let Some(id) = answers.keys().find(|id| !fields.iter().any(|field| field.id == **id)) {
        return Err(AnswerError::Unasked(id.chars().take(40).flat_map(char::escape_debug).collect()));
    }
    Ok(())
}
