//! Who one is: keys that were typed in, keys of the environment, a profile of the AWS tools' own files, or what any of
//! them became by a second factor.
//!
//! A profile goes through the SDK's own chain: keys in a file, IAM Identity Center (SSO), `credential_process`, web
//! identity, roles over other profiles. Nothing is asked for that no profile names: no instance metadata service.
#![expect(clippy::disallowed_methods, reason = "keys of the environment become the SDK's, which wipe themselves")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use aws_sdk_secretsmanager::config::Credentials;

use super::profile::Profile;
use crate::{
    status::{Problem, Reason},
    vault::{
        ProcessVariables,
        life::{self, Life},
        link::aws::AwsAuth,
        value::SecretValue,
    },
};

/// How long keys without an expiry are kept that a person typed in, as in Postman's vault.
pub(super) const TYPED_KEYS_LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// Credentials that end within this time are not used any more.
const MARGIN: Duration = Duration::from_secs(30);

/// The credentials of one integration. In memory only.
pub(super) struct Purse {
    integration: String,
    auth: AwsAuth,
    variables: ProcessVariables,
    entered: Arc<Mutex<Option<Entered>>>,
    /// What was got, by the role it is for; one's own under no role. Those who ask at once wait for one answer.
    got: Mutex<HashMap<Option<String>, Arc<Pocket>>>,
}

/// One identity's credentials, once they were got.
type Pocket = tokio::sync::Mutex<Option<Credentials>>;

/// What a person signed in with, in the SDK's type, which wipes itself and prints nothing.
struct Entered {
    /// None for temporary ones that do not say when they expire.
    life: Option<Life>,
    credentials: Credentials,
    second_factor: bool,
}

impl Purse {
    pub(super) fn new(integration: &str, auth: AwsAuth, variables: ProcessVariables) -> Self {
        let integration = integration.to_owned();
        Self { integration, auth, variables, entered: Arc::default(), got: Mutex::default() }
    }

    /// The integration's own credentials. A profile's services, such as SSO, are asked in `region` unless it says other.
    pub(super) async fn own(&self, region: &str) -> Result<Credentials, Problem> {
        if let Some(credentials) = self.entered() {
            return Ok(credentials);
        }
        match &self.auth {
            AwsAuth::Keys => self.of_environment(),
            AwsAuth::Profile(_) => self.kept(None, self.of_profile(region)).await,
        }
    }

    /// The credentials of `role`, which `assume` gets if there are none.
    pub(super) async fn of_role(
        &self,
        role: &str,
        assume: impl Future<Output = Result<Credentials, Problem>>,
    ) -> Result<Credentials, Problem> {
        self.kept(Some(role.to_owned()), assume).await
    }

    /// Keeps what a person signed in with, until its life is over: then it leaves memory, whether anybody asks for it or
    /// not.
    pub(super) fn enter(&self, credentials: Credentials, second_factor: bool) {
        let life = life(&credentials);
        *lock(&self.entered) = Some(Entered { life, credentials, second_factor });
        self.forget();
        let Some(life) = life else { return };
        let slot = Arc::downgrade(&self.entered);
        tokio::spawn(async move {
            life::over(life).await;
            // Somebody else may have signed in meanwhile.
            if let Some(entered) = slot.upgrade() {
                lock(&entered).take_if(|entered| entered.is_over());
            }
        });
    }

    /// Drops everything.
    pub(super) fn leave(&self) {
        *lock(&self.entered) = None;
        self.forget();
    }

    /// Drops what was got; keys that were typed in stay.
    pub(super) fn forget(&self) {
        lock(&self.got).clear();
    }

    /// Drops what the server accepts no more, as far as it can be got anew.
    pub(super) fn refused(&self) {
        lock(&self.entered).take_if(|entered| entered.second_factor);
        self.forget();
    }

    /// Whether somebody signed in with a one-time code, and that still counts.
    pub(super) fn has_second_factor(&self) -> bool {
        self.entered().is_some() && lock(&self.entered).as_ref().is_some_and(|entered| entered.second_factor)
    }

    /// The profile, where the integration is one.
    pub(super) async fn profile(&self) -> Result<Option<Profile>, Problem> {
        let AwsAuth::Profile(name) = &self.auth else { return Ok(None) };
        let text = |name: &str| (self.variables.0)(name).and_then(|value| value.expose_text(str::to_owned));
        Profile::find(name.as_deref(), &self.integration, text).await.map(Some)
    }

