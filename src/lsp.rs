//! The language server: one of the two faces.

pub mod guard;
