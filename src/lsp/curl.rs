//! `vaultls.copyCurl`: a request as a command for a terminal. References stay references.

use std::sync::Arc;

use crate::{
    feature::command::Run,
    lsp::{outcome::Outcome, pipe::Pipe, run, state::State},
};

/// The request that `run` names: into its pipe where it has one that is read, else as the answer.
///
/// # Errors
/// A message where there is none, or where it cannot be written as a command.
pub async fn copy(state: &Arc<State>, mut run: Run) -> Result<Outcome, String> {
    let pipe = run.pipe.take().map(Pipe::new);
    let errand = run::errand(state, &run).await?;
    let text = errand.core.curl(&errand.sheet, errand.request).await.map_err(|failure| failure.to_string())?;
    if let Some(pipe) = pipe
        && pipe.write(&text).await
    {
        return Ok(Outcome::Done { message: "copied as a curl command, which keeps its references".into() });
    }
    Ok(Outcome::Text { text })
}
