//! The key's ways: sources in their order, the key store's moods, locking by hand.
#![expect(clippy::disallowed_methods, reason = "the tests look at the values that they stored")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::*;
use crate::vault::local::keys::KeyStore;

/// A key store in memory that can be closed, and that counts how often it is asked.
#[derive(Clone, Default)]
struct Store {
    key: Arc<Mutex<Option<Vec<u8>>>>,
    closed: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl KeyStore for Store {
    fn load(&self) -> Result<Option<SecretValue>, String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            return Err("it is locked".into());
        }
        Ok(self.key.lock().unwrap().clone().map(SecretValue::new))
    }

    fn save(&self, key: &SecretValue) -> Result<(), String> {
        *self.key.lock().unwrap() = Some(key.expose(<[u8]>::to_vec));
        Ok(())
    }
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.into())
}

fn value(text: &str) -> Change {
    Change { value: Some(secret(text)), ..Change::default() }
}

fn read(vault: &LocalVault, secret: &str) -> Result<String, Reason> {
    let value = vault.value(&name(secret)).map_err(|problem| problem.reason)?;
    Ok(value.expose_text(str::to_owned).unwrap())
}

fn no_source() -> KeySource {
    KeySource { given: None, file: None, keyring: false }
}

/// A vault with a cheap key derivation.
fn vault(folder: &Path, source: KeySource, store: Option<&Store>) -> LocalVault {
    let store = store.map(|store| Box::new(store.clone()) as Box<dyn KeyStore>);
    let keys = Keys { source, store, cost: Cost::lowest_for_tests() };
    LocalVault { folder: folder.join("data"), keys, memory: Mutex::default() }
}

fn given(text: &str) -> KeySource {
    KeySource { given: Some(Arc::new(secret(text))), ..no_source() }
}

#[test]
fn the_first_secret_makes_a_key_in_the_key_store() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    let first = vault(folder.path(), no_source(), Some(&store));
    assert_eq!(first.state(), State::Absent);
    first.set(&name("a"), value("canary-1")).unwrap();
    assert_eq!(store.key.lock().unwrap().as_ref().unwrap().len(), 32);
    assert_eq!(read(&vault(folder.path(), no_source(), Some(&store)), "a"), Ok("canary-1".into()));
}

#[test]
fn a_key_that_is_stored_already_is_never_replaced() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    *store.key.lock().unwrap() = Some(vec![7; 32]);
    vault(folder.path(), no_source(), Some(&store)).set(&name("a"), value("canary-2")).unwrap();
    assert_eq!(store.key.lock().unwrap().as_deref(), Some(&[7; 32][..]));
}

#[test]
fn without_any_source_a_person_chooses_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path(), no_source(), None);
    assert_eq!(vault.set(&name("a"), value("canary-3")).unwrap_err().reason, Reason::Locked);
    assert_eq!(vault.state(), State::Absent);
    assert_eq!(vault.unlock(secret("short")).unwrap_err().reason, Reason::Locked);
    assert_eq!(vault.state(), State::Absent);
    vault.unlock(secret("correct horse")).unwrap();
    assert_eq!(vault.state(), State::Open);
    vault.set(&name("a"), value("canary-3")).unwrap();
    assert_eq!(read(&vault, "a"), Ok("canary-3".into()));
}

#[test]
fn a_closed_key_store_asks_for_a_passphrase_instead() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    store.closed.store(true, Ordering::SeqCst);
    let vault = vault(folder.path(), no_source(), Some(&store));
    assert_eq!(vault.set(&name("a"), value("canary-4")).unwrap_err().reason, Reason::Locked);
    assert!(store.key.lock().unwrap().is_none());
}

#[test]
fn a_closed_key_store_is_not_asked_at_every_turn() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    vault(folder.path(), no_source(), Some(&store)).set(&name("a"), value("canary-5")).unwrap();
    store.closed.store(true, Ordering::SeqCst);
    let later = vault(folder.path(), no_source(), Some(&store));
    let before = store.asked.load(Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(later.state(), State::Locked);
        assert_eq!(read(&later, "a"), Err(Reason::Locked));
    }
    assert_eq!(store.asked.load(Ordering::SeqCst), before + 1);
    let detail = later.problem().unwrap().detail;
    assert_eq!(detail, "the local vault is locked: the system's key store is not available (it is locked)");
}

