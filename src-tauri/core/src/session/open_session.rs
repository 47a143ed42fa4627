//! A session in memory, and the challenge of a sign-in that waits for a code.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;

use super::epoch::{AccessId, AttemptId};
use super::record::{Record, Replaced};
use crate::backend::{Backend, OtpContext};
use crate::clock::SinceBoot;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::{ChallengeId, Generation, SessionId};
use crate::response_fields::AccessToken;
use crate::schedule;
use crate::secrets::Secret;
use crate::state;
use crate::token::RefreshToken;
use crate::wire::{CodeMethod, SessionInfo, User};

/// A session in memory.
#[derive(Clone)]
pub(super) struct OpenSession {
    pub id: SessionId,
    pub generation: Generation,
    /// `None` until the keyring has been read.
    pub token: Option<RefreshToken>,
    pub access: Option<Access>,
    /// The user, once known.
    pub owner: Option<SessionOwner>,
    /// The device as it was at the sign-in.
    pub device: Device,
    /// The newest generation that the keyring has confirmed.
    pub saved_generation: Option<Generation>,
    /// When an answer last replaced the token, in milliseconds since the epoch.
    pub replaced_at: Option<u64>,
    /// See [`Record::legacy_item`].
    pub legacy_item: Option<SessionId>,
    /// The backend may have replaced the token in an answer that was never stored. It may be sent
    /// once more.
    pub is_last_chance: bool,
    /// See [`Record::replaced`].
    pub replaced: Vec<Replaced>,
}

/// The user of a session and the session's end, as windows show them.
#[derive(Clone)]
pub(super) struct SessionOwner {
    pub user: User,
    pub expires_at: Option<String>,
}

impl SessionOwner {
    pub(super) fn new(user: User, token: &RefreshToken) -> Self {
        let ends = token.expires();
        Self {
            user,
            expires_at: ends.and_then(|ends| ends.format(&Rfc3339).ok()),
        }
    }
}

/// The access token in use.
#[derive(Clone)]
pub(super) struct Access {
    pub id: AccessId,
    pub token: AccessToken,
    pub received: SinceBoot,
}

/// The parts of a challenge that the window must not hold.
#[derive(Clone)]
pub(super) struct OpenChallenge {
    /// The challenge that a code answers.
    pub id: ChallengeId,
    pub attempt: AttemptId,
    pub email: String,
    /// The methods that the backend has offered.
    pub methods: Vec<CodeMethod>,
    pub device: Device,
    /// The backend with the ordinary cookies of this sign-in.
    pub backend: Backend,
    /// Kept only if the profile sends it along with the code.
    pub password: Option<Secret>,
    /// The backend's own id of the challenge.
    pub name: Option<Secret>,
    /// A token that came with the challenge. It is revoked if the challenge is given up.
    pub token: RefreshToken,
}

impl OpenChallenge {
    /// This method, or the first on offer, if the backend has offered it.
    pub(super) fn offered(&self, method: Option<CodeMethod>) -> Result<CodeMethod, AuthError> {
        let method = method.or(self.methods.first().copied());
        let offered = method.filter(|method| self.methods.contains(method));
        offered.ok_or_else(|| ErrorCode::Unsupported.into())
    }

    /// What a request for it carries.
    pub(super) fn otp_context(&self) -> OtpContext<'_> {
        OtpContext {
            identifier: &self.email,
            password: self.password.as_ref(),
            challenge: self.name.as_ref(),
            device: &self.device,
        }
    }

    /// Begins it, and returns it as windows see it. A code is sent only if the method that is shown
    /// first wants one. `email` is where the backend says that it sends codes.
    pub(super) async fn begin(
        &self,
        email: Option<String>,
        now: impl Fn() -> SinceBoot,
    ) -> state::Challenge {
        let profile = self.backend.profile();
        let sent = match (self.methods.first(), profile.endpoints.send_otp.get()) {
            (Some(CodeMethod::Otp), Some(_)) => {
                let sent = self.backend.send_code(self.otp_context(), true).await;
                sent.map(|()| true)
            }
            // The backend has sent it by itself.
            (Some(CodeMethod::Otp), None) => Ok(true),
            _ => Ok(false),
        };
        let now = now();
        let after = |ms| now.saturating_add(Duration::from_millis(ms));
        let shown = state::Challenge {
            id: self.id,
            email: email.unwrap_or_else(|| self.email.clone()),
            methods: profile.described(&self.methods),
            trust_days: profile.otp.trust_days,
            resend_at: now,
        };
        match sent {
            Ok(true) => shown.sent(after(profile.otp.resend_after_ms())),
            Ok(false) => shown,
            Err(error) => {
                tracing::warn!(
                    code = ?error.code,
                    "the backend sent no code: the user can request one"
                );
                state::Challenge {
                    resend_at: after(error.retry_after_ms.unwrap_or_default()),
                    ..shown
                }
            }
        }
    }
}

impl OpenSession {
    /// The session of a record. Its token is in the keyring.
    pub(super) fn of(record: &Record) -> Self {
        let owner = record.user.clone().map(|user| SessionOwner {
            user,
            expires_at: record.expires_at.clone(),
        });
        Self {
            id: record.session,
            generation: record.generation,
            token: None,
            access: None,
            owner,
            device: record.device.clone(),
            saved_generation: record.saved_generation,
            replaced_at: record.replaced_at,
            legacy_item: record.legacy_item,
            is_last_chance: false,
            replaced: record.replaced.clone(),
        }
    }

    /// Takes an access token into use.
    pub(super) fn set_access(&mut self, mut access: AccessToken, received: SinceBoot) {
        let before = self.access.take();
        // Not every answer says it, and it stays the same for as long as the session lasts.
        let known = before.map(|before| (before.token.session_id, before.token.id_token));
        let (session_id, id_token) = known.unwrap_or_default();
        access.session_id = access.session_id.or(session_id);
        access.id_token = access.id_token.or(id_token);
        self.access = Some(Access::new(access, received));
    }

    /// The access token, with which a sign-out goes out, or which it revokes.
    pub(super) fn access_text(&self) -> Option<Secret> {
        self.access.as_ref()?.token.token.clone()
    }

    /// The user's id, once it is known.
    pub(super) fn user_id(&self) -> Option<&str> {
        Some(self.owner.as_ref()?.user.id.as_str())
    }

    /// The user and the session as windows show them, once the user is known.
    pub(super) fn info(&self) -> Option<(User, SessionInfo)> {
        let owner = self.owner.as_ref()?;
        let info = SessionInfo {
            id: self.id,
            user_id: owner.user.id.clone(),
            expires_at: owner.expires_at.clone(),
        };
        Some((owner.user.clone(), info))
    }
}

impl Access {
    pub(super) fn new(token: AccessToken, received: SinceBoot) -> Self {
        Self {
            id: AccessId::new(),
            token,
            received,
        }
    }

    pub(super) fn is_spent(&self, now: SinceBoot) -> bool {
        now.saturating_sub(self.received) >= schedule::believed(self.token.lifetime)
    }
}
