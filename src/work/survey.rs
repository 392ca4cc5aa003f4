//! What is known about the secrets of a document before anything is sent. Reads no value.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use futures_util::{StreamExt, stream};

use crate::{
    domain::DomainList,
    http::prepare::Reading,
    name::SecretName,
    status::{Answered, ProviderKind, RequestSurvey, Status, Survey},
    syntax::{Body, Request, exchange::Asked, expand::Scope},
    work::{
        Core, Sheet,
        chain::{self, Chain, Taken, store::Known},
        dynamic,
        plan::Plan,
    },
};

/// How many names are asked for at the same time.
const PARALLEL: usize = 16;
/// How much expanded text one survey works through, in bytes, and how much more for each byte of the document.
/// Requests past it are judged when they are sent: a hostile file of a thousand requests that each expand to
/// megabytes must not stop an editor.
const BUDGET: usize = 8 << 20;
const BUDGET_PER_BYTE: usize = 4;

impl Core {
    /// The statuses of every secret in `sheet` and what each request may do with them. Reads no value.
    pub async fn survey(&self, sheet: &Sheet) -> Survey {
        self.survey_with(sheet, true).await
    }

    /// The same without asking any external vault: what lives in one is reported as not checked.
    pub async fn survey_offline(&self, sheet: &Sheet) -> Survey {
        self.survey_with(sheet, false).await
    }

    async fn survey_with(&self, sheet: &Sheet, online: bool) -> Survey {
        let (plans, answers) = self.plans(sheet).await;
        let mentioned = sheet.document.references.iter().filter_map(|reference| reference.name.clone().ok());
        let needed = plans.iter().flat_map(|plan| plan.needs.keys().cloned());
        let (parts, names): (BTreeSet<SecretName>, BTreeSet<SecretName>) =
            mentioned.chain(needed).partition(|name| name.exchange().is_some());
        let secrets = if online { self.statuses(names).await } else { self.offline_statuses(names).await };
        let domains = self.domains(secrets.keys().chain(&parts));
        let judge = |plan: &Plan| plan.judge(&secrets, &domains, &self.policy);
        let mut requests: Vec<RequestSurvey> = plans.iter().map(judge).collect();
        requests.resize(sheet.document.requests.len(), RequestSurvey::default());
        Survey { secrets, requests, answers }
    }

    /// The status of each name, asked for concurrently.
    pub(super) async fn statuses(&self, names: BTreeSet<SecretName>) -> BTreeMap<SecretName, Status> {
        let asked = stream::iter(names).map(async |name| {
            let status = self.vault.status(&name).await;
            (name, status)
        });
        asked.buffer_unordered(PARALLEL).collect().await
    }

    /// What was answered to the requests of a file, as far as everything behind it may still be used.
    pub(super) async fn answers(&self, file: &Path) -> Known {
        let mut known = self.exchanges.of(file);
        let secrets = known.values().flat_map(|answer| &answer.secrets).filter(|name| name.exchange().is_none());
        let mut refused = BTreeSet::new();
        for name in secrets.cloned().collect::<BTreeSet<SecretName>>() {
            if !self.vault.grants(&name).await {
                refused.insert(name);
            }
        }
        known.retain(|name, answer| {
            let stands = answer.secrets.is_disjoint(&refused);
            if !stands {
                self.exchanges.forget(file, name);
            }
            stands
        });
        known
    }

