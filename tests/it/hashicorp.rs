//! HashiCorp Vault's protocol against a real server (OpenBao): values, every way to fail, and that what is said before
//! sending is what happens then. A stand-in of ours appears only for what a real server does not do, and says so.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::json;
use vaultls::{
    approval::Approvals,
    name::SecretName,
    status::{Problem, Reason, Status},
    vault::{
        Options, ProcessVariables, Vault, hashicorp::TokenSource, local::KeySource, person::Given, value::SecretValue,
    },
};

use crate::support::openbao::{OpenBao, ROOT};

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

/// A vault whose user linked `fields` of the integration `team` at `address`.
struct Linked {
    _folder: tempfile::TempDir,
    vault: Vault,
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

/// One link, `a`, written in the user's own configuration.
fn linked(address: &str, token: &str, fields: &str) -> Linked {
    configured(token, &format!("{}[secrets.a]\nintegration = 'team'\n{fields}\n", integration(address)))
}

fn integration(address: &str) -> String {
    format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{address}'\n")
}

fn configured(token: &str, user: &str) -> Linked {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), user).unwrap();
    let given = (!token.is_empty()).then(|| Arc::new(secret(token)));
    let vault = Vault::open(options(folder.path(), TokenSource { given, file: None }));
    Linked { _folder: folder, vault }
}

fn options(folder: &std::path::Path, vault_token: TokenSource) -> Options {
    Options {
        workspace: Some(folder.join("work")),
        user_config: folder.join("config.toml"),
        data: folder.join("data"),
        key: KeySource { given: None, file: None, keyring: false },
        vault_token,
        approvals: Arc::new(Approvals::open(folder.join("approvals"))),
        process_variables: ProcessVariables::default(),
    }
}

impl Linked {
    async fn value(&self, secret: &str) -> Result<String, Problem> {
        let value = self.vault.value(&name(secret)).await?;
        Ok(value.expose_text(str::to_owned).unwrap())
    }

    async fn status(&self, secret: &str) -> Status {
        self.vault.status(&name(secret)).await
    }

    /// The value of `a`, and before that the same judgement without reading it.
    async fn judged(&self) -> Result<String, Problem> {
        let status = self.status("a").await;
        let outcome = self.value("a").await;
        let said = status.problem.as_ref().map(|problem| problem.reason);
        let came = outcome.as_ref().err().map(|problem| problem.reason);
        // Where the provider could not tell, it claimed nothing.
        assert!(said == came || (said.is_none() && !status.checked), "said {said:?}, came {came:?}");
        outcome
    }
}

/// Judges a link with root's token.
async fn judge(fields: &str) -> Option<Result<String, Problem>> {
    let server = shared()?;
    Some(linked(&server.address, ROOT, fields).judged().await)
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
        let problem = linked(&server.address, token, &fields).judged().await.unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert_eq!(
            problem.detail,
            format!("`{}` does not accept the token of `team`: it is invalid or expired", server.address)
        );
    }
    let problem = linked(&server.address, "", &fields).judged().await.unwrap_err();
    assert_eq!(problem.detail, "there is no token for `team`: sign in, or set VAULT_TOKEN");
    let problem = linked(&server.address, "canary\nbad", &fields).judged().await.unwrap_err();
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
        let problem = linked(&server.address, &token, &format!("{fields}key = 'password'")).judged().await.unwrap_err();
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
    assert_eq!(configured(ROOT, &within("team-a")).judged().await, Ok("canary-namespace".into()));
    let problem = configured(ROOT, &within("team-b")).judged().await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::NotFound, "`team` has no namespace `team-b`"));
    let outside = format!("{}{fields}", integration(&server.address));
    assert_eq!(configured(ROOT, &outside).judged().await.unwrap_err().reason, Reason::NotFound);
}

#[tokio::test]
async fn a_token_can_be_entered_and_forgotten() {
    let Some(server) = shared() else { return };
    let linked = linked(&server.address, "", &format!("{V2}key = 'password'"));
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::LoginNeeded);
    let refused = linked.vault.sign_in("team", &Given::new(secret("canary-wrong"))).await.unwrap_err();
    assert_eq!(refused.reason, Reason::LoginNeeded);
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::LoginNeeded);
    linked.vault.sign_in("team", &Given::new(secret(ROOT))).await.unwrap();
    assert_eq!(linked.judged().await, Ok("canary-v2-4".into()));
    linked.vault.disconnect("team").await.unwrap();
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::Disconnected);
    assert_eq!(
        linked.vault.sign_in("nope", &Given::new(secret(ROOT))).await.unwrap_err().reason,
        Reason::NotConfigured
    );
}

