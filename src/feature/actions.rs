//! What can be done at a place: send its request, mend its references, and help a secret that cannot be had.

mod extract;
mod mend;
mod remedy;

use std::path::PathBuf;

use crate::{
    feature::{
        Context, Edit,
        command::{Command, Extract, Run},
        trouble,
    },
    text::Span,
};

/// The most actions offered at once.
const MAX_ACTIONS: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Plain text.
    pub title: String,
    pub kind: ActionKind,
    /// The code of the findings that it settles.
    pub fixes: Option<&'static str>,
    /// Whether it is what a person most likely wants.
    pub preferred: bool,
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    QuickFix,
    /// Says the same in another way.
    Rewrite,
    /// Moves a part of the text elsewhere.
    Extract,
    /// Does something outside the text.
    Run,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Edit(Change),
    Command(Command),
}

/// Edits that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A file that the edits need and that does not exist yet.
    pub create: Option<PathBuf>,
    pub edits: Vec<Edit>,
}

/// What can be done at `span`, which may be a bare cursor; `uri` is the document's, as the editor names it.
pub fn actions(context: &Context<'_>, uri: &str, span: Span) -> Vec<Action> {
    let mut actions = Vec::new();
    for trouble in trouble::at(context, span) {
        remedy::push(context, uri, &trouble, span, &mut actions);
    }
    mend::push(context, span, &mut actions);
    // One thing can be likeliest at a place.
    let taken = actions.iter().any(|action| action.preferred);
    actions.extend(extract::action(context, uri, span).map(|it| Action { preferred: it.preferred && !taken, ..it }));
    actions.extend(send(context, uri, span));
    let mut seen = std::collections::HashSet::new();
    actions.retain(|action| seen.insert(action.title.clone()));
    actions.truncate(MAX_ACTIONS);
    actions
}

/// What can be done with the whole request at a place.
fn send(context: &Context<'_>, uri: &str, span: Span) -> Vec<Action> {
    let Some(request) = context.document.request_at(span.start) else { return Vec::new() };
    if context.document.requests[request].not_runnable.is_some() {
        return Vec::new();
    }
    let run = Run { uri: uri.to_owned(), request: Some(request), line: None, environment: None, pipe: None };
    let copy = Command::CopyCurl(run.clone());
    [Command::Run(run), copy].map(|command| Action::command(command, None)).to_vec()
}

impl Action {
    /// Its title is the command's own.
    fn command(command: Command, fixes: Option<&'static str>) -> Self {
        let kind = if fixes.is_some() { ActionKind::QuickFix } else { ActionKind::Run };
        Self { title: command.title(), kind, fixes, preferred: false, effect: Effect::Command(command) }
    }

    /// Says in which version of the document the action's place counts.
    pub fn of_version(mut self, current: i32) -> Self {
        if let Effect::Command(Command::Extract(Extract { version, .. })) = &mut self.effect {
            *version = current;
        }
        self
    }

    fn edit(title: String, kind: ActionKind, fixes: &'static str, edits: Vec<Edit>) -> Self {
        let effect = Effect::Edit(Change { create: None, edits });
        Self { title, kind, fixes: Some(fixes), preferred: false, effect }
    }

    fn preferred(mut self) -> Self {
        self.preferred = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feature::fixture::{Fixture, origin},
        status::{Problem, Reason, Status},
    };

    const URI: &str = "file:///project/a.http";

    fn at_cursor(fixture: &Fixture) -> Vec<Action> {
        actions(&fixture.context(), URI, Span::at(fixture.cursor()))
    }

    /// The titles offered at the cursor, without the last two, which are about the request.
    fn check(fixture: &Fixture, expected: &[&str]) {
        let actions = at_cursor(fixture);
        let mut titles: Vec<_> = actions.iter().map(|action| action.title.as_str()).collect();
        assert_eq!((titles.pop(), titles.pop()), (Some("Copy as cURL"), Some("Send request")));
        assert_eq!(titles, expected);
        assert!(actions.iter().filter(|action| action.preferred).count() <= 1, "{actions:?}");
    }

