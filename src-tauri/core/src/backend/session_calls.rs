//! The calls of a session that goes on: to renew it, and to ask whose it is.

use std::time::SystemTime;

use uuid::Uuid;

use super::client::Backend;
use super::error::BackendError;
use super::request::{renewal_call, session_call};
use super::response::Response;
use super::response_body::ResponseBody;
use super::tokens;
use crate::cookies::RefreshCookie;
use crate::device::Device;
use crate::profile::Profile;
use crate::secrets::Secret;
use crate::token::{BodyToken, RefreshToken};
use crate::wire::User;

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
        let mut call = renewal_call(self.profile(), token, access, device)?;
        call.attempt = attempt;
        self.send(call).await
    }

    /// The refresh token in the body of an answer to a refresh. The caller keeps it before it
    /// does anything else with the answer.
    pub fn rotated(&self, body: &ResponseBody, now: SystemTime) -> Option<BodyToken> {
        let profile = self.profile();
        let reply = body.reply(profile, profile.refresh_fields())?;
        tokens::refresh(profile, &reply, now)
    }

    /// Asks whose session it is.
    pub async fn me(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<User, BackendError> {
        let profile = self.profile();
        let endpoint = profile.endpoints.me.get().ok_or(BackendError::BadAnswer)?;
        let call = session_call(profile, endpoint, token, access, device)?;
        let head = self.send(call).await?;
        let status = head.status();
        let body = head.body().await?;
        let reply = body.reply(profile, &profile.answer.me);
        let user = reply.filter(|_| status.is_success() && !body.is_anothers());
        user.and_then(|reply| reply.user())
            .ok_or_else(|| BackendError::of_answer(status, &body))
    }
}
