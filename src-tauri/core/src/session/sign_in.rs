//! From a password, or a code, to a session.
//!
//! Each sign-in runs in a task of its own, with an [`AttemptId`]. A sign-out or a cancel voids it;
//! a window that closes does not interrupt it. A session that it has begun at the backend and that
//! cannot be used here is ended at the backend.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::context::Context;
use super::epoch::AttemptId;
use super::new_session::{NewSessions, SignedInWith, voided_error};
use super::open_session::OpenChallenge;
use crate::backend::{
    Backend, CodeToVerify, Grant, SignInFailure, SignInResponse, UnusableSession,
};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::{ChallengeId, SessionId};
use crate::profile::Placeholder;
use crate::published::Unpublished;
use crate::secrets::Secret;
use crate::state::{self, Event};
use crate::token::RefreshToken;
use crate::wire::{
    Cause, Challenge, CodeMethod, LoginInput, OtpInput, RegisterInput, SignInOutcome,
};

/// What a person has typed to sign in.
pub(super) enum SignInInput {
    Login(LoginInput),
    Register(RegisterInput),
}

impl SignInInput {
    fn cause(&self) -> Cause {
        match self {
            Self::Login(_) => Cause::Login,
            Self::Register(_) => Cause::Register,
        }
    }

    fn fingerprint(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Login(input) => input.fingerprint.as_ref(),
            Self::Register(input) => input.fingerprint.as_ref(),
        }
    }

    fn identifier(&self) -> &str {
        match self {
            Self::Login(input) => &input.email,
            Self::Register(input) => &input.email,
        }
    }

    fn credentials(self) -> (String, Secret) {
        match self {
            Self::Login(input) => (input.email, input.password),
            Self::Register(input) => (input.email, input.password),
        }
    }
}

/// Signs a person in by password or code, one attempt at a time.
pub(super) struct SignIn {
    context: Arc<Context>,
    sessions: NewSessions,
    /// Held by one sign-in at a time.
    one: Arc<tokio::sync::Mutex<()>>,
}

/// A sign-in under way. It ends when this is dropped, unless its challenge is open.
struct AttemptGuard<'a> {
    context: &'a Context,
    id: AttemptId,
}

impl Drop for AttemptGuard<'_> {
    fn drop(&mut self) {
        let goes_on = self.context.shared.look(|inner| {
            let challenge = inner.challenge();
            challenge.is_some_and(|open| open.attempt == self.id)
        });
        if !goes_on {
            self.context.shared.end_attempt(self.id);
        }
    }
}

impl SignIn {
    /// `one` is held by one sign-in at a time, whichever way it goes.
    pub(super) fn new(context: Arc<Context>, one: Arc<tokio::sync::Mutex<()>>) -> Self {
        Self {
            sessions: NewSessions::new(context.clone()),
            context,
            one,
        }
    }

    /// Signs in with a password, or creates an account and signs in if the backend does. On failure
    /// the state is what it was before.
    pub(super) async fn sign_in(
        self: &Arc<Self>,
        input: SignInInput,
    ) -> Result<SignInOutcome, AuthError> {
        let me = self.clone();
        let attempt = self.context.shared.begin_attempt();
        run_detached(async move {
            let attempt_guard = me.attempt_guard(attempt);
            let _one = me.one.lock().await;
            let device = me.current_device(input.fingerprint());
            let backend = me.context.backend_for_sign_in();
            let trusted = &me.context.trusted;
            let kept = trusted.put_into(backend.jar(), input.identifier()).await;
            let answer = match &input {
                SignInInput::Login(input) => backend.login(input, &device).await,
                SignInInput::Register(input) => backend.register(input, &device).await,
            };
            let answer = me.or_revoke_leftovers(answer, &device)?;
            trusted.keep(kept, backend.jar()).await;
            let cause = input.cause();
            let challenge = me.challenge_of(attempt, input, device, backend);
            me.handle_answer(cause, &attempt_guard, answer, challenge)
                .await
        })
        .await
    }

