//! What is written in `vaultls.toml` and in the user's configuration, entry by entry with its place, and
//! complaints about what is wrong. One bad entry never hides the good ones.

use crate::{
    status::{Severity, Site},
    text::Span,
};

/// Which file an entry comes from. Entries of a workspace count only after the user approved them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    Workspace,
    User,
}

/// The place of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub layer: Layer,
    pub site: Site,
}

/// Something wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub span: Span,
    pub severity: Severity,
    pub message: String,
}
