//! The body of an answer to a call of the API. A small text is read at once;
//! anything else is read piece by piece as the page asks for it, so that a body of any size needs
//! the memory of one piece.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::error::BackendError;
use super::response::Response;
use crate::status::has_no_body;
use crate::transport::ResponseBodyStream;
use crate::wire::FetchReply;

/// The most bytes that a body has which is read at once.
const SMALL: usize = 256 * 1024;
/// The most bytes that one read returns. Each read is a command of the page, which costs it as much as
/// some hundred kilobytes do.
pub const CHUNK: usize = 1024 * 1024;
/// How long a piece of a body with a length may take to become full. A backend that sends slowly still
/// shows the page its progress.
const FILL_TIMEOUT: Duration = Duration::from_millis(50);
/// How many times in a row a read lets the connection's task go on before it takes no more to have come.
/// That task hands over a part only when it has a turn.
const TURNS: usize = 8;

/// A body that is still to be read.
pub struct Download {
    /// None once the body was read to its end.
    body: Option<Box<dyn ResponseBodyStream>>,
    /// Bytes that have come and were not handed out.
    held: Bytes,
    /// How many bytes have not come of those that were announced; `None` where no length was.
    awaited: Option<u64>,
    /// Why no byte comes after those. Kept for every later read: a body that broke off must not
    /// seem to end.
    fault: Option<BackendError>,
    /// How long the backend may pause.
    idle: Duration,
}

impl Download {
    /// How many bytes have come and were not handed out.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether every byte that was announced has been handed out.
    pub fn is_over(&self) -> bool {
        self.awaited == Some(0) && self.held.is_empty()
    }

