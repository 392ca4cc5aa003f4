//! The tests that go through a public door: the library's, the program's, the protocol's, an editor's.
// Says to the lints that helpers outside a `#[test]` function are tests too.
#![cfg(test)]

mod support;

mod aws;
mod azure;
mod bad_input;
mod cli;
mod contract;
mod corpus_http;
mod corpus_postman;
mod doctor;
mod environment;
mod exchange;
mod hashicorp;
mod hostile_hosts;
mod local_vault;
mod lsp;
mod nvim;
mod queries;
mod tidy;
mod vscode;
