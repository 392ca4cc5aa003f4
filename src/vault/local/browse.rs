//! Choosing a secret of the local vault, to be known under another name.

use super::{LocalVault, State};
use crate::{
    config::NewLink,
    status::{Problem, Reason},
    vault::{
        link::LOCAL,
        provider::{Choice, Choices, Leads, Shelf},
    },
};

/// How many names one page holds.
const PAGE: usize = 100;

impl LocalVault {
    /// The names of the vault, page by page. NB. it may wait for the disk, and the first time for the key.
    pub(in crate::vault) fn browse(&self, at: &Shelf) -> Result<Choices, Problem> {
        match self.state() {
            State::Open | State::Absent => {}
            State::Locked | State::Broken(_) => {
                let locked = || Problem::new(Reason::Locked, "the local vault is locked");
                return Err(self.problem().unwrap_or_else(locked));
            }
        }
        let start = at.page.as_deref().and_then(|page| page.parse::<usize>().ok()).unwrap_or(0);
        let filter = at.filter.to_lowercase();
        let mut entries = self.entries();
        entries.retain(|entry| entry.name.as_str().to_lowercase().contains(&filter));
        let count = entries.len();
        let page = entries.into_iter().skip(start).take(PAGE).map(|entry| Choice {
            label: entry.name.to_string(),
            detail: entry.note,
            leads: Leads::Link(Box::new(NewLink {
                integration: LOCAL.to_owned(),
                name: Some(entry.name.to_string()),
                ..NewLink::default()
            })),
        });
        let choices = page.collect();
        let next = start.saturating_add(PAGE);
        let more = (next < count).then(|| next.to_string());
        Ok(Choices { title: "secret of the local vault".into(), choices, more, by_hand: None })
    }
}
