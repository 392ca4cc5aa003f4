//! Every place of one document that means the same secret or variable. The caller asks it of each document.

use crate::{
    feature::{Context, Target, variable},
    name::SecretName,
    syntax::{Document, Label, Reference, Use, Variable, exchange},
    text::Span,
};

/// What references are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// In every document of the workspace.
    Secret(SecretName),
    /// In its own document; without the `%` that asks for percent-encoding.
    Variable(String),
    /// In its own document, where others ask for parts of it.
    Request(String),
}

/// What the thing at `offset` names; none for a reference without a proper name.
pub fn symbol(context: &Context<'_>, offset: usize) -> Option<Symbol> {
    Some(match context.target(offset)? {
        Target::Reference(reference) => Symbol::Secret(reference.name.clone().ok()?),
        Target::Use(used) => match variable::exchange_of(context, &used.name) {
            Some((request, ..)) => Symbol::Request(request.to_owned()),
            None => Symbol::Variable(variable::bare(&used.name).to_owned()),
        },
        Target::Definition(variable) => Symbol::Variable(variable.name.clone()),
        Target::Request(request) => Symbol::Request(request.name.as_ref()?.text.clone()),
    })
}

/// The uses of `symbol` by position, with or without the definitions of a variable or the names of a request.
pub fn references(document: &Document, symbol: &Symbol, with_definitions: bool) -> Vec<Span> {
    match symbol {
        Symbol::Secret(name) => references_of(document, name).map(|reference| reference.span).collect(),
        Symbol::Variable(name) => {
            let mut spans: Vec<Span> = uses_of(document, name).map(|used| used.span).collect();
            if with_definitions {
                spans.extend(definitions_of(document, name).map(|variable| variable.name_span));
                spans.sort_unstable();
            }
            spans
        }
        Symbol::Request(name) => {
            let mut spans: Vec<Span> = asks_for(document, name).map(|used| used.span).collect();
            if with_definitions {
                spans.extend(names_of(document, name).map(|label| label.span));
                spans.sort_unstable();
            }
            spans
        }
    }
}

/// The uses that ask for a part of the request called `name`.
pub fn asks_for<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = &'a Use> {
    let asks = move |used: &&Use| exchange::split(variable::bare(&used.name)).is_some_and(|(of, ..)| of == name);
    document.uses.iter().filter(asks)
}

/// Where requests are called `name`.
pub fn names_of<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = &'a Label> {
    document.requests_named(name).filter_map(|request| request.name.as_ref())
}

/// The references of a secret in both spellings, unfinished ones too.
pub fn references_of<'a>(document: &'a Document, name: &'a SecretName) -> impl Iterator<Item = &'a Reference> {
    document.references.iter().filter(move |reference| reference.name.as_ref() == Ok(name))
}

/// The uses of a variable.
pub fn uses_of<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = &'a Use> {
    document.uses.iter().filter(move |used| variable::bare(&used.name) == name)
}

/// Every definition of a variable, disabled ones too.
pub fn definitions_of<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = &'a Variable> {
    document.variables.iter().filter(move |variable| variable.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(text: &str, with_definitions: bool, expected: &[&str]) {
        let fixture = Fixture::http(text);
        let symbol = symbol(&fixture.context(), fixture.cursor()).unwrap();
        let spans = references(&fixture.document, &symbol, with_definitions);
        assert_eq!(spans.iter().map(|span| span.of(&fixture.source)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn both_spellings_mean_the_same_secret() {
        check(
            "GET https://a.b/<<vault:k$0>>\nA: {{vault:k}} <<vault:kk>>\n\n<<vault:k>>\n",
            false,
            &["<<vault:k>>", "{{vault:k}}", "<<vault:k>>"],
        );
    }

    #[test]
    fn a_variable_has_uses_and_definitions() {
        let text = "@a = 1\n\nGET https://b/{{a}}/{{$0%a}}/{{ab}}\n";
        check(text, false, &["{{a}}", "{{%a}}"]);
        check(text, true, &["a", "{{a}}", "{{%a}}"]);
    }

    #[test]
    fn a_request_has_its_name_and_what_asks_for_it() {
        let rest = "# @name login\nGET https://a.b\n\n###\nGET https://a.b/{{login.response.body.$.a}}/{{login.request.body.*}}/{{log.response.body.*}}\n";
        let uses = ["{{login.response.body.$.a}}", "{{login.request.body.*}}"];
        check(&rest.replace("@name login", "@name log$0in"), true, &["login", uses[0], uses[1]]);
        check(&rest.replacen(".response", ".$0response", 1), false, &uses);
    }

    #[test]
    fn a_broken_name_has_no_references() {
        let fixture = Fixture::http("GET https://a.b/<<vault:a$0*b>>\n");
        assert_eq!(symbol(&fixture.context(), fixture.cursor()), None);
    }
}
