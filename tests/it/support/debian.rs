//! Programs out of Debian's packages, for tests that need an editor or a browser which no other registry has. apt
//! fetches and verifies them into `target/test-servers`, beside the system and without its administrator: nothing is
//! installed, and no state of the system's own apt is touched. Each tree holds everything its programs need down to
//! the C library, so a newer release's program runs on an older system.
#![expect(clippy::disallowed_methods, reason = "the test harness fetches programs")]

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{program::write_script, provision};

/// A release of Debian. Their contents differ from day to day only in [`Suite::Testing`], which brings the newest
/// editors; what a tree holds is in its file `packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Debian 12, bookworm.
    Old,
    /// Debian 13, trixie.
    Stable,
    /// What becomes Debian 14, forky.
    Testing,
}

impl Suite {
    fn codename(self) -> &'static str {
        match self {
            Self::Old => "bookworm",
            Self::Stable => "trixie",
            Self::Testing => "forky",
        }
    }
}

/// Unpacked packages with everything they depend on.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

/// The packages of `names` with what they depend on; none where they cannot be had, which was said. A machine that is
/// no Debian may lack them, and so may the suite that still changes.
pub fn packages(suite: Suite, names: &[&str]) -> Option<Tree> {
    static TREES: OnceLock<Mutex<HashMap<String, Result<Tree, String>>>> = OnceLock::new();
    let key = format!("{}-{}", suite.codename(), names.join("-"));
    let Some(archive) = archive() else {
        provision::skip_anywhere(&format!("what needs {names:?} of Debian's packages: this machine is no Debian"));
        return None;
    };
    let mut trees = TREES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let tree = trees.entry(key).or_insert_with(|| fetch(suite, names, &archive)).clone();
    drop(trees);
    let say = if suite == Suite::Testing { provision::skip_anywhere } else { provision::skip };
    tree.map_err(|reason| say(&format!("what needs {names:?} of Debian's packages: {reason}"))).ok()
}

impl Tree {
    /// A file or folder of the tree, such as `usr/share/kak`.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    /// A program of the tree, such as `usr/bin/hx`, as one that starts everywhere: a script that hands it to the
    /// tree's own dynamic linker.
    pub fn program(&self, inside: &str) -> PathBuf {
        let folder = self.root.with_file_name("bin");
        fs::create_dir_all(&folder).unwrap();
        let script = folder.join(Path::new(inside).file_name().expect("a program has a name"));
        let (libraries, linker) = self.libraries();
        let [linker, libraries, program] =
            [linker, libraries, self.path(inside)].map(|path| path.display().to_string());
        let text =
            format!("#!/bin/sh\nexec '{linker}' --library-path '{libraries}' --argv0 \"$0\" '{program}' \"$@\"\n");
        if fs::read_to_string(&script).is_ok_and(|there| there == text) {
            return script;
        }
        // Other test processes may be starting it just now, so it comes into being as a whole.
        let new = tempfile::NamedTempFile::new_in(&folder).unwrap().into_temp_path();
        write_script(&new, &text);
        new.persist(&script).unwrap();
        script
    }

    /// The folder of the libraries of this kind of machine, and the dynamic linker.
    fn libraries(&self) -> (PathBuf, PathBuf) {
        let within = |folder: &Path, wanted: &dyn Fn(&str) -> bool| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
            let mut found = entries.filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(wanted));
            found.next()
        };
        let libraries = ["usr/lib", "lib"]
            .iter()
            .find_map(|folder| within(&self.path(folder), &|name| name.ends_with("-linux-gnu")))
            .expect("a tree holds the C library");
        let linker = ["usr/lib64", "lib64", "usr/lib", "lib"]
            .iter()
            .map(|folder| self.path(folder))
            .chain([libraries.clone()])
            .find_map(|folder| within(&folder, &|name| name.starts_with("ld-linux")))
            .expect("a tree holds the dynamic linker");
        (libraries, linker)
    }
}

/// Where the system's own packages come from, in the form that apt reads; none where this is no Debian.
fn archive() -> Option<String> {
    let system = fs::read_to_string("/etc/os-release").ok()?;
    if !system.lines().any(|line| line == "ID=debian") {
        return None;
    }
    let folder = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = folder.chain([PathBuf::from("/etc/apt/sources.list")]).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).find_map(|text| debian_address(&text))
}

