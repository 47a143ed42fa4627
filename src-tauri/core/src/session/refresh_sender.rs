//! One request for a new token, and what its answer changes. A new token in the answer's headers
//! is in the keyring before the answer's body is read, since the body may break off.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout_at};

use super::commit::{Overtaken, Persist};
use super::context::Context;
use super::epoch::Epoch;
use super::inner::{Inner, Shared};
use super::keyring_status::KeyringStatus;
use super::open_session::{OpenSession, SessionOwner};
use super::provider_owner::ProviderOwner;
use super::record::RotationPhase;
use super::refresh_failure::RefreshFailures;
use super::refresh_reason::{RefreshOutcome, RefreshReason};
use super::refusals::RefusalOutcome;
use super::token_keeper::TokenKeeper;
use crate::backend::{BackendError, EXCHANGE_TIMEOUT, NoOwner, RefreshAnswer, Response};
use crate::clock::SinceBoot;
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::failpoint;
use crate::identity::{Generation, SessionId};
use crate::profile::UserFrom;
use crate::published::Unpublished;
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, SignedOutReason, User};

/// What one request carries, and for which session it is made.
#[derive(Clone)]
pub(super) struct RefreshAttempt {
    pub epoch: Epoch,
    pub session: SessionId,
    pub jar: Jar,
    pub generation: Generation,
    pub token: RefreshToken,
    pub access: Option<Secret>,
    pub device: Device,
    /// When it was asked for.
    pub asked: SinceBoot,
    pub reason: RefreshReason,
    pub new_connection: bool,
}

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
}

impl RefreshSender {
    pub(super) fn new(
        context: Arc<Context>,
        keeper: Arc<TokenKeeper>,
        failures: Arc<RefreshFailures>,
    ) -> Self {
        Self {
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
                        .fetch_owner(attempt, &token, &access, (until, now))
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
                AttemptOutcome::Done(self.apply_renewal(attempt, token, user, access).await)
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

    /// Whose session it is, where the answer to a refresh does not say; `None` leaves the user as
    /// before. A failure is one of the refresh only where no user is known from before, or where it
    /// says by name that the session has ended. The bound `until` of the refresh holds for both
    /// requests.
    async fn fetch_owner(
        &self,
        attempt: &RefreshAttempt,
        token: &RefreshToken,
        access: &AccessToken,
        (until, now): (Instant, SystemTime),
    ) -> Result<Option<User>, NoOwner> {
        let context = &self.context;
        let profile = context.backend.profile();
        let at = context.shared.in_epoch(attempt.epoch);
        let known = at.and_then(|at| {
            let owner = at.session.as_ref()?.owner.as_ref()?;
            Some(owner.user.id.clone())
        });
        let is_known = known.is_some();
        let backend = context.backend.with_jar(attempt.jar.clone());
        let device = &attempt.device;
        if token.provider().is_some() && profile.session.user_from != UserFrom::Me {
            let owner = ProviderOwner {
                known: known.as_deref(),
                access,
                device,
            };
            let asked = timeout_at(until, owner.confirm(&backend, now)).await;
            let confirmed = asked.unwrap_or_else(|_| owner.unknown(BackendError::TimedOut.into()));
            return confirmed.map_err(NoOwner::from);
        }
        let asks = profile.session.user_from == UserFrom::Me || !is_known;
        if profile.endpoints.me.get().is_none() || !asks {
            return Ok(None);
        }
        match timeout_at(until, backend.me(token, access.bearer(), device))
            .await
            .unwrap_or(Err(BackendError::TimedOut.into()))
        {
            Ok(user) => Ok(Some(user)),
            Err(NoOwner { fault, ended: None }) if is_known => {
                tracing::warn!(
                    %fault,
                    "the backend was asked for the user and gave none: the user is shown as before"
                );
                Ok(None)
            }
            Err(none) => Err(none),
        }
    }

    /// Puts a renewed session into effect: in the record, in memory, in the windows.
    async fn apply_renewal(
        &self,
        attempt: &RefreshAttempt,
        token: RefreshToken,
        user: Option<User>,
        access: AccessToken,
    ) -> RefreshOutcome {
        let context = &self.context;
        let revocable = access.token.clone();
        let prepared = {
            let mut at = context.shared.in_epoch(attempt.epoch);
            at.as_mut().and_then(|at| {
                let keyring = at.keyring;
                let held = at.session.as_mut()?;
                let known = held.owner.take().map(|owner| owner.user);
                let mut user = user.or_else(|| known.clone())?;
                if user.name.is_empty()
                    && let Some(known) = known.filter(|known| known.id == user.id)
                {
                    // An answer without a name does not change the name.
                    user.name = known.name;
                }
                held.owner = Some(SessionOwner::new(user, &token));
                let lasts = !matches!(keyring, KeyringStatus::Unsaved(..));
                let record = context
                    .persistence
                    .record(held, RotationPhase::Idle, !lasts);
                Some((record, keyring))
            })
        };
        let Some((record, keyring)) = prepared else {
            if context.is_current(attempt.epoch) {
                // No answer has said whose session it is.
                let failures = &self.failures;
                return Err(failures.keep(attempt.epoch, BackendError::BadAnswer, None));
            }
            return self.discard_renewal(attempt, token, revocable);
        };
        // Where the keyring has acknowledged this generation, a crash of the machine that takes
        // the record back costs no more than one confirmation.
        let durability = match keyring {
            KeyringStatus::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = Persist::Record(Box::new(record), durability);
        let received = context.shared.now();
        let committed =
            context
                .commit
                .commit(attempt.epoch, persist, Cause::Refresh, |inner, _| {
                    if let Some(held) = &mut inner.session {
                        held.set_access(access, received);
                    }
                    inner.mark_healthy(received);
                    let told = inner.session.as_ref().and_then(OpenSession::info);
                    match told {
                        Some((user, session)) => Event::Renewed {
                            user: Some(user),
                            session,
                            remembered: inner.keyring.remembers(),
                        },
                        None => Event::OwnerUnknown,
                    }
                });
        let committed = committed.await;
        failpoint!("rotation.recorded");
        if committed.is_err() {
            return self.discard_renewal(attempt, token, revocable);
        }
        if let KeyringStatus::UntilQuit(_) = keyring {
            // The keyring has taken the token after all.
            self.keeper.make_permanent(attempt.epoch).await;
        }
        Ok(())
    }

    /// Ends a renewed session at the backend that has ended here meanwhile.
    fn discard_renewal(
        &self,
        attempt: &RefreshAttempt,
        token: RefreshToken,
        access: Option<Secret>,
    ) -> RefreshOutcome {
        let ended = self.context.ended_session(attempt.session, token, access);
        self.context.revoke(ended, attempt.device.clone());
        superseded(&self.context.shared)
    }

    fn revoke(&self, attempt: &RefreshAttempt, token: RefreshToken) {
        let ended = self.context.ended_session(attempt.session, token, None);
        self.context.revoke(ended, attempt.device.clone());
    }
}

/// The outcome of a refresh whose session a sign-in or a sign-out has ended: a success if there is
/// a session now that calls can be made with.
pub(super) fn superseded(shared: &Shared) -> RefreshOutcome {
    match shared.look(|inner| inner.access_id().is_some()) {
        true => Ok(()),
        false => Err(Overtaken.into()),
    }
}
