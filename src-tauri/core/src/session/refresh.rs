//! One refresh at a time for each session: callers join the one that is under way.
//!
//! It runs in a task of its own, which neither a closed window nor a cancelled command stops.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::commit::Overtaken;
use super::context::Context;
use super::epoch::Epoch;
use super::inner::Inner;
use super::refresh_reason::{RefreshOutcome, RefreshReason};
use super::rotation::Rotation;
use crate::error::{AuthError, ErrorCode};

/// A refresh under way, of one epoch's session, and later its outcome.
struct RunningRefresh {
    epoch: Epoch,
    outcome: watch::Receiver<Option<RefreshOutcome>>,
}

/// Refreshes, one at a time for each session.
pub(super) struct Refresh {
    context: Arc<Context>,
    rotation: Rotation,
    running: Mutex<Option<RunningRefresh>>,
}

impl Refresh {
    pub(super) fn new(context: Arc<Context>, rotation: Rotation) -> Self {
        Self {
            context,
            rotation,
            running: Mutex::default(),
        }
    }

    /// [`Self::refresh`] for a page, whose script can ask without end: soon after a request that has
    /// renewed the session it waits. Nothing is sent if the session has been renewed again by then.
    pub(super) async fn refresh_for_page(self: &Arc<Self>, epoch: Epoch) -> RefreshOutcome {
        let shared = &self.context.shared;
        let now = shared.now();
        let wait = shared.in_epoch(epoch).and_then(|at| {
            // After a failure the page is told how long to wait.
            at.plan.page_wait(now).filter(|_| at.plan.is_renewed())
        });
        if let Some(wait) = wait {
            shared.clock.sleep_until(now + wait).await;
        }
        let is_renewed = |inner: &Inner| inner.plan.is_renewed_since(now);
        match shared.look(is_renewed) {
            true => Ok(()),
            false => self.refresh(epoch, RefreshReason::Page).await,
        }
    }

    /// Renews the session of `epoch`: joins the refresh of that session which is under way, or
    /// starts one if it may start.
    pub(super) async fn refresh(
        self: &Arc<Self>,
        epoch: Epoch,
        reason: RefreshReason,
    ) -> RefreshOutcome {
        let mut outcome = {
            let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            match &*slot {
                Some(RunningRefresh { epoch: of, outcome })
                    if *of == epoch
                        && outcome.borrow().is_none()
                        && outcome.has_changed().is_ok() =>
                {
                    outcome.clone()
                }
                _ => {
                    // Checked after the lock is taken: a refresh that ended meanwhile may have been
                    // enough.
                    if let Some(answer) = self.early_answer(epoch, reason) {
                        return answer;
                    }
                    let (done, outcome) = watch::channel(None);
                    let me = self.clone();
                    tokio::spawn(async move {
                        let result = me.rotation.rotate(epoch, reason).await;
                        done.send_replace(Some(result));
                    });
                    let running = outcome.clone();
                    *slot = Some(RunningRefresh {
                        epoch,
                        outcome: running,
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

    /// The answer to a refresh that may not start; `None` if it may.
    fn early_answer(&self, epoch: Epoch, reason: RefreshReason) -> Option<RefreshOutcome> {
        let now = self.context.shared.now();
        let Some(at) = self.context.shared.in_epoch(epoch) else {
            return Some(Err(Overtaken.into()));
        };
        match reason {
            RefreshReason::Timer => return None,
            RefreshReason::Call(access) if at.access_id() != access => {
                // Another refresh has replaced the token already.
                return Some(Ok(()));
            }
            RefreshReason::Click | RefreshReason::Page | RefreshReason::Call(_) => {}
        }
        if !at.may_be_refreshed() {
            return Some(Err(ErrorCode::NotSignedIn.into()));
        }
        // Otherwise a path that always answers 401 would rotate the token with each call.
        let page_wait = at.plan.page_wait(now).filter(|_| reason.is_by_page());
        if reason == RefreshReason::Page && page_wait.is_some() && at.plan.is_renewed() {
            // Another refresh has just ended, so the token is new.
            return Some(Ok(()));
        }
        let wait = at.plan.click_wait(now).or(page_wait)?;
        let error = match (reason, at.obstacle) {
            // `RateLimited` is only for a pause that the backend has asked for.
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
