//! What a literal could be called in the vault, and where it goes.

use crate::{feature::Context, name::SecretName};

use super::Literal;

/// How many hosts one variable is followed to.
const MAX_HOSTS: usize = 8;

/// How many names are tried.
const MAX_TRIES: usize = 10_000;

/// A name from the place: the host, then what the value is called there. The local vault is one for all workspaces, so
/// that a bare `token` would soon be taken.
pub(super) fn suggest(context: &Context<'_>, literal: &Literal) -> SecretName {
    let hosts = hosts(context, literal);
    let host = match hosts.as_slice() {
        [host] => Some(host.trim_start_matches("http://").split(':').next().unwrap_or_default()),
        _ => None,
    };
    let hint = literal.hint.strip_prefix("x-").unwrap_or(&literal.hint);
    let hint = plain(hint);
    let hint = if hint.is_empty() { "secret" } else { &hint };
    let host = host.map(plain).filter(|host| !host.is_empty() && literal.variable.is_none());
    let base = match host {
        Some(host) => format!("{host}/{hint}"),
        None => hint.to_owned(),
    };
    free(context, &base)
}

/// The hosts of the requests that the literal belongs to.
pub(super) fn hosts(context: &Context<'_>, literal: &Literal) -> Vec<String> {
    let requests = &context.survey.requests;
    let host = |index: usize| requests.get(index).and_then(|request| request.host.clone());
    if let Some(request) = literal.request {
        return host(request).into_iter().collect();
    }
    let Some(variable) = &literal.variable else { return Vec::new() };
    let mut hosts = Vec::new();
    for used in context.document.uses.iter().filter(|used| used.name == *variable) {
        let found = context.document.request_at(used.span.start).and_then(host);
        hosts.extend(found.filter(|found| !hosts.contains(found)));
        if hosts.len() == MAX_HOSTS {
            break;
        }
    }
    hosts
}

/// `text` with nothing in it that no name holds.
fn plain(text: &str) -> String {
    const LONGEST: usize = 50;
    let kept = |char: char| if char.is_ascii() && SecretName::allows(char as u8) && char != ' ' { char } else { '-' };
    let name: String = text.chars().take(LONGEST).map(kept).collect();
    name.trim_matches(|char| matches!(char, '-' | '.' | '/')).to_owned()
}

fn free(context: &Context<'_>, base: &str) -> SecretName {
    let names = (1..MAX_TRIES).map(|count| if count == 1 { base.to_owned() } else { format!("{base}-{count}") });
    let mut names = names.filter_map(|name| SecretName::parse(&name).ok());
    let name = names.find(|name| context.known_secret(name).is_none());
    name.unwrap_or_else(|| SecretName::parse("secret").expect("it is a name"))
}
