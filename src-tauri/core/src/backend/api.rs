//! Calls that are made with the user's session: those of the adopter's own API, and those of the
//! profile's endpoints that a page does not make itself. One attempt each: the session knows who is
//! signed in, and decides whether an attempt is repeated.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
};
use reqwest::header::{HeaderMap, HeaderValue};

use super::client::Backend;
use super::download::Download;
use super::endpoint_call::EndpointCall;
use super::error::BackendError;
use super::page_headers;
use super::redirect::{Redirect, read_redirect};
use super::request::{BackendRequest, Payload, TimeLimit};
use super::response::Response;
use super::upload_body::{Sender, UploadBody};
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::{self, Endpoint, Template, Variables};
use crate::secrets::Secret;
use crate::token::RefreshToken;
use crate::wire::FetchReply;

/// A call that is made with the user's session.
#[derive(Clone)]
pub(crate) enum ApiCall {
    /// Made by a page, or by native code as if by a page.
    Page(PageCall),
    /// Made by the core, as an endpoint of the profile describes it. Its answer is small enough that the
    /// whole exchange has one bound, and it is not redirected.
    Endpoint {
        endpoint: Endpoint,
        /// The value of `$listed_session`.
        listed_session: Option<Secret>,
    },
}

/// A call that the profile allows, at the place to which redirects have led it.
#[derive(Clone)]
pub(crate) struct PageCall {
    method: Method,
    path: String,
    /// The entry of `api.allow` that names the path, so that a trace may show it.
    template: String,
    headers: HeaderMap,
    /// False once a redirect has made a GET of it.
    with_body: bool,
}

/// The body of one attempt.
pub(crate) struct ApiPayload(Payload);

impl ApiPayload {
    pub(crate) fn none() -> Self {
        Self(Payload::None)
    }

    pub(crate) fn in_memory(bytes: Bytes) -> Self {
        Self(Payload::Whole(bytes))
    }

    fn is_empty(&self) -> bool {
        match &self.0 {
            Payload::None => true,
            Payload::Whole(bytes) => bytes.is_empty(),
            Payload::Streamed(body) => body.is_empty(),
        }
    }

    /// A body that comes through the sender.
    pub(crate) fn streamed(length: Option<u64>) -> (Sender, Self) {
        let (sender, body) = UploadBody::streamed(length);
        (sender, Self(Payload::Streamed(body)))
    }
}

/// What a call carries of a session.
#[derive(Clone)]
pub(crate) struct CallCredentials {
    /// The access token, if there is one.
    pub access: Option<Secret>,
    /// The refresh cookies. They are sent only where the profile says so.
    pub token: Option<RefreshToken>,
    /// The device that the session was begun on.
    pub device: Device,
    /// The ordinary cookies of the session.
    pub jar: Jar,
}

