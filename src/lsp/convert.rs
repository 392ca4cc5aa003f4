//! The border to the protocol: the only place in which its values are built, and in which positions become byte
//! offsets and back.

use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::*;

use crate::{
    feature::{
        Finding, Tag,
        actions::{Action, ActionKind, Effect},
        command,
        completion::{Completions, Item, ItemKind},
        folding::Fold,
        highlight, hover,
        lenses::Lens,
        rename::Prepared,
        symbols,
        tokens::{Token, TokenKind},
    },
    lsp::{files::File, state::Snapshot},
    status::Severity,
    text::{self, Encoding, Span, Text},
};

/// What diagnostics carry as their source.
const SOURCE: &str = "vaultls";

pub fn offset(text: &Text, position: Position, encoding: Encoding) -> usize {
    text.offset(text::Position { line: position.line, column: position.character }, encoding)
}

pub fn position(text: &Text, offset: usize, encoding: Encoding) -> Position {
    let position = text.position(offset, encoding);
    Position { line: position.line, character: position.column }
}

/// A range as bytes; one that ends before it begins is empty.
pub fn span(text: &Text, range: Range, encoding: Encoding) -> Span {
    let start = offset(text, range.start, encoding);
    Span::new(start, offset(text, range.end, encoding).max(start))
}

pub fn range(text: &Text, span: Span, encoding: Encoding) -> Range {
    Range { start: position(text, span.start, encoding), end: position(text, span.end, encoding) }
}

/// The file that a URI names; none for another scheme.
pub fn file_path(uri: &Uri) -> Option<PathBuf> {
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return None;
    }
    decoded(uri)
}

/// The name of a document that is no file: one that was never saved, a cell of a notebook, a file of another machine.
/// No two documents share one. It ends as the document's own path does, which tells its kind.
pub fn unsaved_name(uri: &Uri) -> String {
    let whole = uri.as_str().replace(['/', '\\'], "_");
    let path = uri.path().decode().to_string_lossy();
    match Path::new(&*path).extension() {
        Some(extension) => format!("{whole}.{}", extension.to_string_lossy()),
        None => whole,
    }
}

pub fn file_uri(path: &Path) -> Option<Uri> {
    encoded(path)
}

#[cfg(not(windows))]
fn decoded(uri: &Uri) -> Option<PathBuf> {
    uri.to_file_path().map(std::borrow::Cow::into_owned)
}

#[cfg(not(windows))]
fn encoded(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

/// NB. not by the protocol's own types: those know no server (`file://server/share`) and no path as the system resolves
/// it (`\\?\C:\folder`).
#[cfg(windows)]
fn decoded(uri: &Uri) -> Option<PathBuf> {
    url::Url::parse(uri.as_str()).ok()?.to_file_path().ok()
}

#[cfg(windows)]
fn encoded(path: &Path) -> Option<Uri> {
    url::Url::from_file_path(path).ok()?.as_str().parse().ok()
}

/// `tags` says whether the client knows what a tag is.
pub fn diagnostic(text: &Text, finding: &Finding, encoding: Encoding, tags: bool) -> Diagnostic {
    Diagnostic {
        range: range(text, finding.span, encoding),
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.code.into())),
        source: Some(SOURCE.into()),
        message: finding.message.clone(),
        tags: finding.tag.filter(|_| tags).map(|tag| match tag {
            Tag::Unnecessary => vec![DiagnosticTag::UNNECESSARY],
        }),
        ..Diagnostic::default()
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Information => DiagnosticSeverity::INFORMATION,
        Severity::Hint => DiagnosticSeverity::HINT,
    }
}

pub fn diagnostic_report(items: Vec<Diagnostic>) -> DocumentDiagnosticReportResult {
    let full = FullDocumentDiagnosticReport { result_id: None, items };
    let report = RelatedFullDocumentDiagnosticReport { related_documents: None, full_document_diagnostic_report: full };
    DocumentDiagnosticReportResult::Report(DocumentDiagnosticReport::Full(report))
}

pub fn folders(folders: &[WorkspaceFolder]) -> Vec<PathBuf> {
    folders.iter().filter_map(|folder| file_path(&folder.uri)).collect()
}

/// The files that decide what secrets and variables mean.
pub fn file_watchers() -> Registration {
    let watch = |glob: &str| FileSystemWatcher { glob_pattern: GlobPattern::String(glob.into()), kind: None };
    let watchers = WATCHED.map(watch).to_vec();
    let options = DidChangeWatchedFilesRegistrationOptions { watchers };
    Registration {
        id: "vaultls/files".into(),
        method: "workspace/didChangeWatchedFiles".into(),
        register_options: Some(serde_json::to_value(options).expect("the options are plain data")),
    }
}

