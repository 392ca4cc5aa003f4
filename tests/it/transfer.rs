//! Exports and imports of the local vault, as a person at a terminal makes them.

#![expect(clippy::disallowed_methods, reason = "looks at exports and makes hostile ones")]

use base64::{Engine, prelude::BASE64_STANDARD};
use expect_test::expect;
use serde_json::{Value, json};

use crate::support::program::{Output, Program, is_private};

const CANARY: &str = "canary-51c7e2-transfer";
const PASSWORD: &[u8] = b"canary-password-0815\n";

fn program(secrets: &[(&str, &str)]) -> Program {
    let program = Program::new();
    for (name, value) in secrets {
        let arguments = ["vault", "set", name, "--allow-domain", "api.example.com", "--note", "a note"];
        assert_eq!(program.run_with(&arguments, value.as_bytes()).code, 0);
    }
    program
}

fn exported(program: &Program) -> Vec<u8> {
    let output = program.run_with(&["vault", "export", "vault.json"], PASSWORD);
    assert_eq!(output.code, 0, "{output:?}");
    std::fs::read(program.work().join("vault.json")).unwrap()
}

fn import(program: &Program, bytes: &[u8], arguments: &[&str]) -> Output {
    program.file("in.json", bytes);
    program.run_with(&[&["vault", "import", "in.json"], arguments].concat(), PASSWORD)
}

/// Every value of a program's vault, with all else.
fn content(program: &Program) -> Value {
    let output = program.run(&["vault", "export", "all.json", "--plain", "--force"]);
    assert_eq!(output.code, 0, "{output:?}");
    let export: Value = serde_json::from_slice(&std::fs::read(program.work().join("all.json")).unwrap()).unwrap();
    export["secrets"].clone()
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let here = program(&[("a", CANARY), ("b", "line one\nline two \"é\"")]);
    let bytes = exported(&here);
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    assert!(is_private(&here.work().join("vault.json")));
    let there = Program::new();
    let output = import(&there, &bytes, &[]);
    assert_eq!((output.code, output.err.as_str()), (0, "imported 2 secrets\n"));
    assert_eq!(output.out, "a  added\nb  added\n");
    assert_eq!(content(&there), content(&here));
    let again = import(&there, &bytes, &[]);
    assert_eq!((again.code, again.out.as_str()), (0, "a  is here already\nb  is here already\n"));
}

