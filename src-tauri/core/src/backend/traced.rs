//! What is told of each request: one span, with the template of its path and never the path,
//! which may hold an id or a code. The span's name and fields are what reports of failures
//! show too, as `vestibule-log` reads them.

use std::time::Instant;

use reqwest::header::{HeaderName, HeaderValue};
use tracing::Span;
use tracing::field::Empty;
use uuid::Uuid;

use super::call::Call;
use super::fault::Fault;
use super::head::Head;

/// Goes out with each request, so that a line here can be found in the backend's log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request on its way.
pub(super) struct Traced {
    span: Span,
    started: Instant,
}

impl Traced {
    /// Gives `call` its id. A caller's own gives way: the header and the span must agree.
    pub fn begin(call: &mut Call<'_>) -> Self {
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
        if let Ok(value) = HeaderValue::from_str(&id) {
            call.headers.insert(REQUEST_ID, value);
        }
        Self {
            span,
            started: Instant::now(),
        }
    }

    /// In which the request is sent.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// At the answer's headers, or without any.
    pub fn end(self, result: &Result<Head, Fault>) {
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
