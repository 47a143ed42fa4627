//! How the fuzz targets read what a provider answers, without a provider.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::device_authorization::DeviceSignIn;
use super::discovery::{Provider, described};
use super::id_token::Expected;
use super::keys::ProviderKeys;
use super::tokens::{TokenAnswer, sign_in_refusal};
use crate::backend::client::Backend;
use crate::backend::response_body::{ResponseBody, SMALL};
use crate::beside_body::BesideBody;
use crate::profile::{Browser, Profile};
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
use crate::token::ProviderToken;
use crate::wire::DeviceCode;

/// The provider that a discovery document describes to an app with this section of a profile.
///
/// # Errors
/// If it is not what the app needs. The words are for the person.
pub fn discovered(document: &Value, browser: &Browser) -> Result<Provider, &'static str> {
    described(document, browser)
}

/// What a token endpoint's answer with status 200 says.
pub struct ReadTokens {
    /// The refresh token.
    pub refresh: Option<ProviderToken>,
    /// The access token, whether API calls can carry it or not.
    pub access: Option<Secret>,
    /// The tokens for API calls, if they can carry them.
    pub usable: Option<AccessToken>,
    /// The error code, if it is a refusal.
    pub refusal: Option<String>,
}

/// Reads the answer of the token endpoint at `endpoint`; `None` if it is no JSON.
pub fn read_tokens(
    bytes: &[u8],
    profile: &Profile,
    endpoint: &Url,
    now: SystemTime,
) -> Option<ReadTokens> {
    let body = ResponseBody::of(bytes, BesideBody::default(), SMALL);
    let mut answer = TokenAnswer::read(&body, profile, endpoint, now)?;
    Some(ReadTokens {
        refresh: answer.refresh.take(),
        access: answer.access_token().cloned(),
        usable: answer.usable(),
        refusal: sign_in_refusal(StatusCode::OK, &body),
    })
}

/// The keys of a provider that publishes this.
pub struct Keys(ProviderKeys);

impl Keys {
    /// Reads a set of keys; `None` if it is none.
    pub fn read(published: &Value) -> Option<Self> {
        ProviderKeys::read(published).map(Self)
    }

    /// The claims of an ID token of `provider` for the sign-in with this nonce, if it passes its checks at
    /// `now`.
    pub fn claims(
        &self,
        backend: &Backend,
        provider: &Provider,
        id_token: &Secret,
        nonce: &str,
        now: SystemTime,
    ) -> Option<Value> {
        let nonce = Secret::new(nonce);
        let expected = Expected::Nonce(&nonce);
        let checked = backend.check(provider, &self.0, id_token, &expected, now);
        checked.ok()
    }
}

/// What a person is shown of a code for another device, how long it works, and how long to wait before the
/// first question; `None` if nobody could sign in by this answer.
pub fn read_device_code(
    answer: &Value,
    provider: Arc<Provider>,
) -> Option<(DeviceCode, Duration, Duration)> {
    let begun = DeviceSignIn::read(answer, provider)?;
    Some((begun.shown, begun.expires_in, begun.interval))
}
