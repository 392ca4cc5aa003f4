//! What a setup writes: the same fields as JSON for the server and as a command of the `vault` program for people.

use std::path::PathBuf;

use serde_json::{Map, Value};
use url::Url;

use super::Step;
use crate::vault::link::field::is_loopback;

/// What is wanted, by the names that administrators know.
#[derive(Clone, Debug)]
pub struct Plan {
    pub address: Url,
    pub namespace: Option<String>,
    /// The cluster's certificate authority: its file and the PEM text in it.
    pub ca_file: Option<(PathBuf, String)>,
    pub client_name: String,
    pub redirect_uris: Vec<String>,
    pub jwt_path: String,
    pub role: String,
    pub policy_name: String,
    pub policy: Policy,
}

/// What one may read who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every secret; nothing of the system.
    Everything,
    /// What is in these engines.
    Mounts(Vec<String>),
    /// What is at these paths of the API.
    Paths(Vec<String>),
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Below `/v1/`.
    pub path: String,
    fields: Vec<(&'static str, Text)>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    Plain(String),
    /// What the client's step told.
    ClientId,
    /// What the provider's step told.
    Issuer,
    File(PathBuf, String),
}

/// The name of the provider, which is a part of its issuer.
const PROVIDER: &str = "postman";

impl Plan {
    /// Says what is wrong with a plan, by the name under which it was given.
    pub fn check(&self) -> Result<(), String> {
        let named = [
            ("OIDC_CLIENT_NAME", &self.client_name, false),
            ("JWT_AUTH_PATH", &self.jwt_path, true),
            ("OIDC_ROLE", &self.role, false),
            ("POLICY_NAME", &self.policy_name, false),
        ];
        for (variable, name, is_path) in named {
            if !is_plain(name) || name.contains('*') || (!is_path && name.contains('/')) {
                return Err(format!("{variable} is made of letters, digits, `.`, `_` and `-`"));
            }
        }
        if let Some(namespace) = self.namespace.as_ref().filter(|namespace| !is_plain(namespace)) {
            return Err(format!("VAULT_NAMESPACE is a path such as `team-a`, not `{}`", namespace.escape_debug()));
        }
        let (Policy::Mounts(paths) | Policy::Paths(paths)) = &self.policy else { return self.check_redirects() };
        match paths.iter().find(|path| !is_plain(path)) {
            Some(path) => Err(format!("`{}` is no path of a policy", path.escape_debug())),
            None => self.check_redirects(),
        }
    }

    /// The ports on this machine that the browser may be led back to.
    pub fn redirect_ports(&self) -> Vec<u16> {
        let port = |uri: &String| {
            let port = uri.strip_prefix("http://127.0.0.1:")?.strip_suffix('/')?;
            port.parse().ok().filter(|port| *port != 0)
        };
        self.redirect_uris.iter().filter_map(port).collect()
    }

    /// What `step` writes.
    pub fn write(&self, step: Step) -> Write {
        let plain = |text: &str| Text::Plain(text.to_owned());
        let (path, fields) = match step {
            Step::Client => (
                format!("identity/oidc/client/{}", self.client_name),
                vec![
                    ("redirect_uris", Text::Plain(self.redirect_uris.join(","))),
                    ("client_type", plain("public")),
                    ("assignments", plain("allow_all")),
                ],
            ),
            Step::Provider => (
                format!("identity/oidc/provider/{PROVIDER}"),
                vec![
                    ("allowed_client_ids", Text::ClientId),
                    ("issuer", Text::Plain(self.address.origin().ascii_serialization())),
                ],
            ),
            Step::Method => (format!("sys/auth/{}", self.jwt_path), vec![("type", plain("jwt"))]),
            Step::Config => {
                let mut fields = vec![("oidc_discovery_url", Text::Issuer), ("default_role", plain(&self.role))];
                let ca = self.ca_file.clone();
                fields.extend(ca.map(|(path, pem)| ("oidc_discovery_ca_pem", Text::File(path, pem))));
                (format!("auth/{}/config", self.jwt_path), fields)
            }
            Step::Policy => {
                (format!("sys/policy/{}", self.policy_name), vec![("policy", Text::Plain(self.policy.text()))])
            }
            Step::Role => (
                format!("auth/{}/role/{}", self.jwt_path, self.role),
                vec![
                    ("bound_audiences", Text::ClientId),
                    ("user_claim", plain("sub")),
                    ("token_policies", plain(&self.policy_name)),
                    ("role_type", plain("jwt")),
                ],
            ),
        };
        Write { path, fields }
    }

