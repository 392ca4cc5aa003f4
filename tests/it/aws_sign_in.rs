//! Signing in to AWS: keys, profiles, second factors. The emulator accepts every code of six digits and never counts a
//! session as one with a second factor, so a stand-in of ours refuses a code, and has two accounts.
#![expect(clippy::disallowed_methods, reason = "the tests write the files of the AWS tools")]

use std::{
    collections::VecDeque,
    fs,
    io::{Read, Write},
    net::TcpListener,
    sync::Mutex,
    thread,
};

use futures_util::{FutureExt, future::BoxFuture};
use vaultls::{
    status::{Problem, Reason, Session},
    vault::{
        person::{Answers, Field, FieldKind, Page, Person, gave_up},
        value::SecretValue,
    },
};

use crate::support::{
    home::{Home, User, secret},
    ministack::{ACCOUNT, Seeded},
};

/// Somebody who types these answers, one question after the other, and then gives up.
struct Typist {
    answers: Mutex<VecDeque<Vec<(&'static str, String)>>>,
    /// What was asked: the message, and the fields.
    asked: Mutex<Vec<(String, Vec<Field>)>>,
}

impl Typist {
    fn new<const N: usize>(answers: [Vec<(&'static str, String)>; N]) -> Self {
        Self { answers: Mutex::new(answers.into()), asked: Mutex::default() }
    }

    fn messages(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(message, _)| message.clone()).collect()
    }

    fn kinds(&self) -> Vec<Vec<FieldKind>> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, fields)| fields.iter().map(|field| field.kind).collect()).collect()
    }
}

impl Person for Typist {
    fn ask<'a>(&'a self, message: &'a str, fields: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        self.asked.lock().unwrap().push((message.to_owned(), fields));
        let answers = self.answers.lock().unwrap().pop_front().ok_or_else(gave_up);
        let typed =
            answers.map(|answers| answers.into_iter().map(|(id, text)| (id.to_owned(), secret(&text))).collect());
        std::future::ready(typed).boxed()
    }

    fn visit<'a>(&'a self, _: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        std::future::ready(Err(gave_up())).boxed()
    }
}

fn keys([id, key]: [&str; 2]) -> Vec<(&'static str, String)> {
    vec![("access-key-id", id.to_owned()), ("secret-access-key", key.to_owned())]
}

fn code(text: &str) -> Vec<(&'static str, String)> {
    vec![("code", text.to_owned())]
}

const KEYS: [FieldKind; 3] = [FieldKind::Text, FieldKind::Hidden, FieldKind::Hidden];
const CODE: [FieldKind; 1] = [FieldKind::Otp];

/// The links `a`, and `b` with `role` if there is one.
fn config(address: &str, choice: &str, arn: &str, role: Option<&str>) -> String {
    let role = role.map(|role| format!("[secrets.b]\nintegration = 'team'\narn = '{arn}'\nrole-arn = '{role}'\n"));
    format!(
        "[integrations.team]\nprovider = 'aws'\nendpoint = '{address}'\n{choice}\n[secrets.a]\nintegration = 'team'\narn = '{arn}'\n{}",
        role.unwrap_or_default()
    )
}

fn with_keys(seeded: &Seeded, role: Option<&str>) -> User {
    let config = config(&seeded.server.address, "auth = { method = 'keys' }", seeded.arn("prod/db"), role);
    User { config, ..User::default() }
}

/// A user with the AWS tools' file of profiles, of which `team` is used.
struct Profiled {
    home: Home,
    _folder: tempfile::TempDir,
}

fn with_profile(seeded: &Seeded, user: &str, rest: &str) -> Profiled {
    let [id, key] = seeded.key_pair(user);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = {key}\n");
    fs::write(&file, format!("[profile keys]\n{keys}[profile team]\n{}", rest.replace("KEYS\n", &keys))).unwrap();
    let config = config(&seeded.server.address, "profile = 'team'\nregion = 'eu-west-1'", seeded.arn("prod/db"), None);
    let user = User { config, ..User::default() };
    let home = user.with_variables([("AWS_CONFIG_FILE", file.to_str().unwrap())]).open();
    Profiled { home, _folder: folder }
}

async fn sign_in(home: &Home, person: &Typist) -> Result<Session, Problem> {
    home.vault.sign_in("team", person).await
}

const VALUE: &str = "canary-aws-v2-91be";

