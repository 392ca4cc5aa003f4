//! `vaultls.run`: one request, in a task of its own that ends with the request that asked for it, with
//! `$/cancelRequest`, or with the cancel button of its progress.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower_lsp_server::ls_types::{ProgressToken, Uri};

use crate::{
    environment,
    feature::{command::Run, symbols},
    lsp::{
        bare,
        command::{self, Answer},
        convert, files, lock,
        pipe::Pipe,
        refresh,
        state::{State, Workspace},
    },
    syntax::{self, Document, Kind, exchange, expand::Environment},
    text::{self, Encoding, Text},
    work::{Core, RunOutcome, Sheet},
};

/// How many requests are sent at the same time; the others wait.
const MAX_SENDS: usize = 16;

/// The runs that are under way.
pub struct Runs {
    sends: Semaphore,
    /// Those that the person can stop, by the token of their progress.
    stops: Mutex<HashMap<ProgressToken, CancellationToken>>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { sends: Semaphore::new(MAX_SENDS), stops: Mutex::default() }
    }
}

impl Runs {
    /// What the person does by the cancel button of the progress with `token`.
    pub fn stop(&self, token: &ProgressToken) {
        if let Some(stop) = lock(&self.stops).remove(token) {
            stop.cancel();
        }
    }

    /// Stops them all.
    pub fn end(&self) {
        lock(&self.stops).drain().for_each(|(_, stop)| stop.cancel());
    }

    /// A way to be stopped by the cancel button of the progress with `token`.
    pub fn stoppable(&self, token: Option<&ProgressToken>) -> Stop<'_> {
        let stop = CancellationToken::new();
        if let Some(token) = token {
            lock(&self.stops).insert(token.clone(), stop.clone());
        }
        Stop { runs: self, token: token.cloned(), stop }
    }
}

/// The way to stop something, for as long as it is under way.
pub struct Stop<'a> {
    runs: &'a Runs,
    token: Option<ProgressToken>,
    pub stop: CancellationToken,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            lock(&self.runs.stops).remove(token);
        }
    }
}

/// One request of one document, ready to be sent again after an approval.
#[derive(Clone)]
pub struct Errand {
    pub core: Arc<Core>,
    pub sheet: Sheet,
    pub request: usize,
}

/// Runs what `run` names.
///
/// # Errors
/// A message where there is nothing to run.
pub async fn run(state: &Arc<State>, mut run: Run, token: Option<ProgressToken>) -> Result<Answer, String> {
    let pipe = run.pipe.take().map(Pipe::new);
    match attempt(state, &run, token).await {
        Ok((errand, outcome)) => {
            if !state.editor.abilities().plugin {
                bare::follow_up(state, errand, pipe, &outcome);
            }
            Ok(Answer::Run(outcome))
        }
        Err(message) => {
            if let Some(pipe) = pipe {
                pipe.write(&message).await;
            }
            Err(message)
        }
    }
}

/// Sends it once, stoppable by the person.
async fn attempt(state: &Arc<State>, run: &Run, token: Option<ProgressToken>) -> Result<(Errand, RunOutcome), String> {
    let errand = errand(state, run).await?;
    let progress = state.editor.progress(token, errand.title());
    let stop = state.runs.stoppable(progress.token.as_ref());
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
        let _permit = task_state.runs.sends.acquire().await.expect("the semaphore is never closed");
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
    let (workspace, core) =
        command::home(state, Some(&run.uri)).await.ok_or("the document's workspace could not be opened")?;
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
