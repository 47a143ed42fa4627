//! From an old refresh token to a new one: once, however many ask.
//!
//! Callers join a flight: a task of its own, which neither a closed window nor a cancelled
//! command stops. The new token is in the keyring before the answer's body is read.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Session;
use super::shared::ROTATION_PATIENCE;
use super::sign_in::storage_after;
use crate::backend::{Fault, TOTAL_LIMIT, Verdict};
use crate::cookies::Era;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::journal::{SignedOut, Step};
use crate::profile::UserFrom;
use crate::secrets::{Secret, StoreError};
use crate::state::Event;
use crate::steps::step;
use crate::token::RefreshToken;
use crate::vault::Stamp;
use crate::wire::{Cause, SignedOutReason, User};

/// How many newer tokens a flight sends after a rejected one. A backend that gives out a new one
/// with each rejection contradicts itself, and would be asked without end.
const REPLACED: u32 = 2;

/// A refresh under way, and later its result.
pub(super) type Flight = watch::Receiver<Option<Result<(), AuthError>>>;

/// What a flight starts with.
pub(super) struct Start {
    pub stamp: Stamp,
    pub generation: u64,
    pub token: RefreshToken,
    pub access: Option<Secret>,
    pub device: Device,
    pub era: Era,
}

/// What of an attempt is safe already.
struct Safe {
    token: RefreshToken,
    generation: u64,
    kept: Result<(), StoreError>,
}

/// How an attempt came down.
enum Landing {
    /// Done, well or not.
    Landed(Result<(), AuthError>),
    /// The backend says that the session is over; to be confirmed.
    Rejected(SignedOutReason),
    /// An API call has replaced the session meanwhile: the answer is about the one before.
    Overtaken,
}

impl Landing {
    fn failed(error: AuthError) -> Self {
        Self::Landed(Err(error))
    }
}

/// Who wants a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The schedule.
    Timer,
    /// A person.
    Click,
    /// A call for which the access token with this serial did not do.
    Call(u64),
}

impl Session {
    /// Renews the session now, because someone asked. Refused while the backend's
    /// `Retry-After` holds, and within [`crate::schedule::CLICK_GAP`] of a failed try.
    pub async fn refresh(&self) -> Result<(), AuthError> {
        self.fly(Asked::Click).await
    }

    /// Whether a new flight may start; `Some` is the answer of one that may not.
    fn grounded(&self, asked: Asked) -> Option<Result<(), AuthError>> {
        let held = self.held();
        match asked {
            Asked::Timer => return None,
            Asked::Call(serial) if held.access_serial() != serial => {
                // Someone else has been faster.
                return Some(Ok(()));
            }
            Asked::Click | Asked::Call(_) => {}
        }
        if held.token.is_none() && !held.unread {
            return Some(Err(ErrorCode::NotSignedIn.into()));
        }
        let wait = held.plan.click_wait(self.now())?;
        let code = match asked {
            Asked::Call(_) if !held.plan.is_asked_to_wait(self.now()) => ErrorCode::Unreachable,
            Asked::Timer | Asked::Click | Asked::Call(_) => ErrorCode::RateLimited,
        };
        Some(Err(AuthError::new(code).retry_after(Some(wait))))
    }

