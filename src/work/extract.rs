//! Moves a literal into the local vault: the half of it that both faces share.
#![expect(clippy::disallowed_methods, reason = "compares a value with the one that is stored under its name")]

use std::sync::Arc;

use crate::{
    name::SecretName,
    status::{ProviderKind, Reason},
    vault::{local::Change, value::SecretValue},
    work::{Core, verbs::Failure},
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

/// `1 place`, `2 places`.
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn taken(name: &SecretName) -> Failure {
    Failure::new(format!("there is a secret `{name}` already, with another value"), "choose another name")
}
