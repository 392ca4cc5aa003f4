//! What `{{...}}` can mean: a variable of the file or of an environment, or one that is made when a request is sent.

use crate::{
    feature::{Context, escape},
    syntax::{
        Kind, Use, Variable,
        exchange::{self, Side},
        expand::{Elsewhere, EnvironmentValue},
    },
    text::Span,
};

/// A variable that is made anew for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamic {
    /// With its dollar sign.
    pub name: &'static str,
    /// How it is written with arguments; completion inserts this.
    pub usage: &'static str,
    pub summary: &'static str,
}

/// The variables of VS Code REST Client ("System variables"), JetBrains' HTTP Client ("Dynamic variables") and
/// Postman ("Dynamic variables"), as far as they are carried out.
pub const DYNAMIC: &[Dynamic] = &[
    dynamic("$guid", "$guid", "a random UUID (version 4)"),
    dynamic("$uuid", "$uuid", "a random UUID (version 4)"),
    dynamic("$timestamp", "$timestamp", "the time in whole seconds since 1970"),
    dynamic("$isoTimestamp", "$isoTimestamp", "the time in UTC as in ISO 8601"),
    dynamic("$datetime", "$datetime iso8601", "the time in UTC as `iso8601`, `rfc1123` or a format in quotes"),
    dynamic("$localDatetime", "$localDatetime iso8601", "the local time as `iso8601`, `rfc1123` or a format in quotes"),
    dynamic("$date", "$date", "the local date"),
    dynamic("$randomInt", "$randomInt 0 1000", "a random whole number; the second bound is not reached"),
    dynamic("$random.integer", "$random.integer(0, 1000)", "a random whole number; the second bound is not reached"),
    dynamic("$random.float", "$random.float(0, 1)", "a random number; the second bound is not reached"),
    dynamic("$random.alphabetic", "$random.alphabetic(10)", "as many random letters"),
    dynamic("$random.alphanumeric", "$random.alphanumeric(10)", "as many random letters and digits"),
    dynamic("$random.hexadecimal", "$random.hexadecimal(16)", "as many random hexadecimal digits"),
    dynamic("$random.email", "$random.email", "a random address at example.com"),
    dynamic("$random.uuid", "$random.uuid", "a random UUID (version 4)"),
    dynamic("$randomUUID", "$randomUUID", "a random UUID (version 4)"),
    dynamic("$randomAlphaNumeric", "$randomAlphaNumeric", "a random letter or digit"),
    dynamic("$randomBoolean", "$randomBoolean", "`true` or `false`"),
    dynamic("$randomEmail", "$randomEmail", "a random address at example.com"),
];

const fn dynamic(name: &'static str, usage: &'static str, summary: &'static str) -> Dynamic {
    Dynamic { name, usage, summary }
}

/// The function that reads the process's environment, and the one that reads the `.env` file.
pub const PROCESS_ENV: &str = "$processEnv";
pub const DOTENV: &str = "$dotenv";

