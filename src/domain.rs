//! Allowed domains: the pattern a person writes and the rule by which a URL matches it.

use url::Url;

/// An entry of an allowed-domains list, such as `*.example.com` or `http://localhost:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern {
    // The domain helper decides.
}

/// Why an entry is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DomainError(pub String);

impl DomainPattern {
    pub fn parse(_entry: &str) -> Result<Self, DomainError> {
        todo!()
    }

    /// Whether the pattern is so wide that a stranger's host can match (`*`, `*.com`, `*.github.io`).
    pub fn is_too_wide(&self) -> bool {
        todo!()
    }

    pub fn matches(&self, _url: &Url) -> bool {
        todo!()
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
    pub fn parse(_entries: &[String]) -> (Self, Vec<(usize, DomainError)>) {
        todo!()
    }

    /// Whether nobody restricted the domains: then each host is asked for.
    pub fn is_unset(&self) -> bool {
        self.patterns.is_empty() && self.invalid == 0
    }
}

/// The host of a URL in the one form in which hosts are compared, approved and shown: lower case, punycode,
/// one trailing dot stripped; none for a URL without a host or with an invalid one.
pub fn normal_host(_url: &Url) -> Option<String> {
    todo!()
}
