//! Calls to the adopter's API with the user's session: the token is attached here and goes
//! no further up.

use super::rotate::Asked;
use super::{Held, Session};
use crate::backend::refuse_api_path;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::secrets::Secret;
use crate::vault::Stamp;
use crate::wire::{FetchReply, FetchRequest};

impl Session {
    /// Sends `request` with the session's bearer and cookies, or without a bearer when
    /// nobody is signed in. A 401 is answered by one refresh and one replay.
    pub async fn fetch(&self, request: FetchRequest) -> Result<FetchReply, AuthError> {
        refuse_api_path(
            &request.method,
            &request.path,
            &self.0.backend.profile().api.allow,
        )?;
        if request
            .body
            .as_ref()
            .is_some_and(|body| body.len() > 1024 * 1024)
        {
            return Err(ErrorCode::TooLarge.into());
        }
        let Some(bearer) = self.bearer().await? else {
            let device = self.held().device.clone();
            return self.0.backend.api(&request, None, &device).await;
        };
        let reply = self.send(&request, &bearer).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        match self.fly(Asked::Call(bearer.serial)).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::SessionEnded => return Err(error),
            // The backend's own answer says more than our failed refresh.
            Err(_) => return Ok(reply),
        }
        match self.bearer().await? {
            // What one person asked for is not repeated in the name of another.
            Some(renewed) if renewed.stamp == bearer.stamp => self.send(&request, &renewed).await,
            _ => Ok(reply),
        }
    }

    async fn send(&self, request: &FetchRequest, bearer: &Bearer) -> Result<FetchReply, AuthError> {
        let backend = &self.0.backend;
        backend
            .api(request, Some(&bearer.token), &bearer.device)
            .await
    }

    /// The access token, renewed first if it is spent; `None` when nobody is signed in.
    async fn bearer(&self) -> Result<Option<Bearer>, AuthError> {
        let serial = {
            let now = self.now();
            let held = self.held();
            match &held.access {
                Some(access) if !access.is_spent(now) => return Ok(held.bearer()),
                // A keyring that could not be read may hold a session: that is not nobody.
                _ if held.token.is_none() && !held.unread => return Ok(None),
                _ => held.access_serial(),
            }
        };
        self.fly(Asked::Call(serial)).await?;
        Ok(self.held().bearer())
    }
}

/// What a call goes out with.
struct Bearer {
    stamp: Stamp,
    serial: u64,
    token: Secret,
    device: Device,
}

impl Held {
    fn bearer(&self) -> Option<Bearer> {
        self.access.as_ref().map(|access| Bearer {
            stamp: self.stamp,
            serial: access.serial,
            token: access.token.token.clone(),
            device: self.device.clone(),
        })
    }
}
