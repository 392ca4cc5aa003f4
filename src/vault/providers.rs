//! The providers of all integrations: opened once, asked by few at a time, forgotten with their definition.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{
    TIMEOUT, aws, azure,
    gather::Gather,
    hashicorp,
    link::{
        Coordinates, Definitions, Fingerprint,
        integration::{Integration, Settings},
    },
    onepassword,
    person::Person,
    provider::{Choices, Existence, Provider, Shelf, Surroundings},
    value::SecretValue,
};
use crate::status::{Problem, Reason, Session};

/// How many checks, and how many reads, one integration is asked at a time. They do not wait for each other, and one
/// slow integration holds up no other.
const AT_A_TIME: usize = 8;

/// A failure that took as long as this was a silence, which those in the queue need not wait for once more.
const SILENCE: Duration = Duration::from_secs(3);

/// How long an integration that did not answer is not asked again by a check.
const OUTAGE: Duration = Duration::from_secs(5);

type Gathered = Gather<String, Coordinates, Result<SecretValue, Problem>>;

pub(super) struct Providers {
    around: Surroundings,
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
    /// Reads that are asked with one question, where the provider can.
    gather: Arc<Gathered>,
    /// The last check that nobody answered: those that wait behind it are not made to wait as long.
    outage: Mutex<Option<(Instant, Problem)>>,
    /// The last read that was waited for in vain.
    silence: Mutex<Option<(Instant, Problem)>>,
}

impl Providers {
    pub(super) fn new(around: Surroundings) -> Self {
        Self { around, open: Mutex::default() }
    }

    /// The provider of `integration`, which the caller trusts.
    pub(super) fn get(&self, integration: &Integration) -> Result<Arc<Opened>, Problem> {
        let mut open = lock(&self.open);
        let key = Fingerprint::of(&integration.definition);
        if let Some(opened) = open.get(&key) {
            return Ok(opened.clone());
        }
        let opened = Arc::new(Opened {
            integration: integration.name.clone(),
            provider: open_provider(integration, &self.around)?,
            reads: Semaphore::new(AT_A_TIME),
            checks: Semaphore::new(AT_A_TIME),
            gather: Arc::default(),
            outage: Mutex::default(),
            silence: Mutex::default(),
        });
        open.insert(key, opened.clone());
        Ok(opened)
    }

    /// Takes the provider of `integration` away, with the credentials that were entered for it; none where nobody
    /// asked it yet.
    pub(super) fn take(&self, integration: &Integration) -> Option<Arc<Opened>> {
        lock(&self.open).remove(&Fingerprint::of(&integration.definition))
    }

    /// The provider of `integration` if it was asked before.
    pub(super) fn opened(&self, integration: &Integration) -> Option<Arc<Opened>> {
        lock(&self.open).get(&Fingerprint::of(&integration.definition)).cloned()
    }

    /// Drops the providers that are defined no more, and returns them.
    pub(super) fn retain(&self, definitions: &Definitions) -> Vec<Arc<Opened>> {
        let current: Vec<Fingerprint> =
            definitions.integrations.values().map(|integration| Fingerprint::of(&integration.definition)).collect();
        lock(&self.open).extract_if(|key, _| !current.contains(key)).map(|(_, opened)| opened).collect()
    }

    /// Drops every provider, and returns them.
    pub(super) fn take_all(&self) -> Vec<Arc<Opened>> {
        std::mem::take(&mut *lock(&self.open)).into_values().collect()
    }

    /// Has every integration asked again, also those that just did not answer.
    pub(super) fn forget_outages(&self) {
        for opened in lock(&self.open).values() {
            *lock(&opened.outage) = None;
        }
    }
}

impl Opened {
    /// Reads a value, together with others that are asked for at about the same time if the provider can.
    pub(super) async fn read(self: &Arc<Self>, at: &Coordinates) -> Result<SecretValue, Problem> {
        let gathered = self.provider.read_many().and_then(|many| Some((many.bundle(at)?, many.at_most())));
        let Some((bundle, at_most)) = gathered.filter(|(_, at_most)| *at_most > 1) else {
            return self.read_one(at).await;
        };
        let opened = self.clone();
        let ask = move |questions: Vec<Coordinates>| async move { opened.read_group(&questions).await };
        let answer = self.gather.join(bundle, at.clone(), at_most, ask).await;
        answer.unwrap_or_else(|| {
            let detail = format!("reading from `{}` was interrupted; try again", self.integration);
            Err(Problem::new(Reason::Unreachable, detail))
        })
    }

    async fn read_one(&self, at: &Coordinates) -> Result<SecretValue, Problem> {
        self.waiting_once(self.provider.read(at)).await
    }

