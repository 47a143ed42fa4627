//! From an old refresh token to a new one: what is sent, how often, and when a refusal ends the
//! session. Every step after a wait checks the epoch again.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::other_processes::OtherProcesses;
use super::process_lock::ROTATION_LOCK_TIMEOUT;
use super::reconcile::{Reconcile, Reconciled};
use super::record::Marker;
use super::refresh_attempt::{RefreshAttempt, superseded};
use super::refresh_failure::RefreshFailures;
use super::refresh_reason::{RefreshOutcome, RefreshReason};
use super::refresh_sender::{AttemptOutcome, RefreshSender};
use crate::backend::BackendError;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::failpoint;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// How many newer tokens one refresh sends after a rejected one. A backend that gives out a new
/// token with each rejection contradicts itself, and would be asked without end.
const MAX_NEWER_TOKENS: u32 = 2;

/// Renews a session with its refresh token, and has refusals confirmed where that is needed.
pub(super) struct Rotation {
    context: Arc<Context>,
    reconcile: Arc<Reconcile>,
    others: Arc<OtherProcesses>,
    sender: RefreshSender,
    failures: Arc<RefreshFailures>,
}

impl Rotation {
    pub(super) fn new(
        context: Arc<Context>,
        reconcile: Arc<Reconcile>,
        others: Arc<OtherProcesses>,
        sender: RefreshSender,
        failures: Arc<RefreshFailures>,
    ) -> Self {
        Self {
            context,
            reconcile,
            others,
            sender,
            failures,
        }
    }

    /// Renews the session of `epoch`. After a rejection it tries a newer token of another process,
    /// or the same one again if a crash may have left a spent one.
    pub(super) async fn rotate(&self, epoch: Epoch, reason: RefreshReason) -> RefreshOutcome {
        let context = &self.context;
        // Nothing is sent while another process may be about to replace the token.
        let Some(_rotation_lock) = context.lock.rotation_lock(ROTATION_LOCK_TIMEOUT).await else {
            return Err(self.context.retry_later(epoch));
        };
        failpoint!("rotation.locked");
        let (mut attempt, interrupted) = {
            let _local_lock = context.lock.local_lock().await;
            match context.shared.in_epoch(epoch) {
                // The outcome of this try plans the next one.
                Some(mut at) => at.plan.begin(reason.is_by_page()),
                None => return superseded(&context.shared),
            }
            match self.reconcile.run(epoch).await? {
                Reconciled::TokenHeld { interrupted } => {
                    (self.begin_attempt(epoch, reason)?, interrupted)
                }
                Reconciled::SignedOut => return Err(ErrorCode::NotSignedIn.into()),
                Reconciled::Unreadable => return Err(ErrorCode::KeyringUnread.into()),
            }
        };
        if self.grace_is_over(&attempt) {
            return self.abandon(&attempt, SignedOutReason::Missing).await;
        }
        let mut is_confirmed = !interrupted;
        let mut replaced = 0;
        loop {
            let why = match self.sender.send(&attempt).await {
                AttemptOutcome::Done(outcome) => return outcome,
                AttemptOutcome::Rejected(why) => why,
                AttemptOutcome::Over(why) => return self.end(epoch, why).await,
                AttemptOutcome::Abandoned(why) => return self.abandon(&attempt, why).await,
                AttemptOutcome::Overtaken => match self.newer_attempt(&attempt).await? {
                    Some(newer) => {
                        attempt = newer;
                        continue;
                    }
                    None => return superseded(&context.shared),
                },
            };
            // A newer token is tried first. Without one, the rejection has to be repeated if a
            // crash may have left a token that the backend has already replaced.
            let newer = self.newer_attempt(&attempt).await?;
            if newer.is_none() && !is_confirmed {
                let wait = Duration::from_secs(2) + Duration::from_secs(3).mul_f64(rand::random());
                let until = context.shared.now() + wait;
                context.shared.clock.sleep_until(until).await;
            }
            if !context.is_current(epoch) {
                return superseded(&context.shared);
            }
            match newer {
                Some(_) if replaced == MAX_NEWER_TOKENS => {
                    return Err(self.failures.keep(epoch, BackendError::BadAnswer, None));
                }
                Some(newer) => {
                    replaced += 1;
                    attempt = newer;
                }
                None if is_confirmed => return self.end(epoch, why).await,
                None => is_confirmed = true,
            }
        }
    }

