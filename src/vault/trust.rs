//! Trust in what came with a workspace: its integrations and links count once the user approved their exact texts.

use std::io;

use super::{Vault, link::integration::Integration};
use crate::{
    approval::Approval,
    config::{Layer, Source},
    name::SecretName,
    status::{Problem, Reason},
};

/// A definition of a workspace that waits for the user's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// `integration` or `secret`.
    pub kind: &'static str,
    pub name: String,
    pub source: Source,
    /// Its exact text in canonical form, to show and to approve.
    pub definition: String,
    /// The text that was approved before, where one was.
    pub approved: Option<String>,
}

impl Vault {
    /// Definitions of the workspace that were not approved yet, or were changed since. What cannot be used anyway does
    /// not wait.
    pub fn pending(&self) -> Vec<Pending> {
        let definitions = self.definitions();
        let integrations = definitions.integrations.values().filter(|one| one.settings.is_ok()).map(|one| Pending {
            kind: "integration",
            name: one.name.clone(),
            source: one.source.clone(),
            definition: one.definition.clone(),
            approved: None,
        });
        let links = definitions.links.values().filter(|link| link.target.is_ok()).map(|link| Pending {
            kind: "secret",
            name: link.name.to_string(),
            source: link.source.clone(),
            definition: link.definition.clone(),
            approved: None,
        });
        let mut pending: Vec<Pending> = integrations
            .chain(links)
            .filter(|one| !self.trusts(&one.source, one.kind, &one.name, &one.definition))
            .collect();
        if let (Some(workspace), false) = (&self.workspace, pending.is_empty()) {
            let mut before = self.options.approvals.definitions(workspace);
            for one in &mut pending {
                one.approved = before.remove(&(one.kind.to_owned(), one.name.clone()));
            }
        }
        pending
    }

    /// Approves a definition exactly as it was shown.
    pub fn approve(&self, shown: &Pending) -> io::Result<()> {
        let Some(workspace) = &self.workspace else { return Ok(()) };
        let Pending { kind, name, definition, .. } = shown;
        self.options.approvals.grant(&Approval::Definition { workspace, kind, name, definition })
    }

    /// Whether the link of `name` came with the workspace and waits for approval.
    pub fn is_unseen(&self, name: &SecretName) -> bool {
        self.link(name).is_some_and(|link| !self.trusts(&link.source, "secret", name.as_str(), &link.definition))
    }

    /// NB. also for a link that is approved: whoever writes one by an action approves where a value lives, and has
    /// perhaps never seen the address that the token goes to.
    pub(super) fn require_trust_in(&self, integration: &Integration) -> Result<(), Problem> {
        let Integration { source, name, definition, .. } = integration;
        self.require_trust(source, "integration", name, definition)
    }

    pub(super) fn require_trust(
        &self,
        source: &Source,
        kind: &'static str,
        name: &str,
        definition: &str,
    ) -> Result<(), Problem> {
        if self.trusts(source, kind, name, definition) {
            return Ok(());
        }
        let detail =
            format!("the {kind} `{name}` is defined by this workspace and was not approved, or was changed since");
        Err(Problem::new(Reason::Untrusted, detail))
    }

    pub(super) fn trusts(&self, source: &Source, kind: &str, name: &str, definition: &str) -> bool {
        if source.layer == Layer::User {
            return true;
        }
        let Some(workspace) = &self.workspace else { return false };
        self.options.approvals.contains(&Approval::Definition { workspace, kind, name, definition })
    }
}
