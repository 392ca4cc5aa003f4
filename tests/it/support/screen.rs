//! A full-screen program in a real terminal, read by its screen as a person sees it. What the program draws is kept by a
//! terminal emulator (the crate `vt100`) in the test's own process, so that text and colours can be asked for at once.
#![expect(clippy::disallowed_methods, reason = "sets the surroundings of the program")]

use std::{
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use super::terminal::{self, Keys, Started};

/// How long somebody looks at the screen for what should come.
const PATIENCE: Duration = Duration::from_secs(60);
const LINES: u16 = 32;
const COLUMNS: u16 = 150;
/// What a program asks to learn what the terminal is, and the answer of one that can what a VT220 could.
const WHO_ARE_YOU: &[u8] = b"\x1b[c";
const VT220: &str = "\x1b[?62;22c";

pub struct Screen {
    child: Child,
    keys: Keys,
    output: Receiver<Vec<u8>>,
    emulator: vt100::Parser,
}

impl Screen {
    /// Starts `program`, a command with its surroundings; none where a terminal cannot be had.
    pub fn start(mut program: Command) -> Option<Self> {
        program.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        program.env("LINES", LINES.to_string()).env("COLUMNS", COLUMNS.to_string());
        let Started { child, keys, output } = terminal::start(&program)?;
        Some(Self { child, keys, output, emulator: vt100::Parser::new(LINES, COLUMNS, 0) })
    }

    /// Presses keys, one character each.
    pub fn press(&mut self, keys: &str) {
        self.keys.press(keys, false);
    }

    /// Waits until `text` is on the screen.
    pub fn see(&mut self, text: &str) {
        self.wait(&format!("`{text}` does not come"), |screen| screen.contents().contains(text));
    }

    /// Waits until `text` is no longer on the screen.
    pub fn see_gone(&mut self, text: &str) {
        self.wait(&format!("`{text}` does not go"), |screen| !screen.contents().contains(text));
    }

    /// Waits until the screen is as wanted; panics with what it shows, saying what is amiss, when it does not become so.
    pub fn wait(&mut self, amiss: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !wanted(self.emulator.screen()) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.draw(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{amiss}:\n{}", self.text());
                }
            }
        }
    }

    /// What is on the screen as far as it was waited for.
    pub fn text(&self) -> String {
        self.emulator.screen().contents()
    }

    /// The colour in which the last character of `text` is written, where it first stands.
    pub fn colour(&self, text: &str) -> vt100::Color {
        let screen = self.emulator.screen();
        let mut rows = screen.rows(0, COLUMNS).enumerate();
        let found = rows.find_map(|(row, line)| Some((row, line[..line.find(text)?].chars().count())));
        let (row, column) = found.unwrap_or_else(|| panic!("there is no `{text}`:\n{}", self.text()));
        let last = column + text.chars().count() - 1;
        let cell = screen.cell(u16::try_from(row).unwrap(), u16::try_from(last).unwrap());
        cell.expect("a cell of the screen").fgcolor()
    }

    /// Waits for the program's own end.
    pub fn end(mut self) -> ExitStatus {
        while self.output.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().unwrap()
    }

    fn draw(&mut self, bytes: &[u8]) {
        self.emulator.process(bytes);
        if memchr::memmem::find(bytes, WHO_ARE_YOU).is_some() {
            self.press(VT220);
        }
    }
}

impl Drop for Screen {
    /// The terminal ends its program when nobody sits at it any more.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
