//! `vaultls link` and `vaultls login`.

use crate::{
    cli::{
        Exit, Machine, Outcome, arguments, browse,
        person::{self, AtInput},
        root,
        terminal::{Terminal, plain},
    },
    config::{NewLink, NewVersion},
    work::verbs::{signed_in, still_to_review},
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
    let allowed_domains = (!allowed_domains.is_empty()).then_some(allowed_domains);
    let target = if path.is_none() && arn.is_none() && id.is_none() && reference.is_none() {
        let chosen = browse::choose(&core, machine, &integration, terminal).await;
        core.end().await;
        let chosen = chosen?;
        NewLink { version: version.map(NewVersion::parse).or(chosen.version.clone()), allowed_domains, ..chosen }
    } else {
        NewLink {
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
            allowed_domains,
            ..NewLink::default()
        }
    };
    let file = core.link(&name, target).await?;
    terminal.note(&[plain(format!("linked {name} in {}", file.display()))]);
    if let Some(more) = still_to_review(&core, &name) {
        terminal.warning(more);
    }
    Ok(Exit::Done)
}

/// Signs in, and ends the session again: a command lives too briefly to keep it. What the sign-in brought is revoked; what
/// somebody came with, such as a token that they typed, is theirs and stays valid.
pub async fn login(arguments: arguments::Login, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let integration = arguments.integration;
    let session = if terminal.is_interactive() {
        person::sign_in(&core, machine, &integration, terminal).await?
    } else {
        core.login(&integration, &AtInput::default()).await?
    };
    terminal.note(&[plain(signed_in(&integration, &session))]);
    terminal.note(&[plain(
        "what was tried here ends with this command; `vaultls run` signs in by itself, and an editor keeps its session",
    )]);
    if let Err(failure) = core.disconnect(&integration).await {
        terminal.warning(&failure.message);
    }
    Ok(Exit::Done)
}
