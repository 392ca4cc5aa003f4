//! TOML to entries: every entry on its own, so that a bad one is complained about and the others still apply.

use std::{collections::BTreeMap, ops::Range, path::Path, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{AuthEntry, Complaint, Configuration, IntegrationEntry, Layer, SecretEntry, Source, Written, nearest};
use crate::{name::SecretName, status::Site, text::Span};

const FILE_FIELDS: [&str; 3] = ["cache", "integrations", "secrets"];
const CACHE_FIELDS: [&str; 1] = ["ttl-minutes"];
const INTEGRATION_FIELDS: [&str; 11] = [
    "account",
    "address",
    "auth",
    "ca-file",
    "client-id",
    "endpoint",
    "namespace",
    "profile",
    "provider",
    "region",
    "tenant",
];
const AUTH_FIELDS: [&str; 10] = [
    "client-id",
    "jwt-file",
    "jwt-path",
    "method",
    "mount",
    "provider-url",
    "redirect-ports",
    "role",
    "role-id",
    "username",
];
const SECRET_FIELDS: [&str; 15] = [
    "allowed-domains",
    "arn",
    "enabled",
    "encoding",
    "engine",
    "id",
    "integration",
    "json-key",
    "key",
    "name",
    "note",
    "path",
    "reference",
    "role-arn",
    "version",
];

/// A day: a longer life in memory is a slip of the pen.
const MAX_TTL_MINUTES: u64 = 24 * 60;

/// The longest name of an integration, in bytes.
const MAX_INTEGRATION_NAME: usize = 64;

/// Reads a configuration file of `layer` that stands at `path`.
pub fn read(text: &str, layer: Layer, path: &Path) -> Configuration {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, layer, path, broken: Vec::new(), found: Configuration::default() };
    for error in errors {
        reader.syntax_error(error.message(), error.span());
    }
    reader.file(root.get_ref());
    reader.found.complaints.sort_by_key(|complaint| complaint.span);
    reader.found
}

struct Reader<'t> {
    text: &'t str,
    layer: Layer,
    path: &'t Path,
    /// Where the TOML is broken.
    broken: Vec<usize>,
    found: Configuration,
}

/// A table whose fields are taken one by one.
struct Fields<'a, 'i, 'c> {
    table: &'a DeTable<'i>,
    complaints: &'c mut Vec<Complaint>,
    fault: Option<String>,
}

/// A key and its value, with the extent of text that belongs to them.
struct Entry<'a, 'i> {
    key: &'a str,
    key_span: Span,
    value: &'a Spanned<DeValue<'i>>,
    extent: Span,
}

