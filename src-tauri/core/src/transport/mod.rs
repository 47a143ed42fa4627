//! How a request reaches the backend: the seam below [`crate::backend`].
//!
//! A [`Transport`] carries one request and hands out its answer: status and headers first, the
//! body piece by piece. It follows no redirect, keeps no cookie and repeats nothing but a request
//! without an effect that found its kept connection closed. How long an exchange may take is not
//! its business: the core bounds every wait itself, so a transport that never answers (a test's,
//! or a network's) costs what a slow one does.
//!
//! [`HttpTransport`] is the real one. A model of two people and one backend in one process
//! implements this trait; there a pending future is "never answers", and an error from
//! [`AnswerBody::chunk`] is "breaks off".

mod cause;
mod http;
mod network;
mod proxies;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;

use crate::obstacle::Obstacle;

pub use cause::obstacle;
pub use http::HttpTransport;
pub use network::{Host, Network, ProxyAddress};
pub use proxies::{DesktopProxy, NetworkSettings};
/// The types of the `http` crate, as the core uses them.
pub use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
pub use url::Url;

/// What a transport's calls return: an answer some time later, or never.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request as it goes out.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address. Of the profile's origin: the caller has seen to that.
    pub url: Url,
    /// Every header, cookies included.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
    /// A connection of its own, not one that earlier requests have used: for a second opinion
    /// on an answer that may have come from a gateway in trouble.
    pub new_connection: bool,
}

/// A request's body.
pub enum RequestBody {
    /// The request has no body.
    Empty,
    /// In memory.
    Whole(Bytes),
    /// In pieces, as fast as they are taken. An error in it means that the page that gave it
    /// has gone: the request must not arrive whole.
    Stream(StreamedBody),
}

/// A request's body in pieces.
pub type StreamedBody = Pin<Box<dyn Body<Data = Bytes, Error = BrokenOff> + Send + Sync>>;

/// The body of a request broke off on this side.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body broke off")]
pub struct BrokenOff;

/// An answer whose headers are here.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// Every header.
    pub headers: HeaderMap,
    /// The body's length, where it was announced.
    pub length: Option<u64>,
    /// The body.
    pub body: Box<dyn AnswerBody>,
}

/// The body of an answer. Dropping it closes the connection or gives it back.
pub trait AnswerBody: Send + Sync + 'static {
    /// The next piece; `None` at the end of a whole body.
    fn chunk(&mut self) -> Pending<'_, Result<Option<Bytes>, TransportError>>;
}

/// Why there is no answer, or no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection broke, or cannot be made for a reason that nobody knows.
    #[error("the connection cannot be made or broke")]
    Broken,
    /// It is known what stands between.
    #[error("{0}")]
    Obstacle(Obstacle),
    /// It took longer than the transport itself allows, for connecting say.
    #[error("no answer in time")]
    TimedOut,
}

impl TransportError {
    /// What stands between.
    pub fn obstacle(self) -> Obstacle {
        match self {
            Self::Broken => Obstacle::BrokenOff,
            Self::Obstacle(obstacle) => obstacle,
            Self::TimedOut => Obstacle::TimedOut,
        }
    }
}

/// Carries requests.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and ends at the answer's headers. Dropping the future gives the request
    /// up; the other side may have heard it all the same.
    fn send(&self, request: Request) -> Pending<'_, Result<Response, TransportError>>;

    /// Closes the connections that wait for the next request: in their buffers stand the last
    /// one's headers, tokens among them.
    fn hang_up(&self);
}
