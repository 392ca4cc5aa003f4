//! The language server through the protocol: the real server, in memory, with an editor that misses nothing.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod features;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod process;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod rename;
#[cfg(test)]
mod restricted;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod workspace;
