//! What can be written at the cursor: secrets, variables, and the parts of a request line.
//!
//! The place is read off the text around the cursor, not off the document: the text may be a keystroke ahead.

mod exchange;
mod line;

use crate::{
    feature::{
        Context, diagnostics, escape,
        variable::{self, DOTENV, DYNAMIC, PROCESS_ENV},
    },
    name::SecretName,
    status::KnownSecret,
    syntax::{Kind, Spelling},
    text::Span,
};

/// How far around the cursor an opener and a closer are looked for, in bytes: a name is at most 128 long.
const REACH: usize = 320;
/// How many items are offered at once.
pub const MAX_ITEMS: usize = 500;
const PREFIX: &str = "vault:";

/// What is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    pub items: Vec<Item>,
    /// Whether there are more, so that the editor should ask again as the person types.
    pub incomplete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Shown and matched against what is typed.
    pub label: String,
    pub kind: ItemKind,
    /// One line of plain text about it.
    pub detail: Option<String>,
    /// What is replaced: on one line, and around the cursor.
    pub span: Span,
    pub text: String,
    /// What the editor compares with the text of `span`.
    pub filter: String,
    /// Whether a part is still to be written, so that the editor should offer again at once.
    pub continues: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Secret,
    Variable,
    Dynamic,
    /// The name of a request that others can ask for.
    Request,
    /// A part of a request or of its answer.
    Part,
    Method,
    Header,
    /// The `vault:` of a reference.
    Prefix,
}

/// What is being typed.
struct Typed<'a> {
    spelling: Spelling,
    /// What stands between the opener and the cursor, without the spaces after the opener.
    text: &'a str,
    /// Where `text` starts.
    start: usize,
    /// Where the rest of the word behind the cursor ends.
    end: usize,
    /// What is to be added behind a finished item: the closer where it is missing.
    closer: &'static str,
}

/// What can stand at `offset`.
pub fn complete(context: &Context<'_>, offset: usize) -> Completions {
    let offset = context.source.floor_char_boundary(offset);
    let Some(typed) = typed(context.source, offset) else {
        return limited(line::items(context, offset), "");
    };
    if let Some(name) = typed.text.strip_prefix(PREFIX) {
        let trimmed = name.trim_start();
        let start = typed.start + PREFIX.len() + (name.len() - trimmed.len());
        return limited(secrets(context, &typed, start), trimmed);
    }
    if let Some(items) = exchange::items(context, &typed) {
        return limited(items, typed.text);
    }
    let mut items = Vec::new();
    items.push(typed.item(PREFIX, ItemKind::Prefix, typed.start, PREFIX.to_owned()).unfinished());
    if typed.spelling == Spelling::Curly {
        items.extend(variables(context, &typed));
        items.extend(dynamic(context, &typed));
        items.extend(exchange::requests(context, &typed));
    }
    limited(items, typed.text)
}

fn secrets<'a>(context: &Context<'a>, typed: &'a Typed<'_>, start: usize) -> impl Iterator<Item = Item> + use<'a> {
    context.known.secrets.iter().map(move |secret| {
        let name = secret.name.as_str();
        let text = format!("{name}{}", typed.closer);
        typed.item(name, ItemKind::Secret, start, text).detailed(origin(secret))
    })
}

fn origin(secret: &KnownSecret) -> String {
    let mut detail = secret.provider.title().to_owned();
    if let Some(integration) = &secret.integration {
        detail = format!("{detail}, {}", escape::plain(integration));
    }
    if !secret.enabled {
        detail.push_str(", disabled");
    }
    if let Some(note) = &secret.note {
        detail = format!("{detail}: {}", escape::plain(note));
    }
    detail
}

/// Variables of the file, then of the environment; the same name once.
fn variables<'a>(context: &Context<'a>, typed: &'a Typed<'_>) -> Vec<Item> {
    let mut seen = std::collections::HashSet::new();
    let file = context.document.variables.iter().filter(|variable| variable.enabled);
    let file = file.map(|variable| (variable.name.as_str(), "this file".to_owned()));
    let environment = context.environment.values.iter().map(|(name, value)| {
        let source = variable::source_of(context, variable::Definition::Environment(value));
        (name.as_str(), source)
    });
    let elsewhere = context.environment.elsewhere.iter().map(|(name, elsewhere)| {
        let source = variable::source_of(context, variable::Definition::Elsewhere(elsewhere));
        (name.as_str(), source)
    });
    let dotenv = context.environment.dotenv.iter().map(|(name, value)| {
        let source = variable::source_of(context, variable::Definition::Dotenv(value));
        (name.as_str(), source)
    });
    let all = file.chain(environment).chain(elsewhere).chain(dotenv).filter(|(name, _)| seen.insert(*name));
    all.take(MAX_ITEMS).map(|(name, source)| plain_variable(context, typed, name).detailed(source)).collect()
}

fn plain_variable(context: &Context<'_>, typed: &Typed<'_>, name: &str) -> Item {
    // `{{%name}}` asks for the percent-encoded value.
    let percent = typed.text.len() - variable::bare(typed.text).len();
    let written = match context.document.kind {
        Kind::Http => name.to_owned(),
        Kind::Postman => escape::json(name),
    };
    typed.item(name, ItemKind::Variable, typed.start + percent, written + typed.closer)
}

