//! The built program in a real terminal, with somebody who reads what it shows and types.
#![expect(clippy::disallowed_methods, reason = "starts the terminal that the program runs in")]

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;

use super::{program::Program, provision};

/// How long somebody looks at the terminal for what should come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Terminal {
    child: Child,
    keys: Keys,
    output: Receiver<Vec<u8>>,
    /// Everything that was shown so far.
    shown: String,
    /// How much of it was waited for already.
    seen: usize,
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    /// Everything that was shown.
    pub shown: String,
    /// Whether the terminal shows what is typed next.
    pub echoes: bool,
}

/// A program in a terminal, and the way to its keys and its output.
pub struct Started {
    pub child: Child,
    pub keys: Keys,
    pub output: Receiver<Vec<u8>>,
}

/// The keyboard of a terminal.
pub struct Keys(ChildStdin);

impl Keys {
    /// Presses keys once the terminal shows what is typed, or once it does not.
    pub fn press(&mut self, text: &str, echo: bool) {
        writeln!(self.0, "{}", json!({ "text": text, "echo": echo })).unwrap();
    }
}

/// Starts `program`, a command with its surroundings, in a terminal; none where a terminal cannot be had.
pub fn start(program: &Command) -> Option<Started> {
    let python = provision::python_tool("python")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/terminal.py");
    let mut command = Command::new(python);
    command.arg(script).arg(program.get_program()).args(program.get_args()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (keys, mut stdout) = (Keys(child.stdin.take().unwrap()), child.stdout.take().unwrap());
    let (sender, output) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut buffer) {
            let _ = sender.send(buffer[..length].to_vec());
        }
    });
    Some(Started { child, keys, output })
}

impl Terminal {
    /// Starts the program; none where a terminal cannot be had.
    pub fn start(program: &Program, arguments: &[&str]) -> Option<Self> {
        let mut command = program.command(arguments);
        command.env("NO_COLOR", "1");
        let Started { child, keys, output } = start(&command)?;
        Some(Self { child, keys, output, shown: String::new(), seen: 0 })
    }

    /// Waits until `text` is shown, after what was waited for before. Returns what stands between.
    pub fn wait_for(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown[self.seen..].find(text) {
                let between = self.shown[self.seen..self.seen + at].to_owned();
                self.seen += at + text.len();
                return between;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{text}` does not come: {}", self.shown)
                }
            }
        }
    }

    /// Types a line that the terminal shows.
    pub fn line(&mut self, text: &str) {
        self.keys.press(&format!("{text}\n"), true);
    }

    /// Types a line once the terminal does not show what is typed.
    pub fn hidden(&mut self, text: &str) {
        self.keys.press(&format!("{text}\n"), false);
    }

    /// Presses Ctrl-C at a hidden question.
    pub fn interrupt(&mut self) {
        self.keys.press("\u{3}", false);
    }

    pub fn end(mut self) -> Ended {
        #[derive(Deserialize)]
        struct Told {
            code: i32,
            echoes: bool,
        }
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.show(&bytes);
        }
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        self.child.wait().unwrap();
        let Told { code, echoes } = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}: {}", self.shown));
        Ended { code, shown: self.shown.clone(), echoes }
    }

    fn show(&mut self, bytes: &[u8]) {
        self.shown.push_str(&String::from_utf8_lossy(bytes).replace('\r', ""));
    }
}
