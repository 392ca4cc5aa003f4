//! Every way to sign in to a real OpenBao: what it brings, how long it lasts, how it ends, and what a refusal says.
#![expect(clippy::disallowed_methods, reason = "the tests write the files of tokens that the program reads")]

use std::{
    fmt::Write,
    net::TcpListener,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::{OnceCell, oneshot};
use vaultls::{
    status::{Problem, Reason},
    vault::{
        person::Given,
        provider::{Leads, Shelf},
    },
};

use crate::support::{
    agent::{Agent, Browser, PASSWORD, Typist, USER},
    browser::{Pages, Visitor, browser},
    home::{Home, User, pass, secret},
    openbao::{OpenBao, ROOT},
    ports,
};

const VALUE: &str = "canary-signed-in-7d20";
/// How long the sessions of some users last.
const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);

/// A server with users, roles, and an OIDC provider that its own JWT auth method trusts.
struct Seeded {
    _server: OpenBao,
    agent: Agent,
    client_id: String,
    issuer: String,
}

/// The server that all tests share which do not disturb each other.
async fn shared() -> Option<&'static Seeded> {
    static SERVER: OnceCell<Option<Seeded>> = OnceCell::const_new();
    let start = async || Some(seeded(OpenBao::start()?, "").await);
    SERVER.get_or_init(start).await.as_ref()
}

async fn seeded(server: OpenBao, namespace: &str) -> Seeded {
    let root = Agent::of(&server);
    if !namespace.is_empty() {
        root.ask("PUT", &format!("sys/namespaces/{namespace}"), Value::Null).await;
    }
    let agent = root.within(namespace);
    agent.secret(VALUE).await;
    agent.people().await;
    let (client_id, issuer) = agent.oidc(json!({})).await;
    Seeded { _server: server, agent, client_id, issuer }
}

impl Seeded {
    /// A user who signs in by `auth`.
    fn user(&self, auth: &str) -> User {
        self.user_with(auth, "")
    }

    fn user_with(&self, auth: &str, more: &str) -> User {
        let mut config = format!("[integrations.team]\nprovider = 'hashicorp'\naddress = '{}'\n", self.agent.address);
        if !self.agent.namespace.is_empty() {
            writeln!(config, "namespace = '{}'", self.agent.namespace).unwrap();
        }
        write!(config, "auth = {{ {auth} }}\n{more}\n").unwrap();
        config += "[secrets.a]\nintegration = 'team'\nengine = 'kv'\npath = 'app'\nkey = 'password'\n";
        User { config, ..User::default() }
    }

    fn oidc(&self, more: &str) -> String {
        format!(
            "method = 'oidc', provider-url = '{}', jwt-path = 'postman-jwt', client-id = '{}'{more}",
            self.issuer, self.client_id
        )
    }

    /// The same on ports of this test.
    fn oidc_on(&self, ports: &[u16]) -> String {
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        self.oidc(&format!(", redirect-ports = '{}'", ports.join(",")))
    }
}

/// Two ports at which nobody listens.
fn free_ports() -> [u16; 2] {
    let first = ports::reserve(2);
    [first, first + 1]
}

fn typist(username: &str, password: &str) -> Typist {
    Typist(vec![("username", username.into()), ("password", password.into())])
}

/// The value of `a`, read anew.
async fn fresh(home: &Home) -> Result<String, Problem> {
    home.vault.reset(None).await;
    home.judged("a").await
}

#[tokio::test]
async fn a_name_and_a_password_sign_in() {
    let Some(server) = shared().await else { return };
    let home = server.user("method = 'userpass'").open();
    let problem = fresh(&home).await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "nobody is signed in to `team`"));
    assert_eq!(home.vault.session("team"), None);
    let session = home.vault.sign_in("team", &typist(USER, PASSWORD)).await.unwrap();
    assert_eq!(session.who.as_deref(), Some("userpass-alice"));
    assert_eq!(session.organization.as_deref(), Some(server.agent.address.as_str()));
    assert!(session.until.is_some());
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    assert_eq!(home.vault.session("team").unwrap().who, session.who);
}

