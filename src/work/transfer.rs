//! Exports and imports of the local vault, as files.

use std::{path::Path, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    disk::{self, Access},
    status::{Problem, Reason},
    vault::{
        local::{Duplicates, Export, Imported, LARGEST_EXPORT, Opening, SealedExport},
        value::SecretValue,
    },
    work::{
        Core,
        verbs::{Failure, check_domains},
    },
};

impl Core {
    /// Writes the whole local vault to `file`, which only its owner can read: under `password`, or in clear without
    /// one. A file that is there already is replaced only with `force`.
    pub async fn export(
        self: &Arc<Self>,
        file: &Path,
        password: Option<SecretValue>,
        force: bool,
    ) -> Result<(), Failure> {
        check_free(file, force)?;
        let bytes = self.blocking(move |core| match password {
            Some(password) => core.vault.local().export_sealed(&password).map(Zeroizing::new),
            None => core.vault.local().export_plain(),
        });
        let bytes = bytes.await.map_err(told)?;
        let path = file.to_owned();
        let written = self.blocking(move |_| {
            check_free(&path, force)?;
            disk::replace(&path, &bytes, Access::Private)
                .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display()), ""))
        });
        written.await
    }

    /// Takes an export over; nothing is changed unless all of it is fit, and nothing with `dry_run`.
    pub async fn import(
        self: &Arc<Self>,
        export: Export,
        duplicates: Option<Duplicates>,
        dry_run: bool,
    ) -> Result<Vec<Imported>, Failure> {
        export.domains().try_for_each(check_domains)?;
        let report = self.blocking(move |core| core.vault.local().import(&export, duplicates, dry_run));
        let report = report.await.map_err(told)?;
        self.vault.reset(None).await;
        Ok(report)
    }

    /// Opens an export with its password.
    pub async fn open_export(self: &Arc<Self>, sealed: SealedExport, password: SecretValue) -> Result<Export, Failure> {
        self.blocking(move |_| sealed.open(&password)).await.map_err(told)
    }
}

/// Whether an export may be written to `file`.
pub fn check_free(file: &Path, force: bool) -> Result<(), Failure> {
    if force || !disk::exists(file) {
        return Ok(());
    }
    Err(Failure::new(format!("{} exists already", file.display()), "name another file, or replace it with --force"))
}

/// Reads an export from the disk.
pub fn read_export(file: &Path) -> Result<Opening, Failure> {
    let bytes = disk::read(file, LARGEST_EXPORT).map(Zeroizing::new);
    let bytes = bytes.map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display()), ""))?;
    Export::read(&bytes).map_err(|problem| Failure::new(format!("{}: {}", file.display(), problem.detail), ""))
}

/// A problem of the whole vault or file: what fits one secret is no hint for it.
fn told(problem: Problem) -> Failure {
    let hint = match problem.reason {
        Reason::Locked => return problem.into(),
        Reason::Ambiguous => "choose with --duplicates skip, replace or keep-both; nothing was changed",
        _ => "",
    };
    Failure::new(problem.detail, hint)
}
