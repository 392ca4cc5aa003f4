//! What a provider can do. Each ability is a trait of its own, so that "can it?" and "do it" are one question.

use std::{path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;

use super::{ProcessVariables, link::Coordinates, person::Person, value::SecretValue};
use crate::{
    config::NewLink,
    status::{Problem, Session},
};

/// One integration, ready to be asked. Every provider can read values.
pub trait Provider: Send + Sync {
    /// Reads a value. Bounded in time by its caller.
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>>;

    /// Telling whether a value can be had without reading it.
    fn check(&self) -> Option<&dyn Check>;

    /// Reading several values with one question.
    fn read_many(&self) -> Option<&dyn ReadMany> {
        None
    }

    /// Finding a secret by choosing, step by step.
    fn browse(&self) -> Option<&dyn Browse> {
        None
    }

    /// Signing in by a person. None where there is nothing that a person could do here.
    fn login(&self) -> Option<&dyn Login>;

    /// Who is signed in, as far as it is known without asking.
    fn session(&self) -> Option<Session> {
        None
    }

    /// Ends the session: the credentials leave memory at once, and are revoked where the provider can. A problem is
    /// one of the revocation alone.
    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>>;
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

/// Reads several values with one question to the server.
pub trait ReadMany: Send + Sync {
    /// The most that one question asks for.
    fn at_most(&self) -> usize;

    /// Which values can be had together: those of the same bundle. None for one that has to be read alone.
    fn bundle(&self, _at: &Coordinates) -> Option<String> {
        Some(String::new())
    }

    /// One outcome for each of `at`, in their order.
    fn read_many<'a>(&'a self, at: &'a [Coordinates]) -> BoxFuture<'a, Vec<Result<SecretValue, Problem>>>;
}

/// Finds a secret by choosing. Names only, never values.
pub trait Browse: Send + Sync {
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>>;
}

/// Where in a provider one looks for a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// What was chosen so far, from the outside in, as the provider's own choices said.
    pub path: Vec<String>,
    /// A part of the names that are wanted; empty for all.
    pub filter: String,
    /// The page, as the one before it said; the first without.
    pub page: Option<String>,
}

/// What there is to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// What is chosen here, such as `engine` or `secret`.
    pub title: String,
    pub choices: Vec<Choice>,
    /// The next page, where there is one.
    pub more: Option<String>,
    /// What can be typed by hand instead, as the next part of the path.
    pub by_hand: Option<ByHand>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub label: String,
    pub detail: Option<String>,
    pub leads: Leads,
}

/// What choosing leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// More to choose from: the path of the next [`Shelf`].
    To(Vec<String>),
    /// A secret. The link's `integration` is filled in by the caller.
    Link(Box<NewLink>),
}

/// A part of a path that a person may type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    pub label: String,
    /// An example.
    pub placeholder: Option<String>,
}

/// Signs a person in, for as long as the provider lives.
pub trait Login: Send + Sync {
    /// Keeps the credentials only if the server accepts them. Not bounded in time: a person takes a while.
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>>;
}

/// What this user and this machine provide for signing in.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub tokens: TokenSource,
    pub variables: ProcessVariables,
    /// The workspace, none of whose programs is ever started.
    pub workspace: Option<PathBuf>,
}

/// The tokens that the user's own tools left on this machine.
#[derive(Clone, Default)]
pub struct TokenSource {
    /// `VAULT_TOKEN`.
    pub given: Option<Arc<SecretValue>>,
    /// `~/.vault-token`.
    pub file: Option<PathBuf>,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource").field("file", &self.file).finish_non_exhaustive()
    }
}