    /// All of it as commands of the `vault` program, for a shell.
    pub fn script(&self) -> String {
        let address = self.address.as_str().trim_end_matches('/');
        let mut script = format!("export VAULT_ADDR={}\n", quoted(address));
        if let Some(namespace) = &self.namespace {
            script += &format!("export VAULT_NAMESPACE={}\n", quoted(namespace));
        }
        if let Some((path, _)) = &self.ca_file {
            script += &format!("export VAULT_CACERT={}\n", quoted(&path.to_string_lossy()));
        }
        for step in Step::ALL {
            let write = self.write(step);
            script += &format!("\n# {}\n{}\n", step.title(), write.command());
            script += &match step {
                Step::Client => format!("CLIENT_ID=\"$(vault read -field=client_id {})\"\n", write.path),
                Step::Provider => format!("ISSUER=\"$(vault read -field=issuer {})\"\n", write.path),
                _ => String::new(),
            };
        }
        script
    }

    fn check_redirects(&self) -> Result<(), String> {
        let is_address = |uri: &String| {
            Url::parse(uri).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
        };
        if !self.redirect_uris.iter().all(is_address) || self.redirect_ports().is_empty() {
            return Err("REDIRECT_URI is a list with at least one `http://127.0.0.1:PORT/`, separated by commas".into());
        }
        Ok(())
    }
}

impl Policy {
    /// The policy in its own language. Names may be listed where values may be read: one chooses a secret by its name.
    pub fn text(&self) -> String {
        let rule = |path: &str, may: &str| format!("path \"{path}\" {{ capabilities = [{may}] }}\n");
        const READ: &str = "\"read\"";
        const BOTH: &str = "\"read\", \"list\"";
        match self {
            Self::Everything => [rule("*", BOTH), rule("sys/*", "\"deny\""), rule("auth/*", "\"deny\"")].concat(),
            Self::Mounts(mounts) => {
                mounts.iter().map(|mount| rule(&format!("{}/*", mount.trim_matches('/')), BOTH)).collect()
            }
            Self::Paths(paths) => {
                let rules = paths.iter().map(|path| match path.split_once("/data/") {
                    // What a KV engine of version 2 tells about a secret without its value lies beside it.
                    Some((mount, rest)) => [
                        rule(path, READ),
                        rule(&format!("{mount}/subkeys/{rest}"), READ),
                        rule(&format!("{mount}/metadata/{rest}"), BOTH),
                    ]
                    .concat(),
                    None => rule(path, BOTH),
                });
                rules.collect()
            }
        }
    }
}

impl Write {
    /// The write as a command of the `vault` program. What earlier steps told stands in variables.
    pub fn command(&self) -> String {
        let fields = self.fields.iter().map(|(name, text)| match text {
            Text::Plain(text) => format!(" {name}={}", quoted(text)),
            Text::ClientId => format!(" {name}=\"$CLIENT_ID\""),
            Text::Issuer => format!(" {name}=\"$ISSUER\""),
            Text::File(path, _) => format!(" {name}=@{}", quoted(&path.to_string_lossy())),
        });
        format!("vault write {}{}", self.path, fields.collect::<String>())
    }

    /// The write as the server takes it.
    pub(super) fn body(&self, client_id: &str, issuer: &str) -> Value {
        let value = |text: &Text| match text {
            Text::Plain(text) | Text::File(_, text) => text.clone(),
            Text::ClientId => client_id.to_owned(),
            Text::Issuer => issuer.to_owned(),
        };
        let fields = self.fields.iter().map(|(name, text)| ((*name).to_owned(), Value::String(value(text))));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// Whether a text is a path that means nothing else to a policy, a shell or the `vault` program.
fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'*' | b'+');
    let parts_are_sound = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    text.bytes().all(allowed) && parts_are_sound
}

