//! `workspace/executeCommand`: reads a command, carries it out on the core, and answers with plain data. No answer
//! and no argument holds a value: what only the person knows is asked for beside the protocol.

use std::{future::Future, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};
use tower_lsp_server::ls_types::{ExecuteCommandParams, MessageType};

use crate::{
    feature::{
        command::{AllowHost, Browse, Command, Create, Link, Scope, Verb},
        escape,
    },
    http::shown,
    lsp::{
        bare, convert, curl, environment, extract, pages, refresh, run, sign_in,
        state::{State, Workspace},
    },
    name::SecretName,
    vault::{
        local::{Change, MIN_PASSPHRASE, Wanted},
        person::Field,
        provider::Shelf,
        value::SecretValue,
    },
    work::{
        Core, RunOutcome,
        choices::Listing,
        status::{Report, Waiting},
        verbs::{Failure, check_domains, still_to_review},
    },
};

/// The field for what is stored, which may have several lines.
pub const VALUE: &str = "value";

const RESTRICTED: &str = "this workspace is in Restricted Mode, so nothing is sent, asked for, or changed; trust it in the \
                          editor, if you know who wrote it";

/// What a command answers.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer {
    Run(RunOutcome),
    Other(Outcome),
}

#[derive(Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    Done {
        message: String,
    },
    /// The person must be asked; the answer goes through `vaultls answer` with the ticket.
    NeedsInput {
        ticket: String,
        message: String,
        fields: Vec<Field>,
        /// How the same is done in a terminal, for clients that cannot ask.
        #[serde(skip)]
        by_hand: String,
    },
    /// The person is to sign in on a page. The server opened it where the client can; an address that they paste goes
    /// through `vaultls answer`.
    Browser {
        integration: String,
        url: String,
        /// To be entered on the page.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Field>,
    },
    /// What there is to choose from; names, never values.
    Choices(Listing),
    /// A page for the browser that the client could not be made to show.
    Page {
        url: String,
        message: String,
    },
    /// What waits for approval, to be shown as it stands.
    Review {
        pending: Vec<Waiting>,
    },
    Status(Box<Report>),
    /// For the person to paste elsewhere.
    Text {
        text: String,
    },
    Failed {
        message: String,
        /// A code of `Reason`, where one is behind it.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
    },
}

impl Answer {
    pub fn done(message: impl Into<String>) -> Self {
        Self::Other(Outcome::Done { message: message.into() })
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::Other(Outcome::Failed { message: message.into(), code: None })
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::Other(Outcome::Failed { message: told(&failure), code: failure.code() })
    }
}

/// A failure with its way out.
pub fn told(failure: &Failure) -> String {
    if failure.hint.is_empty() { failure.message.clone() } else { format!("{}; {}", failure.message, failure.hint) }
}

/// Carries a command out. A client that does not run our plugin is told by the protocol's own means as well.
pub async fn execute(state: &Arc<State>, params: ExecuteCommandParams) -> Value {
    let abilities = state.editor.abilities();
    let by_page = !abilities.plugin && !abilities.restricted;
    let answer = match Verb::of(&params.command) {
        Some(verb) if by_page && params.arguments.is_empty() && pages::can_start(state, verb).await => {
            bare::start(state, verb)
        }
        _ => answer(state, params).await,
    };
    written(&answer, abilities.plugin)
}

/// An answer as JSON. A plugin gets the body of a response as it is to be shown, too, where that differs.
fn written(answer: &Answer, plugin: bool) -> Value {
    let mut value = serde_json::to_value(answer).expect("answers are plain data with text keys");
    if let Answer::Run(RunOutcome::Sent { response, .. }) = answer
        && plugin
        && let Some(body) = shown::laid_out(response)
    {
        value["response"]["shown"] = body.into();
    }
    value
}

async fn answer(state: &Arc<State>, params: ExecuteCommandParams) -> Answer {
    let command = parse(state, &params).and_then(|command| permit(state, command));
    let asked = command.as_ref().ok().cloned();
    let answer = match command {
        Ok(Command::Run(run)) => run::run(state, run, params.work_done_progress_params.work_done_token).await,
        Ok(Command::CopyCurl(run)) => curl::copy(state, run).await,
        Ok(Command::Extract(it)) => extract::extract(state, it).await,
        Ok(command) => Ok(carry_out(state, command).await),
        Err(message) => Ok(Answer::failed(message)),
    };
    let answer = answer.unwrap_or_else(Answer::failed);
    if !state.editor.abilities().plugin {
        bare::tell(state, asked, &answer);
    }
    answer
}

