//! The outline: requests in their folders, and the variables of the file.

use crate::{
    feature::{Context, escape},
    syntax::{Request, Written},
    text::Span,
};

/// The most entries of one outline.
pub const MAX_SYMBOLS: usize = 10_000;
/// How deep folders are shown; what lies deeper hangs on the last one.
const MAX_DEPTH: usize = 32;
/// How much of a URL is shown, in bytes.
const MAX_URL: usize = 160;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    pub detail: Option<String>,
    pub kind: SymbolKind,
    /// All of it; holds `selection` and every child.
    pub span: Span,
    /// What to show when it is chosen.
    pub selection: Span,
    pub children: Vec<Symbol>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    Folder,
    Request,
    Variable,
}

/// The outline in the order of the file.
pub fn symbols(context: &Context<'_>) -> Vec<Symbol> {
    let mut tree = Tree::default();
    for request in context.document.requests.iter().take(MAX_SYMBOLS) {
        tree.add(request, context.source);
    }
    let mut symbols = tree.finish();
    let room = MAX_SYMBOLS.saturating_sub(context.document.requests.len());
    symbols.extend(context.document.variables.iter().take(room).map(|variable| Symbol {
        name: escape::plain(&variable.name),
        detail: None,
        kind: SymbolKind::Variable,
        span: covering(variable.span, variable.name_span),
        selection: variable.name_span,
        children: Vec::new(),
    }));
    symbols.sort_by_key(|symbol| symbol.span.start);
    symbols
}

/// The method and the URL as the file writes them, on one line.
pub fn request_line(request: &Request, source: &str) -> String {
    let url = request.shown_url.as_ref().unwrap_or(&request.url);
    format!("{} {}", escape::plain(&request.method.text), short(url, source))
}

fn short(url: &Written, source: &str) -> String {
    let text = url.text(source);
    let mut shown = String::new();
    for word in text.split_whitespace() {
        shown.push_str(word);
        if shown.len() > MAX_URL {
            let cut = (0..=MAX_URL).rev().find(|index| shown.is_char_boundary(*index)).unwrap_or(0);
            shown.truncate(cut);
            shown.push('…');
            break;
        }
    }
    escape::plain(&shown)
}

/// Folders are opened and closed as the requests go by.
#[derive(Default)]
struct Tree {
    done: Vec<Symbol>,
    /// The folders around the last request, outermost first, and their names as written.
    open: Vec<(String, Symbol)>,
}

impl Tree {
    fn add(&mut self, request: &Request, source: &str) {
        let folders = &request.folders[..request.folders.len().min(MAX_DEPTH)];
        let shared = self.open.iter().zip(folders).take_while(|((open, _), folder)| open == *folder).count();
        self.close(shared);
        for folder in &folders[shared..] {
            self.open.push((folder.clone(), self::folder(folder, request.span)));
        }
        self.place(leaf(request, source));
    }

    fn finish(mut self) -> Vec<Symbol> {
        self.close(0);
        self.done
    }

    fn close(&mut self, keep: usize) {
        while self.open.len() > keep {
            let Some((_, folder)) = self.open.pop() else { return };
            self.place(folder);
        }
    }

    fn place(&mut self, symbol: Symbol) {
        let Some((_, parent)) = self.open.last_mut() else { return self.done.push(symbol) };
        parent.span = covering(parent.span, symbol.span);
        parent.children.push(symbol);
    }
}

fn folder(name: &str, first: Span) -> Symbol {
    let selection = Span::at(first.start);
    Symbol { name: titled(name), detail: None, kind: SymbolKind::Folder, span: first, selection, children: Vec::new() }
}

fn leaf(request: &Request, source: &str) -> Symbol {
    let line = request_line(request, source);
    let (name, detail) = match &request.name {
        Some(label) if !label.text.trim().is_empty() => (escape::plain(label.text.trim()), Some(line)),
        _ => (line, None),
    };
    let span = covering(request.span, request.line);
    Symbol { name, detail, kind: SymbolKind::Request, span, selection: request.line, children: Vec::new() }
}

/// An outline's entry must have a name (LSP 3.17, `DocumentSymbol`).
fn titled(name: &str) -> String {
    if name.trim().is_empty() { "(unnamed)".into() } else { escape::plain(name.trim()) }
}

fn covering(one: Span, other: Span) -> Span {
    Span::new(one.start.min(other.start), one.end.max(other.end))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::feature::fixture::Fixture;

    fn check(fixture: &Fixture, expected: &Expect) {
        let mut shown = String::new();
        for symbol in symbols(&fixture.context()) {
            show(&symbol, 0, &mut shown);
        }
        expected.assert_eq(&shown);
    }

    fn show(symbol: &Symbol, depth: usize, shown: &mut String) {
        assert!(symbol.span.contains(symbol.selection), "{symbol:?}");
        let detail = symbol.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        shown.push_str(&format!("{}{:?} {}{detail}\n", "  ".repeat(depth), symbol.kind, symbol.name));
        for child in &symbol.children {
            assert!(symbol.span.contains(child.span), "{symbol:?}");
            show(child, depth + 1, shown);
        }
    }

    #[test]
    fn requests_have_their_name_or_their_line() {
        check(
            &Fixture::http("@v = 1\n\n### Log in\nPOST https://a.b/login\n\n###\nGET https://a.b/<<vault:k>>\n"),
            &expect![[r#"
                Variable v
                Request Log in (POST https://a.b/login)
                Request GET https://a.b/<<vault:k>>
            "#]],
        );
    }

    #[test]
    fn folders_hold_their_requests() {
        let text = r#"{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[
            {"name":"top","request":{"method":"GET","url":"https://a.b/0"}},
            {"name":"A","item":[
                {"name":"one","request":{"method":"GET","url":"https://a.b/1"}},
                {"name":"B","item":[{"name":"two","request":{"method":"PUT","url":"https://a.b/2"}}]}]},
            {"name":" ","item":[{"name":"three","request":{"method":"GET","url":"https://a.b/3"}}]}]}"#;
        check(
            &Fixture::postman(text),
            &expect![[r#"
                Request top (GET https://a.b/0)
                Folder A
                  Request one (GET https://a.b/1)
                  Folder B
                    Request two (PUT https://a.b/2)
                Folder (unnamed)
                  Request three (GET https://a.b/3)
            "#]],
        );
    }

    #[test]
    fn a_long_url_is_cut() {
        let fixture = Fixture::http(&format!("GET https://a.b/{}\n", "é".repeat(5_000)));
        let symbols = symbols(&fixture.context());
        assert!(symbols[0].name.ends_with("é…"), "{}", symbols[0].name);
        assert!(symbols[0].name.len() < 200);
    }
}
