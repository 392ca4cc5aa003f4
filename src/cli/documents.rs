//! Opens the documents that arguments name, each in the workspace it belongs to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{Machine, Stop, root},
    environment::Trouble,
    syntax::Document,
    text::{Encoding, Text},
    work::{
        Core, Sheet,
        files::{self, FileError},
    },
};

/// The workspaces of one command, each opened once.
pub struct Workspaces<'a> {
    machine: &'a Machine,
    named: Option<PathBuf>,
    open: BTreeMap<PathBuf, Arc<Core>>,
}

impl<'a> Workspaces<'a> {
    pub fn new(machine: &'a Machine, named: Option<PathBuf>) -> Self {
        Self { machine, named, open: BTreeMap::new() }
    }

    /// The workspace of `path`, prepared by `prepare` when it is opened.
    pub fn of(&mut self, path: &Path, prepare: impl FnOnce(&mut Core) -> Result<(), Stop>) -> Result<Arc<Core>, Stop> {
        let root = root(self.named.as_ref(), Some(path))?;
        if let Some(core) = self.open.get(&root) {
            return Ok(core.clone());
        }
        let mut core = self.machine.open(root.clone());
        prepare(Arc::get_mut(&mut core).expect("nobody else has it yet"))?;
        self.open.insert(root, core.clone());
        Ok(core)
    }

    /// Every workspace that was opened.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Core>> {
        self.open.values()
    }
}

/// Reads a document that a person named: anything but a document is an error.
pub fn open(path: &Path, root: &Path, environment: Option<&str>) -> Result<(Sheet, Vec<Trouble>), Stop> {
    let source = files::read(path).map_err(|error| unreadable(path, &error))?;
    // The environment is looked for beside the file, wherever the command was started.
    let absolute = std::path::absolute(path)?;
    let Some((sheet, troubles)) = Sheet::read(absolute, source, root, environment) else {
        let message = format!("{}: is neither a .http or .rest file nor a Postman collection", path.display());
        return Err(Stop::usage(message, "name a file of one of these formats"));
    };
    known_environment(&sheet, environment)?;
    Ok((sheet, troubles))
}

/// The name of a file that lies below the folder of this process relative to it, as people and CI expect; of any other
/// as it is.
pub fn below_here(file: &Path) -> PathBuf {
    let here = std::path::absolute(".").ok();
    let real = here.as_ref().and_then(|here| here.canonicalize().ok());
    let below = |folder: &PathBuf| file.strip_prefix(folder).ok();
    let short = here.iter().chain(&real).find_map(below).or_else(|| file.strip_prefix(".").ok());
    short.unwrap_or(file).to_owned()
}

pub fn unreadable(path: &Path, error: &FileError) -> Stop {
    let hint = match error {
        FileError::Missing => "check the name, or start the command in another folder",
        FileError::Folder => "`vaultls check` takes folders, the other commands take files",
        FileError::Special | FileError::TooLong | FileError::Binary | FileError::NotText(_) => {
            "name a .http or .rest file, or a Postman collection"
        }
        FileError::Other(_) => "",
    };
    Stop::usage(format!("{}: {error}", path.display()), hint)
}

/// A misspelled environment would silently leave variables without values.
fn known_environment(sheet: &Sheet, environment: Option<&str>) -> Result<(), Stop> {
    let Some(name) = environment else { return Ok(()) };
    let available = &sheet.environment.available;
    if available.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = match available.as_slice() {
        [] => "there is no http-client.env.json beside the file or above it".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    };
    Err(Stop::usage(format!("there is no environment `{name}` for {}", sheet.path.display()), hint))
}

/// Lines and columns of a document, counted from 1 as people do, columns in characters.
pub struct Lines(Text);

impl Lines {
    pub fn of(source: &str) -> Self {
        Self(Text::new(source))
    }

    pub fn place(&self, offset: usize) -> (u32, u32) {
        let position = self.0.position(offset, Encoding::Utf32);
        (position.line + 1, position.column + 1)
    }
}

