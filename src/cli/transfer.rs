//! `vaultls vault export` and `import`: the local vault as a file.

use std::{path::Path, sync::Arc};

use crate::{
    cli::{
        Exit, Outcome, Stop, arguments, prompt,
        terminal::{Style, Terminal, plain, styled},
    },
    name::SecretName,
    vault::{
        local::{Duplicates, Export, Fate, Imported, MIN_PASSWORD, Opening},
        value::SecretValue,
    },
    work::{
        Core,
        extract::counted,
        transfer::{check_free, read_export},
    },
};

pub async fn export(core: &Arc<Core>, file: &Path, clear: bool, force: bool, terminal: &mut Terminal) -> Outcome {
    check_free(file, force)?;
    prompt::open_vault(core, terminal).await?;
    let password = if clear { None } else { Some(new_password(terminal)?) };
    core.export(file, password, force).await?;
    let count = counted(core.vault.local().entries().len(), "secret");
    if clear {
        terminal.warning(&format!("{} holds every value in clear: delete it as soon as it was used", file.display()));
    }
    terminal.note(&[plain(format!("exported {count} to {}", file.display()))]);
    Ok(Exit::Done)
}

pub async fn import(
    core: &Arc<Core>,
    file: &Path,
    duplicates: Option<arguments::Duplicates>,
    dry_run: bool,
    terminal: &mut Terminal,
) -> Outcome {
    let export = match read_export(file)? {
        Opening::Plain(export) => export,
        Opening::Sealed(sealed) => {
            let password = prompt::value(terminal, "Password of the export", false)?;
            core.open_export(sealed, password).await?
        }
    };
    make_ready(core, dry_run, terminal).await?;
    let report = take_over(core, export, duplicates.map(chosen), dry_run).await?;
    report.iter().try_for_each(|imported| print(imported, terminal))?;
    let changed = report.iter().filter(|imported| !matches!(imported.fate, Fate::Same | Fate::Skipped)).count();
    let would = if dry_run { "would import" } else { "imported" };
    terminal.flush()?;
    terminal.note(&[plain(format!("{would} {}", counted(changed, "secret")))]);
    Ok(Exit::Done)
}

/// Opens the vault; where there is none yet its key is made first.
async fn make_ready(core: &Arc<Core>, dry_run: bool, terminal: &mut Terminal) -> Result<(), Stop> {
    if dry_run {
        return prompt::open_vault(core, terminal).await;
    }
    let first = SecretName::parse("import").expect("it is a name");
    if prompt::prepare_vault(core, &first, terminal).await? {
        core.remove(&first).await?;
    }
    Ok(())
}

async fn take_over(
    core: &Arc<Core>,
    export: Export,
    duplicates: Option<Duplicates>,
    dry_run: bool,
) -> Result<Vec<Imported>, Stop> {
    core.import(export, duplicates, dry_run).await.map_err(Stop::from)
}

fn new_password(terminal: &mut Terminal) -> Result<SecretValue, Stop> {
    if !terminal.is_interactive() {
        return prompt::value(terminal, "Password of the export", false);
    }
    let question = format!("Password of the export, at least {MIN_PASSWORD} characters");
    let mut typed = prompt::typed(terminal, &question)?;
    if typed != prompt::typed(terminal, "The same password again")? {
        return Err(Stop::wrong("the passwords differ", "try again"));
    }
    Ok(SecretValue::new(std::mem::take(&mut *typed).into_bytes()))
}

fn chosen(duplicates: arguments::Duplicates) -> Duplicates {
    match duplicates {
        arguments::Duplicates::Skip => Duplicates::Skip,
        arguments::Duplicates::Replace => Duplicates::Replace,
        arguments::Duplicates::KeepBoth => Duplicates::KeepBoth,
    }
}

fn print(imported: &Imported, terminal: &mut Terminal) -> std::io::Result<()> {
    let fate = match &imported.fate {
        Fate::Added => styled(Style::Green, "  added"),
        Fate::Same => styled(Style::Dim, "  is here already"),
        Fate::Skipped => styled(Style::Yellow, "  skipped: another one is here"),
        Fate::Replaced => styled(Style::Yellow, "  replaced"),
        Fate::AddedAs(name) => styled(Style::Green, format!("  added as {name}")),
    };
    terminal.line(&[styled(Style::Bold, imported.name.as_str()), fate])
}