#[test]
fn the_given_key_comes_before_the_file_and_the_store() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    let key_file = folder.path().join("key");
    disk::replace(&key_file, b"the passphrase in the file\n", Access::Private).unwrap();
    let both = KeySource { file: Some(key_file), ..given("the given passphrase") };
    vault(folder.path(), both.clone(), Some(&store)).set(&name("a"), value("canary-6")).unwrap();
    assert_eq!(store.asked.load(Ordering::SeqCst), 0);
    assert_eq!(read(&vault(folder.path(), given("the given passphrase"), None), "a"), Ok("canary-6".into()));
    let file_alone = KeySource { given: None, ..both };
    assert_eq!(read(&vault(folder.path(), file_alone, None), "a"), Err(Reason::Locked));
}

#[test]
fn a_key_file_may_end_with_a_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    disk::replace(&key_file, b"the passphrase in the file\r\n", Access::Private).unwrap();
    let source = KeySource { file: Some(key_file), ..no_source() };
    vault(folder.path(), source, None).set(&name("a"), value("canary-7")).unwrap();
    assert_eq!(read(&vault(folder.path(), given("the passphrase in the file"), None), "a"), Ok("canary-7".into()));
}

#[test]
fn a_key_file_that_cannot_be_read_is_not_passed_over() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Store::default());
    let source = KeySource { file: Some(folder.path().join("nowhere")), ..no_source() };
    let problem = vault(folder.path(), source, Some(&store)).set(&name("a"), value("canary-8")).unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert_eq!(store.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_key_of_256_bits_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let key = BASE64_STANDARD.encode([0xfb; 32]);
    vault(folder.path(), given(&key), None).set(&name("a"), value("canary-9")).unwrap();
    let url_safe = key.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
    assert_ne!(url_safe, key);
    assert_eq!(read(&vault(folder.path(), given(&url_safe), None), "a"), Ok("canary-9".into()));
    let unlocked = vault(folder.path(), no_source(), None);
    assert_eq!(read(&unlocked, "a"), Err(Reason::Locked));
    assert!(unlocked.unlock(secret("a passphrase")).is_err());
    unlocked.unlock(secret(&key)).unwrap();
    assert_eq!(read(&unlocked, "a"), Ok("canary-9".into()));
}

#[test]
fn a_vault_locked_by_hand_stays_locked_until_a_person_unlocks_it() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path(), given("correct horse"), None);
    vault.set(&name("a"), value("canary-10")).unwrap();
    vault.lock();
    assert_eq!(vault.state(), State::Locked);
    assert_eq!(vault.entries(), []);
    assert_eq!(vault.set(&name("a"), value("canary-11")).unwrap_err().reason, Reason::Locked);
    assert_eq!(vault.unlock(secret("wrong horse")).unwrap_err().reason, Reason::Locked);
    assert_eq!(vault.state(), State::Locked);
    vault.unlock(secret("correct horse")).unwrap();
    assert_eq!(read(&vault, "a"), Ok("canary-10".into()));
}

#[test]
fn a_header_that_asks_for_too_much_is_refused() {
    let key = SecretValue::new(vec![1; 32]);
    let cost = Cost { memory_kib: 1 << 30, ..Cost::default() };
    let bytes = file::seal(Content::default().to_buffer(), &key, &KeyKind::Passphrase { cost, salt: [0; 16] });
    assert_eq!(Sealed::parse(bytes).err(), Some(file::FileError::TooCostly));
}

#[test]
fn the_usual_cost_is_what_the_standard_recommends() {
    assert_eq!(Cost::default(), Cost { memory_kib: 65536, passes: 3, lanes: 4 });
}

#[test]
fn the_size_of_the_file_tells_little() {
    let key = SecretValue::new(vec![1; 32]);
    let sizes = [0, 1, 500].map(|length| {
        let mut content = Content::default();
        let text = "A".repeat(length * 4);
        content.secrets.insert(name("a"), content::Stored { value: Some(&text), ..Default::default() });
        file::seal(content.to_buffer(), &key, &KeyKind::Raw).len()
    });
    assert_eq!(sizes[0], sizes[1]);
    assert_eq!((sizes[2] - sizes[0]) % 1024, 0);
}