#[test]
fn a_plain_export_is_asked_for_and_loud() {
    let here = program(&[("a", CANARY)]);
    let output = here.run(&["vault", "export", "plain.json", "--plain"]);
    assert_eq!(output.code, 0);
    expect![[r#"
        warning: plain.json holds every value in clear: delete it as soon as it was used
        exported 1 secret to plain.json
    "#]]
    .assert_eq(&output.err);
    let bytes = std::fs::read(here.work().join("plain.json")).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains(CANARY));
    assert!(is_private(&here.work().join("plain.json")));
    let there = Program::new();
    assert_eq!(import(&there, &bytes, &[]).code, 0);
    assert_eq!(content(&there), content(&here));
}

#[test]
fn a_value_that_is_no_text_survives() {
    let here = Program::new();
    assert_eq!(here.run_with(&["vault", "set", "a", "--raw"], b"\xff\x00\n").code, 0);
    let secrets = content(&here);
    assert_eq!(secrets[0]["valueBase64"], BASE64_STANDARD.encode(b"\xff\x00\n"));
    let there = Program::new();
    assert_eq!(import(&there, &exported(&here), &[]).code, 0);
    assert_eq!(content(&there), secrets);
}

#[test]
fn duplicates_are_told_and_the_person_chooses() {
    let bytes = exported(&program(&[("a", CANARY), ("b", CANARY)]));
    let fresh = || program(&[("a", "another value")]);
    let refused = fresh();
    let output = import(&refused, &bytes, &[]);
    assert_eq!(output.code, 1);
    expect![[r#"
        error: the local vault has other secrets of these names already: `a`
        hint: choose with --duplicates skip, replace or keep-both; nothing was changed
    "#]]
    .assert_eq(&output.err);
    assert_eq!(content(&refused).as_array().unwrap().len(), 1);
    for (choice, told, values) in [
        ("skip", "a  skipped: another one is here\nb  added\n", vec!["another value", CANARY]),
        ("replace", "a  replaced\nb  added\n", vec![CANARY, CANARY]),
        ("keep-both", "a  added as a-2\nb  added\n", vec!["another value", CANARY, CANARY]),
    ] {
        let there = fresh();
        let dry = import(&there, &bytes, &["--duplicates", choice, "--dry-run"]);
        assert_eq!((dry.code, dry.out.as_str()), (0, told));
        assert_eq!(content(&there).as_array().unwrap().len(), 1);
        let output = import(&there, &bytes, &["--duplicates", choice]);
        assert_eq!((output.code, output.out.as_str()), (0, told));
        let found = content(&there);
        let found: Vec<&str> = found.as_array().unwrap().iter().map(|it| it["value"].as_str().unwrap()).collect();
        assert_eq!(found, values, "{choice}");
    }
}

#[test]
fn a_file_that_is_there_is_not_replaced_unasked() {
    let here = program(&[("a", CANARY)]);
    here.file("vault.json", "mine");
    let output = here.run_with(&["vault", "export", "vault.json"], PASSWORD);
    assert!(output.code == 1 && output.err.contains("exists already"), "{output:?}");
    assert_eq!(std::fs::read(here.work().join("vault.json")).unwrap(), b"mine");
    let output = here.run_with(&["vault", "export", "vault.json", "--force"], PASSWORD);
    assert_eq!(output.code, 0, "{output:?}");
}

#[test]
fn a_short_password_is_refused_and_a_wrong_one_told() {
    let here = program(&[("a", CANARY)]);
    let output = here.run_with(&["vault", "export", "vault.json"], b"short\n");
    assert!(output.code == 1 && output.err.contains("at least 12 characters"), "{output:?}");
    assert!(!here.work().join("vault.json").exists());
    exported(&here);
    let output = here.run_with(&["vault", "import", "vault.json"], b"a wrong password\n");
    assert!(output.code == 1 && output.err.contains("not the password"), "{output:?}");
}

/// An export with another header: the offset and the bytes there; its checksum is made to fit.
fn with_header(bytes: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut export: Value = serde_json::from_slice(bytes).unwrap();
    let mut sealed = BASE64_STANDARD.decode(export["sealed"].as_str().unwrap()).unwrap();
    sealed[offset..offset + new.len()].copy_from_slice(new);
    let end = sealed.len() - 32;
    let checksum = Sha256::digest(&sealed[..end]);
    sealed[end..].copy_from_slice(&checksum);
    export["sealed"] = json!(BASE64_STANDARD.encode(&sealed));
    export.to_string().into_bytes()
}

#[test]
fn a_hostile_file_changes_nothing() {
    let good = exported(&program(&[("a", CANARY)]));
    let secrets = |secrets: Value| json!({ "format": "vaultls-export", "version": 1, "secrets": secrets }).to_string();
    let deep = format!("{{\"format\": \"vaultls-export\", \"version\": 1, \"secrets\": {}", "[".repeat(1 << 20));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "no export"),
        (b"\xff\xfe\0".to_vec(), "no export"),
        (b"{\"format\": \"other\", \"version\": 1}".to_vec(), "no export"),
        (b"{\"format\": \"vaultls-export\", \"version\": 2}".to_vec(), "newer version"),
        (b"{\"format\": \"vaultls-export\", \"version\": 1}".to_vec(), "damaged"),
        (deep.into_bytes(), "no export"),
        (secrets(json!([[[[[[[[]]]]]]]])).into_bytes(), "damaged"),
        (secrets(json!([{ "name": "../..\u{202e}", "value": CANARY }])).into_bytes(), "damaged"),
        (secrets(json!([{ "name": "a", "value": CANARY, "more": CANARY }])).into_bytes(), "damaged"),
        (secrets(json!([{ "name": "a", "value": 7 }])).into_bytes(), "damaged"),
        (secrets(json!([{ "name": "a", "valueBase64": "%%%" }])).into_bytes(), "is damaged"),
        (secrets(json!([{ "name": "a", "value": "x".repeat((1 << 20) + 1) }])).into_bytes(), "too long"),
        (secrets(json!([{ "name": "a" }, { "name": "a" }])).into_bytes(), "twice"),
        (secrets(json!([{ "name": "a", "allowedDomains": ["*evil"] }])).into_bytes(), "is not a domain"),
        (with_header(&good, 8, &[9]), "newer version"),
        (with_header(&good, 10, &u32::MAX.to_le_bytes()), "more than this version allows"),
        (with_header(&good, 14, &u32::MAX.to_le_bytes()), "more than this version allows"),
        (with_header(&good, 9, &[0]), "not sealed with a password"),
        (with_header(&good, 40, &[1, 2, 3]), "not the password"),
        (with_header(&good, 100, &[1, 2, 3]), "damaged"),
    ];
    let there = program(&[("mine", "my own value")]);
    let before = content(&there);
    for (bytes, why) in cases {
        let output = import(&there, &bytes, &["--duplicates", "replace"]);
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert!(output.code == 1 && output.err.contains(why), "{start}: {output:?}");
        assert!(!output.err.contains(CANARY));
    }
    assert_eq!(content(&there), before);
    let absent = there.run(&["vault", "import", "absent.json"]);
    assert!(absent.code == 1 && absent.err.contains("absent.json"), "{absent:?}");
}
