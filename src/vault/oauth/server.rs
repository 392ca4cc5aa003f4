//! The authorization server: what the user configured, and what its own discovery document may add to that.

use serde::Deserialize;
use url::{Origin, Url};

use super::Wire;
use crate::{
    status::{Problem, Reason},
    vault::link::field::is_loopback,
};

/// An authorization server's endpoints: https, or http on this machine.
#[derive(Clone, Debug)]
pub struct Server {
    pub issuer: Issuer,
    pub authorization: Url,
    pub token: Url,
    /// Where a code for the device flow is to be had.
    pub device: Option<Url>,
    /// It announces that it names itself in the redirect (RFC 9207, section 3), which is then required.
    pub names_itself: bool,
}

/// Who has to be named as the issuer of what comes back.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// Exactly this text (OpenID Connect Discovery 1.0, section 4.3).
    Exactly(String),
    /// Any issuer of these origins: Entra ID puts the tenant's id into its path, which is not known where a domain names
    /// the tenant.
    Within(Vec<Origin>),
}

/// The fields of a discovery document that count.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    device_authorization_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Issuer {
    pub(super) fn is(&self, text: &str) -> bool {
        match self {
            Self::Exactly(issuer) => issuer == text,
            Self::Within(origins) => Url::parse(text).is_ok_and(|url| is_safe(&url) && origins.contains(&url.origin())),
        }
    }
}

impl Server {
    /// Asks `issuer` where its endpoints are. They have to be of its own origin: a document that was tampered with cannot
    /// send the person or the code elsewhere. OpenBao and HashiCorp Vault, whose page lies under another path than the
    /// issuer, keep to that.
    pub async fn discover(issuer: &str, wire: &Wire) -> Result<Self, Problem> {
        let url = Url::parse(issuer).ok().filter(is_safe).filter(|url| url.query().is_none());
        let url = url.ok_or_else(|| {
            Problem::new(Reason::NotConfigured, "the provider URL is https, without user, query and fragment")
        })?;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document: Document = wire.get(&address).await?;
        Self::read(document, issuer, &url.origin()).map_err(|fault| {
            let detail = format!("the discovery document of `{}` is refused: {fault}", super::shown(issuer));
            Problem::new(Reason::NotConfigured, detail)
        })
    }

    fn read(document: Document, issuer: &str, origin: &Origin) -> Result<Self, String> {
        if document.issuer != issuer {
            return Err(format!("it is of another issuer, `{}`", super::shown(&document.issuer)));
        }
        let methods = document.code_challenge_methods_supported;
        if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err("the server does not know PKCE with S256".into());
        }
        let endpoint = |field: &str, text: &str| {
            let url = Url::parse(text).ok().filter(|url| is_safe(url) && url.origin() == *origin);
            url.ok_or_else(|| format!("its `{field}` is not an https address of the issuer's own server"))
        };
        let device = document.device_authorization_endpoint.as_deref();
        Ok(Self {
            issuer: Issuer::Exactly(document.issuer),
            authorization: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
            token: endpoint("token_endpoint", &document.token_endpoint)?,
            device: device.map(|text| endpoint("device_authorization_endpoint", text)).transpose()?,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }

    /// The server as people know it.
    pub(super) fn shown(&self) -> String {
        self.token.origin().ascii_serialization()
    }
}

/// Whether a person or a secret may be sent there.
pub(super) fn is_safe(url: &Url) -> bool {
    let private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    private && url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://bao.acme.io:8200/v1/identity/oidc/provider/main";

    /// What the document means, with `change` made to a good one.
    fn read(change: impl FnOnce(&mut Value)) -> Result<Server, String> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://bao.acme.io:8200/ui/vault/identity/oidc/provider/main/authorize",
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/.well-known/keys"),
        });
        change(&mut document);
        let document = serde_json::from_value(document).map_err(|_| "no document")?;
        Server::read(document, ISSUER, &Url::parse(ISSUER).unwrap().origin())
    }

    #[test]
    fn a_page_under_another_path_of_the_same_server_passes() {
        let server = read(|_| {}).unwrap();
        assert_eq!(server.authorization.path(), "/ui/vault/identity/oidc/provider/main/authorize");
        assert!(server.issuer.is(ISSUER) && !server.names_itself && server.device.is_none());
    }

    #[test]
    fn endpoints_elsewhere_are_refused() {
        for field in ["authorization_endpoint", "token_endpoint", "device_authorization_endpoint"] {
            for url in [
                "file:///etc/passwd",
                "http://x/$(calc)",
                "javascript:alert(1)",
                "https://evil.io/token",
                "https://bao.acme.io/token",
                "http://bao.acme.io:8200/token",
                "https://bao.acme.io:8200@evil.io/token",
                "https://user@bao.acme.io:8200/token",
                "https://bao.acme.io:8200/token#x",
                "/relative",
                "",
            ] {
                let error = read(|document| document[field] = url.into()).unwrap_err();
                assert!(error.contains(field), "{field} {url}: {error}");
            }
        }
    }

    #[test]
    fn another_issuer_and_a_lesser_challenge_are_refused() {
        for issuer in [format!("{ISSUER}/"), ISSUER.to_uppercase(), "https://evil.io".into()] {
            assert!(read(|document| document["issuer"] = issuer.into()).unwrap_err().contains("another issuer"));
        }
        let plain = read(|document| document["code_challenge_methods_supported"] = json!(["plain"]));
        assert!(plain.unwrap_err().contains("S256"));
        assert!(read(|document| document["code_challenge_methods_supported"] = json!(["plain", "S256"])).is_ok());
        for (field, value) in [("issuer", json!(1)), ("token_endpoint", json!(["x"])), ("token_endpoint", json!(null))]
        {
            assert_eq!(read(|document| document[field] = value).unwrap_err(), "no document");
        }
    }

    #[test]
    fn an_issuer_with_a_tenants_id_belongs_to_its_server() {
        let origin = Url::parse("https://login.microsoftonline.com").unwrap().origin();
        let issuer = Issuer::Within(vec![origin]);
        assert!(issuer.is("https://login.microsoftonline.com/9188040d/v2.0"));
        for other in ["https://login.microsoftonline.com.evil.io/x", "http://login.microsoftonline.com/x", "x", ""] {
            assert!(!issuer.is(other), "{other}");
        }
    }
}
