//! The person who signs in, as a provider sees one: somebody who answers questions and can visit a page.
//!
//! A sign-in is written once, straight down, in its provider; the terminal and the editor each implement [`Person`].

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Serialize};
use url::Url;

use super::value::SecretValue;
use crate::status::{Problem, Reason};

/// Whoever signs in.
pub trait Person: Send + Sync {
    /// Asks for `fields`. An error where nobody can be asked here, or where they gave up.
    fn ask<'a>(&'a self, message: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>>;

    /// Shows `page`, in the browser where there is one. Stays pending while they are there: what they did shows
    /// elsewhere, as a redirect or an answer of the server. Resolves to the address they were redirected to if they
    /// paste it, for a browser on another machine; an error if they give up.
    fn visit<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>>;
}

/// A page where one signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// https, or http on this machine itself.
    pub url: Url,
    /// The code to enter there (RFC 8628, section 3.3).
    pub code: Option<String>,
    /// What they are to do there.
    pub message: String,
}

/// What a person typed, by the field's id.
pub type Answers = BTreeMap<String, SecretValue>;

/// One thing to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub id: String,
    pub label: String,
    pub kind: FieldKind,
    /// Whether it may stay empty. Whoever asks takes no empty answer to any other field.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// How a field is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    Text,
    Hidden,
    /// A one-time code.
    Otp,
}

impl Field {
    pub fn text(id: &str, label: impl Into<String>) -> Self {
        Self::new(id, label.into(), FieldKind::Text)
    }

    pub fn hidden(id: &str, label: impl Into<String>) -> Self {
        Self::new(id, label.into(), FieldKind::Hidden)
    }

    pub fn otp(id: &str, label: impl Into<String>) -> Self {
        Self::new(id, label.into(), FieldKind::Otp)
    }

    /// The same field, which may stay empty if `optional`.
    pub fn or_empty(self, optional: bool) -> Self {
        Self { optional, ..self }
    }

    fn new(id: &str, label: String, kind: FieldKind) -> Self {
        Self { id: id.into(), label, kind, optional: false }
    }
}

/// Asks for one thing.
pub async fn ask_one(person: &dyn Person, message: &str, field: Field) -> Result<SecretValue, Problem> {
    let id = field.id.clone();
    let mut answers = person.ask(message, vec![field]).await?;
    answers.remove(&id).ok_or_else(gave_up)
}

/// The person did not want to go on.
pub fn gave_up() -> Problem {
    Problem::new(Reason::LoginNeeded, "the sign-in was given up")
}

/// Somebody who has said one thing already, as on standard input: the answer to the first field that is asked for.
pub struct Given(Mutex<Option<SecretValue>>);

impl Given {
    pub fn new(answer: SecretValue) -> Self {
        Self(Mutex::new(Some(answer)))
    }
}

impl Person for Given {
    fn ask<'a>(&'a self, _: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = match (&fields[..], given) {
            ([field, ..], Some(given)) => Ok(Answers::from([(field.id.clone(), given)])),
            _ => Err(Problem::new(Reason::LoginNeeded, "more is asked for than was given")),
        };
        std::future::ready(answer).boxed()
    }

    fn visit<'a>(&'a self, _: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        let detail = "this takes a browser; sign in from a terminal or an editor";
        std::future::ready(Err(Problem::new(Reason::LoginNeeded, detail))).boxed()
    }
}
