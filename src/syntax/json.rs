//! JSON with byte ranges: a tolerant reader for text that is being typed.
//!
//! A text becomes a flat list of nodes, 16 bytes each, in the order of the text; nothing is decoded or copied until
//! someone asks for it. Whatever is wrong becomes a problem with a place, and reading goes on behind it. No step
//! recurses, so depth costs memory and nothing else.

mod layout;
pub mod path;
mod scan;
mod string;

use std::borrow::Cow;

pub use self::{
    layout::lay_out,
    scan::{scan, scan_with_comments},
    string::{OffsetMap, decode, decode_with_map},
};
use crate::text::Span;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    /// A member's name; its value, if there is one, is the next node.
    Key,
    String,
    Number,
    True,
    False,
    Null,
    /// Something that is no JSON: a bare word, an unquoted reference.
    Junk,
}

/// Something that JSON (RFC 8259) does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Span,
    pub message: &'static str,
}

/// A text that was read.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    source: &'a str,
    nodes: Vec<Node>,
    /// The first hundred things that are wrong.
    pub problems: Vec<Problem>,
}

/// Offsets are 32 bits wide: a text of 4 GiB is not read.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// The first node that is not inside this one.
    next: u32,
    kind: Kind,
    marks: u8,
}

/// A string with a backslash in it.
const ESCAPED: u8 = 1;
/// A string without its closing quote.
const UNCLOSED: u8 = 2;
/// A key without quotes.
const BARE: u8 = 4;

impl<'a> Tree<'a> {
    /// The text that was read.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The outermost value: the first object or array, where something stands before it that is no JSON.
    pub fn root(&self) -> Option<Value<'_>> {
        let mut at = 0;
        while at < self.len() {
            let node = self.node(at);
            if matches!(node.kind(), Kind::Object | Kind::Array) {
                return Some(node);
            }
            at = node.indices().end;
        }
        (!self.is_empty()).then(|| self.node(0))
    }

    /// How many nodes there are; [`Tree::node`] counts them from 0, in the order of the text.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// NB. panics past the last node.
    pub fn node(&self, index: usize) -> Value<'_> {
        assert!(index < self.nodes.len(), "node indices come from this tree");
        Value { tree: self, index: index as u32 }
    }
}

/// A node of a tree.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    tree: &'a Tree<'a>,
    index: u32,
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        self.tree.nodes[self.index as usize]
    }

    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its place in the tree's list of nodes.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// Another node of the same tree. NB. panics past the last one.
    pub fn sibling(self, index: usize) -> Self {
        self.tree.node(index)
    }

    /// The indices of the node and everything inside it.
    pub fn indices(self) -> std::ops::Range<usize> {
        self.index as usize..self.node().next as usize
    }

    /// Quotes and brackets included.
    pub fn span(self) -> Span {
        let node = self.node();
        Span::new(node.start as usize, node.end as usize)
    }

    /// The inside of a string or key; of anything else the whole.
    pub fn inner(self) -> Span {
        let node = self.node();
        let span = self.span();
        if !matches!(node.kind, Kind::String | Kind::Key) || node.marks & BARE != 0 {
            return span;
        }
        Span::new(span.start + 1, span.end - usize::from(node.marks & UNCLOSED == 0))
    }

    /// The inside as it is written.
    pub fn raw(self) -> &'a str {
        self.inner().of(self.tree.source)
    }

    /// Whether [`Value::raw`] and [`Value::text`] may differ.
    pub fn is_escaped(self) -> bool {
        self.node().marks & ESCAPED != 0
    }

    /// The text that a string or key means; of anything else what is written.
    pub fn text(self) -> Cow<'a, str> {
        if self.is_escaped() { decode(self.raw()) } else { Cow::Borrowed(self.raw()) }
    }

    /// Whether it means `text`.
    pub fn is(self, text: &str) -> bool {
        let node = self.node();
        if node.marks == 0 && matches!(node.kind, Kind::Key | Kind::String) {
            // Every key of every object is asked this several times, and most differ in length alone.
            let (start, end) = (node.start as usize + 1, node.end as usize - 1);
            return end - start == text.len() && self.tree.source.as_bytes()[start..end] == *text.as_bytes();
        }
        self.text() == text
    }

    /// The text of a string, number, `true` or `false`.
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        matches!(self.kind(), Kind::String | Kind::Number | Kind::True | Kind::False).then(|| self.text())
    }

    /// The value of the member `key` of an object; the last one where there are several, as in JavaScript.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        // A third of reading a collection is spent here: one node at a time, and most keys differ in length alone.
        let inside = &self.tree.nodes[..self.node().next as usize];
        let (mut at, mut found) = (self.index as usize + 1, None);
        while let Some(node) = inside.get(at) {
            if node.kind != Kind::Key {
                at = node.next as usize;
                continue;
            }
            let value = |index: usize| Value { tree: self.tree, index: index as u32 };
            let may_be_it = node.marks != 0 || (node.end - node.start) as usize == key.len() + 2;
            if may_be_it && value(at).is(key) && inside.get(at + 1).is_some_and(|next| next.kind != Kind::Key) {
                found = Some(value(at + 1));
            }
            at += 1;
        }
        found
    }

    /// The members of an object; nothing for any other node.
    pub fn members(self) -> Members<'a> {
        let children = if self.kind() == Kind::Object { self.indices() } else { 0..0 };
        Members { tree: self.tree, at: children.start + 1, end: children.end }
    }

    /// The elements of an array; nothing for any other node.
    pub fn items(self) -> Items<'a> {
        let children = if self.kind() == Kind::Array { self.indices() } else { 0..0 };
        Items { tree: self.tree, at: children.start + 1, end: children.end }
    }
}

/// A member of an object; the value is missing while it is being typed.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    pub key: Value<'a>,
    pub value: Option<Value<'a>>,
}

/// See [`Value::members`].
#[derive(Clone)]
pub struct Members<'a> {
    tree: &'a Tree<'a>,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.end {
            let node = self.tree.node(self.at);
            if node.kind() != Kind::Key {
                // A value without a key.
                self.at = node.indices().end;
                continue;
            }
            self.at += 1;
            let value = (self.at < self.end).then(|| self.tree.node(self.at));
            let value = value.filter(|value| value.kind() != Kind::Key);
            if let Some(value) = value {
                self.at = value.indices().end;
            }
            return Some(Member { key: node, value });
        }
        None
    }
}

/// See [`Value::items`].
#[derive(Clone)]
pub struct Items<'a> {
    tree: &'a Tree<'a>,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let node = self.tree.node(self.at);
        self.at = node.indices().end;
        Some(node)
    }
}

#[cfg(test)]
mod tests;
