//! Everything about integrations that is known without asking anybody, for lists of what there is and what is wrong.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    Vault,
    link::integration::Integration,
    program::{self, Looked},
};
use crate::{
    config::{Complaint, FileText},
    status::{Problem, ProviderKind, Reason, Session, Severity},
};

/// An integration as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    pub name: String,
    pub provider: ProviderKind,
    /// The file that defines it.
    pub file: String,
    /// Where it is, if that is written.
    pub address: Option<String>,
    /// The organization that it is bound to: a tenant, an account, a namespace.
    pub organization: Option<String>,
    /// How one signs in, as `auth.method` says it.
    pub sign_in: String,
    /// Whether its definition counts.
    pub trusted: bool,
    /// Who is signed in.
    pub session: Option<Session>,
    /// Why nothing can be had from it.
    pub problem: Option<Problem>,
}

/// A complaint about a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacedComplaint {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub severity: Severity,
    pub message: String,
}

impl Vault {
    /// Every integration, by name.
    pub fn overview(&self) -> Vec<Overview> {
        self.definitions().integrations.values().map(|integration| self.look_at(integration)).collect()
    }

    /// What is wrong in the configuration files, each with its place.
    pub fn placed_complaints(&self) -> Vec<PlacedComplaint> {
        let definitions = self.definitions();
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let user = Some(self.options.user_config.clone());
        let mut placed = place(user, &files.user, &definitions.user_complaints);
        placed.extend(place(self.options.link_file(), &files.workspace, &definitions.workspace_complaints));
        placed
    }

    /// The programs that providers would start, as far as any integration could need them.
    pub fn programs(&self) -> Vec<Looked> {
        let workspace = self.options.workspace.as_deref();
        ["az", "op"].map(|name| program::look(name, &self.options.process_variables, workspace)).to_vec()
    }

    fn look_at(&self, integration: &Integration) -> Overview {
        let Integration { name, source, settings, definition } = integration;
        let trust = self.require_trust_in(integration);
        let trusted = trust.is_ok();
        let problem = settings.as_ref().err().cloned();
        let problem = problem.or(trust.err()).or_else(|| self.require_connection(integration).err());
        let written = Written::of(definition);
        Overview {
            name: name.clone(),
            provider: integration.provider(),
            file: source.site.file.display().to_string(),
            address: written.text("address").or_else(|| written.text("endpoint")),
            organization: ["tenant", "account", "namespace"].into_iter().find_map(|field| written.text(field)),
            sign_in: written.method(),
            trusted,
            session: self.session(name),
            problem,
        }
    }
}

/// The fields of an integration's canonical text.
struct Written(toml::Table);

impl Written {
    fn of(definition: &str) -> Self {
        let whole = definition.parse::<toml::Table>().unwrap_or_default();
        let integrations = whole.get("integrations").and_then(|it| it.as_table());
        let first = integrations.and_then(|it| it.values().next()).and_then(|it| it.as_table());
        Self(first.cloned().unwrap_or_default())
    }

    fn text(&self, field: &str) -> Option<String> {
        Some(self.0.get(field)?.as_str()?.to_owned())
    }

    fn method(&self) -> String {
        let method = self.0.get("auth").and_then(|auth| auth.get("method")?.as_str());
        method.unwrap_or_default().to_owned()
    }
}

fn place(file: Option<PathBuf>, text: &FileText, complaints: &[Complaint]) -> Vec<PlacedComplaint> {
    let text = match text {
        FileText::Text(text) => text.as_str(),
        FileText::Absent | FileText::Unusable(_) => "",
    };
    let file = file.map(|file| file.display().to_string()).unwrap_or_default();
    let place = |complaint: &Complaint| PlacedComplaint {
        file: file.clone(),
        line: 1 + text.bytes().take(complaint.span.start).filter(|byte| *byte == b'\n').count(),
        severity: complaint.severity,
        message: complaint.message.clone(),
    };
    complaints.iter().map(place).collect()
}

/// Whether a reason is about a whole integration, and not about one secret.
pub fn concerns_integration(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Unreachable
            | Reason::Disconnected
            | Reason::LoginNeeded
            | Reason::MfaNeeded
            | Reason::Throttled
            | Reason::Sealed
            | Reason::Tls
            | Reason::ClockSkew
    )
}
