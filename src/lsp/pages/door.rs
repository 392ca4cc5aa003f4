//! Who may come in: the rules that turn a request away before anything of it is used. They are told in the docs of the
//! folder.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::wire::{Head, Method, Refusal};

/// The name of the cookie.
const COOKIE: &str = "vaultls";
const FORM: &str = "application/x-www-form-urlencoded";

/// The way to one page, which is at one port.
pub struct Door {
    /// What the Host header has to be.
    authority: String,
    /// What opens the page once.
    token: String,
    /// Whether the token was used.
    taken: AtomicBool,
    /// The page's own name, in its address.
    id: String,
    /// What whoever came in by the token brings from then on.
    cookie: String,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The token is given for the cookie.
    Enter,
    /// To look at the page.
    See,
    /// To answer it.
    Act,
}

impl Door {
    pub fn new(port: u16) -> io::Result<Self> {
        let authority = format!("127.0.0.1:{port}");
        Ok(Self { authority, token: random()?, taken: AtomicBool::new(false), id: random()?, cookie: random()? })
    }

    /// Where the browser is sent to. It opens the page once.
    pub fn address(&self) -> String {
        format!("http://{}/{}", self.authority, self.token)
    }

    /// The address of the page for whoever has the cookie.
    pub fn path(&self) -> String {
        format!("/{}", self.id)
    }

    /// NB. cookies are not kept apart by port (RFC 6265, section 8.5): the path, which nobody can guess, is what keeps
    /// this one from other servers of this machine.
    pub fn cookie(&self) -> String {
        format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path={}", self.cookie, self.path())
    }

    /// What a request is about, if it may be about that.
    pub fn judge(&self, head: &Head) -> Result<Visit, Refusal> {
        if head.host.as_deref() != Some(self.authority.as_str()) {
            return Err(Refusal::Foreign);
        }
        let target = head.target.strip_prefix('/').unwrap_or_default();
        if is(target, &self.token) {
            return self.enter(head.method);
        }
        if !is(target, &self.id) {
            return Err(Refusal::Unknown);
        }
        if !head.cookie.as_deref().is_some_and(|cookie| self.knows(cookie)) {
            return Err(Refusal::Foreign);
        }
        match head.method {
            Method::Get if matches!(head.fetch_site.as_deref(), None | Some("none" | "same-origin")) => Ok(Visit::See),
            Method::Get => Err(Refusal::Foreign),
            Method::Post if !self.is_ours(head) => Err(Refusal::Foreign),
            Method::Post if !is_form(head) => Err(Refusal::NoForm),
            Method::Post => Ok(Visit::Act),
        }
    }

    fn enter(&self, method: Method) -> Result<Visit, Refusal> {
        if method != Method::Get {
            return Err(Refusal::Method);
        }
        if self.taken.swap(true, Ordering::SeqCst) { Err(Refusal::Gone) } else { Ok(Visit::Enter) }
    }

    fn knows(&self, cookies: &str) -> bool {
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == COOKIE && is(value, &self.cookie))
    }

    /// Whether a form was sent from this very page. Browsers say so by `Origin` (Fetch, section 3.2), and those that
    /// leave it out by `Sec-Fetch-Site`, which no page can set.
    fn is_ours(&self, head: &Head) -> bool {
        match (&head.origin, &head.fetch_site) {
            (Some(origin), _) => origin.strip_prefix("http://") == Some(self.authority.as_str()),
            (None, Some(site)) => site == "same-origin",
            (None, None) => false,
        }
    }
}

