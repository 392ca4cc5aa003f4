//! The only place that prints: standard output, buffered, and standard error.
//!
//! Colours go to terminals only. What comes from a file or a server is stripped of control characters before a
//! terminal sees it, because those could move the cursor, change its title or rewrite what stands there.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

/// How a part of a line looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Style {
    /// ECMA-48, "Select Graphic Rendition".
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Blue => "34",
        }
    }
}

/// A piece of a line.
pub struct Part<'a>(Style, Cow<'a, str>);

pub fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Part<'a> {
    Part(Style::Plain, text.into())
}

pub fn styled<'a>(style: Style, text: impl Into<Cow<'a, str>>) -> Part<'a> {
    Part(style, text.into())
}

/// One end of the terminal.
struct Stream {
    writer: Box<dyn Write + Send>,
    is_terminal: bool,
    colour: bool,
}

impl Stream {
    fn write(&mut self, parts: &[Part<'_>]) -> io::Result<()> {
        for Part(style, text) in parts {
            let text = if self.is_terminal { harmless(text) } else { Cow::Borrowed(&**text) };
            if self.colour && *style != Style::Plain {
                write!(self.writer, "\x1b[{}m{text}\x1b[0m", style.code())?;
            } else {
                self.writer.write_all(text.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Where a command's output goes, and whether a person sits there.
pub struct Terminal {
    out: Stream,
    err: Stream,
    interactive: bool,
}

impl Terminal {
    /// The standard streams. `no_colour` says that the user wants none (`NO_COLOR`, see no-color.org).
    pub fn standard(no_colour: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let (out_terminal, err_terminal) = (out.is_terminal(), err.is_terminal());
        let no_colour = no_colour || ((out_terminal || err_terminal) && !understands_colours());
        let interactive = err_terminal && io::stdin().is_terminal();
        let out = Stream {
            writer: Box::new(io::BufWriter::new(out)),
            is_terminal: out_terminal,
            colour: out_terminal && !no_colour,
        };
        let err = Stream { writer: Box::new(err), is_terminal: err_terminal, colour: err_terminal && !no_colour };
        Self { out, err, interactive }
    }

    /// Asks nobody anything, even where a person sits.
    pub fn ask_nobody(&mut self) {
        self.interactive = false;
    }

    /// Whether a person can be asked.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// A line of output.
    pub fn line(&mut self, parts: &[Part<'_>]) -> io::Result<()> {
        self.out.write(parts)?;
        self.out.writer.write_all(b"\n")
    }

    /// A text of output that ends with a line break of its own, or gets one.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write(&[plain(text)])?;
        if text.is_empty() || text.ends_with('\n') { Ok(()) } else { self.out.writer.write_all(b"\n") }
    }

    /// A value as indented JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.text(&text)
    }

    /// Something a person should know that is not the output. An unwritable standard error is nobody's problem.
    pub fn note(&mut self, parts: &[Part<'_>]) {
        // The order of what a person sees: everything printed so far stands above.
        let _ = self.out.writer.flush();
        let _ = self.err.write(parts).and_then(|()| self.err.writer.write_all(b"\n"));
    }

    /// A question, after which the cursor stays on the line.
    pub fn ask(&mut self, question: &str) {
        let _ = self.out.writer.flush();
        let _ = self.err.write(&[plain(question)]).and_then(|()| self.err.writer.flush());
    }

    pub fn warning(&mut self, message: &str) {
        self.note(&[styled(Style::Yellow, "warning: "), plain(one_line(message))]);
    }

    pub fn error(&mut self, message: &str, hint: &str) {
        self.note(&[styled(Style::Red, "error: "), plain(one_line(message))]);
        if !hint.is_empty() {
            self.note(&[styled(Style::Blue, "hint: "), plain(one_line(hint))]);
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.writer.flush()
    }
}

/// Whether the terminal takes colours as they are written here. Old consoles of Windows do not.
#[cfg(windows)]
fn understands_colours() -> bool {
    anstyle_query::windows::enable_ansi_colors() == Some(true)
}

#[cfg(not(windows))]
fn understands_colours() -> bool {
    true
}

/// `text` with control characters and those that change the reading direction written out; line breaks and tabs stay.
fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |char: char| {
        (char.is_control() && !matches!(char, '\n' | '\t'))
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            // A CRLF line break is a line break.
            '\r' => {}
            char if harmful(char) => shown.extend(char.escape_unicode()),
            char => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// The name of a file, whose letters may be a stranger's, as a part of one line of any output: a line of its own could
/// pass for a finding, or for a command of the CI that reads it.
pub fn one_line(name: &str) -> String {
    harmless(name).replace('\n', "\\n").replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_stays_on_one_line() {
        assert_eq!(one_line("a\n::error::b\u{1b}]0;c\u{7}\t.http"), "a\\n::error::b\\u{1b}]0;c\\u{7}\\t.http");
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(harmless("a\tb\n"), "a\tb\n");
        assert_eq!(harmless("\x1b]0;title\x07"), "\\u{1b}]0;title\\u{7}");
        assert_eq!(harmless("x\u{202e}y\r\n"), "x\\u{202e}y\n");
    }
}
