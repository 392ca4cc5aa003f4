//! The sign-ins that are under way, and what happens in each. One integration is signed in to once at a time.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    lsp::{lock::lock, outcome::Outcome},
    work::answer::Reply,
};

/// A workspace's root, and the name of an integration there.
pub type Key = (PathBuf, String);

/// The sign-ins that are under way.
#[derive(Default)]
pub struct SignIns(Mutex<HashMap<Key, Arc<SignIn>>>);

/// One that is under way.
pub struct SignIn {
    /// What the person is to do now, or what came of it in the end; none while nothing is theirs to do.
    pub stage: watch::Sender<Option<Outcome>>,
    /// The way back to whoever answered last, until something happens.
    pub reply: Mutex<Option<Reply<Outcome>>>,
    pub stop: CancellationToken,
}

impl SignIns {
    /// Ends those of a workspace: of one integration, or all.
    pub fn end(&self, root: &Path, integration: Option<&str>) {
        for ((home, name), sign_in) in lock(&self.0).iter() {
            if home == root && integration.is_none_or(|integration| integration == name) {
                sign_in.stop.cancel();
            }
        }
    }

    /// The sign-in to an integration of a workspace that is under way, for a page that shows how it goes on.
    pub fn under_way(&self, root: &Path, integration: &str) -> Option<UnderWay> {
        let under_way = lock(&self.0);
        under_way.get(&(root.to_owned(), integration.to_owned())).cloned().map(UnderWay)
    }

    /// Takes a sign-in out that has ended, unless a newer one has its place.
    pub fn leave(&self, key: &Key, sign_in: &Arc<SignIn>) {
        let mut under_way = lock(&self.0);
        if under_way.get(key).is_some_and(|current| Arc::ptr_eq(current, sign_in)) {
            under_way.remove(key);
        }
    }

    /// The sign-in to `key`, and whether it begins now; with what will happen in it.
    pub fn enter(&self, key: &Key) -> (Arc<SignIn>, bool, watch::Receiver<Option<Outcome>>) {
        let mut under_way = lock(&self.0);
        let standing = under_way.get(key).filter(|sign_in| !sign_in.stop.is_cancelled()).cloned();
        let begins = standing.is_none();
        let sign_in = standing.unwrap_or_default();
        if begins {
            under_way.insert(key.clone(), sign_in.clone());
        }
        let stage = sign_in.stage.subscribe();
        (sign_in, begins, stage)
    }
}

/// A sign-in as one sees it who only looks on: whoever waits for it is told as before.
#[derive(Clone)]
pub struct UnderWay(Arc<SignIn>);

impl UnderWay {
    /// What comes after the page of the provider; none while the person is there.
    pub fn next(&self) -> Option<Outcome> {
        let stage = self.0.stage.borrow().clone();
        match stage {
            Some(Outcome::Browser { .. }) => None,
            None if self.0.stop.is_cancelled() => {
                Some(Outcome::Failed { message: "the sign-in was ended".into(), code: None })
            }
            other => other,
        }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self { stage: watch::Sender::new(None), reply: Mutex::default(), stop: CancellationToken::new() }
    }
}

impl SignIn {
    /// Says what happens now to everybody who waits; whether anybody did.
    pub fn tell(&self, outcome: Outcome) -> bool {
        let commands = self.stage.receiver_count() > 0;
        let reply = lock(&self.reply).take();
        let answerer = reply.is_some_and(|reply| {
            let effect = match &outcome {
                Outcome::Failed { message, .. } => Err(message.clone()),
                next => Ok(Some(next.clone())),
            };
            reply.send(effect).is_ok()
        });
        self.stage.send_replace(Some(outcome));
        commands || answerer
    }
}
