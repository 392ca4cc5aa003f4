//! What each command does, on the core of its workspace. No argument and no answer holds a value: what only the person
//! knows is asked for beside the protocol.

use std::sync::Arc;

use tower_lsp_server::ls_types::MessageType;

use crate::{
    feature::{
        command::{AllowHost, Browse, Command, Create, Link, shown_name},
        escape,
    },
    lsp::{
        convert, curl, environment, extract,
        outcome::Outcome,
        question::{Effect, Question, ask, first_passphrase, passphrase},
        refresh, sign_in,
        state::{State, Workspace},
    },
    name::SecretName,
    vault::{local::Change, person::Field, provider::Shelf},
    work::{
        Core,
        verbs::{Failure, check_domains, still_to_review},
    },
};

/// The field for what is stored, which may have several lines.
pub const VALUE: &str = "value";

/// Carries out a command, but for a request that is to be sent: that can be stopped, and is told in its own way.
pub async fn carry_out(state: &Arc<State>, command: Command) -> Outcome {
    let Some((workspace, core)) = state.home(command.uri()).await else {
        return Outcome::failed("there is no workspace that this could be about");
    };
    match command {
        Command::Run(_) => Outcome::failed("a request is sent from the editor"),
        Command::CopyCurl(it) => curl::copy(state, it).await.unwrap_or_else(Outcome::failed),
        Command::Extract(it) => extract::extract(state, it).await.unwrap_or_else(Outcome::failed),
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
            Outcome::Status(Box::new(report))
        }
        Command::ResetCache(it) => reset_cache(state, &core, it.name.as_ref()).await,
        Command::UseEnvironment(it) => environment::choose(state, it.name).await,
    }
}

/// The answer to an act that changes what is known everywhere.
fn settle<T>(state: &Arc<State>, act: Result<T, Failure>, done: String) -> Outcome {
    refresh::all(state);
    act.map_or_else(Outcome::from, |_| Outcome::done(done))
}

async fn allow_host(state: &Arc<State>, core: &Arc<Core>, it: &AllowHost) -> Outcome {
    let allowed = core.allow_host(&it.secret, &it.host, it.remember).await;
    let how = if it.remember { "from now on" } else { "until the editor is closed" };
    let done = format!("{} may be sent to {} {how}", shown_name(&it.secret), escape::plain(&it.host));
    settle(state, allowed, done)
}

async fn create(state: &Arc<State>, core: Arc<Core>, it: Create) -> Outcome {
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

async fn ask_value(state: &Arc<State>, core: Arc<Core>, it: Create) -> Outcome {
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

async fn unlock(state: &Arc<State>, core: Arc<Core>) -> Outcome {
    ask(state, passphrase(), async move |passphrase| core.unlock(passphrase).await.map(|()| Effect::Done)).await
}

/// Locks every vault that is open: they are of one file, and whoever locks means all of it.
async fn lock_all(state: &Arc<State>) -> Outcome {
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
async fn disconnect(state: &Arc<State>, workspace: &Workspace, core: &Core, integration: &str) -> Outcome {
    state.sign_ins.end(&workspace.root, Some(integration));
    let ended = core.disconnect(integration).await;
    let done = format!("`{}` is disconnected, and what it gave is forgotten", escape::plain(integration));
    settle(state, ended, done)
}

async fn browse(core: &Core, it: Browse) -> Outcome {
    let at = Shelf { path: it.path, filter: it.filter.unwrap_or_default(), page: it.page };
    match core.browse(&it.integration, &at).await {
        Ok(choices) => Outcome::Choices(choices.into()),
        Err(failure) => failure.into(),
    }
}

fn open_at_provider(state: &Arc<State>, core: &Core, name: &SecretName) -> Outcome {
    let url = match core.vault.page(name) {
        Ok(url) => url,
        Err(problem) => return Failure::from(problem).into(),
    };
    let message = format!("the page of `{name}` at its provider");
    let page = convert::external_page(&url).filter(|_| state.editor.abilities().show_document);
    let Some(page) = page else { return Outcome::Page { url: url.into(), message } };
    let task = state.clone();
    // The client is never waited for here.
    state.editor.spawn(async move {
        if !task.editor.show(page).await {
            task.editor.say(MessageType::INFO, format!("{message}: {url}"));
        }
    });
    Outcome::done(format!("`{name}` is shown in the browser"))
}

async fn link(state: &Arc<State>, core: Arc<Core>, it: Link) -> Outcome {
    let shown = escape::plain(&it.link.integration);
    let done = format!("`{}` is linked to `{shown}`", it.name);
    let linked = core.link(&it.name, *it.link).await;
    let more = still_to_review(&core, &it.name).map(|more| format!("; {more}")).unwrap_or_default();
    settle(state, linked, done + &more)
}

/// Without `approve`, what waits for approval; with it, that is approved exactly as it was shown, and nothing that
/// came later.
async fn trust(state: &Arc<State>, workspace: &Workspace, core: Arc<Core>, approve: bool) -> Outcome {
    refresh::reread(state, workspace, &core).await;
    let shown = workspace.show(core.vault.pending());
    if !approve || shown.is_empty() {
        return Outcome::Review { pending: core.waiting() };
    }
    let count = shown.len();
    let approved = tokio::task::spawn_blocking(move || core.approve(&shown)).await;
    match approved {
        Ok(approved) => settle(state, approved, format!("{count} definitions of this workspace are trusted")),
        Err(_) => Outcome::failed("the approval could not be stored"),
    }
}

async fn reset_cache(state: &Arc<State>, core: &Core, name: Option<&SecretName>) -> Outcome {
    core.reset_cache(name).await;
    let done = name.map_or("everything cached is forgotten".into(), |name| format!("`{name}` will be asked for again"));
    settle(state, Ok(()), done)
}

/// A name as one word of a shell: names have no character that quotes would not hold.
fn shell_word(name: &SecretName) -> String {
    let name = name.as_str();
    let quoted = if name.contains(' ') { format!("'{name}'") } else { name.to_owned() };
    if name.starts_with('-') { format!("-- {quoted}") } else { quoted }
}