/// 256 random bits, as text for addresses.
pub fn random() -> io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// Whether two secrets are the same, found out without telling how much of them is.
pub fn is(given: &str, wanted: &str) -> bool {
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

fn is_form(head: &Head) -> bool {
    let kind = head.content_type.as_deref().unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door::new(4000).unwrap()
    }

    fn head(method: Method, target: &str) -> Head {
        Head {
            method,
            target: target.to_owned(),
            host: Some("127.0.0.1:4000".into()),
            cookie: None,
            origin: None,
            fetch_site: None,
            content_type: None,
            length: 0,
        }
    }

    fn known(door: &Door, method: Method) -> Head {
        let cookie = format!("other=1; {COOKIE}={}", door.cookie);
        let origin = (method == Method::Post).then(|| "http://127.0.0.1:4000".to_owned());
        Head { cookie: Some(cookie), origin, content_type: Some(FORM.into()), ..head(method, &door.path()) }
    }

    #[test]
    fn the_token_opens_once() {
        let door = door();
        let token = format!("/{}", door.token);
        assert_eq!(door.judge(&head(Method::Post, &token)), Err(Refusal::Method));
        assert_eq!(door.judge(&head(Method::Get, &token[..20])), Err(Refusal::Unknown));
        assert_eq!(door.judge(&head(Method::Get, &token)), Ok(Visit::Enter));
        assert_eq!(door.judge(&head(Method::Get, &token)), Err(Refusal::Gone));
    }

    #[test]
    fn only_this_machine_by_its_address_is_answered() {
        let door = door();
        for host in [None, Some("localhost:4000"), Some("127.0.0.1"), Some("127.0.0.1:4001"), Some("evil.io:4000")] {
            let token = format!("/{}", door.token);
            let stranger = Head { host: host.map(str::to_owned), ..head(Method::Get, &token) };
            assert_eq!(door.judge(&stranger), Err(Refusal::Foreign), "{host:?}");
            let stranger = Head { host: host.map(str::to_owned), ..known(&door, Method::Post) };
            assert_eq!(door.judge(&stranger), Err(Refusal::Foreign), "{host:?}");
        }
        // Nothing of that used the token up.
        assert_eq!(door.judge(&head(Method::Get, &format!("/{}", door.token))), Ok(Visit::Enter));
    }

    #[test]
    fn the_page_takes_the_cookie() {
        let door = door();
        assert_eq!(door.judge(&known(&door, Method::Get)), Ok(Visit::See));
        for cookie in [None, Some(""), Some("vaultls="), Some("vaultls=x"), Some("vaultls")] {
            let stranger = Head { cookie: cookie.map(str::to_owned), ..known(&door, Method::Get) };
            assert_eq!(door.judge(&stranger), Err(Refusal::Foreign), "{cookie:?}");
        }
        for site in ["cross-site", "same-site", "x"] {
            let led = Head { fetch_site: Some(site.into()), ..known(&door, Method::Get) };
            assert_eq!(door.judge(&led), Err(Refusal::Foreign), "{site}");
        }
    }

    #[test]
    fn a_form_comes_from_the_page_itself() {
        let door = door();
        let post = |origin: Option<&str>, site: Option<&str>| Head {
            origin: origin.map(str::to_owned),
            fetch_site: site.map(str::to_owned),
            ..known(&door, Method::Post)
        };
        assert_eq!(door.judge(&post(Some("http://127.0.0.1:4000"), None)), Ok(Visit::Act));
        assert_eq!(door.judge(&post(None, Some("same-origin"))), Ok(Visit::Act));
        for (origin, site) in [
            (None, None),
            (None, Some("same-site")),
            (None, Some("none")),
            (Some("null"), Some("same-origin")),
            (Some("http://127.0.0.1:4001"), Some("same-origin")),
            (Some("http://localhost:4000"), None),
            (Some("https://127.0.0.1:4000"), None),
            (Some("http://127.0.0.1:4000.evil.io"), None),
        ] {
            assert_eq!(door.judge(&post(origin, site)), Err(Refusal::Foreign), "{origin:?} {site:?}");
        }
        for kind in ["", "text/plain", "application/json", "multipart/form-data; boundary=x"] {
            let other = Head { content_type: Some(kind.into()), ..known(&door, Method::Post) };
            assert_eq!(door.judge(&other), Err(Refusal::NoForm), "{kind}");
        }
    }

    #[test]
    fn nothing_else_is_here() {
        let door = door();
        for target in ["/", "", "/favicon.ico", "http://127.0.0.1:4000/", "*"] {
            assert_eq!(door.judge(&head(Method::Get, target)), Err(Refusal::Unknown), "{target}");
        }
        let extended = Head { target: format!("{}/x", door.path()), ..known(&door, Method::Get) };
        assert_eq!(door.judge(&extended), Err(Refusal::Unknown));
    }
}
