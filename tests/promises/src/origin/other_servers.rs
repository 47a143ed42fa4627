//! Listeners that are not the backend. Each accepts every connection, answers as a backend would,
//! so that a client goes on, and keeps what it received.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use vestibule_backend::Backend;
use vestibule_harness::Lost;

use crate::client::way;
use crate::proxy::Proxy;

/// How many bytes are kept: enough to find a credential in them.
const MAX_RECORDED_BYTES: usize = 1 << 20;

/// How often another port is tried.
const TRIES: u32 = 50;

const WELCOME: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    set-cookie: __refresh_token=elsewhere; Path=/\r\ncontent-length: 113\r\n\r\n\
    {\"user\":{\"id\":\"e\",\"name\":\"E\",\"email\":\"e@e.test\"},\
    \"tokens\":{\"token\":\"elsewhere\",\"expiresIn\":900,\"expires\":\"\"},\"x\":0}";

/// What was received.
#[derive(Default)]
pub struct Recorded {
    connections: AtomicU64,
    bytes: Mutex<Vec<u8>>,
}

impl Recorded {
    pub fn note(&self, bytes: &[u8]) {
        let mut held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_RECORDED_BYTES.saturating_sub(held.len());
        held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whether the received bytes contain this text.
    pub fn holds(&self, text: &str) -> bool {
        let held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        held.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// One listener. Ends when dropped.
pub struct OtherServer {
    pub address: SocketAddr,
    pub heard: Arc<Recorded>,
    serving: AbortHandle,
}

impl Drop for OtherServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl OtherServer {
    pub async fn start(address: impl Into<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind(address.into()).await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Recorded::default());
        let listening = heard.clone();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                listening.connected();
                connections.spawn(answer(stream, listening.clone()));
            }
        });
        Ok(Self {
            address,
            heard,
            serving: serving.abort_handle(),
        })
    }

    /// Fails if any connection was made.
    pub fn check(&self) -> Result<(), Lost> {
        match self.heard.connections() {
            0 => Ok(()),
            count => Err(format!("{count} connections were made to {}", self.address)),
        }
    }
}

async fn answer(mut stream: TcpStream, heard: Arc<Recorded>) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        heard.note(&bytes[..read]);
        if stream.write_all(WELCOME.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Listeners whose addresses differ from the backend's `127.0.0.1:port` in one part each.
pub struct OtherServers {
    /// The same host, another port.
    pub port: OtherServer,
    /// Another host, the same port.
    pub host: OtherServer,
    /// Another family, the same port.
    pub family: OtherServer,
}

impl OtherServers {
    async fn than(port: u16) -> Result<Self, Lost> {
        let start = async |address: &str, port: u16| {
            let address: std::net::IpAddr = address.parse().map_err(|_| "no address")?;
            let started = OtherServer::start((address, port)).await;
            started.map_err(|error| format!("no listener at {address}:{port}: {error}"))
        };
        Ok(Self {
            port: start("127.0.0.1", 0).await?,
            host: start("127.0.0.2", port).await?,
            family: start("::1", port).await?,
        })
    }

    /// A proxy before the backend, which gets an account of its own, and listeners beside it.
    pub async fn beside(backend: &Backend) -> Result<(Arc<Proxy>, String, Self), Lost> {
        let mut tries = 0;
        loop {
            let (proxy, email) = way(backend).await?;
            match Self::than(proxy.address().port()).await {
                Ok(others) => return Ok((proxy, email, others)),
                // Another program has that port of another host.
                Err(_) if tries < TRIES => tries += 1,
                Err(lost) => return Err(lost),
            }
        }
    }

    /// Fails if a connection was made to any of them.
    pub fn check(&self) -> Result<(), Lost> {
        for other in [&self.port, &self.host, &self.family] {
            other.check()?;
        }
        Ok(())
    }
}
