//! The local vault as a file: what survives, what is noticed, what is never lost.
#![expect(clippy::disallowed_methods, reason = "the tests look at the file behind the vault's back, and damage it")]

use std::{fs, path::Path, sync::Arc, thread};

use vaultls::{
    name::SecretName,
    status::Reason,
    vault::{
        local::{Change, Cost, KeySource, LocalVault, State},
        value::SecretValue,
    },
};

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn value(text: &str) -> Change {
    Change { value: Some(secret(text)), ..Change::default() }
}

fn open(folder: &Path, passphrase: &str) -> LocalVault {
    let source = KeySource { given: Some(Arc::new(secret(passphrase))), file: None, keyring: false };
    LocalVault::with_cost(folder.to_owned(), source, Cost::lowest_for_tests())
}

fn read(vault: &LocalVault, text: &str) -> Result<String, Reason> {
    let value = vault.value(&name(text)).map_err(|problem| problem.reason)?;
    Ok(value.expose_text(str::to_owned).unwrap())
}

#[test]
fn secrets_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let change = Change {
        value: Some(secret("canary-4b1e77")),
        allowed_domains: Some(vec!["api.example.com".into()]),
        enabled: None,
        note: Some("ask \"Anna\"\n".into()),
    };
    open(folder.path(), "correct horse").set(&name("db/pass"), change).unwrap();
    let vault = open(folder.path(), "correct horse");
    assert_eq!(vault.state(), State::Open);
    assert_eq!(read(&vault, "db/pass"), Ok("canary-4b1e77".into()));
    let [entry] = &vault.entries()[..] else { panic!() };
    assert_eq!((entry.enabled, entry.filled), (true, true));
    assert_eq!(entry.note.as_deref(), Some("ask \"Anna\"\n"));
    assert_eq!(entry.allowed_domains, ["api.example.com"]);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(folder.path(), "correct horse");
    vault.set(&name("a"), Change { note: Some("n".into()), ..value("canary-5c0d12") }).unwrap();
    vault.set(&name("a"), Change { enabled: Some(false), ..Change::default() }).unwrap();
    assert_eq!(read(&vault, "a"), Err(Reason::Disabled));
    vault.set(&name("a"), Change { enabled: Some(true), note: Some(String::new()), ..Change::default() }).unwrap();
    assert_eq!(read(&vault, "a"), Ok("canary-5c0d12".into()));
    assert_eq!(vault.entries()[0].note, None);
}

#[test]
fn each_absence_has_its_own_reason() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(folder.path(), "correct horse");
    assert_eq!(read(&vault, "a"), Err(Reason::Missing));
    assert_eq!(vault.remove(&name("a")).unwrap_err().reason, Reason::Missing);
    assert_eq!(vault.state(), State::Absent);
    vault.set(&name("a"), Change::default()).unwrap();
    assert_eq!(read(&vault, "a"), Err(Reason::Empty));
    assert!(!vault.entries()[0].filled);
    assert_eq!(read(&vault, "b"), Err(Reason::Missing));
    assert_eq!(vault.rename(&name("b"), &name("c")).unwrap_err().reason, Reason::Missing);
}

#[test]
fn a_renamed_secret_keeps_its_value_and_takes_no_others_name() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(folder.path(), "correct horse");
    vault.set(&name("a"), value("canary-61aa01")).unwrap();
    vault.set(&name("b"), value("canary-61aa02")).unwrap();
    assert_eq!(vault.rename(&name("a"), &name("b")).unwrap_err().reason, Reason::Ambiguous);
    vault.rename(&name("a"), &name("c")).unwrap();
    assert_eq!((read(&vault, "a"), read(&vault, "c")), (Err(Reason::Missing), Ok("canary-61aa01".into())));
    assert_eq!(read(&vault, "b"), Ok("canary-61aa02".into()));
    vault.remove(&name("b")).unwrap();
    assert_eq!(read(&vault, "b"), Err(Reason::Missing));
}

#[test]
fn any_bytes_are_kept_up_to_a_cap() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(folder.path(), "correct horse");
    let bytes: Vec<u8> = (0..=255).collect();
    vault.set(&name("a"), Change { value: Some(SecretValue::new(bytes.clone())), ..Change::default() }).unwrap();
    assert_eq!(vault.value(&name("a")).unwrap().expose(<[u8]>::to_vec), bytes);
    let big = |length| Change { value: Some(SecretValue::new(vec![b'x'; length])), ..Change::default() };
    vault.set(&name("b"), big(1024 * 1024)).unwrap();
    assert_eq!(vault.set(&name("c"), big(1024 * 1024 + 1)).unwrap_err().reason, Reason::BadValue);
}

#[test]
fn a_wrong_key_locks_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "correct horse").set(&name("a"), value("canary-70fe3a")).unwrap();
    let before = fs::read(folder.path().join("local.vault")).unwrap();
    let wrong = open(folder.path(), "battery staple");
    assert_eq!(wrong.state(), State::Locked);
    assert_eq!(read(&wrong, "a"), Err(Reason::Locked));
    assert_eq!(wrong.set(&name("a"), value("canary-70fe3b")).unwrap_err().reason, Reason::Locked);
    assert_eq!(wrong.remove(&name("a")).unwrap_err().reason, Reason::Locked);
    assert_eq!(fs::read(folder.path().join("local.vault")).unwrap(), before);
    wrong.unlock(secret("correct horse")).unwrap();
    assert_eq!(read(&wrong, "a"), Ok("canary-70fe3a".into()));
}

