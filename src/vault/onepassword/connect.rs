//! A Connect server: the vaults that its token may read, over REST.
//!
//! Names are looked up once and their ids kept, so that a later read costs one request. Connect describes an item only
//! with its values, so a check looks at the lists of vaults and items, and whether the field is there shows when it is
//! read.

mod transport;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Deserialize, de::IgnoredAny};
use url::Url;

use super::{
    ambiguous,
    browse::{self, Names},
    item::{Found, Item, Named, Outline, Secret},
    no_item, no_vault, reference, usable,
};
use crate::{
    status::{Problem, Reason, Session},
    vault::{
        ProcessVariables,
        link::{
            Coordinates,
            onepassword::{Attribute, OpQuery, OpReference, is_id},
        },
        person::{Field, Person, ask_one},
        provider::{Browse, Check, Choices, Existence, Login, Provider, Shelf},
        value::SecretValue,
    },
};
use transport::{Answer, Transport};

/// The variable of 1Password's own tools for a Connect token.
const TOKEN: &str = "OP_CONNECT_TOKEN";

/// A Connect server, as one token sees it.
pub struct Connect {
    integration: String,
    transport: Transport,
    variables: ProcessVariables,
    session: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The token that a person entered; it comes before that of the environment.
    token: Option<Arc<SecretValue>>,
    signed_in: bool,
    /// The ids behind the names of a vault and of an item, in lower case.
    places: HashMap<(String, String), Place>,
}

/// An item by its ids.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    vault: String,
    item: String,
}

impl Connect {
    /// Asks nothing yet.
    pub(super) fn open(integration: &str, address: Url, ca_file: Option<PathBuf>, variables: ProcessVariables) -> Self {
        let (integration, session) = (integration.to_owned(), Mutex::default());
        Self { transport: Transport::new(&integration, address, ca_file), integration, variables, session }
    }

    async fn read_value(&self, wanted: &OpReference) -> Result<SecretValue, Problem> {
        let token = self.token()?;
        let (place, answer) = self.item(&wanted.vault, &wanted.item, &token).await?;
        let item: Item<Secret> = self.parsed(&answer)?;
        let value = match item.find(wanted)? {
            Found::Field(_) => item_value(item, wanted)?,
            Found::File(file) => match wanted.query {
                Some(OpQuery::Attribute(Attribute::Type)) => plain("FILE"),
                Some(OpQuery::Attribute(Attribute::Title | Attribute::Name)) => plain(&file.name),
                Some(OpQuery::Attribute(Attribute::Id)) => plain(&file.id),
                Some(OpQuery::Attribute(Attribute::Size)) => plain(&file.size.to_string()),
                _ => {
                    let path = ["vaults", &place.vault, "items", &place.item, "files", &file.id, "content"];
                    let answer = self.transport.ask(&path, None, &token).await?;
                    answer.refusal(&self.integration).map_or(Ok(()), Err)?;
                    answer.body.into()
                }
            },
        };
        usable(value, wanted)
    }

    /// Looks at lists alone: an item comes with its values.
    async fn check_value(&self, wanted: &OpReference) -> Result<Existence, Problem> {
        let token = self.token()?;
        self.find(&wanted.vault, &wanted.item, &token).await?;
        Ok(Existence::Unknown)
    }

    /// An item with its values, by the ids that are known for its names or are its names.
    async fn item(&self, vault: &str, item: &str, token: &SecretValue) -> Result<(Place, Answer), Problem> {
        let known = self.held().places.get(&key(vault, item)).cloned();
        let guess = || {
            let (vault, item) = key(vault, item);
            (is_id(&vault) && is_id(&item)).then_some(Place { vault, item })
        };
        if let Some(place) = known.or_else(guess) {
            let answer = self.item_at(&place, token).await?;
            match answer.refusal(&self.integration) {
                None => return Ok((place, answer)),
                // It was moved or is called otherwise now, or the name only looked like an id.
                Some(problem) if matches!(problem.reason, Reason::NotFound | Reason::Forbidden) => {
                    self.held().places.remove(&key(vault, item));
                }
                Some(problem) => return Err(problem),
            }
        }
        let place = self.find(vault, item, token).await?;
        let answer = self.item_at(&place, token).await?;
        match answer.refusal(&self.integration) {
            None => Ok((place, answer)),
            Some(problem) if problem.reason == Reason::NotFound => {
                self.held().places.remove(&key(vault, item));
                Err(no_item(vault, item))
            }
            Some(problem) => Err(problem),
        }
    }

    async fn item_at(&self, place: &Place, token: &SecretValue) -> Result<Answer, Problem> {
        self.transport.ask(&["vaults", &place.vault, "items", &place.item], None, token).await
    }

    /// The ids of a vault and of an item, asked for anew.
    async fn find(&self, vault: &str, item: &str, token: &SecretValue) -> Result<Place, Problem> {
        let vaults: Vec<Named> = self.listed(&["vaults"], None, token).await?;
        let found = choose(vaults, "vault", vault)?.ok_or_else(|| no_vault(&self.integration, vault))?;
        let path = ["vaults", found.as_str(), "items"];
        // The server may compare names more strictly than a reference means them; so may it know no id as a title.
        let filter = format!("title eq \"{item}\"");
        let titled: Vec<Named> = self.listed(&path, Some(&filter), token).await?;
        let chosen = match choose(titled, "item", item)? {
            Some(chosen) => Some(chosen),
            None => choose(self.listed(&path, None, token).await?, "item", item)?,
        };
        let place = Place { vault: found, item: chosen.ok_or_else(|| no_item(vault, item))? };
        self.held().places.insert(key(vault, item), place.clone());
        Ok(place)
    }

