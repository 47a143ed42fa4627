//! The real transport: one HTTP client, rustls with the system's roots.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Client;
use url::Url;

use super::{
    AnswerBody, Network, Pending, Request, RequestBody, Response, StreamedBody, Transport,
    TransportError,
};
use crate::error::{AuthError, ErrorCode};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// An HTTP client for one backend.
pub struct HttpTransport {
    backend: Url,
    user_agent: String,
    network: Network,
    /// Not there between a hang-up and the next request.
    client: Mutex<Option<Client>>,
}

impl HttpTransport {
    /// A client for the backend at `backend`.
    ///
    /// # Errors
    /// If no client can be made of this machine's settings.
    pub fn new(backend: &Url, user_agent: &str) -> Result<Self, AuthError> {
        Self::through(&Network::default(), backend, user_agent)
    }

    /// The same where an administrator says how the backend is reached.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub fn through(network: &Network, backend: &Url, user_agent: &str) -> Result<Self, AuthError> {
        let client = client_for(backend, user_agent, network).map_err(|error| {
            tracing::error!(%error, "no HTTP client can be made");
            AuthError::new(ErrorCode::Internal)
        })?;
        Ok(Self {
            backend: backend.clone(),
            user_agent: user_agent.to_owned(),
            network: network.clone(),
            client: Mutex::new(Some(client)),
        })
    }

    fn client(&self, is_new: bool) -> reqwest::Result<Client> {
        let another = || client_for(&self.backend, &self.user_agent, &self.network);
        if is_new {
            return another();
        }
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(client) => Ok(client.clone()),
            None => Ok(kept.insert(another()?).clone()),
        }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Pending<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let client = self
                .client(request.new_connection)
                .map_err(|_| TransportError::Broken)?;
            let outgoing = client
                .request(request.method, request.url)
                .headers(request.headers);
            let outgoing = match request.body {
                RequestBody::Empty => outgoing,
                RequestBody::Whole(bytes) => outgoing.body(bytes),
                RequestBody::Stream(body) => outgoing.body(streamed(body)),
            };
            let response = outgoing.send().await.map_err(|error| of(&error))?;
            Ok(Response {
                status: response.status(),
                headers: response.headers().clone(),
                length: response.content_length(),
                body: Box::new(HttpBody(response)),
            })
        })
    }

    fn hang_up(&self) {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take();
    }
}

fn streamed(body: StreamedBody) -> reqwest::Body {
    reqwest::Body::wrap(body)
}

struct HttpBody(reqwest::Response);

impl AnswerBody for HttpBody {
    fn chunk(&mut self) -> Pending<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async { self.0.chunk().await.map_err(|error| of(&error)) })
    }
}

fn of(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        TransportError::TimedOut
    } else {
        TransportError::Broken
    }
}

fn client_for(backend: &Url, user_agent: &str, network: &Network) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT);
    if backend.scheme() == "http" {
        // Plain http is for loopback: a proxy would carry the password off this machine.
        builder = builder.no_proxy();
        if let Some(name) = backend.domain() {
            // And so might whoever answers for a name such as `app.localhost`.
            let port = backend.port_or_known_default().unwrap_or(80);
            builder = builder.resolve_to_addrs(name, &loopback(port));
        }
    } else {
        builder = network.apply(builder.https_only(true))?;
    }
    builder.build()
}

/// What every name on this machine means.
fn loopback(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ]
}
