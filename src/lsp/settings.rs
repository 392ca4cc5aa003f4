//! The client's settings: told by it, or asked for. They may come from the workspace, that is from a stranger: nothing
//! but the environment's name is taken from them.

use std::sync::Arc;

use serde_json::Value;
use tower_lsp_server::ls_types::Registration;

use crate::lsp::{
    abilities::{self, Abilities},
    convert, refresh,
    state::State,
};

/// The section of the client's settings that is ours.
const SECTION: &str = "vaultls";

/// What the client is asked to tell of, as far as it offers to. Our plugins tell the environment by themselves.
pub fn registrations(abilities: &Abilities) -> Vec<Registration> {
    let files = abilities.watch_files.then(convert::file_watchers);
    let settings = (abilities.watch_settings && asks(abilities)).then(|| convert::settings_watcher(SECTION));
    files.into_iter().chain(settings).collect()
}

/// Takes over what the client says of its settings. Some only say that something changed, and want to be asked.
pub fn changed(state: &Arc<State>, settings: &Value) {
    match settings.get(SECTION) {
        Some(ours) => choose(state, abilities::environment(Some(ours))),
        None => ask(state),
    }
}

/// Asks for the settings, where the client answers that. Without an answer stays what it said at the start.
pub fn ask(state: &Arc<State>) {
    if !asks(state.editor.abilities()) {
        return;
    }
    let task = state.clone();
    state.editor.spawn(async move {
        let settings = task.editor.settings(SECTION).await;
        let said = abilities::environment(settings.as_ref());
        choose(&task, said.or_else(|| task.editor.abilities().environment.clone()));
    });
}

fn choose(state: &Arc<State>, environment: Option<String>) {
    if state.choose_environment(environment) {
        refresh::all(state);
    }
}

/// Whether the client is asked. What a person chose in one of our plugins is not in its settings.
fn asks(abilities: &Abilities) -> bool {
    abilities.tells_settings && !abilities.plugin
}
