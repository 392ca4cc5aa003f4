//! Requests as curl commands: a real shell reads them, and a program called `curl` tells what it was given.

#![expect(clippy::disallowed_methods, reason = "makes a `curl` and runs commands in a shell")]

use std::process::Command;

use serde_json::json;

use crate::support::{
    client::{Client, Home},
    program::{Program, write_script},
};

/// The arguments that a shell makes of the command for `file`.
#[track_caller]
fn arguments(program: &Program, target: &str) -> Vec<String> {
    let output = program.run(&["curl", target]);
    assert_eq!(output.code, 0, "{output:?}");
    let bin = tempfile::tempdir().unwrap();
    let curl = bin.path().join("curl");
    write_script(&curl, "#!/bin/sh\nfor it in \"$@\"; do printf '%s\\0' \"$it\"; done\n");
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let told = Command::new("/bin/sh").arg("-c").arg(&output.out).env_clear().env("PATH", path).output().unwrap();
    assert!(told.status.success() && told.stderr.is_empty(), "{told:?}\n{}", output.out);
    let text = String::from_utf8(told.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let program = Program::new();
    program.file("a.http", text).file("body.bin", b"\0\xff");
    let work = program.work();
    let work = work.canonicalize().unwrap();
    let found: Vec<String> = arguments(&program, "a.http")
        .into_iter()
        .map(|it| {
            it.replace(work.to_str().unwrap(), "WORK").replace(concat!("vaultls/", env!("CARGO_PKG_VERSION")), "AGENT")
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

const DEFAULTS: [&str; 4] = ["--header", "accept: */*", "--header", "user-agent: AGENT"];

#[test]
fn a_reference_stays_a_reference_everywhere() {
    check(
        "POST https://a.b/<<vault:p>>?q={{vault:q}}\nAuthorization: Basic ann <<vault:pw>>\nX: <<vault:h>>\n\n{\"a\": \"<<vault:b>>\"}\n",
        &[
            &["--request", "POST", "--globoff", "--url", "https://a.b/<<vault:p>>?q=<<vault:q>>"],
            ["--user", "ann:<<vault:pw>>", "--header", "X: <<vault:h>>"].as_slice(),
            &DEFAULTS,
            &["--header", "Content-Type:", "--data-raw", "{\"a\": \"<<vault:b>>\"}"],
        ]
        .concat(),
    );
}

#[test]
fn no_character_means_anything_to_the_shell_or_to_curl() {
    let nasty = "'\"$(touch x)`id`\\ $HOME !! ; & | > < * ? ~ #{a,b}[1-2] %41";
    check(
        &format!("POST https://a.b/?q='$(id)\nX: {nasty}\nContent-Type: text/plain\n\n@{nasty}\nline two\n"),
        &[
            &["--request", "POST", "--globoff", "--url", "https://a.b/?q=%27$(id)", "--header"],
            [format!("X: {nasty}").as_str(), "--header", "Content-Type: text/plain"].as_slice(),
            &DEFAULTS,
            &["--data-raw", &format!("@{nasty}\nline two")],
        ]
        .concat(),
    );
}

#[test]
fn heads_empty_headers_and_files_have_options_of_their_own() {
    let start = ["--head", "--globoff", "--url", "https://a.b/", "--header", "X-Empty;"];
    check("HEAD https://a.b/\nX-Empty:\n", &[start.as_slice(), &DEFAULTS].concat());
    let start = ["--request", "PUT", "--globoff", "--url", "https://a.b/"];
    let end = ["--header", "Content-Type:", "--data-binary", "@WORK/body.bin"];
    check("PUT https://a.b/\n\n< ./body.bin\n", &[start.as_slice(), &DEFAULTS, &end].concat());
}

#[test]
fn the_forms_of_a_collection_are_forms() {
    let program = Program::new();
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let item = |name: &str, body: serde_json::Value| json!({ "name": name, "request": { "method": "POST", "url": "https://a.b/", "body": body } });
    let form = json!({ "mode": "urlencoded", "urlencoded": [{ "key": "a=b", "value": "@c'd" }, { "key": "k", "value": "{{vault:k}}" }] });
    let parts = json!([
        { "key": "text", "type": "text", "value": "@file;type=x\"'" },
        { "key": "typed", "type": "text", "value": "a\"b\\c;d", "contentType": "text/csv" },
        { "key": "file", "type": "file", "src": "body.bin" },
    ]);
    let multipart = json!({ "mode": "formdata", "formdata": parts });
    let collection =
        json!({ "info": { "name": "c", "schema": schema }, "item": [item("form", form), item("parts", multipart)] });
    program.file("c.json", collection.to_string()).file("body.bin", b"\0\xff");
    let found = arguments(&program, "c.json#form");
    assert_eq!(found[found.len() - 4..], ["--data-urlencode", "a%3Db=@c'd", "--data-urlencode", "k=<<vault:k>>"]);
    let found = arguments(&program, "c.json#parts");
    let path = program.work().canonicalize().unwrap().join("body.bin");
    let file = format!("file=@\"{}\";filename=\"body.bin\";type=application/octet-stream", path.display());
    let expected = [
        ["--form-string", "text=@file;type=x\"'"],
        ["--form", "typed=\"a\\\"b\\\\c;d\";type=text/csv"],
        ["--form", &file],
    ];
    assert_eq!(found[found.len() - 6..], expected.concat());
}

#[test]
fn the_content_type_of_a_part_gives_curl_no_orders() {
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    let told = |content_type: &str| {
        let program = Program::new();
        let parts = json!([{ "key": "k", "type": "text", "value": "v", "contentType": content_type }]);
        let body = json!({ "mode": "formdata", "formdata": parts });
        let item = json!({ "name": "a", "request": { "method": "POST", "url": "https://a.b/", "body": body } });
        program.file("c.json", json!({ "info": { "name": "c", "schema": schema }, "item": [item] }).to_string());
        program.run(&["curl", "c.json"])
    };
    for hostile in
        ["text/plain;headers=@/etc/passwd", "a/b; HEADERS =@x", "a/b;filename=x", "a/b;encoder=base64", "a/b,x"]
    {
        let output = told(hostile);
        assert!(output.code != 0 && output.out.is_empty() && output.err.contains("options"), "{hostile}: {output:?}");
    }
    let output = told("text/plain; charset=utf-8");
    assert!(output.out.contains("'k=\"v\";type=text/plain; charset=utf-8'"), "{output:?}");
}

#[test]
fn no_host_is_taken_for_a_reference() {
    for host in ["VQ7X0REF0Z.a.b", "%76q7x0ref0z.a.b"] {
        let program = Program::new();
        program.file("a.http", format!("GET https://{host}/<<vault:x>>\n"));
        let found = arguments(&program, "a.http");
        assert!(found.contains(&format!("https://{host}/<<vault:x>>")), "{found:?}");
    }
}

#[test]
fn what_no_command_can_carry_is_refused() {
    for (text, why) in [
        ("GET https://{{nowhere}}/\n", "has no value"),
        ("POST https://a.b/\n\n< ./absent.bin\n", "does not exist"),
        ("WEBSOCKET wss://a.b/\n", ""),
    ] {
        let program = Program::new();
        program.file("a.http", text);
        let output = program.run(&["curl", "a.http"]);
        assert!(output.code != 0 && output.out.is_empty() && output.err.contains(why), "{output:?}");
    }
}

#[tokio::test]
async fn an_editor_is_given_the_text_to_copy() {
    let home = Home::new();
    let mut client = Client::open_with(&home, json!({}), json!({ "vaultls": { "client": "nvim" } })).await;
    let uri = home.uri("a.http");
    client.open_document(&uri, "http", "GET https://a.b/\n\n###\nGET https://c.d/<<vault:k>>\n").await;
    let copied = client.command("vaultls.copyCurl", json!({ "uri": uri, "line": 3 })).await;
    assert_eq!(copied["outcome"], "text", "{copied}");
    assert!(copied["text"].as_str().unwrap().contains("'https://c.d/<<vault:k>>'"), "{copied}");
    client.finish().await;
}
