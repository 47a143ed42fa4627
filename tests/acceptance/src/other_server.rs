//! A listener with which the app must never communicate. It has a port of its own and counts every
//! connection and every byte. It answers any request, so that a request that reaches it can go on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::wait::until;

/// The listener. Dropping it closes its port.
pub struct OtherServer {
    address: SocketAddr,
    heard: Arc<Heard>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

impl OtherServer {
    /// Listens at this address of the machine.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn at(host: IpAddr) -> Self {
        let listener = TcpListener::bind((host, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let heard = Arc::new(Heard::default());
        let counted = heard.clone();
        let listening = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(hear(caller, counted.clone()));
            }
        });
        Self {
            address,
            heard,
            listening,
        }
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections and how many bytes have arrived.
    #[must_use]
    pub fn heard(&self) -> (usize, usize) {
        let heard = &self.heard;
        (
            heard.connections.load(Ordering::SeqCst),
            heard.bytes.load(Ordering::SeqCst),
        )
    }

    /// The control: connects to it and sends bytes, which it must count. A test that counted
    /// nothing then knows that it would have.
    ///
    /// # Panics
    /// If it does not listen, or does not count.
    pub async fn would_have_heard(&self) {
        const WORDS: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
        let (connections, bytes) = self.heard();
        let mut caller = TcpStream::connect(self.address).await.expect("it listens");
        caller.write_all(WORDS).await.expect("it accepts bytes");
        let wanted = (connections + 1, bytes + WORDS.len());
        until("the listener to count the bytes", async || {
            match self.heard() {
                heard if heard == wanted => Ok(()),
                heard => Err(format!("it counted {heard:?} and not {wanted:?}")),
            }
        })
        .await;
    }
}

impl Drop for OtherServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn hear(mut caller: TcpStream, heard: Arc<Heard>) {
    let mut asked = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = caller.read(&mut piece).await {
        heard.bytes.fetch_add(length, Ordering::SeqCst);
        asked.extend_from_slice(&piece[..length]);
        if asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let _ = caller.write_all(answer(&asked).as_bytes()).await;
            return;
        }
    }
}

/// An empty file of the type that the path asks for, which every page may use.
pub(crate) fn answer(asked: &[u8]) -> String {
    let head = String::from_utf8_lossy(asked);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let kind = match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript",
        Some((_, "css")) => "text/css",
        Some((_, "bin")) => "application/octet-stream",
        _ => "text/html",
    };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 0\r\n\
         Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"
    )
}
