//! Integrations as one connects to them: signing in, listing what there is, going to the provider's page, and leaving.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;
use url::Url;

use super::{
    Vault, azure,
    link::{Coordinates, Fingerprint, LOCAL, Link, Target, integration::Integration},
    lock,
    person::Person,
    provider::{Choices, Shelf},
    providers::Opened,
};
use crate::{
    name::SecretName,
    status::{Problem, ProviderKind, Reason, Session},
};

/// How long the revocation of all sessions may take once nobody needs them.
const FAREWELL: Duration = Duration::from_secs(2);

impl Vault {
    /// Why nobody could sign in to an integration, as far as that is known without asking its server.
    pub fn may_sign_in(&self, integration: &str) -> Result<(), Problem> {
        self.require_trust_in(&*self.integration(integration)?)
    }

    /// Signs `person` in to an integration, for as long as this process lives, and connects it if it was disconnected.
    pub async fn sign_in(&self, integration: &str, person: &dyn Person) -> Result<Session, Problem> {
        self.may_sign_in(integration)?;
        let integration = self.integration(integration)?;
        let session = self.providers.get(&integration)?.sign_in(person).await?;
        lock(&self.disconnected).remove(&Fingerprint::of(&integration.definition));
        // Another person may be behind the new credentials.
        self.statuses.clear();
        self.cache.clear().await;
        Ok(session)
    }

    /// Ends the session of an integration: its credentials and every value leave memory at once, and its references
    /// are `disconnected` until somebody signs in again. A problem is one of the revocation at the provider alone.
    pub async fn disconnect(&self, integration: &str) -> Result<(), Problem> {
        let integration = self.integration(integration)?;
        lock(&self.disconnected).insert(Fingerprint::of(&integration.definition));
        let opened = self.providers.take(&integration);
        self.statuses.clear();
        self.cache.clear().await;
        match opened {
            Some(opened) => opened.disconnect().await,
            None => Ok(()),
        }
    }

    /// Ends every session before the program ends: what was got by a sign-in here is revoked, as far as the providers
    /// answer in a short time.
    pub async fn end(&self) {
        end_all(self.providers.take_all()).await;
        self.cache.clear().await;
    }

    /// Who is signed in to an integration, as far as that is known without asking its provider.
    pub fn session(&self, integration: &str) -> Option<Session> {
        self.providers.opened(&*self.integration(integration).ok()?)?.session()
    }

    /// What an integration has to choose from at a place. Names, never values.
    pub async fn browse(&self, integration: &str, at: &Shelf) -> Result<Choices, Problem> {
        if integration == LOCAL {
            let at = at.clone();
            return self.blocking(move |local| local.browse(&at)).await;
        }
        self.may_sign_in(integration)?;
        let integration = self.integration(integration)?;
        self.require_connection(&integration)?;
        let mut choices = self.providers.get(&integration)?.browse(at).await?;
        if at.path.is_empty() && integration.provider() == ProviderKind::Azure {
            azure::browse::add_vaults(&mut choices, at, self.linked_key_vaults(&integration));
        }
        Ok(choices)
    }

    /// The Key Vaults that links of `integration` lead to, and that may be asked.
    fn linked_key_vaults(&self, integration: &Integration) -> Vec<String> {
        let trusted = |link: &&Arc<Link>| self.trusts(&link.source, "secret", link.name.as_str(), &link.definition);
        let definitions = self.definitions();
        let links = definitions.links.values().filter(trusted);
        links
            .filter_map(|link| match &link.target {
                Ok(Target::External { integration: of, coordinates: Coordinates::Azure(secret) }) => {
                    (of.name == integration.name).then(|| secret.vault.clone())
                }
                _ => None,
            })
            .collect()
    }

    /// The https page on which the provider itself shows the secret of `name`, which somebody wants to visit.
    pub fn page(&self, name: &SecretName) -> Result<Url, Problem> {
        let link = self.link(name).ok_or_else(|| {
            Problem::new(Reason::NotConfigured, format!("`{name}` is not linked to an external vault"))
        })?;
        self.console(&link)
    }

    /// The provider's own page of a link, if the link may be used.
    pub(super) fn console(&self, link: &Link) -> Result<Url, Problem> {
        self.require_trust(&link.source, "secret", link.name.as_str(), &link.definition)?;
        let none = || Problem::new(Reason::NotConfigured, format!("there is no page that shows `{}`", link.name));
        match link.target.as_ref().map_err(Clone::clone)? {
            Target::Local(_) => Err(none()),
            Target::External { integration, coordinates } => {
                self.require_trust_in(integration)?;
                coordinates.console_url(integration).ok_or_else(none)
            }
        }
    }

    pub(super) fn require_connection(&self, integration: &Integration) -> Result<(), Problem> {
        if !lock(&self.disconnected).contains(&Fingerprint::of(&integration.definition)) {
            return Ok(());
        }
        Err(Problem::new(Reason::Disconnected, format!("`{}` was disconnected", integration.name)))
    }
}

/// Ends the sessions of providers that nobody asks any more. What cannot be revoked comes to its end by itself.
pub(super) async fn end_all(opened: Vec<Arc<Opened>>) {
    let _ = timeout(FAREWELL, join_all(opened.iter().map(|opened| opened.disconnect()))).await;
}
