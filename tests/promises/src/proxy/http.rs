//! As much of HTTP/1.1 as it takes to find the end of a message. Both sides belong to these tests
//! and send `content-length`, so nothing else is supported.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest head that is read.
const HEAD_LIMIT: usize = 64 * 1024;

/// A request or an answer.
pub(super) struct Message {
    /// The first line and the headers, with the empty line after them.
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// A request's path without its query.
    pub fn path(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap_or_default();
        target.split('?').next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Reads the next message; `None` if the connection ended before one began, which only a client
/// may do.
pub(super) async fn read(stream: &mut TcpStream, request: bool) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > HEAD_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() && request {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    };
    let mut body = bytes.split_off(head_end);
    let head = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut message = Message {
        head,
        body: Vec::new(),
    };
    let length = message
        .header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    message.body = body;
    Ok(Some(message))
}

/// Sends a message.
pub(super) async fn write(stream: &mut TcpStream, message: &Message) -> io::Result<()> {
    stream.write_all(message.head.as_bytes()).await?;
    stream.write_all(&message.body).await?;
    stream.flush().await
}
