//! AWS Secrets Manager against an emulator that checks signatures, sessions and policies: values, every way to fail,
//! and that what is said before sending is what happens then. A stand-in of ours appears only for what the emulator
//! does not do, and says so.

mod profiles;

use std::time::Duration;

use vaultls::{
    status::{Problem, Reason},
    vault::person::Given,
};

use crate::support::{
    home::{Home, User, secret},
    ministack::{ACCOUNT, REGION, ROOT, Seeded},
    stand_in::StandIn,
};

/// A link `a` to the secret `name`, for root.
fn root(seeded: &Seeded, name: &str, fields: &str) -> Home {
    as_user(seeded, &format!("{} {}", ROOT.0, ROOT.1), name, fields)
}

fn as_user(seeded: &Seeded, keys: &str, name: &str, fields: &str) -> Home {
    configured(keys, &format!("{}{}", integration(&seeded.server.address), link(seeded.arn(name), fields)))
}

fn integration(address: &str) -> String {
    format!("[integrations.team]\nprovider = 'aws'\nendpoint = '{address}'\nauth = {{ method = 'keys' }}\n")
}

fn link(arn: &str, fields: &str) -> String {
    format!("[secrets.a]\nintegration = 'team'\narn = '{arn}'\n{fields}\n")
}

/// An ARN of a secret that nobody made.
fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}")
}

/// A user with `keys` as a person types them, in the variables of the process.
fn configured(keys: &str, config: &str) -> Home {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    User::new(config).with_variables(names.into_iter().zip(keys.split_whitespace())).open()
}

/// What a link says at a server that is none, which is asked with keys that nobody accepts.
fn before(address: &str) -> Home {
    configured("canary-id canary-key", &format!("{}{}", integration(address), link(&arn("a"), "")))
}

/// The link has the value, for root.
async fn check_value(secret: &str, fields: &str, value: &str) {
    let Some(seeded) = Seeded::shared() else { return };
    assert_eq!(root(seeded, secret, fields).judged("a").await, Ok(value.to_owned()), "{secret} {fields}");
}

/// The link has the problem, for root, in words that hold these.
async fn check_problem(secret: &str, fields: &str, reason: Reason, words: &str) {
    let Some(seeded) = Seeded::shared() else { return };
    let problem = root(seeded, secret, fields).judged("a").await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains(words)), (reason, true), "{problem:?}");
}

#[tokio::test]
async fn a_value_is_the_exact_text() {
    check_value("prod/db", "", "canary-aws-v2-91be").await;
    check_value("prod/db", "version = 'AWSCURRENT'", "canary-aws-v2-91be").await;
    check_value("json", "json-key = 'password'", "canary-\"json\"-é").await;
    check_value("json", "json-key = 'port'", "5432").await;
    check_value("json", "json-key = 'tls'", "true").await;
}

#[tokio::test]
async fn versions_are_had_by_stage_and_by_id() {
    check_value("prod/db", "version = 'AWSPREVIOUS'", "canary-aws-v1-7d20").await;
    let Some(seeded) = Seeded::shared() else { return };
    let id = seeded.version("prod/db");
    check_value("prod/db", &format!("version = '{id}'"), "canary-aws-v1-7d20").await;
}

