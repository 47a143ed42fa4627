//! A proxy of raw sockets between the core and the backend, which fails on demand: connections are
//! refused, reset or never answered, answers break off anywhere, or are such as no backend gives.
//! It passes requests on unchanged and reads only what it needs to find their ends.

mod act;
mod door;
mod http;
mod script;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

pub use act::{Act, Answer};
use door::Door;
pub use script::{End, Script};

use crate::secrecy::captured;

/// A running proxy. Dropping it ends it and every connection through it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: tokio::sync::Mutex<Door>,
}

struct Shared {
    upstream: SocketAddr,
    faults: Mutex<Vec<Fault>>,
    /// Called with each request as it arrives.
    seen: Mutex<Option<Listener>>,
    sent: AtomicU64,
}

/// Called with a request's path.
type Listener = Box<dyn FnMut(&str) + Send>;

/// What the proxy does to requests to a path; `None` stands for every path.
#[derive(Clone)]
struct Fault {
    path: Option<&'static str>,
    act: Act,
}

impl Proxy {
    /// A proxy on a free port in front of `upstream` that passes everything on.
    ///
    /// # Errors
    /// If the system gives no port.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            upstream,
            faults: Mutex::default(),
            seen: Mutex::default(),
            sent: AtomicU64::new(0),
        });
        let (door, address) = Door::new(&shared).await?;
        Ok(Self {
            address,
            shared,
            door: tokio::sync::Mutex::new(door),
        })
    }

    /// `http://127.0.0.1:40123`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address and port it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on does `act` to every request to this path, or to every request.
    ///
    /// # Errors
    /// If the port cannot be opened or closed as `act` requires.
    pub async fn strike(&self, path: Option<&'static str>, act: Act) -> io::Result<()> {
        let mut door = self.door.lock().await;
        match act {
            Act::Refuse => door.shut(self.address).await,
            Act::Deaf => door.deafen(self.address).await,
            Act::Accept(_) | Act::Instead(_) | Act::Spoil(_) => {
                self.shared.faults().push(Fault { path, act });
                Ok(())
            }
        }
    }

    /// From now on passes everything on. A connection that hangs goes on hanging.
    ///
    /// # Errors
    /// If the port cannot be listened on again.
    pub async fn lift(&self) -> io::Result<()> {
        self.shared.faults().clear();
        let mut door = self.door.lock().await;
        door.open(self.address, &self.shared).await
    }

    /// Calls `seen` with the path of each request as it arrives, faults or not.
    pub fn on_request(&self, seen: impl FnMut(&str) + Send + 'static) {
        let mut slot = self
            .shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Box::new(seen));
    }

    /// How many bytes of scripted answers the system has accepted so far. The other side has read
    /// less than that, by what is in the socket buffers.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn faults(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a connection ends before anything is read, if it does.
    fn at_the_door(&self) -> Option<End> {
        self.faults().iter().find_map(|fault| match fault.act {
            Act::Accept(end) => Some(end),
            _ => None,
        })
    }

    fn act_on(&self, path: &str) -> Option<Act> {
        if let Some(seen) = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            seen(path);
        }
        let faults = self.faults();
        let fits = |fault: &&Fault| fault.path.is_none_or(|wanted| wanted == path);
        faults.iter().find(fits).map(|fault| fault.act.clone())
    }

    /// Serves one connection to its end.
    async fn serve(self: Arc<Self>, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        if let Some(end) = self.at_the_door() {
            return script::end(client, end).await;
        }
        let mut upstream = None;
        while let Some(request) = http::read(&mut client, true).await? {
            let script = match self.act_on(request.path()) {
                Some(Act::Instead(script)) => script,
                Some(Act::Spoil(spoil)) => spoil(self.forward(&mut upstream, &request).await?),
                // The connection was accepted just before the proxy stopped listening.
                Some(Act::Accept(end)) => return script::end(client, end).await,
                Some(Act::Refuse | Act::Deaf) | None => {
                    self.forward(&mut upstream, &request).await?.into()
                }
            };
            if script.play(&mut client, &self.sent).await? != End::Keep {
                return script::end(client, script.end).await;
            }
        }
        Ok(())
    }

    async fn forward(
        &self,
        upstream: &mut Option<TcpStream>,
        request: &http::Message,
    ) -> io::Result<Answer> {
        let connection = match upstream {
            Some(connection) => connection,
            None => upstream.insert(TcpStream::connect(self.upstream).await?),
        };
        captured::form(&request.body);
        http::write(connection, request).await?;
        loop {
            let answer = http::read(connection, false).await?;
            let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
            if !answer.head.starts_with("HTTP/1.1 1") {
                captured::answer(&answer.head, &answer.body);
                return Ok(Answer {
                    head: answer.head,
                    body: answer.body,
                });
            }
        }
    }
}
