//! What to mark in a document. The survey says which secrets cannot be had; the rest is read off the document.

use std::collections::HashSet;

use crate::{
    feature::{
        Context, Finding, Tag, code, escape, near,
        sent::Sent,
        trouble,
        variable::{self, Expression},
    },
    name::{NameError, SecretName},
    status::{Problem, Reason, Severity},
    syntax::{Kind, Place, Reference, Spelling, Use},
    text::Span,
};

/// The most findings of one file; one more says how many were left out.
pub const MAX_FINDINGS: usize = 1_000;

/// The findings of a document, by position. Linear in the document; the most important survive the limit.
pub fn diagnostics(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let sent = Sent::of(context.document);
    requests(context, &mut findings);
    statuses(context, &sent, &mut findings);
    for error in &context.document.errors {
        findings.add(error.span, error.severity, code::SYNTAX, || escape::plain(&error.message));
    }
    broken_references(context, &mut findings);
    variables(context, &sent, &mut findings);
    advice(context, &mut findings);
    findings.finish()
}

/// Findings up to the limit. Messages are made only for those that are kept.
#[derive(Default)]
pub struct Findings {
    kept: Vec<Finding>,
    left_out: usize,
    seen: HashSet<(Span, &'static str)>,
}

impl Findings {
    pub fn add(&mut self, span: Span, severity: Severity, code: &'static str, message: impl FnOnce() -> String) {
        if self.kept.len() == MAX_FINDINGS {
            self.left_out += 1;
            return;
        }
        self.kept.push(Finding { span, severity, code, message: message(), tag: None });
    }

    /// By position, with the number of those left out.
    pub fn finish(mut self) -> Vec<Finding> {
        self.kept.sort_by_key(|finding| (finding.span, finding.severity));
        if self.left_out > 0 {
            let message = format!("{} more findings are not shown", self.left_out);
            let severity = Severity::Information;
            self.kept.push(Finding { span: Span::at(0), severity, code: code::SYNTAX, message, tag: None });
        }
        self.kept
    }

