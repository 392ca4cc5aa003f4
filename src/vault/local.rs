//! The vault on this machine: one encrypted file.
//!
//! A value is decrypted when it is asked for and kept nowhere; what stays in memory is the key and the names. The file
//! is replaced whole, under a lock between processes, from what is on the disk at that moment: several editors and
//! terminals may write at once and none loses what another wrote. A file that cannot be read is never written over.

mod browse;
mod content;
mod file;
mod key;
mod keys;
mod transfer;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use crate::{
    disk::{self, Access, Stamp},
    name::SecretName,
    status::{Problem, Reason},
    vault::value::SecretValue,
};
use content::Content;
use file::Sealed;
use key::KeyKind;
use keys::{Keys, NewKey};

pub use key::Cost;
pub use keys::MIN_PASSPHRASE;
pub use transfer::{Duplicates, Export, Fate, Imported, LARGEST_EXPORT, MIN_PASSWORD, Opening, SealedExport};

const FILE_NAME: &str = "local.vault";
const LOCK_NAME: &str = "local.lock";

/// The largest file, in bytes.
const FILE_CAP: u64 = 64 * 1024 * 1024;

/// How long a write waits for another process's.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a vault counts as locked before its key is looked for again: a key store may have been opened since.
const LOCKED_FOR: Duration = Duration::from_secs(30);

/// Where the key comes from, in the order in which the sources are asked.
#[derive(Clone)]
pub struct KeySource {
    /// `VAULTLS_KEY`: a passphrase, or a 256-bit key in base64.
    pub given: Option<Arc<SecretValue>>,
    /// `VAULTLS_KEY_FILE`: a file that holds the same.
    pub file: Option<PathBuf>,
    /// Whether the operating system's key store may be asked.
    pub keyring: bool,
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySource").field("file", &self.file).field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: SecretName,
    pub allowed_domains: Vec<String>,
    pub enabled: bool,
    pub note: Option<String>,
    /// Whether a value is stored.
    pub filled: bool,
}

/// What state the file is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no file yet; the first secret makes it.
    Absent,
    Open,
    /// The key was not given yet.
    Locked,
    /// The file cannot be used; why.
    Broken(String),
}

/// What a person must do with a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Enter the one of this vault.
    Entered,
    /// Choose one: the vault is not made yet, and nothing else has a key for it.
    Chosen,
}

/// What is to be stored about a secret. Absent parts stay as they are.
#[derive(Default)]
pub struct Change {
    pub value: Option<SecretValue>,
    pub allowed_domains: Option<Vec<String>>,
    pub enabled: Option<bool>,
    /// An empty note removes it.
    pub note: Option<String>,
}

/// The file and its key. Methods block on the disk and on the key derivation: call them off the async threads.
pub struct LocalVault {
    folder: PathBuf,
    keys: Keys,
    memory: Mutex<Memory>,
}

/// What is known between calls.
#[derive(Default)]
struct Memory {
    key: Option<Arc<SecretValue>>,
    /// Whether a person locked the vault: then no source is asked until a person unlocks it.
    shut: bool,
    view: Option<View>,
}

/// The file as it was last seen.
#[derive(Clone)]
struct View {
    stamp: Option<Stamp>,
    taken: Instant,
    inside: Inside,
}

#[derive(Clone)]
enum Inside {
    Absent,
    Open(Arc<[Entry]>),
    /// Why no key was found.
    Locked(String),
    Broken(Problem),
}

/// A vault that is open, as it is on the disk.
struct Opened {
    buffer: Zeroizing<Vec<u8>>,
    key: Arc<SecretValue>,
    kind: KeyKind,
}

impl LocalVault {
    /// Touches nothing: the file in `folder` is looked for when it is needed, and made by the first secret.
    pub fn open(folder: PathBuf, source: KeySource) -> Self {
        Self::with_cost(folder, source, Cost::default())
    }

    /// The same with another cost of deriving keys from passphrases, for a vault that is made by it.
    pub fn with_cost(folder: PathBuf, source: KeySource, cost: Cost) -> Self {
        let store = if source.keyring { keys::system_store() } else { None };
        Self { folder, keys: Keys { source, store, cost }, memory: Mutex::default() }
    }

    pub fn state(&self) -> State {
        match self.look(&mut self.memory()) {
            Inside::Absent => State::Absent,
            Inside::Open(_) => State::Open,
            Inside::Locked(_) => State::Locked,
            Inside::Broken(problem) => State::Broken(problem.detail),
        }
    }