impl Reader<'_> {
    fn syntax_error(&mut self, message: &str, span: Option<Range<usize>>) {
        let span = self.span(span.unwrap_or_default());
        self.broken.push(span.start);
        let message = message.trim().replace('\n', ", ");
        self.found.complaints.push(Complaint::error(span, format!("this is not TOML: {message}")));
    }

    /// A span that surely lies within the text and between characters.
    fn span(&self, range: Range<usize>) -> Span {
        let at = |offset: usize| self.text.floor_char_boundary(offset.min(self.text.len()));
        Span::new(at(range.start), at(range.end.max(range.start)))
    }

    fn file(&mut self, root: &DeTable<'_>) {
        let mut fields = Fields::new(root, &mut self.found.complaints);
        fields.complain_about_unknown(&FILE_FIELDS);
        let cache = fields.table("cache");
        let integrations = fields.table("integrations");
        let secrets = fields.table("secrets");
        if let Some(cache) = cache {
            self.cache(cache);
        }
        // An entry reaches to the next one, of either kind: an error in between spoils the entry it stands in.
        let mut starts: Vec<usize> =
            [integrations, secrets].into_iter().flatten().flat_map(|table| table.keys()).map(start).collect();
        starts.sort_unstable();
        for entry in integrations.map(|table| entries(table, &starts, self.text.len())).unwrap_or_default() {
            self.integration(&entry);
        }
        for entry in secrets.map(|table| entries(table, &starts, self.text.len())).unwrap_or_default() {
            self.secret(&entry);
        }
    }

    fn cache(&mut self, table: &DeTable<'_>) {
        let mut fields = Fields::new(table, &mut self.found.complaints);
        fields.complain_about_unknown(&CACHE_FIELDS);
        let Some(minutes) = fields.number("ttl-minutes") else { return };
        if minutes.value > MAX_TTL_MINUTES {
            let message = format!("values are kept for at most {MAX_TTL_MINUTES} minutes");
            self.found.complaints.push(Complaint::error(minutes.span, message));
            return;
        }
        let value = Duration::from_secs(minutes.value * 60);
        self.found.cache_ttl = Some(Written { value, span: minutes.span });
    }

    fn integration(&mut self, entry: &Entry<'_, '_>) {
        if let Err(message) = check_integration_name(entry.key) {
            self.found.complaints.push(Complaint::error(entry.key_span, message));
            return;
        }
        let Some(table) = self.entry_table(entry, "an integration") else { return };
        let broken = self.fault_of(entry);
        let mut fields = Fields::new(table, &mut self.found.complaints);
        fields.complain_about_unknown(&INTEGRATION_FIELDS);
        let provider = fields.text("provider");
        let address = fields.text("address");
        let namespace = fields.text("namespace");
        let (tenant, client_id) = (fields.text("tenant"), fields.text("client-id"));
        let (region, account) = (fields.text("region"), fields.text("account"));
        let profile = fields.text("profile");
        let (ca_file, endpoint) = (fields.text("ca-file"), fields.text("endpoint"));
        let auth = fields.table("auth");
        let mut fault = broken.or(fields.fault.take());
        let mut read_auth = |auth| {
            let mut inner = fields.inner(auth, &AUTH_FIELDS);
            let found = AUTH_FIELDS.into_iter().filter_map(|name| Some((name, inner.text(name)?)));
            let mut found: BTreeMap<_, _> = found.collect();
            fault = fault.take().or(inner.fault);
            AuthEntry { method: found.remove("method"), fields: found }
        };
        let mut auth = auth.map(&mut read_auth).unwrap_or_default();
        let jwt_file = auth.fields.remove("jwt-file").and_then(|file| self.only_of_user(file.into(), "jwt-file"));
        auth.fields.extend(jwt_file.map(|file| ("jwt-file", file)));
        let ca_file = self.only_of_user(ca_file, "ca-file");
        let endpoint = self.only_of_user(endpoint, "endpoint");
        let source = self.source(entry.key_span);
        let name = entry.key.to_owned();
        let entry = IntegrationEntry {
            name,
            source,
            provider,
            address,
            namespace,
            tenant,
            client_id,
            region,
            account,
            profile,
            endpoint,
            ca_file,
            auth,
            fault,
        };
        self.found.integrations.push(entry);
    }

    fn secret(&mut self, entry: &Entry<'_, '_>) {
        let name = match SecretName::parse(entry.key) {
            Ok(name) => name,
            Err(error) => {
                self.found.complaints.push(Complaint::error(entry.key_span, error.to_string()));
                return;
            }
        };
        let Some(table) = self.entry_table(entry, "a secret") else { return };
        let broken = self.fault_of(entry);
        let source = self.source(entry.key_span);
        let mut fields = Fields::new(table, &mut self.found.complaints);
        fields.complain_about_unknown(&SECRET_FIELDS);
        let (version, version_text) = fields.version();
        let secret = SecretEntry {
            name,
            source,
            integration: fields.text("integration"),
            engine: fields.text("engine"),
            path: fields.text("path"),
            key: fields.text("key"),
            id: fields.text("id"),
            arn: fields.text("arn"),
            role_arn: fields.text("role-arn"),
            json_key: fields.text("json-key"),
            encoding: fields.text("encoding"),
            reference: fields.text("reference"),
            version,
            version_text,
            local_name: fields.text("name"),
            allowed_domains: fields.texts("allowed-domains"),
            note: fields.text("note").map(|note| note.value),
            enabled: fields.flag("enabled").unwrap_or(true),
            fault: None,
        };
        let fault = broken.or(fields.fault);
        self.found.secrets.push(SecretEntry { fault, ..secret });
    }

    fn entry_table<'a, 'i>(&mut self, entry: &Entry<'a, 'i>, what: &str) -> Option<&'a DeTable<'i>> {
        let table = entry.value.get_ref().as_table();
        if table.is_none() {
            self.found.complaints.push(Complaint::error(entry.key_span, format!("{what} is a table of settings")));
        }
        table
    }

    fn fault_of(&self, entry: &Entry<'_, '_>) -> Option<String> {
        self.broken.iter().any(|at| entry.extent.touches(*at)).then(|| "the file is not valid TOML here".to_owned())
    }

    /// A file that came with a workspace must not choose whom this machine trusts.
    fn only_of_user<T>(&mut self, field: Option<Written<T>>, name: &str) -> Option<Written<T>> {
        let field = field?;
        if self.layer == Layer::User {
            return Some(field);
        }
        let message = format!("`{name}` is ignored here: it counts only in the user's own configuration");
        self.found.complaints.push(Complaint::warning(field.span, message));
        None
    }

    fn source(&self, span: Span) -> Source {
        Source { layer: self.layer, site: Site { file: self.path.to_owned(), span } }
    }
}