#[tokio::test]
async fn the_token_file_of_the_vaults_own_tools_is_read() {
    let Some(server) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".vault-token");
    let text = format!("{}[secrets.a]\nintegration = 'team'\n{V2}key = 'password'\n", integration(&server.address));
    fs::write(folder.path().join("config.toml"), text).unwrap();
    let vault = Vault::open(options(folder.path(), TokenSource { given: None, file: Some(file.clone()) }));
    assert_eq!(vault.value(&name("a")).await.err().unwrap().reason, Reason::LoginNeeded);
    fs::write(&file, format!("{ROOT}\n")).unwrap();
    assert!(vault.value(&name("a")).await.is_ok());
}

#[tokio::test]
async fn a_relinked_name_never_serves_the_old_value() {
    let Some(server) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |version| {
        let link = format!("[secrets.a]\nintegration = 'team'\n{V2}key = 'password'\nversion = {version}\n");
        fs::write(folder.path().join("config.toml"), format!("{}{link}", integration(&server.address))).unwrap();
    };
    write(1);
    let vault = Vault::open(options(folder.path(), TokenSource { given: Some(Arc::new(secret(ROOT))), file: None }));
    let read = async || vault.value(&name("a")).await.unwrap().expose_text(str::to_owned).unwrap();
    assert_eq!(read().await, "canary-v2-1");
    write(4);
    vault.reload(None);
    assert_eq!(read().await, "canary-v2-4");
}

