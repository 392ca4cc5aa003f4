//! Which secret may go to which host.
//!
//! One function decides, [`Policy::check`]: an editor asks it before anything is sent, the sender asks it for the
//! URL that is sent and for every redirect, so that a diagnostic and the outcome of sending cannot disagree.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use url::Url;

use crate::{
    approval::{Approval, Approvals},
    domain::{self, DomainError, DomainList, DomainPattern, origin_key, shown_host},
    name::SecretName,
    status::{Problem, Reason},
};

/// How many entries of a domain list a message names.
const NAMED_ENTRIES: usize = 4;

/// The rule of one workspace and one process.
pub struct Policy {
    approvals: Arc<Approvals>,
    workspace: String,
    session: Mutex<Session>,
}

/// What was approved for as long as this process lives.
#[derive(Default)]
struct Session {
    /// By secret and origin key.
    hosts: HashSet<(SecretName, String)>,
    any: Vec<DomainPattern>,
}

impl Policy {
    /// `workspace` identifies the workspace in approvals: its canonical root folder.
    pub fn new(approvals: Arc<Approvals>, workspace: String) -> Self {
        Self { approvals, workspace, session: Mutex::default() }
    }

    /// Whether `name` may be part of a request to `url`, given the domain list that counts for it.
    /// The same answer before sending, when sending, and at every redirect.
    pub fn check(&self, name: &SecretName, domains: &DomainList, url: &Url) -> Result<(), Problem> {
        let Some(key) = origin_key(url) else {
            let detail = format!("`{name}` may be sent to http and https hosts only, and this URL names none");
            return Err(Problem::new(Reason::DomainDenied, detail));
        };
        // A part of an earlier exchange tells its origin nothing new.
        if domains.allows(url) || name.exchange().is_some_and(|(_, origin)| origin == key) {
            return Ok(());
        }
        if !domains.is_unset() {
            return Err(denied(name, domains, url));
        }
        if self.is_approved(name, url, &key) {
            return Ok(());
        }
        let host = shown_host(&key);
        let detail = match name.exchange() {
            Some((expression, "")) => format!("`{expression}` is not known yet, so it may not be sent to `{host}`"),
            Some((expression, origin)) => {
                let origin = shown_host(origin);
                format!("`{expression}` comes from `{origin}`, and `{host}` was never approved for it")
            }
            None => format!("`{name}` has no allowed domains, and `{host}` was never approved for it"),
        };
        Err(Problem::new(Reason::HostUnapproved, detail))
    }