    /// The keys of this process's environment.
    pub(super) fn of_environment(&self) -> Result<Credentials, Problem> {
        let variable = |name: &str| (self.variables.0)(name).filter(|value| !value.is_empty());
        let (Some(id), Some(key)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) else {
            let detail = format!(
                "there are no access keys for `{}`: sign in, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                self.integration
            );
            return Err(Problem::new(Reason::LoginNeeded, detail));
        };
        let text = |value: &SecretValue| value.expose_text(str::to_owned).unwrap_or_default();
        let token = variable("AWS_SESSION_TOKEN").map(|token| text(&token));
        Ok(Credentials::new(text(&id), text(&key), token, None, "environment"))
    }

    async fn of_profile(&self, region: &str) -> Result<Credentials, Problem> {
        let profile = self.profile().await?;
        let profile = profile.expect("only an integration with a profile gets here");
        match &profile.factor {
            None => profile.credentials(region).await,
            Some(factor) => {
                let detail = format!(
                    "the profile `{}` wants a one-time code of `{}`: sign in to `{}`",
                    profile.name, factor.serial, self.integration
                );
                Err(Problem::new(Reason::MfaNeeded, detail))
            }
        }
    }

    async fn kept(
        &self,
        role: Option<String>,
        get: impl Future<Output = Result<Credentials, Problem>>,
    ) -> Result<Credentials, Problem> {
        let cell = lock(&self.got).entry(role).or_default().clone();
        let mut kept = cell.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|credentials| is_fresh(credentials)) {
            return Ok(credentials.clone());
        }
        let credentials = get.await?;
        *kept = Some(credentials.clone());
        drop(kept);
        if let Some(life) = credentials.expiry().and_then(|_| life(&credentials)) {
            tokio::spawn(empty(Arc::downgrade(&cell), life));
        }
        Ok(credentials)
    }

    /// What a person signed in with, while it counts: long-lived keys for a while, temporary ones until they expire.
    fn entered(&self) -> Option<Credentials> {
        let mut entered = lock(&self.entered);
        entered.take_if(|entered| entered.is_over());
        entered.as_ref().map(|entered| entered.credentials.clone())
    }
}

impl Entered {
    fn is_over(&self) -> bool {
        self.life.is_some_and(|life| life.is_over())
    }
}

/// Empties a pocket when the life of what is in it is over.
async fn empty(pocket: Weak<Pocket>, life: Life) {
    life::over(life).await;
    if let Some(pocket) = pocket.upgrade() {
        pocket.lock().await.take_if(|credentials| !is_fresh(credentials));
    }
}

/// How long credentials are kept that a person signed in with: long-lived ones for a while, temporary ones until they
/// expire.
fn life(credentials: &Credentials) -> Option<Life> {
    match credentials.expiry() {
        Some(expiry) => {
            let left = expiry.duration_since(SystemTime::now()).unwrap_or_default();
            Some(Life::new(left.saturating_sub(MARGIN)))
        }
        None => credentials.session_token().is_none().then(|| Life::new(TYPED_KEYS_LIFE)),
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purse() -> Purse {
        Purse::new("team", AwsAuth::Keys, ProcessVariables::default())
    }

    fn keys(token: Option<&str>, expiry: Option<SystemTime>) -> Credentials {
        Credentials::new("canary-id", "canary-key-5b02", token.map(str::to_owned), expiry, "test")
    }

    #[tokio::test(start_paused = true)]
    async fn long_lived_keys_are_kept_for_two_hours() {
        let purse = purse();
        purse.enter(keys(None, None), false);
        tokio::time::advance(TYPED_KEYS_LIFE - Duration::from_secs(1)).await;
        assert!(purse.own("eu-west-1").await.is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(purse.own("eu-west-1").await.unwrap_err().reason, Reason::LoginNeeded);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_leave_memory_though_nobody_asks() {
        let purse = purse();
        purse.enter(keys(None, None), false);
        tokio::time::sleep(TYPED_KEYS_LIFE - Duration::from_secs(1)).await;
        assert!(lock(&purse.entered).is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(lock(&purse.entered).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn temporary_keys_are_kept_until_they_expire() {
        let purse = purse();
        purse.enter(keys(Some("canary-token"), None), false);
        tokio::time::advance(2 * TYPED_KEYS_LIFE).await;
        assert!(purse.own("eu-west-1").await.is_ok());
        purse.enter(keys(Some("canary-token"), Some(SystemTime::now())), true);
        assert_eq!(purse.own("eu-west-1").await.unwrap_err().reason, Reason::LoginNeeded);
        assert!(!purse.has_second_factor());
    }

    #[tokio::test]
    async fn a_session_that_is_refused_is_dropped_and_typed_keys_stay() {
        let purse = purse();
        purse.enter(keys(None, None), false);
        purse.refused();
        assert!(purse.own("eu-west-1").await.is_ok());
        purse.enter(keys(Some("canary-token"), None), true);
        assert!(purse.has_second_factor());
        purse.refused();
        assert!(purse.own("eu-west-1").await.is_err());
    }
}
