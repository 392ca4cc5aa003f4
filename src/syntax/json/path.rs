//! The part of JSONPath (RFC 9535) by which one request takes a value out of another's answer: members, indices,
//! wildcards and descendants. The first value in the order of the text is the one that is meant.
//!
//! Filters and slices are left out on purpose: they select several values, and nobody could be told which is sent. The
//! value is taken as it is written in the text, so a number keeps all its digits.

use std::borrow::Cow;

use super::{Kind, Value, decode};

/// The longest path, in steps.
const MAX_STEPS: usize = 32;
/// How many values one search looks at: with several descendants in a row there is no other end to it.
const MAX_WORK: usize = 4_000_000;

/// A path, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// `..`: at any depth.
    deep: bool,
    select: Select,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Select {
    /// Written behind a dot, a number also counts elements, as in JavaScript.
    Member(String),
    /// From the end where negative.
    Index(i64),
    Any,
}

/// A step as it can be followed through names alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainStep<'a> {
    Member(&'a str),
    Element,
}

/// The search took too long to be worth an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

impl JsonPath {
    /// Reads a path. The `$` at its start may be missing, as REST Client's users write it.
    ///
    /// # Errors
    /// What is wrong, for people, behind the path itself.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        if rest.len() == text.len() && !rest.is_empty() && !rest.starts_with(['.', '[']) {
            let (select, tail) = name(rest)?;
            steps.push(Step { deep: false, select });
            rest = tail;
        }
        while !rest.is_empty() {
            if steps.len() == MAX_STEPS {
                return Err("has too many steps");
            }
            let (step, tail) = step(rest)?;
            steps.push(step);
            rest = tail;
        }
        Ok(Self { steps })
    }

    /// Its steps; none where one of them looks at any depth.
    pub fn plain_steps(&self) -> Option<Vec<PlainStep<'_>>> {
        let steps = self.steps.iter().map(|step| match &step.select {
            Select::Member(name) => PlainStep::Member(name),
            Select::Index(_) | Select::Any => PlainStep::Element,
        });
        self.steps.iter().all(|step| !step.deep).then(|| steps.collect())
    }

    /// The first value below `root` that it leads to.
    pub fn first<'a>(&self, root: Value<'a>) -> Result<Option<Value<'a>>, TooMuch> {
        let mut work = MAX_WORK;
        search(root, &self.steps, &mut work)
    }
}

/// The text of a value for another place: a string's content, of anything else what is written.
pub fn content<'a>(value: Value<'a>) -> Cow<'a, str> {
    value.text()
}

fn step(text: &str) -> Result<(Step, &str), &'static str> {
    if let Some(rest) = text.strip_prefix("..") {
        let (select, rest) = if rest.starts_with('[') { bracket(rest)? } else { name(rest)? };
        return Ok((Step { deep: true, select }, rest));
    }
    let (select, rest) = match text.strip_prefix('.') {
        Some(rest) => name(rest)?,
        None => bracket(text)?,
    };
    Ok((Step { deep: false, select }, rest))
}

fn name(text: &str) -> Result<(Select, &str), &'static str> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name == "*" {
        return Ok((Select::Any, rest));
    }
    let fits = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '$' | '@' | ':');
    if name.is_empty() {
        return Err("misses a name behind its dot");
    }
    if !name.chars().all(fits) {
        return Err("holds a name that has to be quoted, as in `$['two words']`");
    }
    Ok((Select::Member(name.to_owned()), rest))
}

fn bracket(text: &str) -> Result<(Select, &str), &'static str> {
    let inner = text.strip_prefix('[').ok_or("misses a `.` or a `[`")?.trim_start();
    if let Some(quote) = inner.chars().next().filter(|char| matches!(char, '\'' | '"')) {
        let (text, rest) = quoted(&inner[1..], quote).ok_or("misses a closing quote")?;
        return Ok((Select::Member(text), closed(rest)?));
    }
    let end = inner.find(']').ok_or("misses a `]`")?;
    let (select, rest) = (inner[..end].trim_end(), &inner[end + 1..]);
    if select == "*" {
        return Ok((Select::Any, rest));
    }
    let index = select.parse().map_err(|_| "holds a filter, a slice or a list, which are not supported")?;
    Ok((Select::Index(index), rest))
}

fn closed(rest: &str) -> Result<&str, &'static str> {
    rest.trim_start().strip_prefix(']').ok_or("misses a `]`")
}

/// The text up to the closing quote with its escapes decoded (RFC 9535 section 2.3.1.1), and what follows.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => {
                // JSON knows every escape but the one of the single quote.
                let inside = text[..at].replace("\\'", "'");
                return Some((decode(&inside).into_owned(), &text[at + 1..]));
            }
            _ => {}
        }
    }
    None
}

