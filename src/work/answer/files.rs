//! What lies in the runtime folder beside a desk. Each name holds the desk's id, so that the next process can tell what
//! a process that was killed left there, and removes it.

use std::{
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use super::{DESK_DIGITS, channel};
use crate::{disk, work::Directories};

/// What names of ours begin with: what stands for a desk, and what an editor is shown as a file.
const KINDS: [&str; 2] = ["answer-", "response-"];

/// Removes what processes left that were killed. Does nothing in a folder that others may enter.
pub fn sweep(directories: &Directories) {
    let folder = &directories.runtime;
    if !channel::is_private(folder) {
        return;
    }
    for name in disk::names(folder).unwrap_or_default() {
        if desk(&name).is_some_and(|desk| channel::is_dead(folder, desk)) {
            let _ = disk::remove(&folder.join(&name));
        }
    }
}

/// Writes a file of `desk` that only the user can read, and that is gone with the result.
pub(super) fn write(folder: &Path, desk: &str, extension: &str, text: &str) -> io::Result<NamedTempFile> {
    let prefix = format!("response-{desk}-");
    let mut file = tempfile::Builder::new().prefix(&prefix).suffix(extension).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Whose file it is; none where the name is not one of ours.
fn desk(name: &str) -> Option<&str> {
    let rest = KINDS.iter().find_map(|kind| name.strip_prefix(kind))?;
    let (desk, rest) = rest.split_at_checked(DESK_DIGITS)?;
    let is_id = desk.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && rest.starts_with(['.', '-'])).then_some(desk)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files as others would leave them")]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;
    use crate::work::answer::Desk;

    fn directories(folder: &Path) -> Directories {
        let sub = |name: &str| folder.join(name);
        Directories { config: sub("config"), data: sub("data"), state: sub("state"), runtime: sub("run") }
    }

    #[test]
    fn only_names_of_ours_are_of_a_desk() {
        for (name, expected) in [
            ("answer-0123abcd.sock", Some("0123abcd")),
            ("answer-0123abcd.key", Some("0123abcd")),
            ("response-0123abcd-Xy12.txt", Some("0123abcd")),
            ("response-0123abcd", None),
            ("response-0123abcdef.txt", None),
            ("response-0123ABCD-x.txt", None),
            ("response-..%2f..%2f-x.txt", None),
            ("response-ééééé.txt", None),
            ("notes-0123abcd.txt", None),
        ] {
            assert_eq!(desk(name), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn what_the_dead_left_is_swept_and_what_the_living_have_stays() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        let living = Desk::<serde_json::Value>::open(&directories).unwrap();
        let shown = living.write("shown".into(), ".jsonc").await.unwrap();
        let (dead, kept) = (directories.runtime.join("response-00000000-x.txt"), directories.runtime.join("notes.txt"));
        std::fs::write(&dead, "left").unwrap();
        std::fs::write(&kept, "kept").unwrap();
        sweep(&directories);
        assert!(!dead.exists() && kept.exists() && shown.path().exists());
        drop(shown);
        drop(living);
        assert_eq!(disk::names(&directories.runtime).unwrap(), ["notes.txt"]);
    }

    #[tokio::test]
    async fn a_desk_that_is_being_opened_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        let done = Arc::new(AtomicBool::new(false));
        let sweeper = tokio::task::spawn_blocking({
            let (directories, done) = (directories.clone(), done.clone());
            move || {
                while !done.load(Ordering::Relaxed) {
                    sweep(&directories);
                }
            }
        });
        let mut fault = None;
        for _ in 0..300 {
            let desk = Desk::<serde_json::Value>::open(&directories);
            let names = disk::names(&directories.runtime).unwrap();
            if desk.is_err() || names.len() != 1 {
                fault = Some((desk.err(), names));
                break;
            }
            drop(desk);
            // Lets the closed desk's task go.
            tokio::task::yield_now().await;
        }
        done.store(true, Ordering::Relaxed);
        sweeper.await.unwrap();
        assert!(fault.is_none(), "{fault:?}");
    }

    /// Whoever can put a link there reaches nothing behind it, and nothing at all in a folder that is not private.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_sweep_follows_no_link_and_enters_no_open_folder() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        let target = folder.path().join("target");
        std::fs::write(&target, "kept").unwrap();
        std::fs::create_dir(&directories.runtime).unwrap();
        let link = directories.runtime.join("response-00000000-x.txt");
        symlink(&target, &link).unwrap();
        for (mode, stands) in [(0o755, true), (0o700, false)] {
            std::fs::set_permissions(&directories.runtime, std::fs::Permissions::from_mode(mode)).unwrap();
            sweep(&directories);
            assert_eq!((disk::is_link(&link), target.exists()), (stands, true), "{mode:o}");
        }
    }
}
