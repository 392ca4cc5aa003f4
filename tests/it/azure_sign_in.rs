//! A person signs in to Azure: at a real authorization server (oidc-provider, shaped like Entra ID), with plain requests
//! and with a real browser; then the stand-in for Key Vault accepts the token that came of it.
#![expect(clippy::disallowed_methods, reason = "the tests write the files that a vault reads")]

use std::{
    fs,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::BoxFuture};
use vaultls::{
    status::{Problem, Reason, Session},
    vault::{
        person::{Answers, Field, Page, Person},
        value::SecretValue,
    },
};

use crate::support::{
    browser::{Browser, Pages, Visitor, browser},
    home::{Home, User, pass, secret},
    key_vault::KeyVault,
    oidc::{CLIENT, Oidc, TENANT},
};

const ALICE: &str = "alice@example.com";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A vault whose tokens come from a real authorization server.
struct World {
    vaults: KeyVault,
    oidc: Oidc,
    folder: tempfile::TempDir,
}

impl World {
    /// None where the server cannot be had, which was said.
    async fn start() -> Option<Self> {
        let oidc = Oidc::start(3600)?;
        let vaults = KeyVault::start().await;
        vaults.world().authority = Some(oidc.control());
        for name in ["a", "b"] {
            vaults.put(name, &format!("canary-{name}-5ec1"));
        }
        let folder = tempfile::tempdir().unwrap();
        let both = [vaults.authority_pem.as_slice(), &oidc.authority_pem].concat();
        fs::write(folder.path().join("ca.pem"), both).unwrap();
        Some(Self { vaults, oidc, folder })
    }

    /// A user who signs in by `method`, with the links `a` and `b`.
    fn home(&self, method: &str) -> Home {
        let (issuer, ca) = (&self.oidc.issuer, self.folder.path().join("ca.pem"));
        let mut config = format!(
            "[integrations.team]\nprovider = 'azure'\naddress = '{issuer}'\nca-file = '{}'\ntenant = '{TENANT}'\nclient-id = '{CLIENT}'\nauth = {{ method = '{method}' }}\n",
            ca.display()
        );
        for name in ["a", "b"] {
            config += &format!("[secrets.{name}]\nintegration = 'team'\nid = '{}/secrets/{name}'\n", self.vaults.url());
        }
        User { config, ..User::default() }.open()
    }

    /// Somebody who fills in the forms, or cancels.
    fn alice(&self, denies: bool) -> Alice<'_> {
        Alice { oidc: &self.oidc, browser: None, denies, pastes: false, seen: Mutex::default() }
    }
}

/// A person at a page, with a browser or without.
struct Alice<'w> {
    oidc: &'w Oidc,
    browser: Option<&'static Browser>,
    denies: bool,
    /// Her browser is on another machine: she pastes the address to which it was led.
    pastes: bool,
    seen: Mutex<Vec<Page>>,
}

impl Alice<'_> {
    /// The address to which the page leads in the end, which was not opened yet.
    async fn fill_in(&self, page: &Page) -> Option<url::Url> {
        let mut forms = self.oidc.person();
        match &page.code {
            Some(code) => {
                let text = forms.enter_code(&page.url, code, ALICE).await;
                assert!(text.contains("Success"), "{text}");
                None
            }
            None if self.denies => Some(forms.cancel(&page.url).await),
            None => Some(forms.sign_in(&page.url, ALICE).await),
        }
    }

    async fn click(&self, browser: &Browser, page: &Page) {
        let visitor = Visitor { user: ALICE, password: "x", denies: self.denies };
        let pages = if page.code.is_some() { Pages::Device } else { Pages::Oidc };
        let ended = browser.sign_in(pages, page.url.as_str(), visitor, page.code.as_deref()).await;
        assert!(page.code.is_some() || ended.address.starts_with("http://127.0.0.1:"), "{}", ended.address);
    }
}

impl Person for Alice<'_> {
    fn ask<'a>(&'a self, _: &'a str, _: Vec<Field>) -> BoxFuture<'a, Result<Answers, Problem>> {
        unreachable!("nothing is asked here")
    }

    fn visit<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<SecretValue, Problem>> {
        self.seen.lock().unwrap().push(page.clone());
        async move {
            match self.browser {
                Some(browser) => self.click(browser, page).await,
                None => match self.fill_in(page).await {
                    Some(address) if self.pastes => return Ok(secret(address.as_str())),
                    Some(address) => drop(reqwest::get(address).await),
                    None => {}
                },
            }
            std::future::pending().await
        }
        .boxed()
    }
}

