//! Moves a literal into the local vault: the half of it that both faces share.
#![expect(clippy::disallowed_methods, reason = "compares a value with the one that is stored under its name")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    feature::literal::{self, Literal},
    http::redact,
    name::SecretName,
    status::{ProviderKind, Reason},
    syntax::{self, Kind},
    text::Span,
    vault::{local::Change, value::SecretValue},
    work::{Core, Sheet, files, verbs::Failure},
};

/// What nobody can undo from here.
pub const HISTORY: &str =
    "it may still be in the history of the repository: if the file was ever shared, replace it where it was issued";

impl Core {
    /// Stores a secret that does not exist yet. That the same value is stored already under this name is fine: then an
    /// earlier try was cut short. Says what a person should know about the value.
    pub async fn store_new(
        self: &Arc<Self>,
        name: &SecretName,
        value: SecretValue,
        allowed_domains: Option<Vec<String>>,
    ) -> Result<Option<String>, Failure> {
        let known = self.vault.known().secrets.into_iter().find(|secret| secret.name == *name);
        if known.is_some_and(|secret| secret.provider != ProviderKind::Local || secret.link.is_some()) {
            return Err(taken(name));
        }
        let asked = name.clone();
        let stored = self.blocking(move |core| match core.vault.local().entry(&asked) {
            Ok(None) => Ok(None),
            Ok(Some(_)) => core.vault.local().value(&asked).map(Some).or_else(|problem| match problem.reason {
                Reason::Locked => Err(problem),
                _ => Ok(Some(SecretValue::new(Vec::new()))),
            }),
            Err(problem) => Err(problem),
        });
        match stored.await? {
            Some(stored) if stored.expose(|stored| value.expose(|value| stored == value)) => Ok(None),
            Some(_) => Err(taken(name)),
            None => {
                let change = Change { value: Some(value), allowed_domains, ..Change::default() };
                self.store(name, change).await
            }
        }
    }
}

/// Where references took a value's place.
#[derive(Debug, Default)]
pub struct Replaced {
    pub files: Vec<ReplacedFile>,
    /// Files in which the value still stands, and why.
    pub failures: Vec<(PathBuf, String)>,
    /// Whether there were more files than are searched.
    pub cut: bool,
}

#[derive(Debug)]
pub struct ReplacedFile {
    pub path: PathBuf,
    pub places: usize,
}

/// A file to be changed.
struct Page {
    path: PathBuf,
    source: Arc<str>,
    kind: Kind,
    spans: Vec<Span>,
}

/// Whether the places where `value` stands are looked for: a word that is too common to be masked means something else
/// elsewhere.
pub fn is_sought(value: &str) -> bool {
    redact::unmaskable(&SecretValue::new(value.as_bytes().to_vec())).is_none()
}

impl Core {
    /// Puts references to `name` in every place of the workspace where the value of `literal`, of `sheet`, stands.
    pub async fn replace_literal(self: &Arc<Self>, sheet: &Sheet, literal: &Literal, name: &SecretName) -> Replaced {
        let (sheet, literal, name) = (sheet.clone(), literal.clone(), name.clone());
        self.blocking(move |core| replace_literal(&core.root, &sheet, &literal, &name)).await
    }
}

fn replace_literal(root: &Path, sheet: &Sheet, literal: &Literal, name: &SecretName) -> Replaced {
    let Some(value) = literal.value(sheet.document.kind, &sheet.source) else { return Replaced::default() };
    let written = literal.span.of(&sheet.source);
    let is_sought = is_sought(&value);
    let mut own =
        if is_sought { literal::occurrences(&sheet.document, &sheet.source, &value, written) } else { Vec::new() };
    if !own.contains(&literal.span) {
        own.push(literal.span);
        own.sort_unstable();
    }
    let (path, source, kind) = (sheet.path.clone(), sheet.source.clone(), sheet.document.kind);
    let walk = if is_sought { files::walk(root) } else { files::Walk::default() };
    let is_other = |path: &PathBuf| path.canonicalize().ok() != sheet.path.canonicalize().ok();
    let others = walk.files.into_iter().filter(is_other).filter_map(|path| page(path, &value, written));
    let mut replaced = Replaced { cut: walk.cut, ..Replaced::default() };
    for page in std::iter::once(Page { path, source, kind, spans: own }).chain(others) {
        match page.write(name) {
            Ok(()) => replaced.files.push(ReplacedFile { path: page.path, places: page.spans.len() }),
            Err(why) => replaced.failures.push((page.path, why)),
        }
    }
    replaced
}

/// A file of the disk in which the value stands.
fn page(path: PathBuf, value: &str, written: &str) -> Option<Page> {
    let source = files::read(&path).ok()?;
    memchr::memmem::find(source.as_bytes(), written.as_bytes())?;
    let kind = Kind::of(&path, &source)?;
    let spans = literal::occurrences(&syntax::parse(kind, &source), &source, value, written);
    (!spans.is_empty()).then_some(Page { path, source, kind, spans })
}

impl Page {
    fn write(&self, name: &SecretName) -> Result<(), String> {
        let mut text = self.source.to_string();
        let reference = literal::reference(self.kind, name);
        for span in self.spans.iter().rev() {
            text.replace_range(span.start..span.end, &reference);
        }
        files::rewrite(&self.path, &self.source, &text)
    }
}

/// `1 place`, `2 places`.
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn taken(name: &SecretName) -> Failure {
    Failure::new(format!("there is a secret `{name}` already, with another value"), "choose another name")
}
