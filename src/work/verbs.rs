//! What a person can do about a secret: create, enable, allow a host, unlock, sign in, trust, forget.
//! Each is one act that both faces translate; none asks anything.

use std::{io, path::PathBuf, sync::Arc, time::SystemTime};

use crate::{
    approval::Record,
    config::{Layer, NewIntegration, NewLink},
    disk,
    domain::DomainList,
    http::redact,
    name::SecretName,
    policy,
    status::{Problem, Reason, Session},
    vault::{
        Pending,
        link::{LOCAL, edit},
        local::Change,
        person::Person,
        provider::{Choices, Leads, Shelf},
        value::SecretValue,
    },
    work::{Core, plan},
};
use serde::Serialize;

/// The largest configuration file that is edited, in bytes.
const CONFIGURATION_CAP: u64 = 1024 * 1024;

/// Why an act was not done, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// None for a failure of the machine, such as a full disk.
    pub reason: Option<Reason>,
    pub message: String,
    /// The way out; empty when there is none to tell.
    pub hint: String,
}

impl Failure {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: None, message: message.into(), hint: hint.into() }
    }
}

impl Failure {
    /// The stable code of its reason.
    pub fn code(&self) -> Option<&'static str> {
        self.reason.map(Reason::code)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { reason: Some(problem.reason), hint: problem.reason.hint().into(), message: problem.detail }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string(), "")
    }
}

