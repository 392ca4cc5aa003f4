//! Edits of a `vaultls.toml` that keep its comments, its order and its line breaks: text in, text out.

use std::{io, path::Path};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, Table, TableLike, Value};

use crate::{
    config::{NewIntegration, NewLink, NewVersion},
    disk::{self, Access},
    name::SecretName,
};

/// Why a text was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the file is not valid TOML; correct it first: {0}")]
    Syntax(String),
    #[error("`{0}` is not a table in this file; correct it first")]
    Shape(String),
    #[error("there is no link named `{0}` in this file")]
    Absent(SecretName),
    #[error("there is a link named `{0}` in this file already")]
    Taken(SecretName),
}

const SECRETS: &str = "secrets";
const INTEGRATIONS: &str = "integrations";
const ALLOWED_DOMAINS: &str = "allowed-domains";

/// The fields that say where a value lives. Notes and switches stay when a name is linked anew.
const COORDINATES: [&str; 12] = [
    "integration",
    "engine",
    "path",
    "key",
    "id",
    "arn",
    "role-arn",
    "json-key",
    "encoding",
    "reference",
    "version",
    "name",
];

/// Adds the link of `name`, or replaces its coordinates.
pub fn put_link(text: &str, name: &SecretName, link: &NewLink) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let secrets = document.entry(SECRETS).or_insert_with(implicit_table);
    let entry = entry_or_new(secrets, SECRETS, name.as_str())?;
    let written = |field: &Option<String>| field.as_deref().map(Value::from);
    let version = match &link.version {
        Some(NewVersion::Number(number)) => i64::try_from(*number).ok().map(Value::from),
        Some(NewVersion::Text(version)) => Some(version.as_str().into()),
        None => None,
    };
    let coordinates: [Option<Value>; COORDINATES.len()] = [
        Some(link.integration.as_str().into()),
        written(&link.engine),
        written(&link.path),
        written(&link.key),
        written(&link.id),
        written(&link.arn),
        written(&link.role_arn),
        written(&link.json_key),
        written(&link.encoding),
        written(&link.reference),
        version,
        written(&link.name),
    ];
    for (field, value) in COORDINATES.into_iter().zip(coordinates) {
        match value {
            Some(value) => put(entry, field, value),
            None => drop(entry.remove(field)),
        }
    }
    if let Some(domains) = &link.allowed_domains {
        put_domains(entry, domains);
    }
    Ok(print(&document, text))
}

/// Adds the integration `name`, or replaces what it says.
pub fn put_integration(text: &str, name: &str, integration: &NewIntegration) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let integrations = document.entry(INTEGRATIONS).or_insert_with(implicit_table);
    let entry = entry_or_new(integrations, INTEGRATIONS, name)?;
    let ca_file = integration.ca_file.as_ref().map(|path| Value::from(path.to_string_lossy().as_ref()));
    let mut auth = InlineTable::new();
    for (field, value) in &integration.auth {
        auth.insert(*field, value.as_str().into());
    }
    let fields = [
        ("provider", Some(integration.provider.as_str().into())),
        ("address", Some(integration.address.as_str().into())),
        ("namespace", integration.namespace.as_deref().map(Value::from)),
        ("ca-file", ca_file),
        ("auth", Some(auth.into())),
    ];
    for (field, value) in fields {
        match value {
            Some(value) => put(entry, field, value),
            None => drop(entry.remove(field)),
        }
    }
    Ok(print(&document, text))
}

/// Removes the link of `name`.
pub fn remove_link(text: &str, name: &SecretName) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let secrets = document.get_mut(SECRETS).and_then(Item::as_table_like_mut);
    if secrets.and_then(|secrets| secrets.remove(name.as_str())).is_none() {
        return Err(EditError::Absent(name.clone()));
    }
    Ok(print(&document, text))
}

/// Renames the link `from`. NB. a link into the local vault that says no `name` means the secret of its own name.
pub fn rename_link(text: &str, from: &SecretName, to: &SecretName) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let secrets = document.get_mut(SECRETS).ok_or_else(|| EditError::Absent(from.clone()))?;
    let table = secrets.as_table_like().ok_or_else(|| EditError::Shape(SECRETS.into()))?;
    if !table.contains_key(from.as_str()) {
        return Err(EditError::Absent(from.clone()));
    }
    if from != to && table.contains_key(to.as_str()) {
        return Err(EditError::Taken(to.clone()));
    }
    match secrets {
        Item::Table(table) => rename_in_table(table, from, to),
        Item::Value(Value::InlineTable(table)) => rename_in_line(table, from, to),
        _ => return Err(EditError::Shape(SECRETS.into())),
    }
    Ok(print(&document, text))
}

