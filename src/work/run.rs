//! Sends one request: plan, judge, fetch, fill, judge again by the real URL, send, redact. What it needs of other
//! requests of its file is sent first (`needs`).

mod needs;
mod witness;

use std::{
    cell::RefCell,
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
        prepare::{Prepared, Reading},
        redact,
        send::{Limits, Response, SendError},
    },
    name::SecretName,
    status::{Need, Problem, ProviderKind, Reason, Status},
    syntax::{Request, exchange::Asked, expand::Scope},
    vault::value::SecretValue,
    work::{
        Core, Obstacle, RunOutcome, Sheet,
        chain::{
            Chain, Taken,
            store::{Edition, Known},
        },
        dynamic::Dynamic,
        fault::{self, plain},
        obstacle, plan,
        plan::Plan,
    },
};
use witness::{Masked, Witnessed, redactor};

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
        let begun = self.exchanges.edition();
        let planned = match self.plan(sheet, request, overrides).await {
            Ok(planned) => planned,
            Err(message) => return RunOutcome::Failed { message, obstacle: None },
        };
        if planned.first.is_empty() {
            return self.send_planned(sheet, request, planned, begun).await;
        }
        let sent = match self.send_needs(sheet, &planned, overrides).await {
            Ok(sent) => sent,
            Err(outcome) => return outcome,
        };
        // Planned anew: what was answered meanwhile is part of it.
        match self.send_one(sheet, request, overrides).await {
            RunOutcome::Sent { response, notes } => {
                RunOutcome::Sent { response, notes: sent.into_iter().chain(notes).collect() }
            }
            outcome => outcome,
        }
    }

    /// Sends one request whose needs were sent.
    async fn send_one(&self, sheet: &Sheet, request: usize, overrides: &BTreeMap<String, String>) -> RunOutcome {
        let begun = self.exchanges.edition();
        match self.plan(sheet, request, overrides).await {
            Ok(planned) => self.send_planned(sheet, request, planned, begun).await,
            Err(message) => RunOutcome::Failed { message, obstacle: None },
        }
    }

    async fn send_planned(&self, sheet: &Sheet, request: usize, planned: Planned, begun: Edition) -> RunOutcome {
        match self.ready(&planned).await {
            Ok(filled) => self.exchange(sheet, request, planned, filled, begun).await,
            Err(obstacles) => RunOutcome::Blocked { obstacles },
        }
    }

    /// Plans with what is known of the other requests of the file.
    async fn plan(
        &self,
        sheet: &Sheet,
        request: usize,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Planned, String> {
        let known = self.answers(&sheet.path).await;
        planned(sheet.clone(), request, overrides.clone(), self.root.clone(), known).await
    }

    /// The request with its values, if nothing at all stands in the way.
    async fn ready(&self, planned: &Planned) -> Result<Filled, Vec<Obstacle>> {
        let plan = &planned.plan;
        let mut obstacles = faults(plan);
        obstacles.extend(self.objections(plan).await);
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let rules = self.domains(plan.needs.keys());
        let values = self.fetch(planned).await?;
        // What was judged is what is sent: while a vault was asked, a definition may have changed.
        if self.domains(plan.needs.keys()) != rules {
            let message = "the allowed domains of a secret changed while it was read";
            return Err(vec![plain("request", message, "send it again")]);
        }
        let ready = fill::fill(&plan.prepared, &values).map_err(|(secret, problem)| vec![unfit(secret, &problem)])?;
        // The URL is complete only now: a secret may have been part of its host.
        match self.refusal(&rules, ready.url()) {
            None => Ok(Filled { ready, values, rules }),
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
        let mut statuses = self.statuses(secrets_of(plan).cloned().collect()).await;
        // A refusal that took its time was not a remembered one; a silent vault is waited for once.
        if begun.elapsed() < REMEMBERED {
            self.ask_again(&mut statuses).await;
        }
        self.judged(plan, &statuses)
    }

    /// What is known about the secrets of a request without asking a vault elsewhere.
    async fn known_statuses(&self, plan: &Plan) -> BTreeMap<SecretName, Status> {
        let last = secrets_of(plan).map(|name| (name.clone(), self.vault.last_status(name)));
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

    async fn fetch(&self, planned: &Planned) -> Result<Values, Vec<Obstacle>> {
        // Owned names: a closure over borrowed ones would make this future unfit for another thread.
        let names: Vec<SecretName> = secrets_of(&planned.plan).cloned().collect();
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
        for name in planned.plan.needs.keys().filter(|name| name.exchange().is_some()) {
            match planned.taken.drawn.get(name) {
                Some(drawn) => drop(values.insert(name.clone(), drawn.value.clone())),
                None => {
                    let message = format!("what `{name}` was taken from is forgotten by now");
                    obstacles.push(plain("request", message, "send it again"));
                }
            }
        }
        self.remember(planned.secrets(&values));
        if obstacles.is_empty() { Ok(values) } else { Err(obstacles) }
    }

    async fn exchange(
        &self,
        sheet: &Sheet,
        request: usize,
        planned: Planned,
        filled: Filled,
        begun: Edition,
    ) -> RunOutcome {
        let Filled { ready, values, rules } = filled;
        let refused = Refusal::default();
        let host_is_secret = ready.host_is_secret();
        let guard = |url: &Url| match self.refusal(&rules, url) {
            None => Ok(()),
            Some((name, problem)) => {
                *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, shown_host(host_is_secret, url)));
                Err(problem)
            }
        };
        let masked = self.masked(planned.secrets(&values));
        let redactor = redactor(&masked);
        let timeout = planned.plan.prepared.timeout.unwrap_or(self.limits.timeout);
        let limits = Limits { timeout, ..self.limits.clone() };
        let witness = Witnessed::default();
        let seen = witness.of(&planned, &values, masked, &redactor);
        match self.sender.send(ready, &guard, &redactor, &limits, seen).await {
            Ok(response) => {
                self.learn(sheet, &planned, &response, &witness, begun);
                let notes = notes(&planned, &sheet.document.requests[request], &response, &values);
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

    fn remember<'a>(&self, values: impl Iterator<Item = (&'a SecretName, &'a Arc<SecretValue>)>) {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.retain(|(_, value)| value.strong_count() > 0);
        for (name, value) in values {
            let value = Arc::downgrade(value);
            if !fetched.iter().any(|(_, known)| Weak::ptr_eq(known, &value)) {
                fetched.push((name.clone(), value));
            }
        }
    }

    /// The values of a request and every other value of this process that still lives.
    fn masked<'a>(&self, values: impl Iterator<Item = (&'a SecretName, &'a Arc<SecretValue>)>) -> Masked {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let living = fetched.into_iter().filter_map(|(name, value)| Some((name, value.upgrade()?)));
        values.map(|(name, value)| (name.clone(), value.clone())).chain(living).collect()
    }
}

/// A request that is complete, the values in it, and the rules by which it was judged.
struct Filled {
    ready: Ready,
    values: Values,
    rules: Rules,
}

/// A request as it will be sent, with what it takes out of others.
pub(super) struct Planned {
    pub(super) plan: Plan,
    taken: Taken,
    /// The requests that have to be sent before it, in order.
    first: Vec<First>,
    /// Its name and what it is compared by, where others could ask for parts of it, and the expressions that do.
    kept_as: Option<(String, Prepared, BTreeSet<String>)>,
}

/// A request that has to be sent before another.
struct First {
    request: usize,
    name: String,
    /// From 1.
    line: usize,
}

impl Planned {
    /// Those of its values that are to be masked.
    fn secrets<'a>(&'a self, values: &'a Values) -> impl Iterator<Item = (&'a SecretName, &'a Arc<SecretValue>)> {
        values.iter().filter(|(name, _)| !self.is_open(name))
    }

    fn is_open(&self, name: &SecretName) -> bool {
        self.taken.drawn.get(name).is_some_and(|drawn| drawn.open)
    }
}