impl Core {
    /// Runs what blocks on the disk or on a key derivation off the async threads.
    pub(super) async fn blocking<R: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Self) -> R + Send + 'static,
    ) -> R {
        let core = self.clone();
        match tokio::task::spawn_blocking(move || act(&core)).await {
            Ok(result) => result,
            // Not cancelled, for nobody aborts it, so it panicked: the panic goes on where it is waited for.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Forgets what the vaults said about `name`, or all, and every answer: it may have been got by what is no more.
    async fn forget(&self, name: Option<&SecretName>) {
        self.exchanges.clear();
        self.vault.reset(name).await;
    }

    /// Stores a secret in the local vault, or changes what `change` names. Says what a person should know about
    /// the value, such as that it cannot be masked.
    pub async fn store(self: &Arc<Self>, name: &SecretName, change: Change) -> Result<Option<String>, Failure> {
        check_domains(change.allowed_domains.as_deref().unwrap_or_default())?;
        let unmaskable = change.value.as_ref().and_then(redact::unmaskable);
        let warning = unmaskable.map(|why| format!("the value of `{name}` will not be masked: {why}"));
        let stored = name.clone();
        self.blocking(move |core| core.vault.local().set(&stored, change)).await?;
        self.forget(Some(name)).await;
        Ok(warning)
    }

    /// Turns a secret of the local vault on or off.
    pub async fn enable(self: &Arc<Self>, name: &SecretName, enabled: bool) -> Result<(), Failure> {
        let asked = name.clone();
        if self.blocking(move |core| core.vault.local().entry(&asked)).await?.is_none() {
            let message = format!("there is no secret `{name}` in the local vault");
            return Err(Failure::new(message, "a link is turned on or off by `enabled` where it is written"));
        }
        self.store(name, Change { enabled: Some(enabled), ..Change::default() }).await.map(drop)
    }

    /// Removes a secret from the local vault.
    pub async fn remove(self: &Arc<Self>, name: &SecretName) -> Result<(), Failure> {
        let removed = name.clone();
        self.blocking(move |core| core.vault.local().remove(&removed)).await?;
        self.forget(Some(name)).await;
        Ok(())
    }

    pub async fn rename(self: &Arc<Self>, from: &SecretName, to: &SecretName) -> Result<(), Failure> {
        let (old, new) = (from.clone(), to.clone());
        self.blocking(move |core| core.vault.local().rename(&old, &new)).await?;
        self.forget(Some(from)).await;
        self.forget(Some(to)).await;
        Ok(())
    }

    /// Deletes the local vault with everything in it. The caller asked.
    pub async fn wipe(self: &Arc<Self>) -> Result<(), Failure> {
        self.blocking(|core| core.vault.local().reset()).await?;
        self.forget(None).await;
        Ok(())
    }

    /// Enters the local vault's passphrase, or chooses it where there is no vault yet.
    pub async fn unlock(self: &Arc<Self>, passphrase: SecretValue) -> Result<(), Failure> {
        self.blocking(move |core| core.vault.local().unlock(passphrase)).await?;
        self.vault.reset(None).await;
        Ok(())
    }

    /// Locks the local vault until somebody unlocks it, and forgets every cached value, of any vault. Says whether its key
    /// is also kept elsewhere, in the key store or in the environment, so that the next start opens it again.
    pub async fn lock(self: &Arc<Self>) -> bool {
        let kept = self.blocking(|core| core.vault.local().lock_and_look_for_key()).await;
        self.reset_cache(None).await;
        kept
    }

    /// Ends every session before the program ends; what a sign-in here brought is revoked.
    pub async fn end(&self) {
        self.exchanges.clear();
        self.vault.end().await;
    }

    /// Signs `person` in to an integration, for as long as this process lives.
    pub async fn login(&self, integration: &str, person: &dyn Person) -> Result<Session, Failure> {
        let session = self.vault.sign_in(integration, person).await.map_err(Failure::from)?;
        // Another person may be behind the new credentials.
        self.exchanges.clear();
        Ok(session)
    }

    /// Ends the session of an integration. Its values leave memory in any case; a failure is one of the revocation.
    pub async fn disconnect(&self, integration: &str) -> Result<(), Failure> {
        self.exchanges.clear();
        self.vault.disconnect(integration).await.map_err(Failure::from)
    }

    /// What an integration has to choose from at a place, ready to be linked to. Names, never values.
    pub async fn browse(&self, integration: &str, at: &Shelf) -> Result<Choices, Failure> {
        let mut choices = self.vault.browse(integration, at).await?;
        for choice in &mut choices.choices {
            if let Leads::Link(link) = &mut choice.leads {
                integration.clone_into(&mut link.integration);
            }
        }
        Ok(choices)
    }

    /// Lets `name` go to `host`: for this process, or also for later ones. A list of allowed domains is widened where
    /// it is the local vault's and the answer is to be remembered; every other list is its writer's to change.
    pub async fn allow_host(self: &Arc<Self>, name: &SecretName, host: &str, remember: bool) -> Result<(), Failure> {
        let Some(url) = policy::url_of_host(host) else {
            let hint = "write it as in `api.example.com`, `localhost:8080` or `http://example.com`";
            return Err(Failure::new("this is not a host", hint));
        };
        let domains = self.vault.allowed_domains(name);
        if domains.is_unset() {
            return self.policy.allow(name, host, remember).map_err(Failure::from);
        }
        if domains.allows(&url) {
            return Ok(());
        }
        let Some(secret) = self.vault.local_with_domains(name) else {
            return Err(self.fixed_domains(name, host));
        };
        if !remember {
            let message = format!("`{name}` has a list of allowed domains, and `{host}` is not in it");
            return Err(Failure::new(message, "allow the host and remember it: then it is added to the list"));
        }
        let mut entries: Vec<String> = domains.patterns.iter().map(ToString::to_string).collect();
        entries.extend(plan::host_of(&url));
        self.store(&secret, Change { allowed_domains: Some(entries), ..Change::default() }).await.map(drop)
    }

    /// The list of `name` stands in a file, where it is changed with everything that is agreed on there.
    fn fixed_domains(&self, name: &SecretName, host: &str) -> Failure {
        let known = self.vault.known();
        let link = known.secrets.into_iter().find(|secret| secret.name == *name).and_then(|secret| secret.link);
        let file = link.map_or("the configuration".into(), |site| site.file.display().to_string());
        let message = format!("the allowed domains of `{name}` are written in {file}");
        Failure::new(message, format!("add `{host}` to its `allowed-domains` there"))
    }

    /// Forgets cached values and statuses: of one name, or all. What was sent goes with them.
    pub async fn reset_cache(&self, name: Option<&SecretName>) {
        self.sender.hang_up();
        self.forget(name).await;
    }

    /// Approves definitions of the workspace, exactly as they were shown.
    pub fn approve(&self, shown: &[Pending]) -> Result<(), Failure> {
        shown.iter().try_for_each(|one| self.vault.approve(one)).map_err(Failure::from)
    }

    /// What was approved for this workspace: definitions and hosts.
    pub fn approved(&self) -> Result<Vec<Record>, Failure> {
        let workspace = self.workspace();
        let mut records = self.approvals.list()?;
        records.retain(|record| record.workspace == workspace);
        Ok(records)
    }

    /// Takes back what was approved for this workspace: what is called `name`, or everything. Returns what it was.
    pub fn revoke(&self, name: Option<&str>) -> Result<Vec<Record>, Failure> {
        self.exchanges.clear();
        let mut records = self.approved()?;
        records.retain(|record| name.is_none_or(|name| record.name == name));
        for record in &records {
            self.approvals.revoke_listed(&record.id)?;
        }
        Ok(records)
    }

    /// Says in `vaultls.toml` where `name` lives, and approves exactly that: it is the person's own act. An entry that
    /// nobody looked at yet keeps waiting for that, with what it says beside the place. Returns the file.
    pub async fn link(self: &Arc<Self>, name: &SecretName, target: NewLink) -> Result<PathBuf, Failure> {
        check_domains(target.allowed_domains.as_deref().unwrap_or_default())?;
        let name = name.clone();
        self.blocking(move |core| core.write_link(&name, &target)).await
    }

    fn write_link(&self, name: &SecretName, target: &NewLink) -> Result<PathBuf, Failure> {
        let is_unseen = target.allowed_domains.is_none() && self.vault.is_unseen(name);
        let known = self.vault.known();
        let integrations: Vec<&str> = known.integrations.iter().map(|known| known.name.as_str()).collect();
        if target.integration != LOCAL && !integrations.contains(&target.integration.as_str()) {
            let message = format!("there is no integration `{}` here", target.integration.escape_debug());
            return Err(Failure::new(message, format!("there are: {}, {LOCAL}", integrations.join(", "))));
        }
        let (file, text) = known.link_file.unwrap_or_else(|| (self.root.join("vaultls.toml"), None));
        let text = edit::put_link(&text.unwrap_or_default(), name, target)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display()), ""))?;
        edit::save(&file, &text).map_err(|error| Failure::new(format!("{}: {error}", file.display()), ""))?;
        self.vault.reload(None);
        let mut pending = self.vault.pending();
        pending.retain(|one| one.kind == "secret" && one.name == name.as_str() && !is_unseen);
        self.approve(&pending)?;
        Ok(file)
    }

    /// Defines an integration: in the workspace's `vaultls.toml`, where that is approving it too, or in the user's own
    /// configuration. Returns the file.
    pub async fn put_integration(
        self: &Arc<Self>,
        name: String,
        integration: NewIntegration,
        layer: Layer,
    ) -> Result<PathBuf, Failure> {
        self.blocking(move |core| core.write_integration(&name, &integration, layer)).await
    }

    fn write_integration(&self, name: &str, integration: &NewIntegration, layer: Layer) -> Result<PathBuf, Failure> {
        let (file, text) = match layer {
            Layer::Workspace => self.vault.known().link_file.unwrap_or_else(|| (self.root.join("vaultls.toml"), None)),
            Layer::User => self.user_file()?,
        };
        let fault = |why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", file.display()), "");
        let text =
            edit::put_integration(&text.unwrap_or_default(), name, integration).map_err(|error| fault(&error))?;
        edit::save(&file, &text).map_err(|error| fault(&error))?;
        self.vault.reload(None);
        let mut pending = self.vault.pending();
        pending.retain(|one| one.kind == "integration" && one.name == name);
        self.approve(&pending)?;
        Ok(file)
    }

    /// The user's own configuration and the text in it. Its folder is made if it is missing.
    fn user_file(&self) -> Result<(PathBuf, Option<String>), Failure> {
        let file = self.user_config.clone();
        file.parent().map_or(Ok(()), disk::private_folder)?;
        match disk::read(&file, CONFIGURATION_CAP) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok((file, Some(text))),
                Err(_) => Err(Failure::new(format!("{}: it is not UTF-8", file.display()), "")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((file, None)),
            Err(error) => Err(Failure::new(format!("{}: {error}", file.display()), "")),
        }
    }

    /// How the workspace is called in approvals.
    fn workspace(&self) -> String {
        self.root.to_string_lossy().into_owned()
    }
}