/// What stands between the braces, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression<'a> {
    Plain(&'a str),
    /// `$processEnv NAME`; the name is empty while it is missing.
    ProcessEnv(&'a str),
    /// `$dotenv NAME`
    Dotenv(&'a str),
    Dynamic(&'static Dynamic),
    UnknownDynamic(&'a str),
}

/// Where a variable gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition<'a> {
    File(&'a Variable),
    Environment(&'a EnvironmentValue),
    Dotenv(&'a EnvironmentValue),
    /// An environment says that another store has it.
    Elsewhere(&'a Elsewhere),
}

impl<'a> Expression<'a> {
    /// Reads a [`Use::name`]. `{{%x}}` is the percent-encoded value of `x`, and `%` before an argument asks to look
    /// it up by way of a variable (REST Client, "System variables").
    pub fn of(written: &'a str) -> Self {
        let name = bare(written);
        if !name.starts_with('$') {
            return Self::Plain(name);
        }
        let end = name.find(|char: char| char.is_whitespace() || char == '(').unwrap_or(name.len());
        let (function, argument) = name.split_at(end);
        let argument = argument.trim().trim_start_matches('%');
        match function {
            PROCESS_ENV => Self::ProcessEnv(argument),
            DOTENV => Self::Dotenv(argument),
            _ => DYNAMIC
                .iter()
                .find(|dynamic| dynamic.name == function)
                .map_or(Self::UnknownDynamic(function), Self::Dynamic),
        }
    }
}

/// The name without the `%` that asks for percent-encoding.
pub fn bare(written: &str) -> &str {
    written.strip_prefix('%').map_or(written, str::trim_start)
}

/// The place of the bare name of a use in `source`.
pub fn bare_span(used: &Use, source: &str) -> Span {
    let written = used.name_span.of(source);
    let skipped = written.len() - bare(written).len();
    Span::new(used.name_span.start + skipped, used.name_span.end)
}

/// Where the plain variable `name` gets its value. The order is that of [`crate::syntax::expand::Scope`].
pub fn definition<'a>(context: &Context<'a>, name: &str) -> Option<Definition<'a>> {
    let file = || {
        let mut variables = context.document.variables.iter().rev();
        variables.find(|variable| variable.enabled && variable.name == name).map(Definition::File)
    };
    let environment = || {
        let elsewhere = context.environment.elsewhere.get(name).map(Definition::Elsewhere);
        let value = elsewhere.or_else(|| context.environment.values.get(name).map(Definition::Environment));
        value.or_else(|| context.environment.dotenv.get(name).map(Definition::Dotenv))
    };
    match context.document.kind {
        Kind::Http => file().or_else(environment),
        Kind::Postman => environment().or_else(file),
    }
}

/// Where an expression gets its value, if that is written in a file.
pub fn definition_of<'a>(context: &Context<'a>, expression: Expression<'_>) -> Option<Definition<'a>> {
    match expression {
        Expression::Plain(name) => definition(context, name),
        Expression::Dotenv(name) => context.environment.dotenv.get(name).map(Definition::Dotenv),
        Expression::ProcessEnv(_) | Expression::Dynamic(_) | Expression::UnknownDynamic(_) => None,
    }
}

/// Whether `written` asks for a part of another request or of its answer, as in `login.response.body.token`.
pub fn asks_for_an_exchange(context: &Context<'_>, written: &str) -> bool {
    exchange_of(context, written).is_some_and(|_| exchange::read(bare(written)).is_some())
}

/// The name of the request that `written` asks for, the side, and what follows, also where that is still being typed.
/// Collections know nothing of the kind, and a variable of that name wins.
pub fn exchange_of<'a>(context: &Context<'_>, written: &'a str) -> Option<(&'a str, Side, &'a str)> {
    let written = bare(written);
    let found = exchange::split(written).filter(|_| context.document.kind == Kind::Http)?;
    definition(context, written).is_none().then_some(found)
}

/// Whether a file of that name is meant to stay on one machine, so that its values are not to be shown. VS Code's
/// settings are not, but REST Client knows no private file beside them, and people keep their tokens there.
pub fn is_private(file: &std::path::Path) -> bool {
    let Some(name) = file.file_name() else { return true };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let by_ending = name.ends_with(".user") || name.starts_with(".env") || name.ends_with(".env");
    by_ending || name.contains("private") || name == "settings.json"
}

/// Where a value comes from, as plain text.
pub fn source_of(context: &Context<'_>, definition: Definition<'_>) -> String {
    let named = |file: &std::path::Path| {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        escape::plain(&name)
    };
    let file = match definition {
        Definition::File(_) => return "this file".into(),
        Definition::Dotenv(value) => return format!("`{}`", named(&value.file)),
        Definition::Environment(value) => named(&value.file),
        Definition::Elsewhere(elsewhere) => named(&elsewhere.file),
    };
    match &context.environment.name {
        Some(name) => format!("environment `{}` in `{file}`", escape::plain(name)),
        None => format!("`{file}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_braces_is_read() {
        assert_eq!(Expression::of("host"), Expression::Plain("host"));
        assert_eq!(Expression::of("% host"), Expression::Plain("host"));
        assert_eq!(Expression::of("$processEnv %KEY"), Expression::ProcessEnv("KEY"));
        assert_eq!(Expression::of("$dotenv  KEY"), Expression::Dotenv("KEY"));
        assert_eq!(Expression::of("$dotenv"), Expression::Dotenv(""));
        assert_eq!(Expression::of("$nope 1"), Expression::UnknownDynamic("$nope"));
        assert_eq!(Expression::of("$random.nope(1)"), Expression::UnknownDynamic("$random.nope"));
        assert!(
            matches!(Expression::of("$randomInt 1 9"), Expression::Dynamic(dynamic) if dynamic.name == "$randomInt")
        );
    }

    #[test]
    fn every_usage_is_read_as_its_own_variable() {
        for dynamic in DYNAMIC {
            assert_eq!(Expression::of(dynamic.usage), Expression::Dynamic(dynamic));
        }
    }

    #[test]
    fn private_files_are_known_by_name() {
        for name in [
            "http-client.private.env.json",
            "http-client.env.json.user",
            ".env",
            ".env.local",
            "dev.env",
            "settings.json",
        ] {
            assert!(is_private(std::path::Path::new(name)), "{name}");
        }
        assert!(!is_private(std::path::Path::new("http-client.env.json")));
    }
}
