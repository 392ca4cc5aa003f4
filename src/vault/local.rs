//! The vault on this machine: one encrypted file.

use std::{path::PathBuf, sync::Arc};

use crate::{name::SecretName, status::Problem, vault::value::SecretValue};

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

/// What is to be stored about a secret. Absent parts stay as they are.
#[derive(Default)]
pub struct Change {
    pub value: Option<SecretValue>,
    pub allowed_domains: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub note: Option<String>,
}

/// The file and its key. Methods block on the disk and on the key derivation: call them off the async threads.
pub struct LocalVault {}

impl LocalVault {
    pub fn state(&self) -> State {
        todo!()
    }

    /// By name; empty while locked.
    pub fn entries(&self) -> Vec<Entry> {
        todo!()
    }

    /// Creates or changes a secret. At first use this makes the key as well: in the key store if there is one,
    /// else `Problem { Locked }` says that [`Self::unlock`] must be called with a new passphrase.
    pub fn set(&self, _name: &SecretName, _change: Change) -> Result<(), Problem> {
        todo!()
    }

    pub fn remove(&self, _name: &SecretName) -> Result<(), Problem> {
        todo!()
    }

    pub fn rename(&self, _from: &SecretName, _to: &SecretName) -> Result<(), Problem> {
        todo!()
    }

    /// Enters the passphrase, or chooses it where there is no file yet.
    pub fn unlock(&self, _passphrase: SecretValue) -> Result<(), Problem> {
        todo!()
    }

    /// Forgets the key and the values.
    pub fn lock(&self) {
        todo!()
    }

    /// Deletes everything. The caller asked.
    pub fn reset(&self) -> Result<(), Problem> {
        todo!()
    }
}
