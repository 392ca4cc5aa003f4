//! Allowed domains: the pattern a person writes and the rule by which a URL matches it, and the one form in which
//! hosts and origins are compared, approved and shown.
//!
//! Everything here works on a parsed [`Url`] (the WHATWG URL standard), the very object that is sent, so that no
//! second reading of a text can disagree with the first.

use std::fmt;

use url::{Host, Url};

/// An entry of an allowed-domains list, such as `*.example.com` or `http://localhost:8080`.
///
/// Without a scheme it means https; without a port it means any port; a path is ignored; `*.example.com` also
/// matches `example.com` itself, as in Postman's vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern {
    hosts: Hosts,
    scheme: &'static str,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    /// In normal form.
    One(String),
    /// A domain in normal form, with everything below it.
    Below(String),
}

/// Why an entry is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DomainError(pub String);

impl DomainPattern {
    /// Reads one entry. Anything doubtful is an error: an entry that is not understood must not let a secret out.
    pub fn parse(entry: &str) -> Result<Self, DomainError> {
        if entry.is_empty() {
            return Err(fault("an allowed domain cannot be empty"));
        }
        if entry.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err(fault("an allowed domain holds no spaces; write one entry for each domain"));
        }
        if entry.contains(['@', '\\', '%', ',']) {
            return Err(fault("an allowed domain is a host such as `api.example.com`, without user, `\\`, `%` or `,`"));
        }
        let (scheme, rest) = split_scheme(entry)?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let (host, port) = split_port(authority)?;
        Ok(Self { hosts: Hosts::parse(host)?, scheme, port })
    }

    /// Whether the pattern is so wide that a stranger's host can match (`*`, `*.com`, `*.github.io`).
    pub fn is_too_wide(&self) -> bool {
        match &self.hosts {
            Hosts::Any => true,
            Hosts::One(_) => false,
            Hosts::Below(domain) => is_open_to_strangers(domain),
        }
    }

    /// Whether a request to `url` is what the pattern allows: its scheme, its host, its port.
    pub fn matches(&self, url: &Url) -> bool {
        url.scheme() == self.scheme && self.matches_port(url) && self.matches_host(url)
    }

    /// Whether only the scheme keeps `url` from matching.
    pub fn matches_but_for_scheme(&self, url: &Url) -> bool {
        url.scheme() != self.scheme && self.matches_host(url) && (self.port.is_none() || self.port == url.port())
    }

    /// Whether the host of `url` is one that the pattern allows, whatever its scheme and port.
    pub fn matches_host(&self, url: &Url) -> bool {
        let Some(host) = normal_host(url) else { return false };
        match &self.hosts {
            Hosts::Any => true,
            Hosts::One(one) => host == *one,
            Hosts::Below(domain) => {
                host.strip_suffix(domain.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('.'))
            }
        }
    }

    fn matches_port(&self, url: &Url) -> bool {
        self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

/// The entry in its normal form.
impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme == "http" {
            f.write_str("http://")?;
        }
        match &self.hosts {
            Hosts::Any => f.write_str("*")?,
            Hosts::One(host) => f.write_str(host)?,
            Hosts::Below(domain) => write!(f, "*.{domain}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Result<Self, DomainError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        if name.contains('*') {
            return Err(fault(
                "`*` stands only for a whole host (`*`) or for what is below a domain (`*.example.com`)",
            ));
        }
        let host = Host::parse(name).map_err(|error| fault(format!("not a host name: {error}")))?;
        let normal = normal_form(&host).ok_or_else(|| fault("a host name has no empty parts between its dots"))?;
        match (below, host) {
            (false, _) => Ok(Self::One(normal)),
            (true, Host::Domain(_)) => Ok(Self::Below(normal)),
            (true, _) => Err(fault("an address has nothing below it; write it without `*.`")),
        }
    }
}

/// A list of entries; one with no valid entry but some invalid ones denies everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainList {
    pub patterns: Vec<DomainPattern>,
    pub invalid: usize,
}

impl DomainList {
    /// Reads what it can; complaints come with the index of their entry.
    pub fn parse(entries: &[String]) -> (Self, Vec<(usize, DomainError)>) {
        let mut list = Self::default();
        let mut complaints = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match DomainPattern::parse(entry) {
                Ok(pattern) => list.patterns.push(pattern),
                Err(error) => {
                    list.invalid += 1;
                    complaints.push((index, error));
                }
            }
        }
        (list, complaints)
    }

    /// Whether nobody restricted the domains: then each host is asked for.
    pub fn is_unset(&self) -> bool {
        self.patterns.is_empty() && self.invalid == 0
    }

    /// Whether any entry allows `url`.
    pub fn allows(&self, url: &Url) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(url))
    }
}

