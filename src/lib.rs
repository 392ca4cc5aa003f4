//! vaultls puts secrets into HTTP requests without ever writing them down.
//!
//! One flow, no way back:
//!
//! ```text
//! text -> document -> references -> status -> feature -> edge (editor or terminal)
//! document -> request -> policy -> fill -> send -> redact -> edge
//! ```
//!
//! Modules stand here in reading order. The number is a layer; a file imports only from lower layers or from its own
//! folder, and a test holds it to that (`tests/it/tidy.rs`). No files know each other in a circle.
//!
//! | layer | modules | what they are |
//! |---|---|---|
//! | 0 | `name`, `text`, `status`, `disk` | words that everything shares; files read and replaced whole |
//! | 1 | `domain`, `approval`, `config`, `syntax` | what is written, and what it means |
//! | 2 | `environment`, `vault`, `feature` | files beside a document; the one door to secrets; what an editor shows |
//! | 3 | `policy`, `http` | which secret may go where; sending |
//! | 4 | `work` | the verbs that both faces share |
//! | 5 | `lsp`, `cli` | the two faces |
//! | 6 | `main` | the program |

// 0
pub mod name;
pub mod text;
pub mod status;
pub mod disk;
// 1
pub mod domain;
pub mod approval;
pub mod config;
pub mod syntax;
// 2
pub mod environment;
pub mod vault;
pub mod feature;
// 3
pub mod policy;
pub mod http;
// 4
pub mod work;
// 5
pub mod cli;
pub mod lsp;
