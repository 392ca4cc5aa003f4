//! What commands answer: plain data, which holds no value. It does not know how it is told to a person.

use serde::Serialize;

use crate::{
    vault::person::Field,
    work::{
        choices::Listing,
        status::{Report, Waiting},
        verbs::Failure,
    },
};

/// What came of a command, or what it asks next.
#[derive(Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    Done {
        message: String,
    },
    /// The person must be asked; the answer goes through `vaultls answer` with the ticket.
    NeedsInput {
        ticket: String,
        message: String,
        fields: Vec<Field>,
        /// How the same is done in a terminal, for clients that cannot ask.
        #[serde(skip)]
        by_hand: String,
    },
    /// The person is to sign in on a page. The server opened it where the client can; an address that they paste goes
    /// through `vaultls answer`.
    Browser {
        integration: String,
        url: String,
        /// To be entered on the page.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Field>,
    },
    /// What there is to choose from; names, never values.
    Choices(Listing),
    /// A page for the browser that the client could not be made to show.
    Page {
        url: String,
        message: String,
    },
    /// What waits for approval, to be shown as it stands.
    Review {
        pending: Vec<Waiting>,
    },
    Status(Box<Report>),
    /// For the person to paste elsewhere.
    Text {
        text: String,
    },
    Failed {
        message: String,
        /// A code of `Reason`, where one is behind it.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
    },
}

impl Outcome {
    pub fn done(message: impl Into<String>) -> Self {
        Self::Done { message: message.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), code: None }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed { message: told(&failure), code: failure.code() }
    }
}

/// A failure with its way out.
pub fn told(failure: &Failure) -> String {
    if failure.hint.is_empty() { failure.message.clone() } else { format!("{}; {}", failure.message, failure.hint) }
}
