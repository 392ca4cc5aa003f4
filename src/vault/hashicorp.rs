//! HashiCorp Vault and OpenBao: KV v1 and v2, and every way to sign in. The only user of vaultrs.

mod answer;
mod browse;
mod endpoint;
mod login;
mod session;
pub mod setup;
mod tokens;
mod transport;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::OnceCell;

use super::{
    ProcessVariables,
    link::{Coordinates, hashicorp::Hashicorp, kv::KvSecret},
    person::Person,
    provider::{Browse, Check, Choices, Existence, Login, Provider, Shelf, TokenSource},
    value::SecretValue,
};
use crate::status::{Problem, Reason, Session};
use answer::{Asked, Engine, Refusal};
use tokens::Hand;
use transport::{Answer, Transport};

/// One cluster and namespace.
pub struct Cluster {
    integration: String,
    namespace: Option<String>,
    transport: Transport,
    tokens: TokenSource,
    variables: ProcessVariables,
    /// The token that was got here; it comes before those of the machine.
    hand: Arc<Mutex<Hand>>,
    /// Held by the one who gets or renews a token.
    turn: tokio::sync::Mutex<()>,
    /// The engine at each mount, asked for once.
    engines: Mutex<HashMap<String, Arc<OnceCell<Engine>>>>,
}

impl Cluster {
    /// Asks nothing yet.
    pub fn open(integration: &str, settings: &Hashicorp, tokens: TokenSource, variables: ProcessVariables) -> Self {
        Self {
            integration: integration.to_owned(),
            namespace: settings.namespace.clone(),
            transport: Transport::new(settings),
            tokens,
            variables,
            hand: Arc::default(),
            turn: tokio::sync::Mutex::default(),
            engines: Mutex::default(),
        }
    }

    async fn read_value(&self, secret: &KvSecret) -> Result<SecretValue, Problem> {
        let token = self.token().await?;
        match self.read_with(secret, &token).await {
            Err(problem) if self.may_try_again(&problem, &token) => self.read_with(secret, &*self.token().await?).await,
            outcome => outcome,
        }
    }

    async fn read_with(&self, secret: &KvSecret, token: &SecretValue) -> Result<SecretValue, Problem> {
        let engine = self.engine(secret, token).await?;
        let asked = self.asked(secret);
        let answer = match engine {
            Engine::V1 => {
                refuse_version(secret)?;
                self.transport.ask(endpoint::read_v1(secret), token).await?
            }
            Engine::V2 | Engine::Hidden => self.transport.ask(endpoint::read_v2(secret), token).await?,
        };
        match answer.value(engine, asked) {
            Err(_) if answer.refusal() == Refusal::Absent => {
                Err(self.explain_absence(&answer, engine, secret, token).await)
            }
            other => other,
        }
    }

    async fn check_value(&self, secret: &KvSecret) -> Result<Existence, Problem> {
        let token = self.token().await?;
        match self.check_with(secret, &token).await {
            Err(problem) if self.may_try_again(&problem, &token) => {
                self.check_with(secret, &*self.token().await?).await
            }
            outcome => outcome,
        }
    }

    async fn check_with(&self, secret: &KvSecret, token: &SecretValue) -> Result<Existence, Problem> {
        match self.engine(secret, token).await? {
            Engine::V1 => self.check_v1(secret, token).await,
            engine @ (Engine::V2 | Engine::Hidden) => self.check_v2(secret, engine, token).await,
        }
    }

    async fn check_v2(&self, secret: &KvSecret, engine: Engine, token: &SecretValue) -> Result<Existence, Problem> {
        let answer = self.transport.ask(endpoint::subkeys(secret), token).await?;
        match (answer.check_subkeys(self.asked(secret)), answer.refusal()) {
            (Ok(()), _) => Ok(Existence::Confirmed),
            (Err(_), Refusal::Absent) => Err(self.explain_absence(&answer, engine, secret, token).await),
            // A policy may allow the value and not its description.
            (Err(problem), Refusal::Policy) => {
                self.check_permission(&format!("{}/data/{}", secret.mount, secret.path), problem, token).await
            }
            (Err(problem), _) => Err(problem),
        }
    }

