//! What becomes of a session whose refresh has failed: it is kept and shown as not confirmed, and
//! the next try is planned. Nothing here ends a session.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::inner::{EpochGuard, Inner};
use super::open_session::OpenSession;
use super::record::RotationPhase;
use super::refusals::RefusalOutcome;
use crate::backend::BackendError;
use crate::clock::SinceBoot;
use crate::error::AuthError;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::wire::Cause;

/// Keeps sessions whose refresh has failed.
pub(super) struct RefreshFailures {
    context: Arc<Context>,
}

impl RefreshFailures {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Plans the next refresh after one that has failed with `fault`, and shows the outage. The
    /// error is for who has asked for the refresh.
    pub(super) fn keep(
        &self,
        epoch: Epoch,
        fault: BackendError,
        retry_after: Option<Duration>,
    ) -> AuthError {
        let shared = &self.context.shared;
        let mut error = AuthError::from(fault);
        let Some(mut at) = shared.in_epoch(epoch) else {
            return error;
        };
        at.obstacle = fault.obstacle();
        let now = shared.now();
        let mut wait = at.plan.failed(now, retry_after, rand::random());
        if let Some(next) = at.refusals.next() {
            // A refusal that comes earlier would not count.
            wait = wait.max(next.saturating_sub(now));
            at.plan.try_again_in(now, wait);
        }
        tracing::warn!(
            %fault,
            failures = at.plan.failures(),
            ?wait,
            "the refresh failed: the session is kept and refreshed again"
        );
        let asked_to_wait = retry_after.and(u64::try_from(wait.as_millis()).ok());
        error.retry_after_ms = error.retry_after_ms.or(asked_to_wait);
        self.show_outage(at, now + wait);
        error
    }

    /// Counts a refusal that a gateway may have caused, of a refresh that was asked for at `asked`. While others
    /// are counted only the refreshes of the schedule count (`is_scheduled`): a person may click
    /// as often as they like. `None` once the epoch is over.
    pub(super) fn count_refusal(
        &self,
        epoch: Epoch,
        fault: BackendError,
        is_scheduled: bool,
        asked: SinceBoot,
    ) -> Option<RefusalOutcome> {
        let mut at = self.context.shared.in_epoch(epoch)?;
        let counts = is_scheduled || !at.refusals.is_counting();
        Some(match (counts, at.refusals.next()) {
            (false, Some(next)) => RefusalOutcome::AskAt(next),
            _ => at.refusals.count(fault, asked, rand::random()),
        })
    }

    /// Plans the refresh at `next` that may confirm a refusal, and shows the outage. The backend has replaced no token, so the record says that no rotation is under
    /// way any more.
    pub(super) async fn keep_refused(
        &self,
        epoch: Epoch,
        fault: BackendError,
        next: SinceBoot,
    ) -> AuthError {
        let shared = &self.context.shared;
        let now = shared.now();
        let record = shared.in_epoch(epoch).and_then(|at| {
            let until_quit = at.keyring.lasts_until_quit();
            let held = at.session.as_ref()?;
            Some(
                self.context
                    .persistence
                    .record(held, RotationPhase::Idle, until_quit),
            )
        });
        if let Some(record) = record {
            let persist = Persist::Record(Box::new(record), Durability::Unsynced);
            let same = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
            let _ = self
                .context
                .commit
                .commit(epoch, persist, Cause::Refresh, same)
                .await;
        }
        if let Some(mut at) = shared.in_epoch(epoch) {
            at.obstacle = fault.obstacle();
            at.plan.failed(now, None, rand::random());
            at.plan.try_again_in(now, next.saturating_sub(now));
            tracing::warn!(
                %fault,
                "the refresh was refused in a way that a gateway may have caused: the session is \
                 kept, and ends if that is said again"
            );
            self.show_outage(at, next);
        }
        AuthError::from(fault)
    }

    fn show_outage(&self, mut at: EpochGuard<'_>, retry_at: SinceBoot) {
        let outage = at.outage(self.context.shared.now_ms(), Some(retry_at));
        let shown = at.session.as_ref().and_then(OpenSession::info);
        let event = match shown {
            Some((user, session)) if at.state().is_restoring() => Event::LastKnown {
                user,
                session,
                outage,
            },
            _ => Event::Unreached(outage),
        };
        at.publish(Cause::Outage, event);
    }
}
