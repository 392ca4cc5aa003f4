//! The tests that go through a public door: the library's, the program's, the protocol's, an editor's.

#[cfg(test)]
mod support;

mod cli;
mod corpus_http;
mod corpus_postman;
mod exchange;
#[cfg(test)]
mod hashicorp;
mod hostile_hosts;
#[cfg(test)]
mod local_vault;
mod lsp;
mod nvim;
mod tidy;
