//! The session with a cluster: where its token comes from, that it lives while it is used, and how it ends.
#![expect(clippy::disallowed_methods, reason = "a user's name that was typed becomes a part of a path")]

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use url::Url;
use zeroize::Zeroizing;

use super::{
    Cluster,
    answer::{Asked, Refusal},
    endpoint,
    login::{Outcome, Proof, SecondFactor},
    tokens::{self, Hand, Held, Lease},
    transport::Answer,
};
use crate::{
    disk,
    status::{Problem, Reason, Session},
    vault::{
        link::{
            hashicorp::{Auth, Oidc, is_username},
            kv::KvSecret,
        },
        oauth::{App, Flow, Loopback, LoopbackHost, Server, Wire},
        person::{Field, Person, ask_one, gave_up},
        value::SecretValue,
    },
};

/// The largest file with a token, in bytes.
const TOKEN_FILE_CAP: u64 = 64 * 1024;

impl Cluster {
    /// The token to ask with. What signs in by itself does so here, when it is needed; a token that was got here is
    /// renewed here, in the last third of its lease: one that nobody uses comes to its end.
    pub(super) async fn token(&self) -> Result<Arc<SecretValue>, Problem> {
        if let Some(token) = self.ready() {
            return Ok(token);
        }
        // Those who ask at once wait for one answer.
        let _turn = self.turn.lock().await;
        if let Some(token) = self.ready() {
            return Ok(token);
        }
        if let Hand::Held(held) = self.hand() {
            if held.is_due()
                && let Some(token) = self.renew(&held).await
            {
                return Ok(token);
            }
            self.put(Hand::Expired);
        }
        if self.auth().is_unattended() {
            return Ok(self.sign_in_unattended().await?.token.clone());
        }
        match (self.hand(), self.auth()) {
            (Hand::Empty, Auth::Token) => self.token_of_machine().await,
            (Hand::Empty, _) => Err(self.login_needed("nobody is signed in to")),
            _ => Err(self.login_needed("the session has expired at")),
        }
    }

    /// Whether another try with another token is worth it, after `token` failed with `problem`.
    pub(super) fn may_try_again(&self, problem: &Problem, token: &Arc<SecretValue>) -> bool {
        if problem.reason != Reason::LoginNeeded {
            return false;
        }
        let mut hand = super::lock(&self.hand);
        let is_held = matches!(&*hand, Hand::Held(held) if Arc::ptr_eq(&held.token, token));
        if is_held {
            *hand = Hand::Expired;
        }
        is_held && self.auth().is_unattended()
    }

    /// Who is signed in.
    pub(super) fn current_session(&self) -> Option<Session> {
        match self.hand() {
            Hand::Held(held) if !held.is_over() => Some(self.session_of(&held)),
            _ => None,
        }
    }

    /// Signs in the way that the integration says.
    pub(super) async fn sign_in_as(&self, person: &dyn Person) -> Result<Session, Problem> {
        let held = match self.auth() {
            Auth::Token => {
                let message = format!("A token for `{}`", self.integration);
                let token = ask_one(person, &message, Field::hidden("token", "Token")).await?;
                self.keep(Held::typed(token)).await?
            }
            Auth::Userpass { mount, username } => self.with_password(person, mount, username.as_deref()).await?,
            Auth::Oidc(oidc) => self.in_browser(person, oidc).await?,
            Auth::Approle { .. } | Auth::Jwt { .. } => self.sign_in_in_turn().await?,
        };
        Ok(self.session_of(&held))
    }

    /// Forgets the token at once. One that was got here is revoked; a problem is one of the revocation.
    pub(super) async fn end(&self) -> Result<(), Problem> {
        let Hand::Held(held) = std::mem::take(&mut *super::lock(&self.hand)) else { return Ok(()) };
        if !held.is_own || held.is_over() {
            return Ok(());
        }
        let answer = self.transport.ask(endpoint::revoke_self(), &held.token).await?;
        if answer.is_success() || answer.refusal() == Refusal::Token {
            return Ok(());
        }
        let why = self.problem(&answer).detail;
        let detail =
            format!("the session with `{}` ended here, but its token was not revoked: {why}", self.integration);
        Err(Problem::new(Reason::Unreachable, detail))
    }

    /// The token, if there is one that needs no care.
    fn ready(&self) -> Option<Arc<SecretValue>> {
        match self.hand() {
            Hand::Held(held) if !held.is_over() && !held.is_due() => Some(held.token.clone()),
            _ => None,
        }
    }

