//! The one door to secrets: where each name lives, whether it can be had, and its value when a request is sent.
//!
//! A name is looked up in the user's links, then in the workspace's, then in the local vault. A link that came with the
//! workspace counts only after the user approved its exact text; until then it makes no connection and opens no file.

pub mod aws;
pub mod azure;
pub mod browser;
pub mod cache;
mod fields;
pub mod hashicorp;
pub mod life;
pub mod link;
pub mod local;
pub mod oauth;
pub mod onepassword;
pub mod person;
pub mod provider;
mod files;
mod gather;
mod organization;
pub mod overview;
pub mod program;
mod providers;
mod session;
mod shown;
mod statuses;
mod trust;
pub mod value;
mod wire;

pub use trust::Pending;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::runtime::Handle;

use crate::{
    approval::Approvals,
    config::{Complaint, FileText, Layer},
    domain::DomainList,
    name::SecretName,
    status::{Known, KnownIntegration, KnownSecret, Origin, Problem, ProviderKind, Reason, Status},
};
use cache::Cache;
use files::Files;
use link::{Coordinates, Definitions, Fingerprint, LOCAL, Link, Target, integration::Integration};
use local::LocalVault;
use provider::{Existence, Surroundings};
use providers::Providers;
use shown::{entry_origin, known_entry, known_link, link_origin, plain_origin};
use statuses::{Finding, Statuses};
use value::SecretValue;

/// The name of the file of links at a workspace's root.
pub const LINK_FILE: &str = "vaultls.toml";

/// How long a check or a fetch may take, its turn in the queue not counted.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a vault finds its files. Nothing else decides: tests pass folders of their own.
#[derive(Clone, Debug)]
pub struct Options {
    /// The workspace's root folder, whose `vaultls.toml` is read; none when a file stands alone.
    pub workspace: Option<PathBuf>,
    /// The user's `config.toml`.
    pub user_config: PathBuf,
    /// The folder of the local vault's file.
    pub data: PathBuf,
    /// How the local vault's key is found.
    pub key: local::KeySource,
    /// `VAULT_TOKEN` of this process and the user's `~/.vault-token`, used where an integration chose tokens.
    pub vault_token: provider::TokenSource,
    pub approvals: Arc<Approvals>,
    /// The variables of this process, for `{{$processEnv NAME}}` and for the ways to sign in that use them.
    pub process_variables: ProcessVariables,
}

/// Looks up a variable of this process.
#[derive(Clone)]
pub struct ProcessVariables(pub Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<SecretValue> + Send + Sync;

impl Default for ProcessVariables {
    /// No variables.
    fn default() -> Self {
        Self(Arc::new(|_| None))
    }
}

impl std::fmt::Debug for ProcessVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProcessVariables")
    }
}

/// The vault of one workspace.
pub struct Vault {
    options: Options,
    /// The workspace as approvals name it: its canonical root folder.
    workspace: Option<String>,
    files: RwLock<Files>,
    local: Arc<LocalVault>,
    providers: Providers,
    cache: Cache,
    statuses: Statuses,
    /// The integrations that were disconnected, by their exact definitions.
    disconnected: Mutex<HashSet<Fingerprint>>,
}

/// Where the value of a name is to be had.
enum Place {
    Variable(String),
    Local { secret: SecretName },
    External { link: Arc<Link>, integration: Arc<Integration>, coordinates: Coordinates },
}

impl Vault {
    /// Never fails: what is wrong with a file shows in statuses and complaints.
    pub fn open(options: Options) -> Self {
        let root = options.workspace.as_ref();
        let workspace =
            root.map(|root| root.canonicalize().unwrap_or_else(|_| root.clone()).to_string_lossy().into_owned());
        Self {
            workspace,
            files: RwLock::new(Files::read(&options, None)),
            local: Arc::new(LocalVault::open(options.data.clone(), options.key.clone())),
            providers: Providers::new(Surroundings {
                tokens: options.vault_token.clone(),
                variables: options.process_variables.clone(),
                workspace: options.workspace.clone(),
            }),
            cache: Cache::default(),
            statuses: Statuses::default(),
            disconnected: Mutex::default(),
            options,
        }
    }

