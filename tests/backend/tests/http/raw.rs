//! HTTP over a raw socket, for what a client library hides: the exact bytes received, and how the
//! connection ended.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vestibule_backend::Backend;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// By an orderly close (FIN).
    Closed,
    /// By a reset (RST).
    Reset,
    /// It had not ended within the given time.
    Open,
}

/// What was received over a connection until its end.
#[derive(Debug)]
pub struct Received {
    pub bytes: Vec<u8>,
    pub end: End,
}

impl Received {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The head, if all of it was received.
    pub fn head(&self) -> Option<String> {
        let text = self.text();
        text.find("\r\n\r\n")
            .map(|end| text[..end + 4].to_lowercase())
    }

    /// The part of the body that was received.
    #[track_caller]
    pub fn body(&self) -> Vec<u8> {
        let head = self.head().expect("a whole head");
        self.bytes[head.len()..].to_vec()
    }

    #[track_caller]
    pub fn content_length(&self) -> usize {
        let head = self.head().expect("a whole head");
        let line = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        line.expect("a length").trim().parse().expect("a number")
    }
}

/// Sends bytes and reads until the connection ends or `patience` has passed.
pub async fn exchange(backend: &Backend, request: &[u8], patience: Duration) -> Received {
    let mut stream = TcpStream::connect(backend.address())
        .await
        .expect("connects");
    stream.write_all(request).await.expect("sent");
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let end = loop {
        match tokio::time::timeout(patience, stream.read(&mut chunk)).await {
            Err(_) => break End::Open,
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(read)) => bytes.extend_from_slice(&chunk[..read]),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                break End::Reset;
            }
            Ok(Err(error)) => panic!("{error}"),
        }
    };
    Received { bytes, end }
}

/// A POST of JSON that asks for the connection to stay open.
pub fn post(path: &str, cookie: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         cookie: __refresh_token={cookie}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Long enough for every connection that is going to end.
pub const PATIENT: Duration = Duration::from_secs(10);