    /// An engine of version 1 describes nothing: only the folder can be looked into, and the permission.
    async fn check_v1(&self, secret: &KvSecret, token: &SecretValue) -> Result<Existence, Problem> {
        refuse_version(secret)?;
        let asked = self.asked(secret);
        let path = format!("{}/{}", secret.mount, secret.path);
        let forbidden = answer::forbidden(asked);
        self.check_permission(&path, forbidden, token).await?;
        let (folder, name) = secret.path.rsplit_once('/').unwrap_or(("", &secret.path));
        let answer = self.transport.ask(endpoint::list_v1(&secret.mount, folder), token).await?;
        match answer.names() {
            Some(names) if answer.is_success() && !names.iter().any(|found| found == name) => {
                self.forget_engine(&secret.mount);
                Err(absent(asked))
            }
            _ if answer.refusal() == Refusal::Absent => {
                self.forget_engine(&secret.mount);
                Err(absent(asked))
            }
            _ => Ok(Existence::Unknown),
        }
    }

    /// `denied` if the token may not read `path`; where even that may not be asked, nothing is known.
    async fn check_permission(&self, path: &str, denied: Problem, token: &SecretValue) -> Result<Existence, Problem> {
        let answer = self.transport.ask(endpoint::capabilities(path), token).await?;
        let Some(capabilities) = answer.capabilities(path).filter(|_| answer.is_success()) else {
            return Ok(Existence::Unknown);
        };
        let may_read = capabilities.iter().any(|capability| matches!(capability.as_str(), "read" | "root" | "sudo"));
        if may_read { Ok(Existence::Unknown) } else { Err(denied) }
    }

    /// The engine at the secret's mount; one question for all who ask at once, and none once it is known.
    async fn engine(&self, secret: &KvSecret, token: &SecretValue) -> Result<Engine, Problem> {
        let cell = lock(&self.engines).entry(secret.mount.clone()).or_default().clone();
        let found = cell
            .get_or_try_init(async || {
                let answer = self.transport.ask(endpoint::mount(&secret.mount), token).await?;
                answer.engine(self.asked(secret))
            })
            .await
            .copied();
        // What is hidden from this token may be shown to the next, and what failed may succeed.
        if !matches!(found, Ok(Engine::V1 | Engine::V2)) {
            self.forget_engine(&secret.mount);
        }
        found
    }

    /// The engine may have been replaced by another since it was asked for.
    fn forget_engine(&self, mount: &str) {
        lock(&self.engines).remove(mount);
    }

    /// What is missing, after a 404 that does not say: the mount, the secret, or its version.
    async fn explain_absence(
        &self,
        answer: &Answer,
        engine: Engine,
        secret: &KvSecret,
        token: &SecretValue,
    ) -> Problem {
        self.forget_engine(&secret.mount);
        let asked = self.asked(secret);
        let (Some(version), Engine::V2) = (secret.version, engine) else { return answer.problem(asked) };
        match self.transport.ask(endpoint::metadata(secret), token).await {
            Ok(metadata) if metadata.is_success() => {
                Problem::new(Reason::NotFound, format!("`{secret}` has no version {version}"))
            }
            Ok(metadata) if metadata.refusal() == Refusal::Absent => {
                let latest = KvSecret { version: None, ..secret.clone() };
                absent(self.asked(&latest))
            }
            _ => answer.problem(asked),
        }
    }

    fn asked<'a>(&'a self, secret: &'a KvSecret) -> Asked<'a> {
        Asked {
            integration: &self.integration,
            cluster: self.transport.shown(),
            namespace: self.namespace.as_deref(),
            secret,
        }
    }
}

impl Provider for Cluster {
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move { self.read_value(kv(at)?).await }.boxed()
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
        self.current_session()
    }

    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        self.end().boxed()
    }
}

impl Check for Cluster {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(kv(at)?).await }.boxed()
    }
}

impl Browse for Cluster {
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>> {
        self.choices(question).boxed()
    }
}

impl Login for Cluster {
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        self.sign_in_as(person).boxed()
    }
}

/// The coordinates of this provider's kind.
fn kv(at: &Coordinates) -> Result<&KvSecret, Problem> {
    match at {
        Coordinates::Kv(secret) => Ok(secret),
        Coordinates::Aws(_) | Coordinates::Azure(_) | Coordinates::Onepassword(_) => {
            Err(Problem::new(Reason::NotConfigured, "the link is not one into a KV engine"))
        }
    }
}

fn bad_token() -> Problem {
    Problem::new(Reason::LoginNeeded, "the token holds characters that no token has")
}

fn refuse_version(secret: &KvSecret) -> Result<(), Problem> {
    let Some(version) = secret.version else { return Ok(()) };
    let detail = format!(
        "the engine `{}` is of KV version 1 and keeps no version {version}; link without `version`",
        secret.mount
    );
    Err(Problem::new(Reason::NotFound, detail))
}

fn absent(asked: Asked<'_>) -> Problem {
    Problem::new(Reason::NotFound, format!("`{}` has no secret `{}`", asked.integration, asked.secret))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
