//! Where the key of the local vault comes from: the environment, a file, the system's key store, a person.
#![expect(clippy::disallowed_methods, reason = "a passphrase is counted here, and the key handed to the key store")]

use std::path::Path;

use zeroize::Zeroizing;

use super::{
    KeySource,
    file::Sealed,
    key::{self, Cost, KEY, KeyKind},
};
use crate::{
    disk,
    status::{Problem, Reason},
    vault::value::SecretValue,
};

/// The shortest passphrase that a new vault takes, in characters.
pub const MIN_PASSPHRASE: usize = 8;

/// The largest key file, in bytes.
const KEY_FILE_CAP: u64 = 4096;

/// The operating system's key store, or a stand-in for it.
pub(super) trait KeyStore: Send + Sync {
    /// The stored key; none where nothing was stored yet.
    fn load(&self) -> Result<Option<SecretValue>, String>;

    fn save(&self, key: &SecretValue) -> Result<(), String>;
}

/// All sources of one vault.
pub(super) struct Keys {
    pub(super) source: KeySource,
    /// None where the system's key store may not be asked, or was not built in.
    pub(super) store: Option<Box<dyn KeyStore>>,
    pub(super) cost: Cost,
}

/// A new key and what the file must say about it.
pub(super) struct NewKey {
    pub(super) key: SecretValue,
    pub(super) kind: KeyKind,
}

impl Keys {
    /// The key of a file that exists, from the first source that has it; else why none has.
    pub(super) fn find(&self, file: &Sealed) -> Result<SecretValue, String> {
        let mut reasons = Vec::new();
        if let Some(given) = &self.source.given {
            match file.kind.key(given).filter(|key| file.fits(key)) {
                Some(key) => return Ok(key),
                None => reasons.push("VAULTLS_KEY is not its key".to_owned()),
            }
        }
        if let Some(path) = &self.source.file {
            match read_key_file(path).map(|text| file.kind.key(&text).filter(|key| file.fits(key))) {
                Ok(Some(key)) => return Ok(key),
                Ok(None) => reasons.push("the key file does not hold its key".to_owned()),
                Err(reason) => reasons.push(reason),
            }
        }
        match (&file.kind, &self.store) {
            (KeyKind::Passphrase { .. }, _) => reasons.push("its passphrase was not entered".to_owned()),
            (KeyKind::Raw, None) => reasons.push("its key is not at hand".to_owned()),
            (KeyKind::Raw, Some(store)) => match store.load() {
                Ok(Some(key)) if file.fits(&key) => return Ok(key),
                Ok(Some(_)) => reasons.push("the system's key store holds another vault's key".to_owned()),
                Ok(None) => reasons.push("the system's key store does not hold its key".to_owned()),
                Err(reason) => reasons.push(format!("the system's key store is not available ({reason})")),
            },
        }
        Err(reasons.join("; "))
    }

    /// A key for a vault that is about to be made. A source that was named is used or complained about; only where none
    /// is named and there is no key store must a person choose a passphrase.
    pub(super) fn create(&self) -> Result<NewKey, Problem> {
        if let Some(given) = &self.source.given {
            return self.of_text(given);
        }
        if let Some(path) = &self.source.file {
            let text = read_key_file(path).map_err(|reason| Problem::new(Reason::NotConfigured, reason))?;
            return self.of_text(&text);
        }
        let Some(store) = &self.store else { return Err(passphrase_needed()) };
        // A key that is there already may be that of another file: it is shared, never replaced.
        let key = match store.load().map_err(|_| passphrase_needed())? {
            Some(key) => key,
            None => {
                let key = SecretValue::from(Zeroizing::new(key::random::<KEY>().to_vec()));
                store.save(&key).map_err(|_| passphrase_needed())?;
                key
            }
        };
        Ok(NewKey { key, kind: KeyKind::Raw })
    }

    /// Whether a vault can be made without a person who chooses a passphrase.
    pub(super) fn can_create(&self) -> bool {
        let named = self.source.given.is_some() || self.source.file.is_some();
        named || self.store.as_ref().is_some_and(|store| store.load().is_ok())
    }

    /// A key from a text: 256 bits in base64, else a passphrase.
    pub(super) fn of_text(&self, text: &SecretValue) -> Result<NewKey, Problem> {
        if let Some(key) = key::raw(text) {
            return Ok(NewKey { key, kind: KeyKind::Raw });
        }
        let length = text.expose_text(|text| text.chars().count()).unwrap_or(text.len());
        if length < MIN_PASSPHRASE {
            let detail = format!("the passphrase of a new vault has at least {MIN_PASSPHRASE} characters");
            return Err(Problem::new(Reason::Locked, detail));
        }
        let kind = KeyKind::new_passphrase(self.cost);
        let key =
            kind.key(text).ok_or_else(|| Problem::new(Reason::Locked, "no key can be derived from this passphrase"))?;
        Ok(NewKey { key, kind })
    }
}

/// The text of a key file, without the line break at its end.
fn read_key_file(path: &Path) -> Result<SecretValue, String> {
    let bytes = disk::read(path, KEY_FILE_CAP).map(Zeroizing::new);
    let mut bytes = bytes.map_err(|error| format!("the key file `{}` cannot be read: {error}", path.display()))?;
    for ending in [b'\n', b'\r'] {
        if bytes.last() == Some(&ending) {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err(format!("the key file `{}` is empty", path.display()));
    }
    Ok(SecretValue::from(bytes))
}

fn passphrase_needed() -> Problem {
    Problem::new(Reason::Locked, "the local vault has no key yet: unlock it with a new passphrase")
}

/// The key store of this system, where it was built in.
#[cfg(feature = "keyring")]
pub(super) fn system_store() -> Option<Box<dyn KeyStore>> {
    Some(Box::new(system::SystemStore))
}

#[cfg(not(feature = "keyring"))]
pub(super) fn system_store() -> Option<Box<dyn KeyStore>> {
    None
}

#[cfg(feature = "keyring")]
mod system {
    //! Secret Service, Keychain or Credential Manager.

    use keyring::{Entry, Error};
    use zeroize::Zeroizing;

    use super::{KEY, KeyStore};
    use crate::vault::value::SecretValue;

    const SERVICE: &str = "vaultls";
    const USER: &str = "local-vault";

    pub(super) struct SystemStore;

    impl KeyStore for SystemStore {
        fn load(&self) -> Result<Option<SecretValue>, String> {
            match entry()?.get_secret().map(Zeroizing::new) {
                Ok(key) if key.len() == KEY => Ok(Some(SecretValue::from(key))),
                Ok(_) => Err("its entry for vaultls is not a key".into()),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(reason(&error).into()),
            }
        }

        fn save(&self, key: &SecretValue) -> Result<(), String> {
            let entry = entry()?;
            key.expose(|bytes| entry.set_secret(bytes)).map_err(|error| reason(&error).into())
        }
    }

    fn entry() -> Result<Entry, String> {
        Entry::new(SERVICE, USER).map_err(|error| reason(&error).into())
    }

    /// In words of ours: some of the library's errors hold the bytes of the entry.
    fn reason(error: &Error) -> &'static str {
        match error {
            Error::NoDefaultStore => "there is none",
            Error::NoStorageAccess(_) => "it is locked or refused access",
            Error::Ambiguous(_) => "it has several entries for vaultls",
            _ => "it failed",
        }
    }
}
