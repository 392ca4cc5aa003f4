//! Findings of `vaultls.toml` itself: its complaints, in the words of the reader of that file.

use crate::{
    config::Complaint,
    feature::{Finding, code, diagnostics},
};

/// The complaints as findings, by position, at most as many as for any other file.
pub fn findings(complaints: &[Complaint]) -> Vec<Finding> {
    let mut findings = diagnostics::Findings::default();
    for complaint in complaints {
        findings.add(complaint.span, complaint.severity, code::CONFIG, || complaint.message.clone());
    }
    findings.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{status::Severity, text::Span};

    #[test]
    fn complaints_become_findings_in_order() {
        let complaint = |start, message: &str| Complaint {
            span: Span::new(start, start + 1),
            severity: Severity::Warning,
            message: message.into(),
        };
        let findings = findings(&[complaint(5, "second"), complaint(1, "first")]);
        let shown: Vec<_> = findings.iter().map(|finding| (finding.code, finding.message.as_str())).collect();
        assert_eq!(shown, [("config", "first"), ("config", "second")]);
    }
}
