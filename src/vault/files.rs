//! The configuration files of one vault: read, understood, and compared with what they were.

use std::{path::PathBuf, sync::Arc};

use super::{LINK_FILE, Options, link::Definitions};
use crate::config::{FileText, Layer};

/// The configuration files as they were last read, and what they mean.
pub(super) struct Files {
    pub(super) user: FileText,
    pub(super) workspace: FileText,
    pub(super) definitions: Arc<Definitions>,
}

impl Options {
    /// The workspace's `vaultls.toml`, whether it exists or not.
    pub(super) fn link_file(&self) -> Option<PathBuf> {
        self.workspace.as_ref().map(|root| root.join(LINK_FILE))
    }
}

impl Files {
    pub(super) fn read(options: &Options, workspace_text: Option<&str>) -> Self {
        Self::understand(options, Self::load(options, workspace_text))
    }

    /// The texts of the user's file and of the workspace's.
    pub(super) fn load(options: &Options, workspace_text: Option<&str>) -> (FileText, FileText) {
        let workspace = match (options.link_file(), workspace_text) {
            (None, _) => FileText::Absent,
            (Some(_), Some(text)) => FileText::of_editor(text),
            (Some(path), None) => FileText::load(&path),
        };
        (FileText::load(&options.user_config), workspace)
    }

    pub(super) fn understand(options: &Options, (user, workspace): (FileText, FileText)) -> Self {
        let link_file = options.link_file().unwrap_or_default();
        let definitions = Definitions::new(
            &user.read(Layer::User, &options.user_config),
            &workspace.read(Layer::Workspace, &link_file),
        );
        Self { user, workspace, definitions: Arc::new(definitions) }
    }
}
