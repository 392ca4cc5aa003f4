//! Messages to the client. No handler ever waits for the client: a notification goes into a bounded outbox that one
//! task empties in order, and a question is asked by a task of its own, with a limit on their number and patience.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::Future,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ls_types::{
    ConfigurationItem, Diagnostic, MessageActionItem, MessageType, ProgressToken, Registration, ShowDocumentParams,
    Uri, WorkspaceEdit, notification,
};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower_lsp_server::{Client, jsonrpc, ls_types};

use crate::lsp::{abilities::Abilities, convert, lock::lock};

/// How many messages to a person may wait; the oldest go first.
const MAX_MESSAGES: usize = 64;
/// How many questions to the client, and tasks on its behalf, may be open at once.
const MAX_OPEN: usize = 32;
/// How long the client may take for a question that it answers by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a person may take.
const HUMAN_PATIENCE: Duration = Duration::from_secs(600);
/// A run that is over sooner shows no progress of its own.
const PROGRESS_DELAY: Duration = Duration::from_millis(400);
/// How long an answer waits for its progress to be told as ended.
const MOMENT: Duration = Duration::from_millis(200);

/// The client, as far as the server may speak to it.
pub struct Editor {
    client: Client,
    abilities: OnceLock<Abilities>,
    outbox: Arc<Outbox>,
    open: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: tokio_util::sync::CancellationToken,
    tokens: AtomicU64,
    _senders: [AbortOnDropHandle<()>; 2],
}

#[derive(Default)]
struct Outbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
    refreshes: Mutex<HashSet<Refresh>>,
    wake_refreshes: Notify,
}

#[derive(Default)]
struct Waiting {
    /// The last word on each document, in the order in which they were spoken of.
    order: VecDeque<Uri>,
    diagnostics: HashMap<Uri, (Vec<Diagnostic>, Option<i32>)>,
    messages: VecDeque<(MessageType, String)>,
}

/// Something that the client is to ask for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresh {
    Diagnostics,
    Lenses,
    Tokens,
}

enum Outgoing {
    Diagnostics(Uri, Vec<Diagnostic>, Option<i32>),
    Message(MessageType, String),
}

impl Editor {
    pub fn new(client: Client) -> Self {
        let outbox = Arc::<Outbox>::default();
        let senders =
            [tokio::spawn(send(outbox.clone(), client.clone())), tokio::spawn(refresh(outbox.clone(), client.clone()))];
        Self {
            client,
            abilities: OnceLock::new(),
            outbox,
            open: Arc::new(Semaphore::new(MAX_OPEN)),
            tasks: TaskTracker::new(),
            stop: tokio_util::sync::CancellationToken::new(),
            tokens: AtomicU64::new(0),
            _senders: senders.map(AbortOnDropHandle::new),
        }
    }

    /// Remembers what the client can do; false when it was said before.
    pub fn introduce(&self, abilities: Abilities) -> bool {
        self.abilities.set(abilities).is_ok()
    }

    /// What the client can do: nothing before it was introduced.
    pub fn abilities(&self) -> &Abilities {
        static NONE: OnceLock<Abilities> = OnceLock::new();
        self.abilities.get().unwrap_or_else(|| NONE.get_or_init(Abilities::default))
    }

    /// Replaces the diagnostics of a document, and what was to be said about it and is still unsent.
    pub fn publish(&self, uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
        let mut waiting = lock(&self.outbox.waiting);
        if waiting.diagnostics.insert(uri.clone(), (diagnostics, version)).is_none() {
            waiting.order.push_back(uri);
        }
        drop(waiting);
        self.outbox.wake.notify_one();
    }

    /// Says something to the person.
    pub fn say(&self, kind: MessageType, message: impl Into<String>) {
        let mut waiting = lock(&self.outbox.waiting);
        if waiting.messages.len() == MAX_MESSAGES {
            waiting.messages.pop_front();
        }
        waiting.messages.push_back((kind, message.into()));
        drop(waiting);
        self.outbox.wake.notify_one();
    }

    /// Lets the client ask again for what changed without an edit, where it can.
    pub fn refresh(&self) {
        let abilities = self.abilities();
        let wanted = [
            (Refresh::Diagnostics, abilities.pull_diagnostics),
            (Refresh::Lenses, abilities.refresh_lenses),
            (Refresh::Tokens, abilities.refresh_tokens),
        ];
        let wanted = wanted.into_iter().filter_map(|(refresh, able)| able.then_some(refresh));
        lock(&self.outbox.refreshes).extend(wanted);
        self.outbox.wake_refreshes.notify_one();
    }

