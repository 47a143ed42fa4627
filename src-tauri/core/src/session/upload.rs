//! The page's side of a call whose body the page writes piece by piece. The call itself runs in a
//! task, which ends with the [`Upload`].

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::AbortHandle;

use crate::backend::{ApiPayload, Download, Sender, UploadPart};
use crate::error::{AuthError, ErrorCode};
use crate::wire::FetchReply;

/// How an upload ended.
type UploadOutcome = Result<(FetchReply, Option<Download>), AuthError>;

/// What the call tells the page.
enum UploadEvent {
    /// It needs the body once more, through this sender.
    SendAgain(Sender),
    Over(Box<UploadOutcome>),
}

/// Announces that there is a step before it sends the step itself, so that a page which is writing
/// can stop.
#[derive(Clone)]
pub(super) struct UploadEvents {
    sender: mpsc::Sender<UploadEvent>,
    ready: watch::Sender<bool>,
}

impl UploadEvents {
    async fn send(&self, event: UploadEvent) -> Result<(), AuthError> {
        self.ready.send_replace(true);
        let sent = self.sender.send(event).await;
        sent.map_err(|_| AuthError::new(ErrorCode::Internal))
    }
}

/// Asks the page for the body once more.
pub(super) struct BodyReplay {
    events: UploadEvents,
    length: Option<u64>,
}

impl BodyReplay {
    pub(super) fn new(events: &UploadEvents, length: Option<u64>) -> Self {
        Self {
            events: events.clone(),
            length,
        }
    }

    pub(super) async fn request(&self) -> Result<ApiPayload, AuthError> {
        let (sender, payload) = ApiPayload::streamed(self.length);
        self.events.send(UploadEvent::SendAgain(sender)).await?;
        Ok(payload)
    }
}

/// A call under way. Dropping it ends it, and the connection with it.
pub struct Upload {
    /// Kept to the end: a body that closes early would close the connection, from which the answer
    /// is still being read.
    sender: Mutex<Sender>,
    events: Mutex<mpsc::Receiver<UploadEvent>>,
    ready: watch::Sender<bool>,
    task: AbortHandle,
}

/// What became of the body.
pub enum UploadAnswer {
    /// An answer, with its body to be read if it is not small.
    Answer(FetchReply, Option<Box<Download>>),
    /// The body is needed once more, from its first byte.
    SendAgain,
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upload {
    pub(super) fn start<F>(sender: Sender, call: impl FnOnce(&UploadEvents) -> F) -> Self
    where
        F: Future<Output = UploadOutcome> + Send + 'static,
    {
        let (sent, events) = mpsc::channel(1);
        let ready = watch::Sender::new(false);
        let reporter = UploadEvents {
            sender: sent,
            ready: ready.clone(),
        };
        let call = call(&reporter);
        let task = tokio::spawn(async move {
            let outcome = call.await;
            // If the page has gone, nobody receives this.
            let _ = reporter.send(UploadEvent::Over(Box::new(outcome))).await;
        });
        Self {
            sender: Mutex::new(sender),
            events: Mutex::new(events),
            ready,
            task: task.abort_handle(),
        }
    }

    /// Writes the next piece as soon as there is room for it. Returns false if no more is wanted;
    /// [`Upload::answer`] then says why.
    pub async fn write(&self, piece: Vec<u8>) -> bool {
        let sender = self.sender.lock().await;
        let piece = UploadPart::Chunk(Bytes::from(piece));
        self.give(&sender, piece).await
    }

    async fn give(&self, sender: &Sender, part: UploadPart) -> bool {
        let mut ready = self.ready.subscribe();
        tokio::select! {
            biased;
            _ = ready.wait_for(|ready| *ready) => false,
            sent = sender.send(part) => sent.is_ok(),
        }
    }

    /// Ends the body, unless no more of it was wanted, and waits for the result.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn answer(&self) -> Result<UploadAnswer, AuthError> {
        let mut sender = self.sender.lock().await;
        self.give(&sender, UploadPart::End).await;
        let event = self.events.lock().await.recv().await;
        match event {
            Some(UploadEvent::SendAgain(next)) => {
                *sender = next;
                self.ready.send_replace(false);
                Ok(UploadAnswer::SendAgain)
            }
            Some(UploadEvent::Over(outcome)) => {
                let (reply, rest) = (*outcome)?;
                Ok(UploadAnswer::Answer(reply, rest.map(Box::new)))
            }
            None => Err(ErrorCode::Internal.into()),
        }
    }
}
