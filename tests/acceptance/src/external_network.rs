//! A network of its own for one test: every address leads back to this machine, and every lookup
//! and packet is recorded.
//!
//! A test that asks whether anything leaves the window must notice lookups of names and packets of
//! any kind to any address. Listeners notice neither: a lookup goes to the system's name server,
//! and a packet that nothing accepts is lost. So the test runs once more in a network namespace, in
//! which its own name server is the system's, every address belongs to the machine, and the network
//! interface is captured.

use std::any::type_name;
use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::net::{AddressFamily, RecvFlags, SocketType, eth, recv, socket};

use crate::other_server::answer;
use crate::scenario::ScenarioSlot;

/// Set for the test's second run.
const INSIDE: &str = "VESTIBULE_TEST_NETWORK";

/// An address of the machine in addition to loopback's: without one, `getaddrinfo` sends no query.
const OWN: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// The hosts' addresses begin here; 198.18.0.0/15 is reserved for measurements (RFC 2544).
const FIRST: u32 = u32::from_be_bytes([198, 18, 1, 0]);
/// Ports of the machine itself that stand for hosts. Neither `bind` to port 0 nor an outgoing
/// connection picks a port from this range.
const FIRST_PORT: u16 = 20_000;
const DOMAIN: &str = "attacker.example";

/// A script that sets up the network as root in new namespaces, and then becomes the test.
const SETUP: &str = r#"set -e
ip link set lo up
ip address add 198.18.0.1/15 dev lo
ip route add default dev lo
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
# A cache that would ask the real name server.
if [ -d /run/nscd ]; then mount -t tmpfs none /run/nscd; fi
shift
exec "$@""#;

/// The network and what was recorded in it.
pub struct Outside {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    lookups: Vec<String>,
    packets: BTreeSet<Packet>,
}

/// The destination of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    /// The destination address.
    pub to: IpAddr,
    /// The protocol's number: 6 is TCP, 17 UDP.
    pub protocol: u8,
    /// The port, where the protocol has ports.
    pub port: u16,
}

/// A host in that network, used by only one test or attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host(u8);

/// Runs a test in a network of its own.
///
/// # Panics
/// If the test panics, or if no such network can be made here; the message says what is needed.
pub fn with_outside<F: FnOnce(&Outside)>(play: F) {
    if env::var_os(INSIDE).is_some() {
        play(&Outside::open());
        return;
    }
    let _turn = ScenarioSlot::take();
    let settings = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| fs::write(settings.path().join(name), text);
    write("resolv.conf", format!("nameserver {NAME_SERVER}\n")).expect("a file");
    write("nsswitch.conf", "hosts: files dns\n".to_owned()).expect("a file");
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount"]);
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .args(["sh", "-c", SETUP, "sh"])
        .arg(settings.path())
        .arg(env::current_exe().expect("this program"))
        .args([&test_of::<F>(), "--exact", "--nocapture"])
        .env(INSIDE, "1");
    let ran = command.output().expect("unshare, of util-linux");
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said).replace('\n', "\n  | ");
    assert!(
        said.contains("running 1 test"),
        "this test needs a network namespace: that takes root, or namespaces that users may \
         make (Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)\n  | {said}"
    );
    assert!(
        ran.status.success(),
        "in the network of its own:\n  | {said}"
    );
}

/// The name of the test whose closure `F` is, as the test runner knows it.
fn test_of<F>() -> String {
    let path = type_name::<F>();
    let names = path.split("::").skip(1);
    let names: Vec<_> = names.filter(|name| !name.starts_with("{{")).collect();
    names.join("::")
}

