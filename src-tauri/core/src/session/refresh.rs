//! From an old refresh token to a new one: once, however many ask.
//!
//! Callers join one refresh: a task of its own, which neither a closed window nor a cancelled
//! command stops. The new token is in the keyring before the answer's body is read. Every step
//! after a wait asks for the epoch anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::base::Base;
use super::commit::{Overtaken, Persist};
use super::epoch::{AccessId, Epoch};
use super::inner::{Access, Owner};
use super::keeping::Keyring;
use super::process_lock::ROTATION_LIMIT;
use super::reconcile::{Reconcile, Standing};
use super::record::{Marker, Phase};
use super::refusals::Counting;
use super::sign_in::expires_at;
use crate::backend::{Fault, Head, TOTAL_LIMIT, Verdict};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::step;
use crate::identity::{Generation, JarId, SessionId};
use crate::profile::UserFrom;
use crate::reply::AccessToken;
use crate::secrets::Secret;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, SignedOutReason, User};

/// How many newer tokens one refresh sends after a rejected one. A backend that gives out a new
/// one with each rejection contradicts itself, and would be asked without end.
const REPLACED: u32 = 2;

/// Who wants a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshReason {
    /// The schedule.
    Timer,
    /// A person.
    Click,
    /// A call for which this access token did not do; none where there was none.
    Call(Option<AccessId>),
}

type Outcome = Result<(), AuthError>;

