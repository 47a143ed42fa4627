//! One refresh at a time for each session: callers join the one that is under way.
//!
//! It is a task of its own, which neither a closed window nor a cancelled command stops.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::base::Base;
use super::commit::Overtaken;
use super::epoch::{AccessId, Epoch};
use super::inner::Inner;
use super::rotation::Rotation;
use crate::error::{AuthError, ErrorCode};

/// Who wants a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshReason {
    /// The schedule.
    Timer,
    /// A person, or native code.
    Click,
    /// A page, for whatever reason: nobody knows whether somebody clicked.
    Page,
    /// A call for which this access token did not do; none where there was none.
    Call(Option<AccessId>),
}

/// What a refresh comes to.
pub(super) type Outcome = Result<(), AuthError>;

/// A refresh under way, of one epoch's session, and later its outcome.
struct UnderWay {
    epoch: Epoch,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// Refreshes, one at a time for each session.
pub(super) struct Refresh {
    base: Arc<Base>,
    rotation: Rotation,
    under_way: Mutex<Option<UnderWay>>,
}

impl Refresh {
    pub fn new(base: Arc<Base>, rotation: Rotation) -> Self {
        Self {
            base,
            rotation,
            under_way: Mutex::default(),
        }
    }

    /// The same for a page, whose script can ask without end: it waits for its turn. Nothing is
    /// sent where the session has been renewed by then.
    pub async fn refresh_for_page(self: &Arc<Self>, epoch: Epoch) -> Outcome {
        let core = &self.base.core;
        let now = core.now();
        let wait = core.at(epoch).and_then(|at| at.plan.page_wait(now));
        if let Some(wait) = wait {
            core.clock.sleep_until(now + wait).await;
        }
        let is_renewed = |inner: &Inner| inner.plan.is_renewed_since(now);
        match core.look(is_renewed) {
            true => Ok(()),
            false => self.refresh(epoch, RefreshReason::Page).await,
        }
    }

    /// Renews the session of `epoch`: joins the refresh of that session which is under way, or
    /// starts one if it may start.
    pub async fn refresh(self: &Arc<Self>, epoch: Epoch, reason: RefreshReason) -> Outcome {
        let mut outcome = {
            let mut slot = self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match &*slot {
                Some(UnderWay { epoch: of, outcome })
                    if *of == epoch
                        && outcome.borrow().is_none()
                        && outcome.has_changed().is_ok() =>
                {
                    outcome.clone()
                }
                _ => {
                    // A look after the lock: whoever was waiting may have been served.
                    if let Some(answer) = self.refused(epoch, reason) {
                        return answer;
                    }
                    let (done, outcome) = watch::channel(None);
                    let me = self.clone();
                    tokio::spawn(async move {
                        let result = me.rotation.rotate(epoch, reason).await;
                        done.send_replace(Some(result));
                    });
                    let under_way = outcome.clone();
                    *slot = Some(UnderWay {
                        epoch,
                        outcome: under_way,
                    });
                    outcome
                }
            }
        };
        match outcome.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Err(ErrorCode::Internal.into())),
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }

    /// Whether a new refresh may start; `Some` is the answer of one that may not.
    fn refused(&self, epoch: Epoch, reason: RefreshReason) -> Option<Outcome> {
        let now = self.base.core.now();
        let Some(at) = self.base.core.at(epoch) else {
            return Some(Err(Overtaken.into()));
        };
        match reason {
            RefreshReason::Timer => return None,
            RefreshReason::Call(access) if at.access_id() != access => {
                // Someone else has been faster.
                return Some(Ok(()));
            }
            RefreshReason::Click | RefreshReason::Page | RefreshReason::Call(_) => {}
        }
        if !at.may_be_refreshed() {
            return Some(Err(ErrorCode::NotSignedIn.into()));
        }
        let page_wait = match reason {
            // Somebody has been faster, and the token is new.
            RefreshReason::Page if at.plan.page_wait(now).is_some() => return Some(Ok(())),
            // A path that always answers 401 would else rotate the token with each call.
            RefreshReason::Call(_) => at.plan.page_wait(now),
            _ => None,
        };
        let wait = at.plan.click_wait(now).or(page_wait)?;
        let error = match (reason, at.obstacle) {
            // Only the backend can ask to be left alone.
            _ if at.plan.is_asked_to_wait(now) => AuthError::new(ErrorCode::RateLimited),
            (RefreshReason::Call(_), Some(obstacle)) => {
                AuthError::with_message(ErrorCode::Unreachable, obstacle.sentences())
            }
            (RefreshReason::Call(_), None) => AuthError::new(ErrorCode::Unreachable),
            _ => AuthError::new(ErrorCode::Busy),
        };
        Some(Err(error.retry_after(Some(wait))))
    }
}
