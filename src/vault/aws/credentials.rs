//! Who one is: keys that were typed in, keys of the environment, or a profile of the AWS tools' own files.
//!
//! A profile goes through the SDK's own chain: keys in a file, IAM Identity Center (SSO), `credential_process`, web
//! identity, roles over other profiles. Nothing is asked for that no profile names: no instance metadata service.
#![expect(clippy::disallowed_methods, reason = "typed keys become the SDK's credentials, which wipe themselves")]

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use aws_config::{
    profile::{self, ProfileFileCredentialsProvider},
    provider_config::ProviderConfig,
};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_secretsmanager::config::{Credentials, ProvideCredentials, Region};

use crate::{
    disk,
    status::{Problem, Reason},
    vault::{ProcessVariables, life::Life, link::integration::AwsAuth, value::SecretValue, wire},
};

/// How long keys without an expiry are kept that a person typed in, as in Postman's vault.
const TYPED_KEYS_LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// Credentials that end within this time are not used any more.
const MARGIN: Duration = Duration::from_secs(30);

/// The profiles that are looked for where none is named, in this order.
const USUAL_PROFILES: [&str; 2] = ["main", "default"];

/// The credentials of one integration. In memory only.
pub(super) struct Purse {
    integration: String,
    auth: AwsAuth,
    variables: ProcessVariables,
    entered: Mutex<Option<(Life, TypedKeys)>>,
    /// What was got, by the role it is for; one's own under no role. Those who ask at once wait for one answer.
    got: Mutex<HashMap<Option<String>, Arc<Pocket>>>,
}

/// One identity's credentials, once they were got.
type Pocket = tokio::sync::Mutex<Option<Credentials>>;

/// Access keys, in the SDK's type, which wipes itself and prints nothing.
pub(super) struct TypedKeys(Credentials);

impl Purse {
    pub(super) fn new(integration: &str, auth: AwsAuth, variables: ProcessVariables) -> Self {
        let integration = integration.to_owned();
        Self { integration, auth, variables, entered: Mutex::default(), got: Mutex::default() }
    }

    /// The integration's own credentials. A profile's services, such as SSO, are asked in `region` unless it says other.
    pub(super) async fn own(&self, region: &str) -> Result<Credentials, Problem> {
        match &self.auth {
            AwsAuth::Keys => self.keys(),
            AwsAuth::Profile(name) => self.kept(None, self.profile(name.as_deref(), region)).await,
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

    /// Keeps keys that a person typed in.
    pub(super) fn enter(&self, keys: TypedKeys) {
        *lock(&self.entered) = Some((Life::new(TYPED_KEYS_LIFE), keys));
        self.forget();
    }

    /// Drops what was got; keys that were typed in stay.
    pub(super) fn leave(&self) {
        *lock(&self.entered) = None;
        self.forget();
    }

    pub(super) fn forget(&self) {
        lock(&self.got).clear();
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
        Ok(credentials)
    }

    /// Keys that were typed in, else those of this process's environment.
    fn keys(&self) -> Result<Credentials, Problem> {
        let mut entered = lock(&self.entered);
        if entered.as_ref().is_some_and(|(life, _)| life.is_over()) {
            *entered = None;
        }
        if let Some((_, keys)) = entered.as_ref() {
            return Ok(keys.credentials());
        }
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

    async fn profile(&self, name: Option<&str>, region: &str) -> Result<Credentials, Problem> {
        let files = self.files().ok_or_else(|| {
            let detail = format!("there is no `~/.aws/config` and no `~/.aws/credentials` for `{}`", self.integration);
            Problem::new(Reason::LoginNeeded, detail)
        })?;
        let found = profile::load(&Default::default(), &Default::default(), &files, None).await;
        let profiles = found.map_err(|_| {
            let detail = "the AWS tools' files of profiles cannot be read: they are not in their format";
            Problem::new(Reason::NotConfigured, detail)
        })?;
        let name = match name {
            Some(name) => profiles.get_profile(name).map(|_| name),
            None => USUAL_PROFILES.into_iter().find(|name| profiles.get_profile(name).is_some()),
        }
        .ok_or_else(|| self.no_profile(name))?;
        let config = ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned())));
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_files(files)
            .profile_name(name)
            .build();
        provider.provide_credentials().await.map_err(|error| explain(name, &error))
    }

