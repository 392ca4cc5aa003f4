//! Where a secret is to live, by choosing: which secret, which vault, which place in it, which hosts it may go to.

use super::{
    form::Form,
    step::{Course, Step},
};
use crate::{
    config::{NewLink, NewVersion},
    feature::command::{Browse, Command, Create, Link, Login, Named, Trust, Verb},
    name::SecretName,
    status::{KnownIntegration, ProviderKind, Reason},
    vault::link::LOCAL,
    work::choices::Listing,
};

/// What a command needs that the editor did not say.
pub struct Start {
    pub verb: Verb,
    pub uri: Option<String>,
    /// The secret, where it is known already.
    pub name: Option<SecretName>,
    /// What there is to choose from; empty where nothing is to be chosen.
    pub integrations: Vec<KnownIntegration>,
    /// Why what was typed does not do.
    pub complaint: Option<String>,
}

/// A page of what a vault has.
pub struct Places {
    pub at: Browse,
    pub listing: Listing,
}

/// What stands in the way of looking into a vault.
pub struct Hurdle {
    pub browse: Browse,
    pub message: String,
    /// What can be done about it, with the words for it.
    pub way: Option<(&'static str, Command)>,
}

/// A place that is typed.
pub struct ByHand {
    pub browse: Browse,
    pub provider: ProviderKind,
}

/// A place that was chosen.
pub struct Bound {
    pub uri: Option<String>,
    pub name: SecretName,
    pub link: Box<NewLink>,
    /// How it was called in the list.
    pub label: String,
}

/// A part of a place, as it is typed.
pub struct Part {
    pub id: &'static str,
    pub label: &'static str,
    pub example: &'static str,
    pub optional: bool,
    put: fn(&mut NewLink, String),
}

const fn part(id: &'static str, label: &'static str, example: &'static str, put: fn(&mut NewLink, String)) -> Part {
    Part { id, label, example, optional: false, put }
}

const HASHICORP: [Part; 4] = [
    part("engine", "Secrets engine (mount)", "secret", |link, text| link.engine = Some(text)),
    part("path", "Path of the secret", "team/app", |link, text| link.path = Some(text)),
    part("key", "Key in the secret", "password", |link, text| link.key = Some(text)),
    Part { optional: true, ..part("version", "Version, if not the latest", "3", put_version) },
];
const AWS: [Part; 3] = [
    part("arn", "ARN of the secret", "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME", |link, text| {
        link.arn = Some(text)
    }),
    Part {
        optional: true,
        ..part("json-key", "Key in its JSON, if not all of it", "password", |link, text| link.json_key = Some(text))
    },
    Part { optional: true, ..part("version", "Version, if not the current one", "AWSPREVIOUS", put_version) },
];
const AZURE: [Part; 1] =
    [part("id", "Identifier", "https://VAULT.vault.azure.net/secrets/NAME", |link, text| link.id = Some(text))];
const ONEPASSWORD: [Part; 1] =
    [part("reference", "Reference", "op://VAULT/ITEM/FIELD", |link, text| link.reference = Some(text))];

fn put_version(link: &mut NewLink, text: String) {
    link.version = Some(NewVersion::parse(text));
}

impl Start {
    /// Whether a secret's name is to be said.
    pub fn wants_name(&self) -> bool {
        self.name.is_none() && !matches!(self.verb, Verb::Login | Verb::Disconnect)
    }

    /// The command, once everything is known.
    fn command(&self, name: Option<SecretName>, integration: Option<String>) -> Option<Command> {
        let uri = self.uri.clone();
        match (self.verb, name, integration) {
            (Verb::Login, _, Some(integration)) => Some(Command::Login(Login { uri, integration })),
            (Verb::Disconnect, _, Some(integration)) => Some(Command::Disconnect(Login { uri, integration })),
            (Verb::Enable, Some(name), _) => Some(Command::Enable(Named { uri, name })),
            (Verb::OpenAtProvider, Some(name), _) => Some(Command::OpenAtProvider(Named { uri, name })),
            (Verb::Create, Some(name), _) => Some(create(uri, name)),
            (Verb::Link | Verb::Browse, Some(name), Some(local)) if local == LOCAL => Some(create(uri, name)),
            (Verb::Link | Verb::Browse, Some(name), Some(integration)) => {
                let (path, filter, page) = Default::default();
                Some(Command::Browse(Browse { uri, name, integration, path, filter, page }))
            }
            _ => None,
        }
    }
}

fn create(uri: Option<String>, name: SecretName) -> Command {
    Command::Create(Create { uri, name, allowed_domains: None })
}

impl Places {
    pub fn step(self) -> Step {
        Step::Places(self)
    }
}

impl Hurdle {
    pub fn of(browse: Browse, message: String, code: Option<&str>) -> Self {
        let login = Login { uri: browse.uri.clone(), integration: browse.integration.clone() };
        let uri = browse.uri.clone().unwrap_or_default();
        let way = match code {
            Some(code) if code == Reason::Untrusted.code() => {
                Some(("Review what this workspace defines", Command::Trust(Trust { uri, approve: false })))
            }
            Some(code) if code == Reason::Locked.code() => Some(("Unlock the local vault", Command::Unlock)),
            Some(code)
                if [Reason::LoginNeeded, Reason::MfaNeeded, Reason::Disconnected]
                    .iter()
                    .any(|it| it.code() == code) =>
            {
                Some(("Sign in", Command::Login(login)))
            }
            _ => None,
        };
        Self { browse, message, way }
    }
}

impl ByHand {
    pub fn parts(&self) -> &'static [Part] {
        match self.provider {
            ProviderKind::Aws => &AWS,
            ProviderKind::Azure => &AZURE,
            ProviderKind::Onepassword => &ONEPASSWORD,
            ProviderKind::Hashicorp | ProviderKind::Local | ProviderKind::Environment => &HASHICORP,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn browse() -> Browse {
        let name = SecretName::parse("key").unwrap();
        Browse { uri: None, name, integration: "team".into(), path: vec![], filter: None, page: None }
    }

    #[test]
    fn a_hurdle_offers_what_settles_it() {
        for (code, way) in [
            (Some("login-needed"), Some("Sign in")),
            (Some("disconnected"), Some("Sign in")),
            (Some("untrusted"), Some("Review what this workspace defines")),
            (Some("locked"), Some("Unlock the local vault")),
            (Some("unreachable"), None),
            (None, None),
        ] {
            let hurdle = Hurdle::of(browse(), "why".into(), code);
            assert_eq!(hurdle.way.map(|(words, _)| words), way, "{code:?}");
        }
    }

    #[test]
    fn the_local_vault_is_one_of_the_choices() {
        let start = |verb| Start { verb, uri: None, name: None, integrations: vec![], complaint: None };
        let name = || SecretName::parse("key").ok();
        let command = |verb, name, integration: Option<&str>| start(verb).command(name, integration.map(str::to_owned));
        assert!(matches!(command(Verb::Link, name(), Some("local")), Some(Command::Create(_))));
        assert!(matches!(command(Verb::Link, name(), Some("team")), Some(Command::Browse(_))));
        assert!(matches!(command(Verb::Login, None, Some("team")), Some(Command::Login(_))));
        assert_eq!(command(Verb::Link, name(), None), None);
        assert_eq!(command(Verb::Link, None, Some("team")), None);
    }
}
