//! `vaultls.run`: one request, in a task of its own that ends with the request that asked for it, with
//! `$/cancelRequest`, or with the cancel button of its progress.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::task::AbortOnDropHandle;
use tower_lsp_server::ls_types::{ProgressToken, Uri};

use crate::{
    environment,
    feature::{command::Run, symbols},
    lsp::{
        convert, files, refresh,
        state::{State, Workspace},
    },
    name::SecretName,
    status::Reason,
    syntax::{self, Document, Kind, exchange, expand::Environment},
    text::{self, Encoding, Text},
    work::{Core, Obstacle, RunOutcome, Sheet},
};

/// One request of one document, ready to be sent again after an approval.
#[derive(Clone)]
pub struct Errand {
    pub core: Arc<Core>,
    pub sheet: Sheet,
    pub request: usize,
}

/// Sends what `run` names once, stoppable by the person.
///
/// # Errors
/// A message where there is nothing to run, or it was stopped.
pub async fn attempt(
    state: &Arc<State>,
    run: &Run,
    token: Option<ProgressToken>,
) -> Result<(Errand, RunOutcome), String> {
    let errand = errand(state, run).await?;
    let progress = state.editor.progress(token, errand.title());
    let stop = state.stops.stoppable(progress.token.as_ref());
    let outcome = tokio::select! {
        outcome = carry_out(state, errand.clone()) => outcome,
        () = stop.stop.cancelled() => Err("the request was stopped".to_owned()),
    };
    progress.end().await;
    Ok((errand, outcome?))
}

/// Sends the request, as soon as not too many others are under way.
pub async fn carry_out(state: &Arc<State>, errand: Errand) -> Result<RunOutcome, String> {
    let (task_state, sheet) = (state.clone(), errand.sheet.clone());
    let task = tokio::spawn(async move {
        let _permit = task_state.sends.acquire().await.expect("the semaphore is never closed");
        errand.core.run(&errand.sheet, errand.request, &BTreeMap::new()).await
    });
    let outcome = AbortOnDropHandle::new(task).await.map_err(|_| "the request could not be carried out".to_owned());
    look_again(state, &sheet);
    outcome
}

/// What was answered may be news to the requests that ask for parts of it.
fn look_again(state: &Arc<State>, sheet: &Sheet) {
    if sheet.document.uses.iter().any(|used| exchange::split(&used.name).is_some())
        && let Some(edition) = state.document_of(&sheet.path)
    {
        refresh::now(state, &edition.uri);
    }
}

impl Errand {
    /// The request's line as the file writes it: references stay references.
    pub fn title(&self) -> String {
        symbols::request_line(&self.sheet.document.requests[self.request], &self.sheet.source)
    }
}

/// The document as it is now, with environment files and definitions as they are on the disk now.
pub async fn errand(state: &Arc<State>, run: &Run) -> Result<Errand, String> {
    let uri: Uri = run.uri.parse().map_err(|_| "the document's URI is not valid".to_owned())?;
    let document = match state.snapshot(&uri).await {
        Some(snapshot) => Target {
            path: snapshot.edition.path.clone(),
            text: snapshot.edition.text.clone(),
            source: snapshot.source,
            document: snapshot.document,
        },
        None => unopened(state, &uri).await.ok_or("there are no requests in this document")?,
    };
    let request = chosen(&document.document, &document.text, run, state.encoding());
    let request = request.ok_or("there is no request at this place")?;
    let (workspace, core) = state.home(Some(&run.uri)).await.ok_or("the document's workspace could not be opened")?;
    let name = run.environment.clone().or_else(|| state.environment());
    let environment = current_environment(state, &workspace, core.clone(), &document.path, name).await?;
    let Target { path, source, document, .. } = document;
    Ok(Errand { core, sheet: Sheet { path, source, document, environment }, request })
}

/// A document that holds requests.
struct Target {
    path: PathBuf,
    text: Text,
    source: Arc<str>,
    document: Arc<Document>,
}

/// A document that is not open, from the disk.
async fn unopened(state: &State, uri: &Uri) -> Option<Target> {
    let path = convert::file_path(uri)?;
    let text = files::file(state, &path).await?.text;
    let read = tokio::task::spawn_blocking(move || {
        let source: Arc<str> = text.to_string().into();
        let document = Arc::new(syntax::parse(Kind::of(&path, &source)?, &source));
        Some(Target { path, text, source, document })
    });
    read.await.ok()?
}

/// The request that is meant: by its number, else by a line in it, else the first.
fn chosen(document: &Document, text: &Text, run: &Run, encoding: Encoding) -> Option<usize> {
    if let Some(request) = run.request {
        return (request < document.requests.len()).then_some(request);
    }
    let Some(line) = run.line else { return (!document.requests.is_empty()).then_some(0) };
    let start = text.offset(text::Position { line, column: 0 }, encoding);
    let end = text.offset(text::Position { line, column: u32::MAX }, encoding);
    document.request_at(start).or_else(|| document.request_at(end))
}

async fn current_environment(
    state: &State,
    workspace: &Workspace,
    core: Arc<Core>,
    path: &Path,
    name: Option<String>,
) -> Result<Arc<Environment>, String> {
    let (config, root, path) = (state.config_text(workspace), workspace.root.clone(), path.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        core.vault.reload(config.as_ref().map(Text::to_string).as_deref());
        environment::load(&path, &root, name.as_deref()).0
    });
    read.await.map(Arc::new).map_err(|_| "the environment files could not be read".to_owned())
}

/// The hosts to ask about, if nothing else stands in the way.
pub fn unapproved(outcome: &RunOutcome) -> Vec<(SecretName, String)> {
    let obstacles = match outcome {
        RunOutcome::Sent { .. } => &[],
        RunOutcome::Blocked { obstacles } => obstacles.as_slice(),
        RunOutcome::Failed { obstacle, .. } => obstacle.as_slice(),
    };
    let ask = |obstacle: &Obstacle| {
        let asked = obstacle.code == Reason::HostUnapproved.code();
        asked.then(|| Some((obstacle.secret.clone()?, obstacle.host.clone()?))).flatten()
    };
    let pairs: Option<Vec<_>> = obstacles.iter().map(ask).collect();
    pairs.unwrap_or_default()
}
