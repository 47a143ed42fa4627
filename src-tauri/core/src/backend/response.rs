//! An answer whose headers have come and whose body has not been read.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::error::BackendError;
use super::recorder::ExchangeRecording;
use super::response_body::{BodyLimits, ResponseBody, SMALL};
use super::retry_after::{retry_after_of, sent_at};
use crate::beside_body::BesideBody;
use crate::cookies::RefreshChange;
use crate::header_text;
use crate::json_text;
use crate::status::{Class, class};
use crate::transport::HttpResponse;

/// Headers that no page gets: cookies, redirects, and the headers in which some backends give out
/// tokens.
const NOT_FOR_WINDOWS: [&str; 8] = [
    "authorization",
    "set-auth-token",
    "set-cookie",
    "set-cookie2",
    "location",
    "x-access-token",
    "x-auth-token",
    "x-refresh-token",
];

/// An answer whose body has not been read.
pub struct Response {
    pub(super) response: HttpResponse,
    /// By when the body must have come, where the whole exchange has one bound.
    pub(super) until: Option<Instant>,
    /// What the answer changes of the refresh cookies.
    pub(super) refresh: Vec<RefreshChange>,
    /// What the profile names beside the body.
    pub(super) beside: BesideBody,
    /// Whether the answer redirects to another origin than the backend's.
    pub(super) leads_away: bool,
    pub(super) recording: Option<ExchangeRecording>,
}

impl Response {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.response.status
    }

    /// Whether the answer redirects to another origin than the backend's.
    pub(crate) fn leads_away(&self) -> bool {
        self.leads_away
    }

    /// Whether the answer calls itself an HTML page. JSON, or nothing, belongs there. Only the body tells
    /// whether it is one ([`ResponseBody::is_no_page`]): Django and Express call every answer `text/html`
    /// that names no other type, an empty one and `OK` too.
    pub(super) fn is_page(&self) -> bool {
        self.kind()
            .is_some_and(|kind| kind.starts_with("text/html"))
    }

    /// Whether the answer is a stream of events, which is silent for as long as nothing happens
    /// (HTML, "Server-sent events").
    pub(super) fn is_event_stream(&self) -> bool {
        self.kind()
            .is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The media type with its parameters, in lower case.
    pub(super) fn kind(&self) -> Option<String> {
        let kind = header_text::text(self.response.headers.get(CONTENT_TYPE)?);
        Some(kind.trim_start().to_ascii_lowercase())
    }

    /// The target of a redirect; `Some(Err)` if there are several.
    pub(super) fn location(&self) -> Option<Result<String, BackendError>> {
        let mut given = self.response.headers.get_all(LOCATION).iter();
        let first = given.next()?;
        if given.any(|other| other != first) {
            return Some(Err(BackendError::BadAnswer));
        }
        Some(Ok(header_text::address(first)))
    }

    /// Takes what the answer changes of the refresh cookies.
    pub fn take_refresh_changes(&mut self) -> Vec<RefreshChange> {
        std::mem::take(&mut self.refresh)
    }

    /// When the answer was sent, by the backend's clock: the dates in the answer are compared with
    /// it. By the clock of this computer if the answer has no `Date`.
    pub fn sent_at(&self) -> SystemTime {
        sent_at(&self.response.headers)
    }

    /// How long the backend asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        let limited = class(self.status().as_u16()) == Class::RateLimited;
        retry_after_of(limited, &self.response.headers)
    }

    /// The answer's headers without those that no page gets. `Retry-After` is written anew in
    /// whole seconds, so that pages need not know its other forms and names.
    pub(super) fn headers_for_window(&self) -> Vec<(String, String)> {
        let theirs = self.response.headers.iter();
        let theirs = theirs
            .filter(|(name, _)| !NOT_FOR_WINDOWS.contains(&name.as_str()))
            .filter(|(name, _)| **name != RETRY_AFTER && !self.beside.holds(name.as_str()))
            .map(|(name, value)| (name.as_str().to_owned(), header_text::for_page(value)));
        let wait = self.retry_after().map(|wait| {
            let seconds = wait.as_millis().div_ceil(1000);
            (RETRY_AFTER.as_str().to_owned(), seconds.to_string())
        });
        theirs.chain(wait).collect()
    }

    /// What the headers say by themselves, for use before the body is read: it may break off.
    pub fn without_body(&self) -> ResponseBody {
        ResponseBody::of(&[], self.beside.clone(), SMALL)
    }

    /// Reads the whole body.
    pub async fn body(self) -> Result<ResponseBody, BackendError> {
        self.body_within(SMALL).await
    }

    /// Reads the whole body, if it is not larger than this.
    pub(super) async fn body_within(
        mut self,
        limits: BodyLimits,
    ) -> Result<ResponseBody, BackendError> {
        let beside = std::mem::take(&mut self.beside);
        let may_be_page = self.status().is_success() && self.is_page();
        let is_portals = class(self.status().as_u16()) == Class::NetworkSignIn;
        let anothers = self.leads_away || is_portals;
        let bytes = self.bytes(limits.bytes).await;
        if let Some(recording) = &self.recording {
            recording.read(&bytes);
        }
        let bytes = bytes?;
        let anothers = anothers || (may_be_page && json_text::is_markup(&bytes));
        let body = ResponseBody::of(&bytes, beside, limits)
            .with_headers(std::mem::take(&mut self.response.headers));
        Ok(body.with_anothers(anothers))
    }

    async fn bytes(&mut self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BackendError> {
        let announced = self.response.length.unwrap_or_default();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(BackendError::TooLarge);
        }
        // Room for the whole body at once: growing would leave copies of secrets in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
        while let Some(chunk) = self.chunk().await? {
            let length = bytes.len() + chunk.len();
            if length > limit {
                return Err(BackendError::TooLarge);
            }
            if length > bytes.capacity() {
                grow(&mut bytes, length, limit);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, BackendError> {
        let chunk = self.response.body.chunk();
        let chunk = match self.until {
            Some(until) => timeout_at(until, chunk)
                .await
                .map_err(|_| BackendError::TimedOut)?,
            None => chunk.await,
        };
        chunk.map_err(BackendError::of_body)
    }
}

/// Makes room for `length` bytes and some more, up to the limit, and wipes the old room.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, length: usize, limit: usize) {
    let room = (length * 2).min(limit);
    let mut more = Zeroizing::new(Vec::with_capacity(room));
    more.extend_from_slice(bytes);
    *bytes = more;
}