/// The host of a URL in the one form in which hosts are compared, approved and shown: lower case, punycode,
/// one trailing dot stripped; none for a URL without a host or with an invalid one.
pub fn normal_host(url: &Url) -> Option<String> {
    normal_form(&url.host()?)
}

/// The name under which a place to send to is approved and shown; none unless `url` is http or https with a valid
/// host.
///
/// Approvals are given to origins, not to bare hosts: another port is another server, and plain http can be read on
/// the way. What people mean most often reads shortest: `api.example.com` is https on its usual port,
/// `api.example.com:8443` another port, `http://api.example.com` plain http. On the machine itself nobody listens in
/// between, so `localhost:8080` stands for both schemes.
pub fn origin_key(url: &Url) -> Option<String> {
    let plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return None,
    };
    let host = normal_host(url)?;
    let local = plain && is_loopback(url);
    let scheme = if plain && !local { "http://" } else { "" };
    // Without its port, `http://localhost` would read as https: another server.
    match url.port().or_else(|| local.then(|| url.port_or_known_default()).flatten()) {
        Some(port) => Some(format!("{scheme}{host}:{port}")),
        None => Some(format!("{scheme}{host}")),
    }
}

/// Whether two URLs have the same origin: scheme, host in normal form and port (RFC 6454 section 5).
pub fn same_origin(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme()
        && left.port_or_known_default() == right.port_or_known_default()
        && normal_host(left).is_some_and(|host| normal_host(right) == Some(host))
}

/// Whether the host is this machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(_)) => {
            normal_host(url).is_some_and(|host| host == "localhost" || host.ends_with(".localhost"))
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A host or origin key for people: where punycode hides other letters both forms stand there, so that a look-alike
/// shows itself: `аpple.com (xn--pple-43d.com)`.
pub fn shown_host(host: &str) -> String {
    if !host.split(['.', '/']).any(|label| label.starts_with("xn--")) {
        return host.to_owned();
    }
    let (scheme, rest) = host.split_once("://").map_or(("", host), |(_, rest)| ("http://", rest));
    let (name, port) = rest.split_once(':').unwrap_or((rest, ""));
    let letters = url::quirks::domain_to_unicode(name);
    if letters.is_empty() || letters == name {
        return host.to_owned();
    }
    let colon = if port.is_empty() { "" } else { ":" };
    format!("{scheme}{letters}{colon}{port} ({name})")
}

fn normal_form<S: AsRef<str>>(host: &Host<S>) -> Option<String> {
    match host {
        Host::Domain(domain) => {
            let domain = domain.as_ref();
            let name = domain.strip_suffix('.').unwrap_or(domain);
            // `example.com..` and `.example.com` parse, yet no resolver knows such names.
            let complete = name.split('.').all(|label| !label.is_empty());
            complete.then(|| name.to_ascii_lowercase())
        }
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(format!("[{address}]")),
    }
}

