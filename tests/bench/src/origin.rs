//! An origin with a certificate, of which a body of any size can be asked for: with the session at
//! `/bytes/N`, and without it at `/public/bytes/N`, so that whoever asks gets the same answer from
//! the same place. Everything else goes to the backend behind it.
//!
//! The body is JSON, a text of N bytes in all, as an API's answer is.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::registry::Outcome;
use crate::tls;

/// The path of a body of so many bytes, for the session.
#[must_use]
pub fn path(bytes: usize) -> String {
    format!("/bytes/{bytes}")
}

/// The path of the same for everyone.
#[must_use]
pub fn public_path(bytes: usize) -> String {
    format!("/public/bytes/{bytes}")
}

/// What a profile has to allow.
pub const ALLOWED: &str = "/bytes/*";

/// Serves until it is dropped.
pub struct Origin {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Origin {
    /// Before this backend, with the certificate that this process was started with.
    ///
    /// # Errors
    /// If there is none, or no port.
    pub async fn before(backend: SocketAddr) -> Outcome<Self> {
        let acceptor = tls::acceptor()?;
        let told = |error: std::io::Error| format!("no port: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(told)?;
        let address = listener.local_addr().map_err(told)?;
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, acceptor.clone(), backend));
            }
        });
        Ok(Self { address, serving })
    }

    /// Its address, with the scheme.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Client = BufReader<TlsStream<TcpStream>>;

async fn serve(
    client: TcpStream,
    acceptor: TlsAcceptor,
    backend: SocketAddr,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(acceptor.accept(client).await?);
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
            Some(size) => give(&mut client, size).await?,
            // The answer says that the connection ends with it, so that each request is heard
            // here first.
            None => return hand_on(client, &head, backend).await,
        }
    }
}

/// The lines of a request up to the empty one; empty where the client is gone.
async fn head(client: &mut Client) -> std::io::Result<String> {
    let mut head = String::new();
    while client.read_line(&mut head).await? > 0 {
        if head.ends_with("\r\n\r\n") {
            return Ok(head);
        }
    }
    Ok(String::new())
}

async fn give(client: &mut Client, size: usize) -> std::io::Result<()> {
    const PIECE: &[u8] = &[b'x'; 64 << 10];
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n\""
    );
    let mut left = size.saturating_sub(2);
    let mut first = head.into_bytes();
    // A small answer goes out in one piece, as a server's does.
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

async fn hand_on(mut client: Client, head: &str, backend: SocketAddr) -> std::io::Result<()> {
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