    /// Reads the configuration files again. `workspace_text` is the text an editor holds; without it the file on the
    /// disk counts. Values and tokens of what is defined no more are dropped.
    pub fn reload(&self, workspace_text: Option<&str>) {
        let new = Files::load(&self.options, workspace_text);
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        if files.user == new.0 && files.workspace == new.1 {
            return;
        }
        let old = std::mem::replace(&mut *files, Files::understand(&self.options, new));
        let definitions = files.definitions.clone();
        drop(files);
        let dropped = self.providers.retain(&definitions);
        // Their credentials left memory; revoking them takes a network, so it goes on by itself.
        if let (Ok(runtime), false) = (Handle::try_current(), dropped.is_empty()) {
            runtime.spawn(session::end_all(dropped));
        }
        let current: HashSet<Fingerprint> = definitions.links.values().map(|link| link.fingerprint()).collect();
        let shorter = definitions.cache_ttl < old.definitions.cache_ttl;
        self.cache.retain(|link| !shorter && current.contains(link));
    }

    /// What is known about `name`: asks its provider without reading a value; remembered for a short time.
    pub async fn status(&self, name: &SecretName) -> Status {
        let finding = match self.place(name) {
            Err(problem) => Finding { checked: problem.reason != Reason::Untrusted, problem: Some(problem) },
            Ok(Place::Variable(variable)) => Finding { problem: self.variable(name, &variable).err(), checked: true },
            Ok(Place::Local { secret }) => {
                let problem = self.blocking(move |local| local_problem(local, &secret)).await;
                Finding { problem, checked: true }
            }
            Ok(Place::External { link, integration, coordinates }) => {
                self.external_finding(name, &link, &integration, coordinates).await
            }
        };
        let origin = self.origin(name).await;
        Status { origin, problem: finding.problem, checked: finding.checked }
    }

    /// What was last known about `name`, at once and without asking anybody.
    pub fn last_status(&self, name: &SecretName) -> Status {
        let origin = self.link(name).map(|link| link_origin(&link, None));
        match self.place(name) {
            Err(problem) if problem.reason != Reason::Missing => {
                Status { origin, problem: Some(problem), checked: false }
            }
            Ok(Place::External { link, .. }) => {
                let last = self.statuses.last(name, link.fingerprint());
                let Finding { problem, checked } = last.unwrap_or(Finding { problem: None, checked: false });
                Status { origin, problem, checked }
            }
            Ok(Place::Local { .. } | Place::Variable(_)) | Err(_) => Status { origin, problem: None, checked: false },
        }
    }

    /// Whether the value of `name` would be handed out as far as that is decided on this machine: what was got by means of
    /// a secret serves no longer than the secret itself may.
    pub async fn grants(&self, name: &SecretName) -> bool {
        match self.place(name) {
            Ok(Place::Local { secret }) => self.blocking(move |local| local_problem(local, &secret)).await.is_none(),
            Ok(Place::Variable(_) | Place::External { .. }) => true,
            Err(_) => false,
        }
    }

    /// The value, from the cache or its provider. Refuses a definition that was not approved.
    pub async fn value(&self, name: &SecretName) -> Result<Arc<SecretValue>, Problem> {
        match self.place(name)? {
            Place::Variable(variable) => self.variable(name, &variable).map(Arc::new),
            Place::Local { secret } => self.blocking(move |local| local.value(&secret)).await.map(Arc::new),
            Place::External { link, integration, coordinates } => {
                let provider = self.providers.get(&integration)?;
                let (print, ttl) = (link.fingerprint(), self.definitions().cache_ttl);
                let asked = provider.clone();
                let load = async move { provider.read(&coordinates).await };
                let outcome = self.cache.get(print, ttl, load).await;
                if let Some(until) = asked.session().and_then(|session| session.until) {
                    self.cache.end_with(print, until).await;
                }
                let finding = Finding { problem: outcome.as_ref().err().cloned(), checked: true };
                self.statuses.note(name, print, finding);
                outcome
            }
        }
    }

