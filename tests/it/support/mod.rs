//! What several test modules share.

pub mod echo;
pub mod nvim;
pub mod program;
