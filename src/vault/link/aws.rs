//! An account of Amazon Web Services as one identity sees it, and what of a secret a link means there.

use std::fmt;

use url::Url;

use super::{
    arn::{SecretArn, is_account, is_region},
    field::{parse_address, refuse_any},
};
use crate::config::{Complaint, IntegrationEntry, SecretEntry, Written};

/// An account of Amazon Web Services, as one identity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// The region that every secret must be of, where one is written.
    pub region: Option<String>,
    /// The number of the account that every secret must be of, where one is written.
    pub account: Option<String>,
    pub auth: AwsAuth,
    /// An emulator, asked in place of AWS: https, or http on this machine.
    pub endpoint: Option<Url>,
}

/// Who one is for AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsAuth {
    /// A profile of the AWS tools' own files; `main`, then `default`, where none is named.
    Profile(Option<String>),
    /// Access keys from this process's environment, or typed in.
    Keys,
}

/// The whole of a secret, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsSecret {
    pub arn: SecretArn,
    /// A role to assume for it.
    pub role: Option<String>,
    pub version: Version,
    /// The key within a JSON object; the whole text if none.
    pub json_key: Option<String>,
    /// How a binary secret becomes text; a binary one is refused if none.
    pub encoding: Option<Encoding>,
}

/// Which version of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// The one labelled `AWSCURRENT`.
    Current,
    /// The one labelled so.
    Stage(String),
    /// The one with this id, which has the form of a UUID.
    Id(String),
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// With the standard alphabet and padding (RFC 4648, section 4).
    Base64,
    /// In small letters.
    Hex,
    /// The bytes are UTF-8 already.
    Text,
}

/// The longest name of a profile, in bytes.
const MAX_PROFILE: usize = 128;
/// The longest path and name of a role, in bytes (IAM API reference, `CreateRole`).
const MAX_ROLE: usize = 512;
/// The longest name of a stage, in bytes (API reference, `GetSecretValue`).
const MAX_STAGE: usize = 256;

impl Aws {
    pub(super) fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        let message = "this belongs to HashiCorp Vault; AWS has `region`, `account` and `profile`";
        refuse_any(&[&entry.address, &entry.namespace, &entry.ca_file], message)?;
        refuse_any(&[&entry.tenant, &entry.client_id], "`tenant` and `client-id` belong to Azure")?;
        let checked = |field: &Option<Written<String>>, message: &str, is_good: fn(&str) -> bool| match field {
            Some(field) if !is_good(&field.value) => Err(Complaint::error(field.span, message)),
            _ => Ok(field.as_ref().map(|field| field.value.clone())),
        };
        let endpoint = entry.endpoint.as_ref().map(|written| {
            parse_address("endpoint", &written.value).map_err(|fault| Complaint::error(written.span, fault))
        });
        Ok(Self {
            region: checked(&entry.region, "`region` is written like `eu-west-1`", is_region)?,
            account: checked(&entry.account, "`account` is a number of 12 digits", is_account)?,
            auth: AwsAuth::understand(entry)?,
            endpoint: endpoint.transpose()?,
        })
    }
}

impl AwsAuth {
    fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        entry.auth.refuse_all_but(&[])?;
        match (entry.auth.method.as_ref().map(|method| (method.value.as_str(), method.span)), &entry.profile) {
            (None | Some(("profile", _)), None) => Ok(Self::Profile(None)),
            (None | Some(("profile", _)), Some(profile)) if is_profile(&profile.value) => {
                Ok(Self::Profile(Some(profile.value.clone())))
            }
            (None | Some(("profile", _)), Some(profile)) => {
                Err(Complaint::error(profile.span, "`profile` is the name of a profile in `~/.aws/config`"))
            }
            (Some(("keys", _)), None) => Ok(Self::Keys),
            (Some(("keys", _)), Some(profile)) => {
                Err(Complaint::error(profile.span, "`profile` and the method `keys` exclude each other"))
            }
            (Some((_, span)), _) => {
                Err(Complaint::error(span, "this way to sign in is not supported; use `profile` or `keys`"))
            }
        }
    }
}

fn is_profile(name: &str) -> bool {
    (1..=MAX_PROFILE).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && name.trim() == name
}

