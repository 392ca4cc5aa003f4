//! A full-screen program in a real terminal, read by its screen as a person sees it. What the program draws is kept by a
//! terminal emulator (the crate `vt100`) in the test's own process, so that text and colours can be asked for at once.

use std::{
    collections::VecDeque,
    num::NonZero,
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use super::terminal::{self, Keys, Started};

/// How long somebody looks at the screen for what should come.
const PATIENCE: Duration = Duration::from_secs(60);
const LINES: NonZero<u16> = NonZero::new(32).expect("not zero");
const COLUMNS: NonZero<u16> = NonZero::new(150).expect("not zero");
/// With these a program ends what it draws at once: a cursor that is shown again, or an update in one piece.
const PICTURE_ENDS: [&[u8]; 2] = [b"\x1b[?25h", b"\x1b[?2026l"];
/// What a program asks to learn what the terminal is, and the answer of one that can what a VT220 could.
const WHO_ARE_YOU: &[u8] = b"\x1b[c";
const VT220: &str = "\x1b[?62;22c";

pub struct Screen {
    child: Child,
    keys: Keys,
    output: Receiver<Vec<u8>>,
    /// What came and was not drawn yet, picture by picture: one that stands for a moment only is looked at as well,
    /// however late this process reads.
    coming: VecDeque<Vec<u8>>,
    emulator: vt100::Parser,
}

impl Screen {
    /// Starts `program`, a command with its surroundings; none where a terminal cannot be had.
    pub fn start(mut program: Command) -> Option<Self> {
        program.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        program.env("LINES", LINES.to_string()).env("COLUMNS", COLUMNS.to_string());
        let Started { child, keys, output } = terminal::start(&program)?;
        let emulator = vt100::Parser::new(LINES, COLUMNS, 0);
        Some(Self { child, keys, output, coming: VecDeque::new(), emulator })
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
            if let Some(picture) = self.coming.pop_front() {
                self.emulator.process(&picture);
                continue;
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.hear(&bytes),
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

    /// The colours of the last character of `text`, wherever it stands.
    pub fn colours(&self, text: &str) -> Vec<vt100::Color> {
        colours(self.emulator.screen(), text)
    }

    /// Waits for the program's own end.
    pub fn end(mut self) -> ExitStatus {
        while self.output.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().unwrap()
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        if memchr::memmem::find(bytes, WHO_ARE_YOU).is_some() {
            self.press(VT220);
        }
        let end = |bytes| {
            let ends = PICTURE_ENDS.iter().filter_map(|end| Some(memchr::memmem::find(bytes, end)? + end.len()));
            ends.min()
        };
        while let Some(end) = end(bytes) {
            let (picture, rest) = bytes.split_at(end);
            self.coming.push_back(picture.to_owned());
            bytes = rest;
        }
        self.coming.push_back(bytes.to_owned());
    }
}

impl Drop for Screen {
    /// The terminal ends its program when nobody sits at it any more.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The colours of the last character of `text`, wherever it stands on the screen.
pub fn colours(screen: &vt100::Screen, text: &str) -> Vec<vt100::Color> {
    let lines = (0..LINES.get()).zip(screen.rows(0, COLUMNS.get()));
    let cells = lines.flat_map(|(row, line)| {
        let columns = line.match_indices(text).map(|(at, _)| line[..at + text.len()].chars().count() - 1);
        columns.map(|column| (row, u16::try_from(column).expect("columns are few"))).collect::<Vec<_>>()
    });
    cells.filter_map(|(row, column)| Some(screen.cell(row, column)?.fgcolor())).collect()
}
