//! The border to the protocol: the only place in which its values are built, and in which positions become byte
//! offsets and back.

use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::{
    self, DiagnosticSeverity, NumberOrString, Position, ProgressParams, ProgressParamsValue, ProgressToken, Range,
    SemanticTokenModifier, SemanticTokenType, Uri, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd,
};

use crate::{
    feature::{self, Finding},
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
    let file = uri.scheme().is_some_and(|scheme| scheme.as_str().eq_ignore_ascii_case("file"));
    if !file {
        return None;
    }
    uri.to_file_path().map(|path| path.into_owned())
}

/// The file of a document; for one that is not saved yet, its name as a relative path.
pub fn document_path(uri: &Uri) -> PathBuf {
    file_path(uri).unwrap_or_else(|| PathBuf::from(uri.path().decode().to_string_lossy().trim_start_matches('/')))
}

pub fn file_uri(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

pub fn diagnostic(text: &Text, finding: &Finding, encoding: Encoding) -> ls_types::Diagnostic {
    ls_types::Diagnostic {
        range: range(text, finding.span, encoding),
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.code.into())),
        source: Some(SOURCE.into()),
        message: finding.message.clone(),
        tags: finding.tag.map(|tag| match tag {
            feature::Tag::Unnecessary => vec![ls_types::DiagnosticTag::UNNECESSARY],
        }),
        ..ls_types::Diagnostic::default()
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
