//! AWS Secrets Manager against an emulator that checks signatures, sessions and policies: values, every way to fail,
//! and that what is said before sending is what happens then. A stand-in of ours appears only for what the emulator
//! does not do, and says so.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads, and seed the emulator")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use vaultls::{
    approval::Approvals,
    name::SecretName,
    status::{Problem, Reason, Status},
    vault::{
        Options, ProcessVariables, Vault, hashicorp::TokenSource, local::KeySource, person::Given, value::SecretValue,
    },
};

use crate::support::{
    ministack::{ACCOUNT, Ministack, REGION, ROOT},
    provision,
};

/// The emulator with everything in it, and what its making told.
pub struct Seeded {
    pub server: Ministack,
    told: Value,
}

/// The emulator that all tests share. It ends with this process.
pub fn shared() -> Option<&'static Seeded> {
    static SERVER: OnceLock<Option<Seeded>> = OnceLock::new();
    let start = || {
        let server = Ministack::start()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/aws_seed.py");
        let mut seed = Command::new(provision::python_tool("python")?);
        let output = seed.arg(script).args([&server.address, REGION, ROOT.0, ROOT.1]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(Seeded { server, told: serde_json::from_slice(&output.stdout).unwrap() })
    };
    SERVER.get_or_init(start).as_ref()
}

impl Seeded {
    pub fn arn(&self, name: &str) -> &str {
        self.told["arns"][name].as_str().unwrap()
    }

    /// The keys of a user, as a person types them.
    fn keys(&self, user: &str) -> String {
        let part = |field: &str| self.told["users"][user][field].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", part("id"), part("key"), part("token"))
    }

    fn integration(&self) -> String {
        integration(&self.server.address)
    }

    /// A link `a` to the secret `name`, for root.
    fn root(&self, name: &str, fields: &str) -> Linked {
        self.as_user(&format!("{} {}", ROOT.0, ROOT.1), name, fields)
    }

    fn as_user(&self, keys: &str, name: &str, fields: &str) -> Linked {
        configured(&variables(keys), &format!("{}{}", self.integration(), link(self.arn(name), fields)))
    }
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

/// The variables of a process that has `keys`.
fn variables(keys: &str) -> BTreeMap<String, String> {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    names.iter().zip(keys.split_whitespace()).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect()
}

/// A vault whose user linked `a`.
struct Linked {
    folder: tempfile::TempDir,
    vault: Vault,
}

fn configured(variables: &BTreeMap<String, String>, user: &str) -> Linked {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), user).unwrap();
    let vault = Vault::open(options(folder.path(), variables.clone()));
    Linked { folder, vault }
}

fn options(folder: &Path, variables: BTreeMap<String, String>) -> Options {
    Options {
        workspace: Some(folder.join("work")),
        user_config: folder.join("config.toml"),
        data: folder.join("data"),
        key: KeySource { given: None, file: None, keyring: false },
        vault_token: TokenSource::default(),
        approvals: Arc::new(Approvals::open(folder.join("approvals"))),
        process_variables: ProcessVariables(Arc::new(move |name| variables.get(name).map(|value| secret(value)))),
    }
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
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

/// The link has the value, for root.
async fn check_value(secret: &str, fields: &str, value: &str) {
    let Some(seeded) = shared() else { return };
    assert_eq!(seeded.root(secret, fields).judged().await, Ok(value.to_owned()), "{secret} {fields}");
}

/// The link has the problem, for root, in words that hold these.
async fn check_problem(secret: &str, fields: &str, reason: Reason, words: &str) {
    let Some(seeded) = shared() else { return };
    let problem = seeded.root(secret, fields).judged().await.unwrap_err();
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
    let Some(seeded) = shared() else { return };
    let id = seeded.told["versions"]["prod/db"].as_str().unwrap();
    check_value("prod/db", &format!("version = '{id}'"), "canary-aws-v1-7d20").await;
}

#[tokio::test]
async fn bytes_become_text_only_as_it_is_said() {
    check_value("binary", "encoding = 'base64'", "AP8QY2FuYXJ5").await;
    check_value("binary", "encoding = 'hex'", "00ff1063616e617279").await;
    check_value("bytes", "encoding = 'text'", "canary-bytes-4c1d").await;
    check_problem("binary", "encoding = 'text'", Reason::BadValue, "is not UTF-8").await;
    // That a secret is binary only its value tells.
    let Some(seeded) = shared() else { return };
    let linked = seeded.root("binary", "");
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
    let Some(seeded) = shared() else { return };
    let keys = variables(&format!("{} {}", ROOT.0, ROOT.1));
    let nothing = configured(&keys, &format!("{}{}", seeded.integration(), link(&arn("nope-AbCdEf"), "")));
    let expected = Problem::new(Reason::NotFound, "`team` has no secret `nope-AbCdEf`");
    assert_eq!(nothing.judged().await, Err(expected));
}

#[tokio::test]
async fn a_secret_that_is_to_be_deleted_is_gone() {
    check_problem("gone", "", Reason::VersionGone, "is marked for deletion").await;
}

#[tokio::test]
async fn a_policy_that_says_no_names_the_permission() {
    let Some(seeded) = shared() else { return };
    let problem = seeded.as_user(&seeded.keys("reader"), "json", "").judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden);
    assert!(problem.detail.contains("(AccessDeniedException)"), "{problem:?}");
    assert!(problem.detail.ends_with("it takes `secretsmanager:GetSecretValue`"), "{problem:?}");
    assert_eq!(seeded.as_user(&seeded.keys("reader"), "prod/db", "").judged().await, Ok("canary-aws-v2-91be".into()));
}

