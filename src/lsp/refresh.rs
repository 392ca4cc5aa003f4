//! From an edit to diagnostics: a short quiet time, one parse for each version, the statuses of the names in it,
//! and a publication that only happens while the version still stands. Nothing here holds up a handler.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use tokio_util::task::AbortOnDropHandle;
use tower_lsp_server::ls_types::{Diagnostic, Uri};

use crate::{
    config::Layer,
    environment::{self, Trouble},
    feature::{self, Finding},
    lsp::{
        convert::{self, Lines},
        state::{CONFIG_FILE, Edition, Facts, Form, Parsed, Snapshot, State, Workspace},
    },
    status::Severity,
    text::{Span, Text},
    work::{Core, Sheet},
};

/// How long the vaults may take before the findings of the text alone are shown.
const SOON: Duration = Duration::from_millis(150);
/// How long they may take in all; providers have shorter limits of their own.
const AT_LAST: Duration = Duration::from_secs(60);
/// How often the times of configuration files are looked at, for what other programs change.
const WATCH: Duration = Duration::from_secs(3);
/// Of how many folders the environment files are looked at so.
const MAX_WATCHED: usize = 32;

/// Looks at a document after a short quiet time. An earlier look that is still under way is given up.
pub fn after_edit(state: &Arc<State>, uri: &Uri) {
    start(state, uri, state.options.quiet);
}

/// Looks at a document at once.
pub fn now(state: &Arc<State>, uri: &Uri) {
    start(state, uri, Duration::ZERO);
}

/// Looks at every open document again: something changed that is written in none of them.
pub fn all(state: &Arc<State>) {
    for uri in state.documents() {
        after_edit(state, &uri);
    }
}

fn start(state: &Arc<State>, uri: &Uri, quiet: Duration) {
    let look = {
        let (state, uri) = (state.clone(), uri.clone());
        async move {
            tokio::time::sleep(quiet).await;
            look_at(&state, &uri).await;
        }
    };
    state.set_refresh(uri, || AbortOnDropHandle::new(tokio::spawn(look)));
}

async fn look_at(state: &Arc<State>, uri: &Uri) {
    let Some((edition, workspace)) = state.edition(uri) else { return };
    match edition.form {
        Form::Requests(_) => look_at_requests(state, &edition, &workspace).await,
        Form::Config => look_at_config(state, &edition, &workspace).await,
    }
}

async fn look_at_requests(state: &Arc<State>, edition: &Arc<Edition>, workspace: &Arc<Workspace>) {
    let Some(parsed) = state.parsed(edition).await else { return };
    if parsed.document.is_none() {
        // A file that is none of ours, or no longer: what was said about it is taken back.
        state.learn(edition, Some(Facts::nothing(edition.version)));
        return publish(state, edition, None);
    }
    // A task of its own, so that a fault in it cannot keep the text's own findings from being shown.
    let mut survey =
        AbortOnDropHandle::new(tokio::spawn(survey(state.clone(), edition.clone(), workspace.clone(), parsed)));
    let facts = match tokio::time::timeout(SOON, &mut survey).await {
        Ok(facts) => facts,
        Err(_) => {
            publish_findings(state, edition).await;
            match tokio::time::timeout(AT_LAST, survey).await {
                Ok(facts) => facts,
                Err(_) => return,
            }
        }
    };
    let facts = facts.ok().flatten();
    if state.learn(edition, facts) {
        publish_findings(state, edition).await;
    }
}

/// What the vaults and the environment files say about one edition. No value is read.
async fn survey(state: Arc<State>, edition: Arc<Edition>, workspace: Arc<Workspace>, parsed: Parsed) -> Option<Facts> {
    let _permit = state.surveys.acquire().await.expect("the semaphore is never closed");
    let core = workspace.core(&state.options).await?;
    let config = state.config_text(&workspace);
    let (root, path, name) = (workspace.root.clone(), edition.path.clone(), state.environment());
    let prepared = {
        let core = core.clone();
        tokio::task::spawn_blocking(move || {
            reload(&core, config.as_ref());
            environment::load(&path, &root, name.as_deref())
        })
    };
    let (environment, troubles) = prepared.await.ok()?;
    let environment = Arc::new(environment);
    let sheet = Sheet {
        path: edition.path.clone(),
        source: parsed.source,
        document: parsed.document?,
        environment: environment.clone(),
    };
    let survey = core.survey(&sheet).await;
    learn_known(&workspace, core).await;
    Some(Facts::new(edition.version, environment, survey, troubles))
}

/// Reads the configuration of a workspace as it is now, in the editor or on the disk.
pub async fn reread(state: &State, workspace: &Workspace, core: &Arc<Core>) {
    let (core, config) = (core.clone(), state.config_text(workspace));
    let read = tokio::task::spawn_blocking(move || reload(&core, config.as_ref()));
    if read.await.is_err() {
        tracing::error!("the configuration could not be read");
    }
}

/// Finds out what can be named in a workspace now.
pub async fn known(state: &State, workspace: &Workspace) {
    let Some(core) = workspace.core(&state.options).await else { return };
    reread(state, workspace, &core).await;
    learn_known(workspace, core).await;
}

