//! What is known here, as a list: integrations, secrets, the local vault, what waits for approval.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use crate::{
    name::SecretName,
    status::{Known, Reason, Status},
    vault::{
        Pending,
        local::State,
        overview::{Overview, PlacedComplaint, concerns_integration},
    },
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
    /// What is wrong in the configuration files.
    pub complaints: Vec<PlacedComplaint>,
    /// The environments that requests of one document can be sent with; none where no document is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
}

/// An integration and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    #[serde(flatten)]
    pub overview: Overview,
    /// The next step, where something is wrong.
    pub next: Option<String>,
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
    /// What differs from what was approved before, line by line; none where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<Line>>,
}

/// A line of a definition that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub change: Changed,
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    Kept,
    Removed,
    Added,
}

impl Core {
    /// Asks for the status of everything that is known here.
    pub async fn report(self: &Arc<Self>) -> Report {
        let (local, known) = (self.local_state().await, self.vault.known());
        let names = known.secrets.iter().map(|secret| secret.name.clone()).collect();
        let statuses = self.statuses(names).await;
        self.report_of(local, known, statuses)
    }

    /// The same without asking any external vault.
    pub async fn report_offline(self: &Arc<Self>) -> Report {
        let (local, known) = (self.local_state().await, self.vault.known());
        let names = known.secrets.iter().map(|secret| secret.name.clone()).collect();
        let statuses = self.offline_statuses(names).await;
        self.report_of(local, known, statuses)
    }

    pub async fn local_state(self: &Arc<Self>) -> State {
        self.blocking(|core| core.vault.local().state()).await
    }

    /// What waits for approval, to be shown before it is approved.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.vault.pending().into_iter().map(Waiting::from).collect()
    }

    fn report_of(&self, local: State, known: Known, mut statuses: BTreeMap<SecretName, Status>) -> Report {
        let unknown = || Status { origin: None, problem: None, checked: false };
        let secrets: Vec<Secret> = known
            .secrets
            .into_iter()
            .map(|secret| Secret {
                status: statuses.remove(&secret.name).unwrap_or_else(unknown),
                name: secret.name,
                enabled: secret.enabled,
            })
            .collect();
        let integrations = self.vault.overview().into_iter().map(|overview| Integration::of(overview, &secrets));
        Report {
            root: self.root.display().to_string(),
            local: local_state(local),
            integrations: integrations.collect(),
            secrets,
            pending: self.waiting(),
            complaints: self.vault.placed_complaints(),
            environments: None,
        }
    }
}

impl Integration {
    /// What is wrong with an integration also shows in the secrets that are linked to it.
    fn of(mut overview: Overview, secrets: &[Secret]) -> Self {
        if overview.problem.is_none() {
            let linked = secrets.iter().filter(|secret| {
                let origin = secret.status.origin.as_ref();
                origin.and_then(|origin| origin.integration.as_ref()) == Some(&overview.name)
            });
            let mut problems = linked.filter_map(|secret| secret.status.problem.as_ref());
            overview.problem = problems.find(|problem| concerns_integration(problem.reason)).cloned();
        }
        let next = overview.problem.as_ref().map(|problem| match problem.reason {
            Reason::Untrusted => "review it with `vaultls trust`, or the editor's command".to_owned(),
            Reason::LoginNeeded | Reason::MfaNeeded | Reason::Disconnected => {
                format!("sign in to `{}` in the editor, or let `vaultls run` ask", overview.name)
            }
            reason => reason.hint().to_owned(),
        });
        Self { overview, next }
    }
}

impl From<Pending> for Waiting {
    fn from(pending: Pending) -> Self {
        let changes = pending.approved.as_deref().map(|before| changes(before, &pending.definition));
        Self { kind: pending.kind, name: pending.name, definition: pending.definition, changes }
    }
}

/// The lines of both texts in one order: what was removed stands before what was added in its place.
pub fn changes(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = |change, text: &&str| Line { change, text: (*text).to_owned() };
    let (mut lines, mut from) = (Vec::new(), 0);
    for text in &old {
        // Definitions write their fields in one order, so the next line that is equal is the same line.
        match new[from..].iter().position(|other| other == text) {
            Some(ahead) => {
                lines.extend(new[from..from + ahead].iter().map(|text| line(Changed::Added, text)));
                lines.push(line(Changed::Kept, text));
                from += ahead + 1;
            }
            None => lines.push(line(Changed::Removed, text)),
        }
    }
    lines.extend(new[from..].iter().map(|text| line(Changed::Added, text)));
    lines
}

fn local_state(state: State) -> String {
    match state {
        State::Absent => "absent".into(),
        State::Open => "open".into(),
        State::Locked => "locked".into(),
        State::Broken(why) => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_shows_as_it_was_and_as_it_is() {
        let before = "[integrations.p]\naddress = \"https://a\"\nauth = 1\n";
        let after = "[integrations.p]\naddress = \"https://evil\"\nnamespace = \"x\"\nauth = 1\n";
        let shown: Vec<String> = changes(before, after)
            .iter()
            .map(|line| {
                let sign = match line.change {
                    Changed::Kept => ' ',
                    Changed::Removed => '-',
                    Changed::Added => '+',
                };
                format!("{sign}{}", line.text)
            })
            .collect();
        let expected = [
            " [integrations.p]",
            "-address = \"https://a\"",
            "+address = \"https://evil\"",
            "+namespace = \"x\"",
            " auth = 1",
        ];
        assert_eq!(shown, expected);
    }
}
