//! The exchange of Better Auth's server plugin for desktop shells (`@better-auth/electron` 1.7): the web
//! app's page returns to the app's scheme with a one-time token, which is exchanged for the session's
//! cookie. From there on it is a session like that of a password.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use super::authorization::{Authorization, NO_SENSE, Returned, refused};
use crate::backend::client::Backend;
use crate::backend::sign_in::{SignInFailure, SignInResponse};
use crate::device::Device;
use crate::error::ErrorCode;
use crate::profile::Endpoint;
use crate::secrets::Secret;

/// What the page's answer holds.
#[derive(Deserialize)]
struct Token {
    identifier: Secret,
    state: Secret,
}

impl Authorization {
    /// Reads `<scheme>://auth/callback#token=…`: the base64url of `{identifier, state}`. The plugin's page
    /// writes `:/` before a path that has a slash itself, so that `auth` reads as a host; with another
    /// `callbackPath` it does not.
    pub(super) fn better_auth_answer(&self, address: &Url) -> Option<Returned> {
        let fragment = address.fragment()?;
        let mut given = url::form_urlencoded::parse(fragment.as_bytes())
            .filter(|(name, _)| name == "token")
            .map(|(_, value)| Zeroizing::new(value.into_owned()));
        let (Some(token), None) = (given.next(), given.next()) else {
            return None;
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(token.as_bytes())
            .or_else(|_| URL_SAFE.decode(token.as_bytes()));
        let bytes = Zeroizing::new(bytes.ok()?);
        let token: Token = serde_json::from_slice(&bytes).ok()?;
        if !self.is_state(token.state.secret()) {
            return None;
        }
        Some(match token.identifier.secret().is_empty() {
            true => refused(NO_SENSE.into()),
            false => Returned::Code(token.identifier),
        })
    }
}

impl Backend {
    pub(super) async fn exchange_with_better_auth(
        &self,
        authorization: &Authorization,
        code: &Secret,
        device: &Device,
    ) -> Result<SignInResponse, SignInFailure> {
        let browser = self.browser().ok_or(ErrorCode::Unsupported)?;
        let endpoint = Endpoint::post_json(&browser.better_auth_path("token"));
        let mut members = Map::new();
        for (name, value) in [
            ("token", code.secret()),
            ("state", authorization.state().secret()),
            ("code_verifier", authorization.verifier()),
        ] {
            members.insert(name.to_owned(), Value::String(value.to_owned()));
        }
        self.sign_in_from_browser(&endpoint, &members, device).await
    }
}
