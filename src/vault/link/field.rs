//! What the entries of every kind of vault check alike: addresses, files, and fields that are another vault's.

use std::{net::IpAddr, path::PathBuf};

use url::{Host, Url};

use crate::config::{Complaint, Written};

/// An address to which a token may be sent.
pub fn parse_address(field: &str, text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("`{field}` is not a URL: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("`{field}` starts with `https://` and a host"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(format!("`{field}` must be https: over http everyone on the way can read the token"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("`{field}` holds no user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{field}` holds no `?` or `#`"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with("/v1") {
        return Err(format!("`{field}` ends before `/v1`"));
    }
    url.set_path(&path);
    Ok(url)
}

/// Whether `url` names this machine itself, where nobody listens on the way (RFC 6761, section 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// A file of certificates that the user trusts.
pub(super) fn ca_file(written: &Written<String>) -> Result<PathBuf, Complaint> {
    let path = PathBuf::from(&written.value);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Complaint::error(written.span, "`ca-file` must be an absolute path"))
}

/// Refuses the first field of several that belong to another kind of vault.
pub(super) fn refuse_any(fields: &[&Option<Written<String>>], message: &str) -> Result<(), Complaint> {
    fields.iter().try_for_each(|field| refuse(field.as_ref(), message))
}

/// Refuses a field that belongs to another kind of vault.
pub(super) fn refuse<T>(field: Option<&Written<T>>, message: &str) -> Result<(), Complaint> {
    field.map_or(Ok(()), |field| Err(Complaint::error(field.span, message)))
}

/// A TOML basic string in ASCII: controls, look-alikes and right-to-left marks become visible escapes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted += &format!("\\U{:08X}", u32::from(character)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_one_form() {
        for (written, canonical) in [
            ("https://vault.acme.io:8200/", "https://vault.acme.io:8200"),
            ("HTTPS://Vault.Acme.io:443", "https://vault.acme.io"),
            ("https://acme.io/vault/", "https://acme.io/vault"),
            ("http://127.0.0.1:8200", "http://127.0.0.1:8200"),
            ("http://[::1]:8200", "http://[::1]:8200"),
            ("http://localhost:8200", "http://localhost:8200"),
        ] {
            let url = parse_address("address", written).unwrap();
            assert_eq!(url.as_str().trim_end_matches('/'), canonical);
        }
    }

    #[test]
    fn a_token_is_never_sent_to_a_doubtful_address() {
        for (written, fault) in [
            ("vault.acme.io:8200", "`address` starts with"),
            ("file:///etc", "`address` starts with"),
            ("http://vault.acme.io", "`address` must be https"),
            ("http://localhost.evil.io", "`address` must be https"),
            ("http://127.0.0.1.evil.io", "`address` must be https"),
            ("https://user@vault.acme.io", "`address` holds no user"),
            ("https://vault.acme.io@evil.io", "`address` holds no user"),
            ("https://vault.acme.io/?x", "`address` holds no `?`"),
            ("https://vault.acme.io/v1/", "`address` ends before"),
            ("", "`address` is not a URL"),
        ] {
            let error = parse_address("address", written).unwrap_err();
            assert!(error.starts_with(fault), "{written}: {error}");
        }
    }
}
