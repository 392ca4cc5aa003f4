//! What an integration with HashiCorp Vault or OpenBao means: the cluster, the namespace, and the way to sign in there.

use std::path::PathBuf;

use url::Url;

use super::{
    field::{ca_file, parse_address, refuse, refuse_any},
    kv::{KvSecret, check_path},
};
use crate::{
    config::{Complaint, IntegrationEntry, Written},
    text::Span,
};

/// A cluster and a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashicorp {
    /// https, or http on this machine; without user, query and fragment; its path does not end in `/`.
    pub address: Url,
    pub namespace: Option<String>,
    /// A file of PEM certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    pub auth: Auth,
}

/// Where a token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `VAULT_TOKEN`, `~/.vault-token`, or one that is typed in.
    Token,
    /// The cluster's own OIDC provider, in the browser.
    Oidc(Oidc),
    /// A user's name and password.
    Userpass { mount: String, username: Option<String> },
    /// A role's id and its secret id, which comes from `VAULT_SECRET_ID` alone.
    Approle { mount: String, role_id: Option<String> },
    /// A signed token in a file, which whatever runs this program keeps fresh.
    Jwt { mount: String, role: Option<String>, file: PathBuf },
}

/// The cluster as an OIDC provider, and the auth method that takes what it issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// The provider's issuer, exactly as it calls itself; of the cluster's own origin.
    pub issuer: String,
    /// The mount path of the JWT auth method.
    pub jwt_path: String,
    pub client_id: String,
    /// The role of the JWT auth method; its default one if none.
    pub role: Option<String>,
    /// The ports that the browser may be led back to, in their order.
    pub redirect_ports: Vec<u16>,
}

/// The ports of Postman's integration, which `vaultls setup hashicorp` registers too.
pub const REDIRECT_PORTS: [u16; 2] = [10545, 10534];

/// Where Kubernetes puts the token of a pod's service account
/// (<https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>).
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

impl Hashicorp {
    pub(super) fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        let header = entry.source.site.span;
        let others = [&entry.region, &entry.account, &entry.profile, &entry.endpoint];
        refuse_any(&others, "this belongs to AWS; HashiCorp Vault has an `address`")?;
        let Some(written) = &entry.address else {
            return Err(Complaint::error(header, "`address` is missing, such as `https://vault.example.com:8200`"));
        };
        let address =
            parse_address("address", &written.value).map_err(|fault| Complaint::error(written.span, fault))?;
        for field in [&entry.tenant, &entry.client_id] {
            refuse(field.as_ref(), "`tenant` and `client-id` belong to Azure; the client of `oidc` stands in `auth`")?;
        }
        if let Some(namespace) = &entry.namespace {
            check_namespace(namespace)?;
        }
        let auth = Auth::understand(entry, &address)?;
        Ok(Self {
            address,
            namespace: entry.namespace.as_ref().map(|namespace| namespace.value.clone()),
            ca_file: entry.ca_file.as_ref().map(ca_file).transpose()?,
            auth,
        })
    }

    /// The secret's page of the cluster's own web interface, by its routes of OpenBao 2.7. NB. the mount is one part of
    /// that path, whatever is in it.
    pub fn console_url(&self, secret: &KvSecret) -> Url {
        let mut url = self.address.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts
                .pop_if_empty()
                .extend(["ui", "vault", "secrets", &secret.mount, "show"])
                .extend(secret.path.split('/'));
        }
        if let Some(namespace) = &self.namespace {
            url.query_pairs_mut().append_pair("namespace", namespace);
        }
        url
    }
}

