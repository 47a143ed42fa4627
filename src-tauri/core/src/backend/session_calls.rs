//! The calls of a session that goes on: to renew it, and to ask whose it is.

use std::time::SystemTime;

use uuid::Uuid;

use super::answers::end_by_name;
use super::client::Backend;
use super::endpoint_call::EndpointCall;
use super::error::BackendError;
use super::response::Response;
use super::response_body::ResponseBody;
use super::tokens;
use crate::cookies::RefreshCookie;
use crate::device::Device;
use crate::profile::Profile;
use crate::response_fields::ResponseFields;
use crate::secrets::Secret;
use crate::token::{BodyToken, RefreshToken};
use crate::wire::{SignedOutReason, User};

/// A refresh token that no backend has issued, in the form in which this profile's backend issues them:
/// to see how one is refused.
pub fn invented_token(profile: &Profile) -> RefreshToken {
    let text = format!("vestibule-looks-{}", Uuid::new_v4().simple());
    let names = &profile.cookies.refresh;
    let mut token = RefreshToken::default();
    match names.first() {
        Some(name) => {
            let line = format!("{name}={text}; Path=/");
            let now = SystemTime::now().into();
            let cookie = RefreshCookie::from_line(&line, &profile.backend, names, now);
            token.apply(cookie.into_iter().collect());
        }
        None => token.apply_body(Some(BodyToken {
            token: Secret::new(text),
            expires: None,
        })),
    }
    token
}

/// Why nobody has said whose session it is.
#[derive(Clone, Copy, Debug)]
pub struct NoOwner {
    /// The fault of the answer, or why there is none.
    pub fault: BackendError,
    /// Why the session has ended, where the answer says that it has: a rule of `ends` holds that
    /// names more than the status. A status alone says nothing here, since it may be about this
    /// endpoint and not about the session.
    pub ended: Option<SignedOutReason>,
}

impl From<BackendError> for NoOwner {
    fn from(fault: BackendError) -> Self {
        Self { fault, ended: None }
    }
}

impl Backend {
    /// Asks for a new access token, or, where the backend has none, whether the session is alive.
    /// It returns at the answer's headers, so that the caller can keep a rotated cookie
    /// ([`Response::take_refresh_changes`]) before it reads the body. `attempt` counts the tries in
    /// a row, from one.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
        attempt: u32,
    ) -> Result<Response, BackendError> {
        if let Some(held) = token.provider() {
            return self.refresh_at_provider(held, device, attempt).await;
        }
        let call = self.renewal(token, access, device)?;
        self.call(EndpointCall { attempt, ..call }).await
    }

    /// The call for a new access token, or, where the backend has none, the question whether the
    /// session is alive.
    pub(super) fn renewal<'a>(
        &'a self,
        token: &'a RefreshToken,
        access: Option<&'a Secret>,
        device: &'a Device,
    ) -> Result<EndpointCall<'a>, BackendError> {
        let profile = self.profile();
        // A profile without such an endpoint is refused at load.
        let (_, endpoint) = profile.renewal().ok_or(BackendError::BadAnswer)?;
        let single = token.body().filter(|_| profile.session.single_token);
        let access = single.or(access);
        Ok(EndpointCall::of_session(endpoint, token, access, device))
    }

    /// Takes the refresh token in the body of an answer to a refresh over into `token`. The caller keeps
    /// it before it does anything else with the answer.
    pub fn take_rotated(&self, token: &mut RefreshToken, body: &ResponseBody, now: SystemTime) {
        if let Some(held) = token.provider() {
            if let Some(next) = self.rotated_at_provider(held, body, now) {
                *token = next;
            }
            return;
        }
        let profile = self.profile();
        let reply = body.reply(profile, profile.refresh_fields());
        token.apply_body(reply.and_then(|reply| tokens::refresh(profile, &reply, now)));
    }

    /// Asks whose session it is.
    pub async fn me(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<User, NoOwner> {
        let profile = self.profile();
        let endpoint = profile.endpoints.me.get().ok_or(BackendError::BadAnswer)?;
        let call = EndpointCall::of_session(endpoint, token, access, device);
        let head = self.call(call).await?;
        let status = head.status();
        let body = head.body().await?;
        let reply = body.reply(profile, &profile.answer.me);
        let is_backends = status.is_success() && !body.is_anothers();
        let user = reply.as_ref().filter(|_| is_backends);
        let user = user.and_then(ResponseFields::user);
        user.ok_or_else(|| NoOwner {
            fault: BackendError::of_answer(status, &body),
            ended: end_by_name(profile, status, &body, reply.as_ref())
                .filter(|_| !body.is_anothers()),
        })
    }
}
