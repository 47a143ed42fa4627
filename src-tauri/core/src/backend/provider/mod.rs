//! The provider of a sign-in by the browser: OpenID Connect, or OAuth 2 with endpoints by name.
//!
//! `discovery` finds its endpoints, `authorization` begins a sign-in and exchanges its code,
//! `device_authorization` does so for a code on another device, `id_token` checks with the provider's
//! `keys` who has signed in,
//! `renewal` renews and revokes what came of it. Every request goes out through
//! [`Backend::send`](super::Backend), so bounds, traces and the rule about redirects are those of the
//! backend's own endpoints. A provider elsewhere gets no cookie and none of the headers of all requests.

mod authorization;
mod better_auth;
mod device_authorization;
mod discovery;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod for_tests;
mod id_token;
mod keys;
mod renewal;
mod tokens;

pub use authorization::{Authorization, Returned};
pub(crate) use device_authorization::{DevicePoll, DeviceSignIn};
pub(super) use discovery::ProviderCache;
pub use discovery::{Provider, ProviderFault};

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::Instant;
use url::Url;
use zeroize::Zeroizing;

use super::client::Backend;
use super::error::BackendError;
use super::request::{BackendRequest, Payload};
use super::response::Response;
use crate::device::Device;
use crate::profile::{Browser, EndpointOrigin, form_body};
use crate::secrets::Secret;

/// A request to a provider.
struct ProviderRequest<'a> {
    address: &'a Url,
    /// The fields of its form; a `GET` without.
    form: Option<&'a [(&'a str, &'a str)]>,
    /// Whether the client authenticates, where the profile has a secret for it.
    is_authenticated: bool,
    bearer: Option<&'a Secret>,
    device: &'a Device,
    attempt: u32,
    until: Instant,
}

impl<'a> ProviderRequest<'a> {
    fn get(address: &'a Url, device: &'a Device, until: Instant) -> Self {
        Self {
            address,
            form: None,
            is_authenticated: false,
            bearer: None,
            device,
            attempt: 1,
            until,
        }
    }

    fn post(
        address: &'a Url,
        form: &'a [(&'a str, &'a str)],
        device: &'a Device,
        until: Instant,
    ) -> Self {
        Self {
            form: Some(form),
            is_authenticated: true,
            ..Self::get(address, device, until)
        }
    }
}

impl Backend {
    /// The profile's section `browser`.
    pub(super) fn browser(&self) -> Option<&Browser> {
        self.profile().browser.get()
    }

    /// Sends a request to a provider, and returns once the answer's headers are here.
    async fn ask_provider(
        &self,
        request: ProviderRequest<'_>,
        secret_in_body: bool,
    ) -> Result<Response, BackendError> {
        let origin = EndpointOrigin::of(request.address);
        let path = request.address[url::Position::BeforePath..].to_owned();
        let method = match request.form {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut sent = BackendRequest::new(method, &path, request.device);
        if let Some(bearer) = request.bearer {
            let value = Zeroizing::new(format!("Bearer {}", bearer.secret()));
            sent = sent.text_header(AUTHORIZATION.as_str(), &value)?;
        }
        if let Some(fields) = request.form {
            let mut fields = fields.to_vec();
            let client = self.browser().filter(|_| request.is_authenticated);
            if let Some(browser) = client {
                fields.push(("client_id", browser.client()));
                match &browser.client_secret {
                    Some(secret) if secret_in_body => fields.push(("client_secret", secret)),
                    Some(secret) => {
                        let basic = basic(browser.client(), secret);
                        sent = sent.text_header(AUTHORIZATION.as_str(), &basic)?;
                    }
                    None => {}
                }
            }
            sent.payload = Payload::Whole(Bytes::from_owner(form_body(&fields)));
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            sent = sent.header(CONTENT_TYPE, form);
        }
        sent.origin = Some(&origin);
        sent.attempt = request.attempt;
        sent.until = Some(request.until);
        self.send(sent).await
    }
}

/// The header of a client that authenticates with a secret (RFC 6749 §2.3.1: both are encoded as in a
/// form first).
fn basic(client: &str, secret: &str) -> Zeroizing<String> {
    use base64::Engine as _;
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = Zeroizing::new(format!("{}:{}", encode(client), encode(secret)));
    let text = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
    Zeroizing::new(format!("Basic {text}"))
}