/// Replaces the domain list of `name`; an empty one is removed, and then hosts are asked for.
pub fn set_allowed_domains(text: &str, name: &SecretName, domains: &[String]) -> Result<String, EditError> {
    let mut document = parse(text)?;
    put_domains(existing_entry(&mut document, name)?, domains);
    Ok(print(&document, text))
}

/// Adds `domain` to the list of `name`, unless it stands there already.
pub fn add_allowed_domain(text: &str, name: &SecretName, domain: &str) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let entry = existing_entry(&mut document, name)?;
    let Some(list) = entry.get_mut(ALLOWED_DOMAINS) else {
        put_domains(entry, &[domain.to_owned()]);
        return Ok(print(&document, text));
    };
    let list = list.as_array_mut().ok_or_else(|| EditError::Shape(ALLOWED_DOMAINS.into()))?;
    if !list.iter().any(|entry| entry.as_str() == Some(domain)) {
        append(list, domain);
    }
    Ok(print(&document, text))
}

/// Replaces the file at `path` by `text`. A symbolic link is refused: the workspace must not choose another file.
pub fn save(path: &Path, text: &str) -> io::Result<()> {
    if disk::is_link(path) {
        let message = "it is a symbolic link; edit the file it leads to by hand";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    disk::replace(path, text.as_bytes(), Access::Shared)
}

fn parse(text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error: toml_edit::TomlError| EditError::Syntax(error.message().replace('\n', ", ")))
}

/// The document with the line breaks of `old`.
fn print(document: &DocumentMut, old: &str) -> String {
    let text = document.to_string();
    let windows = old.contains("\r\n") && old.matches('\n').count() == old.matches("\r\n").count();
    if windows { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

/// A table without a header of its own: `[secrets]` is not written where only `[secrets.name]` is needed.
fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn existing_entry<'d>(document: &'d mut DocumentMut, name: &SecretName) -> Result<&'d mut dyn TableLike, EditError> {
    let secrets = document.get_mut(SECRETS).ok_or_else(|| EditError::Absent(name.clone()))?;
    let secrets = secrets.as_table_like_mut().ok_or_else(|| EditError::Shape(SECRETS.into()))?;
    let entry = secrets.get_mut(name.as_str()).ok_or_else(|| EditError::Absent(name.clone()))?;
    entry.as_table_like_mut().ok_or_else(|| EditError::Shape(name.to_string()))
}

/// The entry `name` of the table `kind`.
fn entry_or_new<'d>(table: &'d mut Item, kind: &str, name: &str) -> Result<&'d mut dyn TableLike, EditError> {
    let in_line = table.is_inline_table();
    let table = table.as_table_like_mut().ok_or_else(|| EditError::Shape(kind.into()))?;
    if !table.contains_key(name) {
        let new = if in_line { Item::Value(InlineTable::new().into()) } else { Item::Table(Table::new()) };
        table.insert(name, new);
    }
    let entry = table.get_mut(name).expect("it was there or was just inserted");
    entry.as_table_like_mut().ok_or_else(|| EditError::Shape(name.into()))
}

/// Sets a field; the comment behind the old value stays.
fn put(entry: &mut dyn TableLike, field: &str, mut value: Value) {
    if let Some(old) = entry.get(field).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    entry.insert(field, Item::Value(value));
}

fn put_domains(entry: &mut dyn TableLike, domains: &[String]) {
    if domains.is_empty() {
        entry.remove(ALLOWED_DOMAINS);
    } else {
        put(entry, ALLOWED_DOMAINS, Value::Array(domains.iter().map(String::as_str).collect()));
    }
}

/// Adds an element in the manner of the last one: on a line of its own if that has one.
fn append(list: &mut Array, domain: &str) {
    let decor = list.iter().last().map(|last| last.decor().clone());
    let multiline = decor.as_ref().is_some_and(|decor| {
        decor.prefix().and_then(|prefix| prefix.as_str()).is_some_and(|prefix| prefix.contains('\n'))
    });
    let mut value = Value::from(domain);
    if multiline && let Some(decor) = decor {
        let prefix = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n");
        // A comment before the last element is that element's, so only the break and the indentation are taken.
        let line = prefix.rfind('\n').map_or(prefix, |at| &prefix[at..]).to_owned();
        value.decor_mut().set_prefix(line);
        list.push_formatted(value);
    } else {
        list.push(value);
    }
}

