//! `vaultls vault`: the encrypted vault on this machine.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        arguments::{Format, VaultCommand},
        prompt, root,
        terminal::{Style, Terminal, plain, styled},
        transfer,
    },
    name::SecretName,
    vault::local::{Change, Entry},
    work::{Core, verbs::check_domains},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: SecretName,
    enabled: bool,
    /// Whether a value is stored.
    filled: bool,
    allowed_domains: Vec<String>,
    note: Option<String>,
}

pub async fn vault(arguments: arguments::Vault, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(None, None)?);
    match arguments.command {
        VaultCommand::Set { name, allowed_domains, note, raw, keep_value } => {
            let allowed_domains = (!allowed_domains.is_empty()).then_some(allowed_domains);
            let change = Change { allowed_domains, note, ..Change::default() };
            set(&core, &name, change, (!keep_value).then_some(raw), terminal).await
        }
        VaultCommand::List { format } => list(&core, format, terminal).await,
        VaultCommand::Rm { name } => {
            prompt::open_vault(&core, terminal).await?;
            core.remove(&name).await?;
            done(terminal, format!("removed {name}"))
        }
        VaultCommand::Rename { from, to } => {
            prompt::open_vault(&core, terminal).await?;
            core.rename(&from, &to).await?;
            done(terminal, format!("renamed {from} to {to}; references in files stay as they are"))
        }
        VaultCommand::Enable { name } => enable(&core, &name, true, terminal).await,
        VaultCommand::Disable { name } => enable(&core, &name, false, terminal).await,
        VaultCommand::Export { file, plain, force } => transfer::export(&core, &file, plain, force, terminal).await,
        VaultCommand::Import { file, duplicates, dry_run } => {
            transfer::import(&core, &file, duplicates, dry_run, terminal).await
        }
        VaultCommand::Reset { yes } => reset(&core, yes, terminal).await,
    }
}

/// `value` says whether a value is read, and whether as it is.
async fn set(
    core: &Arc<Core>,
    name: &SecretName,
    mut change: Change,
    value: Option<bool>,
    terminal: &mut Terminal,
) -> Outcome {
    check_domains(change.allowed_domains.as_deref().unwrap_or_default())?;
    let made = prompt::prepare_vault(core, name, terminal).await?;
    if let Some(raw) = value {
        change.value = match prompt::value(terminal, &format!("Value of {name}"), raw) {
            Ok(value) => Some(value),
            Err(stop) => {
                if made {
                    core.remove(name).await?;
                }
                return Err(stop);
            }
        };
    }
    let warning = core.store(name, change).await?;
    if let Some(warning) = warning {
        terminal.warning(&warning);
    }
    done(terminal, format!("stored {name}"))
}

async fn enable(core: &Arc<Core>, name: &SecretName, enabled: bool, terminal: &mut Terminal) -> Outcome {
    prompt::open_vault(core, terminal).await?;
    if !core.vault.local().entries().iter().any(|entry| entry.name == *name) {
        return Err(Stop::wrong(format!("there is no secret `{name}` in the local vault"), "see `vaultls vault list`"));
    }
    core.enable(name, enabled).await?;
    done(terminal, format!("{} {name}", if enabled { "enabled" } else { "disabled" }))
}

async fn list(core: &Arc<Core>, format: Format, terminal: &mut Terminal) -> Outcome {
    prompt::open_vault(core, terminal).await?;
    let entries = core.vault.local().entries();
    match format {
        Format::Json => terminal.json(&entries.into_iter().map(listed).collect::<Vec<_>>())?,
        Format::Text => entries.iter().try_for_each(|entry| print(entry, terminal))?,
    }
    Ok(Exit::Done)
}

fn listed(entry: Entry) -> Listed {
    let Entry { name, allowed_domains, enabled, note, filled } = entry;
    Listed { name, enabled, filled, allowed_domains, note }
}

fn print(entry: &Entry, terminal: &mut Terminal) -> std::io::Result<()> {
    let mut parts = vec![styled(Style::Bold, entry.name.as_str())];
    if !entry.filled {
        parts.push(styled(Style::Red, "  empty"));
    }
    if !entry.enabled {
        parts.push(styled(Style::Yellow, "  disabled"));
    }
    let domains = if entry.allowed_domains.is_empty() {
        "hosts are asked for".to_owned()
    } else {
        entry.allowed_domains.join(", ")
    };
    parts.push(plain(format!("  {domains}")));
    if let Some(note) = &entry.note {
        parts.push(styled(Style::Dim, format!("  {note}")));
    }
    terminal.line(&parts)
}

async fn reset(core: &Arc<Core>, sure: bool, terminal: &mut Terminal) -> Outcome {
    if !sure {
        let question = "Delete the local vault with every secret in it? This cannot be undone. [y/N]: ";
        if !terminal.is_interactive() {
            return Err(Stop::usage("this deletes every secret of the local vault", "say so with --yes"));
        }
        if prompt::choice(terminal, question, &['y'])?.is_none() {
            return Err(Stop::wrong("nothing was deleted", ""));
        }
    }
    core.wipe().await?;
    done(terminal, "the local vault is empty".into())
}

fn done(terminal: &mut Terminal, message: String) -> Outcome {
    terminal.note(&[plain(message)]);
    Ok(Exit::Done)
}
