//! From a password, or a code, to a session.
//!
//! Each sign-in is a task of its own, with an [`AttemptId`]: a sign-out and a cancel void it, a
//! window that closes does not leave it half done. What it has begun at the backend and cannot
//! be used here is ended there.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;

use super::base::Base;
use super::commit::{Overtaken, Persist};
use super::epoch::{AttemptId, Epoch};
use super::inner::{Access, Held, OpenChallenge, Owner};
use super::keeping::Keyring;
use super::pending_sign_outs::Ended;
use super::process_lock::SIGN_IN_LIMIT;
use super::record::{Names, Phase};
use crate::backend::{Answering, Backend, Failed, Grant, SignIn as Answer, Unusable};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::step;
use crate::identity::{ChallengeId, Generation, SessionId};
use crate::profile::Placeholder;
use crate::secrets::Secret;
use crate::state::{self, Event};
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, Challenge, LoginInput, RegisterInput, SignInOutcome};

/// How long a sign-in waits for the backend to hear of the end of the session that it replaces,
/// where nothing else can keep that.
const TOLD_WITHIN: Duration = Duration::from_secs(3);

/// Signs in.
pub(super) struct SignIn {
    base: Arc<Base>,
    /// One at a time.
    one: tokio::sync::Mutex<()>,
}

/// A sign-in under way; it is over when this is dropped, unless a challenge goes on with it.
struct UnderWay<'a> {
    base: &'a Base,
    id: AttemptId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let goes_on = self.base.core.look(|inner| {
            let challenge = inner.challenge();
            challenge.is_some_and(|open| open.attempt == self.id)
        });
        if !goes_on {
            self.base.core.end_attempt(self.id);
        }
    }
}

/// A session that has begun at the backend, on its way to be this one's.
struct Begun {
    epoch: Epoch,
    held: Held,
    /// What it replaces.
    replaced: Option<Held>,
    /// What was known of the keyring before.
    known: Keyring,
    sign_in: Backend,
}

/// What came of the record of a sign-in.
#[derive(Default)]
struct Recorded {
    is_written: bool,
    /// A sign-out marker is left that would end this session.
    is_marked: bool,
    /// It was written over that of a session which this process knew nothing of.
    is_over_a_strangers: bool,
}

impl SignIn {
    pub fn new(base: Arc<Base>) -> Self {
        Self {
            base,
            one: tokio::sync::Mutex::default(),
        }
    }

    /// Signs in with a password. On failure the state is what it was before.
    pub async fn login(self: &Arc<Self>, input: LoginInput) -> Result<SignInOutcome, AuthError> {
        let me = self.clone();
        let attempt = self.base.core.begin_attempt();
        to_its_end(async move {
            let under_way = me.under_way(attempt);
            let _one = me.one.lock().await;
            let device = me.device_of_today(input.fingerprint.as_ref());
            let backend = me.backend();
            let answer = me.held(backend.login(&input, &device).await, &device)?;
            let challenge = me.challenge_of(attempt, input.email, input.password, device, backend);
            me.answered(Cause::Login, &under_way, answer, challenge)
                .await
        })
        .await
    }

    /// Makes an account, and signs in where the backend does.
    pub async fn register(
        self: &Arc<Self>,
        input: RegisterInput,
    ) -> Result<SignInOutcome, AuthError> {
        let me = self.clone();
        let attempt = self.base.core.begin_attempt();
        to_its_end(async move {
            let under_way = me.under_way(attempt);
            let _one = me.one.lock().await;
            let device = me.device_of_today(input.fingerprint.as_ref());
            let backend = me.backend();
            let answer = me.held(backend.register(&input, &device).await, &device)?;
            let challenge = me.challenge_of(attempt, input.email, input.password, device, backend);
            me.answered(Cause::Register, &under_way, answer, challenge)
                .await
        })
        .await
    }

