//! Sends one request: plan, judge, fetch, fill, judge again by the real URL, send, redact.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use url::Url;

use crate::{
    domain::DomainList,
    http::{
        fill::{self, Ready, Values},
        prepare::{PreparedFault, Reading},
        redact::{self, Redactor},
        send::{Limits, Response, SendError},
    },
    name::SecretName,
    status::{Need, Problem, ProviderKind, Reason, Status},
    syntax::{
        Request,
        expand::{Fault, FaultKind, Scope},
    },
    vault::value::SecretValue,
    work::{Core, Obstacle, RunOutcome, Sheet, dynamic::Dynamic, obstacle, plan, plan::Plan},
};

/// How many values are fetched at the same time. Every provider has limits of its own, and some answer many questions
/// at once if they are asked at once.
const PARALLEL: usize = 256;
/// What is remembered is told sooner than this.
const REMEMBERED: Duration = Duration::from_secs(1);

/// What was refused at a hop, and where.
type Refusal = Mutex<Option<(SecretName, Option<String>)>>;

/// The domain list of each secret, read once for one request.
type Rules = BTreeMap<SecretName, DomainList>;

impl Core {
    /// Sends one request of `sheet`, with `overrides` winning over every other variable. Nothing is sent while
    /// anything stands in the way, and then everything that does is told at once.
    pub async fn run(&self, sheet: &Sheet, request: usize, overrides: &BTreeMap<String, String>) -> RunOutcome {
        let Some(written) = sheet.document.requests.get(request) else {
            return blocked("unsupported", "there is no such request in this file any more", "choose another request");
        };
        if let Some(why) = written.not_runnable {
            return blocked("unsupported", why, "only HTTP requests can be sent");
        }
        let plan = match planned(sheet.clone(), request, overrides.clone(), self.root.clone()).await {
            Ok(plan) => plan,
            Err(message) => return RunOutcome::Failed { message, obstacle: None },
        };
        match self.ready(&plan).await {
            Ok((ready, values, rules)) => self.exchange(&plan, written, ready, &values, &rules).await,
            Err(obstacles) => RunOutcome::Blocked { obstacles },
        }
    }

    /// The request with its values, if nothing at all stands in the way.
    async fn ready(&self, plan: &Plan) -> Result<(Ready, Values, Rules), Vec<Obstacle>> {
        let mut obstacles = faults(plan);
        obstacles.extend(self.objections(plan).await);
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let rules = self.domains(plan.needs.keys());
        let values = self.fetch(plan).await?;
        // What was judged is what is sent: while a vault was asked, a definition may have changed.
        if self.domains(plan.needs.keys()) != rules {
            let message = "the allowed domains of a secret changed while it was read";
            return Err(vec![plain("request", message, "send it again")]);
        }
        let ready = fill::fill(&plan.prepared, &values).map_err(|(secret, problem)| vec![unfit(secret, &problem)])?;
        // The URL is complete only now: a secret may have been part of its host.
        match self.refusal(&rules, ready.url()) {
            None => Ok((ready, values, rules)),
            Some((name, problem)) => {
                let host = shown_host(ready.host_is_secret(), ready.url());
                Err(vec![obstacle(&name, host, &ready.conceal(problem))])
            }
        }
    }

    /// What keeps the secrets of a request from being sent, as far as that is known without reading a value. Where
    /// nothing is known, no vault is asked twice: reading tells.
    async fn objections(&self, plan: &Plan) -> Vec<Obstacle> {
        if self.judged(plan, &self.known_statuses(plan).await).is_empty() {
            return Vec::new();
        }
        let begun = Instant::now();
        let mut statuses = self.statuses(plan.needs.keys().cloned().collect()).await;
        // A refusal that took its time was not a remembered one; a silent vault is waited for once.
        if begun.elapsed() < REMEMBERED {
            self.ask_again(&mut statuses).await;
        }
        self.judged(plan, &statuses)
    }

    /// What is known about the secrets of a request without asking a vault elsewhere.
    async fn known_statuses(&self, plan: &Plan) -> BTreeMap<SecretName, Status> {
        let last = plan.needs.keys().map(|name| (name.clone(), self.vault.last_status(name)));
        let is_external = |status: &Status| {
            status.origin.as_ref().is_some_and(|origin| !matches!(origin.provider, ProviderKind::Local))
        };
        let (mut known, own): (BTreeMap<_, _>, BTreeMap<_, _>) = last.partition(|(_, status)| is_external(status));
        known.extend(self.statuses(own.into_keys().collect()).await);
        known
    }

