//! `vaultls.useEnvironment`: chooses the environment that requests are sent with, in editors where nothing else does.

use std::sync::Arc;

use tower_lsp_server::ls_types::{MessageType, Uri};

use crate::{
    environment,
    feature::{
        command::{Command, UseEnvironment},
        escape,
    },
    lsp::{client::Unasked, convert, outcome::Outcome, refresh, state::State},
};

/// How many environments a question offers.
const MAX_OFFERED: usize = 12;

/// Uses the environment `name`, none where it is empty; without it the person is asked, after the command was answered.
pub async fn choose(state: &Arc<State>, name: Option<String>) -> Outcome {
    if let Some(name) = name {
        return Outcome::done(adopt(state, &name));
    }
    let Some(focus) = state.focus() else { return Outcome::failed("no document is open that this could be about") };
    let Some(snapshot) = state.snapshot(&focus.uri).await else {
        return Outcome::failed("there are no requests in this document");
    };
    let mut names = snapshot.context().environment.available.clone();
    if names.is_empty() {
        return Outcome::failed(
            "there is no environment: `http-client.env.json` beside the requests names them, or REST Client's settings",
        );
    }
    names.truncate(MAX_OFFERED);
    let task = state.clone();
    state.editor.spawn(async move { ask(&task, &names).await });
    Outcome::done("environments are offered")
}

/// The environments that requests of the document `uri` can be sent with, as the files say now; without it, of the
/// document in which the person was last.
pub async fn names(state: &State, uri: Option<&str>) -> Option<Vec<String>> {
    let uri: Uri = match uri {
        Some(uri) => uri.parse().ok()?,
        None => state.focus()?.uri,
    };
    let (root, path) = (state.workspace(Some(&uri)).root.clone(), convert::file_path(&uri)?);
    let found = tokio::task::spawn_blocking(move || environment::load(&path, &root, None).0.available);
    found.await.ok()
}

async fn ask(state: &Arc<State>, names: &[String]) {
    let titles: Vec<String> = names.iter().map(String::as_str).chain([""]).map(title).collect();
    let shown: Vec<&str> = titles.iter().map(String::as_str).collect();
    match state.editor.choose("Which environment are requests sent with?".into(), &shown).await {
        Ok(Some(chosen)) if shown.contains(&chosen.as_str()) => {
            let name = names.iter().find(|name| title(name) == chosen);
            adopt(state, name.map_or("", String::as_str));
        }
        Ok(_) => {}
        Err(Unasked) => {
            let names = names.iter().map(|name| escape::plain(name)).collect::<Vec<_>>().join(", ");
            state.editor.say(MessageType::INFO, format!("a code action on a request chooses among {names}"));
        }
    }
}

/// As a code action says it.
fn title(name: &str) -> String {
    Command::UseEnvironment(UseEnvironment { name: Some(name.to_owned()) }).title()
}

/// Makes it so; what then counts.
fn adopt(state: &Arc<State>, name: &str) -> String {
    let chosen = (!name.is_empty()).then(|| name.to_owned());
    if state.choose_environment(chosen) {
        refresh::all(state);
    }
    match name {
        "" => "requests are sent with no environment".into(),
        name => format!("requests are sent with the environment `{}`", escape::plain(name)),
    }
}