    /// Answers a challenge: the one that is named, and no other. A wrong code leaves it open; an
    /// old one, or one too many, closes it.
    pub async fn verify_otp(
        self: &Arc<Self>,
        id: ChallengeId,
        code: Secret,
    ) -> Result<SignInOutcome, AuthError> {
        // What was asked before a cancel is void, however long it waits for its turn.
        let attempt = self.challenge(id)?.attempt;
        let me = self.clone();
        to_its_end(async move {
            let under_way = me.under_way(attempt);
            let _one = me.one.lock().await;
            let challenge = me.challenge(id)?;
            let answer = challenge
                .backend
                .verify_otp(challenge.answering(), &code)
                .await;
            match me.held(answer, &challenge.device) {
                Ok(answer) => {
                    me.answered(Cause::VerifyOtp, &under_way, answer, challenge)
                        .await
                }
                Err(error) => {
                    if matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany) {
                        me.give_up(id);
                    }
                    Err(error)
                }
            }
        })
        .await
    }

    /// Asks for another code; the answer says when the next may be asked for.
    pub async fn resend_otp(&self) -> Result<Challenge, AuthError> {
        let base = &self.base;
        let _one = self.one.lock().await;
        let open = base.core.look(|inner| inner.challenge().cloned());
        let open = open.ok_or(ErrorCode::NoChallenge)?;
        let result = open.backend.resend_otp(open.answering()).await;
        let wait_ms = match &result {
            Ok(()) => base.backend.profile().otp.resend_after_ms(),
            Err(error) => error.retry_after_ms.unwrap_or_default(),
        };
        if let Err(error) = &result
            && matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany)
        {
            self.give_up(open.id);
        }
        let now = base.core.now();
        let gone = || {
            result
                .clone()
                .err()
                .unwrap_or(ErrorCode::NoChallenge.into())
        };
        let Some(at) = base.core.at_attempt(open.attempt) else {
            return Err(gone());
        };
        let shown = at.state().open_challenge().cloned();
        let Some(shown) = shown.filter(|shown| shown.id == open.id) else {
            return Err(gone());
        };
        let next = now.saturating_add(Duration::from_millis(wait_ms));
        let shown = state::Challenge {
            resend_at: shown.resend_at.max(next),
            ..shown
        };
        at.publish(Cause::Challenge, Event::Challenged(shown.clone()));
        result.map(|()| shown.view(now))
    }

    /// Gives the open challenge up, whichever it is.
    pub fn cancel_otp(&self) {
        if let Some(id) = self
            .base
            .core
            .look(|inner| inner.challenge().map(|it| it.id))
        {
            self.give_up(id);
        }
    }

    /// Gives this challenge up; what the backend has begun with it is ended there.
    fn give_up(&self, id: ChallengeId) {
        let base = &self.base;
        let Some(attempt) = base.core.look(|inner| {
            let open = inner.challenge().filter(|open| open.id == id)?;
            Some(open.attempt)
        }) else {
            return;
        };
        let Some(mut at) = base.core.at_attempt(attempt) else {
            return;
        };
        let closed = at.close_challenge();
        at.publish(Cause::Challenge, Event::ChallengeOver);
        if let Some(closed) = closed {
            self.revoke(closed.token, None, closed.device);
        }
    }

    fn under_way(&self, id: AttemptId) -> UnderWay<'_> {
        UnderWay {
            base: &self.base,
            id,
        }
    }

    /// The backend for a sign-in, with a jar of its own.
    fn backend(&self) -> Backend {
        let nobodys = |inner: &super::inner::Inner| inner.session.is_none().then_some(inner.jar);
        self.base.backend.for_sign_in(self.base.core.look(nobodys))
    }

    fn device_of_today(&self, extra: Option<&Map<String, Value>>) -> Device {
        let device = self.base.core.look(|inner| inner.device.clone());
        device.renewed(&self.base.product, extra)
    }

    /// A copy of what the challenge needs, if it is open.
    fn challenge(&self, id: ChallengeId) -> Result<OpenChallenge, AuthError> {
        let open = self.base.core.look(|inner| inner.challenge().cloned());
        open.filter(|open| open.id == id)
            .ok_or_else(|| ErrorCode::NoChallenge.into())
    }

    /// What a challenge would need. The password is kept for it only where it must be typed
    /// along with the code, as the profile says.
    fn challenge_of(
        &self,
        attempt: AttemptId,
        email: String,
        password: Secret,
        device: Device,
        backend: Backend,
    ) -> OpenChallenge {
        let verify = self.base.backend.profile().endpoints.verify_otp.get();
        let wanted = verify.is_some_and(|call| call.asks_for(Placeholder::Password));
        OpenChallenge {
            id: ChallengeId::new(),
            attempt,
            email,
            device,
            backend,
            password: wanted.then_some(password),
            name: None,
            token: RefreshToken::default(),
        }
    }

    /// The answer; what a failed sign-in has left at the backend is ended there.
    fn held(&self, answer: Result<Answer, Failed>, device: &Device) -> Result<Answer, AuthError> {
        answer.map_err(|failed| {
            if let Some(token) = failed.left {
                self.revoke(token, None, device.clone());
            }
            failed.error
        })
    }

    /// What was answered comes true, unless the sign-in was voided meanwhile: what came last
    /// counts.
    async fn answered(
        &self,
        cause: Cause,
        under_way: &UnderWay<'_>,
        answer: Answer,
        challenge: OpenChallenge,
    ) -> Result<SignInOutcome, AuthError> {
        match answer {
            Answer::Granted(grant) => {
                let grant = *grant;
                self.take_into_use(cause, under_way.id, grant, challenge)
                    .await?;
                Ok(SignInOutcome::SignedIn)
            }
            Answer::Nameless(unusable) => {
                // Nobody is signed in here, so nobody may stay signed in there.
                let Unusable {
                    access,
                    token,
                    error,
                } = *unusable;
                self.revoke(token, access, challenge.device);
                Err(error)
            }
            Answer::OtpRequired {
                email,
                challenge: name,
                token,
            } => {
                let challenge = OpenChallenge {
                    id: ChallengeId::new(),
                    name,
                    token,
                    ..challenge
                };
                self.challenged(cause, email, challenge).await
            }
            Answer::Accepted => Ok(SignInOutcome::Accepted),
        }
    }

    /// The backend wants a code: the challenge is open from here on, in the place of any other.
    async fn challenged(
        &self,
        cause: Cause,
        email: Option<String>,
        challenge: OpenChallenge,
    ) -> Result<SignInOutcome, AuthError> {
        let base = &self.base;
        let sent = challenge.backend.send_otp(challenge.answering()).await;
        let wait_ms = match &sent {
            Ok(()) => base.backend.profile().otp.resend_after_ms(),
            Err(error) => {
                tracing::warn!(code = ?error.code, "no code was sent; it can be asked for");
                error.retry_after_ms.unwrap_or_default()
            }
        };
        let shown = state::Challenge {
            id: challenge.id,
            email: email.unwrap_or_else(|| challenge.email.clone()),
            resend_at: base
                .core
                .now()
                .saturating_add(Duration::from_millis(wait_ms)),
        };
        let Some(mut at) = base.core.at_attempt(challenge.attempt) else {
            self.revoke(challenge.token, None, challenge.device);
            return Err(void(cause));
        };
        let before = at.open_challenge(challenge);
        at.publish(Cause::Challenge, Event::Challenged(shown));
        if let Some(before) = before {
            self.revoke(before.token, None, before.device);
        }
        Ok(SignInOutcome::OtpRequired)
    }

    /// Persist, assign, publish. A sign-out that comes between wins.
    async fn take_into_use(
        &self,
        cause: Cause,
        attempt: AttemptId,
        grant: Grant,
        by: OpenChallenge,
    ) -> Result<(), AuthError> {
        let base = &self.base;
        let _exclusive = base.lock.exclusive(SIGN_IN_LIMIT).await;
        let Grant {
            user,
            access,
            token,
        } = grant;
        let revocable = access.token.clone();
        let Some(begun) = self.begin(attempt, user, token.clone(), &by) else {
            self.revoke(token, revocable, by.device);
            return Err(void(cause));
        };
        let replaced = begun.replaced.as_ref().map(|held| held.id);
        let device = base.core.look(|inner| inner.device.clone());
        let established = self.establish(begun, cause, access).await;
        if let Some(replaced) = replaced {
            base.pending.release(replaced);
        }
        base.pending.release_left();
        let telling = base.clone();
        // What was replaced is told in its own time.
        tokio::spawn(async move { telling.tell(&device).await });
        if established.is_err() {
            self.revoke(token, revocable, by.device);
            return Err(void(cause));
        }
        Ok(())
    }

    /// The session before is over from here on for all that was begun in its name.
    fn begin(
        &self,
        attempt: AttemptId,
        user: crate::wire::User,
        token: RefreshToken,
        by: &OpenChallenge,
    ) -> Option<Begun> {
        let mut at = self.base.core.at_attempt(attempt)?;
        let epoch = at.begin_epoch();
        let known = at.keyring;
        let all_replaced = at.replaced();
        let replaced = at.drop_session();
        Some(Begun {
            epoch,
            held: Held {
                id: SessionId::new(),
                generation: Generation::FIRST,
                access: None,
                owner: Some(Owner {
                    user,
                    expires_at: expires_at(&token),
                }),
                token: Some(token),
                device: by.device.clone(),
                saved_generation: None,
                replaced_at: None,
                legacy_item: replaced.as_ref().and_then(|held| held.legacy_item),
                is_last_chance: false,
                replaced: all_replaced,
            },
            replaced,
            known,
            sign_in: by.backend.clone(),
        })
    }

    async fn establish(
        &self,
        begun: Begun,
        cause: Cause,
        access: crate::reply::AccessToken,
    ) -> Result<(), Overtaken> {
        let base = &self.base;
        let Begun {
            epoch,
            mut held,
            replaced,
            known,
            sign_in,
        } = begun;
        let before = base.core.look(|inner| inner.device.clone());
        // What it replaces must not just disappear.
        let mut known = self.put_replaced_away(replaced, &held, known).await;
        let recorded = self.record(epoch, &mut held).await?;
        if recorded.is_over_a_strangers {
            // So may the item be.
            known = Keyring::Unknown(None);
        }
        let (is_recorded, is_marked) = (recorded.is_written, recorded.is_marked);
        step!("login.journaled");
        let token = held.token.clone().unwrap_or_default();
        let mut item = base.persistence.item(held.id, held.generation, token);
        item.until_quit = !is_recorded || is_marked;
        let saved = base.items.save(epoch, &item, known, held.legacy_item).await;
        step!("login.kept");
        let now = base.core.now();
        known = Keyring::after(saved, item.until_quit, now);
        held.saved_generation = saved.is_ok().then_some(held.generation);
        held.legacy_item = held.legacy_item.filter(|_| saved.is_err());
        held.access = Some(Access::new(access, now));
        let record = base
            .persistence
            .record(&held, Phase::Idle, known.lasts_until_quit());
        let durability = match known {
            // Lost, it costs one look at the keyring.
            Keyring::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = match is_recorded {
            true => Persist::Record(Box::new(record), durability),
            false => Persist::Nothing,
        };
        self.keep_device(&before, &held.device).await;
        let jar = held.id.into();
        let backend = &base.backend;
        let mut closed = None;
        let committed = base.commit.commit(epoch, persist, cause, |inner, _| {
            backend.take_over(&sign_in, jar);
            inner.begin_epoch();
            inner.jar = jar;
            inner.device = held.device.clone();
            inner.keyring = known;
            inner.ignores_unnamed_marker = is_marked;
            closed = inner.close_challenge();
            let told = held.info();
            inner.session = Some(held);
            inner.is_well(now);
            match told {
                Some((user, session)) => Event::SignedIn {
                    user,
                    session,
                    remembered: known.remembers(),
                },
                None => Event::OwnerUnknown,
            }
        });
        committed.await?;
        step!("login.recorded");
        if let Some(closed) = closed {
            self.revoke(closed.token, None, closed.device);
        }
        Ok(())
    }

    /// Hands the session that is replaced to the pending sign-outs. What is known of the keyring
    /// afterwards says whether it may be written over.
    async fn put_replaced_away(
        &self,
        replaced: Option<Held>,
        by: &Held,
        known: Keyring,
    ) -> Keyring {
        let base = &self.base;
        let Some(replaced) = replaced else {
            return known;
        };
        let access = replaced.access_text();
        let Some(token) = replaced.token else {
            // It is behind a keyring that was not read.
            return Keyring::Unknown(None);
        };
        if by.token.as_ref().is_some_and(|new| new.is_same(&token)) {
            // Some backends give out one token twice: to end the one would end the other.
            return known;
        }
        let ended = Ended {
            replaced_by: Some(by.id),
            ..base.ended(replaced.id, token, access)
        };
        if base.pending.put(ended).await.is_ok() {
            return known;
        }
        // No disk, or no keyring, takes it. What the backend has heard need not be kept.
        base.pending.release(replaced.id);
        let (telling, device) = (base.clone(), replaced.device);
        let told = tokio::spawn(async move { telling.tell(&device).await });
        let _ = tokio::time::timeout(TOLD_WITHIN, told).await;
        match base.pending.keep(replaced.id).await {
            None | Some(Ok(())) => known,
            // Not before it is safe elsewhere.
            Some(Err(error)) => Keyring::Unknown(Some(error)),
        }
    }

    /// Says on disk that this session is the one, and removes the sign-out marker of another. What
    /// the record before knew of the keyring goes over into this one.
    async fn record(&self, epoch: Epoch, held: &mut Held) -> Result<Recorded, Overtaken> {
        let base = &self.base;
        let mut record = base.persistence.record(held, Phase::Idle, false);
        let asking = base.clone();
        let stands = move || asking.stands(epoch);
        let written = base.persistence.on_disk(stands, move |records| {
            let before = records.session().ok().flatten();
            let is_over_a_strangers = before.is_some_and(|before| {
                let marker = records.marker().ok().flatten();
                record.take_over(before, marker)
            });
            let written = records.write_session(&record, Durability::Synced);
            if let Err(error) = &written {
                tracing::error!(kind = %error.kind(), "the session's record cannot be written");
            }
            records.lay_marker_aside();
            let is_marked = match &written {
                Ok(()) => records.clear_marker(record.session),
                // The record of the session before stays, and must not be shown as this one.
                Err(_) => records.set_spare_marker(),
            };
            let recorded = Recorded {
                is_written: written.is_ok(),
                is_marked,
                is_over_a_strangers,
            };
            Ok((recorded, record))
        });
        match written.await {
            Ok(Some((recorded, record))) => {
                held.replaced = record.replaced;
                held.legacy_item = record.legacy_item;
                Ok(recorded)
            }
            Ok(None) => Err(Overtaken),
            Err(_) => Ok(Recorded::default()),
        }
    }

    /// The device values of a sign-in are taken into the device record where they have changed.
    async fn keep_device(&self, before: &Device, device: &Device) {
        if before == device {
            return;
        }
        let (device, names): (Device, Names) = (device.clone(), self.base.persistence.names);
        let written = self
            .base
            .persistence
            .on_disk(|| true, move |records| records.write_device(&device, names));
        // The session's own record has them too.
        let _ = written.await;
    }

    fn revoke(&self, token: RefreshToken, access: Option<Secret>, device: Device) {
        let ended = self.base.ended(SessionId::new(), token, access);
        self.base.revoke(ended, device);
    }
}

/// Does `work` to its end, also where nobody waits for it any more: a window that closes must
/// not leave a session at the backend that nobody knows of.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> Result<T, AuthError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

/// The error of an answer that came after its question was given up.
fn void(cause: Cause) -> AuthError {
    if cause == Cause::VerifyOtp {
        return ErrorCode::NoChallenge.into();
    }
    ErrorCode::NotSignedIn.into()
}

/// When a token ends, as a window is told.
pub(super) fn expires_at(token: &RefreshToken) -> Option<String> {
    token.expires()?.format(&Rfc3339).ok()
}

impl OpenChallenge {
    fn answering(&self) -> Answering<'_> {
        Answering {
            identifier: &self.email,
            password: self.password.as_ref(),
            challenge: self.name.as_ref(),
            device: &self.device,
        }
    }
}
