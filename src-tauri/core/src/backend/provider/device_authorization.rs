//! A sign-in on another device by a code (RFC 8628), where no browser is at hand.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::ProviderRequest;
use super::authorization::{trouble, words_of};
use super::discovery::Provider;
use super::id_token::Expected;
use super::tokens::{sign_in_refusal, wants_slower};
use crate::backend::client::{Backend, EXCHANGE_TIMEOUT};
use crate::backend::error::BackendError;
use crate::backend::sign_in::{SignInFailure, SignInResponse};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::json_value::text_of;
use crate::profile::ProviderAddress;
use crate::published::shown;
use crate::secrets::Secret;
use crate::token_expiry;
use crate::wire::DeviceCode;

/// How long to wait between two questions, unless the provider says otherwise (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds to it (RFC 8628 §3.5).
const SLOWER_BY: Duration = Duration::from_secs(5);
/// However small an interval a provider names, it is not asked more often.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// A provider that cannot be reached is asked again after this, unless it has named a longer interval.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// The longest code and address that a screen shows.
const LONGEST_CODE: usize = 40;
const LONGEST_ADDRESS: usize = 400;

/// A sign-in on another device that has begun.
pub(crate) struct DeviceSignIn {
    /// What the person types there.
    pub shown: DeviceCode,
    /// How long the code works.
    pub expires_in: Duration,
    /// How long to wait before the next question. The end of the code bounds it.
    pub interval: Duration,
    /// How long to wait between two questions where nothing is in the way.
    pace: Duration,
    /// An answer got lost on the way, and nothing since then says that the code was not used.
    is_answer_lost: bool,
    provider: Arc<Provider>,
    code: Secret,
}

/// What a question about it has brought.
pub(crate) enum DevicePoll {
    /// The person has not decided yet.
    Pending,
    /// The provider could not be asked; the question is repeated.
    Unanswered(BackendError),
    /// It is decided.
    Done(Box<SignInResponse>),
}

impl Backend {
    /// Asks for a code.
    pub(crate) async fn begin_device_sign_in(
        &self,
        provider: Arc<Provider>,
        device: &Device,
    ) -> Result<DeviceSignIn, AuthError> {
        let browser = self.browser().ok_or(ErrorCode::Unsupported)?;
        let address = provider.device_authorization.as_ref();
        let address = address.ok_or(ErrorCode::Unsupported)?;
        let scopes = browser.scopes().join(" ");
        let mut form: Vec<_> = browser.parameters.iter().collect();
        form.retain(|(name, _)| name.as_str() != "prompt");
        let mut form: Vec<(&str, &str)> = form
            .into_iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let request = ProviderRequest::post(address.url(), &form, device, until);
        let response = self.ask_provider(request, provider.secret_in_body).await?;
        let (status, wait) = (response.status(), response.retry_after());
        let body = response.body().await?;
        if let Some(code) = sign_in_refusal(status, &body) {
            let words = words_of(&code, None);
            return Err(AuthError::with_message(
                ErrorCode::BrowserSignInRefused,
                words,
            ));
        }
        if !status.is_success() || body.is_anothers() {
            return Err(trouble(status, &body).retry_after(wait));
        }
        let begun = body
            .json()
            .and_then(|json| DeviceSignIn::read(json, provider));
        Ok(begun.ok_or(BackendError::BadAnswer)?)
    }