async fn learn_known(workspace: &Workspace, core: Arc<Core>) {
    if let Ok(known) = tokio::task::spawn_blocking(move || core.vault.known()).await {
        workspace.set_known(known);
    }
}

fn reload(core: &Core, config: Option<&Text>) {
    core.vault.reload(config.map(Text::to_string).as_deref());
}

/// Complaints about `vaultls.toml` as the editor holds it; the documents of its workspace follow.
async fn look_at_config(state: &Arc<State>, edition: &Arc<Edition>, workspace: &Arc<Workspace>) {
    let Some(core) = workspace.core(&state.options).await else { return };
    let text = edition.text.clone();
    let complaints = tokio::task::spawn_blocking(move || {
        reload(&core, Some(&text));
        core.vault.complaints(Layer::Workspace)
    });
    let Ok(complaints) = complaints.await else { return };
    let findings = feature::config_file::findings(&complaints);
    let diagnostics = shown(state, edition, &findings);
    state.learn(edition, Some(Facts::of_config(edition.version, findings)));
    publish(state, edition, Some(diagnostics));
    look_at_workspace(state, workspace);
}

/// Looks again at the documents whose secrets `workspace` defines.
pub fn look_at_workspace(state: &Arc<State>, workspace: &Arc<Workspace>) {
    for (edition, home) in state.editions() {
        if Arc::ptr_eq(&home, workspace) && edition.form != Form::Config {
            after_edit(state, &edition.uri);
        }
    }
}

/// A document is no longer open. Of `vaultls.toml`, what stands on the disk counts again.
pub fn closed(state: &Arc<State>, form: Form, workspace: &Arc<Workspace>) {
    if form == Form::Config {
        look_at_workspace(state, workspace);
    }
}

async fn publish_findings(state: &Arc<State>, edition: &Arc<Edition>) {
    if let Some(diagnostics) = diagnostics(state, &edition.uri).await {
        publish(state, edition, Some(diagnostics));
    }
}

fn publish(state: &State, edition: &Arc<Edition>, diagnostics: Option<Vec<Diagnostic>>) {
    if !state.editor.abilities().pull_diagnostics {
        state.publish(edition, diagnostics);
    }
}

/// The diagnostics of a document by what is known now; none when it is none of ours.
pub async fn diagnostics(state: &State, uri: &Uri) -> Option<Vec<Diagnostic>> {
    let (edition, _) = state.edition(uri)?;
    let findings = match edition.form {
        Form::Requests(_) => {
            let snapshot = state.snapshot_of(&edition).await?;
            state.answer(snapshot, findings).await?
        }
        Form::Config => state.config_findings(uri)?,
    };
    Some(shown(state, &edition, &findings))
}

fn shown(state: &State, edition: &Edition, findings: &[Finding]) -> Vec<Diagnostic> {
    let lines = Lines::new(&edition.text, state.encoding());
    let tags = state.editor.abilities().diagnostic_tags;
    findings.iter().map(|finding| convert::diagnostic(lines, finding, tags)).collect()
}

fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings: Vec<_> = snapshot.troubles.iter().map(trouble).collect();
    findings.extend(feature::diagnostics::diagnostics(&snapshot.context()));
    findings
}

/// A file beside the document that could not be used is told at the document's beginning.
fn trouble(trouble: &Trouble) -> Finding {
    let name = trouble.file.file_name().unwrap_or_default().to_string_lossy();
    Finding {
        span: Span::at(0),
        severity: Severity::Warning,
        code: feature::code::CONFIG,
        message: format!(
            "`{}` is not used: {}",
            feature::escape::plain(&name),
            feature::escape::plain(&trouble.message)
        ),
        tag: None,
    }
}

/// Looks at the times of the files that decide what the vaults say, so that a change by another program shows
/// without an edit, also where the client watches no files. Ends with the server.
pub async fn watch(state: Weak<State>) {
    let mut last = Vec::new();
    loop {
        tokio::time::sleep(WATCH).await;
        let Some(state) = state.upgrade() else { return };
        if state.documents().is_empty() {
            continue;
        }
        let files = watched(&state);
        let Ok(times) =
            tokio::task::spawn_blocking(move || files.iter().map(|file| modified(file)).collect::<Vec<_>>()).await
        else {
            continue;
        };
        // The first times count as news: what changed since the documents were looked at is not known.
        if last != times {
            all(&state);
        }
        last = times;
    }
}

/// The workspaces' files, the user's, and the folders in which the local vault and the approvals are replaced. Where the
/// client watches no files, also the environment files of open documents.
fn watched(state: &State) -> Vec<PathBuf> {
    let directories = &state.options.directories;
    let mut files = vec![directories.user_config(), directories.data.clone(), directories.state.join("approvals")];
    files.extend(state.workspaces().iter().map(|workspace| workspace.root.join(CONFIG_FILE)));
    if !state.editor.abilities().watch_files {
        let places: BTreeSet<_> = state
            .editions()
            .iter()
            .filter_map(|(edition, workspace)| Some((edition.path.parent()?.to_owned(), workspace.root.clone())))
            .collect();
        files.extend(places.iter().take(MAX_WATCHED).flat_map(|(folder, root)| environment::files(folder, root)));
    }
    files
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().ok()?.modified().ok()
}
