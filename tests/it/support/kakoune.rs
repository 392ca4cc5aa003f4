//! The real Kakoune with the real kakoune-lsp, in a home of its own. Keys go in and what is shown comes out through
//! Kakoune's interface for other user interfaces (`kak -ui json`); what is not shown is asked for by `kak -p`.
#![expect(clippy::disallowed_methods, reason = "fetches and starts the editor, and makes its files")]

use std::{
    env, fs,
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    debian::{self, Suite},
    nvim::Editor,
    program::write_script,
    provision,
};

/// How long somebody looks for what should come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a look lasts where the screen does not change.
const GLANCE: Duration = Duration::from_millis(100);
/// The desktop's way to the browser, which only notes where that would go.
const OPENER: &str = "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \"$XDG_RUNTIME_DIR/visited\"\n";
const LANGUAGE_CLIENT: &str = "22.0.0";

/// The programs, on a `PATH` of their own.
pub struct Programs {
    /// A folder with `kak`, `kak-lsp` and `vaultls`.
    folder: PathBuf,
    /// Where Kakoune finds its own scripts.
    runtime: PathBuf,
}

/// Kakoune as Debian's stable release has it; none where it cannot be had, which was said.
pub fn programs() -> Option<&'static Programs> {
    static PROGRAMS: OnceLock<Option<Programs>> = OnceLock::new();
    PROGRAMS.get_or_init(|| find(Suite::Stable, "kakoune")).as_ref()
}

/// The newest Kakoune.
pub fn newest_programs() -> Option<&'static Programs> {
    static PROGRAMS: OnceLock<Option<Programs>> = OnceLock::new();
    PROGRAMS.get_or_init(|| find(Suite::Testing, "kakoune-newest")).as_ref()
}

fn find(suite: Suite, name: &str) -> Option<Programs> {
    let editor = debian::packages(suite, &["kakoune"])?;
    let client = language_client()?;
    let folder = provision::scratch(name);
    link(&editor.program("usr/bin/kak"), &folder.join("kak"));
    link(&client, &folder.join("kak-lsp"));
    link(Path::new(env!("CARGO_BIN_EXE_vaultls")), &folder.join("vaultls"));
    write_script(&folder.join("xdg-open"), OPENER);
    Some(Programs { folder, runtime: editor.path("usr/share/kak") })
}

fn link(program: &Path, place: &Path) {
    // Other test processes may be using it just now, so it is replaced as a whole.
    let new = place.with_extension(std::process::id().to_string());
    symlink(program, &new).unwrap();
    fs::rename(new, place).unwrap();
}

/// The pinned kakoune-lsp, built once.
fn language_client() -> Option<PathBuf> {
    let folder = provision::servers().join("kak-lsp");
    let (program, stamp) = (folder.join("bin/kak-lsp"), folder.join("stamp"));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|text| text == LANGUAGE_CLIENT) && program.is_file() {
        return Some(program);
    }
    let _ = writeln!(std::io::stderr(), "building kak-lsp into {} (once)", folder.display());
    let built = provision::fetch(
        Command::new(env!("CARGO"))
            .args(["install", "kak-lsp", "--locked", "--debug", "--quiet", "--force", "--version"])
            .arg(format!("={LANGUAGE_CLIENT}"))
            .arg("--root")
            .arg(&folder)
            .env("CARGO_TARGET_DIR", folder.join("build"))
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .current_dir(&folder),
    );
    let _ = fs::remove_dir_all(folder.join("build"));
    if let Err(reason) = built {
        provision::skip(&format!("the tests in Kakoune: {reason}"));
        return None;
    }
    fs::write(&stamp, LANGUAGE_CLIENT).unwrap();
    Some(program)
}

/// What the person sees.
#[derive(Clone, Default, Debug)]
pub struct Screen {
    /// The lines of the window, each a row of texts with their faces.
    pub lines: Vec<Vec<Atom>>,
    /// The line for messages and prompts, and the mode line.
    pub status: String,
    /// Everything that stood there so far: what is said may make way for something else at once.
    pub said: Vec<String>,
    pub menu: Vec<String>,
    /// The information box with its title.
    pub info: String,
}

#[derive(Clone, Debug)]
pub struct Atom {
    pub text: String,
    pub foreground: String,
}

impl Screen {
    /// The window's text.
    pub fn text(&self) -> String {
        let line = |atoms: &Vec<Atom>| atoms.iter().map(|atom| atom.text.as_str()).collect::<String>();
        self.lines.iter().map(line).collect()
    }