fn check_session(session: &Session) {
    assert_eq!((session.who.as_deref(), session.organization.as_deref()), (Some(ALICE), Some(TENANT)));
    let left = session.until.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(left <= DAY && left > DAY - Duration::from_secs(60), "{left:?}");
}

#[tokio::test]
async fn a_person_signs_in_and_reads_a_secret() {
    let Some(world) = World::start().await else { return };
    let home = world.home("browser");
    let problem = home.judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "nobody is signed in to `team`"));
    assert!(home.vault.session("team").is_none() && world.vaults.questions().is_empty());
    let alice = world.alice(false);
    let session = home.vault.sign_in("team", &alice).await.unwrap();
    check_session(&session);
    assert_eq!(home.vault.session("team"), Some(session));
    assert_eq!(home.judged("a").await.as_deref(), Ok("canary-a-5ec1"));
    let page = alice.seen.lock().unwrap()[0].url.clone();
    let asked: std::collections::HashMap<_, _> = page.query_pairs().into_owned().collect();
    assert_eq!(asked["scope"], "openid profile offline_access https://vault.azure.net/user_impersonation");
    assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
    assert!(asked["redirect_uri"].starts_with("http://127.0.0.1:"));
    home.vault.disconnect("team").await.unwrap();
    assert!(home.vault.session("team").is_none() && home.value("a").await.is_err());
}

#[tokio::test]
async fn a_pasted_address_is_enough() {
    let Some(world) = World::start().await else { return };
    let home = world.home("browser");
    let alice = Alice { pastes: true, ..world.alice(false) };
    check_session(&home.vault.sign_in("team", &alice).await.unwrap());
    assert!(home.value("a").await.is_ok());
}

#[tokio::test]
async fn whoever_cancels_is_not_signed_in() {
    let Some(world) = World::start().await else { return };
    let home = world.home("browser");
    let problem = home.vault.sign_in("team", &world.alice(true)).await.unwrap_err();
    assert!(problem.reason == Reason::LoginNeeded && problem.detail.contains("cancelled or denied"), "{problem:?}");
    assert_eq!(home.judged("a").await.unwrap_err().reason, Reason::LoginNeeded);
    assert!(world.vaults.questions().is_empty());
}

#[tokio::test]
async fn a_code_signs_in_from_any_machine() {
    let Some(world) = World::start().await else { return };
    let home = world.home("device");
    let alice = world.alice(false);
    check_session(&home.vault.sign_in("team", &alice).await.unwrap());
    assert_eq!(home.judged("a").await.as_deref(), Ok("canary-a-5ec1"));
    let seen = alice.seen.lock().unwrap();
    assert!(seen.len() == 1 && seen[0].code.is_some());
}

#[tokio::test]
async fn an_access_token_that_ends_is_renewed_in_silence() {
    let Some(world) = World::start().await else { return };
    let home = world.home("browser");
    let alice = world.alice(false);
    home.vault.sign_in("team", &alice).await.unwrap();
    assert!(home.value("a").await.is_ok());
    pass(Duration::from_secs(3600)).await;
    assert_eq!(home.value("b").await.as_deref(), Ok("canary-b-5ec1"));
    assert_eq!((world.vaults.tokens().len(), alice.seen.lock().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn a_session_ends_after_a_day_whatever_the_server_says() {
    let Some(world) = World::start().await else { return };
    let home = world.home("browser");
    home.vault.sign_in("team", &world.alice(false)).await.unwrap();
    pass(DAY - Duration::from_secs(120)).await;
    assert!(home.value("a").await.is_ok() && home.vault.session("team").is_some());
    pass(Duration::from_secs(120)).await;
    home.vault.reset(None).await;
    let problem = home.judged("a").await.unwrap_err();
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, "the session of `team` is over"));
    assert!(home.vault.session("team").is_none());
    check_session(&home.vault.sign_in("team", &world.alice(false)).await.unwrap());
    assert!(home.judged("a").await.is_ok());
}

#[tokio::test]
async fn a_real_browser_signs_in_or_cancels() {
    let Some(browser) = browser() else { return };
    let Some(world) = World::start().await else { return };
    for (method, denies) in [("browser", false), ("browser", true), ("device", false)] {
        let home = world.home(method);
        let alice = Alice { browser: Some(browser), ..world.alice(denies) };
        let outcome = home.vault.sign_in("team", &alice).await;
        assert_eq!((outcome.is_err(), home.value("a").await.is_err()), (denies, denies), "{method}: {outcome:?}");
    }
}
