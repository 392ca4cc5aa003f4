//! The one organization that an integration belongs to while somebody is signed in to it: an account, a tenant.
//!
//! A second sign-in with the credentials of another organization is a slip, or somebody else's doing: names that were
//! linked for one would be looked up in the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::status::{Problem, Reason};

/// The organization of one integration, from its first sign-in until it is disconnected.
#[derive(Debug, Default)]
pub(super) struct Bound(Mutex<Option<String>>);

impl Bound {
    /// Binds `integration` to `organization` (both are shown to people), or refuses if it is bound to another one.
    pub(super) fn admit(&self, integration: &str, organization: &str) -> Result<(), Problem> {
        let mut bound = self.lock();
        match bound.as_deref() {
            None => *bound = Some(organization.to_owned()),
            Some(own) if own == organization => {}
            Some(own) => {
                let detail = format!(
                    "`{integration}` is signed in to `{own}`, and these credentials are of `{organization}`; \
                     disconnect `{integration}` first"
                );
                return Err(Problem::new(Reason::LoginNeeded, detail));
            }
        }
        Ok(())
    }

    /// Whoever signs in next decides anew.
    pub(super) fn release(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_organization_is_refused_until_the_first_is_left() {
        let bound = Bound::default();
        assert_eq!(bound.admit("team", "111111111111"), Ok(()));
        assert_eq!(bound.admit("team", "111111111111"), Ok(()));
        let problem = bound.admit("team", "222222222222").unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert!(problem.detail.contains("`111111111111`") && problem.detail.contains("disconnect"), "{problem:?}");
        bound.release();
        assert_eq!(bound.admit("team", "222222222222"), Ok(()));
    }
}
