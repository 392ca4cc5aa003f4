//! `vaultls setup hashicorp`: prepares a cluster for signing in with the browser, step by step.
#![expect(clippy::disallowed_methods, reason = "variables that are settings are read as text")]

use std::path::{Path, PathBuf};

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop,
        arguments::{SetupCommand, SetupHashicorp},
        prompt, root,
        terminal::{Style, Terminal, plain, styled},
    },
    config::{Layer, NewIntegration},
    disk,
    status::Problem,
    vault::{
        hashicorp::setup::{Done, Plan, Policy, Present, Setup, Step},
        link::{edit, field::parse_address, hashicorp::REDIRECT_PORTS},
    },
    work::verbs::Failure,
};

/// The largest file of certificates.
const CA_CAP: u64 = 1024 * 1024;

pub async fn setup(command: SetupCommand, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let SetupCommand::Hashicorp(arguments) = command;
    let plan = plan(&arguments, machine)?;
    if arguments.dry_run {
        terminal.text(&plan.script())?;
        return Ok(Exit::Done);
    }
    let Some(token) = machine.vault_token.given.clone() else {
        return Err(Stop::usage("VAULT_TOKEN is not set", "set it to a token of an administrator of this cluster"));
    };
    if !arguments.yes && !terminal.is_interactive() {
        return Err(Stop::usage("every step is asked for, and there is no terminal", "say so with --yes"));
    }
    let mut setup = Setup::new(plan, token);
    for step in Step::ALL {
        take(step, &mut setup, arguments.yes, terminal).await?;
    }
    finish(&arguments, setup.integration(), machine, terminal).await
}

/// Shows a step, asks, and carries it out.
async fn take(step: Step, setup: &mut Setup, sure: bool, terminal: &mut Terminal) -> Result<(), Stop> {
    let present = setup.look(step).await.map_err(stop)?;
    let write = setup.write(step);
    let number = Step::ALL.iter().position(|other| *other == step).unwrap_or_default() + 1;
    terminal.note(&[styled(Style::Bold, format!("{number}/{} {}", Step::ALL.len(), step.title()))]);
    terminal.note(&[styled(Style::Dim, format!("    {}", write.command()))]);
    let outcome = match present {
        Present::Yes => "is there already",
        Present::No | Present::Hidden | Present::Other => {
            let question = match present {
                Present::Other => "    It is there and differs. Update it? [y]es, [n]o, [Q]uit: ",
                _ => "    Write it? [y]es, [n]o, [Q]uit: ",
            };
            match if sure { Some('y') } else { prompt::choice(terminal, question, &['y', 'n'])? } {
                Some('y') => match (setup.carry_out(step).await.map_err(stop)?, present) {
                    (Done::Kept, _) => "is there already",
                    (Done::Written, Present::Other) => "updated",
                    (Done::Written, _) => "written",
                },
                // A later step that cannot do without says so.
                Some(_) => "left as it is",
                None => return Err(Stop::wrong("the setup was stopped; what is written so far can stay", "")),
            }
        }
    };
    terminal.note(&[plain(format!("    {outcome}"))]);
    setup.learn(step).await.map_err(stop)
}

/// Prints the integration, and writes it where that is wanted.
async fn finish(
    arguments: &SetupHashicorp,
    integration: NewIntegration,
    machine: &Machine,
    terminal: &mut Terminal,
) -> Outcome {
    let name = arguments.name.clone();
    let text = edit::put_integration("", &name, &integration)
        .map_err(|error| Stop::wrong(error.to_string(), "choose another --name"))?;
    // A workspace must not choose whom this machine trusts, so a certificate authority is the user's own.
    let layer = if integration.ca_file.is_some() { Layer::User } else { Layer::Workspace };
    terminal.text(&text)?;
    let wanted = arguments.write
        || (!arguments.yes && prompt::choice(terminal, "Write this integration? [y/N]: ", &['y'])?.is_some());
    if !wanted {
        return Ok(Exit::Done);
    }
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let file = core.put_integration(name.clone(), integration, layer).await?;
    terminal.note(&[plain(format!("written to {}; sign in with `vaultls login {name}`", file.display()))]);
    Ok(Exit::Done)
}

fn plan(arguments: &SetupHashicorp, machine: &Machine) -> Result<Plan, Stop> {
    let variable = |name: &str| {
        let value = (machine.process_variables.0)(name)?;
        value.expose_text(str::to_owned).filter(|text| !text.is_empty())
    };
    let or = |name: &str, usual: &str| variable(name).unwrap_or_else(|| usual.to_owned());
    let usual_redirects = REDIRECT_PORTS.map(|port| format!("http://127.0.0.1:{port}/")).join(",");
    let redirects = or("REDIRECT_URI", &usual_redirects);
    let ca_file = arguments.ca_file.clone().or_else(|| variable("VAULT_CACERT").map(PathBuf::from));
    let plan = Plan {
        address: address(arguments.cluster_url.as_deref(), variable("VAULT_ADDR").as_deref())?,
        namespace: variable("VAULT_NAMESPACE").map(|namespace| namespace.trim_matches('/').to_owned()),
        ca_file: ca_file.as_deref().map(ca).transpose()?,
        client_name: or("OIDC_CLIENT_NAME", "postman-integration-client"),
        redirect_uris: redirects.split(',').map(|uri| uri.trim().to_owned()).collect(),
        jwt_path: or("JWT_AUTH_PATH", "postman-jwt"),
        role: or("OIDC_ROLE", "postman"),
        policy_name: or("POLICY_NAME", "postman-integration-policy"),
        policy: match (&arguments.mounts[..], &arguments.policy_paths[..]) {
            ([], []) => Policy::Everything,
            (mounts, []) => Policy::Mounts(mounts.to_vec()),
            (_, paths) => Policy::Paths(paths.to_vec()),
        },
    };
    plan.check().map_err(|fault| Stop::usage(fault, "see `vaultls setup hashicorp --help`"))?;
    Ok(plan)
}

/// The cluster's address. NB. `VAULT_TOKEN` is of the server at `VAULT_ADDR`, so it is sent to no other.
fn address(named: Option<&str>, variable: Option<&str>) -> Result<url::Url, Stop> {
    const HINT: &str = "such as `vaultls setup hashicorp https://vault.example.com:8200`";
    let parse = |name, text| parse_address(name, text).map_err(|fault| Stop::usage(fault, HINT));
    match (named, variable) {
        (Some(named), None) => parse("CLUSTER_URL", named),
        (None, Some(variable)) => parse("VAULT_ADDR", variable),
        (None, None) => Err(Stop::usage("the cluster's URL is missing, and VAULT_ADDR is not set", HINT)),
        (Some(named), Some(variable)) => {
            let named = parse("CLUSTER_URL", named)?;
            if parse("VAULT_ADDR", variable)? == named {
                return Ok(named);
            }
            let hint = "VAULT_TOKEN belongs to the server at VAULT_ADDR; set both for the one you mean";
            Err(Stop::usage("the cluster's URL and VAULT_ADDR name different servers", hint))
        }
    }
}

/// A file of certificates by its absolute path, with its text.
fn ca(file: &Path) -> Result<(PathBuf, String), Stop> {
    let fault = |why: String| Stop::usage(format!("{}: {why}", file.display()), "name a file of PEM certificates");
    let path = std::path::absolute(file).map_err(|error| fault(error.to_string()))?;
    let bytes = disk::read(&path, CA_CAP).map_err(|error| fault(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| fault("it is no text".into()))?;
    Ok((path, text))
}

fn stop(problem: Problem) -> Stop {
    Failure::from(problem).into()
}