fn rename_in_table(table: &mut Table, from: &SecretName, to: &SecretName) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let (key, item) = table.remove_entry(&name).expect("the name was just listed");
        table.insert_formatted(&renamed(key, from, to), item);
    }
}

fn rename_in_line(table: &mut InlineTable, from: &SecretName, to: &SecretName) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let (key, value) = table.remove_entry(&name).expect("the name was just listed");
        table.insert_formatted(&renamed(key, from, to), value);
    }
}

/// The key `to` in the manner of `key` if that is `from`, else `key`.
fn renamed(key: Key, from: &SecretName, to: &SecretName) -> Key {
    if key.get() != from.as_str() {
        return key;
    }
    Key::new(to.as_str()).with_leaf_decor(key.leaf_decor().clone()).with_dotted_decor(key.dotted_decor().clone())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    fn kv_link() -> NewLink {
        NewLink {
            integration: "payments".into(),
            engine: Some("kv".into()),
            path: Some("a/b".into()),
            key: Some("k".into()),
            ..NewLink::default()
        }
    }

    #[test]
    fn a_name_that_is_linked_anew_keeps_nothing_of_another_vault() {
        let aws = NewLink {
            integration: "prod".into(),
            arn: Some("arn:x".into()),
            json_key: Some("password".into()),
            version: Some(NewVersion::Text("AWSPREVIOUS".into())),
            ..NewLink::default()
        };
        let of_aws = put_link("", &name("a"), &aws).unwrap();
        expect![[r#"
            [secrets.a]
            integration = "prod"
            arn = "arn:x"
            json-key = "password"
            version = "AWSPREVIOUS"
        "#]]
        .assert_eq(&of_aws);
        let of_vault = put_link(&of_aws, &name("a"), &kv_link()).unwrap();
        assert_eq!(of_vault, put_link("", &name("a"), &kv_link()).unwrap());
        assert_eq!(put_link(&of_vault, &name("a"), &aws).unwrap(), of_aws);
    }

    const FILE: &str = "\
# Our team's secrets.
[integrations.payments]
provider = \"hashicorp\" # the big one

# Ask Anna.
[secrets.stripe] # keep
integration = \"payments\"
path = \"old\" # moved in May
version = 3
note = \"n\"

[secrets.other]
integration = \"local\"
";

    #[test]
    fn a_link_is_added_at_the_end() {
        expect![[r#"
            # Our team's secrets.
            [integrations.payments]
            provider = "hashicorp" # the big one

            # Ask Anna.
            [secrets.stripe] # keep
            integration = "payments"
            path = "old" # moved in May
            version = 3
            note = "n"

            [secrets.other]
            integration = "local"

            [secrets."db/pass"]
            integration = "payments"
            engine = "kv"
            path = "a/b"
            key = "k"
            allowed-domains = ["api.acme.io", "*.acme.dev"]
        "#]]
        .assert_eq(
            &put_link(
                FILE,
                &name("db/pass"),
                &NewLink { allowed_domains: Some(vec!["api.acme.io".into(), "*.acme.dev".into()]), ..kv_link() },
            )
            .unwrap(),
        );
    }

    #[test]
    fn an_integration_is_added_or_brought_up_to_date() {
        let integration = NewIntegration {
            provider: "hashicorp".into(),
            address: "https://vault.acme.io".into(),
            namespace: Some("team-a".into()),
            ca_file: None,
            auth: vec![("method", "oidc".into()), ("client-id", "x\"y".into())],
        };
        let written = put_integration(FILE, "payments", &integration).unwrap();
        let entry = "[integrations.payments]\nprovider = \"hashicorp\" # the big one\naddress = \"https://vault.acme.io\"\n\
                     namespace = \"team-a\"\nauth = { method = \"oidc\", client-id = 'x\"y' }\n";
        assert!(written.contains(entry), "{written}");
        assert_eq!(put_integration(&written, "payments", &integration), Ok(written.clone()));
        let outside = NewIntegration { namespace: None, ..integration };
        assert_eq!(
            put_integration(&written, "payments", &outside),
            Ok(written.replace("namespace = \"team-a\"\n", ""))
        );
        assert!(put_integration("", "new", &outside).unwrap().starts_with("[integrations.new]\nprovider ="));
    }

    #[test]
    fn an_empty_file_gets_its_first_link() {
        expect![[r#"
            [secrets.a]
            integration = "local"
        "#]]
        .assert_eq(&put_link("", &name("a"), &NewLink { integration: "local".into(), ..NewLink::default() }).unwrap());
    }

    #[test]
    fn linking_anew_keeps_comments_and_notes() {
        expect![[r#"
            # Our team's secrets.
            [integrations.payments]
            provider = "hashicorp" # the big one

            # Ask Anna.
            [secrets.stripe] # keep
            integration = "payments"
            path = "a/b" # moved in May
            note = "n"
            engine = "kv"
            key = "k"

            [secrets.other]
            integration = "local"
        "#]]
        .assert_eq(&put_link(FILE, &name("stripe"), &kv_link()).unwrap());
    }

    #[test]
    fn a_renamed_link_stays_in_its_place() {
        let renamed = rename_link(FILE, &name("stripe"), &name("pay ments")).unwrap();
        assert_eq!(renamed, FILE.replace("[secrets.stripe]", "[secrets.\"pay ments\"]"));
        assert_eq!(rename_link(FILE, &name("stripe"), &name("other")), Err(EditError::Taken(name("other"))));
        assert_eq!(rename_link(FILE, &name("nope"), &name("x")), Err(EditError::Absent(name("nope"))));
    }

    #[test]
    fn links_in_one_line_are_edited_too() {
        let text = "secrets = { a = { integration = 'local' }, b = { integration = 'local' } }\n";
        assert_eq!(rename_link(text, &name("a"), &name("c")).unwrap(), text.replace("a = {", "c = {"));
        let added = put_link(text, &name("d"), &kv_link()).unwrap();
        assert!(added.contains("d = { integration = \"payments\", engine = \"kv\""), "{added}");
        assert!(added.parse::<DocumentMut>().is_ok());
    }

    #[test]
    fn a_removed_link_takes_nothing_else_along() {
        let text = remove_link(FILE, &name("other")).unwrap();
        assert_eq!(text, FILE.replace("\n[secrets.other]\nintegration = \"local\"\n", ""));
    }

    #[test]
    fn domains_are_added_in_the_manner_of_the_list() {
        for (before, after) in [
            ("[secrets.a]\n", "[secrets.a]\nallowed-domains = [\"x.io\"]\n"),
            (
                "[secrets.a]\nallowed-domains = ['y.io'] # why\n",
                "[secrets.a]\nallowed-domains = ['y.io', \"x.io\"] # why\n",
            ),
            ("[secrets.a]\nallowed-domains = ['x.io']\n", "[secrets.a]\nallowed-domains = ['x.io']\n"),
            (
                "[secrets.a]\nallowed-domains = [\n  'y.io', # first\n  'z.io',\n]\n",
                "[secrets.a]\nallowed-domains = [\n  'y.io', # first\n  'z.io',\n  \"x.io\",\n]\n",
            ),
        ] {
            assert_eq!(add_allowed_domain(before, &name("a"), "x.io").unwrap(), after);
        }
    }

    #[test]
    fn an_emptied_list_is_removed() {
        let text = "[secrets.a]\nallowed-domains = ['y.io']\nnote = 'n'\n";
        assert_eq!(set_allowed_domains(text, &name("a"), &[]).unwrap(), "[secrets.a]\nnote = 'n'\n");
        let replaced = set_allowed_domains(text, &name("a"), &["z.io".into()]).unwrap();
        assert_eq!(replaced, "[secrets.a]\nallowed-domains = [\"z.io\"]\nnote = 'n'\n");
    }

    #[test]
    fn line_breaks_of_windows_stay() {
        let text = put_link("[secrets.a]\r\nintegration = 'local'\r\n", &name("b"), &kv_link()).unwrap();
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        assert!(matches!(put_link("[secrets", &name("a"), &kv_link()), Err(EditError::Syntax(_))));
        assert_eq!(put_link("secrets = 5", &name("a"), &kv_link()), Err(EditError::Shape("secrets".into())));
    }

    #[test]
    fn a_value_cannot_break_out_of_its_quotes() {
        let link = NewLink { path: Some("x\"\n[secrets.evil]\ny = \"".into()), ..kv_link() };
        let text = put_link("", &name("a"), &link).unwrap();
        assert_eq!(text.parse::<DocumentMut>().unwrap()["secrets"].as_table().unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("vaultls.toml"));
        disk::replace(&real, b"old", Access::Shared).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(save(&link, "new").is_err());
        assert_eq!(disk::read(&real, 10).unwrap(), b"old");
    }
}
