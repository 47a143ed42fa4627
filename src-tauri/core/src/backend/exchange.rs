//! One request, one answer: the client, its limits, the cookies, the trace.
//!
//! No redirect is followed: a 307 would carry the password elsewhere. No answer is
//! decompressed. The whole exchange has a bound, and so has the body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, SET_COOKIE,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::body::Body;
use crate::cookies::{Jar, RefreshChange, RefreshCookie, RefreshToken};
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::profile::Profile;
use crate::secrets::Secret;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const TOTAL_LIMIT: Duration = Duration::from_secs(30);
/// The largest body that is read.
const BODY_LIMIT: usize = 1024 * 1024;

/// A backend that a profile describes, with its ordinary cookies.
#[derive(Clone)]
pub struct Backend {
    profile: Arc<Profile>,
    client: Client,
    jar: Arc<Mutex<Jar>>,
}

/// Why there is no answer to act on. All of these pass: none ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No connection, or it broke.
    #[error("the backend cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the backend did not answer in time")]
    TimedOut,
    /// The body is larger than is read.
    #[error("the answer is too large")]
    TooLarge,
    /// The body broke off.
    #[error("the answer broke off")]
    Truncated,
    /// A status that says nothing about the session.
    #[error("the backend answered {0}")]
    Status(StatusCode),
    /// A success that does not hold what it should.
    #[error("the backend's answer is not understood")]
    BadAnswer,
}

impl From<Fault> for AuthError {
    fn from(fault: Fault) -> Self {
        Self::new(match fault {
            Fault::Unreachable | Fault::TimedOut | Fault::Truncated => ErrorCode::Unreachable,
            Fault::TooLarge => ErrorCode::TooLarge,
            Fault::Status(status) if status == StatusCode::TOO_MANY_REQUESTS => {
                ErrorCode::RateLimited
            }
            Fault::Status(status) if status.is_server_error() => ErrorCode::BackendFault,
            Fault::Status(_) | Fault::BadAnswer => ErrorCode::BadAnswer,
        })
    }
}

/// A request to be sent.
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    device: &'a Device,
    body: Option<Zeroizing<Vec<u8>>>,
    headers: HeaderMap,
    token: Option<&'a RefreshToken>,
    bearer: Option<&'a Secret>,
    jar: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: &'a str, device: &'a Device) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            method,
            path,
            device,
            body: None,
            headers,
            token: None,
            bearer: None,
            jar: true,
        }
    }

    pub(super) fn post(path: &'a str, device: &'a Device) -> Self {
        Self::new(Method::POST, path, device)
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = Some(Zeroizing::new(body.to_string().into_bytes()));
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// A caller's text and headers; what carries credentials or frames the message is ours.
    pub(super) fn text(mut self, body: Option<String>, headers: &[(String, String)]) -> Self {
        const OURS: [&str; 11] = [
            "accept-encoding",
            "authorization",
            "connection",
            "content-length",
            "cookie",
            "host",
            "origin",
            "proxy-authorization",
            "te",
            "transfer-encoding",
            "upgrade",
        ];
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if OURS.contains(&name.as_str()) {
                continue;
            }
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                self.headers.insert(name, value);
            }
        }
        self.body = body.map(|text| Zeroizing::new(text.into_bytes()));
        self
    }

    pub(super) fn with_token(mut self, token: &'a RefreshToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Neither sends nor takes ordinary cookies: they may be another session's by now.
    pub(super) fn without_jar(mut self) -> Self {
        self.jar = false;
        self
    }

    pub(super) fn with_bearer(mut self, bearer: Option<&'a Secret>) -> Self {
        self.bearer = bearer;
        self
    }
}

