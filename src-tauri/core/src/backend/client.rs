//! The one door to the backend: every request goes out through [`Backend::send`].
//!
//! No redirect is followed: a 307 would carry the password elsewhere. No answer is
//! decompressed. Nothing leaves the profile's origin, whatever a path says. Every wait is
//! bounded here, whatever the transport does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::call::{Call, Patience, Payload, text_header};
use super::fault::Fault;
use super::head::Head;
use super::outgoing::Outgoing;
use super::retry_after::sent_at;
use super::traced::Traced;
use super::witness::Witness;
use crate::cookies::{Jar, RefreshChange, RefreshCookie};
use crate::error::AuthError;
use crate::identity::JarId;
use crate::profile::{self, Profile, Variables};
use crate::reply::Given;
use crate::transport::{HttpTransport, NetworkSettings, Request, RequestBody, Response, Transport};

/// How long an exchange may take, to the end of the answer's body.
pub(crate) const TOTAL_LIMIT: Duration = Duration::from_secs(30);

/// A backend that a profile describes, with its ordinary cookies.
#[derive(Clone)]
pub struct Backend {
    profile: Arc<Profile>,
    transport: Arc<dyn Transport>,
    jar: Arc<Mutex<Jar>>,
    /// Whose jar is meant; whichever is in use at each call where none is named.
    jar_id: Option<JarId>,
    /// Each call on a connection of its own.
    new_connections: bool,
    /// Only where a backend is examined.
    witness: Option<Witness>,
}

