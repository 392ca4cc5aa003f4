//! HashiCorp Vault and OpenBao: KV v1 and v2. The only user of vaultrs.

use std::{path::PathBuf, sync::Arc};

use crate::vault::value::SecretValue;

/// The tokens that the user's own tools left on this machine.
#[derive(Clone, Default)]
pub struct TokenSource {
    /// `VAULT_TOKEN`.
    pub given: Option<Arc<SecretValue>>,
    /// `~/.vault-token`.
    pub file: Option<PathBuf>,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource").field("file", &self.file).finish_non_exhaustive()
    }
}