const WATCHED: [&str; 6] = [
    "**/vaultls.toml",
    "**/http-client*.env.json*",
    "**/.vscode/settings.json",
    "**/.env",
    "**/*.postman_environment.json",
    "**/*.postman_globals.json",
];

/// Whether a file is one of [`WATCHED`]: some clients tell of others as well.
pub fn is_watched(uri: &Uri) -> bool {
    let path = uri.path().decode().to_string_lossy();
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, "vaultls.toml" | ".env")
        || path.ends_with("/.vscode/settings.json")
        || (name.starts_with("http-client") && name.contains(".env.json"))
        || name.ends_with(".postman_environment.json")
        || name.ends_with(".postman_globals.json")
}

/// The settings that the client is to tell of when they change.
pub fn settings_watcher() -> Registration {
    Registration {
        id: "vaultls/settings".into(),
        method: "workspace/didChangeConfiguration".into(),
        register_options: Some(serde_json::json!({ "section": SOURCE })),
    }
}

pub fn location(snapshot: &Snapshot, span: Span) -> Location {
    Location { uri: snapshot.edition.uri.clone(), range: within(snapshot, span) }
}

/// A range of the snapshot's own text.
fn within(snapshot: &Snapshot, span: Span) -> Range {
    range(&snapshot.edition.text, span, snapshot.encoding)
}

pub fn hover(snapshot: &Snapshot, hover: hover::Hover, markdown: bool) -> Hover {
    let kind = if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value: hover.markdown }),
        range: Some(within(snapshot, hover.span)),
    }
}

/// `suggest` is the client's own command that offers completions again.
pub fn completions(snapshot: &Snapshot, completions: &Completions, suggest: Option<&str>) -> CompletionResponse {
    let items = completions.items.iter().enumerate();
    CompletionResponse::List(CompletionList {
        is_incomplete: completions.incomplete,
        items: items.map(|(index, item)| completion(snapshot, index, item, suggest)).collect(),
    })
}

fn completion(snapshot: &Snapshot, index: usize, item: &Item, suggest: Option<&str>) -> CompletionItem {
    let again = suggest.filter(|_| item.continues);
    CompletionItem {
        label: item.label.clone(),
        kind: Some(match item.kind {
            ItemKind::Secret => CompletionItemKind::CONSTANT,
            ItemKind::Variable => CompletionItemKind::VARIABLE,
            ItemKind::Dynamic => CompletionItemKind::FUNCTION,
            ItemKind::Method | ItemKind::Prefix => CompletionItemKind::KEYWORD,
            ItemKind::Header => CompletionItemKind::PROPERTY,
            ItemKind::Request => CompletionItemKind::MODULE,
            ItemKind::Part => CompletionItemKind::FIELD,
        }),
        detail: item.detail.clone(),
        sort_text: Some(format!("{index:05}")),
        filter_text: Some(item.filter.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(within(snapshot, item.span), item.text.clone()))),
        command: again.map(|command| Command::new("Suggest".into(), command.into(), None)),
        ..CompletionItem::default()
    }
}

pub fn highlight(snapshot: &Snapshot, highlight: &highlight::Highlight) -> DocumentHighlight {
    let kind = match highlight.kind {
        highlight::HighlightKind::Read => DocumentHighlightKind::READ,
        highlight::HighlightKind::Write => DocumentHighlightKind::WRITE,
    };
    DocumentHighlight { range: within(snapshot, highlight.span), kind: Some(kind) }
}

pub fn prepared_rename(snapshot: &Snapshot, prepared: Prepared) -> PrepareRenameResponse {
    let range = within(snapshot, prepared.span);
    PrepareRenameResponse::RangeWithPlaceholder { range, placeholder: prepared.name }
}

pub fn symbols(snapshot: &Snapshot, symbols: &[symbols::Symbol], nested: bool) -> DocumentSymbolResponse {
    if nested {
        return DocumentSymbolResponse::Nested(symbols.iter().map(|symbol| nested_symbol(snapshot, symbol)).collect());
    }
    let mut flat = Vec::new();
    for symbol in symbols {
        flat_symbols(snapshot, symbol, None, &mut flat);
    }
    DocumentSymbolResponse::Flat(flat)
}

#[expect(deprecated, reason = "the protocol's type has no constructor")]
fn nested_symbol(snapshot: &Snapshot, symbol: &symbols::Symbol) -> DocumentSymbol {
    let children = symbol.children.iter().map(|child| nested_symbol(snapshot, child));
    DocumentSymbol {
        name: symbol_name(symbol),
        detail: symbol.detail.clone(),
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        range: within(snapshot, symbol.span),
        selection_range: within(snapshot, symbol.selection),
        children: (!symbol.children.is_empty()).then(|| children.collect()),
    }
}