    /// Asks whether the person has decided. The next question may be asked after `interval`.
    pub(crate) async fn poll_device_sign_in(
        &self,
        sign_in: &mut DeviceSignIn,
        device: &Device,
    ) -> Result<DevicePoll, SignInFailure> {
        let provider = sign_in.provider.clone();
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", sign_in.code.secret()),
        ];
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let address: &Url = provider.token.url();
        let request = ProviderRequest::post(address, &form, device, until);
        let asked = self.ask_provider(request, provider.secret_in_body).await;
        let unanswered = |fault| Ok(DevicePoll::Unanswered(fault));
        let response = match asked {
            Ok(response) => response,
            Err(fault) => {
                sign_in.is_answer_lost = true;
                // A connection that times out is tried less often (RFC 8628 §3.5).
                let slower = sign_in.pace.saturating_mul(2).min(LONGEST_BACKOFF);
                sign_in.slow_down_to(slower);
                return unanswered(fault);
            }
        };
        let (status, now, wait) = (
            response.status(),
            response.sent_at(),
            response.retry_after(),
        );
        let body = match response.body().await {
            Ok(body) => body,
            Err(fault) => {
                sign_in.is_answer_lost = true;
                return unanswered(fault);
            }
        };
        sign_in.interval = sign_in.pace;
        let over = |words: &str| {
            let error = AuthError::with_message(ErrorCode::BrowserSignInRefused, words);
            Err(SignInFailure::from(error))
        };
        if wants_slower(status, &body) {
            sign_in.slow_down_to(sign_in.pace.saturating_add(SLOWER_BY));
            sign_in.interval = sign_in.interval.max(wait.unwrap_or_default());
            return Ok(DevicePoll::Pending);
        }
        match sign_in_refusal(status, &body).as_deref() {
            Some("authorization_pending") => {
                sign_in.is_answer_lost = false;
                Ok(DevicePoll::Pending)
            }
            // A code works once, and the answer that is lost may have brought the session.
            Some("expired_token" | "invalid_grant") if sign_in.is_answer_lost => {
                over("The answer got lost on the way. Start again to get a new code.")
            }
            Some("expired_token" | "invalid_grant") => {
                over("The code was not used in time. Start again to get a new one.")
            }
            Some("access_denied") => over("The sign-in was refused on the other device."),
            Some(code) => over(&words_of(code, None)),
            None if status.is_success() && !body.is_anothers() => {
                let redeemed =
                    self.redeemed(&provider, &body, Expected::AnySignIn, now, (device, until));
                Ok(DevicePoll::Done(Box::new(redeemed.await?)))
            }
            None => {
                sign_in.interval = sign_in.pace.max(wait.unwrap_or_default());
                unanswered(BackendError::of_answer(status, &body))
            }
        }
    }
}

impl DeviceSignIn {
    /// Reads what a provider answers (RFC 8628 §3.2); `None` if nobody could sign in by it.
    pub(super) fn read(json: &Value, provider: Arc<Provider>) -> Option<Self> {
        let text = |name: &str| {
            json.get(name)
                .and_then(text_of)
                .filter(|text| !text.is_empty())
        };
        let seconds = |name: &str| {
            let length = token_expiry::life(json.get(name)?, 1.0);
            length.filter(|length| !length.is_zero())
        };
        // As it is opened: what cannot be seen in it is encoded.
        let page = |name: &str| {
            let page = ProviderAddress::parse(&text(name)?).ok()?;
            let text = String::from(page.url().as_str());
            (text.len() <= LONGEST_ADDRESS).then_some(text)
        };
        // Google's name of it is older than the RFC.
        let where_to = page("verification_uri").or_else(|| page("verification_url"));
        let code = shown(&text("user_code")?, LONGEST_CODE);
        let code = Some(code.trim()).filter(|code| !code.is_empty());
        let code = DeviceCode {
            code: code?.to_owned(),
            address: where_to?,
            complete_address: page("verification_uri_complete"),
        };
        let pace = seconds("interval").unwrap_or(INTERVAL);
        let pace = pace.max(SHORTEST_INTERVAL);
        Some(Self {
            shown: code,
            expires_in: seconds("expires_in")?,
            interval: pace,
            pace,
            is_answer_lost: false,
            code: text("device_code").map(Secret::new)?,
            provider,
        })
    }

    /// Waits at least so long between two questions from here on.
    fn slow_down_to(&mut self, pace: Duration) {
        self.pace = self.pace.max(pace);
        self.interval = self.pace;
    }
}