/// Whether anybody can get a name below `domain`: it is on the public suffix list, or a top level of its own that is
/// not set aside for private use.
fn is_open_to_strangers(domain: &str) -> bool {
    const PRIVATE: [&str; 5] = ["internal", "local", "localhost", "test", "home.arpa"];
    if PRIVATE.contains(&domain) {
        return false;
    }
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

fn split_scheme(entry: &str) -> Result<(&'static str, &str), DomainError> {
    match entry.split_once("://") {
        None => Ok(("https", entry)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => Ok(("https", rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => Ok(("http", rest)),
        Some(_) => Err(fault("an allowed domain starts with `https://`, `http://` or the host itself")),
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), DomainError> {
    // The colons of an IPv6 address stand inside its brackets.
    let end = authority.find(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[end..].find(':') else { return Ok((authority, None)) };
    let (host, port) = (&authority[..end + colon], &authority[end + colon + 1..]);
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number > 0 => Ok((host, Some(number))),
        _ => Err(fault("what follows the host's `:` is a port from 1 to 65535")),
    }
}

fn fault(message: impl Into<String>) -> DomainError {
    DomainError(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn matches(entry: &str, target: &str) -> bool {
        DomainPattern::parse(entry).unwrap().matches(&url(target))
    }

    #[test]
    fn an_entry_is_shown_in_its_normal_form() {
        for (entry, normal) in [
            ("API.Example.com.", "api.example.com"),
            ("https://example.com/path?x#y", "example.com"),
            ("HTTP://localhost:8080/", "http://localhost:8080"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("[::0001]:9", "[::1]:9"),
            ("127.1", "127.0.0.1"),
            ("*:8443", "*:8443"),
        ] {
            assert_eq!(DomainPattern::parse(entry).unwrap().to_string(), normal, "{entry}");
        }
    }

    #[test]
    fn what_is_doubtful_is_not_an_entry() {
        for entry in [
            "",
            " ",
            "a.com b.com",
            "a.com,b.com",
            "\ta.com",
            "http*",
            "*example.com",
            "a.*.com",
            "*.*.com",
            "**",
            "*.",
            ".",
            "javascript:",
            "javascript:alert(1)",
            "ftp://example.com",
            "*://example.com",
            "user@example.com",
            "https:/\\evil.io",
            "example.com..",
            ".example.com",
            "example.com:",
            "example.com:0",
            "example.com:+80",
            "example.com:99999",
            "https://",
            "/path",
            "*.127.0.0.1",
            "[::1",
            "exa%6dple.com",
            "a<b.com",
        ] {
            assert!(DomainPattern::parse(entry).is_err(), "{entry:?}");
        }
    }

    #[test]
    fn an_entry_without_a_port_means_any_port() {
        assert!(matches("example.com", "https://example.com:8443/"));
        assert!(matches("example.com:443", "https://example.com/"));
        assert!(!matches("example.com:8443", "https://example.com/"));
    }

    #[test]
    fn the_scheme_is_https_unless_written() {
        assert!(!matches("example.com", "http://example.com/"));
        assert!(matches("http://example.com", "http://example.com/"));
        assert!(!matches("http://example.com", "https://example.com/"));
        let pattern = DomainPattern::parse("example.com").unwrap();
        assert!(pattern.matches_but_for_scheme(&url("http://example.com/")));
        assert!(!pattern.matches_but_for_scheme(&url("http://other.com/")));
    }

    #[test]
    fn a_star_reaches_every_depth_and_the_domain_itself() {
        for (target, allowed) in [
            ("https://example.com/", true),
            ("https://a.b.example.com/", true),
            ("https://xexample.com/", false),
            ("https://example.com.evil.io/", false),
        ] {
            assert_eq!(matches("*.example.com", target), allowed, "{target}");
        }
    }

    #[test]
    fn wide_entries_are_those_a_stranger_can_match() {
        for (entry, wide) in [
            ("*", true),
            ("*.com", true),
            ("*.co.uk", true),
            ("*.github.io", true),
            ("*.example.com", false),
            ("*.me.github.io", false),
            ("github.io", false),
            ("*.internal", false),
            ("*.localhost", false),
        ] {
            assert_eq!(DomainPattern::parse(entry).unwrap().is_too_wide(), wide, "{entry}");
        }
    }

    #[test]
    fn a_list_of_invalid_entries_is_not_unset() {
        let (list, complaints) = DomainList::parse(&["http*".into(), "a.*.com".into()]);
        assert!(!list.is_unset());
        assert!(!list.allows(&url("https://http.com/")));
        assert_eq!(complaints.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
        assert!(DomainList::parse(&[]).0.is_unset());
    }

    #[test]
    fn origins_have_one_name_each() {
        for (target, key) in [
            ("https://API.example.com./x", Some("api.example.com")),
            ("https://api.example.com:443/", Some("api.example.com")),
            ("https://api.example.com:8443/", Some("api.example.com:8443")),
            ("http://api.example.com/", Some("http://api.example.com")),
            ("http://api.example.com:8080/", Some("http://api.example.com:8080")),
            ("http://localhost:8080/", Some("localhost:8080")),
            ("http://127.1/", Some("127.0.0.1:80")),
            ("https://localhost/", Some("localhost")),
            ("https://localhost:80/", Some("localhost:80")),
            ("http://[::1]:9/", Some("[::1]:9")),
            ("https://example.com../", None),
            ("ftp://example.com/", None),
            ("data:text/plain,x", None),
        ] {
            assert_eq!(origin_key(&url(target)).as_deref(), key, "{target}");
        }
    }

    #[test]
    fn another_port_or_scheme_is_another_origin() {
        assert!(same_origin(&url("https://a.example/x"), &url("https://A.example.:443/y")));
        assert!(!same_origin(&url("https://a.example/"), &url("https://a.example:8443/")));
        assert!(!same_origin(&url("http://a.example/"), &url("https://a.example/")));
    }

    #[test]
    fn look_alikes_are_shown_in_both_forms() {
        let host = normal_host(&url("https://аpple.com/")).unwrap();
        assert_eq!(shown_host(&host), "аpple.com (xn--pple-43d.com)");
        assert_eq!(shown_host("http://xn--bcher-kva.example:81"), "http://bücher.example:81 (xn--bcher-kva.example)");
        assert_eq!(shown_host("apple.com"), "apple.com");
    }
}
