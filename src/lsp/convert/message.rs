//! What the client is asked to show: documents, pages, progress.

use tower_lsp_server::ls_types::{
    ProgressParams, ProgressParamsValue, ProgressToken, ShowDocumentParams, Uri, WorkDoneProgress,
    WorkDoneProgressBegin, WorkDoneProgressEnd,
};

pub fn show_document(uri: Uri) -> ShowDocumentParams {
    ShowDocumentParams { uri, external: None, take_focus: Some(false), selection: None }
}

/// A page for the browser; none for an address that the protocol cannot carry.
pub fn external_page(url: &url::Url) -> Option<ShowDocumentParams> {
    let uri = url.as_str().parse().ok()?;
    Some(ShowDocumentParams { uri, external: Some(true), take_focus: Some(true), selection: None })
}

pub fn progress_begin(token: &ProgressToken, title: String) -> ProgressParams {
    let begin = WorkDoneProgressBegin { title, cancellable: Some(true), message: None, percentage: None };
    progress(token, WorkDoneProgress::Begin(begin))
}

pub fn progress_end(token: &ProgressToken) -> ProgressParams {
    progress(token, WorkDoneProgress::End(WorkDoneProgressEnd { message: None }))
}

fn progress(token: &ProgressToken, step: WorkDoneProgress) -> ProgressParams {
    ProgressParams { token: token.clone(), value: ProgressParamsValue::WorkDone(step) }
}
