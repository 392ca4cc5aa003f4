//! What several test modules share.

#[cfg(test)]
pub mod client;
#[cfg(test)]
pub mod echo;
#[cfg(test)]
pub mod program;
pub mod target;
