//! From a use to where it is written: a secret's link in `vaultls.toml`, a variable's definition.

use crate::{
    feature::{
        Context, Target,
        variable::{self, Definition, Expression},
    },
    status::Site,
    syntax::{Use, expand::EnvironmentValue},
    text::Span,
};

/// Where the thing at `offset` is defined; none for a secret of the local vault, which no file defines.
pub fn definition(context: &Context<'_>, offset: usize) -> Option<Site> {
    match context.target(offset)? {
        Target::Reference(reference) => context.known_secret(reference.name.as_ref().ok()?)?.link.clone(),
        Target::Use(used) => of_use(context, used),
        Target::Definition(variable) => Some(Site { file: context.path.to_owned(), span: variable.name_span }),
    }
}

fn of_use(context: &Context<'_>, used: &Use) -> Option<Site> {
    match variable::definition_of(context, Expression::of(&used.name))? {
        Definition::File(variable) => Some(Site { file: context.path.to_owned(), span: variable.name_span }),
        Definition::Environment(value) | Definition::Dotenv(value) => Some(site(value)),
    }
}

/// The key of a value, or the start of its file where the key's place is not known.
fn site(value: &EnvironmentValue) -> Site {
    Site { file: value.file.clone(), span: value.span.unwrap_or(Span::at(0)) }
}