impl Backend {
    /// A client for the backend that `profile` describes.
    pub fn new(profile: Profile, user_agent: &str) -> Result<Self, AuthError> {
        let mut builder = Client::builder()
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(TOTAL_LIMIT);
        if profile.backend.scheme() == "http" {
            // Plain http is for loopback: a proxy would carry the password off this machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            tracing::error!(%error, "no HTTP client can be made");
            AuthError::new(ErrorCode::Internal)
        })?;
        Ok(Self {
            profile: Arc::new(profile),
            client,
            jar: Arc::default(),
        })
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Forgets the ordinary cookies, at sign-out.
    pub fn forget_cookies(&self) {
        self.jar().clear();
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and returns at the answer's headers.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Head, Fault> {
        let url = self.profile.url(call.path);
        let started = Instant::now();
        let cookies = self.cookie_header(&url, &call);
        let mut headers = call.headers;
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, cookies);
        }
        if let Some(bearer) = call.bearer {
            let text = Zeroizing::new(format!("Bearer {}", bearer.secret()));
            let mut value = HeaderValue::from_str(&text).map_err(|_| Fault::BadAnswer)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut request = self
            .client
            .request(call.method.clone(), url.clone())
            .headers(headers);
        if let Some(body) = call.body {
            request = request.body(body.to_vec());
        }
        let result = request.send().await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let path = url.path();
        match result {
            Ok(response) => {
                let status = response.status();
                tracing::info!(method = %call.method, path, status = status.as_u16(), ms, "backend");
                let refresh = self.honour_cookies(&response, &url, call.jar);
                Ok(Head { response, refresh })
            }
            Err(error) => {
                let fault = fault_of(&error);
                tracing::info!(method = %call.method, path, %fault, ms, "backend");
                Err(fault)
            }
        }
    }

    fn cookie_header(&self, url: &Url, call: &Call<'_>) -> Option<HeaderValue> {
        let mut pairs = if call.jar {
            self.jar().pairs(url)
        } else {
            Vec::new()
        };
        if let Some(name) = &self.profile.cookies.device {
            pairs.retain(|(held, _)| held != name);
            pairs.push((
                name.clone(),
                Zeroizing::new(call.device.fingerprint.to_string()),
            ));
        }
        if let Some(token) = call.token {
            pairs.extend(token.pairs(url));
        }
        let mut line = Zeroizing::new(String::new());
        for (name, value) in &pairs {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(name);
            line.push('=');
            line.push_str(value);
        }
        if line.is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_str(&line).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Files every `Set-Cookie`: the ordinary ones at once, the refresh ones for the caller.
    fn honour_cookies(&self, response: &Response, url: &Url, jar: bool) -> Vec<RefreshChange> {
        let names = &self.profile.cookies.refresh;
        let now = sent_at(response.headers());
        let mut refresh = Vec::new();
        for line in response.headers().get_all(SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let name = line.split(['=', ';']).next().unwrap_or_default().trim();
            if names.iter().any(|held| held == name) {
                refresh.extend(RefreshCookie::from_line(line, url, names, now.into()));
            } else if jar {
                self.jar().honour(line, url);
            }
        }
        refresh
    }
}

/// An answer whose body was not read yet.
pub struct Head {
    response: Response,
    refresh: Vec<RefreshChange>,
}

impl Head {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Whether it is a page for people where JSON, or nothing, belongs.
    pub(super) fn is_page(&self) -> bool {
        let kind = self.response.headers().get(CONTENT_TYPE);
        kind.and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.trim_start().starts_with("text/html"))
    }

    /// What the answer does to the refresh cookies.
    pub fn take_refresh_changes(&mut self) -> Vec<RefreshChange> {
        std::mem::take(&mut self.refresh)
    }

    /// How long the backend asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        let limited = self.status() == StatusCode::TOO_MANY_REQUESTS;
        let headers = self.response.headers();
        super::retry_after(limited, sent_at(headers), |name| {
            headers.get(name)?.to_str().ok()
        })
    }

    /// The answer's headers without cookies or what could move the window elsewhere.
    pub(super) fn headers_for_window(&self) -> Vec<(String, String)> {
        self.response
            .headers()
            .iter()
            .filter(|(name, _)| *name != SET_COOKIE && *name != LOCATION)
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect()
    }

    /// The body, whole.
    pub async fn body(self) -> Result<Body, Fault> {
        let bytes = self.bytes().await?;
        Ok(Body::of(&bytes))
    }

    /// The body as text.
    pub(super) async fn text(self) -> Result<String, Fault> {
        let mut bytes = self.bytes().await?;
        String::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| Fault::BadAnswer)
    }

    async fn bytes(mut self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let announced = self.response.content_length().unwrap_or_default();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > BODY_LIMIT {
            return Err(Fault::TooLarge);
        }
        // Room for all of it: growing would leave copies behind, of memory and of secrets.
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
        while let Some(chunk) = self.response.chunk().await.map_err(|error| {
            if error.is_timeout() {
                Fault::TimedOut
            } else {
                Fault::Truncated
            }
        })? {
            let length = bytes.len() + chunk.len();
            if length > BODY_LIMIT {
                return Err(Fault::TooLarge);
            }
            if length > bytes.capacity() {
                grow(&mut bytes, length);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Makes room for `length` bytes and some more, never beyond the limit; what the old room
/// held is wiped.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, length: usize) {
    let room = (length * 2).min(BODY_LIMIT);
    let mut more = Zeroizing::new(Vec::with_capacity(room));
    more.extend_from_slice(bytes);
    *bytes = more;
}

/// When the answer was sent, by the backend's own clock, which its dates are to be read
/// against; by ours only where it does not say.
fn sent_at(headers: &HeaderMap) -> SystemTime {
    headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now)
}

fn fault_of(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::TimedOut
    } else {
        Fault::Unreachable
    }
}
