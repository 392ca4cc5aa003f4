//! The names in a JSON body: what an editor offers while a path is written. No value is in it, and no name in which a secret
//! stands.

use crate::{
    http::{redact::Range, send::Received},
    name::SecretName,
    status::Shape,
    syntax::json::{self, Kind, Value},
};

/// How deep names are kept, and how many in all.
const MAX_DEPTH: usize = 8;
const MAX_NAMES: usize = 2_000;
/// The longest body whose names are kept, in bytes.
const MAX_BODY: usize = 4 << 20;
/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// The names in the body of an answer; `secrets` tells where secrets stand in it.
pub(super) fn of(received: &Received, secrets: &[(SecretName, Vec<Range>)]) -> Shape {
    let body = received.text.as_deref().filter(|body| !received.truncated && body.len() <= MAX_BODY);
    let Some(body) = body else { return Shape::default() };
    let tree = json::scan(body);
    let Some(root) = tree.root().filter(|_| tree.problems.is_empty()) else { return Shape::default() };
    let ranges = secrets.iter().flat_map(|(_, ranges)| ranges).copied().collect();
    Reader { secrets: ranges, left: MAX_NAMES }.shape(root, 0)
}

struct Reader {
    secrets: Vec<Range>,
    left: usize,
}

impl Reader {
    fn shape(&mut self, value: Value<'_>, depth: usize) -> Shape {
        let mut shape = Shape::default();
        if depth == MAX_DEPTH {
            return shape;
        }
        if value.kind() == Kind::Array {
            let first = value.items().next().map(|first| self.shape(first, depth + 1)).unwrap_or_default();
            shape.elements = Some((value.items().count(), Box::new(first)));
        }
        for member in value.members() {
            let Some(inside) = member.value else { continue };
            if self.left == 0 {
                break;
            }
            let span = member.key.span();
            let is_secret = self.secrets.iter().any(|range| range.0 < span.end && span.start < range.1);
            if !is_secret && span.len() <= MAX_NAME {
                self.left -= 1;
                shape.members.push((member.key.text().into_owned(), self.shape(inside, depth + 1)));
            }
        }
        shape
    }
}
