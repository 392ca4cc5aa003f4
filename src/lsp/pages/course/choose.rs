//! Choosing where a secret is to live: from a secret's name to its link, by what the person picks or types.

use super::Course;
use crate::{
    config::NewLink,
    feature::command::{Browse, Command, Link, Verb},
    lsp::pages::{
        form::Form,
        link::{Bound, ByHand, Hurdle, Places, Start},
        step::Step,
    },
    name::SecretName,
    status::ProviderKind,
    vault::link::LOCAL,
};

impl Course {
    /// The first page for a command without its argument; where nothing is missing, what comes of it.
    pub async fn enter(&mut self, start: Start) -> Step {
        let integration = match (&start.integrations[..], start.verb) {
            ([only], Verb::Login | Verb::Disconnect) => Some(only.name.clone()),
            _ => None,
        };
        match start.command(start.name.clone(), integration) {
            Some(command) => self.carry_out(command).await,
            None => Step::Start(start),
        }
    }

    pub(super) async fn start(&mut self, start: Start, form: &Form) -> Step {
        let name = match (&start.name, form.filled("name")) {
            (None, Some(typed)) => match SecretName::parse(&typed) {
                Ok(name) => Some(name),
                Err(error) => return Step::Start(Start { complaint: Some(error.to_string()), ..start }),
            },
            (name, _) => name.clone(),
        };
        let chosen = form.text("choose");
        let integration = match chosen.as_deref() {
            Some(LOCAL) => Some(LOCAL.to_owned()),
            index => index
                .and_then(|index| start.integrations.get(index.parse::<usize>().ok()?))
                .map(|integration| integration.name.clone()),
        };
        match start.command(name, integration) {
            Some(command) => self.carry_out(command).await,
            None => Step::Start(Start { complaint: Some("choose a name and a vault".into()), ..start }),
        }
    }

    pub(super) async fn choose(&mut self, places: Places, form: &Form) -> Step {
        let Places { at, mut listing } = places;
        let index = form.text("choose").and_then(|index| index.parse::<usize>().ok());
        if let Some(index) = index.filter(|index| *index < listing.items.len()) {
            let item = listing.items.swap_remove(index);
            return match (item.path, item.link) {
                (Some(path), _) => self.browse(at, path).await,
                (None, Some(link)) => Step::Bound(Bound { uri: at.uri, name: at.name, link, label: item.label }),
                (None, None) => Step::failed("there is nothing behind this"),
            };
        }
        match form.text("do").as_deref() {
            Some("filter") => {
                let next = Browse { filter: form.filled("filter"), page: None, ..at };
                self.carry_out(Command::Browse(next)).await
            }
            Some("more") => {
                let next = Browse { page: listing.more, ..at };
                self.carry_out(Command::Browse(next)).await
            }
            Some("back") => {
                let mut path = at.path.clone();
                path.pop();
                self.browse(at, path).await
            }
            Some("type") => match form.filled("part") {
                Some(part) => {
                    let path = at.path.iter().cloned().chain([part]).collect();
                    self.browse(at, path).await
                }
                None => Step::Places(Places { at, listing }),
            },
            Some("by-hand") => self.by_hand(at),
            _ => Step::Places(Places { at, listing }),
        }
    }

    async fn browse(&mut self, at: Browse, path: Vec<String>) -> Step {
        self.carry_out(Command::Browse(Browse { path, filter: None, page: None, ..at })).await
    }

    pub(super) async fn jump(&mut self, hurdle: Hurdle, form: &Form) -> Step {
        match (form.text("do").as_deref(), hurdle.way) {
            (Some("settle"), Some((_, command))) => self.first(command, Command::Browse(hurdle.browse)).await,
            (Some("again"), _) => self.carry_out(Command::Browse(hurdle.browse)).await,
            (_, _) => self.by_hand(hurdle.browse),
        }
    }

    fn by_hand(&self, browse: Browse) -> Step {
        let known = self.core.vault.known();
        let integration = known.integrations.iter().find(|known| known.name == browse.integration);
        let provider = integration.map_or(ProviderKind::Hashicorp, |integration| integration.provider);
        Step::ByHand(ByHand { browse, provider })
    }

    pub(super) async fn link_by_hand(&mut self, by_hand: ByHand, form: &Form) -> Step {
        let Browse { uri, name, integration, .. } = by_hand.browse.clone();
        let mut link = NewLink { integration, ..NewLink::default() };
        for part in by_hand.parts() {
            match form.filled(part.id) {
                Some(text) => (part.put)(&mut link, text),
                None if part.optional => {}
                None => return Step::ByHand(by_hand),
            }
        }
        let bound = Bound { uri, name, link: Box::new(link), label: String::new() };
        self.link(bound, form).await
    }

    pub(super) async fn link(&mut self, bound: Bound, form: &Form) -> Step {
        let Bound { uri, name, mut link, .. } = bound;
        let typed = form.text("domains").unwrap_or_default();
        let domains: Vec<String> =
            typed.split([',', ' ', '\t']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        link.allowed_domains = (!domains.is_empty()).then_some(domains);
        self.carry_out(Command::Link(Link { uri, name, link })).await
    }
}
