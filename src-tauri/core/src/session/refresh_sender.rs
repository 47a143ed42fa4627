//! One request for a new token, and what its answer changes. A new token in the answer's headers
//! is in the keyring before the answer's body is read, since the body may break off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::commit::Persist;
use super::context::Context;
use super::inner::Inner;
use super::record::RotationPhase;
use super::refresh_attempt::{RefreshAttempt, superseded};
use super::refresh_failure::RefreshFailures;
use super::refresh_reason::{RefreshOutcome, RefreshReason};
use super::refusals::RefusalOutcome;
use super::renewed_session::RenewedSessions;
use super::token_keeper::TokenKeeper;
use crate::backend::{
    BackendError, EXCHANGE_TIMEOUT, NoOwner, RefreshAnswer, Response, ResponseBody,
};
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::failpoint;
use crate::identity::Generation;
use crate::published::Unpublished;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, SignedOutReason};

/// The token that is kept so far while an answer is read.
struct SavedToken {
    token: RefreshToken,
    generation: Generation,
}

/// How an attempt ended.
pub(super) enum AttemptOutcome {
    /// The refresh has succeeded or failed.
    Done(RefreshOutcome),
    /// The backend says by name that the session is over. The caller looks for a newer token, and
    /// may ask once more.
    Rejected(SignedOutReason),
    /// The session is over: the backend has refused by its status alone often enough, or it has
    /// renewed the session and then said by name that it has ended.
    Over(SignedOutReason),
    /// The session ends here because its token is sent nowhere any more, and not because it was ended
    /// there: it is still to be revoked.
    Abandoned(SignedOutReason),
    /// An API call has replaced the token meanwhile: the answer is about the token before.
    Overtaken,
}

/// Sends one refresh request and puts what its answer says into effect.
pub(super) struct RefreshSender {
    context: Arc<Context>,
    keeper: Arc<TokenKeeper>,
    failures: Arc<RefreshFailures>,
    renewed: RenewedSessions,
}

impl RefreshSender {
    pub(super) fn new(
        context: Arc<Context>,
        keeper: Arc<TokenKeeper>,
        failures: Arc<RefreshFailures>,
    ) -> Self {
        Self {
            renewed: RenewedSessions::new(context.clone(), keeper.clone(), failures.clone()),
            context,
            keeper,
            failures,
        }
    }

    /// Sends one request, and puts what its answer says into effect.
    pub(super) async fn send(&self, attempt: &RefreshAttempt) -> AttemptOutcome {
        let context = &self.context;
        if let Err(error) = self.record_rotating(attempt).await {
            return AttemptOutcome::Done(Err(error));
        }
        failpoint!("rotation.journaled");
        let Some(tries) = self.wait_for_gap(attempt).await else {
            return AttemptOutcome::Done(superseded(&self.context.shared));
        };
        let backend = context.backend.with_jar(attempt.jar.clone());
        let backend = backend.on_new_connections(attempt.new_connection);
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let (token, access) = (&attempt.token, attempt.access.as_ref());
        let answer = backend.refresh(token, access, &attempt.device, tries);
        let response = match answer.await {
            Ok(response) => response,
            Err(BackendError::ProviderMoved) => {
                let gone = AttemptOutcome::Abandoned(SignedOutReason::ProviderMoved);
                return match backend.profile().browser.get() {
                    None => gone,
                    Some(_) => {
                        self.refused(attempt, BackendError::ProviderMoved, gone)
                            .await
                    }
                };
            }
            Err(fault) => return self.failed(attempt, fault, None),
        };
        failpoint!("rotation.answered");
        self.handle_answer(attempt, response, until).await
    }

    /// Waits until the request may go out. Every refresh request passes here, also a repeated one.
    /// Returns which try it is; `None` once the epoch is over.
    async fn wait_for_gap(&self, attempt: &RefreshAttempt) -> Option<u32> {
        let shared = &self.context.shared;
        loop {
            let until = {
                let mut at = shared.in_epoch(attempt.epoch)?;
                let now = shared.now();
                match at.plan.request(now, attempt.reason.is_by_page()) {
                    None => return Some(at.plan.failures().saturating_add(1)),
                    Some(wait) => now + wait,
                }
            };
            shared.clock.sleep_until(until).await;
        }
    }

