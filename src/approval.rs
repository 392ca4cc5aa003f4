//! What a person approved on this machine, kept by hash in the user's state folder, never in the workspace.

use std::path::PathBuf;

/// A thing that can be approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval<'a> {
    /// A secret without a domain list may be sent to a host by requests of a workspace.
    Host { workspace: &'a str, secret: &'a str, host: &'a str },
    /// A definition that came with a workspace counts; `definition` is its exact canonical text.
    Definition { workspace: &'a str, kind: &'a str, name: &'a str, definition: &'a str },
}

/// The store. Several processes may use one folder.
#[derive(Debug)]
pub struct Approvals {
    #[expect(dead_code)]
    folder: PathBuf,
}

impl Approvals {
    pub fn open(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn contains(&self, _approval: &Approval<'_>) -> bool {
        todo!()
    }

    pub fn grant(&self, _approval: &Approval<'_>) -> std::io::Result<()> {
        todo!()
    }

    pub fn revoke(&self, _approval: &Approval<'_>) -> std::io::Result<()> {
        todo!()
    }
}
