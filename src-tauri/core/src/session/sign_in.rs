//! From a password, or a code, to a session.

use std::io;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::item::Item;
use super::shared::SIGN_IN_PATIENCE;
use super::{Access, OpenChallenge, Session, storage_of};
use crate::backend::{Answering, Backend, Grant, Nameless, SignIn};
use crate::clock::SinceBoot;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::journal::{Journal, LastUser, SignedOut, Step};
use crate::profile::Placeholder;
use crate::secrets::{Secret, StoreError};
use crate::state::Event;
use crate::steps::step;
use crate::token::RefreshToken;
use crate::vault::Stamp;
use crate::wire::{
    Cause, Challenge, LoginInput, RegisterInput, SessionInfo, SignInOutcome, StorageStatus,
};

impl Session {
    /// Signs in with a password. On failure the state is what it was before.
    pub async fn login(&self, input: LoginInput) -> Result<SignInOutcome, AuthError> {
        let asked = self.held().given_up;
        let _one = self.0.signing_in.lock().await;
        let device = self.device_of_today(input.fingerprint.as_ref());
        let backend = self.0.backend.aside();
        let answer = backend.login(&input, &device).await?;
        let challenge = self.challenge_of(input.email, input.password, device, backend);
        self.answered(Cause::Login, asked, answer, challenge).await
    }

    /// Makes an account, and signs in where the backend does.
    pub async fn register(&self, input: RegisterInput) -> Result<SignInOutcome, AuthError> {
        let asked = self.held().given_up;
        let _one = self.0.signing_in.lock().await;
        let device = self.device_of_today(input.fingerprint.as_ref());
        let backend = self.0.backend.aside();
        let answer = backend.register(&input, &device).await?;
        let challenge = self.challenge_of(input.email, input.password, device, backend);
        self.answered(Cause::Register, asked, answer, challenge)
            .await
    }

