//! Values that were fetched, for as long as they may live. The only user of moka.
//!
//! - One fetch at a time for one link: who asks meanwhile waits for it, and a caller that gives up does not end it.
//! - A key carries the link's fingerprint and an epoch: a relinked name, a reset or a new sign-in can never serve an old
//!   value, not even one whose fetch was under way.
//! - A value is dropped from memory when its time is over, not when somebody next asks: a sweeper sees to it.
//! - Neither a laptop that slept nor a clock that was set back lengthens a value's time (see [`Life`]).

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{life::Life, link::Fingerprint, value::SecretValue};
use crate::status::{Problem, Reason};
use futures_util::{FutureExt, future::Shared};

/// The bytes of all values together. A vault of a thousand keys takes a tenth of it.
const MAX_WEIGHT: u64 = 16 * 1024 * 1024;

/// What an entry costs besides its value.
const ENTRY_WEIGHT: u32 = 128;

/// How often the sweeper looks.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    link: Fingerprint,
    epoch: u64,
}

type Outcome = Result<Arc<SecretValue>, Problem>;
type Flight = Shared<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

/// The cache of one vault. Cloning it is cheap and shares it.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    values: moka::future::Cache<Key, Arc<Slot>>,
    flights: Mutex<HashMap<Key, Flight>>,
    epoch: AtomicU64,
    /// How often a single link was forgotten; part of its key.
    forgotten: Mutex<HashMap<Fingerprint, u64>>,
    sweeping: AtomicBool,
    wall: fn() -> SystemTime,
}

/// A value with its end. Eviction empties it at once: moka itself may free an entry much later.
struct Slot {
    value: Mutex<Option<Arc<SecretValue>>>,
    life: Life,
    /// When the credential that fetched it ends, where that is known.
    end: Mutex<Option<SystemTime>>,
}

impl Default for Cache {
    fn default() -> Self {
        Self::with_clock(SystemTime::now)
    }
}

impl Cache {
    fn with_clock(wall: fn() -> SystemTime) -> Self {
        let values = moka::future::Cache::builder()
            .max_capacity(MAX_WEIGHT)
            .weigher(|_, slot: &Arc<Slot>| slot.weight())
            .eviction_listener(|_, slot: Arc<Slot>, _| slot.empty())
            .build();
        Self(Arc::new(Inner {
            values,
            flights: Mutex::default(),
            epoch: AtomicU64::default(),
            forgotten: Mutex::default(),
            sweeping: AtomicBool::default(),
            wall,
        }))
    }

    /// The value of `link`: the cached one, else what `load` returns, which is kept for `ttl`. `load` runs in a task of
    /// its own. Must be called within a tokio runtime.
    pub async fn get(
        &self,
        link: Fingerprint,
        ttl: Duration,
        load: impl Future<Output = Result<SecretValue, Problem>> + Send + 'static,
    ) -> Outcome {
        let key = self.0.key(link);
        if let Some(value) = self.0.cached(key).await {
            return Ok(value);
        }
        self.0.flight(key, ttl, load).await
    }

    /// How long the value of `link` will still serve; none where it is not cached.
    pub async fn remaining(&self, link: Fingerprint) -> Option<Duration> {
        let slot = self.0.values.get(&self.0.key(link)).await?;
        slot.remaining((self.0.wall)())
    }

    /// Has the value of `link` serve no longer than until `end`, the end of the credential that fetches it.
    pub async fn end_with(&self, link: Fingerprint, end: SystemTime) {
        if let Some(slot) = self.0.values.get(&self.0.key(link)).await {
            *lock(&slot.end) = Some(end);
        }
    }

    /// Forgets the values of the links that `keep` does not name. They leave memory at once.
    pub fn retain(&self, keep: impl Fn(&Fingerprint) -> bool) {
        for (key, slot) in &self.0.values {
            if !keep(&key.link) {
                slot.empty();
            }
        }
    }

    /// Forgets the value of `link`, also one that is being fetched.
    pub async fn forget(&self, link: Fingerprint) {
        let key = self.0.key(link);
        *lock(&self.0.forgotten).entry(link).or_default() += 1;
        self.0.values.invalidate(&key).await;
        self.0.values.run_pending_tasks().await;
    }