fn dynamic(context: &Context<'_>, typed: &Typed<'_>) -> Vec<Item> {
    let mut items: Vec<Item> = DYNAMIC
        .iter()
        .map(|dynamic| {
            let text = format!("{}{}", dynamic.usage, typed.closer);
            typed.item(dynamic.name, ItemKind::Dynamic, typed.start, text).detailed(dynamic.summary.to_owned())
        })
        .collect();
    items.extend(context.environment.dotenv.keys().filter(|name| fits(name)).map(|name| {
        let label = format!("{DOTENV} {name}");
        let text = format!("{label}{}", typed.closer);
        typed.item(&label, ItemKind::Dynamic, typed.start, text).detailed("a value of the `.env` file".into())
    }));
    for (name, detail) in
        [(DOTENV, "a value of the `.env` file"), (PROCESS_ENV, "a variable of the process; it counts as a secret")]
    {
        let item = typed.item(name, ItemKind::Dynamic, typed.start, format!("{name} "));
        items.push(item.detailed(detail.into()).unfinished());
    }
    items
}

/// Whether a name of a `.env` file can be written between braces.
fn fits(name: &str) -> bool {
    SecretName::of_process_variable(name).is_some()
}

/// At most [`MAX_ITEMS`]; if there are more, those that hold what is typed come first.
fn limited(items: impl IntoIterator<Item = Item>, typed: &str) -> Completions {
    let mut items: Vec<Item> = items.into_iter().collect();
    let incomplete = items.len() > MAX_ITEMS;
    if incomplete {
        let typed = typed.to_lowercase();
        items.sort_by_cached_key(|item| match item.filter.to_lowercase().find(&typed) {
            Some(place) => place,
            None => usize::MAX,
        });
        items.truncate(MAX_ITEMS);
    }
    Completions { items, incomplete }
}

impl Typed<'_> {
    fn item(&self, label: &str, kind: ItemKind, start: usize, text: String) -> Item {
        let span = Span::new(start, self.end);
        Item { label: escape::plain(label), kind, detail: None, span, text, filter: label.into(), continues: false }
    }
}

impl Item {
    fn detailed(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    fn unfinished(mut self) -> Self {
        self.continues = true;
        self
    }
}

/// The reference or variable that the cursor is in; none if there is no opener before it, or a closer between.
fn typed(source: &str, offset: usize) -> Option<Typed<'_>> {
    let before = before(source, offset);
    let (spelling, at) = match (before.rfind("<<"), before.rfind("{{")) {
        (Some(angle), Some(curly)) if angle > curly => (Spelling::Angle, angle),
        (_, Some(curly)) => (Spelling::Curly, curly),
        (Some(angle), None) => (Spelling::Angle, angle),
        (None, None) => return None,
    };
    let closer = diagnostics::closer(spelling);
    let inner = &before[at + 2..];
    if inner.contains(closer) || is_comment(before) {
        return None;
    }
    let text = inner.trim_start_matches(' ');
    let partial = PREFIX.starts_with(text) || text.starts_with(PREFIX);
    // `<<` alone is common in other languages: only what can become a reference is answered.
    if spelling == Spelling::Angle && !partial {
        return None;
    }
    let (end, closed) = rest(source, offset, closer);
    let closer = if closed { "" } else { closer };
    Some(Typed { spelling, text, start: offset - text.len(), end, closer })
}

/// Where the word at the cursor ends, and whether the closer follows. Without a closer the word is not ours.
fn rest(source: &str, offset: usize, closer: &str) -> (usize, bool) {
    let after = after(source, offset);
    let word = after.find(['<', '>', '{', '}', '"']).unwrap_or(after.len());
    if after[word..].starts_with(closer) {
        let end = offset + after[..word].trim_end_matches(' ').len();
        return (end, true);
    }
    // Half a closer belongs to the reference; a lone `}` is more likely JSON's.
    if closer == ">>" && after[word..].starts_with('>') && !after[..word].contains(' ') {
        return (offset + word + 1, false);
    }
    (offset, false)
}

/// The part of the cursor's line before it that is near enough.
fn before(source: &str, offset: usize) -> &str {
    let mut start = offset.saturating_sub(REACH);
    while !source.is_char_boundary(start) {
        start += 1;
    }
    let near = &source[start..offset];
    near.rfind(['\n', '\r']).map_or(near, |newline| &near[newline + 1..])
}

/// The part of the cursor's line behind it that is near enough.
fn after(source: &str, offset: usize) -> &str {
    let mut end = (offset + REACH).min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let near = &source[offset..end];
    near.find(['\n', '\r']).map_or(near, |newline| &near[..newline])
}

