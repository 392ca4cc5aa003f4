//! From a template to a flat text: variables replaced by their values, secrets left as names.
//!
//! Taint follows the variable: where a variable's value holds a reference, the secret enters at the place of
//! the variable. Expansion is bounded in depth and size, and finds cycles, so a hostile file cannot hang it.

mod elsewhere;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use self::elsewhere::{Elsewhere, Store};
use crate::{
    name::SecretName,
    syntax::{
        Document, Kind, Written,
        exchange::{self, Asked},
        template::{Piece, Template},
    },
    text::Span,
};

/// How deep variables may lead to variables.
const MAX_DEPTH: usize = 32;
/// How long one expanded text may get, in bytes; a body file has its own limit.
const MAX_SIZE: usize = 16 << 20;
/// How much of an expression a message repeats, in characters.
const LONGEST_SHOWN: usize = 80;

/// The values a person chose by naming an environment, and where each is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The chosen environment; none means only what every environment shares.
    pub name: Option<String>,
    /// The environments that can be chosen.
    pub available: Vec<String>,
    pub values: BTreeMap<String, EnvironmentValue>,
    /// What the environment names and another store keeps; no name of `values`.
    pub elsewhere: BTreeMap<String, Elsewhere>,
    /// What `{{$dotenv NAME}}` reads: the `.env` file beside the document or above it.
    pub dotenv: BTreeMap<String, EnvironmentValue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentValue {
    pub text: String,
    pub file: PathBuf,
    /// Where the value's key stands in `file`, in bytes, where known.
    pub span: Option<Span>,
}

/// Looks up a part of an earlier exchange: what is asked for, and the expression that asks. What it stands for, or why
/// that cannot be had, for people.
pub type Exchanges<'a> = dyn Fn(&Asked<'_>, &str) -> Result<Vec<Flat>, String> + 'a;

/// Everything a variable can mean in one document.
pub struct Scope<'a> {
    pub document: &'a Document,
    pub source: &'a str,
    pub environment: &'a Environment,
    /// Values given on the command line; they win over everything.
    pub overrides: &'a BTreeMap<String, String>,
    /// Values of `$guid` and its like; none for an unknown one. `$dotenv` and `$processEnv` are not asked here.
    pub dynamic: &'a dyn Fn(&str) -> Option<String>,
    /// Parts of earlier exchanges, as `{{login.response.body.$.token}}` asks for them.
    exchanges: &'a Exchanges<'a>,
    /// The last enabled definition of each name.
    file: HashMap<&'a str, &'a Written>,
}

impl<'a> Scope<'a> {
    pub fn new(
        document: &'a Document,
        source: &'a str,
        environment: &'a Environment,
        overrides: &'a BTreeMap<String, String>,
        dynamic: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let enabled = document.variables.iter().filter(|variable| variable.enabled);
        let file = enabled.map(|variable| (variable.name.as_str(), &variable.value)).collect();
        Self { document, source, environment, overrides, dynamic, exchanges: &no_exchange, file }
    }

    /// The same with parts of earlier exchanges.
    pub fn with_exchanges(self, exchanges: &'a Exchanges<'a>) -> Self {
        Self { exchanges, ..self }
    }

    /// What `name` stands for. In `.http` files the file wins over the environment, as in REST Client; in a
    /// collection the environment wins, as in Postman ("Variable scopes" in its documentation).
    fn lookup(&self, name: &str) -> Option<Template> {
        if let Some(text) = self.overrides.get(name) {
            return Some(Template::of_text(text));
        }
        let file = || self.file.get(name).map(|written| Template::read(written, self.source));
        let environment = || {
            let value = self.environment.values.get(name).or_else(|| self.environment.dotenv.get(name));
            value.map(|value| Template::of_text(&value.text))
        };
        // What the environment keeps elsewhere hides what it would win over: another value is not what was meant.
        let is_elsewhere = self.environment.elsewhere.contains_key(name);
        match self.document.kind {
            Kind::Http if is_elsewhere => file(),
            Kind::Http => file().or_else(environment),
            Kind::Postman if is_elsewhere => None,
            Kind::Postman => environment().or_else(file),
        }
    }

