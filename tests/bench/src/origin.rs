//! A server with TLS that serves a body of any size: at `/bytes/N` to requests with the session,
//! and at `/public/bytes/N` to requests without it, so that `auth.fetch`, bare reqwest and
//! `tauri-plugin-http` get the same bytes from the same server. It passes every other request on to
//! the backend.
//!
//! The body is JSON, a string of N bytes in all, like an API's answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite,
    AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::registry::Outcome;
use crate::tls;

/// The path of a body of this many bytes, for the session.
#[must_use]
pub fn path(bytes: usize) -> String {
    format!("/bytes/{bytes}")
}

/// The path of the same body for everyone.
#[must_use]
pub fn public_path(bytes: usize) -> String {
    format!("/public/bytes/{bytes}")
}

/// An addition to the app's profile, so that a page may call these paths.
pub const PROFILE: &str = "\
schema = 1
[api]
allow = ['/me', '/plans', '/plans/*', '/bytes/*']
";

/// The server. Ends when dropped.
pub struct Origin {
    url: String,
    delay: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Origin {
    /// In front of this backend, with the certificate that this process was started with.
    ///
    /// # Errors
    /// If there is no certificate, or no free port.
    pub async fn before(backend: SocketAddr) -> Outcome<Self> {
        Self::start(backend, Some(tls::acceptor()?)).await
    }

    /// The same without TLS, for a control.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn plain(backend: SocketAddr) -> Outcome<Self> {
        Self::start(backend, None).await
    }

    async fn start(backend: SocketAddr, acceptor: Option<TlsAcceptor>) -> Outcome<Self> {
        let told = |error: std::io::Error| format!("no port: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(told)?;
        let address = listener.local_addr().map_err(told)?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let delay = Arc::<AtomicU64>::default();
        let lever = Arc::clone(&delay);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, delay) = (acceptor.clone(), Arc::clone(&lever));
                tokio::spawn(async move {
                    client.set_nodelay(true)?;
                    match acceptor {
                        Some(acceptor) => {
                            serve(acceptor.accept(client).await?, backend, &delay).await
                        }
                        None => serve(client, backend, &delay).await,
                    }
                });
            }
        });
        Ok(Self {
            url: format!("{scheme}://{address}"),
            delay,
            serving,
        })
    }

    /// The base address, with the scheme.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The same by the computer's name, which a build for tests lets `tauri-plugin-http` fetch from
    /// (`capabilities-e2e`).
    #[must_use]
    pub fn named_url(&self) -> String {
        self.url.replace("127.0.0.1", "localhost")
    }

    /// From now on each body is sent with this delay.
    pub fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.delay.store(ms, Ordering::SeqCst);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve<C>(client: C, backend: SocketAddr, delay: &AtomicU64) -> std::io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let mut client = BufReader::new(client);
    loop {
        let head = head(&mut client).await?;
        let Some(path) = head.split(' ').nth(1) else {
            return Ok(());
        };
        let own = path.strip_prefix("/public").unwrap_or(path);
        match own
            .strip_prefix("/bytes/")
            .and_then(|size| size.parse().ok())
        {
            Some(size) => {
                tokio::time::sleep(Duration::from_millis(delay.load(Ordering::SeqCst))).await;
                give(&mut client, size).await?;
            }
            // The answer closes the connection, so that every request arrives here first.
            None => return hand_on(client, &head, backend).await,
        }
    }
}

/// Reads the lines of a request up to the empty one; empty if the client has disconnected.
async fn head(client: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut head = String::new();
    while client.read_line(&mut head).await? > 0 {
        if head.ends_with("\r\n\r\n") {
            return Ok(head);
        }
    }
    Ok(String::new())
}

async fn give(client: &mut (impl AsyncWrite + Unpin), size: usize) -> std::io::Result<()> {
    const PIECE: &[u8] = &[b'x'; 64 << 10];
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n\""
    );
    let mut left = size.saturating_sub(2);
    let mut first = head.into_bytes();
    // A small answer is sent in one piece, as servers do.
    let begun = left.min(8 << 10);
    first.extend_from_slice(&PIECE[..begun]);
    left -= begun;
    if left == 0 {
        first.push(b'"');
    }
    client.write_all(&first).await?;
    while left > 0 {
        let piece = left.min(PIECE.len());
        client.write_all(&PIECE[..piece]).await?;
        left -= piece;
        if left == 0 {
            client.write_all(b"\"").await?;
        }
    }
    client.flush().await
}

async fn hand_on(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
    backend: SocketAddr,
) -> std::io::Result<()> {
    let lines = head.lines().filter(|line| !line.is_empty());
    let length = lines.clone().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse::<usize>().ok())?
    });
    let mut request = lines.collect::<Vec<_>>().join("\r\n");
    request.push_str("\r\nconnection: close\r\n\r\n");
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).await?;
    let mut backend = TcpStream::connect(backend).await?;
    backend.write_all(request.as_bytes()).await?;
    backend.write_all(&body).await?;
    tokio::io::copy(&mut backend, &mut client).await?;
    client.shutdown().await
}