impl Backend {
    /// A call of a page, if the profile allows its path.
    pub(crate) fn api_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
    ) -> Result<ApiCall, AuthError> {
        let template = super::refuse_api_path(method, path, self.profile())?;
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| AuthError::new(ErrorCode::PathRefused))?;
        Ok(ApiCall::Page(PageCall {
            method,
            path: path.to_owned(),
            template,
            headers: page_headers::kept(headers, self.profile()),
            with_body: true,
        }))
    }

    /// Sends one attempt, and returns at the answer's headers.
    pub(crate) async fn api(
        &self,
        call: &ApiCall,
        payload: ApiPayload,
        credentials: &CallCredentials,
        attempt: u32,
    ) -> Result<Response, BackendError> {
        let backend = self.with_jar(credentials.jar.clone());
        let token = credentials.token.as_ref();
        let token = token.filter(|_| self.profile().cookies.with_api);
        match call {
            ApiCall::Page(call) => {
                let sent = backend.page_call(call, payload, credentials, token, attempt);
                sent.await
            }
            ApiCall::Endpoint {
                endpoint,
                listed_session,
            } => {
                let variables = Variables {
                    access_token: credentials.access.as_ref(),
                    listed_session: listed_session.as_ref(),
                    ..Variables::default()
                };
                let call = EndpointCall {
                    token,
                    attempt,
                    ..EndpointCall::new(endpoint, variables, &credentials.device)
                };
                backend.call(call).await
            }
        }
    }

    async fn page_call(
        &self,
        call: &PageCall,
        payload: ApiPayload,
        credentials: &CallCredentials,
        token: Option<&RefreshToken>,
        attempt: u32,
    ) -> Result<Response, BackendError> {
        let profile = self.profile();
        let device = &credentials.device;
        let names = profile.api.headers.values().flat_map(Template::cookies);
        let cookies = self.cookies(names, token);
        let origin = profile.origin();
        let variables = Variables {
            access_token: credentials.access.as_ref(),
            device: Some(device),
            origin: Some(&origin),
            cookies: Some(&cookies),
            ..Variables::default()
        };
        let mut request = BackendRequest::new(call.method.clone(), &call.path, device);
        for (name, value) in &call.headers {
            request = request.header(name.clone(), value.clone());
        }
        let wants_length = matches!(call.method, Method::POST | Method::PUT | Method::PATCH);
        if wants_length && payload.is_empty() {
            // Some servers refuse a request without it (411, RFC 9110 §15.5.12), and the client
            // leaves it out where the body has no bytes.
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.template.clone_from(&call.template);
        request.payload = payload.0;
        for (name, value) in profile::headers(&profile.api.headers, &variables) {
            request = request.text_header(&name, &value)?;
        }
        request.token = token;
        request.attempt = attempt;
        request.time_limit = TimeLimit::EachStep;
        self.send(request).await
    }

    /// Sends one call without a body, if a page may make it, and returns the answer. A redirect is
    /// returned too and not followed. The doctor checks a profile with it.
    ///
    /// # Errors
    /// If the profile does not let a page call that path, or there is no answer.
    pub async fn api_once(
        &self,
        method: &str,
        path: &str,
        access: Option<&Secret>,
        token: &RefreshToken,
        device: &Device,
    ) -> Result<Response, AuthError> {
        let call = self.api_call(method, path, &[])?;
        self.once(&call, access, token, device).await
    }

    /// Sends one call without a body of the caller's, without a refresh and without a redirect.
    pub(super) async fn once(
        &self,
        call: &ApiCall,
        access: Option<&Secret>,
        token: &RefreshToken,
        device: &Device,
    ) -> Result<Response, AuthError> {
        let credentials = CallCredentials {
            access: access.cloned(),
            token: Some(token.clone()),
            device: device.clone(),
            jar: self.jar().clone(),
        };
        Ok(self.api(call, ApiPayload::none(), &credentials, 1).await?)
    }

    /// The next request of `call`, where the answer is a redirect to what a page may call; `None` where
    /// it is the answer to the call. Any other redirect is refused.
    pub(crate) fn follow_redirect(
        &self,
        call: &ApiCall,
        head: &Response,
    ) -> Result<Option<ApiCall>, AuthError> {
        // The answer to an endpoint is judged as one that is not understood.
        let ApiCall::Page(call) = call else {
            return Ok(None);
        };
        if !head.status().is_redirection() {
            return Ok(None);
        }
        let from = self.profile().url(&call.path);
        let location = head.location();
        let lead = read_redirect(self.profile(), head.status(), location, &from, &call.method);
        match lead {
            Redirect::None => Ok(None),
            Redirect::To(hop) => {
                let path = &hop.path;
                let template = super::refuse_api_path(hop.method.as_str(), path, self.profile())?;
                let mut next = PageCall {
                    method: hop.method,
                    path: hop.path,
                    template,
                    ..call.clone()
                };
                if !hop.with_body {
                    next.drop_body();
                }
                Ok(Some(ApiCall::Page(next)))
            }
            Redirect::OtherOrigin => {
                let status = head.status().as_u16();
                tracing::warn!(
                    path = call.template,
                    status,
                    "the answer is a redirect to another origin and is not followed: a portal or \
                     a proxy may have answered in the backend's place"
                );
                Err(BackendError::Portal.into())
            }
            Redirect::Refused(why) => {
                let status = head.status().as_u16();
                tracing::warn!(
                    path = call.template,
                    status,
                    why,
                    "the answer is a redirect that is not followed, and the call fails"
                );
                Err(ErrorCode::PathRefused.into())
            }
        }
    }

    /// The answer for a page, and what reads the rest of it if it is not small.
    pub(crate) async fn api_answer(
        &self,
        head: Response,
    ) -> Result<(FetchReply, Option<Download>), BackendError> {
        let api = &self.profile().api;
        let idle = match head.is_event_stream() {
            true => api.events_within_s,
            false => api.idle_within_s,
        };
        head.settle(Duration::from_secs(idle)).await
    }
}

impl ApiCall {
    /// Whether the caller's body goes along. An endpoint has a body of its own.
    pub(crate) fn takes_body(&self) -> bool {
        match self {
            Self::Page(call) => call.with_body,
            Self::Endpoint { .. } => false,
        }
    }
}

impl PageCall {
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
