//! The one door to the backend: every request goes out through [`Backend::send`].
//!
//! No redirect is followed here: a 307 would carry the password elsewhere. No answer is
//! decompressed. Nothing leaves the profile's origin, whatever a path says.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::call::{Call, Patience, Payload, text_header};
use super::fault::Fault;
use super::head::{Head, sent_at};
use super::outgoing::Outgoing;
use super::traced::Traced;
use super::witness::Witness;
use crate::cookies::{Era, Jar, RefreshChange, RefreshCookie};
use crate::error::{AuthError, ErrorCode};
use crate::profile::{self, Profile, Variables};
use crate::reply::Given;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long an exchange may take, to the end of the answer's body.
pub(crate) const TOTAL_LIMIT: Duration = Duration::from_secs(30);

/// A backend that a profile describes, with its ordinary cookies.
#[derive(Clone)]
pub struct Backend {
    profile: Arc<Profile>,
    user_agent: String,
    /// Not there between a session's end and the next call.
    client: Arc<Mutex<Option<Client>>>,
    jar: Arc<Mutex<Jar>>,
    /// The time in which the jar is used; its own at each call where there is none.
    era: Option<Era>,
    /// Only where a backend is examined.
    witness: Option<Witness>,
}

impl Backend {
    /// A client for the backend that `profile` describes.
    pub fn new(profile: Profile, user_agent: &str) -> Result<Self, AuthError> {
        let client = client_for(&profile, user_agent)?;
        Ok(Self {
            profile: Arc::new(profile),
            user_agent: user_agent.to_owned(),
            client: Arc::new(Mutex::new(Some(client))),
            jar: Arc::default(),
            era: None,
            witness: None,
        })
    }

