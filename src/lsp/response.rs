//! A response in the editor: as a file that it opens, which ends with the server.

use std::path::PathBuf;

use tower_lsp_server::ls_types::MessageType;

use crate::{
    http::{send::Response, shown},
    lsp::{convert, state::State, words},
};

/// Opens the response in the editor, else says how it went.
pub async fn show(state: &State, response: &Response, notes: &[String]) {
    let uri = keep(state, response).await.and_then(|path| convert::file_uri(&path));
    let shown = match uri {
        Some(uri) => state.editor.show(convert::show_document(uri)).await,
        None => false,
    };
    if !shown {
        state.editor.say(MessageType::INFO, words::response(response, notes));
    }
}

/// Writes the response, which is redacted, to a file that only the user can read and that ends with the server.
async fn keep(state: &State, response: &Response) -> Option<PathBuf> {
    let desk = state.desk().await.ok()?;
    state.janitor.start(&state.options.directories.runtime);
    let document = shown::document(response);
    let file = desk.write(document.text, document.extension).await.ok()?;
    let path = file.path().to_owned();
    state.shown.keep(file);
    Some(path)
}