/// The address of the first Debian archive of a file of sources, of the old form or the new one. Archives of security
/// fixes have only part of the packages.
fn debian_address(sources: &str) -> Option<String> {
    sources
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let words = line.strip_prefix("URIs:").or_else(|| line.strip_prefix("deb "))?;
            words.split_whitespace().find(|word| word.contains("://"))
        })
        .find(|address| address.trim_end_matches('/').ends_with("/debian"))
        .map(str::to_owned)
}

/// Makes the tree, unless it is there; one process does so while others wait.
fn fetch(suite: Suite, names: &[&str], archive: &str) -> Result<Tree, String> {
    let said = |what: &str, error: io::Error| format!("{what}: {error}");
    let suite_folder = provision::servers().join("debian").join(suite.codename());
    let folder = suite_folder.join(names.join("-"));
    fs::create_dir_all(&folder).map_err(|error| said("no folder for them", error))?;
    let lock = File::create(suite_folder.join("lock")).map_err(|error| said("no lock file", error))?;
    lock.lock().map_err(|error| said("no lock", error))?;
    let (root, stamp) = (folder.join("root"), folder.join("packages"));
    let tree = Tree { root: root.clone() };
    if stamp.is_file() {
        return Ok(tree);
    }
    let _ =
        writeln!(io::stderr(), "fetching {names:?} of Debian {} into {} (once)", suite.codename(), folder.display());
    let settings = settings(suite, &folder, archive).map_err(|error| said("no settings for apt", error))?;
    let apt = |arguments: &[&str]| {
        provision::fetch(Command::new("apt-get").env("APT_CONFIG", &settings).env("LC_ALL", "C.UTF-8").args(arguments))
    };
    apt(&["--quiet", "update"])?;
    apt(&[&["--quiet", "--yes", "--download-only", "install"], names].concat())?;
    let _ = fs::remove_dir_all(&root);
    let mut unpacked = Vec::new();
    for package in fs::read_dir(folder.join("cache/archives")).map_err(|error| said("nothing was fetched", error))? {
        let package = package.map_err(|error| said("nothing was fetched", error))?.path();
        if package.extension().is_some_and(|it| it == "deb") {
            provision::run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&root))?;
            unpacked.extend(package.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    let _ = fs::remove_dir_all(folder.join("cache"));
    let _ = fs::remove_dir_all(folder.join("state"));
    unpacked.sort();
    fs::write(&stamp, unpacked.join("\n")).map_err(|error| said("no stamp", error))?;
    Ok(tree)
}

/// Writes settings with which apt keeps everything below `folder` and believes that nothing is installed, so that a
/// tree is whole; the keys of the system are what it trusts.
fn settings(suite: Suite, folder: &Path, archive: &str) -> io::Result<PathBuf> {
    for inner in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(inner))?;
    }
    fs::write(folder.join("state/status"), "")?;
    let sources = format!("deb {archive} {} main\n", suite.codename());
    fs::write(folder.join("sources.list"), sources)?;
    let at = |inner: &str| folder.join(inner).display().to_string();
    let settings = [
        ("Dir::State", at("state")),
        ("Dir::State::status", at("state/status")),
        ("Dir::Cache", at("cache")),
        ("Dir::Etc::sourcelist", at("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::Log", at("state")),
        ("Acquire::Retries", "2".into()),
        ("APT::Update::Error-Mode", "any".into()),
        ("APT::Install-Recommends", "false".into()),
        ("APT::Sandbox::User", String::new()),
        ("Acquire::Languages", "none".into()),
        ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false".into()),
    ];
    let lines: String = settings.iter().map(|(name, value)| format!("{name} \"{value}\";\n")).collect();
    let file = folder.join("apt.conf");
    fs::write(&file, lines)?;
    Ok(file)
}

#[test]
fn the_archive_of_packages_is_found_in_either_form_of_sources() {
    for (sources, expected) in [
        ("Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n", Some("http://mirror.example/debian")),
        (
            "# deb http://old.example/debian x main\ndeb [signed-by=/k.gpg] https://m.example/debian/ bookworm main",
            Some("https://m.example/debian/"),
        ),
        (
            "URIs: http://mirror.example/debian-security\n\nURIs: http://b.example/debian",
            Some("http://b.example/debian"),
        ),
        ("deb https://tools.example/apt tools main", None),
        ("", None),
    ] {
        assert_eq!(debian_address(sources).as_deref(), expected, "{sources}");
    }
}

#[test]
fn a_program_of_a_newer_release_runs_here() {
    let Some(tree) = packages(Suite::Stable, &["hx"]) else { return };
    let output = Command::new(tree.program("usr/bin/hx")).arg("--version").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("helix 25."), "{said} {}", String::from_utf8_lossy(&output.stderr));
}
