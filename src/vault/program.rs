//! Programs of the user's own that a provider asks, such as `az`: found once on the user's `PATH`, never in a workspace
//! or in a folder that everybody may write to, and run without a shell, in `/`, with few variables, and without input
//! unless its caller has some for it.
#![expect(
    clippy::disallowed_methods,
    reason = "hands the user's own PATH and home, and the token for it, to the user's own programs"
)]

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use zeroize::Zeroizing;

use super::{ProcessVariables, value::SecretValue};

/// What a program is told of this process's environment, besides its own.
const VARIABLES: [&str; 17] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "https_proxy",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SystemRoot",
    "TEMP",
    "USERPROFILE",
    "PATHEXT",
];

/// The longest complaint, in bytes.
const COMPLAINT_CAP: usize = 64 * 1024;

const FIRST_BUFFER: usize = 16 * 1024;

/// What a program's file may be called behind its name.
const ENDINGS: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };

/// A program that may be run, with the folders that it may look for others in.
pub(super) struct Program {
    path: PathBuf,
    search: Vec<PathBuf>,
}

/// What looking for a program found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    pub name: String,
    /// The file that would be run.
    pub path: Option<PathBuf>,
    /// The files of this name that stand before it on the `PATH` and are passed over.
    pub refused: Vec<PathBuf>,
}

/// Looks for `name` as [`Program::find`] does, and also tells what was passed over on the way.
pub(super) fn look(name: &str, variables: &ProcessVariables, workspace: Option<&Path>) -> Looked {
    let path = Program::find(name, variables, workspace).map(|program| program.path);
    let folders = text(variables, "PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&folders).collect();
    let files = folders.iter().flat_map(|folder| ENDINGS.iter().map(move |end| folder.join(format!("{name}{end}"))));
    let before = files.take_while(|file| Some(file) != path.as_ref());
    let refused = before.filter(|file| file.is_file()).collect();
    Looked { name: name.to_owned(), path, refused }
}

/// What a program is asked whose answer is secret.
#[derive(Clone, Copy, Default)]
pub(super) struct Question<'a> {
    pub(super) arguments: &'a [&'a str],
    /// Further variables of this process that it is told of.
    pub(super) own: &'a [&'a str],
    /// A variable that it is told in place of this process's.
    pub(super) given: Option<(&'a str, &'a SecretValue)>,
    /// What it reads; nothing if none.
    pub(super) input: Option<&'a [u8]>,
    /// The longest output, in bytes. The program ends when it says more.
    pub(super) cap: usize,
}

/// How a program ended and what it said.
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) output: Zeroizing<Vec<u8>>,
    pub(super) complaint: Zeroizing<Vec<u8>>,
}

impl Program {
    /// The first `name` on the user's `PATH` that is safe to run. Looks at the disk.
    pub(super) fn find(name: &str, variables: &ProcessVariables, workspace: Option<&Path>) -> Option<Self> {
        let path = text(variables, "PATH")?;
        let workspace = workspace.map(|root| root.canonicalize().unwrap_or_else(|_| root.to_owned()));
        let search: Vec<PathBuf> =
            env::split_paths(&path).filter(|folder| is_safe(folder, workspace.as_deref())).collect();
        let files = search.iter().flat_map(|folder| ENDINGS.iter().map(move |end| folder.join(format!("{name}{end}"))));
        // A link in a safe folder may lead to an unsafe one.
        let safe = |file: &PathBuf| {
            let real = file.canonicalize().ok();
            is_program(file) && real.and_then(|real| Some(is_safe(real.parent()?, workspace.as_deref()))) == Some(true)
        };
        let found = files.into_iter().find(safe)?;
        Some(Self { path: found, search })
    }

    /// Runs it to its end; it is ended when nobody waits any more. `own` are further variables it is told of.
    pub(super) async fn run(
        &self,
        arguments: &[&str],
        variables: &ProcessVariables,
        own: &[&str],
    ) -> io::Result<Output> {
        self.command(arguments, variables, own).stdin(Stdio::null()).output().await
    }

    /// Asks it something; it is ended when nobody waits any more. What it says is wiped from memory after use. The error
    /// [`io::ErrorKind::FileTooLarge`] means that it said too much.
    pub(super) async fn ask(&self, question: Question<'_>, variables: &ProcessVariables) -> io::Result<Said> {
        let mut command = self.command(question.arguments, variables, question.own);
        if let Some((name, value)) = question.given {
            value.expose_text(|text| _ = command.env(name, text));
        }
        command.stdin(if question.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let (Some(mut pipe), Some(text)) = (input, question.input)
                && let Err(error) = pipe.write_all(text).await
                // One that ends without reading says why.
                && error.kind() != io::ErrorKind::BrokenPipe
            {
                return Err(error);
            }
            Ok(())
        };
        let read = futures_util::future::try_join(read(output, question.cap), read(complaint, COMPLAINT_CAP));
        let ((), (output, complaint)) = futures_util::future::try_join(write, read).await?;
        Ok(Said { success: child.wait().await?.success(), output, complaint })
    }

