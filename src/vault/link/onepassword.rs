//! What a 1Password integration and a link into 1Password mean: the way in, and the secret reference.
//!
//! A reference becomes an argument of a program, a line of a template or the end of a URL. The grammar is 1Password's
//! own, which is narrow; what it has no character for is named by its id.
//! Source: <https://developer.1password.com/docs/cli/secret-reference-syntax>.

use std::{fmt, path::PathBuf};

use url::Url;

use super::field::{ca_file, parse_address, refuse, refuse_any};
use crate::config::{Complaint, IntegrationEntry, SecretEntry, Written};

/// An account of 1Password, as one identity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnePassword {
    pub access: Access,
    /// A file of PEM certificates to trust besides the system's; of a Connect server alone.
    pub ca_file: Option<PathBuf>,
}

/// The way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The session of the desktop app, through the user's `op`.
    App {
        /// The sign-in address, the email or the id of the account; `op`'s own choice unless set.
        account: Option<String>,
    },
    /// A service account's token, through the user's `op`.
    ServiceAccount,
    /// A Connect server, at its address without `/v1`: https, or http on this machine.
    Connect(Url),
}

/// A secret reference: a field or a file of an item of a vault, each by its name or its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpReference {
    pub vault: String,
    pub item: String,
    pub section: Option<String>,
    /// A field, or a file attachment.
    pub field: String,
    pub query: Option<OpQuery>,
}

/// What is asked for in place of the field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpQuery {
    Attribute(Attribute),
    /// An SSH key in the format of OpenSSH.
    OpenSsh,
}

/// What 1Password knows of a field or of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    Type,
    Value,
    Title,
    Id,
    Purpose,
    /// The one-time code of this moment.
    Otp,
    Content,
    Size,
    Name,
}

/// Why a text is no secret reference. The messages name the rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("it starts with `op://`")]
    Scheme,
    #[error("it reads `op://VAULT/ITEM/FIELD` or `op://VAULT/ITEM/SECTION/FIELD`")]
    Shape,
    #[error("a name in it holds letters and digits of ASCII, `-`, `_`, `.` and spaces; use the id of anything else")]
    Character,
    #[error("a name in it starts with `-`, or starts or ends with a space; use its id")]
    Edge,
    #[error("a name in it is longer than {MAX_PART} characters; use its id")]
    Length,
    #[error(
        "behind `?` stands `attribute=otp`, another attribute (type, value, title, id, purpose, content, size, name), or `ssh-format=openssh`"
    )]
    Query,
}

/// More than any name that is shown in one line.
const MAX_PART: usize = 255;

const SCHEME: &str = "op://";

impl Attribute {
    const ALL: [Self; 9] = [
        Self::Type,
        Self::Value,
        Self::Title,
        Self::Id,
        Self::Purpose,
        Self::Otp,
        Self::Content,
        Self::Size,
        Self::Name,
    ];

    /// The word behind `attribute=`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Value => "value",
            Self::Title => "title",
            Self::Id => "id",
            Self::Purpose => "purpose",
            Self::Otp => "otp",
            Self::Content => "content",
            Self::Size => "size",
            Self::Name => "name",
        }
    }
}

impl Access {
    /// The word in `auth.method`.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::App { .. } => "app",
            Self::ServiceAccount => "service-account",
            Self::Connect(_) => "connect",
        }
    }

    fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        const OF_CONNECT: &str = "`address` is that of a Connect server, for `auth = { method = \"connect\" }`";
        const OF_APP: &str = "`account` is one of the desktop app, for `auth = { method = \"app\" }`";
        entry.auth.refuse_all_but(&[])?;
        let method = entry.auth.method.as_ref();
        match method.map_or("app", |method| method.value.as_str()) {
            "app" => {
                refuse(entry.address.as_ref(), OF_CONNECT)?;
                Ok(Self::App { account: entry.account.as_ref().map(account).transpose()? })
            }
            "service-account" => {
                refuse(entry.address.as_ref(), OF_CONNECT)?;
                refuse(entry.account.as_ref(), OF_APP)?;
                Ok(Self::ServiceAccount)
            }
            "connect" => {
                refuse(entry.account.as_ref(), OF_APP)?;
                address(entry).map(Self::Connect)
            }
            _ => {
                let span = method.map_or(entry.source.site.span, |method| method.span);
                let known = "1Password knows `app`, `service-account` and `connect`";
                Err(Complaint::error(span, format!("this way to sign in is not supported; {known}")))
            }
        }
    }
}