    /// Why there is nothing that `name` stands for.
    fn missing(&self, name: &str) -> FaultKind {
        match self.environment.elsewhere.get(name) {
            Some(elsewhere) => FaultKind::Elsewhere(name.to_owned(), Box::new(elsewhere.clone())),
            None => FaultKind::Unknown(name.to_owned()),
        }
    }

    /// What `{{$name ...}}` stands for.
    fn lookup_dynamic(&self, expression: &str) -> Option<Template> {
        let (function, argument) = expression.split_once(char::is_whitespace).unwrap_or((expression, ""));
        let argument = argument.trim().trim_start_matches('%');
        match function {
            "$dotenv" => self.environment.dotenv.get(argument).map(|value| Template::of_text(&value.text)),
            "$processEnv" => {
                let name = SecretName::of_process_variable(argument)?;
                Some(Template { pieces: vec![Piece::Secret { name, span: Span::at(0) }] })
            }
            _ => (self.dynamic)(expression).map(|text| Template { pieces: vec![Piece::Literal(text)] }),
        }
    }
}

/// A text with every variable replaced, ready for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    pub pieces: Vec<Flat>,
    /// What could not be replaced. A request with any of these is not sent.
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flat {
    Literal(String),
    Secret {
        name: SecretName,
        /// Where it enters the expanded text: its reference, or the variable that leads to it.
        span: Span,
    },
}

/// A variable or reference that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its place in the expanded text, as in [`Flat::Secret`].
    pub span: Span,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No value for this variable.
    Unknown(String),
    /// The environment says that this variable's value is in a store that is not read.
    Elsewhere(String, Box<Elsewhere>),
    /// The variable's value leads back to itself.
    Cycle(String),
    /// Deeper or longer than is sensible.
    TooLarge,
    /// A reference without a proper name.
    BrokenReference,
    /// A part of an earlier exchange that cannot be had; why, for people.
    Exchange(String),
}

impl Expanded {
    pub fn literal(text: impl Into<String>) -> Self {
        Self { pieces: vec![Flat::Literal(text.into())], faults: vec![] }
    }

    /// The text, where it holds no secret.
    pub fn as_literal(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self.pieces.as_slice() {
            [] => Some("".into()),
            [Flat::Literal(text)] => Some(text.into()),
            pieces => {
                let mut whole = String::new();
                for piece in pieces {
                    let Flat::Literal(text) = piece else { return None };
                    whole.push_str(text);
                }
                Some(whole.into())
            }
        }
    }

    /// The text with references written out, for people.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for piece in &self.pieces {
            match piece {
                Flat::Literal(text) => shown.push_str(text),
                Flat::Secret { name, .. } => shown.push_str(&match name.exchange() {
                    Some((expression, _)) => format!("{{{{{expression}}}}}"),
                    None => format!("<<vault:{name}>>"),
                }),
            }
        }
        shown
    }

    /// The secrets in it and where each enters.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretName, Span)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Flat::Secret { name, span } => Some((name, *span)),
            Flat::Literal(_) => None,
        })
    }

    fn push_literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Flat::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Flat::Literal(text.to_owned())),
        }
    }
}

/// Replaces the variables of a text of the scope's document.
pub fn expand(written: &Written, scope: &Scope<'_>) -> Expanded {
    expand_template(&Template::read(written, scope.source), scope)
}

/// Replaces the variables of a template.
pub fn expand_template(template: &Template, scope: &Scope<'_>) -> Expanded {
    let mut expansion = Expansion { scope, open: Vec::new(), size: 0, out: Expanded::default() };
    expansion.walk(template, None);
    expansion.out
}

fn no_exchange(_: &Asked<'_>, _: &str) -> Result<Vec<Flat>, String> {
    Err("nothing was sent here that this could be a part of".into())
}

struct Expansion<'a> {
    scope: &'a Scope<'a>,
    /// The variables being replaced, outermost first.
    open: Vec<String>,
    size: usize,
    out: Expanded,
}