fn search<'a>(value: Value<'a>, steps: &[Step], work: &mut usize) -> Result<Option<Value<'a>>, TooMuch> {
    let Some((step, rest)) = steps.split_first() else { return Ok(Some(value)) };
    if !step.deep {
        return select(value, &step.select, rest, work);
    }
    // The nodes of a value stand one behind the other, in the order of the text.
    for index in value.indices() {
        let inside = value.sibling(index);
        if inside.kind() != Kind::Key
            && let Some(found) = select(inside, &step.select, rest, work)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn select<'a>(
    value: Value<'a>,
    wanted: &Select,
    rest: &[Step],
    work: &mut usize,
) -> Result<Option<Value<'a>>, TooMuch> {
    match wanted {
        Select::Member(name) if value.kind() == Kind::Array => match name.parse() {
            Ok(index) => select(value, &Select::Index(index), rest, work),
            Err(_) => Ok(None),
        },
        Select::Member(name) => {
            spend(value.members().count() + 1, work)?;
            value.get(name).map_or(Ok(None), |found| search(found, rest, work))
        }
        Select::Index(index) => {
            spend(value.items().count() + 1, work)?;
            element(value, *index).map_or(Ok(None), |found| search(found, rest, work))
        }
        Select::Any => {
            let members = value.members().filter_map(|member| member.value);
            for inside in members.chain(value.items()) {
                spend(1, work)?;
                if let Some(found) = search(inside, rest, work)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        }
    }
}

fn element(value: Value<'_>, index: i64) -> Option<Value<'_>> {
    let from_end = || value.items().count().checked_sub(usize::try_from(index.checked_neg()?).ok()?);
    let index = if index < 0 { from_end()? } else { usize::try_from(index).ok()? };
    value.items().nth(index)
}

fn spend(amount: usize, work: &mut usize) -> Result<(), TooMuch> {
    *work = work.checked_sub(amount).ok_or(TooMuch)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json::scan;

    const TEXT: &str = r#"{"a": {"b": [10, 20.50, {"c": "x\ny"}]}, "two words": true, "id": 12345678901234567890123,
        "l": [{"token": "first"}, {"token": "second"}], "n": null, "it's": 1, "0": "zero"}"#;

    fn check(path: &str, expected: Option<&str>) {
        let tree = scan(TEXT);
        let found = JsonPath::parse(path).unwrap().first(tree.root().unwrap()).unwrap();
        assert_eq!(found.map(content).as_deref(), expected, "{path}");
    }

    #[test]
    fn one_place_is_named_by_members_and_indices() {
        check("$.a.b[0]", Some("10"));
        check("a.b[2].c", Some("x\ny"));
        check("$['a'][\"b\"][-1]['c']", Some("x\ny"));
        check("a.b.1", Some("20.50"));
        check("$['two words']", Some("true"));
        check("$['it\\'s']", Some("1"));
        check("$['\\u0061'].b[0]", Some("10"));
        check("$.0", Some("zero"));
        check("$.n", Some("null"));
        check("$.l[1]", Some(r#"{"token": "second"}"#));
        check("$", Some(TEXT));
    }

    #[test]
    fn a_number_keeps_its_digits() {
        check("id", Some("12345678901234567890123"));
    }

    #[test]
    fn of_several_the_first_is_meant() {
        check("$..token", Some("first"));
        check("$.l[*].token", Some("first"));
        check("$..[1]", Some("20.50"));
        check("$.*.b[0]", Some("10"));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in ["$.x", "$.a.b[9]", "$.a.b[-9]", "$.a.b.c", "$..nope", "$.n.x", "$.l[-9223372036854775808]"] {
            check(path, None);
        }
    }

    #[test]
    fn what_is_no_path_says_why() {
        for (path, expected) in [
            ("$.", "misses a name behind its dot"),
            ("$.a b", "holds a name that has to be quoted, as in `$['two words']`"),
            ("$[?(@.a)]", "holds a filter, a slice or a list, which are not supported"),
            ("$[0:2]", "holds a filter, a slice or a list, which are not supported"),
            ("$['a", "misses a closing quote"),
            ("$['a'", "misses a `]`"),
            ("$[0", "misses a `]`"),
            ("$a", "misses a `.` or a `[`"),
        ] {
            assert_eq!(JsonPath::parse(path), Err(expected), "{path}");
        }
        assert_eq!(JsonPath::parse(&".a".repeat(100)), Err("has too many steps"));
    }

    #[test]
    fn a_path_made_to_take_forever_is_given_up() {
        let text = format!("{}1{}", "[".repeat(3_000), "]".repeat(3_000));
        let tree = scan(&text);
        let path = JsonPath::parse("$..*..*..*..*.x").unwrap();
        assert_eq!(path.first(tree.root().unwrap()).err(), Some(TooMuch));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_as_a_path_or_refused(path in "\\PC{0,40}", text in "\\PC{0,60}") {
            if let Ok(path) = JsonPath::parse(&path)
                && let Some(root) = scan(&text).root()
            {
                let _ = path.first(root).map(|found| found.map(|value| content(value).len()));
            }
        }
    }
}
