//! An item as both `op item get` and Connect describe it in JSON, and how a reference finds a field in it.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::ambiguous;
use crate::{
    status::{Problem, Reason},
    vault::{
        fields::Text,
        link::onepassword::{Attribute, OpQuery, OpReference},
        value::SecretValue,
    },
};

/// The type of a field that makes one-time codes.
const OTP: &str = "OTP";

/// A vault or an item, as lists name them.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    #[serde(alias = "title", default)]
    pub(super) name: String,
}

/// An item; with `IgnoredAny` its values are passed over as they are parsed.
#[derive(Deserialize)]
pub(super) struct Item<V> {
    #[serde(default)]
    pub(super) sections: Vec<Section>,
    #[serde(default = "Vec::new")]
    pub(super) fields: Vec<Field<V>>,
    #[serde(default)]
    pub(super) files: Vec<File>,
}

/// An item without its values.
pub(super) type Outline = Item<IgnoredAny>;

#[derive(Deserialize)]
pub(super) struct Section {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) label: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Field<V> {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) purpose: Option<String>,
    #[serde(default)]
    pub(super) section: Option<Section>,
    #[serde(default = "nothing")]
    pub(super) value: Option<V>,
    /// The code of this moment, of a field that makes such.
    #[serde(default = "nothing")]
    pub(super) totp: Option<V>,
}

#[derive(Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) section: Option<Section>,
}

/// What a reference leads to.
pub(super) enum Found<'i, V> {
    Field(&'i Field<V>),
    File(&'i File),
}

/// A text that goes straight into what is wiped.
pub(super) struct Secret(pub(super) SecretValue);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        Ok(Self(SecretValue::new(text.into_owned().into_bytes())))
    }
}

impl<V> Item<V> {
    /// What `reference` means in this item: an id before a label, a field before a file, and without a section a field
    /// outside of all of them first.
    pub(super) fn find(&self, reference: &OpReference) -> Result<Found<'_, V>, Problem> {
        let in_section = |section: Option<&Section>| match &reference.section {
            Some(wanted) => section.is_some_and(|section| self.is_section(section, wanted)),
            None => true,
        };
        let fields: Vec<&Field<V>> = self.fields.iter().filter(|field| in_section(field.section.as_ref())).collect();
        let files: Vec<&File> = self.files.iter().filter(|file| in_section(file.section.as_ref())).collect();
        let is_wanted = |name: &str| name.eq_ignore_ascii_case(&reference.field);
        if let Some(field) = fields.iter().find(|field| is_wanted(&field.id)) {
            return judge(Found::Field(field), reference);
        }
        if let Some(file) = files.iter().find(|file| is_wanted(&file.id)) {
            return judge(Found::File(file), reference);
        }
        let mut labelled: Vec<&Field<V>> =
            fields.into_iter().filter(|field| field.label.as_deref().is_some_and(is_wanted)).collect();
        if labelled.len() > 1 && labelled.iter().any(|field| field.section.is_none()) {
            labelled.retain(|field| field.section.is_none());
        }
        let named: Vec<&File> = files.into_iter().filter(|file| is_wanted(&file.name)).collect();
        match (&labelled[..], &named[..]) {
            ([field], _) => judge(Found::Field(field), reference),
            ([], [file]) => judge(Found::File(file), reference),
            ([], []) => Err(absent(reference)),
            _ => Err(ambiguous("field", &reference.field)),
        }
    }

    fn is_section(&self, section: &Section, wanted: &str) -> bool {
        let listed = self.sections.iter().find(|listed| listed.id == section.id);
        let label = section.label.as_deref().or_else(|| listed?.label.as_deref());
        section.id.eq_ignore_ascii_case(wanted) || label.is_some_and(|label| label.eq_ignore_ascii_case(wanted))
    }

    /// The label of a field's section, where it has one.
    pub(super) fn label_of<'i>(&'i self, section: &'i Section) -> Option<&'i str> {
        let listed = self.sections.iter().find(|listed| listed.id == section.id);
        section.label.as_deref().or_else(|| listed?.label.as_deref()).filter(|label| !label.is_empty())
    }
}

impl<V> Field<V> {
    pub(super) fn makes_codes(&self) -> bool {
        self.kind == OTP
    }

