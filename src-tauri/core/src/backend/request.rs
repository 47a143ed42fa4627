//! A request before it is sent: made of an endpoint of the profile, or of a page's call.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::error::BackendError;
use super::upload_body::UploadBody;
use crate::device::Device;
use crate::profile::{self, EndpointOrigin, FilledRequest};
use crate::token::RefreshToken;
use crate::transport::RequestBody;

/// A request to be sent.
pub(super) struct BackendRequest<'a> {
    pub method: Method,
    /// Relative to the base address, as it goes out.
    pub path: String,
    /// The path without what a person or a backend put into it, so that a trace may show it.
    pub template: String,
    pub device: &'a Device,
    pub payload: Payload,
    pub headers: HeaderMap,
    /// Where it goes, if not to the backend.
    pub origin: Option<&'a EndpointOrigin>,
    /// Its cookies go along, where their paths fit.
    pub token: Option<&'a RefreshToken>,
    /// How many times the same thing was asked, this time included.
    pub attempt: u32,
    pub time_limit: TimeLimit,
    /// By when an exchange that is bounded as a whole must be over, where other requests came before.
    pub until: Option<Instant>,
}

/// A request's body.
pub(super) enum Payload {
    None,
    /// In memory, and wiped with the last use of it.
    Whole(Bytes),
    /// Comes in pieces.
    Streamed(UploadBody),
}

impl Payload {
    /// For an exchange that is bounded as a whole.
    pub(super) fn whole(self) -> RequestBody {
        match self {
            Self::None => RequestBody::Empty,
            Self::Whole(bytes) => RequestBody::Whole(bytes),
            Self::Streamed(body) => RequestBody::Stream(Box::pin(body)),
        }
    }
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeLimit {
    /// The whole exchange has one bound: for small answers that somebody waits for.
    WholeExchange,
    /// Each step has its own bound, as the profile says: for bodies of any size.
    EachStep,
}

impl<'a> BackendRequest<'a> {
    pub(super) fn new(method: Method, path: &str, device: &'a Device) -> Self {
        Self {
            method,
            path: path.to_owned(),
            template: path.split('?').next().unwrap_or_default().to_owned(),
            device,
            payload: Payload::None,
            headers: HeaderMap::new(),
            origin: None,
            token: None,
            attempt: 1,
            time_limit: TimeLimit::WholeExchange,
            until: None,
        }
    }

    pub(super) fn from_request(
        request: FilledRequest,
        device: &'a Device,
    ) -> Result<Self, BackendError> {
        let mut call = Self::new(method(request.method), &request.path, device);
        call.template = request.template;
        for (name, value) in &request.headers {
            call = call.text_header(name, value)?;
        }
        if let Some(body) = request.body {
            call.payload = Payload::Whole(Bytes::from_owner(body.bytes));
            // It was checked when the profile was loaded.
            let content_type = HeaderValue::from_str(&body.content_type);
            let content_type = content_type.map_err(|_| BackendError::Unsendable)?;
            call = call.header(CONTENT_TYPE, content_type);
        }
        Ok(call)
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header that may be secret.
    pub(super) fn text_header(self, name: &str, value: &str) -> Result<Self, BackendError> {
        let (name, value) = text_header(name, value)?;
        Ok(self.header(name, value))
    }
}

/// A header that may be secret, from a template of the profile that was filled in.
pub(super) fn text_header(
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), BackendError> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BackendError::Unsendable)?;
    // White space around it is no part of a value (Fetch, "normalize"): some tokens end with a line break.
    let value = HeaderValue::from_bytes(value.trim_ascii().as_bytes());
    let mut value = value.map_err(|_| BackendError::Unsendable)?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn method(method: profile::Method) -> Method {
    match method {
        profile::Method::Get => Method::GET,
        profile::Method::Post => Method::POST,
        profile::Method::Put => Method::PUT,
        profile::Method::Patch => Method::PATCH,
        profile::Method::Delete => Method::DELETE,
    }
}

/// Bytes that are wiped with their last use.
pub(crate) fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_after_a_token_is_not_sent_and_one_within_is_refused() {
        let (_, value) = text_header("authorization", "Bearer a\r\n").expect("a header");
        assert_eq!(value.as_bytes(), b"Bearer a");
        assert!(text_header("authorization", "Bearer a\nx: b").is_err());
    }
}