#[tokio::test]
async fn keys_are_three_fields_and_tell_who_one_is() {
    let Some(seeded) = Seeded::shared() else { return };
    let home = with_keys(seeded, None).open();
    let person = Typist::new([keys(seeded.key_pair("reader"))]);
    let session = sign_in(&home, &person).await.unwrap();
    let may_stay_empty: Vec<bool> = person.asked.lock().unwrap()[0].1.iter().map(|field| field.optional).collect();
    assert_eq!(may_stay_empty, [false, false, true]);
    // Who may not look for devices goes on without.
    assert_eq!(person.kinds(), [KEYS.to_vec()]);
    assert_eq!(session.who, Some(format!("arn:aws:iam::{ACCOUNT}:user/reader")));
    assert_eq!(session.organization.as_deref(), Some(ACCOUNT));
    assert!(session.until.is_some());
    assert_eq!(home.vault.session("team"), Some(session));
    assert_eq!(home.judged("a").await, Ok(VALUE.into()));
    home.vault.disconnect("team").await.unwrap();
    assert_eq!(home.vault.session("team"), None);
}

#[tokio::test]
async fn half_of_the_keys_is_not_enough() {
    let Some(seeded) = Seeded::shared() else { return };
    for fields in [keys(["canary-id", ""]), keys(["", "canary-key"]), keys(["a b c d", ""])] {
        let problem = sign_in(&with_keys(seeded, None).open(), &Typist::new([fields])).await.unwrap_err();
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert!(problem.detail.starts_with("type the access key id"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_device_has_its_code_asked_for() {
    let Some(seeded) = Seeded::shared() else { return };
    let home = with_keys(seeded, None).open();
    let person = Typist::new([keys(seeded.key_pair("factor")), code("12345"), code(" 123456 ")]);
    let session = sign_in(&home, &person).await.unwrap();
    // A number of five digits never leaves this machine.
    assert_eq!(person.kinds(), [KEYS.to_vec(), CODE.to_vec(), CODE.to_vec()]);
    let messages = person.messages();
    assert!(messages[1].contains(seeded.device()) && messages[2].contains("six digits"), "{messages:?}");
    assert_eq!(session.who, Some(format!("arn:aws:iam::{ACCOUNT}:user/factor")));
    let left = session.until.unwrap().duration_since(std::time::SystemTime::now()).unwrap();
    assert!(left.as_secs() > 3 * 60 * 60, "a session of the service, not the two hours of typed keys: {left:?}");
    assert_eq!(home.judged("a").await, Ok(VALUE.into()));
}

#[tokio::test]
async fn a_role_that_wants_a_second_factor_says_so() {
    let Some(seeded) = Seeded::shared() else { return };
    let [id, key] = seeded.key_pair("factor");
    let user = with_keys(seeded, Some(seeded.role("strict")));
    let home = user.with_variables([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", key)]).open();
    let problem = home.judged("b").await.unwrap_err();
    assert_eq!(problem.reason, Reason::MfaNeeded);
    assert!(problem.detail.contains("sign in to `team`"), "{problem:?}");
    // Who goes on without a code is told the same. Empty fields mean the keys of the environment.
    sign_in(&home, &Typist::new([vec![], code("")])).await.unwrap();
    assert_eq!(home.judged("b").await.unwrap_err().reason, Reason::MfaNeeded);
    // With one, what remains is a refusal: the emulator never counts a second factor.
    sign_in(&home, &Typist::new([vec![], code("123456")])).await.unwrap();
    assert_eq!(home.judged("b").await.unwrap_err().reason, Reason::Forbidden);
}

#[tokio::test]
async fn a_role_is_assumed_from_a_session_with_a_second_factor() {
    let Some(seeded) = Seeded::shared() else { return };
    let home = with_keys(seeded, Some(seeded.role("open"))).open();
    sign_in(&home, &Typist::new([keys(seeded.key_pair("factor")), code("123456")])).await.unwrap();
    assert_eq!(home.judged("b").await, Ok(VALUE.into()));
}

#[tokio::test]
async fn a_profile_with_nothing_to_ask_is_verified() {
    let Some(seeded) = Seeded::shared() else { return };
    let profiled = with_profile(seeded, "reader", "KEYS\n");
    let person = Typist::new([]);
    let session = sign_in(&profiled.home, &person).await.unwrap();
    assert_eq!(session.who, Some(format!("arn:aws:iam::{ACCOUNT}:user/reader")));
    assert!(person.kinds().is_empty());
    assert_eq!(profiled.home.judged("a").await, Ok(VALUE.into()));
}

#[tokio::test]
async fn a_profile_with_a_serial_number_waits_for_its_code() {
    let Some(seeded) = Seeded::shared() else { return };
    let rest = format!("KEYS\nmfa_serial = {}\n", seeded.device());
    let profiled = with_profile(seeded, "factor", &rest);
    let problem = profiled.home.judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::MfaNeeded);
    assert!(problem.detail.contains(seeded.device()), "{problem:?}");
    let problem = sign_in(&profiled.home, &Typist::new([code("canary")])).await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains("canary")), (Reason::MfaNeeded, false), "{problem:?}");
    let person = Typist::new([code("123456")]);
    sign_in(&profiled.home, &person).await.unwrap();
    assert_eq!(person.kinds(), [CODE.to_vec()]);
    assert_eq!(profiled.home.judged("a").await, Ok(VALUE.into()));
    profiled.home.vault.disconnect("team").await.unwrap();
    assert_eq!(profiled.home.judged("a").await.unwrap_err().reason, Reason::Disconnected);
}

#[tokio::test]
async fn a_profile_of_a_role_is_assumed_with_its_code() {
    let Some(seeded) = Seeded::shared() else { return };
    let role = |name: &str| {
        let (role, device) = (seeded.role(name), seeded.device());
        format!("role_arn = {role}\nsource_profile = keys\nmfa_serial = {device}\nrole_session_name = me\n")
    };
    let profiled = with_profile(seeded, "factor", &role("open"));
    assert_eq!(profiled.home.judged("a").await.unwrap_err().reason, Reason::MfaNeeded);
    let session = sign_in(&profiled.home, &Typist::new([code("123456")])).await.unwrap();
    assert_eq!(session.who, Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/open-reader/me")));
    assert_eq!(profiled.home.judged("a").await, Ok(VALUE.into()));
    // Nobody but `reader` may be this one.
    let refused = with_profile(seeded, "factor", &role("team"));
    let problem = sign_in(&refused.home, &Typist::new([code("123456")])).await.unwrap_err();
    assert_eq!(problem.reason, Reason::Forbidden, "{problem:?}");
    assert!(problem.detail.ends_with("it takes `sts:AssumeRole`"), "{problem:?}");
}

/// A stand-in of ours for AWS, for what the emulator does not do: it refuses every code in the words of AWS, and the
/// account is the one that the access key id ends in.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = String::new();
            let mut buffer = [0; 8192];
            while !request.contains("Action=") {
                match stream.read(&mut buffer) {
                    Ok(length) if length > 0 => request.push_str(&String::from_utf8_lossy(&buffer[..length])),
                    _ => break,
                }
            }
            let (status, body) = reply(&request);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    });
    address
}

fn reply(request: &str) -> (&'static str, String) {
    let account = request.split("Credential=AKIA").nth(1).map_or("", |rest| &rest[..12]);
    if request.contains("Action=GetCallerIdentity") {
        let who = format!("<Arn>arn:aws:iam::{account}:user/dev</Arn><UserId>U</UserId><Account>{account}</Account>");
        let result = format!("<GetCallerIdentityResult>{who}</GetCallerIdentityResult>");
        ("200 OK", format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
    } else if request.contains("Action=ListMFADevices") {
        // The second account has no devices.
        let device = format!("<member><SerialNumber>arn:aws:iam::{account}:mfa/dev</SerialNumber></member>");
        let devices = if account.starts_with('2') { String::new() } else { device };
        ("200 OK", format!("<ListMFADevicesResponse><MFADevices>{devices}</MFADevices></ListMFADevicesResponse>"))
    } else {
        let words = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        let error = format!("<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{words}</Message></Error>");
        ("403 Forbidden", format!("<ErrorResponse>{error}</ErrorResponse>"))
    }
}

fn before_stand_in() -> Home {
    let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf";
    User { config: config(&refusing(), "auth = { method = 'keys' }", arn, None), ..User::default() }.open()
}

const FIRST: [&str; 2] = ["AKIA111111111111", "canary-key-1"];
const SECOND: [&str; 2] = ["AKIA222222222222", "canary-key-2"];

#[tokio::test]
async fn a_code_that_is_refused_is_asked_for_again_and_then_given_up() {
    let home = before_stand_in();
    let person = Typist::new([keys(FIRST), code("111111"), code("222222"), code("333333"), code("444444")]);
    let problem = sign_in(&home, &person).await.unwrap_err();
    assert_eq!(problem.reason, Reason::MfaNeeded);
    assert!(problem.detail.contains("was not accepted") && !problem.detail.contains("canary"), "{problem:?}");
    assert_eq!(person.kinds().len(), 4);
    assert_eq!(home.vault.session("team"), None);
    // Who gives up after the first learns why it failed.
    let person = Typist::new([keys(FIRST), code("111111")]);
    assert_eq!(sign_in(&home, &person).await.unwrap_err().detail, problem.detail);
}

#[tokio::test]
async fn keys_of_another_account_are_refused_until_the_first_is_left() {
    let home = before_stand_in();
    sign_in(&home, &Typist::new([keys(FIRST), code("")])).await.unwrap();
    let problem = sign_in(&home, &Typist::new([keys(SECOND)])).await.unwrap_err();
    assert_eq!(problem.reason, Reason::LoginNeeded);
    assert!(problem.detail.contains("disconnect `team` first"), "{problem:?}");
    assert_eq!(home.vault.session("team").unwrap().organization.as_deref(), Some("111111111111"));
    home.vault.disconnect("team").await.unwrap();
    let session = sign_in(&home, &Typist::new([keys(SECOND)])).await.unwrap();
    assert_eq!(session.organization.as_deref(), Some("222222222222"));
}