impl Outside {
    fn open() -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let wire = socket(AddressFamily::PACKET, SocketType::DGRAM, Some(eth::ALL));
        let wire = wire.expect("the network interface can be captured");
        let server = UdpSocket::bind((NAME_SERVER, 53)).expect("a name server");
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).expect("a listener");
        let (told, asked) = (heard.clone(), heard.clone());
        thread::spawn(move || {
            let mut packet = [0; 128];
            while let Ok((_, length)) = recv(&wire, &mut packet[..], RecvFlags::TRUNC) {
                let packet = &packet[..length.min(packet.len())];
                if let Some(packet) = Packet::read(packet).filter(Packet::is_outside) {
                    lock(&told).packets.insert(packet);
                }
            }
        });
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, asker)) = server.recv_from(&mut question) {
                if let Some((name, reply)) = reply(&question[..length]) {
                    lock(&asked).lookups.push(name);
                    let _ = server.send_to(&reply, asker);
                }
            }
        });
        thread::spawn(move || {
            while let Ok((caller, _)) = listener.accept() {
                thread::spawn(move || serve(caller));
            }
        });
        Self { heard }
    }

    /// The names that were looked up, in lower case.
    #[must_use]
    pub fn lookups(&self) -> Vec<String> {
        lock(&self.heard).lookups.clone()
    }

    /// The destinations of packets, except those between the test's own programs.
    #[must_use]
    pub fn packets(&self) -> Vec<Packet> {
        lock(&self.heard).packets.iter().copied().collect()
    }

    /// Whether a name of this host was looked up.
    #[must_use]
    pub fn was_asked_for(&self, host: Host) -> bool {
        let name = host.name();
        let of = |lookup: &String| {
            lookup
                .strip_suffix(&name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        lock(&self.heard).lookups.iter().any(of)
    }

    /// Whether a packet went to this host's address.
    #[must_use]
    pub fn was_spoken_to(&self, host: Host) -> bool {
        let to = IpAddr::V4(host.address());
        lock(&self.heard)
            .packets
            .iter()
            .any(|packet| packet.to == to)
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// The host with this number.
    #[must_use]
    pub fn numbered(number: usize) -> Self {
        Self(u8::try_from(number).expect("a host for each attack"))
    }

    /// Its name, which resolves to its address.
    #[must_use]
    pub fn name(self) -> String {
        format!("host{}.{DOMAIN}", self.0)
    }

    /// Its address.
    #[must_use]
    pub fn address(self) -> Ipv4Addr {
        Ipv4Addr::from(FIRST + u32::from(self.0))
    }

    /// A port of the machine itself on which nothing listens.
    #[must_use]
    pub fn port(self) -> u16 {
        FIRST_PORT + u16::from(self.0)
    }

    fn named(name: &str) -> Option<Self> {
        let name = name.strip_suffix(DOMAIN)?.strip_suffix('.')?;
        let label = name.rsplit('.').next()?;
        label.strip_prefix("host")?.parse().ok().map(Self)
    }
}

impl Packet {
    /// Parses the first bytes of a packet.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (to, protocol, rest): (IpAddr, _, _) = match bytes.first()? >> 4 {
            4 => {
                let to: [u8; 4] = bytes.get(16..20)?.try_into().ok()?;
                let length = usize::from(bytes[0] & 15) * 4;
                (
                    Ipv4Addr::from(to).into(),
                    *bytes.get(9)?,
                    bytes.get(length..),
                )
            }
            6 => {
                let to: [u8; 16] = bytes.get(24..40)?.try_into().ok()?;
                (Ipv6Addr::from(to).into(), *bytes.get(6)?, bytes.get(40..))
            }
            _ => return None,
        };
        let port = rest.and_then(|rest| rest.get(2..4)).unwrap_or(&[0, 0]);
        let port = u16::from_be_bytes([port[0], port[1]]);
        Some(Self { to, protocol, port })
    }

    /// Whether the packet leaves the machine, or goes to one of its ports that stands for a host.
    /// Packets to the name server are recorded as lookups, and its answers go to [`OWN`].
    fn is_outside(&self) -> bool {
        match self.to {
            IpAddr::V4(to) if to == NAME_SERVER => (self.protocol, self.port) != (17, 53),
            IpAddr::V4(to) if to == OWN => false,
            to if to == IpAddr::V4(Ipv4Addr::LOCALHOST)
                || to == IpAddr::V6(Ipv6Addr::LOCALHOST) =>
            {
                (FIRST_PORT..=Host(u8::MAX).port()).contains(&self.port)
            }
            _ => true,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = SocketAddr::new(self.to, self.port);
        write!(form, "{to} by protocol {}", self.protocol)
    }
}

/// Answers any request, so that an attack that got this far can go on.
fn serve(mut caller: TcpStream) {
    let mut asked = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = caller.read(&mut piece) {
        asked.extend_from_slice(&piece[..length]);
        if asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let _ = caller.write_all(answer(&asked).as_bytes());
            return;
        }
    }
}

