//! What a person learns about the thing under the cursor, as Markdown: where a secret lives and whether it can be
//! had, where a variable gets its value. Never a secret's value, nor one of a file that is meant to stay private.

mod exchange;

use std::time::Duration;

use crate::{
    feature::{
        Context, Target, escape, trouble,
        variable::{self, Definition, Expression},
    },
    name::SecretName,
    status::{Origin, Problem, Status},
    syntax::{Reference, Use, Variable},
    text::Span,
};

/// How many secrets behind one variable are listed.
const MAX_SECRETS: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    pub span: Span,
    pub markdown: String,
}

/// What is known about the thing at `offset`.
pub fn hover(context: &Context<'_>, offset: usize) -> Option<Hover> {
    let (span, lines) = match context.target(offset)? {
        Target::Reference(reference) => (reference.span, of_reference(context, reference)),
        Target::Use(used) => (used.span, of_use(context, used)),
        Target::Definition(variable) => (variable.name_span, of_definition(context, variable)),
        Target::Request(request) => {
            let name = request.name.as_ref()?;
            (name.span, exchange::of_request(context, &name.text))
        }
    };
    Some(Hover { span, markdown: lines.join("\n") })
}

fn of_reference(context: &Context<'_>, reference: &Reference) -> Vec<String> {
    match &reference.name {
        Ok(name) => {
            let mut lines = of_secret(context, name, &escape::code(name.as_str()));
            lines.extend(of_request(context, name, reference.span));
            lines
        }
        Err(error) => {
            let written = escape::code(reference.name_span.of(context.source));
            vec![format!("{written} is not a secret's name: {}", escape::message(&error.to_string()))]
        }
    }
}

/// The title, the origin and the state.
fn of_secret(context: &Context<'_>, name: &SecretName, title: &str) -> Vec<String> {
    let Some(status) = context.survey.secrets.get(name) else {
        return vec![format!("**Secret** {title}"), String::new(), "not checked yet".into()];
    };
    let mut lines = Vec::new();
    match &status.origin {
        Some(origin) => lines.extend(of_origin(origin, title)),
        None => lines.push(format!("**Secret** {title}")),
    }
    lines.push(String::new());
    lines.push(state(context, name, status));
    lines
}

fn of_origin(origin: &Origin, title: &str) -> Vec<String> {
    let provider = origin.provider.title();
    let home = match &origin.integration {
        Some(integration) => format!("{provider}, integration {}", escape::code(integration)),
        None => provider.to_owned(),
    };
    let mut lines = vec![format!("**Secret** {title} · {home}"), String::new()];
    for (label, value) in &origin.coordinates {
        lines.push(format!("- {}: {}", escape::message(label), escape::code(value)));
    }
    lines.push(format!("- allowed domains: {}", domains(&origin.allowed_domains)));
    if let Some(ago) = origin.checked_at.and_then(|at| at.elapsed().ok()) {
        lines.push(format!("- last checked: {} ago", duration(ago)));
    }
    if let Some(left) = origin.cached_for {
        lines.push(format!("- cached: for {} more", duration(left)));
    }
    if let Some(page) = origin.console.as_deref().filter(|page| is_plain_https(page)) {
        lines.push(format!("- [open at {provider}](<{page}>)"));
    }
    if let Some(note) = &origin.note {
        lines.push(format!("- note: {}", escape::code(note)));
    }
    lines
}

/// Whether a page's address may stand in Markdown: https, with nothing that could end it or deceive. The URL parser
/// leaves only ASCII.
fn is_plain_https(page: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'`' | b'\\' | b'"');
    page.starts_with("https://") && page.bytes().all(harmless)
}

fn domains(allowed: &[String]) -> String {
    if allowed.is_empty() {
        return "none listed, so each host is asked for".into();
    }
    let shown: Vec<_> = allowed.iter().take(10).map(|domain| escape::host(domain)).collect();
    let more = if allowed.len() > 10 { format!(" and {} more", allowed.len() - 10) } else { String::new() };
    shown.join(", ") + &more
}

fn state(context: &Context<'_>, name: &SecretName, status: &Status) -> String {
    match &status.problem {
        Some(problem) => complaint(context, name, problem),
        None if status.checked => "available".into(),
        None => "not checked yet".into(),
    }
}

fn complaint(context: &Context<'_>, name: &SecretName, problem: &Problem) -> String {
    let message = escape::message(&trouble::message(context, name, problem));
    format!("**{}**: {message}", problem.reason.code())
}

