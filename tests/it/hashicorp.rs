//! HashiCorp Vault's protocol against a real server (OpenBao): values, every way to fail, and that what is said before
//! sending is what happens then. A stand-in of ours appears only for what a real server does not do, and says so.

mod wire;

use std::{io::Write, sync::OnceLock};

use serde_json::json;
use vaultls::status::{Problem, Reason};

use crate::support::{
    home::{Home, User},
    openbao::{OpenBao, ROOT},
};

/// The server that all tests share which do not disturb each other. It ends with this process.
fn shared() -> Option<&'static OpenBao> {
    static SERVER: OnceLock<Option<OpenBao>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let server = OpenBao::start()?;
        seed(&server);
        Some(server)
    });
    server.as_ref()
}

/// An engine of each version, with secrets in every state.
fn seed(server: &OpenBao) {
    server.mount("kv1", 1);
    server.mount("team/kv", 2);
    server.ask("POST", "kv1/app/legacy", &json!({"password": "canary-v1-83f0", "number": 1.5, "object": {"a": 1}}));
    for version in 1..=4 {
        let body = json!({"data": {
            "password": format!("canary-v2-{version}"), "port": 5432, "tls": true, "object": {"a": "b"}, "empty": "",
        }});
        server.ask("POST", "team/kv/data/app/db", &body);
    }
    server.ask("POST", "team/kv/delete/app/db", &json!({"versions": [2]}));
    server.ask("POST", "team/kv/destroy/app/db", &json!({"versions": [3]}));
    server.ask("POST", "team/kv/data/gone", &json!({"data": {"k": "canary-gone"}}));
    server.ask("DELETE", "team/kv/data/gone", &json!(null));
    for index in 0..100 {
        server.ask(
            "POST",
            &format!("team/kv/data/many/{index}"),
            &json!({"data": {"k": format!("canary-many-{index}")}}),
        );
    }
}

/// One link, `a`, written in the user's own configuration.
fn linked(address: &str, token: &str, fields: &str) -> Home {
    configured(token, &format!("{}[secrets.a]\nintegration = 'team'\n{fields}\n", integration(address)))
}

fn integration(address: &str) -> String {
    format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{address}'\n")
}

fn configured(token: &str, config: &str) -> Home {
    User { token: (!token.is_empty()).then(|| token.to_owned()), ..User::new(config) }.open()
}

/// Judges a link with root's token.
async fn judge(fields: &str) -> Option<Result<String, Problem>> {
    let server = shared()?;
    Some(linked(&server.address, ROOT, fields).judged("a").await)
}

/// The link has the value.
async fn check_value(fields: &str, value: &str) {
    let Some(outcome) = judge(fields).await else { return };
    assert_eq!(outcome, Ok(value.to_owned()));
}

/// The link has the problem, in exactly these words.
async fn check_problem(fields: &str, reason: Reason, detail: &str) {
    let Some(outcome) = judge(fields).await else { return };
    assert_eq!(outcome, Err(Problem::new(reason, detail)));
}

const V2: &str = "engine = 'team/kv'\npath = 'app/db'\n";
const V1: &str = "engine = 'kv1'\npath = 'app/legacy'\n";

#[tokio::test]
async fn values_of_both_versions_are_read() {
    check_value(&format!("{V1}key = 'password'"), "canary-v1-83f0").await;
    check_value(&format!("{V2}key = 'password'"), "canary-v2-4").await;
    check_value(&format!("{V2}key = 'password'\nversion = 1"), "canary-v2-1").await;
}

#[tokio::test]
async fn numbers_and_truth_values_are_texts_too() {
    check_value(&format!("{V2}key = 'port'"), "5432").await;
    check_value(&format!("{V2}key = 'tls'"), "true").await;
    check_value(&format!("{V1}key = 'number'"), "1.5").await;
}

