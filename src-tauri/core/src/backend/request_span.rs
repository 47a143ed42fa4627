//! The trace of each request: one span with method, status, duration and fault. It has the
//! template of the path and never the path, which may hold an id or a code. `vestibule-log` reads
//! the span's name and fields, and reports of failures show them too.

use std::time::Instant;

use reqwest::header::{HeaderName, HeaderValue};
use tracing::Span;
use tracing::field::Empty;
use uuid::Uuid;

use super::error::BackendError;
use super::request::BackendRequest;
use super::response::Response;

/// The request's id goes out in this header, so that the request of a log line can be found in
/// the backend's log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The trace of a request that is on its way.
pub(super) struct RequestSpan {
    span: Span,
    started: Instant,
}

impl RequestSpan {
    /// Begins the span, and gives `call` the id of its request if it goes to the backend (`is_own`).
    /// An id that the caller has set is replaced, since the header and the span must name the same
    /// one.
    pub(super) fn begin(call: &mut BackendRequest<'_>, is_own: bool) -> Self {
        let id = Uuid::new_v4().to_string();
        let span = tracing::info_span!(
            "backend",
            method = %call.method,
            path = call.template,
            attempt = call.attempt,
            request = id,
            status = Empty,
            fault = Empty,
            ms = Empty,
        );
        if is_own && let Ok(value) = HeaderValue::from_str(&id) {
            call.headers.insert(REQUEST_ID, value);
        }
        Self {
            span,
            started: Instant::now(),
        }
    }

    /// The span in which the request is sent.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes how the request ended: with the headers of an answer, or with a fault.
    pub(super) fn end(self, result: &Result<Response, BackendError>) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.record("ms", ms);
        match result {
            Ok(head) => self.span.record("status", head.status().as_u16()),
            Err(fault) => self.span.record("fault", tracing::field::display(fault)),
        };
        self.span.in_scope(|| match result {
            Ok(_) => tracing::info!("answered"),
            Err(_) => tracing::info!("not answered"),
        });
    }
}
