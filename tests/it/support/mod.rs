//! What several test modules share.

#[cfg(test)]
pub mod client;
pub mod echo;
pub mod nvim;
pub mod program;
pub mod target;
