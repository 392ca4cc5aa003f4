//! What the HTTP clients of providers share: whom they trust, how long they wait, and what their failures mean.
//!
//! Failures are told by the types in their chain; none of their texts is shown.

use std::{error::Error, io, path::Path, sync::Arc, time::Duration};

use reqwest::{
    Certificate, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use url::Url;

use super::link::field::is_loopback;
use crate::{
    disk,
    status::{Problem, Reason},
};

/// How long one question may take altogether.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection waits for the next question. Its buffers may hold the last answer until it is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest file of certificates.
const CA_CAP: u64 = 1024 * 1024;

/// A client that keeps to its time, unpacks nothing and tells nobody where it comes from.
pub(super) fn builder() -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(concat!("vaultls/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .referer(false)
        .no_gzip()
        .dns_resolver(Arc::new(SystemResolver))
}

/// A client for the server of `url`: it follows no redirect, and goes to this machine itself without a proxy.
pub(super) fn client(url: &Url, ca_file: Option<&Path>) -> Result<reqwest::Client, Problem> {
    let mut builder = builder().redirect(redirect::Policy::none());
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Otherwise a machine without any certificates could not even speak to itself.
        builder = builder.tls_certs_only(Vec::new());
    } else if let Some(path) = ca_file {
        builder = trusting(builder, path)?;
    }
    build(builder)
}

/// Trusts the authorities in a file of PEM certificates besides the system's.
pub(super) fn trusting(builder: ClientBuilder, ca_file: &Path) -> Result<ClientBuilder, Problem> {
    let fault = |words: &str| {
        let detail = format!("the `ca-file` `{}` cannot be used: {words}", ca_file.display());
        Problem::new(Reason::NotConfigured, detail)
    };
    let pem = disk::read(ca_file, CA_CAP).map_err(|error| fault(&error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| fault("it holds no PEM certificates"))?;
    if certificates.is_empty() {
        return Err(fault("it holds no PEM certificates"));
    }
    Ok(builder.tls_certs_merge(certificates))
}

/// Builds the client, which fails on a machine whose certificates cannot be read.
pub(super) fn build(builder: ClientBuilder) -> Result<reqwest::Client, Problem> {
    builder.build().map_err(|_| Problem::new(Reason::Tls, "this machine's certificate store cannot be used"))
}

/// What an HTTP error of a client of ours means; `shown` is the server as people know it.
pub(super) fn explain(error: &reqwest::Error, shown: &str) -> Problem {
    if let Some(problem) = broken(error, shown) {
        return problem;
    }
    if error.is_timeout() {
        return unreachable(shown, &format!("no answer within {} seconds", TIMEOUT.as_secs()));
    }
    unreachable(shown, if error.is_connect() { "no connection" } else { "the connection broke off" })
}

/// What broke below HTTP, by the types in an error's chain; none if nothing there is known.
pub(super) fn broken(error: &(dyn Error + 'static), shown: &str) -> Option<Problem> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<rustls::Error>() {
            let detail = format!("no secure connection to `{shown}`: {}", tls_words(error));
            return Some(Problem::new(Reason::Tls, detail));
        }
        if current.is::<Unresolved>() {
            return Some(unreachable(shown, "its name cannot be resolved"));
        }
        let of_system = current.downcast_ref::<io::Error>();
        if let Some(words) = of_system.and_then(io_words) {
            return Some(unreachable(shown, words));
        }
        // An I/O error that wraps another error passes over it as its source.
        let wrapped = of_system.and_then(io::Error::get_ref);
        cause = wrapped.map_or_else(|| current.source(), |wrapped| Some(wrapped));
    }
    None
}

/// Nobody answered at `shown`.
pub(super) fn unreachable(shown: &str, words: &str) -> Problem {
    Problem::new(Reason::Unreachable, format!("`{shown}` cannot be reached: {words}"))
}

/// A name that has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be resolved")]
struct Unresolved;

/// The system's resolver, with an error that can be told from others by its type.
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Unresolved)?;
            let addresses: Vec<_> = found.collect();
            if addresses.is_empty() {
                return Err(Unresolved.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn tls_words(error: &rustls::Error) -> &'static str {
    use rustls::{CertificateError as Bad, Error};
    match error {
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "its certificate has expired",
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; is this machine's clock right?"
        }
        Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        Error::InvalidCertificate(Bad::Revoked) => "its certificate was revoked",
        Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "its certificate's issuer is not trusted here; a private one belongs in the user's `ca-file`"
        }
        Error::InvalidCertificate(_) => "its certificate is not accepted",
        Error::InvalidMessage(_) => "it does not speak TLS at this address",
        _ => "the TLS handshake failed",
    }
}

fn io_words(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("the connection was refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some("the connection broke off")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            Some("there is no way to it in the network")
        }
        _ => None,
    }
}
