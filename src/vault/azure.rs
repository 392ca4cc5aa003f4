//! Azure Key Vault: secrets of the vaults that one identity may read. The only user of the Azure SDK.
//!
//! An expired secret is no problem here: the service hands it out (its dates are "for informational purposes only").

mod answer;
pub(super) mod browse;
mod cli;
mod identity;
mod person;
mod transport;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use azure_core::Error;
use azure_security_keyvault_secrets::{
    ResourceExt, SecretClient, SecretClientOptions,
    models::{SecretClientGetSecretOptions, SecretProperties},
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};
use url::Url;

use super::{
    link::{
        Coordinates,
        azure::{Azure, AzureSecret, SignIn},
    },
    organization::Bound,
    person::{Field, Person, ask_one},
    provider::{Browse, Check, Existence, Login, Provider, Surroundings},
    value::SecretValue,
};
use crate::status::{Problem, Reason, Session};
use answer::Asked;
use identity::Identity;
use person::SignedIn;
use transport::Transport;

/// How many versions or names are looked at.
const MOST_LISTED: usize = 1000;

/// The vaults that one identity of one tenant may read.
pub struct KeyVaults {
    integration: String,
    settings: Azure,
    around: Surroundings,
    held: Mutex<Held>,
    bound: Bound,
}

/// Who is signed in, and what was built upon that.
#[derive(Default)]
struct Held {
    /// The client secret that a person entered; it comes before that of the environment.
    entered: Option<Arc<SecretValue>>,
    /// The person who signed in.
    person: Option<Arc<SignedIn>>,
    identity: Option<Arc<Identity>>,
    /// By the vault's host.
    clients: HashMap<String, Arc<SecretClient>>,
}

impl KeyVaults {
    /// Asks nothing yet.
    pub fn open(integration: &str, settings: &Azure, around: Surroundings) -> Self {
        let (integration, settings) = (integration.to_owned(), settings.clone());
        Self { integration, settings, around, held: Mutex::default(), bound: Bound::default() }
    }