    /// A secret's problem, once for each place and reason: an inherited field belongs to many requests.
    fn add_problem(&mut self, context: &Context<'_>, span: Span, name: &SecretName, problem: &Problem) {
        let reason = problem.reason;
        if !self.seen.insert((span, reason.code())) {
            return;
        }
        let before = self.kept.len();
        self.add(span, reason.severity(), reason.code(), || trouble::message(context, name, problem));
        if reason == Reason::Disabled && self.kept.len() > before {
            self.kept[before].tag = Some(Tag::Unnecessary);
        }
    }
}

/// What requests cannot have, at each place where it enters them.
fn requests(context: &Context<'_>, findings: &mut Findings) {
    for need in context.survey.requests.iter().flat_map(|request| &request.needs) {
        let Some(problem) = &need.problem else { continue };
        for span in &need.spans {
            findings.add_problem(context, *span, &need.name, problem);
        }
    }
}

/// References that no request told about, such as those in a variable that nothing uses.
fn statuses(context: &Context<'_>, sent: &Sent, findings: &mut Findings) {
    if context.survey.secrets.values().all(|status| status.problem.is_none()) {
        return;
    }
    for reference in &context.document.references {
        let Ok(name) = &reference.name else { continue };
        let Some(status) = context.survey.secrets.get(name) else { continue };
        let Some(problem) = &status.problem else { continue };
        if reference.closed && sent.contains(reference.span) {
            findings.add_problem(context, reference.span, name, problem);
        }
    }
}

/// References that name nothing, so that a request with one of them is not sent.
fn broken_references(context: &Context<'_>, findings: &mut Findings) {
    for reference in context.document.references.iter().filter(|reference| reference.place != Place::Elsewhere) {
        if !reference.closed {
            let closer = closer(reference.spelling);
            findings.add(reference.span, Severity::Error, code::REFERENCE, || {
                format!("this reference is unfinished; close it with `{closer}`")
            });
        } else if let Err(error) = reference.name {
            let span = if reference.name_span.is_empty() { reference.span } else { reference.name_span };
            findings.add(span, Severity::Error, code::REFERENCE, || match error {
                NameError::Empty => "this reference names no secret; write its name after `vault:`".into(),
                error => error.to_string(),
            });
        }
    }
}

/// Variables without a value.
fn variables(context: &Context<'_>, sent: &Sent, findings: &mut Findings) {
    let defined: HashSet<&str> = {
        let enabled = context.document.variables.iter().filter(|variable| variable.enabled);
        enabled.map(|variable| variable.name.as_str()).collect()
    };
    for used in context.document.uses.iter().filter(|used| used.closed && used.place != Place::Elsewhere) {
        let unknown = is_unknown(context, &defined, used);
        if !unknown || !sent.contains(used.span) {
            continue;
        }
        if variable::asks_for_a_response(&used.name) {
            findings.add(used.span, Severity::Information, code::VARIABLE, || {
                "values of earlier responses are not supported yet: a request with one of them is not sent".into()
            });
        } else {
            findings.add(used.span, Severity::Warning, code::VARIABLE, || unknown_variable(context, used));
        }
    }
}

fn is_unknown(context: &Context<'_>, defined: &HashSet<&str>, used: &Use) -> bool {
    let environment = context.environment;
    match Expression::of(&used.name) {
        Expression::Plain(name) => {
            !defined.contains(name) && !environment.values.contains_key(name) && !environment.dotenv.contains_key(name)
        }
        Expression::Dotenv(name) => !environment.dotenv.contains_key(name),
        Expression::ProcessEnv(name) => SecretName::of_process_variable(name).is_none(),
        Expression::Dynamic(_) => false,
        Expression::UnknownDynamic(_) => true,
    }
}

fn unknown_variable(context: &Context<'_>, used: &Use) -> String {
    let shown = escape::plain(variable::bare(&used.name));
    match Expression::of(&used.name) {
        Expression::ProcessEnv(_) => "this needs the name of a process variable, as in `$processEnv API_KEY`".into(),
        Expression::Dotenv("") => "this needs the name of a variable, as in `$dotenv API_KEY`".into(),
        Expression::Dotenv(name) => format!("no `{}` in a `.env` file beside or above this file", escape::plain(name)),
        Expression::UnknownDynamic(name) => {
            let known = variable::DYNAMIC.iter().map(|dynamic| dynamic.name);
            let meant = near::nearest(name, known.chain([variable::DOTENV, variable::PROCESS_ENV]));
            format!("`{}` is not a known variable{}", escape::plain(name), did_you_mean(&meant))
        }
        Expression::Plain(name) => {
            let meant = similar_variables(context, name);
            let choice = choice_of_environment(context);
            format!("no value for the variable `{shown}`{}{choice}", did_you_mean(&meant))
        }
        Expression::Dynamic(_) => format!("no value for `{shown}`"),
    }
}

/// Variables that have a value and are spelled nearly like `name`.
pub fn similar_variables<'a>(context: &Context<'a>, name: &str) -> Vec<&'a str> {
    let file = context.document.variables.iter().filter(|variable| variable.enabled);
    let file = file.map(|variable| variable.name.as_str());
    let environment = context.environment.values.keys().chain(context.environment.dotenv.keys());
    near::nearest(name, file.chain(environment.map(String::as_str)))
}

fn did_you_mean(meant: &[&str]) -> String {
    meant.first().map(|meant| format!(": did you mean `{}`?", escape::plain(meant))).unwrap_or_default()
}

fn choice_of_environment(context: &Context<'_>) -> String {
    let environment = context.environment;
    if environment.name.is_some() || environment.available.is_empty() {
        return String::new();
    }
    let names: Vec<_> = environment.available.iter().take(5).map(|name| format!("`{}`", escape::plain(name))).collect();
    format!("; no environment is chosen, there are {}", names.join(", "))
}

/// What works and could surprise.
fn advice(context: &Context<'_>, findings: &mut Findings) {
    for reference in context.document.references.iter().filter(|reference| reference.closed) {
        if reference.place == Place::Elsewhere || reference.name.is_err() {
            continue;
        }
        if reference.place == Place::JsonBare {
            findings.add(reference.span, Severity::Information, code::REFERENCE, || {
                "outside a JSON string: the value must be a number, `true`, `false` or `null`".into()
            });
        }
        if reference.padded {
            findings.add(reference.span, Severity::Information, code::REFERENCE, || {
                "spaces next to the delimiters are ignored here, and other tools do not resolve this".into()
            });
        }
        if is_misread_elsewhere(context.document.kind, reference) {
            findings.add(reference.span, Severity::Hint, code::REFERENCE, || {
                "other tools for `.http` files read braces differently; convert it to `<<vault:..>>`".into()
            });
        }
    }
}