impl<'a, 'i, 'c> Fields<'a, 'i, 'c> {
    fn new(table: &'a DeTable<'i>, complaints: &'c mut Vec<Complaint>) -> Self {
        Self { table, complaints, fault: None }
    }

    /// The fields of a table within this one.
    fn inner<'b>(&'b mut self, table: &'a DeTable<'i>, known: &[&str]) -> Fields<'a, 'i, 'b> {
        let mut fields = Fields::new(table, self.complaints);
        fields.complain_about_unknown(known);
        fields
    }

    fn complain_about_unknown(&mut self, known: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let message = match nearest(name, known.iter().copied()) {
                Some(word) => format!("unknown setting: did you mean `{word}`?"),
                None => format!("unknown setting; known here are {}", known.join(", ")),
            };
            self.complaints.push(Complaint::warning(span_of(key), message));
        }
    }

    fn text(&mut self, name: &str) -> Option<Written<String>> {
        self.field(name, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.field(name, "`true` or `false`", DeValue::as_bool).map(|flag| flag.value)
    }

    /// `version`: a number, or a text where the vault names its versions.
    fn version(&mut self) -> (Option<Written<u64>>, Option<Written<String>>) {
        let text = self.table.get("version").is_some_and(|value| value.get_ref().as_str().is_some());
        if text { (None, self.text("version")) } else { (self.number("version"), None) }
    }

    fn number(&mut self, name: &str) -> Option<Written<u64>> {
        self.field(name, "a whole number, zero or more", |value| {
            let number = value.as_integer()?;
            u64::from_str_radix(number.as_str(), number.radix()).ok()
        })
    }

    fn texts(&mut self, name: &str) -> Option<Vec<Written<String>>> {
        let list = self.field(name, "a list of texts", |value| {
            let items = value.as_array()?.iter();
            items
                .map(|item| Some(Written { value: item.get_ref().as_str()?.to_owned(), span: span_of(item) }))
                .collect()
        });
        list.map(|list| list.value)
    }

    fn table(&mut self, name: &str) -> Option<&'a DeTable<'i>> {
        let value = self.table.get(name)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(name, span_of(value), "a table");
        }
        table
    }

    fn field<T>(
        &mut self,
        name: &str,
        wanted: &str,
        convert: impl FnOnce(&DeValue<'i>) -> Option<T>,
    ) -> Option<Written<T>> {
        let value = self.table.get(name)?;
        let span = span_of(value);
        let converted = convert(value.get_ref());
        if converted.is_none() {
            self.wrong(name, span, wanted);
        }
        converted.map(|value| Written { value, span })
    }

    fn wrong(&mut self, name: &str, span: Span, wanted: &str) {
        let message = format!("`{name}` must be {wanted}");
        self.complaints.push(Complaint::error(span, message.clone()));
        self.fault.get_or_insert(message);
    }
}