/// What a person named: a file, or one request of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub path: PathBuf,
    pub choice: Choice,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    Unsaid,
    Name(String),
    /// From 1.
    Line(u32),
}

impl Target {
    /// Reads `FILE`, `FILE#NAME` or `FILE:LINE`. A file that has exactly the whole name wins.
    pub fn parse(text: &str) -> Self {
        let whole = || Self { path: text.into(), choice: Choice::Unsaid };
        if Path::new(text).exists() {
            return whole();
        }
        if let Some((path, line)) = text.rsplit_once(':')
            && let Ok(line) = line.parse::<u32>()
            && line > 0
        {
            return Self { path: path.into(), choice: Choice::Line(line) };
        }
        match text.split_once('#') {
            Some((path, name)) if !path.is_empty() => Self { path: path.into(), choice: Choice::Name(name.into()) },
            _ => whole(),
        }
    }

    /// The requests it means in `document`.
    pub fn requests(&self, sheet: &Sheet, all: bool) -> Result<Vec<usize>, Stop> {
        let document = &sheet.document;
        let told = |problem: &str| {
            let message = format!("{}: {problem}", self.path.display());
            Err(Stop::usage(message, offer(document, &sheet.source)))
        };
        match &self.choice {
            _ if document.requests.is_empty() => told("has no request"),
            Choice::Unsaid if all || document.requests.len() == 1 => Ok((0..document.requests.len()).collect()),
            Choice::Unsaid => told("has several requests; choose with `#name` or `:line`, or send them with --all"),
            Choice::Line(line) => match at_line(sheet, *line) {
                Some(index) => Ok(vec![index]),
                None => told(&format!("has no request at line {line}")),
            },
            Choice::Name(name) => match named(document, name).as_slice() {
                [index] => Ok(vec![*index]),
                [] => told("has no request of this name"),
                _ => told("has several requests of this name; choose with `:line`"),
            },
        }
    }
}

/// The request whose block holds `line`.
fn at_line(sheet: &Sheet, line: u32) -> Option<usize> {
    let text = Text::new(&sheet.source);
    let line = line - 1;
    if line as usize >= text.lines() {
        return None;
    }
    let offset = |column| text.offset(crate::text::Position { line, column }, Encoding::Utf32);
    let (start, end) = (offset(0), offset(u32::MAX));
    // A line inside a block, or one that a request's own line starts on, as in a one-line collection.
    sheet.document.request_at(start).or_else(|| sheet.document.request_at(end))
}

fn named(document: &Document, name: &str) -> Vec<usize> {
    let labelled = document.requests.iter().enumerate().filter(|(_, request)| {
        let label = request.name.as_ref();
        label.is_some_and(|label| label.text == name)
    });
    labelled.map(|(index, _)| index).collect()
}

/// The requests there are, for a hint.
fn offer(document: &Document, source: &str) -> String {
    const MOST: usize = 8;
    let lines = Lines::of(source);
    let shown = document.requests.iter().take(MOST).map(|request| {
        let (line, _) = lines.place(request.line.start);
        match &request.name {
            Some(name) => format!("`{}` at line {line}", name.text),
            None => format!("{} at line {line}", request.method.text),
        }
    });
    let mut offer: Vec<String> = shown.collect();
    if document.requests.len() > MOST {
        offer.push(format!("{} more", document.requests.len() - MOST));
    }
    if offer.is_empty() {
        "write a request such as `GET https://example.com`".into()
    } else {
        format!("there are: {}", offer.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_a_file_a_request_or_a_line() {
        let check = |text: &str, path: &str, choice: Choice| {
            assert_eq!(Target::parse(text), Target { path: path.into(), choice }, "{text}");
        };
        check("a.http", "a.http", Choice::Unsaid);
        check("a.http#log in", "a.http", Choice::Name("log in".into()));
        check("a.http:12", "a.http", Choice::Line(12));
        check("a.http#v1:2", "a.http#v1", Choice::Line(2));
        check("a.http:0", "a.http:0", Choice::Unsaid);
        check("C:\\x\\a.http", "C:\\x\\a.http", Choice::Unsaid);
    }
}
