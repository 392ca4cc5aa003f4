//! The real programs that tests talk to: fetched once, pinned, into `target/test-servers`, by `cargo test` itself.
#![expect(clippy::disallowed_methods, reason = "the test harness installs programs and asks whether this is CI")]

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;

const REQUIREMENTS: &str = include_str!("../servers/requirements.txt");

/// A program of the pinned Python environment, such as `bao` or `nvim`; none where it cannot be had, which was said.
pub fn python_tool(name: &str) -> Option<PathBuf> {
    static ENVIRONMENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = match ENVIRONMENT.get_or_init(environment) {
        Ok(programs) => {
            let program = programs.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            if program.is_file() { Ok(program) } else { Err(format!("{} is not there", program.display())) }
        }
        Err(reason) => Err(reason.clone()),
    };
    found.map_err(|reason| skip(&format!("what needs `{name}`: {reason}"))).ok()
}

/// Says past the test harness's capture that tests are skipped, and how many so far. In CI nothing may be skipped.
pub fn skip(what: &str) {
    assert!(env::var_os("CI").is_none_or(|value| value != "true"), "nothing may be skipped in CI, but {what}");
    skip_anywhere(what);
}

/// The same for what CI may lack.
pub fn skip_anywhere(what: &str) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    let _ = writeln!(io::stderr(), "SKIPPED ({count} in this run): {what}");
}

/// A folder below `target` for what a test program leaves behind.
pub fn scratch(name: &str) -> PathBuf {
    let folder = target().join("tmp").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The folder of programs and packages that tests fetch.
pub fn servers() -> PathBuf {
    target().join("test-servers")
}

/// Where the sources of a dependency are.
pub fn sources(name: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    // What only other systems need was never fetched.
    command.args(["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", &platform()]);
    command.arg("--manifest-path");
    let output = command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).output().expect("cargo starts");
    let known: Value = serde_json::from_slice(&output.stdout).expect("cargo tells its packages");
    let packages = known["packages"].as_array().expect("a list of packages");
    let found = packages.iter().find(|package| package["name"] == name).expect("a dependency of this crate");
    let manifest = Path::new(found["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}

/// What the compiler calls this machine.
fn platform() -> String {
    let compiler = Path::new(env!("CARGO")).with_file_name("rustc").with_extension(env::consts::EXE_EXTENSION);
    let output = Command::new(compiler).arg("-vV").output().expect("the compiler starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().find_map(|line| line.strip_prefix("host: ")).expect("it names its host").to_owned()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target")
}

/// The folder of the environment's programs. Made anew when the requirements changed; one process makes it while
/// others wait.
fn environment() -> Result<PathBuf, String> {
    let folder = servers();
    let said = |what: &str, error: io::Error| format!("{what}: {error}");
    fs::create_dir_all(&folder).map_err(|error| said("no folder for it", error))?;
    let lock = File::create(folder.join("lock")).map_err(|error| said("no lock file", error))?;
    lock.lock().map_err(|error| said("no lock", error))?;
    let (venv, stamp) = (folder.join("venv"), folder.join("stamp"));
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if fs::read_to_string(&stamp).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(programs);
    }
    let _ = fs::remove_file(&stamp);
    let _ = writeln!(io::stderr(), "fetching test programs into {} (once)", folder.display());
    install(&venv, &programs)?;
    fs::write(&stamp, REQUIREMENTS).map_err(|error| said("no stamp", error))?;
    Ok(programs)
}

fn install(venv: &Path, programs: &Path) -> Result<(), String> {
    let python = if cfg!(windows) { "python" } else { "python3" };
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(venv))?;
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/servers/requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--no-cache-dir"];
    let patience = ["--disable-pip-version-check", "--retries", "2", "--timeout", "30", "--requirement"];
    fetch(Command::new(programs.join("python")).args(pip).args(patience).arg(requirements))
}

/// Runs a command that fetches something. A network, or an archive that is just being renewed, may fail for a moment: what
/// failed is said, and tried again.
pub fn fetch(command: &mut Command) -> Result<(), String> {
    for time in 1..TRIES {
        match run(command) {
            Ok(()) => return Ok(()),
            Err(reason) => {
                let _ = writeln!(io::stderr(), "fetching failed ({time} of {TRIES} times): {reason}");
            }
        }
    }
    run(command)
}

/// How often something is tried to be fetched.
const TRIES: usize = 3;

/// Runs a command to its end; the last line of its complaints where it fails.
pub fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("`{shown}` does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let end = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("`{shown}` failed: {end}"))
}
