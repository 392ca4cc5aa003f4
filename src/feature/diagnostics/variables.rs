//! Variables without a value.

use std::collections::HashSet;

use crate::{
    feature::{
        Context, code,
        diagnostics::Findings,
        escape, near,
        sent::Sent,
        variable::{self, Definition, Expression},
    },
    name::SecretName,
    status::Severity,
    syntax::{Place, Use},
};

/// One for each place where such a variable is sent.
pub(super) fn push(context: &Context<'_>, sent: &Sent, findings: &mut Findings) {
    let defined: HashSet<&str> = {
        let enabled = context.document.variables.iter().filter(|variable| variable.enabled);
        enabled.map(|variable| variable.name.as_str()).collect()
    };
    for used in context.document.uses.iter().filter(|used| used.closed && used.place != Place::Elsewhere) {
        let unknown = is_unknown(context, &defined, used);
        if !unknown || !sent.contains(used.span) {
            continue;
        }
        // The survey of each request tells of these.
        if variable::asks_for_an_exchange(context, &used.name) {
            continue;
        }
        let compares = findings.compares();
        findings.add(used.span, Severity::Warning, code::VARIABLE, || unknown_variable(context, used, compares));
    }
}

fn is_unknown(context: &Context<'_>, defined: &HashSet<&str>, used: &Use) -> bool {
    let environment = context.environment;
    match Expression::of(&used.name) {
        Expression::Plain(name) if environment.elsewhere.contains_key(name) => {
            matches!(variable::definition(context, name), Some(Definition::Elsewhere(_)))
        }
        Expression::Plain(name) => {
            !defined.contains(name) && !environment.values.contains_key(name) && !environment.dotenv.contains_key(name)
        }
        Expression::Dotenv(name) => !environment.dotenv.contains_key(name),
        Expression::ProcessEnv(name) => SecretName::of_process_variable(name).is_none(),
        Expression::Dynamic(_) => false,
        Expression::UnknownDynamic(_) => true,
    }
}

/// `compares` says whether there is time to look for what was meant.
fn unknown_variable(context: &Context<'_>, used: &Use, compares: bool) -> String {
    match Expression::of(&used.name) {
        Expression::ProcessEnv(_) => "this needs the name of a process variable, as in `$processEnv API_KEY`".into(),
        Expression::Dotenv("") => "this needs the name of a variable, as in `$dotenv API_KEY`".into(),
        Expression::Dotenv(name) => format!("no `{}` in a `.env` file beside or above this file", escape::plain(name)),
        Expression::UnknownDynamic(name) => {
            let known = variable::DYNAMIC.iter().map(|dynamic| dynamic.name);
            let meant = near::nearest(name, known.chain([variable::DOTENV, variable::PROCESS_ENV]));
            format!("`{}` is not a known variable{}", escape::plain(name), did_you_mean(&meant))
        }
        Expression::Plain(name) if let Some(elsewhere) = context.environment.elsewhere.get(name) => {
            format!("{}; {}", elsewhere.message(&escape::plain(name)), elsewhere.hint(name))
        }
        Expression::Plain(name) => {
            let meant = if compares { similar_variables(context, name) } else { Vec::new() };
            let choice = choice_of_environment(context);
            format!("no value for the variable `{}`{}{choice}", escape::plain(name), did_you_mean(&meant))
        }
        Expression::Dynamic(dynamic) => format!("no value for `{}`", dynamic.name),
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
