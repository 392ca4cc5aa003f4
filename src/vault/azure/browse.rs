//! Choosing a secret of a Key Vault: first the vault, then the secret. Azure Resource Manager, which could list the
//! vaults, is another service with another token; the vaults that are known are those of the links and of the session.

use std::collections::BTreeSet;

use azure_security_keyvault_secrets::{ResourceExt, models::SecretProperties};
use futures_util::{FutureExt, future::BoxFuture};

use super::{KeyVaults, answer, is_enabled};
use crate::{
    config::{Layer, NewLink},
    status::{Problem, Reason},
    vault::{
        link::azure::AzureSecret,
        provider::{Browse, ByHand, Choice, Choices, Leads, Shelf},
    },
};

/// How many secrets one page holds.
const PAGE: usize = 100;

impl Browse for KeyVaults {
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>> {
        async move {
            match question.path.as_slice() {
                [] => Ok(self.vaults(question)),
                [vault] => self.secrets(vault, question).await,
                _ => Err(Problem::new(Reason::NotConfigured, "a Key Vault has no folders")),
            }
        }
        .boxed()
    }
}

impl KeyVaults {
    fn vaults(&self, at: &Shelf) -> Choices {
        let hosts: BTreeSet<String> = self.held().clients.keys().cloned().collect();
        let mut choices = Choices {
            title: "vault".into(),
            by_hand: Some(ByHand {
                label: "the vault's name".into(),
                placeholder: Some(format!("my-vault.{}", self.settings.cloud.suffix)),
            }),
            ..Choices::default()
        };
        add_vaults(&mut choices, at, hosts);
        choices
    }

    async fn secrets(&self, vault: &str, at: &Shelf) -> Result<Choices, Problem> {
        let place = self.vault(vault)?;
        let vault = &place.vault;
        let listed = self.listed(&place).await?.map_err(|error| answer::problem(&error, self.asked(&place)))?;
        let filter = at.filter.to_lowercase();
        let mut names: Vec<(String, bool)> = listed.iter().filter_map(named).collect();
        names.retain(|(name, _)| name.to_lowercase().contains(&filter));
        names.sort();
        let start = at.page.as_deref().and_then(|page| page.parse::<usize>().ok()).unwrap_or(0);
        let next = start.saturating_add(PAGE);
        let more = (next < names.len()).then(|| next.to_string());
        let choices = names.into_iter().skip(start).take(PAGE).map(|(name, enabled)| {
            let id = Some(format!("https://{vault}/secrets/{name}"));
            let detail = (!enabled).then(|| "disabled".to_owned());
            Choice { label: name, detail, leads: Leads::Link(Box::new(NewLink { id, ..NewLink::default() })) }
        });
        Ok(Choices { title: format!("secret of {vault}"), choices: choices.collect(), more, by_hand: None })
    }

    /// A vault that was chosen or typed. Only a vault of the integration's cloud gets its token, or one that a link of
    /// the user's own led to.
    fn vault(&self, typed: &str) -> Result<AzureSecret, Problem> {
        let typed = typed.trim().trim_start_matches("https://").trim_end_matches('/').to_ascii_lowercase();
        let suffix = self.settings.cloud.suffix;
        let host = if typed.contains('.') { typed } else { format!("{typed}.{suffix}") };
        let known = self.held().clients.contains_key(&host);
        let layer = if known { Layer::User } else { Layer::Workspace };
        let place = AzureSecret::parse(&format!("https://{host}/secrets/names"), layer);
        let place = place.map_err(|error| Problem::new(Reason::NotConfigured, error.to_string()))?;
        if known || place.cloud() == Some(self.settings.cloud) {
            return Ok(place);
        }
        let detail = format!("`{host}` is a vault of another cloud than `{}`", self.integration);
        Err(Problem::new(Reason::NotConfigured, detail))
    }
}

/// Adds the vaults of `hosts` that are wanted and not there yet.
pub(in crate::vault) fn add_vaults(choices: &mut Choices, at: &Shelf, hosts: impl IntoIterator<Item = String>) {
    let filter = at.filter.to_lowercase();
    for host in hosts {
        if host.contains(&filter) && !choices.choices.iter().any(|choice| choice.label == host) {
            choices.choices.push(Choice { label: host.clone(), detail: None, leads: Leads::To(vec![host]) });
        }
    }
    choices.choices.sort_by(|a, b| a.label.cmp(&b.label));
}

/// A secret's name, and whether it is enabled.
fn named(properties: &SecretProperties) -> Option<(String, bool)> {
    Some((properties.resource_id().ok()?.name, is_enabled(properties)))
}