/// What a person is told once they are signed in to `integration`.
pub fn signed_in(integration: &str, session: &Session) -> String {
    let who = session.who.as_ref().map(|who| format!(" as {who}")).unwrap_or_default();
    let organization = session.organization.as_ref().map(|it| format!(" at {it}")).unwrap_or_default();
    let until = session.until.and_then(clock).map(|until| format!(" until {until}")).unwrap_or_default();
    let text = format!("signed in to `{integration}`{who}{organization}{until}");
    text.replace(char::is_control, "\u{fffd}")
}

/// What a person is told whose link does not count yet.
pub fn still_to_review(core: &Core, name: &SecretName) -> Option<&'static str> {
    let problem = core.vault.last_status(name).problem;
    let is_untrusted = problem.is_some_and(|problem| problem.reason == Reason::Untrusted);
    is_untrusted.then_some("review what this workspace defines before it is used (`vaultls trust`)")
}

/// A moment as the clock on this machine's wall shows it, with the day where that is another.
pub fn clock(at: SystemTime) -> Option<String> {
    let at = jiff::Timestamp::try_from(at).ok()?.to_zoned(jiff::tz::TimeZone::system());
    let today = jiff::Zoned::now().date() == at.date();
    Some(at.strftime(if today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string())
}

/// Refuses a list with an entry that is no pattern, before it is stored.
pub fn check_domains(entries: &[String]) -> Result<(), Failure> {
    let (_, errors) = DomainList::parse(entries);
    let Some((index, error)) = errors.into_iter().next() else { return Ok(()) };
    let entry: String = entries[index].chars().take(80).flat_map(char::escape_debug).collect();
    Err(Failure::new(
        format!("`{entry}` is not a domain: {error}"),
        "write it like `api.example.com` or `*.example.com`",
    ))
}
