//! What became of several requests: as tests for programs, and summed up for people.

use crate::{
    cli::{
        junit::{Case, Fault, Suite, Verdict},
        run::Ran,
    },
    http::send::Response,
    work::{Obstacle, RunOutcome, extract::counted},
};

/// How much of an answer's body a report repeats, in bytes.
const MAX_BODY: usize = 16 << 10;

/// How many requests ended how.
#[derive(Default)]
pub struct Tally {
    fine: usize,
    refused: usize,
    blocked: usize,
    failed: usize,
    left_out: usize,
}

impl Tally {
    /// `outcome` is none for a request that was left out.
    pub fn count(&mut self, outcome: Option<&RunOutcome>) {
        *match outcome {
            None => &mut self.left_out,
            Some(RunOutcome::Sent { response, .. }) if response.status < 400 => &mut self.fine,
            Some(RunOutcome::Sent { .. }) => &mut self.refused,
            Some(RunOutcome::Blocked { .. }) => &mut self.blocked,
            Some(RunOutcome::Failed { .. }) => &mut self.failed,
        } += 1;
    }

    /// `5 requests: 3 answered, 1 answered 400 or above, 1 not sent`
    pub fn summary(&self) -> String {
        let parts = [
            (self.fine, "answered"),
            (self.refused, "answered 400 or above"),
            (self.blocked, "not sent"),
            (self.failed, "failed"),
            (self.left_out, "left out"),
        ];
        let all = parts.iter().map(|(count, _)| count).sum();
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        format!("{}: {}", counted(all, "request"), parts.collect::<Vec<_>>().join(", "))
    }
}

/// The requests of one file as a suite of tests. Everything in it was masked already.
pub fn suite(file: &str, ran: &[Ran]) -> Suite {
    let (mut out, mut err) = (String::new(), String::new());
    for one in ran {
        if let Some(RunOutcome::Sent { response, notes }) = &one.outcome {
            out += &format!("{}: {}, {} ms\n", place(one), status(response), response.millis);
            notes.iter().for_each(|note| err += &format!("{}: {note}\n", place(one)));
        }
    }
    Suite { name: file.to_owned(), cases: ran.iter().map(case).collect(), out, err }
}

fn case(one: &Ran) -> Case {
    let name = match &one.name {
        Some(name) => name.clone(),
        None => format!("{} (line {})", one.title, one.line),
    };
    Case { name, class: one.file.clone(), time: one.elapsed, verdict: verdict(one) }
}

fn verdict(one: &Ran) -> Verdict {
    let place = place(one);
    match &one.outcome {
        None => Verdict::Skipped,
        Some(RunOutcome::Sent { response, .. }) if response.status < 400 => Verdict::Passed,
        Some(RunOutcome::Sent { response, .. }) => Verdict::Failed(Fault {
            kind: "status".into(),
            message: status(response),
            detail: format!("{place}: {} {}\n{}\n", response.method, response.url, answer(response)),
        }),
        Some(RunOutcome::Blocked { obstacles }) => Verdict::Broken(Fault {
            kind: obstacles.first().map_or("request", |first| first.code).into(),
            message: format!("not sent: {}", obstacles.first().map_or("", |first| &first.message)),
            detail: obstacles.iter().map(|obstacle| line(&place, obstacle)).collect(),
        }),
        Some(RunOutcome::Failed { message, obstacle }) => Verdict::Broken(Fault {
            kind: obstacle.as_ref().map_or("exchange", |obstacle| obstacle.code).into(),
            message: message.clone(),
            detail: format!("{place}: {message}\n{}", obstacle.iter().map(|it| line(&place, it)).collect::<String>()),
        }),
    }
}

fn place(one: &Ran) -> String {
    format!("{}:{}", one.file, one.line)
}

fn status(response: &Response) -> String {
    format!("{} {} {}", response.version, response.status, response.reason).trim_end().to_owned()
}

/// Headers and body, the body not longer than helps.
fn answer(response: &Response) -> String {
    let mut answer: String = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let end = response.body.floor_char_boundary(MAX_BODY);
    answer += &format!("\n{}", &response.body[..end]);
    if end < response.body.len() {
        answer += &format!("\n(the first {end} of {} bytes)", response.body.len());
    }
    answer
}

fn line(place: &str, obstacle: &Obstacle) -> String {
    let hint = if obstacle.hint.is_empty() { String::new() } else { format!(" ({})", obstacle.hint) };
    format!("{place}: {}: {}{hint}\n", obstacle.code, obstacle.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_summed_up() {
        let mut tally = Tally::default();
        tally.count(None);
        assert_eq!(tally.summary(), "1 request: 1 left out");
        let failed = RunOutcome::Failed { message: String::new(), obstacle: None };
        tally.count(Some(&failed));
        tally.count(Some(&RunOutcome::Blocked { obstacles: vec![] }));
        assert_eq!(tally.summary(), "3 requests: 1 not sent, 1 failed, 1 left out");
    }
}
