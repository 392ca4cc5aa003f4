//! A stand-in of ours for a 1Password Connect server, over http on loopback.
//!
//! NB. it is no real server: none could be had that runs here. What it says follows the public API reference (vaults,
//! items, filters, files, errors), and its judge is 1Password's own Connect SDK, which has to read through it. What it
//! cannot prove is that a real server words its refusals this way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::target::{Answer, Received, Target, head};

pub const TOKEN: &str = "canary-connect-token-4b7e";

/// What the stand-in holds, and how it behaves.
#[derive(Default)]
pub struct World {
    pub vaults: Vec<Shelf>,
    /// By the file's id.
    pub files: Vec<(String, Vec<u8>)>,
    /// Statuses with which the next questions are answered, the first first.
    pub refusals: Vec<u16>,
    /// A status with which every question is answered.
    pub refusal: Option<u16>,
    /// What every question is answered with.
    pub nonsense: Option<Vec<u8>>,
    /// A vault, by its name, that the token may not see into.
    pub closed: Option<String>,
    pub endless: bool,
    pub silent: bool,
}

/// A vault.
pub struct Shelf {
    pub id: String,
    pub name: String,
    /// As they are read: with `id`, `title` and `fields`.
    pub items: Vec<Value>,
}

/// The running stand-in; it ends when dropped.
pub struct ConnectServer {
    world: Arc<Mutex<World>>,
    target: Target,
}

/// An id in 1Password's form.
pub fn id(start: &str) -> String {
    format!("{start:a<26}")
}

impl ConnectServer {
    pub async fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let script = {
            let world = world.clone();
            move |request: &Received| lock(&world).answer(request)
        };
        Self { world, target: Target::start(script).await }
    }

    pub fn url(&self) -> String {
        self.target.url("")
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Adds an item to a vault, which is made with it.
    pub fn put(&self, vault: &str, item: &str, title: &str, fields: &Value) {
        let mut world = self.world();
        if !world.vaults.iter().any(|shelf| shelf.name == vault) {
            let id = id(&format!("vault{}", world.vaults.len()));
            world.vaults.push(Shelf { id, name: vault.into(), items: Vec::new() });
        }
        let shelf = world.vaults.iter_mut().find(|shelf| shelf.name == vault).expect("it was just made");
        shelf.items.push(json!({
            "id": id(item), "title": title, "category": "LOGIN", "vault": {"id": shelf.id},
            "version": 1, "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z",
            "sections": [{"id": "admin", "label": "Admin"}], "fields": fields,
        }));
    }

    /// The questions that were asked, such as `GET /v1/vaults`.
    pub fn questions(&self) -> Vec<String> {
        self.target.received().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

impl World {
    fn answer(&mut self, request: &Received) -> Answer {
        if self.silent {
            return Answer::Silence;
        }
        if self.endless {
            let head = head("200 OK", &[("content-type", "application/json")]);
            return Answer::Endless { head, piece: b"[\"canary\",".repeat(1000) };
        }
        if let Some(nonsense) = &self.nonsense {
            return Answer::ok(nonsense);
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refuse(401, "Invalid token signature, canary-said-by-connect");
        }
        let next = if self.refusals.is_empty() { None } else { Some(self.refusals.remove(0)) };
        if let Some(status) = next.or(self.refusal) {
            return refuse(status, "vault is not in scope, canary-said-by-connect");
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let filter: Option<String> = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "filter")
            .map(|(_, filter)| filter.into_owned());
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["v1", "vaults"] => {
                let all = self.vaults.iter().map(|shelf| json!({"id": shelf.id, "name": shelf.name, "items": 1}));
                Answer::ok(filtered(all.collect(), "name", filter.as_deref()))
            }
            ["v1", "vaults", vault, ..] if self.is_closed(vault) => refuse(403, "canary-said-by-connect"),
            ["v1", "vaults", vault] => match self.shelf(vault) {
                Some(shelf) => Answer::ok(json!({"id": shelf.id, "name": shelf.name}).to_string()),
                None => refuse(404, "vault not found"),
            },
            ["v1", "vaults", vault, "items"] => self.items(vault, filter.as_deref()),
            ["v1", "vaults", vault, "items", item] => match self.item(vault, item) {
                Some(item) => Answer::ok(item.to_string()),
                None => refuse(404, "item not found, canary-said-by-connect"),
            },
            ["v1", "vaults", vault, "items", item, "files", file, "content"] => {
                let content = self.files.iter().find(|(id, _)| id == file);
                match (self.item(vault, item), content) {
                    (Some(_), Some((_, content))) => Answer::ok(content),
                    _ => refuse(404, "file not found"),
                }
            }
            _ => refuse(400, "canary-said-by-connect"),
        }
    }

    fn shelf(&self, id: &str) -> Option<&Shelf> {
        self.vaults.iter().find(|shelf| shelf.id == id)
    }

    fn is_closed(&self, id: &str) -> bool {
        self.shelf(id).is_some_and(|shelf| self.closed.as_ref() == Some(&shelf.name))
    }

    fn item(&self, vault: &str, id: &str) -> Option<&Value> {
        self.shelf(vault)?.items.iter().find(|item| item["id"] == id)
    }

    /// The items without their fields.
    fn items(&self, vault: &str, filter: Option<&str>) -> Answer {
        let Some(shelf) = self.shelf(vault) else { return refuse(404, "vault not found") };
        let outline = |item: &Value| {
            let mut item = item.clone();
            for field in ["fields", "sections", "files"] {
                item.as_object_mut().expect("an item is an object").remove(field);
            }
            item
        };
        Answer::ok(filtered(shelf.items.iter().map(outline).collect(), "title", filter))
    }
}

/// Those whose `field` is exactly what a filter like `title eq "db"` says.
fn filtered(mut all: Vec<Value>, field: &str, filter: Option<&str>) -> String {
    if let Some(filter) = filter {
        let wanted = filter.strip_prefix(field).and_then(|rest| rest.strip_prefix(" eq \"")?.strip_suffix('"'));
        all.retain(|one| wanted.is_some_and(|wanted| one[field] == wanted));
    }
    Value::Array(all).to_string()
}

fn refuse(status: u16, message: &str) -> Answer {
    let headers: &[_] = if status == 429 { &[("retry-after", "7")] } else { &[] };
    let headers = if status / 100 == 3 { &[("location", "http://127.0.0.1:9/v1/vaults")] } else { headers };
    Answer::with(&format!("{status} No"), headers, json!({"status": status, "message": message}).to_string())
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
