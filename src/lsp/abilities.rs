//! What the client said it can do, read once.

use std::path::PathBuf;

use tower_lsp_server::ls_types::{
    ClientCapabilities, DiagnosticTag, InitializeParams, MarkupKind, PositionEncodingKind, ResourceOperationKind,
};

use crate::{lsp::convert, text::Encoding};

/// What the client can do. Nothing is sent to it that it did not announce.
#[derive(Clone, Debug, Default)]
pub struct Abilities {
    pub encoding: Encoding,
    /// Whether it asks for diagnostics, and asks again when told to. Then none are pushed to it.
    pub pull_diagnostics: bool,
    pub refresh_lenses: bool,
    pub refresh_tokens: bool,
    pub show_document: bool,
    /// Whether the server may start progress of its own.
    pub progress: bool,
    /// Whether it will watch files when asked to.
    pub watch_files: bool,
    /// Whether a workspace edit may name the versions of documents.
    pub versioned_edits: bool,
    /// Whether the server may ask it to apply an edit.
    pub applies_edits: bool,
    /// Whether it takes code actions; else it takes bare commands.
    pub code_actions: bool,
    /// Whether it knows what a preferred code action is.
    pub preferred_actions: bool,
    /// Whether it asks where a name begins before it renames; it may be offered only to such a client.
    pub prepares_renames: bool,
    /// Whether it knows what a diagnostic's tag is.
    pub diagnostic_tags: bool,
    /// Whether it can be asked for its settings.
    pub tells_settings: bool,
    /// Whether it will tell of changed settings when asked to.
    pub watch_settings: bool,
    /// Whether a workspace edit may create a file.
    pub creates_files: bool,
    /// Whether hover may be Markdown.
    pub markdown: bool,
    pub nested_symbols: bool,
    /// Whether it runs our plugin, which asks the person and draws the answers.
    pub plugin: bool,
    /// Whether the person does not trust the workspace. Such an editor may still run commands from lenses and actions.
    pub restricted: bool,
    /// The client's own command that offers completions again, where it is known to have one.
    pub suggest: Option<&'static str>,
    /// The environment that is chosen, where the client says so.
    pub environment: Option<String>,
    /// The workspace's folders.
    pub folders: Vec<PathBuf>,
}

impl Abilities {
    pub fn of(params: &InitializeParams) -> Self {
        let client = &params.capabilities;
        let yes = |ability: Option<Option<bool>>| ability.flatten() == Some(true);
        let workspace = client.workspace.as_ref();
        let document = client.text_document.as_ref();
        let window = client.window.as_ref();
        let edit = workspace.and_then(|it| it.workspace_edit.as_ref());
        let options = params.initialization_options.as_ref().and_then(|options| options.get("vaultls"));
        let plugin = options.and_then(|options| options.get("client")?.as_str());
        let refresh = yes(workspace.and_then(|it| Some(it.diagnostics.as_ref()?.refresh_support)));
        Self {
            encoding: encoding(client),
            pull_diagnostics: refresh && document.is_some_and(|it| it.diagnostic.is_some()),
            refresh_lenses: yes(workspace.and_then(|it| Some(it.code_lens.as_ref()?.refresh_support))),
            refresh_tokens: yes(workspace.and_then(|it| Some(it.semantic_tokens.as_ref()?.refresh_support))),
            show_document: window.and_then(|it| it.show_document.as_ref()).is_some_and(|it| it.support),
            progress: yes(window.map(|it| it.work_done_progress)),
            watch_files: yes(workspace.and_then(|it| Some(it.did_change_watched_files.as_ref()?.dynamic_registration))),
            versioned_edits: yes(edit.map(|it| it.document_changes)),
            creates_files: edit
                .and_then(|it| it.resource_operations.as_ref())
                .is_some_and(|operations| operations.contains(&ResourceOperationKind::Create)),
            applies_edits: workspace.and_then(|it| it.apply_edit) == Some(true),
            code_actions: document
                .and_then(|it| it.code_action.as_ref()?.code_action_literal_support.as_ref())
                .is_some(),
            preferred_actions: yes(document.and_then(|it| Some(it.code_action.as_ref()?.is_preferred_support))),
            prepares_renames: yes(document.and_then(|it| Some(it.rename.as_ref()?.prepare_support))),
            diagnostic_tags: document
                .and_then(|it| it.publish_diagnostics.as_ref()?.tag_support.as_ref())
                .is_some_and(|tags| tags.value_set.contains(&DiagnosticTag::UNNECESSARY)),
            tells_settings: workspace.and_then(|it| it.configuration) == Some(true),
            watch_settings: yes(
                workspace.and_then(|it| Some(it.did_change_configuration.as_ref()?.dynamic_registration))
            ),
            markdown: document
                .and_then(|it| it.hover.as_ref()?.content_format.as_ref())
                .is_some_and(|formats| formats.contains(&MarkupKind::Markdown)),
            nested_symbols: yes(
                document.and_then(|it| Some(it.document_symbol.as_ref()?.hierarchical_document_symbol_support))
            ),
            plugin: plugin.is_some(),
            restricted: options.and_then(|options| options.get("restricted")?.as_bool()) == Some(true),
            suggest: (plugin == Some("vscode")).then_some("editor.action.triggerSuggest"),
            environment: environment(options),
            folders: folders(params),
        }
    }
}

/// The chosen environment among the client's settings.
pub fn environment(settings: Option<&serde_json::Value>) -> Option<String> {
    let name = settings?.get("environment")?.as_str()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The first encoding of the client's list; each of the protocol's three is spoken here (LSP 3.17,
/// `PositionEncodingKind`).
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.as_ref().and_then(|general| general.position_encodings.as_ref());
    let known = |kind: &PositionEncodingKind| match kind.as_str() {
        "utf-8" => Some(Encoding::Utf8),
        "utf-16" => Some(Encoding::Utf16),
        "utf-32" => Some(Encoding::Utf32),
        _ => None,
    };
    offered.into_iter().flatten().find_map(known).unwrap_or_default()
}

#[expect(deprecated, reason = "older clients name one root only")]
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.as_deref().unwrap_or_default();
    let mut folders: Vec<_> = folders.iter().filter_map(|folder| convert::file_path(&folder.uri)).collect();
    if folders.is_empty() {
        folders.extend(params.root_uri.as_ref().and_then(convert::file_path));
    }
    if folders.is_empty() {
        folders.extend(params.root_path.as_ref().map(PathBuf::from).filter(|path| path.is_absolute()));
    }
    folders
}
