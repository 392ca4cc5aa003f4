//! What a redirect means: whether it is followed, and with what.
//!
//! The rule, stricter than browsers because a request here carries secrets:
//! - The policy is asked for every hop and every secret of the request, whatever the hop would still carry.
//! - To another origin (scheme, host, port) go only the headers that say what a client can read, and none that holds a
//!   secret; what was dropped never comes back. A body that holds a secret is not repeated there.
//! - From https to http nothing follows.

use http::{Method, StatusCode, header};
use url::Url;

use super::Hop;
use crate::{
    domain::{normal_host, same_origin},
    http::fill::{ReadyBody, ReadyHeader},
};

pub(super) enum Step {
    /// It is the final answer.
    Stay,
    Go(Box<Hop>),
    /// It must not be followed; why, for people.
    Refuse(String),
}

/// The headers that may follow to another origin.
const HARMLESS: [http::HeaderName; 7] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::RANGE,
    header::USER_AGENT,
];

/// The headers that describe a body and go with it (Fetch standard, "request-body-header name").
const OF_BODY: [http::HeaderName; 4] =
    [header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION, header::CONTENT_TYPE];

/// The step that `response` asks for after `hop` (Fetch standard, "HTTP-redirect fetch").
pub(super) fn step(hop: &Hop, response: &reqwest::Response) -> Step {
    let status = response.status();
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Step::Stay;
    }
    let Some(location) = response.headers().get(header::LOCATION) else { return Step::Stay };
    let Some(url) = std::str::from_utf8(location.as_bytes()).ok().and_then(|text| hop.url.join(text).ok()) else {
        return Step::Refuse(format!("the server answered {status} with a `Location` that is not a URL"));
    };
    match target(&hop.url, url) {
        Ok(url) => follow(hop, url, status),
        Err(message) => Step::Refuse(message),
    }
}

/// The URL of the next hop, if it may be asked at all.
fn target(from: &Url, mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("a redirect to a `{}:` URL is not followed", url.scheme()));
    }
    if normal_host(&url).is_none() {
        return Err("a redirect to a URL without a valid host is not followed".into());
    }
    if from.scheme() == "https" && url.scheme() == "http" {
        return Err("a redirect from https to http is not followed: what is sent could be read on the way".into());
    }
    // A server has no say in who its visitor is elsewhere.
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return Err("a redirect to a URL with a user that cannot be removed is not followed".into());
    }
    Ok(url)
}

fn follow(hop: &Hop, url: Url, status: StatusCode) -> Step {
    let method = next_method(&hop.method, status);
    let keeps_body = method == hop.method && status != StatusCode::SEE_OTHER;
    let stays = same_origin(&hop.url, &url);
    let body = hop.body.as_ref().filter(|_| keeps_body);
    if !stays && body.is_some_and(|body| body.holds_secret) {
        return Step::Refuse(format!(
            "the server answered {status} and asks to send the body, which holds a secret, to another origin"
        ));
    }
    let goes_along = |header: &&ReadyHeader| {
        let may_leave = stays || (HARMLESS.contains(&header.name) && !header.holds_secret);
        may_leave && (body.is_some() || !OF_BODY.contains(&header.name))
    };
    let headers = hop.headers.iter().filter(goes_along).map(copy).collect();
    let body = body.map(|body| ReadyBody { bytes: body.bytes.clone(), holds_secret: body.holds_secret });
    Step::Go(Box::new(Hop { method, url, headers, body }))
}

fn next_method(method: &Method, status: StatusCode) -> Method {
    let becomes_get = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        StatusCode::SEE_OTHER => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    };
    if becomes_get { Method::GET } else { method.clone() }
}

fn copy(header: &ReadyHeader) -> ReadyHeader {
    ReadyHeader { name: header.name.clone(), value: header.value.clone(), holds_secret: header.holds_secret }
}