impl OnePassword {
    pub(super) fn understand(entry: &IntegrationEntry) -> Result<Self, Complaint> {
        const OTHERS: &str = "this belongs to another provider; 1Password has `auth`, `account` and `address`";
        let others =
            [&entry.namespace, &entry.tenant, &entry.client_id, &entry.region, &entry.profile, &entry.endpoint];
        refuse_any(&others, OTHERS)?;
        let access = Access::understand(entry)?;
        if !matches!(access, Access::Connect(_)) {
            refuse(entry.ca_file.as_ref(), "`ca-file` is for a Connect server; `op` trusts what the system does")?;
        }
        Ok(Self { access, ca_file: entry.ca_file.as_ref().map(ca_file).transpose()? })
    }
}

impl OpReference {
    /// Reads the coordinates of `entry`; the complaint tells the first thing that is wrong, at its place.
    pub(super) fn understand(entry: &SecretEntry, settings: &OnePassword) -> Result<Self, Complaint> {
        const OTHERS: &str = "this belongs to another provider; a secret of 1Password has a `reference`";
        let of_hashicorp = [&entry.engine, &entry.path, &entry.key];
        let others = [&entry.id, &entry.arn, &entry.role_arn, &entry.json_key, &entry.encoding, &entry.version_text];
        refuse_any(&of_hashicorp, OTHERS)?;
        refuse_any(&others, OTHERS)?;
        refuse(entry.version.as_ref(), OTHERS)?;
        let Some(written) = &entry.reference else {
            let message = "`reference` is missing, such as `op://vault/item/field`";
            return Err(Complaint::error(entry.source.site.span, message));
        };
        let reference = Self::parse(&written.value)
            .map_err(|error| Complaint::error(written.span, format!("`reference`: {error}")))?;
        if reference.query == Some(OpQuery::OpenSsh) && matches!(settings.access, Access::Connect(_)) {
            let message = "`reference`: a Connect server knows no `ssh-format`; sign in with `op` for that";
            return Err(Complaint::error(written.span, message));
        }
        Ok(reference)
    }

    /// Reads a secret reference.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let scheme = text.get(..SCHEME.len()).filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
        let rest = &text[scheme.ok_or(ReferenceError::Scheme)?.len()..];
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let parts: Vec<&str> = path.split('/').collect();
        let (vault, item, section, field) = match parts[..] {
            [vault, item, field] => (vault, item, None, field),
            [vault, item, section, field] => (vault, item, Some(section), field),
            _ => return Err(ReferenceError::Shape),
        };
        parts.into_iter().try_for_each(check_part)?;
        Ok(Self {
            vault: vault.to_owned(),
            item: item.to_owned(),
            section: section.map(str::to_owned),
            field: field.to_owned(),
            query: query.map(parse_query).transpose()?,
        })
    }

    /// Labelled parts, for people.
    pub fn labelled(&self) -> Vec<(&'static str, String)> {
        let mut parts = vec![("vault", self.vault.clone()), ("item", self.item.clone())];
        parts.extend(self.section.clone().map(|section| ("section", section)));
        parts.push(("field", self.field.clone()));
        match self.query {
            Some(OpQuery::Attribute(attribute)) => parts.push(("attribute", attribute.word().to_owned())),
            Some(OpQuery::OpenSsh) => parts.push(("ssh-format", "openssh".to_owned())),
            None => {}
        }
        parts
    }

    /// Whether it asks for the one-time code of this moment.
    pub fn is_otp(&self) -> bool {
        self.query == Some(OpQuery::Attribute(Attribute::Otp))
    }
}

