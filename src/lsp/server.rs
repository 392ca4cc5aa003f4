//! The table of handlers: each converts, calls, converts. What changes the state does so before it first waits.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tower_lsp_server::{
    Client, LanguageServer,
    jsonrpc::{Error, ErrorCode, Result},
    ls_types::*,
};

use crate::{
    feature::{actions, completion, definition, folding, highlight, hover, lenses, rename::prepare, symbols, tokens},
    lsp::{
        abilities::Abilities,
        capabilities,
        client::Editor,
        convert::{self, Lines},
        execute, files,
        options::Options,
        refresh, rename, settings,
        state::{Snapshot, State},
    },
    text::Span,
    work::answer,
};

/// How long an answer about a document waits for what the vaults say about its last edit.
const PATIENCE: Duration = Duration::from_millis(500);

/// The service behind the protocol.
pub struct Server {
    state: Arc<State>,
}

impl Server {
    pub fn new(client: Client, options: Options) -> Self {
        Self { state: Arc::new(State::new(Editor::new(client), options)) }
    }

    pub fn state(&self) -> Arc<State> {
        self.state.clone()
    }

    /// `window/workDoneProgress/cancel`
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.state.stops.stop(&params.token);
    }

    /// The document a request is about; none when it is none of ours, or changes faster than it can be read.
    async fn snapshot(&self, document: &TextDocumentIdentifier) -> Option<Snapshot> {
        self.state.snapshot(&document.uri).await
    }

    /// The same with the place, which is remembered as where the person works.
    async fn place(&self, at: &TextDocumentPositionParams) -> Option<(Snapshot, usize)> {
        let (edition, _) = self.state.edition(&at.text_document.uri)?;
        let offset = Lines::new(&edition.text, self.state.encoding()).offset(at.position);
        self.state.set_focus(&edition.uri, offset);
        Some((self.state.snapshot_of(&edition).await?, offset))
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let abilities = Abilities::of(&params);
        let capabilities = capabilities::announce(&abilities);
        let (folders, environment) = (abilities.folders.clone(), abilities.environment.clone());
        if !self.state.editor.introduce(abilities) {
            return Err(Error::invalid_request());
        }
        self.state.begin(folders, environment);
        let server_info = ServerInfo { name: "vaultls".into(), version: Some(env!("CARGO_PKG_VERSION").into()) };
        Ok(InitializeResult { capabilities, server_info: Some(server_info), offset_encoding: None })
    }

    async fn initialized(&self, _: InitializedParams) {
        let registrations = settings::registrations(self.state.editor.abilities());
        let state = self.state.clone();
        if !registrations.is_empty() {
            self.state.editor.spawn(async move { state.editor.register(registrations).await });
        }
        settings::ask(&self.state);
        let directories = self.state.options.directories.clone();
        self.state.editor.spawn(async move {
            let _ = tokio::task::spawn_blocking(move || answer::sweep(&directories)).await;
        });
        self.state.editor.spawn(refresh::watch(Arc::downgrade(&self.state)));
    }

    /// What lies on the disk goes before the answer: some clients kill the server as soon as they have it.
    async fn shutdown(&self) -> Result<()> {
        self.state.shown.end();
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let uri = params.text_document.uri.clone();
        self.state.open(params.text_document);
        refresh::now(&self.state, &uri);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.uri.clone();
        if self.state.change(params) {
            refresh::after_edit(&self.state, &uri);
        }
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        refresh::now(&self.state, &params.text_document.uri);
    }

    // Some clients tell of these unasked. What is not done about them would be written to the standard error, which
    // editors show as a failure.
    async fn will_save(&self, _: WillSaveTextDocumentParams) {}
    async fn did_create_files(&self, _: CreateFilesParams) {}
    async fn did_rename_files(&self, _: RenameFilesParams) {}
    async fn did_delete_files(&self, _: DeleteFilesParams) {}

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        if let Some((form, workspace)) = self.state.forget(&params.text_document.uri) {
            refresh::closed(&self.state, form, &workspace);
        }
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.state.move_roots(convert::folders(&params.event.added), &convert::folders(&params.event.removed));
        refresh::all(&self.state);
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        if params.changes.iter().any(|change| convert::is_watched(&change.uri)) {
            refresh::all(&self.state);
        }
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        settings::changed(&self.state, &params.settings);
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let uri = params.text_document.uri;
        let told = tokio::time::timeout(PATIENCE, self.state.told(&uri)).await;
        if told.is_err() {
            self.state.owe_refresh();
        }
        Ok(convert::diagnostic_report(refresh::diagnostics(&self.state, &uri).await.unwrap_or_default()))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position_params).await else { return Ok(None) };
        let markdown = self.state.editor.abilities().markdown;
        Ok(hover::hover(&snapshot.context(), offset).map(|hover| convert::hover(snapshot.lines(), hover, markdown)))
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position).await else { return Ok(None) };
        let mut completions = completion::complete(&snapshot.context(), offset);
        // Before the vaults were asked the first time, a client is to ask again with the next letter.
        completions.incomplete |= !snapshot.learned;
        Ok(Some(convert::completions(snapshot.lines(), &completions, self.state.editor.abilities().suggest)))
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position_params).await else { return Ok(None) };
        let Some(site) = definition::definition(&snapshot.context(), offset) else { return Ok(None) };
        Ok(files::location(&self.state, &site).await.map(GotoDefinitionResponse::Scalar))
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position).await else { return Ok(None) };
        Ok(rename::references(&self.state, &snapshot, offset, params.context.include_declaration).await)
    }

    async fn document_highlight(&self, params: DocumentHighlightParams) -> Result<Option<Vec<DocumentHighlight>>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position_params).await else { return Ok(None) };
        let highlights = highlight::highlights(&snapshot.context(), offset);
        Ok(Some(highlights.iter().map(|highlight| convert::highlight(snapshot.lines(), highlight)).collect()))
    }

    async fn prepare_rename(&self, params: TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>> {
        let Some((snapshot, offset)) = self.place(&params).await else { return Ok(None) };
        Ok(prepare(&snapshot.context(), offset).map(|prepared| convert::prepared_rename(snapshot.lines(), prepared)))
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let Some((snapshot, offset)) = self.place(&params.text_document_position).await else { return Ok(None) };
        rename::rename(&self.state, snapshot, offset, &params.new_name).await.map_err(failed)
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let Some(snapshot) = self.snapshot(&params.text_document).await else { return Ok(None) };
        let nested = self.state.editor.abilities().nested_symbols;
        let symbols = move |it: &Snapshot| {
            convert::symbols(&it.edition.uri, it.lines(), &symbols::symbols(&it.context()), nested)
        };
        Ok(self.state.answer(snapshot, symbols).await)
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        let Some(snapshot) = self.snapshot(&params.text_document).await else { return Ok(None) };
        let folds =
            |it: &Snapshot| folding::folds(&it.context()).iter().map(|fold| convert::fold(it.lines(), fold)).collect();
        Ok(self.state.answer(snapshot, folds).await)
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let Some(snapshot) = self.snapshot(&params.text_document).await else { return Ok(None) };
        let uri = params.text_document.uri;
        let lenses = move |it: &Snapshot| {
            let lenses = lenses::lenses(&it.context(), uri.as_str());
            lenses.iter().map(|lens| convert::lens(it.lines(), lens)).collect()
        };
        Ok(self.state.answer(snapshot, lenses).await)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let place = TextDocumentPositionParams::new(params.text_document.clone(), params.range.start);
        let Some((snapshot, _)) = self.place(&place).await else { return Ok(None) };
        let span = snapshot.lines().span(params.range);
        let mut actions = actions::actions(&snapshot.context(), params.text_document.uri.as_str(), span);
        if !self.state.editor.abilities().plugin {
            actions.extend(actions::environments(&snapshot.context(), span));
        }
        let version = snapshot.edition.version;
        let actions: Vec<_> = actions.into_iter().map(|action| action.of_version(version)).collect();
        Ok(Some(files::code_actions(&self.state, &actions, &params.context).await))
    }

    async fn semantic_tokens_full(&self, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
        let Some(snapshot) = self.snapshot(&params.text_document).await else { return Ok(None) };
        let tokens = |it: &Snapshot| {
            let all = Span::new(0, it.source.len());
            convert::tokens(it.lines(), &tokens::tokens(&it.context(), all))
        };
        Ok(self.state.answer(snapshot, tokens).await.map(SemanticTokensResult::Tokens))
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        let Some(snapshot) = self.snapshot(&params.text_document).await else { return Ok(None) };
        let span = snapshot.lines().span(params.range);
        let tokens = move |it: &Snapshot| convert::tokens(it.lines(), &tokens::tokens(&it.context(), span));
        Ok(self.state.answer(snapshot, tokens).await.map(SemanticTokensRangeResult::Tokens))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        Ok(Some(execute::execute(&self.state, params).await))
    }
}

/// The request was understood and cannot be carried out (LSP 3.17, `RequestFailed`).
fn failed(message: String) -> Error {
    Error { code: ErrorCode::ServerError(-32803), message: message.into(), data: None }
}