    /// The domain list of each name.
    pub(super) fn domains<'a>(&self, names: impl Iterator<Item = &'a SecretName>) -> BTreeMap<SecretName, DomainList> {
        let list = |name: &SecretName| match name.exchange() {
            // Where a part of an answer may go beside its origin, the person says.
            Some(_) => DomainList::default(),
            None => self.vault.allowed_domains(name),
        };
        names.map(|name| (name.clone(), list(name))).collect()
    }

    pub(super) async fn offline_statuses(&self, names: BTreeSet<SecretName>) -> BTreeMap<SecretName, Status> {
        self.vault.warm().await;
        let known = self.vault.known();
        let external: BTreeSet<&SecretName> = known
            .secrets
            .iter()
            .filter(|secret| !matches!(secret.provider, ProviderKind::Local | ProviderKind::Environment))
            .map(|secret| &secret.name)
            .collect();
        let (skipped, asked) = names.into_iter().partition(|name| external.contains(name));
        let mut statuses = self.statuses(asked).await;
        let skipped: BTreeSet<SecretName> = skipped;
        statuses.extend(skipped.into_iter().map(|name| (name, Status { origin: None, problem: None, checked: false })));
        statuses
    }

    /// Plans every request, off the async threads: a large collection is real work.
    async fn plans(&self, sheet: &Sheet) -> (Vec<Plan>, BTreeMap<String, Answered>) {
        let (sheet, root, known) = (sheet.clone(), self.root.clone(), self.answers(&sheet.path).await);
        // The task only ends early when the runtime does; then nobody waits for the survey.
        tokio::task::spawn_blocking(move || plan_all(&sheet, &root, &known)).await.unwrap_or_default()
    }
}

fn plan_all(sheet: &Sheet, root: &Path, known: &Known) -> (Vec<Plan>, BTreeMap<String, Answered>) {
    let overrides = BTreeMap::new();
    let dynamic = |expression: &str| dynamic::stand_in(expression);
    let chain = Chain::of(sheet, &overrides, root, known, None);
    let taken = RefCell::new(Taken::default());
    let exchanges = |asked: &Asked<'_>, expression: &str| chain.look_up(asked, expression, &mut taken.borrow_mut());
    let scope = Scope::new(&sheet.document, &sheet.source, &sheet.environment, &overrides, &dynamic);
    let scope = scope.with_exchanges(&exchanges);
    let reaches = reaches_secrets(sheet);
    let budget = BUDGET + BUDGET_PER_BYTE * sheet.source.len();
    let mut spent = 0;
    let mut plans = Vec::with_capacity(sheet.document.requests.len());
    for request in &sheet.document.requests {
        let mut plan = if reaches { full(sheet, request, &scope, root) } else { light(sheet, request, &scope, root) };
        plan.first = plan.connect(request, &chain, &taken.take()).into_iter().map(|(_, name)| name).collect();
        spent += plan.prepared.size();
        plans.push(plan);
        if spent > budget {
            break;
        }
    }
    let answers = chain.told().map(|(name, told)| (name.clone(), told.clone()));
    (plans, answers.collect())
}

fn full(sheet: &Sheet, request: &Request, scope: &Scope<'_>, root: &Path) -> Plan {
    Plan::new(sheet, request, scope, root, Reading::Templates)
}

/// Without its text: nothing in the document can lead to a secret.
fn light(sheet: &Sheet, request: &Request, scope: &Scope<'_>, root: &Path) -> Plan {
    let body = match &request.body {
        Body::File { .. } => request.body.clone(),
        _ => Body::None,
    };
    Plan::new(sheet, &Request { body, ..request.clone() }, scope, root, Reading::Templates)
}

/// Whether any request could come to need a secret: by a reference, a variable of an environment that holds one,
/// a variable of this process, a part of another exchange, or a body file.
fn reaches_secrets(sheet: &Sheet) -> bool {
    let document = &sheet.document;
    let environment = &sheet.environment;
    let values = environment.values.values().chain(environment.dotenv.values());
    !document.references.is_empty()
        || document.uses.iter().any(|used| leads_on(&used.name))
        || document.requests.iter().any(|request| chain::reads_references_from_a_file(request, &sheet.source))
        || values.into_iter().any(|value| value.text.contains("vault:") || leads_on(&value.text))
}

/// Whether a text reads a variable of this process, or a part of another exchange.
fn leads_on(text: &str) -> bool {
    ["$processEnv", ".response.", ".request."].iter().any(|mark| text.contains(mark))
}