#[expect(deprecated, reason = "the protocol's type has no constructor")]
fn flat_symbols(
    snapshot: &Snapshot,
    symbol: &symbols::Symbol,
    container: Option<&str>,
    flat: &mut Vec<SymbolInformation>,
) {
    flat.push(SymbolInformation {
        name: symbol_name(symbol),
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        location: location(snapshot, symbol.span),
        container_name: container.map(str::to_owned),
    });
    for child in &symbol.children {
        flat_symbols(snapshot, child, Some(&symbol.name), flat);
    }
}

/// Some clients refuse a whole outline for one symbol without a name.
fn symbol_name(symbol: &symbols::Symbol) -> String {
    if symbol.name.trim().is_empty() { "(no name)".into() } else { symbol.name.clone() }
}

fn symbol_kind(kind: symbols::SymbolKind) -> SymbolKind {
    match kind {
        symbols::SymbolKind::Folder => SymbolKind::NAMESPACE,
        symbols::SymbolKind::Request => SymbolKind::METHOD,
        symbols::SymbolKind::Variable => SymbolKind::VARIABLE,
    }
}

pub fn fold(snapshot: &Snapshot, fold: &Fold) -> FoldingRange {
    let range = within(snapshot, fold.span);
    FoldingRange { start_line: range.start.line, end_line: range.end.line, ..FoldingRange::default() }
}

pub fn lens(snapshot: &Snapshot, lens: &Lens) -> CodeLens {
    let mut range = within(snapshot, lens.span);
    // A lens belongs to one line (LSP 3.17, `CodeLens.range`).
    if range.end.line > range.start.line {
        range.end = range.start;
    }
    CodeLens { range, command: Some(command(lens.title.clone(), &lens.command)), data: None }
}

pub fn command(title: String, command: &command::Command) -> Command {
    Command { title, command: command.id().into(), arguments: Some(vec![command.argument()]) }
}

/// Whether `kind` is among those a client asks for: each stands for those below it (LSP 3.17, `CodeActionKind`).
pub fn wanted(kind: ActionKind, only: Option<&[CodeActionKind]>) -> bool {
    let kind = action_kind(kind);
    let below = |wanted: &CodeActionKind| {
        let rest = kind.as_str().strip_prefix(wanted.as_str());
        wanted.as_str().is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(below))
}

fn action_kind(kind: ActionKind) -> CodeActionKind {
    match kind {
        ActionKind::QuickFix => CodeActionKind::QUICKFIX,
        ActionKind::Rewrite => CodeActionKind::REFACTOR_REWRITE,
        ActionKind::Extract => CodeActionKind::REFACTOR_EXTRACT,
        ActionKind::Run => CodeActionKind::SOURCE,
    }
}

/// An action with its edit, and with those of the client's diagnostics that it settles. `preferences` says whether the
/// client knows what a preferred action is.
pub fn action(
    action: &Action,
    edit: Option<WorkspaceEdit>,
    diagnostics: &[Diagnostic],
    preferences: bool,
) -> CodeActionOrCommand {
    let code = |diagnostic: &&Diagnostic| match (&diagnostic.code, action.fixes) {
        (Some(NumberOrString::String(code)), Some(fixes)) => {
            code == fixes && diagnostic.source.as_deref() == Some(SOURCE)
        }
        _ => false,
    };
    let settled: Vec<_> = diagnostics.iter().filter(code).cloned().collect();
    CodeActionOrCommand::CodeAction(CodeAction {
        title: action.title.clone(),
        kind: Some(action_kind(action.kind)),
        diagnostics: (!settled.is_empty()).then_some(settled),
        edit,
        command: match &action.effect {
            Effect::Command(effect) => Some(command(action.title.clone(), effect)),
            Effect::Edit(_) => None,
        },
        is_preferred: (preferences && action.preferred).then_some(true),
        ..CodeAction::default()
    })
}

/// What `workspace/executeCommand` of an older client can still be given: a bare command.
pub fn bare_action(action: &Action) -> Option<CodeActionOrCommand> {
    match &action.effect {
        Effect::Command(effect) => Some(CodeActionOrCommand::Command(command(action.title.clone(), effect))),
        Effect::Edit(_) => None,
    }
}

