//! The tests that go through a public door: the library's, the program's, the protocol's, an editor's.
// Says to the lints that helpers outside a `#[test]` function are tests too.
#![cfg(test)]
#![cfg_attr(not(unix), expect(dead_code, reason = "much of the support serves tests that need a Unix"))]

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

mod support;

mod aws;
mod aws_batch;
mod aws_sign_in;
mod azure;
mod azure_sdk;
mod azure_sign_in;
mod bad_input;
mod chain;
mod cli;
#[cfg(unix)]
mod clients;
mod contract;
mod corpus_http;
mod corpus_postman;
// Its commands are for a shell.
#[cfg(unix)]
mod curl;
mod doctor;
mod editors;
mod emacs;
mod environment;
mod exchange;
mod extract;
mod features;
mod hashicorp;
mod hashicorp_setup;
mod hashicorp_sign_in;
#[cfg(unix)]
mod helix;
mod hostile_hosts;
mod hostile_workspace;
#[cfg(unix)]
mod kakoune;
mod leaks;
mod local_vault;
mod lsp;
mod memory;
mod nvim;
mod oauth;
mod onepassword;
mod queries;
mod release;
mod reports;
mod sublime;
#[cfg(unix)]
mod terminal;
mod tidy;
mod transfer;
mod vscode;
mod zed;

/// As in the program, so that what is tested in this process leaves no more behind than there.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);
