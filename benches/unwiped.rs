//! What it costs to wipe all freed memory, as the program does: the same work as in `figures`, here without.
//!
//! An allocator is chosen when a program is built, so this is one of its own. `cargo bench` runs both, this one last.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark reads what another left, and prints")]

mod shared;

use std::time::Duration;

use shared::{generated_collection, generated_http, median, ratio, row};

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let http = generated_http(3 << 20);
    compare("parse", "parse a 3 MB .http file, nothing wiped", median(|| shared::parse(&http)));
    let collection = generated_collection(4 << 20);
    compare("tree", "a tree of small texts, nothing wiped", median(|| shared::grow_a_tree(&collection)));
}

fn compare(work: &str, figure: &str, time: Duration) {
    let noted = std::fs::read_to_string(shared::note(work)).ok().and_then(|text| text.parse().ok());
    let beside = match noted.map(Duration::from_nanos) {
        Some(wiped) => format!("wiping makes it {:.2} of this ({wiped:.1?})", ratio(wiped, time)),
        None => "run `figures` before it".to_owned(),
    };
    row(figure, time, &beside);
}
