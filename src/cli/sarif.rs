//! Findings as a SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format").

use std::{collections::BTreeSet, path::Path};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    status::{Reason, Severity},
    work::check::Located,
};

/// What may not stand in a relative reference's path as it is (RFC 3986 section 3.3).
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The whole log: one run with the rules that were broken.
pub fn log(findings: &[Located]) -> Value {
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect::<BTreeSet<_>>().into_iter().collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "vaultls",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let reason = Reason::ALL.into_iter().find(|reason| reason.code() == code);
    let help = match reason {
        Some(reason) => reason.hint(),
        None => match code {
            "variable" => "give the variable a value in the file or in an environment",
            "reference" => "write the reference as `<<vault:name>>`",
            "config" => "correct the configuration file",
            _ => "correct what is written",
        },
    };
    json!({
        "id": code,
        "shortDescription": { "text": code.replace('-', " ") },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(reason.map_or(Severity::Error, Reason::severity)) },
    })
}

fn result(finding: &Located, codes: &[&str]) -> Value {
    json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.file) },
            "region": {
                "startLine": finding.start.line + 1,
                "startColumn": finding.start.column + 1,
                "endLine": finding.end.line + 1,
                "endColumn": finding.end.column + 1,
            },
        }}],
    })
}

/// SARIF knows no hint: a note is the quietest that scanners show.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "note",
    }
}

/// A relative reference, or a `file` URL for what lies elsewhere.
fn uri(file: &Path) -> String {
    if let Ok(url) = url::Url::from_file_path(file) {
        return url.to_string();
    }
    let path = file.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let encoded = utf8_percent_encode(&path, RESERVED).to_string();
    // A first segment with a colon would be read as a scheme (RFC 3986 section 4.2).
    if encoded.split('/').next().is_some_and(|first| first.contains(':')) { format!("./{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri(Path::new("a b/c#1.http")), "a%20b/c%231.http");
        assert_eq!(uri(Path::new("a:b.http")), "./a:b.http");
    }
}
