//! Environment files on a real disk: which are found, which win, which are refused.

#![expect(clippy::disallowed_methods, reason = "the test lays out its own folder")]

use std::{fs, path::Path};

use tempfile::TempDir;
use vaultls::{
    environment::{Trouble, load},
    syntax::expand::{Environment, Store},
};

/// A workspace of the given files.
fn workspace(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn load_in(root: &Path, document: &str, name: Option<&str>) -> (Environment, Vec<Trouble>) {
    load(&root.join(document), root, name)
}

/// The values for `document` in a workspace of `files`, which give no trouble.
fn check(files: &[(&str, &str)], document: &str, name: Option<&str>, expected: &[(&str, &str)]) {
    let root = workspace(files);
    let (environment, troubles) = load_in(root.path(), document, name);
    assert_eq!(troubles, []);
    let values: Vec<(&str, &str)> =
        environment.values.iter().map(|(key, value)| (key.as_str(), value.text.as_str())).collect();
    assert_eq!(values, expected);
    for (key, value) in &environment.values {
        let source = fs::read_to_string(&value.file).unwrap();
        assert_eq!(value.span.unwrap().of(&source), key, "the span names the key");
    }
}

/// The one trouble that `files` give: the file and the message.
fn check_trouble(files: &[(&str, &str)], expected: (&str, &str)) {
    let root = workspace(files);
    let (_, troubles) = load_in(root.path(), "a.http", Some("dev"));
    let shown: Vec<(String, &str)> = troubles
        .iter()
        .map(|trouble| (trouble.file.file_name().unwrap().to_str().unwrap().to_owned(), trouble.message.as_str()))
        .collect();
    assert_eq!(shown, [(expected.0.to_owned(), expected.1)]);
}

const PUBLIC: &str = "http-client.env.json";
const PRIVATE: &str = "http-client.private.env.json";
const USER: &str = "http-client.env.json.user";

#[test]
fn the_chosen_environment_wins_over_what_all_share() {
    let public = r#"{"$shared": {"a": "shared", "b": "shared"}, "dev": {"a": "dev"}, "prod": {"a": "prod"}}"#;
    let files = [(PUBLIC, public)];
    check(&files, "a.http", Some("dev"), &[("a", "dev"), ("b", "shared")]);
    check(&files, "a.http", None, &[("a", "shared"), ("b", "shared")]);
    check(&files, "a.http", Some("none"), &[("a", "shared"), ("b", "shared")]);
}

#[test]
fn private_wins_over_public_and_user_over_both() {
    let files = [
        (PUBLIC, r#"{"dev": {"a": "public", "b": "public", "c": "public"}}"#),
        (PRIVATE, r#"{"dev": {"a": "private", "b": "private"}}"#),
        (USER, r#"{"dev": {"a": "user"}}"#),
    ];
    check(&files, "a.http", Some("dev"), &[("a", "user"), ("b", "private"), ("c", "public")]);
}

#[test]
fn the_nearest_folder_wins_key_by_key_and_the_root_is_the_last() {
    let root = workspace(&[
        ("http-client.env.json", r#"{"dev": {"outside": "1"}}"#),
        ("w/http-client.env.json", r#"{"dev": {"a": "far", "b": "far"}}"#),
        ("w/x/y/http-client.env.json", r#"{"dev": {"a": "near"}, "$shared": {"b": "shared"}}"#),
    ]);
    let (environment, troubles) = load_in(&root.path().join("w"), "x/y/a.http", Some("dev"));
    let values: Vec<_> = environment.values.iter().map(|(key, value)| (key.as_str(), value.text.as_str())).collect();
    assert_eq!((values, troubles), (vec![("a", "near"), ("b", "far")], vec![]));
}

#[test]
fn a_document_outside_the_root_has_its_own_folder_only() {
    let root = workspace(&[
        ("w/a", ""),
        ("http-client.env.json", r#"{"dev": {"above": "1"}}"#),
        ("o/http-client.env.json", r#"{"dev": {"a": "1"}}"#),
    ]);
    let (environment, _) = load(&root.path().join("o/a.http"), &root.path().join("w"), Some("dev"));
    assert_eq!(environment.values.into_keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn scalars_become_text_and_other_objects_are_passed_over() {
    let public = r#"{"dev": {"n": 8080, "t": true, "z": null, "l": [1], "e": "\u003c\u003cvault:x>>{{n}}",
        "Security": {"Auth": {}}, "SSLConfiguration": {"provider": 1}}}"#;
    check(&[(PUBLIC, public)], "a.http", Some("dev"), &[("e", "<<vault:x>>{{n}}"), ("n", "8080"), ("t", "true")]);
}

#[test]
fn what_a_provider_has_hides_what_it_wins_over() {
    let root = workspace(&[
        (
            PUBLIC,
            r#"{"dev": {"a": "public", "b": {"provider": "Encrypted", "value": "canary-9f31"}}, "$shared": {"b": "s"}}"#,
        ),
        (USER, r#"{"dev": {"a": {"provider": "AspnetUserSecrets", "secretName": "config:a"}}}"#),
    ]);
    let (environment, troubles) = load_in(root.path(), "a.http", Some("dev"));
    assert_eq!((environment.values.len(), troubles), (0, vec![]));
    let kept: Vec<_> = environment.elsewhere.iter().map(|(name, kept)| (name.as_str(), &kept.store)).collect();
    assert_eq!(kept, [("a", &Store::UserSecrets), ("b", &Store::Encrypted)]);
    let kept = &environment.elsewhere["a"];
    assert_eq!(kept.span.of(&fs::read_to_string(&kept.file).unwrap()), "a");
}

const SETTINGS: &str = ".vscode/settings.json";

#[test]
fn the_environments_of_rest_client_are_read_out_of_settings_with_comments() {
    let settings = r#"{
        // For everybody.
        "editor.tabSize": 2,
        "rest-client.environmentVariables": {
            "$shared": { "version": "v1", "port": 8080, },
            "dev": { "host": "localhost:{{$shared port}}", "path": "/{{ $shared x}}{{$shared none}}", }, /* and */
        },
        "vaultls.path": "./evil",
    }"#;
    let expected =
        [("host", "localhost:8080"), ("path", "/{{ $shared x}}{{$shared none}}"), ("port", "8080"), ("version", "v1")];
    check(&[(SETTINGS, settings)], "x/a.http", Some("dev"), &expected);
    let root = workspace(&[(SETTINGS, settings)]);
    assert_eq!(load_in(root.path(), "x/a.http", None).0.available, ["dev"]);
}

#[test]
fn settings_win_over_nothing_in_their_folder_and_over_everything_above_it() {
    let settings = |value: &str| {
        format!(r#"{{"rest-client.environmentVariables": {{"dev": {{"a": "{value}", "b": "{value}"}}}}}}"#)
    };
    let (near, far) = (settings("near"), settings("far"));
    let files = [
        ("x/.vscode/settings.json", near.as_str()),
        ("x/http-client.env.json", r#"{"dev": {"a": "public"}}"#),
        (SETTINGS, &far),
        (PUBLIC, r#"{"dev": {"b": "above"}}"#),
    ];
    check(&files, "x/a.http", Some("dev"), &[("a", "public"), ("b", "near")]);
}

#[test]
fn shared_values_add_a_bounded_length() {
    let long = "x".repeat(1 << 18);
    let settings = format!(
        r#"{{"rest-client.environmentVariables": {{"$shared": {{"l": "{long}"}}, "dev": {{"a": "{}"}}}}}}"#,
        "{{$shared l}}".repeat(1000)
    );
    let root = workspace(&[(SETTINGS, &settings)]);
    let (environment, _) = load_in(root.path(), "a.http", Some("dev"));
    assert!(environment.values["a"].text.len() < 3 << 20);
}

#[test]
fn what_is_wrong_with_settings_is_their_editors_to_tell() {
    check(
        &[(SETTINGS, r#"{"rest-client.environmentVariables": {"dev": {"a": "1" "b" }"#)],
        "a.http",
        Some("dev"),
        &[("a", "1")],
    );
    for nothing in ["", "[]", "null", r#"{"rest-client.environmentVariables": 3}"#, r#"{"rest-client": {}}"#] {
        check(&[(SETTINGS, nothing)], "a.http", Some("dev"), &[]);
    }
}

#[test]
fn the_names_of_all_files_are_offered_in_order() {
    let root = workspace(&[
        (PUBLIC, r#"{"$shared": {}, "$schema": "x", "prod": {}, "note": "text"}"#),
        ("x/http-client.private.env.json", r#"{"dev": {}, "prod": {}}"#),
    ]);
    let (environment, _) = load_in(root.path(), "x/a.http", None);
    assert_eq!(environment.available, ["dev", "prod"]);
}

#[test]
fn the_nearest_dotenv_file_is_read_and_nothing_else_sees_it() {
    let root = workspace(&[(".env", "A=far\nB=far"), ("x/.env", "A=near"), ("x/y/other", "")]);
    let (environment, troubles) = load_in(root.path(), "x/y/a.http", None);
    let values: Vec<_> = environment.dotenv.iter().map(|(key, value)| (key.as_str(), value.text.as_str())).collect();
    assert_eq!((values, troubles), (vec![("A", "near")], vec![]));
    assert!(environment.values.is_empty());
    assert_eq!(environment.dotenv["A"].file, root.path().join("x/.env"));
}

#[test]
fn postman_environments_are_offered_for_collections() {
    let files = [
        (
            "c/Dev.postman_environment.json",
            r#"{"name": "Dev env", "values": [{"key": "a", "value": "1", "enabled": true, "type": "secret"},
                {"key": "a", "value": "2"}, {"key": "off", "value": "3", "enabled": false}, {"key": "n", "value": 4}]}"#,
        ),
        ("c/Other.postman_environment.json", r#"{"values": []}"#),
        ("c/workspace.postman_globals.json", r#"{"values": [{"key": "a", "value": "g"}, {"key": "g", "value": "g"}]}"#),
        (PUBLIC, r#"{"Dev env": {"a": "http", "h": "http"}}"#),
    ];
    let expected = [("a", "2"), ("g", "g"), ("h", "http"), ("n", "4")];
    check(&files, "c/api.postman_collection.json", Some("Dev env"), &expected);
    let root = workspace(&files);
    let (environment, _) = load_in(root.path(), "c/api.json", None);
    assert_eq!(environment.available, ["Dev env", "Other"]);
    let (environment, _) = load_in(root.path(), "c/api.http", None);
    assert_eq!(environment.available, ["Dev env"], "the name in the public file");
}

#[test]
fn files_with_a_byte_order_mark_and_utf_16_are_read() {
    let text = r#"{"dev": {"a": "é"}}"#;
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [format!("\u{feff}{text}").into_bytes(), utf16] {
        let root = workspace(&[]);
        fs::write(root.path().join(PUBLIC), bytes).unwrap();
        let (environment, troubles) = load_in(root.path(), "a.http", Some("dev"));
        assert_eq!((environment.values["a"].text.as_str(), troubles), ("é", vec![]));
    }
}

#[test]
fn broken_json_is_told_by_its_line_and_the_rest_counts() {
    let broken = "{\n\"dev\": {\"a\": \"1\"\n\"b\": \"canary-52b1\"}}";
    check_trouble(&[(PRIVATE, broken)], (PRIVATE, "line 2: a comma is missing"));
    check_trouble(&[(PUBLIC, "[]")], (PUBLIC, "line 1: the file is no JSON object"));
    check_trouble(&[(".env", "A=1\nnonsense canary-52b1\n")], (".env", "line 2: a definition is written KEY=value"));
    let root = workspace(&[(PRIVATE, broken)]);
    let (environment, _) = load_in(root.path(), "a.http", Some("dev"));
    assert_eq!(environment.values.len(), 2);
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_refused() {
    let large = format!("{{\"dev\": {{\"a\": \"{}\"}}}}", "x".repeat(1 << 20));
    check_trouble(&[(PUBLIC, &large)], (PUBLIC, "is larger than 1 MiB and is not read"));
    let root = workspace(&[]);
    fs::write(root.path().join(PUBLIC), b"{\"dev\": \xff}").unwrap();
    let (_, troubles) = load_in(root.path(), "a.http", None);
    assert_eq!(troubles[0].message, "not UTF-8 text: byte 8 is invalid; save the file as UTF-8");
}

#[test]
fn a_folder_of_the_name_is_no_file() {
    check(&[(".env/bin/python", "x"), ("http-client.env.json/x", "x")], "a.http", None, &[]);
}

#[test]
fn a_document_that_is_not_saved_yet_has_no_environment() {
    let root = workspace(&[]);
    let (environment, troubles) = load(&root.path().join("gone/a.http"), &root.path().join("gone"), Some("dev"));
    assert_eq!((environment.available, troubles), (vec![], vec![]));
}

#[cfg(unix)]
#[test]
fn links_may_stay_inside_the_workspace_and_not_leave_it() {
    use std::os::unix::fs::symlink;

    let root =
        workspace(&[("w/shared/env.json", r#"{"dev": {"a": "1"}}"#), ("secret", r#"{"dev": {"b": "canary-90aa"}}"#)]);
    let inside = root.path().join("w");
    symlink("shared/env.json", inside.join(PUBLIC)).unwrap();
    symlink("../secret", inside.join(PRIVATE)).unwrap();
    symlink("/dev/zero", inside.join(USER)).unwrap();
    symlink(".env", inside.join(".env")).unwrap();
    let (environment, troubles) = load_in(&inside, "a.http", Some("dev"));
    assert_eq!(environment.values.into_keys().collect::<Vec<_>>(), ["a"]);
    let refused: Vec<_> = troubles.iter().map(|trouble| trouble.file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(refused, [USER, PRIVATE, ".env"]);
    assert!(troubles[1].message.contains("leads out of the workspace"));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_refused_at_once() {
    let root = workspace(&[]);
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, root.path().join(PUBLIC), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (_, troubles) = load_in(root.path(), "a.http", None);
    assert_eq!(troubles[0].message, "is not a regular file and is not read");
}
