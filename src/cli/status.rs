//! `vaultls status` and `vaultls cache`.

use crate::{
    cli::{
        Exit, Machine, Outcome, arguments,
        arguments::Format,
        root,
        terminal::{Part, Style, Terminal, plain, styled},
    },
    work::{
        status::{Integration, Report, Secret, Waiting},
        verbs::signed_in,
    },
};

pub async fn status(arguments: arguments::Status, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let report = core.report().await;
    match arguments.format {
        Format::Json => terminal.json(&report)?,
        Format::Text => print(&report, terminal)?,
    }
    Ok(Exit::Done)
}

/// Caches live in the memory of the processes that fetched the values, and a command's ends with it.
pub fn cache(_arguments: &arguments::Cache, terminal: &mut Terminal) -> Outcome {
    terminal.line(&[plain(
        "Values are cached only in the memory of running language servers. Use the editor's command \
         `vaultls.resetCache`, or restart the editor; commands like this one never keep a value.",
    )])?;
    Ok(Exit::Done)
}

fn print(report: &Report, terminal: &mut Terminal) -> std::io::Result<()> {
    terminal.line(&[styled(Style::Bold, "workspace    "), plain(&report.root)])?;
    terminal.line(&[styled(Style::Bold, "local vault  "), plain(&report.local)])?;
    report.integrations.iter().try_for_each(|integration| print_integration(integration, terminal))?;
    report.secrets.iter().try_for_each(|secret| terminal.line(&line(secret)))?;
    report.pending.iter().try_for_each(|pending| print_pending(pending, terminal))
}

/// A definition that waits for approval.
pub fn print_pending(pending: &Waiting, terminal: &mut Terminal) -> std::io::Result<()> {
    terminal.line(&[
        styled(Style::Bold, "unapproved   "),
        plain(format!("{} {} ", pending.kind, pending.name)),
        styled(Style::Dim, "(see `vaultls trust`)"),
    ])
}

/// An integration: where it is, who is signed in, what is wrong, and what to do.
pub fn print_integration(integration: &Integration, terminal: &mut Terminal) -> std::io::Result<()> {
    let Integration { overview, next } = integration;
    let mut parts =
        vec![styled(Style::Bold, "integration  "), plain(format!("{} ({})", overview.name, overview.provider.title()))];
    let places = [&overview.address, &overview.organization].into_iter().flatten().map(String::as_str);
    let places: Vec<&str> = places.chain([overview.sign_in.as_str()]).collect();
    parts.push(styled(Style::Dim, format!("  {}", places.join(", "))));
    terminal.line(&parts)?;
    if let Some(session) = &overview.session {
        terminal.line(&[plain("             "), styled(Style::Green, signed_in(&overview.name, session))])?;
    }
    if let Some(problem) = &overview.problem {
        let wrong = format!("{} ({})", problem.detail, problem.reason.code());
        terminal.line(&[plain("             "), styled(Style::Red, wrong)])?;
    }
    if let Some(next) = next {
        terminal.line(&[plain("             "), styled(Style::Blue, "next: "), plain(next)])?;
    }
    Ok(())
}

fn line(secret: &Secret) -> Vec<Part<'_>> {
    let mut parts = vec![styled(Style::Bold, "secret       "), plain(format!("{}: ", secret.name))];
    match &secret.status.problem {
        Some(problem) => parts.push(styled(Style::Red, format!("{} ({})", problem.detail, problem.reason.code()))),
        None if secret.status.checked => parts.push(styled(Style::Green, "can be had")),
        None => parts.push(styled(Style::Dim, "not checked")),
    }
    if let Some(origin) = &secret.status.origin {
        let mut place = vec![origin.provider.title().to_owned()];
        place.extend(origin.coordinates.iter().map(|(label, value)| format!("{label} {value}")));
        if !origin.allowed_domains.is_empty() {
            place.push(format!("for {}", origin.allowed_domains.join(", ")));
        }
        parts.push(styled(Style::Dim, format!("  {}", place.join(", "))));
    }
    parts
}
