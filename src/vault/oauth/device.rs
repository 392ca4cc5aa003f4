//! The device flow (RFC 8628): a code to enter in a browser on any machine. For when none can be opened here.

use std::time::Duration;

use oauth2::{Scope, StandardDeviceAuthorizationResponse};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::{App, PATIENCE, Server, Tokens, Wire, server, tokens, wire::Talk};
use crate::{
    status::{Problem, Reason},
    vault::person::{Page, Person},
};

/// The server is not asked more often than this, whatever it says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// The longest code that a person would enter.
const LONGEST_CODE: usize = 32;

/// A sign-in that waits for the person to enter the code.
pub struct DeviceFlow {
    server: Server,
    app: App,
    wire: Wire,
    details: StandardDeviceAuthorizationResponse,
    page: Url,
    end: Instant,
}

impl DeviceFlow {
    /// Asks the server for a code.
    pub async fn begin(server: Server, app: App, wire: Wire) -> Result<Self, Problem> {
        let client = tokens::client(&server, &app);
        let request = client.exchange_device_code().map_err(|_| {
            let detail = format!("`{}` offers no sign-in with a code; use the browser", server.shown());
            Problem::new(Reason::NotConfigured, detail)
        })?;
        let talk = Talk::over(&wire);
        let scopes = app.scopes.iter().cloned().map(Scope::new);
        let answer = request.add_scopes(scopes).request_async(&talk).await;
        let details: StandardDeviceAuthorizationResponse = answer.map_err(|error| tokens::problem(&talk, error))?;
        let page = check(&details).map_err(|fault| talk.problem(fault))?;
        let life = details.expires_in().min(PATIENCE * 3);
        Ok(Self { server, app, wire, details, page, end: Instant::now() + life })
    }

    /// Has `person` enter the code, and waits for the tokens.
    pub async fn sign_in(&self, person: &dyn Person, message: String) -> Result<Tokens, Problem> {
        let page = Page { url: self.page.clone(), code: Some(self.code().to_owned()), message };
        let visit = async {
            match person.visit(&page).await {
                // There is no address that could be pasted in this flow.
                Ok(_) => std::future::pending().await,
                Err(problem) => problem,
            }
        };
        tokio::select! {
            biased;
            tokens = self.wait() => tokens,
            problem = visit => Err(problem),
        }
    }

    /// Where the code is to be entered: https, or http on this machine. NB. it may be of another origin than the server.
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// What the person enters there.
    pub fn code(&self) -> &str {
        self.details.user_code().secret()
    }

    /// Waits until the person did, for as long as the server gives, and for 15 minutes at most.
    pub async fn wait(&self) -> Result<Tokens, Problem> {
        let client = tokens::client(&self.server, &self.app);
        let talk = Talk::over(&self.wire);
        let pause = |interval: Duration| sleep(interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL));
        let request = client.exchange_device_access_token(&self.details);
        let answer = timeout_at(self.end, request.request_async(&talk, pause, Some(PATIENCE * 3))).await;
        let Ok(answer) = answer else {
            return Err(super::refused("expired_token", None, talk.shown()));
        };
        let answer = answer.map_err(|error| tokens::problem(&talk, error))?;
        Tokens::of(&answer, &self.server, &self.app, None)
    }
}

/// The page of an answer that can be shown to a person.
fn check(details: &StandardDeviceAuthorizationResponse) -> Result<Url, &'static str> {
    let code = details.user_code().secret();
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || !(1..=LONGEST_CODE).contains(&code.len()) {
        return Err("its code is not one that a person could enter");
    }
    if details.interval() > LONGEST_INTERVAL {
        return Err("it wants to be asked too rarely");
    }
    let page = details.verification_uri().url().clone();
    if server::is_safe(&page) { Ok(page) } else { Err("the page for its code is not an https address") }
}