    async fn listed(&self, path: &[&str], filter: Option<&str>, token: &SecretValue) -> Result<Vec<Named>, Problem> {
        let answer = self.transport.ask(path, filter, token).await?;
        if let Some(problem) = answer.refusal(&self.integration) {
            return Err(problem);
        }
        let listed: Vec<Named> = self.parsed(&answer)?;
        // What is put into a URL is an id.
        if listed.iter().all(|one| is_id(&one.id)) { Ok(listed) } else { Err(self.nonsense()) }
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&self, answer: &Answer) -> Result<T, Problem> {
        serde_json::from_slice(&answer.body).map_err(|_| self.nonsense())
    }

    fn nonsense(&self) -> Problem {
        let detail = format!("`{}` does not answer like a Connect server", self.transport.shown());
        Problem::new(Reason::Unreachable, detail)
    }

    fn token(&self) -> Result<Arc<SecretValue>, Problem> {
        let entered = self.held().token.clone();
        let token = entered.or_else(|| (self.variables.0)(TOKEN).map(Arc::new));
        token.filter(|token| !token.is_empty()).ok_or_else(|| {
            let detail = format!("there is no token for `{}`: sign in, or set {TOKEN}", self.integration);
            Problem::new(Reason::LoginNeeded, detail)
        })
    }

    /// Keeps a token if the server accepts it.
    async fn verify(&self, token: SecretValue) -> Result<Session, Problem> {
        let _vaults: Vec<Named> = self.listed(&["vaults"], None, &token).await?;
        *self.held() = Held { token: Some(Arc::new(token)), signed_in: true, places: HashMap::new() };
        Ok(self.organization())
    }

    fn organization(&self) -> Session {
        Session { who: None, organization: Some(self.transport.shown().to_owned()), until: None }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Connect {
    fn read<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        async move { self.read_value(reference(at)?).await }.boxed()
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn browse(&self) -> Option<&dyn Browse> {
        Some(self)
    }

    fn login(&self) -> Option<&dyn Login> {
        Some(self)
    }

    fn session(&self) -> Option<Session> {
        self.held().signed_in.then(|| self.organization())
    }

    fn disconnect(&self) -> BoxFuture<'_, Result<(), Problem>> {
        *self.held() = Held::default();
        std::future::ready(Ok(())).boxed()
    }
}

impl Check for Connect {
    fn check<'a>(&'a self, at: &'a Coordinates) -> BoxFuture<'a, Result<Existence, Problem>> {
        async move { self.check_value(reference(at)?).await }.boxed()
    }
}

impl Browse for Connect {
    fn browse<'a>(&'a self, question: &'a Shelf) -> BoxFuture<'a, Result<Choices, Problem>> {
        browse::browse(self, question).boxed()
    }
}

impl Names for Connect {
    async fn vaults(&self) -> Result<Vec<Named>, Problem> {
        self.listed(&["vaults"], None, &*self.token()?).await
    }

    async fn items(&self, vault: &str) -> Result<Vec<Named>, Problem> {
        let token = self.token()?;
        let vaults = self.listed(&["vaults"], None, &token).await?;
        let found = choose(vaults, "vault", vault)?.ok_or_else(|| no_vault(&self.integration, vault))?;
        self.listed(&["vaults", &found, "items"], None, &token).await
    }

    /// NB. the values come over the wire too; they are passed over and wiped.
    async fn outline(&self, vault: &str, item: &str) -> Result<Outline, Problem> {
        let (_, answer) = self.item(vault, item, &*self.token()?).await?;
        self.parsed::<Item<IgnoredAny>>(&answer)
    }
}

impl Login for Connect {
    fn sign_in<'a>(&'a self, person: &'a dyn Person) -> BoxFuture<'a, Result<Session, Problem>> {
        async move {
            let message = format!("The Connect token for `{}`", self.integration);
            self.verify(ask_one(person, &message, Field::hidden("token", "Connect token")).await?).await
        }
        .boxed()
    }
}

/// The id of the one that is called `name` or has it as its id.
fn choose(listed: Vec<Named>, what: &str, name: &str) -> Result<Option<String>, Problem> {
    if let Some(found) = listed.iter().find(|one| one.id.eq_ignore_ascii_case(name)) {
        return Ok(Some(found.id.clone()));
    }
    let mut named = listed.into_iter().filter(|one| one.name.eq_ignore_ascii_case(name));
    let first = named.next();
    if named.next().is_some() {
        return Err(ambiguous(what, name));
    }
    Ok(first.map(|one| one.id))
}

/// The value of a field that was found.
fn item_value(mut item: Item<Secret>, wanted: &OpReference) -> Result<SecretValue, Problem> {
    let Found::Field(field) = item.find(wanted)? else { return Err(super::item::absent(wanted)) };
    if let Some(OpQuery::Attribute(attribute)) = wanted.query
        && let Some(text) = field.described(attribute)
    {
        return Ok(plain(text));
    }
    let at = item.fields.iter().position(|one| std::ptr::eq(one, field));
    let field = at.map(|at| item.fields.swap_remove(at));
    let value = field.and_then(|field| if wanted.is_otp() { field.totp } else { field.value });
    Ok(value.map_or_else(|| SecretValue::new(Vec::new()), |Secret(value)| value))
}

fn plain(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn key(vault: &str, item: &str) -> (String, String) {
    (vault.to_ascii_lowercase(), item.to_ascii_lowercase())
}
