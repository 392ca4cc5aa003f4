//! What several test modules share.

pub mod client;
pub mod echo;
pub mod ministack;
pub mod nvim;
pub mod openbao;
pub mod program;
pub mod provision;
pub mod target;
