//! An HTTP client for one origin, rustls with the system's roots.
//!
//! The client lives until [`OriginClient::close_idle_connections`], or until no connection can be
//! made. The next client looks for a proxy again, because a computer that is carried to another
//! network has another proxy there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Client, ClientBuilder};
use url::Url;

use super::cause;
use super::proxies::ProxyRoute;
use super::{
    BoxFuture, HttpRequest, HttpResponse, NetworkSettings, RequestBody, ResponseBodyStream,
    StreamedBody, TransportError,
};
use crate::error::{AuthError, ErrorCode};
use crate::obstacle::Obstacle;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next request. Servers close idle ones too, Node's after 5
/// s, and a request that is under way then fails, so this side has to close first.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(4);

/// An HTTP client for the backend, or for another origin that a profile names.
pub(super) struct OriginClient {
    origin: Url,
    user_agent: String,
    network: NetworkSettings,
    /// `None` between a hang-up and the next request.
    client: Mutex<Option<Client>>,
    /// When an answer last came over a connection that may have been kept.
    answered: Mutex<Option<Instant>>,
}

impl OriginClient {
    /// A client for the origin of `address`.
    ///
    /// # Errors
    /// If no client can be built with this machine's settings.
    pub(super) fn new(
        network: NetworkSettings,
        address: &Url,
        user_agent: &str,
    ) -> Result<Self, AuthError> {
        let transport = Self {
            origin: address.clone(),
            user_agent: user_agent.to_owned(),
            network,
            client: Mutex::default(),
            answered: Mutex::default(),
        };
        // If no desktop has to be asked first, the client is built now, and the first request need
        // not wait.
        if let Some(route) = transport.known_route() {
            let client = route.apply(transport.builder()).build().map_err(|error| {
                tracing::error!(
                    %error,
                    origin = address.origin().ascii_serialization(),
                    "the HTTP client cannot be built: nothing is sent to this origin"
                );
                AuthError::new(ErrorCode::Internal)
            })?;
            *lock(&transport.client) = Some(client);
        }
        Ok(transport)
    }

    /// Builds the client if there is none, so that the next request does not wait for it. A failure
    /// is reported by that request.
    pub(super) async fn prepare(&self) {
        let _ = self.client(false).await;
    }

    /// The way to the origin, if it is known without asking the desktop.
    fn known_route(&self) -> Option<ProxyRoute> {
        if !self.is_far() {
            return Some(ProxyRoute::AsTheSystemSays);
        }
        match ProxyRoute::configured(&self.network.policy) {
            Ok(None) if self.network.desktop.is_none() => Some(ProxyRoute::AsTheSystemSays),
            Ok(route) => route,
            // Each request reports this error.
            Err(_) => None,
        }
    }

    async fn client(&self, is_new: bool) -> Result<Client, TransportError> {
        if !is_new && let Some(client) = &*lock(&self.client) {
            return Ok(client.clone());
        }
        let route = match self.known_route() {
            Some(route) => route,
            None => {
                let route = ProxyRoute::to(&self.origin, &self.network).await;
                route.map_err(TransportError::Obstacle)?
            }
        };
        let client = route.apply(self.builder()).build();
        let client = client.map_err(|error| {
            tracing::warn!(%error, "the HTTP client cannot be built: the request is not sent");
            TransportError::Broken
        })?;
        if is_new {
            return Ok(client);
        }
        // Another request may have built a client meanwhile; then that one is used.
        Ok(lock(&self.client).get_or_insert(client).clone())
    }

    fn builder(&self) -> ClientBuilder {
        client_for(&self.origin, &self.user_agent)
    }

    /// Whether the origin is on another machine, so that a proxy may be needed. Plain http is for
    /// this one.
    fn is_far(&self) -> bool {
        self.origin.scheme() != "http"
    }

    /// Whether there may be a kept connection that the server has closed meanwhile.
    fn may_be_stale(&self) -> bool {
        let answered = *lock(&self.answered);
        answered.is_some_and(|at| at.elapsed() < 2 * IDLE_CONNECTION_TIMEOUT)
    }

    fn failed(&self, error: &reqwest::Error) -> TransportError {
        if error.is_connect() && self.is_far() {
            self.close_idle_connections();
        }
        of(error)
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let HttpRequest {
            method,
            url,
            headers,
            body,
            new_connection,
        } = request;
        let client = self.client(new_connection).await?;
        let is_empty = matches!(body, RequestBody::Empty);
        // RFC 9110 §9.2.2: a client may repeat by itself only what has no effect.
        let repeat = (is_empty && method.is_safe() && !new_connection && self.may_be_stale())
            .then(|| (method.clone(), url.clone(), headers.clone()));
        let outgoing = client.request(method, url).headers(headers);
        let outgoing = match body {
            RequestBody::Empty => outgoing,
            RequestBody::Whole(bytes) => outgoing.body(bytes),
            RequestBody::Stream(body) => outgoing.body(streamed(body)),
        };
        let mut sent = outgoing.send().await;
        if let (Err(error), Some((method, url, headers))) = (&sent, repeat)
            && cause::is_closed_early(error)
        {
            tracing::debug!("a kept connection was closed: the request goes out once more");
            let client = self.client(true).await?;
            sent = client.request(method, url).headers(headers).send().await;
        }
        let response = sent.map_err(|error| self.failed(&error))?;
        if !new_connection {
            *lock(&self.answered) = Some(Instant::now());
        }
        Ok(HttpResponse {
            status: response.status(),
            headers: response.headers().clone(),
            length: response.content_length(),
            body: Box::new(HttpBody(response)),
        })
    }

    pub(super) fn close_idle_connections(&self) {
        lock(&self.client).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn streamed(body: StreamedBody) -> reqwest::Body {
    reqwest::Body::wrap(body)
}

struct HttpBody(reqwest::Response);

impl ResponseBodyStream for HttpBody {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async { self.0.chunk().await.map_err(|error| of(&error)) })
    }
}

fn of(error: &reqwest::Error) -> TransportError {
    match cause::obstacle(error) {
        Obstacle::TimedOut => TransportError::TimedOut,
        Obstacle::BrokenOff => TransportError::Broken,
        obstacle => TransportError::Obstacle(obstacle),
    }
}

fn client_for(origin: &Url, user_agent: &str) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT);
    if origin.scheme() != "http" {
        return builder.https_only(true);
    }
    // Plain http is for loopback: a proxy would carry the password to another machine.
    let builder = builder.no_proxy();
    match origin.domain() {
        // So might a name server that resolves a name such as `app.localhost` to another machine.
        Some(name) => {
            let port = origin.port_or_known_default().unwrap_or(80);
            builder.resolve_to_addrs(name, &loopback(port))
        }
        None => builder,
    }
}

/// The addresses of this machine, to which every name is resolved.
fn loopback(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ]
}
