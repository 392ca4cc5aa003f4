//! A person who signed in at Entra ID: in their browser, or with a code in a browser anywhere.
//!
//! The tokens are in memory alone. The session ends after a day, whatever the server would still hand out, by two clocks
//! of which the stricter counts; then the tokens leave memory, whether anybody asks for them or not.
#![expect(clippy::disallowed_methods, reason = "hands the person's token to the SDK, which sends it")]

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use tokio::{sync::Mutex, time::sleep};
use url::Url;

use super::transport::Failure;
use crate::{
    status::{Problem, Reason, Session},
    vault::{
        life::Life,
        link::azure::{Azure, CLOUDS, SignIn},
        oauth::{self, App, DeviceFlow, Flow, Issuer, Loopback, LoopbackHost, Server, Tokens, Wire},
        person::Person,
        value::SecretValue,
    },
};

/// The longest session, as in Postman's vault.
const SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// How long before its end a token is exchanged for a new one; half of its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The life of a token whose server does not tell. A vault that refuses it earlier has it exchanged.
const UNTOLD_LIFE: Duration = Duration::from_secs(5 * 60);

/// A person's session at one tenant.
pub(super) struct SignedIn {
    integration: String,
    server: Server,
    app: App,
    wire: Wire,
    session: Session,
    life: Life,
    /// Nothing once the session is over.
    tokens: Mutex<Option<Held>>,
}

struct Held {
    access: Option<Fresh>,
    refresh: Option<SecretValue>,
}

/// An access token and how long it is handed out.
struct Fresh {
    token: AccessToken,
    life: Life,
}

/// Names nothing of the session.
impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedIn")
    }
}

impl SignedIn {
    /// Has `person` sign in.
    pub(super) async fn new(integration: &str, settings: &Azure, person: &dyn Person) -> Result<Arc<Self>, Problem> {
        let (server, app) = (server(settings)?, app(settings)?);
        let wire = Wire::to(&settings.authority, settings.ca_file.as_deref())?;
        let tokens = match settings.sign_in {
            SignIn::Device => {
                let message = format!("Sign in to `{integration}`: enter the code on this page");
                let flow = DeviceFlow::begin(server.clone(), app.clone(), wire.clone()).await?;
                flow.sign_in(person, message).await?
            }
            _ => {
                let message = format!("Sign in to `{integration}` in the browser");
                let back = Loopback { host: loopback(settings), ports: Vec::new() };
                Flow::begin(server.clone(), app.clone(), &back, wire.clone()).await?.sign_in(person, message).await?
            }
        };
        let length = match (&tokens.refresh, tokens.expires_in) {
            (Some(_), _) => SESSION,
            (None, told) => told.unwrap_or(UNTOLD_LIFE).min(SESSION),
        };
        let session = Session {
            who: tokens.claims.as_ref().and_then(|claims| claims.username.clone()),
            organization: Some(organization(integration, settings, &tokens)?),
            until: Some(SystemTime::now() + length),
        };
        let signed_in = Arc::new(Self {
            integration: integration.to_owned(),
            server,
            app,
            wire,
            session,
            life: Life::new(length),
            tokens: Mutex::new(Some(Held::of(tokens))),
        });
        tokio::spawn(end(Arc::downgrade(&signed_in), length));
        Ok(signed_in)
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn is_alive(&self) -> bool {
        let ended = self.tokens.try_lock().is_ok_and(|tokens| tokens.is_none());
        !ended && !self.life.is_over()
    }

    /// Whether the access token that it handed out last is still the one to use.
    pub(super) fn is_fresh(&self) -> bool {
        // Whoever holds the lock is about to have a new one.
        let Ok(tokens) = self.tokens.try_lock() else { return true };
        let access = tokens.as_ref().and_then(|held| held.access.as_ref());
        !self.life.is_over() && access.is_some_and(|fresh| !fresh.life.is_over())
    }

    /// Hands out the current access token no more: a vault did not accept it.
    pub(super) async fn doubt(&self) {
        if let Some(held) = self.tokens.lock().await.as_mut() {
            held.access = None;
        }
    }

    async fn token(&self) -> Result<AccessToken, Problem> {
        let mut tokens = self.tokens.lock().await;
        if self.life.is_over() {
            *tokens = None;
        }
        let Some(held) = tokens.as_mut() else { return Err(self.over()) };
        let fresh = held.access.as_ref().filter(|fresh| !fresh.life.is_over());
        if let Some(fresh) = fresh {
            return Ok(fresh.token.clone());
        }
        let Some(refresh) = &held.refresh else {
            *tokens = None;
            return Err(self.over());
        };
        match oauth::refresh(&self.server, &self.app, &self.wire, refresh).await {
            Ok(new) => Ok(held.renew(new)),
            Err(problem) => {
                if problem.reason == Reason::LoginNeeded {
                    *tokens = None;
                }
                Err(problem)
            }
        }
    }

    fn over(&self) -> Problem {
        let detail = format!("the session of `{}` is over", self.integration);
        Problem::new(Reason::LoginNeeded, detail)
    }
}

#[async_trait]
impl TokenCredential for SignedIn {
    /// NB. for vaults alone, whatever the scopes are called: the guard before it saw to that.
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        self.token().await.map_err(Failure::error)
    }
}