impl AwsSecret {
    /// Reads the coordinates of `entry`, which is in an integration of `settings`; the complaint tells the first thing
    /// that is wrong, at its place.
    pub fn understand(entry: &SecretEntry, settings: &Aws) -> Result<Self, Complaint> {
        let header = entry.source.site.span;
        let message = "this belongs to HashiCorp Vault; a secret of AWS has `arn` and `json-key`";
        refuse_any(&[&entry.engine, &entry.path, &entry.key], message)?;
        refuse_any(&[&entry.id], "`id` belongs to Azure; a secret of AWS has an `arn`")?;
        refuse_any(&[&entry.reference], "`reference` belongs to 1Password; a secret of AWS has an `arn`")?;
        let Some(written) = &entry.arn else {
            let message =
                "`arn` is missing, such as `arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf`";
            return Err(Complaint::error(header, message));
        };
        let arn = SecretArn::parse(&written.value).map_err(|fault| Complaint::error(written.span, fault))?;
        agree(&arn, settings).map_err(|fault| Complaint::error(written.span, fault))?;
        Ok(Self {
            role: entry.role_arn.as_ref().map(|role| check_role(role, &arn)).transpose()?,
            version: Version::understand(entry)?,
            json_key: entry.json_key.as_ref().map(check_json_key).transpose()?,
            encoding: entry.encoding.as_ref().map(Encoding::understand).transpose()?,
            arn,
        })
    }

    /// The secret's page in the provider's console.
    pub fn console_url(&self) -> Option<Url> {
        self.arn.console_url()
    }

    /// Labelled parts, for people.
    pub fn labelled(&self) -> Vec<(&'static str, String)> {
        let SecretArn { region, account, name, .. } = &self.arn;
        let mut parts = vec![("secret", name.clone()), ("region", region.clone()), ("account", account.clone())];
        parts.extend(self.role.clone().map(|role| ("role", role)));
        match &self.version {
            Version::Current => {}
            Version::Stage(version) | Version::Id(version) => parts.push(("version", version.clone())),
        }
        parts.extend(self.json_key.clone().map(|key| ("json-key", key)));
        parts.extend(self.encoding.map(|encoding| ("encoding", encoding.word().to_owned())));
        parts
    }
}

impl Version {
    fn understand(entry: &SecretEntry) -> Result<Self, Complaint> {
        if let Some(number) = &entry.version {
            let message = "`version` is a text here: the id of a version, or a stage such as `AWSPREVIOUS`";
            return Err(Complaint::error(number.span, message));
        }
        let Some(written) = &entry.version_text else { return Ok(Self::Current) };
        let text = written.value.as_str();
        if text == "AWSCURRENT" {
            return Ok(Self::Current);
        }
        if text.len() == 36 && text.parse::<uuid::Uuid>().is_ok() {
            return Ok(Self::Id(text.to_owned()));
        }
        if text.is_empty() || text.len() > MAX_STAGE || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Complaint::error(written.span, "`version` is the id of a version or a stage, without spaces"));
        }
        Ok(Self::Stage(text.to_owned()))
    }
}

/// As it is named in messages: "version AWSPREVIOUS".
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("the version AWSCURRENT"),
            Self::Stage(text) | Self::Id(text) => write!(f, "the version {text}"),
        }
    }
}

impl Encoding {
    fn understand(written: &Written<String>) -> Result<Self, Complaint> {
        let known = [Self::Base64, Self::Hex, Self::Text];
        let found = known.into_iter().find(|encoding| encoding.word() == written.value);
        found.ok_or_else(|| Complaint::error(written.span, "`encoding` is `base64`, `hex` or `text`"))
    }

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Text => "text",
        }
    }
}

/// A secret of another region or account is a slip, or an attempt to use an approved identity elsewhere.
fn agree(arn: &SecretArn, settings: &Aws) -> Result<(), String> {
    for (what, own, wanted) in [("region", &arn.region, &settings.region), ("account", &arn.account, &settings.account)]
    {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != own) {
            return Err(format!("the ARN is of the {what} `{own}`, but the integration is of `{wanted}`"));
        }
    }
    Ok(())
}

