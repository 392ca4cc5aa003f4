//! Lines and blocks: the two grids that an `.http` file is cut along.

use memchr::{memchr, memmem};

use crate::text::Span;

/// A line of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Without the line break.
    pub span: Span,
    /// Where the next line begins.
    pub next: usize,
}

/// Walks over the lines of a part of the file. Only `\n` and `\r\n` end a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'a> {
    source: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Lines<'a> {
    pub fn new(source: &'a str, part: Span) -> Self {
        Self { source, at: part.start, end: part.end }
    }

    /// What is left.
    pub fn rest(&self) -> Span {
        Span::new(self.at, self.end)
    }

    pub fn peek(&self) -> Option<Line> {
        let mut ahead = *self;
        ahead.next()
    }

    /// Goes on at `offset`, where a line begins.
    pub fn jump(&mut self, offset: usize) {
        self.at = offset.clamp(self.at, self.end);
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.at >= self.end {
            return None;
        }
        let bytes = &self.source.as_bytes()[self.at..self.end];
        let (length, next) = match memchr(b'\n', bytes) {
            Some(length) => (length, self.at + length + 1),
            None => (bytes.len(), self.end),
        };
        let length = if length > 0 && bytes[length - 1] == b'\r' { length - 1 } else { length };
        let line = Line { span: Span::new(self.at, self.at + length), next };
        self.at = next;
        Some(line)
    }
}

/// `span` without the white space around it; where nothing is left, the empty span at its start.
pub(super) fn trim(source: &str, span: Span) -> Span {
    let text = span.of(source);
    let start = span.start + (text.len() - text.trim_start().len());
    if start == span.end {
        return Span::at(span.start);
    }
    Span::new(start, span.start + text.trim_end().len())
}

/// The part of the file between two lines that begin with `###`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// From the `###` line, or from the start of the file, to the next block.
    pub span: Span,
    /// What follows the hashes, trimmed; empty for a first block without them.
    pub title: Span,
    /// What stands below the `###` line.
    pub content: Span,
}

/// Cuts the file at the lines that begin with `###`; an indented one is a comment (REST Client, `^#{3,}`).
pub(super) fn blocks(source: &str) -> impl Iterator<Item = Block> + '_ {
    let first = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut cuts = memmem::find_iter(source.as_bytes(), b"\n###").map(|at| at + 1);
    let mut start = Some(first);
    std::iter::from_fn(move || {
        let from = start?;
        start = cuts.next();
        Some(block(source, Span::new(from, start.unwrap_or(source.len()))))
    })
}

fn block(source: &str, span: Span) -> Block {
    let mut lines = Lines::new(source, span);
    match lines.next() {
        Some(line) if line.span.of(source).starts_with("###") => {
            let text = line.span.of(source);
            let hashes = text.len() - text.trim_start_matches('#').len();
            let title = trim(source, Span::new(line.span.start + hashes, line.span.end));
            Block { span, title, content: lines.rest() }
        }
        _ => Block { span, title: Span::at(span.start), content: span },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str) -> Vec<(&str, &str)> {
        blocks(source).map(|block| (block.title.of(source), block.content.of(source))).collect()
    }

    #[test]
    fn blocks_lie_between_lines_of_hashes() {
        assert_eq!(cut("a\n### Two \nb\r\n####\r\n"), [("", "a\n"), ("Two", "b\r\n"), ("", "")]);
        assert_eq!(cut("### One\n### Two"), [("One", ""), ("Two", "")]);
        assert_eq!(cut(""), [("", "")]);
    }

    #[test]
    fn indented_hashes_cut_nothing() {
        assert_eq!(cut("a\n ### b\n## c\n"), [("", "a\n ### b\n## c\n")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(cut("\u{feff}### One\na"), [("One", "a")]);
    }

    #[test]
    fn lines_end_at_line_feeds_only() {
        let source = "a\r\n\rb\n\n\u{2028}c";
        let lines: Vec<&str> =
            Lines::new(source, Span::new(0, source.len())).map(|line| line.span.of(source)).collect();
        assert_eq!(lines, ["a", "\rb", "", "\u{2028}c"]);
    }
}
