//! `vaultls doctor`: everything that decides whether secrets can be had, what is wrong with it, and the next step. Names,
//! never values.

use std::time::SystemTime;

use serde::Serialize;

use crate::{
    cli::{
        Exit, Machine, Outcome, arguments,
        arguments::Format,
        root, status,
        terminal::{Style, Terminal, plain, styled},
    },
    status::Severity,
    vault::{local::KeySource, overview::PlacedComplaint, program::Looked},
    work::status::Report,
};

/// The variables that change what vaults answer, or how they are reached.
const VARIABLES: [&str; 29] = [
    "VAULTLS_KEY",
    "VAULTLS_KEY_FILE",
    "VAULTLS_NO_KEYRING",
    "VAULTLS_LOG",
    "VAULT_TOKEN",
    "VAULT_ADDR",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "OP_CONNECT_HOST",
    "OP_CONNECT_TOKEN",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSH_CONNECTION",
    "CI",
    "BROWSER",
];

/// A moment before this program was made, in seconds since 1970: a clock that shows less is wrong (1 January 2025).
const EARLIEST: u64 = 1_735_689_600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checkup {
    healthy: bool,
    /// Whether the vaults were asked.
    online: bool,
    /// Where the local vault's key may come from, the strongest first.
    key_sources: Vec<String>,
    programs: Vec<Looked>,
    /// The names of variables that matter and are set.
    environment: Vec<&'static str>,
    /// The time in UTC (RFC 3339).
    clock: String,
    #[serde(flatten)]
    report: Report,
}

pub async fn doctor(arguments: &arguments::Doctor, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let report = if arguments.online { core.report().await } else { core.report_offline().await };
    let is_set = |name: &&str| (machine.process_variables.0)(name).is_some_and(|value| !value.is_empty());
    let given = machine.key.given.is_some().then_some("VAULTLS_KEY");
    let environment = VARIABLES.into_iter().filter(|name| is_set(name) || Some(*name) == given);
    let checkup = Checkup {
        healthy: is_healthy(&report) && clock_is_right(),
        online: arguments.online,
        key_sources: key_sources(&machine.key),
        programs: core.vault.programs(),
        environment: environment.collect(),
        clock: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        report,
    };
    match arguments.format {
        Format::Json => terminal.json(&checkup)?,
        Format::Text => print(&checkup, terminal)?,
    }
    Ok(if checkup.healthy { Exit::Done } else { Exit::Wrong })
}

/// Whether nothing stands in the way of any secret, as far as it was looked at.
fn is_healthy(report: &Report) -> bool {
    let local = matches!(report.local.as_str(), "absent" | "open");
    let integrations = report.integrations.iter().all(|integration| integration.overview.problem.is_none());
    let secrets = report.secrets.iter().filter(|secret| secret.enabled).all(|secret| secret.status.problem.is_none());
    let complaints = report.complaints.iter().all(|complaint| !is_wrong(complaint));
    local && integrations && secrets && complaints && report.pending.is_empty()
}

fn is_wrong(complaint: &PlacedComplaint) -> bool {
    matches!(complaint.severity, Severity::Error | Severity::Warning)
}

fn clock_is_right() -> bool {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.is_ok_and(|since| since.as_secs() >= EARLIEST)
}

fn key_sources(key: &KeySource) -> Vec<String> {
    let given = key.given.is_some().then(|| "VAULTLS_KEY".to_owned());
    let file = key.file.as_ref().map(|file| format!("VAULTLS_KEY_FILE ({})", file.display()));
    let keyring = key.keyring.then(|| "the system's key store".to_owned());
    given.into_iter().chain(file).chain(keyring).chain(["a passphrase that is asked for".to_owned()]).collect()
}

fn print(checkup: &Checkup, terminal: &mut Terminal) -> std::io::Result<()> {
    let report = &checkup.report;
    let mut row =
        |label: &str, text: String| terminal.line(&[styled(Style::Bold, format!("{label:<13}")), plain(text)]);
    row("workspace", report.root.clone())?;
    row("local vault", format!("{}; key from {}", report.local, checkup.key_sources.join(", else ")))?;
    row("clock", checkup.clock.clone())?;
    let environment = checkup.environment.join(", ");
    row("environment", if environment.is_empty() { "nothing that matters is set".into() } else { environment })?;
    for program in &checkup.programs {
        let found = program.path.as_ref().map_or("not found".to_owned(), |path| path.display().to_string());
        row("program", format!("{}: {found}", program.name))?;
        for refused in &program.refused {
            row("", format!("passed over: {} (its folder is not safe to run programs from)", refused.display()))?;
        }
    }
    report.integrations.iter().try_for_each(|integration| status::print_integration(integration, terminal))?;
    for secret in report.secrets.iter().filter(|secret| secret.enabled) {
        let Some(problem) = &secret.status.problem else { continue };
        let wrong = format!("{} ({}); {}", problem.detail, problem.reason.code(), problem.reason.hint());
        terminal.line(&[
            styled(Style::Bold, "secret       "),
            plain(format!("{}: ", secret.name)),
            styled(Style::Red, wrong),
        ])?;
    }
    for PlacedComplaint { file, line, message, .. } in &report.complaints {
        terminal.line(&[styled(Style::Bold, "file         "), plain(format!("{file}:{line}: {message}"))])?;
    }
    report.pending.iter().try_for_each(|pending| status::print_pending(pending, terminal))?;
    let verdict =
        if checkup.healthy { styled(Style::Green, "all is well") } else { styled(Style::Red, "something is wrong") };
    let how = if checkup.online { "" } else { "; no external vault was asked (see --online)" };
    terminal.line(&[verdict, styled(Style::Dim, how)])
}