    fn judged(&self, plan: &Plan, statuses: &BTreeMap<SecretName, Status>) -> Vec<Obstacle> {
        let survey = plan.judge(statuses, &self.domains(plan.needs.keys()), &self.policy);
        let objection = |need: Need| {
            let problem = need.problem?;
            let host = concerns_host(problem.reason).then(|| survey.host.clone()).flatten();
            Some(obstacle(&need.name, host, &problem))
        };
        survey.needs.into_iter().filter_map(objection).collect()
    }

    /// Who sends a request wants today's answer: a remembered refusal is asked for once more.
    async fn ask_again(&self, statuses: &mut BTreeMap<SecretName, Status>) {
        // A provider that asked for patience is left alone.
        let stale =
            |status: &Status| status.problem.as_ref().is_some_and(|problem| problem.reason != Reason::Throttled);
        let refused = statuses.iter().filter(|(_, status)| stale(status));
        let names: BTreeSet<SecretName> = refused.map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.vault.reset(Some(name)).await;
        }
        statuses.extend(self.statuses(names).await);
    }

    async fn fetch(&self, plan: &Plan) -> Result<Values, Vec<Obstacle>> {
        // Owned names: a closure over borrowed ones would make this future unfit for another thread.
        let names: Vec<SecretName> = plan.needs.keys().cloned().collect();
        let fetch = |name: SecretName| async move { (self.vault.value(&name).await, name) };
        let fetches = stream::iter(names).map(fetch);
        let fetched: Vec<_> = fetches.buffered(PARALLEL).collect().await;
        let (mut values, mut obstacles) = (Values::new(), Vec::new());
        for (result, name) in fetched {
            match result {
                Ok(value) => drop(values.insert(name, value)),
                Err(problem) => obstacles.push(obstacle(&name, None, &problem)),
            }
        }
        self.remember(&values);
        if obstacles.is_empty() { Ok(values) } else { Err(obstacles) }
    }

    async fn exchange(
        &self,
        plan: &Plan,
        request: &Request,
        ready: Ready,
        values: &Values,
        rules: &Rules,
    ) -> RunOutcome {
        let refused = Refusal::default();
        let host_is_secret = ready.host_is_secret();
        let guard = |url: &Url| match self.refusal(rules, url) {
            None => Ok(()),
            Some((name, problem)) => {
                *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, shown_host(host_is_secret, url)));
                Err(problem)
            }
        };
        let redactor = self.redactor(values);
        let limits = Limits { timeout: plan.prepared.timeout.unwrap_or(self.limits.timeout), ..self.limits.clone() };
        match self.sender.send(ready, &guard, &redactor, &limits).await {
            Ok(response) => {
                let notes = notes(plan, request, &response, values);
                RunOutcome::Sent { response: Box::new(response), notes }
            }
            Err(SendError::Failed(message)) => RunOutcome::Failed { message, obstacle: None },
            Err(SendError::Refused(problem)) => {
                let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
                let message = format!("a redirect was not followed: {}", problem.detail);
                let obstacle = refused.map(|(name, host)| obstacle(&name, host, &problem));
                RunOutcome::Failed { message, obstacle }
            }
        }
    }

    /// The first secret that may not go to `url`.
    fn refusal(&self, rules: &Rules, url: &Url) -> Option<(SecretName, Problem)> {
        rules.iter().find_map(|(name, domains)| {
            let problem = self.policy.check(name, domains, url).err()?;
            Some((name.clone(), problem))
        })
    }

    fn remember(&self, values: &Values) {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.retain(|(_, value)| value.strong_count() > 0);
        for (name, value) in values {
            let value = Arc::downgrade(value);
            if !fetched.iter().any(|(_, known)| Weak::ptr_eq(known, &value)) {
                fetched.push((name.clone(), value));
            }
        }
    }

    /// Masks the values of this request and every other value of this process that still lives.
    fn redactor(&self, values: &Values) -> Redactor {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let living: Vec<(SecretName, Arc<SecretValue>)> =
            fetched.into_iter().filter_map(|(name, value)| Some((name, value.upgrade()?))).collect();
        let others = living.iter().map(|(name, value)| (name, &**value));
        Redactor::new(values.iter().map(|(name, value)| (name, &**value)).chain(others))
    }
}

