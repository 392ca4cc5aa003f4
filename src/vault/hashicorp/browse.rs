//! Finding a secret by choosing: engines, folders, secrets, keys. Names only; what may not be listed can be typed.
//!
//! The path of a shelf is the engine's mount, then parts of the secret's path; a folder ends in `/`, the first part
//! that does not is the secret's name, and what follows that is a key.

use super::{
    Cluster,
    answer::{Engine, Refusal},
    endpoint,
};
use crate::{
    config::NewLink,
    status::{Problem, Reason},
    vault::{
        link::kv::{KvSecret, check_path},
        provider::{ByHand, Choice, Choices, Leads, Shelf},
        value::SecretValue,
    },
};

/// How many choices a page holds.
const PAGE: usize = 200;

/// Where a shelf is.
enum Place<'a> {
    Engines,
    Folder { mount: &'a str, folder: String },
    Secret { mount: &'a str, path: String },
    Key { mount: &'a str, path: String, key: &'a str },
}

impl<'a> Place<'a> {
    fn of(path: &'a [String]) -> Result<Self, Problem> {
        let Some((mount, parts)) = path.split_first() else { return Ok(Self::Engines) };
        let mount = mount.trim_end_matches('/');
        let folders = parts.iter().take_while(|part| part.ends_with('/')).count();
        let folder = parts[..folders].concat();
        let place = match &parts[folders..] {
            [] => Self::Folder { mount, folder },
            [name] => Self::Secret { mount, path: folder + name },
            [name, key] => Self::Key { mount, path: folder + name, key },
            _ => return Err(Problem::new(Reason::NotFound, "a key of a secret has nothing below it")),
        };
        place.check().map(|()| place)
    }

    /// What was typed by hand becomes a part of a URL.
    fn check(&self) -> Result<(), Problem> {
        let (mount, path) = match self {
            Self::Engines => return Ok(()),
            Self::Folder { mount, folder } => (*mount, folder.trim_end_matches('/')),
            Self::Secret { mount, path } | Self::Key { mount, path, .. } => (*mount, path.as_str()),
        };
        let checked = check_path(mount).and(if path.is_empty() { Ok(()) } else { check_path(path) });
        checked.map_err(|error| Problem::new(Reason::NotFound, format!("this is no path of a secret: {error}")))
    }
}

impl Cluster {
    /// What there is to choose from at `shelf`.
    pub(super) async fn choices(&self, shelf: &Shelf) -> Result<Choices, Problem> {
        let place = Place::of(&shelf.path)?;
        let token = self.token().await?;
        let all = match &place {
            Place::Engines => self.engines_to_choose(&token).await?,
            Place::Folder { mount, folder } => self.names_to_choose(mount, folder, shelf, &token).await?,
            Place::Secret { mount, path } => self.keys_to_choose(mount, path, &token).await?,
            Place::Key { mount, path, key } => choices("key", vec![link(mount, path, key)], None),
        };
        Ok(page(all, shelf))
    }

    async fn engines_to_choose(&self, token: &SecretValue) -> Result<Choices, Problem> {
        let answer = self.transport.ask(endpoint::mounts(), token).await?;
        let Some(engines) = answer.engines() else { return Err(self.problem(&answer)) };
        let listed = engines.into_iter().map(|(mount, detail)| Choice {
            leads: Leads::To(vec![mount.clone()]),
            label: mount,
            detail: Some(detail),
        });
        Ok(choices("engine", listed.collect(), by_hand("mount path of the engine", "kv")))
    }

    async fn names_to_choose(
        &self,
        mount: &str,
        folder: &str,
        shelf: &Shelf,
        token: &SecretValue,
    ) -> Result<Choices, Problem> {
        let nothing = at(mount, folder.trim_end_matches('/'));
        let folder = folder.trim_end_matches('/');
        let answer = match self.engine(&nothing, token).await? {
            Engine::V1 => self.transport.ask(endpoint::list_v1(mount, folder), token).await?,
            Engine::V2 | Engine::Hidden => self.transport.ask(endpoint::list_v2(mount, folder), token).await?,
        };
        let hand = by_hand("path of the secret", "app/db");
        let names = match (answer.names(), answer.refusal()) {
            (Some(names), _) if answer.is_success() => names,
            // Nothing in it, or nothing that may be listed: a name that is known can be typed.
            (_, Refusal::Absent | Refusal::Policy) => Vec::new(),
            _ => return Err(answer.problem(self.asked(&nothing))),
        };
        let listed = names.into_iter().map(|name| {
            let path = shelf.path.iter().cloned().chain([name.clone()]).collect();
            Choice { label: name, detail: None, leads: Leads::To(path) }
        });
        Ok(choices("secret", listed.collect(), hand))
    }

    async fn keys_to_choose(&self, mount: &str, path: &str, token: &SecretValue) -> Result<Choices, Problem> {
        let secret = at(mount, path);
        let hand = by_hand("key in the secret", "password");
        // An engine of version 1 tells keys only together with their values.
        if self.engine(&secret, token).await? == Engine::V1 {
            return Ok(choices("key", Vec::new(), hand));
        }
        let answer = self.transport.ask(endpoint::subkeys(&secret), token).await?;
        match (answer.subkey_names(), answer.refusal()) {
            (Some(keys), _) if answer.is_success() => {
                Ok(choices("key", keys.iter().map(|key| link(mount, path, key)).collect(), hand))
            }
            (_, Refusal::Policy) => Ok(choices("key", Vec::new(), hand)),
            _ => Err(answer.problem(self.asked(&secret))),
        }
    }
}

fn at(mount: &str, path: &str) -> KvSecret {
    KvSecret { mount: mount.to_owned(), path: path.to_owned(), key: String::new(), version: None }
}

fn link(mount: &str, path: &str, key: &str) -> Choice {
    let link = NewLink {
        engine: Some(mount.to_owned()),
        path: Some(path.to_owned()),
        key: Some(key.to_owned()),
        ..NewLink::default()
    };
    Choice { label: key.to_owned(), detail: None, leads: Leads::Link(Box::new(link)) }
}

fn choices(title: &str, choices: Vec<Choice>, by_hand: Option<ByHand>) -> Choices {
    Choices { title: title.to_owned(), choices, more: None, by_hand }
}

fn by_hand(label: &str, placeholder: &str) -> Option<ByHand> {
    Some(ByHand { label: label.to_owned(), placeholder: Some(placeholder.to_owned()) })
}

/// What of `all` was asked for.
fn page(mut all: Choices, shelf: &Shelf) -> Choices {
    let filter = shelf.filter.to_lowercase();
    all.choices.retain(|choice| choice.label.to_lowercase().contains(&filter));
    let start = shelf.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(0).min(all.choices.len());
    all.choices.drain(..start);
    if all.choices.len() > PAGE {
        all.choices.truncate(PAGE);
        all.more = Some((start + PAGE).to_string());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(count: usize) -> Choices {
        let named = |number| Choice { label: format!("Name{number}"), detail: None, leads: Leads::To(Vec::new()) };
        choices("secret", (0..count).map(named).collect(), None)
    }

    #[test]
    fn a_long_list_comes_in_pages() {
        let first = page(named(450), &Shelf::default());
        assert_eq!((first.choices.len(), first.more.as_deref()), (200, Some("200")));
        let last = page(named(450), &Shelf { page: Some("400".into()), ..Shelf::default() });
        assert_eq!((last.choices.len(), last.more), (50, None));
        let none = page(named(3), &Shelf { page: Some("99999".into()), ..Shelf::default() });
        assert!(none.choices.is_empty());
        let few = page(named(450), &Shelf { filter: "name44".into(), ..Shelf::default() });
        assert_eq!(few.choices.len(), 11);
    }

    #[test]
    fn what_is_typed_cannot_leave_its_place() {
        let place = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            Place::of(&parts).is_ok()
        };
        assert!(place(&[]) && place(&["kv"]) && place(&["kv", "a/", "b/", "c"]) && place(&["kv", "a/b", "key %"]));
        for parts in [&["../sys"][..], &["kv", "../../sys/"], &["kv", "a?list=true"], &["kv", "a", "b", "c"], &[""]] {
            assert!(!place(parts), "{parts:?}");
        }
    }
}
