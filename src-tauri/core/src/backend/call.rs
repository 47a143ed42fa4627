//! A request before it is sent: what the caller wants said, and what it goes out with.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::outgoing::Outgoing;
use crate::device::Device;
use crate::profile::{self, Request};
use crate::token::RefreshToken;
use crate::transport::RequestBody;

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

impl Payload {
    /// For an exchange that is bounded as a whole.
    pub fn whole(self) -> RequestBody {
        match self {
            Self::None => RequestBody::Empty,
            Self::Whole(bytes) => RequestBody::Whole(bytes),
            Self::Streamed(body) => RequestBody::Stream(Box::pin(body)),
        }
    }
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
            jar: true,
            attempt: 1,
            patience: Patience::Whole,
        }
    }

    /// What a template of the profile was made into.
    pub fn from_request(request: Request, device: &'a Device) -> Result<Self, Fault> {
        let mut call = Self::new(method(request.method), &request.path, device);
        call.template = request.template;
        for (name, value) in &request.headers {
            call = call.text_header(name, value)?;
        }
        if let Some(body) = request.body {
            call.payload = Payload::Whole(Bytes::from_owner(body));
            let json = HeaderValue::from_static("application/json");
            call = call.header(CONTENT_TYPE, json);
        }
        Ok(call)
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A header that may be secret.
    pub fn text_header(self, name: &str, value: &str) -> Result<Self, Fault> {
        let (name, value) = text_header(name, value)?;
        Ok(self.header(name, value))
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

/// A header that may be secret, from what a template was made into.
pub(super) fn text_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Fault::BadAnswer)?;
    let value = HeaderValue::from_bytes(value.as_bytes());
    let mut value = value.map_err(|_| Fault::BadAnswer)?;
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

/// Bytes that are wiped when nobody uses them any more.
pub(crate) fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}
