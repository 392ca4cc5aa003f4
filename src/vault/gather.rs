//! Gathers questions that are asked at about the same time, for a server that answers many at once.
//!
//! A question waits until nobody joined it for a moment, until there are as many as the server takes, or until it has
//! waited long enough; a lone one loses [`PAUSE`]. Who gives up leaves the others undisturbed: the group is asked in a
//! task of its own.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task,
    time::{Instant, sleep},
};

/// How long nobody has to join for a group to be asked.
const PAUSE: Duration = Duration::from_millis(2);

/// How long the first of a group waits at most.
const PATIENCE: Duration = Duration::from_millis(10);

/// Questions of one server that wait for company, by the bundle they may be asked in.
pub(super) struct Gather<B, Q, A>(Mutex<HashMap<B, Group<Q, A>>>);

/// Those who wait together. Every group has a number, so that its clock cannot end a later one.
struct Group<Q, A> {
    number: u64,
    waiting: Vec<Waiting<Q, A>>,
}

struct Waiting<Q, A> {
    question: Q,
    tell: oneshot::Sender<A>,
}

/// What somebody who joined has to do for the group.
enum Duty<Q, A> {
    /// The first one watches the clock.
    Watch(u64),
    /// The last one that there is room for sends it off. It is no group to join any more.
    Send(Vec<Waiting<Q, A>>),
    Nothing,
}

