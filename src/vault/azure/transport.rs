//! The wire below the SDK: our own HTTP client, bound to one origin.
//!
//! The SDK follows the link to a listing's next page wherever it leads, with the token in its hand. This client goes to
//! one origin only, follows no redirect, stops at a cap, and returns errors that carry a problem.

use std::{collections::HashMap, io};

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Method, Request,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use reqwest::redirect;
use url::{Origin, Url};

use crate::{
    status::{Problem, Reason},
    vault::{link::azure::Azure, value::SecretValue, wire},
};

/// The largest answer: a value of the largest size, with as much again for escapes and company.
const BODY_CAP: usize = 2 * SecretValue::MAX_LENGTH;

/// A problem on its way through the SDK's errors.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.detail)]
pub(super) struct Failure(pub(super) Problem);

impl Failure {
    pub(super) fn error(problem: Problem) -> Error {
        Error::new(ErrorKind::Credential, Self(problem))
    }

    /// The problem that an error carries, however deep.
    pub(super) fn find(error: &Error) -> Option<&Problem> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(current) = cause {
            if let Some(Self(problem)) = current.downcast_ref() {
                return Some(problem);
            }
            // An I/O error that wraps another error passes over it as its source.
            let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            cause = wrapped.map_or_else(|| current.source(), |wrapped| Some(wrapped));
        }
        None
    }
}

/// The wire to a vault, or to the sign-in service.
#[derive(Debug)]
pub(super) struct Transport {
    client: reqwest::Client,
    /// The only origin it goes to; none where the machine itself says where its identity is to be had.
    origin: Option<Origin>,
    /// The server as people know it.
    shown: String,
}

impl Transport {
    /// To the server of `url`.
    pub(super) fn to(url: &Url, settings: &Azure) -> Result<Self, Problem> {
        let client = wire::client(url, settings.ca_file.as_deref())?;
        let shown = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, origin: Some(url.origin()), shown })
    }

    /// To the service of this machine that knows its identity; no proxy knows it.
    pub(super) fn to_machine() -> Result<Self, Problem> {
        let builder = wire::builder().redirect(redirect::Policy::none()).no_proxy();
        let shown = "the identity service of this machine".to_owned();
        Ok(Self { client: wire::build(builder)?, origin: None, shown })
    }

    pub(super) async fn exchange(&self, request: &Request) -> Result<(u16, Headers, Vec<u8>), Problem> {
        if self.origin.as_ref().is_some_and(|origin| *origin != request.url().origin()) {
            let detail = format!("`{}` points to another server, where the token is not sent", self.shown);
            return Err(Problem::new(Reason::NotConfigured, detail));
        }
        let mut response = self.client.execute(self.request(request)?).await.map_err(|error| self.explain(&error))?;
        let headers = headers(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&error))? {
            if body.len() + chunk.len() > BODY_CAP {
                let detail = format!("`{}` answered with more than {} KiB", self.shown, BODY_CAP / 1024);
                return Err(Problem::new(Reason::BadValue, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status().as_u16(), headers, body))
    }

    fn request(&self, request: &Request) -> Result<reqwest::Request, Problem> {
        let method = match request.method() {
            Method::Post => reqwest::Method::POST,
            // Nothing is ever changed from here.
            _ => reqwest::Method::GET,
        };
        let mut built = self.client.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            built = built.header(name.as_str(), value.as_str());
        }
        if let Body::Bytes(bytes) = request.body() {
            built = built.body(bytes.clone());
        }
        built.build().map_err(|_| wire::unreachable(&self.shown, "the question is no request"))
    }

    fn explain(&self, error: &reqwest::Error) -> Problem {
        wire::explain(error, &self.shown)
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers, body) = self.exchange(request).await.map_err(Failure::error)?;
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, body))
    }
}

fn headers(map: &http::HeaderMap) -> Headers {
    let texts = map.iter().filter_map(|(name, value)| {
        let value = HeaderValue::from(value.to_str().ok()?.to_owned());
        Some((HeaderName::from(name.as_str().to_owned()), value))
    });
    Headers::from(texts.collect::<HashMap<_, _>>())
}
