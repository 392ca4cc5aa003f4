//! Codes and refresh tokens into tokens, through oauth2's client; the answer is checked before anything of it is used.
#![expect(clippy::disallowed_methods, reason = "a refresh token and a nonce leave here, for the server they are of")]

use std::{borrow::Cow, time::Duration};

use oauth2::{
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, ErrorResponseType, ExtraTokenFields, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, StandardErrorResponse, StandardRevocableToken, StandardTokenResponse,
    TokenResponse,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use serde::{Deserialize, Serialize};

use super::{
    App, Claims, Code, Server, Wire, claims,
    wire::{Failure, Talk},
};
use crate::{
    status::{Problem, Reason},
    vault::value::SecretValue,
};

/// What a person who signed in may show.
pub struct Tokens {
    pub access: SecretValue,
    /// For whoever takes the identity itself; its claims are checked, its signature is not.
    pub id: Option<SecretValue>,
    pub refresh: Option<SecretValue>,
    /// How long the access token lives, if the server says so.
    pub expires_in: Option<Duration>,
    /// Who signed in, from the id token.
    pub claims: Option<Claims>,
}

/// What OpenID Connect adds to the answer.
#[derive(Deserialize, Serialize)]
pub(super) struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken")
    }
}

pub(super) type Answer = StandardTokenResponse<IdToken, BasicTokenType>;

pub(super) type Client = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointMaybeSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A public client of `server`.
pub(super) fn client(server: &Server, app: &App) -> Client {
    oauth2::Client::new(oauth2::ClientId::new(app.client_id.clone()))
        .set_auth_uri(oauth2::AuthUrl::from_url(server.authorization.clone()))
        .set_token_uri(oauth2::TokenUrl::from_url(server.token.clone()))
        .set_device_authorization_url_option(server.device.clone().map(oauth2::DeviceAuthorizationUrl::from_url))
}

pub(super) async fn exchange(
    server: &Server,
    app: &App,
    wire: &Wire,
    Code(code): Code,
    redirect: &RedirectUrl,
    verifier: PkceCodeVerifier,
    nonce: Option<CsrfToken>,
) -> Result<Tokens, Problem> {
    let talk = Talk::over(wire);
    let client = client(server, app);
    let request = client.exchange_code(code).set_pkce_verifier(verifier).set_redirect_uri(Cow::Borrowed(redirect));
    let answer = request.request_async(&talk).await.map_err(|error| problem(&talk, error))?;
    let tokens = Tokens::of(&answer, server, app, nonce.as_ref())?;
    if nonce.is_some() && tokens.id.is_none() {
        return Err(talk.problem("it was asked for an id token and sent none"));
    }
    Ok(tokens)
}

/// New tokens for an old refresh token. Where the answer holds no new refresh token, the old one stays good.
pub async fn refresh(server: &Server, app: &App, wire: &Wire, token: &SecretValue) -> Result<Tokens, Problem> {
    let talk = Talk::over(wire);
    let text = token.expose_text(|text| RefreshToken::new(text.to_owned()));
    let token = text.ok_or_else(|| Problem::new(Reason::LoginNeeded, "the refresh token is no text"))?;
    let client = client(server, app);
    // Without scopes it is for those that were granted (RFC 6749, section 6), of which the server may have dropped some.
    let answer = client.exchange_refresh_token(&token).request_async(&talk).await;
    Tokens::of(&answer.map_err(|error| problem(&talk, error))?, server, app, None)
}

impl Tokens {
    /// Checks an answer. `nonce` is that of the request, where there was one.
    pub(super) fn of(answer: &Answer, server: &Server, app: &App, nonce: Option<&CsrfToken>) -> Result<Self, Problem> {
        let refuse = |words: &str| {
            let detail = format!("`{}` answers with a token that is refused: {words}", server.shown());
            Problem::new(Reason::NotConfigured, detail)
        };
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err(refuse("it is no bearer token"));
        }
        let access = secret(answer.access_token().secret());
        if access.is_empty() {
            return Err(refuse("it is empty"));
        }
        let id = answer.extra_fields().id_token.as_deref();
        let nonce = nonce.map(|nonce| nonce.secret().as_str());
        let claims = id.map(|token| claims::check(token, &server.issuer, &app.client_id, nonce)).transpose();
        Ok(Self {
            access,
            id: id.map(secret),
            refresh: answer.refresh_token().map(|token| secret(token.secret())),
            expires_in: answer.expires_in(),
            claims: claims.map_err(refuse)?,
        })
    }
}

/// What an error of oauth2's means.
pub(super) fn problem<T>(talk: &Talk, error: RequestTokenError<Failure, StandardErrorResponse<T>>) -> Problem
where
    T: ErrorResponseType + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let description = answer.error_description().map(String::as_str);
            super::refused(&code(answer.error()), description, talk.shown())
        }
        RequestTokenError::Request(Failure(problem)) => problem,
        RequestTokenError::Parse(..) => talk.problem("its answer lacks a field, or one is of another type"),
        RequestTokenError::Other(_) => talk.problem("its answer is empty"),
    }
}

/// The error's code as it came over the wire, which is how it serializes.
fn code(error: &impl Serialize) -> String {
    let code = serde_json::to_value(error).ok();
    code.as_ref().and_then(|code| code.as_str()).unwrap_or_default().to_owned()
}

fn secret(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}