    /// Why nothing can be read; none while it is open, or not made yet.
    pub fn problem(&self) -> Option<Problem> {
        refusal(&self.look(&mut self.memory()))
    }

    /// The passphrase without which nothing can be stored; none while that works by itself.
    pub fn wants_passphrase(&self) -> Option<Wanted> {
        match self.look(&mut self.memory()) {
            Inside::Locked(_) => Some(Wanted::Entered),
            Inside::Absent if !self.keys.can_create() => Some(Wanted::Chosen),
            Inside::Absent | Inside::Open(_) | Inside::Broken(_) => None,
        }
    }

    /// By name; empty while locked.
    pub fn entries(&self) -> Vec<Entry> {
        match self.look(&mut self.memory()) {
            Inside::Open(entries) => entries.to_vec(),
            Inside::Absent | Inside::Locked(_) | Inside::Broken(_) => Vec::new(),
        }
    }

    /// A secret without its value; none if there is none. The problem says why that cannot be told.
    pub fn entry(&self, name: &SecretName) -> Result<Option<Entry>, Problem> {
        let inside = self.look(&mut self.memory());
        if let Some(problem) = refusal(&inside) {
            return Err(problem);
        }
        let Inside::Open(entries) = inside else { return Ok(None) };
        Ok(entries.iter().find(|entry| entry.name == *name).cloned())
    }

    /// The value of a secret that is enabled and filled.
    pub fn value(&self, name: &SecretName) -> Result<SecretValue, Problem> {
        let mut memory = self.memory();
        let inside = self.look(&mut memory);
        if let Some(problem) = refusal(&inside) {
            return Err(problem);
        }
        let Some(opened) = self.load(&mut memory)? else { return Err(missing(name)) };
        drop(memory);
        let content = self.content(&opened.buffer)?;
        let stored = content.secrets.get(name).ok_or_else(|| missing(name))?;
        if !stored.enabled {
            return Err(Problem::new(Reason::Disabled, format!("`{name}` is turned off in the local vault")));
        }
        stored.value().ok_or_else(|| Problem::new(Reason::Empty, format!("`{name}` has no value in the local vault")))
    }

    /// Creates or changes a secret. At first use this makes the key as well: in the key store if there is one,
    /// else `Problem { Locked }` says that [`Self::unlock`] must be called with a new passphrase.
    pub fn set(&self, name: &SecretName, change: Change) -> Result<(), Problem> {
        if change.value.as_ref().is_some_and(|value| value.len() > SecretValue::MAX_LENGTH) {
            let detail = format!("a value has at most {} KiB", SecretValue::MAX_LENGTH / 1024);
            return Err(Problem::new(Reason::BadValue, detail));
        }
        let encoded = change.value.as_ref().map(content::encode);
        let Change { allowed_domains, enabled, note, .. } = change;
        self.write(Absence::Create, &encoded, |content, value| {
            let stored = content.secrets.entry(name.clone()).or_default();
            stored.value = value.as_ref().map(|text| text.as_str()).or(stored.value);
            stored.allowed_domains = allowed_domains.unwrap_or_else(|| std::mem::take(&mut stored.allowed_domains));
            stored.enabled = enabled.unwrap_or(stored.enabled);
            if let Some(note) = note {
                stored.note = (!note.is_empty()).then_some(note.into());
            }
            Ok(())
        })
    }

    pub fn remove(&self, name: &SecretName) -> Result<(), Problem> {
        self.write(Absence::Missing(name), &(), |content, _| {
            content.secrets.remove(name).map(drop).ok_or_else(|| missing(name))
        })
    }

    pub fn rename(&self, from: &SecretName, to: &SecretName) -> Result<(), Problem> {
        self.write(Absence::Missing(from), &(), |content, _| {
            if !content.secrets.contains_key(from) {
                return Err(missing(from));
            }
            if from != to && content.secrets.contains_key(to) {
                let detail = format!("there is a secret named `{to}` in the local vault already");
                return Err(Problem::new(Reason::Ambiguous, detail));
            }
            let stored = content.secrets.remove(from).unwrap_or_default();
            content.secrets.insert(to.clone(), stored);
            Ok(())
        })
    }