/// Plans with the real values of dynamic variables and with body files, off the async threads.
pub(super) async fn planned(
    sheet: Sheet,
    request: usize,
    overrides: BTreeMap<String, String>,
    root: PathBuf,
    known: Known,
) -> Result<Planned, String> {
    let task = tokio::task::spawn_blocking(move || {
        let written = &sheet.document.requests[request];
        let name = written.name.as_ref().map(|name| name.text.as_str());
        let chain = Chain::of(&sheet, &overrides, &root, &known, name);
        let moment = Dynamic::now();
        let dynamic = |expression: &str| moment.value(expression);
        let taken = RefCell::new(Taken::default());
        let exchanges = |asked: &Asked<'_>, expression: &str| chain.look_up(asked, expression, &mut taken.borrow_mut());
        let scope = Scope::new(&sheet.document, &sheet.source, &sheet.environment, &overrides, &dynamic);
        let scope = scope.with_exchanges(&exchanges);
        let mut plan = Plan::new(&sheet, written, &scope, &root, Reading::Everything);
        let taken = taken.take();
        let first = plan.connect(written, &chain, &taken).into_iter();
        let first = first.map(|(request, name)| First { request, line: chain.line(&name), name }).collect();
        let kept_as = name.and_then(|name| {
            let (identity, expressions) = chain.identity(name)?;
            Some((name.to_owned(), identity, expressions))
        });
        Planned { plan, taken, first, kept_as }
    });
    task.await.map_err(|_| "the request could not be prepared".to_owned())
}

/// The secrets of a plan that vaults are asked for.
fn secrets_of(plan: &Plan) -> impl Iterator<Item = &SecretName> {
    plan.needs.keys().filter(|name| name.exchange().is_none())
}

/// What is wrong with the request itself.
pub(super) fn faults(plan: &Plan) -> Vec<Obstacle> {
    let mut obstacles: Vec<Obstacle> = plan.prepared.faults.iter().map(fault::obstacle).collect();
    obstacles.dedup();
    obstacles
}

/// Why filling failed: a value that does not fit its place.
fn unfit(secret: Option<SecretName>, problem: &Problem) -> Obstacle {
    match secret {
        Some(name) => obstacle(&name, None, problem),
        None => plain(problem.reason.code(), problem.detail.clone(), problem.reason.hint()),
    }
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
fn notes(planned: &Planned, request: &Request, response: &Response, values: &Values) -> Vec<String> {
    let mut notes = planned.plan.prepared.notes.clone();
    // These two are nothing that anybody expects to be carried out.
    let expected = request.ignored.iter().filter(|ignored| !matches!(ignored.what, "comment" | "recorded response"));
    notes.extend(expected.map(|ignored| format!("not carried out: {}", ignored.what)));
    notes.dedup();
    if response.truncated {
        notes.push(format!("the body is longer than is kept: it ends after {} bytes", response.bytes));
    }
    // A part of an answer is often a number or a word, and nobody chose it to be a secret.
    for (name, value) in values.iter().filter(|(name, _)| name.exchange().is_none()) {
        if let Some(why) = redact::unmaskable(value) {
            notes.push(format!("the value of `{name}` is not masked: {why}"));
        }
    }
    notes
}
