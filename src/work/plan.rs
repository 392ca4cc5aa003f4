//! What a request will do, worked out before any value is read: the secrets it needs, where it goes, and what
//! keeps it from being sent. `survey` and `run` both judge by this and by nothing else.

use std::{collections::BTreeMap, path::Path};

use url::Url;

use crate::{
    domain::{self, DomainList},
    http::prepare::{self, Files, Prepared, PreparedFault, Reading},
    name::SecretName,
    policy::Policy,
    status::{Need, RequestFault, RequestSurvey, Status},
    syntax::{
        Request,
        expand::{Fault, FaultKind, Scope},
    },
    text::Span,
    work::{
        Sheet,
        chain::{Chain, Taken},
    },
};

/// One request, prepared.
pub struct Plan {
    pub prepared: Prepared,
    /// Each secret once, with every place where it comes in.
    pub needs: BTreeMap<SecretName, Vec<Span>>,
    /// Where it goes, as far as that does not depend on a secret's value.
    pub destination: Option<Url>,
    /// The names of the requests that would be sent before it.
    pub first: Vec<String>,
}

impl Plan {
    /// Plans `request` of `sheet`. The files it names may not leave `root`.
    pub fn new(sheet: &Sheet, request: &Request, scope: &Scope<'_>, root: &Path, reading: Reading) -> Self {
        let folder = sheet.path.parent().unwrap_or(Path::new(""));
        let files = Files { folder, root, reading };
        let mut prepared = prepare::prepare(&sheet.document, request, scope, Some(files));
        refuse_invalid_url(&mut prepared, request);
        let mut needs: BTreeMap<SecretName, Vec<Span>> = BTreeMap::new();
        for (name, span, _) in prepared.secrets() {
            needs.entry(name).or_default().push(span);
        }
        for spans in needs.values_mut() {
            // A variable that leads to a secret twice is still one place.
            spans.sort_unstable();
            spans.dedup();
        }
        let destination = prepared.target();
        Self { prepared, needs, destination, first: Vec::new() }
    }

    /// Takes in what `request` takes out of others; returns those that have to be sent first, in order. A secret that
    /// stands again in a part of an answer goes where the part goes.
    pub fn connect(&mut self, request: &Request, chain: &Chain, taken: &Taken) -> Vec<(usize, String)> {
        for (name, drawn) in &taken.drawn {
            let Some(spans) = self.needs.get(name).cloned() else { continue };
            for carried in &drawn.carried {
                let places = self.needs.entry(carried.clone()).or_default();
                places.extend(&spans);
                places.sort_unstable();
                places.dedup();
            }
        }
        chain.order(&taken.names).unwrap_or_else(|message| {
            self.prepared.faults.push(PreparedFault::Other { span: request.line, message });
            Vec::new()
        })
    }

    /// The host it goes to, as [`host_of`] names it.
    pub fn host(&self) -> Option<String> {
        self.destination.as_ref().and_then(host_of)
    }

    /// What is wrong with the request itself, where nothing else tells it: variables and requests that are only
    /// recognised are told of by the document.
    fn faults(&self) -> Vec<RequestFault> {
        let faults = self.prepared.faults.iter().filter_map(|fault| match fault {
            PreparedFault::Other { span, message }
            | PreparedFault::Variable(Fault { span, kind: FaultKind::Exchange(message) }) => {
                Some(RequestFault { span: *span, message: message.clone() })
            }
            PreparedFault::Variable(_) | PreparedFault::Unsupported(_) => None,
        });
        faults.collect()
    }

    /// Decides on each secret: its own problem first, else what the policy says about this destination.
    pub fn judge(
        &self,
        statuses: &BTreeMap<SecretName, Status>,
        domains: &BTreeMap<SecretName, DomainList>,
        policy: &Policy,
    ) -> RequestSurvey {
        let needs = self.needs.iter().map(|(name, spans)| {
            let own = statuses.get(name).and_then(|status| status.problem.clone());
            // Where a part of an answer comes from is sometimes known only once there is an answer.
            let is_open = name.exchange().is_some_and(|(_, origin)| origin.is_empty());
            let destination = self.destination.as_ref().filter(|_| !is_open);
            let rule = || policy.check(name, domains.get(name)?, destination?).err();
            Need { name: name.clone(), spans: spans.clone(), problem: own.or_else(rule) }
        });
        RequestSurvey { host: self.host(), needs: needs.collect(), faults: self.faults(), first: self.first.clone() }
    }
}

/// A URL without a secret is judged whole before anything is read.
fn refuse_invalid_url(prepared: &mut Prepared, request: &Request) {
    let holds_secret = prepared.url.secrets().next().is_some();
    if prepared.faults.is_empty() && !holds_secret && prepared.url().is_none() {
        let span = request.url.span().unwrap_or(request.line);
        let message = "the URL is not valid; write it like `https://host/path`".into();
        prepared.faults.push(PreparedFault::Other { span, message });
    }
}

/// A host under a name that means the same place as an entry of a domain list and as an approval: plain http is
/// always said, because an entry without a scheme means https.
pub fn host_of(url: &Url) -> Option<String> {
    let key = domain::origin_key(url)?;
    let is_plain = url.scheme() == "http" && !key.starts_with("http://");
    Some(if is_plain { format!("http://{key}") } else { key })
}
