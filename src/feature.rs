//! What an editor shows, worked out from data alone: no disk, no network, no values, no protocol types.
//!
//! Every feature is a function from a [`Context`] (and mostly a place in it) to plain data with byte spans; the
//! edge turns that into its protocol. None of them can fail, and none can name a secret's value.

// What they share.
pub mod command;
pub mod escape;
pub mod literal;
pub mod near;
pub mod pasted;
pub mod sent;
pub mod trouble;
pub mod variable;
// What is wrong, and what to do about it.
pub mod actions;
pub mod config_file;
pub mod diagnostics;
pub mod lenses;
// What is under the cursor.
pub mod completion;
pub mod definition;
pub mod highlight;
pub mod hover;
pub mod references;
pub mod rename;
// What the document is made of.
pub mod folding;
pub mod symbols;
pub mod tokens;

#[cfg(test)]
mod fixture;

use std::path::{Path, PathBuf};

use crate::{
    name::SecretName,
    status::{Known, KnownSecret, Severity, Survey},
    syntax::{Document, Kind, Reference, Request, Use, Variable, exchange, expand::Environment},
    text::Span,
};

/// All that a feature may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub path: &'a Path,
    pub source: &'a str,
    pub document: &'a Document,
    pub environment: &'a Environment,
    pub survey: &'a Survey,
    pub known: &'a Known,
    /// Whether the editor lets a person choose from lists, as our plugins do.
    pub chooses: bool,
}

/// What stands at a place of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    Reference(&'a Reference),
    Use(&'a Use),
    /// The name in a variable's definition.
    Definition(&'a Variable),
    /// The name of a request that others can ask for parts of.
    Request(&'a Request),
}

/// Something to mark in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub span: Span,
    pub severity: Severity,
    /// A code of [`crate::status::Reason`], or one of [`code`].
    pub code: &'static str,
    /// For people, as plain text without a full stop; foreign characters that could deceive are escaped.
    pub message: String,
    pub tag: Option<Tag>,
}

/// How else a finding may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Faded: it has no effect.
    Unnecessary,
}

/// The codes of findings that are not about a secret's state.
pub mod code {
    /// A line or a value of the document that could not be understood.
    pub const SYNTAX: &str = "syntax";
    /// The spelling or the place of a reference.
    pub const REFERENCE: &str = "reference";
    /// A variable without a value.
    pub const VARIABLE: &str = "variable";
    /// A part of a request that keeps it from being sent: its URL, a header, a file.
    pub const REQUEST: &str = "request";
    /// A value that looks like a secret and stands in the file itself.
    pub const PASTED_SECRET: &str = "pasted-secret";
    /// An entry of `vaultls.toml`.
    pub const CONFIG: &str = "config";
}

/// A replacement of a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub file: PathBuf,
    pub span: Span,
    pub text: String,
}

impl<'a> Context<'a> {
    /// What the cursor at `offset` means. Between two marks that meet, the one that starts there wins.
    pub fn target(&self, offset: usize) -> Option<Target<'a>> {
        let document = self.document;
        let reference = document.reference_at(offset).map(|index| Target::Reference(&document.references[index]));
        let used = || use_at(&document.uses, offset).map(Target::Use);
        let defined = || {
            let mut definitions = document.variables.iter();
            definitions.find(|variable| variable.name_span.touches(offset)).map(Target::Definition)
        };
        match reference {
            // `<<vault:a>>{{b}}` with the cursor between them.
            Some(Target::Reference(found)) if found.span.end == offset => used().or(reference),
            Some(_) => reference,
            None => used().or_else(defined).or_else(|| self.named_at(offset).map(Target::Request)),
        }
    }

    /// The request whose name stands at `offset`, where others can ask for it by that name.
    fn named_at(&self, offset: usize) -> Option<&'a Request> {
        let request = &self.document.requests[self.document.request_at(offset)?];
        let name = request.name.as_ref().filter(|_| self.document.kind == Kind::Http)?;
        (name.span.touches(offset) && exchange::is_name(&name.text)).then_some(request)
    }

    /// The secret or link called `name`, if there is one.
    pub fn known_secret(&self, name: &SecretName) -> Option<&'a KnownSecret> {
        self.known.secrets.iter().find(|secret| secret.name == *name)
    }

    /// A replacement in the document itself.
    pub fn edit(&self, span: Span, text: impl Into<String>) -> Edit {
        Edit { file: self.path.to_owned(), span, text: text.into() }
    }
}