/// Whether other readers of `.http` files would evaluate or send this spelling.
pub fn is_misread_elsewhere(kind: Kind, reference: &Reference) -> bool {
    kind == Kind::Http && reference.spelling == Spelling::Curly
}

/// What closes a reference.
pub const fn closer(spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::Angle => ">>",
        Spelling::Curly => "}}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{feature::fixture::Fixture, status::Status};

    /// The findings of an annotated text are exactly those that its carets name.
    fn check(prepare: impl FnOnce(Fixture) -> Fixture, annotated: &str) {
        let (fixture, expected) = Fixture::annotated(annotated);
        let fixture = prepare(fixture);
        let found: Vec<_> = shown(&diagnostics(&fixture.context()));
        assert_eq!(found, expected, "{annotated}");
    }

    fn shown(findings: &[Finding]) -> Vec<(Span, String)> {
        let shown = |finding: &Finding| {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            (finding.span, format!("{severity} {}: {}", finding.code, finding.message))
        };
        findings.iter().map(shown).collect()
    }

    #[test]
    fn only_the_secret_that_cannot_be_had_is_underlined() {
        check(
            |fixture| fixture.problem("stripe", Reason::Locked),
            "
GET https://api.example.com/<<vault:db/pass>>
Authorization: Bearer <<vault:stripe>>
                      ^^^^^^^^^^^^^^^^ warning locked: no `stripe`; unlock the local vault
",
        );
    }

    #[test]
    fn nothing_is_said_about_secrets_before_they_were_looked_at() {
        check(|fixture| fixture.problem("a", Reason::Missing).unchecked(), "\nGET https://a.b/<<vault:a>>\n");
    }

    #[test]
    fn a_missing_secret_is_compared_with_those_that_exist() {
        check(
            |fixture| fixture.known("stripe-key").problem("stirpe-key", Reason::Missing),
            "
GET https://a.b/<<vault:stirpe-key>>
                ^^^^^^^^^^^^^^^^^^^^ error missing: no `stirpe-key`: did you mean `stripe-key`? Otherwise create it in the local vault, or link the name to an external vault
",
        );
    }

    #[test]
    fn a_secret_is_reported_where_a_variable_brings_it_in() {
        check(
            |fixture| fixture.problem("k", Reason::LoginNeeded),
            "
@token = <<vault:k>>
         ^^^^^^^^^^^ warning login-needed: no `k`; sign in

GET https://a.b
Authorization: Bearer {{token}}
                      ^^^^^^^^^ warning login-needed: no `k`; sign in
",
        );
    }

    #[test]
    fn a_process_variable_is_reported_like_a_secret() {
        check(
            |fixture| fixture.problem("env:KEY", Reason::Missing),
            "
GET https://a.b/{{$processEnv KEY}}
                ^^^^^^^^^^^^^^^^^^^ error missing: no `env:KEY`; set it in the environment in which vaultls is started
",
        );
    }

    #[test]
    fn a_host_is_only_approved_when_it_is_needed() {
        check(
            |fixture| fixture.unapproved("k"),
            "
GET https://a.b/<<vault:k>>
                ^^^^^^^^^^^ information host-unapproved: `k` was not approved for `a.b`; approve the host once; the answer is remembered on this machine
",
        );
    }

    #[test]
    fn a_reference_that_names_nothing_says_why() {
        check(
            |fixture| fixture,
            "
GET https://a.b/<<vault:>>
                ^^^^^^^^^^ error reference: this reference names no secret; write its name after `vault:`
Accept: <<vault:a`b>>
                ^^^ error reference: a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces
",
        );
    }

    #[test]
    fn an_unfinished_reference_is_told_once() {
        let fixture = Fixture::http("GET https://a.b/\nAccept: <<vault:abc\n").problem("abc", Reason::Locked);
        let findings = diagnostics(&fixture.context());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].message, "this reference is unfinished; close it with `>>`");
    }

    #[test]
    fn spellings_that_others_misread_are_pointed_out() {
        check(
            |fixture| fixture,
            "
GET https://a.b/{{vault:a}}
                ^^^^^^^^^^^ hint reference: other tools for `.http` files read braces differently; convert it to `<<vault:..>>`
Accept: << vault:b >>
        ^^^^^^^^^^^^^ information reference: spaces next to the delimiters are ignored here, and other tools do not resolve this
Cookie: <<vault:c >>
        ^^^^^^^^^^^^ information reference: spaces next to the delimiters are ignored here, and other tools do not resolve this
",
        );
    }

    #[test]
    fn braces_are_right_in_a_collection() {
        let text = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
            "item":[{"name":"a","request":{"method":"GET","url":"https://a.b/{{vault:k}}"}}]}"#;
        let fixture = Fixture::postman(text);
        assert_eq!(diagnostics(&fixture.context()), []);
    }

    #[test]
    fn a_reference_in_json_outside_a_string_is_explained() {
        check(
            |fixture| fixture,
            r#"
POST https://a.b
Content-Type: application/json

{"a": <<vault:n>>, "b": "<<vault:s>>"}
      ^^^^^^^^^^^ information reference: outside a JSON string: the value must be a number, `true`, `false` or `null`
"#,
        );
    }

    #[test]
    fn a_variable_without_a_value_is_a_warning() {
        check(
            |fixture| fixture.environment("host", "a.b"),
            "
@path = x
GET https://{{host}}/{{path}}/{{pahts}}/{{$guid}}
                              ^^^^^^^^^ warning variable: no value for the variable `pahts`
Accept: {{hots}}{{$gui}}
        ^^^^^^^^ warning variable: no value for the variable `hots`: did you mean `host`?
                ^^^^^^^^ warning variable: `$gui` is not a known variable: did you mean `$guid`?
Cookie: {{$dotenv KEY}}
        ^^^^^^^^^^^^^^^ warning variable: no `KEY` in a `.env` file beside or above this file
",
        );
    }

    #[test]
    fn the_environments_to_choose_from_are_named() {
        let choose = |mut fixture: Fixture| {
            fixture.environment.available = vec!["dev".into(), "prod".into()];
            fixture
        };
        check(
            choose,
            "
GET https://{{host}}
            ^^^^^^^^ warning variable: no value for the variable `host`; no environment is chosen, there are `dev`, `prod`
",
        );
    }

    #[test]
    fn parts_of_earlier_responses_are_not_supported() {
        check(
            |fixture| fixture,
            "
GET https://a.b/{{login.response.body.token}}
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ information variable: values of earlier responses are not supported yet: a request with one of them is not sent
",
        );
    }

    #[test]
    fn a_disabled_secret_is_faded() {
        let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").problem("k", Reason::Disabled);
        let findings = diagnostics(&fixture.context());
        assert_eq!((findings[0].severity, findings[0].tag), (Severity::Hint, Some(Tag::Unnecessary)));
    }

    #[test]
    fn every_reason_has_a_finding() {
        for reason in Reason::ALL {
            let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").problem("k", reason);
            let findings = diagnostics(&fixture.context());
            let shown: Vec<_> = findings.iter().map(|finding| (finding.code, finding.severity)).collect();
            assert_eq!(shown, [(reason.code(), reason.severity())]);
        }
    }

    #[test]
    fn a_detail_cannot_deceive() {
        let problem = Some(Problem::new(Reason::Forbidden, "no\npermission \u{202e}x"));
        let status = Status { origin: None, problem, checked: true };
        let fixture = Fixture::http("GET https://a.b/<<vault:k>>\n").status("k", status);
        let findings = diagnostics(&fixture.context());
        assert!(findings[0].message.starts_with("no\\npermission \\u{202e}x; "), "{findings:?}");
    }

    #[test]
    fn findings_are_capped_and_the_rest_is_counted() {
        let mut text = String::from("GET https://a.b\n\n");
        text.push_str(&"<<vault:k>> {{nope}}\n".repeat(2_000));
        let fixture = Fixture::http(&text).problem("k", Reason::Missing);
        let findings = diagnostics(&fixture.context());
        assert_eq!(findings.len(), MAX_FINDINGS + 1);
        assert_eq!(findings.last().unwrap().message, "3000 more findings are not shown");
        // The secrets come first.
        assert!(findings[..MAX_FINDINGS].iter().all(|finding| finding.code == "missing"));
    }
}
