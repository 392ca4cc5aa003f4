//! What is wrong with a request itself, as an obstacle.

use crate::{
    http::prepare::PreparedFault,
    syntax::expand::{Fault, FaultKind},
    work::Obstacle,
};

/// A fault in the words in which a person is told why nothing was sent.
pub fn obstacle(fault: &PreparedFault) -> Obstacle {
    match fault {
        PreparedFault::Variable(Fault { kind, .. }) => variable(kind),
        PreparedFault::Unsupported(message) => plain("unsupported", message.clone(), ""),
        PreparedFault::Other { message, .. } => plain("request", message.clone(), ""),
    }
}

fn variable(kind: &FaultKind) -> Obstacle {
    match kind {
        FaultKind::Unknown(name) => plain(
            "variable",
            format!("the variable `{}` has no value", shown(name)),
            "define it in the file or in an environment, and choose that environment",
        ),
        FaultKind::Elsewhere(name, elsewhere) => {
            plain("variable", elsewhere.message(&shown(name)), elsewhere.hint(name))
        }
        FaultKind::Cycle(name) => {
            plain("variable", format!("the variable `{}` leads back to itself", shown(name)), "break the cycle")
        }
        FaultKind::TooLarge => plain("variable", "variables expand to too much text", "use fewer nested variables"),
        FaultKind::Exchange(why) => plain("request", why.clone(), ""),
        FaultKind::BrokenReference => {
            plain("reference", "a reference does not name a secret", "write it as `<<vault:name>>`")
        }
    }
}

/// A name from a file, made fit for one line.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

/// An obstacle that is of no secret.
pub fn plain(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Obstacle {
    Obstacle { secret: None, host: None, code, message: message.into(), hint: hint.into() }
}
