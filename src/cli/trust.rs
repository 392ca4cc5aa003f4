//! `vaultls trust`: shows what a workspace defines and what was approved; approves; takes back.

use serde::Serialize;

use crate::{
    approval::Record,
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        arguments::Format,
        prompt, root,
        terminal::{Style, Terminal, plain, styled},
    },
    vault::Pending,
    work::{
        Core,
        status::{Changed, Waiting, changes},
    },
};

/// The length of the day in a date (RFC 3339).
const DAY: usize = "2000-01-01".len();

#[derive(Serialize)]
struct Listing {
    pending: Vec<Waiting>,
    approved: Vec<Record>,
}

pub fn trust(arguments: &arguments::Trust, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    match (&arguments.approve, &arguments.revoke) {
        (Some(names), _) => approve(&core, names, arguments.yes, terminal),
        (None, Some(names)) => revoke(&core, names, terminal),
        (None, None) => list(&core, arguments.format, terminal),
    }
}

fn list(core: &Core, format: Format, terminal: &mut Terminal) -> Outcome {
    let listing = Listing { pending: core.waiting(), approved: core.approved()? };
    if format == Format::Json {
        terminal.json(&listing)?;
        return Ok(Exit::Done);
    }
    if listing.pending.is_empty() && listing.approved.is_empty() {
        terminal.line(&[plain(format!("{} defines nothing that needs approval", core.root.display()))])?;
    }
    for pending in core.vault.pending() {
        show(&pending, terminal)?;
    }
    for record in &listing.approved {
        let host = record.host.as_ref().map(|host| format!(" may go to {host}")).unwrap_or_default();
        terminal.line(&[
            styled(Style::Green, "approved  "),
            plain(format!("{} {}{host} ", record.kind, record.name)),
            styled(Style::Dim, record.date.get(..DAY).unwrap_or_default()),
        ])?;
    }
    Ok(Exit::Done)
}

fn approve(core: &Core, names: &[String], sure: bool, terminal: &mut Terminal) -> Outcome {
    let mut pending = core.vault.pending();
    if let Some(unknown) = names.iter().find(|name| !pending.iter().any(|one| one.name == **name)) {
        return Err(Stop::usage(format!("nothing called `{unknown}` waits for approval"), "see `vaultls trust`"));
    }
    pending.retain(|one| names.is_empty() || names.contains(&one.name));
    if pending.is_empty() {
        terminal.line(&[plain("nothing waits for approval")])?;
        return Ok(Exit::Done);
    }
    // Without a terminal the flag itself is the person's word.
    if terminal.is_interactive() && !sure {
        if ask(core, &pending, terminal)? {
            return Ok(Exit::Done);
        }
        return Err(Stop::Told { exit: Exit::NotAllowed, message: "nothing was approved".into(), hint: String::new() });
    }
    pending.iter().try_for_each(|one| show(one, terminal))?;
    core.approve(&pending)?;
    terminal.line(&[styled(Style::Green, format!("approved {}", pending.len()))])?;
    Ok(Exit::Done)
}

/// Shows definitions and approves them if the person says so.
pub fn ask(core: &Core, pending: &[Pending], terminal: &mut Terminal) -> Result<bool, Stop> {
    pending.iter().try_for_each(|one| show(one, terminal))?;
    let question = "This workspace defines what stands above. Approve exactly this? [y/N]: ";
    if pending.is_empty() || prompt::choice(terminal, question, &['y'])?.is_none() {
        return Ok(false);
    }
    core.approve(pending)?;
    Ok(true)
}

fn revoke(core: &Core, names: &[String], terminal: &mut Terminal) -> Outcome {
    let mut revoked = Vec::new();
    if names.is_empty() {
        revoked = core.revoke(None)?;
    }
    for name in names {
        let of_name = core.revoke(Some(name))?;
        if of_name.is_empty() {
            return Err(Stop::usage(format!("nothing called `{name}` was approved here"), "see `vaultls trust`"));
        }
        revoked.extend(of_name);
    }
    terminal.line(&[plain(format!("took back {}", revoked.len()))])?;
    Ok(Exit::Done)
}

/// Shows a definition; where another one was approved before, what changed.
fn show(pending: &Pending, terminal: &mut Terminal) -> std::io::Result<()> {
    let changed = if pending.approved.is_some() { " (changed since it was approved)" } else { "" };
    let title = format!("{} {}", pending.kind, pending.name);
    terminal.line(&[styled(Style::Yellow, "waiting   "), plain(title), styled(Style::Yellow, changed)])?;
    let Some(before) = &pending.approved else {
        return pending
            .definition
            .lines()
            .try_for_each(|line| terminal.line(&[styled(Style::Dim, "  | "), plain(line)]));
    };
    changes(before, &pending.definition).iter().try_for_each(|line| {
        let (sign, style) = match line.change {
            Changed::Kept => ("  | ", Style::Plain),
            Changed::Removed => ("  - ", Style::Red),
            Changed::Added => ("  + ", Style::Green),
        };
        terminal.line(&[styled(Style::Dim, sign), styled(style, &line.text)])
    })
}
