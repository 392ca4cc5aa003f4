//! Requests that need parts of other requests of their file, as in `{{login.response.body.$.token}}`: which need which, in
//! what order they are sent, and what each part stands for.
//!
//! A part of an answer is treated like a secret with a home: it goes back to the origin that answered without asking, and
//! elsewhere only where the person allows it for exactly that part and origin. Whatever secret is found in it again goes
//! with it and is judged as itself. So no server that merely repeats what it is sent can launder a secret.

mod draw;
mod shape;
pub mod store;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use crate::{
    domain,
    http::prepare::{self, Files, Prepared, Reading},
    name::SecretName,
    status::Answered,
    syntax::{
        Body, Kind, Request,
        exchange::{self, Asked, Side},
        expand::{Flat, Scope},
        template::{Piece, Template},
    },
    text::Span,
    work::{Sheet, dynamic, fault},
};
pub use draw::{Answer, Drawn, Errand};
use store::Known;

/// How many requests may be sent one after the other because each needs the one before.
const MAX_DEPTH: usize = 16;
/// How many requests one request may need in all.
const MAX_NEEDS: usize = 32;
/// How many requests of a file may be asked for by name.
const MAX_NODES: usize = 1_000;
/// How much expanded text the requests of a chain may have, in bytes, and how much more for each byte of the document.
const BUDGET: usize = 8 << 20;
const BUDGET_PER_BYTE: usize = 4;

/// The requests of one file that others ask for, and what is known of them.
#[derive(Default)]
pub struct Chain {
    nodes: BTreeMap<String, Node>,
    /// How many requests have each name that is asked for.
    counts: HashMap<String, usize>,
    /// The expressions that ask for each request.
    expressions: BTreeMap<String, BTreeSet<String>>,
    /// Whether the file holds more than is worked through.
    cut: bool,
}

/// A request that is asked for.
struct Node {
    request: usize,
    /// From 1.
    line: usize,
    /// The request as it is written now: an answer to anything else is none to this.
    identity: Prepared,
    /// Where it goes, as far as that is known before it is sent; else empty.
    origin: String,
    /// The requests that it asks for.
    needs: BTreeSet<String>,
    /// What was answered to it, while that still stands.
    answer: Option<Arc<Answer>>,
    /// What may be told of it, also where nothing can be drawn from it any more.
    told: Option<Answered>,
    state: State,
}

enum State {
    /// Not looked at yet, or part of a circle.
    Open,
    /// How many requests have to be sent one after the other, this one included.
    Ready { height: usize },
    /// Why it cannot be sent.
    Broken(String),
}

/// What one request takes out of others.
#[derive(Default)]
pub struct Taken {
    /// The requests it asks for.
    pub names: BTreeSet<String>,
    /// What the parts stand for, where their requests were sent.
    pub drawn: BTreeMap<SecretName, Drawn>,
}

impl Chain {
    /// Works out what the requests of `sheet` need of each other. The files that they name may not leave `root`. The
    /// request called `also` is looked at although nothing may ask for it.
    pub fn of(
        sheet: &Sheet,
        overrides: &BTreeMap<String, String>,
        root: &Path,
        known: &Known,
        also: Option<&str>,
    ) -> Self {
        if sheet.document.kind != Kind::Http {
            return Self::default();
        }
        let mut chain = Self { expressions: expressions(sheet, overrides), ..Self::default() };
        let also = also.filter(|name| exchange::is_name(name));
        let asked = chain.expressions.keys().chain(known.keys()).map(String::as_str).chain(also);
        let mut waiting: Vec<String> = asked.map(str::to_owned).collect();
        let named = named(sheet);
        if sheet.document.requests.iter().any(|one| reads_references_from_a_file(one, &sheet.source)) {
            // What a file asks for is not known before it is read.
            waiting.extend(named.keys().map(|name| (*name).to_owned()));
        }
        let budget = BUDGET + BUDGET_PER_BYTE * sheet.source.len();
        let mut spent = 0;
        while let Some(name) = waiting.pop() {
            let requests = named.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            if chain.counts.insert(name.clone(), requests.len()).is_some() {
                continue;
            }
            let &[request] = requests else { continue };
            if chain.nodes.len() == MAX_NODES || spent > budget {
                chain.cut = true;
                break;
            }
            let node = chain.node(sheet, request, overrides, root);
            spent += node.identity.size();
            waiting.extend(node.needs.iter().cloned());
            chain.nodes.insert(name, node);
        }
        chain.count_lines(sheet);
        chain.settle(known);
        chain
    }

