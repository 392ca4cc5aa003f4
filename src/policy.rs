//! Which secret may go to which host.

use std::sync::Arc;

use url::Url;

use crate::{approval::Approvals, domain::DomainList, name::SecretName, status::Problem};

/// The rule of one workspace and one process.
pub struct Policy {
    #[expect(dead_code)]
    approvals: Arc<Approvals>,
}

impl Policy {
    /// `workspace` identifies the workspace in approvals: its canonical root folder.
    pub fn new(approvals: Arc<Approvals>, _workspace: String) -> Self {
        Self { approvals }
    }

    /// Whether `name` may be part of a request to `url`, given the domain list that counts for it.
    /// The same answer before sending, when sending, and at every redirect.
    pub fn check(&self, _name: &SecretName, _domains: &DomainList, _url: &Url) -> Result<(), Problem> {
        todo!()
    }

    /// Approves a host: for this process, or also for later ones.
    pub fn allow(&self, _name: &SecretName, _host: &str, _remember: bool) -> std::io::Result<()> {
        todo!()
    }

    /// Approves a host for every secret without a list, for this process (`--allow-host`).
    pub fn allow_any(&self, _host: &str) {
        todo!()
    }
}
