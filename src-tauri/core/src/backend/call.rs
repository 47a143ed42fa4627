//! A request before it is sent: what the caller wants said, and what it goes out with.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use super::outgoing::Outgoing;
use crate::cookies::RefreshToken;
use crate::device::Device;
use crate::secrets::Secret;

/// A request to be sent.
pub(super) struct Call<'a> {
    pub method: Method,
    /// Relative to the base, as it goes out.
    pub path: String,
    /// The same without what a person or a backend put into it: fit for a trace.
    pub template: String,
    pub device: &'a Device,
    pub payload: Payload,
    pub headers: HeaderMap,
    pub token: Option<&'a RefreshToken>,
    pub bearer: Option<&'a Secret>,
    pub jar: bool,
    /// Counts the times that the same thing is asked, from one.
    pub attempt: u32,
    pub patience: Patience,
}

/// A request's body.
pub(super) enum Payload {
    None,
    /// In memory, and wiped with the last use of it.
    Whole(Bytes),
    /// Comes in pieces.
    Streamed(Outgoing),
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// The whole of it has one bound: for small answers that someone waits for.
    Whole,
    /// Each step has its own, as the profile says: for bodies of any size.
    Steps,
}

impl<'a> Call<'a> {
    pub fn new(method: Method, path: &str, device: &'a Device) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            method,
            path: path.to_owned(),
            template: path.split('?').next().unwrap_or_default().to_owned(),
            device,
            payload: Payload::None,
            headers,
            token: None,
            bearer: None,
            jar: true,
            attempt: 1,
            patience: Patience::Whole,
        }
    }

    pub fn post(path: &str, device: &'a Device) -> Self {
        Self::new(Method::POST, path, device)
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.payload = Payload::Whole(wiped(body.to_string().into_bytes()));
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub fn with_token(mut self, token: &'a RefreshToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Neither sends nor takes ordinary cookies: they may be another session's by now.
    pub fn without_jar(mut self) -> Self {
        self.jar = false;
        self
    }
}

/// Bytes that are wiped when nobody uses them any more.
pub(crate) fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}
