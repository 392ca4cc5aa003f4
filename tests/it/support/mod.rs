//! What several test modules share.

#[cfg(test)]
pub mod client;
#[cfg(test)]
pub mod echo;
pub mod openbao;
#[cfg(test)]
pub mod program;
pub mod provision;
pub mod target;