    /// Reads a request as it is written. What it asks for is noted, and stands for itself.
    fn node(&mut self, sheet: &Sheet, request: usize, overrides: &BTreeMap<String, String>, root: &Path) -> Node {
        let asked_for = RefCell::new(&mut self.expressions);
        let needs = RefCell::new(BTreeSet::new());
        let note = |asked: &Asked<'_>, expression: &str| {
            let name = SecretName::of_exchange(expression, "").ok_or(UNNAMEABLE)?;
            needs.borrow_mut().insert(asked.request.to_owned());
            asked_for.borrow_mut().entry(asked.request.to_owned()).or_default().insert(expression.to_owned());
            Ok(vec![Flat::Secret { name, span: Span::default() }])
        };
        let dynamic = |expression: &str| dynamic::fixed(expression);
        let scope = Scope::new(&sheet.document, &sheet.source, &sheet.environment, overrides, &dynamic);
        let scope = scope.with_exchanges(&note);
        let folder = sheet.path.parent().unwrap_or(Path::new(""));
        let files = Files { folder, root, reading: Reading::Templates };
        let identity = prepare::prepare(&sheet.document, &sheet.document.requests[request], &scope, Some(files));
        let origin = identity.target().as_ref().and_then(domain::origin_key).unwrap_or_default();
        let needs = needs.into_inner();
        Node { request, line: 0, identity, origin, needs, answer: None, told: None, state: State::Open }
    }

    fn count_lines(&mut self, sheet: &Sheet) {
        let mut nodes: Vec<(usize, &mut Node)> =
            self.nodes.values_mut().map(|node| (sheet.document.requests[node.request].line.start, node)).collect();
        nodes.sort_by_key(|(start, _)| *start);
        let (mut line, mut from) = (1, 0);
        for (start, node) in nodes {
            line += sheet.source[from..start].matches('\n').count();
            from = start;
            node.line = line;
        }
    }

    /// Decides on each node once all that it needs are decided on. Those that are left over lead in circles.
    fn settle(&mut self, known: &Known) {
        let mut open: BTreeMap<String, usize> = BTreeMap::new();
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut ready: Vec<String> = Vec::new();
        for (name, node) in &self.nodes {
            let needs = node.needs.iter().filter(|need| self.nodes.contains_key(*need));
            let count = needs.map(|need| users.entry(need).or_default().push(name)).count();
            open.insert(name.clone(), count);
            if count == 0 {
                ready.push(name.clone());
            }
        }
        let users: BTreeMap<String, Vec<String>> = users
            .into_iter()
            .map(|(name, users)| (name.to_owned(), users.into_iter().map(str::to_owned).collect()))
            .collect();
        while let Some(name) = ready.pop() {
            let (state, answer) = self.decide(&name, known);
            if let Some(node) = self.nodes.get_mut(&name) {
                let same = known.get(&name).filter(|answer| answer.identity == node.identity);
                (node.state, node.answer, node.told) = (state, answer, same.map(|answer| answer.told()));
            }
            for user in users.get(&name).into_iter().flatten() {
                let Some(count) = open.get_mut(user) else { continue };
                *count -= 1;
                if *count == 0 {
                    ready.push(user.clone());
                }
            }
        }
    }

    fn decide(&self, name: &str, known: &Known) -> (State, Option<Arc<Answer>>) {
        let node = &self.nodes[name];
        let needed: Vec<&Node> = node.needs.iter().filter_map(|need| self.nodes.get(need)).collect();
        let height = 1 + needed.iter().map(|node| node.height()).max().unwrap_or(0);
        // An answer stands as long as the request is the same, and those that it needs are.
        let stands = |answer: &&Arc<Answer>| {
            let is_same = answer.identity == node.identity && !answer.is_sketch;
            is_same && needed.iter().all(|node| node.answer.is_some())
        };
        let answer = known.get(name).filter(stands).cloned();
        let broken = node.fault().or_else(|| self.broken_need(node));
        match broken {
            Some(why) => (State::Broken(why), None),
            None if height > MAX_DEPTH || self.count_needs(name) > MAX_NEEDS => {
                let limit = if height > MAX_DEPTH { MAX_DEPTH } else { MAX_NEEDS };
                (State::Broken(format!("more than {limit} requests would have to be sent first")), None)
            }
            None => (State::Ready { height }, answer),
        }
    }

    /// Why a request that `node` asks for cannot be had.
    fn broken_need(&self, node: &Node) -> Option<String> {
        node.identity.secrets().iter().find_map(|(name, ..)| {
            let (expression, _) = name.exchange()?;
            let asked = exchange::read(expression)?.ok()?;
            let why = self.look_up(&asked, expression, &mut Taken::default()).err()?;
            Some(format!("`{expression}`: {why}"))
        })
    }

    /// What a part stands for: names of secrets, and for a part of a request also its text.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub fn look_up(&self, asked: &Asked<'_>, expression: &str, taken: &mut Taken) -> Result<Vec<Flat>, String> {
        let node = self.usable(asked.request)?;
        taken.names.insert(asked.request.to_owned());
        let place = || format!("the request `{}` (line {})", asked.request, node.line);
        match (asked.side, &node.answer) {
            (Side::Response, Some(answer)) => {
                let name = SecretName::of_exchange(expression, &answer.received.origin).ok_or(UNNAMEABLE)?;
                let drawn = answer
                    .draw(expression, &asked.part)
                    .map_err(|why| format!("{why} in the answer to {}", place()))?;
                taken.drawn.insert(name.clone(), drawn);
                Ok(vec![Flat::Secret { name, span: Span::default() }])
            }
            (Side::Response, None) => {
                let name = SecretName::of_exchange(expression, &node.origin).ok_or(UNNAMEABLE)?;
                Ok(vec![Flat::Secret { name, span: Span::default() }])
            }
            (Side::Request, answer) => {
                let sent = answer.as_ref().map_or(&node.identity, |answer| &answer.sent);
                let part = sent.part(&asked.part).map_err(|why| format!("{}: {why}", place()))?;
                if let Some(answer) = answer {
                    let used =
                        part.secrets().filter_map(|(name, _)| Some((name.clone(), answer.used.get(name)?.clone())));
                    taken.drawn.extend(used);
                }
                Ok(part.pieces)
            }
        }
    }

    /// The request of that name, if it could be sent.
    fn usable(&self, name: &str) -> Result<&Node, String> {
        let Some(node) = self.nodes.get(name) else {
            return Err(match self.counts.get(name) {
                Some(0) | None if !self.cut => {
                    format!("there is no request named `{name}` in this file; name one by `# @name {name}` above it")
                }
                Some(2..) => format!("{} requests of this file are named `{name}`", self.counts[name]),
                _ => "this file holds more than is worked through".into(),
            });
        };
        match &node.state {
            State::Ready { .. } => Ok(node),
            State::Open => Err(self.circle(name)),
            State::Broken(why) => {
                Err(format!("the request `{name}` (line {}) has to be sent first, and cannot be: {why}", node.line))
            }
        }
    }

    /// How many requests `name` stands for, itself included; one more than the limit where it is passed.
    fn count_needs(&self, name: &str) -> usize {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![name]);
        while let Some(name) = waiting.pop() {
            if seen.insert(name) && seen.len() <= MAX_NEEDS {
                waiting.extend(self.nodes.get(name).into_iter().flat_map(|node| &node.needs).map(String::as_str));
            }
        }
        seen.len()
    }

    /// Tells of the circle that `name` leads to.
    fn circle(&self, name: &str) -> String {
        let mut way: Vec<&str> = vec![name];
        loop {
            let last = way[way.len() - 1];
            let is_open = |need: &&String| self.nodes.get(*need).is_some_and(|node| matches!(node.state, State::Open));
            let Some(next) = self.nodes.get(last).and_then(|node| node.needs.iter().find(is_open)) else { break };
            if let Some(start) = way.iter().position(|name| name == next) {
                let circle: Vec<String> =
                    way[start..].iter().chain([&next.as_str()]).take(8).map(|name| format!("`{name}`")).collect();
                return format!("these requests need each other in a circle: {}", circle.join(" -> "));
            }
            way.push(next);
        }
        "these requests need each other in a circle".into()
    }

    /// The requests that have to be sent before one that asks for `names`, in order.
    ///
    /// # Errors
    /// A message for people where there are too many of them.
    pub fn order(&self, names: &BTreeSet<String>) -> Result<Vec<(usize, String)>, String> {
        let mut order = Vec::new();
        for name in names {
            self.visit(name, &mut order);
            if order.len() > MAX_NEEDS {
                return Err(format!("more than {MAX_NEEDS} requests would have to be sent first"));
            }
        }
        Ok(order)
    }

    /// NB. recursion ends: only what is no part of a circle, and not too deep, can be asked for.
    fn visit(&self, name: &str, order: &mut Vec<(usize, String)>) {
        let Some(node) = self.nodes.get(name) else { return };
        let is_settled = matches!(node.state, State::Ready { .. });
        if !is_settled || node.answer.is_some() || order.iter().any(|(request, _)| *request == node.request) {
            return;
        }
        for need in &node.needs {
            self.visit(need, order);
        }
        order.push((node.request, name.to_owned()));
    }

    /// The line of a request that is asked for, from 1.
    pub fn line(&self, name: &str) -> usize {
        self.nodes.get(name).map_or(0, |node| node.line)
    }

    /// The request as it is written, if it is the only one of its name; and what asks for it.
    pub fn identity(&self, name: &str) -> Option<(Prepared, BTreeSet<String>)> {
        let expressions = self.expressions.get(name).cloned().unwrap_or_default();
        Some((self.nodes.get(name)?.identity.clone(), expressions))
    }

    /// What may be told of what was answered to each request as it is now.
    pub fn told(&self) -> impl Iterator<Item = (&String, &Answered)> {
        self.nodes.iter().filter_map(|(name, node)| Some((name, node.told.as_ref()?)))
    }
}