/// Plans with the real values of dynamic variables and with body files, off the async threads.
pub(super) async fn planned(
    sheet: Sheet,
    request: usize,
    overrides: BTreeMap<String, String>,
    root: PathBuf,
) -> Result<Plan, String> {
    let task = tokio::task::spawn_blocking(move || {
        let moment = Dynamic::now();
        let dynamic = |expression: &str| moment.value(expression);
        let scope = Scope::new(&sheet.document, &sheet.source, &sheet.environment, &overrides, &dynamic);
        Plan::new(&sheet, &sheet.document.requests[request], &scope, &root, Reading::Everything)
    });
    task.await.map_err(|_| "the request could not be prepared".to_owned())
}

/// What is wrong with the request itself.
pub(super) fn faults(plan: &Plan) -> Vec<Obstacle> {
    let mut obstacles: Vec<Obstacle> = plan.prepared.faults.iter().map(fault_obstacle).collect();
    obstacles.dedup();
    obstacles
}

fn fault_obstacle(fault: &PreparedFault) -> Obstacle {
    match fault {
        PreparedFault::Variable(Fault { kind, .. }) => variable_obstacle(kind),
        PreparedFault::Unsupported(message) => plain("unsupported", message.clone(), ""),
        PreparedFault::Other { message, .. } => plain("request", message.clone(), ""),
    }
}

fn variable_obstacle(kind: &FaultKind) -> Obstacle {
    match kind {
        FaultKind::Unknown(name) => plain(
            "variable",
            format!("the variable `{}` has no value", shown(name)),
            "define it in the file or in an environment, and choose that environment",
        ),
        FaultKind::Elsewhere(name, elsewhere) => {
            plain("variable", elsewhere.message(&shown(name)), elsewhere.hint(name))
        }
        FaultKind::Cycle(name) => {
            plain("variable", format!("the variable `{}` leads back to itself", shown(name)), "break the cycle")
        }
        FaultKind::TooLarge => plain("variable", "variables expand to too much text", "use fewer nested variables"),
        FaultKind::BrokenReference => {
            plain("reference", "a reference does not name a secret", "write it as `<<vault:name>>`")
        }
    }
}

/// A name from a file, made fit for one line.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Why filling failed: a value that does not fit its place.
fn unfit(secret: Option<SecretName>, problem: &Problem) -> Obstacle {
    match secret {
        Some(name) => obstacle(&name, None, problem),
        None => plain(problem.reason.code(), problem.detail.clone(), problem.reason.hint()),
    }
}

fn plain(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Obstacle {
    Obstacle { secret: None, host: None, code, message: message.into(), hint: hint.into() }
}

fn blocked(code: &'static str, message: &str, hint: &str) -> RunOutcome {
    RunOutcome::Blocked { obstacles: vec![plain(code, message, hint)] }
}

/// The host for a message. Where a value decided the first host, none is told: it, or what it led to, tells of the value.
fn shown_host(host_is_secret: bool, url: &Url) -> Option<String> {
    if host_is_secret { None } else { plan::host_of(url) }
}

fn concerns_host(reason: Reason) -> bool {
    matches!(reason, Reason::DomainDenied | Reason::HostUnapproved)
}

/// What a person should know about a response, besides the response.
fn notes(plan: &Plan, request: &Request, response: &Response, values: &Values) -> Vec<String> {
    let mut notes = plan.prepared.notes.clone();
    // These two are nothing that anybody expects to be carried out.
    let expected = request.ignored.iter().filter(|ignored| !matches!(ignored.what, "comment" | "recorded response"));
    notes.extend(expected.map(|ignored| format!("not carried out: {}", ignored.what)));
    notes.dedup();
    if response.truncated {
        notes.push(format!("the body is longer than is kept: it ends after {} bytes", response.bytes));
    }
    for (name, value) in values {
        if let Some(why) = redact::unmaskable(value) {
            notes.push(format!("the value of `{name}` is not masked: {why}"));
        }
    }
    notes
}