#[tokio::test]
async fn a_hundred_secrets_at_once_all_come() {
    let Some(server) = shared() else { return };
    let mut text = integration(&server.address);
    for index in 0..100 {
        text += &format!(
            "[secrets.s{index}]\nintegration = 'team'\nengine = 'team/kv'\npath = 'many/{index}'\nkey = 'k'\n"
        );
    }
    let linked = Arc::new(configured(ROOT, &text));
    let tasks: Vec<_> = (0..100)
        .map(|index| {
            let linked = linked.clone();
            tokio::spawn(async move {
                let secret = format!("s{index}");
                let status = linked.status(&secret).await;
                assert_eq!((status.problem, status.checked), (None, true));
                assert_eq!(linked.value(&secret).await, Ok(format!("canary-many-{index}")));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_names_beside_a_secret_can_be_listed() {
    let Some(server) = shared() else { return };
    let linked = linked(&server.address, ROOT, "engine = 'team/kv'\npath = 'typo'\nkey = 'k'");
    let names = linked.vault.names_beside(&name("a")).await.unwrap();
    assert_eq!(names, ["app/", "gone", "many/"]);
}

#[tokio::test]
async fn a_sealed_server_is_waited_for_and_comes_back() {
    let Some(server) = OpenBao::start() else { return };
    server.mount("kv1", 1);
    server.ask("POST", "kv1/app/legacy", &json!({"password": "canary-sealed"}));
    let linked = linked(&server.address, ROOT, &format!("{V1}key = 'password'"));
    server.seal();
    let problem = linked.judged().await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::Sealed, format!("`{}` is sealed or not ready (503)", server.address)));
    server.unseal();
    linked.vault.reset(None).await;
    assert_eq!(linked.judged().await, Ok("canary-sealed".into()));
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
async fn nobody_at_the_address_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let problem = linked(&format!("http://127.0.0.1:{port}"), ROOT, V1_FIELDS).judged().await.unwrap_err();
    let detail = format!("`http://127.0.0.1:{port}` cannot be reached: the connection was refused");
    assert_eq!(problem, Problem::new(Reason::Unreachable, detail));
}

#[tokio::test]
async fn a_name_without_an_address_is_unreachable() {
    let problem = linked("https://vault.invalid", ROOT, V1_FIELDS).judged().await.unwrap_err();
    let detail = "`https://vault.invalid` cannot be reached: its name cannot be resolved";
    assert_eq!(problem, Problem::new(Reason::Unreachable, detail));
}

const V1_FIELDS: &str = "engine = 'kv1'\npath = 'app/legacy'\nkey = 'password'";

/// Not a Vault: a listener of ours that does what no real server can be made to do, and counts who comes.
struct StandIn {
    address: String,
    came: Arc<AtomicUsize>,
}

impl StandIn {
    /// Treats each connection, after its request has begun to arrive, with `treat`.
    fn start(treat: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let came = Arc::new(AtomicUsize::new(0));
        let (count, treat) = (came.clone(), Arc::new(treat));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let treat = treat.clone();
                thread::spawn(move || {
                    let _ = stream.read(&mut [0; 4096]);
                    treat(&mut stream);
                });
            }
        });
        Self { address, came }
    }

    /// Gives every request the same answer.
    fn answering(status: &str, headers: &str, body: &str) -> Self {
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        Self::start(move |stream| drop(stream.write_all(answer.as_bytes())))
    }

    async fn judged(&self) -> Problem {
        linked(&self.address, ROOT, V1_FIELDS).judged().await.unwrap_err()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let stand_in = StandIn::start(|_| thread::park());
    let started = tokio::time::Instant::now();
    let problem = stand_in.judged().await;
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.contains("within 10 seconds"), "{problem:?}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn many_names_wait_for_a_silent_server_no_longer_than_one() {
    let stand_in = StandIn::start(|_| thread::park());
    let mut text = integration(&stand_in.address);
    for index in 0..50 {
        text += &format!("[secrets.s{index}]\nintegration = 'team'\nengine = 'kv'\npath = 'p{index}'\nkey = 'k'\n");
    }
    let linked = configured(ROOT, &text);
    let started = tokio::time::Instant::now();
    let names: Vec<String> = (0..50).map(|index| format!("s{index}")).collect();
    let statuses = futures_util::future::join_all(names.iter().map(|name| linked.status(name))).await;
    assert!(statuses.iter().all(|status| status.problem.as_ref().unwrap().reason == Reason::Unreachable));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_answer_of_something_else_is_not_taken_for_a_vaults() {
    for body in ["<html>Please log in to the hotel's network</html>", "{}", "[]", "{\"data\":null}", ""] {
        let problem = StandIn::answering("200 OK", "", body).judged().await;
        assert_eq!(problem.reason, Reason::Unreachable, "{body}");
        assert!(problem.detail.ends_with("does not answer like a Vault; is the address right?"), "{problem:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut() {
    let stand_in = StandIn::start(|stream| {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":{\"path\":\"";
        let mut goes_on = stream.write_all(head.as_bytes()).is_ok();
        while goes_on {
            goes_on = stream.write_all(&[b'x'; 65536]).is_ok();
        }
    });
    let problem = stand_in.judged().await;
    assert_eq!(problem.reason, Reason::BadValue);
    assert!(problem.detail.ends_with("answered with more than 2048 KiB"), "{problem:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unreachable() {
    let stand_in = StandIn::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":");
    });
    let problem = stand_in.judged().await;
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.ends_with("the connection broke off"), "{problem:?}");
}

#[tokio::test]
async fn the_token_is_not_carried_to_another_server() {
    let other = StandIn::answering("200 OK", "", "{}");
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("Location: {}/v1/x\r\n", other.address);
        let problem = StandIn::answering(status, &location, "").judged().await;
        assert_eq!(problem.reason, Reason::NotConfigured);
        assert!(problem.detail.contains(&format!("redirects to `{}`", other.address)), "{problem:?}");
    }
    assert_eq!(other.came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_on_the_same_server_is_followed() {
    let asked = AtomicUsize::new(0);
    let stand_in = StandIn::start(move |stream| {
        let (status, headers, body) = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => ("307 Temporary Redirect", "Location: /v1/sys/internal/ui/mounts/kv1/\r\n", ""),
            1 => ("200 OK", "", r#"{"data":{"path":"kv1/","type":"kv","options":{"version":"1"}}}"#),
            _ => ("200 OK", "", r#"{"data":{"password":"canary-behind"}}"#),
        };
        let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
    assert_eq!(linked(&stand_in.address, ROOT, V1_FIELDS).value("a").await, Ok("canary-behind".into()));
}

#[tokio::test]
async fn a_servers_words_are_not_repeated() {
    let body = "{\"errors\":[\"canary-root-51f0c2 in /root/.vault-token\"]}";
    for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "500 Internal Server Error"] {
        let problem = StandIn::answering(status, "", body).judged().await;
        assert!(!problem.detail.contains("canary"), "{problem:?}");
    }
}

#[tokio::test]
async fn tls_where_there_is_none_is_told() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let problem = linked(&stand_in.address.replace("http:", "https:"), ROOT, V1_FIELDS).judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls);
    assert!(problem.detail.ends_with("it does not speak TLS at this address"), "{problem:?}");
}

#[tokio::test]
async fn a_certificate_counts_only_if_its_issuer_is_trusted() {
    let Some(server) = OpenBao::start_tls() else { return };
    let problem = linked(&server.address, ROOT, V1_FIELDS).judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls);
    let words = "its certificate's issuer is not trusted here; a private one belongs in the user's `ca-file`";
    assert_eq!(problem.detail, format!("no secure connection to `{}`: {words}", server.address));
    let trusting = |file: &std::path::Path| {
        let link = "[secrets.a]\nintegration = 'team'\nengine = 'secret'\npath = 'nope'\nkey = 'k'\n";
        configured(ROOT, &format!("{}ca-file = '{}'\n{link}", integration(&server.address), file.display()))
    };
    let problem = trusting(&server.ca_file()).judged().await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::NotFound, "`team` has no secret `secret/nope`"));
    let problem = trusting(&server.ca_file().with_extension("none")).judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::NotConfigured);
    assert!(problem.detail.starts_with("the `ca-file` "), "{problem:?}");
}