impl<B, Q, A> Default for Gather<B, Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<B, Q, A> Gather<B, Q, A>
where
    B: Clone + Eq + Hash + Send + Sync + 'static,
    Q: Send + 'static,
    A: Send + 'static,
{
    /// The answer to `question`, asked with at most `at_most - 1` others of the same `bundle`. `ask` gives one answer
    /// for each question, in their order; one of those who joined has theirs called. None if it broke off. Must be
    /// called within a tokio runtime.
    pub(super) async fn join<F>(
        self: &Arc<Self>,
        bundle: B,
        question: Q,
        at_most: usize,
        ask: impl FnOnce(Vec<Q>) -> F + Send + 'static,
    ) -> Option<A>
    where
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        match self.add(&bundle, Waiting { question, tell }, at_most) {
            Duty::Nothing => {}
            Duty::Send(waiting) => {
                task::spawn(answer(waiting, ask));
            }
            Duty::Watch(number) => {
                let gather = self.clone();
                task::spawn(async move {
                    gather.watch(&bundle, number).await;
                    answer(gather.take(&bundle, number), ask).await;
                });
            }
        }
        told.await.ok()
    }

    fn add(&self, bundle: &B, one: Waiting<Q, A>, at_most: usize) -> Duty<Q, A> {
        let mut groups = self.lock();
        let group = groups.entry(bundle.clone()).or_insert_with(|| Group { number: 0, waiting: Vec::new() });
        group.waiting.push(one);
        match group.waiting.len() {
            count if count >= at_most => Duty::Send(group.leave()),
            1 => Duty::Watch(group.number),
            _ => Duty::Nothing,
        }
    }

    /// Waits until nobody joins the group any more.
    async fn watch(&self, bundle: &B, number: u64) {
        let end = Instant::now() + PATIENCE;
        let mut count = 1;
        loop {
            sleep(PAUSE).await;
            // Those who are about to join get their turn first.
            task::yield_now().await;
            let now = self.count(bundle, number);
            if now.is_none_or(|now| now == count) || Instant::now() >= end {
                return;
            }
            count = now.unwrap_or_default();
        }
    }

    /// How many wait in the group; none where it was sent off.
    fn count(&self, bundle: &B, number: u64) -> Option<usize> {
        let groups = self.lock();
        groups.get(bundle).filter(|group| group.number == number).map(|group| group.waiting.len())
    }

    /// Takes those who wait, if they are still the group of that number.
    fn take(&self, bundle: &B, number: u64) -> Vec<Waiting<Q, A>> {
        let mut groups = self.lock();
        let group = groups.get_mut(bundle).filter(|group| group.number == number);
        group.map(Group::leave).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<B, Group<Q, A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, A> Group<Q, A> {
    /// Those who wait leave together; who comes later is another group.
    fn leave(&mut self) -> Vec<Waiting<Q, A>> {
        self.number += 1;
        std::mem::take(&mut self.waiting)
    }
}

/// Asks for those who still wait. A panic in `ask` drops their senders, which tells them.
async fn answer<Q, A, F>(waiting: Vec<Waiting<Q, A>>, ask: impl FnOnce(Vec<Q>) -> F)
where
    F: Future<Output = Vec<A>>,
{
    let waiting = waiting.into_iter().filter(|one| !one.tell.is_closed());
    let (questions, tells): (Vec<Q>, Vec<_>) = waiting.map(|one| (one.question, one.tell)).unzip();
    if questions.is_empty() {
        return;
    }
    for (tell, answer) in tells.into_iter().zip(ask(questions).await) {
        // Who gave up meanwhile does not need it.
        let _ = tell.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    const AT_MOST: usize = 20;

    /// A server that doubles numbers, and remembers how many it was asked for each time.
    #[derive(Clone, Default)]
    struct Doubling(Arc<Gather<&'static str, u32, u32>>, Arc<Mutex<Vec<usize>>>);

    impl Doubling {
        async fn ask(&self, bundle: &'static str, number: u32) -> Option<u32> {
            let asked = self.1.clone();
            let ask = move |numbers: Vec<u32>| async move {
                asked.lock().unwrap().push(numbers.len());
                assert!(!numbers.contains(&13), "thirteen");
                sleep(Duration::from_millis(50)).await;
                numbers.into_iter().map(|number| number * 2).collect()
            };
            self.0.join(bundle, number, AT_MOST, ask).await
        }

        fn asked(&self) -> Vec<usize> {
            self.1.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_are_asked_in_five_questions() {
        let server = Doubling::default();
        let answers = join_all((100..200).map(|number| server.ask("a", number))).await;
        assert_eq!(answers, (100..200).map(|number| Some(number * 2)).collect::<Vec<_>>());
        assert_eq!(server.asked(), [AT_MOST; 5]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn threads_that_join_at_once_never_ask_for_more_than_the_server_takes() {
        let server = Doubling::default();
        let asking = (100..2100).map(|number| {
            let server = server.clone();
            task::spawn(async move { server.ask("a", number).await })
        });
        for (number, answer) in (100..).zip(join_all(asking).await) {
            assert_eq!(answer.unwrap(), Some(number * 2));
        }
        assert!(server.asked().iter().all(|count| *count <= AT_MOST), "{:?}", server.asked());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_question_loses_a_pause() {
        let server = Doubling::default();
        let start = Instant::now();
        assert_eq!(server.ask("a", 1).await, Some(2));
        assert!(start.elapsed() < Duration::from_millis(50) + 2 * PAUSE, "{:?}", start.elapsed());
        assert_eq!(server.asked(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_a_little_later_joins_and_who_comes_much_later_does_not() {
        let server = Doubling::default();
        let late = |number: u32, after: u64| {
            let server = server.clone();
            async move {
                sleep(Duration::from_millis(after)).await;
                server.ask("a", number).await
            }
        };
        let answers = join_all([late(1, 0), late(2, 1), late(3, 3), late(4, 30)]).await;
        assert_eq!(answers, [Some(2), Some(4), Some(6), Some(8)]);
        assert_eq!(server.asked(), [3, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_there_is_patience() {
        let server = Doubling::default();
        let trickle = (0..12).map(|number| {
            let server = server.clone();
            async move {
                sleep(Duration::from_millis(u64::from(number))).await;
                server.ask("a", 100 + number).await
            }
        });
        join_all(trickle).await;
        assert!(server.asked().len() > 1, "{:?}", server.asked());
    }

    #[tokio::test(start_paused = true)]
    async fn bundles_are_asked_apart() {
        let server = Doubling::default();
        let answers = join_all([server.ask("a", 1), server.ask("b", 2), server.ask("a", 3)]).await;
        assert_eq!(answers, [Some(2), Some(4), Some(6)]);
        // Which of them is asked first does not matter.
        let mut asked = server.asked();
        asked.sort_unstable();
        assert_eq!(asked, [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_nobody_along() {
        let server = Doubling::default();
        let (first, second) = (server.clone(), server.clone());
        let first = tokio::spawn(async move { first.ask("a", 1).await });
        let second = tokio::spawn(async move { second.ask("a", 2).await });
        task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), Some(4));
        // Nor is the one asked for that nobody waits for.
        assert_eq!(server.asked(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_told_to_its_group_alone() {
        let server = Doubling::default();
        assert_eq!(join_all([server.ask("a", 12), server.ask("a", 13)]).await, [None, None]);
        assert_eq!(server.ask("a", 14).await, Some(28));
    }
}
