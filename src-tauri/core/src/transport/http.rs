//! The real transport: one HTTP client for the backend, and one for each other origin that the profile
//! names for an endpoint. A proxy and its exceptions, the certificates and the rules for this machine
//! alone are those of the origin to which a request goes.

use std::sync::{Arc, Mutex, PoisonError};

use url::{Origin, Url};

use super::origin_client::OriginClient;
use super::{BoxFuture, HttpRequest, HttpResponse, NetworkSettings, Transport, TransportError};
use crate::error::AuthError;

/// An HTTP client for one backend, and for the other origins that its profile names.
pub struct HttpTransport {
    user_agent: String,
    network: NetworkSettings,
    backend: (Origin, Arc<OriginClient>),
    /// As the first request to each has made it. The caller sends to no origin that the profile does
    /// not name, so there are few.
    others: Mutex<Vec<(Origin, Arc<OriginClient>)>>,
}

impl HttpTransport {
    /// A client for the backend at `backend`.
    ///
    /// # Errors
    /// If no client can be built with this machine's settings.
    pub fn new(backend: &Url, user_agent: &str) -> Result<Self, AuthError> {
        Self::with_network(NetworkSettings::default(), backend, user_agent)
    }

    /// The same with settings of the network.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub fn with_network(
        network: NetworkSettings,
        backend: &Url,
        user_agent: &str,
    ) -> Result<Self, AuthError> {
        let client = OriginClient::new(network.clone(), backend, user_agent)?;
        Ok(Self {
            user_agent: user_agent.to_owned(),
            network,
            backend: (backend.origin(), Arc::new(client)),
            others: Mutex::default(),
        })
    }

    /// Builds the client if there is none, so that the next request does not wait for it. A failure
    /// is reported by that request.
    pub async fn prepare(&self) {
        self.backend.1.prepare().await;
    }

    fn client(&self, address: &Url) -> Result<Arc<OriginClient>, TransportError> {
        let origin = address.origin();
        if self.backend.0 == origin {
            return Ok(self.backend.1.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = others.iter().find(|(held, _)| *held == origin) {
            return Ok(client.clone());
        }
        let client = OriginClient::new(self.network.clone(), address, &self.user_agent);
        // The client has said in the log why it cannot be built.
        let client = Arc::new(client.map_err(|_| TransportError::Broken)?);
        others.push((origin, client.clone()));
        Ok(client)
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move { self.client(&request.url)?.send(request).await })
    }

    fn close_idle_connections(&self) {
        self.backend.1.close_idle_connections();
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, client) in others.iter() {
            client.close_idle_connections();
        }
    }
}

/// The product as a value for a header.
pub(crate) fn user_agent(product: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '/' };
    product.chars().map(plain).collect()
}
