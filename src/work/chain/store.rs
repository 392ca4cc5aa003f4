//! The answers that are kept for as long as this process works: in memory and nowhere else.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::Answer;

/// How many answers are kept, and how many bytes of them.
const MAX_ANSWERS: usize = 256;
const MAX_SIZE: usize = 64 << 20;

/// What was answered to the requests of one file, by their names.
pub type Known = BTreeMap<String, Arc<Answer>>;

/// A request of a file.
type Key = (PathBuf, String);

#[derive(Default)]
pub struct Store {
    kept: Mutex<Kept>,
    /// One at a time sends a request that others wait for.
    turns: Mutex<HashMap<Key, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Kept {
    /// The oldest first.
    answers: VecDeque<(Key, Arc<Answer>)>,
    size: usize,
    /// How often everything was forgotten.
    edition: u64,
}

/// A time at which nothing was forgotten yet: what is sent before everything is forgotten is not kept after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Edition(u64);

impl Store {
    pub fn edition(&self) -> Edition {
        Edition(self.kept().edition)
    }

    /// What is known of the requests of `file`.
    pub fn of(&self, file: &Path) -> Known {
        let kept = self.kept();
        let answers = kept.answers.iter().filter(|((path, _), _)| path == file);
        answers.map(|((_, name), answer)| (name.clone(), answer.clone())).collect()
    }

    /// Keeps an answer in place of an earlier one to the same request, if nothing was forgotten since `begun`.
    pub fn keep(&self, file: &Path, name: &str, answer: Arc<Answer>, begun: Edition) {
        let mut kept = self.kept();
        kept.forget(|(path, other)| path == file && other == name);
        if Edition(kept.edition) != begun || answer.size() > MAX_SIZE {
            return;
        }
        kept.size += answer.size();
        kept.answers.push_back(((file.to_owned(), name.to_owned()), answer));
        while kept.answers.len() > MAX_ANSWERS || kept.size > MAX_SIZE {
            let Some((_, oldest)) = kept.answers.pop_front() else { break };
            kept.size -= oldest.size();
        }
    }

    /// Forgets what was answered to one request.
    pub fn forget(&self, file: &Path, name: &str) {
        self.kept().forget(|(path, other)| path == file && other == name);
    }

    /// Forgets everything, also what is under way.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.forget(|_| true);
        kept.edition += 1;
    }

    /// The right to send a request for those that need it.
    pub fn turn(&self, file: &Path, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.entry((file.to_owned(), name.to_owned())).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let fresh = Arc::default();
            *turn = Arc::downgrade(&fresh);
            fresh
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, is_meant: impl Fn(&Key) -> bool) {
        let size = &mut self.size;
        self.answers.retain(|(key, answer)| {
            let goes = is_meant(key);
            if goes {
                *size -= answer.size();
            }
            !goes
        });
    }
}