    /// The files of profiles that exist, where the AWS tools look for them.
    fn files(&self) -> Option<EnvConfigFiles> {
        let text = |name: &str| (self.variables.0)(name).and_then(|value| value.expose_text(str::to_owned));
        let home = text("HOME").or_else(|| text("USERPROFILE")).map(|home| PathBuf::from(home).join(".aws"));
        let path = |variable: &str, file: &str| {
            let path = text(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(file)))?;
            disk::exists(&path).then_some(path)
        };
        let config = path("AWS_CONFIG_FILE", "config");
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        if config.is_none() && credentials.is_none() {
            return None;
        }
        let mut files = EnvConfigFiles::builder();
        if let Some(path) = config {
            files = files.with_file(EnvConfigFileKind::Config, path);
        }
        if let Some(path) = credentials {
            files = files.with_file(EnvConfigFileKind::Credentials, path);
        }
        Some(files.build())
    }

    fn no_profile(&self, name: Option<&str>) -> Problem {
        let detail = match name {
            Some(name) => format!("the AWS tools' files have no profile `{name}`; `{}` wants it", self.integration),
            None => format!(
                "the AWS tools' files have no profile `main` or `default`; name one as `profile` of `{}`",
                self.integration
            ),
        };
        Problem::new(Reason::NotConfigured, detail)
    }
}

impl TypedKeys {
    /// Reads the id, the key and, if there is one, the session token.
    pub(super) fn parse(text: &SecretValue) -> Result<Self, Problem> {
        let parsed = text.expose_text(|text| {
            let mut words = text.split_whitespace();
            let (id, key, token, rest) = (words.next()?, words.next()?, words.next(), words.next());
            rest.is_none().then(|| Self(Credentials::new(id, key, token.map(str::to_owned), None, "typed")))
        });
        parsed.flatten().ok_or_else(|| {
            let detail = "type the access key id, the secret access key and, for temporary keys, the session token, \
                          with spaces between";
            Problem::new(Reason::LoginNeeded, detail)
        })
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.0.clone()
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
}

/// What it means that a profile gave no credentials, by the types in the error's chain; none of its texts is shown,
/// because a `credential_process` may have put anything into them.
fn explain(profile: &str, error: &aws_credential_types::provider::error::CredentialsError) -> Problem {
    use aws_credential_types::provider::error::CredentialsError;
    if let Some(problem) = wire::broken(error, &format!("the sign-in of profile `{profile}`")) {
        return problem;
    }
    let (reason, detail) = match error {
        CredentialsError::InvalidConfiguration(_) => {
            (Reason::NotConfigured, format!("the profile `{profile}` of the AWS tools is not complete or not valid"))
        }
        CredentialsError::ProviderTimedOut(_) => {
            (Reason::Unreachable, format!("the sign-in of profile `{profile}` gave no answer in time"))
        }
        _ => (
            Reason::LoginNeeded,
            format!(
                "the profile `{profile}` gave no credentials: sign in with `aws sso login --profile {profile}`, or renew its keys"
            ),
        ),
    };
    Problem::new(reason, detail)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn typed_keys_end_after_two_hours_also_on_a_machine_that_slept() {
        let purse = Purse::new("aws", AwsAuth::Keys, ProcessVariables::default());
        let enter = || purse.enter(TypedKeys::parse(&SecretValue::new(b"canary-id canary-key".to_vec())).unwrap());
        enter();
        tokio::time::advance(TYPED_KEYS_LIFE - Duration::from_secs(1)).await;
        assert!(purse.keys().is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(purse.keys().err().unwrap().reason, Reason::LoginNeeded);
        enter();
        // The monotonic clock stood still for as long as they live.
        lock(&purse.entered).as_mut().unwrap().0 =
            Life::beginning_at(SystemTime::now() - TYPED_KEYS_LIFE, TYPED_KEYS_LIFE);
        assert_eq!(purse.keys().err().unwrap().reason, Reason::LoginNeeded);
        assert!(lock(&purse.entered).is_none());
    }
}
