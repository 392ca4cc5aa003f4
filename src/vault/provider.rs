//! What a provider can do. Each ability is a trait of its own, so that "can it?" and "do it" are one question.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    ProcessVariables, aws,
    hashicorp::{self, TokenSource},
    link::{
        Coordinates,
        integration::{Integration, Settings},
    },
    value::SecretValue,
};
use crate::status::Problem;

/// One integration, ready to be asked. Every provider can read values.
pub trait Provider: Send + Sync {
    /// Reads a value. Bounded in time by its caller.
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>>;

    /// Telling whether a value can be had without reading it.
    fn check(&self) -> Option<&dyn Check>;

    /// Listing names.
    fn list(&self) -> Option<&dyn List>;

    /// Signing in with a token that a person has.
    fn token_login(&self) -> Option<&dyn TokenLogin>;
}

/// Looks whether a read would succeed; no value comes over the wire.
pub trait Check: Send + Sync {
    /// A problem is the one that reading would meet.
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>>;
}

/// What a check found where it found no problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    Confirmed,
    /// Nothing is known to be wrong, and it cannot be told without reading the value.
    Unknown,
}

/// Lists names, never values.
pub trait List: Send + Sync {
    /// The names beside the secret at `at`; those that end in `/` are folders.
    fn list<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Vec<String>, Problem>>;
}

/// Takes a token for as long as the provider lives.
pub trait TokenLogin: Send + Sync {
    /// Asks the server about `token` and keeps it if it is accepted.
    fn sign_in<'a>(&'a self, token: SecretValue) -> BoxFuture<'a, Result<(), Problem>>;
}

/// Opens `integration`; nothing is asked yet.
pub fn open(
    integration: &Integration,
    tokens: &TokenSource,
    variables: &ProcessVariables,
) -> Result<Arc<dyn Provider>, Problem> {
    match integration.settings.as_ref() {
        Ok(Settings::Hashicorp(settings)) => {
            Ok(Arc::new(hashicorp::Cluster::open(&integration.name, settings, tokens.clone())))
        }
        Ok(Settings::Aws(settings)) => Ok(Arc::new(aws::Account::open(&integration.name, settings, variables.clone()))),
        Err(problem) => Err(problem.clone()),
    }
}
