//! A request's body that goes out in pieces, no faster than the backend takes them. It is watched,
//! so that a backend that takes no more pieces is told apart from a page that gives no more.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::transport::BrokenOff;

/// The most bytes of a piece.
const MAX_PIECE: usize = 64 * 1024;
/// How many pieces may wait to be sent. A sender that has one more waits.
const QUEUED_PIECES: usize = 2;

/// What comes through the channel. Only [`UploadPart::End`] ends a body well: when the page goes
/// away the channel is closed without it, and half a body must not pass for a whole one.
pub(crate) enum UploadPart {
    Chunk(Bytes),
    End,
}

/// Takes the pieces of a body.
pub(crate) type Sender = mpsc::Sender<UploadPart>;

/// A request's body.
pub(super) struct UploadBody {
    source: Source,
    /// How many bytes are still to come, where the length is known.
    left: Option<u64>,
    stage: watch::Sender<UploadStage>,
}

enum Source {
    Kept(Bytes),
    Fed(mpsc::Receiver<UploadPart>),
}

/// Whom the exchange waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UploadStage {
    /// The backend, to take the piece of this number.
    Moving(u64),
    /// The page, to give another piece.
    Hungry,
    /// The backend, to answer: it has the whole body.
    Sent,
}

impl UploadBody {
    /// A body that is in memory.
    pub(super) fn in_memory(bytes: Bytes) -> Self {
        let left = u64::try_from(bytes.len()).ok();
        Self::of(Source::Kept(bytes), left)
    }

    /// A body that comes through the sender, of `length` bytes if that is known.
    pub(super) fn streamed(length: Option<u64>) -> (Sender, Self) {
        let (sender, receiver) = mpsc::channel(QUEUED_PIECES);
        (sender, Self::of(Source::Fed(receiver), length))
    }

    fn of(source: Source, left: Option<u64>) -> Self {
        Self {
            source,
            left,
            stage: watch::Sender::new(UploadStage::Moving(0)),
        }
    }

    /// Whether no byte is still to come, as far as that is known.
    pub(super) fn is_empty(&self) -> bool {
        self.left == Some(0)
    }

    /// Watches this body.
    pub(super) fn watch(&self) -> UploadWatch {
        UploadWatch(self.stage.subscribe())
    }

    fn moved(&self) {
        self.stage.send_modify(|stage| {
            *stage = match *stage {
                UploadStage::Moving(count) => UploadStage::Moving(count + 1),
                UploadStage::Hungry | UploadStage::Sent => UploadStage::Moving(0),
            }
        });
    }

    fn pass(&mut self, piece: Bytes) -> Option<Result<Frame<Bytes>, BrokenOff>> {
        if let Some(left) = &mut self.left {
            let Some(rest) = left.checked_sub(piece.len() as u64) else {
                // More bytes than were announced.
                return Some(Err(BrokenOff));
            };
            *left = rest;
        }
        self.moved();
        if self.left == Some(0) {
            self.stage.send_replace(UploadStage::Sent);
        }
        Some(Ok(Frame::data(piece)))
    }

    fn end(&self) -> Option<Result<Frame<Bytes>, BrokenOff>> {
        if self.left.is_some_and(|left| left > 0) {
            return Some(Err(BrokenOff));
        }
        self.stage.send_replace(UploadStage::Sent);
        None
    }
}

impl Body for UploadBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        match &mut this.source {
            Source::Kept(bytes) if bytes.is_empty() => Poll::Ready(this.end()),
            Source::Kept(bytes) => {
                let piece = bytes.split_to(bytes.len().min(MAX_PIECE));
                Poll::Ready(this.pass(piece))
            }
            Source::Fed(parts) => {
                let part = match parts.poll_recv(cx) {
                    Poll::Ready(part) => part,
                    Poll::Pending => {
                        this.stage.send_replace(UploadStage::Hungry);
                        return Poll::Pending;
                    }
                };
                Poll::Ready(match part {
                    Some(UploadPart::Chunk(piece)) => this.pass(piece),
                    Some(UploadPart::End) => this.end(),
                    None => Some(Err(BrokenOff)),
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Watches how a body goes out.
pub(super) struct UploadWatch(watch::Receiver<UploadStage>);

impl UploadWatch {
    /// Resolves once the backend takes too long: `idle` to take a piece, or `answer` to answer
    /// after the last. How long the page takes does not count.
    pub(super) async fn stalls(mut self, idle: Duration, answer: Duration) {
        loop {
            let stage = *self.0.borrow_and_update();
            let changed = self.0.changed();
            let changed = match stage {
                UploadStage::Hungry => Ok(changed.await),
                UploadStage::Moving(_) => timeout(idle, changed).await,
                UploadStage::Sent => timeout(answer, changed).await,
            };
            match changed {
                Ok(Ok(())) => {}
                // The body was dropped, whole or not: only the answer is still to come.
                Ok(Err(_)) => return sleep(answer).await,
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn next(body: &mut UploadBody) -> Option<Result<usize, BrokenOff>> {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.data_ref().map_or(0, Bytes::len)))
    }

    #[tokio::test]
    async fn a_kept_body_goes_out_in_pieces() {
        let mut body = UploadBody::in_memory(Bytes::from(vec![1; MAX_PIECE + 7]));
        assert_eq!(body.size_hint().exact(), Some(MAX_PIECE as u64 + 7));
        assert!(matches!(next(&mut body).await, Some(Ok(MAX_PIECE))));
        assert!(matches!(next(&mut body).await, Some(Ok(7))));
        assert!(next(&mut body).await.is_none() && body.is_end_stream());
    }

    #[tokio::test]
    async fn half_a_body_does_not_pass_for_a_whole_one() {
        let chunk = || UploadPart::Chunk(Bytes::from_static(b"abc"));
        for (length, parts, well) in [
            (None, vec![chunk(), UploadPart::End], true),
            (None, vec![chunk()], false),
            (Some(6), vec![chunk(), UploadPart::End], false),
            (Some(2), vec![chunk(), UploadPart::End], false),
            (Some(3), vec![chunk()], true),
            (Some(0), vec![UploadPart::End], true),
        ] {
            let (sender, mut body) = UploadBody::streamed(length);
            for part in parts {
                sender.send(part).await.expect("room");
            }
            drop(sender);
            let mut ended = true;
            while !body.is_end_stream()
                && let Some(piece) = next(&mut body).await
            {
                if piece.is_err() {
                    ended = false;
                    break;
                }
            }
            assert_eq!(ended, well, "{length:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_may_take_its_time_and_the_backend_may_not() {
        let (idle, answer) = (Duration::from_secs(30), Duration::from_secs(60));
        let (sender, mut body) = UploadBody::streamed(None);
        let mut stalls = std::pin::pin!(body.watch().stalls(idle, answer));
        let mut within = async |seconds| {
            let wait = Duration::from_secs(seconds);
            timeout(wait, stalls.as_mut()).await.is_ok()
        };
        sender
            .send(UploadPart::Chunk(Bytes::from_static(b"a")))
            .await
            .expect("room");
        next(&mut body).await;
        // It takes the piece and asks for more: for an hour that is the page's turn.
        let asked = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx).is_pending()));
        assert!(asked.await);
        assert!(!within(3600).await, "the page's turn");
        sender
            .send(UploadPart::Chunk(Bytes::from_static(b"b")))
            .await
            .expect("room");
        next(&mut body).await;
        assert!(!within(29).await, "the backend's turn");
        sender.send(UploadPart::End).await.expect("room");
        next(&mut body).await;
        assert!(!within(59).await, "the backend's turn to answer");
        assert!(within(2).await);
    }
}
