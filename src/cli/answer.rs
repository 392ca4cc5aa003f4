//! `vaultls answer`: hands what a person typed in an editor to the language server that asked.

use crate::{
    cli::{Exit, Machine, Outcome, Stop, arguments, prompt},
    work::answer::{self, LONGEST},
};

pub async fn answer(arguments: &arguments::Answer, machine: &Machine) -> Outcome {
    let answers = prompt::standard_input(LONGEST)?;
    let delivered = answer::deliver(&machine.directories, &arguments.ticket, answers).await;
    delivered.map(|()| Exit::Done).map_err(|error| Stop::wrong(error.to_string(), "start again in the editor"))
}
