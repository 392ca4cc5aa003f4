//! `op`, by the stand-in of `support/op.rs`.
#![expect(clippy::disallowed_methods, reason = "the tests look at what the stand-in was told")]

use std::{fs, sync::Arc};

use vaultls::{
    status::{Problem, Reason},
    vault::{
        ProcessVariables,
        link::{
            Coordinates,
            onepassword::{Access, OnePassword, OpReference},
        },
        onepassword,
        person::Given,
        provider::TokenSource,
        provider::{Leads, Provider, Shelf, Surroundings},
    },
};

use super::config;
use crate::support::{
    home::{Home, User, secret, secret_name},
    op::{Op, TOKEN, install},
};

const SERVICE_ACCOUNT: &str = "auth = { method = 'service-account' }";

/// With a service account's token in the environment.
fn linked(op: &Op, references: &[&str]) -> Home {
    op.write("token", TOKEN.as_bytes());
    with_variables(op, &[("OP_SERVICE_ACCOUNT_TOKEN", TOKEN)], SERVICE_ACCOUNT, references)
}

fn linked_by_app(op: &Op, references: &[&str]) -> Home {
    with_variables(op, &[], "", references)
}

fn with_variables(op: &Op, variables: &[(&str, &str)], fields: &str, references: &[&str]) -> Home {
    let path = op.path();
    let around = [("PATH", path.as_str()), ("HOME", "/home/canary")];
    super::linked(around.iter().chain(variables).copied(), fields, references)
}

/// The provider itself, with a service account.
fn provider(op: &Op) -> Arc<dyn Provider> {
    let path = op.path();
    let variables = ProcessVariables(Arc::new(move |name| match name {
        "PATH" => Some(secret(&path)),
        "OP_SERVICE_ACCOUNT_TOKEN" => Some(secret(TOKEN)),
        _ => None,
    }));
    let around = Surroundings { tokens: TokenSource::default(), variables, workspace: None };
    onepassword::open("team", &OnePassword { access: Access::ServiceAccount, ca_file: None }, around)
}

async fn check(op: &Op, reference: &str, reason: Reason, detail: &str) {
    let outcome = linked(op, &[reference]).judged_alike("s0").await;
    assert_eq!(outcome, Err(Problem::new(reason, detail)), "{reference}");
}

#[tokio::test]
async fn values_are_read_as_they_are() {
    let op = Op::new();
    assert_eq!(linked(&op, &["op://Dev/DB/password"]).judged_alike("s0").await.unwrap(), "canary-pass\n");
    assert_eq!(linked(&op, &["op://dev/db/code?attribute=otp"]).judged_alike("s0").await.unwrap(), "123456");
}

#[tokio::test]
async fn what_is_missing_is_named_before_and_while_sending() {
    let op = Op::new();
    op.write("vaults/dev/same.twice", b"");
    let missing = Reason::NotFound;
    let detail = "`team` has no vault `nope`, or it may not be seen by whoever signed in";
    check(&op, "op://nope/db/password", missing, detail).await;
    check(&op, "op://dev/nope/password", missing, "the vault `dev` has no item `nope`").await;
    check(&op, "op://dev/db/nope", missing, "the item `db` has no field or file `nope`").await;
    check(&op, "op://dev/same/x", Reason::Ambiguous, "more than one item is called `same`; link it by its id").await;
}

