//! What several test modules share.

pub mod agent;
pub mod browser;
pub mod client;
pub mod connect;
#[cfg(unix)]
pub mod debian;
pub mod echo;
pub mod emacs;
pub mod front;
#[cfg(unix)]
pub mod helix;
pub mod home;
#[cfg(unix)]
pub mod kakoune;
pub mod key_vault;
pub mod ministack;
pub mod needles;
pub mod nvim;
pub mod oidc;
#[cfg(unix)]
pub mod op;
pub mod openbao;
pub mod ports;
pub mod program;
pub mod provision;
#[cfg(unix)]
pub mod screen;
pub mod session;
pub mod stand_in;
pub mod target;
#[cfg(unix)]
pub mod terminal;
#[cfg(unix)]
pub mod visitor;
pub mod vscode;
pub mod world;
