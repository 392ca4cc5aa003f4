//! Links and entries as plain data, for the people and features that are shown where a secret lives.

use std::time::Duration;

use super::{
    link::{Link, Target},
    local::Entry,
};
use crate::status::{KnownSecret, Origin, ProviderKind};

pub(super) fn plain_origin(provider: ProviderKind, coordinates: Vec<(&'static str, String)>) -> Origin {
    Origin {
        provider,
        integration: None,
        coordinates,
        allowed_domains: Vec::new(),
        cached_for: None,
        checked_at: None,
        console: None,
        note: None,
    }
}

pub(super) fn entry_origin(entry: &Entry) -> Origin {
    Origin {
        allowed_domains: entry.allowed_domains.clone(),
        note: entry.note.clone(),
        ..plain_origin(ProviderKind::Local, Vec::new())
    }
}

pub(super) fn link_origin(link: &Link, cached_for: Option<Duration>) -> Origin {
    let (provider, integration, coordinates) = match &link.target {
        Ok(Target::Local(secret)) if *secret == link.name => (ProviderKind::Local, None, Vec::new()),
        Ok(Target::Local(secret)) => (ProviderKind::Local, None, vec![("name", secret.to_string())]),
        Ok(Target::External { integration, coordinates }) => {
            (integration.provider(), Some(integration.name.clone()), coordinates.labelled())
        }
        Err(_) => (ProviderKind::Hashicorp, None, Vec::new()),
    };
    Origin {
        provider,
        integration,
        coordinates,
        allowed_domains: link.allowed_domains.clone().unwrap_or_default(),
        cached_for,
        checked_at: None,
        console: None,
        note: link.note.clone(),
    }
}

pub(super) fn known_link(link: &Link, entries: &[Entry]) -> KnownSecret {
    let origin = link_origin(link, None);
    let entry = match &link.target {
        Ok(Target::Local(secret)) => entries.iter().find(|entry| entry.name == *secret),
        _ => None,
    };
    KnownSecret {
        name: link.name.clone(),
        provider: origin.provider,
        integration: origin.integration,
        note: link.note.clone().or_else(|| entry?.note.clone()),
        enabled: link.enabled && entry.is_none_or(|entry| entry.enabled),
        link: Some(link.source.site.clone()),
    }
}

pub(super) fn known_entry(entry: &Entry) -> KnownSecret {
    KnownSecret {
        name: entry.name.clone(),
        provider: ProviderKind::Local,
        integration: None,
        note: entry.note.clone(),
        enabled: entry.enabled,
        link: None,
    }
}