#[tokio::test]
async fn complaints_about_the_account_are_told_alike_before_and_while_sending() {
    let op = Op::new();
    for (complaint, reason) in [
        ("(429) Too Many Requests: canary. Please retry in 58 minutes", Reason::Throttled),
        ("(403) Forbidden: canary", Reason::Forbidden),
        ("dial tcp: lookup canary.1password.com: no such host", Reason::Unreachable),
        ("You are not currently signed in. canary", Reason::LoginNeeded),
        ("the secret token ops_canary is odd", Reason::Unreachable),
    ] {
        op.write("complaint", complaint.as_bytes());
        assert_eq!(
            linked(&op, &["op://dev/db/password"]).judged_alike("s0").await.unwrap_err().reason,
            reason,
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_needs_another_sign_in() {
    let op = Op::new();
    let linked = linked(&op, &["op://dev/db/password"]);
    op.write("token", b"ops_canary-other");
    let detail = "1Password does not accept the token of `team`, or not any more";
    assert_eq!(linked.judged_alike("s0").await, Err(Problem::new(Reason::LoginNeeded, detail)));
}

#[tokio::test]
async fn a_token_is_in_no_argument_and_little_else_in_the_environment() {
    let op = Op::new();
    op.write("token", TOKEN.as_bytes());
    let pairs = [
        ("OP_SERVICE_ACCOUNT_TOKEN", TOKEN),
        ("OP_CONNECT_HOST", "http://evil"),
        ("OP_CONNECT_TOKEN", "x"),
        ("OP_SESSION_acme", "x"),
        ("OP_ACCOUNT", "x"),
        ("CANARY", "x"),
        ("XDG_RUNTIME_DIR", "/run/user/1"),
    ];
    let linked = with_variables(&op, &pairs, SERVICE_ACCOUNT, &["op://dev/db/password"]);
    linked.value("s0").await.unwrap();
    assert!(!fs::read_to_string(op.data().join("calls")).unwrap().contains("canary"));
    let environment = fs::read_to_string(op.data().join("environment")).unwrap();
    let mut names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    // A shell adds some of its own.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "OP_SERVICE_ACCOUNT_TOKEN", "PATH", "XDG_RUNTIME_DIR"]);
    assert!(environment.contains("PWD=/\n"));
}

#[tokio::test]
async fn the_app_is_told_no_token() {
    let op = Op::new();
    let token = [("OP_SERVICE_ACCOUNT_TOKEN", "ops_canary")];
    let linked = with_variables(&op, &token, "account = 'acme.1password.com'", &["op://dev/db/password"]);
    linked.value("s0").await.unwrap();
    assert!(!fs::read_to_string(op.data().join("environment")).unwrap().contains("TOKEN"));
    assert_eq!(op.calls(), ["read --no-newline op://dev/db/password --account acme.1password.com"]);
}

#[tokio::test]
async fn a_check_never_has_the_app_show_its_prompt() {
    let op = Op::new();
    let linked = linked_by_app(&op, &["op://dev/db/password", "op://dev/db/nope"]);
    let status = linked.status("s1").await;
    assert_eq!((status.problem, status.checked), (None, false));
    assert_eq!(op.calls(), [""; 0]);
    let session = linked.vault.sign_in("team", &Given::new(secret("unused"))).await.unwrap();
    assert_eq!(session.organization.as_deref(), Some("ACME1"));
    assert_eq!(linked.vault.session("team"), Some(session));
    let status = linked.status("s1").await;
    assert_eq!(status.problem, linked.value("s1").await.err());
    assert!(status.checked);
    assert_eq!(op.calls().last().unwrap(), "read --no-newline op://dev/db/nope --account ACME1");
}

#[tokio::test]
async fn a_prompt_that_is_dismissed_needs_another_sign_in() {
    let op = Op::new();
    op.write("complaint", b"error initializing client: authorization prompt dismissed, please try again");
    let linked = linked_by_app(&op, &["op://dev/db/password"]);
    let refused = linked.vault.sign_in("team", &Given::new(secret("unused"))).await.unwrap_err();
    let detail = "the 1Password app was asked for `team`, and its prompt was dismissed";
    assert_eq!(refused, Problem::new(Reason::LoginNeeded, detail));
    assert_eq!(linked.value("s0").await, Err(refused));
}

#[tokio::test]
async fn a_token_that_is_typed_in_is_kept_until_disconnected() {
    let op = Op::new();
    op.write("token", TOKEN.as_bytes());
    op.write("whoami", br#"{"url":"https://acme.1password.com","user_uuid":"U1","account_uuid":"ACME1"}"#);
    let linked = with_variables(&op, &[], SERVICE_ACCOUNT, &["op://dev/db/password"]);
    let detail = "there is no token for `team`: sign in, or set OP_SERVICE_ACCOUNT_TOKEN";
    assert_eq!(linked.judged_alike("s0").await, Err(Problem::new(Reason::LoginNeeded, detail)));
    for wrong in ["ops_canary-wrong", "canary", ""] {
        let refused = linked.vault.sign_in("team", &Given::new(secret(wrong))).await.unwrap_err();
        assert_eq!(refused.reason, Reason::LoginNeeded);
        assert!(!refused.detail.contains("canary"), "{refused:?}");
    }
    let session = linked.vault.sign_in("team", &Given::new(secret(TOKEN))).await.unwrap();
    assert_eq!(session.organization.as_deref(), Some("ACME1"));
    assert_eq!(linked.value("s0").await.unwrap(), "canary-pass\n");
    // Another account through the same integration.
    op.write("whoami", br#"{"account_uuid":"EVIL2"}"#);
    let refused = linked.vault.sign_in("team", &Given::new(secret(TOKEN))).await.unwrap_err();
    let detail = "`team` is signed in to `ACME1`, and these credentials are of `EVIL2`; disconnect `team` first";
    assert_eq!(refused, Problem::new(Reason::LoginNeeded, detail));
    linked.vault.disconnect("team").await.unwrap();
    assert_eq!(linked.value("s0").await.unwrap_err().reason, Reason::Disconnected);
    assert!(linked.vault.sign_in("team", &Given::new(secret(TOKEN))).await.is_ok());
}

#[tokio::test]
async fn an_op_that_would_print_values_is_refused() {
    let op = Op::new();
    for version in ["2.29.0\n", "1.12.0", "canary"] {
        op.write("version", version.as_bytes());
        let detail = "the 1Password CLI `op` on the PATH is too old or none; it takes 2.30 or newer";
        check(&op, "op://dev/db/password", Reason::NotConfigured, detail).await;
    }
    assert_eq!(op.calls(), [""; 0]);
}

#[tokio::test]
async fn an_op_of_the_workspace_is_no_op() {
    let op = Op::new();
    let mut home = linked(&op, &["op://dev/db/password"]);
    let work = home.folder().join("work");
    install(&work, &op.data());
    let detail = "`team` uses the 1Password CLI, and there is no `op` on the PATH outside of this workspace";
    for path in [format!("{}:.", work.display()), String::new(), ".:work".into()] {
        let user = User::new(config(SERVICE_ACCOUNT, &["op://dev/db/password"]));
        home = home.restart(user.with_variables([("PATH", path.as_str()), ("OP_SERVICE_ACCOUNT_TOKEN", TOKEN)]));
        assert_eq!(home.value("s0").await, Err(Problem::new(Reason::NotConfigured, detail)), "{path}");
    }
    assert_eq!(op.calls(), [""; 0]);
}

#[tokio::test]
async fn odd_values_are_told() {
    let op = Op::new();
    op.write("vaults/dev/db/password", b"");
    assert_eq!(linked(&op, &["op://dev/db/password"]).value("s0").await.unwrap_err().reason, Reason::Empty);
    op.write("vaults/dev/db/password", &vec![b'x'; 3 * 1024 * 1024]);
    let huge = linked(&op, &["op://dev/db/password"]).value("s0").await.unwrap_err();
    assert_eq!(huge, Problem::new(Reason::BadValue, "`op://dev/db/password` is larger than 1024 KiB"));
    op.write("vaults/dev/db/password", b"\xff\xfecanary");
    let linked = linked(&op, &["op://dev/db/password"]);
    let value = linked.vault.value(&secret_name("s0")).await.unwrap();
    assert_eq!(value.expose(<[u8]>::to_vec), b"\xff\xfecanary");
}

#[tokio::test]
async fn a_description_that_is_none_is_told() {
    let op = Op::new();
    for nonsense in [&b"canary"[..], b"", b"\xff\xfe", b"[]"] {
        op.write("vaults/dev/db.json", nonsense);
        let status = linked(&op, &["op://dev/db/password"]).status("s0").await;
        let detail = "`op item` answered for `team` with something that is not understood";
        assert_eq!(status.problem, Some(Problem::new(Reason::Unreachable, detail)));
    }
}

/// The outcomes of reading `references` with one question.
async fn read_many(op: &Op, references: &[String]) -> Vec<Result<Vec<u8>, Problem>> {
    let at: Vec<Coordinates> =
        references.iter().map(|text| Coordinates::Onepassword(OpReference::parse(text).unwrap())).collect();
    let provider = provider(op);
    let many = provider.read_many().unwrap();
    assert!(many.at_most() >= at.len());
    let outcomes = many.read_many(&at).await;
    outcomes.into_iter().map(|outcome| outcome.map(|value| value.expose(<[u8]>::to_vec))).collect()
}

#[tokio::test]
async fn a_hundred_secrets_are_read_with_one_question() {
    let op = Op::new();
    let value = |index: usize| format!("canary-{index}\n:{index}\n{{{{ op://dev/db/password }}}}\n").into_bytes();
    for index in 0..100 {
        op.write(&format!("vaults/dev/db/m{index}"), &value(index));
    }
    op.write("vaults/dev/db/m7", b"\xff\x01");
    let references: Vec<String> = (0..100).map(|index| format!("op://dev/db/m{index}")).collect();
    for (index, outcome) in read_many(&op, &references).await.into_iter().enumerate() {
        let expected = if index == 7 { b"\xff\x01".to_vec() } else { value(index) };
        assert_eq!(outcome.unwrap(), expected);
    }
    assert_eq!(op.calls(), ["inject"]);
}

#[tokio::test]
async fn one_that_fails_does_not_spoil_the_others() {
    let op = Op::new();
    let references = ["op://dev/db/password", "op://dev/db/nope", "op://nope/x/y"].map(str::to_owned);
    let outcomes = read_many(&op, &references).await;
    assert_eq!(outcomes[0].as_deref(), Ok(&b"canary-pass\n"[..]));
    assert_eq!(outcomes[1].as_ref().unwrap_err().detail, "the item `db` has no field or file `nope`");
    assert_eq!(outcomes[2].as_ref().unwrap_err().reason, Reason::NotFound);
}

#[tokio::test]
async fn what_concerns_the_account_is_asked_once_for_all() {
    let op = Op::new();
    op.write("complaint", b"(429) Too Many Requests");
    let references = ["op://dev/db/password", "op://dev/db/nope"].map(str::to_owned);
    let outcomes = read_many(&op, &references).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().reason == Reason::Throttled));
    assert_eq!(op.calls(), ["inject"]);
    op.remove("complaint");
    assert!(read_many(&op, &references[..1]).await[0].is_ok());
}

#[tokio::test]
async fn a_field_is_found_by_choosing() {
    let op = Op::new();
    let linked = linked(&op, &[]);
    let at = |path: &[&str]| Shelf { path: path.iter().map(|part| (*part).to_owned()).collect(), ..Shelf::default() };
    let vaults = linked.vault.browse("team", &at(&[])).await.unwrap();
    assert_eq!(vaults.choices[0].leads, Leads::To(vec!["dev".into()]));
    let items = linked.vault.browse("team", &at(&["dev"])).await.unwrap();
    assert_eq!(items.choices[0].leads, Leads::To(vec!["dev".into(), "db".into()]));
    let fields = linked.vault.browse("team", &at(&["dev", "db"])).await.unwrap();
    let labels: Vec<&str> = fields.choices.iter().map(|choice| choice.label.as_str()).collect();
    assert_eq!(labels, ["password", "code", "twin", "twin"]);
    let before = op.calls().len();
    assert_eq!(linked.vault.browse("team", &at(&["--help"])).await.unwrap_err().reason, Reason::NotConfigured);
    assert_eq!(op.calls().len(), before);
}
