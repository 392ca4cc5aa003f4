//! The wire to one Connect server: questions without redirects, answers with a cap, and what their statuses mean.
#![expect(clippy::disallowed_methods, reason = "the token leaves here, as the header of a request to its own server")]

use std::{path::PathBuf, sync::OnceLock};

use http::{HeaderValue, header};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    status::{Problem, Reason},
    vault::{value::SecretValue, wire},
};

/// The largest answer: a file of the largest size, or a value with as much again for escapes and company.
const BODY_CAP: usize = 2 * SecretValue::MAX_LENGTH;

/// The wire to one server. The client is built by the first question, because that can fail.
pub(super) struct Transport {
    integration: String,
    address: Url,
    ca_file: Option<PathBuf>,
    client: OnceLock<Result<reqwest::Client, Problem>>,
}

/// What came back, whatever its status.
pub(super) struct Answer {
    status: u16,
    /// `Retry-After` in seconds.
    retry_after: Option<u64>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Transport {
    pub(super) fn new(integration: &str, address: Url, ca_file: Option<PathBuf>) -> Self {
        Self { integration: integration.to_owned(), address, ca_file, client: OnceLock::new() }
    }

    /// The server as people know it, for messages.
    pub(super) fn shown(&self) -> &str {
        self.address.as_str().trim_end_matches('/')
    }

    /// Asks for what stands at `path` below `/v1`. Servers refuse now and then what they allow at once when asked again
    /// (1Password/connect#82).
    pub(super) async fn ask(
        &self,
        path: &[&str],
        filter: Option<&str>,
        token: &SecretValue,
    ) -> Result<Answer, Problem> {
        let answer = self.ask_once(path, filter, token).await?;
        if answer.status == 403 { self.ask_once(path, filter, token).await } else { Ok(answer) }
    }

    async fn ask_once(&self, path: &[&str], filter: Option<&str>, token: &SecretValue) -> Result<Answer, Problem> {
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        if let Some(filter) = filter {
            url.query_pairs_mut().append_pair("filter", filter);
        }
        let client = self.client.get_or_init(|| wire::client(&self.address, self.ca_file.as_deref()));
        let client = client.as_ref().map_err(Clone::clone)?;
        let request = client.get(url).header(header::AUTHORIZATION, self.bearer(token)?);
        let response = request.send().await.map_err(|error| wire::explain(&error, self.shown()))?;
        self.received(response).await
    }

    async fn received(&self, mut response: reqwest::Response) -> Result<Answer, Problem> {
        let status = response.status().as_u16();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        // A buffer that grows leaves copies behind, so it starts large enough for what is announced.
        let mut body = Zeroizing::new(Vec::with_capacity(announced.clamp(16 * 1024, BODY_CAP)));
        while let Some(chunk) = response.chunk().await.map_err(|error| wire::explain(&error, self.shown()))? {
            if body.len() + chunk.len() > BODY_CAP {
                let detail = format!("`{}` answered with more than {} KiB", self.shown(), BODY_CAP / 1024);
                return Err(Problem::new(Reason::BadValue, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after: after, body })
    }

    fn bearer(&self, token: &SecretValue) -> Result<HeaderValue, Problem> {
        let text = token.expose(|bytes| Zeroizing::new([b"Bearer ", bytes].concat()));
        let mut header = HeaderValue::from_bytes(&text).map_err(|_| {
            let detail = format!("the token of `{}` holds characters that no token has", self.integration);
            Problem::new(Reason::LoginNeeded, detail)
        })?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Answer {
    /// Why it is no success; its own words are neither matched nor shown.
    pub(super) fn refusal(&self, integration: &str) -> Option<Problem> {
        let (reason, detail) = match self.status {
            200 => return None,
            401 => (
                Reason::LoginNeeded,
                format!("the Connect server does not accept the token of `{integration}` (401 Unauthorized)"),
            ),
            403 => (
                Reason::Forbidden,
                format!(
                    "the token of `{integration}` may not read this vault (403 Forbidden); it takes a token with the vault in its scope"
                ),
            ),
            // An id that is none is answered with 400.
            400 | 404 => (Reason::NotFound, format!("the Connect server of `{integration}` has nothing there")),
            429 => (Reason::Throttled, self.throttled(integration)),
            300..400 => (
                Reason::NotConfigured,
                format!("the server of `{integration}` sends its visitors elsewhere; set its own address"),
            ),
            status => (Reason::Unreachable, format!("the Connect server of `{integration}` failed ({status})")),
        };
        Some(Problem::new(reason, detail))
    }

    fn throttled(&self, integration: &str) -> String {
        match self.retry_after {
            Some(seconds) => {
                format!(
                    "the Connect server of `{integration}` limits the rate of requests; it asks to wait {seconds} s"
                )
            }
            None => format!("the Connect server of `{integration}` limits the rate of requests"),
        }
    }
}
