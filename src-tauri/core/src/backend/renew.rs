//! The calls of a session that exists: to renew it, to ask whose it is, to end it.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::body::Body;
use super::call::Call;
use super::client::Backend;
use super::fault::Fault;
use super::head::Head;
use super::verdict::{Told, Verdict, signed_out};
use crate::device::Device;
use crate::profile::{Endpoint, Placeholder, Variables};
use crate::reply::{AccessToken, Reply};
use crate::secrets::Secret;
use crate::token::{BodyToken, RefreshToken};
use crate::wire::User;

/// A sign-out that the backend has not heard.
pub struct Untold {
    /// What kept the backend from hearing it, or from ending the session.
    pub fault: Fault,
    /// How long the backend asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What to tell it with the next time, where the token has changed on the way.
    pub token: Option<RefreshToken>,
}

impl From<Fault> for Untold {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            retry_after: None,
            token: None,
        }
    }
}

impl Backend {
    /// Asks for a new access token, or, where there is nothing to ask for one, whether the
    /// session is alive. The answer's headers come first, so that a rotated cookie is safe
    /// before the body is read; see [`Head::take_refresh_changes`]. `attempt` counts the tries
    /// in a row, from one.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
        attempt: u32,
    ) -> Result<Head, Fault> {
        let mut call = self.renewal(token, access, device)?;
        call.attempt = attempt;
        self.send(call).await
    }

    fn renewal<'a>(
        &self,
        token: &'a RefreshToken,
        access: Option<&Secret>,
        device: &'a Device,
    ) -> Result<Call<'a>, Fault> {
        // A profile without either is refused at load.
        let (_, endpoint) = self.profile().renewal().ok_or(Fault::BadAnswer)?;
        let single = token.body().filter(|_| self.profile().session.single_token);
        let access = single.or(access);
        let call = self.session_call(endpoint, token, access, device)?;
        Ok(call.with_token(token))
    }

    /// The refresh token that the body of an answer to a refresh holds. It is to be kept
    /// before anything else is done with the answer.
    pub fn rotated(&self, body: &Body, now: SystemTime) -> Option<BodyToken> {
        let profile = self.profile();
        self.body_token(&body.reply(profile, profile.renewed())?, now)
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
        let call = self.session_call(endpoint, token, access, device)?;
        let head = self.send(call.with_token(token)).await?;
        let status = head.status();
        let body = head.body().await?;
        let reply = body.reply(profile, &profile.answer.me);
        let user = reply.filter(|_| status.is_success() && !body.is_anothers());
        user.and_then(|reply| reply.user())
            .ok_or_else(|| Fault::of_answer(status, &body))
    }

    /// Tells the backend that the session is over. `Ok` means that it has heard it: done,
    /// already unknown there, or it has no ear for it; but see [`Told::AlreadyByStatus`].
    pub async fn logout(
        &self,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &Device,
    ) -> Result<Told, Untold> {
        let Some(endpoint) = self.profile().endpoints.logout.get() else {
            tracing::info!("the backend has no sign-out: the session ends there by itself");
            return Ok(Told::Heard);
        };
        let wants_access = endpoint.asks_for(Placeholder::AccessToken);
        if !wants_access || self.profile().session.single_token {
            let access = access.or(token.body());
            return self.tell(endpoint, token, access, device).await;
        }
        if let Some(access) = access
            && let Told::Heard = self.tell(endpoint, token, Some(access), device).await?
        {
            return Ok(Told::Heard);
        }
        // The access token is gone, or what was refused is only its age: one more is needed.
        let mut token = token.clone();
        let before = token.clone();
        // Another session may have begun: the cookies here are that one's.
        let call = self.renewal(&token, access, device)?.without_jar();
        let mut head = self.send(call).await?;
        let (status, retry_after, now) = (head.status(), head.retry_after(), head.sent_at());
        if status.is_success() {
            token.apply(head.take_refresh_changes());
            token.apply_body(self.rotated(&head.without_body(), now));
        }
        // What is in the headers counts from here on, even if the body breaks off.
        let body = head.body().await;
        if status.is_success()
            && let Ok(body) = &body
        {
            token.apply_body(self.rotated(body, now));
        }
        let changed = (token != before && !token.is_empty()).then(|| token.clone());
        let untold = |fault| Untold {
            fault,
            retry_after,
            token: changed.clone(),
        };
        let body = body.map_err(untold)?;
        match self.verdict(status, &body, &token, now) {
            Verdict::Ended(_) => Ok(Told::Already),
            Verdict::Refused { status, .. } => Ok(Told::AlreadyByStatus(status)),
            Verdict::Transient(fault) => Err(untold(fault)),
            Verdict::Renewed { access, .. } => {
                let told = self.tell(endpoint, &token, access.token.as_ref(), device);
                told.await.map_err(|refused| Untold {
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
    ) -> Result<Told, Untold> {
        let call = self.session_call(endpoint, token, access, device)?;
        let head = self.send(call.with_token(token).without_jar()).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let untold = |fault| Untold {
            fault,
            retry_after,
            token: None,
        };
        if head.is_page() {
            // A portal's or a gateway's, whatever its status: the backend has not heard.
            return Err(untold(Fault::Portal));
        }
        if status.is_success() {
            return Ok(Told::Heard);
        }
        let body = head.body().await.unwrap_or(Body::unread());
        match signed_out(self.profile(), status, &body) {
            Some(told) => Ok(told),
            None => Err(untold(Fault::of_answer(status, &body))),
        }
    }

    /// The request that `endpoint` describes.
    pub(super) fn call<'a>(
        &self,
        endpoint: &Endpoint,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
        device: &'a Device,
    ) -> Result<Call<'a>, Fault> {
        let origin = self.profile().origin();
        let variables = Variables {
            device: Some(device),
            origin: Some(&origin),
            ..*variables
        };
        let request = crate::profile::request(endpoint, &variables, more);
        Call::from_request(request.map_err(|_| Fault::BadAnswer)?, device)
    }

    fn session_call<'a>(
        &self,
        endpoint: &Endpoint,
        token: &RefreshToken,
        access: Option<&Secret>,
        device: &'a Device,
    ) -> Result<Call<'a>, Fault> {
        let variables = Variables {
            refresh_token: token.body(),
            access_token: access,
            ..Variables::default()
        };
        self.call(endpoint, &variables, None, device)
    }

    /// The refresh token in an answer. Where one token serves as both, it may be called the
    /// access token there.
    pub(super) fn body_token(&self, reply: &Reply<'_>, now: SystemTime) -> Option<BodyToken> {
        let own = reply.refresh_token(now);
        if own.is_some() || !self.profile().session.single_token {
            return own;
        }
        let token = reply.access_token(now)?.token?;
        Some(BodyToken {
            token,
            expires: None,
        })
    }

    /// What API calls go out with from here; `None` if an access token should be there and
    /// is not.
    pub(super) fn access(
        &self,
        reply: &Reply<'_>,
        token: &RefreshToken,
        now: SystemTime,
    ) -> Option<AccessToken> {
        let found = reply.access_token(now);
        if !self.profile().session.single_token {
            return found;
        }
        let life = found.and_then(|access| access.life);
        let token = token.body().cloned();
        Some(AccessToken { token, life })
    }
}
