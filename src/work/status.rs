//! What is known here, as a list: integrations, secrets, the local vault, what waits for approval.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use crate::{
    name::SecretName,
    status::{ProviderKind, Status},
    vault::local::State,
    work::Core,
};

/// Everything that `vaultls status` and the editor's status command show. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub root: String,
    /// `absent`, `open`, `locked`, or what is wrong with the file.
    pub local: String,
    pub integrations: Vec<Integration>,
    pub secrets: Vec<Secret>,
    /// Definitions of the workspace that nobody approved yet.
    pub pending: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    pub name: String,
    pub provider: ProviderKind,
    /// The file that defines it.
    pub file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    pub name: SecretName,
    pub enabled: bool,
    #[serde(flatten)]
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub kind: &'static str,
    pub name: String,
    pub definition: String,
}

impl Core {
    /// Asks for the status of everything that is known here.
    pub async fn report(self: &Arc<Self>) -> Report {
        let local = self.local_state().await;
        let known = self.vault.known();
        let names: BTreeSet<SecretName> = known.secrets.iter().map(|secret| secret.name.clone()).collect();
        let mut statuses = self.statuses(names).await;
        let unknown = || Status { origin: None, problem: None, checked: false };
        let secrets = known.secrets.into_iter().map(|secret| Secret {
            status: statuses.remove(&secret.name).unwrap_or_else(unknown),
            name: secret.name,
            enabled: secret.enabled,
        });
        let integrations = known.integrations.into_iter().map(|integration| Integration {
            name: integration.name,
            provider: integration.provider,
            file: integration.site.file.display().to_string(),
        });
        Report {
            root: self.root.display().to_string(),
            local: local_state(local),
            integrations: integrations.collect(),
            secrets: secrets.collect(),
            pending: self.waiting(),
        }
    }

    pub async fn local_state(self: &Arc<Self>) -> State {
        self.blocking(|core| core.vault.local().state()).await
    }

    /// What waits for approval, to be shown before it is approved.
    pub fn waiting(&self) -> Vec<Waiting> {
        let pending = self.vault.pending().into_iter();
        pending.map(|one| Waiting { kind: one.kind, name: one.name, definition: one.definition }).collect()
    }
}

fn local_state(state: State) -> String {
    match state {
        State::Absent => "absent".into(),
        State::Open => "open".into(),
        State::Locked => "locked".into(),
        State::Broken(why) => why,
    }
}
