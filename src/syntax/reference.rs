//! Finds `<<vault:name>>`, `{{vault:name}}` and `{{variable}}` in a text, unfinished ones too.

use crate::{syntax::Spelling, text::Span};

/// A reference or a variable, with offsets into the searched text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From the opener to the closer, or to where an unfinished one breaks off.
    pub span: Span,
    /// The name, trimmed.
    pub name_span: Span,
    pub kind: MarkKind,
    pub closed: bool,
    /// Whether spaces stand next to a delimiter.
    pub padded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Vault(Spelling),
    Variable,
}

/// The marks of `text` in order; they never overlap.
pub fn marks(text: &str) -> impl Iterator<Item = Mark> + '_ {
    let _ = text;
    std::iter::empty()
}
