//! The two fixed ports of development, and which process holds one that is taken.

use std::io::{self, BufRead as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::failure::{Outcome, said};

/// The port of the bundled backend.
pub const BACKEND: u16 = 4580;
/// The port of Next's development server.
pub const FRONTEND: u16 = 3180;

/// Fails with one line if a port of development is taken.
pub fn check_free() -> Outcome {
    for (port, what) in [
        (BACKEND, "the bundled backend"),
        (FRONTEND, "Next's development server"),
    ] {
        if is_taken(port) {
            return Err(said(taken(port, what)));
        }
    }
    Ok(())
}

/// Whether something listens on the port, on either loopback address.
pub fn is_taken(port: u16) -> bool {
    is_answering(port)
        || TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Whether a connection to the port is accepted.
pub fn is_answering(port: u16) -> bool {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    [v4, v6]
        .iter()
        .any(|address| TcpStream::connect_timeout(address, Duration::from_millis(300)).is_ok())
}

/// Whether a GET of this path is answered with 200. The first request for a page takes as long as
/// Next needs to compile it.
pub fn serves(port: u16, path: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = String::new();
        io::BufReader::new(stream).read_line(&mut status)?;
        io::Result::Ok(status)
    };
    ask().is_ok_and(|status| status.split(' ').nth(1) == Some("200"))
}

fn taken(port: u16, what: &str) -> String {
    match holder(port) {
        Some((pid, name)) => format!(
            "port {port} ({what}) is taken by `{name}` (process {pid}). End it (`kill {pid}`) and run this again."
        ),
        None => format!(
            "port {port} ({what}) is taken. `{}` shows by whom.",
            how_to_look(port)
        ),
    }
}

/// Which process holds a taken port, or how to find out.
pub fn holder_in_words(port: u16) -> String {
    match holder(port) {
        Some((pid, name)) => format!("by `{name}` (process {pid})"),
        None => format!("`{}` shows by whom", how_to_look(port)),
    }
}

fn how_to_look(port: u16) -> String {
    match std::env::consts::OS {
        "linux" => format!("sudo ss -ltnp 'sport = :{port}'"),
        "macos" => format!("lsof -nP -iTCP:{port} -sTCP:LISTEN"),
        _ => format!("netstat -ano | findstr :{port}"),
    }
}

/// The process that listens on a port, where the system shows it.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<(u32, String)> {
    use std::fs;

    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let holds = fs::read_dir(process.path().join("fd"))
            .ok()?
            .flatten()
            .any(|descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|to| {
                    sockets
                        .iter()
                        .any(|socket| to.as_os_str() == socket.as_str())
                })
            });
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        holds.then(|| (pid, name.trim().to_owned()))
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_: u16) -> Option<(u32, String)> {
    None
}

/// The inodes of the sockets that listen on a port, from a table of `/proc/net`.
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let end = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            let listens = columns.get(1)?.ends_with(&end) && *columns.get(3)? == LISTEN;
            listens
                .then(|| columns.get(9).map(|inode| (*inode).to_owned()))
                .flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_port_is_taken_and_its_holder_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_taken(port));
        if cfg!(target_os = "linux") {
            let line = taken(port, "a test");
            assert!(line.contains(&std::process::id().to_string()), "{line}");
            assert!(line.contains(&port.to_string()), "{line}");
        }
        drop(listener);
        // A process that another test starts holds a copy of the socket until it executes its
        // program.
        let begun = std::time::Instant::now();
        while is_taken(port) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the port becomes free"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_listening_sockets_of_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
           0: 0100007F:11E4 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1\n\
           1: 0100007F:11E4 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4343 1\n\
           2: 0100007F:0C6C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4444 1\n";
        assert_eq!(listening_inodes(table, 4580), ["4242"]);
        assert_eq!(listening_inodes(table, 3180), ["4444"]);
    }
}
