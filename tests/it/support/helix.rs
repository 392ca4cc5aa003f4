//! The real Helix in a terminal, set up by the commands of its page: its keys are pressed, its screen is read. What it
//! opens in the person's browser is noted instead.
#![expect(clippy::disallowed_methods, reason = "starts the editor, and makes the files of its world")]

use std::{
    fs,
    ops::{Deref, DerefMut},
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    debian::{self, Suite},
    program::{Program, write_script},
    provision,
    screen::Screen,
};

/// What stands for the opener of pages: it notes the address.
const OPENER: &str = "#!/bin/sh\nprintf '%s\\n' \"$1\" >>\"${0%/*}/../opened\"\n";
/// How long somebody waits for a page.
const PATIENCE: Duration = Duration::from_secs(60);

/// One person's machine with Helix on it.
pub struct Desk {
    pub program: Program,
    /// Helix's own queries and themes.
    runtime: PathBuf,
}

impl Desk {
    /// Helix of one of Debian's releases, with the settings that its page says to paste; none where it cannot be had.
    pub fn new(suite: Suite) -> Option<Self> {
        let tree = debian::packages(suite, &["hx"])?;
        let desk = Self { program: Program::new(), runtime: tree.path("usr/lib/hx/runtime") };
        let programs = desk.folder("bin");
        fs::create_dir(&programs).unwrap();
        symlink(tree.program("usr/bin/hx"), programs.join("hx")).unwrap();
        symlink(env!("CARGO_BIN_EXE_vaultls"), programs.join("vaultls")).unwrap();
        write_script(&programs.join("xdg-open"), OPENER);
        // The page names the usual places.
        fs::create_dir_all(desk.folder("config")).unwrap();
        symlink(desk.folder("config"), desk.folder("home").join(".config")).unwrap();
        desk.run(&pasted("sh", "languages.toml").replace("cargo install --path . --locked\n", ""));
        fs::write(desk.folder("config").join("helix/config.toml"), pasted("toml", "keys")).unwrap();
        Some(desk)
    }

    /// Runs commands of a shell in a clone, and tells what they print.
    pub fn run(&self, commands: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-ec", commands]);
        self.surround(&mut command);
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{commands}{said}");
        said
    }

    /// Builds the grammars as the page says. Those that lie in the network are taken from this crate's dependencies.
    pub fn build_grammars(&self) {
        let settings = self.folder("config").join("helix/languages.toml");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, with_grammars(&text)).unwrap();
        self.run(&pasted("sh", "--grammar").replace("hx --grammar fetch && ", ""));
    }

    /// Opens a file of the workspace in Helix and waits until it is shown.
    pub fn open(&self, file: &str) -> Option<Helix> {
        let mut command = Command::new(self.folder("bin").join("hx"));
        command.arg(file);
        self.surround(&mut command);
        let mut screen = Screen::start(command)?;
        screen.see(" NOR ");
        Some(Helix { screen })
    }

    /// The address of the page number `index` that was opened in the browser, once it was.
    pub fn page(&self, index: usize) -> String {
        until("no page was opened", || {
            let opened = fs::read_to_string(self.folder("opened")).unwrap_or_default();
            opened.lines().nth(index).map(str::to_owned)
        })
    }

    /// Waits until no response lies in a file any more.
    pub fn see_no_responses(&self) {
        until("responses stay", || self.responses().is_empty().then_some(()));
    }

    /// Panics when a file of this world holds `canary`.
    pub fn search_for(&self, canary: &str) {
        for (path, bytes) in self.program.traces() {
            let found = memchr::memmem::find(&bytes, canary.as_bytes()).is_some();
            assert!(!found, "{} holds the value", path.display());
        }
    }

    /// The responses that lie in the private folder as files.
    pub fn responses(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder("run").join("vaultls")).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("response-"))).collect()
    }

    /// A folder or file beside the workspace.
    fn folder(&self, name: &str) -> PathBuf {
        self.program.work().with_file_name(name)
    }

    fn surround(&self, command: &mut Command) {
        self.program.surround(command);
        let found = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{found}", self.folder("bin").display()));
        command.env("LANG", "C.UTF-8").env("HELIX_RUNTIME", &self.runtime).env_remove("XDG_CONFIG_HOME");
    }
}

/// Helix with a file open.
pub struct Helix {
    screen: Screen,
}

impl Deref for Helix {
    type Target = Screen;

    fn deref(&self) -> &Screen {
        &self.screen
    }
}

impl DerefMut for Helix {
    fn deref_mut(&mut self) -> &mut Screen {
        &mut self.screen
    }
}

impl Helix {
    /// Types a command of Helix's command line.
    pub fn command(&mut self, command: &str) {
        self.press(&format!(":{command}\r"));
    }

    /// Goes to the next place where `text` stands.
    pub fn go_to(&mut self, text: &str) {
        self.press(&format!("gg/{text}\r"));
    }

    /// Opens the list of code actions where the cursor is, which begins with `first`, and chooses `wanted`.
    pub fn act(&mut self, first: &str, wanted: &str) {
        self.press(" a");
        self.choose(first, wanted);
    }

    /// Chooses `wanted` from a list that begins with `first`, which is selected.
    pub fn choose(&mut self, first: &str, wanted: &str) {
        self.see(first);
        self.see(wanted);
        let row = |text: &str| self.text().lines().position(|line| line.contains(text)).expect("it was seen");
        let steps = row(wanted) - row(first);
        let shown = self.text().matches(first).count();
        self.press(&format!("{}\r", "\x1b[B".repeat(steps)));
        self.wait("the list does not close", |screen| screen.contents().matches(first).count() < shown);
    }

    /// Waits until nothing is wrong with the first line any more.
    pub fn see_healed(&mut self) {
        self.wait("the mark does not go", |screen| {
            !screen.contents().lines().next().is_some_and(|it| it.contains('●'))
        });
    }

    /// Leaves what is open; `gone` was a part of it.
    pub fn leave(&mut self, gone: &str) {
        self.press("\x1b");
        self.see_gone(gone);
    }

    /// Ends Helix.
    pub fn quit(mut self) {
        self.command("quit-all!");
        assert!(self.screen.end().success());
    }
}

/// Looks until there is what is waited for.
fn until<T>(amiss: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{amiss}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// What the page shows to be pasted, in one language and about `subject`.
fn pasted(language: &str, subject: &str) -> String {
    let page = include_str!("../../../editors/helix/README.md");
    let mut blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let found = blocks.find(|(found, text)| *found == language && text.contains(subject));
    let (_, text) = found.unwrap_or_else(|| panic!("the page shows no {language} about {subject}"));
    text.lines().map(str::trim_start).map(|line| format!("{line}\n")).collect()
}

/// The settings with grammars from this crate's own dependencies in place of those that lie in the network.
fn with_grammars(settings: &str) -> String {
    let local = |name: &str| format!("source = {{ path = \"{}\" }}", provision::sources(name).display());
    let lines = settings.lines().map(|line| match line {
        line if line.starts_with("source = { git") => local("tree-sitter-http"),
        line => line.to_owned(),
    });
    let json = format!("[[grammar]]\nname = \"json\"\n{}", local("tree-sitter-json"));
    lines.chain([json]).map(|line| line + "\n").collect()
}
