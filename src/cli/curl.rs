//! `vaultls curl`: a request as a command for a terminal.

use crate::cli::{
    Exit, Machine, Outcome, Stop, arguments,
    documents::{self, Choice, Target, Workspaces},
    terminal::Terminal,
};

pub async fn curl(arguments: arguments::Curl, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let mut target = Target::parse(&arguments.target);
    if let Some(name) = arguments.request {
        target.choice = Choice::Name(name);
    }
    let core = Workspaces::new(machine, arguments.workspace.root).of(&target.path, |_| Ok(()))?;
    let (sheet, troubles) = documents::open(&target.path, &core.root, arguments.environment.as_deref())?;
    for trouble in troubles {
        terminal.warning(&format!("{}: {}", trouble.file.display(), trouble.message));
    }
    let requests = target.requests(&sheet, false)?;
    let [request] = requests.as_slice() else { return Err(Stop::usage("several requests are meant", "name one")) };
    let command = core.curl(&sheet, *request).await?;
    terminal.text(&command)?;
    Ok(Exit::Done)
}