    /// The same, with everything that it sends and hears kept by `witness`: for examining a
    /// backend, never for an app.
    #[must_use]
    pub fn watched_by(mut self, witness: Witness) -> Self {
        self.witness = Some(witness);
        self
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Forgets what was a session's, at its end: the ordinary cookies, and all connections.
    pub fn forget(&self) {
        lock(&self.jar).clear();
        self.hang_up();
    }

    /// Closes the connections that wait for the next call. Until then the last one's headers,
    /// tokens among them, stand in their buffers.
    pub fn hang_up(&self) {
        lock(&self.client).take();
    }

    /// Whose time it is in the jar: to be taken along with a session's tokens.
    pub(crate) fn era(&self) -> Era {
        lock(&self.jar).era()
    }

    /// The same for calls of a session of that `era`: once it is over they neither send nor
    /// leave ordinary cookies, whoever's these are by then.
    pub(crate) fn of_era(&self, era: Era) -> Self {
        Self {
            era: Some(era),
            ..self.clone()
        }
    }

    /// The same for a sign-in, whose ordinary cookies are nobody else's before it is taken
    /// into use, and lost where it is not.
    pub(crate) fn aside(&self) -> Self {
        let jar = lock(&self.jar).clone();
        Self {
            jar: Arc::new(Mutex::new(jar)),
            ..self.clone()
        }
    }

    /// Takes a sign-in into use: its ordinary cookies count from here on.
    pub(crate) fn take_over(&self, aside: &Self) {
        let jar = lock(&aside.jar).clone();
        lock(&self.jar).become_as(&jar);
    }

    fn client(&self) -> Result<Client, Fault> {
        let mut kept = lock(&self.client);
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        // It could be made before.
        let made = client_for(&self.profile, &self.user_agent).map_err(|_| Fault::Unreachable)?;
        Ok(kept.insert(made).clone())
    }

    /// Sends a request and returns at the answer's headers.
    pub(super) async fn send(&self, mut call: Call<'_>) -> Result<Head, Fault> {
        let traced = Traced::begin(&mut call);
        let result = self.exchange(call).instrument(traced.span()).await;
        traced.end(&result);
        result
    }

    async fn exchange(&self, mut call: Call<'_>) -> Result<Head, Fault> {
        let url = self.profile.url(&call.path);
        if url.origin() != self.profile.backend.origin() {
            tracing::error!("a path leads away from the backend");
            return Err(Fault::BadAnswer);
        }
        let era = self.era.unwrap_or_else(|| self.era());
        let headers = self.headers(&url, &mut call, era)?;
        let request = self.client()?.request(call.method.clone(), url.clone());
        let sight = self.witness.as_ref();
        let sight = sight.map(|witness| witness.sent(&call, &headers));
        let request = request.headers(headers);
        let payload = std::mem::replace(&mut call.payload, Payload::None);
        let response = match call.patience {
            Patience::Whole => at_once(request, payload).await,
            Patience::Steps => self.step_by_step(request, payload).await,
        };
        if let Some(sight) = &sight {
            sight.answered(&response);
        }
        let response = response?;
        let refresh = self.honour_cookies(&response, &url, call.jar.then_some(era));
        let given = Given::of(response.headers(), &self.profile);
        Ok(Head {
            response,
            refresh,
            given,
            sight,
        })
    }

    /// Bodies of any size: what is bounded is how long nothing may happen.
    async fn step_by_step(
        &self,
        request: RequestBuilder,
        payload: Payload,
    ) -> Result<Response, Fault> {
        let api = &self.profile.api;
        let idle = Duration::from_secs(api.idle_within_s);
        let answer = Duration::from_secs(api.answer_within_s);
        let body = match payload {
            Payload::None => None,
            Payload::Whole(bytes) => Some(Outgoing::kept(bytes)),
            Payload::Streamed(body) => Some(body),
        };
        let Some(body) = body else {
            let sent = tokio::time::timeout(answer, request.send()).await;
            return sent
                .map_err(|_| Fault::TimedOut)?
                .map_err(|error| Fault::of_request(&error));
        };
        let stalls = body.watch().stalls(idle, answer);
        tokio::select! {
            sent = request.body(reqwest::Body::wrap(body)).send() => {
                sent.map_err(|error| Fault::of_request(&error))
            }
            () = stalls => Err(Fault::TimedOut),
        }
    }

    fn headers(&self, url: &Url, call: &mut Call<'_>, era: Era) -> Result<HeaderMap, Fault> {
        let origin = self.profile.origin();
        let variables = Variables {
            device: Some(call.device),
            origin: Some(&origin),
            ..Variables::default()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in profile::headers(&self.profile.headers, &variables) {
            let (name, value) = text_header(&name, &value)?;
            headers.insert(name, value);
        }
        // What belongs to one call counts more than what goes with all.
        for (name, value) in std::mem::take(&mut call.headers) {
            if let Some(name) = name {
                headers.insert(name, value);
            }
        }
        if let Some(cookies) = self.cookie_header(url, call, era) {
            headers.insert(COOKIE, cookies);
        }
        Ok(headers)
    }

    fn cookie_header(&self, url: &Url, call: &Call<'_>, era: Era) -> Option<HeaderValue> {
        if !self.profile.cookies.enabled {
            return None;
        }
        let mut pairs = match self.jar_of(era) {
            Some(jar) if call.jar => jar.pairs(url),
            _ => Vec::new(),
        };
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
        let mut header = HeaderValue::from_str(&line).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The jar, if it is still that time.
    fn jar_of(&self, era: Era) -> Option<MutexGuard<'_, Jar>> {
        Some(lock(&self.jar)).filter(|jar| jar.era() == era)
    }

    /// Files every `Set-Cookie`: the ordinary ones at once, if their time is not over, the
    /// refresh ones for the caller.
    fn honour_cookies(
        &self,
        response: &Response,
        url: &Url,
        era: Option<Era>,
    ) -> Vec<RefreshChange> {
        if !self.profile.cookies.enabled {
            return Vec::new();
        }
        let names = &self.profile.cookies.refresh;
        let now = sent_at(response.headers());
        let mut refresh = Vec::new();
        for line in response.headers().get_all(SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let name = line.split(['=', ';']).next().unwrap_or_default().trim();
            if names.iter().any(|held| held == name) {
                refresh.extend(RefreshCookie::from_line(line, url, names, now.into()));
            } else if let Some(mut jar) = era.and_then(|era| self.jar_of(era)) {
                jar.honour(line, url);
            }
        }
        refresh
    }
}

fn client_for(profile: &Profile, user_agent: &str) -> Result<Client, AuthError> {
    let mut builder = Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT);
    if profile.backend.scheme() == "http" {
        // Plain http is for loopback: a proxy would carry the password off this machine.
        builder = builder.no_proxy();
        if let Some(name) = profile.backend.domain() {
            // And so might whoever answers for a name such as `app.localhost`.
            let port = profile.backend.port_or_known_default().unwrap_or(80);
            builder = builder.resolve_to_addrs(name, &loopback(port));
        }
    } else {
        builder = builder.https_only(true);
    }
    builder.build().map_err(|error| {
        tracing::error!(%error, "no HTTP client can be made");
        AuthError::new(ErrorCode::Internal)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What every name on this machine means.
fn loopback(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ]
}

/// Small bodies both ways, under one bound that counts to the end of the answer's body.
async fn at_once(request: RequestBuilder, payload: Payload) -> Result<Response, Fault> {
    let request = match payload {
        Payload::None => request,
        Payload::Whole(bytes) => request.body(bytes),
        Payload::Streamed(body) => request.body(reqwest::Body::wrap(body)),
    };
    let sent = request.timeout(TOTAL_LIMIT).send().await;
    sent.map_err(|error| Fault::of_request(&error))
}
