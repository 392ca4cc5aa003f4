//! The border to the protocol: the only place in which its values are built, and in which positions become byte
//! offsets and back.

mod place;
mod edit;
mod document;
mod message;
mod watch;

pub use document::*;
pub use edit::*;
pub use message::*;
pub use place::*;
pub use watch::*;
