//! What the server says it can do, for a client with certain abilities.

use tower_lsp_server::ls_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions, CompletionOptions,
    DiagnosticOptions, DiagnosticServerCapabilities, ExecuteCommandOptions, FoldingRangeProviderCapability,
    HoverProviderCapability, OneOf, PositionEncodingKind, RenameOptions, SaveOptions, SemanticTokensFullOptions,
    SemanticTokensLegend, SemanticTokensOptions, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextDocumentSyncSaveOptions, WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};

use crate::{
    feature::command::Verb,
    lsp::{abilities::Abilities, convert},
    text::Encoding,
};

/// What the server can do for a client with `abilities`.
pub fn announce(abilities: &Abilities) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(match abilities.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(sync()),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(completion()),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: None }),
        code_action_provider: Some(code_actions(abilities)),
        rename_provider: Some(rename(abilities)),
        semantic_tokens_provider: Some(tokens().into()),
        diagnostic_provider: abilities.pull_diagnostics.then(|| DiagnosticServerCapabilities::Options(diagnostics())),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: commands(abilities),
            work_done_progress_options: WorkDoneProgressOptions { work_done_progress: Some(true) },
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}

fn sync() -> TextDocumentSyncCapability {
    TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
        ..TextDocumentSyncOptions::default()
    })
}

/// The characters after which a name, a header or a variable can begin: `<<vault:`, `{{`, `Header: `, `{{$`, a path.
fn completion() -> CompletionOptions {
    CompletionOptions {
        trigger_characters: Some(["<", "{", ":", "/", "$", ".", " "].map(str::to_owned).to_vec()),
        ..CompletionOptions::default()
    }
}

/// Our plugins have choosers of their own, in which another choice would not show.
fn commands(abilities: &Abilities) -> Vec<String> {
    let announced = Verb::ALL.into_iter().filter(|verb| !abilities.plugin || *verb != Verb::UseEnvironment);
    announced.map(|verb| verb.id().to_owned()).collect()
}

fn code_actions(abilities: &Abilities) -> CodeActionProviderCapability {
    if !abilities.code_actions {
        return CodeActionProviderCapability::Simple(true);
    }
    CodeActionProviderCapability::Options(CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR, CodeActionKind::SOURCE]),
        ..CodeActionOptions::default()
    })
}

/// Options are for clients that prepare a renaming (LSP 3.17, "Rename Request").
fn rename(abilities: &Abilities) -> OneOf<bool, RenameOptions> {
    if !abilities.prepares_renames {
        return OneOf::Left(true);
    }
    OneOf::Right(RenameOptions {
        prepare_provider: Some(true),
        work_done_progress_options: WorkDoneProgressOptions::default(),
    })
}

fn tokens() -> SemanticTokensOptions {
    SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: convert::token_types(),
            token_modifiers: convert::token_modifiers(),
        },
        full: Some(SemanticTokensFullOptions::Bool(true)),
        range: Some(true),
        ..SemanticTokensOptions::default()
    }
}

fn diagnostics() -> DiagnosticOptions {
    DiagnosticOptions {
        identifier: Some("vaultls".into()),
        inter_file_dependencies: true,
        workspace_diagnostics: false,
        work_done_progress_options: WorkDoneProgressOptions::default(),
    }
}