    /// Runs `task` beside the handlers until it ends or the server does; dropped when too many run already.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(permit) = self.open.clone().try_acquire_owned() else {
            tracing::warn!("too many tasks wait for the client; one was dropped");
            return false;
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _permit = permit;
            stop.run_until_cancelled(task).await;
        });
        true
    }

    /// Asks the person to choose. Anything but a choice, also a client that cannot ask, is none.
    pub async fn choose(&self, question: String, choices: &[&str]) -> Result<Option<String>, Unasked> {
        let actions =
            choices.iter().map(|title| MessageActionItem { title: (*title).into(), properties: HashMap::new() });
        let asked = self.client.show_message_request(MessageType::WARNING, question, Some(actions.collect()));
        match tokio::time::timeout(HUMAN_PATIENCE, asked).await {
            Ok(Ok(choice)) => Ok(choice.map(|choice| choice.title)),
            Ok(Err(_)) => Err(Unasked),
            Err(_) => Ok(None),
        }
    }

    /// Opens a file in the editor; whether it was opened.
    pub async fn show(&self, document: ShowDocumentParams) -> bool {
        if !self.abilities().show_document {
            return false;
        }
        matches!(tokio::time::timeout(PATIENCE, self.client.show_document(document)).await, Ok(Ok(true)))
    }

    /// Lets the editor change documents.
    ///
    /// # Errors
    /// Why it did not, in its own words where it has some.
    pub async fn apply(&self, edit: WorkspaceEdit) -> Result<(), String> {
        match tokio::time::timeout(HUMAN_PATIENCE, self.client.apply_edit(edit)).await {
            Ok(Ok(answer)) if answer.applied => Ok(()),
            Ok(Ok(answer)) => Err(answer.failure_reason.unwrap_or_else(|| "the editor refused the edit".into())),
            Ok(Err(_)) => Err("the editor cannot apply edits".into()),
            Err(_) => Err("the editor did not answer".into()),
        }
    }

    /// Asks the client to tell of changes. One that does not is looked after by other means.
    pub async fn register(&self, registrations: Vec<Registration>) {
        if !matches!(tokio::time::timeout(PATIENCE, self.client.register_capability(registrations)).await, Ok(Ok(()))) {
            tracing::info!("the client will not tell of changes");
        }
    }

    /// The client's settings called `section`; none where it has no such settings or does not answer.
    pub async fn settings(&self, section: &str) -> Option<Value> {
        let item = ConfigurationItem { scope_uri: None, section: Some(section.into()) };
        let answered = tokio::time::timeout(PATIENCE, self.client.configuration(vec![item])).await;
        answered.ok()?.ok()?.into_iter().next().filter(Value::is_object)
    }

    /// Shows that something is under way until the answer ends: under the client's `token`, or under one of the
    /// server's own where the client takes such and the work is not over at once.
    pub fn progress(&self, token: Option<ProgressToken>, title: String) -> Progress {
        let own = token.is_none();
        if own && !self.abilities().progress {
            return Progress { token: None, over: None };
        }
        let token = token.unwrap_or_else(|| {
            ProgressToken::String(format!("vaultls/{}", self.tokens.fetch_add(1, Ordering::Relaxed)))
        });
        let (over, ended) = oneshot::channel::<oneshot::Sender<()>>();
        self.spawn(show_progress(self.client.clone(), token.clone(), title, own, ended));
        Progress { token: Some(token), over: Some(over) }
    }

    /// Ends every task. Nothing is sent afterwards.
    pub fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
    }
}

/// The client cannot ask a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unasked;

/// Progress that is shown until it ends or is dropped.
pub struct Progress {
    pub token: Option<ProgressToken>,
    over: Option<oneshot::Sender<oneshot::Sender<()>>>,
}

impl Progress {
    /// Ends it, and waits a moment until that is said: a client's token counts only until its request is answered
    /// (LSP 3.17, "Work Done Progress").
    pub async fn end(self) {
        let (said, heard) = oneshot::channel();
        if self.over.is_some_and(|over| over.send(said).is_ok()) {
            let _ = tokio::time::timeout(MOMENT, heard).await;
        }
    }
}

/// Says that something began and, once `ended` fires or is dropped, that it ended.
async fn show_progress(
    client: Client,
    token: ProgressToken,
    title: String,
    own: bool,
    mut ended: oneshot::Receiver<oneshot::Sender<()>>,
) {
    if own {
        tokio::select! {
            () = tokio::time::sleep(PROGRESS_DELAY) => {}
            _ = &mut ended => return,
        }
        let created = client.create_work_done_progress(token.clone());
        if !matches!(tokio::time::timeout(PATIENCE, created).await, Ok(Ok(()))) {
            return;
        }
    }
    client.send_notification::<notification::Progress>(convert::progress_begin(&token, title)).await;
    let said = ended.await;
    client.send_notification::<notification::Progress>(convert::progress_end(&token)).await;
    if let Ok(said) = said {
        let _ = said.send(());
    }
}

/// Sends what waits in the outbox, as fast as the client reads.
async fn send(outbox: Arc<Outbox>, client: Client) {
    loop {
        let next = lock(&outbox.waiting).next();
        match next {
            Some(Outgoing::Diagnostics(uri, diagnostics, version)) => {
                client.publish_diagnostics(uri, diagnostics, version).await;
            }
            Some(Outgoing::Message(kind, message)) => client.show_message(kind, message).await,
            None => outbox.wake.notified().await,
        }
    }
}

/// Asks for refreshes, one at a time, and only for the last of those that came meanwhile.
async fn refresh(outbox: Arc<Outbox>, client: Client) {
    loop {
        outbox.wake_refreshes.notified().await;
        let wanted = std::mem::take(&mut *lock(&outbox.refreshes));
        for kind in wanted {
            if !matches!(tokio::time::timeout(PATIENCE, again(&client, kind)).await, Ok(Ok(()))) {
                tracing::debug!(?kind, "the client did not refresh");
            }
        }
    }
}

async fn again(client: &Client, refresh: Refresh) -> jsonrpc::Result<()> {
    match refresh {
        Refresh::Diagnostics => client.workspace_diagnostic_refresh().await,
        Refresh::Lenses => client.code_lens_refresh().await,
        Refresh::Tokens => client.semantic_tokens_refresh().await,
    }
}

impl Waiting {
    fn next(&mut self) -> Option<Outgoing> {
        if let Some((kind, message)) = self.messages.pop_front() {
            return Some(Outgoing::Message(kind, message));
        }
        let uri = self.order.pop_front()?;
        let (diagnostics, version) = self.diagnostics.remove(&uri)?;
        Some(Outgoing::Diagnostics(uri, diagnostics, version))
    }
}
