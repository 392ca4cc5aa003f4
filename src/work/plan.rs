//! What a request will do, worked out before any value is read: the secrets it needs, where it goes, and what
//! keeps it from being sent. `survey` and `run` both judge by this and by nothing else.

use std::{collections::BTreeMap, path::Path};

use url::Url;

use crate::{
    domain::{self, DomainList},
    http::prepare::{self, Prepared},
    name::SecretName,
    policy::Policy,
    status::{Need, RequestSurvey, Status},
    syntax::{Body, Request, expand::Scope},
    text::Span,
    work::Sheet,
};

/// One request, prepared.
pub struct Plan {
    pub prepared: Prepared,
    /// Each secret once, with every place where it comes in.
    pub needs: BTreeMap<SecretName, Vec<Span>>,
    /// Where it goes, as far as that does not depend on a secret's value.
    pub destination: Option<Url>,
}

impl Plan {
    /// Plans `request` of `sheet`. A body file is read where `root` is given, which it may not leave.
    pub fn new(sheet: &Sheet, request: &Request, scope: &Scope<'_>, root: Option<&Path>) -> Self {
        let folder = sheet.path.parent().unwrap_or(Path::new(""));
        let prepared = prepare::prepare(&sheet.document, request, scope, root.map(|root| (folder, root)));
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
        Self { prepared, needs, destination }
    }

    /// The host it goes to, as [`host_of`] names it.
    pub fn host(&self) -> Option<String> {
        self.destination.as_ref().and_then(host_of)
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
            let rule = || policy.check(name, domains.get(name)?, self.destination.as_ref()?).err();
            Need { name: name.clone(), spans: spans.clone(), problem: own.or_else(rule) }
        });
        RequestSurvey { host: self.host(), needs: needs.collect() }
    }
}

/// A host under a name that means the same place as an entry of a domain list and as an approval: plain http is
/// always said, because an entry without a scheme means https.
pub fn host_of(url: &Url) -> Option<String> {
    let key = domain::origin_key(url)?;
    let is_plain = url.scheme() == "http" && !key.starts_with("http://");
    Some(if is_plain { format!("http://{key}") } else { key })
}

/// Whether the body of `request` reads a file in which references may stand (`<@ path`).
pub fn reads_references_from_a_file(request: &Request, source: &str) -> bool {
    match &request.body {
        Body::File { substitute, .. } => *substitute,
        Body::Text { text, .. } => text.text(source).contains("<@"),
        Body::None | Body::Form(_) | Body::Multipart(_) | Body::GraphQl { .. } => false,
    }
}