#[tokio::test]
async fn bytes_become_text_only_as_it_is_said() {
    check_value("binary", "encoding = 'base64'", "AP8QY2FuYXJ5").await;
    check_value("binary", "encoding = 'hex'", "00ff1063616e617279").await;
    check_value("bytes", "encoding = 'text'", "canary-bytes-4c1d").await;
    check_problem("binary", "encoding = 'text'", Reason::BadValue, "is not UTF-8").await;
    // That a secret is binary only its value tells.
    let Some(seeded) = Seeded::shared() else { return };
    let linked = root(seeded, "binary", "");
    let problem = linked.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::BadValue);
    assert!(problem.detail.ends_with("is binary; link it with `encoding`: base64, hex or text"), "{problem:?}");
    assert_eq!(linked.status("a").await.problem, Some(problem));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    check_problem("prod/db", "version = 'blue'", Reason::NotFound, "does not have the version blue").await;
    let id = "0f0f1bd6-3d1e-4f84-8f10-1f6b21c3b6a5";
    check_problem("prod/db", &format!("version = '{id}'"), Reason::NotFound, &format!("the version {id}")).await;
    let keys = "has no key `nope`; it has `empty`, `nil`, `object`, `password`, `port`, 1 more";
    check_problem("json", "json-key = 'nope'", Reason::NotFound, keys).await;
    check_problem("json", "json-key = 'empty'", Reason::Empty, "the key `empty` of").await;
    check_problem("json", "json-key = 'nil'", Reason::Empty, "the key `nil` of").await;
    check_problem("json", "json-key = 'object'", Reason::BadValue, "holds an object or a list").await;
    check_problem("prod/db", "json-key = 'k'", Reason::BadValue, "is not a JSON object").await;
    let Some(seeded) = Seeded::shared() else { return };
    let config = format!("{}{}", integration(&seeded.server.address), link(&arn("nope-AbCdEf"), ""));
    let nothing = configured(&format!("{} {}", ROOT.0, ROOT.1), &config);
    let expected = Problem::new(Reason::NotFound, "`team` has no secret `nope-AbCdEf`");
    assert_eq!(nothing.judged("a").await, Err(expected));
}

#[tokio::test]
async fn a_secret_that_is_to_be_deleted_is_gone() {
    check_problem("gone", "", Reason::VersionGone, "is marked for deletion").await;
}

#[tokio::test]
async fn a_policy_that_says_no_names_the_permission() {
    let Some(seeded) = Seeded::shared() else { return };
    let problem = as_user(seeded, &seeded.keys("reader"), "json", "").judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden);
    assert!(problem.detail.contains("(AccessDeniedException)"), "{problem:?}");
    assert!(problem.detail.ends_with("it takes `secretsmanager:GetSecretValue`"), "{problem:?}");
    assert_eq!(
        as_user(seeded, &seeded.keys("reader"), "prod/db", "").judged("a").await,
        Ok("canary-aws-v2-91be".into())
    );
}

#[tokio::test]
async fn a_policy_for_the_value_alone_is_enough() {
    let Some(seeded) = Seeded::shared() else { return };
    let linked = as_user(seeded, &seeded.keys("getter"), "prod/db", "");
    let status = linked.status("a").await;
    assert_eq!((status.problem, status.checked), (None, false));
    assert_eq!(linked.value("a").await, Ok("canary-aws-v2-91be".into()));
    assert!(linked.status("a").await.checked);
}

#[tokio::test]
async fn a_description_alone_does_not_prove_that_a_value_may_be_read() {
    let Some(seeded) = Seeded::shared() else { return };
    let linked = as_user(seeded, &seeded.keys("looker"), "prod/db", "");
    assert_eq!(linked.status("a").await.problem, None);
    assert_eq!(linked.value("a").await.unwrap_err().reason, Reason::Forbidden);
    // What reading showed is what is said from then on.
    assert_eq!(linked.status("a").await.problem.unwrap().reason, Reason::Forbidden);
}

#[tokio::test]
async fn keys_that_are_not_accepted_ask_for_new_ones() {
    let Some(seeded) = Seeded::shared() else { return };
    let reader = seeded.keys("reader");
    let id = reader.split(' ').next().unwrap();
    for (keys, code) in [
        ("AKIACANARY0000000000 canary-no-key".to_owned(), "(UnrecognizedClientException)"),
        (format!("{id} canary-wrong-key"), "(InvalidSignatureException)"),
    ] {
        let problem = as_user(seeded, &keys, "prod/db", "").judged("a").await.unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert!(problem.detail.ends_with(code) && !problem.detail.contains("canary"), "{problem:?}");
    }
    let problem = as_user(seeded, "", "prod/db", "").judged("a").await.unwrap_err();
    let words = "there are no access keys for `team`: sign in, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, words));
}

