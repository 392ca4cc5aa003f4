//! The session of the Azure CLI, asked without a shell.
//!
//! The SDK would run `/bin/sh -c "cd /bin && az account get-access-token .."` with everything this process has in its
//! environment. This executor takes the arguments out of that line and runs the user's own `az` with few variables.

use std::{ffi::OsStr, io, process::Output};

use async_trait::async_trait;
use azure_identity::Executor;

use super::transport::Failure;
use crate::{
    status::{Problem, Reason},
    vault::{ProcessVariables, program::Program, provider::Surroundings},
};

/// Where the line that the SDK would give to a shell comes to the program.
const START: &str = " && az ";

/// What `az` is told of the environment besides what every program is.
const VARIABLES: [&str; 1] = ["AZURE_CONFIG_DIR"];

pub(super) struct AzureCli {
    integration: String,
    tenant: Option<String>,
    program: Program,
    variables: ProcessVariables,
}

impl std::fmt::Debug for AzureCli {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AzureCli").field("integration", &self.integration).finish_non_exhaustive()
    }
}

impl AzureCli {
    pub(super) fn find(integration: &str, tenant: Option<String>, around: &Surroundings) -> Result<Self, Problem> {
        let variables = around.variables.clone();
        let program = Program::find("az", &variables, around.workspace.as_deref()).ok_or_else(|| {
            let detail = format!(
                "`{integration}` signs in with the Azure CLI, and there is no `az` on the PATH outside of this workspace"
            );
            Problem::new(Reason::NotConfigured, detail)
        })?;
        Ok(Self { integration: integration.to_owned(), tenant, program, variables })
    }

    fn refused(&self) -> Problem {
        let login = match &self.tenant {
            Some(tenant) => format!("az login --tenant {tenant}"),
            None => "az login".into(),
        };
        let detail = format!("the Azure CLI has no session for `{}`; run `{login}`", self.integration);
        Problem::new(Reason::LoginNeeded, detail)
    }
}

#[async_trait]
impl Executor for AzureCli {
    async fn run(&self, _: &OsStr, shell_arguments: &[&OsStr]) -> io::Result<Output> {
        let line = shell_arguments.last().and_then(|line| line.to_str()).and_then(|line| line.split_once(START));
        let (_, line) = line.ok_or_else(|| io::Error::other("the SDK asks in another way"))?;
        // The SDK checked that the scope and the tenant hold no space and nothing that a shell would understand.
        let arguments: Vec<&str> = line.split_ascii_whitespace().collect();
        let output = self.program.run(&arguments, &self.variables, &VARIABLES).await?;
        if output.status.success() { Ok(output) } else { Err(io::Error::other(Failure(self.refused()))) }
    }
}
