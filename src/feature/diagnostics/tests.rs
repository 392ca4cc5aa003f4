//! Findings on marked texts.

use super::*;
use crate::{
    feature::{Tag, fixture::Fixture},
    status::{Problem, Reason, Status},
    syntax::expand::Store,
    text::Span,
};

/// The findings of an annotated text are exactly those that its carets name.
fn check(prepare: impl FnOnce(Fixture) -> Fixture, annotated: &str) {
    let (fixture, expected) = Fixture::annotated(annotated);
    let fixture = prepare(fixture);
    let found: Vec<_> = shown(&diagnostics(&fixture.context()));
    assert_eq!(found, expected, "{annotated}");
}

fn shown(findings: &[Finding]) -> Vec<(Span, String)> {
    let shown = |finding: &Finding| {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        (finding.span, format!("{severity} {}: {}", finding.code, finding.message))
    };
    findings.iter().map(shown).collect()
}

#[test]
fn only_the_secret_that_cannot_be_had_is_underlined() {
    check(
        |fixture| fixture.problem("stripe", Reason::Locked),
        "
GET https://api.example.com/<<vault:db/pass>>
Authorization: Bearer <<vault:stripe>>
                      ^^^^^^^^^^^^^^^^ warning locked: no `stripe`; unlock the local vault
",
    );
}

#[test]
fn nothing_is_said_about_secrets_before_they_were_looked_at() {
    check(|fixture| fixture.problem("a", Reason::Missing).unchecked(), "\nGET https://a.b/<<vault:a>>\n");
}

#[test]
fn a_missing_secret_is_compared_with_those_that_exist() {
    check(
        |fixture| fixture.known("stripe-key").problem("stirpe-key", Reason::Missing),
        "
GET https://a.b/<<vault:stirpe-key>>
                ^^^^^^^^^^^^^^^^^^^^ error missing: no `stirpe-key`: did you mean `stripe-key`? Otherwise create it in the local vault, or link the name to an external vault
",
    );
}

#[test]
fn a_secret_is_reported_where_a_variable_brings_it_in() {
    check(
        |fixture| fixture.problem("k", Reason::LoginNeeded),
        "
@token = <<vault:k>>
         ^^^^^^^^^^^ warning login-needed: no `k`; sign in

GET https://a.b
Authorization: Bearer {{token}}
                      ^^^^^^^^^ warning login-needed: no `k`; sign in
",
    );
}

#[test]
fn a_process_variable_is_reported_like_a_secret() {
    check(
        |fixture| fixture.problem("env:KEY", Reason::Missing),
        "
GET https://a.b/{{$processEnv KEY}}
                ^^^^^^^^^^^^^^^^^^^ error missing: no `env:KEY`; set it in the environment in which vaultls is started
",
    );
}

#[test]
fn a_host_is_only_approved_when_it_is_needed() {
    check(
        |fixture| fixture.unapproved("k"),
        "
GET https://a.b/<<vault:k>>
                ^^^^^^^^^^^ information host-unapproved: `k` was not approved for `a.b`; allow the host once, or always on this machine
",
    );
}

#[test]
fn a_reference_that_names_nothing_says_why() {
    check(
        |fixture| fixture,
        "
GET https://a.b/<<vault:>>
                ^^^^^^^^^^ error reference: this reference names no secret; write its name after `vault:`
Accept: <<vault:a`b>>
                ^^^ error reference: a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces
",
    );
}

#[test]
fn an_unfinished_reference_is_told_once() {
    let fixture = Fixture::http("GET https://a.b/\nAccept: <<vault:abc\n").problem("abc", Reason::Locked);
    let findings = diagnostics(&fixture.context());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].message, "this reference is unfinished; close it with `>>`");
}

#[test]
fn spellings_that_others_misread_are_pointed_out() {
    check(
        |fixture| fixture,
        "
GET https://a.b/{{vault:a}}
                ^^^^^^^^^^^ hint reference: other tools for `.http` files read braces differently; convert it to `<<vault:..>>`
Accept: << vault:b >>
        ^^^^^^^^^^^^^ information reference: spaces next to the delimiters are ignored here, and other tools do not resolve this
Cookie: <<vault:c >>
        ^^^^^^^^^^^^ information reference: spaces next to the delimiters are ignored here, and other tools do not resolve this
",
    );
}

#[test]
fn braces_are_right_in_a_collection() {
    let text = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item":[{"name":"a","request":{"method":"GET","url":"https://a.b/{{vault:k}}"}}]}"#;
    let fixture = Fixture::postman(text);
    assert_eq!(diagnostics(&fixture.context()), []);
}

#[test]
fn a_reference_in_json_outside_a_string_is_explained() {
    check(
        |fixture| fixture,
        r#"
POST https://a.b
Content-Type: application/json

{"a": <<vault:n>>, "b": "<<vault:s>>"}
      ^^^^^^^^^^^ information reference: outside a JSON string: the value must be a number, `true`, `false` or `null`
"#,
    );
}

#[test]
fn a_variable_without_a_value_is_a_warning() {
    check(
        |fixture| fixture.environment("host", "a.b"),
        "
@path = x
GET https://{{host}}/{{path}}/{{pahts}}/{{$guid}}
                              ^^^^^^^^^ warning variable: no value for the variable `pahts`
Accept: {{hots}}{{$gui}}
        ^^^^^^^^ warning variable: no value for the variable `hots`: did you mean `host`?
                ^^^^^^^^ warning variable: `$gui` is not a known variable: did you mean `$guid`?
Cookie: {{$dotenv KEY}}
        ^^^^^^^^^^^^^^^ warning variable: no `KEY` in a `.env` file beside or above this file
",
    );
}

#[test]
fn a_value_that_another_store_has_is_told_with_what_to_write_instead() {
    let store = || Store::KeyVault { id: Some("https://v.vault.azure.net/secrets/Mail".into()) };
    check(
        // What it wins over is not what was meant.
        |fixture| fixture.elsewhere("mail", store()).dotenv("mail", "x"),
        "
GET https://a.b/{{mail}}
                ^^^^^^^^ warning variable: the value of `mail` is kept in Azure Key Vault, which is not read from an environment file; link it to an Azure integration (`vaultls link mail --integration INTEGRATION --id https://v.vault.azure.net/secrets/Mail`), and write \"<<vault:mail>>\" as its value in the environment file
",
    );
    check(|fixture| fixture.elsewhere("mail", store()), "\n@mail = mine\n\nGET https://a.b/{{mail}}\n");
}