    /// None where the token is good no more. A server that does not answer leaves it as good as it is.
    async fn renew(&self, held: &Arc<Held>) -> Option<Arc<SecretValue>> {
        let answer = self.transport.ask(endpoint::renew_self(), &held.token).await;
        let renewed = match &answer {
            Ok(answer) if answer.is_success() => match Outcome::of(answer) {
                Some(Outcome::Token(new)) => Held { lease: new.lease, ..Held::clone(held) },
                _ => held.unrenewable(),
            },
            Ok(answer) if answer.refusal() == Refusal::Token => return None,
            Ok(_) => held.unrenewable(),
            Err(_) => return Some(held.token.clone()),
        };
        let mut hand = super::lock(&self.hand);
        // It may have been given up meanwhile.
        let is_held = matches!(&*hand, Hand::Held(current) if Arc::ptr_eq(current, held));
        if is_held {
            let renewed = Arc::new(renewed);
            tokens::drop_when_over(&self.hand, &renewed);
            *hand = Hand::Held(renewed);
        }
        is_held.then(|| held.token.clone())
    }

    async fn with_password(
        &self,
        person: &dyn Person,
        mount: &str,
        username: Option<&str>,
    ) -> Result<Arc<Held>, Problem> {
        let message = format!("Sign in to `{}` ({})", self.integration, self.organization());
        let password = |user: &str| Field::hidden("password", format!("Password of {user}"));
        let (username, password) = match username {
            Some(username) => (username.to_owned(), ask_one(person, &message, password(username)).await?),
            None => {
                let fields = vec![Field::text("username", "User name"), Field::hidden("password", "Password")];
                let mut answers = person.ask(&message, fields).await?;
                let (name, password) =
                    answers.remove("username").zip(answers.remove("password")).ok_or_else(gave_up)?;
                (name.expose_text(|name| name.trim().to_owned()).unwrap_or_default(), password)
            }
        };
        if !is_username(&username) {
            return Err(Problem::new(Reason::LoginNeeded, "this is no user name of a Vault"));
        }
        let proof = Proof::Userpass { mount, username: &username, password: &password };
        self.log_in(&proof, Some(person)).await
    }

    /// The cluster is its own OIDC provider: what it issues there, it takes at its JWT auth method.
    async fn in_browser(&self, person: &dyn Person, oidc: &Oidc) -> Result<Arc<Held>, Problem> {
        let issuer = Url::parse(&oidc.issuer).expect("it was checked when it was read");
        let wire = Wire::to(&issuer, self.transport.ca_file())?;
        let server = Server::discover(&oidc.issuer, &wire).await?;
        let app = App { client_id: oidc.client_id.clone(), scopes: vec!["openid".into()] };
        let back = Loopback { host: LoopbackHost::Address, ports: oidc.redirect_ports.clone() };
        let flow = Flow::begin(server, app, &back, wire).await?;
        let message = format!("Sign in to `{}` ({}) in the browser", self.integration, self.organization());
        let tokens = flow.sign_in(person, message).await?;
        let Some(token) = tokens.id else {
            let detail = format!("`{}` sent no id token", self.transport.shown());
            return Err(Problem::new(Reason::NotConfigured, detail));
        };
        self.log_in(&Proof::of_oidc(oidc, &token), Some(person)).await
    }

