//! Signing in with a browser or with a code: OAuth 2.0 for native apps, the same for every provider. The only user of
//! oauth2.
//!
//! [`Flow`] is the authorization code flow with PKCE S256 over a loopback redirect (RFC 6749 section 4.1, RFC 7636,
//! RFC 8252, RFC 9700). Where the browser runs on another machine, the address that it was led back to can be pasted,
//! and goes through the same checks. [`DeviceFlow`] shows a code instead (RFC 8628). Neither opens a browser: that is
//! the business of whoever talks to the person.
//!
//! Nothing that a server or a browser says is believed: endpoints belong to the server that the user configured, no
//! redirect is followed, answers end at a cap, and the loopback listener speaks to nobody but the sign-in it waits for.
//! What oauth2 and the HTTP client copied of a token on its way is not wiped; what is handed out is.
#![expect(clippy::disallowed_methods, reason = "a pasted address is read for the code in it")]

mod callback;
mod claims;
mod device;
mod listener;
mod server;
mod tokens;
mod wire;

use std::{borrow::Cow, time::Duration};

use oauth2::{AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    person::{Page, Person},
    value::SecretValue,
};
use crate::status::{Problem, Reason};
use callback::Expected;
use listener::Listener;

pub use claims::Claims;
pub use device::DeviceFlow;
pub use server::{Issuer, Server};
pub use tokens::{Tokens, refresh};
pub use wire::Wire;

/// How long a person has to sign in.
pub const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// The application that asks, which the server knows as a public client: it has no secret.
#[derive(Clone, Debug)]
pub struct App {
    pub client_id: String,
    /// Where `openid` is one of them, an id token is asked for and checked.
    pub scopes: Vec<String>,
}

/// Where the browser is led back to on this machine: how the server knows the address, and which ports may be used.
#[derive(Clone, Debug)]
pub struct Loopback {
    pub host: LoopbackHost,
    /// The first that is free is used; any port of the system's choice if there are none.
    pub ports: Vec<u16>,
}

/// How the redirect address names this machine. Nobody but this machine is listened to in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `http://127.0.0.1:PORT/`, as RFC 8252 section 7.3 wants it.
    Address,
    /// `http://localhost:PORT`, for servers that know no other loopback redirect.
    Name,
}

/// A sign-in in the browser, waiting for the person.
pub struct Flow {
    server: Server,
    app: App,
    wire: Wire,
    listener: Listener,
    expected: Expected,
    page: Url,
    verifier: PkceCodeVerifier,
    nonce: CsrfToken,
    end: Instant,
}

/// What the browser brought back. It is good for one exchange, by the flow that asked for it.
pub struct Code(AuthorizationCode);

impl Flow {
    /// Listens for the browser, which the caller leads to [`Self::page`].
    pub async fn begin(server: Server, app: App, back: &Loopback, wire: Wire) -> Result<Self, Problem> {
        let listener = Listener::bind(back).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (CsrfToken::new_random_len(32), CsrfToken::new_random_len(32));
        let redirect = RedirectUrl::new(listener.redirect()).expect("a loopback address is a URL");
        let client = tokens::client(&server, &app);
        let mut request = client
            .authorize_url(|| state.clone())
            .set_redirect_uri(Cow::Borrowed(&redirect))
            .set_pkce_challenge(challenge)
            .add_scopes(app.scopes.iter().cloned().map(Scope::new));
        if app.is_openid() {
            request = request.add_extra_param("nonce", nonce.secret().clone());
        }
        let (page, _) = request.url();
        let expected = Expected::new(state, redirect, &server);
        Ok(Self { server, app, wire, listener, expected, page, verifier, nonce, end: Instant::now() + PATIENCE })
    }

    /// Has `person` sign in, and exchanges what comes back. Ends when the browser comes back to this machine, or when
    /// the person pastes where it was led instead, or gives up.
    pub async fn sign_in(self, person: &dyn Person, message: String) -> Result<Tokens, Problem> {
        let page = Page { url: self.page.clone(), code: None, message };
        let code = tokio::select! {
            biased;
            code = self.wait() => code,
            pasted = person.visit(&page) => pasted.and_then(|address| self.pasted(&address)),
        };
        self.exchange(code?).await
    }

