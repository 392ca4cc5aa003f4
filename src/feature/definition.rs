//! From a use to where it is written: a secret's link in `vaultls.toml`, a variable's definition, the name of a
//! request.

use crate::{
    feature::{
        Context, Target, references,
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
        Target::Request(request) => Some(here(context, request.name.as_ref()?.span)),
        Target::Definition(variable) => Some(here(context, variable.name_span)),
    }
}

fn of_use(context: &Context<'_>, used: &Use) -> Option<Site> {
    if let Some((name, ..)) = variable::exchange_of(context, &used.name) {
        return references::names_of(context.document, name).next().map(|label| here(context, label.span));
    }
    match variable::definition_of(context, Expression::of(&used.name))? {
        Definition::File(variable) => Some(here(context, variable.name_span)),
        Definition::Environment(value) | Definition::Dotenv(value) => Some(site(value)),
        Definition::Elsewhere(elsewhere) => Some(Site { file: elsewhere.file.clone(), span: elsewhere.span }),
    }
}

fn here(context: &Context<'_>, span: Span) -> Site {
    Site { file: context.path.to_owned(), span }
}

/// The key of a value, or the start of its file where the key's place is not known.
fn site(value: &EnvironmentValue) -> Site {
    Site { file: value.file.clone(), span: value.span.unwrap_or(Span::at(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{feature::fixture::Fixture, syntax::expand::Store};

    fn check(fixture: &Fixture, expected: Option<(&str, Span)>) {
        let site = definition(&fixture.context(), fixture.cursor());
        assert_eq!(site, expected.map(|(file, span)| Site { file: file.into(), span }));
    }

    #[test]
    fn a_reference_leads_to_its_link() {
        let fixture = Fixture::http("GET https://a.b/<<vault:k$0>>\n").linked("k", Span::new(9, 10));
        check(&fixture, Some(("/project/vaultls.toml", Span::new(9, 10))));
    }

    #[test]
    fn what_another_store_has_leads_to_where_that_is_said() {
        let fixture = Fixture::http("GET https://a.b/{{$0k}}\n").elsewhere("k", Store::Encrypted);
        check(&fixture, Some(("/project/http-client.env.json", Span::new(3, 9))));
    }

    #[test]
    fn a_secret_of_the_local_vault_is_defined_in_no_file() {
        check(&Fixture::http("GET https://a.b/<<vault:k$0>>\n").known("k"), None);
    }

    #[test]
    fn a_variable_leads_to_the_definition_that_counts() {
        let fixture = Fixture::http("@a = 1\n@ab = 2\n\nGET https://b/{{$0ab}}\n");
        check(&fixture, Some(("/project/a.http", Span::new(8, 10))));
    }

    #[test]
    fn a_part_of_an_answer_leads_to_the_name_of_its_request() {
        let fixture = Fixture::http("# @name login\nGET https://a\n\n###\nGET https://b/{{login.resp$0onse.body.*}}\n");
        check(&fixture, Some(("/project/a.http", Span::new(8, 13))));
        check(&Fixture::http("GET https://b/{{log$0in.response.body.*}}\n"), None);
    }

    #[test]
    fn a_variable_of_an_environment_leads_to_its_file() {
        let fixture = Fixture::http("GET https://{{host$0}}\n").environment("host", "x");
        check(&fixture, Some(("/project/http-client.env.json", Span::new(3, 9))));
        let fixture = Fixture::http("GET https://{{$dotenv K$0}}\n").dotenv("K", "x");
        check(&fixture, Some(("/project/.env", Span::at(0))));
    }
}