impl Auth {
    fn understand(entry: &IntegrationEntry, address: &Url) -> Result<Self, Complaint> {
        let auth = Fields(entry);
        let method = entry.auth.method.as_ref();
        match method.map_or("token", |method| method.value.as_str()) {
            "token" => auth.only(&[]).map(|()| Self::Token),
            "oidc" => Oidc::understand(auth, address).map(Self::Oidc),
            "userpass" => {
                auth.only(&["username", "mount"])?;
                Ok(Self::Userpass { mount: auth.mount("userpass")?, username: auth.username()? })
            }
            "approle" => {
                auth.only(&["role-id", "mount"])?;
                Ok(Self::Approle { mount: auth.mount("approle")?, role_id: auth.text("role-id")? })
            }
            "jwt" => {
                auth.only(&["role", "mount", "jwt-file"])?;
                let missing = "`jwt-file` is missing: the file of the token, in the user's own configuration";
                let file = auth.file()?.ok_or_else(|| auth.complain("method", missing))?;
                Ok(Self::Jwt { mount: auth.mount("jwt")?, role: auth.text("role")?, file })
            }
            "kubernetes" => {
                auth.only(&["role", "mount", "jwt-file"])?;
                let role = auth.needed("role", "the role of the Kubernetes auth method")?;
                let file = auth.file()?.unwrap_or_else(|| SERVICE_ACCOUNT_TOKEN.into());
                Ok(Self::Jwt { mount: auth.mount("kubernetes")?, role: Some(role), file })
            }
            _ => Err(auth.complain(
                "method",
                "this way to sign in is not supported; use `token`, `oidc`, `userpass`, `approle`, `jwt` or `kubernetes`",
            )),
        }
    }

    /// Whether nobody needs to be asked: the program signs in itself when it has to.
    pub fn is_unattended(&self) -> bool {
        matches!(self, Self::Approle { .. } | Self::Jwt { .. })
    }
}

impl Oidc {
    fn understand(auth: Fields<'_>, address: &Url) -> Result<Self, Complaint> {
        auth.only(&["provider-url", "jwt-path", "client-id", "role", "redirect-ports"])?;
        let issuer =
            auth.needed("provider-url", "the issuer, such as `https://vault.acme.io/v1/identity/oidc/provider/main`")?;
        let url = parse_issuer(&issuer).map_err(|fault| auth.complain("provider-url", fault))?;
        if url.origin() != address.origin() {
            let message = "`provider-url` is not of the server at `address`: what it issues would be handed to another";
            return Err(auth.complain("provider-url", message));
        }
        let jwt_path = auth.needed("jwt-path", "the mount path of the JWT auth method, such as `postman-jwt`")?;
        auth.check("jwt-path", &jwt_path)?;
        let ports = auth.field("redirect-ports").map(|written| parse_ports(&written.value)).transpose();
        Ok(Self {
            jwt_path,
            client_id: auth.needed("client-id", "the id of the OIDC client")?,
            role: auth.text("role")?,
            redirect_ports: ports
                .map_err(|fault| auth.complain("redirect-ports", fault))?
                .unwrap_or_else(|| REDIRECT_PORTS.to_vec()),
            issuer,
        })
    }
}

/// The fields of an entry's `auth`.
#[derive(Clone, Copy)]
struct Fields<'e>(&'e IntegrationEntry);

impl<'e> Fields<'e> {
    fn field(self, name: &str) -> Option<&'e Written<String>> {
        self.0.auth.field(name)
    }

    fn only(self, known: &[&str]) -> Result<(), Complaint> {
        self.0.auth.refuse_all_but(known)
    }

    /// A complaint at a field, at the method if it is not written, else at the whole entry.
    fn complain(self, name: &str, message: impl Into<String>) -> Complaint {
        let at = self.field(name).or(self.0.auth.method.as_ref());
        let span: Span = at.map_or(self.0.source.site.span, |written| written.span);
        Complaint::error(span, message.into())
    }

    /// A text that holds something and nothing invisible.
    fn text(self, name: &str) -> Result<Option<String>, Complaint> {
        let Some(written) = self.field(name) else { return Ok(None) };
        super::kv::check_key(&written.value)
            .map_err(|error| Complaint::error(written.span, format!("`{name}`: {error}")))?;
        Ok(Some(written.value.clone()))
    }

    fn needed(self, name: &str, what: &str) -> Result<String, Complaint> {
        self.text(name)?.ok_or_else(|| self.complain(name, format!("`{name}` is missing: {what}")))
    }

    /// Where the auth method is mounted.
    fn mount(self, usual: &str) -> Result<String, Complaint> {
        let mount = self.field("mount").map_or(usual, |written| written.value.as_str());
        self.check("mount", mount)?;
        Ok(mount.to_owned())
    }

    /// The name becomes one part of a path.
    fn username(self) -> Result<Option<String>, Complaint> {
        let Some(written) = self.field("username") else { return Ok(None) };
        if !is_username(&written.value) {
            return Err(Complaint::error(
                written.span,
                "`username` is a name without `/`, `%`, `?`, `#`, `\\` and `*`",
            ));
        }
        Ok(Some(written.value.clone()))
    }

    fn file(self) -> Result<Option<PathBuf>, Complaint> {
        let Some(written) = self.field("jwt-file") else { return Ok(None) };
        let path = PathBuf::from(&written.value);
        if path.is_absolute() {
            return Ok(Some(path));
        }
        Err(Complaint::error(written.span, "`jwt-file` must be an absolute path"))
    }

    fn check(self, name: &str, path: &str) -> Result<(), Complaint> {
        check_path(path).map_err(|error| self.complain(name, format!("`{name}`: {error}")))
    }
}

