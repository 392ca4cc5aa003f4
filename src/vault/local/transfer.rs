//! Exports of the local vault: JSON that another machine can import.
//!
//! ```text
//! {"format": "vaultls-export", "version": 1, "sealed": ".."}    a vault's file in base64, under a password
//! {"format": "vaultls-export", "version": 1, "secrets": [..]}   everything in clear
//! ```
//!
//! A sealed export is what `file.rs` describes: its cipher, its key derivation with capped parameters, its checksum. An
//! import trusts nothing: whatever is wrong with the file is found before anything is changed.
#![expect(clippy::disallowed_methods, reason = "values are written to an export and read from one here")]

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, de};
use zeroize::Zeroizing;

use super::{
    Absence, LocalVault,
    content::{self, Content, Stored},
    file::{self, Sealed},
    key::KeyKind,
};
use crate::{
    name::SecretName,
    status::{Problem, Reason},
    vault::value::SecretValue,
};

const FORMAT: &str = "vaultls-export";
const VERSION: u32 = 1;

/// The longest export, in bytes: the largest vault in base64.
pub const LARGEST_EXPORT: u64 = 96 << 20;

/// The shortest password of an export, in characters: the file leaves this machine.
pub const MIN_PASSWORD: usize = 12;

/// What is done about a secret whose name exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Keep what is here.
    Skip,
    /// Take what is in the export.
    Replace,
    /// Take it under another name.
    KeepBoth,
}

/// What an import does about one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub name: SecretName,
    pub fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Added,
    /// It is here already, with everything the same.
    Same,
    /// It is here already, and stays as it is.
    Skipped,
    Replaced,
    /// It is here already; what is imported is called this.
    AddedAs(SecretName),
}

/// An export that was read and understood.
pub struct Export {
    secrets: Vec<Transferred>,
}

/// A file as its first look shows it.
pub enum Opening {
    /// It needs its password.
    Sealed(SealedExport),
    Plain(Export),
}

/// An export under a password.
pub struct SealedExport(Sealed);

/// One secret on its way. Its value is in base64, as the vault keeps it.
struct Transferred {
    name: SecretName,
    value: Option<Zeroizing<String>>,
    allowed_domains: Vec<String>,
    enabled: bool,
    note: Option<String>,
}