fn check_role(written: &Written<String>, secret: &SecretArn) -> Result<String, Complaint> {
    let fault = |message: &str| Complaint::error(written.span, message);
    let parts: Vec<&str> = written.value.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else {
        return Err(fault("the ARN of a role is written like `arn:aws:iam::123456789012:role/reader`"));
    };
    // IAM API reference, `CreateRole`: the characters of a name, and of a path before it.
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=,.@-".contains(&byte);
    let name = resource.strip_prefix("role/").unwrap_or_default();
    if !is_account(account) || name.is_empty() || name.len() > MAX_ROLE || !name.bytes().all(is_allowed) {
        return Err(fault("the ARN of a role is written like `arn:aws:iam::123456789012:role/reader`"));
    }
    if partition != secret.partition {
        return Err(fault("the role is of another partition than the secret"));
    }
    Ok(written.value.clone())
}

fn check_json_key(written: &Written<String>) -> Result<String, Complaint> {
    super::kv::check_key(&written.value)
        .map_err(|error| Complaint::error(written.span, format!("`json-key`: {error}")))?;
    Ok(written.value.clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        config::{self, Layer},
        vault::link::{Definitions, Target},
    };

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";

    /// The labels and the definition of a link of `fields`, or the text that is wrong and why.
    fn understand(integration: &str, fields: &str) -> Result<(String, String), (String, String)> {
        let text = format!(
            "[integrations.team]\nprovider = 'aws'\n{integration}\n[secrets.a]\nintegration = 'team'\n{fields}\n"
        );
        let workspace = config::read(&text, Layer::Workspace, Path::new("vaultls.toml"));
        let found = Definitions::new(&config::Configuration::default(), &workspace);
        if let Some(complaint) = found.workspace_complaints.first() {
            return Err((complaint.span.of(&text).to_owned(), complaint.message.clone()));
        }
        let link = &found.links["a"];
        let Ok(Target::External { coordinates, .. }) = &link.target else { panic!() };
        let labels: Vec<String> =
            coordinates.labelled().into_iter().map(|(label, text)| format!("{label} {text}")).collect();
        Ok((labels.join(", "), link.definition.clone()))
    }

    fn check_labels(fields: &str, labels: &str) {
        assert_eq!(understand("", fields).unwrap().0, labels);
    }

    fn check_fault(integration: &str, fields: &str, place: &str, fault: &str) {
        let (found, message) = understand(integration, fields).unwrap_err();
        assert_eq!((found.as_str(), message.contains(fault)), (place, true), "{message}");
    }

    #[test]
    fn an_arn_is_shown_in_its_parts() {
        let parts = "secret prod/db-AbCdEf, region eu-west-1, account 123456789012";
        check_labels(&format!("arn = '{ARN}'"), parts);
        check_labels(&format!("arn = '{ARN}'\nversion = 'AWSCURRENT'"), parts);
        check_labels(
            &format!(
                "arn = '{ARN}'\nrole-arn = 'arn:aws:iam::123456789012:role/team/reader'\nversion = 'AWSPREVIOUS'\njson-key = 'password'\nencoding = 'hex'"
            ),
            &format!(
                "{parts}, role arn:aws:iam::123456789012:role/team/reader, version AWSPREVIOUS, json-key password, encoding hex"
            ),
        );
    }

    #[test]
    fn a_version_of_the_form_of_a_uuid_is_an_id() {
        for (text, version) in [
            ("0f0f1bd6-3d1e-4f84-8f10-1f6b21c3b6a5", Version::Id("0f0f1bd6-3d1e-4f84-8f10-1f6b21c3b6a5".into())),
            ("0f0f1bd63d1e4f848f101f6b21c3b6a5", Version::Stage("0f0f1bd63d1e4f848f101f6b21c3b6a5".into())),
            ("blue", Version::Stage("blue".into())),
        ] {
            let text = format!("[secrets.a]\nversion = '{text}'\n");
            let found = config::read(&text, Layer::User, Path::new("config.toml"));
            assert_eq!(Version::understand(&found.secrets[0]), Ok(version));
        }
    }

    #[test]
    fn what_is_no_arn_of_a_secret_is_refused_at_its_place() {
        for (arn, fault) in [
            ("prod/db", "an ARN is written like"),
            ("arn:aws:s3:eu-west-1:123456789012:secret:a", "this is not the ARN of a secret"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:key:a", "this is not the ARN of a secret"),
            ("arn:aws:secretsmanager:evil.io/:123456789012:secret:a", "the ARN's region is not written like"),
            ("arn:aws:secretsmanager:evil-x-:123456789012:secret:a", "the ARN's region is not written like"),
            ("arn:aws:secretsmanager::123456789012:secret:a", "the ARN's region is not written like"),
            ("arn:aws-cn:secretsmanager:eu-west-1:123456789012:secret:a", "has no such region"),
            ("arn:aws:secretsmanager:us-gov-west-1:123456789012:secret:a", "has no such region"),
            ("arn:aws:secretsmanager:eu-west-1:12:secret:a", "the ARN's account is not a number"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:", "the ARN's name is made of"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:a b", "the ARN's name is made of"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:a:k::", "the ARN's name is made of"),
        ] {
            check_fault("", &format!("arn = '{arn}'"), &format!("'{arn}'"), fault);
        }
        check_fault("", "", "a", "`arn` is missing");
    }

    #[test]
    fn a_secret_that_is_not_the_integrations_is_reported() {
        let place = format!("'{ARN}'");
        let link = format!("arn = '{ARN}'");
        check_fault("region = 'us-east-1'", &link, &place, "is of the region `eu-west-1`, but the integration is of");
        check_fault("account = '210987654321'", &link, &place, "is of the account `123456789012`");
        assert!(understand("region = 'eu-west-1'\naccount = '123456789012'", &link).is_ok());
    }

    #[test]
    fn the_other_coordinates_are_checked_too() {
        for (field, place, fault) in [
            ("version = 2", "2", "`version` is a text here"),
            ("version = 'a b'", "'a b'", "`version` is the id of a version or a stage"),
            ("role-arn = 'reader'", "'reader'", "the ARN of a role is written like"),
            ("role-arn = 'arn:aws:iam::123456789012:user/a'", "'arn:aws:iam::123456789012:user/a'", "of a role"),
            ("role-arn = 'arn:aws-cn:iam::123456789012:role/a'", "'arn:aws-cn:iam::123456789012:role/a'", "partition"),
            ("json-key = ''", "''", "`json-key`: it is empty"),
            ("encoding = 'utf16'", "'utf16'", "`encoding` is `base64`, `hex` or `text`"),
            ("engine = 'kv'", "'kv'", "this belongs to HashiCorp Vault"),
            ("name = 'x'", "'x'", "`name` belongs to the local vault"),
        ] {
            check_fault("", &format!("arn = '{ARN}'\n{field}"), place, fault);
        }
    }

    #[test]
    fn the_identity_is_part_of_what_is_approved() {
        let (_, definition) = understand(
            "region = 'eu-west-1'\nprofile = 'prod'",
            &format!("arn = '{ARN}'\nversion = 'AWSPREVIOUS'\njson-key = 'k'"),
        )
        .unwrap();
        expect_test::expect![[r#"
            [secrets.a]
            integration = "team"
            arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
            json-key = "k"
            version = "AWSPREVIOUS"

            [integrations.team]
            provider = "aws"
            region = "eu-west-1"
            profile = "prod"
            auth = { method = "profile" }
        "#]]
        .assert_eq(&definition);
    }

    #[test]
    fn an_integration_says_who_one_is() {
        let link = format!("arn = '{ARN}'");
        for (integration, place, fault) in [
            ("region = 'Ireland'", "'Ireland'", "`region` is written like"),
            ("account = '1'", "'1'", "`account` is a number of 12 digits"),
            ("profile = ''", "''", "`profile` is the name of a profile"),
            ("auth = { method = 'token' }", "'token'", "use `profile` or `keys`"),
            ("profile = 'p'\nauth = { method = 'keys' }", "'p'", "exclude each other"),
            ("endpoint = 'http://127.0.0.1:1'", "'http://127.0.0.1:1'", "`endpoint` is ignored here"),
            ("address = 'https://a.io'", "'https://a.io'", "this belongs to HashiCorp Vault"),
        ] {
            check_fault(integration, &link, place, fault);
        }
        assert!(understand("auth = { method = 'keys' }", &link).is_ok());
    }
}
