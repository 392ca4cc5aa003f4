//! Parts of other requests: their names, then the side, then the names of headers and of what is in an answer that came
//! already. Names only, never a value.

use std::collections::HashSet;

use super::{Item, ItemKind, Typed};
use crate::{
    feature::{Context, variable},
    status::Shape,
    syntax::{
        Kind, Spelling,
        exchange::{self, Side},
        json::path::{JsonPath, PlainStep},
    },
};

/// The names of the requests that can be asked for.
pub(super) fn requests(context: &Context<'_>, typed: &Typed<'_>) -> Vec<Item> {
    if context.document.kind != Kind::Http {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let names = context.document.requests.iter().filter_map(|request| request.name.as_ref());
    let names = names.filter(|name| exchange::is_name(&name.text) && seen.insert(name.text.as_str()));
    let start = expression_start(typed);
    let item = |name: &str| {
        let item = typed.item(name, ItemKind::Request, start, format!("{name}.response."));
        let received = context.survey.answers.contains_key(name);
        let detail = if received { "a request that was answered" } else { "a request; it is sent first" };
        item.detailed(detail.into()).unfinished()
    };
    names.take(super::MAX_ITEMS).map(|name| item(&name.text)).collect()
}

/// What can follow the name of a request; none while no request is named.
pub(super) fn items(context: &Context<'_>, typed: &Typed<'_>) -> Option<Vec<Item>> {
    if typed.spelling != Spelling::Curly || context.document.kind != Kind::Http {
        return None;
    }
    let expression = variable::bare(typed.text);
    if let Some((name, side, rest)) = exchange::split(expression) {
        return is_named(context, name).then(|| parts(context, typed, name, side, rest));
    }
    let (name, rest) = expression.rsplit_once('.')?;
    (is_named(context, name) && !rest.contains(' ')).then(|| {
        let start = typed.start + typed.text.len() - rest.len();
        let side = |side: &str, detail: &str| {
            typed.item(side, ItemKind::Part, start, format!("{side}.")).detailed(detail.to_owned()).unfinished()
        };
        vec![side("response", "what was answered to it"), side("request", "what was sent")]
    })
}

fn is_named(context: &Context<'_>, name: &str) -> bool {
    context.document.requests_named(name).next().is_some()
}

fn expression_start(typed: &Typed<'_>) -> usize {
    typed.start + typed.text.len() - variable::bare(typed.text).len()
}

fn parts(context: &Context<'_>, typed: &Typed<'_>, name: &str, side: Side, rest: &str) -> Vec<Item> {
    if let Some(header) = rest.strip_prefix("headers.") {
        return headers(context, typed, name, side, header);
    }
    if let Some(path) = rest.strip_prefix("body.") {
        return match side {
            Side::Response => members(context, typed, name, path),
            Side::Request => Vec::new(),
        };
    }
    let start = typed.start + typed.text.len() - rest.len();
    let whole = typed.item("body.*", ItemKind::Part, start, format!("body.*{}", typed.closer));
    let inside = typed.item("body.$.", ItemKind::Part, start, "body.$.".into()).unfinished();
    let header = typed.item("headers.", ItemKind::Part, start, "headers.".into()).unfinished();
    vec![
        inside.detailed("a value of a JSON body, by its path".into()),
        header.detailed("a header, by its name".into()),
        whole.detailed("the whole body".into()),
    ]
}

fn headers(context: &Context<'_>, typed: &Typed<'_>, name: &str, side: Side, header: &str) -> Vec<Item> {
    let start = typed.start + typed.text.len() - header.len();
    let item = |header: &str| typed.item(header, ItemKind::Header, start, format!("{header}{}", typed.closer));
    match side {
        Side::Response => {
            let answer = context.survey.answers.get(name);
            answer.into_iter().flat_map(|answer| &answer.headers).map(|header| item(header)).collect()
        }
        Side::Request => {
            let request = context.document.requests_named(name).next();
            let headers = request.into_iter().flat_map(|request| &request.headers).filter(|header| header.enabled);
            let names = headers.map(|header| header.name.text(context.source));
            names.filter(|name| !name.contains(['{', '<'])).map(|name| item(name.trim())).collect()
        }
    }
}

/// The members at the place that the path leads to so far.
fn members(context: &Context<'_>, typed: &Typed<'_>, name: &str, path: &str) -> Vec<Item> {
    let Some(answer) = context.survey.answers.get(name) else { return Vec::new() };
    let cut = path.rfind('.').map_or(0, |dot| dot + 1);
    let (before, tail) = path.split_at(cut);
    let before = before.strip_suffix('.').unwrap_or(before);
    let before = before.strip_prefix("asJson").map_or(before, |rest| rest.trim_start_matches('.'));
    let Ok(path) = JsonPath::parse(before) else { return Vec::new() };
    let Some(shape) = path.plain_steps().and_then(|steps| follow(&answer.shape, &steps)) else { return Vec::new() };
    let start = typed.start + typed.text.len() - tail.len();
    shape.members.iter().map(|(name, inside)| member(typed, start, name, inside)).collect()
}

fn follow<'a>(mut shape: &'a Shape, steps: &[PlainStep<'_>]) -> Option<&'a Shape> {
    for step in steps {
        shape = match step {
            PlainStep::Member(wanted) => &shape.members.iter().find(|(name, _)| name == wanted)?.1,
            PlainStep::Element => &shape.elements.as_ref()?.1,
        };
    }
    Some(shape)
}

fn member(typed: &Typed<'_>, start: usize, name: &str, inside: &Shape) -> Item {
    let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'));
    // A name in quotes stands behind no dot.
    let is_behind_dot = !is_plain && typed.text[..start - typed.start].ends_with('.');
    let mut text = if is_plain { name.to_owned() } else { quoted(name) };
    let mut inner = inside;
    if let Some((_, first)) = &inside.elements {
        text.push_str("[0]");
        inner = first;
    }
    let (detail, ends) = match (&inside.elements, inside.members.is_empty()) {
        (Some((count, _)), _) => (format!("an array of {count}"), inner.members.is_empty()),
        (None, false) => ("an object".to_owned(), false),
        (None, true) => (String::new(), true),
    };
    text.push_str(if ends { typed.closer } else { "." });
    let mut item = typed.item(name, ItemKind::Part, start - usize::from(is_behind_dot), text);
    if is_behind_dot {
        item.filter = format!(".{name}");
    }
    if !detail.is_empty() {
        item = item.detailed(detail);
    }
    if ends { item } else { item.unfinished() }
}

/// A name as a step of a path, in ASCII alone (RFC 9535 section 2.3.1.1): nothing in it can end the braces.
fn quoted(name: &str) -> String {
    let mut text = String::from("['");
    let mut units = [0; 2];
    for char in name.chars() {
        match char {
            ' ' | '0'..='9' | 'A'..='Z' | 'a'..='z' | '.' | '_' | '-' | '/' | ':' | '@' | '#' => text.push(char),
            _ => char.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text + "']"
}

#[cfg(test)]
mod tests {
    use crate::feature::{completion::complete, fixture::Fixture};

    const LOGIN: &str = "# @name login\nPOST https://a.b\nX-Mine: 1\n\n###\nGET https://a.b/";

    fn fixture(typed: &str) -> Fixture {
        Fixture::http(&format!("{LOGIN}{typed}")).answered("login")
    }

    fn labels(typed: &str) -> Vec<String> {
        let fixture = fixture(typed);
        complete(&fixture.context(), fixture.cursor()).items.into_iter().map(|item| item.label).collect()
    }

    /// What the request's line is once the item is taken.
    fn check(typed: &str, label: &str, expected: &str) {
        let fixture = fixture(typed);
        let completions = complete(&fixture.context(), fixture.cursor());
        let Some(item) = completions.items.iter().find(|item| item.label == label) else {
            panic!("no `{label}` in {:?}", completions.items);
        };
        let mut text = fixture.source.clone();
        text.replace_range(item.span.start..item.span.end, &item.text);
        assert_eq!(text.strip_prefix(LOGIN), Some(expected), "{typed}");
    }

    #[test]
    fn a_request_is_offered_by_its_name() {
        check("{{lo$0", "login", "{{login.response.");
        check("{{%lo$0}}", "login", "{{%login.response.}}");
        assert_eq!(labels("{{login.$0}}"), ["response", "request"]);
        check("{{login.re$0}}", "request", "{{login.request.}}");
        assert_eq!(labels("{{login.response.$0}}"), ["body.$.", "headers.", "body.*"]);
        check("{{login.response.bo$0", "body.*", "{{login.response.body.*}}");
    }

    #[test]
    fn headers_are_offered_by_their_names() {
        assert_eq!(labels("{{login.response.headers.$0}}"), ["content-type", "x-session"]);
        check("{{login.response.headers.x$0", "x-session", "{{login.response.headers.x-session}}");
        assert_eq!(labels("{{login.request.headers.$0}}"), ["X-Mine"]);
    }

    #[test]
    fn members_of_an_answer_are_offered_by_their_names() {
        assert_eq!(labels("{{login.response.body.$.$0}}"), ["token", "user", "list", "two words}}"]);
        check("{{login.response.body.$.to$0", "token", "{{login.response.body.$.token}}");
        check("{{login.response.body.to$0", "token", "{{login.response.body.token}}");
        check("{{login.response.body.$.us$0", "user", "{{login.response.body.$.user.");
        check("{{login.response.body.$.user.$0", "id", "{{login.response.body.$.user.id}}");
        check("{{login.response.body.$.l$0", "list", "{{login.response.body.$.list[0].");
        check("{{login.response.body.$.list[0].$0", "odd", "{{login.response.body.$.list[0].odd}}");
        check("{{login.response.body.$.$0", "two words}}", "{{login.response.body.$['two words\\u007d\\u007d']}}");
    }

    #[test]
    fn nothing_is_offered_of_what_was_not_answered_or_is_not_there() {
        for typed in ["{{login.response.body.$.nope.$0}}", "{{login.request.body.$.$0}}"] {
            assert!(labels(typed).is_empty(), "{typed}");
        }
        let other = Fixture::http(&format!("{LOGIN}{{{{login.response.body.$.$0}}}}"));
        assert!(complete(&other.context(), other.cursor()).items.is_empty());
    }
}