impl Backend {
    /// A client for the backend that `profile` describes.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(profile: Profile, user_agent: &str) -> Result<Self, AuthError> {
        Self::through(NetworkSettings::default(), profile, user_agent)
    }

    /// The same where somebody says how the backend is reached.
    ///
    /// # Errors
    /// As [`Backend::new`].
    pub fn through(
        network: NetworkSettings,
        profile: Profile,
        user_agent: &str,
    ) -> Result<Self, AuthError> {
        let transport = HttpTransport::through(network, &profile.backend, user_agent)?;
        Ok(Self::over(profile, Arc::new(transport)))
    }

    /// The same over a transport of one's own.
    pub fn over(profile: Profile, transport: Arc<dyn Transport>) -> Self {
        Self {
            profile: Arc::new(profile),
            transport,
            jar: Arc::new(Mutex::new(Jar::default())),
            jar_id: None,
            new_connections: false,
            witness: None,
        }
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

    /// Closes the connections that wait for the next call. Until then the last one's headers,
    /// tokens among them, stand in their buffers.
    pub fn hang_up(&self) {
        self.transport.hang_up();
    }

    /// The jar in use.
    pub(crate) fn jar_id(&self) -> JarId {
        lock(&self.jar).id()
    }

    /// Begins an empty jar: that of a session that begins, or of nobody.
    pub(crate) fn begin_jar(&self, id: JarId) {
        *lock(&self.jar) = Jar::of(id);
    }

    /// The same backend for calls of the session whose jar this is. Once another jar is in use,
    /// those calls send none of its cookies and store none in it.
    pub(crate) fn with_jar(&self, id: JarId) -> Self {
        Self {
            jar_id: Some(id),
            ..self.clone()
        }
    }

    /// The same for a sign-in, with a jar of its own that is nobody else's before the sign-in
    /// is taken into use, and lost where it is not. It begins with the cookies of `nobodys`
    /// jar, if that is the one in use, and otherwise empty: another person's cookies do not go
    /// along with a password.
    pub(crate) fn for_sign_in(&self, nobodys: Option<JarId>) -> Self {
        let held = lock(&self.jar).clone();
        let jar = match nobodys {
            Some(id) if held.id() == id => held,
            _ => Jar::default(),
        };
        Self {
            jar: Arc::new(Mutex::new(jar)),
            ..self.clone()
        }
    }

    /// Takes a sign-in into use: its ordinary cookies are those of the session `id` from here.
    pub(crate) fn take_over(&self, sign_in: &Self, id: JarId) {
        let jar = lock(&sign_in.jar).clone();
        *lock(&self.jar) = jar.owned_by(id);
    }

    /// The same with each call on a connection that no other has used.
    pub(crate) fn on_new_connections(&self, new_connections: bool) -> Self {
        Self {
            new_connections,
            ..self.clone()
        }
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
        let jar = self.jar_id.unwrap_or_else(|| self.jar_id());
        let headers = self.headers(&url, &mut call, jar)?;
        let sight = self.witness.as_ref();
        let sight = sight.map(|witness| witness.sent(&call, &headers));
        let payload = std::mem::replace(&mut call.payload, Payload::None);
        let request = |body| Request {
            method: call.method.clone(),
            url: url.clone(),
            headers,
            body,
            new_connection: self.new_connections,
        };
        // The bound of a small exchange counts to the end of the answer's body.
        let until = (call.patience == Patience::Whole).then(|| Instant::now() + TOTAL_LIMIT);
        let response = match until {
            Some(until) => {
                let sent = self.transport.send(request(payload.whole()));
                let sent = timeout_at(until, sent).await;
                sent.map_err(|_| Fault::TimedOut)
                    .and_then(|sent| sent.map_err(Fault::of_request))
            }
            None => self.step_by_step(payload, request).await,
        };
        if let Some(sight) = &sight {
            sight.answered(&response);
        }
        let response = response?;
        let refresh = self.honour_cookies(&response, &url, call.jar.then_some(jar));
        let given = Given::of(&response.headers, &self.profile);
        let leads_away = leads_away(&response, &url);
        Ok(Head {
            response,
            until,
            refresh,
            given,
            leads_away,
            sight,
        })
    }

    /// Bodies of any size: what is bounded is how long nothing may happen.
    async fn step_by_step(
        &self,
        payload: Payload,
        request: impl FnOnce(RequestBody) -> Request,
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
            let sent = self.transport.send(request(RequestBody::Empty));
            let sent = tokio::time::timeout(answer, sent).await;
            return sent
                .map_err(|_| Fault::TimedOut)?
                .map_err(Fault::of_request);
        };
        let stalls = body.watch().stalls(idle, answer);
        tokio::select! {
            sent = self.transport.send(request(RequestBody::Stream(Box::pin(body)))) => {
                sent.map_err(Fault::of_request)
            }
            () = stalls => Err(Fault::TimedOut),
        }
    }

    fn headers(&self, url: &Url, call: &mut Call<'_>, jar: JarId) -> Result<HeaderMap, Fault> {
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
        if let Some(cookies) = self.cookie_header(url, call, jar) {
            headers.insert(COOKIE, cookies);
        }
        Ok(headers)
    }

    fn cookie_header(&self, url: &Url, call: &Call<'_>, jar: JarId) -> Option<HeaderValue> {
        if !self.profile.cookies.enabled {
            return None;
        }
        let mut pairs = match self.jar_of(jar) {
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

    /// The jar of this id, if it is still the one in use.
    fn jar_of(&self, id: JarId) -> Option<MutexGuard<'_, Jar>> {
        Some(lock(&self.jar)).filter(|jar| jar.id() == id)
    }

    /// Files every `Set-Cookie`: the ordinary ones at once, if their jar is still in use, the
    /// refresh ones for the caller.
    fn honour_cookies(
        &self,
        response: &Response,
        url: &Url,
        jar: Option<JarId>,
    ) -> Vec<RefreshChange> {
        if !self.profile.cookies.enabled {
            return Vec::new();
        }
        let names = &self.profile.cookies.refresh;
        let now = sent_at(&response.headers);
        let mut refresh = Vec::new();
        for line in response.headers.get_all(SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let name = line.split(['=', ';']).next().unwrap_or_default().trim();
            if names.iter().any(|held| held == name) {
                refresh.extend(RefreshCookie::from_line(line, url, names, now.into()));
            } else if let Some(mut jar) = jar.and_then(|id| self.jar_of(id)) {
                jar.honour(line, url);
            }
        }
        refresh
    }
}

/// Whether an answer leads to another origin, where no request of this app goes.
fn leads_away(response: &Response, from: &Url) -> bool {
    let location = response.headers.get(LOCATION);
    let target = location.and_then(|location| from.join(location.to_str().ok()?).ok());
    response.status.is_redirection() && target.is_some_and(|to| to.origin() != from.origin())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