/// A refresh under way, of one epoch's session, and later its outcome.
struct UnderWay {
    epoch: Epoch,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// Refreshes, one at a time for each session.
pub(super) struct Refresh {
    base: Arc<Base>,
    reconcile: Arc<Reconcile>,
    under_way: Mutex<Option<UnderWay>>,
}

/// What one request goes out with, and in whose name.
#[derive(Clone)]
struct Attempt {
    epoch: Epoch,
    session: SessionId,
    jar: JarId,
    generation: Generation,
    token: RefreshToken,
    access: Option<Secret>,
    device: Device,
    /// When it was asked for, in the time since boot.
    asked: Duration,
    reason: RefreshReason,
    new_connection: bool,
}

/// What of an attempt's answer is kept already.
struct Kept {
    token: RefreshToken,
    generation: Generation,
}

/// How an attempt came out.
enum Attempted {
    /// Done, well or not.
    Done(Outcome),
    /// The backend says by name that the session is over; to be confirmed.
    Rejected(SignedOutReason),
    /// An API call has replaced the token meanwhile: the answer is about the one before.
    Overtaken,
}

impl Attempted {
    fn failed(error: AuthError) -> Self {
        Self::Done(Err(error))
    }
}

impl Refresh {
    pub fn new(base: Arc<Base>, reconcile: Arc<Reconcile>) -> Self {
        Self {
            base,
            reconcile,
            under_way: Mutex::default(),
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
                        let result = me.rotate(epoch, reason).await;
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
            RefreshReason::Click | RefreshReason::Call(_) => {}
        }
        if !at.may_be_refreshed() {
            return Some(Err(ErrorCode::NotSignedIn.into()));
        }
        let wait = at.plan.click_wait(now)?;
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

    async fn rotate(&self, epoch: Epoch, reason: RefreshReason) -> Outcome {
        let base = &self.base;
        // Nothing is sent while another process may be about to replace the token.
        let Some(_right) = base.lock.right(ROTATION_LIMIT).await else {
            return Err(self.reconcile.put_off(epoch));
        };
        step!("rotation.locked");
        let (mut attempt, interrupted) = {
            let _turn = base.lock.turn().await;
            let now = base.core.now();
            match base.core.at(epoch) {
                // Whatever comes of this try plans the next one.
                Some(mut at) => at.plan.begin(now),
                None => return self.superseded(),
            }
            match self.reconcile.run(epoch).await? {
                Standing::Held { interrupted } => (self.begin(epoch, reason)?, interrupted),
                Standing::Nobody => return Err(ErrorCode::NotSignedIn.into()),
                Standing::Unread => return Err(ErrorCode::KeyringUnread.into()),
            }
        };
        if self.has_missed_its_chance(&attempt) {
            // It is told once nobody is shown any more.
            let silence = base.pending.silence();
            let ended = base.ended(attempt.session, attempt.token.clone(), None);
            let _ = base.pending.put(ended).await;
            let outcome = self.end(epoch, SignedOutReason::Missing).await;
            drop(silence);
            base.tell(&attempt.device).await;
            return outcome;
        }
        let mut is_confirmed = !interrupted;
        let mut replaced = 0;
        loop {
            let why = match self.attempt(&attempt).await {
                Attempted::Done(outcome) => return outcome,
                Attempted::Rejected(why) => why,
                Attempted::Overtaken => match self.newer_than(&attempt).await? {
                    Some(newer) => {
                        attempt = newer;
                        continue;
                    }
                    None => return self.superseded(),
                },
            };
            // A second look, then a second opinion where a crash may have left us with a
            // token that the backend has already replaced.
            let newer = self.newer_than(&attempt).await?;
            if newer.is_none() && !is_confirmed {
                let wait = Duration::from_secs(2) + Duration::from_secs(3).mul_f64(rand::random());
                let until = base.core.now() + wait;
                base.core.clock.sleep_until(until).await;
            }
            if !base.stands(epoch) {
                return self.superseded();
            }
            match newer {
                Some(_) if replaced == REPLACED => {
                    return Err(self.unreached(&attempt, Fault::BadAnswer, None));
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

    /// What is sent in the name of `epoch`.
    fn begin(&self, epoch: Epoch, reason: RefreshReason) -> Result<Attempt, AuthError> {
        let core = &self.base.core;
        let mut at = core.at(epoch).ok_or(ErrorCode::NotSignedIn)?;
        let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
        let token = held.token.clone().ok_or(ErrorCode::KeyringUnread)?;
        let attempt = Attempt {
            epoch,
            session: held.id,
            jar: at.jar,
            generation: held.generation,
            token,
            access: held.access_text(),
            device: held.device.clone(),
            asked: core.now(),
            reason,
            new_connection: at.refusals.is_counting(),
        };
        if at.state().outage().is_some() {
            let outage = at.outage(core.now_ms(), None);
            at.publish(Cause::Outage, Event::Unreached(outage));
        }
        Ok(attempt)
    }

    /// Whether the token was replaced by an answer that was never stored, and the time is over in
    /// which the backend gives the same again.
    fn has_missed_its_chance(&self, attempt: &Attempt) -> bool {
        let base = &self.base;
        let grace = Duration::from_secs(base.backend.profile().session.grace_s);
        let now_ms = base.core.now_ms();
        let at = base.core.at(attempt.epoch);
        let held = at.as_ref().and_then(|at| at.session.as_ref());
        held.is_some_and(|held| {
            held.is_last_chance
                && held.replaced_at.is_none_or(|replaced| {
                    // A clock before that time counts as passed.
                    let age = now_ms.checked_sub(replaced).map(Duration::from_millis);
                    age.is_none_or(|age| age >= grace)
                })
        })
    }

    /// What to send instead of a token that was rejected, if another process has left it.
    async fn newer_than(&self, attempt: &Attempt) -> Result<Option<Attempt>, AuthError> {
        let _turn = self.base.lock.turn().await;
        if !self.base.stands(attempt.epoch) {
            return Ok(None);
        }
        self.reconcile.run(attempt.epoch).await?;
        let newer = self.begin(attempt.epoch, attempt.reason)?;
        Ok((newer.generation > attempt.generation).then_some(newer))
    }

    /// One request, and what becomes of its answer.
    async fn attempt(&self, attempt: &Attempt) -> Attempted {
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
            return Attempted::Done(self.superseded());
        };
        let backend = base.backend.with_jar(attempt.jar);
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
                    None => return Attempted::Done(self.superseded()),
                };
                match counting {
                    Counting::Over => Attempted::Done(self.end(attempt.epoch, why).await),
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
        let same =
            |inner: &mut super::inner::Inner, _: bool| Event::Remembered(inner.keyring.remembers());
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
            .keep_rotated(attempt.epoch, attempt.session, generation, token)
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
        Attempted::Done(self.superseded())
    }

    /// The outcome of a refresh whose session a sign-in or a sign-out has ended: whoever asked
    /// for a session has one, or not.
    fn superseded(&self) -> Outcome {
        let is_signed_in = |inner: &super::inner::Inner| inner.access_id().is_some();
        match self.base.core.look(is_signed_in) {
            true => Ok(()),
            false => Err(Overtaken.into()),
        }
    }

    /// Puts a rotated token where it is safe. False if the session is over meanwhile, here or in
    /// another process, and the token has gone to be revoked.
    pub async fn keep_rotated(
        &self,
        epoch: Epoch,
        session: SessionId,
        generation: Generation,
        token: &RefreshToken,
    ) -> bool {
        let base = &self.base;
        let Some((known, legacy)) = base.core.at(epoch).map(|at| {
            let legacy = at.session.as_ref().and_then(|held| held.legacy_item);
            (at.keyring, legacy)
        }) else {
            self.revoke_late(session, token.clone());
            return false;
        };
        let mut saved = Ok(());
        let mut over = self.marker(epoch, session).await;
        if over.is_none() {
            let mut item = base.persistence.item(session, generation, token.clone());
            // Who was told that it lasts until the app quits is told otherwise first.
            item.until_quit = known.lasts_until_quit();
            saved = base.items.save(epoch, &item, known, legacy).await;
            over = self.marker(epoch, session).await;
        }
        let record = {
            let mut at = match over {
                None => base.core.at(epoch),
                Some(_) => None,
            };
            at.as_mut().and_then(|at| {
                let now = base.core.now();
                let now_ms = base.core.now_ms();
                at.keyring = Keyring::after(saved, known.lasts_until_quit(), now);
                let held = at.session.as_mut()?;
                held.generation = generation;
                held.token = Some(token.clone());
                held.replaced_at = Some(now_ms);
                held.is_last_chance = false;
                if saved.is_ok() {
                    held.saved_generation = Some(generation);
                    held.legacy_item = None;
                }
                let record = base
                    .persistence
                    .record(held, Phase::Rotating, saved.is_err());
                Some(record)
            })
        };
        let Some(record) = record else {
            if let Some(marker) = over {
                // Written by another process, or by this one a moment ago: either way the item
                // must not outlive it. A crash in between must leave one of the two to be told.
                let ended = base.ended(session, token.clone(), None);
                let safe = base.pending.put(ended).await;
                base.items.delete(epoch, None, safe).await;
                self.reconcile.follow_sign_out(epoch, marker.why);
            }
            self.revoke_late(session, token.clone());
            return false;
        };
        if saved.is_err() {
            // The record alone knows that the token in the keyring is spent.
            let persist = Persist::Record(Box::new(record), Durability::Synced);
            let told = |_: &mut super::inner::Inner, _: bool| Event::Remembered(false);
            let committed = base
                .commit
                .commit(epoch, persist, Cause::Storage, told)
                .await;
            if committed.is_err() {
                self.revoke_late(session, token.clone());
                return false;
            }
        }
        true
    }

    /// The sign-out marker, if it is about `session`; `None` too where that cannot be told, and
    /// once the epoch is over, which the caller finds out by itself.
    async fn marker(&self, epoch: Epoch, session: SessionId) -> Option<Marker> {
        let base = &self.base;
        let ignores_unnamed = base.core.at(epoch)?.ignores_unnamed_marker;
        let asking = base.clone();
        let stands = move || asking.stands(epoch);
        let read = base
            .persistence
            .on_disk(stands, |records| records.marker())
            .await;
        let marker = read.ok().flatten().flatten()?;
        let is_ignored = ignores_unnamed && marker.session.is_none();
        (marker.ends(session) && !is_ignored).then_some(marker)
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
        let backend = base.backend.with_jar(attempt.jar);
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
                held.owner = Some(Owner {
                    user,
                    expires_at: expires_at(&token),
                });
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
                let told = inner.session.as_ref().and_then(super::inner::Held::info);
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
            self.make_it_last(attempt.epoch).await;
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
        self.superseded()
    }

    /// The person was told that the session lasts until the app quits, and the keyring works
    /// now: item and record say so, then the windows. The item says it first, so that whoever
    /// was told the old is not surprised by a crash in between.
    pub async fn make_it_last(&self, epoch: Epoch) {
        let base = &self.base;
        let prepared = base.core.at(epoch).and_then(|at| {
            let held = at.session.clone()?;
            let item = base
                .persistence
                .item(held.id, held.generation, held.token.clone()?);
            Some((item, held, at.keyring, at.ignores_unnamed_marker))
        });
        let Some((item, mut held, known, is_marked)) = prepared else {
            return;
        };
        let _one = base.lock.turn().await;
        let mut flagged = item.clone();
        flagged.until_quit = true;
        let mut saved = match known {
            // It is there already, marked as what was told.
            Keyring::UntilQuit(_) => Ok(()),
            _ => {
                base.items
                    .save(epoch, &flagged, known, held.legacy_item)
                    .await
            }
        };
        held.saved_generation = match saved {
            Ok(()) => Some(held.generation),
            Err(_) => held.saved_generation,
        };
        held.legacy_item = held.legacy_item.filter(|_| saved.is_err());
        let mut is_recorded = false;
        if saved.is_ok() {
            let record = base.persistence.record(&held, Phase::Idle, false);
            is_recorded = self.record_if_idle(epoch, record, is_marked).await;
            if is_recorded {
                saved = base.persistence.write_item(epoch, &item).await;
            }
        }
        let now = base.core.now();
        let generation = held.generation;
        let change = move |inner: &mut super::inner::Inner, _: bool| {
            if let Some(in_use) = &mut inner.session
                && in_use.generation == generation
            {
                in_use.saved_generation = held.saved_generation;
                in_use.legacy_item = held.legacy_item;
                inner.keyring = Keyring::after(saved, !is_recorded, now);
                inner.ignores_unnamed_marker &= !is_recorded;
            }
            Event::Remembered(inner.keyring.remembers())
        };
        let _ = base
            .commit
            .commit(epoch, Persist::Nothing, Cause::Storage, change)
            .await;
    }

    /// Writes the record unless a rotation is under way, or was: its word counts. A marker that
    /// the sign-in could not remove has to go first: the next start would find the session over.
    async fn record_if_idle(
        &self,
        epoch: Epoch,
        record: super::record::Record,
        is_marked: bool,
    ) -> bool {
        let asking = self.base.clone();
        let stands = move || asking.stands(epoch);
        let written = self.base.persistence.on_disk(stands, move |records| {
            let mut record = record;
            if let Some(now) = records.session()?
                && now.session == record.session
            {
                if now.generation > record.generation {
                    return Ok(());
                }
                record.phase = now.phase;
            }
            records.write_session(&record, Durability::Synced)?;
            if is_marked && records.clear_marker(record.session) {
                return Err(std::io::ErrorKind::Other.into());
            }
            records.lay_marker_aside();
            Ok(())
        });
        matches!(written.await, Ok(Some(())))
    }

    /// The session stays; the next try is planned.
    fn unreached(
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
            let same = |inner: &mut super::inner::Inner, _: bool| {
                Event::Remembered(inner.keyring.remembers())
            };
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

    fn kept_for_later(&self, mut at: super::inner::At<'_>, retry_at: Duration) {
        let outage = at.outage(self.base.core.now_ms(), Some(retry_at));
        let told = at.session.as_ref().and_then(super::inner::Held::info);
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

    /// The backend has ended the session: persist that, then say so.
    async fn end(&self, epoch: Epoch, why: SignedOutReason) -> Outcome {
        let base = &self.base;
        // Nobody reads disk and keyring before this is on them.
        let _turn = base.lock.turn().await;
        let taken = base.core.at(epoch).and_then(|mut at| {
            let known = at.keyring;
            let held = at.drop_session()?;
            Some((at.begin_epoch(), held, known))
        });
        let Some((epoch, held, known)) = taken else {
            return self.superseded();
        };
        tracing::warn!(?why, "the session is over");
        let marker = Marker {
            session: Some(held.id),
            why,
        };
        let asking = base.clone();
        let stands = move || asking.stands(epoch);
        let marked = base
            .persistence
            .on_disk(stands, move |records| records.write_marker(marker));
        let _ = marked.await;
        let legacy = held.legacy_item;
        let keyring = match known.is_clear() {
            true => base.items.delete(epoch, legacy, Ok(())).await,
            // It may hold another session's.
            false => base.items.empty(epoch, legacy).await,
        };
        let until_quit = known.lasts_until_quit();
        let record = base.persistence.record_of_the_end(&held, until_quit);
        let persist = Persist::end(keyring, Some(Box::new(record)));
        let ended = base
            .commit
            .commit(epoch, persist, Cause::Rejected, |inner, _| {
                inner.keyring = keyring;
                Event::Ended(why)
            });
        if ended.await.is_ok()
            && let Some(mut at) = base.core.at(epoch)
        {
            self.reconcile.begin_nobodys_jar(&mut at);
        }
        Err(ErrorCode::SessionEnded.into())
    }

    fn revoke(&self, attempt: &Attempt, token: RefreshToken) {
        let ended = self.base.ended(attempt.session, token, None);
        self.base.revoke(ended, attempt.device.clone());
    }

    fn revoke_late(&self, session: SessionId, token: RefreshToken) {
        let device = self.base.core.look(|inner| inner.device.clone());
        let ended = self.base.ended(session, token, None);
        self.base.revoke(ended, device);
    }
}