#[tokio::test]
async fn a_session_ends() {
    let Some(seeded) = Seeded::shared() else { return };
    let linked = as_user(seeded, &seeded.keys("short"), "prod/db", "");
    // It was made for two seconds.
    let end = std::time::Instant::now() + Duration::from_secs(30);
    let problem = loop {
        assert!(std::time::Instant::now() < end, "the session does not end");
        linked.vault.reset(None).await;
        if let Err(problem) = linked.value("a").await {
            break problem;
        }
    };
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "the session of `team` has ended (ExpiredTokenException)"));
    linked.vault.reset(None).await;
    assert_eq!(linked.judged("a").await.unwrap_err().reason, Reason::LoginNeeded);
}

#[tokio::test]
async fn keys_can_be_typed_in_and_forgotten() {
    let Some(seeded) = Seeded::shared() else { return };
    let linked = as_user(seeded, "", "prod/db", "");
    for (typed, words) in [
        ("canary-half", "type the access key id"),
        ("AKIACANARY0000000000 canary-wrong", "does not accept the access keys of `team` (InvalidClientTokenId)"),
    ] {
        let problem = linked.vault.sign_in("team", &Given::new(secret(typed))).await.unwrap_err();
        assert_eq!((problem.reason, problem.detail.contains(words)), (Reason::LoginNeeded, true), "{problem:?}");
        assert!(!problem.detail.contains("canary"), "{problem:?}");
    }
    assert_eq!(linked.judged("a").await.unwrap_err().reason, Reason::LoginNeeded);
    linked.vault.sign_in("team", &Given::new(secret(&seeded.keys("reader")))).await.unwrap();
    assert_eq!(linked.judged("a").await, Ok("canary-aws-v2-91be".into()));
    linked.vault.disconnect("team").await.unwrap();
    assert_eq!(linked.judged("a").await.unwrap_err().reason, Reason::Disconnected);
}

#[tokio::test]
async fn a_role_is_assumed_for_a_secret() {
    let Some(seeded) = Seeded::shared() else { return };
    let role = seeded.role("team");
    let fields = format!("json-key = 'port'\nrole-arn = '{role}'");
    assert_eq!(as_user(seeded, &seeded.keys("reader"), "json", &fields).judged("a").await, Ok("5432".into()));
    let problem = as_user(seeded, &seeded.keys("looker"), "json", &fields).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden);
    assert!(problem.detail.ends_with("(AccessDenied); it takes `sts:AssumeRole`"), "{problem:?}");
}

#[tokio::test]
async fn codes_of_aws_are_told_apart_whatever_the_status() {
    let codes = [
        ("DecryptionFailure", Reason::Forbidden),
        ("AccessDeniedException", Reason::Forbidden),
        ("ThrottlingException", Reason::Throttled),
        ("ExpiredTokenException", Reason::LoginNeeded),
        ("InvalidSignatureException", Reason::LoginNeeded),
        ("RequestExpired", Reason::ClockSkew),
        ("InternalServiceError", Reason::Unreachable),
        ("canary<b>New", Reason::Unreachable),
    ];
    let statuses = ["400 Bad Request", "403 Forbidden", "500 Internal Server Error"];
    // Some are asked again after a while, so all are waited for at once.
    let cases = codes.iter().flat_map(|code| statuses.map(|status| (code, status)));
    let asked = cases.map(|((code, reason), status)| async move {
        let body = format!("{{\"__type\":\"{code}\",\"message\":\"canary-message\"}}");
        let stand_in = StandIn::answering(status, "Content-Type: application/x-amz-json-1.1\r\n", &body);
        let problem = before(&stand_in.address).value("a").await.unwrap_err();
        assert_eq!(problem.reason, *reason, "{code} {status}");
        assert!(!problem.detail.contains("canary-") && !problem.detail.contains('<'), "{problem:?}");
    });
    futures_util::future::join_all(asked).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_from_wrong_keys() {
    let headers = "Content-Type: application/x-amz-json-1.1\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\n";
    let body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}";
    let problem = before(&StandIn::answering("400 Bad Request", headers, body).address).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::ClockSkew);
    assert!(problem.detail.contains("s ahead of"), "{problem:?}");
}

#[tokio::test]
async fn tls_where_there_is_none_is_told() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let problem = before(&stand_in.address.replace("http:", "https:")).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls, "{problem:?}");
}