/// Whether `name` can be one part of a path and nothing else.
pub fn is_username(name: &str) -> bool {
    check_path(name).is_ok() && !name.contains('/')
}

/// An issuer is compared as it is written, so it is checked and left alone.
fn parse_issuer(text: &str) -> Result<Url, String> {
    let url = parse_address("provider-url", text)?;
    if text.ends_with('/') || !text.contains("/v1/") {
        return Err(
            "`provider-url` is the issuer as the provider writes it: `ADDRESS/v1/identity/oidc/provider/NAME`, \
                    with the namespace after `/v1/`"
                .into(),
        );
    }
    Ok(url)
}

fn parse_ports(text: &str) -> Result<Vec<u16>, &'static str> {
    let port = |text: &str| text.trim().parse().ok().filter(|port| *port != 0);
    let ports: Option<Vec<u16>> = text.split(',').map(port).collect();
    ports.ok_or("`redirect-ports` is one or more ports, such as `10545,10534`")
}

fn check_namespace(namespace: &Written<String>) -> Result<(), Complaint> {
    check_path(&namespace.value).map_err(|error| Complaint::error(namespace.span, format!("`namespace`: {error}")))?;
    if !namespace.value.is_ascii() {
        return Err(Complaint::error(namespace.span, "`namespace` travels in a header and is plain ASCII"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, Layer};

    /// What a way to sign in means, or what is wrong with it.
    fn understand(layer: Layer, auth: &str) -> Result<Auth, String> {
        let text = format!(
            "[integrations.a]\nprovider = 'hashicorp'\naddress = 'https://bao.acme.io:8200'\nauth = {{ {auth} }}\n"
        );
        let found = config::read(&text, layer, Path::new("x.toml"));
        Hashicorp::understand(&found.integrations[0]).map(|it| it.auth).map_err(|complaint| complaint.message)
    }

    const ISSUER: &str = "https://bao.acme.io:8200/v1/team-a/identity/oidc/provider/main";

    fn oidc(issuer: &str, more: &str) -> Result<Auth, String> {
        let auth =
            format!("method = 'oidc', provider-url = '{issuer}', jwt-path = 'jwt/main', client-id = 'canary'{more}");
        understand(Layer::Workspace, &auth)
    }

    #[test]
    fn every_way_to_sign_in_has_its_usual_mount() {
        let approle = Auth::Approle { mount: "approle".into(), role_id: None };
        let file = if cfg!(windows) { "C:/ci/token" } else { "/ci/token" };
        let jwt = format!("method = 'jwt', jwt-file = '{file}', role = 'ci'");
        for (auth, meant) in [
            ("", Auth::Token),
            ("method = 'token'", Auth::Token),
            ("method = 'userpass'", Auth::Userpass { mount: "userpass".into(), username: None }),
            (
                "method = 'userpass', mount = 'people/a', username = 'ann'",
                Auth::Userpass { mount: "people/a".into(), username: Some("ann".into()) },
            ),
            ("method = 'approle'", approle),
            (jwt.as_str(), Auth::Jwt { mount: "jwt".into(), role: Some("ci".into()), file: file.into() }),
            (
                "method = 'kubernetes', role = 'ci'",
                Auth::Jwt { mount: "kubernetes".into(), role: Some("ci".into()), file: SERVICE_ACCOUNT_TOKEN.into() },
            ),
        ] {
            assert_eq!(understand(Layer::User, auth), Ok(meant), "{auth}");
        }
    }

    #[test]
    fn a_browser_comes_back_to_the_usual_ports() {
        let Ok(Auth::Oidc(meant)) = oidc(ISSUER, "") else { panic!() };
        assert_eq!((meant.issuer.as_str(), meant.redirect_ports, meant.role), (ISSUER, vec![10545, 10534], None));
        let Ok(Auth::Oidc(meant)) = oidc(ISSUER, ", redirect-ports = '8250, 8251'") else { panic!() };
        assert_eq!(meant.redirect_ports, [8250, 8251]);
    }

    #[test]
    fn a_token_is_never_aimed_at_another_server() {
        for issuer in [
            "https://evil.io/v1/identity/oidc/provider/main",
            "https://bao.acme.io/v1/identity/oidc/provider/main",
            "https://bao.acme.io:8201/v1/identity/oidc/provider/main",
            "https://bao.acme.io.evil.io:8200/v1/identity/oidc/provider/main",
        ] {
            let error = oidc(issuer, "").unwrap_err();
            assert!(error.starts_with("`provider-url` is not of the server"), "{issuer}: {error}");
        }
        for issuer in ["http://bao.acme.io:8200/v1/x", "https://bao.acme.io:8200@evil.io/v1/x", "bao", ""] {
            assert!(oidc(issuer, "").is_err(), "{issuer}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (auth, fault) in [
            ("method = 'oidc'", "`provider-url` is missing"),
            ("method = 'ldap'", "this way to sign in is not supported; use `token`, `oidc`"),
            ("method = 'token', role = 'x'", "signing in by token takes no `role`"),
            ("method = 'userpass', role-id = 'x'", "signing in by userpass takes no `role-id`"),
            ("method = 'userpass', mount = '../sys'", "`mount`: `.` and `..` are not allowed"),
            ("method = 'userpass', username = 'a/../b'", "`username` is a name without"),
            ("method = 'jwt'", "`jwt-file` is missing"),
            ("method = 'jwt', jwt-file = 'token'", "`jwt-file` must be an absolute path"),
            ("method = 'kubernetes'", "`role` is missing"),
            ("method = 'approle', role-id = ''", "`role-id`: it is empty"),
        ] {
            let error = understand(Layer::User, auth).unwrap_err();
            assert!(error.starts_with(fault), "{auth}: {error}");
        }
        for (more, fault) in [
            (", redirect-ports = '0'", "`redirect-ports` is one or more"),
            (", redirect-ports = '70000'", "`redirect-ports` is one or more"),
            (", redirect-ports = ''", "`redirect-ports` is one or more"),
            (", mount = 'jwt'", "signing in by oidc takes no `mount`"),
        ] {
            assert!(oidc(ISSUER, more).unwrap_err().starts_with(fault), "{more}");
        }
        assert!(oidc(&format!("{ISSUER}/"), "").unwrap_err().starts_with("`provider-url` is the issuer"));
    }

    #[test]
    fn the_page_of_a_secret_is_within_its_mount() {
        let cluster = Hashicorp {
            address: Url::parse("https://acme.io/vault").unwrap(),
            namespace: Some("team-a/b".into()),
            ca_file: None,
            auth: Auth::Token,
        };
        let secret = KvSecret { mount: "team/kv".into(), path: "app/a b".into(), key: "k".into(), version: None };
        let page = "https://acme.io/vault/ui/vault/secrets/team%2Fkv/show/app/a%20b?namespace=team-a%2Fb";
        assert_eq!(cluster.console_url(&secret).as_str(), page);
    }

    #[test]
    fn a_workspace_names_no_file_to_send() {
        let auth = "method = 'jwt', role = 'ci', jwt-file = '/home/ann/.ssh/id'";
        assert!(understand(Layer::Workspace, auth).unwrap_err().starts_with("`jwt-file` is missing"));
        let auth = "method = 'kubernetes', role = 'ci', jwt-file = '/home/ann/.ssh/id'";
        let Ok(Auth::Jwt { file, .. }) = understand(Layer::Workspace, auth) else { panic!() };
        assert_eq!(file, Path::new(SERVICE_ACCOUNT_TOKEN));
    }
}