#[tokio::test]
async fn a_policy_for_the_value_alone_is_enough() {
    let Some(seeded) = shared() else { return };
    let linked = seeded.as_user(&seeded.keys("getter"), "prod/db", "");
    let status = linked.status("a").await;
    assert_eq!((status.problem, status.checked), (None, false));
    assert_eq!(linked.value("a").await, Ok("canary-aws-v2-91be".into()));
    assert!(linked.status("a").await.checked);
}

#[tokio::test]
async fn a_description_alone_does_not_prove_that_a_value_may_be_read() {
    let Some(seeded) = shared() else { return };
    let linked = seeded.as_user(&seeded.keys("looker"), "prod/db", "");
    assert_eq!(linked.status("a").await.problem, None);
    assert_eq!(linked.value("a").await.unwrap_err().reason, Reason::Forbidden);
    // What reading showed is what is said from then on.
    assert_eq!(linked.status("a").await.problem.unwrap().reason, Reason::Forbidden);
}

#[tokio::test]
async fn keys_that_are_not_accepted_ask_for_new_ones() {
    let Some(seeded) = shared() else { return };
    let reader = seeded.keys("reader");
    let id = reader.split(' ').next().unwrap();
    for (keys, code) in [
        ("AKIACANARY0000000000 canary-no-key".to_owned(), "(UnrecognizedClientException)"),
        (format!("{id} canary-wrong-key"), "(InvalidSignatureException)"),
    ] {
        let problem = seeded.as_user(&keys, "prod/db", "").judged().await.unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert!(problem.detail.ends_with(code) && !problem.detail.contains("canary"), "{problem:?}");
    }
    let problem = seeded.as_user("", "prod/db", "").judged().await.unwrap_err();
    let words = "there are no access keys for `team`: sign in, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, words));
}

#[tokio::test]
async fn a_session_ends() {
    let Some(seeded) = shared() else { return };
    let linked = seeded.as_user(&seeded.keys("short"), "prod/db", "");
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
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::LoginNeeded);
}

#[tokio::test]
async fn keys_can_be_typed_in_and_forgotten() {
    let Some(seeded) = shared() else { return };
    let linked = seeded.as_user("", "prod/db", "");
    for (typed, words) in [
        ("canary-half", "type the access key id"),
        ("AKIACANARY0000000000 canary-wrong", "does not accept the access keys of `team` (InvalidClientTokenId)"),
    ] {
        let problem = linked.vault.sign_in("team", &Given::new(secret(typed))).await.unwrap_err();
        assert_eq!((problem.reason, problem.detail.contains(words)), (Reason::LoginNeeded, true), "{problem:?}");
        assert!(!problem.detail.contains("canary"), "{problem:?}");
    }
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::LoginNeeded);
    linked.vault.sign_in("team", &Given::new(secret(&seeded.keys("reader")))).await.unwrap();
    assert_eq!(linked.judged().await, Ok("canary-aws-v2-91be".into()));
    linked.vault.disconnect("team").await.unwrap();
    assert_eq!(linked.judged().await.unwrap_err().reason, Reason::Disconnected);
}

#[tokio::test]
async fn a_role_is_assumed_for_a_secret() {
    let Some(seeded) = shared() else { return };
    let role = seeded.told["role"].as_str().unwrap();
    let fields = format!("json-key = 'port'\nrole-arn = '{role}'");
    assert_eq!(seeded.as_user(&seeded.keys("reader"), "json", &fields).judged().await, Ok("5432".into()));
    let problem = seeded.as_user(&seeded.keys("looker"), "json", &fields).judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden);
    assert!(problem.detail.ends_with("(AccessDenied); it takes `sts:AssumeRole`"), "{problem:?}");
}

