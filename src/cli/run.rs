//! `vaultls run`: sends requests, asks the person at the terminal for what is missing, prints the responses.

mod report;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        arguments::RunFormat,
        documents::{self, Lines, Target, Workspaces},
        junit, person, prompt,
        terminal::{Style, Terminal, one_line, plain, styled},
        trust,
    },
    feature::command::shown_name,
    http::{send::Response, shown},
    name::SecretName,
    status::Reason,
    work::{Core, Obstacle, RunOutcome, Sheet},
};
use report::Tally;

/// How often one request is tried again after the person removed an obstacle.
const PATIENCE: usize = 8;

#[derive(Serialize)]
struct Ran {
    file: String,
    /// In the file, from 0.
    index: usize,
    /// From 1.
    line: u32,
    name: Option<String>,
    /// None for a request that was left out.
    #[serde(flatten)]
    outcome: Option<RunOutcome>,
    /// Its method and URL as they are written.
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    elapsed: Duration,
}

impl Ran {
    fn of(job: &Job, index: usize, lines: &Lines) -> Self {
        let request = &job.sheet.document.requests[index];
        let url = request.shown_url.as_ref().unwrap_or(&request.url).text(&job.sheet.source);
        Self {
            file: job.target.path.display().to_string(),
            index,
            line: lines.place(request.line.start).0,
            name: request.name.as_ref().map(|name| name.text.clone()),
            outcome: None,
            title: one_line(&format!("{} {url}", request.method.text)),
            elapsed: Duration::ZERO,
        }
    }
}

pub async fn run(arguments: arguments::Run, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let overrides: BTreeMap<String, String> = arguments.variables.iter().cloned().collect();
    let jobs = jobs(&arguments, machine, terminal)?;
    let several = jobs.len() > 1 || jobs.iter().any(|job| job.requests.len() > 1);
    let (mut exit, mut tally) = (Exit::Done, Tally::default());
    let (mut ran, mut suites, began) = (Vec::new(), Vec::new(), Timestamp::now());
    for job in &jobs {
        let (lines, first) = (Lines::of(&job.sheet.source), ran.len());
        for &index in &job.requests {
            let mut one = Ran::of(job, index, &lines);
            if exit == Exit::Done || !arguments.fail_fast {
                let start = Instant::now();
                let outcome = send(job, index, &overrides, machine, terminal, arguments.format).await?;
                exit = exit.and(judge(&outcome));
                (one.outcome, one.elapsed) = (Some(outcome), start.elapsed());
            }
            tally.count(one.outcome.as_ref());
            match arguments.format {
                RunFormat::Json | RunFormat::Junit => ran.push(one),
                RunFormat::Text => print(&one, several, arguments.quiet, terminal)?,
            }
        }
        suites.push(report::suite(&job.target.path.display().to_string(), &ran[first..]));
    }
    match arguments.format {
        RunFormat::Json => {
            ran.retain(|one| one.outcome.is_some());
            terminal.json(&ran)?;
        }
        RunFormat::Junit => terminal.text(&junit::report(&suites, began))?,
        RunFormat::Text if several => terminal.note(&[styled(Style::Dim, tally.summary())]),
        RunFormat::Text => {}
    }
    terminal.flush()?;
    for job in &jobs {
        job.core.end().await;
    }
    Ok(exit)
}

/// The chosen requests of one file.
struct Job {
    target: Target,
    core: Arc<Core>,
    sheet: Sheet,
    requests: Vec<usize>,
}

/// Reads everything before anything is sent, so that a wrong name at the end does not leave half of it done.
fn jobs(arguments: &arguments::Run, machine: &Machine, terminal: &mut Terminal) -> Result<Vec<Job>, Stop> {
    let mut workspaces = Workspaces::new(machine, arguments.workspace.root.clone());
    let mut jobs = Vec::new();
    for target in arguments.targets.iter().map(|text| Target::parse(text)) {
        let core = workspaces.of(&target.path, |core| prepare(core, arguments))?;
        let (sheet, troubles) = documents::open(&target.path, &core.root, arguments.environment.as_deref())?;
        for trouble in troubles {
            terminal.warning(&format!("{}: {}", trouble.file.display(), trouble.message));
        }
        let requests = target.requests(&sheet, arguments.all)?;
        jobs.push(Job { target, core, sheet, requests });
    }
    Ok(jobs)
}

