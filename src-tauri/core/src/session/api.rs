//! Calls to the adopter's API with the user's session: the token is attached here and goes
//! no further up.

use super::Session;
use crate::backend::refuse_api_path;
use crate::error::{AuthError, ErrorCode};
use crate::secrets::Secret;
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
        let (serial, token, device) = bearer;
        let reply = self.0.backend.api(&request, Some(&token), &device).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        match self.fly(Some(serial)).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::SessionEnded => return Err(error),
            // The backend's own answer says more than our failed refresh.
            Err(_) => return Ok(reply),
        }
        let Some((_, token, device)) = self.bearer().await? else {
            return Ok(reply);
        };
        self.0.backend.api(&request, Some(&token), &device).await
    }

    /// The access token, renewed first if it is spent; `None` when nobody is signed in.
    async fn bearer(&self) -> Result<Option<(u64, Secret, crate::device::Device)>, AuthError> {
        let serial = {
            let now = self.now();
            let held = self.held();
            match &held.access {
                Some(access) if !access.is_spent(now) => {
                    let token = access.token.token.clone();
                    return Ok(Some((access.serial, token, held.device.clone())));
                }
                _ if held.token.is_none() => return Ok(None),
                _ => held.access_serial(),
            }
        };
        self.fly(Some(serial)).await?;
        let held = self.held();
        Ok(held.access.as_ref().map(|access| {
            (
                access.serial,
                access.token.token.clone(),
                held.device.clone(),
            )
        }))
    }
}
