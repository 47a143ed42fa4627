//! A sign-in that goes on outside of the app, as this process holds it. It exists here alone: a restart
//! ends it.

use std::sync::Arc;

use tokio::sync::oneshot;
use url::Url;

use super::epoch::AttemptId;
use crate::backend::{Authorization, Returned};
use crate::identity::BrowserSignInId;

/// The one that is open. Dropping it ends it.
pub(super) struct OpenBrowserFlow {
    pub id: BrowserSignInId,
    pub attempt: AttemptId,
    /// What the browser was sent out for, once that is known.
    pub waiting: Option<Waiting>,
    /// Closed when this is dropped.
    _open: oneshot::Sender<()>,
}

/// What a flow waits for.
pub(super) struct Waiting {
    /// What the browser opens.
    pub address: Url,
    /// For a redirect by scheme: what is expected, and where it goes.
    pub redirect: Option<ExpectedRedirect>,
}

/// A redirect by the app's scheme that is expected.
pub(super) struct ExpectedRedirect {
    authorization: Arc<Authorization>,
    /// Taken by the first answer.
    answer: Option<oneshot::Sender<Returned>>,
}

impl OpenBrowserFlow {
    /// One that has begun, and the other end, which is told when it is closed.
    pub(super) fn open(id: BrowserSignInId, attempt: AttemptId) -> (Self, oneshot::Receiver<()>) {
        let (open, closed) = oneshot::channel();
        let flow = Self {
            id,
            attempt,
            waiting: None,
            _open: open,
        };
        (flow, closed)
    }

    /// Whether this address is the answer that is waited for. The first such address ends the wait.
    pub(super) fn take_redirect(&mut self, address: &Url) -> bool {
        let expected = self.waiting.as_mut().and_then(|it| it.redirect.as_mut());
        let Some(expected) = expected else {
            return false;
        };
        let Some(returned) = expected.authorization.answer(address) else {
            return false;
        };
        match expected.answer.take() {
            Some(answer) => answer.send(returned).is_ok(),
            None => false,
        }
    }
}

impl ExpectedRedirect {
    pub(super) fn of(authorization: Arc<Authorization>) -> (Self, oneshot::Receiver<Returned>) {
        let (answer, returned) = oneshot::channel();
        let expected = Self {
            authorization,
            answer: Some(answer),
        };
        (expected, returned)
    }
}