#[tokio::test]
async fn an_object_is_no_value() {
    let detail = |path| format!("the key `object` of `{path}` holds an object or a list; link a key that holds a text");
    check_problem(&format!("{V2}key = 'object'"), Reason::BadValue, &detail("team/kv/app/db")).await;
    check_problem(&format!("{V1}key = 'object'"), Reason::BadValue, &detail("kv1/app/legacy")).await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    for (fields, detail) in [
        ("engine = 'nowhere'\npath = 'p'\nkey = 'k'", "`team` has no secrets engine `nowhere`"),
        (
            "engine = 'team/kv/app'\npath = 'db'\nkey = 'k'",
            "`team` has no engine `team/kv/app`; its engine is `team/kv`, so the path starts with `app/`",
        ),
        ("engine = 'cubbyhole'\npath = 'p'\nkey = 'k'", "the engine `cubbyhole` of `team` holds no key-value secrets"),
        ("engine = 'team/kv'\npath = 'nope'\nkey = 'k'", "`team` has no secret `team/kv/nope`"),
        ("engine = 'team/kv'\npath = 'nope'\nkey = 'k'\nversion = 2", "`team` has no secret `team/kv/nope`"),
        (
            "engine = 'team/kv'\npath = 'data/app/db'\nkey = 'k'",
            "`team` has no secret `team/kv/data/app/db`; `path` is written without `data/`",
        ),
        (
            "engine = 'team/kv'\npath = 'app/db'\nkey = 'nope'",
            "`team/kv/app/db` has no key `nope`; it has `empty`, `object`, `password`, `port`, `tls`",
        ),
        ("engine = 'team/kv'\npath = 'app/db'\nkey = 'password'\nversion = 99", "`team/kv/app/db` has no version 99"),
        ("engine = 'kv1'\npath = 'app/nope'\nkey = 'k'", "`team` has no secret `kv1/app/nope`"),
        ("engine = 'kv1'\npath = 'nope/nope'\nkey = 'k'", "`team` has no secret `kv1/nope/nope`"),
        ("engine = 'kv1'\npath = 'nope'\nkey = 'k'", "`team` has no secret `kv1/nope`"),
        (
            "engine = 'kv1'\npath = 'app/legacy'\nkey = 'nope'",
            "`kv1/app/legacy` has no key `nope`; it has `number`, `object`, `password`",
        ),
        (
            "engine = 'kv1'\npath = 'app/legacy'\nkey = 'k'\nversion = 1",
            "the engine `kv1` is of KV version 1 and keeps no version 1; link without `version`",
        ),
    ] {
        check_problem(fields, Reason::NotFound, detail).await;
    }
}

#[tokio::test]
async fn versions_that_are_no_more_say_how_they_went() {
    let gone = Reason::VersionGone;
    check_problem(&format!("{V2}key = 'password'\nversion = 2"), gone, "version 2 of `team/kv/app/db` was deleted")
        .await;
    check_problem(&format!("{V2}key = 'password'\nversion = 3"), gone, "version 3 of `team/kv/app/db` was destroyed")
        .await;
    let latest = "engine = 'team/kv'\npath = 'gone'\nkey = 'k'";
    check_problem(latest, gone, "the latest version of `team/kv/gone` was deleted").await;
}

#[tokio::test]
async fn an_empty_value_is_told_when_it_is_read() {
    let Some(server) = shared() else { return };
    let linked = linked(&server.address, ROOT, &format!("{V2}key = 'empty'"));
    assert_eq!(linked.value("a").await.unwrap_err().reason, Reason::Empty);
    // What reading showed is what is said from then on.
    assert_eq!(linked.status("a").await.problem.unwrap().reason, Reason::Empty);
}

#[tokio::test]
async fn tokens_that_are_not_accepted_ask_for_a_new_one() {
    let Some(server) = shared() else { return };
    let fields = format!("{V2}key = 'password'");
    let expired = server.token("short", "path \"team/*\" { capabilities = [\"read\"] }", "1s");
    server.ask("POST", "auth/token/revoke", &json!({"token": expired}));
    for token in [expired.as_str(), "canary-bad-token"] {
        let problem = linked(&server.address, token, &fields).judged("a").await.unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert_eq!(
            problem.detail,
            format!("`{}` does not accept the token of `team`: it is invalid or expired", server.address)
        );
    }
    let problem = linked(&server.address, "", &fields).judged("a").await.unwrap_err();
    assert_eq!(problem.detail, "there is no token for `team`: sign in, or set VAULT_TOKEN");
    let problem = linked(&server.address, "canary\nbad", &fields).judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::LoginNeeded);
    assert!(!problem.detail.contains("canary"));
}