impl Expansion<'_> {
    /// `entered` is the place of the outermost variable; none at the top.
    fn walk(&mut self, template: &Template, entered: Option<Span>) {
        for piece in &template.pieces {
            match piece {
                Piece::Literal(text) => {
                    self.size += text.len();
                    if self.size > MAX_SIZE {
                        self.fault(entered.unwrap_or_default(), FaultKind::TooLarge);
                        return;
                    }
                    self.out.push_literal(text);
                }
                Piece::Secret { name, span } => {
                    let span = entered.unwrap_or(*span);
                    self.size += 1;
                    if self.size > MAX_SIZE {
                        self.fault(span, FaultKind::TooLarge);
                        return;
                    }
                    self.out.pieces.push(Flat::Secret { name: name.clone(), span });
                }
                Piece::Broken { span } => self.fault(entered.unwrap_or(*span), FaultKind::BrokenReference),
                Piece::Variable { name, span } => self.variable(name, entered.unwrap_or(*span)),
            }
            if self.out.faults.last().is_some_and(|fault| fault.kind == FaultKind::TooLarge) {
                return;
            }
        }
    }

    fn variable(&mut self, written: &str, span: Span) {
        // REST Client writes `{{%name}}` for the percent-encoded value.
        let (name, encode) = written.strip_prefix('%').map_or((written, false), |name| (name.trim(), true));
        if self.open.iter().any(|open| open == name) {
            return self.fault(span, FaultKind::Cycle(name.to_owned()));
        }
        if self.open.len() >= MAX_DEPTH {
            return self.fault(span, FaultKind::TooLarge);
        }
        self.size += 1;
        let found = if name.starts_with('$') { self.scope.lookup_dynamic(name) } else { self.scope.lookup(name) };
        let Some(template) = found else {
            let is_elsewhere = self.scope.environment.elsewhere.contains_key(name);
            return match exchange::read(name).filter(|_| self.scope.document.kind == Kind::Http && !is_elsewhere) {
                Some(asked) => self.exchange(asked, name, span),
                None => self.fault(span, self.scope.missing(name)),
            };
        };
        let first = self.out.pieces.len();
        let tail = match self.out.pieces.last() {
            Some(Flat::Literal(text)) => text.len(),
            _ => 0,
        };
        self.open.push(name.to_owned());
        self.walk(&template, Some(span));
        self.open.pop();
        if encode {
            self.percent_encode(first, tail);
        }
    }

    /// NB. what comes out of an exchange is never read for variables or references.
    fn exchange(&mut self, asked: Result<Asked<'_>, String>, expression: &str, span: Span) {
        match asked.and_then(|asked| (self.scope.exchanges)(&asked, expression)) {
            Ok(pieces) => {
                for piece in pieces {
                    self.size += if let Flat::Literal(text) = &piece { text.len() } else { 1 };
                    if self.size > MAX_SIZE {
                        return self.fault(span, FaultKind::TooLarge);
                    }
                    match piece {
                        Flat::Literal(text) => self.out.push_literal(&text),
                        Flat::Secret { name, .. } => self.out.pieces.push(Flat::Secret { name, span }),
                    }
                }
            }
            Err(why) => {
                let expression: String = expression.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
                self.fault(span, FaultKind::Exchange(format!("`{expression}`: {why}")));
            }
        }
    }

    /// Encodes what was appended since there were `first` pieces, the last of them `tail` bytes long.
    fn percent_encode(&mut self, first: usize, tail: usize) {
        let from = first.saturating_sub(1);
        for (index, piece) in self.out.pieces.iter_mut().enumerate().skip(from) {
            if let Flat::Literal(text) = piece {
                let keep = if index < first { tail } else { 0 };
                let encoded = utf8_percent_encode(&text[keep..], NON_ALPHANUMERIC).to_string();
                text.truncate(keep);
                text.push_str(&encoded);
            }
        }
    }

    fn fault(&mut self, span: Span, kind: FaultKind) {
        // A file of a million unknown variables is reported once per place, not once per path to it.
        if self.out.faults.len() < 1000 {
            self.out.faults.push(Fault { span, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Variable;

    /// Expands `text` with file variables `variables`; the answer shows secrets as references.
    fn check(variables: &[(&str, &str)], text: &str) -> (String, Vec<FaultKind>) {
        let mut source = String::new();
        let mut document = Document::empty(Kind::Http);
        for (name, value) in variables {
            let start = source.len();
            source.push_str(value);
            let span = Span::new(start, source.len());
            let value = Written::plain(span);
            document.variables.push(Variable { name: (*name).into(), name_span: span, span, value, enabled: true });
        }
        let start = source.len();
        source.push_str(text);
        let environment = Environment::default();
        let overrides = BTreeMap::new();
        let dynamic = |name: &str| (name == "$guid").then(|| "G".to_owned());
        let scope = Scope::new(&document, &source, &environment, &overrides, &dynamic);
        let expanded = expand(&Written::plain(Span::new(start, source.len())), &scope);
        (expanded.shown(), expanded.faults.into_iter().map(|fault| fault.kind).collect())
    }

    #[test]
    fn a_secret_is_reached_through_variables() {
        let (shown, faults) = check(&[("a", "{{b}}!"), ("b", "<<vault:k>>")], "x{{a}}");
        assert_eq!((shown.as_str(), faults.as_slice()), ("x<<vault:k>>!", [].as_slice()));
    }

    #[test]
    fn cycles_end() {
        let (_, faults) = check(&[("a", "{{b}}"), ("b", "{{a}}")], "{{a}}");
        assert_eq!(faults, [FaultKind::Cycle("a".into())]);
    }

    #[test]
    fn a_bomb_is_cut_short() {
        let names: Vec<String> = (0..30).map(|index| format!("v{index}")).collect();
        let values: Vec<String> = (1..=30).map(|index| format!("{{{{v{index}}}}}").repeat(10)).collect();
        let mut variables: Vec<(&str, &str)> =
            names.iter().zip(&values).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.push(("v30", "0123456789"));
        let (_, faults) = check(&variables, "{{v0}}");
        assert_eq!(faults.last(), Some(&FaultKind::TooLarge));
    }

    #[test]
    fn the_percent_form_encodes_only_its_own_text() {
        let (shown, _) = check(&[("q", "a b&c")], "x y?{{%q}}");
        assert_eq!(shown, "x y?a%20b%26c");
    }

    #[test]
    fn dynamic_variables_are_asked_for() {
        assert_eq!(check(&[], "{{$guid}}").0, "G");
        assert_eq!(check(&[], "{{$nope}}").1, [FaultKind::Unknown("$nope".into())]);
    }

    #[test]
    fn a_part_of_an_exchange_is_looked_up_behind_every_variable() {
        let document = Document::empty(Kind::Http);
        let (environment, overrides) = (Environment::default(), BTreeMap::new());
        let exchanges = |asked: &Asked<'_>, expression: &str| match asked.request {
            "login" => {
                let name = SecretName::of_exchange(expression, "a.b").unwrap();
                Ok(vec![Flat::Literal("{{x}}".into()), Flat::Secret { name, span: Span::default() }])
            }
            _ => Err("there is no such request".into()),
        };
        let scope = Scope::new(&document, "", &environment, &overrides, &|_| None).with_exchanges(&exchanges);
        let check = |text: &str| {
            let expanded = expand_template(&Template::of_text(text), &scope);
            (expanded.shown(), expanded.faults.into_iter().map(|fault| fault.kind).collect::<Vec<_>>())
        };
        let shown = "<{{x}}{{login.response.body.$.t}}>".to_owned();
        assert_eq!(check("<{{login.response.body.$.t}}>"), (shown, vec![]));
        let faults = |text: &str| check(text).1;
        let expected = FaultKind::Exchange("`a.response.body.*`: there is no such request".into());
        assert_eq!(faults("{{a.response.body.*}}"), [expected]);
        assert_eq!(faults("{{a.response.status}}"), [FaultKind::Unknown("a.response.status".into())]);
    }

    #[test]
    fn a_process_variable_is_a_secret() {
        assert_eq!(check(&[], "{{$processEnv HOME}}").0, "<<vault:env:HOME>>");
    }
}
