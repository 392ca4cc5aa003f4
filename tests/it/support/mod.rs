//! What several test modules share.

pub mod client;
pub mod echo;
pub mod nvim;
pub mod program;
pub mod target;