/// A command without any argument means the place where the person works: some clients can send none.
fn parse(state: &State, params: &ExecuteCommandParams) -> Result<Command, String> {
    let about_a_document = [Verb::Run, Verb::Trust, Verb::CopyCurl].iter().any(|verb| verb.id() == params.command);
    match params.arguments.as_slice() {
        [] if about_a_document => {
            let focus = state.focus().ok_or("no document is open that this could be about")?;
            let place = state
                .edition(&focus.uri)
                .map(|(edition, _)| convert::position(&edition.text, focus.offset, state.encoding()));
            let mut argument = json!({ "uri": focus.uri.as_str() });
            if let (Some(place), true) = (place, params.command != Verb::Trust.id()) {
                argument["line"] = json!(place.line);
            }
            Command::parse(&params.command, Some(&argument))
        }
        [] => Command::parse(&params.command, None),
        [argument] => Command::parse(&params.command, Some(argument)),
        _ => Err(format!("`{}` takes one argument", escape::plain(&params.command))),
    }
}

/// Where the workspace is not trusted, a person can look at what is known without asking any vault, and no more.
fn permit(state: &State, command: Command) -> Result<Command, String> {
    match command {
        command if !state.editor.abilities().restricted => Ok(command),
        Command::Status(it) => Ok(Command::Status(Scope { offline: true, ..it })),
        _ => Err(RESTRICTED.into()),
    }
}

/// Carries out a command that has no way of its own.
pub async fn carry_out(state: &Arc<State>, command: Command) -> Answer {
    let Some((workspace, core)) = home(state, command.uri()).await else {
        return Answer::failed("there is no workspace that this could be about");
    };
    match command {
        Command::Run(_) | Command::CopyCurl(_) | Command::Extract(_) => Answer::failed("this has its own way"),
        Command::AllowHost(it) => allow_host(state, &core, &it).await,
        Command::Create(it) => create(state, core, it).await,
        Command::Enable(it) => settle(state, core.enable(&it.name, true).await, format!("`{}` is enabled", it.name)),
        Command::Link(it) => link(state, core, it).await,
        Command::Unlock => unlock(state, core).await,
        Command::Lock => lock_all(state).await,
        Command::Login(it) => sign_in::login(state, &workspace, core, it).await,
        Command::Disconnect(it) => disconnect(state, &workspace, &core, &it.integration).await,
        Command::Browse(it) => browse(&core, it).await,
        Command::OpenAtProvider(it) => open_at_provider(state, &core, &it.name),
        Command::Trust(it) => trust(state, &workspace, core, it.approve).await,
        Command::Status(it) => {
            refresh::reread(state, &workspace, &core).await;
            let mut report = if it.offline { core.report_offline().await } else { core.report().await };
            report.environments = environment::names(state, it.uri.as_deref()).await;
            Answer::Other(Outcome::Status(Box::new(report)))
        }
        Command::ResetCache(it) => reset_cache(state, &core, it.name.as_ref()).await,
        Command::UseEnvironment(it) => environment::choose(state, it.name).await,
    }
}

/// The workspace that a command is about, with its core.
pub async fn home(state: &State, uri: Option<&str>) -> Option<(Arc<Workspace>, Arc<Core>)> {
    let uri = match uri {
        Some(uri) => Some(uri.parse().ok()?),
        None => None,
    };
    let workspace = state.workspace(uri.as_ref());
    let core = workspace.core(&state.options).await?;
    Some((workspace, core))
}

/// The answer to an act that changes what is known everywhere.
fn settle<T>(state: &Arc<State>, act: Result<T, Failure>, done: String) -> Answer {
    refresh::all(state);
    act.map_or_else(Answer::from, |_| Answer::done(done))
}

async fn allow_host(state: &Arc<State>, core: &Arc<Core>, it: &AllowHost) -> Answer {
    let allowed = core.allow_host(&it.secret, &it.host, it.remember).await;
    let how = if it.remember { "from now on" } else { "until the editor is closed" };
    let done = format!("`{}` may be sent to {} {how}", it.secret, escape::plain(&it.host));
    settle(state, allowed, done)
}

