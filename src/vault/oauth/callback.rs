//! What the browser brings back in the redirect's query: whose it is, and the code in it.

use oauth2::{AuthorizationCode, CsrfToken, RedirectUrl};
use subtle::ConstantTimeEq;
use url::{Position, Url, form_urlencoded};

use super::{Code, Issuer, Server};
use crate::status::{Problem, Reason};

/// The longest address that is looked at.
pub(super) const LONGEST: usize = 8 * 1024;

/// What a redirect of this flow has to look like.
pub(super) struct Expected {
    state: CsrfToken,
    redirect: RedirectUrl,
    issuer: Issuer,
    /// The server announced that it names itself in the redirect (RFC 9207).
    names_itself: bool,
    /// The server as people know it.
    shown: String,
}

/// A redirect that is not of this flow. Whose it is cannot be told, so nothing of it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stranger;

/// The fields that count. Each may stand in a query once (RFC 6749, section 3.1).
#[derive(Default)]
struct Fields {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

impl Expected {
    pub(super) fn new(state: CsrfToken, redirect: RedirectUrl, server: &Server) -> Self {
        let (issuer, names_itself, shown) = (server.issuer.clone(), server.names_itself, server.shown());
        Self { state, redirect, issuer, names_itself, shown }
    }

    pub(super) fn redirect(&self) -> &RedirectUrl {
        &self.redirect
    }

    /// The outcome of the flow, if `query` is of it: its state is single-use, so whatever stands beside it is final.
    pub(super) fn judge(&self, query: &str) -> Result<Result<Code, Problem>, Stranger> {
        let fields = Fields::read(query).ok_or(Stranger)?;
        let state = fields.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.state.secret().as_bytes())) {
            return Err(Stranger);
        }
        Ok(self.outcome(fields))
    }

    /// The same for an address that a person pasted.
    pub(super) fn pasted(&self, text: &str) -> Result<Code, Problem> {
        let text = text.trim();
        let url = (text.len() <= LONGEST).then(|| Url::parse(text).ok()).flatten();
        let ours = |url: &Url| url[..Position::AfterPath] == self.redirect.url()[..Position::AfterPath];
        let outcome = url.filter(ours).map(|url| self.judge(url.query().unwrap_or_default()));
        let Some(Ok(outcome)) = outcome else {
            let detail = format!(
                "what was pasted is not where this sign-in ends: the browser's address that starts with `{}`, the whole of it",
                self.redirect.as_str()
            );
            return Err(Problem::new(Reason::LoginNeeded, detail));
        };
        outcome
    }

    fn outcome(&self, fields: Fields) -> Result<Code, Problem> {
        let known = match &fields.iss {
            Some(issuer) => self.issuer.is(issuer),
            None => !self.names_itself,
        };
        if !known {
            let detail =
                format!("the browser came back from another server than `{}`; the sign-in was aborted", self.shown);
            return Err(Problem::new(Reason::LoginNeeded, detail));
        }
        if let Some(error) = &fields.error {
            return Err(super::refused(error, fields.error_description.as_deref(), &self.shown));
        }
        match fields.code {
            Some(code) if !code.is_empty() => Ok(Code(AuthorizationCode::new(code))),
            _ => {
                let detail = format!("`{}` led the browser back without a code", self.shown);
                Err(Problem::new(Reason::LoginNeeded, detail))
            }
        }
    }
}

impl Fields {
    /// None where a field stands twice.
    fn read(query: &str) -> Option<Self> {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match &*name {
                "state" => &mut fields.state,
                "code" => &mut fields.code,
                "error" => &mut fields.error,
                "error_description" => &mut fields.error_description,
                "iss" => &mut fields.iss,
                _ => continue,
            };
            if field.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECT: &str = "http://127.0.0.1:10545/";

    fn expected(names_itself: bool) -> Expected {
        let endpoint = |path: &str| Url::parse(&format!("https://a.io/{path}")).unwrap();
        let server = Server {
            issuer: Issuer::Exactly("https://a.io".into()),
            authorization: endpoint("authorize"),
            token: endpoint("token"),
            device: None,
            names_itself,
        };
        Expected::new(CsrfToken::new("our-state".into()), RedirectUrl::new(REDIRECT.into()).unwrap(), &server)
    }

    /// The code, the problem, or `stranger`.
    fn judge(expected: &Expected, query: &str) -> String {
        match expected.judge(query) {
            Err(Stranger) => "stranger".into(),
            Ok(Ok(Code(code))) => code.secret().clone(),
            Ok(Err(problem)) => problem.detail,
        }
    }

    #[test]
    fn only_a_redirect_with_our_state_counts() {
        let expected = expected(false);
        for query in [
            "",
            "code=c",
            "code=c&state=",
            "code=c&state=our-stat",
            "code=c&state=our-state-",
            "code=c&state=OUR-STATE",
            "code=c&state=other&state=our-state",
            "code=c&state=our-state&state=our-state",
            "code=c&code=d&state=our-state",
            "error=access_denied",
        ] {
            assert_eq!(judge(&expected, query), "stranger", "{query}");
        }
        assert_eq!(judge(&expected, "code=c%2B1&state=our-state&session_state=x"), "c+1");
        assert!(judge(&expected, "state=our-state").contains("without a code"));
        assert!(judge(&expected, "state=our-state&code=").contains("without a code"));
        assert!(judge(&expected, "state=our-state&code=c&error=server_error").contains("server_error"));
    }

    #[test]
    fn another_issuer_aborts() {
        for (names_itself, query) in [
            (false, "code=c&state=our-state&iss=https://evil.io"),
            (true, "code=c&state=our-state&iss=https://a.io/"),
            (true, "code=c&state=our-state"),
            (true, "error=access_denied&state=our-state&iss="),
        ] {
            assert!(judge(&expected(names_itself), query).contains("another server"), "{query}");
        }
        assert_eq!(judge(&expected(true), "code=c&state=our-state&iss=https%3A%2F%2Fa.io"), "c");
    }

    #[test]
    fn a_pasted_address_goes_through_the_same_checks() {
        let expected = expected(false);
        let paste = |text: &str| expected.pasted(text).map(|Code(code)| code.secret().clone());
        assert_eq!(paste(" http://127.0.0.1:10545/?code=c&state=our-state\n"), Ok("c".into()));
        for text in [
            "",
            "c",
            "code=c&state=our-state",
            "http://127.0.0.1:10545/?code=c&state=other",
            "http://127.0.0.1:10546/?code=c&state=our-state",
            "http://127.0.0.1.evil.io:10545/?code=c&state=our-state",
            "http://user@127.0.0.1:10545/?code=c&state=our-state",
            "https://127.0.0.1:10545/?code=c&state=our-state",
            "http://127.0.0.1:10545/other?code=c&state=our-state",
            "http://127.0.0.1:10545/#code=c&state=our-state",
        ] {
            assert!(paste(text).unwrap_err().detail.contains("what was pasted is not"), "{text}");
        }
        assert!(
            paste("http://127.0.0.1:10545/?state=our-state&error=access_denied").unwrap_err().detail.contains("denied")
        );
    }
}