    /// Starts it and lets it be; it says nothing here.
    pub(super) fn start(&self, arguments: &[&str], variables: &ProcessVariables, own: &[&str]) -> io::Result<()> {
        let mut command = self.command(arguments, variables, own);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(false).spawn().map(drop)
    }

    fn command(&self, arguments: &[&str], variables: &ProcessVariables, own: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(if cfg!(windows) { "C:\\" } else { "/" });
        command.kill_on_drop(true).env_clear();
        for name in VARIABLES.iter().chain(own) {
            if let Some(value) = text(variables, name) {
                command.env(name, value);
            }
        }
        if let Ok(search) = env::join_paths(&self.search) {
            command.env("PATH", search);
        }
        command
    }
}

/// Reads to the end. A buffer that grows is copied here, so that no part of it is left behind in memory.
async fn read(from: Option<impl AsyncRead + Unpin>, cap: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut held = Zeroizing::new(Vec::with_capacity(FIRST_BUFFER));
    let Some(mut from) = from else { return Ok(held) };
    while from.read_buf(&mut *held).await? > 0 {
        if held.len() > cap {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if held.len() == held.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(held.capacity() * 4));
            larger.extend_from_slice(&held);
            held = larger;
        }
    }
    Ok(held)
}

fn text(variables: &ProcessVariables, name: &str) -> Option<String> {
    (variables.0)(name)?.expose_text(str::to_owned)
}

/// Whether programs of `folder` are the user's or the system's. A relative folder depends on where one stands.
fn is_safe(folder: &Path, workspace: Option<&Path>) -> bool {
    let Ok(real) = folder.canonicalize() else { return false };
    folder.is_absolute()
        && !workspace.is_some_and(|root| real.starts_with(root))
        && real.metadata().is_ok_and(|metadata| !is_open(&metadata))
}

/// Whether everybody may put files there, or change the file itself.
#[cfg(unix)]
fn is_open(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o002 != 0
}

#[cfg(not(unix))]
fn is_open(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    let may_run =
        |metadata: &std::fs::Metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && may_run(&metadata) && !is_open(&metadata))
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

    use super::*;
    use crate::vault::value::SecretValue;

    /// A folder with a program `tool` that prints `says`.
    fn folder(root: &Path, name: &str, says: &str) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("tool");
        let script = format!("#!/bin/sh\necho {says} \"$@\"; pwd; echo \"$HOME $LEAK\"\n");
        // A shell writes it: what this process has open for writing, a program that another test starts meanwhile has
        // open too for a moment, and nothing that is open for writing can be run (execve(2), ETXTBSY).
        let write = r#"printf %s "$2" > "$1" && chmod 755 "$1" "${1%/*}""#;
        let written = std::process::Command::new("/bin/sh").args(["-c", write, "sh"]).arg(&file).arg(script).status();
        assert!(written.unwrap().success());
        folder
    }

    fn variables(path: &str) -> ProcessVariables {
        let path = path.to_owned();
        ProcessVariables(Arc::new(move |name| {
            let text = match name {
                "PATH" => path.as_str(),
                "HOME" => "/home/canary",
                "LEAK" => "canary-leak",
                _ => return None,
            };
            Some(SecretValue::new(text.as_bytes().to_vec()))
        }))
    }

    #[tokio::test]
    async fn a_program_runs_in_the_root_with_few_variables() {
        let root = tempfile::tempdir().unwrap();
        let safe = folder(root.path(), "safe", "hello");
        let variables = variables(&format!("{}:/bin:/usr/bin", safe.display()));
        let program = Program::find("tool", &variables, None).unwrap();
        let output = program.run(&["a b", "$(x)"], &variables, &[]).await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "hello a b $(x)\n/\n/home/canary \n");
    }

    #[test]
    fn programs_of_a_workspace_or_of_everybody_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let inside = folder(root.path(), "work/bin", "evil");
        let open = folder(root.path(), "open", "evil");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let linked = root.path().join("linked");
        fs::create_dir(&linked).unwrap();
        std::os::unix::fs::symlink(inside.join("tool"), linked.join("tool")).unwrap();
        let plain = folder(root.path(), "plain", "evil");
        fs::set_permissions(plain.join("tool"), fs::Permissions::from_mode(0o644)).unwrap();
        let shared = folder(root.path(), "shared", "evil");
        fs::set_permissions(shared.join("tool"), fs::Permissions::from_mode(0o777)).unwrap();
        let work = root.path().join("work");
        let path = |folders: &[&Path]| {
            variables(&folders.iter().map(|folder| folder.to_string_lossy()).collect::<Vec<_>>().join(":"))
        };
        let relative = Path::new("bin");
        let unsafe_ones = [relative, &inside, &open, &linked, &plain, &shared];
        assert!(Program::find("tool", &path(&unsafe_ones), Some(&work)).is_none());
        let safe = folder(root.path(), "safe", "hello");
        let found = Program::find("tool", &path(&[&inside, &open, &safe]), Some(&work)).unwrap();
        assert_eq!(found.path, safe.join("tool"));
        let looked = look("tool", &path(&[&inside, &open, &safe]), Some(&work));
        assert_eq!(
            (looked.path, looked.refused),
            (Some(safe.join("tool")), vec![inside.join("tool"), open.join("tool")])
        );
    }
}