    /// Enters the passphrase, or chooses it where there is no file yet. A vault whose key is kept as it is takes that
    /// key in base64, or whatever was typed if its usual source has the key.
    #[expect(clippy::needless_pass_by_value, reason = "the caller is to keep no copy of the passphrase")]
    pub fn unlock(&self, passphrase: SecretValue) -> Result<(), Problem> {
        let mut memory = self.memory();
        let Some(sealed) = self.sealed()? else {
            let new = self.keys.of_text(&passphrase)?;
            drop(memory);
            return self.make(new);
        };
        let key = sealed.kind.key(&passphrase).filter(|key| sealed.fits(key));
        let key = match (key, sealed.kind) {
            (Some(key), _) => key,
            (None, KeyKind::Passphrase { .. }) => {
                return Err(Problem::new(Reason::Locked, "this is not the passphrase of the local vault"));
            }
            (None, KeyKind::Raw) => self.keys.find(&sealed).map_err(|reason| locked(&reason))?,
        };
        *memory = Memory { key: Some(Arc::new(key)), shut: false, view: None };
        refusal(&self.look(&mut memory)).map_or(Ok(()), Err)
    }

    /// Forgets the key and the names, until [`Self::unlock`].
    pub fn lock(&self) {
        *self.memory() = Memory { shut: true, ..Memory::default() };
    }

    /// The same. Says whether the key could be found again without a person.
    pub fn lock_and_look_for_key(&self) -> bool {
        self.lock();
        matches!(self.sealed(), Ok(Some(sealed)) if self.keys.find(&sealed).is_ok())
    }

    /// Deletes everything. The caller asked. A key in the system's key store stays, for the next vault.
    pub fn reset(&self) -> Result<(), Problem> {
        let _lock = self.lock_others_out()?;
        disk::remove(&self.file()).map_err(|error| self.unwritable(&error))?;
        *self.memory() = Memory::default();
        Ok(())
    }

    /// What is inside, from memory while the file is the one that was last seen.
    fn look(&self, memory: &mut Memory) -> Inside {
        self.view_anew_if_changed(memory);
        memory.view.as_ref().map_or(Inside::Absent, |view| view.inside.clone())
    }

    fn view_anew_if_changed(&self, memory: &mut Memory) {
        let stamp = match Stamp::of(&self.file()) {
            Ok(stamp) => stamp,
            Err(error) => {
                let inside = Inside::Broken(self.broken(&error.to_string()));
                memory.view = Some(View { stamp: None, taken: Instant::now(), inside });
                return;
            }
        };
        let current = memory.view.as_ref().is_some_and(|view| view.stamp == stamp && !view.is_stale());
        if !current {
            let inside = self.inspect(memory);
            memory.view = Some(View { stamp, taken: Instant::now(), inside });
        }
    }

    /// Reads the file and looks for its key.
    fn inspect(&self, memory: &mut Memory) -> Inside {
        let sealed = match self.sealed() {
            Ok(Some(sealed)) => sealed,
            Ok(None) => {
                memory.key = None;
                return Inside::Absent;
            }
            Err(problem) => return Inside::Broken(problem),
        };
        if let Err(reason) = self.find_key(memory, &sealed) {
            return Inside::Locked(reason);
        }
        match self.opened(memory, &sealed) {
            Ok(opened) => match self.content(&opened.buffer) {
                Ok(content) => Inside::Open(content.entries().into()),
                Err(problem) => Inside::Broken(problem),
            },
            Err(problem) => Inside::Broken(problem),
        }
    }

    /// Makes sure that `memory` holds the key of `sealed`.
    fn find_key(&self, memory: &mut Memory, sealed: &Sealed) -> Result<(), String> {
        if memory.key.as_ref().is_some_and(|key| sealed.fits(key)) {
            return Ok(());
        }
        memory.key = None;
        if memory.shut {
            return Err("it was locked by hand".into());
        }
        memory.key = Some(Arc::new(self.keys.find(sealed)?));
        Ok(())
    }

