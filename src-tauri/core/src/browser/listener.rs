//! A port of this computer to which the browser comes back once.
//!
//! Any program of this computer, and any page in its browser, can send requests here. So only a request
//! for `/callback` with the `Host` of this listener (a page under a name that leads here has another:
//! DNS rebinding) and with what the caller recognises counts; every other one gets a 404 and changes
//! nothing. Requests are bounded in size, time and number.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use url::Url;

use super::done_page::DonePage;
use crate::profile::Loopback;

/// The path of the redirect.
const CALLBACK: &str = "/callback";
/// The path of the page that the browser shows at the end.
const DONE: &str = "/done";
/// The longest request line and headers. Codes of some providers are JWTs.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// The most connections at a time. One more closes the oldest, which has sent nothing for longest, so that
/// a flood does not keep the browser out.
const MOST_CONNECTIONS: usize = 64;
/// How long a connection may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the page at the end can still be fetched.
const DONE_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits for the browser on a port of this computer.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A request for the redirect, and where its answer goes.
struct Callback {
    address: Url,
    stream: TcpStream,
}

impl Listener {
    /// Listens on the first of these ports that is free; on any free one if none is named.
    ///
    /// # Errors
    /// If none is free, or this computer has no such address.
    pub async fn bind(on: Loopback, ports: &[u16]) -> io::Result<Self> {
        let ip: IpAddr = match on {
            Loopback::V4 => Ipv4Addr::LOCALHOST.into(),
            Loopback::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        let ports = if ports.is_empty() { &[0] } else { ports };
        let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
        for port in ports {
            match TcpListener::bind((ip, *port)).await {
                Ok(socket) => {
                    let address = socket.local_addr()?;
                    return Ok(Self { socket, address });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// The redirect's address.
    pub fn redirect(&self) -> String {
        format!("http://{}{CALLBACK}", self.address)
    }

    /// Waits for a request of the redirect that `recognise` takes for its own, and sends the browser that
    /// has brought it to `page`. The page is served in the background, for a few seconds more.
    ///
    /// # Errors
    /// None so far: a connection that fails is not the browser's.
    pub async fn wait<T>(
        self,
        mut recognise: impl FnMut(&Url) -> Option<T>,
        page: DonePage,
    ) -> io::Result<T> {
        let (sender, mut callbacks) = mpsc::channel(1);
        let mut readers = JoinSet::new();
        let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => {
                    let (stream, _) = match accepted {
                        Ok(accepted) => accepted,
                        // One connection that is gone already, or too many open files.
                        Err(_) => {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            continue;
                        }
                    };
                    oldest.retain(|reader| !reader.is_finished());
                    if oldest.len() >= MOST_CONNECTIONS
                        && let Some(reader) = oldest.pop_front()
                    {
                        reader.abort();
                    }
                    let (own, sender) = (self.address, sender.clone());
                    let reader = readers.spawn(async move {
                        if let Some(callback) = read(stream, own).await {
                            let _ = sender.send(callback).await;
                        }
                    });
                    oldest.push_back(reader);
                }
                Some(_) = readers.join_next() => {}
                Some(callback) = callbacks.recv() => {
                    let Callback { address, stream } = callback;
                    match recognise(&address) {
                        Some(answer) => {
                            readers.abort_all();
                            tokio::spawn(self.end(stream, page));
                            return Ok(answer);
                        }
                        None => {
                            readers.spawn(async move { not_found(stream).await });
                        }
                    }
                }
            }
        }
    }

    /// Sends the browser on to the page, so that the code is not in its address bar, and serves that page
    /// once.
    async fn end(self, mut stream: TcpStream, page: DonePage) {
        let see_other = format!("HTTP/1.1 303 See Other\r\nLocation: {DONE}\r\n{COMMON}\r\n");
        let _ = answer(&mut stream, see_other.as_bytes()).await;
        drop(stream);
        let serve = async {
            loop {
                let Ok((mut stream, _)) = self.socket.accept().await else {
                    continue;
                };
                let asked = timeout(REQUEST_TIMEOUT, head(&mut stream)).await;
                let target = asked.ok().flatten();
                let target = target.and_then(|head| target_of(&head, self.address));
                if target.as_deref() == Some(DONE) {
                    let html = page.html();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                         Content-Length: {}\r\n{COMMON_BUT_LENGTH}\r\n",
                        html.len()
                    );
                    let _ = answer(&mut stream, [head, html].concat().as_bytes()).await;
                    return;
                }
                not_found(stream).await;
            }
        };
        let _ = timeout(DONE_TIMEOUT, serve).await;
    }
}

const COMMON: &str = "Content-Length: 0\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\nConnection: close\r\n";
const COMMON_BUT_LENGTH: &str = "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
    Connection: close\r\n";

/// Reads one request. `None` if it is not for the redirect; then it has had its answer.
async fn read(mut stream: TcpStream, own: SocketAddr) -> Option<Callback> {
    let head = timeout(REQUEST_TIMEOUT, head(&mut stream)).await.ok()??;
    let target = target_of(&head, own);
    let address = target.filter(|target| target.split('?').next() == Some(CALLBACK));
    let address = address.and_then(|target| Url::parse(&format!("http://{own}{target}")).ok());
    match address {
        Some(address) => Some(Callback { address, stream }),
        None => {
            not_found(stream).await;
            None
        }
    }
}

/// The bytes of a request line and its headers.
async fn head(stream: &mut TcpStream) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(LONGEST_HEAD));
    loop {
        let room = LONGEST_HEAD - bytes.len();
        if room == 0 {
            return None;
        }
        let read = stream.take(room as u64).read_buf(&mut *bytes).await.ok()?;
        if read == 0 {
            return None;
        }
        if bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            return Some(bytes);
        }
    }
}

/// Path and query of a `GET` whose `Host` is this listener's own.
fn target_of(head: &[u8], own: SocketAddr) -> Option<String> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(head).ok()?;
    if parsed.is_partial() || request.method != Some("GET") {
        return None;
    }
    let mut hosts = request
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("host"));
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let is_own = host.value == own.to_string().as_bytes();
    let target = request.path.filter(|target| target.starts_with('/'))?;
    is_own.then(|| target.to_owned())
}

async fn not_found(mut stream: TcpStream) {
    let bytes = format!("HTTP/1.1 404 Not Found\r\n{COMMON}\r\n");
    let _ = answer(&mut stream, bytes.as_bytes()).await;
}

async fn answer(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.shutdown().await
    };
    let sent = timeout(REQUEST_TIMEOUT, sent).await;
    sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
