//! What a person learns about the thing under the cursor, as Markdown: where a secret lives and whether it can be
//! had, where a variable gets its value. Never a secret's value, nor one of a file that is meant to stay private.

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
        None => lines.extend([format!("**Secret** {title}"), String::new()]),
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
    if let Some(left) = origin.cached_for {
        lines.push(format!("- cached: for {} more", duration(left)));
    }
    if let Some(note) = &origin.note {
        lines.push(format!("- note: {}", escape::code(note)));
    }
    lines
}

fn domains(allowed: &[String]) -> String {
    if allowed.is_empty() {
        return "none listed, so each host is asked for".into();
    }
    let shown: Vec<_> = allowed.iter().take(10).map(|domain| escape::code(domain)).collect();
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
        let to = trouble.host.map(|host| format!(" to {}", escape::code(host))).unwrap_or_default();
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
            vec![format!("**Variable** {title}"), String::new(), format!("{summary}, made anew when the request is sent")]
        }
        expression => match variable::definition_of(context, expression) {
            Some(definition) => of_value(context, &title, definition),
            None if variable::asks_for_a_response(&used.name) => {
                vec![format!("**Variable** {title}"), String::new(), "values of earlier responses are not supported yet".into()]
            }
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
            let name = escape::code(need.name.as_str());
            match &need.problem {
                Some(problem) => format!("- secret {name}: {}", complaint(context, &need.name, problem)),
                None => format!("- secret {name}"),
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
