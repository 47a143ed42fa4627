//! The call that ends a session at the backend.

use std::time::Duration;

use super::answers::{RefreshAnswer, SignOutAnswer, signed_out};
use super::client::Backend;
use super::endpoint_call::EndpointCall;
use super::error::BackendError;
use super::response_body::ResponseBody;
use crate::cookies::Jar;
use crate::device::Device;
use crate::profile::{Endpoint, Placeholder};
use crate::secrets::Secret;
use crate::token::RefreshToken;

/// A sign-out that the backend has not taken.
pub struct UndeliveredSignOut {
    /// What kept the backend from hearing it, or from ending the session.
    pub fault: BackendError,
    /// How long the backend asks to wait before the next request.
    pub retry_after: Option<Duration>,
    /// The token to sign out with the next time, where this try has replaced it.
    pub token: Option<RefreshToken>,
}

impl From<BackendError> for UndeliveredSignOut {
    fn from(fault: BackendError) -> Self {
        Self {
            fault,
            retry_after: None,
            token: None,
        }
    }
}

impl Backend {
    /// Tells the backend that the session is over. A backend without such an endpoint ends its
    /// sessions by itself, which counts as heard.
    ///
    /// No ordinary cookie goes along but those that the step before it brings, and none is kept: by now
    /// another session may have begun, and the cookies of this one are gone.
    pub async fn logout(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<SignOutAnswer, UndeliveredSignOut> {
        if let Some(held) = token.provider() {
            return self.revoke_at_provider(held, access, device).await;
        }
        let Some(endpoint) = self.profile().endpoints.logout.get() else {
            tracing::info!(
                "the profile has no endpoint for a sign-out: the session ends at the backend when \
                 its token expires"
            );
            return Ok(SignOutAnswer::Done);
        };
        let backend = self.with_jar(Jar::default());
        let wants_access = endpoint.asks_for(Placeholder::AccessToken);
        if !wants_access || self.profile().session.single_token {
            let access = access.or(token.body());
            return backend.tell(endpoint, token, access, device).await;
        }
        if let Some(access) = access
            && let SignOutAnswer::Done = backend.tell(endpoint, token, Some(access), device).await?
        {
            return Ok(SignOutAnswer::Done);
        }
        // There is no access token, or the backend has refused it, perhaps for its age alone.
        backend
            .tell_with_new_access(endpoint, token, access, device)
            .await
    }

    /// Renews the session once more, for an access token that the sign-out goes out with.
    async fn tell_with_new_access(
        &self,
        endpoint: &Endpoint,
        before: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<SignOutAnswer, UndeliveredSignOut> {
        let mut token = before.clone();
        let mut head = self.call(self.renewal(before, access, device)?).await?;
        let (status, retry_after, now) = (head.status(), head.retry_after(), head.sent_at());
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            self.take_rotated(&mut token, &head.without_body(), now);
        }
        // The token in the headers is the one that counts, even if the body breaks off.
        let body = head.body().await;
        if status.is_success()
            && let Ok(body) = &body
        {
            self.take_rotated(&mut token, body, now);
        }
        let changed = (token != *before && !token.is_empty()).then(|| token.clone());
        let untold = |fault| UndeliveredSignOut {
            fault,
            retry_after,
            token: changed.clone(),
        };
        let body = body.map_err(untold)?;
        match self.refresh_answer(status, &body, &token, now) {
            RefreshAnswer::Ended(_) => Ok(SignOutAnswer::AlreadyOver),
            RefreshAnswer::Refused { status, .. } => Ok(SignOutAnswer::AlreadyOverByStatus(status)),
            RefreshAnswer::Transient(fault) => Err(untold(fault)),
            RefreshAnswer::Renewed { access, .. } => {
                let told = self.tell(endpoint, &token, access.token.as_ref(), device);
                told.await.map_err(|refused| UndeliveredSignOut {
                    token: changed.clone(),
                    ..refused
                })
            }
        }
    }

    async fn tell(
        &self,
        endpoint: &Endpoint,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<SignOutAnswer, UndeliveredSignOut> {
        let call = EndpointCall::of_session(endpoint, token, access, device);
        let head = self.call(call).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let untold = |fault| UndeliveredSignOut {
            fault,
            retry_after,
            token: None,
        };
        let calls_itself_page = head.is_page();
        if status.is_success() && !calls_itself_page {
            return Ok(SignOutAnswer::Done);
        }
        let body = head.body().await.unwrap_or(ResponseBody::unread());
        if calls_itself_page && !body.is_no_page() {
            // A page comes from a portal or a gateway, whatever its status.
            return Err(untold(BackendError::Portal));
        }
        if status.is_success() {
            return Ok(SignOutAnswer::Done);
        }
        match signed_out(self.profile(), status, &body) {
            Some(told) => Ok(told),
            None => Err(untold(BackendError::of_answer(status, &body))),
        }
    }
}
