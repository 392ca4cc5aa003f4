//! Ports for servers that must be told theirs before they start, and ports at which nobody listens.
//!
//! A port that the system chose and that is free again may be given to any other connection the next moment, before
//! the server has it for which it was meant. These lie below what Linux and others choose from by themselves (32768 and
//! up, `ip_local_port_range` of ip(7); elsewhere 49152 and up), and are handed out once.

use std::{
    net::{Ipv4Addr, TcpStream, UdpSocket},
    ops::Range,
    sync::{Mutex, PoisonError},
};

const OURS: Range<u16> = 20_000..30_000;

/// What this process has taken so far.
struct Taken {
    next: u16,
    /// A port of UDP for each of ours, kept until this process ends: so other test processes see that it is taken, also
    /// while its server does not listen yet.
    marks: Vec<UdpSocket>,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

/// The first of `count` ports in a row that are free on 127.0.0.1 and belong to the caller from now on.
pub fn reserve(count: u16) -> u16 {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Other processes begin elsewhere, so that they seldom meet.
    let start = || OURS.start + u16::try_from(std::process::id() % 100).expect("less than a hundred") * 100;
    let taken = taken.get_or_insert_with(|| Taken { next: start(), marks: Vec::new() });
    for _ in OURS {
        let first = if taken.next + count > OURS.end { OURS.start } else { taken.next };
        taken.next = first + count;
        if let Some(marks) = (first..first + count).map(mark).collect::<Option<Vec<_>>>() {
            taken.marks.extend(marks);
            return first;
        }
    }
    panic!("no port from {OURS:?} is free")
}

/// Takes a port; none where somebody has it, or listens there.
fn mark(port: u16) -> Option<UdpSocket> {
    let mark = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err().then_some(mark)
}

#[test]
fn no_port_is_handed_out_twice() {
    let (one, two) = (reserve(2), reserve(2));
    assert!(one.abs_diff(two) >= 2, "{one} {two}");
    assert!(mark(one).is_none() && mark(two + 1).is_none());
}
