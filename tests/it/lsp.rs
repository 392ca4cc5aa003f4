//! The language server through the protocol: the real server, in memory, with an editor that misses nothing.

mod commands;
mod diagnostics;
mod features;
mod protocol;
mod rename;
