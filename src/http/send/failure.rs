//! What went wrong on the wire, in words for people. A library's own message can hold the URL, and that a value; so
//! failures are told by their kind.

use std::{error::Error, io};

/// Describes a failure; `host` is named where it may be.
pub(super) fn describe(error: reqwest::Error, host: Option<&str>) -> String {
    let error = error.without_url();
    let whom = host.map_or_else(|| "the server".to_owned(), |host| format!("`{host}`"));
    if let Some(tls) = cause::<rustls::Error>(&error) {
        return format!("the TLS connection to {whom} failed: {}", describe_tls(tls));
    }
    if error.is_connect() {
        return describe_connect(&error, &whom);
    }
    if let Some(failure) = cause::<io::Error>(&error) {
        return format!("the connection to {whom} failed: {}", failure.kind());
    }
    if let Some(failure) = cause::<hyper::Error>(&error) {
        return describe_protocol(failure, &whom);
    }
    if error.is_decode() || error.is_body() {
        return format!("the body that {whom} sent cannot be read to its end or decompressed");
    }
    if error.is_builder() {
        return "the request cannot be sent as it is: part of it is not valid HTTP".into();
    }
    format!("the exchange with {whom} failed")
}

fn describe_connect(error: &reqwest::Error, whom: &str) -> String {
    // The connector's own error type is private; its text for this one case has no facts in it.
    if chain(error).any(|cause| cause.to_string() == "dns error") {
        return format!("no address was found for {whom}; check the name and the network");
    }
    if error.is_timeout() {
        return format!("{whom} did not take the connection in time");
    }
    match cause::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => format!("{whom} refused the connection; nothing listens there"),
        Some(kind) => format!("no connection to {whom}: {kind}"),
        None => format!("no connection to {whom}"),
    }
}

fn describe_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError as Fault;

    let rustls::Error::InvalidCertificate(fault) = error else {
        return "the two sides do not agree on a secure connection, or it is no TLS server".into();
    };
    let told = match fault {
        Fault::UnknownIssuer => "its certificate is not signed by an authority that this machine trusts",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => "its certificate is for another name",
        Fault::Expired | Fault::ExpiredContext { .. } => "its certificate has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "its certificate is not valid yet; check the clock",
        Fault::Revoked => "its certificate was revoked",
        _ => "its certificate is not valid",
    };
    told.into()
}

fn describe_protocol(error: &hyper::Error, whom: &str) -> String {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        format!("{whom} closed the connection before its answer was complete")
    } else if error.is_parse() {
        format!("the answer of {whom} is not valid HTTP")
    } else if error.is_timeout() {
        format!("{whom} did not answer in time")
    } else {
        format!("the connection to {whom} broke")
    }
}

/// The first error of type `T` among an error and its causes, looking into I/O errors that wrap another.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause.downcast_ref::<T>().or_else(|| wrapped.and_then(|inner| find_inside::<T>(inner)))
    })
}

fn find_inside<'a, T: Error + 'static>(inner: &'a (dyn Error + Send + Sync + 'static)) -> Option<&'a T> {
    inner.downcast_ref::<T>().or_else(|| {
        let deeper = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        deeper.and_then(|deeper| deeper.downcast_ref::<T>())
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
