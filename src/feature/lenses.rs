//! A line above each request: send it, and whether that would work.

use crate::{
    feature::{
        Context,
        command::{Command, Run},
        escape,
    },
    status::{Reason, RequestSurvey},
    text::Span,
};

/// The most lenses of one document.
pub const MAX_LENSES: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// The request's line.
    pub span: Span,
    pub title: String,
    pub command: Command,
}

/// One for each request that can be run; `uri` is the document's, as the editor names it.
pub fn lenses(context: &Context<'_>, uri: &str) -> Vec<Lens> {
    let requests = context.document.requests.iter().enumerate();
    let runnable = requests.filter(|(_, request)| request.not_runnable.is_none()).take(MAX_LENSES);
    runnable
        .map(|(index, request)| {
            let run = Run { uri: uri.to_owned(), request: Some(index), line: None, environment: None, pipe: None };
            let title = title(context.survey.requests.get(index));
            Lens { span: request.line, title, command: Command::Run(run) }
        })
        .collect()
}

fn title(survey: Option<&RequestSurvey>) -> String {
    let Some(survey) = survey else { return "Send".into() };
    let reasons = survey.needs.iter().filter_map(|need| need.problem.as_ref()).map(|problem| problem.reason);
    let (unapproved, unavailable): (Vec<_>, Vec<_>) = reasons.partition(|reason| *reason == Reason::HostUnapproved);
    match (unavailable.len(), unapproved.is_empty(), &survey.host) {
        (1, _, _) => "Send (1 secret unavailable)".into(),
        (count @ 2.., _, _) => format!("Send ({count} secrets unavailable)"),
        (0, false, Some(host)) => format!("Send (asks about {})", escape::plain(host)),
        (0, _, _) => match survey.first.as_slice() {
            [] => "Send".into(),
            [name] => format!("Send (after {})", escape::plain(name)),
            names => format!("Send (after {} others)", names.len()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(fixture: &Fixture, expected: &[&str]) {
        let lenses = lenses(&fixture.context(), "file:///a.http");
        assert_eq!(lenses.iter().map(|lens| lens.title.as_str()).collect::<Vec<_>>(), expected);
    }

    const TWO: &str = "GET https://a.b/<<vault:one>>/<<vault:two>>\n\n###\nGET https://a.b/<<vault:one>>\n";

    #[test]
    fn every_request_can_be_sent() {
        check(&Fixture::http(TWO), &["Send", "Send"]);
        check(&Fixture::http("# nothing here\n"), &[]);
    }

    #[test]
    fn the_title_counts_what_is_missing() {
        let fixture = Fixture::http(TWO).problem("one", Reason::Missing).problem("two", Reason::Locked);
        check(&fixture, &["Send (2 secrets unavailable)", "Send (1 secret unavailable)"]);
    }

    #[test]
    fn a_secret_used_twice_counts_once() {
        let text = "GET https://a.b/<<vault:one>>/<<vault:one>>\n";
        check(&Fixture::http(text).problem("one", Reason::Missing), &["Send (1 secret unavailable)"]);
    }

    #[test]
    fn a_host_that_was_not_approved_is_named() {
        let fixture = Fixture::http("GET https://a.b/<<vault:one>>\n").unapproved("one");
        check(&fixture, &["Send (asks about a.b)"]);
    }

    #[test]
    fn what_is_sent_first_is_named() {
        let survey = |names: &[&str]| RequestSurvey {
            first: names.iter().map(|name| (*name).to_owned()).collect(),
            ..RequestSurvey::default()
        };
        assert_eq!(title(Some(&survey(&["login"]))), "Send (after login)");
        assert_eq!(title(Some(&survey(&["login", "session"]))), "Send (after 2 others)");
    }

    #[test]
    fn the_command_names_the_request() {
        let fixture = Fixture::http(TWO);
        let lenses = lenses(&fixture.context(), "file:///a.http");
        let expected = serde_json::json!({"uri": "file:///a.http", "request": 1});
        assert_eq!((lenses[1].command.id(), lenses[1].command.argument()), ("vaultls.run", expected));
        assert!(lenses[1].span.of(&fixture.source).starts_with("GET"));
    }
}