async fn create(state: &Arc<State>, core: Arc<Core>, it: Create) -> Answer {
    // Nobody types a value that could not be stored.
    if let Err(failure) = check_domains(it.allowed_domains.as_deref().unwrap_or_default()) {
        return failure.into();
    }
    let Some(question) = first_passphrase(&core).await else { return ask_value(state, core, it).await };
    let later = state.clone();
    ask(state, question, async move |passphrase| {
        core.unlock(passphrase).await?;
        Ok(Effect::Next(ask_value(&later, core, it).await))
    })
    .await
}

/// What has to be asked before a value can be stored; nothing while the local vault is open, or can open itself.
async fn first_passphrase(core: &Arc<Core>) -> Option<Question> {
    let asked = core.clone();
    match tokio::task::spawn_blocking(move || asked.vault.local().wants_passphrase()).await.ok()?? {
        Wanted::Entered => Some(passphrase()),
        Wanted::Chosen => Some(Question {
            message: "The local vault is new, and no key store of this system is at hand".into(),
            field: Field::hidden("passphrase", format!("A passphrase for it, of {MIN_PASSPHRASE} characters or more")),
            ..passphrase()
        }),
    }
}

async fn ask_value(state: &Arc<State>, core: Arc<Core>, it: Create) -> Answer {
    let name = it.name;
    let question = Question {
        message: format!("The value of `{name}` in the local vault"),
        field: Field::hidden(VALUE, format!("Value of {name}")),
        by_hand: format!("run `vaultls vault set {}` in a terminal", shell_word(&name)),
    };
    ask(state, question, async move |value| {
        let change = Change { value: Some(value), allowed_domains: it.allowed_domains, ..Change::default() };
        core.store(&name, change).await.map(Effect::from)
    })
    .await
}

async fn unlock(state: &Arc<State>, core: Arc<Core>) -> Answer {
    ask(state, passphrase(), async move |passphrase| core.unlock(passphrase).await.map(|()| Effect::Done)).await
}

/// Locks every vault that is open: they are of one file, and whoever locks means all of it.
async fn lock_all(state: &Arc<State>) -> Answer {
    let mut kept = false;
    for core in state.workspaces().iter().filter_map(|workspace| workspace.opened()) {
        kept |= core.lock().await;
    }
    let key =
        if kept { "; its key is still in the key store or the environment that this editor started with" } else { "" };
    settle(state, Ok(()), format!("the local vault is locked, and everything cached is forgotten{key}"))
}

/// Ends the session of an integration, and a sign-in that is under way. Also what could not be revoked is forgotten
/// here.
async fn disconnect(state: &Arc<State>, workspace: &Workspace, core: &Core, integration: &str) -> Answer {
    state.sign_ins.end(&workspace.root, Some(integration));
    let ended = core.disconnect(integration).await;
    let done = format!("`{}` is disconnected, and what it gave is forgotten", escape::plain(integration));
    settle(state, ended, done)
}

async fn browse(core: &Core, it: Browse) -> Answer {
    let at = Shelf { path: it.path, filter: it.filter.unwrap_or_default(), page: it.page };
    match core.browse(&it.integration, &at).await {
        Ok(choices) => Answer::Other(Outcome::Choices(choices.into())),
        Err(failure) => failure.into(),
    }
}

fn open_at_provider(state: &Arc<State>, core: &Core, name: &SecretName) -> Answer {
    let url = match core.vault.page(name) {
        Ok(url) => url,
        Err(problem) => return Failure::from(problem).into(),
    };
    let message = format!("the page of `{name}` at its provider");
    let page = convert::external_page(&url).filter(|_| state.editor.abilities().show_document);
    let Some(page) = page else { return Answer::Other(Outcome::Page { url: url.into(), message }) };
    let task = state.clone();
    // The client is never waited for here.
    state.editor.spawn(async move {
        if !task.editor.show(page).await {
            task.editor.say(MessageType::INFO, format!("{message}: {url}"));
        }
    });
    Answer::done(format!("`{name}` is shown in the browser"))
}