    /// The request that is sent for `epoch`.
    fn begin_attempt(
        &self,
        epoch: Epoch,
        reason: RefreshReason,
    ) -> Result<RefreshAttempt, AuthError> {
        let shared = &self.context.shared;
        let mut at = shared.in_epoch(epoch).ok_or(ErrorCode::NotSignedIn)?;
        let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
        let token = held.token.clone().ok_or(ErrorCode::KeyringUnread)?;
        let attempt = RefreshAttempt {
            epoch,
            session: held.id,
            jar: at.jar().clone(),
            generation: held.generation,
            token,
            access: held.access_text(),
            device: held.device.clone(),
            asked: shared.now(),
            reason,
            new_connection: at.refusals.is_counting(),
        };
        if at.state().outage().is_some() {
            let outage = at.outage(shared.now_ms(), None);
            at.publish(Cause::Outage, Event::Unreached(outage));
        }
        Ok(attempt)
    }

    /// Whether the token was replaced by an answer that was never stored, and the time is over in
    /// which the backend gives that answer again.
    fn grace_is_over(&self, attempt: &RefreshAttempt) -> bool {
        let context = &self.context;
        let grace = Duration::from_secs(context.backend.profile().session.grace_s);
        let now_ms = context.shared.now_ms();
        let at = context.shared.in_epoch(attempt.epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        held.is_some_and(|held| {
            held.is_last_chance
                && held.replaced_at.is_none_or(|replaced| {
                    // If the clock shows an earlier time than that, the time counts as over.
                    let age = now_ms.checked_sub(replaced).map(Duration::from_millis);
                    age.is_none_or(|age| age >= grace)
                })
        })
    }

    /// The request with a newer token than the rejected one, if another process has stored one.
    async fn newer_attempt(
        &self,
        attempt: &RefreshAttempt,
    ) -> Result<Option<RefreshAttempt>, AuthError> {
        let _local_lock = self.context.lock.local_lock().await;
        if !self.context.is_current(attempt.epoch) {
            return Ok(None);
        }
        self.reconcile.run(attempt.epoch).await?;
        let newer = self.begin_attempt(attempt.epoch, attempt.reason)?;
        Ok((newer.generation > attempt.generation).then_some(newer))
    }

    /// The session ends here, and the backend does not know of it yet: it is told once the session is no
    /// longer shown.
    async fn abandon(&self, attempt: &RefreshAttempt, why: SignedOutReason) -> RefreshOutcome {
        let context = &self.context;
        let (token, access) = (attempt.token.clone(), attempt.access.clone());
        let ended = context.ended_session(attempt.session, token, access);
        let _ = context.pending.put(ended).await;
        let outcome = self.end(attempt.epoch, why).await;
        context.deliver_due(&attempt.device).await;
        outcome
    }

    /// The backend has ended the session: writes that to disk, then publishes it.
    async fn end(&self, epoch: Epoch, why: SignedOutReason) -> RefreshOutcome {
        let context = &self.context;
        // No task may read disk and keyring before the end is written to them.
        let _local_lock = context.lock.local_lock().await;
        let taken = context.shared.in_epoch(epoch).and_then(|mut at| {
            let known = at.keyring;
            let held = at.drop_session()?;
            Some((at.begin_epoch(), held, known))
        });
        let Some((epoch, held, known)) = taken else {
            return superseded(&context.shared);
        };
        tracing::warn!(?why, "the session is over: the user is signed out");
        let marker = Marker {
            session: Some(held.id),
            why,
        };
        let asking = context.clone();
        let is_current = move || asking.is_current(epoch);
        let marked = context
            .persistence
            .with_records(is_current, move |records| records.write_marker(marker));
        let _ = marked.await;
        let legacy = held.legacy_item;
        let keyring = match known.is_clear() {
            true => context.items.delete(epoch, legacy, Ok(())).await,
            // The keyring may hold another session's item.
            false => context.items.empty_keyring(epoch, legacy).await,
        };
        let until_quit = known.lasts_until_quit();
        let record = context.persistence.ended_record(&held, until_quit);
        let persist = Persist::end(keyring, Some(Box::new(record)));
        let ended = context
            .commit
            .commit(epoch, persist, Cause::Rejected, |inner, _| {
                inner.keyring = keyring;
                Event::Ended(why)
            });
        if ended.await.is_ok()
            && let Some(mut at) = context.shared.in_epoch(epoch)
        {
            self.others.begin_anonymous_jar(&mut at);
        }
        Err(ErrorCode::SessionEnded.into())
    }
}