#[tokio::test]
async fn a_policy_that_says_no_is_no_reason_to_sign_in_again() {
    let Some(server) = shared() else { return };
    let token = server.token(
        "elsewhere",
        "path \"team/kv/data/many/*\" { capabilities = [\"read\"] }\npath \"kv1/other\" { capabilities = [\"read\"] }",
        "1h",
    );
    for (fields, path) in [(V2, "team/kv/app/db"), (V1, "kv1/app/legacy")] {
        let problem =
            linked(&server.address, &token, &format!("{fields}key = 'password'")).judged("a").await.unwrap_err();
        assert_eq!(problem.reason, Reason::Forbidden);
        assert!(problem.detail.starts_with(&format!("no permission to read `{path}` in `team`")), "{problem:?}");
    }
}

#[tokio::test]
async fn a_policy_for_the_value_alone_is_enough() {
    let Some(server) = shared() else { return };
    let token = server.token("value-alone", "path \"team/kv/data/app/db\" { capabilities = [\"read\"] }\npath \"kv1/app/legacy\" { capabilities = [\"read\"] }", "1h");
    for (fields, value) in [(V2, "canary-v2-4"), (V1, "canary-v1-83f0")] {
        let linked = linked(&server.address, &token, &format!("{fields}key = 'password'"));
        let status = linked.status("a").await;
        assert_eq!((status.problem, status.checked), (None, false));
        assert_eq!(linked.value("a").await, Ok(value.into()));
        // The value is at hand now, so its use is sure to go well.
        assert!(linked.status("a").await.checked);
    }
}

#[tokio::test]
async fn namespaces_are_kept_apart() {
    let Some(server) = shared() else { return };
    server.ask("PUT", "sys/namespaces/team-a", &json!(null));
    server.ask_in("team-a", "POST", "sys/mounts/kv", &json!({"type": "kv", "options": {"version": "1"}}));
    server.ask_in("team-a", "POST", "kv/app", &json!({"k": "canary-namespace"}));
    let fields = "[secrets.a]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'k'\n";
    let within = |namespace| format!("{}namespace = '{namespace}'\n{fields}", integration(&server.address));
    assert_eq!(configured(ROOT, &within("team-a")).judged("a").await, Ok("canary-namespace".into()));
    let problem = configured(ROOT, &within("team-b")).judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::NotFound, "`team` has no namespace `team-b`"));
    let outside = format!("{}{fields}", integration(&server.address));
    assert_eq!(configured(ROOT, &outside).judged("a").await.unwrap_err().reason, Reason::NotFound);
}

#[tokio::test]
async fn a_sealed_server_is_waited_for_and_comes_back() {
    let Some(server) = OpenBao::start() else { return };
    server.mount("kv1", 1);
    server.ask("POST", "kv1/app/legacy", &json!({"password": "canary-sealed"}));
    let linked = linked(&server.address, ROOT, &format!("{V1}key = 'password'"));
    server.seal();
    let problem = linked.judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::Sealed, format!("`{}` is sealed or not ready (503)", server.address)));
    server.unseal();
    linked.vault.reset(None).await;
    assert_eq!(linked.judged("a").await, Ok("canary-sealed".into()));
}

#[tokio::test]
async fn a_rate_limit_is_told_with_its_end() {
    let Some(server) = OpenBao::start() else { return };
    server.mount("kv1", 1);
    server.ask("POST", "kv1/app/legacy", &json!({"password": "canary-limited"}));
    server.ask("POST", "sys/quotas/config", &json!({"enable_rate_limit_response_headers": true}));
    server.ask("POST", "sys/quotas/rate-limit/tight", &json!({"path": "kv1/", "rate": 1, "interval": "300s"}));
    let linked = linked(&server.address, ROOT, &format!("{V1}key = 'password'"));
    assert_eq!(linked.value("a").await, Ok("canary-limited".into()));
    linked.vault.reset(None).await;
    let problem = linked.value("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::Throttled);
    let start = format!("`{}` limits the rate of requests; it asks to wait ", server.address);
    assert!(problem.detail.starts_with(&start), "{problem:?}");
}

#[tokio::test]
async fn the_token_file_of_the_vaults_own_tools_is_read() {
    let Some(server) = shared() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = format!("{}[secrets.a]\nintegration = 'team'\n{V2}key = 'password'\n", integration(&server.address));
    let home = User { token_file: Some(file.path().to_owned()), ..User::new(config) }.open();
    assert_eq!(home.value("a").await.unwrap_err().reason, Reason::LoginNeeded);
    writeln!(file.as_file(), "{ROOT}").unwrap();
    assert_eq!(home.value("a").await, Ok("canary-v2-4".into()));
}