/// The reference as 1Password's tools take it.
impl fmt::Display for OpReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.vault, self.item)?;
        if let Some(section) = &self.section {
            write!(f, "/{section}")?;
        }
        write!(f, "/{}", self.field)?;
        match self.query {
            Some(OpQuery::Attribute(attribute)) => write!(f, "?attribute={}", attribute.word()),
            Some(OpQuery::OpenSsh) => f.write_str("?ssh-format=openssh"),
            None => Ok(()),
        }
    }
}

/// Whether a reference can name something by `text`.
pub fn is_part(text: &str) -> bool {
    check_part(text).is_ok()
}

/// Whether `text` is written like an id of 1Password (Connect API reference, "UUID").
pub fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn check_part(part: &str) -> Result<(), ReferenceError> {
    if part.is_empty() {
        return Err(ReferenceError::Shape);
    }
    if part.len() > MAX_PART {
        return Err(ReferenceError::Length);
    }
    if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_. ".contains(&byte)) {
        return Err(ReferenceError::Character);
    }
    // A program could take a leading `-` for one of its options. Dots alone mean a place in a URL.
    if part.starts_with(['-', ' ']) || part.ends_with(' ') || part.bytes().all(|byte| byte == b'.') {
        return Err(ReferenceError::Edge);
    }
    Ok(())
}

fn parse_query(query: &str) -> Result<OpQuery, ReferenceError> {
    let query = query.to_ascii_lowercase();
    match query.split_once('=') {
        Some(("attribute", word)) => {
            let found = Attribute::ALL.into_iter().find(|attribute| attribute.word() == word);
            found.map(OpQuery::Attribute).ok_or(ReferenceError::Query)
        }
        Some(("ssh-format", "openssh")) => Ok(OpQuery::OpenSsh),
        _ => Err(ReferenceError::Query),
    }
}

/// Goes to `op` as the value of `--account`.
fn account(written: &Written<String>) -> Result<String, Complaint> {
    let text = &written.value;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    if !(1..=MAX_PART).contains(&text.len()) || text.starts_with('-') || !text.bytes().all(allowed) {
        let message = "`account` is a sign-in address such as `acme.1password.com`, an email or an account's id";
        return Err(Complaint::error(written.span, message));
    }
    Ok(text.clone())
}