fn use_at(uses: &[Use], offset: usize) -> Option<&Use> {
    let index = uses.partition_point(|used| used.span.start <= offset).checked_sub(1)?;
    uses[index].span.touches(offset).then(|| &uses[index])
}

#[cfg(test)]
mod tests {
    use super::{fixture::Fixture, *};
    use crate::status::Reason;

    const HTTP: &str = "@host = é.b\n@a = {{b}}<<vault:x>>\n@b = {{a}}\n\n### näme <b>`x`\nPOST https://{{host}}/<<vault:k>>?{{%a}}\n\
        Auth: {{vault: k }} {{$dotenv E}} {{$processEnv 😀}} <<vault:😀>>\nX<<vault:y>>: {{r.response.body.x}}\n\n\
        {\"a\": <<vault:n>>, \"b\": \"{{nope}}<<vault:>\"}\n> {% x %}\n### \nWEBSOCKET wss://x\n<<vault:open";
    const POSTMAN: &str = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "auth":{"type":"bearer","bearer":[{"key":"token","value":"{{vault:k}}"}]},
        "variable":[{"key":"\u00e9\"","value":"<<vault:x>>"}],
        "item":[{"name":"F\n","item":[{"name":"","request":{"method":"get","header":[{"key":"{{a}}","value":"😀{{ vault:y }}"}],
        "url":"{{\u00e9\"}}/\u003c<vault:k>>","body":{"mode":"raw","raw":"{\"a\": <<vault:n>>}"}}}]}]}"#;

    /// Asks everything at `offset`.
    fn ask(fixture: &Fixture, offset: usize) {
        let (context, cursor) = (fixture.context(), Span::at(offset));
        let _ = hover::hover(&context, offset);
        let _ = definition::definition(&context, offset);
        let _ = highlight::highlights(&context, offset);
        let _ = actions::actions(&context, "file:///x", cursor);
        for item in completion::complete(&context, offset).items {
            assert!(item.span.touches(offset) && !item.span.of(&fixture.source).contains('\n'), "{item:?}");
        }
        if let Some(prepared) = rename::prepare(&context, offset) {
            rename::edits(context.path, context.source, context.document, &prepared.symbol, "new");
        }
    }

    fn ask_about_all(fixture: &Fixture) {
        let context = fixture.context();
        let whole = Span::new(0, fixture.source.len());
        diagnostics::diagnostics(&context);
        actions::actions(&context, "file:///x", whole);
        tokens::tokens(&context, whole);
        symbols::symbols(&context);
        folding::folds(&context);
        lenses::lenses(&context, "file:///x");
    }

    #[test]
    fn every_prefix_can_be_asked_anything_even_with_an_old_survey() {
        for (kind, text) in [(Kind::Http, HTTP), (Kind::Postman, POSTMAN)] {
            let make = |text: &str| if kind == Kind::Http { Fixture::http(text) } else { Fixture::postman(text) };
            let whole = make(text).known("kk").problem("k", Reason::Missing).problem("x", Reason::DomainDenied);
            for offset in 0..=text.len() {
                ask(&whole, offset);
            }
            for (end, _) in text.char_indices() {
                let prefix = make(&text[..end]).with_survey_of(&whole);
                ask_about_all(&prefix);
                ask(&prefix, end);
                ask(&prefix, end / 2);
            }
        }
    }

    #[test]
    fn between_two_marks_the_one_that_starts_there_counts() {
        let fixture = Fixture::http("GET https://a.b/<<vault:k>>$0{{v}}\n");
        assert!(matches!(fixture.context().target(fixture.cursor()), Some(Target::Use(_))));
        let fixture = Fixture::http("GET https://a.b/{{v}}$0<<vault:k>>\n");
        assert!(matches!(fixture.context().target(fixture.cursor()), Some(Target::Reference(_))));
        let fixture = Fixture::http("GET https://a.b/<<vault:k>>$0/\n");
        assert!(matches!(fixture.context().target(fixture.cursor()), Some(Target::Reference(_))));
    }
}
