//! The page's side of a call whose body the page writes piece by piece. The call itself runs in a
//! task, which ends with the [`Upload`].

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::AbortHandle;

use crate::backend::{ApiPayload, Download, Part, Sender};
use crate::error::{AuthError, ErrorCode};
use crate::wire::FetchReply;

/// How an upload ended.
type Outcome = Result<(FetchReply, Option<Download>), AuthError>;

/// What the call tells the page.
enum Step {
    /// It needs the body once more, through this sender.
    Again(Sender),
    Over(Box<Outcome>),
}

/// Announces that there is a step before it sends the step itself, so that a page which is writing
/// can stop.
#[derive(Clone)]
pub(super) struct Steps {
    sender: mpsc::Sender<Step>,
    ready: watch::Sender<bool>,
}

impl Steps {
    async fn say(&self, step: Step) -> Result<(), AuthError> {
        self.ready.send_replace(true);
        let said = self.sender.send(step).await;
        said.map_err(|_| AuthError::new(ErrorCode::Internal))
    }
}

/// Asks the page for the body once more.
pub(super) struct Again {
    steps: Steps,
    length: Option<u64>,
}

impl Again {
    pub fn new(steps: &Steps, length: Option<u64>) -> Self {
        Self {
            steps: steps.clone(),
            length,
        }
    }

    pub async fn ask(&self) -> Result<ApiPayload, AuthError> {
        let (sender, payload) = ApiPayload::fed(self.length);
        self.steps.say(Step::Again(sender)).await?;
        Ok(payload)
    }
}

/// A call under way. Dropping it ends it, and the connection with it.
pub struct Upload {
    /// Kept to the end: a body that closes early would close the connection, from which the answer
    /// is still being read.
    sender: Mutex<Sender>,
    steps: Mutex<mpsc::Receiver<Step>>,
    ready: watch::Sender<bool>,
    task: AbortHandle,
}

/// What became of the body.
pub enum Given {
    /// An answer, with its body to be read if it is not small.
    Answer(FetchReply, Option<Box<Download>>),
    /// The body is needed once more, from its first byte.
    Again,
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upload {
    pub(super) fn start<F>(sender: Sender, call: impl FnOnce(&Steps) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (said, steps) = mpsc::channel(1);
        let ready = watch::Sender::new(false);
        let saying = Steps {
            sender: said,
            ready: ready.clone(),
        };
        let call = call(&saying);
        let task = tokio::spawn(async move {
            let outcome = call.await;
            // If the page has gone, nobody receives this.
            let _ = saying.say(Step::Over(Box::new(outcome))).await;
        });
        Self {
            sender: Mutex::new(sender),
            steps: Mutex::new(steps),
            ready,
            task: task.abort_handle(),
        }
    }

    /// Writes the next piece as soon as there is room for it. Returns false if no more is wanted;
    /// [`Upload::answer`] then says why.
    pub async fn write(&self, piece: Vec<u8>) -> bool {
        let sender = self.sender.lock().await;
        let piece = Part::Chunk(Bytes::from(piece));
        self.give(&sender, piece).await
    }

    async fn give(&self, sender: &Sender, part: Part) -> bool {
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
    pub async fn answer(&self) -> Result<Given, AuthError> {
        let mut sender = self.sender.lock().await;
        self.give(&sender, Part::End).await;
        let step = self.steps.lock().await.recv().await;
        match step {
            Some(Step::Again(next)) => {
                *sender = next;
                self.ready.send_replace(false);
                Ok(Given::Again)
            }
            Some(Step::Over(outcome)) => {
                let (reply, rest) = (*outcome)?;
                Ok(Given::Answer(reply, rest.map(Box::new)))
            }
            None => Err(ErrorCode::Internal.into()),
        }
    }
}