/// Neither reads nor writes a file of `bytes`, and leaves it as it is.
fn check_refused(folder: &Path, bytes: &[u8], what: &str) {
    let file = folder.join("local.vault");
    fs::write(&file, bytes).unwrap();
    let vault = open(folder, "correct horse");
    assert!(matches!(vault.state(), State::Broken(_) | State::Locked), "{what}: {:?}", vault.state());
    assert!(read(&vault, "a").is_err(), "{what}");
    assert!(vault.set(&name("b"), value("canary-0")).is_err(), "{what}");
    assert_eq!(fs::read(&file).unwrap(), bytes, "{what}");
}

#[test]
fn damage_anywhere_is_noticed_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "correct horse").set(&name("a"), value("canary-82b4c9")).unwrap();
    let sound = fs::read(folder.path().join("local.vault")).unwrap();
    for at in (0..sound.len()).step_by(16).chain([8, 9, sound.len() - 1]) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        check_refused(folder.path(), &bytes, &format!("byte {at}"));
    }
    for length in (0..sound.len()).step_by(7) {
        check_refused(folder.path(), &sound[..length], &format!("first {length} bytes"));
    }
    check_refused(folder.path(), &[&sound[..], b"x"].concat(), "one byte more");
    check_refused(folder.path(), b"{\"not\": \"ours\"}", "another file");
    fs::write(folder.path().join("local.vault"), &sound).unwrap();
    assert_eq!(read(&open(folder.path(), "correct horse"), "a"), Ok("canary-82b4c9".into()));
}

#[test]
fn a_damaged_file_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("local.vault"), b"vaultls\n").unwrap();
    let vault = open(folder.path(), "correct horse");
    let problem = vault.problem().unwrap();
    assert_eq!(problem.reason, Reason::NotConfigured);
    let end = "cannot be used: it is damaged; restore it from a copy, or reset it to start anew";
    assert!(problem.detail.ends_with(end), "{}", problem.detail);
    vault.reset().unwrap();
    assert_eq!(vault.state(), State::Absent);
    vault.set(&name("a"), value("canary-9d1f00")).unwrap();
    assert_eq!(read(&vault, "a"), Ok("canary-9d1f00".into()));
}

#[test]
fn one_handle_sees_what_another_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(folder.path(), "correct horse"), open(folder.path(), "correct horse"));
    assert_eq!(two.state(), State::Absent);
    one.set(&name("a"), value("canary-a10001")).unwrap();
    assert_eq!(read(&two, "a"), Ok("canary-a10001".into()));
    two.set(&name("a"), value("canary-a10002")).unwrap();
    assert_eq!(read(&one, "a"), Ok("canary-a10002".into()));
    one.reset().unwrap();
    assert_eq!(two.state(), State::Absent);
}

/// The lock belongs to an open file, so handles exclude each other as processes do (flock(2)).
#[test]
fn concurrent_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "correct horse").set(&name("first"), value("canary-b2")).unwrap();
    thread::scope(|scope| {
        for writer in 0..8 {
            let folder = folder.path();
            scope.spawn(move || {
                let vault = open(folder, "correct horse");
                for index in 0..5 {
                    let name = name(&format!("s{writer}-{index}"));
                    // Who waited for the others for too long is told, and writes again.
                    while let Err(problem) = vault.set(&name, value("canary-b3")) {
                        assert!(problem.detail.ends_with("another process keeps it locked"), "{problem:?}");
                    }
                }
            });
        }
    });
    assert_eq!(open(folder.path(), "correct horse").entries().len(), 41);
}

#[test]
fn nothing_of_a_secret_can_be_read_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let change = Change { note: Some("canary-note".into()), ..value("canary-c3d4e5f6a7b8") };
    open(folder.path(), "correct horse").set(&name("canary-name"), change).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        // The base64 of "canary" at each of its three alignments.
        for needle in ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn", "correct", "horse"] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
        }
    }
}

#[test]
fn two_writes_of_the_same_differ() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(folder.path(), "correct horse");
    vault.set(&name("a"), value("canary-d4")).unwrap();
    let first = fs::read(folder.path().join("local.vault")).unwrap();
    vault.set(&name("a"), value("canary-d4")).unwrap();
    let second = fs::read(folder.path().join("local.vault")).unwrap();
    assert_eq!(first.len(), second.len());
    let same = first[78..].iter().zip(&second[78..]).filter(|(a, b)| a == b).count();
    assert!(same < first.len() / 20, "a nonce was used twice: {same} bytes are equal");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data/vaultls");
    open(&data, "correct horse").set(&name("a"), value("canary-e5")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("local.vault")), 0o600);
    assert_eq!(mode(&data.join("local.lock")), 0o600);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data"), b"a file where the folder should be").unwrap();
    let problem = open(&folder.path().join("data"), "correct horse").set(&name("a"), value("canary-f6")).unwrap_err();
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.contains("cannot be written"), "{}", problem.detail);
}
