//! The wire to an authorization server: no redirects, small answers, JSON only.

use std::{path::Path, sync::Mutex};

use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Request, Response, header};
use oauth2::{AsyncHttpClient, HttpResponse};
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    status::{Problem, Reason},
    vault::wire,
};

/// The largest answer: a few tokens, or a discovery document.
const BODY_CAP: usize = 64 * 1024;

/// The wire to the server of one origin.
#[derive(Clone)]
pub struct Wire {
    client: reqwest::Client,
    /// The server as people know it.
    shown: String,
}

/// An HTTP error on its way through oauth2.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.detail)]
pub(super) struct Failure(pub(super) Problem);

/// One conversation with the server, and why it ended if an answer was not one of an authorization server.
pub(super) struct Talk {
    wire: Wire,
    refusal: Mutex<Option<Problem>>,
}

impl Wire {
    /// To the server of `url`, trusting the certificates of a PEM file besides the system's.
    pub fn to(url: &Url, ca_file: Option<&Path>) -> Result<Self, Problem> {
        Ok(Self { client: wire::client(url, ca_file)?, shown: url.origin().ascii_serialization() })
    }

    /// A JSON document.
    pub(super) async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, Problem> {
        let request = Request::get(address).header(header::ACCEPT, "application/json").body(Vec::new());
        let answer = self.exchange(request.map_err(|_| self.no_request())?).await?;
        if answer.status() != 200 {
            return Err(self.refuse(&format!("it answers with {} instead of a document", answer.status().as_u16())));
        }
        self.check_type(&answer)?;
        serde_json::from_slice(answer.body())
            .map_err(|_| self.refuse("its document lacks a field, or one is of another type"))
    }

    /// Whatever the server answers, up to the cap, unless it is a redirect or an outage.
    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Zeroizing<Vec<u8>>>, Problem> {
        let request = reqwest::Request::try_from(request).map_err(|_| self.no_request())?;
        let mut answer = self.client.execute(request).await.map_err(|error| self.explain(&error))?;
        match answer.status().as_u16() {
            300..=399 => return Err(self.refuse("it leads elsewhere, which is not followed")),
            429 => {
                let detail = format!("`{}` limits the rate of sign-ins; try again later", self.shown);
                return Err(Problem::new(Reason::Throttled, detail));
            }
            status @ 500..=599 => {
                let detail = format!("`{}` failed ({status})", self.shown);
                return Err(Problem::new(Reason::Unreachable, detail));
            }
            _ => {}
        }
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAP));
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.explain(&error))? {
            if body.len() + chunk.len() > BODY_CAP {
                return Err(self.refuse(&format!("it answers with more than {} KiB", BODY_CAP / 1024)));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(whole)
    }

    /// RFC 6749, section 5.1, wants it to be `application/json`.
    fn check_type<T>(&self, answer: &Response<T>) -> Result<(), Problem> {
        let told = answer.headers().get(header::CONTENT_TYPE).and_then(|value: &HeaderValue| value.to_str().ok());
        let kind = told.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(self.refuse("its answer is no JSON")) }
    }

    fn explain(&self, error: &reqwest::Error) -> Problem {
        wire::explain(error, &self.shown)
    }

    fn no_request(&self) -> Problem {
        wire::unreachable(&self.shown, "the question is no request")
    }

    fn refuse(&self, words: &str) -> Problem {
        let detail = format!("`{}` does not answer like an authorization server: {words}", self.shown);
        Problem::new(Reason::NotConfigured, detail)
    }
}

impl Talk {
    pub(super) fn over(wire: &Wire) -> Self {
        Self { wire: wire.clone(), refusal: Mutex::default() }
    }

    /// One question of oauth2's. NB. the device flow asks again after an error, but not after an answer: so one that is
    /// refused is put down and comes through as an empty one.
    async fn ask(&self, request: Request<Vec<u8>>) -> Result<HttpResponse, Failure> {
        let answer = self.wire.exchange(request).await;
        let answer = answer.and_then(|answer| self.wire.check_type(&answer).map(|()| answer));
        match answer {
            Ok(answer) => Ok(answer.map(|mut body| std::mem::take(&mut *body))),
            Err(problem) if problem.reason == Reason::NotConfigured => {
                *self.put_down() = Some(problem);
                Ok(Response::new(Vec::new()))
            }
            Err(problem) => Err(Failure(problem)),
        }
    }

    /// Why the conversation failed, for people; `words` if oauth2 could not understand an answer.
    pub(super) fn problem(&self, words: &str) -> Problem {
        self.put_down().take().unwrap_or_else(|| self.wire.refuse(words))
    }

    pub(super) fn shown(&self) -> &str {
        &self.wire.shown
    }

    fn put_down(&self) -> std::sync::MutexGuard<'_, Option<Problem>> {
        self.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<'c> AsyncHttpClient<'c> for Talk {
    type Error = Failure;
    type Future = BoxFuture<'c, Result<HttpResponse, Failure>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        self.ask(request).boxed()
    }
}
