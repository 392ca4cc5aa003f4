//! `vaultls list`: the requests of files.

use std::{collections::BTreeSet, path::Path};

use serde::Serialize;

use crate::{
    cli::{
        Exit, Outcome, arguments,
        arguments::Format,
        documents::{self, Lines},
        root,
        terminal::{self, Style, Terminal, plain, styled},
    },
    name::SecretName,
    syntax::{Body, Reference, Request},
    work::Sheet,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    file: String,
    /// In the file, from 0.
    index: usize,
    /// From 1.
    line: u32,
    name: Option<&'a str>,
    folders: &'a [String],
    method: &'a str,
    url: String,
    /// The names of the headers that are sent.
    headers: Vec<String>,
    /// In bytes, as written; 0 for a body that stands in another file.
    body_length: usize,
    references: Vec<ListedReference<'a>>,
    /// Why it cannot be run, if it cannot.
    not_runnable: Option<&'static str>,
}

#[derive(Serialize)]
struct ListedReference<'a> {
    /// None for a reference without a proper name.
    name: Option<&'a str>,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
}

pub fn list(arguments: &arguments::List, terminal: &mut Terminal) -> Outcome {
    let mut sheets = Vec::new();
    for path in &arguments.files {
        let root = root(arguments.workspace.root.as_ref(), Some(path))?;
        let (sheet, _) = documents::open(path, &root, None)?;
        sheets.push((path, sheet));
    }
    if arguments.environments {
        let names: BTreeSet<&str> =
            sheets.iter().flat_map(|(_, sheet)| &sheet.environment.available).map(String::as_str).collect();
        print_environments(&names, arguments.format, terminal)?;
        return Ok(Exit::Done);
    }
    let listed: Vec<Listed<'_>> = sheets.iter().flat_map(|(path, sheet)| requests(path, sheet)).collect();
    match arguments.format {
        Format::Json => terminal.json(&listed)?,
        Format::Text => listed.iter().try_for_each(|request| print(request, terminal))?,
    }
    Ok(Exit::Done)
}

fn print_environments(names: &BTreeSet<&str>, format: Format, terminal: &mut Terminal) -> std::io::Result<()> {
    match format {
        Format::Json => terminal.json(names),
        Format::Text => names.iter().try_for_each(|name| terminal.line(&[plain(one_line(name))])),
    }
}

fn requests<'a>(path: &Path, sheet: &'a Sheet) -> Vec<Listed<'a>> {
    let lines = Lines::of(&sheet.source);
    let requests = sheet.document.requests.iter().enumerate();
    requests.map(|(index, request)| listed(path, sheet, &lines, index, request)).collect()
}

fn listed<'a>(path: &Path, sheet: &'a Sheet, lines: &Lines, index: usize, request: &'a Request) -> Listed<'a> {
    let source = &*sheet.source;
    let headers = request.headers.iter().filter(|header| header.enabled);
    let references = sheet.document.references_in(request.span).iter();
    Listed {
        file: path.display().to_string(),
        index,
        line: lines.place(request.line.start).0,
        name: request.name.as_ref().map(|name| name.text.as_str()),
        folders: &request.folders,
        method: &request.method.text,
        url: request.shown_url.as_ref().unwrap_or(&request.url).text(source).into_owned(),
        headers: headers.map(|header| header.name.text(source).into_owned()).collect(),
        body_length: body_length(&request.body, source),
        references: references.map(|reference| listed_reference(reference, lines)).collect(),
        not_runnable: request.not_runnable,
    }
}

fn listed_reference<'a>(reference: &'a Reference, lines: &Lines) -> ListedReference<'a> {
    let (line, column) = lines.place(reference.span.start);
    let name = reference.name.as_ref().ok().filter(|_| reference.closed);
    ListedReference { name: name.map(SecretName::as_str), line, column }
}

fn body_length(body: &Body, source: &str) -> usize {
    match body {
        Body::Text { text, .. } => text.text(source).len(),
        Body::GraphQl { query, variables } => {
            query.text(source).len() + variables.as_ref().map_or(0, |variables| variables.text(source).len())
        }
        Body::Form(fields) => {
            let enabled = fields.iter().filter(|field| field.enabled);
            enabled.map(|field| field.key.text(source).len() + field.value.text(source).len()).sum()
        }
        Body::None | Body::File { .. } | Body::Multipart(_) => 0,
    }
}

fn print(request: &Listed<'_>, terminal: &mut Terminal) -> std::io::Result<()> {
    let mut parts = vec![
        styled(Style::Dim, format!("{}:{}", terminal::one_line(&request.file), request.line)),
        plain("  "),
        styled(Style::Bold, request.method),
        plain(format!(" {}", one_line(&request.url))),
    ];
    let path: Vec<&str> = request.folders.iter().map(String::as_str).chain(request.name).collect();
    if !path.is_empty() {
        parts.push(styled(Style::Dim, format!("  {}", one_line(&path.join(" / ")))));
    }
    let mut names: Vec<&str> = request.references.iter().filter_map(|reference| reference.name).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        parts.push(styled(Style::Blue, format!("  [{}]", names.join(", "))));
    }
    terminal.line(&parts)
}

/// A URL over several lines, and a name with line breaks, on one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