    /// Joins the flight that is under way, or starts one if it may start.
    pub(super) async fn fly(&self, asked: Asked) -> Result<(), AuthError> {
        let mut flight = {
            let mut slot = self
                .0
                .flight
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match &*slot {
                Some(flight) if flight.borrow().is_none() && flight.has_changed().is_ok() => {
                    flight.clone()
                }
                _ => {
                    // A look after the lock: whoever was waiting may have been served.
                    if let Some(answer) = self.grounded(asked) {
                        return answer;
                    }
                    let (landed, flight) = watch::channel(None);
                    let session = self.clone();
                    tokio::spawn(async move {
                        let result = session.rotate().await;
                        landed.send_replace(Some(result));
                    });
                    *slot = Some(flight.clone());
                    flight
                }
            }
        };
        match flight.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Err(ErrorCode::Internal.into())),
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }

    async fn rotate(&self) -> Result<(), AuthError> {
        let asked_for = self.held().stamp;
        // Nothing is sent while another process may be about to replace the token.
        let Some(_rotation_lock) = self.rotation_lock(ROTATION_PATIENCE).await else {
            return Err(self.put_off(asked_for));
        };
        step!("rotation.locked");
        let (mut start, interrupted) = {
            let _settled = self.0.taking_over.lock().await;
            let stamp = {
                let mut held = self.held();
                if held.stamp != asked_for && held.access.is_some() {
                    // Someone signed in meanwhile: nothing is newer than that.
                    return Ok(());
                }
                // Whatever comes of this try plans the next one.
                held.plan.begin(self.now());
                held.stamp
            };
            let interrupted = self.catch_up(stamp).await?;
            (self.begin()?, interrupted)
        };
        let mut confirmed = !interrupted;
        let mut replaced = 0;
        loop {
            let why = match self.attempt(&start).await {
                Landing::Landed(result) => return result,
                Landing::Rejected(why) => why,
                Landing::Overtaken => match self.newer_than(&start).await? {
                    Some(newer) => {
                        start = newer;
                        continue;
                    }
                    None => return self.superseded(),
                },
            };
            // A second look, then a second opinion where a crash may have left us with a
            // token that the backend has already replaced.
            let newer = self.newer_than(&start).await?;
            if newer.is_none() && !confirmed {
                let wait = Duration::from_secs(2) + Duration::from_secs(3).mul_f64(rand::random());
                self.0.clock.sleep_until(self.now() + wait).await;
            }
            if self.held().stamp != start.stamp {
                return self.superseded();
            }
            match newer {
                Some(_) if replaced == REPLACED => {
                    return Err(self.unreached(&start, Fault::BadAnswer, None));
                }
                Some(newer) => {
                    replaced += 1;
                    start = newer;
                }
                None if confirmed => return self.ended(&start, why).await,
                None => confirmed = true,
            }
        }
    }

    /// What to send instead of a token that was rejected, if another process has left it.
    async fn newer_than(&self, start: &Start) -> Result<Option<Start>, AuthError> {
        let _settled = self.0.taking_over.lock().await;
        if self.held().stamp != start.stamp {
            return Ok(None);
        }
        self.catch_up(start.stamp).await?;
        let newer = self.begin()?;
        let is_newer = newer.stamp == start.stamp && newer.generation > start.generation;
        Ok(is_newer.then_some(newer))
    }

    /// One request, and what becomes of its answer.
    async fn attempt(&self, start: &Start) -> Landing {
        self.journal(&start.token, Step::Rotating, start.stamp, start.generation)
            .await;
        step!("rotation.journaled");
        let tries = self.held().plan.failures().saturating_add(1);
        let (token, access) = (&start.token, start.access.as_ref());
        let backend = self.0.backend.of_era(start.era);
        let until = Instant::now() + TOTAL_LIMIT;
        let answer = backend.refresh(token, access, &start.device, tries);
        let mut head = match answer.await {
            Ok(head) => head,
            Err(fault) => return Landing::failed(self.unreached(start, fault, None)),
        };
        step!("rotation.answered");
        let (status, retry_after, now) = (head.status(), head.retry_after(), head.sent_at());
        let mut token = start.token.clone();
        let mut safe = Safe {
            token: start.token.clone(),
            generation: start.generation,
            kept: Ok(()),
        };
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            token.apply_body(self.0.backend.rotated(&head.without_body(), now));
            // What is in the headers is safe before the body is read: that may break off.
            if !self.secure(start, &mut safe, &token).await {
                return self.lost(start);
            }
        }
        step!("rotation.kept");
        let body = match head.body().await {
            Ok(body) => body,
            Err(fault) => return Landing::failed(self.unreached(start, fault, retry_after)),
        };
        step!("rotation.read");
        if status.is_success() {
            token.apply_body(self.0.backend.rotated(&body, now));
            if !self.secure(start, &mut safe, &token).await {
                return self.lost(start);
            }
        }
        step!("rotation.body_kept");
        if self.is_overtaken(start, &safe) {
            return Landing::Overtaken;
        }
        if status.is_success() && token.is_empty() && body.json().is_some() {
            return Landing::Rejected(SignedOutReason::Expired);
        }
        match self.0.backend.verdict(status, &body, &token, now) {
            Verdict::Renewed { user, access } => {
                let user = match user {
                    Some(user) => Some(user),
                    None => match self
                        .whose(start, &token, access.token.as_ref(), until)
                        .await
                    {
                        Ok(user) => user,
                        Err(fault) => return Landing::failed(self.unreached(start, fault, None)),
                    },
                };
                let stored = storage_after(&safe.kept);
                let generation = safe.generation;
                let result = self.renewed(start, generation, token, user, access).await;
                let mut held = self.held();
                if held.stamp == start.stamp && generation != start.generation {
                    self.publish(&mut held, Cause::Storage, Event::Storage(stored));
                }
                Landing::Landed(result)
            }
            Verdict::Ended(why) => Landing::Rejected(why),
            Verdict::Transient(fault) => Landing::failed(self.unreached(start, fault, retry_after)),
        }
    }

    /// Puts `token` where it is safe if the backend has moved on: whatever becomes of the
    /// rest of the answer, it is the one that counts from here. False if the session is over
    /// or was replaced.
    async fn secure(&self, start: &Start, safe: &mut Safe, token: &RefreshToken) -> bool {
        if *token == safe.token || token.is_empty() {
            return true;
        }
        // Not between an API call's look and its write.
        let with_api = self.0.backend.profile().cookies.with_api;
        let _settled = match with_api {
            true => Some(self.0.taking_over.lock().await),
            false => None,
        };
        if self.is_overtaken(start, safe) {
            return false;
        }
        let generation = start.generation + 1;
        match self.keep_rotated(start, generation, token).await {
            Some(kept) => {
                *safe = Safe {
                    token: token.clone(),
                    generation,
                    kept,
                };
                true
            }
            None => false,
        }
    }

    /// Whether this session has another token by now than this flight knows of.
    fn is_overtaken(&self, start: &Start, safe: &Safe) -> bool {
        let held = self.held();
        held.stamp == start.stamp && held.generation != safe.generation
    }

    /// Where a flight lands whose token was not kept.
    fn lost(&self, start: &Start) -> Landing {
        if self.held().stamp == start.stamp {
            return Landing::Overtaken;
        }
        Landing::Landed(self.superseded())
    }

    /// Whose session it is, where the answer to a refresh does not say: `None` leaves it
    /// with whom it was. Only where nobody is known to show is a failure one of the refresh,
    /// whose bound `until` holds for both requests.
    async fn whose(
        &self,
        start: &Start,
        token: &RefreshToken,
        access: Option<&Secret>,
        until: Instant,
    ) -> Result<Option<User>, Fault> {
        let profile = self.0.backend.profile();
        let is_known = self.held().last_user.is_some();
        let asks = profile.session.user_from == UserFrom::Me || !is_known;
        if profile.endpoints.me.get().is_none() || !asks {
            return Ok(None);
        }
        let backend = self.0.backend.of_era(start.era);
        let me = backend.me(token, access, &start.device);
        match timeout_at(until, me).await.unwrap_or(Err(Fault::TimedOut)) {
            Ok(user) => Ok(Some(user)),
            Err(fault) if is_known => {
                tracing::warn!(%fault, "the user is shown as before");
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Puts a rotated token where it is safe; `None` if the session is over meanwhile, here
    /// or in another process, and the token has gone to be revoked.
    pub(super) async fn keep_rotated(
        &self,
        start: &Start,
        generation: u64,
        token: &RefreshToken,
    ) -> Option<Result<(), StoreError>> {
        let mut kept = Ok(());
        let mut over = self.marker(start.stamp).await;
        if over.is_none() {
            kept = self.keep(start.stamp, generation, token).await;
            over = self.marker(start.stamp).await;
        }
        {
            let mut held = self.held();
            if over.is_none() && held.stamp == start.stamp {
                held.generation = generation;
                held.token = Some(token.clone());
                held.saved(self.now(), &kept);
                return Some(kept);
            }
        }
        if let Some(SignedOut { why }) = over {
            // Written by another process, or by this one a moment ago: either way the item
            // must not outlive it. A crash in between must leave one of the two to be told.
            let safe = self.0.outbox.put(token.clone(), None, self.origin()).await;
            self.empty_keyring(start.stamp, safe).await;
            self.follow_sign_out(start.stamp, why);
        }
        self.revoke(token.clone(), None, start.device.clone());
        None
    }

    fn begin(&self) -> Result<Start, AuthError> {
        let mut held = self.held();
        let token = held.token.clone().ok_or_else(|| {
            AuthError::new(if held.unread {
                ErrorCode::Unreachable
            } else {
                ErrorCode::NotSignedIn
            })
        })?;
        let start = Start {
            stamp: held.stamp,
            generation: held.generation,
            token,
            access: held.access_text(),
            device: held.device.clone(),
            era: self.0.backend.era(),
        };
        if held.state.outage().is_some() {
            let outage = held.outage(self.0.clock.wall_ms(), None);
            self.publish(&mut held, Cause::Outage, Event::Unreached(outage));
        }
        Ok(start)
    }
}
