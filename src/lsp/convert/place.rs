//! Places: positions become byte offsets and back, and URIs become paths and back.

use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::{Location, Position, Range, Uri, WorkspaceFolder};

use crate::text::{self, Encoding, Span, Text};

/// A text, with the way in which its client counts within a line.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    pub text: &'a Text,
    pub encoding: Encoding,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a Text, encoding: Encoding) -> Self {
        Self { text, encoding }
    }

    pub fn offset(self, position: Position) -> usize {
        self.text.offset(text::Position { line: position.line, column: position.character }, self.encoding)
    }

    pub fn position(self, offset: usize) -> Position {
        let position = self.text.position(offset, self.encoding);
        Position { line: position.line, character: position.column }
    }

    /// A range as bytes; one that ends before it begins is empty.
    pub fn span(self, range: Range) -> Span {
        let start = self.offset(range.start);
        Span::new(start, self.offset(range.end).max(start))
    }

    pub fn range(self, span: Span) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    pub fn location(self, uri: &Uri, span: Span) -> Location {
        Location { uri: uri.clone(), range: self.range(span) }
    }
}

/// The file that a URI names; none for another scheme.
pub fn file_path(uri: &Uri) -> Option<PathBuf> {
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return None;
    }
    decoded(uri)
}

/// The name of a document that is no file: one that was never saved, a cell of a notebook, a file of another machine.
/// No two documents share one. It ends as the document's own path does, which tells its kind.
pub fn unsaved_name(uri: &Uri) -> String {
    let whole = uri.as_str().replace(['/', '\\'], "_");
    let path = uri.path().decode().to_string_lossy();
    match Path::new(&*path).extension() {
        Some(extension) => format!("{whole}.{}", extension.to_string_lossy()),
        None => whole,
    }
}

pub fn file_uri(path: &Path) -> Option<Uri> {
    encoded(path)
}

#[cfg(not(windows))]
fn decoded(uri: &Uri) -> Option<PathBuf> {
    uri.to_file_path().map(std::borrow::Cow::into_owned)
}

/// NB. not by the protocol's own types: those know no server (`file://server/share`) and no path as the system resolves
/// it (`\\?\C:\folder`).
#[cfg(windows)]
fn decoded(uri: &Uri) -> Option<PathBuf> {
    url::Url::parse(uri.as_str()).ok()?.to_file_path().ok()
}

#[cfg(not(windows))]
fn encoded(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

#[cfg(windows)]
fn encoded(path: &Path) -> Option<Uri> {
    url::Url::from_file_path(path).ok()?.as_str().parse().ok()
}

pub fn folders(folders: &[WorkspaceFolder]) -> Vec<PathBuf> {
    folders.iter().filter_map(|folder| file_path(&folder.uri)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_are_no_files_have_names_of_their_own() {
        let name = |uri: &str| unsaved_name(&uri.parse().expect("a URI"));
        assert_eq!(name("untitled:Untitled-1"), "untitled:Untitled-1");
        assert_eq!(name("untitled:/w/a.http"), "untitled:_w_a.http.http");
        assert_ne!(name("vscode-notebook-cell:/b.ipynb#1"), name("vscode-notebook-cell:/b.ipynb#2"));
        assert!(!name("x:/../../etc/passwd").contains('/'));
    }

    #[cfg(windows)]
    #[test]
    fn drives_and_servers_become_paths_and_uris() {
        for (uri, path, back) in [
            ("file:///c%3A/a%20b/x.http", r"C:\a b\x.http", "file:///C:/a%20b/x.http"),
            ("file:///C:/x.http", r"C:\x.http", "file:///C:/x.http"),
            ("file://server/share/x.http", r"\\server\share\x.http", "file://server/share/x.http"),
        ] {
            let found = file_path(&uri.parse().unwrap()).unwrap();
            assert_eq!(found, Path::new(path), "{uri}");
            assert_eq!(file_uri(&found).unwrap().as_str(), back, "{uri}");
        }
        let resolved = file_uri(Path::new(r"\\?\C:\folder\x.http")).unwrap();
        assert_eq!(resolved.as_str(), "file:///C:/folder/x.http");
    }
}
