//! Secrets never stay: after a wipe the memory of the server holds no value, in any of its forms, wherever a library
//! may have put a copy.
//!
//! NB. what is scanned is everything that the process may write to: heap, stacks, statics. What a scan cannot reach:
//! registers, the kernel's socket buffers, pages that were swapped out.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "reads the memory of a process as the system shows it")]

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    time::{Duration, Instant},
};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{
    session::Session,
    world::{Canary, World},
};

/// What is looked for, and what it is.
struct Needles {
    names: Vec<String>,
    automaton: AhoCorasick,
}

impl Needles {
    fn of(canaries: &[Canary]) -> Self {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for Canary { name, value } in canaries {
            for (form, pattern) in forms(value.as_bytes()) {
                names.push(format!("{name} {form}"));
                patterns.push(pattern);
            }
        }
        Self { names, automaton: AhoCorasick::new(patterns).unwrap() }
    }
}

/// A value in the forms in which it travels. Its first bytes are left out of some: freed memory may begin with the
/// allocator's own notes.
fn forms(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let tail = &value[value.len() - 12..];
    let hex = |upper: bool| {
        let digits = tail.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        digits.collect::<String>().into_bytes()
    };
    let mut forms = vec![("raw", tail.to_vec()), ("hex", hex(false)), ("hex", hex(true))];
    for skipped in 0..3 {
        let encoded = STANDARD.encode(&tail[skipped..skipped + 9]);
        forms.push(("base64", encoded.into_bytes()));
    }
    forms
}

/// Where in the memory of a process something of `needles` is; an error where it may not be read.
fn scan(pid: u32, needles: &Needles) -> std::io::Result<Vec<String>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|access| access.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        memory.seek(SeekFrom::Start(start))?;
        // A page may have gone since the map was read.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for hit in needles.automaton.find_overlapping_iter(&bytes) {
            let around = &bytes[hit.start().saturating_sub(48)..(hit.end() + 32).min(bytes.len())];
            let name = &needles.names[hit.pattern().as_usize()];
            let region = line.split_whitespace().nth(5).unwrap_or("anonymous");
            found.push(format!("{name} in {region}: {}", around.escape_ascii()));
        }
    }
    Ok(found)
}

#[test]
fn nothing_of_a_value_stays_in_memory_after_a_wipe() {
    let world = World::new();
    let mut session = Session::open(world.program.command(&["lsp"]), &world.uri(""));
    session.open_document(&world.uri("all.http"), "http", &world.request());
    for _ in 0..3 {
        let answer = session.command("vaultls.run", &json!({ "uri": world.uri("all.http"), "request": 0 }));
        assert_eq!(answer["outcome"], "sent", "{answer:#}");
    }
    let needles = Needles::of(&world.values);
    let found = scan(session.pid(), &needles).unwrap();
    eprintln!("BEFORE {found:#?}");
    session.command("vaultls.resetCache", &json!({}));
    let begin = Instant::now();
    loop {
        let found = scan(session.pid(), &needles).unwrap();
        eprintln!("{:?} {found:#?}", begin.elapsed());
        if found.is_empty() || begin.elapsed() > Duration::from_secs(6) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1000));
    }
    session.end();
}