    fn sign_in_in_turn(&self) -> BoxFuture<'_, Result<Arc<Held>, Problem>> {
        async move {
            let _turn = self.turn.lock().await;
            self.sign_in_unattended().await
        }
        .boxed()
    }

    /// NB. the caller has the turn.
    async fn sign_in_unattended(&self) -> Result<Arc<Held>, Problem> {
        match self.auth() {
            Auth::Approle { mount, role_id } => {
                let variable = |name: &str| {
                    (self.variables.0)(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                        let detail = format!("`{}` signs in by AppRole: set {name}", self.integration);
                        Problem::new(Reason::LoginNeeded, detail)
                    })
                };
                let role_id = match role_id {
                    Some(role_id) => SecretValue::new(role_id.clone().into_bytes()),
                    None => variable("VAULT_ROLE_ID")?,
                };
                let secret_id = variable("VAULT_SECRET_ID")?;
                self.log_in(&Proof::Approle { mount, role_id: &role_id, secret_id: &secret_id }, None).await
            }
            Auth::Jwt { mount, role, file } => {
                let path = file.clone();
                let read = tokio::task::spawn_blocking(move || read_token(&path)).await;
                let token = read.ok().flatten().ok_or_else(|| {
                    let detail =
                        format!("`{}` signs in by the token in `{}`: there is none", self.integration, file.display());
                    Problem::new(Reason::LoginNeeded, detail)
                })?;
                self.log_in(&Proof::Jwt { mount, role: role.as_deref(), token: &token }, None).await
            }
            Auth::Token | Auth::Oidc(_) | Auth::Userpass { .. } => Err(self.login_needed("nobody is signed in to")),
        }
    }

    fn log_in<'a>(
        &'a self,
        proof: &'a Proof<'a>,
        person: Option<&'a dyn Person>,
    ) -> BoxFuture<'a, Result<Arc<Held>, Problem>> {
        async move {
            let question = proof.question().ok_or_else(super::bad_token)?;
            let answer = self.transport.ask_openly(question).await?;
            if !answer.is_success() {
                let refusal = proof.refusal(&answer, self.transport.shown());
                return Err(refusal.unwrap_or_else(|| self.problem(&answer)));
            }
            match Outcome::of(&answer) {
                Some(Outcome::Token(held)) => self.keep(held).await,
                Some(Outcome::SecondFactor(factor)) => {
                    let held = self.second_factor(&factor, person).await?;
                    self.keep(held).await
                }
                None => Err(self.problem(&answer)),
            }
        }
        .boxed()
    }

    /// Asks for the one-time codes of a login MFA, and shows them.
    async fn second_factor(&self, factor: &SecondFactor, person: Option<&dyn Person>) -> Result<Held, Problem> {
        let fields: Vec<Field> =
            (0..factor.codes()).map(|at| Field::otp(&format!("code{at}"), "One-time code")).collect();
        let mut codes = Vec::new();
        if !fields.is_empty() {
            let Some(person) = person else {
                let detail = format!("`{}` wants a one-time code, and nobody can be asked", self.integration);
                return Err(Problem::new(Reason::MfaNeeded, detail));
            };
            let message = format!("`{}` wants a one-time code", self.integration);
            let mut answers = person.ask(&message, fields.clone()).await?;
            codes.extend(fields.iter().map_while(|field| answers.remove(&field.id)));
        }
        let question = factor.question(codes).ok_or_else(gave_up)?;
        let answer = self.transport.ask_openly(question).await?;
        match Outcome::of(&answer).filter(|_| answer.is_success()) {
            Some(Outcome::Token(held)) => Ok(held),
            _ if matches!(answer.status, 400 | 403) => {
                let detail = format!("`{}` does not accept the one-time code", self.transport.shown());
                Err(Problem::new(Reason::MfaNeeded, detail))
            }
            _ => Err(self.problem(&answer)),
        }
    }

    /// Keeps a token if the cluster knows it. A policy that denies the look at oneself still proves that it does.
    async fn keep(&self, held: Held) -> Result<Arc<Held>, Problem> {
        let answer = self.transport.ask(endpoint::lookup_self(), &held.token).await?;
        let mut held = held;
        match answer.lookup() {
            Some(told) => {
                held.who = shown_name(&told.display_name);
                if held.lease.is_none() {
                    held.lease = Lease::new(Duration::from_secs(told.ttl), false);
                }
            }
            None if answer.refusal() == Refusal::Policy => {}
            None => return Err(self.problem(&answer)),
        }
        let held = Arc::new(held);
        tokens::drop_when_over(&self.hand, &held);
        self.put(Hand::Held(held.clone()));
        super::lock(&self.engines).clear();
        Ok(held)
    }

    /// `VAULT_TOKEN`, else `~/.vault-token`, as Vault's own tools do.
    async fn token_of_machine(&self) -> Result<Arc<SecretValue>, Problem> {
        if let Some(token) = &self.tokens.given {
            return Ok(token.clone());
        }
        let file = self.tokens.file.clone();
        let read = tokio::task::spawn_blocking(move || file.and_then(|path| read_token(&path))).await;
        read.ok().flatten().map(Arc::new).ok_or_else(|| {
            let detail = format!("there is no token for `{}`: sign in, or set VAULT_TOKEN", self.integration);
            Problem::new(Reason::LoginNeeded, detail)
        })
    }

    /// The one organization of this integration.
    fn organization(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}, namespace {namespace}", self.transport.shown()),
            None => self.transport.shown().to_owned(),
        }
    }

    fn session_of(&self, held: &Held) -> Session {
        Session { who: held.who.clone(), organization: Some(self.organization()), until: held.until() }
    }

    /// What an answer to a question without a secret means.
    pub(super) fn problem(&self, answer: &Answer) -> Problem {
        let nothing = KvSecret { mount: String::new(), path: String::new(), key: String::new(), version: None };
        let asked = Asked {
            integration: &self.integration,
            cluster: self.transport.shown(),
            namespace: self.namespace.as_deref(),
            secret: &nothing,
        };
        answer.problem(asked)
    }

    fn login_needed(&self, what: &str) -> Problem {
        Problem::new(Reason::LoginNeeded, format!("{what} `{}`", self.integration))
    }

    fn auth(&self) -> &Auth {
        self.transport.auth()
    }

    fn hand(&self) -> Hand {
        super::lock(&self.hand).clone()
    }

    fn put(&self, hand: Hand) {
        *super::lock(&self.hand) = hand;
    }
}

/// The name that a token was given, if it can be shown.
fn shown_name(name: &str) -> Option<String> {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | '@' | ' ' | '+' | '/');
    (!name.is_empty() && name.len() <= 254 && name.chars().all(plain)).then(|| name.to_owned())
}

/// The token in a file, without the white space around it; none where there is none.
fn read_token(path: &Path) -> Option<SecretValue> {
    let token = SecretValue::new(disk::read(path, TOKEN_FILE_CAP).ok()?);
    let trimmed = token.expose(|bytes| Zeroizing::new(bytes.trim_ascii().to_vec()));
    (!trimmed.is_empty()).then(|| SecretValue::from(trimmed))
}