fn prepare(core: &mut Core, arguments: &arguments::Run) -> Result<(), Stop> {
    if let Some(timeout) = arguments.timeout {
        core.limits.timeout = timeout;
    }
    for host in &arguments.allow_host {
        let refused = |error| Stop::usage(format!("--allow-host: {error}"), "write it as in `api.example.com`");
        core.policy.allow_any(host).map_err(refused)?;
    }
    Ok(())
}

/// Sends one request, again after each obstacle that a person removed.
async fn send(
    job: &Job,
    index: usize,
    overrides: &BTreeMap<String, String>,
    machine: &Machine,
    terminal: &mut Terminal,
    format: RunFormat,
) -> Result<RunOutcome, Stop> {
    let may_ask = format == RunFormat::Text && terminal.is_interactive();
    let mut outcome = job.core.run(&job.sheet, index, overrides).await;
    for _ in 0..PATIENCE {
        let RunOutcome::Blocked { obstacles } = &outcome else { break };
        if !may_ask || !remove(&job.core, machine, obstacles, terminal).await? {
            break;
        }
        outcome = job.core.run(&job.sheet, index, overrides).await;
    }
    Ok(outcome)
}

/// Asks for what would let the request be sent, one kind after the other. Nothing is asked while something that
/// nobody can answer is in the way as well.
async fn remove(
    core: &Arc<Core>,
    machine: &Machine,
    obstacles: &[Obstacle],
    terminal: &mut Terminal,
) -> Result<bool, Stop> {
    const SIGN_IN: [Reason; 3] = [Reason::LoginNeeded, Reason::MfaNeeded, Reason::Disconnected];
    const ASKED: [Reason; 6] = [
        Reason::Locked,
        Reason::Untrusted,
        Reason::LoginNeeded,
        Reason::MfaNeeded,
        Reason::Disconnected,
        Reason::HostUnapproved,
    ];
    if !obstacles.iter().all(|obstacle| ASKED.iter().any(|reason| reason.code() == obstacle.code)) {
        return Ok(false);
    }
    let of = |reason: Reason| obstacles.iter().filter(move |obstacle| obstacle.code == reason.code());
    if of(Reason::Locked).next().is_some() {
        prompt::open_vault(core, terminal).await?;
        return Ok(true);
    }
    if of(Reason::Untrusted).next().is_some() {
        return trust::ask(core, &core.vault.pending(), terminal);
    }
    if let Some(secret) = SIGN_IN.into_iter().flat_map(of).find_map(|obstacle| obstacle.secret.as_ref()) {
        return sign_in(core, machine, secret, terminal).await;
    }
    for obstacle in of(Reason::HostUnapproved) {
        let (Some(secret), Some(host)) = (&obstacle.secret, &obstacle.host) else { return Ok(false) };
        if !ask_for_host(core, secret, host, terminal).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Signs in to where `secret` lives, for as long as this command runs.
async fn sign_in(core: &Core, machine: &Machine, secret: &SecretName, terminal: &mut Terminal) -> Result<bool, Stop> {
    let origin = core.vault.status(secret).await.origin;
    let Some(integration) = origin.and_then(|origin| origin.integration) else { return Ok(false) };
    match person::sign_in(core, machine, &integration, terminal).await {
        Ok(_) => Ok(true),
        Err(failure) => {
            terminal.error(&failure.message, &failure.hint);
            Ok(false)
        }
    }
}

async fn ask_for_host(
    core: &Arc<Core>,
    secret: &SecretName,
    host: &str,
    terminal: &mut Terminal,
) -> Result<bool, Stop> {
    let host_shown = crate::domain::shown_host(host);
    let what = match secret.exchange() {
        Some(_) => shown_name(secret),
        None => format!("the secret `{secret}`"),
    };
    let question = format!("Send {what} to {host_shown}? [o]nce, [a]lways, [N]o: ");
    let remember = match prompt::choice(terminal, &question, &['o', 'a'])? {
        Some('o') => false,
        Some('a') => true,
        _ => return Ok(false),
    };
    core.allow_host(secret, host, remember).await?;
    Ok(true)
}

fn judge(outcome: &RunOutcome) -> Exit {
    let not_allowed = |obstacle: &Obstacle| is_not_allowed(obstacle.code);
    match outcome {
        RunOutcome::Sent { response, .. } if response.status < 400 => Exit::Done,
        RunOutcome::Blocked { obstacles } if obstacles.iter().all(not_allowed) => Exit::NotAllowed,
        RunOutcome::Failed { obstacle: Some(obstacle), .. } if not_allowed(obstacle) => Exit::NotAllowed,
        RunOutcome::Sent { .. } | RunOutcome::Blocked { .. } | RunOutcome::Failed { .. } => Exit::Wrong,
    }
}

/// Whether only a rule or a missing approval is behind a code.
pub fn is_not_allowed(code: &str) -> bool {
    [Reason::DomainDenied, Reason::HostUnapproved, Reason::Untrusted].iter().any(|reason| reason.code() == code)
}

fn print(ran: &Ran, several: bool, quiet: bool, terminal: &mut Terminal) -> Result<(), Stop> {
    let Some(outcome) = ran.outcome.as_ref().filter(|outcome| !quiet || judge(outcome) != Exit::Done) else {
        return Ok(());
    };
    if several {
        let name = ran.name.as_deref().map(|name| format!("  {name}")).unwrap_or_default();
        terminal.line(&[styled(Style::Bold, one_line(&format!("### {}:{}{name}", ran.file, ran.line)))])?;
    }
    match outcome {
        RunOutcome::Sent { response, notes } => {
            print_response(response, terminal)?;
            for note in notes {
                terminal.note(&[styled(Style::Blue, "note: "), plain(note)]);
            }
        }
        RunOutcome::Blocked { obstacles } => {
            let place = one_line(&format!("{}:{}", ran.file, ran.line));
            terminal.error(&format!("{place}: not sent"), "");
            obstacles.iter().for_each(|obstacle| print_obstacle(obstacle, terminal));
        }
        RunOutcome::Failed { message, obstacle } => {
            terminal.error(&format!("{}:{}: {message}", one_line(&ran.file), ran.line), "");
            obstacle.iter().for_each(|obstacle| print_obstacle(obstacle, terminal));
        }
    }
    if several {
        terminal.line(&[])?;
    }
    Ok(())
}

fn print_obstacle(obstacle: &Obstacle, terminal: &mut Terminal) {
    let mut parts = vec![styled(Style::Yellow, format!("  {}: ", obstacle.code)), plain(&obstacle.message)];
    if !obstacle.hint.is_empty() {
        parts.push(styled(Style::Dim, format!(" ({})", obstacle.hint)));
    }
    terminal.note(&parts);
}

fn print_response(response: &Response, terminal: &mut Terminal) -> Result<(), Stop> {
    for (status, url) in &response.redirects {
        terminal.note(&[styled(Style::Dim, format!("{status} -> {url}"))]);
    }
    let style = match response.status {
        0..300 => Style::Green,
        300..400 => Style::Blue,
        _ => Style::Red,
    };
    let status = format!("{} {}", response.status, response.reason);
    terminal.line(&[plain(format!("{} ", response.version)), styled(style, status.trim_end())])?;
    for (name, value) in &response.headers {
        terminal.line(&[styled(Style::Dim, format!("{name}: ")), plain(value)])?;
    }
    if !response.body.is_empty() {
        terminal.line(&[])?;
        terminal.text(&shown::body(response))?;
    }
    Ok(())
}
