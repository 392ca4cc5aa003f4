//! Documents as they are read: what a feature is given, and where it works. Short texts are read at once, long ones
//! beside the handlers and a few at a time.

use std::sync::Arc;

use tower_lsp_server::ls_types::Uri;

use super::{
    State,
    edition::{Edition, Parsed},
    snapshot::Snapshot,
};
use crate::lsp::{browser, lock::lock};

/// Up to this length, in bytes, a text is read at once; a longer one is read beside the handlers.
const INLINE: usize = 64 << 10;

impl State {
    /// The document as it is now, ready for features. What the vaults say is what was last known.
    pub async fn snapshot(&self, uri: &Uri) -> Option<Snapshot> {
        let (edition, _) = self.edition(uri)?;
        self.snapshot_of(&edition).await
    }

    /// The same for an edition, also when a newer one came meanwhile.
    pub async fn snapshot_of(&self, edition: &Arc<Edition>) -> Option<Snapshot> {
        let (workspace, facts) = {
            let documents = lock(&self.documents);
            let open = documents.get(&edition.uri)?;
            (open.workspace.clone(), open.facts.clone())
        };
        let Parsed { source, document } = self.parsed(edition).await?;
        let document = document?;
        Some(Snapshot {
            edition: edition.clone(),
            survey: facts.survey(edition.version, document.requests.len()),
            environment: facts.environment.clone(),
            troubles: facts.troubles.clone(),
            known: workspace.known(),
            learned: facts.version.is_some(),
            chooses: self.editor.abilities().plugin
                || workspace.opened().is_some_and(|core| browser::can_open(&self.editor, &core)),
            encoding: self.encoding(),
            workspace,
            source,
            document,
        })
    }

    /// Reads an edition, once; none when a newer one came before it was its turn.
    pub async fn parsed(&self, edition: &Arc<Edition>) -> Option<Parsed> {
        let parse = || async {
            if edition.text.len() <= INLINE {
                return Some(edition.parse());
            }
            let reading = edition.clone();
            self.beside(edition, move || reading.parse()).await
        };
        edition.parsed_by(parse).await
    }

    /// Works an answer out: at once for a short text, beside the handlers for a long one. None after a fault, or
    /// when a newer edition came before it was its turn.
    pub async fn answer<T: Send + 'static>(
        &self,
        snapshot: Snapshot,
        work_out: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Option<T> {
        if snapshot.source.len() <= INLINE {
            return Some(work_out(&snapshot));
        }
        let edition = snapshot.edition.clone();
        self.beside(&edition, move || work_out(&snapshot)).await
    }

    /// Works on a long text; none after a fault, or when a newer edition came before it was its turn.
    async fn beside<T: Send + 'static>(
        &self,
        edition: &Arc<Edition>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _permit = self.parsers.acquire().await.expect("the semaphore is never closed");
        if !self.stands(edition) {
            return None;
        }
        tokio::task::spawn_blocking(work).await.ok()
    }
}
