//! The calls of a session that goes on: to renew it, and to ask whose it is.

use std::time::SystemTime;

use super::body::Body;
use super::call::{renewal_call, session_call};
use super::client::Backend;
use super::fault::Fault;
use super::head::Head;
use super::tokens;
use crate::device::Device;
use crate::secrets::Secret;
use crate::token::{BodyToken, RefreshToken};
use crate::wire::User;

impl Backend {
    /// Asks for a new access token, or, where the backend has none, whether the session is alive.
    /// It returns at the answer's headers, so that the caller can keep a rotated cookie
    /// ([`Head::take_refresh_changes`]) before it reads the body. `attempt` counts the tries in a
    /// row, from one.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
        attempt: u32,
    ) -> Result<Head, Fault> {
        let mut call = renewal_call(self.profile(), token, access, device)?;
        call.attempt = attempt;
        self.send(call).await
    }

    /// The refresh token in the body of an answer to a refresh. The caller keeps it before it
    /// does anything else with the answer.
    pub fn rotated(&self, body: &Body, now: SystemTime) -> Option<BodyToken> {
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
    ) -> Result<User, Fault> {
        let profile = self.profile();
        let endpoint = profile.endpoints.me.get().ok_or(Fault::BadAnswer)?;
        let call = session_call(profile, endpoint, token, access, device)?;
        let head = self.send(call).await?;
        let status = head.status();
        let body = head.body().await?;
        let reply = body.reply(profile, &profile.answer.me);
        let user = reply.filter(|_| status.is_success() && !body.is_anothers());
        user.and_then(|reply| reply.user())
            .ok_or_else(|| Fault::of_answer(status, &body))
    }
}
