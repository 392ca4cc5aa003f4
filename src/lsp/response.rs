//! A response as a text, and in the editor: as a file that it opens, which ends with the server.

use std::path::PathBuf;

use tower_lsp_server::ls_types::MessageType;

use crate::{
    http::send::Response,
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
    let file = desk.write(written(response)).await.ok()?;
    let path = file.path().to_owned();
    state.shown.keep(file);
    Some(path)
}

/// A response as a text.
pub fn written(response: &Response) -> String {
    let Response { version, status, reason, headers, body, .. } = response;
    let mut text = format!("{version} {status} {reason}\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(body);
    text
}