#[test]
fn the_environments_to_choose_from_are_named() {
    let choose = |mut fixture: Fixture| {
        fixture.environment.available = vec!["dev".into(), "prod".into()];
        fixture
    };
    check(
        choose,
        "
GET https://{{host}}
            ^^^^^^^^ warning variable: no value for the variable `host`; no environment is chosen, there are `dev`, `prod`
",
    );
}

#[test]
fn a_part_of_an_answer_is_no_variable_without_a_value() {
    check(|fixture| fixture, "\nGET https://a.b/{{login.response.body.token}}\n");
    check(
        |fixture| fixture,
        "
GET https://a.b/{{login.response.status}}
                ^^^^^^^^^^^^^^^^^^^^^^^^^ warning variable: no value for the variable `login.response.status`
",
    );
}

#[test]
fn a_disabled_secret_is_faded() {
    let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").problem("k", Reason::Disabled);
    let findings = diagnostics(&fixture.context());
    assert_eq!((findings[0].severity, findings[0].tag), (Severity::Hint, Some(Tag::Unnecessary)));
}

#[test]
fn every_reason_has_a_finding() {
    for reason in Reason::ALL {
        let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").problem("k", reason);
        let findings = diagnostics(&fixture.context());
        let shown: Vec<_> = findings.iter().map(|finding| (finding.code, finding.severity)).collect();
        assert_eq!(shown, [(reason.code(), reason.severity())]);
    }
}

#[test]
fn a_detail_cannot_deceive() {
    let problem = Some(Problem::new(Reason::Forbidden, "no\npermission \u{202e}x"));
    let status = Status { origin: None, problem, checked: true };
    let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").status("k", status);
    let findings = diagnostics(&fixture.context());
    assert!(findings[0].message.starts_with("no\\npermission \\u{202e}x; "), "{findings:?}");
}

#[test]
fn findings_are_capped_and_the_rest_is_counted() {
    let mut text = String::from("GET https://a.b\n\n");
    text.push_str(&"<<vault:k>> {{nope}}\n".repeat(2_000));
    let fixture = Fixture::http(&text).problem("k", Reason::Missing);
    let findings = diagnostics(&fixture.context());
    assert_eq!(findings.len(), MAX_FINDINGS + 1);
    assert_eq!(findings.last().unwrap().message, "3000 more findings are not shown");
    // The secrets come first.
    assert!(findings[..MAX_FINDINGS].iter().all(|finding| finding.code == "missing"));
}

#[test]
fn variables_that_lead_in_circles_are_errors() {
    check(
        |fixture| fixture,
        "
@a = {{b}}
 ^ error variable: the value of `a` leads back to itself, so a request that uses it is not sent
@b = x{{a}}
 ^ error variable: the value of `b` leads back to itself, so a request that uses it is not sent
@c = {{d}}
@d = 1
@e = {{e}}
@e = 2

GET https://a.b/{{c}}/{{e}}
",
    );
}

#[test]
fn what_is_only_recognised_is_told() {
    check(
        |fixture| fixture,
        "
WEBSOCKET wss://a.b/c
^^^^^^^^^^^^^^^^^^^^^ information syntax: this request cannot be sent: WebSocket requests are recognised, not run
",
    );
    check(
        |fixture| fixture,
        "
GET https://a.b

> ./after.js
^^^^^^^^^^^^ hint syntax: nothing is done about this: response script
",
    );
}

#[test]
fn a_request_without_a_url_is_told_once() {
    let fixture = Fixture::http("GET\n");
    assert_eq!(diagnostics(&fixture.context()).len(), 1);
}

#[test]
fn a_disabled_header_is_not_warned_about() {
    let text = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item":[{"name":"a","request":{"method":"GET","url":"https://a.b","header":[
            {"key":"X","value":"{{nope}}<<vault:k>>","disabled":true},
            {"key":"Y","value":"{{also}}"}]}}]}"#;
    let fixture = Fixture::postman(text).problem("k", Reason::Missing);
    let findings = diagnostics(&fixture.context());
    let marked: Vec<_> = findings.iter().map(|finding| finding.span.of(&fixture.source)).collect();
    assert_eq!(marked, ["{{also}}"]);
}

#[test]
fn a_million_references_are_worked_through() {
    let mut text = String::from("POST https://a.b\n\n");
    for index in 0..200_000 {
        text.push_str(&format!("<<vault:k{index}>>{{{{v{index}}}}} {{{{vault:k{index}}}}}<<vault:\n"));
    }
    let fixture = Fixture::http(&text).problem("k1", Reason::Missing);
    let findings = diagnostics(&fixture.context());
    assert_eq!(findings.len(), MAX_FINDINGS + 1);
}
