//! The token of one cluster: whose it is, and for how long it is good.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::vault::{
    life::{self, Life},
    value::SecretValue,
};

/// What is in hand.
#[derive(Clone, Default)]
pub(super) enum Hand {
    #[default]
    Empty,
    Held(Arc<Held>),
    /// There was a token that is good no more.
    Expired,
}

/// A token that was got here: by a sign-in, or typed in.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) token: Arc<SecretValue>,
    /// None for a token without an end, or where its end is not known.
    pub(super) lease: Option<Lease>,
    /// It came from a sign-in here, so it is ours to renew and to revoke. A token that somebody typed in is theirs.
    pub(super) is_own: bool,
    pub(super) who: Option<String>,
}

/// How long a token is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    life: Life,
    length: Duration,
    is_renewable: bool,
}

impl Held {
    pub(super) fn own(token: SecretValue, lease: Option<Lease>) -> Self {
        Self { token: Arc::new(token), lease, is_own: true, who: None }
    }

    pub(super) fn typed(token: SecretValue) -> Self {
        Self { token: Arc::new(token), lease: None, is_own: false, who: None }
    }

    pub(super) fn is_over(&self) -> bool {
        self.lease.is_some_and(|lease| lease.life.is_over())
    }

    /// Whether it is time to renew.
    pub(super) fn is_due(&self) -> bool {
        self.is_own && self.lease.is_some_and(Lease::is_due)
    }

    /// When one has to sign in again at the latest, as far as that is known.
    pub(super) fn until(&self) -> Option<SystemTime> {
        SystemTime::now().checked_add(self.lease?.life.remaining()?)
    }

    /// The same token, never renewed again.
    pub(super) fn unrenewable(&self) -> Self {
        let lease = self.lease.map(|lease| Lease { is_renewable: false, ..lease });
        Self { lease, ..self.clone() }
    }
}

impl Lease {
    /// None for a length of zero, which is how Vault says that there is no end.
    pub(super) fn new(length: Duration, is_renewable: bool) -> Option<Self> {
        let life = Life::new(length);
        // What counts is how long it lives here, however long the server says it is.
        let lives = life.remaining().unwrap_or(length);
        (!length.is_zero()).then_some(Self { life, length: lives, is_renewable })
    }

    /// In the last third. A lease that renewing does not lengthen any more comes to its end.
    fn is_due(self) -> bool {
        self.is_renewable && self.life.remaining().is_some_and(|left| left <= self.length / 3)
    }
}

/// Drops the token of `held` from `hand` when its lease is over, whether anybody asks for it or not.
pub(super) fn drop_when_over(hand: &Arc<Mutex<Hand>>, held: &Held) {
    let Some(Lease { life, .. }) = held.lease else { return };
    let hand = Arc::downgrade(hand);
    tokio::spawn(async move {
        life::over(life).await;
        let Some(hand) = hand.upgrade() else { return };
        let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been renewed, or another one may have taken its place.
        if matches!(&*hand, Hand::Held(current) if current.is_over()) {
            *hand = Hand::Expired;
        }
    });
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn held(seconds: u64, is_renewable: bool) -> Held {
        Held::own(SecretValue::new(b"canary".to_vec()), Lease::new(Duration::from_secs(seconds), is_renewable))
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_in_the_last_third_of_its_lease() {
        let (renewable, fixed) = (held(90, true), held(90, false));
        assert!(!renewable.is_due() && !renewable.is_over());
        advance(Duration::from_secs(59)).await;
        assert!(!renewable.is_due());
        advance(Duration::from_secs(2)).await;
        assert!(renewable.is_due() && !renewable.is_over());
        assert!(!fixed.is_due() && !renewable.unrenewable().is_due());
        advance(Duration::from_secs(30)).await;
        assert!(renewable.is_over() && fixed.is_over() && !renewable.is_due());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_leaves_memory_at_the_end_of_its_lease_though_nobody_asks() {
        let first = Arc::new(held(60, false));
        let token = Arc::downgrade(&first.token);
        let hand = Arc::new(Mutex::new(Hand::Held(first.clone())));
        drop_when_over(&hand, &first);
        drop(first);
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert!(token.upgrade().is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(token.upgrade().is_none());
        assert!(matches!(*hand.lock().unwrap(), Hand::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_without_a_lease_has_no_end() {
        let endless = held(0, true);
        advance(Duration::from_secs(1_000_000_000)).await;
        assert!(!endless.is_over() && !endless.is_due() && endless.until().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_of_any_length_is_not_renewed_at_every_use() {
        assert!(!held(u64::MAX, true).is_due());
        assert!(held(u64::MAX, true).until().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_of_somebody_is_theirs_to_renew() {
        let lease = Lease::new(Duration::from_secs(90), true);
        let typed = Held { lease, ..Held::typed(SecretValue::new(b"canary".to_vec())) };
        advance(Duration::from_secs(80)).await;
        assert!(!typed.is_due());
    }
}