    /// Keeps the new token of an answer first, then does what the answer says.
    async fn handle_answer(
        &self,
        attempt: &RefreshAttempt,
        mut response: Response,
        until: Instant,
    ) -> AttemptOutcome {
        let backend = &self.context.backend;
        let (status, retry_after, now) = (
            response.status(),
            response.retry_after(),
            response.sent_at(),
        );
        let mut token = attempt.token.clone();
        let mut kept = SavedToken {
            token: attempt.token.clone(),
            generation: attempt.generation,
        };
        if status.is_success() {
            token.apply(response.take_refresh_changes());
            backend.take_rotated(&mut token, &response.without_body(), now);
            // Before the body is read: it may break off.
            if !self.save_token(attempt, &mut kept, &token).await {
                return self.outcome_of_unsaved(attempt);
            }
        }
        failpoint!("rotation.kept");
        let body = match response.body().await {
            Ok(body) => body,
            Err(fault) => return self.failed(attempt, fault, retry_after),
        };
        failpoint!("rotation.read");
        if status.is_success() && self.is_of_another(attempt, &body) {
            tracing::error!(
                "a refresh has brought somebody else's tokens: none of them is kept, and the session is \
                 refreshed again with its own"
            );
            return self.failed(attempt, BackendError::BadAnswer, retry_after);
        }
        if status.is_success() {
            backend.take_rotated(&mut token, &body, now);
            if !self.save_token(attempt, &mut kept, &token).await {
                return self.outcome_of_unsaved(attempt);
            }
        }
        failpoint!("rotation.body_kept");
        if self.is_overtaken(attempt, &kept) {
            return AttemptOutcome::Overtaken;
        }
        if status.is_success() && token.is_empty() && body.json().is_some() {
            return AttemptOutcome::Rejected(SignedOutReason::Expired);
        }
        match backend.refresh_answer(status, &body, &token, now) {
            RefreshAnswer::Renewed { user, access } => {
                let user = match user {
                    Some(user) => Some(*user),
                    None => match self
                        .renewed
                        .owner(attempt, &token, &access, (until, now))
                        .await
                    {
                        Ok(user) => user,
                        Err(NoOwner {
                            ended: Some(why), ..
                        }) => return AttemptOutcome::Over(why),
                        Err(none) => return self.failed(attempt, none.fault, None),
                    },
                };
                let secrets = attempt.access.iter().chain(access.secrets());
                let secrets = Unpublished::of(secrets).and(&attempt.token).and(&token);
                let user = match user.map(|user| secrets.user(user)) {
                    Some(None) => return self.failed(attempt, BackendError::BadAnswer, None),
                    shown => shown.flatten(),
                };
                AttemptOutcome::Done(self.renewed.apply(attempt, token, user, access).await)
            }
            RefreshAnswer::Ended(why) => AttemptOutcome::Rejected(why),
            RefreshAnswer::Refused { status, why } => {
                let fault = BackendError::Status(status);
                self.refused(attempt, fault, AttemptOutcome::Over(why))
                    .await
            }
            RefreshAnswer::Transient(fault) => self.failed(attempt, fault, retry_after),
        }
    }