    /// The next piece, or `None` at the end of the body. It waits for the first byte.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, BackendError> {
        if self.held.is_empty() && !self.fill().await? {
            return Ok(None);
        }
        Ok(Some(match self.awaited {
            Some(awaited) => self.full_piece(awaited).await,
            None => self.piece_at_once().await,
        }))
    }

    /// A full piece, or the rest of the body. What keeps it from becoming full is for the next read.
    async fn full_piece(&mut self, awaited: u64) -> Vec<u8> {
        let rest = awaited.saturating_add(self.held.len() as u64);
        let size = usize::try_from(rest).unwrap_or(CHUNK).min(CHUNK);
        let mut piece = Vec::with_capacity(size);
        let until = Instant::now() + FILL_TIMEOUT;
        loop {
            self.give_to(&mut piece, size);
            if piece.len() == size {
                return piece;
            }
            match timeout_at(until, self.more()).await {
                Ok(Ok(Some(more))) => self.held = more,
                Ok(Ok(None) | Err(_)) | Err(_) => return piece,
            }
        }
    }

    /// What has come to this machine by now: the page of a body without a length may wait for each
    /// part of it. What comes after that, a fault too, is for the next read.
    async fn piece_at_once(&mut self) -> Vec<u8> {
        let mut piece = Vec::new();
        let mut turns = TURNS;
        loop {
            self.give_to(&mut piece, CHUNK);
            if piece.len() == CHUNK {
                return piece;
            }
            match at_once(self.more()).await {
                Some(Ok(Some(more))) => {
                    self.held = more;
                    turns = TURNS;
                }
                None if turns > 0 => {
                    turns -= 1;
                    tokio::task::yield_now().await;
                }
                Some(Ok(None) | Err(_)) | None => return piece,
            }
        }
    }

    /// Moves bytes that are held into a piece, until it has `size` bytes.
    fn give_to(&mut self, piece: &mut Vec<u8>, size: usize) {
        let room = size - piece.len();
        piece.extend_from_slice(&self.held.split_to(self.held.len().min(room)));
    }

    /// Waits until a byte is held; false at the end of the body.
    async fn fill(&mut self) -> Result<bool, BackendError> {
        while self.held.is_empty() {
            let more = tokio::time::timeout(self.idle, self.more()).await;
            match more.map_err(|_| BackendError::TimedOut)?? {
                Some(more) => self.held = more,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn more(&mut self) -> Result<Option<Bytes>, BackendError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let more = body.chunk().await.map_err(BackendError::of_body);
        let more = more.and_then(|more| counted(&mut self.awaited, more));
        match more {
            Ok(Some(_)) => {}
            Ok(None) => self.body = None,
            Err(fault) => self.fault = Some(fault),
        }
        more
    }

    /// Reads until the end of the body, or until more than `limit` bytes are held. Returns whether
    /// the body has ended.
    async fn hold(&mut self, limit: usize) -> Result<bool, BackendError> {
        let mut held = Vec::new();
        while held.len() <= limit && self.fill().await? {
            held.extend_from_slice(&std::mem::take(&mut self.held));
        }
        self.held = Bytes::from(held);
        Ok(self.body.is_none())
    }
}

/// Takes off what has come of the length that was announced.
fn counted(awaited: &mut Option<u64>, more: Option<Bytes>) -> Result<Option<Bytes>, BackendError> {
    let Some(awaited) = awaited else {
        return Ok(more);
    };
    let came = more.as_ref().map(|bytes| bytes.len() as u64);
    match (came, *awaited) {
        (Some(came), left) if came > left => Err(BackendError::BadAnswer),
        (None, 1..) => Err(BackendError::Truncated),
        (came, left) => {
            *awaited = left - came.unwrap_or_default();
            Ok(more)
        }
    }
}

/// What a future is ready with now, without waiting.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}

impl Response {
    /// The answer for a page: with its body if that is a small text, otherwise with what reads the
    /// body. A body without a length is waited for only if it is JSON, since a page can use JSON
    /// only when it is whole; and only for the length of one piece.
    pub(super) async fn settle(
        self,
        idle: Duration,
    ) -> Result<(FetchReply, Option<Download>), BackendError> {
        let status = self.status().as_u16();
        let headers = self.headers_for_window();
        let length = self.response.length;
        let is_small = match length {
            Some(length) => length <= SMALL as u64,
            None => self.kind().is_some_and(|kind| is_json(&kind)),
        };
        let mut download = Download {
            body: Some(self.response.body),
            held: Bytes::new(),
            awaited: length,
            fault: None,
            idle,
        };
        let mut reply = FetchReply {
            status,
            headers,
            body: String::new(),
            streamed: false,
            length: None,
        };
        if has_no_body(status) {
            return Ok((reply, None));
        }
        if is_small && download.hold(SMALL).await? {
            let held = std::mem::take(&mut download.held);
            match String::from_utf8(held.into()) {
                Ok(text) => {
                    reply.body = text;
                    return Ok((reply, None));
                }
                Err(error) => download.held = error.into_bytes().into(),
            }
        }
        reply.streamed = true;
        reply.length = length;
        Ok((reply, Some(download)))
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim_end();
    essence == "application/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::transport::{BoxFuture, TransportError};

    struct Pieces(VecDeque<Bytes>);

    impl ResponseBodyStream for Pieces {
        fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
            let next = self.0.pop_front();
            Box::pin(async move { Ok(next) })
        }
    }

    /// The sizes of the pieces that a page gets of a body that comes in `parts`, to its end or a fault.
    async fn read(parts: &[usize], awaited: Option<u64>) -> (Vec<usize>, Option<BackendError>) {
        let parts = parts.iter().map(|size| Bytes::from(vec![b'x'; *size]));
        let mut download = Download {
            body: Some(Box::new(Pieces(parts.collect()))),
            held: Bytes::new(),
            awaited,
            fault: None,
            idle: Duration::from_secs(1),
        };
        let mut sizes = Vec::new();
        while !download.is_over() {
            match download.read().await {
                Ok(Some(piece)) => sizes.push(piece.len()),
                Ok(None) => break,
                Err(fault) => return (sizes, Some(fault)),
            }
        }
        (sizes, None)
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_it_said_or_a_fault() {
        let parts = [CHUNK - 1, 2, 6];
        let all = CHUNK as u64 + 7;
        assert_eq!(read(&parts, Some(all)).await, (vec![CHUNK, 7], None));
        assert_eq!(read(&parts, None).await, (vec![CHUNK, 7], None));
        let short = read(&parts, Some(all + 1)).await;
        assert_eq!(short, (vec![CHUNK, 7], Some(BackendError::Truncated)));
        let long = read(&parts, Some(all - 1)).await;
        assert_eq!(long, (vec![CHUNK, 1], Some(BackendError::BadAnswer)));
        assert_eq!(read(&[], Some(0)).await, (vec![], None));
    }
}
