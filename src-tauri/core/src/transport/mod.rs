//! How a request reaches the backend: the interface below [`crate::backend`].
//!
//! A [`Transport`] sends one request and returns its answer: status and headers first, then the
//! body piece by piece. It follows no redirect and keeps no cookie. It repeats only a request
//! without an effect whose kept connection turned out to be closed. It need not limit how long an
//! exchange takes: the core limits every wait itself, so a transport that never answers, in a test
//! or in a network, costs no more than a slow one.
//!
//! [`HttpTransport`] is the real one. A model of two people and one backend in one process
//! implements this trait; there a pending future means "never answers", and an error from
//! [`ResponseBodyStream::chunk`] means "breaks off".

mod cause;
mod http;
mod network;
mod origin_client;
mod proxies;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;

use crate::obstacle::Obstacle;

pub use cause::obstacle;
pub use http::HttpTransport;
pub(crate) use http::user_agent;
pub use network::{Host, Network, ProxyAddress};
pub use proxies::{DesktopProxy, NetworkSettings};
/// The types of the `http` crate, as the core uses them.
pub use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
pub use url::Url;

/// What a transport's calls return: an answer some time later, or never.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request as it goes out.
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole address. The caller makes sure that the profile names its origin.
    pub url: Url,
    /// Every header, cookies included.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
    /// Whether to use a new connection, to confirm an answer that may have come from a gateway with
    /// a problem.
    pub new_connection: bool,
}

/// A request's body.
pub enum RequestBody {
    /// The request has no body.
    Empty,
    /// The body is in memory.
    Whole(Bytes),
    /// The body comes in pieces, as fast as they are taken. An error in it means that the page that
    /// writes it has gone, so the request must not arrive as a complete one.
    Stream(StreamedBody),
}

/// A request's body in pieces.
pub type StreamedBody = Pin<Box<dyn Body<Data = Bytes, Error = BrokenOff> + Send + Sync>>;

/// The body of a request broke off on this side.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body broke off")]
pub struct BrokenOff;

/// An answer whose headers have arrived.
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// Every header.
    pub headers: HeaderMap,
    /// The body's length, if it was announced.
    pub length: Option<u64>,
    /// The body.
    pub body: Box<dyn ResponseBodyStream>,
}

/// The body of an answer. Dropping it closes the connection or gives it back.
pub trait ResponseBodyStream: Send + Sync + 'static {
    /// The next piece; `None` at the end of a whole body.
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>>;
}

/// Why there is no answer, or no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection broke, or could not be made for an unknown reason.
    #[error("the connection broke or could not be made")]
    Broken,
    /// The reason is known.
    #[error("{0}")]
    Obstacle(Obstacle),
    /// It took longer than the transport itself allows, for example to connect.
    #[error("no answer in time")]
    TimedOut,
}

impl TransportError {
    /// The obstacle that this error means.
    pub fn obstacle(self) -> Obstacle {
        match self {
            Self::Broken => Obstacle::BrokenOff,
            Self::Obstacle(obstacle) => obstacle,
            Self::TimedOut => Obstacle::TimedOut,
        }
    }
}

/// Sends requests to the backend.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and returns once the answer's headers have arrived. Dropping the future
    /// gives the request up; the backend may have received it all the same.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;

    /// Gets ready for the next request, the first or the first after the connections were closed, so that
    /// it does not wait. A failure is reported by that request.
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Closes the connections that wait for the next request, because their buffers hold the
    /// headers of the last one, tokens included.
    fn close_idle_connections(&self);
}