    /// Whether the answer of a provider names somebody else than the session's owner.
    fn is_of_another(&self, attempt: &RefreshAttempt, body: &ResponseBody) -> bool {
        if attempt.token.provider().is_none() {
            return false;
        }
        let at = self.context.shared.in_epoch(attempt.epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        let owner = held.and_then(|held| held.user_id());
        owner.is_some_and(|owner| self.context.backend.is_of_another(body, owner))
    }

    /// Counts a refusal that a gateway may have caused. Returns `over` once it was repeated often enough.
    async fn refused(
        &self,
        attempt: &RefreshAttempt,
        fault: BackendError,
        over: AttemptOutcome,
    ) -> AttemptOutcome {
        let (epoch, asked) = (attempt.epoch, attempt.asked);
        let is_scheduled = attempt.reason == RefreshReason::Timer;
        let failures = &self.failures;
        match failures.count_refusal(epoch, fault, is_scheduled, asked) {
            None => AttemptOutcome::Done(superseded(&self.context.shared)),
            Some(RefusalOutcome::Over) => over,
            Some(RefusalOutcome::AskAt(next)) => {
                AttemptOutcome::Done(Err(failures.keep_refused(epoch, fault, next).await))
            }
        }
    }

    fn failed(
        &self,
        attempt: &RefreshAttempt,
        fault: BackendError,
        retry_after: Option<Duration>,
    ) -> AttemptOutcome {
        AttemptOutcome::Done(Err(self.failures.keep(attempt.epoch, fault, retry_after)))
    }

    /// Notes on disk that a refresh is under way: after a crash the backend may have replaced
    /// the token. A failure of the disk does not stop the refresh.
    async fn record_rotating(&self, attempt: &RefreshAttempt) -> Result<(), AuthError> {
        let context = &self.context;
        let record = {
            let at = context
                .shared
                .in_epoch(attempt.epoch)
                .ok_or(ErrorCode::NotSignedIn)?;
            let until_quit = at.keyring.lasts_until_quit();
            let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
            let mut record = context
                .persistence
                .record(held, RotationPhase::Rotating, until_quit);
            if held.is_last_chance {
                // This is the last time that the token may be sent: a later start finds it spent.
                record.replaced_at = None;
            }
            record
        };
        let persist = Persist::Record(Box::new(record), Durability::Synced);
        let same = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
        context
            .commit
            .commit(attempt.epoch, persist, Cause::Refresh, same)
            .await?;
        Ok(())
    }

    /// Keeps `token` if the backend has given out a new one: that is the one that counts from
    /// here, even if the rest of the answer is lost. False if the session is over or was replaced,
    /// or if an API call has replaced the token.
    async fn save_token(
        &self,
        attempt: &RefreshAttempt,
        kept: &mut SavedToken,
        token: &RefreshToken,
    ) -> bool {
        if *token == kept.token || token.is_empty() {
            return true;
        }
        // An API call may read the token and write a new one: this waits until it has done both.
        let with_api = self.context.backend.profile().cookies.with_api;
        let _local_lock = match with_api {
            true => Some(self.context.lock.local_lock().await),
            false => None,
        };
        if !self.context.is_current(attempt.epoch) {
            self.revoke(attempt, token.clone());
            return false;
        }
        if self.is_overtaken(attempt, kept) {
            return false;
        }
        let generation = attempt.generation.next();
        let is_kept = self
            .keeper
            .save_token(attempt.epoch, attempt.session, generation, token)
            .await;
        if is_kept {
            *kept = SavedToken {
                token: token.clone(),
                generation,
            };
        }
        is_kept
    }

    /// Whether the session has another token by now than the one that this attempt has kept.
    fn is_overtaken(&self, attempt: &RefreshAttempt, kept: &SavedToken) -> bool {
        let at = self.context.shared.in_epoch(attempt.epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        held.is_some_and(|held| held.generation != kept.generation)
    }

    /// How an attempt ended whose token was not kept.
    fn outcome_of_unsaved(&self, attempt: &RefreshAttempt) -> AttemptOutcome {
        if self.context.is_current(attempt.epoch) {
            return AttemptOutcome::Overtaken;
        }
        AttemptOutcome::Done(superseded(&self.context.shared))
    }

    fn revoke(&self, attempt: &RefreshAttempt, token: RefreshToken) {
        let ended = self.context.ended_session(attempt.session, token, None);
        self.context.revoke(ended, attempt.device.clone());
    }
}
