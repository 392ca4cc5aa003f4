//! Whose program is at the other end of a connection: a page's address stands on the opener's command line, which other
//! users of the machine may read while it runs.
//!
//! Linux tells every process whose socket the other end is. What that leaves elsewhere:
//! - Windows shows a command line to its own user and to administrators alone (reading it takes the right to read the
//!   process's memory), so that nobody else comes by the address.
//! - macOS shows it to everybody by `ps`, for the moment in which the opener runs. Somebody else at the same machine who
//!   looks all the time could be quicker than the browser. They would see what this one page shows, which is names or a
//!   masked response, and could answer it: give a value of their own, allow the host, approve the definitions, link the
//!   name that it asks about. What the person types they do not get, and the person is told that the address was used.
//!
//! NB. no crate is used for this there. Those that list connections (netstat2, listeners) tell processes and not users,
//! want libclang to be built on macOS or list listeners alone, and a wrong answer of theirs would keep the person out of
//! every page.
#![cfg_attr(
    target_os = "linux",
    expect(clippy::disallowed_methods, reason = "reads the kernel's table of connections")
)]

use tokio::net::TcpStream;

/// The kernel's tables of connections. A socket of IPv6 that is connected to an address of IPv4 stands in the second.
#[cfg(target_os = "linux")]
const TABLES: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/// Whether the other end belongs to the same user, or to root: root could read this process's memory as well, and what
/// relays connections for the system, as into a virtual machine, runs as root. Where the system does not tell, the page's
/// token alone decides.
#[cfg(target_os = "linux")]
pub fn is_ours(stream: &TcpStream) -> bool {
    let (Ok(own), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return false };
    let mut owners = TABLES.iter().filter_map(|table| owner(&std::fs::read_to_string(table).ok()?, peer, own));
    owners.next().is_none_or(|owner| [0, rustix::process::getuid().as_raw()].contains(&owner))
}

#[cfg(not(target_os = "linux"))]
pub fn is_ours(_stream: &TcpStream) -> bool {
    true
}

/// The user id of the socket that is bound to `from` and connected to `to` (`Documentation/networking/proc_net_tcp.rst` of
/// the kernel: local address, remote address, state, queues, timer, retransmissions, user).
#[cfg(target_os = "linux")]
fn owner(table: &str, from: std::net::SocketAddr, to: std::net::SocketAddr) -> Option<u32> {
    let (from, to) = (written(from)?, written(to)?);
    // In the table of IPv6, the address stands at the end of a longer one (RFC 4291, section 2.5.5.2).
    let is = |word: Option<&str>, address: &str| word.is_some_and(|word| word.ends_with(address));
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let is_it = is(words.next(), &from) && is(words.next(), &to);
        is_it.then(|| words.nth(4)?.parse().ok()).flatten()
    })
}

/// An address as the table writes it: the four bytes as one number of this machine.
#[cfg(target_os = "linux")]
fn written(address: std::net::SocketAddr) -> Option<String> {
    let std::net::IpAddr::V4(ip) = address.ip() else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_says_who_is_at_the_other_end() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     \x20  0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n\
                     \x20  1: 0100007F:C350 0100007F:0FA0 01 00000000:00000000 00:00000000 00000000  1001        0 2 1\n";
        let at = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        if cfg!(target_endian = "little") {
            assert_eq!(owner(table, at(50000), at(4000)), Some(1001));
        }
        assert_eq!(owner(table, at(50001), at(4000)), None);
    }

    /// Or else another user would get past the question by a socket of IPv6.
    #[tokio::test]
    async fn a_socket_of_ipv6_is_known_as_well() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mapped = std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        // A machine without IPv6 has no such sockets.
        let Ok(_client) = TcpStream::connect((mapped, port)).await else { return };
        let (stream, _) = listener.accept().await.unwrap();
        let (own, peer) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        let [of_ipv4, of_ipv6] = TABLES.map(|table| owner(&std::fs::read_to_string(table).unwrap(), peer, own));
        assert_eq!((of_ipv4, of_ipv6), (None, Some(rustix::process::getuid().as_raw())));
    }

    #[tokio::test]
    async fn ones_own_connection_is_ones_own() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(is_ours(&stream));
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let owner = owner(&table, stream.peer_addr().unwrap(), stream.local_addr().unwrap());
        assert_eq!(owner, Some(rustix::process::getuid().as_raw()));
    }
}
