//! Finds everything that would keep the requests of a file from being sent, without sending any.

use std::path::{Path, PathBuf};

use crate::{
    config::Layer,
    environment::Trouble,
    feature::{Finding, diagnostics},
    status::Severity,
    text::{Encoding, Position, Text},
    work::{Core, Sheet},
};

/// A finding with its place in a file, zero-based, the columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub file: PathBuf,
    pub start: Position,
    pub end: Position,
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
}

impl Core {
    /// The findings of `sheet`, by position. `online` asks external vaults as well; no value is read either way.
    pub async fn check(&self, sheet: &Sheet, online: bool) -> Vec<Located> {
        let survey = if online { self.survey(sheet).await } else { self.survey_offline(sheet).await };
        let known = self.vault.known();
        let findings = diagnostics::diagnostics(&sheet.context(&survey, &known));
        locate(&sheet.path, &sheet.source, findings)
    }

    /// What is wrong in the workspace's `vaultls.toml`.
    pub fn check_config(&self) -> Vec<Located> {
        let Some((file, Some(text))) = self.vault.known().link_file else { return Vec::new() };
        let complaints = self.vault.complaints(Layer::Workspace).into_iter();
        let findings = complaints.map(|complaint| Finding {
            span: complaint.span,
            severity: complaint.severity,
            code: "config",
            message: complaint.message,
            tag: None,
        });
        locate(&file, &text, findings.collect())
    }
}

/// A file of an environment that could not be used.
pub fn of_trouble(trouble: Trouble) -> Located {
    let start = Position::default();
    let Trouble { file, message } = trouble;
    Located { file, start, end: start, severity: Severity::Warning, code: "config", message }
}

fn locate(file: &Path, source: &str, findings: Vec<Finding>) -> Vec<Located> {
    if findings.is_empty() {
        return Vec::new();
    }
    let text = Text::new(source);
    let place = |finding: Finding| Located {
        file: file.to_owned(),
        start: text.position(finding.span.start, Encoding::Utf32),
        end: text.position(finding.span.end, Encoding::Utf32),
        severity: finding.severity,
        code: finding.code,
        message: finding.message,
    };
    findings.into_iter().map(place).collect()
}
