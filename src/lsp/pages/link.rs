//! Where a secret is to live, as it is chosen: which secret, which vault, which place in it, which hosts it may go to.

use crate::{
    config::{NewLink, NewVersion},
    feature::command::{Browse, Command, Create, Login, Named, Trust, Verb},
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
    pub put: fn(&mut NewLink, String),
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
        link.arn = Some(text);
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
    pub fn command(&self, name: Option<SecretName>, integration: Option<String>) -> Option<Command> {
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