/// Edits of several files as one. With `versioned`, each open file's version is named, so that an edit for an
/// older text is refused; `create` is a file that must be made first.
pub fn workspace_edit(
    files: &[(File, Vec<(Span, String)>)],
    create: Option<&Path>,
    versioned: bool,
    encoding: Encoding,
) -> WorkspaceEdit {
    let edits = |file: &File, edits: &[(Span, String)]| -> Vec<TextEdit> {
        edits.iter().map(|(span, new)| TextEdit::new(range(&file.text, *span, encoding), new.clone())).collect()
    };
    if !versioned {
        let changes = files.iter().map(|(file, changes)| (file.uri.clone(), edits(file, changes)));
        return WorkspaceEdit { changes: Some(changes.collect()), ..WorkspaceEdit::default() };
    }
    let changed = files.iter().map(|(file, changes)| TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier { uri: file.uri.clone(), version: file.version },
        edits: edits(file, changes).into_iter().map(OneOf::Left).collect(),
    });
    let changes = match create.and_then(file_uri) {
        None => DocumentChanges::Edits(changed.collect()),
        Some(uri) => {
            let create =
                DocumentChangeOperation::Op(ResourceOp::Create(CreateFile { uri, options: None, annotation_id: None }));
            DocumentChanges::Operations(
                [create].into_iter().chain(changed.map(DocumentChangeOperation::Edit)).collect(),
            )
        }
    };
    WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }
}

/// In the order of [`TokenKind::ALL`].
pub fn token_types() -> Vec<SemanticTokenType> {
    let name = |kind: TokenKind| match kind {
        TokenKind::Method => SemanticTokenType::KEYWORD,
        TokenKind::HeaderName => SemanticTokenType::PROPERTY,
        TokenKind::Delimiter => SemanticTokenType::OPERATOR,
        TokenKind::SecretName => SemanticTokenType::MACRO,
        TokenKind::Variable | TokenKind::Definition => SemanticTokenType::VARIABLE,
        TokenKind::Dynamic => SemanticTokenType::FUNCTION,
    };
    TokenKind::ALL.map(name).to_vec()
}

pub fn token_modifiers() -> Vec<SemanticTokenModifier> {
    vec![SemanticTokenModifier::DEFINITION]
}

/// Tokens, each relative to the one before (LSP 3.17, "Semantic Tokens").
pub fn tokens(snapshot: &Snapshot, tokens: &[Token]) -> SemanticTokens {
    let mut last = Position::default();
    let data = tokens.iter().map(|token| {
        let range = within(snapshot, token.span);
        let same_line = range.start.line == last.line;
        let kind = TokenKind::ALL.iter().position(|kind| *kind == token.kind).unwrap_or_default();
        let encoded = SemanticToken {
            delta_line: range.start.line - last.line,
            delta_start: range.start.character - if same_line { last.character } else { 0 },
            length: range.end.character.saturating_sub(range.start.character),
            token_type: kind as u32,
            token_modifiers_bitset: u32::from(token.kind == TokenKind::Definition),
        };
        last = range.start;
        encoded
    });
    SemanticTokens { result_id: None, data: data.collect() }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_decide_something_are_watched() {
        let watched = |path: &str| is_watched(&format!("file:///w/{path}").parse().expect("a URI"));
        for path in [
            "vaultls.toml",
            "a/.env",
            "http-client.env.json",
            "http-client.private.env.json",
            "http-client.env.json.user",
            ".vscode/settings.json",
            "x/a.postman_environment.json",
        ] {
            assert!(watched(path), "{path}");
        }
        for path in ["a.http", "node_modules/a.js", ".env.example", "my-vaultls.toml", "a.postman_collection.json"] {
            assert!(!watched(path), "{path}");
        }
    }

    #[test]
    fn documents_that_are_no_files_have_names_of_their_own() {
        let name = |uri: &str| unsaved_name(&uri.parse().expect("a URI"));
        assert_eq!(name("untitled:Untitled-1"), "untitled:Untitled-1");
        assert_eq!(name("untitled:/w/a.http"), "untitled:_w_a.http.http");
        assert_ne!(name("vscode-notebook-cell:/b.ipynb#1"), name("vscode-notebook-cell:/b.ipynb#2"));
        assert!(!name("x:/../../etc/passwd").contains('/'));
    }

    #[cfg(windows)]
    #[test]
    fn drives_and_servers_become_paths_and_uris() {
        for (uri, path, back) in [
            ("file:///c%3A/a%20b/x.http", r"C:\a b\x.http", "file:///C:/a%20b/x.http"),
            ("file:///C:/x.http", r"C:\x.http", "file:///C:/x.http"),
            ("file://server/share/x.http", r"\\server\share\x.http", "file://server/share/x.http"),
        ] {
            let found = file_path(&uri.parse().unwrap()).unwrap();
            assert_eq!(found, Path::new(path), "{uri}");
            assert_eq!(file_uri(&found).unwrap().as_str(), back, "{uri}");
        }
        let resolved = file_uri(Path::new(r"\\?\C:\folder\x.http")).unwrap();
        assert_eq!(resolved.as_str(), "file:///C:/folder/x.http");
    }
}