/// What the request at this place may do with the secret, where that is worse than the secret's own state.
fn of_request(context: &Context<'_>, name: &SecretName, span: Span) -> Vec<String> {
    let own = context.survey.secrets.get(name).and_then(|status| status.problem.as_ref());
    let troubles = trouble::at(context, span);
    let here = troubles.iter().filter(|trouble| trouble.name == name && Some(trouble.problem) != own);
    here.flat_map(|trouble| {
        let to = trouble.host.map(|host| format!(" to {}", escape::host(host))).unwrap_or_default();
        let complaint = complaint(context, name, trouble.problem);
        [String::new(), format!("This request{to}: {complaint}")]
    })
    .collect()
}

fn of_use(context: &Context<'_>, used: &Use) -> Vec<String> {
    let title = escape::code(&format!("{{{{{}}}}}", used.name));
    let mut lines = match Expression::of(&used.name) {
        Expression::ProcessEnv(argument) => return of_process_variable(context, argument, used.span),
        Expression::Dynamic(dynamic) => {
            let summary = escape::message(dynamic.summary);
            vec![
                format!("**Variable** {title}"),
                String::new(),
                format!("{summary}, made anew when the request is sent"),
            ]
        }
        expression => match variable::definition_of(context, expression) {
            Some(definition) => of_value(context, &title, definition),
            None if variable::asks_for_an_exchange(context, &used.name) => exchange::lines(context, used, &title),
            None => vec![format!("**Variable** {title}"), String::new(), "it has no value".into()],
        },
    };
    lines.extend(secrets_behind(context, used.span));
    lines
}

fn of_process_variable(context: &Context<'_>, argument: &str, span: Span) -> Vec<String> {
    let Some(name) = SecretName::of_process_variable(argument) else {
        return vec!["`$processEnv` needs the name of a variable, as in `$processEnv API_KEY`".into()];
    };
    let mut lines = of_secret(context, &name, &escape::code(argument));
    lines.extend(of_request(context, &name, span));
    lines.push(String::new());
    lines.push(
        "A variable of the process that runs vaultls. Its value counts as a secret: it is never shown, and it goes \
         only to hosts that were allowed for it."
            .into(),
    );
    lines
}

fn of_definition(context: &Context<'_>, variable: &Variable) -> Vec<String> {
    let title = escape::code(&variable.name);
    let mut lines = of_value(context, &title, Definition::File(variable));
    if !variable.enabled {
        lines.extend([String::new(), "It is disabled and has no effect.".into()]);
    } else if variable::definition(context, &variable.name) != Some(Definition::File(variable)) {
        lines.extend([String::new(), "Another definition of this name wins over it.".into()]);
    }
    lines
}

/// The value as it is written: references stay references.
fn of_value(context: &Context<'_>, title: &str, definition: Definition<'_>) -> Vec<String> {
    let source = escape::message(&variable::source_of(context, definition));
    let value = match definition {
        Definition::File(variable) => escape::code(&variable.value.text(context.source)),
        Definition::Environment(value) if !variable::is_private(&value.file) => escape::code(&value.text),
        Definition::Environment(_) | Definition::Dotenv(_) => "not shown, its file is private".into(),
        Definition::Elsewhere(elsewhere) => {
            format!("none, it is kept in {}", escape::message(&elsewhere.store.to_string()))
        }
    };
    vec![format!("**Variable** {title} · {source}"), String::new(), format!("- value: {value}")]
}

/// The secrets that come in by way of a variable.
fn secrets_behind(context: &Context<'_>, span: Span) -> Vec<String> {
    let Some(request) = context.document.request_at(span.start) else { return Vec::new() };
    let Some(survey) = context.survey.requests.get(request) else { return Vec::new() };
    let needs = survey.needs.iter().filter(|need| need.spans.contains(&span)).take(MAX_SECRETS);
    needs
        .map(|need| {
            let what = match need.name.exchange() {
                None => format!("secret {}", escape::code(need.name.as_str())),
                Some((part, "")) => format!("part {}", escape::code(part)),
                Some((part, origin)) => format!("part {} of {}", escape::code(part), escape::host(origin)),
            };
            match &need.problem {
                Some(problem) => format!("- {what}: {}", complaint(context, &need.name, problem)),
                None => format!("- {what}"),
            }
        })
        .collect()
}