#[tokio::test]
async fn a_written_name_leaves_the_password_to_ask_for() {
    let Some(server) = shared().await else { return };
    let home = server.user(&format!("method = 'userpass', username = '{USER}'")).open();
    home.vault.sign_in("team", &Given::new(secret(PASSWORD))).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn a_session_that_nobody_can_use_any_more_is_revoked() {
    let Some(server) = shared().await else { return };
    server.agent.user("grace", json!({})).await;
    let alive = async || server.agent.tokens_of("userpass-grace").await;
    let user = server.user("method = 'userpass'");
    let (config, home) = (user.config.clone(), user.open());
    home.vault.sign_in("team", &typist("grace", PASSWORD)).await.unwrap();
    assert_eq!((fresh(&home).await, alive().await), (Ok(VALUE.into()), 1));
    // Defined otherwise, the integration is another one.
    home.rewrite(&config.replace("method = 'userpass'", "method = 'userpass', username = 'grace'"));
    assert_eq!(home.value("a").await.unwrap_err().reason, Reason::LoginNeeded);
    let end = Instant::now() + Duration::from_secs(60);
    while alive().await > 0 {
        assert!(Instant::now() < end, "the token lives on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The program ends.
    home.vault.sign_in("team", &Given::new(secret(PASSWORD))).await.unwrap();
    assert_eq!(alive().await, 1);
    home.vault.end().await;
    assert_eq!(alive().await, 0);
}

#[tokio::test]
async fn a_value_is_cached_no_longer_than_its_session_lives() {
    let Some(server) = shared().await else { return };
    // Far less than a value is cached for.
    server.agent.user("frank", json!({"token_ttl": "10m", "token_max_ttl": "10m"})).await;
    let home = server.user("method = 'userpass'").open();
    home.vault.sign_in("team", &typist("frank", PASSWORD)).await.unwrap();
    assert_eq!(home.value("a").await, Ok(VALUE.into()));
    let cached = home.status("a").await.origin.and_then(|origin| origin.cached_for);
    assert!(cached.is_some_and(|left| left <= TEN_MINUTES), "{cached:?}");
}

#[tokio::test]
async fn a_lock_out_is_told_from_a_wrong_password() {
    let Some(server) = shared().await else { return };
    server.agent.user("bob", json!({})).await;
    let home = server.user("method = 'userpass'").open();
    let outcome = async |password| home.vault.sign_in("team", &typist("bob", password)).await;
    let wrong = outcome("canary-wrong").await.unwrap_err();
    assert_eq!(wrong.reason, Reason::LoginNeeded);
    assert!(wrong.detail.contains("does not accept this password for `bob`"), "{wrong:?}");
    for _ in 0..4 {
        outcome("canary-wrong").await.unwrap_err();
    }
    let locked = outcome(PASSWORD).await.unwrap_err();
    assert_eq!(locked.reason, Reason::Forbidden);
    assert!(locked.detail.contains("the user is locked out for a while"), "{locked:?}");
}

#[tokio::test]
async fn a_user_name_is_no_path() {
    let Some(server) = shared().await else { return };
    let home = server.user("method = 'userpass'").open();
    for name in ["../../token/create", "a/b", "a?x", "", "."] {
        let problem = home.vault.sign_in("team", &typist(name, PASSWORD)).await.unwrap_err();
        assert_eq!(problem.detail, "this is no user name of a Vault", "{name}");
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for() {
    let Some(bao) = OpenBao::start() else { return };
    let server = seeded(bao, "").await;
    let agent = &server.agent;
    agent.second_factor().await;

    let home = server.user("method = 'userpass'").open();
    let with =
        |code: &str| Typist(vec![("username", USER.into()), ("password", PASSWORD.into()), ("code0", code.into())]);
    let wrong = home.vault.sign_in("team", &with("000000")).await.unwrap_err();
    assert_eq!(wrong.reason, Reason::MfaNeeded, "{wrong:?}");
    // It counts for half a minute.
    let code = agent.ask("GET", "totp/code/alice", Value::Null).await["data"]["code"].clone();
    home.vault.sign_in("team", &with(code.as_str().unwrap())).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

/// An AppRole for the secret, and its ids.
async fn approle(agent: &Agent, name: &str, more: Value) -> (String, String) {
    let (status, _) = agent.ask_as(ROOT, "POST", "sys/auth/approle", &json!({"type": "approle"})).await;
    assert!(matches!(status, 204 | 400), "{status}");
    let mut role = json!({"token_policies": "reader"});
    role.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    agent.ask("POST", &format!("auth/approle/role/{name}"), role).await;
    let id = agent.ask("GET", &format!("auth/approle/role/{name}/role-id"), Value::Null).await;
    let secret = agent.ask("POST", &format!("auth/approle/role/{name}/secret-id"), json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&id["data"]["role_id"]), text(&secret["data"]["secret_id"]))
}

#[tokio::test]
async fn an_approle_signs_in_by_itself() {
    let Some(server) = shared().await else { return };
    let (role_id, secret_id) = approle(&server.agent, "ci", json!({})).await;
    let ids = [("VAULT_ROLE_ID", role_id.as_str()), ("VAULT_SECRET_ID", secret_id.as_str())];
    let home = server.user("method = 'approle'").with_variables(ids).open();
    assert_eq!(home.judged("a").await, Ok(VALUE.into()));
    let auth = format!("method = 'approle', role-id = '{role_id}'");
    let home = server.user(&auth).with_variables([ids[1]]).open();
    assert_eq!(home.judged("a").await, Ok(VALUE.into()));

    let problem = server.user(&auth).open().judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "`team` signs in by AppRole: set VAULT_SECRET_ID"));
    let wrong = server.user(&auth).with_variables([("VAULT_SECRET_ID", "canary-wrong")]).open();
    let problem = wrong.judged("a").await.unwrap_err();
    assert_eq!(problem.reason, Reason::LoginNeeded);
    assert!(problem.detail.ends_with("does not accept VAULT_SECRET_ID for this role id"), "{problem:?}");
}

#[tokio::test]
async fn what_signs_in_by_itself_does_so_again() {
    let Some(bao) = OpenBao::start() else { return };
    let server = seeded(bao, "").await;
    let (role_id, secret_id) = approle(&server.agent, "ci", json!({"token_ttl": "10m", "token_max_ttl": "10m"})).await;
    let ids = [("VAULT_ROLE_ID", role_id.as_str()), ("VAULT_SECRET_ID", secret_id.as_str())];
    let home = server.user("method = 'approle'").with_variables(ids).open();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    let alive = async || server.agent.tokens_of("approle").await;
    assert_eq!(alive().await, 1);
    // Revoked behind our back, then run out in time: each time there is a new one.
    server.agent.ask("POST", "sys/leases/revoke-prefix/auth/approle/login", json!({})).await;
    assert_eq!((alive().await, fresh(&home).await, alive().await), (0, Ok(VALUE.into()), 1));
    pass(TEN_MINUTES).await;
    // By the clock of the server the one before is still good.
    assert_eq!((fresh(&home).await, alive().await), (Ok(VALUE.into()), 2));
}

/// A JWT auth method at `mount` that trusts the tokens of the server's own identities, and such a token.
async fn signed_token(server: &Seeded, mount: &str) -> String {
    let agent = &server.agent;
    agent.ask("POST", "identity/oidc/key/ci", json!({"allowed_client_ids": "*"})).await;
    agent.ask("POST", "identity/oidc/role/ci", json!({"key": "ci", "client_id": "vault"})).await;
    agent.ask("POST", &format!("sys/auth/{mount}"), json!({"type": "jwt"})).await;
    let issuer = format!("{}/v1/identity/oidc", agent.address);
    agent.ask("POST", &format!("auth/{mount}/config"), json!({"oidc_discovery_url": issuer})).await;
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": "vault", "token_policies": "reader",
    });
    agent.ask("POST", &format!("auth/{mount}/role/ci"), role.clone()).await;
    let other = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": "another"});
    agent.ask("POST", &format!("auth/{mount}/role/other"), other).await;
    let (status, told) = agent.ask_as(&agent.token().await, "GET", "identity/oidc/token/ci", &Value::Null).await;
    assert_eq!(status, 200, "{told}");
    told["data"]["token"].as_str().unwrap().to_owned()
}

/// NB. Kubernetes itself is not here: its auth method takes the same question at the same kind of path, which a JWT auth
/// method answers.
#[tokio::test]
async fn a_token_in_a_file_signs_in_by_itself() {
    let Some(server) = shared().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    for (mount, method) in [("ci-jwt", "method = 'jwt', mount = 'ci-jwt'"), ("kubernetes", "method = 'kubernetes'")] {
        let token = signed_token(server, mount).await;
        let auth = |role: &str, file: &Path| format!("{method}, role = '{role}', jwt-file = '{}'", file.display());
        std::fs::write(&file, format!("{token}\n")).unwrap();
        assert_eq!(server.user(&auth("ci", &file)).open().judged("a").await, Ok(VALUE.into()));
        for (role, text, words) in [
            ("nope", token.as_str(), "has not the role `nope`"),
            ("other", token.as_str(), "does not accept the token's audience"),
            ("ci", "canary.not.signed", "does not accept the token at"),
        ] {
            std::fs::write(&file, text).unwrap();
            let problem = server.user(&auth(role, &file)).open().judged("a").await.unwrap_err();
            assert!(problem.detail.contains(words), "{problem:?}");
        }
        let problem = server.user(&auth("ci", &folder.path().join("none"))).open().judged("a").await.unwrap_err();
        assert!(problem.detail.ends_with("there is none"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_session_in_use_is_renewed() {
    let Some(server) = shared().await else { return };
    server.agent.user("carol", json!({"token_ttl": "10m", "token_max_ttl": "10h"})).await;
    let home = server.user("method = 'userpass'").open();
    home.vault.sign_in("team", &typist("carol", PASSWORD)).await.unwrap();
    // In its last third, over and over.
    for _ in 0..4 {
        pass(TEN_MINUTES * 3 / 4).await;
        assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    }
    // The same token all the while.
    assert_eq!(server.agent.tokens_of("userpass-carol").await, 1);
}

#[tokio::test]
async fn a_session_ends_with_its_lease() {
    let Some(server) = shared().await else { return };
    server.agent.user("dave", json!({"token_ttl": "10m", "token_max_ttl": "10m"})).await;
    let home = server.user("method = 'userpass'").open();
    home.vault.sign_in("team", &typist("dave", PASSWORD)).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    pass(TEN_MINUTES).await;
    let problem = fresh(&home).await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "the session has expired at `team`"));
    assert_eq!(home.vault.session("team"), None);
}

#[tokio::test]
async fn a_session_is_revoked_when_it_is_ended() {
    let Some(server) = shared().await else { return };
    server.agent.user("erin", json!({})).await;
    let home = server.user("method = 'userpass'").open();
    home.vault.sign_in("team", &typist("erin", PASSWORD)).await.unwrap();
    assert_eq!(server.agent.tokens_of("userpass-erin").await, 1);
    home.vault.disconnect("team").await.unwrap();
    assert_eq!(server.agent.tokens_of("userpass-erin").await, 0);
    assert_eq!(fresh(&home).await.unwrap_err().reason, Reason::Disconnected);
}

#[tokio::test]
async fn a_token_that_was_typed_in_is_not_revoked() {
    let Some(server) = shared().await else { return };
    let made = server.agent.ask("POST", "auth/token/create", json!({"policies": ["reader"], "ttl": "1h"})).await;
    let token = made["auth"]["client_token"].as_str().unwrap();
    let home = server.user("method = 'token'").open();
    let session = home.vault.sign_in("team", &Given::new(secret(token))).await.unwrap();
    assert!(session.until.is_some());
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    home.vault.disconnect("team").await.unwrap();
    let (status, _) = server.agent.ask_as(token, "GET", "auth/token/lookup-self", &Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_browser_signs_in() {
    let Some(server) = shared().await else { return };
    let home = server.user(&server.oidc_on(&free_ports())).open();
    let session = home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap();
    assert!(session.who.unwrap().starts_with("postman-jwt-"));
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    home.vault.disconnect("team").await.unwrap();
}

#[tokio::test]
async fn the_browser_may_run_on_another_machine() {
    let Some(server) = shared().await else { return };
    let home = server.user(&server.oidc_on(&free_ports())).open();
    home.vault.sign_in("team", &Browser::Pastes(server.agent.clone())).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn the_second_port_is_used_where_the_first_is_taken() {
    let Some(server) = shared().await else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [taken.local_addr().unwrap().port(), free_ports()[0]];
    let home = server.user(&server.oidc_on(&ports)).open();
    home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

#[tokio::test]
async fn ports_that_are_all_taken_are_named() {
    let Some(server) = shared().await else { return };
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = taken.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let home = server.user(&server.oidc_on(&ports)).open();
    let problem = home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap_err();
    assert!(ports.iter().all(|port| problem.detail.contains(&port.to_string())), "{problem:?}");
}

#[tokio::test]
async fn a_page_that_nobody_comes_back_from_can_be_left() {
    let Some(server) = shared().await else { return };
    let ports = free_ports();
    let home = server.user(&server.oidc_on(&ports)).open();
    let (sender, shown) = oneshot::channel();
    let person = Browser::Stays(Mutex::new(Some(sender)));
    let page = tokio::select! {
        page = shown => page.unwrap(),
        outcome = home.vault.sign_in("team", &person) => panic!("{outcome:?}"),
    };
    let query: Vec<(String, String)> = page.url.query_pairs().into_owned().collect();
    let field = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(field("redirect_uri"), Some(format!("http://127.0.0.1:{}/", ports[0]).as_str()));
    assert_eq!((field("response_type"), field("scope")), (Some("code"), Some("openid")));
    assert_eq!(field("code_challenge_method"), Some("S256"));
    assert!(field("state").is_some_and(|state| state.len() >= 22) && field("nonce").is_some());
    // The sign-in was given up with its future, and the port is free again.
    // A program that another test starts at this moment has the socket as well, until it begins.
    while TcpListener::bind(("127.0.0.1", ports[0])).is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_browser_signs_in_to_a_namespace() {
    let Some(bao) = OpenBao::start() else { return };
    let server = seeded(bao, "team-a").await;
    assert!(server.issuer.contains("/v1/team-a/identity/oidc/"), "{}", server.issuer);
    let home = server.user(&server.oidc_on(&free_ports())).open();
    let session = home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap();
    assert_eq!(session.organization.unwrap(), format!("{}, namespace team-a", server.agent.address));
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
    home.vault.disconnect("team").await.unwrap();
}

#[tokio::test]
async fn the_browser_signs_in_over_tls_with_a_private_authority() {
    let Some(bao) = OpenBao::start_tls() else { return };
    let ca_file = format!("ca-file = '{}'", bao.ca_file().display());
    let server = seeded(bao, "").await;
    let auth = server.oidc("");
    let untrusting = server.user(&auth).open();
    let problem = untrusting.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap_err();
    assert_eq!(problem.reason, Reason::Tls);
    // Also the test of the ports that are used unless others are written.
    let home = server.user_with(&auth, &ca_file).open();
    home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap();
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

/// The page of OpenBao itself, in a real Chromium.
#[tokio::test]
async fn a_real_browser_signs_in() {
    let (Some(chromium), Some(server)) = (browser(), shared().await) else { return };
    let home = server.user(&server.oidc_on(&free_ports())).open();
    let (sender, shown) = oneshot::channel();
    let person = Browser::Stays(Mutex::new(Some(sender)));
    let visit = async {
        let page = shown.await.unwrap();
        let visitor = Visitor { user: USER, password: PASSWORD, denies: false };
        chromium.sign_in(Pages::Bao, page.url.as_str(), visitor, None).await
    };
    let (session, ended) = tokio::join!(home.vault.sign_in("team", &person), visit);
    assert!(session.unwrap().who.unwrap().starts_with("postman-jwt-"));
    assert!(ended.address.starts_with("http://127.0.0.1:"), "{}", ended.address);
    assert_eq!(fresh(&home).await, Ok(VALUE.into()));
}

/// What there is to choose from at `path`, and where it leads: folders and links as they are shown.
async fn choose(home: &Home, path: &[&str]) -> (String, Vec<String>) {
    let path = path.iter().map(ToString::to_string).collect();
    let found = home.vault.browse("team", &Shelf { path, ..Shelf::default() }).await.unwrap();
    assert!(found.by_hand.is_some() || !found.choices.is_empty());
    let shown = found.choices.into_iter().map(|choice| match choice.leads {
        Leads::To(path) => path.join(" > "),
        Leads::Link(link) => format!("{}:{}:{}", link.engine.unwrap(), link.path.unwrap(), link.key.unwrap()),
    });
    (found.title, shown.collect())
}

#[tokio::test]
async fn a_secret_is_found_by_choosing() {
    let Some(bao) = OpenBao::start() else { return };
    bao.mount("team/kv", 2);
    bao.ask("POST", "team/kv/data/app/db", &json!({"data": {"password": "canary-1", "object": {"a": "canary-2"}}}));
    bao.ask("POST", "team/kv/data/top", &json!({"data": {"k": "canary-3"}}));
    let server = seeded(bao, "").await;
    let home = User { token: Some(ROOT.into()), ..server.user("method = 'token'") }.open();
    let expected = |title: &str, shown: &[&str]| (title.to_owned(), shown.iter().map(ToString::to_string).collect());
    assert_eq!(choose(&home, &[]).await, expected("engine", &["kv", "secret", "team/kv"]));
    assert_eq!(choose(&home, &["team/kv"]).await, expected("secret", &["team/kv > app/", "team/kv > top"]));
    assert_eq!(choose(&home, &["team/kv", "app/"]).await, expected("secret", &["team/kv > app/ > db"]));
    assert_eq!(choose(&home, &["team/kv", "app/", "db"]).await, expected("key", &["team/kv:app/db:password"]));
    assert_eq!(choose(&home, &["team/kv", "app/db"]).await, expected("key", &["team/kv:app/db:password"]));
    // An engine of version 1 tells no keys: they are typed.
    assert_eq!(choose(&home, &["kv"]).await, expected("secret", &["kv > app"]));
    assert_eq!(choose(&home, &["kv", "app"]).await, expected("key", &[]));
    assert_eq!(choose(&home, &["kv", "app", "password"]).await, expected("key", &["kv:app:password"]));
    assert_eq!(choose(&home, &["kv", "nothing/"]).await, expected("secret", &[]));
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_named() {
    let Some(server) = shared().await else { return };
    let [port, _] = free_ports();
    let auth = server.oidc(&format!(", role = 'nope', redirect-ports = '{port}'"));
    let home = server.user(&auth).open();
    let problem = home.vault.sign_in("team", &Browser::Returns(server.agent.clone())).await.unwrap_err();
    let detail = format!("`{}` has not the role `nope` at `auth/postman-jwt`", server.agent.address);
    assert_eq!(problem, Problem::new(Reason::NotConfigured, detail));
}
