//! Sessions with the built program.

use base64::{Engine, engine::general_purpose::STANDARD};
use expect_test::expect;
use serde_json::Value;

use crate::support::{
    echo::Echo,
    program::{Output, Program},
    stand_in::StandIn,
};

const CANARY: &str = "canary-cli-7f3a9c\"&<51>%e2/d0";

/// A program whose local vault holds the canary as `key`.
fn with_canary(domains: &[&str]) -> Program {
    let program = Program::new();
    let mut arguments = vec!["vault", "set", "key"];
    for domain in domains {
        arguments.extend(["--allow-domain", domain]);
    }
    let output = program.run_with(&arguments, CANARY.as_bytes());
    assert_eq!((output.code, output.err.as_str()), (0, "stored key\n"));
    program
}

/// Fails if the canary stands in an output, in any form in which it could be read back.
#[track_caller]
fn assert_masked(output: &Output) {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        CANARY.to_owned(),
        "canary-cli-7f3a9c".to_owned(),
        STANDARD.encode(CANARY).trim_end_matches('=').to_owned(),
        hex,
    ];
    for form in forms {
        let text = format!("{}{}", output.out, output.err);
        assert!(!text.contains(&form), "{form} is in {text}");
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn the_help_fits_a_stranger() {
    let output = Program::new().run(&["--help"]);
    assert_eq!(output.code, 0);
    expect![[r#"
        Secrets in HTTP requests that nobody ever writes down.

        Write `<<vault:name>>` in a .http file or a Postman collection. The value lives in an
        encrypted vault on this machine, in HashiCorp Vault, AWS, Azure or 1Password, goes only to
        the hosts it is allowed for, and is masked in every response.

        Usage: vaultls [OPTIONS] <COMMAND>

        Commands:
          list         List the requests of files and the secrets they use
          run          Send requests and print the responses, with every secret masked
          check        Find what would keep requests from being sent, without sending any
          status       Show integrations, secrets and the local vault
          doctor       Find out what is wrong with the set-up, and what to do about it
          browse       List what an integration has, names only
          link         Say in vaultls.toml where a secret lives
          extract      Move a value that stands in a request into the local vault
          curl         Print a request as a curl command, its references left as they are
          trust        Review and approve what this workspace defines
          login        Try to sign in to an integration
          setup        Prepare a server so that people can sign in to it from here
          vault        Work with the encrypted vault on this machine
          cache        Forget cached values
          answer       Hand an answer to a waiting language server (used by editor plugins)
          lsp          Start the language server on standard input and output
          demo         Show everything at work, on this machine only, in a few seconds
          example      Write a first .http file to try things on
          completions  Print completions for a shell
          man          Print the manual page, or write those of all commands into a folder
          help         Print this message or the help of the given subcommand(s)

        Options:
              --no-input
                  Never ask anything, as where the variable CI is set

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Examples:
          vaultls vault set stripe-key --allow-domain api.stripe.com
                                            store a secret (asks for the value)
          vaultls check .                   find what would keep requests from being sent
          vaultls run shop.http#login       send one request
          vaultls run shop.http --all --format json
                                            send all of them, for a program to read
          vaultls demo                      see how everything works together
          vaultls example                   write a first .http file to try things on

        Exit codes:
          0  everything went as asked
          1  something is wrong: a finding, an answer of 400 or above, a failure
          2  the command cannot be carried out: wrong arguments, a file that is none
          3  only an approval or a rule stands in the way (see `vaultls trust` and `run --allow-host`)

        Environment:
          VAULTLS_KEY         the local vault's passphrase or key, where there is no key store
          VAULTLS_KEY_FILE    a file that holds it
          VAULTLS_NO_KEYRING  set to leave the system's key store alone
          VAULT_TOKEN         the token for HashiCorp Vault integrations that use tokens
          VAULTLS_LOG         what is logged to standard error, such as `debug`
          NO_COLOR            set for output without colours
    "#]]
    .assert_eq(&output.out);
}

#[test]
fn the_version_is_told() {
    let output = Program::new().run(&["--version"]);
    assert_eq!((output.code, output.out), (0, format!("vaultls {}\n", env!("VAULTLS_VERSION"))));
    assert!(env!("VAULTLS_VERSION").starts_with(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let program = Program::new();
    let page = program.run(&["man"]);
    assert_eq!(page.code, 0);
    assert!(page.out.contains(".TH vaultls 1"), "{}", page.out);
    assert_eq!(program.run(&["man", "."]).code, 0);
    let traces = program.traces();
    for command in ["list", "run", "check", "vault-set", "trust", "lsp"] {
        let name = format!("vaultls-{command}.1");
        let (_, page) = traces.iter().find(|(path, _)| path.ends_with(&name)).expect(command);
        assert!(String::from_utf8_lossy(page).contains(".SH SYNOPSIS"), "{command}");
    }
    assert_eq!(program.run(&["man", "/nonexistent/folder"]).code, 1);
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    for arguments in [&["frobnicate"][..], &[], &["run"], &["vault", "set", "a`b"], &["run", "a.http", "--var", "x"]] {
        let output = Program::new().run(arguments);
        assert_eq!((output.code, output.out.as_str()), (2, ""), "{arguments:?}");
    }
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = Program::new().run(&["completions", shell]);
        assert_eq!(output.code, 0);
        for command in ["list", "run", "check", "vault", "trust", "lsp"] {
            assert!(output.out.contains(command), "{shell} {command}");
        }
    }
}

#[test]
fn requests_are_listed_for_people() {
    let program = Program::new();
    program
        .file("a.http", "### First one\nGET https://api.example.com/<<vault:key>>\n\n###\nPOST {{host}}/x\n\nbody\n");
    let output = program.run(&["list", "a.http"]);
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    expect![[r#"
        a.http:2  GET https://api.example.com/<<vault:key>>  First one  [key]
        a.http:5  POST {{host}}/x
    "#]]
    .assert_eq(&output.out);
}

#[test]
fn requests_are_listed_for_programs() {
    let program = Program::new();
    program.file("a.http", "GET https://e.com/\nAuthorization: Bearer <<vault:key>>\nX-A: 1\n\n{\"a\":1}\n");
    let output = program.run(&["list", "a.http", "--format", "json"]);
    assert_eq!(output.code, 0);
    expect![[r#"
        [
          {
            "file": "a.http",
            "index": 0,
            "line": 1,
            "name": null,
            "folders": [],
            "method": "GET",
            "url": "https://e.com/",
            "headers": [
              "Authorization",
              "X-A"
            ],
            "bodyLength": 7,
            "references": [
              {
                "name": "key",
                "line": 2,
                "column": 23
              }
            ],
            "notRunnable": null
          }
        ]
    "#]]
    .assert_eq(&output.out);
}

#[test]
fn files_that_are_none_are_usage_errors_with_a_way_out() {
    let program = Program::new();
    program.file("binary.http", b"GET /\0\x01").file("latin.http", b"GET /\xe9").file("plain.txt", "x");
    program.file("folder/a.http", "GET https://e.com").file("other.json", "{}");
    let check = |path: &str, expected: &str| {
        for command in ["list", "run"] {
            let output = program.run(&[command, path]);
            assert_eq!((output.code, output.out.as_str()), (2, ""), "{command} {path}");
            assert!(output.err.starts_with(&format!("error: {path}: {expected}")), "{}", output.err);
            assert!(output.err.contains("\nhint: "), "{}", output.err);
        }
    };
    check("missing.http", "no such file");
    check("folder", "is a folder");
    check("binary.http", "is not text");
    check("latin.http", "is not UTF-8 text");
    check("plain.txt", "is neither");
    check("other.json", "is neither");
    #[cfg(unix)]
    check("/dev/zero", "is not an ordinary file");
}

#[test]
fn secrets_are_stored_listed_renamed_and_removed() {
    let program = with_canary(&["api.example.com"]);
    program.run_with(&["vault", "set", "other", "--note", "for tests"], b"canary-other-11");
    assert_eq!(program.run(&["vault", "disable", "other"]).code, 0);
    let listed = program.run(&["vault", "list"]);
    assert_eq!(listed.out, "key  api.example.com\nother  disabled  hosts are asked for  for tests\n");
    assert_eq!(program.run(&["vault", "rename", "other", "renamed"]).code, 0);
    assert_eq!(program.run(&["vault", "enable", "renamed"]).code, 0);
    assert_eq!(program.run(&["vault", "rm", "key"]).code, 0);
    let listed = json(&program.run(&["vault", "list", "--format", "json"]));
    let expected = serde_json::json!([
        { "name": "renamed", "enabled": true, "filled": true, "allowedDomains": [], "note": "for tests" }
    ]);
    assert_eq!(listed, expected);
    let gone = program.run(&["vault", "rm", "key"]);
    assert_eq!(gone.code, 1, "{}", gone.err);
}

#[test]
fn values_never_reach_the_disk_in_the_clear() {
    let program = with_canary(&[]);
    for (path, bytes) in program.traces() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("canary-cli"), "{}", path.display());
    }
}

#[test]
fn one_line_break_at_the_end_of_a_value_is_left_out() {
    let echo = Echo::start();
    let program = Program::new();
    program.file("a.http", format!("POST http://{}/\n\n<<vault:v>>|", echo.address));
    for (input, raw, expected) in [
        ("canary-line-1\n", false, "\r\n\r\ncanary-line-1|"),
        ("canary-line-1\r\n", false, "\r\n\r\ncanary-line-1|"),
        ("canary-line-1\n\n", false, "\r\n\r\ncanary-line-1\n|"),
        ("canary-line-1\n", true, "\r\n\r\ncanary-line-1\n|"),
    ] {
        let mut arguments = vec!["vault", "set", "v"];
        if raw {
            arguments.push("--raw");
        }
        assert_eq!(program.run_with(&arguments, input.as_bytes()).code, 0);
        let output = program.run(&["run", "a.http", "--allow-host", &echo.address]);
        assert_eq!(output.code, 0, "{}", output.err);
        assert!(echo.seen().last().unwrap().ends_with(expected), "{:?}", echo.seen().last());
    }
}

#[test]
fn a_value_that_cannot_be_masked_is_warned_about() {
    let output = Program::new().run_with(&["vault", "set", "v"], b"abc");
    assert_eq!(output.code, 0);
    assert!(output.err.starts_with("warning: the value of `v` will not be masked"), "{}", output.err);
}

#[test]
fn a_domain_that_is_none_is_refused_before_anything_is_stored() {
    let program = Program::new();
    let output = program.run_with(&["vault", "set", "v", "--allow-domain", "*example.com"], b"canary-domain-1");
    assert_eq!(output.code, 1);
    assert!(output.err.contains("`*example.com` is not a domain"), "{}", output.err);
    assert_eq!(program.run(&["vault", "list"]).out, "");
}

#[test]
fn without_a_key_nothing_is_stored_and_the_way_out_is_told() {
    let program = Program::new().with("VAULTLS_KEY", "");
    let output = program.run_with(&["vault", "set", "v"], b"canary-locked-1");
    assert_eq!(output.code, 1);
    assert!(output.err.contains("VAULTLS_KEY"), "{}", output.err);
}

#[test]
fn a_key_that_does_not_fit_is_named() {
    let program = with_canary(&[]).with("VAULTLS_KEY", "canary-7f3a9c-another-key");
    let output = program.run(&["vault", "list"]);
    assert_eq!(output.code, 1);
    assert!(output.err.contains("VAULTLS_KEY is not its key"), "{}", output.err);
    assert!(!output.err.contains("canary"), "{}", output.err);
}

/// A line of its own could pass for a finding, or for a workflow command of the CI that reads the output.
#[cfg(unix)]
#[test]
fn the_name_of_a_file_begins_no_line_of_output() {
    let program = Program::new();
    let name = "a\n::error::b\u{1b}]0;c.http";
    program.file(name, "GET http://127.0.0.1:1/<<vault:nope>>\n");
    for arguments in [&["check", "."][..], &["check", name], &["list", name], &["run", name]] {
        let output = program.run(arguments);
        let text = format!("{}{}", output.out, output.err);
        assert!(text.contains("a\\n::error::b"), "{arguments:?}: {text}");
        assert!(!text.contains("\n::") && !text.contains('\u{1b}'), "{arguments:?}: {text}");
    }
}

#[test]
fn the_whole_vault_is_deleted_only_when_that_is_said() {
    let program = with_canary(&[]);
    let output = program.run(&["vault", "reset"]);
    assert_eq!(output.code, 2);
    assert!(output.err.contains("--yes"), "{}", output.err);
    assert_eq!(program.run(&["vault", "list"]).out, "key  hosts are asked for\n");
    assert_eq!(program.run(&["vault", "reset", "--yes"]).code, 0);
    assert_eq!(program.run(&["vault", "list"]).out, "");
}

#[test]
fn a_response_that_echoes_the_secret_is_masked() {
    let echo = Echo::start();
    let program = with_canary(&[&format!("http://{}", echo.address)]);
    let base64 = STANDARD.encode(format!("user:{CANARY}"));
    program.file(
        "a.http",
        format!(
            "POST http://{}/p?q=<<vault:key>>\nX-Key: <<vault:key>>\nAuthorization: Basic user <<vault:key>>\n\
             Content-Type: application/json\n\n{{\"a\": \"<<vault:key>>\"}}\n",
            echo.address
        ),
    );
    for format in ["text", "json"] {
        let output = program.run(&["run", "a.http", "--format", format]);
        assert_eq!(output.code, 0, "{}", output.err);
        assert_masked(&output);
        assert!(output.out.contains("[redacted]"), "{}", output.out);
        let sent = echo.seen().pop().unwrap();
        assert!(sent.contains(&format!("x-key: {CANARY}")) || sent.contains(&format!("X-Key: {CANARY}")), "{sent}");
        assert!(sent.contains(&base64), "{sent}");
        assert!(sent.contains(r#"{"a": "canary-cli-7f3a9c\"&<51>%e2/d0"}"#), "{sent}");
    }
}

#[test]
fn a_run_prints_status_headers_and_body() {
    let echo = Echo::start();
    let program = Program::new();
    program.file("a.http", format!("@host = http://{}\nGET {{{{host}}}}/{{{{path}}}}\nX-A: b\n", echo.address));
    let output = program.run(&["run", "a.http", "--var", "path=one"]);
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    assert!(output.out.starts_with("HTTP/1.1 200 OK\n"), "{}", output.out);
    assert!(output.out.contains("content-type: text/plain"), "{}", output.out);
    assert!(output.out.contains("\n\nGET /one HTTP/1.1"), "{}", output.out);
}

#[test]
fn a_body_of_json_is_laid_out_for_people_and_as_it_came_for_programs() {
    let body = r#"{"count":12345678901234567890.50,"count":[]}"#;
    let service = StandIn::answering("200 OK", "Content-Type: application/json\r\n", body);
    let program = Program::new();
    program.file("a.http", format!("GET {}/\n", service.address));
    let shown = program.run(&["run", "a.http"]).out;
    assert!(shown.ends_with("\n\n{\n  \"count\": 12345678901234567890.50,\n  \"count\": []\n}\n"), "{shown}");
    let told = json(&program.run(&["run", "a.http", "--format", "json"]));
    assert_eq!((&told[0]["response"]["body"], &told[0]["response"]["shown"]), (&Value::from(body), &Value::Null));
}

#[test]
fn an_unapproved_host_is_not_allowed_and_can_be_named() {
    let echo = Echo::start();
    let program = with_canary(&[]);
    program.file("a.http", format!("GET http://{}/\nX-Key: <<vault:key>>\n", echo.address));
    let output = program.run(&["run", "a.http"]);
    assert_eq!(output.code, 3, "{}", output.err);
    assert!(output.err.contains("host-unapproved"), "{}", output.err);
    assert!(echo.seen().is_empty());
    assert_eq!(program.run(&["run", "a.http", "--allow-host", &echo.address]).code, 0);
    assert_eq!(program.run(&["run", "a.http"]).code, 3, "the flag is for one run");
    assert_eq!(program.run(&["run", "a.http", "--allow-host", "*bad"]).code, 2);
}

#[test]
fn a_denied_domain_is_not_allowed() {
    let echo = Echo::start();
    let program = with_canary(&["api.example.com"]);
    program.file("a.http", format!("GET http://{}/\nX-Key: <<vault:key>>\n", echo.address));
    let output = program.run(&["run", "a.http", "--format", "json"]);
    assert_eq!(output.code, 3);
    let ran = json(&output);
    assert_eq!(ran[0]["outcome"], "blocked");
    assert_eq!(ran[0]["obstacles"][0]["code"], "domain-denied");
    assert_eq!(ran[0]["obstacles"][0]["secret"], "key");
    assert!(echo.seen().is_empty());
}

#[test]
fn a_redirect_to_a_host_that_is_not_allowed_is_not_followed() {
    let (echo, foreign) = (Echo::start(), Echo::start());
    let program = with_canary(&[&format!("http://{}", echo.address)]);
    program.file(
        "a.http",
        format!("GET http://{}/redirect/http://{}/\nX-Key: <<vault:key>>\n", echo.address, foreign.address),
    );
    let output = program.run(&["run", "a.http"]);
    assert_eq!(output.code, 3, "{}", output.err);
    assert_eq!(echo.seen().len(), 1);
    assert!(foreign.seen().is_empty());
    assert_masked(&output);
}

#[test]
fn everything_that_stands_in_the_way_is_told_at_once() {
    let program = with_canary(&["api.example.com"]);
    program.file("a.http", "GET https://other.example.org/{{nope}}\nA: <<vault:key>>\nB: <<vault:gone>>\n");
    let output = program.run(&["run", "a.http", "--format", "json"]);
    assert_eq!(output.code, 1);
    let mut codes: Vec<String> = json(&output)[0]["obstacles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|obstacle| obstacle["code"].as_str().unwrap().to_owned())
        .collect();
    codes.sort();
    assert_eq!(codes, ["domain-denied", "missing", "variable"]);
}

#[test]
fn an_answer_of_400_or_above_is_wrong() {
    let echo = Echo::start();
    let program = Program::new();
    program.file("a.http", format!("GET http://{}/status/404\n", echo.address));
    let output = program.run(&["run", "a.http"]);
    assert_eq!(output.code, 1);
    assert!(output.out.starts_with("HTTP/1.1 404"), "{}", output.out);
}

#[test]
fn one_request_is_chosen_by_name_or_line_and_all_by_a_flag() {
    let echo = Echo::start();
    let program = Program::new();
    let host = &echo.address;
    program.file("a.http", format!("### one\nGET http://{host}/1\n\n### two\nGET http://{host}/2\n"));
    let check = |arguments: &[&str], code: i32, paths: &[&str]| {
        let before = echo.seen().len();
        let output = program.run(arguments);
        assert_eq!(output.code, code, "{arguments:?} {}", output.err);
        let seen = echo.seen().split_off(before);
        let seen: Vec<&str> = seen.iter().map(|request| request.split(' ').nth(1).unwrap()).collect();
        assert_eq!(seen, paths, "{arguments:?}");
    };
    check(&["run", "a.http#two"], 0, &["/2"]);
    check(&["run", "a.http:2"], 0, &["/1"]);
    check(&["run", "a.http", "--all"], 0, &["/1", "/2"]);
    check(&["run", "a.http#one", "a.http:5"], 0, &["/1", "/2"]);
    check(&["run", "a.http"], 2, &[]);
    check(&["run", "a.http#three"], 2, &[]);
    check(&["run", "a.http:99"], 2, &[]);
    // A wrong name at the end is found before anything is sent.
    check(&["run", "a.http#one", "a.http#three"], 2, &[]);
}

#[test]
fn an_environment_gives_values_and_a_wrong_one_is_refused() {
    let echo = Echo::start();
    let program = Program::new();
    program.file("http-client.env.json", format!(r#"{{"dev":{{"host":"http://{}"}}}}"#, echo.address));
    program.file("a.http", "GET {{host}}/\n");
    assert_eq!(program.run(&["run", "a.http", "--env", "dev"]).code, 0);
    let output = program.run(&["run", "a.http", "--env", "prod"]);
    assert_eq!(output.code, 2);
    assert!(output.err.contains("there are: dev"), "{}", output.err);
}

#[test]
fn a_clean_workspace_is_clean() {
    let program = with_canary(&["api.example.com"]);
    program.file("a.http", "GET https://api.example.com/\nX-Key: <<vault:key>>\n");
    let output = program.run(&["check", "."]);
    assert_eq!((output.code, output.out.as_str()), (0, ""), "{}", output.err);
    assert_eq!(output.err, "1 file, 0 errors, 0 warnings\n");
}

#[test]
fn findings_name_file_line_and_column() {
    let program = Program::new();
    program.file("a.http", "GET https://api.example.com/\nX-Key: <<vault:gone>>\n");
    let output = program.run(&["check", "a.http"]);
    assert_eq!(output.code, 1);
    assert!(output.out.starts_with("a.http:2:8: error: "), "{}", output.out);
    assert!(output.out.trim_end().ends_with("[missing]"), "{}", output.out);
}

#[test]
fn findings_for_programs_count_characters_from_one() {
    let program = Program::new();
    program.file("a.http", "GET https://api.example.com/\nX-K: é𝄞<<vault:gone>>\n");
    let findings = json(&program.run(&["check", "a.http", "--format", "json"]));
    let place = ["file", "line", "column", "endLine", "severity", "code"].map(|key| findings[0][key].clone());
    assert_eq!(Value::from(place.to_vec()), serde_json::json!(["a.http", 2, 8, 2, "error", "missing"]));
}

#[test]
fn only_rules_in_the_way_is_not_allowed() {
    let program = with_canary(&["api.example.com"]);
    program.file("a.http", "GET https://other.example.org/\nX-Key: <<vault:key>>\n");
    let output = program.run(&["check", "."]);
    assert_eq!(output.code, 3, "{}", output.out);
    assert!(output.out.contains("[domain-denied]"), "{}", output.out);
}

#[test]
fn a_check_for_github_is_workflow_commands() {
    let program = Program::new();
    program.file("sub/a.http", "GET https://api.example.com/\nX-Key: <<vault:gone>>\n");
    let output = program.run(&["check", ".", "--format", "github"]);
    assert_eq!(output.code, 1);
    let expected = "::error file=sub/a.http,line=2,col=8,endLine=2,endColumn=";
    assert!(output.out.starts_with(expected), "{}", output.out);
    assert!(output.out.contains(",title=vaultls missing::"), "{}", output.out);
}

#[test]
fn a_sarif_log_has_the_shape_that_scanners_read() {
    let program = Program::new();
    program.file("a b.http", "GET https://api.example.com/{{nope}}\nX-Key: <<vault:gone>>\n");
    let output = program.run(&["check", ".", "--format", "sarif"]);
    assert_eq!(output.code, 1);
    let log = json(&output);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.http");
        let region = &place["region"];
        assert!(region["startLine"].as_u64().unwrap() >= 1);
        assert!(region["endColumn"].as_u64().unwrap() > region["startColumn"].as_u64().unwrap());
    }
    let ids: Vec<&str> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["variable", "missing"]);
}

#[test]
fn a_walk_passes_over_what_is_no_document() {
    let program = Program::new();
    program.file("package.json", "{}").file("node_modules/x.http", "GET <<vault:gone>>").file("b.http", b"\0");
    let output = program.run(&["check", ".", "--format", "json"]);
    assert_eq!((output.code, json(&output)), (0, serde_json::json!([])));
    assert!(output.err.contains("warning: ./b.http: is not text"), "{}", output.err);
}

#[test]
fn a_workspace_definition_waits_for_approval() {
    let program = Program::new();
    program.file(
        "vaultls.toml",
        "[integrations.pay]\nprovider = \"hashicorp\"\naddress = \"https://vault.invalid:8200\"\n\n\
         [secrets.api]\nintegration = \"pay\"\nengine = \"kv\"\npath = \"a/b\"\nkey = \"k\"\n",
    );
    program.file("a.http", "GET https://api.example.com/\nX-Key: <<vault:api>>\n");
    let check = |expected: i32| {
        let output = program.run(&["check", ".", "--offline"]);
        assert_eq!(output.code, expected, "{}{}", output.out, output.err);
    };
    let run = program.run(&["run", "a.http"]);
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("untrusted"), "{}", run.err);
    let shown = program.run(&["trust"]);
    assert!(shown.out.contains("waiting") && shown.out.contains("vault.invalid"), "{}", shown.out);
    assert_eq!(program.run(&["trust", "--approve"]).code, 0);
    assert_eq!(json(&program.run(&["trust", "--format", "json"]))["pending"], serde_json::json!([]));
    check(0);
    assert_eq!(program.run(&["trust", "--revoke"]).code, 0);
    assert_ne!(json(&program.run(&["trust", "--format", "json"]))["pending"], serde_json::json!([]));
}

#[test]
fn a_link_is_written_and_approved() {
    let program = Program::new();
    program.file(
        "vaultls.toml",
        "# ours\n[integrations.pay]\nprovider = \"hashicorp\"\naddress = \"https://vault.invalid:8200\"\n",
    );
    let arguments = ["link", "api", "--integration", "pay", "--engine", "kv", "--path", "a/b", "--key", "k"];
    let output = program.run(&arguments);
    assert_eq!(output.code, 0, "{}", output.err);
    let (_, text) = program.traces().into_iter().find(|(path, _)| path.ends_with("work/vaultls.toml")).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("# ours\n") && text.contains("[secrets.api]"), "{text}");
    let wrong = program.run(&["link", "api", "--integration", "gone", "--path", "a", "--key", "k"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("there are: pay"), "{}", wrong.err);
}

#[test]
fn a_link_by_hand_approves_neither_the_address_nor_the_domains_of_a_stranger() {
    let program = Program::new();
    program.file(
        "vaultls.toml",
        "[integrations.pay]\nprovider = \"hashicorp\"\naddress = \"https://vault.invalid:8200\"\n\n\
         [secrets.api]\nintegration = \"pay\"\nallowed-domains = [\"evil.example\"]\n",
    );
    program.file("a.http", "GET https://api.example.com/\nX-Key: <<vault:other>>\n");
    for name in ["api", "other"] {
        let output = program.run(&["link", name, "--integration", "pay", "--path", "a/b", "--key", "k"]);
        assert!(output.code == 0 && output.err.contains("review what this workspace defines"), "{output:?}");
    }
    let pending = json(&program.run(&["trust", "--format", "json"]))["pending"].clone();
    let names: Vec<_> = pending.as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["pay", "api"]);
    let run = program.run(&["run", "a.http", "--allow-host", "api.example.com"]);
    assert!(run.code == 3 && run.err.contains("the integration `pay` is defined by this workspace"), "{run:?}");
}

#[test]
fn a_link_says_where_a_secret_lives_as_its_provider_does() {
    let program = Program::new();
    let azure = "[integrations.azure]\nprovider = \"azure\"\n";
    program.file("vaultls.toml", format!("{azure}[integrations.op]\nprovider = \"onepassword\"\n"));
    let link = |arguments: &[&str]| program.run(&[&["link", "api", "--integration"], arguments].concat());
    let id = "https://my-vault.vault.azure.net/secrets/a";
    for (integration, flag, value) in [("azure", "id", id), ("op", "reference", "op://dev/a b/c?attribute=otp")] {
        let output = link(&[integration, &format!("--{flag}"), value]);
        assert_eq!(output.code, 0, "{}", output.err);
        let (_, text) = program.traces().into_iter().find(|(path, _)| path.ends_with("work/vaultls.toml")).unwrap();
        let table = format!("[secrets.api]\nintegration = \"{integration}\"\n{flag} = \"{value}\"\n");
        assert!(String::from_utf8(text).unwrap().ends_with(&table));
    }
    assert_eq!(link(&["op", "--reference", "op://dev/a/c", "--key", "k"]).code, 2);
    assert_eq!(link(&["op", "--reference", "op://dev/a/c", "--id", id]).code, 2);
}

#[test]
fn the_status_lists_what_is_known_without_values() {
    let program = with_canary(&["api.example.com"]);
    let output = program.run(&["status", "--format", "json"]);
    assert_eq!(output.code, 0);
    assert_masked(&output);
    let report = json(&output);
    assert_eq!(report["local"], "open");
    assert_eq!(report["secrets"][0]["name"], "key");
    assert_eq!(report["secrets"][0]["problem"], Value::Null);
}

#[test]
fn an_answer_that_nobody_waits_for_is_refused() {
    let program = Program::new();
    for ticket in ["nonsense", &"0".repeat(40), "../../../etc/passwd"] {
        let output = program.run_with(&["answer", ticket], br#"{"value":"canary-answer-1"}"#);
        assert_eq!((output.code, output.out.as_str()), (1, ""), "{ticket}");
        assert!(!output.err.contains("canary"), "{}", output.err);
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let program = Program::new();
    program.file("a.http", "###\nGET https://api.example.com/\n\n".repeat(5000));
    let mut child = program.command(&["list", "a.http"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_check_says_is_what_run_does() {
    let echo = Echo::start();
    let program = with_canary(&[&format!("http://{}", echo.address)]);
    program.run_with(&["vault", "set", "open"], b"canary-open-22");
    program.run_with(&["vault", "set", "off"], b"canary-off-333");
    program.run(&["vault", "disable", "off"]);
    let host = &echo.address;
    for (request, expected) in [
        (format!("GET http://{host}/?<<vault:key>>"), vec![]),
        (format!("GET http://{host}/?<<vault:open>>"), vec!["host-unapproved"]),
        (format!("GET http://{host}/?<<vault:off>>"), vec!["disabled"]),
        (format!("GET http://{host}/?<<vault:gone>>"), vec!["missing"]),
        (format!("@a = {{{{b}}}}\n@b = <<vault:gone>>\nGET http://{host}/{{{{a}}}}"), vec!["missing"]),
        (
            format!("@b = <<vault:open>>\nGET http://{host}/\nX: {{{{b}}}}<<vault:gone>>"),
            vec!["host-unapproved", "missing"],
        ),
        ("GET https://other.example.org/<<vault:key>>".to_owned(), vec!["domain-denied"]),
        (format!("GET http://{host}/{{{{nope}}}}"), vec!["variable"]),
        (format!("POST http://{host}/\n\n< ../../secret.txt"), vec!["request"]),
        (format!("POST http://{host}/?<<vault:gone>>\n\n< missing.txt"), vec!["missing", "request"]),
        ("GET http://in valid/".to_owned(), vec!["request"]),
    ] {
        program.file("a.http", format!("{request}\n"));
        let codes = |value: &Value| {
            let codes = value.as_array().into_iter().flatten().filter_map(|one| one["code"].as_str());
            let mut codes: Vec<String> = codes.map(str::to_owned).collect();
            codes.sort();
            codes.dedup();
            codes
        };
        let checked = codes(&json(&program.run(&["check", "a.http", "--format", "json"])));
        let ran = codes(&json(&program.run(&["run", "a.http", "--format", "json"]))[0]["obstacles"]);
        assert_eq!(
            (checked, ran),
            (expected.iter().map(ToString::to_string).collect(), expected.iter().map(ToString::to_string).collect()),
            "{request}"
        );
    }
}

#[test]
fn the_loudest_log_holds_no_value() {
    let echo = Echo::start();
    let program =
        with_canary(&[&format!("http://{}", echo.address)]).with("VAULTLS_LOG", "trace,hyper=trace,reqwest=trace");
    program
        .file("a.http", format!("POST http://{}/<<vault:key>>\nX-Key: <<vault:key>>\n\n<<vault:key>>\n", echo.address));
    let output = program.run(&["run", "a.http"]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert_masked(&output);
}

#[test]
fn the_demo_ends_well() {
    let output = Program::new().with("VAULTLS_KEY", "").run(&["demo"]);
    assert_eq!(output.code, 0, "{}{}", output.out, output.err);
    assert!(output.out.contains("All 9 steps went as they should"), "{}", output.out);
    assert_eq!(output.err, "");
}

#[test]
fn the_example_waits_for_its_secret_and_is_then_sent_masked() {
    let echo = Echo::start();
    let host = format!("http://{}/", echo.address);
    let program = Program::new();
    let output = program.run(&["example", "--host", &host]);
    assert_eq!((output.code, output.err.as_str()), (0, ""), "{}", output.out);
    let output = program.run(&["check", "example.http"]);
    assert_eq!(output.code, 1);
    assert!(output.out.contains("no secret named `my-token`"), "{}", output.out);
    let domain = ["vault", "set", "my-token", "--allow-domain", host.trim_end_matches('/')];
    assert_eq!(program.run_with(&domain, CANARY.as_bytes()).code, 0);
    assert_eq!(program.run(&["check", "example.http"]).code, 0);
    let output = program.run(&["run", "example.http", "--all"]);
    assert_eq!(output.code, 0, "{}{}", output.out, output.err);
    assert_masked(&output);
    let sent = echo.seen();
    assert!(sent[0].starts_with("GET /bearer ") && sent[1].starts_with("POST /anything "), "{sent:?}");
    assert!(sent[0].contains(CANARY) && sent[1].contains(r#""token": "canary-cli-7f3a9c\"&"#), "{sent:?}");
}

#[test]
fn the_example_replaces_no_file() {
    let program = Program::new();
    program.file("example.http", "mine");
    let output = program.run(&["example"]);
    assert_eq!(output.code, 2);
    assert!(output.err.contains("example.http is there already"), "{}", output.err);
    assert_eq!(program.content("example.http"), "mine");
    let printed = program.run(&["example", "-"]);
    assert!(printed.out.contains("@host = https://httpbin.org\n"), "{}", printed.out);
}

#[test]
fn the_language_server_ends_as_the_protocol_asks() {
    assert_eq!(speak(&["initialize", "shutdown"], Farewell::Exit), 0);
    assert_eq!(speak(&["initialize"], Farewell::Exit), 1);
}

/// As when its editor is killed, or the terminal closed that the editor runs in. Editors report any other code.
#[cfg(unix)]
#[test]
fn the_language_server_ends_in_order_when_the_system_asks_for_it() {
    assert_eq!(speak(&["initialize"], Farewell::Signal(rustix::process::Signal::TERM)), 0);
    assert_eq!(speak(&["initialize"], Farewell::Signal(rustix::process::Signal::HUP)), 0);
}

/// How a language server is told to end.
#[derive(Clone, Copy)]
enum Farewell {
    Exit,
    #[cfg(unix)]
    Signal(rustix::process::Signal),
}

/// Sends requests, each after the answer to the one before, and then says farewell; returns the exit code.
fn speak(methods: &[&str], farewell: Farewell) -> i32 {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        process::Stdio,
    };
    let program = Program::new();
    let mut child =
        program.command(&["lsp", "--stdio"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("its input is piped");
    let mut output = BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut send = |message: Value| {
        let text = message.to_string();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it reads");
    };
    for (id, method) in methods.iter().enumerate() {
        let params = if *method == "initialize" { serde_json::json!({ "capabilities": {} }) } else { Value::Null };
        send(serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut head = String::new();
        output.read_line(&mut head).expect("it answers");
        let length = head.trim_start_matches("Content-Length: ").trim().parse::<usize>().expect("a length");
        let mut rest = vec![0; length + "\r\n".len()];
        output.read_exact(&mut rest).expect("a whole answer");
        assert!(String::from_utf8_lossy(&rest).contains(&format!("\"id\":{id}")), "{method}");
    }
    match farewell {
        Farewell::Exit => send(serde_json::json!({ "jsonrpc": "2.0", "method": "exit" })),
        #[cfg(unix)]
        Farewell::Signal(signal) => {
            let id = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(id, signal).expect("it runs");
        }
    }
    child.wait().expect("it ends").code().expect("it was not killed")
}
