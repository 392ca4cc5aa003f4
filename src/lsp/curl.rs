//! `vaultls.copyCurl`: a request as a command for a terminal. References stay references.

use std::sync::Arc;

use crate::{
    feature::command::Run,
    lsp::{outcome::Outcome, run, state::State},
};

/// The request that `run` names.
///
/// # Errors
/// A message where there is none, or where it cannot be written as a command.
pub async fn copy(state: &Arc<State>, run: &Run) -> Result<Outcome, String> {
    let errand = run::errand(state, run).await?;
    let text = errand.core.curl(&errand.sheet, errand.request).await.map_err(|failure| failure.to_string())?;
    Ok(Outcome::Text { text })
}
