//! Sends requests to the backend. Every request goes out through [`Backend::send`].
//!
//! No redirect is followed: a 307 would carry the password elsewhere (RFC 9110 §15.4.8). Answers
//! are decompressed, and only API calls ask for compression. A request goes to the backend's origin, or
//! to the origin that the profile declares for its endpoint; a path cannot lead elsewhere. An endpoint's
//! own origin gets what the endpoint's templates name, and nothing else. Every wait is bounded here,
//! also where the transport sets no bound.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderValue, LOCATION, RANGE, SET_COOKIE,
};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::content_encoding;
use super::endpoint_call::decoded;
use super::error::BackendError;
use super::provider::ProviderCache;
use super::recorder::Recorder;
use super::request::{BackendRequest, Payload, TimeLimit, text_header};
use super::request_span::RequestSpan;
use super::response::Response;
use super::retry_after::sent_at;
use super::upload_body::UploadBody;
use crate::beside_body::BesideBody;
use crate::cookies::{Jar, RefreshChange, RefreshCookie};
use crate::error::AuthError;
use crate::header_text;
use crate::profile::{self, EndpointOrigin, Profile, Template, Variables};
use crate::transport::{
    HttpRequest, HttpResponse, HttpTransport, NetworkSettings, RequestBody, Transport,
};

/// How long an exchange may take, to the end of the answer's body.
pub(crate) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// A backend that a profile describes, and the ordinary cookies that requests to it carry.
#[derive(Clone)]
pub struct Backend {
    profile: Arc<Profile>,
    transport: Arc<dyn Transport>,
    /// Whose cookies the requests carry, and the answers change.
    jar: Jar,
    /// Whether each request opens a connection of its own.
    new_connections: bool,
    /// Records every exchange; only the doctor has one.
    recorder: Option<Recorder>,
    /// What is known of the provider of the sign-in by browser.
    pub(super) providers: Arc<ProviderCache>,
}

