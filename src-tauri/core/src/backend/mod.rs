//! The backend over HTTP: one method per endpoint, one answer type each.
//!
//! Knows the profile and the wire, never the session. What an answer means is decided in
//! [`verdict`]; how it travels in [`client`]; calls to the adopter's own API are in [`api`].

mod api;
mod api_path;
mod body;
mod call;
mod client;
mod download;
mod fault;
mod head;
mod outgoing;
mod redirect;
mod retry_after;
mod traced;
mod verdict;

use std::time::SystemTime;

use reqwest::StatusCode;
use serde_json::{Value, json};

pub(crate) use api::{ApiCall, ApiPayload, Turn};
pub use api_path::refuse as refuse_api_path;
pub use body::Body;
pub(crate) use call::wiped;
pub use client::Backend;
pub use download::{CHUNK, Download};
pub use fault::Fault;
pub use head::Head;
pub(crate) use outgoing::{Part, Sender};
pub use retry_after::retry_after;
pub use verdict::Verdict;

use crate::cookies::{RefreshChange, RefreshToken};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::reply::{AccessToken, Reply};
use crate::secrets::Secret;
use crate::wire::{LoginInput, RegisterInput, User};
use call::Call;
use verdict::{SignInStep, sign_in_error};

/// How a sign-in was answered.
pub enum SignIn {
    /// Signed in.
    Granted(Box<Grant>),
    /// A code is wanted.
    OtpRequired {
        /// Where it went, if the backend says.
        email: Option<String>,
    },
    /// A registration without a session.
    Accepted,
}

/// A session as the backend gives it out.
pub struct Grant {
    /// Who.
    pub user: User,
    /// For API calls.
    pub access: AccessToken,
    /// For the next refresh.
    pub token: RefreshToken,
}

impl Backend {
    /// Signs in with a password.
    pub async fn login(&self, input: &LoginInput, device: &Device) -> Result<SignIn, AuthError> {
        let body = json!({
            "email": input.email,
            "password": input.password.secret(),
            "fingerprint": device.payload(),
        });
        let path = &self.profile().endpoints.login;
        self.sign_in(SignInStep::Login, path, body, device).await
    }

    /// Makes an account.
    pub async fn register(
        &self,
        input: &RegisterInput,
        device: &Device,
    ) -> Result<SignIn, AuthError> {
        let mut body = input.more.clone().unwrap_or_default();
        body.insert("name".into(), input.name.clone().into());
        body.insert("email".into(), input.email.clone().into());
        body.insert("password".into(), input.password.secret().into());
        body.insert("fingerprint".into(), device.payload());
        let path = &self.profile().endpoints.register;
        self.sign_in(SignInStep::Register, path, body.into(), device)
            .await
    }

    /// Answers a challenge.
    pub async fn verify_otp(
        &self,
        email: &str,
        code: &Secret,
        device: &Device,
    ) -> Result<SignIn, AuthError> {
        let body = json!({
            "email": email,
            "code": code.secret(),
            "fingerprint": device.payload(),
        });
        let path = &self.profile().endpoints.verify_otp;
        self.sign_in(SignInStep::VerifyOtp, path, body, device)
            .await
    }

    /// Asks for another code.
    pub async fn resend_otp(&self, email: &str, device: &Device) -> Result<(), AuthError> {
        let body = json!({"email": email, "fingerprint": device.payload()});
        let path = &self.profile().endpoints.resend_otp;
        let head = self.send(Call::post(path, device).json(&body)).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        if status.is_success() {
            return Ok(());
        }
        let body = head.body().await.unwrap_or(Body::Other);
        Err(sign_in_error(
            SignInStep::ResendOtp,
            status,
            body.reply(&self.profile().answer).as_ref(),
            retry_after,
        ))
    }

    /// Asks for a new access token. The answer's headers come first, so that a rotated
    /// token is safe before the body is read; see [`Head::take_refresh_changes`]. `attempt`
    /// counts the tries in a row, from one.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        device: &Device,
        attempt: u32,
    ) -> Result<Head, Fault> {
        let path = &self.profile().endpoints.refresh;
        let body = json!({"fingerprint": device.payload()});
        let mut call = Call::post(path, device).json(&body).with_token(token);
        call.attempt = attempt;
        self.send(call).await
    }

    /// Tells the backend that the session is over. `Ok` means that it need not be told
    /// again: done, or already unknown there.
    pub async fn logout(&self, token: &RefreshToken, device: &Device) -> Result<(), Fault> {
        let path = &self.profile().endpoints.logout;
        let head = self
            .send(Call::post(path, device).with_token(token).without_jar())
            .await?;
        if head.status().is_success() && head.is_page() {
            // A portal's, not the backend's: it has not heard.
            return Err(Fault::BadAnswer);
        }
        match head.status() {
            status if status.is_success() => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(()),
            status => Err(Fault::Status(status)),
        }
    }

    async fn sign_in(
        &self,
        step: SignInStep,
        path: &str,
        body: Value,
        device: &Device,
    ) -> Result<SignIn, AuthError> {
        let mut head = self.send(Call::post(path, device).json(&body)).await?;
        let (status, retry_after) = (head.status(), head.retry_after());
        let changes = head.take_refresh_changes();
        let body = head.body().await?;
        let answer = &self.profile().answer;
        let reply = body.reply(answer);
        // The flag counts before the status.
        if let Some(reply) = &reply
            && reply.otp_required()
        {
            return Ok(SignIn::OtpRequired {
                email: reply.otp_email(),
            });
        }
        if !status.is_success() {
            return Err(sign_in_error(step, status, reply.as_ref(), retry_after));
        }
        match grant(reply.as_ref(), changes) {
            Some(grant) => Ok(SignIn::Granted(Box::new(grant))),
            None if step == SignInStep::Register && !has_user(reply.as_ref()) => {
                Ok(SignIn::Accepted)
            }
            None => {
                tracing::warn!(
                    path,
                    "a success without user, access token or refresh token"
                );
                Err(ErrorCode::BadAnswer.into())
            }
        }
    }
}

fn has_user(reply: Option<&Reply<'_>>) -> bool {
    reply.is_some_and(|reply| reply.access_token(SystemTime::now()).is_some())
}

fn grant(reply: Option<&Reply<'_>>, changes: Vec<RefreshChange>) -> Option<Grant> {
    let reply = reply?;
    let mut token = RefreshToken::default();
    token.apply(changes);
    (!token.is_empty()).then_some(())?;
    Some(Grant {
        user: reply.user()?,
        access: reply.access_token(SystemTime::now())?,
        token,
    })
}
