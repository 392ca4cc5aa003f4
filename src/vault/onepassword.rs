//! 1Password: through the user's own `op` (the desktop app or a service account), or through a Connect server.
//!
//! NB. neither 1Password's service nor a Connect server could be had for the tests. What is written here follows the
//! public references; the tests hold it against stand-ins, and those against 1Password's own Connect SDK.
//! Sources: <https://developer.1password.com/docs/cli/reference> and
//! <https://developer.1password.com/docs/connect/api-reference>.

mod browse;
mod connect;
mod item;
mod op;

use std::sync::Arc;

use super::{
    link::{
        Coordinates,
        onepassword::{Access, OnePassword, OpReference},
    },
    provider::{Provider, Surroundings},
    value::SecretValue,
};
use crate::status::{Problem, Reason};

pub use connect::Connect;
pub use op::CommandLine;

/// Opens an integration; nothing is asked yet.
pub fn open(integration: &str, settings: &OnePassword, around: Surroundings) -> Arc<dyn Provider> {
    match &settings.access {
        Access::App { account } => Arc::new(CommandLine::of_app(integration, account.clone(), around)),
        Access::ServiceAccount => Arc::new(CommandLine::of_service_account(integration, around)),
        Access::Connect(address) => {
            Arc::new(Connect::open(integration, address.clone(), settings.ca_file.clone(), around.variables))
        }
    }
}

/// The coordinates of this provider's kind.
fn reference(at: &Coordinates) -> Result<&OpReference, Problem> {
    match at {
        Coordinates::Onepassword(reference) => Ok(reference),
        Coordinates::Kv(_) | Coordinates::Aws(_) | Coordinates::Azure(_) => {
            Err(Problem::new(Reason::NotConfigured, "the link is not one into 1Password"))
        }
    }
}

/// A value as it came, if it is one.
fn usable(value: SecretValue, reference: &OpReference) -> Result<SecretValue, Problem> {
    if value.is_empty() {
        return Err(Problem::new(Reason::Empty, format!("`{reference}` is empty")));
    }
    if value.len() > SecretValue::MAX_LENGTH {
        return Err(too_large(reference));
    }
    Ok(value)
}

fn too_large(reference: &OpReference) -> Problem {
    let limit = SecretValue::MAX_LENGTH / 1024;
    Problem::new(Reason::BadValue, format!("`{reference}` is larger than {limit} KiB"))
}

fn no_vault(integration: &str, vault: &str) -> Problem {
    let detail = format!("`{integration}` has no vault `{vault}`, or it may not be seen by whoever signed in");
    Problem::new(Reason::NotFound, detail)
}

fn no_item(vault: &str, item: &str) -> Problem {
    Problem::new(Reason::NotFound, format!("the vault `{vault}` has no item `{item}`"))
}

fn ambiguous(what: &str, name: &str) -> Problem {
    let detail = format!("more than one {what} is called `{name}`; link it by its id");
    Problem::new(Reason::Ambiguous, detail)
}
