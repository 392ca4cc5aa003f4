//! What a request will do, worked out before any value is read: the secrets it needs, where it goes, and what
//! keeps it from being sent. `survey` and `run` both judge by this and by nothing else.

use std::{collections::BTreeMap, path::Path};

use url::Url;

use crate::{
    domain::{self, DomainList},
    http::prepare::{self, Content, Prepared, PreparedBody, PreparedValue},
    name::SecretName,
    policy::Policy,
    status::{Need, RequestSurvey, Status},
    syntax::{
        Body, Request,
        expand::{Expanded, Flat, Scope},
    },
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
        let destination = destination(&prepared);
        Self { prepared, needs, destination }
    }

    /// How much expanded text it holds, in bytes.
    pub fn size(&self) -> usize {
        let pair = |(key, value): &(Expanded, Expanded)| length(key) + length(value);
        let body = match &self.prepared.body {
            PreparedBody::None => 0,
            PreparedBody::Text { text, .. } => length(text),
            PreparedBody::Form(fields) => fields.iter().map(pair).sum(),
            PreparedBody::Multipart(parts) => {
                parts.iter().map(|part| length(&part.name) + content_length(&part.content)).sum()
            }
            PreparedBody::GraphQl { query, variables } => length(query) + variables.as_ref().map_or(0, length),
            PreparedBody::Mixed { chunks, .. } => chunks.iter().map(content_length).sum(),
            PreparedBody::Bytes(bytes) => bytes.len(),
        };
        let headers = self.prepared.headers.iter().map(|(name, value)| length(name) + value_length(value));
        body + length(&self.prepared.url) + headers.sum::<usize>()
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

fn content_length(content: &Content) -> usize {
    match content {
        Content::Text(text) => length(text),
        Content::Bytes(bytes) => bytes.len(),
    }
}

fn value_length(value: &PreparedValue) -> usize {
    match value {
        PreparedValue::Text(text) | PreparedValue::BasicToken(text) => length(text),
        PreparedValue::Basic { user, password } => length(user) + length(password),
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

/// The URL, with a stand-in for each secret. Two different stand-ins must lead to the same place: where they do
/// not, a secret decides where the request goes, and only the filled URL can be judged.
fn destination(prepared: &Prepared) -> Option<Url> {
    if let Some(url) = prepared.url() {
        return Some(url);
    }
    let first = Url::parse(&stand_in(&prepared.url.pieces, "x")).ok()?;
    let second = Url::parse(&stand_in(&prepared.url.pieces, "y")).ok()?;
    same_place(&first, &second).then_some(first)
}

fn same_place(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn length(expanded: &Expanded) -> usize {
    let piece = |piece: &Flat| match piece {
        Flat::Literal(text) => text.len(),
        Flat::Secret { name, .. } => name.as_str().len(),
    };
    expanded.pieces.iter().map(piece).sum()
}

fn stand_in(pieces: &[Flat], text: &str) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Flat::Literal(literal) => literal.as_str(),
            Flat::Secret { .. } => text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The destination of a URL in which `§` stands for a secret.
    fn check(url: &str) -> Option<String> {
        let mut pieces = Vec::new();
        for (index, part) in url.split('§').enumerate() {
            if index > 0 {
                pieces.push(Flat::Secret { name: SecretName::parse("k").unwrap(), span: Span::default() });
            }
            pieces.push(Flat::Literal(part.to_owned()));
        }
        let [first, second] = ["x", "y"].map(|text| Url::parse(&stand_in(&pieces, text)));
        let (first, second) = (first.ok()?, second.ok()?);
        same_place(&first, &second).then(|| first.host_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_secret_behind_the_host_leaves_the_destination_known() {
        assert_eq!(check("https://api.example.com/?k=§").as_deref(), Some("api.example.com"));
        assert_eq!(check("https://user:§@api.example.com/").as_deref(), Some("api.example.com"));
    }

    #[test]
    fn a_secret_in_the_authority_makes_it_unknown() {
        for url in [
            "https://§/",
            "https://§.example.com/",
            "https://api.§",
            "https:///§/x",
            "https://h:§/",
            "§://h/",
            "https:\\\\§/",
        ] {
            assert_eq!(check(url), None, "{url}");
        }
    }
}
