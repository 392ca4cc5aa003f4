//! Answers about one document.

use tower_lsp_server::ls_types::*;

use super::{
    edit::{self, SOURCE},
    place::Lines,
};
use crate::{
    feature::{
        Finding, Tag,
        completion::{Completions, Item, ItemKind},
        folding::Fold,
        highlight, hover,
        lenses::Lens,
        rename::Prepared,
        symbols,
        tokens::{Token, TokenKind},
    },
    status::Severity,
};

/// `tags` says whether the client knows what a tag is.
pub fn diagnostic(lines: Lines<'_>, finding: &Finding, tags: bool) -> Diagnostic {
    Diagnostic {
        range: lines.range(finding.span),
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

pub fn hover(lines: Lines<'_>, hover: hover::Hover, markdown: bool) -> Hover {
    let kind = if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value: hover.markdown }),
        range: Some(lines.range(hover.span)),
    }
}

/// `suggest` is the client's own command that offers completions again.
pub fn completions(lines: Lines<'_>, completions: &Completions, suggest: Option<&str>) -> CompletionResponse {
    let items = completions.items.iter().enumerate();
    CompletionResponse::List(CompletionList {
        is_incomplete: completions.incomplete,
        items: items.map(|(index, item)| completion(lines, index, item, suggest)).collect(),
    })
}

fn completion(lines: Lines<'_>, index: usize, item: &Item, suggest: Option<&str>) -> CompletionItem {
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
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(lines.range(item.span), item.text.clone()))),
        command: again.map(|command| Command::new("Suggest".into(), command.into(), None)),
        ..CompletionItem::default()
    }
}

pub fn highlight(lines: Lines<'_>, highlight: &highlight::Highlight) -> DocumentHighlight {
    let kind = match highlight.kind {
        highlight::HighlightKind::Read => DocumentHighlightKind::READ,
        highlight::HighlightKind::Write => DocumentHighlightKind::WRITE,
    };
    DocumentHighlight { range: lines.range(highlight.span), kind: Some(kind) }
}

pub fn prepared_rename(lines: Lines<'_>, prepared: Prepared) -> PrepareRenameResponse {
    let range = lines.range(prepared.span);
    PrepareRenameResponse::RangeWithPlaceholder { range, placeholder: prepared.name }
}

pub fn symbols(uri: &Uri, lines: Lines<'_>, symbols: &[symbols::Symbol], nested: bool) -> DocumentSymbolResponse {
    if nested {
        return DocumentSymbolResponse::Nested(symbols.iter().map(|symbol| nested_symbol(lines, symbol)).collect());
    }
    let mut flat = Vec::new();
    for symbol in symbols {
        flat_symbols(uri, lines, symbol, None, &mut flat);
    }
    DocumentSymbolResponse::Flat(flat)
}

#[expect(deprecated, reason = "the protocol's type has no constructor")]
fn nested_symbol(lines: Lines<'_>, symbol: &symbols::Symbol) -> DocumentSymbol {
    let children = symbol.children.iter().map(|child| nested_symbol(lines, child));
    DocumentSymbol {
        name: symbol_name(symbol),
        detail: symbol.detail.clone(),
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        range: lines.range(symbol.span),
        selection_range: lines.range(symbol.selection),
        children: (!symbol.children.is_empty()).then(|| children.collect()),
    }
}

#[expect(deprecated, reason = "the protocol's type has no constructor")]
fn flat_symbols(
    uri: &Uri,
    lines: Lines<'_>,
    symbol: &symbols::Symbol,
    container: Option<&str>,
    flat: &mut Vec<SymbolInformation>,
) {
    flat.push(SymbolInformation {
        name: symbol_name(symbol),
        kind: symbol_kind(symbol.kind),
        tags: None,
        deprecated: None,
        location: lines.location(uri, symbol.span),
        container_name: container.map(str::to_owned),
    });
    for child in &symbol.children {
        flat_symbols(uri, lines, child, Some(&symbol.name), flat);
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

pub fn fold(lines: Lines<'_>, fold: &Fold) -> FoldingRange {
    let range = lines.range(fold.span);
    FoldingRange { start_line: range.start.line, end_line: range.end.line, ..FoldingRange::default() }
}

pub fn lens(lines: Lines<'_>, lens: &Lens) -> CodeLens {
    let mut range = lines.range(lens.span);
    // A lens belongs to one line (LSP 3.17, `CodeLens.range`).
    if range.end.line > range.start.line {
        range.end = range.start;
    }
    CodeLens { range, command: Some(edit::command(lens.title.clone(), &lens.command)), data: None }
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
pub fn tokens(lines: Lines<'_>, tokens: &[Token]) -> SemanticTokens {
    let mut last = Position::default();
    let data = tokens.iter().map(|token| {
        let range = lines.range(token.span);
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
