//! `vaultls browse`, and choosing a secret step by step at the terminal. Names only, never values.

use std::sync::Arc;

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        arguments::Format,
        person, prompt, root,
        terminal::{Style, Terminal, one_line, plain, styled},
    },
    config::NewLink,
    status::Reason,
    vault::provider::{ByHand, Choice, Choices, Leads, Shelf},
    work::{Core, choices::Listing, verbs::Failure},
};

/// What a person said at a list.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Number(usize),
    Filter(String),
    More,
    Back,
    /// A part of a path, typed by hand.
    Typed(String),
    Unclear,
}

pub async fn browse(arguments: arguments::Browse, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let core = machine.open(root(arguments.workspace.root.as_ref(), None)?);
    let arguments::Browse { integration, path, filter, page, format, .. } = arguments;
    let choices = ask(&core, machine, &integration, &Shelf { path, filter, page }, terminal).await?;
    match format {
        Format::Json => terminal.json(&Listing::from(choices))?,
        Format::Text => print(&choices, terminal)?,
    }
    Ok(Exit::Done)
}

/// Lets the person choose a secret of an integration, step by step.
pub async fn choose(
    core: &Arc<Core>,
    machine: &Machine,
    integration: &str,
    terminal: &mut Terminal,
) -> Result<NewLink, Stop> {
    if !terminal.is_interactive() {
        let hint = "say it with --path and --key, or with --arn; `vaultls browse` lists what there is";
        return Err(Stop::usage("nobody can be asked where the secret lives", hint));
    }
    let (mut at, mut before) = (Shelf::default(), Vec::new());
    loop {
        let mut choices = ask(core, machine, integration, &at, terminal).await?;
        show(&choices, terminal);
        let said = Said::parse(&prompt::line(terminal, &question(&choices))?, choices.by_hand.is_some());
        let next = match said {
            Said::Number(number) if (1..=choices.choices.len()).contains(&number) => {
                match choices.choices.swap_remove(number - 1).leads {
                    Leads::Link(link) => return Ok(*link),
                    Leads::To(path) => Shelf { path, ..Shelf::default() },
                }
            }
            Said::Filter(filter) => {
                at = Shelf { filter, page: None, ..at };
                continue;
            }
            Said::More if choices.more.is_some() => Shelf { page: choices.more, ..at.clone() },
            Said::Typed(part) => {
                let path = at.path.iter().cloned().chain([part]).collect();
                Shelf { path, ..Shelf::default() }
            }
            Said::Back => match before.pop() {
                Some(earlier) => {
                    at = earlier;
                    continue;
                }
                None => return Err(Stop::wrong("nothing was chosen", "")),
            },
            Said::Number(_) | Said::More | Said::Unclear => {
                terminal.error("this is not one of them", "type a number from the list");
                continue;
            }
        };
        before.push(std::mem::replace(&mut at, next));
    }
}

/// What there is to choose from, after signing in where that is what is missing and somebody can be asked.
async fn ask(
    core: &Arc<Core>,
    machine: &Machine,
    integration: &str,
    at: &Shelf,
    terminal: &mut Terminal,
) -> Result<Choices, Stop> {
    match core.browse(integration, at).await {
        Err(failure) if terminal.is_interactive() && asks_for_sign_in(&failure) => {
            person::sign_in(core, machine, integration, terminal).await?;
            Ok(core.browse(integration, at).await?)
        }
        answer => Ok(answer?),
    }
}

fn asks_for_sign_in(failure: &Failure) -> bool {
    matches!(failure.reason, Some(Reason::LoginNeeded | Reason::MfaNeeded | Reason::Disconnected))
}

fn question(choices: &Choices) -> String {
    let more = if choices.more.is_some() { ", `+` for more" } else { "" };
    let by_hand = match &choices.by_hand {
        Some(ByHand { label, placeholder: Some(example) }) => format!(", or {label} (such as {example})"),
        Some(ByHand { label, placeholder: None }) => format!(", or {label}"),
        None => String::new(),
    };
    format!("{}: a number, `/text` to filter{more}, `..` to go back{by_hand}", choices.title)
}

/// The list as numbered lines, where questions are asked.
fn show(choices: &Choices, terminal: &mut Terminal) {
    if choices.choices.is_empty() {
        terminal.note(&[styled(Style::Dim, "nothing to choose from here")]);
    }
    for (index, choice) in choices.choices.iter().enumerate() {
        let Choice { label, detail, .. } = choice;
        let detail = detail.as_ref().map(|detail| format!("  {}", one_line(detail))).unwrap_or_default();
        let number = format!("{:4}  ", index + 1);
        terminal.note(&[styled(Style::Dim, number), plain(one_line(label)), styled(Style::Dim, detail)]);
    }
}

fn print(choices: &Choices, terminal: &mut Terminal) -> std::io::Result<()> {
    for choice in &choices.choices {
        let detail = choice.detail.as_ref().map(|detail| format!("  {}", one_line(detail))).unwrap_or_default();
        terminal.line(&[plain(one_line(&choice.label)), styled(Style::Dim, detail)])?;
    }
    if let Some(more) = &choices.more {
        terminal.note(&[styled(Style::Dim, format!("there is more: --page {more}"))]);
    }
    Ok(())
}

impl Said {
    fn parse(line: &str, by_hand: bool) -> Self {
        let line = line.trim();
        if let Some(filter) = line.strip_prefix('/') {
            return Self::Filter(filter.to_owned());
        }
        match (line, line.parse()) {
            ("+", _) => Self::More,
            ("..", _) => Self::Back,
            ("", _) => Self::Unclear,
            (_, Ok(number)) => Self::Number(number),
            _ if by_hand => Self::Typed(line.to_owned()),
            _ => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_at_a_list_has_one_meaning() {
        for (line, by_hand, expected) in [
            (" 2 ", true, Said::Number(2)),
            ("/str", false, Said::Filter("str".into())),
            ("/", false, Said::Filter(String::new())),
            ("+", true, Said::More),
            ("..", true, Said::Back),
            ("", true, Said::Unclear),
            ("kv/app", true, Said::Typed("kv/app".into())),
            ("kv/app", false, Said::Unclear),
        ] {
            assert_eq!(Said::parse(line, by_hand), expected, "{line}");
        }
    }
}
