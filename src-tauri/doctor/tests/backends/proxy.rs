//! A proxy in front of a backend that changes its answers, for faults that the bundled backend does
//! not have.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// An exchange: the request's path, head and body, and the answer's head and body.
pub struct Passing {
    pub path: String,
    pub asked_head: String,
    pub asked: String,
    pub head: String,
    pub body: String,
}

type Bend = Arc<dyn Fn(&mut Passing) + Send + Sync>;

/// The proxy. Ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Proxy {
    pub async fn before(
        backend: SocketAddr,
        bend: impl Fn(&mut Passing) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let bend: Bend = Arc::new(bend);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let bend = bend.clone();
                tokio::spawn(async move {
                    let _ = pass(stream, backend, bend).await;
                });
            }
        });
        Self { address, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Handles one request on one connection.
async fn pass(mut client: TcpStream, backend: SocketAddr, bend: Bend) -> std::io::Result<()> {
    let (head, asked) = read(&mut client).await?;
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines.push("connection: close");
    let mut server = TcpStream::connect(backend).await?;
    server
        .write_all(format!("{}\r\n\r\n{asked}", lines.join("\r\n")).as_bytes())
        .await?;
    let asked_head = head.clone();
    let (head, body) = read(&mut server).await?;
    let mut passing = Passing {
        path,
        asked_head,
        asked,
        head,
        body,
    };
    bend(&mut passing);
    let framing = ["content-length:", "connection:", "transfer-encoding:"];
    let mut lines: Vec<String> = passing
        .head
        .trim_end()
        .split("\r\n")
        .map(str::to_owned)
        .collect();
    lines.retain(|line| {
        let lower = line.to_ascii_lowercase();
        !framing.iter().any(|name| lower.starts_with(name))
    });
    if !lines[0].contains(" 204 ") {
        lines.push(format!("content-length: {}", passing.body.len()));
    }
    lines.push("connection: close".into());
    let answer = format!("{}\r\n\r\n{}", lines.join("\r\n"), passing.body);
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse::<usize>().ok())?
    });
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}