impl Backend {
    /// A client for the backend that `profile` describes.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(profile: Profile, user_agent: &str) -> Result<Self, AuthError> {
        Self::with_network(NetworkSettings::default(), profile, user_agent)
    }

    /// A client that reaches the backend as `network` says.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn with_network(
        network: NetworkSettings,
        profile: Profile,
        user_agent: &str,
    ) -> Result<Self, AuthError> {
        let transport = HttpTransport::with_network(network, &profile.backend, user_agent)?;
        Ok(Self::with_transport(profile, Arc::new(transport)))
    }

    /// A client over a transport of the caller's.
    pub fn with_transport(profile: Profile, transport: Arc<dyn Transport>) -> Self {
        Self {
            profile: Arc::new(profile),
            transport,
            jar: Jar::default(),
            new_connections: false,
            recorder: None,
            providers: Arc::default(),
        }
    }

    /// The same backend, with every request and answer recorded by `recorder`: for the doctor,
    /// never for an app.
    #[must_use]
    pub fn recorded_by(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// The profile of the backend.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Closes the connections that wait for the next request. Until then the headers of the last
    /// request, tokens among them, stay in their buffers.
    pub fn close_idle_connections(&self) {
        self.transport.close_idle_connections();
    }

    /// Closes the connections of a session that is over, and gets ready for the next sign-in, which
    /// need not wait then. Must be called within a tokio runtime.
    pub(crate) fn end_connections(&self) {
        self.transport.close_idle_connections();
        let transport = self.transport.clone();
        tokio::spawn(async move { transport.prepare().await });
    }

    /// The jar whose cookies the requests carry.
    pub(crate) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// The same backend, with another jar.
    pub(crate) fn with_jar(&self, jar: Jar) -> Self {
        Self {
            jar,
            ..self.clone()
        }
    }

    /// The same backend, where each request opens a connection of its own if that is wanted.
    pub(crate) fn on_new_connections(&self, new_connections: bool) -> Self {
        Self {
            new_connections,
            ..self.clone()
        }
    }

    /// Sends a request, and returns once the answer's headers are here.
    pub(super) async fn send(
        &self,
        mut call: BackendRequest<'_>,
    ) -> Result<Response, BackendError> {
        let is_own = self.is_own(&call);
        let traced = RequestSpan::begin(&mut call, is_own);
        let result = self.exchange(call).instrument(traced.span()).await;
        traced.end(&result);
        result
    }

    async fn exchange(&self, mut call: BackendRequest<'_>) -> Result<Response, BackendError> {
        let url = self.profile.endpoint_url(call.origin, &call.path);
        let declared = call
            .origin
            .map_or(&self.profile.backend, EndpointOrigin::url);
        if url.origin() != declared.origin() {
            tracing::error!(
                path = call.template,
                "the request is not sent: its path leads to another origin than the endpoint's"
            );
            return Err(BackendError::BadAnswer);
        }
        let is_own = self.is_own(&call);
        let headers = self.headers(&url, &mut call, is_own)?;
        let recording = self.recorder.as_ref();
        let recording = recording.map(|recorder| recorder.sent(&call, &headers));
        let payload = std::mem::replace(&mut call.payload, Payload::None);
        let request = |body| HttpRequest {
            method: call.method.clone(),
            url: url.clone(),
            headers,
            body,
            new_connection: self.new_connections,
        };
        // For a small exchange the bound lasts to the end of the answer's body.
        let until = (call.time_limit == TimeLimit::WholeExchange).then(|| {
            call.until
                .unwrap_or_else(|| Instant::now() + EXCHANGE_TIMEOUT)
        });
        let response = match until {
            Some(until) => {
                let sent = self.transport.send(request(payload.whole()));
                let sent = timeout_at(until, sent).await;
                sent.map_err(|_| BackendError::TimedOut)
                    .and_then(|sent| sent.map_err(BackendError::of_request))
            }
            None => self.step_by_step(payload, request).await,
        };
        if let Some(recording) = &recording {
            recording.answered(&response);
        }
        let mut response = response?;
        if call.method == Method::HEAD {
            // The length that it names is that of the body which GET would bring.
            response.length = Some(0);
        } else {
            response = content_encoding::undo(response);
        }
        let refresh = match is_own {
            true => self.honour_cookies(&response, &url),
            false => Vec::new(),
        };
        let cookie = |name: &str| {
            let set = RefreshChange::newest(&refresh, name);
            let value = set.or_else(|| self.jar.value(name)).filter(|_| is_own)?;
            Some(decoded(&value))
        };
        let beside = BesideBody::of(&response.headers, &self.profile, cookie);
        let leads_away = leads_away(&response, &url);
        Ok(Response {
            response,
            until,
            refresh,
            beside,
            leads_away,
            recording,
        })
    }

    /// Sends a request whose body, or whose answer's, may have any size: each step is bounded,
    /// the whole exchange is not.
    async fn step_by_step(
        &self,
        payload: Payload,
        request: impl FnOnce(RequestBody) -> HttpRequest,
    ) -> Result<HttpResponse, BackendError> {
        let api = &self.profile.api;
        let idle = Duration::from_secs(api.idle_within_s);
        let answer = Duration::from_secs(api.answer_within_s);
        let body = match payload {
            Payload::None => None,
            Payload::Whole(bytes) => Some(UploadBody::in_memory(bytes)),
            Payload::Streamed(body) => Some(body),
        };
        let Some(body) = body else {
            let sent = self.transport.send(request(RequestBody::Empty));
            let sent = tokio::time::timeout(answer, sent).await;
            return sent
                .map_err(|_| BackendError::TimedOut)?
                .map_err(BackendError::of_request);
        };
        let stalls = body.watch().stalls(idle, answer);
        tokio::select! {
            sent = self.transport.send(request(RequestBody::Stream(Box::pin(body)))) => {
                sent.map_err(BackendError::of_request)
            }
            () = stalls => Err(BackendError::TimedOut),
        }
    }

    /// Whether the request goes to the backend. What every request carries, cookies among it, is for
    /// the backend alone.
    fn is_own(&self, call: &BackendRequest<'_>) -> bool {
        let backend = self.profile.backend.origin();
        call.origin
            .is_none_or(|origin| origin.url().origin() == backend)
    }

    fn headers(
        &self,
        url: &Url,
        call: &mut BackendRequest<'_>,
        is_own: bool,
    ) -> Result<HeaderMap, BackendError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if is_own {
            self.add_headers_of_all(&mut headers, call)?;
        }
        // A header of this call replaces one that goes out with all.
        for (name, value) in std::mem::take(&mut call.headers) {
            if let Some(name) = name {
                headers.insert(name, value);
            }
        }
        if is_own && let Some(cookies) = self.cookie_header(url, call) {
            headers.insert(COOKIE, cookies);
        }
        // A range is one of the encoded bytes, which nobody could decode.
        let is_small = call.time_limit == TimeLimit::WholeExchange || headers.contains_key(RANGE);
        let encoding = match is_small {
            true => content_encoding::NONE,
            false => content_encoding::ACCEPTED,
        };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        Ok(headers)
    }

    fn add_headers_of_all(
        &self,
        headers: &mut HeaderMap,
        call: &BackendRequest<'_>,
    ) -> Result<(), BackendError> {
        let origin = self.profile.origin();
        let names = self.profile.headers.values().flat_map(Template::cookies);
        let cookies = self.cookies(names, call.token);
        let variables = Variables {
            device: Some(call.device),
            origin: Some(&origin),
            cookies: Some(&cookies),
            ..Variables::default()
        };
        for (name, value) in profile::headers(&self.profile.headers, &variables) {
            let (name, value) = text_header(&name, &value)?;
            headers.insert(name, value);
        }
        Ok(())
    }

    fn cookie_header(&self, url: &Url, call: &BackendRequest<'_>) -> Option<HeaderValue> {
        if !self.profile.cookies.enabled {
            return None;
        }
        let mut pairs = self.jar.pairs(url);
        if let Some(name) = self.profile.cookies.device.get() {
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
        // A browser sends the bytes that it was given, so a value may hold letters of any script.
        let mut header = header_text::cookies(&line)?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Honours every `Set-Cookie` of an answer: ordinary cookies go to the jar at once, changes
    /// of the refresh cookies are returned for the caller to keep.
    fn honour_cookies(&self, response: &HttpResponse, url: &Url) -> Vec<RefreshChange> {
        if !self.profile.cookies.enabled {
            return Vec::new();
        }
        let names = &self.profile.cookies.refresh;
        let now = sent_at(&response.headers);
        let mut refresh = Vec::new();
        for line in response.headers.get_all(SET_COOKIE) {
            let line = &*header_text::cookie_line(line);
            let name = line.split(['=', ';']).next().unwrap_or_default().trim();
            if names.iter().any(|held| held == name) {
                refresh.extend(RefreshCookie::from_line(line, url, names, now.into()));
            } else {
                self.jar.honour(line, url, now.into());
            }
        }
        refresh
    }
}

/// Whether an answer redirects to another origin than the request's.
fn leads_away(response: &HttpResponse, from: &Url) -> bool {
    let location = response.headers.get(LOCATION).map(header_text::address);
    let target = location.and_then(|location| from.join(&location).ok());
    response.status.is_redirection() && target.is_some_and(|to| to.origin() != from.origin())
}
