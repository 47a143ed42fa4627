//! Calls to the adopter's own API, made with the user's session: one attempt each. Who is
//! signed in, and whether an attempt is repeated, is for the session to say.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::call::{Call, Patience, Payload};
use super::client::Backend;
use super::download::Download;
use super::fault::Fault;
use super::head::Head;
use super::outgoing::{Outgoing, Sender};
use super::redirect::{Lead, lead};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::JarId;
use crate::profile::{self, Variables};
use crate::secrets::Secret;
use crate::token::RefreshToken;
use crate::wire::FetchReply;

/// Headers that are ours to send: they carry credentials, frame the message, or make some
/// servers take it for a request to another path, by another method or from someone else.
const OURS: [&str; 22] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];
const OURS_BY_PREFIX: [&str; 3] = ["proxy-", "sec-", "x-forwarded-"];

/// A call, where it has come to.
#[derive(Clone)]
pub(crate) struct ApiCall {
    method: Method,
    path: String,
    template: String,
    headers: HeaderMap,
    with_body: bool,
}

/// A call's body for one attempt.
pub(crate) struct ApiPayload(Payload);

impl ApiPayload {
    pub fn none() -> Self {
        Self(Payload::None)
    }

    pub fn kept(bytes: Bytes) -> Self {
        Self(Payload::Whole(bytes))
    }

    fn is_empty(&self) -> bool {
        match &self.0 {
            Payload::None => true,
            Payload::Whole(bytes) => bytes.is_empty(),
            Payload::Streamed(body) => body.is_empty(),
        }
    }

    /// To be fed through the sender.
    pub fn fed(length: Option<u64>) -> (Sender, Self) {
        let (sender, body) = Outgoing::fed(length);
        (sender, Self(Payload::Streamed(body)))
    }
}

/// What a call carries of a session.
#[derive(Clone)]
pub(crate) struct Carried {
    /// The access token, if there is one.
    pub access: Option<Secret>,
    /// The refresh cookies: sent only where the profile says so.
    pub token: Option<RefreshToken>,
    /// The device of the session.
    pub device: Device,
    /// The jar whose ordinary cookies are the session's own.
    pub jar: JarId,
}

/// What an answer makes of a call.
pub(crate) enum Turn {
    /// It is the answer.
    Answer,
    /// It leads on; the call is at the next place.
    On,
}

impl Backend {
    /// A call that the profile lets a window make.
    pub(crate) fn api_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
    ) -> Result<ApiCall, AuthError> {
        let template = super::refuse_api_path(method, path, self.profile())?;
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| AuthError::new(ErrorCode::PathRefused))?;
        Ok(ApiCall {
            method,
            path: path.to_owned(),
            template,
            headers: theirs(headers),
            with_body: true,
        })
    }

    /// One attempt.
    pub(crate) async fn api(
        &self,
        call: &ApiCall,
        payload: ApiPayload,
        carried: &Carried,
        attempt: u32,
    ) -> Result<Head, Fault> {
        let profile = self.profile();
        let device = &carried.device;
        let origin = profile.origin();
        let variables = Variables {
            access_token: carried.access.as_ref(),
            device: Some(device),
            origin: Some(&origin),
            ..Variables::default()
        };
        let mut request = Call::new(call.method.clone(), &call.path, device);
        for (name, value) in &call.headers {
            request = request.header(name.clone(), value.clone());
        }
        let wants_length = matches!(call.method, Method::POST | Method::PUT | Method::PATCH);
        if wants_length && payload.is_empty() {
            // Some servers ask for it; a body of no bytes would go without.
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.template.clone_from(&call.template);
        request.payload = payload.0;
        for (name, value) in profile::headers(&profile.api.headers, &variables) {
            request = request.text_header(&name, &value)?;
        }
        request.token = carried.token.as_ref().filter(|_| profile.cookies.with_api);
        request.attempt = attempt;
        request.patience = Patience::Steps;
        self.with_jar(carried.jar).send(request).await
    }

    /// One call without a body as a window may make it, and its answer whatever it is: no
    /// redirect is followed. For examining a backend.
    ///
    /// # Errors
    /// If the profile does not let a window call that path, or there is no answer.
    pub async fn api_once(
        &self,
        method: &str,
        path: &str,
        access: Option<&Secret>,
        token: &RefreshToken,
        device: &Device,
    ) -> Result<Head, AuthError> {
        let call = self.api_call(method, path, &[])?;
        let carried = Carried {
            access: access.cloned(),
            token: Some(token.clone()),
            device: device.clone(),
            jar: self.jar_id(),
        };
        Ok(self.api(&call, ApiPayload::none(), &carried, 1).await?)
    }

    /// Follows a redirect to another place that a window may call; refuses any other.
    pub(crate) fn api_turn(&self, call: &mut ApiCall, head: &Head) -> Result<Turn, AuthError> {
        let from = self.profile().url(&call.path);
        let location = head.location();
        let lead = lead(self.profile(), head.status(), location, &from, &call.method);
        match lead {
            Lead::Nowhere => Ok(Turn::Answer),
            Lead::To(hop) => {
                let path = &hop.path;
                call.template = super::refuse_api_path(hop.method.as_str(), path, self.profile())?;
                call.method = hop.method;
                call.path = hop.path;
                if !hop.with_body {
                    call.drop_body();
                }
                Ok(Turn::On)
            }
            Lead::Away => {
                let status = head.status().as_u16();
                tracing::warn!(path = call.template, status, "an answer leads elsewhere");
                Err(Fault::Portal.into())
            }
            Lead::Refused(why) => {
                let status = head.status().as_u16();
                tracing::warn!(
                    path = call.template,
                    status,
                    why,
                    "a redirect is not followed"
                );
                Err(ErrorCode::PathRefused.into())
            }
        }
    }

    /// The answer for a window, and the rest of it if it is not small.
    pub(crate) async fn api_answer(
        &self,
        head: Head,
    ) -> Result<(FetchReply, Option<Download>), Fault> {
        let api = &self.profile().api;
        let idle = match head.is_event_stream() {
            true => api.events_within_s,
            false => api.idle_within_s,
        };
        head.settle(Duration::from_secs(idle)).await
    }
}

impl ApiCall {
    /// Whether this goes out with the caller's body.
    pub fn takes_body(&self) -> bool {
        self.with_body
    }

    fn drop_body(&mut self) {
        self.with_body = false;
        for name in [
            CONTENT_ENCODING,
            CONTENT_LANGUAGE,
            CONTENT_LOCATION,
            CONTENT_TYPE,
        ] {
            self.headers.remove(name);
        }
    }
}

/// A caller's headers without ours, and without what no message can hold.
fn theirs(headers: &[(String, String)]) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let is_ours = OURS.contains(&name.as_str())
            || OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix));
        if is_ours {
            continue;
        }
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            kept.insert(name, value);
        }
    }
    kept
}
