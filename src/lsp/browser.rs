//! The person's browser: whether it could show a page of this machine, how it is sent somewhere, and which pages of ours
//! are open in it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    lsp::{client::Editor, convert, lock::lock},
    work::Core,
};

/// How many pages are open at once; the oldest gives way to a new one.
const MOST: usize = 8;

/// The pages that are open, the oldest first.
#[derive(Default)]
pub struct OpenPages(Mutex<VecDeque<CancellationToken>>);

impl OpenPages {
    /// A place for one more page; it is taken back when a newer one needs it.
    pub fn enter(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        let mut open = lock(&self.0);
        open.retain(|page| !page.is_cancelled());
        if open.len() == MOST
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        open.push_back(stop.clone());
        stop
    }
}

/// Whether the person could see a page of this machine. Over SSH their browser is elsewhere.
pub fn can_open(editor: &Editor, core: &Core) -> bool {
    !core.is_remote() && (editor.abilities().show_document || core.has_desktop())
}

/// Sends the person's browser to a page: by the client where it can, else by the system's own opener.
pub async fn visit(editor: &Editor, core: &Arc<Core>, page: &Url) -> bool {
    let by_client = match convert::external_page(page) {
        Some(page) => editor.show(page).await,
        None => false,
    };
    // A plugin opens what its editor cannot.
    by_client || (!editor.abilities().plugin && core.open_in_browser(page.clone()).await)
}
