//! The providers of all integrations: opened once, asked by few at a time, forgotten with their definition.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Semaphore, time::timeout};

use super::{
    TIMEOUT,
    hashicorp::TokenSource,
    link::{Coordinates, Definitions, Fingerprint, integration::Integration},
    provider::{self, Existence, Provider},
    value::SecretValue,
};
use crate::status::{Problem, Reason};

/// How many checks, and how many reads, one integration is asked at a time. They do not wait for each other, and one
/// slow integration holds up no other.
const AT_A_TIME: usize = 8;

pub(super) struct Providers {
    tokens: TokenSource,
    /// By the integration's exact definition: one that was aimed elsewhere is another one, without the token that was
    /// entered for the first.
    open: Mutex<HashMap<Fingerprint, Arc<Opened>>>,
}

/// A provider that is asked within limits.
pub(super) struct Opened {
    integration: String,
    provider: Arc<dyn Provider>,
    reads: Semaphore,
    checks: Semaphore,
}

impl Providers {
    pub(super) fn new(tokens: TokenSource) -> Self {
        Self { tokens, open: Mutex::default() }
    }

    /// The provider of `integration`, which the caller trusts.
    pub(super) fn get(&self, integration: &Integration) -> Result<Arc<Opened>, Problem> {
        let mut open = self.lock();
        let key = Fingerprint::of(&integration.definition);
        if let Some(opened) = open.get(&key) {
            return Ok(opened.clone());
        }
        let opened = Arc::new(Opened {
            integration: integration.name.clone(),
            provider: provider::open(integration, &self.tokens)?,
            reads: Semaphore::new(AT_A_TIME),
            checks: Semaphore::new(AT_A_TIME),
        });
        open.insert(key, opened.clone());
        Ok(opened)
    }

    /// Drops the provider of `integration` with the token that was entered for it.
    pub(super) fn forget(&self, integration: &Integration) {
        self.lock().remove(&Fingerprint::of(&integration.definition));
    }

    /// Drops the providers that are defined no more.
    pub(super) fn retain(&self, definitions: &Definitions) {
        let current: Vec<Fingerprint> =
            definitions.integrations.values().map(|integration| Fingerprint::of(&integration.definition)).collect();
        self.lock().retain(|key, _| current.contains(key));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Arc<Opened>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    pub(super) async fn read(&self, at: &Coordinates) -> Result<SecretValue, Problem> {
        self.within(&self.reads, self.provider.read(at)).await
    }

    pub(super) async fn check(&self, at: &Coordinates) -> Result<Existence, Problem> {
        match self.provider.check() {
            Some(check) => self.within(&self.checks, check.check(at)).await,
            None => Ok(Existence::Unknown),
        }
    }

    pub(super) async fn names_beside(&self, at: &Coordinates) -> Result<Vec<String>, Problem> {
        match self.provider.list() {
            Some(list) => self.within(&self.checks, list.list(at)).await,
            None => Ok(Vec::new()),
        }
    }

    pub(super) async fn sign_in(&self, token: SecretValue) -> Result<(), Problem> {
        let Some(login) = self.provider.token_login() else {
            let detail = format!("`{}` does not take a token", self.integration);
            return Err(Problem::new(Reason::NotConfigured, detail));
        };
        self.within(&self.checks, login.sign_in(token)).await
    }

    /// Waits for its turn, then for at most [`TIMEOUT`].
    async fn within<T>(
        &self,
        turn: &Semaphore,
        question: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let _permit = turn.acquire().await.expect("the semaphore is never closed");
        timeout(TIMEOUT, question).await.unwrap_or_else(|_| {
            let detail = format!("`{}` gave no answer within {} seconds", self.integration, TIMEOUT.as_secs());
            Err(Problem::new(Reason::Unreachable, detail))
        })
    }
}
