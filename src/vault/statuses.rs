//! What providers said about links, remembered for a short time, so that an editor may ask at every keystroke.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::Shared};
use tokio::time::Instant;

use super::link::Fingerprint;
use crate::{
    name::SecretName,
    status::{Problem, Reason},
};

/// How long an answer counts as news.
pub(super) const FRESH: Duration = Duration::from_secs(30);

/// What is known about a link's value without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) problem: Option<Problem>,
    /// Whether the provider could tell.
    pub(super) checked: bool,
}

type Flight = Shared<Pin<Box<dyn Future<Output = Finding> + Send>>>;

/// One link under one name, in one generation: a reset begins a new one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    name: SecretName,
    link: Fingerprint,
    generation: u64,
}

struct Remembered {
    link: Fingerprint,
    generation: u64,
    at: Instant,
    finding: Finding,
}

/// The findings of one vault. Cloning it is cheap and shares it.
#[derive(Clone, Default)]
pub(super) struct Statuses(Arc<Inner>);

#[derive(Default)]
struct Inner {
    remembered: Mutex<HashMap<SecretName, Remembered>>,
    flights: Mutex<HashMap<Key, Flight>>,
    generation: AtomicU64,
}

impl Statuses {
    /// The finding about `link`: a fresh one, else what `ask` finds. One question at a time for one link; it goes on
    /// when its caller gives up. Must be called within a tokio runtime.
    pub(super) async fn get(
        &self,
        name: &SecretName,
        link: Fingerprint,
        ask: impl Future<Output = Finding> + Send + 'static,
    ) -> Finding {
        if let Some(finding) = self.fresh(name, link) {
            return finding;
        }
        let generation = self.0.generation.load(Ordering::SeqCst);
        self.flight(Key { name: name.clone(), link, generation }, ask).await
    }

    /// The last finding about `link`, however old; none where nobody asked, or since a reset.
    pub(super) fn last(&self, name: &SecretName, link: Fingerprint) -> Option<Finding> {
        let remembered = lock(&self.0.remembered);
        let generation = self.0.generation.load(Ordering::SeqCst);
        let last = remembered.get(name).filter(|last| last.link == link && last.generation == generation)?;
        Some(last.finding.clone())
    }

    /// How long ago the provider was last asked about `link`.
    pub(super) fn age(&self, name: &SecretName, link: Fingerprint) -> Option<Duration> {
        let remembered = lock(&self.0.remembered);
        remembered.get(name).filter(|last| last.link == link && last.finding.checked).map(|last| last.at.elapsed())
    }

    /// Takes note of what reading the value showed.
    pub(super) fn note(&self, name: &SecretName, link: Fingerprint, finding: Finding) {
        let generation = self.0.generation.load(Ordering::SeqCst);
        self.0.remember(Key { name: name.clone(), link, generation }, finding);
    }

    pub(super) fn forget(&self, name: &SecretName) {
        lock(&self.0.remembered).remove(name);
        lock(&self.0.flights).retain(|key, _| key.name != *name);
    }

    /// Also keeps what is being asked now from being remembered.
    pub(super) fn clear(&self) {
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        lock(&self.0.remembered).clear();
    }

    fn fresh(&self, name: &SecretName, link: Fingerprint) -> Option<Finding> {
        let remembered = lock(&self.0.remembered);
        let generation = self.0.generation.load(Ordering::SeqCst);
        let last = remembered.get(name).filter(|last| last.link == link && last.generation == generation)?;
        (last.at.elapsed() < FRESH).then(|| last.finding.clone())
    }

    fn flight(&self, key: Key, ask: impl Future<Output = Finding> + Send + 'static) -> Flight {
        let mut flights = lock(&self.0.flights);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let (inner, own) = (self.0.clone(), key.clone());
        let task = tokio::spawn(async move {
            let landing = Landing { inner, key: own };
            let finding = ask.await;
            landing.inner.remember(landing.key.clone(), finding.clone());
            finding
        });
        let flight = task.map(|joined| joined.unwrap_or_else(|_| interrupted())).boxed().shared();
        flights.insert(key, flight.clone());
        flight
    }
}

impl Inner {
    fn remember(&self, key: Key, finding: Finding) {
        let mut remembered = lock(&self.remembered);
        if key.generation == self.generation.load(Ordering::SeqCst) {
            let Key { name, link, generation } = key;
            remembered.insert(name, Remembered { link, generation, at: Instant::now(), finding });
        }
    }
}

/// Takes the flight off the list when its task ends, also by a panic.
struct Landing {
    inner: Arc<Inner>,
    key: Key,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.inner.flights).remove(&self.key);
    }
}

fn interrupted() -> Finding {
    Finding { problem: Some(Problem::new(Reason::Unreachable, "the check was interrupted")), checked: false }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::{sync::Notify, time::advance};

    use super::*;

    fn name() -> SecretName {
        SecretName::parse("a").unwrap()
    }

    fn link() -> Fingerprint {
        Fingerprint::of("a")
    }

    /// Finds nothing wrong, and counts.
    fn fine(asked: &Arc<AtomicUsize>) -> impl Future<Output = Finding> + Send + 'static {
        let asked = asked.clone();
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Finding { problem: None, checked: true }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_finding_is_news_for_half_a_minute() {
        let (statuses, asked) = (Statuses::default(), Arc::default());
        for _ in 0..5 {
            statuses.get(&name(), link(), fine(&asked)).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        advance(FRESH).await;
        assert!(statuses.last(&name(), link()).is_some());
        statuses.get(&name(), link(), fine(&asked)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn another_link_of_the_name_is_asked_anew() {
        let (statuses, asked) = (Statuses::default(), Arc::default());
        statuses.get(&name(), link(), fine(&asked)).await;
        assert_eq!(statuses.last(&name(), Fingerprint::of("b")), None);
        statuses.get(&name(), Fingerprint::of("b"), fine(&asked)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_reset_reaches_a_question_under_way() {
        let (statuses, asked, gate) = (Statuses::default(), Arc::default(), Arc::new(Notify::new()));
        let slow = {
            let (gate, ask) = (gate.clone(), fine(&asked));
            async move {
                gate.notified().await;
                ask.await
            }
        };
        let first = tokio::spawn({
            let statuses = statuses.clone();
            async move { statuses.get(&name(), link(), slow).await }
        });
        tokio::task::yield_now().await;
        statuses.clear();
        gate.notify_one();
        first.await.unwrap();
        assert_eq!(statuses.last(&name(), link()), None);
    }

    #[tokio::test]
    async fn a_panic_does_not_block_the_next_question() {
        let (statuses, asked) = (Statuses::default(), Arc::default());
        let finding = statuses.get(&name(), link(), async { panic!("a provider's fault") }).await;
        assert_eq!(finding.problem.unwrap().reason, Reason::Unreachable);
        assert!(statuses.get(&name(), link(), fine(&asked)).await.checked);
    }
}
