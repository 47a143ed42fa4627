//! An answer to an API call: small text at once, anything else piece by piece as the window
//! asks for it, so that a body of any size needs the memory of one piece.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use super::fault::Fault;
use super::head::{BODY_LIMIT, Head};
use crate::transport::AnswerBody;
use crate::wire::FetchReply;

/// The most that one read answers.
pub const CHUNK: usize = 256 * 1024;

/// A body that is still to be read.
pub struct Download {
    /// None once it was read to its end.
    body: Option<Box<dyn AnswerBody>>,
    /// Read already, and not handed out.
    held: Bytes,
    /// What stands in the way after that. A body that broke off must not seem to end.
    fault: Option<Fault>,
    idle: Duration,
}

impl Download {
    /// How many bytes have come and were not read.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The next piece, as large as can be had without waiting once there is something;
    /// `None` at the end.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if self.held.is_empty() && !self.fill().await? {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(CHUNK);
        loop {
            let room = CHUNK - piece.len();
            piece.extend_from_slice(&self.held.split_to(self.held.len().min(room)));
            if piece.len() == CHUNK {
                return Ok(Some(piece));
            }
            // What has arrived is worth more to the window now than a full piece later; what
            // comes after it, a fault too, is told by the next read.
            match at_once(self.more()).await {
                Some(Ok(Some(more))) => self.held = more,
                Some(Ok(None) | Err(_)) | None => return Ok(Some(piece)),
            }
        }
    }

    /// Waits for something to hold; false at the end.
    async fn fill(&mut self) -> Result<bool, Fault> {
        while self.held.is_empty() {
            let more = tokio::time::timeout(self.idle, self.more()).await;
            match more.map_err(|_| Fault::TimedOut)?? {
                Some(more) => self.held = more,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn more(&mut self) -> Result<Option<Bytes>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let more = body.chunk().await.map_err(Fault::of_body);
        match more {
            Ok(Some(_)) => {}
            Ok(None) => self.body = None,
            Err(fault) => self.fault = Some(fault),
        }
        more
    }

    /// Reads on until the end or until more than `limit` is held; whether it has ended.
    async fn hold(&mut self, limit: usize) -> Result<bool, Fault> {
        let mut held = Vec::new();
        while held.len() <= limit && self.fill().await? {
            held.extend_from_slice(&std::mem::take(&mut self.held));
        }
        self.held = Bytes::from(held);
        Ok(self.body.is_none())
    }
}

/// What a future has to say without waiting.
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

impl Head {
    /// The answer for a window: with its body if that is a little text, otherwise with what
    /// it takes to read it. What has no length is waited for only where it is JSON, which
    /// nobody can use by halves.
    pub(super) async fn settle(
        self,
        idle: Duration,
    ) -> Result<(FetchReply, Option<Download>), Fault> {
        let status = self.status().as_u16();
        let headers = self.headers_for_window();
        let length = self.response.length;
        let is_small = match length {
            Some(length) => length <= BODY_LIMIT as u64,
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
        if matches!(status, 204 | 205 | 304) {
            return Ok((reply, None));
        }
        if is_small && download.hold(BODY_LIMIT).await? {
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