    /// A description that is no secret, if that is what is asked for.
    pub(super) fn described(&self, attribute: Attribute) -> Option<&str> {
        match attribute {
            Attribute::Type => Some(&self.kind),
            Attribute::Title | Attribute::Name => Some(self.label.as_deref().unwrap_or_default()),
            Attribute::Id => Some(&self.id),
            Attribute::Purpose => Some(self.purpose.as_deref().unwrap_or_default()),
            Attribute::Value | Attribute::Otp | Attribute::Content | Attribute::Size => None,
        }
    }
}

/// Refuses what the thing that was found cannot have.
fn judge<'i, V>(found: Found<'i, V>, reference: &OpReference) -> Result<Found<'i, V>, Problem> {
    let Some(OpQuery::Attribute(attribute)) = reference.query else { return Ok(found) };
    let has_it = match &found {
        Found::Field(field) => match attribute {
            Attribute::Otp => field.makes_codes(),
            Attribute::Content | Attribute::Size => false,
            _ => true,
        },
        Found::File(_) => !matches!(attribute, Attribute::Otp | Attribute::Value | Attribute::Purpose),
    };
    if has_it {
        return Ok(found);
    }
    let word = attribute.word();
    let detail = format!("`{}` of the item `{}` has no attribute `{word}`", reference.field, reference.item);
    Err(Problem::new(Reason::NotFound, detail))
}

fn nothing<V>() -> Option<V> {
    None
}

/// The item is there, and the field is not.
pub(super) fn absent(reference: &OpReference) -> Problem {
    let OpReference { item, section, field, .. } = reference;
    let place = section.as_ref().map(|section| format!(" in its section `{section}`")).unwrap_or_default();
    Problem::new(Reason::NotFound, format!("the item `{item}` has no field or file `{field}`{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = r#"{
        "id": "i", "title": "db", "vault": {"id": "v"},
        "sections": [{"id": "s1", "label": "Admin"}, {"id": "s2"}],
        "fields": [
            {"id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "pass word", "value": "canary"},
            {"id": "f1", "type": "STRING", "label": "email", "section": {"id": "s1"}, "value": "canary"},
            {"id": "f2", "type": "STRING", "label": "email", "section": {"id": "s2"}},
            {"id": "f3", "type": "OTP", "label": "code", "totp": "123456", "value": "otpauth://canary"},
            {"id": "f4", "type": "STRING", "label": "port"},
            {"id": "f5", "type": "STRING", "label": "port", "section": {"id": "s1", "label": "Admin"}},
            {"id": "f6", "label": "f1"}
        ],
        "files": [{"id": "file1", "name": "key.pem", "size": 7, "section": {"id": "s1"}}]
    }"#;

    /// The id of what `text` leads to, or why it leads nowhere.
    fn find(text: &str) -> Result<String, String> {
        let item: Outline = serde_json::from_str(ITEM).unwrap();
        match item.find(&OpReference::parse(&format!("op://v/db/{text}")).unwrap()) {
            Ok(Found::Field(field)) => Ok(field.id.clone()),
            Ok(Found::File(file)) => Ok(file.id.clone()),
            Err(problem) => Err(format!("{}: {}", problem.reason.code(), problem.detail)),
        }
    }

    #[test]
    fn fields_and_files_are_found_by_name_or_id_in_any_case() {
        for (text, id) in [
            ("password", "password"),
            ("Pass Word", "password"),
            ("admin/EMAIL", "f1"),
            ("S2/email", "f2"),
            ("f1", "f1"),
            ("port", "f4"),
            ("Admin/port", "f5"),
            ("code?attribute=otp", "f3"),
            ("key.pem", "file1"),
            ("Admin/key.pem", "file1"),
            ("file1?attribute=size", "file1"),
        ] {
            assert_eq!(find(text), Ok(id.into()), "{text}");
        }
    }

    #[test]
    fn what_is_not_found_is_named() {
        for (text, problem) in [
            ("nope", "not-found: the item `db` has no field or file `nope`"),
            ("Admin/nope", "not-found: the item `db` has no field or file `nope` in its section `Admin`"),
            ("Nope/email", "not-found: the item `db` has no field or file `email` in its section `Nope`"),
            ("email", "ambiguous: more than one field is called `email`; link it by its id"),
            ("port?attribute=otp", "not-found: `port` of the item `db` has no attribute `otp`"),
            ("key.pem?attribute=otp", "not-found: `key.pem` of the item `db` has no attribute `otp`"),
            ("port?attribute=size", "not-found: `port` of the item `db` has no attribute `size`"),
        ] {
            assert_eq!(find(text), Err(problem.into()), "{text}");
        }
    }
}