    /// Forgets every value, also those that are being fetched.
    pub async fn clear(&self) {
        self.0.epoch.fetch_add(1 << 32, Ordering::SeqCst);
        self.0.values.invalidate_all();
        self.0.values.run_pending_tasks().await;
    }
}

impl Inner {
    fn key(&self, link: Fingerprint) -> Key {
        let times = lock(&self.forgotten).get(&link).copied().unwrap_or_default();
        Key { link, epoch: self.epoch.load(Ordering::SeqCst).wrapping_add(times) }
    }

    async fn cached(&self, key: Key) -> Option<Arc<SecretValue>> {
        let slot = self.values.get(&key).await?;
        let value = slot.remaining((self.wall)()).and_then(|_| slot.value());
        if value.is_none() {
            self.values.invalidate(&key).await;
        }
        value
    }

    /// The fetch of `key` that is under way, or a new one.
    fn flight(
        self: &Arc<Self>,
        key: Key,
        ttl: Duration,
        load: impl Future<Output = Result<SecretValue, Problem>> + Send + 'static,
    ) -> Flight {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let task = tokio::spawn(self.clone().fetch(key, ttl, load));
        let flight = task.map(|joined| joined.unwrap_or_else(|_| Err(interrupted()))).boxed().shared();
        flights.insert(key, flight.clone());
        flight
    }

    async fn fetch(
        self: Arc<Self>,
        key: Key,
        ttl: Duration,
        load: impl Future<Output = Result<SecretValue, Problem>> + Send + 'static,
    ) -> Outcome {
        // Dropped last and also by a panic, so that no dead flight blocks the next fetch.
        let _landing = Landing { inner: self.clone(), key };
        let life = Life::beginning_at((self.wall)(), ttl);
        let value = Arc::new(load.await?);
        // A key of an older epoch is never looked up again: its value must not be kept either.
        if !ttl.is_zero() && key == self.key(key.link) {
            let slot = Slot { value: Mutex::new(Some(value.clone())), life, end: Mutex::default() };
            self.values.insert(key, Arc::new(slot)).await;
            if key != self.key(key.link) {
                self.values.invalidate(&key).await;
            }
            self.sweep();
        }
        Ok(value)
    }

    /// Starts the sweeper unless it runs. It ends with the last value, or with the cache.
    fn sweep(self: &Arc<Self>) {
        if self.sweeping.swap(true, Ordering::SeqCst) {
            return;
        }
        let cache = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                if !sweep_once(&cache).await {
                    return;
                }
            }
        });
    }
}

/// Drops what is over. Says whether there is anything left to watch.
async fn sweep_once(cache: &Weak<Inner>) -> bool {
    let Some(cache) = cache.upgrade() else { return false };
    let now = (cache.wall)();
    let over: Vec<Key> = {
        let entries = cache.values.iter();
        entries.filter(|(_, slot)| slot.remaining(now).is_none()).map(|(key, _)| *key).collect()
    };
    for key in over {
        cache.values.invalidate(&key).await;
    }
    cache.values.run_pending_tasks().await;
    if cache.values.entry_count() > 0 {
        return true;
    }
    cache.sweeping.store(false, Ordering::SeqCst);
    // A value that came between the count and the store found the sweeper running: look again.
    cache.values.iter().next().is_some() && !cache.sweeping.swap(true, Ordering::SeqCst)
}

/// Takes the flight off the list when its task ends, however that ends.
struct Landing {
    inner: Arc<Inner>,
    key: Key,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.inner.flights).remove(&self.key);
    }
}

impl Slot {
    fn value(&self) -> Option<Arc<SecretValue>> {
        lock(&self.value).clone()
    }

    /// How long it will still serve; none where it is over or emptied.
    fn remaining(&self, wall: SystemTime) -> Option<Duration> {
        let left = self.life.remaining_at(wall).filter(|_| lock(&self.value).is_some())?;
        let Some(end) = *lock(&self.end) else { return Some(left) };
        let until_end = end.duration_since(wall).ok().filter(|left| !left.is_zero())?;
        Some(left.min(until_end))
    }

    fn empty(&self) {
        *lock(&self.value) = None;
    }