#[tokio::test]
async fn profiles_of_the_aws_tools_are_used() {
    let Some(seeded) = shared() else { return };
    let profile = |header: &str, user: &str| {
        let keys = seeded.keys(user);
        let mut words = keys.split_whitespace();
        let (id, key) = (words.next().unwrap(), words.next().unwrap());
        format!("[{header}]\naws_access_key_id = {id}\naws_secret_access_key = {key}\n")
    };
    let linked = |choice: &str, credentials: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        fs::write(&file, credentials).unwrap();
        let place = BTreeMap::from([("AWS_SHARED_CREDENTIALS_FILE".to_owned(), file.to_str().unwrap().to_owned())]);
        let integration =
            format!("[integrations.team]\nprovider = 'aws'\nendpoint = '{}'\n{choice}\n", seeded.server.address);
        (configured(&place, &format!("{integration}{}", link(seeded.arn("prod/db"), ""))), folder)
    };
    let bad = "[default]\naws_access_key_id = AKIACANARY0000000000\naws_secret_access_key = canary-wrong\n";
    let usual = format!("{bad}{}", profile("main", "reader"));
    let (main, _files) = linked("", &usual);
    assert_eq!(main.judged().await, Ok("canary-aws-v2-91be".into()));
    let (default, _files) = linked("", &profile("default", "reader"));
    assert_eq!(default.judged().await, Ok("canary-aws-v2-91be".into()));
    let (named, files) = linked("profile = 'default'", &usual);
    assert_eq!(named.judged().await.unwrap_err().reason, Reason::LoginNeeded);
    // The files are looked at anew after keys were refused.
    fs::write(files.path().join("credentials"), profile("default", "reader")).unwrap();
    named.vault.reset(None).await;
    assert_eq!(named.judged().await, Ok("canary-aws-v2-91be".into()));
    let (absent, _files) = linked("profile = 'prod'", &usual);
    let detail = "the AWS tools' files have no profile `prod`; `team` wants it";
    assert_eq!(absent.judged().await, Err(Problem::new(Reason::NotConfigured, detail)));
    let (none, _files) = linked("", &profile("other", "reader"));
    assert_eq!(none.judged().await.unwrap_err().reason, Reason::NotConfigured);
    let (broken, _files) = linked("", "canary no format");
    let problem = broken.judged().await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains("canary")), (Reason::NotConfigured, false), "{problem:?}");
}

#[tokio::test]
async fn without_files_of_profiles_nobody_is_signed_in() {
    let text = format!("[integrations.team]\nprovider = 'aws'\n{}", link(&arn("a"), ""));
    let problem = configured(&BTreeMap::new(), &text).judged().await.unwrap_err();
    let detail = "there is no `~/.aws/config` and no `~/.aws/credentials` for `team`";
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, detail));
}

#[tokio::test]
async fn a_process_of_a_profile_gives_credentials() {
    let Some(seeded) = shared() else { return };
    if cfg!(not(unix)) {
        return;
    }
    let keys = seeded.keys("reader");
    let mut words = keys.split_whitespace();
    let folder = tempfile::tempdir().unwrap();
    let answer = serde_json::json!({"Version": 1, "AccessKeyId": words.next(), "SecretAccessKey": words.next()});
    fs::write(folder.path().join("answer"), answer.to_string()).unwrap();
    let config = format!("[profile tool]\ncredential_process = cat {}/answer\n", folder.path().display());
    fs::write(folder.path().join("config"), config).unwrap();
    let place = folder.path().join("config").to_str().unwrap().to_owned();
    let integration =
        format!("[integrations.team]\nprovider = 'aws'\nprofile = 'tool'\nendpoint = '{}'\n", seeded.server.address);
    let text = format!("{integration}{}", link(seeded.arn("prod/db"), ""));
    let linked = configured(&BTreeMap::from([("AWS_CONFIG_FILE".to_owned(), place)]), &text);
    assert_eq!(linked.judged().await, Ok("canary-aws-v2-91be".into()));
    fs::write(folder.path().join("answer"), "canary-nonsense").unwrap();
    let text = text.replace("profile = 'tool'", "region = 'eu-west-1'\nprofile = 'tool'");
    let place = folder.path().join("config").to_str().unwrap().to_owned();
    let problem =
        configured(&BTreeMap::from([("AWS_CONFIG_FILE".to_owned(), place)]), &text).judged().await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains("canary")), (Reason::LoginNeeded, false), "{problem:?}");
}

#[tokio::test]
async fn names_are_listed_page_by_page() {
    let Some(seeded) = shared() else { return };
    let names = seeded.root("prod/db", "").vault.names_beside(&name("a")).await.unwrap();
    assert!(names.len() > 100 && names.iter().any(|name| name == "many/99"), "{}", names.len());
    let problem =
        seeded.as_user(&seeded.keys("reader"), "prod/db", "").vault.names_beside(&name("a")).await.unwrap_err();
    assert!(problem.detail.ends_with("it takes `secretsmanager:ListSecrets`"), "{problem:?}");
}

