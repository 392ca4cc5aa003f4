//! What several test modules share.

pub mod openbao;
pub mod provision;
