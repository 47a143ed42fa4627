//! The body of an answer to a call of the API. A small text is read at once;
//! anything else is read piece by piece as the page asks for it, so that a body of any size needs
//! the memory of one piece.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

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
/// How many times in a row a read lets the connection's task go on before it takes no more to have come.
/// That task hands over a part only when it has a turn.
const TURNS: usize = 8;

/// A body that is still to be read.
pub struct Download {
    /// None once the body was read to its end.
    body: Option<Box<dyn ResponseBodyStream>>,
    /// Bytes that have come and were not handed out.
    held: Bytes,
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

    /// The next piece, or `None` at the end of the body. It waits for the first byte, and takes
    /// along what has come to this machine by then.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, BackendError> {
        if self.held.is_empty() && !self.fill().await? {
            return Ok(None);
        }
        let mut piece = Vec::new();
        let mut turns = TURNS;
        loop {
            let room = CHUNK - piece.len();
            piece.extend_from_slice(&self.held.split_to(self.held.len().min(room)));
            if piece.len() == CHUNK {
                return Ok(Some(piece));
            }
            // The page gets what has come now instead of a full piece later. What comes after
            // it, a fault too, is for the next read.
            match at_once(self.more()).await {
                Some(Ok(Some(more))) => {
                    self.held = more;
                    turns = TURNS;
                }
                None if turns > 0 => {
                    turns -= 1;
                    tokio::task::yield_now().await;
                }
                Some(Ok(None) | Err(_)) | None => return Ok(Some(piece)),
            }
        }
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
            fault: None,
            idle,
        };
        let mut reply = FetchReply {
            status,
            headers,
            body: String::new(),
            streamed: false,
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
        Ok((reply, Some(download)))
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim_end();
    essence == "application/json" || essence.ends_with("+json")
}