    fn weight(&self) -> u32 {
        let length = self.value().map_or(0, |value| value.len());
        u32::try_from(length).unwrap_or(u32::MAX).saturating_add(ENTRY_WEIGHT)
    }
}

fn interrupted() -> Problem {
    Problem::new(Reason::Unreachable, "the fetch was interrupted")
}

/// A poisoned lock guards plain maps, which a panic elsewhere leaves whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests look at the values that they made")]

    use std::sync::atomic::AtomicUsize;

    use tokio::{
        sync::{Notify, Semaphore},
        time::advance,
    };

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn link(name: &str) -> Fingerprint {
        Fingerprint::of(name)
    }

    fn text(outcome: Outcome) -> String {
        outcome.map(|value| value.expose_text(str::to_owned).unwrap()).unwrap()
    }

    /// A provider that counts how often it is asked.
    #[derive(Clone, Default)]
    struct Source {
        asked: Arc<AtomicUsize>,
        gate: Arc<Notify>,
    }

    impl Source {
        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        /// Answers at once with `canary-N`, N the number of the question.
        fn load(&self) -> impl Future<Output = Result<SecretValue, Problem>> + Send + 'static {
            let number = self.asked.clone();
            async move { Ok(SecretValue::new(format!("canary-{}", number.fetch_add(1, Ordering::SeqCst) + 1).into())) }
        }

        /// The same, once the gate was opened for it.
        fn load_late(&self) -> impl Future<Output = Result<SecretValue, Problem>> + Send + 'static {
            let (gate, load) = (self.gate.clone(), self.load());
            async move {
                let value = load.await;
                gate.notified().await;
                value
            }
        }
    }

    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_serves_until_its_time_is_over() {
        // The wall clock stands still, as does the machine's: only tokio's moves.
        static START: std::sync::LazyLock<SystemTime> = std::sync::LazyLock::new(SystemTime::now);
        let (cache, source) = (Cache::with_clock(|| *START), Source::default());
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        advance(HOUR - Duration::from_secs(1)).await;
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        assert_eq!(cache.remaining(link("a")).await, Some(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(cache.remaining(link("a")).await, None);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-2");
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_value_leaves_memory_though_nobody_asks() {
        let (cache, source) = (Cache::default(), Source::default());
        let value = cache.get(link("a"), HOUR, source.load()).await.unwrap();
        let watched = Arc::downgrade(&value);
        drop(value);
        settle().await;
        assert!(watched.upgrade().is_some());
        advance(HOUR).await;
        tokio::time::sleep(SWEEP * 2).await;
        assert!(watched.upgrade().is_none());
        assert!(!cache.0.sweeping.load(Ordering::SeqCst), "the sweeper ends with the last value");
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_leaves_memory_with_its_credential() {
        static WALL: AtomicU64 = AtomicU64::new(1_000_000);
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(WALL.load(Ordering::SeqCst));
        let (cache, source) = (Cache::with_clock(clock), Source::default());
        let value = cache.get(link("a"), HOUR, source.load()).await.unwrap();
        let watched = Arc::downgrade(&value);
        drop(value);
        cache.end_with(link("a"), clock() + Duration::from_secs(60)).await;
        assert_eq!(cache.remaining(link("a")).await, Some(Duration::from_secs(60)));
        settle().await;
        assert!(watched.upgrade().is_some());
        WALL.fetch_add(60, Ordering::SeqCst);
        tokio::time::sleep(SWEEP * 2).await;
        assert!(watched.upgrade().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn sleep_and_a_clock_set_back_never_lengthen_a_life() {
        static WALL: AtomicU64 = AtomicU64::new(1_000_000);
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(WALL.load(Ordering::SeqCst));
        let (cache, source) = (Cache::with_clock(clock), Source::default());
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        // The machine slept: the wall clock went on, the monotonic one did not.
        WALL.fetch_add(3600, Ordering::SeqCst);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-2");
        WALL.fetch_sub(7200, Ordering::SeqCst);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-3");
    }

    #[tokio::test]
    async fn many_callers_make_one_fetch() {
        let (cache, source) = (Cache::default(), Source::default());
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (cache, load) = (cache.clone(), source.load_late());
                tokio::spawn(async move { text(cache.get(link("a"), HOUR, load).await) })
            })
            .collect();
        settle().await;
        source.gate.notify_one();
        for caller in waiting {
            assert_eq!(caller.await.unwrap(), "canary-1");
        }
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_does_not_end_the_fetch() {
        let (cache, source) = (Cache::default(), Source::default());
        let first = tokio::spawn({
            let (cache, load) = (cache.clone(), source.load_late());
            async move { cache.get(link("a"), HOUR, load).await.map(drop) }
        });
        settle().await;
        first.abort();
        settle().await;
        source.gate.notify_one();
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_and_not_kept() {
        let (cache, source) = (Cache::default(), Source::default());
        let failed = cache.get(link("a"), HOUR, async { Err(Problem::new(Reason::Sealed, "sealed")) }).await;
        assert_eq!(failed.err().unwrap().reason, Reason::Sealed);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
    }

    #[tokio::test]
    async fn a_panic_in_a_fetch_does_not_block_the_next_one() {
        let (cache, source) = (Cache::default(), Source::default());
        let load = async {
            settle().await;
            panic!("a provider's fault")
        };
        assert_eq!(cache.get(link("a"), HOUR, load).await.err().unwrap().reason, Reason::Unreachable);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
    }

    #[tokio::test]
    async fn a_reset_also_reaches_a_fetch_under_way() {
        for all in [true, false] {
            let (cache, source) = (Cache::default(), Source::default());
            let first = tokio::spawn({
                let (cache, load) = (cache.clone(), source.load_late());
                async move { text(cache.get(link("a"), HOUR, load).await) }
            });
            settle().await;
            if all {
                cache.clear().await;
            } else {
                cache.forget(link("a")).await;
            }
            source.gate.notify_one();
            assert_eq!(first.await.unwrap(), "canary-1");
            assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-2");
        }
    }

    #[tokio::test]
    async fn forgotten_values_leave_memory_at_once() {
        let (cache, source) = (Cache::default(), Source::default());
        for all in [true, false] {
            let value = cache.get(link("a"), HOUR, source.load()).await.unwrap();
            let watched = Arc::downgrade(&value);
            drop(value);
            // The flight that brought the value lets go of it a moment after its callers were told.
            settle().await;
            if all {
                cache.clear().await;
            } else {
                cache.forget(link("a")).await;
            }
            assert!(watched.upgrade().is_none());
        }
    }

    #[tokio::test]
    async fn what_is_not_retained_leaves_memory_at_once() {
        let (cache, source) = (Cache::default(), Source::default());
        for name in ["a", "b"] {
            cache.get(link(name), HOUR, source.load()).await.map(drop).unwrap();
        }
        settle().await;
        cache.retain(|kept| *kept == link("a"));
        assert_eq!(cache.remaining(link("b")).await, None);
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        assert_eq!(text(cache.get(link("b"), HOUR, source.load()).await), "canary-3");
    }

    #[tokio::test]
    async fn without_a_life_nothing_is_kept() {
        let (cache, source) = (Cache::default(), Source::default());
        assert_eq!(text(cache.get(link("a"), Duration::ZERO, source.load()).await), "canary-1");
        assert_eq!(text(cache.get(link("a"), Duration::ZERO, source.load()).await), "canary-2");
    }

    #[tokio::test]
    async fn other_links_have_other_values() {
        let (cache, source) = (Cache::default(), Source::default());
        assert_eq!(text(cache.get(link("a"), HOUR, source.load()).await), "canary-1");
        assert_eq!(text(cache.get(link("b"), HOUR, source.load()).await), "canary-2");
    }

    #[tokio::test]
    async fn the_weight_of_all_values_is_bounded() {
        let cache = Cache::default();
        let permits = Semaphore::new(1);
        for index in 0..40 {
            let _permit = permits.acquire().await.unwrap();
            let big = async { Ok(SecretValue::new(vec![b'x'; 1024 * 1024])) };
            cache.get(link(&index.to_string()), HOUR, big).await.map(drop).unwrap();
        }
        cache.0.values.run_pending_tasks().await;
        assert!(cache.0.values.weighted_size() <= MAX_WEIGHT);
    }
}