/// A word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b',');
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn plan() -> Plan {
        Plan {
            address: Url::parse("https://vault.acme.io:8200").unwrap(),
            namespace: Some("team-a".into()),
            ca_file: Some(("/etc/acme's ca.pem".into(), "PEM".into())),
            client_name: "postman-integration-client".into(),
            redirect_uris: vec!["http://127.0.0.1:10545/".into(), "http://127.0.0.1:10534/".into()],
            jwt_path: "postman-jwt".into(),
            role: "postman".into(),
            policy_name: "postman-integration-policy".into(),
            policy: Policy::Everything,
        }
    }

    #[test]
    fn a_script_does_the_same_by_hand() {
        expect![[r#"
            export VAULT_ADDR=https://vault.acme.io:8200
            export VAULT_NAMESPACE=team-a
            export VAULT_CACERT='/etc/acme'\''s ca.pem'

            # the OIDC client, which needs no secret
            vault write identity/oidc/client/postman-integration-client redirect_uris=http://127.0.0.1:10545/,http://127.0.0.1:10534/ client_type=public assignments=allow_all
            CLIENT_ID="$(vault read -field=client_id identity/oidc/client/postman-integration-client)"

            # the OIDC provider that lets the client in
            vault write identity/oidc/provider/postman allowed_client_ids="$CLIENT_ID" issuer=https://vault.acme.io:8200
            ISSUER="$(vault read -field=issuer identity/oidc/provider/postman)"

            # the auth method that takes the provider's tokens
            vault write sys/auth/postman-jwt type=jwt

            # whom the auth method trusts
            vault write auth/postman-jwt/config oidc_discovery_url="$ISSUER" default_role=postman oidc_discovery_ca_pem=@'/etc/acme'\''s ca.pem'

            # what one may do who signed in
            vault write sys/policy/postman-integration-policy policy='path "*" { capabilities = ["read", "list"] }
            path "sys/*" { capabilities = ["deny"] }
            path "auth/*" { capabilities = ["deny"] }
            '

            # the role that joins the client with the policy
            vault write auth/postman-jwt/role/postman bound_audiences="$CLIENT_ID" user_claim=sub token_policies=postman-integration-policy role_type=jwt
        "#]]
        .assert_eq(&plan().script());
    }

    #[test]
    fn a_narrow_policy_allows_what_is_told_without_the_value_too() {
        let policy = Policy::Paths(vec!["kv/data/payments/*".into(), "old/payments".into()]);
        expect![[r#"
            path "kv/data/payments/*" { capabilities = ["read"] }
            path "kv/subkeys/payments/*" { capabilities = ["read"] }
            path "kv/metadata/payments/*" { capabilities = ["read", "list"] }
            path "old/payments" { capabilities = ["read", "list"] }
        "#]]
        .assert_eq(&policy.text());
        expect![[r#"
            path "kv/*" { capabilities = ["read", "list"] }
        "#]]
        .assert_eq(&Policy::Mounts(vec!["kv/".into()]).text());
    }

    #[test]
    fn what_means_more_than_itself_is_refused() {
        assert_eq!(plan().check(), Ok(()));
        for (change, variable) in [
            ((|plan| plan.role = "a b".into()) as fn(&mut Plan), "OIDC_ROLE"),
            (|plan| plan.role = "@/etc/passwd".into(), "OIDC_ROLE"),
            (|plan| plan.client_name = "a/b".into(), "OIDC_CLIENT_NAME"),
            (|plan| plan.jwt_path = "../sys".into(), "JWT_AUTH_PATH"),
            (|plan| plan.policy_name = "$(id)".into(), "POLICY_NAME"),
            (|plan| plan.namespace = Some("a'b".into()), "VAULT_NAMESPACE"),
            (|plan| plan.redirect_uris = vec!["http://evil.io/".into()], "REDIRECT_URI"),
            (|plan| plan.redirect_uris = vec!["http://localhost:1/".into()], "REDIRECT_URI"),
            (|plan| plan.policy = Policy::Paths(vec!["a\" { }".into()]), "`a\\\" { }` is no path"),
        ] {
            let mut plan = plan();
            change(&mut plan);
            let error = plan.check().unwrap_err();
            assert!(error.contains(variable), "{error}");
        }
    }
}