    /// Answers the open challenge. A wrong code leaves it open; an old one, or one too
    /// many, closes it.
    pub async fn verify_otp(&self, code: Secret) -> Result<SignInOutcome, AuthError> {
        let asked = self.held().given_up;
        let _one = self.0.signing_in.lock().await;
        let challenge = self.challenge()?;
        let backend = &challenge.backend;
        let answer = backend.verify_otp(challenge.answering(), &code).await;
        match answer {
            Ok(answer) => {
                self.answered(Cause::VerifyOtp, asked, answer, challenge)
                    .await
            }
            Err(error) => {
                if matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany) {
                    self.cancel_otp();
                }
                Err(error)
            }
        }
    }

    /// Asks for another code; the answer says when the next may be asked for.
    pub async fn resend_otp(&self) -> Result<Challenge, AuthError> {
        let _one = self.0.signing_in.lock().await;
        let open = self.challenge()?;
        let result = open.backend.resend_otp(open.answering()).await;
        let wait_ms = match &result {
            Ok(()) => self.0.backend.profile().otp.resend_after_ms(),
            Err(error) => error.retry_after_ms.unwrap_or_default(),
        };
        if let Err(error) = &result
            && matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany)
        {
            self.cancel_otp();
        }
        let mut held = self.held();
        let Some(challenge) = held.state.open_challenge() else {
            return Err(result.err().unwrap_or(ErrorCode::NoChallenge.into()));
        };
        let next = self.0.clock.wall_ms().saturating_add(wait_ms);
        let challenge = Challenge {
            resend_at: challenge.resend_at.max(next),
            ..challenge.clone()
        };
        self.publish(
            &mut held,
            Cause::Challenge,
            Event::Challenged(challenge.clone()),
        );
        result.map(|()| challenge)
    }

    /// Gives the challenge up.
    pub fn cancel_otp(&self) {
        let mut held = self.held();
        if held.challenge.take().is_some() {
            held.given_up += 1;
        }
        self.publish(&mut held, Cause::Challenge, Event::ChallengeOver);
    }

    fn device_of_today(&self, extra: Option<&Map<String, Value>>) -> Device {
        self.held().device.renewed(&self.0.product, extra)
    }

    /// A copy of what the open challenge needs.
    fn challenge(&self) -> Result<OpenChallenge, AuthError> {
        let held = self.held();
        let open = held.challenge.clone();
        open.ok_or_else(|| ErrorCode::NoChallenge.into())
    }

    /// What a challenge would need. The password is kept for it only where it must be typed
    /// along with the code, as the profile says.
    fn challenge_of(
        &self,
        email: String,
        password: Secret,
        device: Device,
        backend: Backend,
    ) -> OpenChallenge {
        let verify = self.0.backend.profile().endpoints.verify_otp.get();
        let wanted = verify.is_some_and(|call| call.asks_for(Placeholder::Password));
        OpenChallenge {
            email,
            device,
            backend,
            password: wanted.then_some(password),
            name: None,
        }
    }

    /// What was answered comes true, unless it was `asked` for before a sign-out or before
    /// its challenge was given up: what came last counts.
    async fn answered(
        &self,
        cause: Cause,
        asked: u64,
        answer: SignIn,
        mut challenge: OpenChallenge,
    ) -> Result<SignInOutcome, AuthError> {
        match answer {
            SignIn::Granted(grant) => {
                self.take_into_use(cause, asked, *grant, challenge).await?;
                Ok(SignInOutcome::SignedIn)
            }
            SignIn::Nameless(nameless) => {
                // Nobody is signed in here, so nobody may stay signed in there.
                let Nameless {
                    access,
                    token,
                    error,
                } = *nameless;
                self.revoke(token, access.token, challenge.device);
                Err(error)
            }
            SignIn::OtpRequired {
                email,
                challenge: name,
            } => {
                challenge.name = name;
                let sent = challenge.backend.send_otp(challenge.answering()).await;
                let now = self.0.clock.wall_ms();
                let mut shown = Challenge {
                    id: Uuid::new_v4(),
                    email: email.unwrap_or_else(|| challenge.email.clone()),
                    started_at: now,
                    resend_at: now.saturating_add(self.0.backend.profile().otp.resend_after_ms()),
                };
                if let Err(error) = sent {
                    tracing::warn!(code = ?error.code, "no code was sent; it can be asked for");
                    let wait_ms = error.retry_after_ms.unwrap_or_default();
                    shown.resend_at = now.saturating_add(wait_ms);
                }
                let mut held = self.held();
                if held.given_up != asked {
                    return Err(void(cause));
                }
                held.challenge = Some(challenge);
                self.publish(&mut held, Cause::Challenge, Event::Challenged(shown));
                Ok(SignInOutcome::OtpRequired)
            }
            SignIn::Accepted => Ok(SignInOutcome::Accepted),
        }
    }

    /// Persist, assign, publish. A sign-out that comes between wins.
    async fn take_into_use(
        &self,
        cause: Cause,
        asked: u64,
        grant: Grant,
        by: OpenChallenge,
    ) -> Result<(), AuthError> {
        let OpenChallenge {
            device, backend, ..
        } = by;
        let _taking_over = self.0.taking_over.lock().await;
        let _rotation_lock = self.rotation_lock(SIGN_IN_PATIENCE).await;
        let elsewhere = Journal::read(&self.0.records).generation;
        let taken = {
            let mut held = self.held();
            (held.given_up == asked).then(|| {
                if elsewhere > held.generation {
                    // Another process has signed in: the keyring holds that session.
                    held.left_over = None;
                } else if held.unread {
                    // Behind the closed keyring there may be the session that this one replaces.
                    held.left_over = Some(self.now());
                }
                held.generation = held.generation.max(elsewhere) + 1;
                (held.supersede(), held.generation)
            })
        };
        let Some((stamp, generation)) = taken else {
            self.revoke(grant.token, grant.access.token, device);
            return Err(void(cause));
        };
        let last_user = LastUser {
            origin: self.origin(),
            session: SessionInfo {
                id: Uuid::new_v4(),
                user_id: grant.user.id.clone(),
                expires_at: expires_at(&grant.token),
            },
            user: grant.user,
            device: Some(device.clone()),
        };
        self.journal(&grant.token, Step::Login, stamp, generation)
            .await;
        step!("login.journaled");
        let kept = self.keep(stamp, generation, &grant.token).await;
        step!("login.kept");
        let hash = kept.is_ok().then(|| grant.token.fingerprint_bytes());
        let (stored_device, stored_user) = (device.clone(), last_user.clone());
        let recorded = self
            .on_disk(stamp, move |records| {
                // Each is tried: the person is signed in, whatever the disk says.
                let device = stored_device.store(records);
                // What the keyring does not hold ends with this run, and no start shows it.
                let user = match hash {
                    Some(_) => stored_user.write(records),
                    None => LastUser::clear(records),
                };
                let journal =
                    Journal::idle(generation, hash.as_deref().map(Vec::as_slice)).write(records);
                SignedOut::lay_aside(records);
                // Last: until it is gone, a crash leaves nobody signed in.
                let marker = SignedOut::clear(records);
                let left = marker
                    .is_err()
                    .then(|| SignedOut::stands(records))
                    .flatten();
                if let Err(error) = [device, user, marker, journal]
                    .into_iter()
                    .collect::<io::Result<()>>()
                {
                    tracing::error!(kind = %error.kind(), "a record of the sign-in cannot be written");
                    return Ok((false, left));
                }
                Ok((true, None))
            })
            .await;
        step!("login.recorded");
        let (is_recorded, left_marker) = recorded.ok().flatten().unwrap_or_default();
        let remembered = kept.is_ok() && is_recorded;
        let mut held = self.held();
        if held.stamp != stamp {
            drop(held);
            self.revoke(grant.token, grant.access.token, device);
            return Err(void(cause));
        }
        let access_before = held.access_text();
        self.0.backend.take_over(&backend);
        held.access = Some(Access {
            serial: held.access_serial() + 1,
            token: grant.access,
            received: self.now(),
        });
        let before = std::mem::replace(&mut held.device, device);
        let replaced = held.token.replace(grant.token.clone());
        if let Some(replaced) = replaced.filter(|token| !token.is_same(&grant.token)) {
            // Signing in again leaves nothing behind in the backend's list of devices.
            self.revoke(replaced, access_before, before);
        }
        held.left_marker = left_marker;
        held.lasts = false;
        held.saved(self.now(), &kept);
        held.unread = false;
        held.challenge = None;
        held.outage_since = None;
        held.plan_refresh(self.now());
        let storage = storage_after(&kept);
        held.state.apply(Event::Storage(storage));
        let (user, session) = (last_user.user.clone(), last_user.session.clone());
        held.last_user = Some(last_user);
        self.publish(
            &mut held,
            cause,
            Event::SignedIn {
                user,
                session,
                remembered,
            },
        );
        Ok(())
    }

    /// Writes the token to the keyring.
    pub(super) async fn keep(
        &self,
        stamp: Stamp,
        generation: u64,
        token: &RefreshToken,
    ) -> Result<(), StoreError> {
        self.settle_left_over(stamp).await?;
        let item = Item {
            generation,
            origin: self.origin(),
            token: token.clone(),
        };
        let vault = &self.0.vault;
        vault.write(stamp, generation, item.to_bytes()).await
    }

    /// Notes a step in the journal. A failure is logged and does not stop the step: the
    /// journal helps after a crash, it is not needed before one.
    pub(super) async fn journal(
        &self,
        token: &RefreshToken,
        step: Step,
        stamp: Stamp,
        generation: u64,
    ) {
        let is_known = step == Step::Login || self.held().lasts;
        let bytes = is_known.then(|| token.fingerprint_bytes());
        let now = self.0.clock.wall_ms();
        let _ = self
            .on_disk(stamp, move |records| {
                Journal::begun(generation, step, bytes.as_deref().map(Vec::as_slice), now)
                    .write(records)
            })
            .await;
    }
}

/// The error of an answer that came after its question was given up.
fn void(cause: Cause) -> AuthError {
    if cause == Cause::VerifyOtp {
        return ErrorCode::NoChallenge.into();
    }
    ErrorCode::NotSignedIn.into()
}

pub(super) fn expires_at(token: &RefreshToken) -> Option<String> {
    token.expires()?.format(&Rfc3339).ok()
}

pub(super) fn storage_after(kept: &Result<(), StoreError>) -> StorageStatus {
    match kept {
        Ok(()) => StorageStatus::Ok,
        Err(error) => storage_of(*error),
    }
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

impl super::Held {
    /// Plans the next refresh from the access token that was just received.
    pub(super) fn plan_refresh(&mut self, now: SinceBoot) {
        let life = self.access.as_ref().and_then(|access| access.token.life);
        self.plan.renewed(now, life, rand::random());
    }
}