    /// One outcome for each of `group`, with one question; a lone one is read like any other.
    async fn read_group(&self, group: &[Coordinates]) -> Vec<Result<SecretValue, Problem>> {
        let many = match (group, self.provider.read_many()) {
            (_, Some(many)) if group.len() > 1 => many,
            _ => return join_all(group.iter().map(|at| self.read_one(at))).await,
        };
        match self.waiting_once(async { Ok(many.read_many(group).await) }).await {
            Ok(outcomes) => outcomes,
            Err(problem) => group.iter().map(|_| Err(problem.clone())).collect(),
        }
    }

    pub(super) async fn check(&self, at: &Coordinates) -> Result<Existence, Problem> {
        let Some(check) = self.provider.check() else { return Ok(Existence::Unknown) };
        let question = async {
            if let Some(problem) = self.outage() {
                return Err(problem);
            }
            check.check(at).await
        };
        let outcome = self.within(&self.checks, question).await;
        if let Err(problem) = &outcome
            && problem.reason == Reason::Unreachable
        {
            lock(&self.outage).get_or_insert_with(|| (Instant::now(), problem.clone()));
        }
        outcome
    }

    /// The outage that was met a moment ago.
    fn outage(&self) -> Option<Problem> {
        let mut outage = lock(&self.outage);
        if outage.as_ref().is_some_and(|(since, _)| since.elapsed() >= OUTAGE) {
            *outage = None;
        }
        outage.as_ref().map(|(_, problem)| problem.clone())
    }

    /// Waits as long as the person takes.
    pub(super) async fn sign_in(&self, person: &dyn Person) -> Result<Session, Problem> {
        match self.provider.login() {
            Some(login) => login.sign_in(person).await,
            None => Err(Problem::new(Reason::NotConfigured, format!("`{}` takes no sign-in here", self.integration))),
        }
    }

    /// Ends the session; the revocation takes at most [`TIMEOUT`].
    pub(super) async fn disconnect(&self) -> Result<(), Problem> {
        self.within(&self.checks, self.provider.disconnect()).await
    }

    pub(super) async fn browse(&self, at: &Shelf) -> Result<Choices, Problem> {
        match self.provider.browse() {
            Some(browse) => self.within(&self.checks, browse.browse(at)).await,
            None => Err(Problem::new(Reason::NotConfigured, format!("`{}` cannot list", self.integration))),
        }
    }

    pub(super) fn session(&self) -> Option<Session> {
        self.provider.session()
    }

    /// A read, within limits; one that was in the queue while another met silence meets it too.
    async fn waiting_once<T>(&self, question: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let asked = Instant::now();
        let _permit = self.reads.acquire().await.expect("the semaphore is never closed");
        if let Some((since, problem)) = lock(&self.silence).as_ref()
            && *since > asked
        {
            return Err(problem.clone());
        }
        let begun = Instant::now();
        let outcome = self.in_time(question).await;
        if let Err(problem) = &outcome
            && problem.reason == Reason::Unreachable
            && begun.elapsed() >= SILENCE
        {
            *lock(&self.silence) = Some((Instant::now(), problem.clone()));
        }
        outcome
    }

    /// Waits for its turn, then for at most [`TIMEOUT`].
    async fn within<T>(
        &self,
        turn: &Semaphore,
        question: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let _permit = turn.acquire().await.expect("the semaphore is never closed");
        self.in_time(question).await
    }

    async fn in_time<T>(&self, question: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        timeout(TIMEOUT, question).await.unwrap_or_else(|_| {
            let detail = format!("`{}` gave no answer within {} seconds", self.integration, TIMEOUT.as_secs());
            Err(Problem::new(Reason::Unreachable, detail))
        })
    }
}

/// Opens `integration`; nothing is asked yet.
fn open_provider(integration: &Integration, around: &Surroundings) -> Result<Arc<dyn Provider>, Problem> {
    match integration.settings.as_ref() {
        Ok(Settings::Hashicorp(settings)) => {
            let (tokens, variables) = (around.tokens.clone(), around.variables.clone());
            Ok(Arc::new(hashicorp::Cluster::open(&integration.name, settings, tokens, variables)))
        }
        Ok(Settings::Azure(settings)) => {
            Ok(Arc::new(azure::KeyVaults::open(&integration.name, settings, around.clone())))
        }
        Ok(Settings::Aws(settings)) => {
            Ok(Arc::new(aws::Account::open(&integration.name, settings, around.variables.clone())))
        }
        Ok(Settings::Onepassword(settings)) => Ok(onepassword::open(&integration.name, settings, around.clone())),
        Err(problem) => Err(problem.clone()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
