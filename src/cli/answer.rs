//! `vaultls answer`: hands what a person typed to the language server that asked, and tells what came of it. An editor
//! pipes the answers in; a person at a terminal is asked for them.

use std::{collections::BTreeMap, io, thread, time::Duration};

use zeroize::Zeroizing;

use crate::{
    cli::{Exit, Machine, Outcome, Stop, arguments, prompt, terminal::Terminal},
    vault::person::{Field, FieldKind},
    work::answer::{self, AnswerError, LONGEST},
};

/// A process that dies may close its standard pipes a moment before what tells that it lives.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(100), Duration::from_secs(1)];

pub async fn answer(arguments: &arguments::Answer, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let (directories, ticket) = (&machine.directories, &arguments.ticket);
    let answers = if terminal.is_interactive() {
        ask(&answer::fields(directories, ticket).await.map_err(|error| refused(&error))?, terminal)?
    } else {
        prompt::standard_input(LONGEST)?
    };
    let next = answer::deliver(directories, ticket, answers).await.map_err(|error| refused(&error))?;
    if let Some(next) = next {
        terminal.text(&next.to_string())?;
    }
    Ok(Exit::Done)
}

/// Waits until whoever holds the other end of the standard input is gone, then removes what it left if it was killed.
pub fn sweep(machine: &Machine) -> Exit {
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    for pause in PAUSES {
        thread::sleep(pause);
        answer::sweep(&machine.directories);
    }
    Exit::Done
}

/// The person's answers as the JSON object that an editor would send.
fn ask(fields: &[Field], terminal: &mut Terminal) -> Result<Zeroizing<Vec<u8>>, Stop> {
    let mut typed = BTreeMap::new();
    for field in fields {
        let text = match field.kind {
            FieldKind::Text => Zeroizing::new(prompt::line(terminal, &field.label)?),
            FieldKind::Hidden | FieldKind::Otp => prompt::typed(terminal, &field.label)?,
        };
        typed.insert(field.id.as_str(), text);
    }
    let plain: BTreeMap<&str, &str> = typed.iter().map(|(id, text)| (*id, text.as_str())).collect();
    // Room for every character as an escape of six bytes, so that the buffer never grows and leaves no copy.
    let room = plain.iter().map(|(id, text)| 6 * (id.len() + text.len()) + 8).sum::<usize>() + 2;
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *json, &plain).map_err(io::Error::from)?;
    Ok(json)
}

fn refused(error: &AnswerError) -> Stop {
    let hint = match error {
        // The failure's own words name the way out.
        AnswerError::Failed(_) => "",
        AnswerError::Unknown => "look at the file in the editor: its marks tell",
        AnswerError::NotATicket
        | AnswerError::Expired
        | AnswerError::NotJson
        | AnswerError::Lacks(_)
        | AnswerError::Empty(_)
        | AnswerError::Unasked(_)
        | AnswerError::TooLong
        | AnswerError::Channel(_) => "start again in the editor",
    };
    Stop::wrong(error.to_string(), hint)
}