    /// Where the person signs in: https, or http on this machine.
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// Waits until the browser comes back, for at most [`PATIENCE`] since the flow began.
    pub async fn wait(&self) -> Result<Code, Problem> {
        timeout_at(self.end, self.listener.wait(&self.expected)).await.unwrap_or_else(|_| {
            let detail = format!("nobody signed in within {} minutes; try again", PATIENCE.as_secs() / 60);
            Err(Problem::new(Reason::LoginNeeded, detail))
        })
    }

    /// The same from the address that a browser on another machine was led to and could not open.
    pub fn pasted(&self, address: &SecretValue) -> Result<Code, Problem> {
        address.expose_text(|text| self.expected.pasted(text)).unwrap_or_else(|| self.expected.pasted(""))
    }

    /// Stops listening, then exchanges the code for tokens.
    pub async fn exchange(self, code: Code) -> Result<Tokens, Problem> {
        drop(self.listener);
        let nonce = self.app.is_openid().then_some(self.nonce);
        tokens::exchange(&self.server, &self.app, &self.wire, code, self.expected.redirect(), self.verifier, nonce)
            .await
    }
}

impl App {
    fn is_openid(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "openid")
    }
}

/// What a server says, for people: printable characters without markup, cut where it gets long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown = String::new();
    for char in text.chars().take(LONGEST) {
        let plain = char.is_ascii_graphic() || char == ' ' || char.is_alphanumeric();
        if plain && !matches!(char, '<' | '>' | '&' | '`' | '\\' | '[' | ']') {
            shown.push(char);
        } else {
            shown.extend(char.escape_unicode());
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push_str(" ..");
    }
    shown
}

/// Why the server let nobody in, from the fields of an error (RFC 6749, sections 4.1.2.1 and 5.2).
fn refused(code: &str, description: Option<&str>, server: &str) -> Problem {
    let (reason, words) = match code {
        "access_denied" | "authorization_declined" => (Reason::LoginNeeded, "the sign-in was cancelled or denied"),
        "login_required" | "interaction_required" | "consent_required" => {
            (Reason::LoginNeeded, "it wants the person to sign in again")
        }
        "invalid_grant" => (Reason::LoginNeeded, "what it handed out is not accepted any more"),
        "expired_token" => (Reason::LoginNeeded, "the code was not entered in time; try again"),
        "invalid_client" | "unauthorized_client" => {
            (Reason::NotConfigured, "it knows no such application, or not one that may sign in this way")
        }
        "invalid_scope" | "invalid_target" => (Reason::Forbidden, "the application may not ask for this"),
        "temporarily_unavailable" | "server_error" => (Reason::Unreachable, "it failed"),
        _ => (Reason::LoginNeeded, "it refuses the sign-in"),
    };
    let told = description.filter(|text| !text.trim().is_empty());
    let told = told.map(|text| format!(": {}", shown(text.trim()))).unwrap_or_default();
    Problem::new(reason, format!("`{server}`: {words} ({}{told})", shown(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_carries_no_markup() {
        let problem = refused("access_denied", Some("<script>alert(1)</script>\r\n\u{1b}[31m`x`"), "https://a.io");
        assert_eq!(problem.reason, Reason::LoginNeeded);
        assert!(!problem.detail.contains(['<', '>', '\r', '\n', '\u{1b}']), "{problem:?}");
        assert!(problem.detail.contains("access_denied: \\u{3c}script\\u{3e}alert(1)"), "{problem:?}");
    }

    #[test]
    fn what_a_server_says_is_cut() {
        assert_eq!(shown(&"x".repeat(500)).len(), 203);
        assert_eq!(
            shown("AADSTS65001: Zustimmung für »x« fehlt."),
            "AADSTS65001: Zustimmung für \\u{bb}x\\u{ab} fehlt."
        );
    }
}