    /// The text after the action with this title.
    fn check_edit(fixture: &Fixture, title: &str, expected: &str) {
        let actions = at_cursor(fixture);
        let action = actions.iter().find(|action| action.title == title).unwrap_or_else(|| panic!("{actions:?}"));
        let Effect::Edit(change) = &action.effect else { panic!("{action:?}") };
        let mut text = fixture.source.clone();
        for edit in change.edits.iter().rev() {
            assert_eq!(edit.file, fixture.context().path);
            text.replace_range(edit.span.start..edit.span.end, &edit.text);
        }
        assert_eq!(text, expected);
    }

    fn use_of_k(reason: Reason) -> Fixture {
        Fixture::http("GET https://a.b/<<vault:k$0>>\n").problem("k", reason)
    }

    #[test]
    fn a_request_can_always_be_sent() {
        check(&Fixture::http("GET https://a.$0b\n"), &[]);
        assert_eq!(at_cursor(&Fixture::http("# $0nothing\n")), []);
    }

    #[test]
    fn a_missing_secret_can_be_created_linked_or_replaced() {
        let fixture =
            Fixture::http("GET https://a.b/<<vault:stirpe$0>>\n").known("stripe").integration("payments", None);
        let fixture = fixture.problem("stirpe", Reason::Missing);
        let titles = ["Replace it with `stripe`", "Create `stirpe` in the local vault", "Link `stirpe` to `payments`"];
        check(&fixture, &titles);
        check_edit(&fixture, titles[0], "GET https://a.b/<<vault:stripe>>\n");
    }

    #[test]
    fn a_new_secret_may_go_to_the_host_of_its_request() {
        let actions = at_cursor(&use_of_k(Reason::Missing));
        let Effect::Command(command) = &actions[0].effect else { panic!("{actions:?}") };
        assert_eq!(command.argument(), serde_json::json!({"uri": URI, "name": "k", "allowedDomains": ["a.b"]}));
    }

    #[test]
    fn a_link_is_appended_to_the_file_or_starts_it() {
        let table = "[secrets.k]\nintegration = \"payments\"\nengine = \"kv\"\npath = \"path/to/secret\"\nkey = \"key\"\n\
                     allowed-domains = [\"a.b\"]\n";
        for (text, gap, at) in [(None, "", 0), (Some("# x\n"), "\n", 4), (Some("# x"), "\n\n", 3)] {
            let actions = at_cursor(&use_of_k(Reason::Missing).integration("payments", text));
            let Effect::Edit(change) = &actions[1].effect else { panic!("{actions:?}") };
            assert_eq!(change.create.is_some(), text.is_none());
            assert_eq!((change.edits[0].span, &change.edits[0].text), (Span::at(at), &format!("{gap}{table}")));
        }
    }

    #[test]
    fn an_editor_with_our_plugin_links_by_choosing() {
        let fixture = use_of_k(Reason::Missing).integration("payments", None).with_plugin();
        let actions = at_cursor(&fixture);
        let chosen = actions.iter().find(|action| action.title == "Link `k` to `payments`...").unwrap();
        let Effect::Command(command) = &chosen.effect else { panic!("{chosen:?}") };
        let expected = serde_json::json!({ "uri": URI, "name": "k", "integration": "payments" });
        assert_eq!((command.id(), command.argument()), ("vaultls.browse", expected));
    }

    #[test]
    fn every_reason_has_a_remedy() {
        for reason in Reason::ALL {
            let actions = at_cursor(&use_of_k(reason));
            let remedy = actions.iter().find(|action| action.fixes == Some(reason.code()));
            assert!(remedy.is_some_and(|action| action.preferred), "{reason:?}: {actions:?}");
        }
    }