async fn link(state: &Arc<State>, core: Arc<Core>, it: Link) -> Answer {
    let shown = escape::plain(&it.link.integration);
    let done = format!("`{}` is linked to `{shown}`", it.name);
    let linked = core.link(&it.name, *it.link).await;
    let more = still_to_review(&core, &it.name).map(|more| format!("; {more}")).unwrap_or_default();
    settle(state, linked, done + &more)
}

/// Without `approve`, what waits for approval; with it, that is approved exactly as it was shown, and nothing that
/// came later.
async fn trust(state: &Arc<State>, workspace: &Workspace, core: Arc<Core>, approve: bool) -> Answer {
    refresh::reread(state, workspace, &core).await;
    let shown = workspace.show(core.vault.pending());
    if !approve || shown.is_empty() {
        return Answer::Other(Outcome::Review { pending: core.waiting() });
    }
    let count = shown.len();
    let approved = tokio::task::spawn_blocking(move || core.approve(&shown)).await;
    match approved {
        Ok(approved) => settle(state, approved, format!("{count} definitions of this workspace are trusted")),
        Err(_) => Answer::failed("the approval could not be stored"),
    }
}

async fn reset_cache(state: &Arc<State>, core: &Core, name: Option<&SecretName>) -> Answer {
    core.reset_cache(name).await;
    let done = name.map_or("everything cached is forgotten".into(), |name| format!("`{name}` will be asked for again"));
    settle(state, Ok(()), done)
}

/// Something to ask the person.
pub struct Question {
    pub message: String,
    pub field: Field,
    pub by_hand: String,
}

/// What came of an answer.
pub enum Effect {
    Done,
    /// It is done, and this should be known.
    Warned(String),
    /// What is to be asked or told next.
    Next(Answer),
}

impl From<Option<String>> for Effect {
    fn from(warning: Option<String>) -> Self {
        warning.map_or(Self::Done, Self::Warned)
    }
}

/// What opens the local vault, or makes its key.
pub fn passphrase() -> Question {
    Question {
        message: "The passphrase of the local vault".into(),
        field: Field::hidden("passphrase", "Passphrase"),
        by_hand: "start the editor with `VAULTLS_KEY_FILE`, or use a client with the vaultls plugin".into(),
    }
}

/// Issues a ticket for `question` and does `then` with the answer when it comes. What it did shows in diagnostics; a
/// failure is told to whoever answered.
pub async fn ask<F>(
    state: &Arc<State>,
    question: Question,
    then: impl FnOnce(SecretValue) -> F + Send + 'static,
) -> Answer
where
    F: Future<Output = Result<Effect, Failure>> + Send + 'static,
{
    let Question { message, field, by_hand } = question;
    let asked = match state.desk().await {
        Ok(desk) => desk.ask(vec![field.clone()]),
        Err(error) => Err(error),
    };
    let (ticket, answer) = match asked {
        Ok(asked) => asked,
        Err(error) => return Answer::failed(format!("nothing can be asked here: {error}; {by_hand}")),
    };
    let (waiting, id) = (state.clone(), field.id.clone());
    let taken = state.editor.spawn(async move {
        let Some(mut answered) = answer.await.ok() else { return };
        let Some(value) = answered.answers.remove(&id) else { return };
        let effect = then(value).await;
        refresh::all(&waiting);
        let effect = effect.map_err(|failure| told(&failure)).map(|effect| match effect {
            Effect::Done => None,
            Effect::Warned(warning) => {
                waiting.editor.say(MessageType::WARNING, warning);
                None
            }
            Effect::Next(answer) => Some(serde_json::to_value(answer).expect("answers are plain data with text keys")),
        });
        // Whoever answered tells the person; a failure that nobody waits for any more is told here.
        if let Err(Err(failure)) = answered.reply.send(effect) {
            waiting.editor.say(MessageType::WARNING, failure);
        }
    });
    if !taken {
        return Answer::failed("too many questions are open");
    }
    Answer::Other(Outcome::NeedsInput { ticket, message, fields: vec![field], by_hand })
}

/// A name as one word of a shell: names have no character that quotes would not hold.
fn shell_word(name: &SecretName) -> String {
    let name = name.as_str();
    let quoted = if name.contains(' ') { format!("'{name}'") } else { name.to_owned() };
    if name.starts_with('-') { format!("-- {quoted}") } else { quoted }
}