    /// The domain list of `name`: the trusted link's or the local secret's; unset when nobody wrote one. A link into the
    /// local vault cannot replace the list that the secret has there.
    pub fn allowed_domains(&self, name: &SecretName) -> DomainList {
        let of_local = |secret: &SecretName| {
            let entry = self.local.entry(secret).ok().flatten();
            entry.map(|entry| DomainList::parse(&entry.allowed_domains).0).unwrap_or_default()
        };
        match self.place(name) {
            Ok(Place::External { link, .. }) => link.domains(),
            Ok(Place::Local { secret }) => {
                let own = of_local(&secret);
                if own.is_unset() { self.link(name).map(|link| link.domains()).unwrap_or_default() } else { own }
            }
            Ok(Place::Variable(_)) | Err(_) => DomainList::default(),
        }
    }

    /// The local secret that `name` stands for, if the list of allowed domains that counts for it is its own.
    pub fn local_with_domains(&self, name: &SecretName) -> Option<SecretName> {
        let Ok(Place::Local { secret }) = self.place(name) else { return None };
        let entry = self.local.entry(&secret).ok().flatten()?;
        (!entry.allowed_domains.is_empty()).then_some(secret)
    }

    /// Everything that can be named here. NB. looks into the local vault, so it may wait for the disk, and the first
    /// time for the key: see [`Self::warm`].
    pub fn known(&self) -> Known {
        let definitions = self.definitions();
        let entries = self.local.entries();
        let linked = definitions.links.values().map(|link| known_link(link, &entries));
        let unlinked = entries.iter().filter(|entry| !definitions.links.contains_key(&entry.name)).map(known_entry);
        let mut secrets: Vec<KnownSecret> = linked.chain(unlinked).collect();
        secrets.sort_by(|a, b| a.name.cmp(&b.name));
        let integrations = definitions.integrations.values().map(|integration| KnownIntegration {
            name: integration.name.clone(),
            provider: integration.provider(),
            site: integration.source.site.clone(),
        });
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let text = match &files.workspace {
            FileText::Text(text) => Some(text.clone()),
            FileText::Absent | FileText::Unusable(_) => None,
        };
        Known {
            secrets,
            integrations: integrations.collect(),
            link_file: self.options.link_file().map(|path| (path, text)),
        }
    }

    /// Finds the local vault's key off the async threads, so that nobody waits for it later.
    pub async fn warm(&self) {
        self.blocking(LocalVault::state).await;
    }

    /// Complaints about the configuration file of `layer`.
    pub fn complaints(&self, layer: Layer) -> Vec<Complaint> {
        let definitions = self.definitions();
        match layer {
            Layer::User => definitions.user_complaints.clone(),
            Layer::Workspace => definitions.workspace_complaints.clone(),
        }
    }

    /// Forgets cached values and statuses: of one name, or all.
    pub async fn reset(&self, name: Option<&SecretName>) {
        self.providers.forget_outages();
        let Some(name) = name else {
            self.statuses.clear();
            self.cache.clear().await;
            return;
        };
        self.statuses.forget(name);
        if let Some(link) = self.link(name) {
            self.cache.forget(link.fingerprint()).await;
        }
    }

    /// The vault on this machine.
    pub fn local(&self) -> &LocalVault {
        &self.local
    }

    fn definitions(&self) -> Arc<Definitions> {
        self.files.read().unwrap_or_else(PoisonError::into_inner).definitions.clone()
    }

    fn link(&self, name: &SecretName) -> Option<Arc<Link>> {
        self.definitions().links.get(name).cloned()
    }

    fn integration(&self, name: &str) -> Result<Arc<Integration>, Problem> {
        self.definitions().integrations.get(name).cloned().ok_or_else(|| {
            let detail = match name {
                LOCAL => "the local vault is unlocked, not signed in to".into(),
                _ => format!("there is no integration named `{}`", name.escape_debug()),
            };
            Problem::new(Reason::NotConfigured, detail)
        })
    }