/// The name in a DNS query, and the answer to it (RFC 1035, section 4): a host's address, or that
/// there is none of the wanted type.
fn reply(question: &[u8]) -> Option<(String, Vec<u8>)> {
    const A: [u8; 4] = [0, 1, 0, 1];
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = question.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 4)?;
    let name = labels.join(".");
    let address = Host::named(&name).filter(|_| kind == A).map(Host::address);
    let mut reply = question[..2].to_vec();
    // An authoritative answer to one question.
    reply.extend([0x84, 0, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    reply.extend(&question[12..at + 4]);
    if let Some(address) = address {
        // A pointer to the name above, this type, a lifetime of zero, and four bytes of data.
        reply.extend([0xc0, 12]);
        reply.extend(A);
        reply.extend([0, 0, 0, 0, 0, 4]);
        reply.extend(address.octets());
    }
    Some((name, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_with_the_hosts_address() {
        let host = Host::numbered(7);
        let mut question = vec![9, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in ["typed", "host7", "attacker", "example"] {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend(label.to_uppercase().as_bytes());
        }
        question.push(0);
        let with = |kind: u8| [&question[..], &[0, kind, 0, 1]].concat();
        let (name, answer) = reply(&with(1)).unwrap();
        assert_eq!(name, "typed.host7.attacker.example");
        assert!(answer.ends_with(&host.address().octets()));
        let (_, none) = reply(&with(28)).unwrap();
        assert_eq!(
            none[6..8],
            [0, 0],
            "hosts have no address of the other type"
        );
        assert_eq!(
            reply(&question[..20]),
            None,
            "a truncated query gets no answer"
        );
    }

    #[test]
    fn only_what_leaves_is_outside() {
        let to = |to: &str, protocol, port| Packet {
            to: to.parse().unwrap(),
            protocol,
            port,
        };
        for inside in [
            to("127.0.0.1", 6, 40_000),
            to("::1", 6, 40_000),
            to("198.18.0.1", 6, 40_000),
            to("198.18.0.53", 17, 53),
        ] {
            assert!(!inside.is_outside(), "{inside}");
        }
        for outside in [
            to("127.0.0.1", 6, FIRST_PORT),
            to("127.0.0.2", 6, 80),
            to("198.18.0.53", 6, 53),
            to("198.18.1.1", 17, 3478),
            to("224.0.0.251", 17, 5353),
            to("fe80::1", 58, 0),
        ] {
            assert!(outside.is_outside(), "{outside}");
        }
    }

    #[test]
    fn a_packet_says_where_it_goes() {
        let mut bytes = vec![0; 24];
        (bytes[0], bytes[9]) = (0x45, 17);
        bytes[16..20].copy_from_slice(&[198, 18, 1, 7]);
        bytes[22..24].copy_from_slice(&3478_u16.to_be_bytes());
        let packet = Packet::read(&bytes).unwrap();
        assert_eq!(packet.to_string(), "198.18.1.7:3478 by protocol 17");
        assert_eq!(Packet::read(&bytes[..10]), None);
    }
}
