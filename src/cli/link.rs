//! `vaultls link` and `vaultls login`.

use crate::{
    cli::{
        Exit, Machine, Outcome, arguments, prompt, root,
        terminal::{Terminal, plain},
    },
    config::{NewLink, NewVersion},
    vault::person::Given,
};

/// Where an engine is mounted unless it is said.
const USUAL_ENGINE: &str = "secret";

/// Writes a link into `vaultls.toml` and approves it: it is this person's own act.
pub async fn link(arguments: arguments::Link, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let arguments::Link {
        name,
        integration,
        engine,
        path,
        key,
        arn,
        role_arn,
        json_key,
        encoding,
        id,
        reference,
        version,
        allowed_domains,
        workspace,
    } = arguments;
    let core = machine.open(root(workspace.root.as_ref(), None)?);
    let target = NewLink {
        integration,
        engine: engine.or_else(|| path.is_some().then(|| USUAL_ENGINE.to_owned())),
        path,
        key,
        arn,
        role_arn,
        json_key,
        encoding,
        id,
        reference,
        version: version.map(NewVersion::parse),
        allowed_domains: (!allowed_domains.is_empty()).then_some(allowed_domains),
        ..NewLink::default()
    };
    let file = core.link(&name, target).await?;
    terminal.note(&[plain(format!("linked {name} in {}", file.display()))]);
    Ok(Exit::Done)
}

/// Tries a token. A command lives too briefly to keep it.
pub async fn login(arguments: arguments::Login, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let token = prompt::value(terminal, &format!("Token for {}", arguments.integration), false)?;
    core.login(&arguments.integration, &Given::new(token)).await?;
    terminal.note(&[plain(format!(
        "{} takes this token; it is not kept, so set VAULT_TOKEN for commands and sign in again in the editor",
        arguments.integration
    ))]);
    Ok(Exit::Done)
}