/// What is written. NB. a plain export is text for people: whoever asks for it has it in clear on the disk.
#[derive(Serialize)]
struct Outer<'a> {
    format: &'static str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Vec<PlainOut<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainOut<'a> {
    name: &'a SecretName,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// A value that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<&'a str>,
    allowed_domains: &'a [String],
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming<'a> {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    #[serde(borrow)]
    sealed: Option<&'a str>,
    secrets: Option<Vec<PlainIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlainIn {
    name: SecretName,
    #[serde(default)]
    value: Option<Wiped>,
    #[serde(default)]
    value_base64: Option<Wiped>,
    #[serde(default)]
    allowed_domains: Vec<String>,
    #[serde(default = "enabled")]
    enabled: bool,
    #[serde(default)]
    note: Option<String>,
}

/// A text that is wiped. NB. one with JSON escapes passes through a buffer of the JSON reader that is not.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Wiped;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Wiped, E> {
                Ok(Wiped(Zeroizing::new(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

const fn enabled() -> bool {
    true
}

impl LocalVault {
    /// Everything in the vault under `password`.
    pub fn export_sealed(&self, password: &SecretValue) -> Result<Vec<u8>, Problem> {
        check_password(password)?;
        let kind = KeyKind::new_passphrase(self.keys.cost);
        let key = kind.key(password).ok_or_else(|| refused("no key can be derived from this password"))?;
        self.with_content(|content| {
            let sealed = BASE64_STANDARD.encode(file::seal(content.to_buffer(), &key, &kind));
            let outer = Outer { format: FORMAT, version: VERSION, sealed: Some(&sealed), secrets: None };
            serde_json::to_vec_pretty(&outer).expect("plain text and numbers are always JSON")
        })
    }

    /// Everything in the vault in clear.
    pub fn export_plain(&self) -> Result<Zeroizing<Vec<u8>>, Problem> {
        self.with_content(|content| {
            let texts: Vec<Option<Zeroizing<String>>> = content.secrets.values().map(text).collect();
            let secrets = content.secrets.iter().zip(&texts).map(|((name, stored), text)| plain(name, stored, text));
            let secrets = Some(secrets.collect());
            let outer = Outer { format: FORMAT, version: VERSION, sealed: None, secrets };
            Zeroizing::new(serde_json::to_vec_pretty(&outer).expect("plain text and numbers are always JSON"))
        })
    }

    /// Takes an export over. Without `duplicates`, one name that exists already with something else refuses it all.
    /// With `dry_run` nothing is changed.
    pub fn import(
        &self,
        export: &Export,
        duplicates: Option<Duplicates>,
        dry_run: bool,
    ) -> Result<Vec<Imported>, Problem> {
        let mut report = Vec::new();
        if dry_run {
            self.with_content(|content| report = judge(content, export, duplicates.unwrap_or(Duplicates::Skip)))?;
            return Ok(report);
        }
        self.write(Absence::Create, export, |content, export| {
            report = judge(content, export, duplicates.unwrap_or(Duplicates::Skip));
            let skipped: Vec<&str> = names_of_skipped(&report);
            if duplicates.is_none() && !skipped.is_empty() {
                return Err(in_doubt(&skipped));
            }
            for (imported, secret) in report.iter().zip(&export.secrets) {
                let name = match &imported.fate {
                    Fate::Added | Fate::Replaced => secret.name.clone(),
                    Fate::AddedAs(name) => name.clone(),
                    Fate::Same | Fate::Skipped => continue,
                };
                content.secrets.insert(name, secret.stored());
            }
            Ok(())
        })?;
        Ok(report)
    }

    /// Lends the decrypted content to `read`; empty where there is no vault yet.
    fn with_content<R>(&self, read: impl FnOnce(&Content<'_>) -> R) -> Result<R, Problem> {
        let opened = self.load(&mut self.memory())?;
        match opened {
            None => Ok(read(&Content::default())),
            Some(opened) => Ok(read(&self.content(&opened.buffer)?)),
        }
    }
}

impl SealedExport {
    /// Opens it with its password.
    pub fn open(&self, password: &SecretValue) -> Result<Export, Problem> {
        let key = self.0.kind.key(password).filter(|key| self.0.fits(key));
        let key = key.ok_or_else(|| refused("this is not the password of the export"))?;
        let buffer = self.0.open(&key).map_err(|error| refused(format!("the export cannot be used: {error}")))?;
        let content =
            Content::parse(&buffer).ok_or_else(|| refused("the export holds what this version cannot read"))?;
        let secrets = content.secrets.iter().map(|(name, stored)| Transferred {
            name: name.clone(),
            value: stored.value.map(|text| Zeroizing::new(text.to_owned())),
            allowed_domains: stored.allowed_domains.clone(),
            enabled: stored.enabled,
            note: stored.note.as_deref().map(str::to_owned),
        });
        Export { secrets: secrets.collect() }.checked()
    }
}

impl Export {
    /// Reads an export, as far as that needs no password.
    pub fn read(bytes: &[u8]) -> Result<Opening, Problem> {
        let head: Head = serde_json::from_slice(bytes).map_err(|_| refused("this is no export of vaultls"))?;
        if head.format != FORMAT {
            return Err(refused("this is no export of vaultls"));
        }
        if head.version != VERSION {
            return Err(refused("a newer version of vaultls wrote this export; update vaultls to read it"));
        }
        // Which member is wrong is told by its place: the reader's own words may repeat what stands there.
        let incoming: Incoming<'_> = serde_json::from_slice(bytes).map_err(|error| {
            refused(format!("the export is damaged at line {}, column {}", error.line(), error.column()))
        })?;
        match incoming {
            Incoming { sealed: Some(sealed), secrets: None, .. } => {
                let bytes = BASE64_STANDARD.decode(sealed).map_err(|_| refused("the export is damaged"))?;
                let sealed =
                    Sealed::parse(bytes).map_err(|error| refused(format!("the export cannot be used: {error}")))?;
                match sealed.kind {
                    KeyKind::Passphrase { .. } => Ok(Opening::Sealed(SealedExport(sealed))),
                    KeyKind::Raw => Err(refused("the export is not sealed with a password")),
                }
            }
            Incoming { sealed: None, secrets: Some(secrets), .. } => {
                let secrets = secrets.into_iter().map(Transferred::of).collect::<Result<_, _>>()?;
                Export { secrets }.checked().map(Opening::Plain)
            }
            _ => Err(refused("the export is damaged: it holds either `sealed` or `secrets`")),
        }
    }

    /// The lists of domains in it, to be checked by whoever knows what a domain is.
    pub fn domains(&self) -> impl Iterator<Item = &[String]> {
        self.secrets.iter().map(|secret| secret.allowed_domains.as_slice())
    }

    /// Refuses what the vault itself would not have stored.
    fn checked(self) -> Result<Self, Problem> {
        let mut names: Vec<&SecretName> = self.secrets.iter().map(|secret| &secret.name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refused(format!("the export holds `{}` twice", pair[0])));
        }
        for secret in &self.secrets {
            let stored = secret.stored();
            let is_whole = stored.value.is_none_or(str::is_empty) || stored.value().is_some();
            if !is_whole {
                return Err(refused(format!("the value of `{}` in the export is damaged", secret.name)));
            }
            if stored.value().is_some_and(|value| value.len() > SecretValue::MAX_LENGTH) {
                return Err(refused(format!("the value of `{}` in the export is too long", secret.name)));
            }
        }
        Ok(self)
    }
}

impl Transferred {
    fn of(plain: PlainIn) -> Result<Self, Problem> {
        let PlainIn { name, value, value_base64, allowed_domains, enabled, note } = plain;
        let value = match (value, value_base64) {
            (Some(_), Some(_)) => return Err(refused(format!("the export holds two values of `{name}`"))),
            (Some(text), None) => Some(content::encode(&SecretValue::new(text.0.as_bytes().to_vec()))),
            (None, coded) => coded.map(|coded| coded.0),
        };
        Ok(Self { name, value, allowed_domains, enabled, note })
    }

    fn stored(&self) -> Stored<'_> {
        Stored {
            value: self.value.as_ref().map(|text| text.as_str()),
            allowed_domains: self.allowed_domains.clone(),
            enabled: self.enabled,
            note: self.note.as_deref().map(Into::into),
        }
    }
}

/// The value, where it is text.
fn text(stored: &Stored<'_>) -> Option<Zeroizing<String>> {
    stored.value()?.expose_text(|text| Zeroizing::new(text.to_owned()))
}

fn plain<'a>(name: &'a SecretName, stored: &'a Stored<'_>, text: &'a Option<Zeroizing<String>>) -> PlainOut<'a> {
    PlainOut {
        name,
        value: text.as_ref().map(|text| text.as_str()),
        value_base64: stored.value.filter(|_| text.is_none()),
        allowed_domains: &stored.allowed_domains,
        enabled: stored.enabled,
        note: stored.note.as_deref(),
    }
}

/// What would become of each secret of `export`, in its order.
fn judge(content: &Content<'_>, export: &Export, duplicates: Duplicates) -> Vec<Imported> {
    let exported = export.secrets.iter().map(|secret| &secret.name);
    let mut taken: BTreeSet<SecretName> = content.secrets.keys().chain(exported).cloned().collect();
    let mut fate = |secret: &Transferred| {
        let Some(here) = content.secrets.get(&secret.name) else { return Fate::Added };
        if is_same(here, &secret.stored()) {
            return Fate::Same;
        }
        match duplicates {
            Duplicates::Skip => Fate::Skipped,
            Duplicates::Replace => Fate::Replaced,
            Duplicates::KeepBoth => {
                let name = another_name(&secret.name, &taken);
                taken.insert(name.clone());
                Fate::AddedAs(name)
            }
        }
    };
    export.secrets.iter().map(|secret| Imported { name: secret.name.clone(), fate: fate(secret) }).collect()
}

fn is_same(one: &Stored<'_>, other: &Stored<'_>) -> bool {
    one.value.unwrap_or_default() == other.value.unwrap_or_default()
        && one.allowed_domains == other.allowed_domains
        && one.enabled == other.enabled
        && one.note == other.note
}

fn another_name(name: &SecretName, taken: &BTreeSet<SecretName>) -> SecretName {
    // Room for the number: a name has a longest length.
    let base: String = name.as_str().chars().take(SecretName::MAX_LENGTH - 8).collect();
    let names = (2..).filter_map(|count: u32| SecretName::parse(&format!("{}-{count}", base.trim_end())).ok());
    let mut free = names.filter(|name| !taken.contains(name));
    free.next().expect("there are more numbers than secrets")
}

fn names_of_skipped(report: &[Imported]) -> Vec<&str> {
    let skipped = report.iter().filter(|imported| imported.fate == Fate::Skipped);
    skipped.map(|imported| imported.name.as_str()).collect()
}

fn in_doubt(names: &[&str]) -> Problem {
    const SHOWN: usize = 10;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    Problem::new(Reason::Ambiguous, format!("the local vault has other secrets of these names already: {shown}{more}"))
}

fn check_password(password: &SecretValue) -> Result<(), Problem> {
    let length = password.expose_text(|text| text.chars().count()).unwrap_or(password.len());
    if length < MIN_PASSWORD {
        return Err(refused(format!("the password of an export has at least {MIN_PASSWORD} characters")));
    }
    Ok(())
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(Reason::BadValue, detail)
}