#[tokio::test]
async fn a_hundred_secrets_are_had_at_once() {
    let Some(seeded) = shared() else { return };
    let mut text = seeded.integration();
    for index in 0..100 {
        let arn = seeded.arn(&format!("many/{index}"));
        text += &format!("[secrets.s{index}]\nintegration = 'team'\narn = '{arn}'\n");
    }
    let linked = configured(&variables(&format!("{} {}", ROOT.0, ROOT.1)), &text);
    let asked = (0..100).map(|index| {
        let linked = &linked;
        async move { linked.value(&format!("s{index}")).await }
    });
    for (index, outcome) in futures_util::future::join_all(asked).await.into_iter().enumerate() {
        assert_eq!(outcome, Ok(format!("canary-many-{index}")));
    }
}

#[tokio::test]
async fn a_relinked_name_never_serves_the_old_value() {
    let Some(seeded) = shared() else { return };
    let linked = seeded.root("prod/db", "");
    assert_eq!(linked.value("a").await, Ok("canary-aws-v2-91be".into()));
    let text = format!("{}{}", seeded.integration(), link(seeded.arn("prod/db"), "version = 'AWSPREVIOUS'"));
    fs::write(linked.folder.path().join("config.toml"), text).unwrap();
    linked.vault.reload(None);
    assert_eq!(linked.value("a").await, Ok("canary-aws-v1-7d20".into()));
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!("{}{}", integration(&format!("http://127.0.0.1:{port}")), link(&arn("a"), ""));
    let problem = configured(&variables("canary-id canary-key"), &text).judged().await.unwrap_err();
    let detail = format!("`http://127.0.0.1:{port}` cannot be reached: the connection was refused");
    assert_eq!(problem, Problem::new(Reason::Unreachable, detail));
}

/// Not an emulator: a listener of ours that does what the emulator cannot be made to do, and counts who comes.
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
                    let _ = stream.read(&mut [0; 8192]);
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
        let text = format!("{}{}", integration(&self.address), link(&arn("a"), ""));
        configured(&variables("canary-id canary-key"), &text).judged().await.unwrap_err()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let stand_in = StandIn::start(|_| thread::park());
    let started = tokio::time::Instant::now();
    let problem = stand_in.judged().await;
    assert_eq!(problem.reason, Reason::Unreachable);
    assert!(problem.detail.contains("no answer"), "{problem:?}");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
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
        let text = format!("{}{}", integration(&stand_in.address), link(&arn("a"), ""));
        let problem = configured(&variables("canary-id canary-key"), &text).value("a").await.unwrap_err();
        assert_eq!(problem.reason, *reason, "{code} {status}");
        assert!(!problem.detail.contains("canary-") && !problem.detail.contains('<'), "{problem:?}");
    });
    futures_util::future::join_all(asked).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_from_wrong_keys() {
    let headers = "Content-Type: application/x-amz-json-1.1\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\n";
    let body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}";
    let problem = StandIn::answering("400 Bad Request", headers, body).judged().await;
    assert_eq!(problem.reason, Reason::ClockSkew);
    assert!(problem.detail.contains("s ahead of"), "{problem:?}");
}

#[tokio::test]
async fn an_answer_of_something_else_is_not_taken_for_aws() {
    for body in ["<html>Please log in to the hotel's network</html>", "[]", ""] {
        let problem = StandIn::answering("200 OK", "", body).judged().await;
        assert!(matches!(problem.reason, Reason::Unreachable), "{body}: {problem:?}");
    }
}

#[tokio::test]
async fn tls_where_there_is_none_is_told() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let address = stand_in.address.replace("http:", "https:");
    let text = format!("{}{}", integration(&address), link(&arn("a"), ""));
    let problem = configured(&variables("canary-id canary-key"), &text).judged().await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls, "{problem:?}");
}

#[tokio::test]
async fn an_unapproved_workspace_makes_no_connection() {
    let stand_in = StandIn::answering("200 OK", "", "{}");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("work")).unwrap();
    fs::write(folder.path().join("config.toml"), integration(&stand_in.address)).unwrap();
    fs::write(folder.path().join("work/vaultls.toml"), link(&arn("a"), "")).unwrap();
    let vault = Vault::open(options(folder.path(), variables("canary-id canary-key")));
    assert_eq!(vault.status(&name("a")).await.problem.unwrap().reason, Reason::Untrusted);
    assert_eq!(vault.value(&name("a")).await.err().unwrap().reason, Reason::Untrusted);
    assert_eq!(vault.names_beside(&name("a")).await.unwrap_err().reason, Reason::Untrusted);
    vault.known();
    assert_eq!(stand_in.came.load(Ordering::SeqCst), 0);
    for pending in vault.pending() {
        vault.approve(&pending).unwrap();
    }
    vault.status(&name("a")).await;
    assert!(stand_in.came.load(Ordering::SeqCst) > 0);
}