/// The entries of a table in the file's order.
fn entries<'a, 'i>(table: &'a DeTable<'i>, starts: &[usize], end: usize) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry<'a, 'i>> = table
        .iter()
        .map(|(key, value)| {
            let key_span = span_of(key);
            let next = starts.iter().copied().find(|start| *start > key_span.start).unwrap_or(end);
            Entry { key: key.get_ref(), key_span, value, extent: Span::new(key_span.start, next) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span);
    entries
}

/// Checks the name of an integration.
pub fn check_integration_name(name: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > MAX_INTEGRATION_NAME || !name.bytes().all(allowed) {
        return Err("an integration's name is 1 to 64 letters, digits, `.`, `_` or `-`");
    }
    if name == "local" {
        return Err("`local` always means the vault on this machine");
    }
    Ok(())
}

fn start<T>(spanned: &Spanned<T>) -> usize {
    spanned.span().start
}

fn span_of<T>(spanned: &Spanned<T>) -> Span {
    let span = spanned.span();
    Span::new(span.start, span.end)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::config::schema;

    fn read_workspace(text: &str) -> Configuration {
        read(text, Layer::Workspace, Path::new("vaultls.toml"))
    }

    /// The complaints, each as `severity "text it underlines": message`.
    fn check(layer: Layer, text: &str, expected: &Expect) {
        let found = read(text, layer, Path::new("vaultls.toml"));
        let lines = found.complaints.iter().map(|complaint| {
            format!("{:?} {:?}: {}\n", complaint.severity, complaint.span.of(text), complaint.message)
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn every_field_is_read_with_its_place() {
        let text = r#"
cache.ttl-minutes = 5

[integrations.payments]
provider = "hashicorp"
address = "https://vault.acme.io:8200"
namespace = "team-a"
auth = { method = "token" }

[secrets."db/pass"]
integration = "payments"
engine = "kv"
path = "app/db"
key = "password"
version = 3
allowed-domains = ["api.stripe.com", "*.acme.io"]
note = "rotated monthly"
enabled = false
"#;
        let found = read_workspace(text);
        assert_eq!(found.complaints, []);
        assert_eq!(found.cache_ttl.unwrap().value, Duration::from_secs(300));
        let [integration] = &found.integrations[..] else { panic!() };
        assert_eq!(integration.source.site.span.of(text), "payments");
        assert_eq!(integration.address.as_ref().unwrap().span.of(text), "\"https://vault.acme.io:8200\"");
        assert_eq!(integration.auth.method.as_ref().unwrap().value, "token");
        let [secret] = &found.secrets[..] else { panic!() };
        assert_eq!(secret.source.site.span.of(text), "\"db/pass\"");
        assert_eq!(secret.version.as_ref().unwrap().value, 3);
        assert_eq!(secret.allowed_domains.as_ref().unwrap()[1].span.of(text), "\"*.acme.io\"");
        assert!(!secret.enabled);
        assert_eq!(secret.fault, None);
    }

    #[test]
    fn slips_are_named_with_the_word_that_was_meant() {
        check(
            Layer::Workspace,
            "[secret.x]\n[secrets.y]\nintgration = 'a'\nallowed_domains = []\nzebra = 1\n",
            &expect![[r#"
                Warning "secret": unknown setting: did you mean `secrets`?
                Warning "intgration": unknown setting: did you mean `integration`?
                Warning "allowed_domains": unknown setting: did you mean `allowed-domains`?
                Warning "zebra": unknown setting; known here are allowed-domains, arn, enabled, encoding, engine, id, integration, json-key, key, name, note, path, reference, role-arn, version
            "#]],
        );
    }

    #[test]
    fn a_field_of_the_wrong_type_spoils_its_entry_alone() {
        let text = "[secrets.a]\nallowed-domains = 'x'\n[secrets.b]\nintegration = 'local'\n";
        let found = read_workspace(text);
        assert_eq!(found.secrets[0].fault.as_deref(), Some("`allowed-domains` must be a list of texts"));
        assert_eq!(found.secrets[1].fault, None);
    }

    #[test]
    fn broken_toml_spoils_the_entry_it_stands_in() {
        let text =
            "[secrets.a]\nintegration = 'local'\n[secrets.b]\nallowed-domains = [\"x\"\n[secrets.c]\nnote = 'n'\n";
        let found = read_workspace(text);
        let faults: Vec<_> = found.secrets.iter().map(|entry| (entry.name.as_str(), entry.fault.is_some())).collect();
        assert_eq!(faults[0], ("a", false));
        assert!(found.secrets.iter().filter(|entry| entry.name.as_str() == "b").all(|entry| entry.fault.is_some()));
        assert!(!found.complaints.is_empty());
    }

    #[test]
    fn a_duplicate_is_complained_about() {
        check(
            Layer::User,
            "[secrets.a]\nnote = '1'\nnote = '2'\n",
            &expect![[r#"
                Error "note": this is not TOML: duplicate key
            "#]],
        );
    }

    #[test]
    fn bad_names_and_numbers_are_refused_at_their_place() {
        check(
            Layer::User,
            "cache.ttl-minutes = 100000\n[secrets.\"a`b\"]\n[integrations.local]\n[integrations.\"a b\"]\n[secrets.c]\nversion = -1\n[secrets]\nd = 5\n",
            &expect![[r#"
                Error "100000": values are kept for at most 1440 minutes
                Error "\"a`b\"": a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces
                Error "local": `local` always means the vault on this machine
                Error "\"a b\"": an integration's name is 1 to 64 letters, digits, `.`, `_` or `-`
                Error "-1": `version` must be a whole number, zero or more
                Error "d": a secret is a table of settings
            "#]],
        );
    }

    #[test]
    fn a_workspace_cannot_choose_a_certificate_authority() {
        let text = "[integrations.a]\nprovider = 'hashicorp'\nca-file = '/tmp/ca.pem'\n";
        assert_eq!(read_workspace(text).integrations[0].ca_file, None);
        check(
            Layer::Workspace,
            text,
            &expect![[r#"
                Warning "'/tmp/ca.pem'": `ca-file` is ignored here: it counts only in the user's own configuration
            "#]],
        );
        let user = read(text, Layer::User, Path::new("config.toml"));
        assert_eq!(user.integrations[0].ca_file.as_ref().unwrap().value, "/tmp/ca.pem");
        assert_eq!(user.complaints, []);
    }

    #[test]
    fn every_prefix_of_a_file_is_read_without_a_panic() {
        let text = "# é\ncache.ttl-minutes = 5\n[integrations.p]\nprovider = \"h\\u00e9\"\nauth = { method = 'token' }\n[secrets.\"a b\"]\nallowed-domains = [\"x\", '''y''']\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let part = &text[..end];
            for complaint in read_workspace(part).complaints {
                let _underlined = complaint.span.of(part);
            }
        }
    }

    #[test]
    fn a_deep_file_is_refused_in_bounded_time() {
        let found = read_workspace(&format!("a = {}", "[".repeat(100_000)));
        assert!(!found.complaints.is_empty());
    }

    #[test]
    fn the_schema_knows_the_fields_that_are_read() {
        assert_eq!(schema::properties::<schema::Cache>(), CACHE_FIELDS);
        assert_eq!(schema::properties::<schema::Integration>(), INTEGRATION_FIELDS);
        assert_eq!(schema::properties::<schema::Auth>(), AUTH_FIELDS);
        assert_eq!(schema::properties::<schema::Secret>(), SECRET_FIELDS);
    }

    #[test]
    fn the_committed_schema_is_the_generated_one() {
        // UPDATE_EXPECT=1 writes it anew.
        expect_test::expect_file!["../../editors/vaultls.schema.json"].assert_eq(&schema::schema());
    }
}