    #[test]
    fn reasons_have_the_remedies_that_fit() {
        check(&use_of_k(Reason::Disabled), &["Enable `k`"]);
        check(&use_of_k(Reason::Locked), &["Unlock the local vault"]);
        check(&use_of_k(Reason::Untrusted), &["Review and trust this workspace's definitions"]);
        check(&use_of_k(Reason::Unreachable), &["Ask for `k` again"]);
        check(&use_of_k(Reason::DomainDenied), &["Allow `a.b` for `k` and remember"]);
        check(&use_of_k(Reason::Empty), &["Enter a value for `k`"]);
    }

    #[test]
    fn signing_in_names_the_integration() {
        let problem = Some(Problem::new(Reason::LoginNeeded, "not signed in"));
        let status = Status { origin: Some(origin()), problem, checked: true };
        let fixture = Fixture::http("GET https://a.b/<<vault:k$0>>\n").status("k", status);
        check(&fixture, &["Sign in to `payments`"]);
    }

    #[test]
    fn a_host_is_allowed_once_or_for_good() {
        let fixture = Fixture::http("GET https://a.b/<<vault:k$0>>\n").unapproved("k");
        check(&fixture, &["Allow `a.b` for `k` and remember", "Allow `a.b` for `k` this time"]);
    }

    #[test]
    fn a_secret_behind_a_variable_is_helped_where_the_variable_stands() {
        let text = "@token = <<vault:k>>\n\nGET https://a.b/{{to$0ken}}\n";
        check(&Fixture::http(text).problem("k", Reason::Locked), &["Unlock the local vault"]);
    }

    #[test]
    fn a_process_variable_cannot_be_created_in_a_vault() {
        let fixture = Fixture::http("GET https://a.b/{{$processEnv K$0}}\n").problem("env:K", Reason::Missing);
        check(&fixture, &[]);
    }

    #[test]
    fn references_are_closed_and_trimmed() {
        for half in ["", ">"] {
            let fixture = Fixture::http(&format!("GET https://a.b/\nAccept: <<vault:k$0{half}\n"));
            check_edit(&fixture, "Close the reference with `>>`", "GET https://a.b/\nAccept: <<vault:k>>\n");
        }
        let fixture = Fixture::http("GET https://a.b/\nAccept: <<vault: k$0 >>\n");
        check_edit(&fixture, "Remove the spaces next to the delimiters", "GET https://a.b/\nAccept: <<vault:k>>\n");
    }

    #[test]
    fn braces_are_converted_one_by_one_or_all() {
        let fixture = Fixture::http("GET https://a.b/{{vault:a$0}}/{{vault:b}}/<<vault:c>>\n");
        let all = "GET https://a.b/<<vault:a>>/<<vault:b>>/<<vault:c>>\n";
        check_edit(&fixture, "Convert to `<<vault:a>>`", "GET https://a.b/<<vault:a>>/{{vault:b}}/<<vault:c>>\n");
        check_edit(&fixture, "Convert all 2 in this file to `<<vault:..>>`", all);
    }

    #[test]
    fn an_unknown_variable_is_replaced_or_defined() {
        let fixture = Fixture::http("@host = a.b\n\nGET https://{{hots$0}}\n");
        check_edit(&fixture, "Replace it with `host`", "@host = a.b\n\nGET https://{{host}}\n");
        let defined = "@hots = \n@host = a.b\n\nGET https://{{hots}}\n";
        check_edit(&fixture, "Define `@hots` at the top of the file", defined);
    }

    #[test]
    fn a_whole_file_selected_offers_a_bounded_list() {
        let mut fixture = Fixture::http(&format!("GET https://a.b\n\n{}", "<<vault:k >> {{x}}\n".repeat(5_000)));
        for index in 0..50 {
            fixture = fixture.known(&format!("k{index}"));
        }
        let fixture = fixture.problem("k", Reason::Missing);
        let actions = actions(&fixture.context(), URI, Span::new(0, fixture.source.len()));
        assert!(actions.len() <= MAX_ACTIONS);
    }
}