    async fn read_value(&self, secret: &AzureSecret) -> Result<SecretValue, Problem> {
        let asked = self.asked(secret);
        let read = |client: Arc<SecretClient>, secret: AzureSecret| async move {
            let options = SecretClientGetSecretOptions { secret_version: secret.version, ..Default::default() };
            client.get_secret(&secret.name, Some(options)).await?.into_model()
        };
        let answer = match self.ask(secret, read).await? {
            Ok(answer) => answer,
            Err(error) if answer::status(&error) == Some(404) => return Err(self.explain_absence(secret).await),
            Err(error) => return Err(answer::problem(&error, asked)),
        };
        // Every secret has an identifier, and hardly anything else does.
        if answer.id.is_none() {
            return Err(answer::nonsense(asked));
        }
        let value = answer.value.map(|text| SecretValue::new(text.into_bytes()));
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| Problem::new(Reason::Empty, format!("`{secret}` is empty")))?;
        if value.len() > SecretValue::MAX_LENGTH {
            let limit = SecretValue::MAX_LENGTH / 1024;
            return Err(Problem::new(Reason::BadValue, format!("`{secret}` is larger than {limit} KiB")));
        }
        Ok(value)
    }

    async fn check_value(&self, secret: &AzureSecret) -> Result<Existence, Problem> {
        let asked = self.asked(secret);
        match self.versions(secret).await? {
            Ok(versions) if versions.is_empty() => Err(self.explain_absence(secret).await),
            Ok(versions) => judge(&versions, asked),
            Err(error) if answer::status(&error) == Some(404) => Err(self.explain_absence(secret).await),
            // An access policy may allow the value and not the list.
            Err(error) if answer::is_permission(&error) => Ok(Existence::Unknown),
            Err(error) => Err(answer::problem(&error, asked)),
        }
    }

    /// The secrets of the vault that `beside` is of.
    async fn listed(&self, beside: &AzureSecret) -> Result<Result<Vec<SecretProperties>, Error>, Problem> {
        let list = |client: Arc<SecretClient>, _| async move {
            client.list_secret_properties(None)?.take(MOST_LISTED).try_collect::<Vec<_>>().await
        };
        self.ask(beside, list).await
    }

    async fn versions(&self, secret: &AzureSecret) -> Result<Result<Vec<SecretProperties>, Error>, Problem> {
        let list = |client: Arc<SecretClient>, secret: AzureSecret| async move {
            let pager = client.list_secret_properties_versions(&secret.name, None)?;
            pager.take(MOST_LISTED).try_collect::<Vec<_>>().await
        };
        self.ask(secret, list).await
    }

    /// What is missing, after an answer that does not say: the secret, its version, or both since it was deleted.
    async fn explain_absence(&self, secret: &AzureSecret) -> Problem {
        let asked = self.asked(secret);
        let deleted = |client: Arc<SecretClient>, secret: AzureSecret| async move {
            client.get_deleted_secret(&secret.name, None).await?.into_model()
        };
        match self.ask(secret, deleted).await {
            Ok(Ok(found)) if found.recovery_id.is_some() => return answer::deleted(asked),
            Ok(Ok(_)) => return answer::nonsense(asked),
            _ => {}
        }
        if secret.version.is_none() {
            return answer::absent(asked);
        }
        match self.versions(secret).await {
            Ok(Ok(versions)) if versions.is_empty() => {
                answer::absent(self.asked(&AzureSecret { version: None, ..secret.clone() }))
            }
            Ok(Ok(_)) => answer::no_version(asked),
            _ => answer::absent(asked),
        }
    }

    /// Asks a vault; where it does not accept the token any more, signs in anew and asks once again.
    async fn ask<T, F: Future<Output = Result<T, Error>>>(
        &self,
        secret: &AzureSecret,
        question: impl Fn(Arc<SecretClient>, AzureSecret) -> F,
    ) -> Result<Result<T, Error>, Problem> {
        let client = self.client(secret).await?;
        match question(client.clone(), secret.clone()).await {
            Err(error) if answer::status(&error) == Some(401) => {
                self.leave(&secret.vault, &client).await;
                let client = self.client(secret).await?;
                Ok(question(client, secret.clone()).await)
            }
            outcome => Ok(outcome),
        }
    }

    /// The client of a vault, built once.
    async fn client(&self, secret: &AzureSecret) -> Result<Arc<SecretClient>, Problem> {
        self.drop_stale();
        if let Some(client) = self.held().clients.get(&secret.vault) {
            return Ok(client.clone());
        }
        let identity = self.identity().await?;
        let url = format!("https://{}/", secret.vault);
        let unusable = || Problem::new(Reason::NotConfigured, format!("`{}` is no address", secret.vault));
        let transport = Transport::to(&Url::parse(&url).map_err(|_| unusable())?, &self.settings)?;
        let options = SecretClientOptions {
            client_options: identity::options(Arc::new(transport)),
            // A host that the user's own file names has another name than the one its challenge tells.
            verify_challenge_resource: Some(secret.cloud().is_some()),
            ..SecretClientOptions::default()
        };
        let client = SecretClient::new(&url, identity.clone(), Some(options)).map_err(|_| unusable())?;
        let mut session = self.held();
        // Another question may have been faster, or somebody else may have signed in meanwhile.
        if session.identity.as_ref().is_some_and(|current| !Arc::ptr_eq(current, &identity)) {
            return Ok(Arc::new(client));
        }
        Ok(session.clients.entry(secret.vault.clone()).or_insert_with(|| Arc::new(client)).clone())
    }

    /// Drops the clients of a person whose token or session is over: the SDK's keep a token for as long as the server
    /// said.
    fn drop_stale(&self) {
        let mut held = self.held();
        if held.person.as_ref().is_some_and(|person| !person.is_fresh()) {
            held.clients.clear();
            held.identity = None;
        }
    }

    async fn identity(&self) -> Result<Arc<Identity>, Problem> {
        let (entered, person) = {
            let session = self.held();
            if let Some(identity) = &session.identity {
                return Ok(identity.clone());
            }
            (session.entered.clone(), session.person.clone())
        };
        let identity = self.open_identity(entered, person).await?;
        Ok(self.held().identity.get_or_insert(identity).clone())
    }

    /// Off the async threads: a program is looked for, or a file read.
    async fn open_identity(
        &self,
        secret: Option<Arc<SecretValue>>,
        person: Option<Arc<SignedIn>>,
    ) -> Result<Arc<Identity>, Problem> {
        let (integration, settings, around) = (self.integration.clone(), self.settings.clone(), self.around.clone());
        let open = move || Identity::open(&integration, &settings, &around, secret.as_deref(), person);
        let opened = tokio::task::spawn_blocking(open).await;
        let interrupted = |_| Problem::new(Reason::Unreachable, "the sign-in was interrupted");
        opened.map_err(interrupted)?.map(Arc::new)
    }

    /// Forgets the session behind `client`, unless another one took its place already.
    async fn leave(&self, vault: &str, client: &Arc<SecretClient>) {
        let person = {
            let mut session = self.held();
            if !session.clients.get(vault).is_some_and(|current| Arc::ptr_eq(current, client)) {
                return;
            }
            session.clients.clear();
            session.identity = None;
            session.person.clone()
        };
        if let Some(person) = person {
            person.doubt().await;
        }
    }

    /// Signs in with a client secret that a person has, and keeps it if Entra ID accepts it.
    async fn verify(&self, secret: SecretValue) -> Result<Session, Problem> {
        let secret = Arc::new(secret);
        let identity = self.open_identity(Some(secret.clone()), None).await?;
        identity.token().await?;
        *self.held() = Held { entered: Some(secret), identity: Some(identity), ..Held::default() };
        Ok(self.session_of_client())
    }

    /// What a client secret that was typed in opens.
    fn session_of_client(&self) -> Session {
        Session { who: None, organization: self.settings.tenant.clone(), until: None }
    }

    /// Tries what signs in by itself: the session of `az`, or the machine's own identity.
    async fn try_out(&self) -> Result<Session, Problem> {
        let identity = self.open_identity(None, None).await?;
        let until = identity.token().await?.expires_on;
        *self.held() = Held { identity: Some(identity), ..Held::default() };
        let who = match self.settings.sign_in {
            SignIn::Az => "the user of `az`",
            SignIn::WorkloadIdentity => "this machine's workload identity",
            _ => "this machine's managed identity",
        };
        Ok(Session { who: Some(who.into()), organization: self.settings.tenant.clone(), until: Some(until.into()) })
    }

    /// Has a person sign in at Entra ID.
    async fn receive(&self, person: &dyn Person) -> Result<Session, Problem> {
        let signed_in = SignedIn::new(&self.integration, &self.settings, person).await?;
        let session = signed_in.session().clone();
        if let Some(organization) = &session.organization {
            self.bound.admit(&self.integration, organization)?;
        }
        *self.held() = Held { person: Some(signed_in), ..Held::default() };
        Ok(session)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<'a>(&'a self, secret: &'a AzureSecret) -> Asked<'a> {
        Asked { integration: &self.integration, secret }
    }
}

