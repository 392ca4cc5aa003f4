//! Renames a secret in every reference and in its link, or a variable or a request in its file.
//!
//! A secret of the local vault has no link: its entry is renamed by the one who applies these edits.

use crate::{
    feature::{
        Context, Edit, Target, escape,
        references::{self, Symbol},
        variable,
    },
    name::SecretName,
    status::Known,
    syntax::{Document, Kind, exchange},
    text::Span,
};

/// What a rename starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The name under the cursor.
    pub span: Span,
    pub name: String,
    pub symbol: Symbol,
}

/// Whether the thing at `offset` can be renamed: a secret, or a variable that this file alone defines.
pub fn prepare(context: &Context<'_>, offset: usize) -> Option<Prepared> {
    let symbol = references::symbol(context, offset)?;
    let span = match context.target(offset)? {
        Target::Reference(reference) => reference.name_span,
        Target::Use(used) => {
            let span = variable::bare_span(used, context.source);
            let of_request =
                matches!(symbol, Symbol::Request(_)).then(|| exchange::name_span(span.of(context.source), span));
            of_request.flatten().unwrap_or(span)
        }
        Target::Request(request) => request.name.as_ref()?.span,
        Target::Definition(variable) => variable.name_span,
    };
    let name = match &symbol {
        Symbol::Secret(name) => name.to_string(),
        Symbol::Variable(name) | Symbol::Request(name) => name.clone(),
    };
    is_defined_here(context, &symbol).then_some(Prepared { span, name, symbol })
}

fn is_defined_here(context: &Context<'_>, symbol: &Symbol) -> bool {
    let name = match symbol {
        Symbol::Secret(_) => return true,
        Symbol::Request(name) => return references::names_of(context.document, name).next().is_some(),
        Symbol::Variable(name) => name,
    };
    let elsewhere = context.environment.values.contains_key(name) || context.environment.dotenv.contains_key(name);
    !elsewhere && references::definitions_of(context.document, name).next().is_some()
}

/// Why `symbol` cannot be called `new`; none if it can.
pub fn objection(context: &Context<'_>, symbol: &Symbol, new: &str) -> Option<String> {
    match symbol {
        Symbol::Secret(old) => match SecretName::parse(new) {
            Err(error) => Some(error.to_string()),
            Ok(new) if new == *old => None,
            Ok(new) => context.known_secret(&new).map(|_| format!("there is already a secret called `{new}`")),
        },
        Symbol::Variable(old) => {
            let taken = new != old && variable::definition(context, new).is_some();
            if taken {
                return Some(format!("there is already a variable called `{}`", escape::plain(new)));
            }
            let fits = is_variable_name(new);
            (!fits).then(|| "a variable's name is made of letters, digits, `.`, `_` and `-`".into())
        }
        Symbol::Request(old) => {
            if new != old && references::names_of(context.document, new).next().is_some() {
                return Some(format!("there is already a request called `{}`", escape::plain(new)));
            }
            let expression = format!("{new}.response.body.*");
            let fits = exchange::split(&expression).is_some_and(|(name, ..)| name == new);
            (!fits).then(|| "a request's name is made of letters, digits, `.`, `_`, `-` and inner spaces".into())
        }
    }
}

/// The edits of one document, by position. The new name was found good by [`objection`].
pub fn edits(file: &std::path::Path, source: &str, document: &Document, symbol: &Symbol, new: &str) -> Vec<Edit> {
    let mut spans: Vec<Span> = match symbol {
        Symbol::Secret(name) => {
            references::references_of(document, name).map(|reference| reference.name_span).collect()
        }
        Symbol::Variable(name) => {
            let uses = references::uses_of(document, name).map(|used| variable::bare_span(used, source));
            let definitions = references::definitions_of(document, name).map(|variable| variable.name_span);
            uses.chain(definitions).collect()
        }
        Symbol::Request(name) => {
            let uses = references::asks_for(document, name).filter_map(|used| {
                let span = variable::bare_span(used, source);
                exchange::name_span(span.of(source), span)
            });
            uses.chain(references::names_of(document, name).map(|label| label.span)).collect()
        }
    };
    spans.sort_unstable();
    spans.dedup();
    let text = match document.kind {
        Kind::Http => new.to_owned(),
        Kind::Postman => escape::json(new),
    };
    spans.into_iter().map(|span| Edit { file: file.to_owned(), span, text: text.clone() }).collect()
}

