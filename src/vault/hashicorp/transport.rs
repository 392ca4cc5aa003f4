//! The wire to one cluster: our own HTTP client below vaultrs' endpoints.
//!
//! vaultrs' own client follows redirects with the token in its hand, reads answers of any size, takes settings from the
//! environment (`VAULT_SKIP_VERIFY` turns certificate checks off there), and panics on a header it cannot build. This one
//! follows no redirect to another origin, stops at a cap, reads no environment but the user's proxy, and returns errors.
#![expect(clippy::disallowed_methods, reason = "the token leaves here, as the header of a request to its own cluster")]

use std::{path::Path, pin::Pin, sync::OnceLock};

use http::{HeaderValue, Request, Response};
use reqwest::redirect;
use rustify::{Endpoint, MiddleWare, client::Client, errors::ClientError};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    status::{Problem, Reason},
    vault::{
        link::{
            field::is_loopback,
            hashicorp::{Auth, Hashicorp},
        },
        value::SecretValue,
        wire,
    },
};

/// The largest answer: a value of the largest size, with as much again for escapes and company.
const BODY_CAP: usize = 2 * SecretValue::MAX_LENGTH;

/// More hops on one origin than any server needs.
const MAX_HOPS: usize = 3;

/// The wire to one cluster. The client is built by the first question, because that can fail.
pub(super) struct Transport {
    settings: Hashicorp,
    /// The address with `/v1`.
    base: String,
    client: OnceLock<Result<reqwest::Client, Problem>>,
}

/// What came back, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    /// `Retry-After` in seconds.
    pub(super) retry_after: Option<u64>,
    /// The origin of `Location`.
    pub(super) location: Option<String>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why nothing came back.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.detail)]
struct Failure(Problem);

impl Transport {
    pub(super) fn new(settings: &Hashicorp) -> Self {
        let base = format!("{}/v1", settings.address.as_str().trim_end_matches('/'));
        Self { settings: settings.clone(), base, client: OnceLock::new() }
    }

    /// The cluster as people know it, for messages.
    pub(super) fn shown(&self) -> &str {
        self.settings.address.as_str().trim_end_matches('/')
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.settings.auth
    }

    pub(super) fn ca_file(&self) -> Option<&Path> {
        self.settings.ca_file.as_deref()
    }

    pub(super) async fn ask(&self, endpoint: impl Endpoint, token: &SecretValue) -> Result<Answer, Problem> {
        self.send_with(endpoint, Some(header(token)?)).await
    }

    /// Asks without a token, as one does who wants one.
    pub(super) async fn ask_openly(&self, endpoint: impl Endpoint) -> Result<Answer, Problem> {
        self.send_with(endpoint, None).await
    }