    /// Whether the line for messages held `text` at any time.
    pub fn has_said(&self, text: &str) -> bool {
        self.said.iter().any(|line| line.contains(text))
    }

    /// The colour in which `text` stands in the window.
    pub fn colour(&self, text: &str) -> Option<&str> {
        let mut atoms = self.lines.iter().flatten();
        atoms.find(|atom| atom.text.contains(text)).map(|atom| atom.foreground.as_str())
    }

    fn update(&mut self, message: &Value) {
        let parameters = message["params"].as_array().map(Vec::as_slice).unwrap_or_default();
        match (message["method"].as_str(), parameters) {
            (Some("draw"), [lines, ..]) => self.lines = rows(lines),
            (Some("draw_status"), lines) => {
                self.status = lines.iter().map(text).collect::<Vec<_>>().join(" ");
                self.said.push(self.status.clone());
            }
            (Some("menu_show"), [items, ..]) => self.menu = items.as_array().into_iter().flatten().map(text).collect(),
            (Some("menu_hide"), _) => self.menu.clear(),
            (Some("info_show"), [title, content, ..]) => {
                let lines: Vec<_> = [title].into_iter().chain(content.as_array().into_iter().flatten()).collect();
                self.info = lines.into_iter().map(text).collect::<Vec<_>>().join("\n");
            }
            (Some("info_hide"), _) => self.info.clear(),
            _ => {}
        }
    }
}

fn rows(lines: &Value) -> Vec<Vec<Atom>> {
    let atom = |atom: &Value| Atom {
        text: atom["contents"].as_str().unwrap_or_default().to_owned(),
        foreground: atom["face"]["fg"].as_str().unwrap_or_default().to_owned(),
    };
    let lines = lines.as_array().into_iter().flatten();
    lines.map(|line| line.as_array().into_iter().flatten().map(atom).collect()).collect()
}

/// The text of a row; nothing for what is none.
fn text(row: &Value) -> String {
    row.as_array().into_iter().flatten().filter_map(|atom| atom["contents"].as_str()).collect()
}

/// A running editor with one window.
pub struct Kakoune {
    pub world: Editor,
    programs: &'static Programs,
    child: Child,
    keys: ChildStdin,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    asked: AtomicUsize,
}

const SESSION: &str = "vaultls-test";

