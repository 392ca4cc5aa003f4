//! Where this process's browser is, and opening a page in it.

use std::sync::Arc;

use url::Url;

use crate::{vault::browser, work::Core};

impl Core {
    /// Whether the person sits at another machine, where no page of this one can be seen.
    pub fn is_remote(&self) -> bool {
        browser::is_remote(&self.process_variables)
    }

    /// Whether there is a desktop here on which a browser could open.
    pub fn has_desktop(&self) -> bool {
        browser::has_desktop(&self.process_variables)
    }

    /// Opens a page by the system's own opener; whether that was possible.
    pub async fn open_in_browser(self: &Arc<Self>, page: Url) -> bool {
        self.blocking(move |core| browser::open(&page, &core.process_variables, Some(&core.root))).await
    }
}