    /// Approves a host: for this process, or also for later ones. `host` is an origin key as [`origin_key`] gives it,
    /// or a whole URL; one that names no host is an error of kind `InvalidInput`.
    pub fn allow(&self, name: &SecretName, host: &str, remember: bool) -> std::io::Result<()> {
        let Some(key) = url_of_host(host).as_ref().and_then(origin_key) else {
            let message = "not a host; write it as in `api.example.com`, `localhost:8080` or `http://example.com`";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message));
        };
        if remember {
            self.approvals.grant(&self.approval(name, &key))?;
        }
        self.session().hosts.insert((name.clone(), key));
        Ok(())
    }

    /// Approves a host for every secret without a list, for this process (`--allow-host`). It is read like an entry
    /// of a domain list; for this machine itself plain http is meant as well.
    pub fn allow_any(&self, host: &str) -> Result<(), DomainError> {
        let mut patterns = vec![DomainPattern::parse(host)?];
        let plain = format!("http://{host}");
        if !host.contains("://") && Url::parse(&plain).is_ok_and(|url| domain::is_loopback(&url)) {
            patterns.push(DomainPattern::parse(&plain)?);
        }
        self.session().any.extend(patterns);
        Ok(())
    }

    fn is_approved(&self, name: &SecretName, url: &Url, key: &str) -> bool {
        let session = self.session();
        if session.any.iter().any(|pattern| pattern.matches(url))
            || session.hosts.contains(&(name.clone(), key.to_owned()))
        {
            return true;
        }
        drop(session);
        self.approvals.contains(&self.approval(name, key))
    }

    fn approval<'a>(&'a self, name: &'a SecretName, host: &'a str) -> Approval<'a> {
        Approval::Host { workspace: &self.workspace, secret: name.as_str(), host }
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Session> {
        // A panic elsewhere cannot leave half an approval behind: each is one insertion.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The URL of a host that a person or a face names: https unless it says otherwise.
pub fn url_of_host(text: &str) -> Option<Url> {
    // The parser would strip tabs and read `a.com@b.io` as `b.io`: an approval means what it looks like.
    if text.contains(|char: char| char == '@' || char == '\\' || char.is_whitespace() || char.is_control()) {
        return None;
    }
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    url.ok().filter(|url| origin_key(url).is_some())
}

/// Says which host was refused and what would have to be allowed.
fn denied(name: &SecretName, domains: &DomainList, url: &Url) -> Problem {
    let host = domain::normal_host(url).map(|host| shown_host(&host)).unwrap_or_default();
    let any = |rule: fn(&DomainPattern, &Url) -> bool| domains.patterns.iter().any(|pattern| rule(pattern, url));
    let detail = if domains.patterns.is_empty() {
        format!("no entry of the allowed domains of `{name}` is valid, so it may not be sent to `{host}`")
    } else if any(DomainPattern::matches_but_for_scheme) {
        let (wanted, entry) = if url.scheme() == "http" { ("https", "http://") } else { ("plain http", "") };
        format!("`{name}` may be sent to `{host}` by {wanted} only; allow `{entry}{host}`, or change the URL")
    } else if any(DomainPattern::matches_host) {
        let port = url.port_or_known_default().unwrap_or_default();
        format!("`{name}` may not be sent to port {port} of `{host}`, only to {}", entries(domains))
    } else {
        format!("`{name}` may not be sent to `{host}`, only to {}", entries(domains))
    };
    Problem::new(Reason::DomainDenied, detail)
}

fn entries(domains: &DomainList) -> String {
    let mut named: Vec<String> =
        domains.patterns.iter().take(NAMED_ENTRIES).map(|pattern| format!("`{pattern}`")).collect();
    if domains.patterns.len() > NAMED_ENTRIES {
        named.push(format!("{} more", domains.patterns.len() - NAMED_ENTRIES));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretName {
        SecretName::parse("stripe").unwrap()
    }

    /// What a list says to a URL, for a policy that approved nothing.
    fn check(entries: &[&str], url: &str) -> String {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        let (domains, _) = DomainList::parse(&entries);
        match policy.check(&secret(), &domains, &Url::parse(url).unwrap()) {
            Ok(()) => "allowed".into(),
            Err(problem) => format!("{}: {}", problem.reason.code(), problem.detail),
        }
    }

    #[test]
    fn a_listed_host_is_allowed() {
        assert_eq!(check(&["api.stripe.com"], "https://API.stripe.com/v1"), "allowed");
    }

    #[test]
    fn a_refusal_names_the_host_and_what_is_allowed() {
        assert_eq!(
            check(&["api.stripe.com", "*.acme.io:8443"], "https://evil.io/"),
            "domain-denied: `stripe` may not be sent to `evil.io`, only to `api.stripe.com`, `*.acme.io:8443`"
        );
    }

    #[test]
    fn plain_http_says_so() {
        assert_eq!(
            check(&["api.stripe.com"], "http://api.stripe.com/"),
            "domain-denied: `stripe` may be sent to `api.stripe.com` by https only; \
             allow `http://api.stripe.com`, or change the URL"
        );
    }

    #[test]
    fn another_port_says_so() {
        assert_eq!(
            check(&["api.stripe.com:8443"], "https://api.stripe.com/"),
            "domain-denied: `stripe` may not be sent to port 443 of `api.stripe.com`, only to `api.stripe.com:8443`"
        );
    }

    #[test]
    fn only_invalid_entries_deny_everything() {
        assert!(check(&["http*"], "https://a.com/").starts_with("domain-denied: no entry of the allowed domains"));
    }

    #[test]
    fn other_schemes_are_denied_whatever_is_listed() {
        assert!(check(&["*"], "ftp://example.com/").starts_with("domain-denied"));
        assert!(check(&[], "file:///etc/passwd").starts_with("domain-denied"));
    }

    #[test]
    fn an_approval_is_for_one_secret_and_one_origin() {
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        policy.allow(&secret(), "api.stripe.com", false).unwrap();
        let session = policy.session();
        assert!(session.hosts.contains(&(secret(), "api.stripe.com".into())));
        assert_eq!(session.hosts.len(), 1);
    }

    #[test]
    fn what_is_remembered_counts_for_later_processes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let open = |workspace: &str| Policy::new(Arc::new(Approvals::open(folder.path().into())), workspace.into());
        open("/workspace").allow(&secret(), "api.stripe.com", true).unwrap();
        open("/workspace").allow(&secret(), "once.stripe.com", false).unwrap();
        let other = SecretName::parse("other").unwrap();
        for (workspace, name, url, approved) in [
            ("/workspace", &secret(), "https://api.stripe.com/", true),
            ("/workspace", &secret(), "https://once.stripe.com/", false),
            ("/workspace", &secret(), "https://api.stripe.com:8443/", false),
            ("/workspace", &secret(), "http://api.stripe.com/", false),
            ("/workspace", &other, "https://api.stripe.com/", false),
            ("/elsewhere", &secret(), "https://api.stripe.com/", false),
        ] {
            let checked = open(workspace).check(name, &DomainList::default(), &Url::parse(url).unwrap());
            assert_eq!(checked.is_ok(), approved, "{workspace} {name} {url}");
        }
    }

    #[test]
    fn a_part_of_an_exchange_may_go_back_to_where_it_came_from_and_nowhere_else_unasked() {
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        let name = |origin: &str| SecretName::of_exchange("login.response.body.$.token", origin).unwrap();
        let unset = DomainList::default();
        let check = |name: &SecretName, url: &str| policy.check(name, &unset, &Url::parse(url).unwrap());
        assert_eq!(check(&name("api.a.io"), "https://api.a.io/x"), Ok(()));
        for url in ["http://api.a.io/", "https://api.a.io:8443/", "https://a.io/", "https://evil.io/@api.a.io"] {
            assert_eq!(check(&name("api.a.io"), url).unwrap_err().reason, Reason::HostUnapproved, "{url}");
            assert_eq!(check(&name(""), url).unwrap_err().reason, Reason::HostUnapproved, "{url}");
        }
        policy.allow(&name("api.a.io"), "b.io", false).unwrap();
        assert_eq!(check(&name("api.a.io"), "https://b.io/"), Ok(()));
        // The consent was to what one origin answers.
        assert!(check(&name("other.io"), "https://b.io/").is_err());
    }

    #[test]
    fn what_is_no_host_cannot_be_approved() {
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        for text in ["", "a b", "a.com@b.io", "data:text/plain,x", "ftp://a"] {
            assert!(policy.allow(&secret(), text, false).is_err(), "{text:?}");
        }
        assert!(policy.allow_any("http*").is_err());
    }

    #[test]
    fn a_host_allowed_for_all_serves_every_secret_without_a_list() {
        let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
        policy.allow_any("*.acme.io").unwrap();
        policy.allow_any("localhost:9").unwrap();
        let unset = DomainList::default();
        for url in ["https://api.acme.io/", "http://localhost:9/", "https://localhost:9/"] {
            assert_eq!(policy.check(&secret(), &unset, &Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }
}