/// Whether a line of an `.http` file is a comment; JSON has no such lines.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with('#') && !line.starts_with("###")) || line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    /// The text after each item with this label is taken, in the order offered; the cursor is `$0`.
    fn check(fixture: &Fixture, label: &str, expected: &str) {
        let offset = fixture.cursor();
        let completions = complete(&fixture.context(), offset);
        let Some(item) = completions.items.iter().find(|item| item.label == label) else {
            panic!("no `{label}` in {:?}", labels(fixture));
        };
        assert!(item.span.touches(offset), "{item:?}");
        let mut text = fixture.source.clone();
        text.replace_range(item.span.start..item.span.end, &item.text);
        assert_eq!(text, expected);
    }

    fn labels(fixture: &Fixture) -> Vec<String> {
        let completions = complete(&fixture.context(), fixture.cursor());
        completions.items.into_iter().map(|item| item.label).collect()
    }

    fn with_secrets(text: &str) -> Fixture {
        Fixture::http(text).known("stripe-key").known("db/pass")
    }

    #[test]
    fn a_secret_replaces_what_is_typed_and_closes() {
        check(&with_secrets("GET https://a.b/<<vault:st$0"), "stripe-key", "GET https://a.b/<<vault:stripe-key>>");
        check(&with_secrets("GET https://a.b/{{vault:$0"), "db/pass", "GET https://a.b/{{vault:db/pass}}");
        check(&with_secrets("GET a/<<vault:$0 HTTP/1.1"), "db/pass", "GET a/<<vault:db/pass>> HTTP/1.1");
    }

    #[test]
    fn half_a_closer_is_completed() {
        check(&with_secrets("GET a/<<vault:s$0t>?x"), "db/pass", "GET a/<<vault:db/pass>>?x");
        check(&with_secrets("POST a\n\n{\"a\": {{vault:$0}"), "db/pass", "POST a\n\n{\"a\": {{vault:db/pass}}}");
    }

    #[test]
    fn a_closer_that_is_there_is_kept() {
        check(&with_secrets("GET a/<<vault:$0>>?x"), "db/pass", "GET a/<<vault:db/pass>>?x");
        check(&with_secrets("GET a/{{vault: st$0ripe }}"), "db/pass", "GET a/{{vault: db/pass }}");
    }

    #[test]
    fn the_prefix_comes_first_and_asks_for_more() {
        let fixture = with_secrets("GET https://a.b/<<va$0");
        let completions = complete(&fixture.context(), fixture.cursor());
        assert_eq!(completions.items.len(), 1);
        assert!(completions.items[0].continues);
        check(&fixture, "vault:", "GET https://a.b/<<vault:");
    }

    #[test]
    fn braces_offer_variables_of_the_file_and_the_environment() {
        let fixture = Fixture::http("@host = a.b\n\nGET https://{{h$0").environment("home", "x").dotenv("HAT", "y");
        let labels = labels(&fixture);
        for label in ["vault:", "host", "home", "HAT", "$guid", "$dotenv HAT", "$processEnv"] {
            assert!(labels.iter().any(|offered| offered == label), "{label} in {labels:?}");
        }
        check(&fixture, "home", "@host = a.b\n\nGET https://{{home}}");
    }

    #[test]
    fn the_percent_sign_is_kept() {
        check(&Fixture::http("@q = a\n\nGET https://a.b?{{%$0}}"), "q", "@q = a\n\nGET https://a.b?{{%q}}");
    }

    #[test]
    fn dynamic_variables_bring_their_arguments() {
        check(&Fixture::http("GET https://a.b/{{$r$0}}"), "$randomInt", "GET https://a.b/{{$randomInt 0 1000}}");
        check(&Fixture::http("GET https://a.b/{{$p$0}}"), "$processEnv", "GET https://a.b/{{$processEnv }}");
    }

    #[test]
    fn names_in_a_collection_are_safe_in_json() {
        let fixture = Fixture::postman(r#"{"url": "{{$0"}"#).environment("a\"b", "x").known("k");
        check(&fixture, "a\"b", r#"{"url": "{{a\"b}}"}"#);
        check(&Fixture::postman(r#"{"url": "<<vault:$0"}"#).known("k"), "k", r#"{"url": "<<vault:k>>"}"#);
    }

    #[test]
    fn nothing_is_offered_behind_a_closer_in_a_comment_or_after_shifts() {
        for text in ["GET a/<<vault:x>>$0", "# <<vault:$0", "POST a\n\ncat <<EOF$0", "POST a\n\n1 << 2$0"] {
            assert!(labels(&with_secrets(text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_very_long_line_is_not_searched() {
        let text = format!("POST a\n\n<<vault:{}$0", "é".repeat(1_000_000));
        assert!(labels(&with_secrets(&text)).is_empty());
    }

    #[test]
    fn many_secrets_are_cut_to_the_likely_ones() {
        let mut fixture = Fixture::http("GET a/<<vault:zz$0");
        for index in 0..MAX_ITEMS {
            fixture = fixture.known(&format!("a{index}"));
        }
        let fixture = fixture.known("a-zz");
        let completions = complete(&fixture.context(), fixture.cursor());
        assert_eq!((completions.items.len(), completions.incomplete), (MAX_ITEMS, true));
        assert_eq!(completions.items[0].label, "a-zz");
    }
}
