//! One request for a new token and what becomes of its answer. The new token is in the keyring
//! before the answer's body is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::base::Base;
use super::commit::{Overtaken, Persist};
use super::epoch::Epoch;
use super::inner::{Access, At, Core, Held, Inner, Owner};
use super::keeping::Keyring;
use super::record::Phase;
use super::refresh::{Outcome, RefreshReason};
use super::refusals::Counting;
use super::token_keeper::TokenKeeper;
use crate::backend::{Fault, Head, TOTAL_LIMIT, Verdict};
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::step;
use crate::identity::{Generation, SessionId};
use crate::profile::UserFrom;
use crate::reply::AccessToken;
use crate::secrets::Secret;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, SignedOutReason, User};

/// What one request goes out with, and in whose name.
#[derive(Clone)]
pub(super) struct Attempt {
    pub epoch: Epoch,
    pub session: SessionId,
    pub jar: Jar,
    pub generation: Generation,
    pub token: RefreshToken,
    pub access: Option<Secret>,
    pub device: Device,
    /// When it was asked for, in the time since boot.
    pub asked: Duration,
    pub reason: RefreshReason,
    pub new_connection: bool,
}

/// What of an attempt's answer is kept already.
struct Kept {
    token: RefreshToken,
    generation: Generation,
}

/// How an attempt came out.
pub(super) enum Attempted {
    /// Done, well or not.
    Done(Outcome),
    /// The backend says by name that the session is over; to be confirmed.
    Rejected(SignedOutReason),
    /// It has refused by its status alone for so long that the session is over.
    Over(SignedOutReason),
    /// An API call has replaced the token meanwhile: the answer is about the one before.
    Overtaken,
}

impl Attempted {
    fn failed(error: AuthError) -> Self {
        Self::Done(Err(error))
    }
}

/// Sends one refresh request and puts what its answer says into effect.
pub(super) struct RefreshExchange {
    base: Arc<Base>,
    keeper: Arc<TokenKeeper>,
}

impl RefreshExchange {
    pub fn new(base: Arc<Base>, keeper: Arc<TokenKeeper>) -> Self {
        Self { base, keeper }
    }

    /// One request, and what becomes of its answer.
    pub async fn attempt(&self, attempt: &Attempt) -> Attempted {
        let base = &self.base;
        if let Err(error) = self.note_rotating(attempt).await {
            return Attempted::Done(Err(error));
        }
        step!("rotation.journaled");
        let Some(tries) = base
            .core
            .at(attempt.epoch)
            .map(|at| at.plan.failures().saturating_add(1))
        else {
            return Attempted::Done(superseded(&self.base.core));
        };
        let backend = base.backend.with_jar(attempt.jar.clone());
        let backend = backend.on_new_connections(attempt.new_connection);
        let until = Instant::now() + TOTAL_LIMIT;
        let (token, access) = (&attempt.token, attempt.access.as_ref());
        let answer = backend.refresh(token, access, &attempt.device, tries);
        let head = match answer.await {
            Ok(head) => head,
            Err(fault) => return Attempted::failed(self.unreached(attempt, fault, None)),
        };
        step!("rotation.answered");
        self.answered(attempt, head, until).await
    }