impl Held {
    fn of(tokens: Tokens) -> Self {
        let mut held = Self { access: None, refresh: None };
        held.renew(tokens);
        held
    }

    fn renew(&mut self, tokens: Tokens) -> AccessToken {
        let told = tokens.expires_in.unwrap_or(UNTOLD_LIFE).min(SESSION);
        if tokens.refresh.is_some() {
            self.refresh = tokens.refresh;
        }
        let margin = if self.refresh.is_some() { MARGIN.min(told / 2) } else { Duration::ZERO };
        let token = access_token(&tokens.access, OffsetDateTime::now_utc() + told);
        let life = Life::new(told - margin);
        self.access = Some(Fresh { token: token.clone(), life });
        token
    }
}

/// A token in the SDK's own type.
fn access_token(token: &SecretValue, expires_on: OffsetDateTime) -> AccessToken {
    let text = token.expose_text(str::to_owned).unwrap_or_default();
    AccessToken::new(text, expires_on)
}

/// Empties the session when its time is over.
async fn end(session: Weak<SignedIn>, length: Duration) {
    sleep(length).await;
    if let Some(session) = session.upgrade() {
        *session.tokens.lock().await = None;
    }
}

/// The endpoints of the tenant, which are not discovered: Entra ID's are fixed, and its document names an issuer by an id
/// that a domain does not tell.
/// Source: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>.
fn server(settings: &Azure) -> Result<Server, Problem> {
    let tenant = settings.tenant.as_deref().unwrap_or_default();
    let endpoint = |name: &str| {
        let url = settings.authority.join(&format!("{tenant}/oauth2/v2.0/{name}"));
        url.map_err(|_| Problem::new(Reason::NotConfigured, "the `tenant` makes no address"))
    };
    let mut issuers = vec![settings.authority.origin()];
    if is_entra(settings) {
        let issuer = Url::parse(&format!("https://{}/", settings.cloud.issuer));
        issuers.push(issuer.expect("the table holds host names").origin());
    }
    Ok(Server {
        issuer: Issuer::Within(issuers),
        authorization: endpoint("authorize")?,
        token: endpoint("token")?,
        device: Some(endpoint("devicecode")?),
        names_itself: false,
    })
}

fn app(settings: &Azure) -> Result<App, Problem> {
    let client_id = settings.client_id.clone();
    let client_id = client_id.ok_or_else(|| Problem::new(Reason::NotConfigured, "`client-id` is missing"))?;
    let scope = settings.cloud.scope_of_person();
    let scopes = ["openid", "profile", "offline_access", &scope].map(str::to_owned).into();
    Ok(App { client_id, scopes })
}

/// Entra ID matches any port of `http://localhost` alone; others go by RFC 8252.
/// Source: <https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions>.
fn loopback(settings: &Azure) -> LoopbackHost {
    if is_entra(settings) { LoopbackHost::Name } else { LoopbackHost::Address }
}

fn is_entra(settings: &Azure) -> bool {
    CLOUDS.iter().any(|cloud| settings.authority.host_str() == Some(cloud.authority))
}

/// The tenant that the person signed in to, which has to be the one that is configured where an id names it.
fn organization(integration: &str, settings: &Azure, tokens: &Tokens) -> Result<String, Problem> {
    let configured = settings.tenant.clone().unwrap_or_default();
    let Some(tenant) = tokens.claims.as_ref().and_then(|claims| claims.tenant.clone()) else { return Ok(configured) };
    let is_id = !configured.contains('.');
    if is_id && !configured.eq_ignore_ascii_case(&tenant) {
        let detail =
            format!("`{integration}` is for the tenant `{configured}`, and the person signed in to `{tenant}`");
        return Err(Problem::new(Reason::LoginNeeded, detail));
    }
    Ok(tenant)
}
