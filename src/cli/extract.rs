//! `vaultls extract`: moves a value that stands in a request into the local vault. It is stored first; then a reference
//! takes its place in every request file of the workspace.

use std::path::PathBuf;

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        documents::{self, Workspaces},
        prompt,
        terminal::{Style, Terminal, one_line, plain, styled},
    },
    feature::{Context, literal::Literal, pasted},
    text::{Encoding, Position, Span, Text},
    vault::value::SecretValue,
    work::{
        extract::{HISTORY, counted},
        verbs::check_domains,
    },
};

/// A longer line needs a column: each place of it is looked at.
const LONGEST_LINE: usize = 4096;

pub async fn extract(arguments: arguments::Extract, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let place = Place::parse(&arguments.place)?;
    let core = Workspaces::new(machine, arguments.workspace.root).of(&place.path, |_| Ok(()))?;
    let (sheet, _) = documents::open(&place.path, &core.root, arguments.environment.as_deref())?;
    let survey = core.survey_offline(&sheet).await;
    let known = core.vault.known();
    let context = sheet.context(&survey, &known);
    let literal = place.literal(&context)?;
    let Some(value) = literal.value(sheet.document.kind, &sheet.source) else {
        return Err(place.told("the value cannot be decoded"));
    };
    let domains = domains(&context, &literal, arguments.allowed_domains);
    check_domains(&domains)?;
    let name = arguments.name;
    if prompt::prepare_vault(&core, &name, terminal).await? {
        core.remove(&name).await?;
    }
    let stored = SecretValue::new(value.as_bytes().to_vec());
    let warning = core.store_new(&name, stored, (!domains.is_empty()).then_some(domains)).await?;
    terminal.note(&[plain(format!("stored {name}"))]);
    if let Some(warning) = warning {
        terminal.warning(&warning);
    }
    let changed = core.replace_literal(&sheet, &literal, &name).await;
    for file in &changed.files {
        let shown = one_line(&documents::below_here(&file.path).to_string_lossy());
        terminal.line(&[styled(Style::Bold, shown), plain(format!(": {} replaced", counted(file.places, "place")))])?;
    }
    terminal.flush()?;
    if changed.cut {
        terminal.warning("the workspace has more files than are searched: the value may stand in others");
    }
    for (path, error) in &changed.failures {
        let name = format!("<<vault:{name}>>");
        terminal.error(
            &format!("{}: the value still stands there: {error}", path.display()),
            &format!("write {name} in its place; the secret is stored"),
        );
    }
    terminal.note(&[plain(HISTORY)]);
    Ok(if changed.failures.is_empty() { Exit::Done } else { Exit::Wrong })
}

/// The hosts that the secret may go to: those that were named, else those of its requests.
fn domains(context: &Context<'_>, literal: &Literal, named: Vec<String>) -> Vec<String> {
    if named.is_empty() { literal.hosts(context) } else { named }
}

/// A place in a file, counted from 1.
struct Place {
    path: PathBuf,
    line: u32,
    column: Option<u32>,
}

impl Place {
    fn parse(text: &str) -> Result<Self, Stop> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let wrong = || Stop::usage("this names no place", "write it as FILE:LINE or FILE:LINE:COLUMN");
        let (front, last) = text.rsplit_once(':').ok_or_else(wrong)?;
        let last = number(last).ok_or_else(wrong)?;
        if let Some((path, line)) = front.rsplit_once(':')
            && let Some(line) = number(line)
        {
            return Ok(Self { path: path.into(), line, column: Some(last) });
        }
        Ok(Self { path: front.into(), line: last, column: None })
    }

    fn told(&self, problem: &str) -> Stop {
        let place = format!("{}:{}", self.path.display(), self.line);
        Stop::usage(format!("{place}: {problem}"), "name the column of the value as well: FILE:LINE:COLUMN")
    }

    /// The value at the column; without one the only value of the line, or the only one that looks like a secret.
    fn literal(&self, context: &Context<'_>) -> Result<Literal, Stop> {
        let text = Text::new(context.source);
        if self.line as usize > text.lines() {
            return Err(self.told("the file has no such line"));
        }
        let offset = |column| text.offset(Position { line: self.line - 1, column }, Encoding::Utf32);
        if let Some(column) = self.column {
            let found = pasted::meant(context, Span::at(offset(column - 1)));
            return found.map(|(literal, _)| literal).ok_or_else(|| self.told("no value stands at this column"));
        }
        let line = Span::new(offset(0), offset(u32::MAX));
        if line.len() > LONGEST_LINE {
            return Err(self.told("the line is too long to be searched for a value"));
        }
        let mut found: Vec<(Literal, bool)> = Vec::new();
        let mut at = line.start;
        while at <= line.end && found.len() < 20 {
            match pasted::meant(context, Span::at(at)) {
                Some((literal, pasted)) => {
                    at = at.max(literal.span.end) + 1;
                    if !found.iter().any(|(other, _)| other.span == literal.span) {
                        found.push((literal, pasted.is_some()));
                    }
                }
                None => at += 1,
            }
            at = context.source.ceil_char_boundary(at.min(context.source.len() + 1));
        }
        let pasted = found.iter().filter(|(_, pasted)| *pasted).count();
        found.retain(|(_, is_pasted)| *is_pasted || pasted == 0);
        match found.len() {
            1 => Ok(found.remove(0).0),
            0 => Err(self.told("no value stands on this line")),
            _ => Err(self.told("several values stand on this line")),
        }
    }
}
