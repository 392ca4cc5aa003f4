//! References and variables in the strings of a collection, wherever they stand, with their places in the file.

use memchr::memmem;

use crate::{
    name::SecretName,
    syntax::{
        Document, Place, Reference, Use,
        json::{self, Kind, OffsetMap, Tree, Value},
        reference::{self, MarkKind},
    },
    text::Span,
};

/// Where the text of a string goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    At(Place),
    /// The parts of a URL of which the raw text is sent. Postman cuts `<<vault:a.b>>` at `:` and `.`, so halves of
    /// references stand here that nobody wrote.
    UrlParts,
    /// A JSON body: inside its strings, or bare.
    JsonBody,
}

/// A placement for each node of a tree.
pub(super) struct Places {
    of_node: Vec<Placement>,
}

impl Places {
    pub(super) fn new(tree: &Tree<'_>) -> Self {
        Self { of_node: vec![Placement::At(Place::Elsewhere); tree.len()] }
    }

    /// Places a value and everything inside it.
    pub(super) fn put(&mut self, value: Value<'_>, placement: Placement) {
        self.of_node[value.indices()].fill(placement);
    }
}

/// Adds every reference and variable use to `document`, in the order of the file.
pub(super) fn collect(tree: &Tree<'_>, places: &Places, document: &mut Document) {
    let mut index = 0;
    let mut hints = Hints::new(tree.source());
    while index < tree.len() {
        let node = tree.node(index);
        index += 1;
        match node.kind() {
            Kind::Key if node.is("description") && index < tree.len() => {
                // Prose: what it mentions is used nowhere.
                index = tree.node(index).indices().end.max(index);
            }
            Kind::Key | Kind::String | Kind::Junk if hints.point_into(node.span()) => {
                read(node, places.of_node[node.index()], document);
            }
            _ => {}
        }
    }
}

/// Where marks may begin, found by a few searches through the whole text: most strings need no look of their own.
struct Hints<'a> {
    text: &'a [u8],
    /// For each way in which a mark may begin, the next place where it does.
    next: [(memmem::Finder<'static>, usize); 3],
    /// The first of those places.
    nearest: usize,
}

impl<'a> Hints<'a> {
    fn new(source: &'a str) -> Self {
        let text = source.as_bytes();
        // The last is `<` or `{`, escaped.
        let openers = ["<<", "{{", "\\u00"].map(memmem::Finder::new);
        let next = openers.map(|opener| (opener.clone(), find(text, 0, &opener)));
        let nearest = next.iter().map(|(_, next)| *next).min().unwrap_or(text.len());
        Self { text, next, nearest }
    }

    /// Whether a mark may begin inside `span`. NB. spans are asked in ascending order.
    fn point_into(&mut self, span: Span) -> bool {
        if self.nearest < span.start {
            self.move_to(span.start);
        }
        self.nearest < span.end
    }

    fn move_to(&mut self, start: usize) {
        self.nearest = self.text.len();
        for (opener, next) in &mut self.next {
            if *next < start {
                *next = find(self.text, start, opener);
            }
            self.nearest = self.nearest.min(*next);
        }
    }
}

/// The next place of `opener`; the end where there is none.
fn find(text: &[u8], from: usize, opener: &memmem::Finder<'_>) -> usize {
    opener.find(&text[from..]).map_or(text.len(), |offset| from + offset)
}

fn read(node: Value<'_>, placement: Placement, document: &mut Document) {
    let raw = node.raw();
    let (text, map) = if node.is_escaped() { json::decode_with_map(raw) } else { (raw.into(), OffsetMap::default()) };
    let base = node.inner().start;
    let at = |span: Span| Span::new(base + map.raw_offset(span.start), base + map.raw_offset(span.end));
    let mut strings = JsonStrings::new(&text);
    for mark in reference::marks(&text) {
        let place = match placement {
            Placement::At(place) => place,
            Placement::UrlParts if !mark.closed => continue,
            Placement::UrlParts => Place::Url,
            Placement::JsonBody if strings.is_inside(mark.span.start) => Place::Body,
            Placement::JsonBody => Place::JsonBare,
        };
        let name = mark.name_span.of(&text);
        match mark.kind {
            MarkKind::Vault(spelling) => document.references.push(Reference {
                span: at(mark.span),
                name_span: at(mark.name_span),
                name: SecretName::parse(name),
                spelling,
                closed: mark.closed,
                padded: mark.padded,
                place,
            }),
            MarkKind::Variable => document.uses.push(Use {
                name: name.to_owned(),
                name_span: at(mark.name_span),
                span: at(mark.span),
                closed: mark.closed,
                place,
            }),
        }
    }
}

/// Tells whether offsets of a JSON text, asked in ascending order, lie inside a string of it.
struct JsonStrings<'a> {
    text: &'a [u8],
    at: usize,
    inside: bool,
}

impl<'a> JsonStrings<'a> {
    fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, inside: false }
    }

    fn is_inside(&mut self, offset: usize) -> bool {
        while self.at < offset {
            match self.text[self.at] {
                b'"' => self.inside = !self.inside,
                b'\\' if self.inside => self.at += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.inside
    }
}

/// Whether a text starts as a JSON object or array; a reference or variable in braces is neither.
pub(super) fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    text.starts_with('[') || (text.starts_with('{') && !text.starts_with("{{"))
}
