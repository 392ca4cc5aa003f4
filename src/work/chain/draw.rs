//! What was answered to a request, kept in memory for those that need parts of it.

#![expect(
    clippy::disallowed_methods,
    reason = "parts of an answer are cut out of it here, each into a value of its own"
)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use crate::{
    http::{
        fill::Values,
        prepare::Prepared,
        redact::{self, Range},
        send::Received,
    },
    name::SecretName,
    status::{self, Answered, Shape},
    syntax::{
        exchange::Part,
        json::{self, path, path::JsonPath},
    },
    vault::value::SecretValue,
    work::chain::shape,
};

/// How many parts of one answer are remembered.
const MAX_DRAWN: usize = 256;

/// An answer with all that is to be known about it when a part of it is sent on. It cannot be printed.
pub struct Answer {
    pub received: Arc<Received>,
    pub at: SystemTime,
    /// The request as it was written when it was sent.
    pub identity: Prepared,
    /// The request as it was sent, but for the values.
    pub sent: Prepared,
    /// What it took out of other answers.
    pub used: BTreeMap<SecretName, Drawn>,
    /// The secrets that were sent, parts of other answers included: where there are any, what was answered is one as well.
    pub secrets: BTreeSet<SecretName>,
    /// Where those secrets stand in the body.
    in_body: Vec<(SecretName, Vec<Range>)>,
    /// The headers, by their number, in which those secrets stand.
    in_headers: Vec<(usize, SecretName)>,
    shape: Arc<Shape>,
    /// The names of the headers, once each.
    headers: Vec<String>,
    /// Whether nothing can be drawn from it: nobody asked for any part when it came.
    pub is_sketch: bool,
    drawn: Mutex<HashMap<String, Result<Drawn, String>>>,
}

/// A part of an answer.
#[derive(Clone)]
pub struct Drawn {
    pub value: Arc<SecretValue>,
    /// The secrets that stand in it again.
    pub carried: BTreeSet<SecretName>,
    /// Whether no secret took part in getting it, so that it need not be masked.
    pub open: bool,
    /// Of which kind it is, for people.
    pub kind: &'static str,
}

/// What is known of a request when its answer arrives.
pub struct Errand {
    pub identity: Prepared,
    pub sent: Prepared,
    pub used: BTreeMap<SecretName, Drawn>,
    /// The values that were sent and are secrets.
    pub values: Values,
}

impl Answer {
    /// Looks for the secrets that were sent in what came back.
    pub fn new(received: Arc<Received>, errand: Errand) -> Self {
        let Errand { identity, sent, used, values } = errand;
        let (mut in_body, mut in_headers) = (Vec::new(), Vec::new());
        for (name, value) in &values {
            let found = |text: &str| redact::occurrences(name, value, text);
            let ranges = received.text.as_deref().map(|text| found(text)).unwrap_or_default();
            if !ranges.is_empty() {
                in_body.push((name.clone(), ranges));
            }
            let headers = received.headers.iter().enumerate();
            let holding =
                headers.filter(|(_, (_, header))| header.expose_text(|text| !found(text).is_empty()) == Some(true));
            in_headers.extend(holding.map(|(index, _)| (index, name.clone())));
        }
        let shape = Arc::new(shape::of(&received, &in_body));
        let mut headers: Vec<String> = Vec::new();
        for (name, _) in &received.headers {
            if !headers.contains(name) {
                headers.push(name.clone());
            }
        }
        Self {
            received,
            at: SystemTime::now(),
            identity,
            sent,
            used,
            secrets: values.into_keys().collect(),
            in_body,
            in_headers,
            shape,
            headers,
            is_sketch: false,
            drawn: Mutex::default(),
        }
    }

    /// The same without anything that was sent or answered: only the names are left, for who writes a path.
    pub fn sketch(self) -> Self {
        let Received { status, origin, truncated, .. } = &*self.received;
        let (headers, origin) = (Vec::new(), origin.clone());
        let received = Received { status: *status, origin, headers, text: None, truncated: *truncated };
        Self {
            received: Arc::new(received),
            sent: self.identity.clone(),
            used: BTreeMap::new(),
            in_body: Vec::new(),
            in_headers: Vec::new(),
            is_sketch: true,
            drawn: Mutex::default(),
            ..self
        }
    }

