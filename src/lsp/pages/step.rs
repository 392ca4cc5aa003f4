//! What a page shows, as data.

use super::link::{Bound, ByHand, Hurdle, Places, Start};
use crate::{
    http::send::Response,
    lsp::sign_ins::UnderWay,
    name::SecretName,
    vault::{Pending, person::Field},
    work::status::Report,
};

/// What one page shows.
pub enum Step {
    /// Something only the person knows.
    Ask(Ask),
    /// Which secret, and which vault.
    Start(Start),
    /// What a vault has to choose from.
    Places(Places),
    /// Why a vault cannot be looked into, and what can be done about it.
    Hurdle(Hurdle),
    /// A place in a vault as it is typed.
    ByHand(ByHand),
    /// A place that was chosen, and where the secret may go.
    Bound(Bound),
    /// Definitions, exactly as they would be approved.
    Review(Vec<Pending>),
    /// Whether a secret may go to a host.
    Host {
        secret: SecretName,
        host: String,
        title: String,
    },
    /// Another page: one signs in there, or looks something up.
    Visit {
        url: String,
        code: Option<String>,
        message: String,
        /// The sign-in that goes on when the person is done there.
        sign_in: Option<UnderWay>,
    },
    /// The state of everything, and what can be done about it.
    Status(Status),
    Response {
        response: Box<Response>,
        notes: Vec<String>,
    },
    End(End),
}

/// A question whose answer is handed over as `vaultls answer` does.
#[derive(Clone)]
pub struct Ask {
    pub ticket: String,
    pub message: String,
    pub fields: Vec<Field>,
    /// Whether what is asked for may have several lines.
    pub lines: bool,
    /// Why what was typed does not do.
    pub complaint: Option<&'static str>,
}

/// The state of everything.
pub struct Status {
    pub uri: Option<String>,
    pub report: Box<Report>,
    /// What was done just now.
    pub said: Option<String>,
}

/// The last page.
pub struct End {
    pub good: bool,
    pub message: String,
    /// Whether the same can be begun anew.
    pub again: bool,
}

impl Step {
    pub fn done(message: impl Into<String>) -> Self {
        Self::End(End { good: true, message: message.into(), again: false })
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::End(End { good: false, message: message.into(), again: false })
    }

    /// Whether nothing can be answered any more.
    pub fn is_last(&self) -> bool {
        match self {
            Self::End(end) => !end.again,
            Self::Response { .. } => true,
            _ => false,
        }
    }

    /// Whether it goes on without a form.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Visit { sign_in: Some(_), .. })
    }

    /// Whether what it waited for is over.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Visit { sign_in: Some(sign_in), .. } if sign_in.next().is_some())
    }
}