    async fn send_with(&self, endpoint: impl Endpoint, token: Option<HeaderValue>) -> Result<Answer, Problem> {
        let headers = Headers { token, namespace: self.namespace()? };
        match endpoint.with_middleware(&headers).exec(self).await {
            Ok(answer) => Ok(Answer::of(answer.response)),
            Err(error) => Err(self.problem(&error)),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, Problem> {
        self.client.get_or_init(|| build(&self.settings)).as_ref().map_err(Clone::clone)
    }

    fn namespace(&self) -> Result<Option<HeaderValue>, Problem> {
        let namespace = self.settings.namespace.as_deref().map(HeaderValue::from_str).transpose();
        namespace.map_err(|_| Problem::new(Reason::NotConfigured, "the namespace cannot travel in a header"))
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Problem> {
        let request =
            reqwest::Request::try_from(request).map_err(|_| self.unreachable("the question is no request"))?;
        let mut response = self.client()?.execute(request).await.map_err(|error| self.explain(&error))?;
        let mut answer = Response::new(Vec::with_capacity(body_capacity(&response)));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&error))? {
            if answer.body().len() + chunk.len() > BODY_CAP {
                let detail = format!("`{}` answered with more than {} KiB", self.shown(), BODY_CAP / 1024);
                return Err(Problem::new(Reason::BadValue, detail));
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    /// The problem behind an error of rustify's, which carries ours.
    fn problem(&self, error: &ClientError) -> Problem {
        let ClientError::GenericError { source } = error else {
            return self.unreachable("the question could not be asked");
        };
        source.downcast_ref().map_or_else(|| self.unreachable("it failed"), |Failure(problem)| problem.clone())
    }

    fn explain(&self, error: &reqwest::Error) -> Problem {
        wire::explain(error, self.shown())
    }

    fn unreachable(&self, words: &str) -> Problem {
        wire::unreachable(self.shown(), words)
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// NB. `execute` returns every answer: rustify's own drops the headers of those that are no success.
impl Client for Transport {
    fn send<'life, 'a>(&'life self, request: Request<Vec<u8>>) -> Pending<'a, Result<Response<Vec<u8>>, ClientError>>
    where
        'life: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let answer = self.exchange(request).await;
            answer.map_err(|problem| ClientError::GenericError { source: Failure(problem).into() })
        })
    }

    fn base(&self) -> &str {
        &self.base
    }

    fn execute<'life, 'a>(&'life self, request: Request<Vec<u8>>) -> Pending<'a, Result<Response<Vec<u8>>, ClientError>>
    where
        'life: 'a,
        Self: 'a,
    {
        self.send(request)
    }
}

impl Answer {
    fn of(response: Response<Vec<u8>>) -> Self {
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let location = header(http::header::LOCATION).and_then(|text| Url::parse(text).ok());
        Self {
            status: response.status().as_u16(),
            retry_after: header(http::header::RETRY_AFTER).and_then(|text| text.parse().ok()),
            location: location.map(|url| url.origin().ascii_serialization()),
            body: Zeroizing::new(response.into_body()),
        }
    }
}

/// What every request carries.
struct Headers {
    token: Option<HeaderValue>,
    namespace: Option<HeaderValue>,
}

impl MiddleWare for Headers {
    fn request<E: Endpoint>(&self, _: &E, request: &mut Request<Vec<u8>>) -> Result<(), ClientError> {
        let headers = request.headers_mut();
        if let Some(token) = &self.token {
            headers.insert("X-Vault-Token", token.clone());
        }
        // Agents and proxies may be set up to want it, against requests that a web page forges.
        headers.insert("X-Vault-Request", HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            headers.insert("X-Vault-Namespace", namespace.clone());
        }
        Ok(())
    }

    fn response<E: Endpoint>(&self, _: &E, _: &mut Response<Vec<u8>>) -> Result<(), ClientError> {
        Ok(())
    }
}

fn header(token: &SecretValue) -> Result<HeaderValue, Problem> {
    let mut header = token.expose(HeaderValue::from_bytes).map_err(|_| super::bad_token())?;
    header.set_sensitive(true);
    Ok(header)
}

fn build(settings: &Hashicorp) -> Result<reqwest::Client, Problem> {
    let mut builder = wire::builder().redirect(redirect::Policy::custom(same_origin));
    if is_loopback(&settings.address) {
        builder = builder.no_proxy();
    }
    if settings.address.scheme() == "http" {
        // Otherwise a machine without any certificates could not even speak to itself.
        builder = builder.tls_certs_only(Vec::new());
    } else if let Some(path) = &settings.ca_file {
        builder = wire::trusting(builder, path)?;
    }
    wire::build(builder)
}

/// Follows a redirect on the same origin. Any other stops here, and its answer is reported: the token goes nowhere else.
fn same_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let hops = attempt.previous().len();
    let stays = attempt.previous().last().is_some_and(|previous| previous.origin() == attempt.url().origin());
    if stays && hops <= MAX_HOPS { attempt.follow() } else { attempt.stop() }
}

fn body_capacity(response: &reqwest::Response) -> usize {
    // A buffer that grows leaves copies behind, so it starts large enough for what is announced.
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    announced.unwrap_or(16 * 1024).min(BODY_CAP)
}