impl Provider for KeyVaults {
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move { self.read_value(secret(at)?).await }.boxed()
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn browse(&self) -> Option<&dyn Browse> {
        Some(self)
    }

    fn login(&self) -> Option<&dyn Login> {
        Some(self)
    }

    fn session(&self) -> Option<Session> {
        let held = self.held();
        let Some(person) = &held.person else { return held.entered.as_ref().map(|_| self.session_of_client()) };
        person.is_alive().then(|| person.session().clone())
    }

    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        *self.held() = Held::default();
        self.bound.release();
        std::future::ready(Ok(())).boxed()
    }
}

impl Check for KeyVaults {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(secret(at)?).await }.boxed()
    }
}

impl Login for KeyVaults {
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        async move {
            match self.settings.sign_in {
                SignIn::Browser | SignIn::Device => return self.receive(person).await,
                SignIn::Az | SignIn::WorkloadIdentity | SignIn::ManagedIdentity => return self.try_out().await,
                SignIn::ClientSecret => {}
            }
            let message = format!("The client secret for `{}`", self.integration);
            let secret = ask_one(person, &message, Field::hidden("token", "Client secret")).await?;
            self.verify(secret).await
        }
        .boxed()
    }
}

fn secret(at: &Coordinates) -> Result<&AzureSecret, Problem> {
    match at {
        Coordinates::Azure(secret) => Ok(secret),
        Coordinates::Kv(_) | Coordinates::Aws(_) | Coordinates::Onepassword(_) => {
            Err(Problem::new(Reason::NotConfigured, "the link is not one into Azure Key Vault"))
        }
    }
}

/// Whether the version that is meant would be handed out.
fn judge(versions: &[SecretProperties], asked: Asked<'_>) -> Result<Existence, Problem> {
    let meant: Vec<&SecretProperties> = match &asked.secret.version {
        Some(version) => versions.iter().filter(|one| version_of(one).as_ref() == Some(version)).collect(),
        None => {
            let latest = versions.iter().map(created).max();
            versions.iter().filter(|one| Some(created(one)) == latest).collect()
        }
    };
    let enabled = meant.iter().filter(|one| is_enabled(one)).count();
    match (meant.len(), enabled) {
        (0, _) if versions.len() < MOST_LISTED => Err(answer::no_version(asked)),
        (0, _) => Ok(Existence::Unknown),
        (all, enabled) if all == enabled => Ok(Existence::Confirmed),
        (_, 0) => Err(answer::disabled(asked)),
        // Two versions of the same second: the list does not say which came last.
        _ => Ok(Existence::Unknown),
    }
}

fn created(properties: &SecretProperties) -> Option<azure_core::time::OffsetDateTime> {
    properties.attributes.as_ref()?.created
}

fn is_enabled(properties: &SecretProperties) -> bool {
    properties.attributes.as_ref().and_then(|attributes| attributes.enabled).unwrap_or(true)
}

fn version_of(properties: &SecretProperties) -> Option<String> {
    Some(properties.resource_id().ok()?.version?.to_ascii_lowercase())
}