#[tokio::test]
async fn a_caller_that_gives_up_starts_no_second_fetch() {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stand_in = StandIn::start(move |stream| {
        // The first question is for the mount, the second for the value; that one waits.
        let body = match count.fetch_add(1, Ordering::SeqCst) {
            0 => r#"{"data":{"path":"kv1/","type":"kv","options":{"version":"1"}}}"#,
            _ => {
                let _ = gate.lock().unwrap().recv();
                r#"{"data":{"password":"canary-slow"}}"#
            }
        };
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body.as_bytes());
    });
    let linked = Arc::new(linked(&stand_in.address, ROOT, V1_FIELDS));
    let first = tokio::spawn({
        let linked = linked.clone();
        async move { linked.value("a").await }
    });
    while asked.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    open.send(()).unwrap();
    assert_eq!(linked.value("a").await, Ok("canary-slow".into()));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_slow_integration_holds_up_no_other() {
    let Some(server) = shared() else { return };
    let slow = StandIn::start(|_| thread::park());
    let mut text = integration(&server.address);
    text += &format!("[integrations.slow]\nprovider = 'hashicorp'\naddress = '{}'\n", slow.address);
    text += &format!("[secrets.a]\nintegration = 'team'\n{V2}key = 'password'\n");
    for index in 0..20 {
        text += &format!("[secrets.s{index}]\nintegration = 'slow'\nengine = 'kv'\npath = 'p{index}'\nkey = 'k'\n");
    }
    let linked = Arc::new(configured(ROOT, &text));
    let waiting: Vec<_> = (0..20)
        .map(|index| {
            let linked = linked.clone();
            tokio::spawn(async move { linked.status(&format!("s{index}")).await })
        })
        .collect();
    while slow.came.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(linked.judged().await, Ok("canary-v2-4".into()));
    assert!(waiting.iter().all(|task| !task.is_finished()));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn an_unapproved_workspace_makes_no_connection() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("work")).unwrap();
    let link = format!("{}[secrets.a]\nintegration = 'team'\n{V1_FIELDS}\n", integration(&stand_in.address));
    fs::write(folder.path().join("work/vaultls.toml"), link).unwrap();
    let vault = Vault::open(options(folder.path(), TokenSource { given: Some(Arc::new(secret(ROOT))), file: None }));
    assert_eq!(vault.status(&name("a")).await.problem.unwrap().reason, Reason::Untrusted);
    assert_eq!(vault.value(&name("a")).await.err().unwrap().reason, Reason::Untrusted);
    assert_eq!(vault.names_beside(&name("a")).await.unwrap_err().reason, Reason::Untrusted);
    assert_eq!(vault.sign_in("team", &Given::new(secret(ROOT))).await.unwrap_err().reason, Reason::Untrusted);
    vault.known();
    assert_eq!(stand_in.came.load(Ordering::SeqCst), 0);
    for pending in vault.pending() {
        vault.approve(&pending).unwrap();
    }
    assert_eq!(vault.status(&name("a")).await.problem.unwrap().reason, Reason::Unreachable);
    assert!(stand_in.came.load(Ordering::SeqCst) > 0);
}
