//! The tests that go through a public door: the library's, the program's, the protocol's, an editor's.

#[cfg(test)]
mod support;

mod bad_input;
mod cli;
mod corpus_http;
#[cfg(test)]
mod corpus_postman;
#[cfg(test)]
mod environment;
mod exchange;
#[cfg(test)]
mod hashicorp;
mod hostile_hosts;
#[cfg(test)]
mod local_vault;
mod lsp;
mod nvim;
mod queries;
mod tidy;