impl Node {
    fn height(&self) -> usize {
        match self.state {
            State::Ready { height } => height,
            State::Open | State::Broken(_) => 0,
        }
    }

    /// What is wrong with the request itself.
    fn fault(&self) -> Option<String> {
        self.identity.faults.first().map(|fault| fault::obstacle(fault).message)
    }
}

/// Why a part cannot be named.
const UNNAMEABLE: &str = "it is too long, or holds characters outside ASCII; write those as `\\u00e9` in quotes";

/// The requests of each name.
fn named(sheet: &Sheet) -> HashMap<&str, Vec<usize>> {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, request) in sheet.document.requests.iter().enumerate() {
        if let Some(name) = &request.name {
            named.entry(name.text.as_str()).or_default().push(index);
        }
    }
    named
}

/// The expressions that ask for a request, by its name, wherever they are written.
fn expressions(sheet: &Sheet, overrides: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |expression: &str| {
        let expression = expression.strip_prefix('%').map_or(expression, str::trim);
        if let Some((name, ..)) = exchange::split(expression) {
            found.entry(name.to_owned()).or_default().insert(expression.to_owned());
        }
    };
    for used in sheet.document.uses.iter().filter(|used| used.closed) {
        add(&used.name);
    }
    let environment = sheet.environment.values.values().chain(sheet.environment.dotenv.values());
    let texts = environment.map(|value| &value.text).chain(overrides.values());
    for text in texts.filter(|text| text.contains("{{")) {
        for piece in Template::of_text(text).pieces {
            if let Piece::Variable { name, .. } = piece {
                add(&name);
            }
        }
    }
    found
}

/// Whether the body of `request` reads a file in which references may stand (`<@ path`).
pub fn reads_references_from_a_file(request: &Request, source: &str) -> bool {
    match &request.body {
        Body::File { substitute, .. } => *substitute,
        Body::Text { text, .. } => text.text(source).contains("<@"),
        Body::None | Body::Form(_) | Body::Multipart(_) | Body::GraphQl { .. } => false,
    }
}

#[cfg(test)]
mod tests;