    /// What may be told of it.
    pub fn told(&self) -> Answered {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let part = |drawn: &Drawn| status::Part { kind: drawn.kind, length: drawn.value.len() };
        let parts =
            drawn.iter().filter_map(|(expression, drawn)| Some((expression.clone(), part(drawn.as_ref().ok()?))));
        Answered {
            at: self.at,
            status: self.received.status,
            origin: self.received.origin.clone(),
            headers: self.headers.clone(),
            shape: self.shape.clone(),
            parts: parts.collect(),
        }
    }

    /// How much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        let headers: usize = self.received.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.received.text.as_ref().map_or(0, |text| text.len()) + headers + self.identity.size() + self.sent.size()
    }

    /// A part of it, for the expression that asks for it.
    ///
    /// # Errors
    /// Why there is no such part, for people.
    pub fn draw(&self, expression: &str, part: &Part<'_>) -> Result<Drawn, String> {
        let mut known = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = known.get(expression) {
            return drawn.clone();
        }
        let drawn = match part {
            Part::Header(name) => self.header(name),
            Part::WholeBody => self.whole_body(),
            Part::Body(path) => self.within_body(path),
        };
        if known.len() < MAX_DRAWN {
            known.insert(expression.to_owned(), drawn.clone());
        }
        drawn
    }

    fn header(&self, wanted: &str) -> Result<Drawn, String> {
        let mut headers = self.received.headers.iter().enumerate();
        let found = headers.find(|(_, (name, _))| name.eq_ignore_ascii_case(wanted));
        let (index, (_, value)) = found.ok_or_else(|| format!("there is no header `{wanted}`"))?;
        let carried = self.in_headers.iter().filter(|(at, _)| *at == index).map(|(_, name)| name.clone()).collect();
        value.expose(|value| self.drawn(value, carried, "text"))
    }

    fn body(&self) -> Result<&str, String> {
        if self.received.truncated {
            return Err("the body is longer than is kept".into());
        }
        self.received.text.as_deref().map(String::as_str).ok_or_else(|| "the body is no text".into())
    }

    fn whole_body(&self) -> Result<Drawn, String> {
        let body = self.body()?;
        self.drawn(body.as_bytes(), self.carried((0, body.len())), "text")
    }

    fn within_body(&self, path: &JsonPath) -> Result<Drawn, String> {
        let tree = json::scan(self.body()?);
        let root = tree.root().filter(|_| tree.problems.is_empty()).ok_or("the body is not JSON")?;
        let found = path.first(root).map_err(|path::TooMuch| "the path takes too long to follow")?;
        let found = found.ok_or("the path leads to nothing")?;
        let span = found.span();
        self.drawn(path::content(found).as_bytes(), self.carried((span.start, span.end)), kind(found.kind()))
    }

    /// The secrets that stand in a range of the body.
    fn carried(&self, (start, end): Range) -> BTreeSet<SecretName> {
        let meets = |ranges: &[Range]| ranges.iter().any(|range| range.0 < end && start < range.1);
        self.in_body.iter().filter(|(_, ranges)| meets(ranges)).map(|(name, _)| name.clone()).collect()
    }

    fn drawn(&self, value: &[u8], carried: BTreeSet<SecretName>, kind: &'static str) -> Result<Drawn, String> {
        if value.is_empty() {
            return Err("there is only an empty text".into());
        }
        if value.len() > SecretValue::MAX_LENGTH {
            return Err("the part is larger than 1 MiB".into());
        }
        let value = Arc::new(SecretValue::new(value.to_vec()));
        Ok(Drawn { value, carried, open: self.secrets.is_empty(), kind })
    }
}

fn kind(kind: json::Kind) -> &'static str {
    match kind {
        json::Kind::Object => "object",
        json::Kind::Array => "array",
        json::Kind::Number => "number",
        json::Kind::True | json::Kind::False => "truth value",
        json::Kind::Null => "null",
        json::Kind::String | json::Kind::Key | json::Kind::Junk => "text",
    }
}