impl Kakoune {
    /// Starts the editor with `settings` as the person's kakrc and the files of the workspace, and opens the first.
    pub fn start(programs: &'static Programs, settings: &str, files: &[(&str, &str)]) -> Self {
        let world = Editor::new();
        let workspace = world.home().join("workspace");
        for (name, content) in files {
            let file = workspace.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        let configuration = world.home().join("config/kak");
        fs::create_dir_all(&configuration).unwrap();
        fs::write(configuration.join("kakrc"), settings).unwrap();
        let mut command = command(programs, &world);
        command.args(["-ui", "json", "-s", SESSION]).arg(workspace.join(files[0].0)).current_dir(&workspace);
        let errors = File::create(world.home().join("errors-of-kakoune")).unwrap();
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors).spawn().expect("Kakoune starts");
        let (keys, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::<(Mutex<Screen>, Condvar)>::default();
        let shown = screen.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(message) = serde_json::from_str(&line) else { continue };
                shown.0.lock().unwrap().update(&message);
                shown.1.notify_all();
            }
        });
        let mut editor = Self { world, programs, child, keys, screen, asked: AtomicUsize::new(0) };
        editor.send("resize", &json!([50, 160]));
        editor.wait("the window", |screen| (!screen.lines.is_empty()).then_some(()));
        editor
    }

    /// Ends the editor as a person does, so that its language client ends the server.
    pub fn end(&mut self) {
        let _ = self.keys.write_all(message("keys", &json!(["<esc><esc>:quit!<ret>"])).as_bytes());
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            drop(self.screen.1.wait_timeout(self.now(), GLANCE));
        }
    }

    /// Presses keys, as Kakoune names them: `<esc>`, `<ret>`, `<lt>`.
    pub fn press(&mut self, keys: &str) {
        self.send("keys", &json!([keys]));
    }

    /// Types a command at the prompt.
    pub fn command(&mut self, command: &str) {
        self.press(&format!("<esc>:{}<ret>", command.replace('<', "<lt>")));
    }

    /// Puts the cursor on the first place of `text`.
    pub fn go_to(&mut self, text: &str) {
        self.press(&format!("<esc>gg/{}<ret>", text.replace('<', "<lt>")));
    }

    /// What is shown now.
    pub fn screen(&self) -> Screen {
        self.now().clone()
    }

    /// Waits for what `look` finds on the screen.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut(&Screen) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut screen = self.now();
        loop {
            if let Some(found) = look(&screen) {
                return found;
            }
            assert!(Instant::now() < end, "{what} does not come: {:#?}\n{}", *screen, self.errors());
            screen = self.screen.1.wait_timeout(screen, GLANCE).unwrap().0;
        }
    }

    /// Waits until the value of an expression such as `%val{bufname}` is as wanted; returns it.
    pub fn wait_for(&self, expression: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let value = self.value(expression);
            if is_wanted(&value) {
                return value;
            }
            assert!(Instant::now() < end, "{expression} is {value}: {:#?}\n{}", self.screen(), self.errors());
            drop(self.screen.1.wait_timeout(self.now(), GLANCE).unwrap());
        }
    }

    /// Waits until a buffer holds `text`; returns what it holds.
    pub fn wait_in(&self, buffer: &str, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let content = self.buffer(buffer);
            if content.contains(text) {
                return content;
            }
            assert!(
                Instant::now() < end,
                "{buffer} holds no {text}: {content}\n{:#?}\n{}",
                self.screen(),
                self.errors()
            );
            drop(self.screen.1.wait_timeout(self.now(), GLANCE).unwrap());
        }
    }

    /// The value of an expression in the window.
    pub fn value(&self, expression: &str) -> String {
        self.ask("-client client0", &format!("echo -to-file PIPE -- {expression}"))
    }

    /// What a buffer holds.
    pub fn buffer(&self, name: &str) -> String {
        let look = "evaluate-commands -draft %{ execute-keys '%'; echo -to-file PIPE -- %val{selection} }";
        self.ask(&format!("-buffer '{name}'"), look)
    }

    /// Waits until the person's browser was sent to the page that is counted; returns its address.
    pub fn visited(&self, count: usize) -> String {
        let visits = self.world.home().join("runtime/visited");
        self.wait("a page in the browser", |_| {
            fs::read_to_string(&visits).ok()?.lines().nth(count - 1).map(str::to_owned)
        })
    }

    /// Lets the editor write something into the pipe.
    fn ask(&self, place: &str, commands: &str) -> String {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let pipe = self.world.home().join(format!("asked-{number}"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let named = format!("'{}'", pipe.display());
        let asked = format!(
            "try %§ evaluate-commands {place} %± {} ± § catch %§ echo -to-file {named} -- \"not there: %val{{error}}\" §",
            commands.replace("PIPE", &named)
        );
        let mut asking = command(self.programs, &self.world);
        let mut asking = asking.args(["-p", SESSION]).stdin(Stdio::piped()).spawn().unwrap();
        asking.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
        assert!(asking.wait().unwrap().success(), "Kakoune is gone: {}", self.errors());
        let (sender, answer) = mpsc::channel();
        let place = pipe.clone();
        thread::spawn(move || sender.send(fs::read_to_string(place)));
        let text = answer.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("Kakoune does not answer {asked}"));
        fs::remove_file(&pipe).unwrap();
        let text = text.unwrap();
        // Newer versions end a line, older ones do not.
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    fn now(&self) -> MutexGuard<'_, Screen> {
        self.screen.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.world.home().join("errors-of-kakoune")).unwrap_or_default()
    }

    fn send(&mut self, method: &str, parameters: &Value) {
        self.keys.write_all(message(method, parameters).as_bytes()).expect("Kakoune runs");
    }
}

impl Drop for Kakoune {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A message to Kakoune. NB. it reads none that comes in pieces.
fn message(method: &str, parameters: &Value) -> String {
    format!("{}\n", json!({ "jsonrpc": "2.0", "method": method, "params": parameters }))
}

/// `kak` in the world of an editor.
fn command(programs: &Programs, world: &Editor) -> Command {
    let mut command = Command::new(programs.folder.join("kak"));
    world.confine(&mut command);
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs.folder.clone()].into_iter().chain(env::split_paths(&others))).unwrap();
    command.env("PATH", path);
    // With a desktop, pages can be opened.
    command.env("KAKOUNE_RUNTIME", &programs.runtime).env("DISPLAY", ":0");
    command
}