    /// The file on the disk; none where there is none.
    fn sealed(&self) -> Result<Option<Sealed>, Problem> {
        let bytes = match disk::read(&self.file(), FILE_CAP) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.broken(&error.to_string())),
        };
        Sealed::parse(bytes).map(Some).map_err(|error| self.broken(&error.to_string()))
    }

    fn opened(&self, memory: &Memory, sealed: &Sealed) -> Result<Opened, Problem> {
        let key = memory.key.clone().filter(|key| sealed.fits(key)).ok_or_else(|| locked("its key is not at hand"))?;
        let buffer = sealed.open(&key).map_err(|error| self.broken(&error.to_string()))?;
        Ok(Opened { buffer, key, kind: sealed.kind })
    }

    /// The content on the disk; none where there is no file.
    fn load(&self, memory: &mut Memory) -> Result<Option<Opened>, Problem> {
        let Some(sealed) = self.sealed()? else { return Ok(None) };
        self.find_key(memory, &sealed).map_err(|reason| locked(&reason))?;
        self.opened(memory, &sealed).map(Some)
    }

    fn content<'a>(&self, buffer: &'a [u8]) -> Result<Content<'a>, Problem> {
        Content::parse(buffer).ok_or_else(|| self.broken("its content is not what this version writes"))
    }

    /// Changes what is on the disk at this moment. `lent` is lent to `change`, which cannot lend it itself: it must
    /// live as long as the content that borrows it. Nothing is written if `change` fails.
    fn write<T>(
        &self,
        absence: Absence<'_>,
        lent: &T,
        change: impl for<'c> FnOnce(&mut Content<'c>, &'c T) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let _lock = self.lock_others_out()?;
        let mut memory = self.memory();
        let opened = match (self.load(&mut memory)?, absence) {
            (Some(opened), _) => opened,
            (None, Absence::Create) => fresh(self.keys.create()?),
            (None, Absence::Missing(name)) => return Err(missing(name)),
        };
        let mut content = self.content(&opened.buffer)?;
        change(&mut content, lent)?;
        self.save(&mut memory, &opened, &content)
    }

    /// Makes an empty vault, unless another process did meanwhile.
    fn make(&self, new: NewKey) -> Result<(), Problem> {
        let _lock = self.lock_others_out()?;
        let mut memory = self.memory();
        if self.sealed()?.is_some() {
            return Err(locked("another process made it just now; unlock it with its passphrase"));
        }
        self.save(&mut memory, &fresh(new), &Content::default())
    }

    fn save(&self, memory: &mut Memory, opened: &Opened, content: &Content<'_>) -> Result<(), Problem> {
        let entries: Arc<[Entry]> = content.entries().into();
        let bytes = file::seal(content.to_buffer(), &opened.key, &opened.kind);
        if bytes.len() as u64 > FILE_CAP {
            let detail = format!("the local vault holds at most {} MiB", FILE_CAP / (1024 * 1024));
            return Err(Problem::new(Reason::BadValue, detail));
        }
        disk::replace(&self.file(), &bytes, Access::Private).map_err(|error| self.unwritable(&error))?;
        let stamp = Stamp::of(&self.file()).unwrap_or_default();
        let view = View { stamp, taken: Instant::now(), inside: Inside::Open(entries) };
        *memory = Memory { key: Some(opened.key.clone()), shut: false, view: Some(view) };
        Ok(())
    }

    fn lock_others_out(&self) -> Result<disk::Lock, Problem> {
        let folder = disk::private_folder(&self.folder);
        let lock = folder.and_then(|()| disk::lock(&self.folder.join(LOCK_NAME), PATIENCE));
        lock.map_err(|error| self.unwritable(&error))
    }

    fn file(&self) -> PathBuf {
        Path::join(&self.folder, FILE_NAME)
    }

    /// A poisoned lock guards what is checked against the file at every use.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, reason: &str) -> Problem {
        let file = self.file();
        let detail = format!(
            "the local vault `{}` cannot be used: {reason}; restore it from a copy, or reset it to start anew",
            file.display()
        );
        Problem::new(Reason::NotConfigured, detail)
    }

    fn unwritable(&self, error: &io::Error) -> Problem {
        let detail = format!("the local vault in `{}` cannot be written: {error}", self.folder.display());
        Problem::new(Reason::Unreachable, detail)
    }
}

/// What a write does where there is no file yet.
#[derive(Clone, Copy)]
enum Absence<'a> {
    Create,
    /// The secret that is missing then.
    Missing(&'a SecretName),
}

impl View {
    /// A locked vault may be opened without its file being touched: by a key store that was unlocked, by a key file.
    fn is_stale(&self) -> bool {
        matches!(self.inside, Inside::Locked(_)) && self.taken.elapsed() > LOCKED_FOR
    }
}

/// The problem of everybody who wants to read.
fn refusal(inside: &Inside) -> Option<Problem> {
    match inside {
        Inside::Absent | Inside::Open(_) => None,
        Inside::Locked(reason) => Some(locked(reason)),
        Inside::Broken(problem) => Some(problem.clone()),
    }
}

fn fresh(new: NewKey) -> Opened {
    Opened { buffer: Content::default().to_buffer(), key: Arc::new(new.key), kind: new.kind }
}

fn missing(name: &SecretName) -> Problem {
    Problem::new(Reason::Missing, format!("there is no secret named `{name}` in the local vault"))
}

fn locked(reason: &str) -> Problem {
    Problem::new(Reason::Locked, format!("the local vault is locked: {reason}"))
}

#[cfg(test)]
mod tests;