    /// Answers the challenge with this id, and no other. A wrong code leaves it open; an expired
    /// code, or one too many, closes it.
    pub(super) async fn verify_otp(
        self: &Arc<Self>,
        input: OtpInput,
    ) -> Result<SignInOutcome, AuthError> {
        let id = input.challenge;
        // The attempt is read before the wait for the lock, so that a cancel meanwhile voids this
        // answer.
        let attempt = self.challenge(id)?.attempt;
        let me = self.clone();
        run_detached(async move {
            let attempt_guard = me.attempt_guard(attempt);
            let _one = me.one.lock().await;
            let challenge = me.challenge(id)?;
            let method = challenge.offered(input.method)?;
            let code = CodeToVerify {
                method,
                code: &input.code,
                trust_device: input.trust_device,
            };
            let trusted = &me.context.trusted;
            let kept = trusted.found_in(challenge.backend.jar(), &challenge.email);
            let answer = challenge
                .backend
                .verify_code(challenge.otp_context(), code)
                .await;
            if answer.is_ok() {
                trusted.keep(kept, challenge.backend.jar()).await;
            }
            match me.or_revoke_leftovers(answer, &challenge.device) {
                Ok(answer) => {
                    me.handle_answer(Cause::VerifyOtp, &attempt_guard, answer, challenge)
                        .await
                }
                Err(error) => {
                    if matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany) {
                        me.close_challenge(id);
                    }
                    Err(error)
                }
            }
        })
        .await
    }

    /// Has a code sent, the first of the challenge or another one. The answer says when the next one
    /// may be requested.
    pub(super) async fn send_otp(&self) -> Result<Challenge, AuthError> {
        let context = &self.context;
        let _one = self.one.lock().await;
        let open = context.shared.look(|inner| inner.challenge().cloned());
        let open = open.ok_or(ErrorCode::NoChallenge)?;
        open.offered(Some(CodeMethod::Otp))?;
        let is_first = context.shared.look(|inner| {
            let shown = inner.state().open_challenge();
            shown.is_some_and(state::Challenge::is_unsent)
        });
        let result = open.backend.send_code(open.otp_context(), is_first).await;
        let wait_ms = match &result {
            Ok(()) => context.backend.profile().otp.resend_after_ms(),
            Err(error) => error.retry_after_ms.unwrap_or_default(),
        };
        if let Err(error) = &result
            && matches!(error.code, ErrorCode::OtpExpired | ErrorCode::OtpTooMany)
        {
            self.close_challenge(open.id);
        }
        let now = context.shared.now();
        let gone = || {
            result
                .clone()
                .err()
                .unwrap_or(ErrorCode::NoChallenge.into())
        };
        let Some(at) = context.shared.in_attempt(open.attempt) else {
            return Err(gone());
        };
        let shown = at.state().open_challenge().cloned();
        let Some(shown) = shown.filter(|shown| shown.id == open.id) else {
            return Err(gone());
        };
        let next = now.saturating_add(Duration::from_millis(wait_ms));
        let shown = match &result {
            Ok(()) => shown.sent(next),
            Err(_) => state::Challenge {
                resend_at: shown.resend_at.max(next),
                ..shown
            },
        };
        at.publish(Cause::Challenge, Event::Challenged(shown.clone()));
        result.map(|()| shown.view(now))
    }

    /// Gives up the open challenge, if there is one.
    pub(super) fn cancel_otp(&self) {
        if let Some(id) = self
            .context
            .shared
            .look(|inner| inner.challenge().map(|it| it.id))
        {
            self.close_challenge(id);
        }
    }

    /// Gives up this challenge. A session that the backend has begun with it is ended there.
    fn close_challenge(&self, id: ChallengeId) {
        let context = &self.context;
        let Some(attempt) = context.shared.look(|inner| {
            let open = inner.challenge().filter(|open| open.id == id)?;
            Some(open.attempt)
        }) else {
            return;
        };
        let Some(mut at) = context.shared.in_attempt(attempt) else {
            return;
        };
        let closed = at.close_challenge();
        at.publish(Cause::Challenge, Event::ChallengeOver);
        if let Some(closed) = closed {
            self.revoke(closed.token, None, closed.device);
        }
    }

    fn attempt_guard(&self, id: AttemptId) -> AttemptGuard<'_> {
        AttemptGuard {
            context: &self.context,
            id,
        }
    }

    fn current_device(&self, extra: Option<&Map<String, Value>>) -> Device {
        let device = self.context.shared.look(|inner| inner.device.clone());
        device.for_sign_in(&self.context.product, extra)
    }

    /// The data of the challenge, if it is open.
    fn challenge(&self, id: ChallengeId) -> Result<OpenChallenge, AuthError> {
        let open = self.context.shared.look(|inner| inner.challenge().cloned());
        open.filter(|open| open.id == id)
            .ok_or_else(|| ErrorCode::NoChallenge.into())
    }

    /// The data that a challenge would need. The password is kept for it only if the profile sends
    /// the password along with the code of some method.
    fn challenge_of(
        &self,
        attempt: AttemptId,
        input: SignInInput,
        device: Device,
        backend: Backend,
    ) -> OpenChallenge {
        let endpoints = &self.context.backend.profile().endpoints;
        let wanted = endpoints.any_verify_asks_for(Placeholder::Password);
        let (email, password) = input.credentials();
        OpenChallenge {
            id: ChallengeId::new(),
            attempt,
            email,
            methods: Vec::new(),
            device,
            backend,
            password: wanted.then_some(password),
            name: None,
            token: RefreshToken::default(),
        }
    }

    /// The answer. If a failed sign-in has left a session at the backend, that session is ended
    /// there.
    fn or_revoke_leftovers(
        &self,
        answer: Result<SignInResponse, SignInFailure>,
        device: &Device,
    ) -> Result<SignInResponse, AuthError> {
        answer.map_err(|failed| {
            if let Some(token) = failed.leftovers {
                self.revoke(token, None, device.clone());
            }
            failed.error
        })
    }

    /// Applies the answer, unless the sign-in was voided meanwhile.
    async fn handle_answer(
        &self,
        cause: Cause,
        attempt_guard: &AttemptGuard<'_>,
        answer: SignInResponse,
        challenge: OpenChallenge,
    ) -> Result<SignInOutcome, AuthError> {
        match answer {
            SignInResponse::Granted(grant) => {
                let grant = *grant;
                let secrets = Unpublished::of(&grant.access.token).and(&grant.token);
                let Some(user) = secrets.user(grant.user) else {
                    self.revoke(grant.token, grant.access.token, challenge.device);
                    return Err(ErrorCode::BadAnswer.into());
                };
                let grant = Grant { user, ..grant };
                let with = SignedInWith {
                    device: challenge.device,
                    jar: challenge.backend.jar().clone(),
                };
                self.sessions
                    .activate(cause, attempt_guard.id, grant, with)
                    .await?;
                Ok(SignInOutcome::SignedIn)
            }
            SignInResponse::UnknownUser(unusable) => {
                // Nobody is signed in here, so the session at the backend is ended too.
                let UnusableSession {
                    access,
                    token,
                    error,
                } = *unusable;
                self.revoke(token, access, challenge.device);
                Err(error)
            }
            SignInResponse::OtpRequired {
                methods,
                email,
                challenge: name,
                token,
            } => {
                let secrets = Unpublished::of(&name).and(&token);
                let email = email.and_then(|email| secrets.text(email));
                // One challenge after another belongs to one sign-in: what the first has brought goes
                // along, unless the second brings its own.
                let token = match token.is_empty() {
                    true => challenge.token.clone(),
                    false => token,
                };
                let name = name.or(challenge.name);
                let challenge = OpenChallenge {
                    id: ChallengeId::new(),
                    methods,
                    name,
                    token,
                    ..challenge
                };
                self.challenged(cause, email, challenge).await
            }
            SignInResponse::Accepted { access, token } => {
                if !token.is_empty() {
                    self.revoke(token, access, challenge.device);
                }
                Ok(SignInOutcome::Accepted)
            }
        }
    }

    /// The backend asks for a code: opens the challenge, in place of any other. A code is sent only if
    /// the method that is shown first wants one.
    async fn challenged(
        &self,
        cause: Cause,
        email: Option<String>,
        challenge: OpenChallenge,
    ) -> Result<SignInOutcome, AuthError> {
        let context = &self.context;
        let shown = challenge.begin(email, || context.shared.now()).await;
        let Some(mut at) = context.shared.in_attempt(challenge.attempt) else {
            self.revoke(challenge.token, None, challenge.device);
            return Err(voided_error(cause));
        };
        let (attempt, token) = (challenge.attempt, challenge.token.clone());
        let before = at.open_challenge(challenge);
        at.publish(Cause::Challenge, Event::Challenged(shown));
        let is_same =
            |before: &OpenChallenge| before.attempt == attempt && before.token.is_same(&token);
        if let Some(before) = before.filter(|before| !is_same(before)) {
            self.revoke(before.token, None, before.device);
        }
        Ok(SignInOutcome::OtpRequired)
    }

    fn revoke(&self, token: RefreshToken, access: Option<Secret>, device: Device) {
        let ended = self.context.ended_session(SessionId::new(), token, access);
        self.context.revoke(ended, device);
    }
}

/// Does `work` to its end even if nobody waits for it any more: a window that closes must not leave
/// a session at the backend that this app does not know.
pub(super) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> Result<T, AuthError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}