    /// What the answer says, and what of it is kept before that is known.
    async fn answered(&self, attempt: &Attempt, mut head: Head, until: Instant) -> Attempted {
        let backend = &self.base.backend;
        let (status, retry_after, now) = (head.status(), head.retry_after(), head.sent_at());
        let mut token = attempt.token.clone();
        let mut kept = Kept {
            token: attempt.token.clone(),
            generation: attempt.generation,
        };
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            token.apply_body(backend.rotated(&head.without_body(), now));
            // What is in the headers is kept before the body is read: that may break off.
            if !self.secure(attempt, &mut kept, &token).await {
                return self.lost(attempt);
            }
        }
        step!("rotation.kept");
        let body = match head.body().await {
            Ok(body) => body,
            Err(fault) => return Attempted::failed(self.unreached(attempt, fault, retry_after)),
        };
        step!("rotation.read");
        if status.is_success() {
            token.apply_body(backend.rotated(&body, now));
            if !self.secure(attempt, &mut kept, &token).await {
                return self.lost(attempt);
            }
        }
        step!("rotation.body_kept");
        if self.is_overtaken(attempt, &kept) {
            return Attempted::Overtaken;
        }
        if status.is_success() && token.is_empty() && body.json().is_some() {
            return Attempted::Rejected(SignedOutReason::Expired);
        }
        match backend.verdict(status, &body, &token, now) {
            Verdict::Renewed { user, access } => {
                let user = match user {
                    Some(user) => Some(user),
                    None => match self.whose(attempt, &token, &access, until).await {
                        Ok(user) => user,
                        Err(fault) => {
                            return Attempted::failed(self.unreached(attempt, fault, None));
                        }
                    },
                };
                Attempted::Done(self.renewed(attempt, token, user, access).await)
            }
            Verdict::Ended(why) => Attempted::Rejected(why),
            Verdict::Refused { status, why } => {
                let counting = match self.base.core.at(attempt.epoch) {
                    Some(mut at) => {
                        let counts =
                            attempt.reason == RefreshReason::Timer || !at.refusals.is_counting();
                        match (counts, at.refusals.next()) {
                            (false, Some(next)) => Counting::AskAt(next),
                            _ => at.refusals.count(status, attempt.asked, rand::random()),
                        }
                    }
                    None => return Attempted::Done(superseded(&self.base.core)),
                };
                match counting {
                    Counting::Over => Attempted::Over(why),
                    Counting::AskAt(next) => {
                        let fault = Fault::Status(status);
                        Attempted::failed(self.doubted(attempt, fault, next).await)
                    }
                }
            }
            Verdict::Transient(fault) => {
                Attempted::failed(self.unreached(attempt, fault, retry_after))
            }
        }
    }

    /// Says on disk that a refresh is under way: after a crash the backend may have replaced
    /// the token. A failure of the disk does not stop it.
    async fn note_rotating(&self, attempt: &Attempt) -> Result<(), AuthError> {
        let base = &self.base;
        let record = {
            let at = base.core.at(attempt.epoch).ok_or(ErrorCode::NotSignedIn)?;
            let until_quit = at.keyring.lasts_until_quit();
            let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
            let mut record = base.persistence.record(held, Phase::Rotating, until_quit);
            if held.is_last_chance {
                // A later start finds it spent.
                record.replaced_at = None;
            }
            record
        };
        let persist = Persist::Record(Box::new(record), Durability::Synced);
        let same = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
        base.commit
            .commit(attempt.epoch, persist, Cause::Refresh, same)
            .await?;
        Ok(())
    }

    /// Puts `token` where it is safe if the backend has moved on: whatever becomes of the
    /// rest of the answer, it is the one that counts from here. False if the session is over
    /// or was replaced.
    async fn secure(&self, attempt: &Attempt, kept: &mut Kept, token: &RefreshToken) -> bool {
        if *token == kept.token || token.is_empty() {
            return true;
        }
        // Not between an API call's look and its write.
        let with_api = self.base.backend.profile().cookies.with_api;
        let _turn = match with_api {
            true => Some(self.base.lock.turn().await),
            false => None,
        };
        if !self.base.stands(attempt.epoch) {
            self.revoke(attempt, token.clone());
            return false;
        }
        if self.is_overtaken(attempt, kept) {
            return false;
        }
        let generation = attempt.generation.next();
        let is_kept = self
            .keeper
            .keep(attempt.epoch, attempt.session, generation, token)
            .await;
        if is_kept {
            *kept = Kept {
                token: token.clone(),
                generation,
            };
        }
        is_kept
    }

    /// Whether this session has another token by now than this refresh knows of.
    fn is_overtaken(&self, attempt: &Attempt, kept: &Kept) -> bool {
        let at = self.base.core.at(attempt.epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        held.is_some_and(|held| held.generation != kept.generation)
    }

    /// How an attempt came out whose token was not kept.
    fn lost(&self, attempt: &Attempt) -> Attempted {
        if self.base.stands(attempt.epoch) {
            return Attempted::Overtaken;
        }
        Attempted::Done(superseded(&self.base.core))
    }

    /// Whose session it is, where the answer to a refresh does not say: `None` leaves it
    /// with whom it was. Only where nobody is known to show is a failure one of the refresh,
    /// whose bound `until` holds for both requests.
    async fn whose(
        &self,
        attempt: &Attempt,
        token: &RefreshToken,
        access: &AccessToken,
        until: Instant,
    ) -> Result<Option<User>, Fault> {
        let base = &self.base;
        let profile = base.backend.profile();
        let at = base.core.at(attempt.epoch);
        let is_known = at.is_some_and(|at| {
            let held = at.session.as_ref();
            held.is_some_and(|held| held.owner.is_some())
        });
        let asks = profile.session.user_from == UserFrom::Me || !is_known;
        if profile.endpoints.me.get().is_none() || !asks {
            return Ok(None);
        }
        let backend = base.backend.with_jar(attempt.jar.clone());
        let me = backend.me(token, access.token.as_ref(), &attempt.device);
        match timeout_at(until, me).await.unwrap_or(Err(Fault::TimedOut)) {
            Ok(user) => Ok(Some(user)),
            Err(fault) if is_known => {
                tracing::warn!(%fault, "the user is shown as before");
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// The backend has renewed the session: record, then memory, then the windows.
    async fn renewed(
        &self,
        attempt: &Attempt,
        token: RefreshToken,
        user: Option<User>,
        access: AccessToken,
    ) -> Outcome {
        let base = &self.base;
        let revocable = access.token.clone();
        let prepared = {
            let mut at = base.core.at(attempt.epoch);
            at.as_mut().and_then(|at| {
                let keyring = at.keyring;
                let held = at.session.as_mut()?;
                let known = held.owner.take().map(|owner| owner.user);
                let mut user = user.or_else(|| known.clone())?;
                if user.name.is_empty()
                    && let Some(known) = known.filter(|known| known.id == user.id)
                {
                    // Not said is not changed.
                    user.name = known.name;
                }
                held.owner = Some(Owner::new(user, &token));
                let lasts = !matches!(keyring, Keyring::Unsaved(..));
                let record = base.persistence.record(held, Phase::Idle, !lasts);
                Some((record, keyring))
            })
        };
        let Some((record, keyring)) = prepared else {
            if base.stands(attempt.epoch) {
                // Nobody has said whose it is.
                return Err(self.unreached(attempt, Fault::BadAnswer, None));
            }
            return self.renewed_in_vain(attempt, token, revocable);
        };
        // Where the keyring has acknowledged this generation, a record that a crash of the
        // machine takes back costs one confirmation.
        let durability = match keyring {
            Keyring::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = Persist::Record(Box::new(record), durability);
        let received = base.core.now();
        let committed = base
            .commit
            .commit(attempt.epoch, persist, Cause::Refresh, |inner, _| {
                if let Some(held) = &mut inner.session {
                    held.access = Some(Access::new(access, received));
                }
                inner.is_well(received);
                let told = inner.session.as_ref().and_then(Held::info);
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
        step!("rotation.recorded");
        if committed.is_err() {
            return self.renewed_in_vain(attempt, token, revocable);
        }
        if let Keyring::UntilQuit(_) = keyring {
            // The keyring has taken it after all.
            self.keeper.make_it_last(attempt.epoch).await;
        }
        Ok(())
    }

    fn renewed_in_vain(
        &self,
        attempt: &Attempt,
        token: RefreshToken,
        access: Option<Secret>,
    ) -> Outcome {
        let ended = self.base.ended(attempt.session, token, access);
        self.base.revoke(ended, attempt.device.clone());
        superseded(&self.base.core)
    }

    /// The session stays; the next try is planned.
    pub fn unreached(
        &self,
        attempt: &Attempt,
        fault: Fault,
        retry_after: Option<Duration>,
    ) -> AuthError {
        let core = &self.base.core;
        let mut error = AuthError::from(fault);
        let Some(mut at) = core.at(attempt.epoch) else {
            return error;
        };
        at.obstacle = fault.obstacle();
        let now = core.now();
        let mut wait = at.plan.failed(now, retry_after, rand::random());
        if let Some(next) = at.refusals.next() {
            // What counts as another refusal is not asked for too early.
            wait = wait.max(next.saturating_sub(now));
            at.plan.look_again(now, wait);
        }
        tracing::warn!(%fault, failures = at.plan.failures(), ?wait, "the session is kept; trying again");
        let asked_to_wait = retry_after.and(u64::try_from(wait.as_millis()).ok());
        error.retry_after_ms = error.retry_after_ms.or(asked_to_wait);
        self.kept_for_later(at, now + wait);
        error
    }

    /// The backend may mean it; it is asked again. It has replaced nothing, so that no rotation
    /// is under way any more.
    async fn doubted(&self, attempt: &Attempt, fault: Fault, next: Duration) -> AuthError {
        let core = &self.base.core;
        let now = core.now();
        let record = core.at(attempt.epoch).and_then(|at| {
            let until_quit = at.keyring.lasts_until_quit();
            let held = at.session.as_ref()?;
            Some(self.base.persistence.record(held, Phase::Idle, until_quit))
        });
        if let Some(record) = record {
            let persist = Persist::Record(Box::new(record), Durability::Unsynced);
            let same = |inner: &mut Inner, _: bool| Event::Remembered(inner.keyring.remembers());
            let _ = self
                .base
                .commit
                .commit(attempt.epoch, persist, Cause::Refresh, same)
                .await;
        }
        if let Some(mut at) = core.at(attempt.epoch) {
            at.obstacle = fault.obstacle();
            at.plan.failed(now, None, rand::random());
            at.plan.look_again(now, next.saturating_sub(now));
            tracing::warn!(%fault, "refused by the status alone; asking again");
            self.kept_for_later(at, next);
        }
        AuthError::from(fault)
    }

    fn kept_for_later(&self, mut at: At<'_>, retry_at: Duration) {
        let outage = at.outage(self.base.core.now_ms(), Some(retry_at));
        let told = at.session.as_ref().and_then(Held::info);
        let event = match told {
            Some((user, session)) if at.state().is_restoring() => Event::LastKnown {
                user,
                session,
                outage,
            },
            _ => Event::Unreached(outage),
        };
        at.publish(Cause::Outage, event);
    }

    fn revoke(&self, attempt: &Attempt, token: RefreshToken) {
        let ended = self.base.ended(attempt.session, token, None);
        self.base.revoke(ended, attempt.device.clone());
    }
}

/// The outcome of a refresh whose session a sign-in or a sign-out has ended: whoever asked for a
/// session has one, or not.
pub(super) fn superseded(core: &Core) -> Outcome {
    match core.look(|inner| inner.access_id().is_some()) {
        true => Ok(()),
        false => Err(Overtaken.into()),
    }
}