    /// Where the value of `name` is to be had, if it may be had at all.
    fn place(&self, name: &SecretName) -> Result<Place, Problem> {
        if let Some(variable) = name.process_variable() {
            return Ok(Place::Variable(variable.to_owned()));
        }
        let Some(link) = self.link(name) else { return Ok(Place::Local { secret: name.clone() }) };
        let target = link.target.as_ref().map_err(Clone::clone)?;
        self.require_trust(&link.source, "secret", name.as_str(), &link.definition)?;
        if !link.enabled {
            return Err(Problem::new(Reason::Disabled, format!("the link of `{name}` is turned off")));
        }
        match target {
            Target::Local(secret) => Ok(Place::Local { secret: secret.clone() }),
            Target::External { integration, coordinates } => {
                self.require_trust_in(integration)?;
                self.require_connection(integration)?;
                let (integration, coordinates) = (integration.clone(), coordinates.clone());
                Ok(Place::External { link: link.clone(), integration, coordinates })
            }
        }
    }

    fn variable(&self, name: &SecretName, variable: &str) -> Result<SecretValue, Problem> {
        let found = (self.options.process_variables.0)(variable);
        let value = found
            .ok_or_else(|| Problem::new(Reason::Missing, format!("the process variable `{variable}` is not set")))?;
        if value.is_empty() {
            return Err(Problem::new(Reason::Empty, format!("the process variable `{variable}` is empty")));
        }
        if value.len() > SecretValue::MAX_LENGTH {
            return Err(Problem::new(Reason::BadValue, format!("the value of `{name}` is too large")));
        }
        Ok(value)
    }

    async fn external_finding(
        &self,
        name: &SecretName,
        link: &Link,
        integration: &Integration,
        coordinates: Coordinates,
    ) -> Finding {
        // A cached value will be used, so what its provider says now does not matter.
        if self.cache.remaining(link.fingerprint()).await.is_some() {
            return Finding { problem: None, checked: true };
        }
        let provider = match self.providers.get(integration) {
            Ok(provider) => provider,
            Err(problem) => return Finding { problem: Some(problem), checked: true },
        };
        let ask = async move {
            match provider.check(&coordinates).await {
                Ok(existence) => Finding { problem: None, checked: existence == Existence::Confirmed },
                Err(problem) => Finding { problem: Some(problem), checked: true },
            }
        };
        self.statuses.get(name, link.fingerprint(), ask).await
    }

    async fn origin(&self, name: &SecretName) -> Option<Origin> {
        if let Some(variable) = name.process_variable() {
            return Some(plain_origin(ProviderKind::Environment, vec![("variable", variable.to_owned())]));
        }
        let Some(link) = self.link(name) else {
            let secret = name.clone();
            let entry = self.blocking(move |local| local.entry(&secret)).await.ok().flatten()?;
            return Some(entry_origin(&entry));
        };
        let cached_for = self.cache.remaining(link.fingerprint()).await;
        let mut origin = link_origin(&link, cached_for);
        let age = self.statuses.age(name, link.fingerprint());
        origin.checked_at = age.and_then(|age| SystemTime::now().checked_sub(age));
        origin.console = self.console(&link).ok().map(String::from);
        if let Ok(Place::Local { secret }) = self.place(name)
            && let Ok(Some(entry)) = self.blocking(move |local| local.entry(&secret)).await
            && !entry.allowed_domains.is_empty()
        {
            origin.allowed_domains = entry.allowed_domains;
        }
        Some(origin)
    }

    /// Runs what blocks on the disk or on a key derivation off the async threads.
    async fn blocking<R: Send + 'static>(&self, act: impl FnOnce(&LocalVault) -> R + Send + 'static) -> R {
        let local = self.local.clone();
        match tokio::task::spawn_blocking(move || act(&local)).await {
            Ok(result) => result,
            // Nobody aborts it, so it panicked: the panic goes on where it is waited for.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the local vault would not hand out `secret`.
fn local_problem(local: &LocalVault, secret: &SecretName) -> Option<Problem> {
    match local.entry(secret) {
        Err(problem) => Some(problem),
        Ok(None) => Some(Problem::new(Reason::Missing, format!("there is no secret named `{secret}`"))),
        Ok(Some(entry)) if !entry.enabled => {
            Some(Problem::new(Reason::Disabled, format!("`{secret}` is turned off in the local vault")))
        }
        Ok(Some(entry)) if !entry.filled => {
            Some(Problem::new(Reason::Empty, format!("`{secret}` has no value in the local vault")))
        }
        Ok(Some(_)) => None,
    }
}

#[cfg(test)]
mod tests;
