//! What is sent over a connection: some bytes, perhaps slowly, perhaps followed by a flood, and how
//! the connection ends.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It stays open for the next request.
    Keep,
    /// By an orderly close (FIN).
    Close,
    /// By a reset (RST).
    Reset,
    /// It stays open and silent until the other side closes it.
    Hang,
}

/// The same bytes, repeated.
#[derive(Clone)]
pub struct Flood {
    pub unit: Vec<u8>,
    /// How often they are sent; the other side may close the connection before.
    pub times: u64,
    /// The pause after each.
    pub pause: Duration,
}

/// An answer, byte by byte.
#[derive(Clone)]
pub struct Script {
    /// The bytes that are sent first.
    pub bytes: Vec<u8>,
    /// From this index on, single bytes are sent with this pause between them.
    pub drip: Option<(usize, Duration)>,
    /// What is sent after that.
    pub flood: Option<Flood>,
    /// How the connection ends.
    pub end: End,
}

impl Script {
    /// A script of these bytes and this end.
    pub fn of(bytes: impl Into<Vec<u8>>, end: End) -> Self {
        Self {
            bytes: bytes.into(),
            drip: None,
            flood: None,
            end,
        }
    }

    /// A whole answer. `status` is such as `404 Not Found`; each line of `headers` has its line
    /// end.
    pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = body.len();
        let mut bytes =
            format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self::of(bytes, End::Keep)
    }

    /// The same script with another end.
    #[must_use]
    pub fn then(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// The same script with a flood after the bytes.
    #[must_use]
    pub fn flooding(mut self, unit: impl Into<Vec<u8>>, times: u64, pause: Duration) -> Self {
        self.flood = Some(Flood {
            unit: unit.into(),
            times,
            pause,
        });
        self
    }

    /// Sends the script. Returns how the connection ends.
    pub(super) async fn play(&self, client: &mut TcpStream, sent: &AtomicU64) -> io::Result<End> {
        let count = |bytes: usize| {
            let bytes = u64::try_from(bytes).unwrap_or_default();
            sent.fetch_add(bytes, Ordering::Relaxed);
        };
        let whole = self.drip.map_or(self.bytes.len(), |(from, _)| from);
        let (first, rest) = self.bytes.split_at(whole.min(self.bytes.len()));
        client.write_all(first).await?;
        count(first.len());
        if let Some((_, pause)) = self.drip {
            for byte in rest {
                tokio::time::sleep(pause).await;
                client.write_all(std::slice::from_ref(byte)).await?;
                count(1);
            }
        }
        if let Some(flood) = &self.flood {
            for _ in 0..flood.times {
                client.write_all(&flood.unit).await?;
                count(flood.unit.len());
                if !flood.pause.is_zero() {
                    tokio::time::sleep(flood.pause).await;
                }
            }
        }
        client.flush().await?;
        Ok(self.end)
    }
}

/// Ends a connection.
pub(super) async fn end(mut client: TcpStream, how: End) -> io::Result<()> {
    match how {
        End::Keep | End::Close => client.shutdown().await,
        End::Reset => {
            // With a linger of zero, closing discards unsent bytes and sends a reset.
            client.set_zero_linger()?;
            drop(client);
            Ok(())
        }
        End::Hang => {
            let mut unread = [0; 1024];
            while client.read(&mut unread).await? > 0 {}
            Ok(())
        }
    }
}