fn address(entry: &IntegrationEntry) -> Result<Url, Complaint> {
    let Some(written) = &entry.address else {
        let message = "`address` is missing: the Connect server's, such as `https://connect.example.com`";
        return Err(Complaint::error(entry.source.site.span, message));
    };
    parse_address("address", &written.value).map_err(|fault| Complaint::error(written.span, fault))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        config::{self, Layer},
        vault::link::integration::{Integration, Settings},
    };

    const ID: &str = "abcdefghijklmnopqrstuvwx12";

    #[test]
    fn references_are_taken_apart_and_put_together() {
        for text in [
            "op://dev/Stripe/publishable-key",
            "op://Management/PagerDuty/Admin/e mail_1.x",
            "op://dev/db/one-time password?attribute=otp",
            "op://dev/ssh/private key?ssh-format=openssh",
            "op://dev/app/conf.yml?attribute=content",
            &format!("op://{ID}/{ID}/{ID}"),
        ] {
            assert_eq!(OpReference::parse(text).unwrap().to_string(), text);
        }
        let shouted = OpReference::parse("OP://Dev/Item/Field?ATTRIBUTE=OTP").unwrap();
        assert_eq!(shouted.to_string(), "op://Dev/Item/Field?attribute=otp");
        assert!(shouted.is_otp());
        assert_eq!(
            OpReference::parse("op://v/i/s/f?attribute=type").unwrap().labelled(),
            [("vault", "v"), ("item", "i"), ("section", "s"), ("field", "f"), ("attribute", "type")]
                .map(|(label, text)| (label, text.to_owned()))
        );
    }

    #[test]
    fn what_means_more_than_a_reference_is_refused() {
        use ReferenceError::{Character, Edge, Length, Query, Scheme, Shape};
        let long = format!("op://v/i/{}", "x".repeat(MAX_PART + 1));
        for (text, error) in [
            ("", Scheme),
            ("v/i/f", Scheme),
            (" op://v/i/f", Scheme),
            ("op:/v/i/f", Scheme),
            ("https://v/i/f", Scheme),
            ("op\u{ff1a}//v/i/f", Scheme),
            ("op://v/i", Shape),
            ("op://v/i/s/f/x", Shape),
            ("op://v//f", Shape),
            ("op://v/i/f/", Shape),
            ("op://v/i/f?attribute=otp/x", Query),
            ("op://v/i/f --out-file=x/y/z", Shape),
            ("op://v/i/f --out-file=x", Character),
            ("op://v/i/--out-file", Edge),
            ("op://-v/i/f", Edge),
            ("op://v/-/f", Edge),
            ("op://v/ i/f", Edge),
            ("op://v/i/f ", Edge),
            ("op://v/../f", Edge),
            ("op://v/./f", Edge),
            ("op://v/i/f\n", Character),
            ("op://v/i\u{0}/f", Character),
            ("op://v/i/f\t", Character),
            ("op://v/i/f}}", Character),
            ("op://v/i/$(x)", Character),
            ("op://v/i/`x`", Character),
            ("op://v/i/a%2fb", Character),
            ("op://v/i/a\"b", Character),
            ("op://v/i/f#x", Character),
            ("op://v/i/a\\b", Character),
            ("op://v/\u{fc}ber/f", Character),
            ("op://v/i/\u{202e}f", Character),
            (&long, Length),
            ("op://v/i/f?", Query),
            ("op://v/i/f?attribute=", Query),
            ("op://v/i/f?attribute=otp&x=y", Query),
            ("op://v/i/f?attribute=otp?attribute=otp", Query),
            ("op://v/i/f?out-file=x", Query),
            ("op://v/i/f?ssh-format=pem", Query),
            ("op://v/i/f?attribute=otp\n", Query),
        ] {
            assert_eq!(OpReference::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn every_prefix_of_a_reference_is_read_without_a_panic() {
        let text = "op://d\u{e9}v/it em/sec/f\u{1f511}?attribute=otp";
        for (end, _) in text.char_indices() {
            let _outcome = OpReference::parse(&text[..end]);
        }
    }

    /// The way in of an integration of `fields`, or what is wrong with it.
    fn access(fields: &str) -> Result<Access, String> {
        let text = format!("[integrations.a]\nprovider = 'onepassword'\n{fields}\n");
        let found = config::read(&text, Layer::User, Path::new("x.toml"));
        let (integration, complaints) = Integration::understand(&found.integrations[0]);
        match (integration.settings, complaints.first()) {
            (Ok(Settings::Onepassword(settings)), None) => Ok(settings.access),
            (_, complaint) => Err(complaint.unwrap().message.clone()),
        }
    }

    #[test]
    fn the_way_in_is_chosen_by_the_method() {
        assert_eq!(access(""), Ok(Access::App { account: None }));
        let app = access("account = 'acme.1password.com'\nauth = { method = 'app' }");
        assert_eq!(app, Ok(Access::App { account: Some("acme.1password.com".into()) }));
        assert_eq!(access("auth = { method = 'service-account' }"), Ok(Access::ServiceAccount));
        let connect = access("address = 'https://connect.acme.io/'\nauth = { method = 'connect' }");
        assert_eq!(connect, Ok(Access::Connect(Url::parse("https://connect.acme.io").unwrap())));
    }

    #[test]
    fn what_belongs_to_another_way_in_is_refused() {
        for (fields, start) in [
            ("auth = { method = 'token' }", "this way to sign in is not supported; 1Password knows `app`"),
            ("auth = { method = 'connect' }", "`address` is missing: the Connect server's"),
            ("address = 'http://connect.acme.io'\nauth = { method = 'connect' }", "`address` must be https"),
            ("address = 'https://x.io'", "`address` is that of a Connect server"),
            ("account = 'x'\nauth = { method = 'service-account' }", "`account` is one of the desktop app"),
            ("account = '--help'", "`account` is a sign-in address"),
            ("account = 'a b'", "`account` is a sign-in address"),
            ("region = 'eu-west-1'", "this belongs to another provider"),
            ("ca-file = '/ca.pem'", "`ca-file` is for a Connect server"),
        ] {
            let error = access(fields).unwrap_err();
            assert!(error.starts_with(start), "{fields}: {error}");
        }
    }
}