/// The edit of the secret's link; none for a secret without one.
pub fn link_edit(known: &Known, old: &SecretName, new: &SecretName) -> Option<Edit> {
    let secret = known.secrets.iter().find(|secret| secret.name == *old)?;
    let site = secret.link.as_ref()?;
    Some(Edit { file: site.file.clone(), span: site.span, text: new.toml_key() })
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '.' | '_' | '-');
    !name.is_empty() && name.len() <= SecretName::MAX_LENGTH && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::{Fixture, secret};

    fn check(fixture: &Fixture, new: &str, expected: &str) {
        let prepared = prepare(&fixture.context(), fixture.cursor()).expect("something with a name");
        assert_eq!(prepared.span.of(&fixture.source), prepared.name);
        assert_eq!(objection(&fixture.context(), &prepared.symbol, new), None);
        let context = fixture.context();
        let mut text = fixture.source.clone();
        for edit in edits(context.path, context.source, context.document, &prepared.symbol, new).into_iter().rev() {
            assert_eq!(edit.file, context.path);
            text.replace_range(edit.span.start..edit.span.end, &edit.text);
        }
        assert_eq!(text, expected);
    }

    #[test]
    fn every_reference_gets_the_new_name() {
        check(
            &Fixture::http("GET https://a.b/<<vault:k$0>>/{{vault: k }}/<<vault:kk>>\n"),
            "new/name",
            "GET https://a.b/<<vault:new/name>>/{{vault: new/name }}/<<vault:kk>>\n",
        );
    }

    #[test]
    fn a_variable_is_renamed_with_its_definitions() {
        check(
            &Fixture::http("@a = 1\n\nGET https://b/{{a$0}}/{{%a}}/{{ab}}\n"),
            "c",
            "@c = 1\n\nGET https://b/{{c}}/{{%c}}/{{ab}}\n",
        );
    }

    #[test]
    fn a_request_is_renamed_with_what_asks_for_it() {
        let text = "@t = {{login.response.body.t}}\n# @name login\nGET https://a\n\n###\nGET https://b/{{%login.request.body.login}}\n";
        let expected = text
            .replace("{{login.", "{{sign-in.")
            .replace("{{%login.", "{{%sign-in.")
            .replace("@name login", "@name sign-in");
        check(&Fixture::http(&text.replace("@name login", "@name $0login")), "sign-in", &expected);
        check(&Fixture::http(&text.replace("{{login", "{{lo$0gin")), "sign-in", &expected);
        check(&Fixture::http(&text.replace("body.login", "body.lo$0gin")), "sign-in", &expected);
        let fixture = Fixture::http("# @name login\nGET https://a\n\n###\n# @name b\nGET https://a\n");
        let symbol = Symbol::Request("login".into());
        for (new, objects) in [("b", true), ("a}}", true), ("a.response.b", true), ("", true), ("c d", false)] {
            assert_eq!(objection(&fixture.context(), &symbol, new).is_some(), objects, "{new}");
        }
    }

    #[test]
    fn a_collection_stays_json() {
        let text = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
            "item":[{"name":"a","request":{"method":"GET","url":"https://a.b/{{vault:k$0}}\u002f<<vault:\u006b>>"}}]}"#;
        let fixture = Fixture::postman(text);
        let expected = fixture.source.replace("{{vault:k}}", "{{vault:x}}").replace("\\u006b", "x");
        check(&fixture, "x", &expected);
    }

    #[test]
    fn the_link_is_renamed_as_a_toml_key() {
        let fixture = Fixture::http("GET https://a.b/<<vault:k$0>>\n").linked("k", Span::new(9, 10));
        let edit = link_edit(&fixture.known, &secret("k"), &secret("db/pass")).unwrap();
        assert_eq!((edit.span, edit.text.as_str()), (Span::new(9, 10), "\"db/pass\""));
        assert_eq!(link_edit(&fixture.known, &secret("other"), &secret("x")), None);
    }

    #[test]
    fn a_bad_or_taken_name_is_refused() {
        let fixture = Fixture::http("@v = 1\n@w = 2\n\nGET https://a.b/<<vault:k>>/{{v}}\n").known("k").known("taken");
        let context = fixture.context();
        let secret = Symbol::Secret(secret("k"));
        let variable = Symbol::Variable("v".into());
        for (symbol, new, expected) in [
            (&secret, "a>>b", Some("a secret name is made of letters, digits, `.`, `_`, `/`, `-` and inner spaces")),
            (&secret, "taken", Some("there is already a secret called `taken`")),
            (&secret, "free", None),
            (&variable, "a}}b", Some("a variable's name is made of letters, digits, `.`, `_` and `-`")),
            (&variable, "w", Some("there is already a variable called `w`")),
            (&variable, "x", None),
        ] {
            assert_eq!(objection(&context, symbol, new).as_deref(), expected, "{new}");
        }
    }

    #[test]
    fn a_variable_of_an_environment_is_not_renamed_here() {
        let fixture = Fixture::http("GET https://{{host$0}}\n").environment("host", "x");
        assert_eq!(prepare(&fixture.context(), fixture.cursor()), None);
    }
}