/// In the largest unit that fits.
fn duration(left: Duration) -> String {
    let (count, unit) = match left.as_secs() {
        seconds @ 0..60 => (seconds, "second"),
        seconds @ 60..3600 => (seconds / 60, "minute"),
        seconds => (seconds / 3600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{
        feature::fixture::{Fixture, origin},
        status::Reason,
        syntax::expand::Store,
    };

    fn check(fixture: &Fixture, expected: &Expect) {
        let hover = hover(&fixture.context(), fixture.cursor()).expect("something to tell");
        assert!(hover.span.touches(fixture.cursor()));
        expected.assert_eq(&hover.markdown);
    }

    fn status(problem: Option<Problem>) -> Status {
        Status { origin: Some(origin()), problem, checked: true }
    }

    #[test]
    fn a_secret_tells_where_it_lives() {
        let fixture = Fixture::http("GET https://api.stripe.com/<<vault:str$0ipe>>\n").status("stripe", status(None));
        check(
            &fixture,
            &expect![[r#"
                **Secret** `stripe` · HashiCorp Vault, integration `payments`

                - engine: `kv`
                - path: `payments/stripe`
                - key: `api_key`
                - allowed domains: `api.stripe.com`
                - cached: for 12 minutes more

                available"#]],
        );
    }

    #[test]
    fn the_providers_own_page_and_the_last_check_are_told() {
        let told = |page: &str| {
            let mut origin = origin();
            origin.console = Some(page.into());
            origin.checked_at = Some(std::time::SystemTime::now() - Duration::from_secs(150));
            let status = Status { origin: Some(origin), problem: None, checked: true };
            let fixture = Fixture::http("GET https://a.b/<<vault:s$0>>\n").status("s", status);
            hover(&fixture.context(), fixture.cursor()).unwrap().markdown
        };
        let page = "https://portal.azure.com/#asset/x/https://v.vault.azure.net/secrets/a";
        assert!(told(page).contains(&format!("- [open at HashiCorp Vault](<{page}>)")), "{}", told(page));
        assert!(told(page).contains("- last checked: 2 minutes ago"), "{}", told(page));
        for hostile in ["http://evil.io/", "javascript:alert(1)", "https://a/>)[x](https://evil.io", "command:x"] {
            assert!(!told(hostile).contains("open at"), "{}", told(hostile));
        }
    }

    #[test]
    fn a_problem_comes_with_its_way_out() {
        let problem = Problem::new(Reason::Forbidden, "no permission to read `payments/stripe` (403)");
        let fixture = Fixture::http("GET https://a.b/<<vault:s$0>>\n").status("s", status(Some(problem)));
        let hover = hover(&fixture.context(), fixture.cursor()).unwrap();
        let expected = "**forbidden**: no permission to read `payments/stripe` (403); ask the vault's administrator for \
                        permission to read it";
        assert_eq!(hover.markdown.lines().last(), Some(expected));
    }

    #[test]
    fn what_one_request_may_not_do_is_told_there() {
        let fixture = Fixture::http("GET https://a.b/<<vault:s$0>>\n").unapproved("s");
        check(
            &fixture,
            &expect![[r#"
                **Secret** `s`

                available

                This request to `a.b`: **host-unapproved**: `s` was not approved for `a.b`; allow the host once, or always on this machine"#]],
        );
    }

    #[test]
    fn foreign_text_is_never_markdown() {
        let mut origin = origin();
        origin.note = Some("<script>alert(1)</script>`\n# [x](https://evil.io) \u{202e}".into());
        origin.integration = Some("a`b<img src=x>".into());
        origin.allowed_domains = vec!["x`](y)".into()];
        let problem = Problem::new(Reason::NotFound, "nothing at *a* <b> [c](https://evil.io)");
        let status = Status { origin: Some(origin), problem: Some(problem), checked: true };
        let fixture = Fixture::http("GET https://a.b/<<vault:s$0>>\n").status("s", status);
        check(
            &fixture,
            &expect![[r#"
                **Secret** `s` · HashiCorp Vault, integration ``a`b<img src=x>``

                - engine: `kv`
                - path: `payments/stripe`
                - key: `api_key`
                - allowed domains: ``x`](y)``
                - cached: for 12 minutes more
                - note: ``<script>alert(1)</script>`\n# [x](https://evil.io) \u{202e}``

                **not-found**: nothing at \*a\* \<b\> \[c\](https\://evil.io); correct the link"#]],
        );
    }

    #[test]
    fn a_name_that_is_none_is_shown_harmless() {
        let fixture = Fixture::http("GET https://a.b/{{vault:<script>`\u{202e}$0x}}\n");
        let hover = hover(&fixture.context(), fixture.cursor()).unwrap();
        assert!(hover.markdown.contains("is not a secret's name: "), "{}", hover.markdown);
        assert!(!hover.markdown.contains('\u{202e}'), "{}", hover.markdown);
    }

    #[test]
    fn a_variable_shows_its_value_with_references_as_references() {
        let fixture = Fixture::http("@auth = Bearer <<vault:k>>\n\nGET https://a.b\nAuthorization: {{au$0th}}\n");
        check(
            &fixture,
            &expect![[r#"
                **Variable** `{{auth}}` · this file

                - value: `Bearer <<vault:k>>`
                - secret `k`"#]],
        );
    }

    #[test]
    fn a_part_of_an_answer_tells_what_it_is_and_never_what_it_holds() {
        let text = "# @name login\nPOST https://a.b\n\n###\nGET https://a.b/{{login.resp$0onse.body.$.token}}\n";
        check(
            &Fixture::http(text).answered("login"),
            &expect![[r#"
                **Part of the answer** `{{login.response.body.$.token}}`

                - request: `login`, line 2
                - received: 2 minutes ago from `a.b`, status 200
                - part: text of 36 bytes, never shown

                It goes back to `a.b` without asking, and to another host only where you allow it."#]],
        );
        check(
            &Fixture::http(text),
            &expect![[r#"
                **Part of the answer** `{{login.response.body.$.token}}`

                - request: `login`, line 2
                - not received yet: that request is sent first, once"#]],
        );
        check(
            &Fixture::http(&text.replace("$0", "").replace("# @name login", "# @name log$0in")).answered("login"),
            &expect![[r#"
                **Request** `login`

                - received: 2 minutes ago from `a.b`, status 200
                - other requests of this file use that answer again"#]],
        );
    }

    #[test]
    fn a_value_of_a_private_file_is_not_shown() {
        let canary = "canary-51be0c-private";
        for fixture in [
            Fixture::http("GET https://{{ho$0st}}\n").dotenv("host", canary),
            Fixture::http("GET https://{{$dotenv ho$0st}}\n").dotenv("host", canary),
            Fixture::http("GET https://{{ho$0st}}\n").environment_in("/p/http-client.private.env.json", "host", canary),
        ] {
            let hover = hover(&fixture.context(), fixture.cursor()).unwrap();
            assert!(hover.markdown.contains("not shown, its file is private"), "{}", hover.markdown);
            assert!(!hover.markdown.contains(canary), "{}", hover.markdown);
        }
    }

    #[test]
    fn what_another_store_has_is_said_of_whom() {
        check(
            &Fixture::http("GET https://{{ho$0st}}\n").elsewhere("host", Store::Unknown("<b>".into())),
            &expect![[r#"
                **Variable** `{{host}}` · environment `dev` in `http-client.env.json`

                - value: none, it is kept in the provider `<b>`"#]],
        );
    }

    #[test]
    fn a_shared_environment_shows_its_value() {
        check(
            &Fixture::http("GET https://{{ho$0st}}\n").environment("host", "a.b"),
            &expect![[r#"
                **Variable** `{{host}}` · environment `dev` in `http-client.env.json`

                - value: `a.b`"#]],
        );
    }

    #[test]
    fn a_process_variable_counts_as_a_secret() {
        check(
            &Fixture::http("GET https://a.b/{{$process$0Env KEY}}\n"),
            &expect![[r#"
                **Secret** `KEY`

                available

                A variable of the process that runs vaultls. Its value counts as a secret: it is never shown, and it goes only to hosts that were allowed for it."#]],
        );
    }

    #[test]
    fn a_definition_that_has_no_effect_says_so() {
        let fixture = Fixture::http("@a$0 = 1\n@a = 2\n\nGET https://a.b/{{a}}\n");
        let hover = hover(&fixture.context(), fixture.cursor()).unwrap();
        assert!(hover.markdown.ends_with("Another definition of this name wins over it."), "{}", hover.markdown);
    }

    #[test]
    fn plain_text_has_no_hover() {
        let fixture = Fixture::http("GET https://a.$0b/\n");
        assert_eq!(hover(&fixture.context(), fixture.cursor()), None);
    }
}
