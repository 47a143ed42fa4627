//! A port of this computer to which the browser comes back once.
//!
//! Any program of this computer, and any page in its browser, can send requests here. So only a request
//! for `/callback` with the `Host` of this listener (a page under a name that leads here has another:
//! DNS rebinding) and with what the caller recognises counts, and that from a program of the same user alone;
//! every other one is refused and changes nothing. Requests are bounded in size, time and number.

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

use super::LONGEST_REDIRECT;
use super::done_page::DonePage;
use super::other_user::is_another_users;
use crate::profile::Loopback;

/// The path of the redirect.
const CALLBACK: &str = "/callback";
/// The path of the page that the browser shows at the end.
const DONE: &str = "/done";
/// The longest request line and headers: a redirect as long as the other ways take it, and as many headers
/// as servers take, because a browser sends its cookies for this computer along.
const LONGEST_HEAD: usize = LONGEST_REDIRECT + 16 * 1024;
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

/// A request for this listener, and where its answer goes.
struct Request {
    /// Path and query.
    target: String,
    stream: TcpStream,
}

/// The connections of a listener. Each is read in a task of its own, so that one that sends nothing (a
/// browser opens some before it needs them) holds up no other.
struct Connections {
    listener: Listener,
    sender: mpsc::Sender<Request>,
    requests: mpsc::Receiver<Request>,
    tasks: JoinSet<()>,
    oldest: VecDeque<AbortHandle>,
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
    pub async fn wait<T>(self, mut recognise: impl FnMut(&Url) -> Option<T>, page: DonePage) -> T {
        let own = self.address;
        let mut connections = Connections::of(self);
        loop {
            let request = connections.next().await;
            let path = request.target.split('?').next();
            let address = match path == Some(CALLBACK) {
                true => Url::parse(&format!("http://{own}{}", request.target)).ok(),
                false => None,
            };
            match address.and_then(|address| recognise(&address)) {
                Some(_) if is_another_users(&request.stream).await => {
                    tracing::warn!(
                        "another user of this computer has brought the answer to a sign-in: it is not heard"
                    );
                    connections.spawn(forbidden(request.stream));
                }
                Some(answer) => {
                    tokio::spawn(connections.end(request.stream, page));
                    return answer;
                }
                None => connections.spawn(not_found(request.stream)),
            }
        }
    }
}

impl Connections {
    fn of(listener: Listener) -> Self {
        let (sender, requests) = mpsc::channel(1);
        Self {
            listener,
            sender,
            requests,
            tasks: JoinSet::new(),
            oldest: VecDeque::new(),
        }
    }

    /// The next request for this listener. Every other one has its answer.
    async fn next(&mut self) -> Request {
        loop {
            tokio::select! {
                accepted = self.listener.socket.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (own, sender) = (self.listener.address, self.sender.clone());
                        self.spawn(async move {
                            if let Some(request) = read(stream, own).await {
                                let _ = sender.send(request).await;
                            }
                        });
                    }
                    // One connection that is gone already, or too many open files.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = self.tasks.join_next() => {}
                Some(request) = self.requests.recv() => return request,
            }
        }
    }

    /// Does the work of one connection beside the others, in place of the oldest where there are too many.
    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.oldest.retain(|task| !task.is_finished());
        if self.oldest.len() >= MOST_CONNECTIONS
            && let Some(task) = self.oldest.pop_front()
        {
            task.abort();
        }
        let task = self.tasks.spawn(work);
        self.oldest.push_back(task);
    }

    /// Sends the browser on to the page, so that the code is not in its address bar, and serves that page
    /// once.
    async fn end(mut self, mut stream: TcpStream, page: DonePage) {
        let see_other = format!("HTTP/1.1 303 See Other\r\nLocation: {DONE}\r\n{COMMON}\r\n");
        let serve = async {
            let _ = answer(&mut stream, see_other.as_bytes()).await;
            drop(stream);
            loop {
                let Request { target, mut stream } = self.next().await;
                if target != DONE {
                    self.spawn(not_found(stream));
                    continue;
                }
                let html = page.html();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                     Content-Length: {}\r\n{COMMON_BUT_LENGTH}\r\n",
                    html.len()
                );
                let _ = answer(&mut stream, [head, html].concat().as_bytes()).await;
                return;
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

/// Reads one request. `None` if it is not for this listener; then it has had its answer.
async fn read(mut stream: TcpStream, own: SocketAddr) -> Option<Request> {
    let head = timeout(REQUEST_TIMEOUT, head(&mut stream)).await.ok()??;
    match target_of(&head, own) {
        Some(target) => Some(Request { target, stream }),
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
pub fn target_of(head: &[u8], own: SocketAddr) -> Option<String> {
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

async fn forbidden(mut stream: TcpStream) {
    let words = "This sign-in was begun by another user of this computer.\n";
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\n{COMMON_BUT_LENGTH}\r\n",
        words.len()
    );
    let _ = answer(&mut stream, [head.as_str(), words].concat().as_bytes()).await;
}

async fn answer(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.shutdown().await
    };
    let sent = timeout(REQUEST_TIMEOUT, sent).await;
    sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
