//! Whose program has connected to a port of this computer.
//!
//! The address that the browser opens is an argument of a program, which other users of this computer can
//! read. One of them could sign in there with an account of their own and bring the answer here first, so that
//! the person works in that account. Linux lists the owner of each connection (proc_pid_net(5)). On other
//! systems the app does not ask, and hears every connection.

use tokio::net::TcpStream;

/// Whether this connection is another user's. Where that is not known it is not.
#[cfg(target_os = "linux")]
pub(super) async fn is_another_users(connection: &TcpStream) -> bool {
    let (Ok(own), Ok(peer)) = (connection.local_addr(), connection.peer_addr()) else {
        return false;
    };
    let looked = tokio::task::spawn_blocking(move || {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
        let tables = tables.iter().flatten();
        let sockets: Vec<_> = tables.flat_map(|table| linux::sockets(table)).collect();
        linux::is_another_users(&sockets, own, peer)
    });
    looked.await.unwrap_or_default()
}

/// Whether this connection is another user's. Where that is not known it is not.
#[cfg(not(target_os = "linux"))]
pub(super) async fn is_another_users(_: &TcpStream) -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    /// One end of a connection, or a listener.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Socket {
        local: SocketAddr,
        remote: SocketAddr,
        is_established: bool,
        owner: u32,
    }

    /// The administrator, who could read this app's memory as well.
    const ROOT: u32 = 0;

    /// Whether the program at `peer` runs for another user than this one, whose end of the connection is
    /// `own`.
    pub(super) fn is_another_users(sockets: &[Socket], own: SocketAddr, peer: SocketAddr) -> bool {
        let socket = |local: SocketAddr, remote: SocketAddr| {
            let is_it = |held: &&Socket| held.local == local && held.remote == remote;
            sockets.iter().find(is_it)
        };
        match (socket(own, peer), socket(peer, own)) {
            // WSL's relay to the browser of Windows runs as root, as other forwarders do. What a program
            // has left is listed as root's too, but is not established.
            (Some(_), Some(peer)) if peer.owner == ROOT && peer.is_established => false,
            (Some(own), Some(peer)) => own.owner != peer.owner,
            // The other end may be in a network that is not listed here.
            (Some(_), None) => false,
            // Who has sent a request and broken off waits for no answer, and cannot be told any more. A list
            // without even the listener says nothing.
            (None, _) => sockets.iter().any(|held| held.local == own),
        }
    }

    /// The sockets of a table.
    pub(super) fn sockets(table: &str) -> impl Iterator<Item = Socket> {
        table.lines().skip(1).filter_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
            let is_established = fields.next()? == "01";
            let owner = fields.nth(3)?.parse().ok()?;
            Some(Socket {
                local,
                remote,
                is_established,
                owner,
            })
        })
    }

    /// Reads `0100007F:1F90`: numbers of 32 bits in the order of this machine's bytes, and a port.
    fn address(text: &str) -> Option<SocketAddr> {
        let (ip, port) = text.split_once(':')?;
        let number = |at: usize| {
            let digits = ip.get(at * 8..at * 8 + 8)?;
            Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
        };
        let ip: IpAddr = match ip.len() {
            8 => Ipv4Addr::from(number(0)?).into(),
            32 => {
                let parts = [number(0)?, number(1)?, number(2)?, number(3)?];
                let whole: [u8; 16] = parts.concat().try_into().ok()?;
                // A socket of version 6 can be connected with an address of version 4.
                Ipv6Addr::from(whole).to_canonical()
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
    }

    #[cfg(all(test, target_endian = "little"))]
    mod tests {
        use super::*;

        const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 112 1 0
   2: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 113 1 0
   3: 0100007F:1F90 0100007F:C002 01 00000000:00000000 00:00000000 00000000  1000        0 114 1 0
   4: 0100007F:C002 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 115 1 0
   5: 0100007F:1F90 0100007F:C003 01 00000000:00000000 00:00000000 00000000  1000        0 116 1 0
   6: 0100007F:1F90 0100007F:C004 01 00000000:00000000 00:00000000 00000000  1000        0 117 1 0
   7: 0100007F:1F90 0100007F:C006 01 00000000:00000000 00:00000000 00000000  1000        0 120 1 0
   8: 0100007F:C006 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 121 1 0
   9: 0100007F:1F90 0100007F:C007 01 00000000:00000000 00:00000000 00000000  1000        0 122 1 0
  10: 0100007F:C007 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   nonsense
";
        const TABLE_6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C004 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 118 1 0
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 119 1 0
";

        #[test]
        fn another_users_connection_is_told_by_its_owner() {
            let all: Vec<_> = sockets(TABLE).chain(sockets(TABLE_6)).collect();
            assert_eq!(all.len(), 13);
            assert_eq!(all[12].local, "[::1]:80".parse().expect("an address"));
            let own = "127.0.0.1:8080".parse().expect("an address");
            for (port, is_anothers) in [
                (0xC001, false),
                (0xC002, true),
                // Its other end is not listed.
                (0xC003, false),
                // That one is of version 6.
                (0xC004, true),
                // It is gone.
                (0xC005, true),
                // Root's, which is a relay; and what is left of a program that has ended.
                (0xC006, false),
                (0xC007, true),
            ] {
                let peer = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
                assert_eq!(is_another_users(&all, own, peer), is_anothers, "{port:x}");
                assert!(!is_another_users(&[], own, peer), "nothing is known");
            }
        }
    }
}
