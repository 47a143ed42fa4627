//! An answer whose headers are here and whose body is not.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::body::Body;
use super::fault::Fault;
use super::witness::Sight;
use crate::cookies::RefreshChange;
use crate::reply::Given;
use crate::transport::Response;

/// The largest body that is read whole.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;

/// RFC 6585 §6: "Network Authentication Required", in the words of whoever stands between.
const NETWORK_SIGN_IN: StatusCode = StatusCode::NETWORK_AUTHENTICATION_REQUIRED;

/// What no answer hands to the window: cookies, where else to go, and the headers in which
/// some backends give out tokens.
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

/// An answer whose body was not read yet.
pub struct Head {
    pub(super) response: Response,
    /// When its body must be here, where the exchange has one bound.
    pub(super) until: Option<Instant>,
    pub(super) refresh: Vec<RefreshChange>,
    /// The tokens in headers that the profile names.
    pub(super) given: Given,
    /// Whether it leads to another origin than the backend's.
    pub(super) leads_away: bool,
    pub(super) sight: Option<Sight>,
}

impl Head {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status
    }

    /// Whether it is a page for people where JSON, or nothing, belongs.
    pub(super) fn is_page(&self) -> bool {
        self.kind()
            .is_some_and(|kind| kind.starts_with("text/html"))
    }

    /// Whether it is a stream of events, which says nothing for as long as nothing happens
    /// (HTML, "Server-sent events").
    pub(super) fn is_event_stream(&self) -> bool {
        self.kind()
            .is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The media type, in lower case, with what follows it.
    pub(super) fn kind(&self) -> Option<String> {
        let kind = self.response.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        Some(kind.trim_start().to_ascii_lowercase())
    }

    /// Where it says to go instead; `Some(Err)` where that cannot be read.
    pub(super) fn location(&self) -> Option<Result<&str, Fault>> {
        let mut given = self.response.headers.get_all(LOCATION).iter();
        let first = given.next()?;
        if given.any(|other| other != first) {
            return Some(Err(Fault::BadAnswer));
        }
        Some(first.to_str().map_err(|_| Fault::BadAnswer))
    }

    /// What the answer does to the refresh cookies.
    pub fn take_refresh_changes(&mut self) -> Vec<RefreshChange> {
        std::mem::take(&mut self.refresh)
    }

    /// When it was sent, by the backend's own clock, which its dates are to be read against;
    /// by ours only where it does not say.
    pub fn sent_at(&self) -> SystemTime {
        sent_at(&self.response.headers)
    }

    /// How long the backend asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        let limited = self.status() == StatusCode::TOO_MANY_REQUESTS;
        super::retry_after_of(limited, &self.response.headers)
    }

    /// The answer's headers without what is not for windows. `Retry-After` is in whole seconds,
    /// as it was read here: pages need not know its other forms, nor its relatives.
    pub(super) fn headers_for_window(&self) -> Vec<(String, String)> {
        let theirs = self.response.headers.iter();
        let theirs = theirs
            .filter(|(name, _)| !NOT_FOR_WINDOWS.contains(&name.as_str()))
            .filter(|(name, _)| **name != RETRY_AFTER && !self.given.holds(name.as_str()))
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            });
        let wait = self.retry_after().map(|wait| {
            let seconds = wait.as_millis().div_ceil(1000);
            (RETRY_AFTER.as_str().to_owned(), seconds.to_string())
        });
        theirs.chain(wait).collect()
    }

    /// What is known before the body is read: it may break off.
    pub fn without_body(&self) -> Body {
        Body::of(&[], self.given.clone())
    }

    /// The body, whole.
    pub async fn body(mut self) -> Result<Body, Fault> {
        let given = std::mem::take(&mut self.given);
        let invalid_token = self.says_invalid_token();
        let may_be_page = self.status().is_success() && self.is_page();
        let anothers = self.leads_away || self.status() == NETWORK_SIGN_IN;
        let bytes = self.bytes().await;
        if let Some(sight) = &self.sight {
            sight.read(&bytes);
        }
        let bytes = bytes?;
        let anothers = anothers || (may_be_page && is_markup(&bytes));
        let body = Body::of(&bytes, given).with_invalid_token(invalid_token);
        Ok(body.with_anothers(anothers))
    }

    /// `WWW-Authenticate: Bearer error="invalid_token"` (RFC 6750 §3.1).
    fn says_invalid_token(&self) -> bool {
        let lines = self.response.headers.get_all(WWW_AUTHENTICATE).iter();
        let mut texts = lines.filter_map(|line| line.to_str().ok());
        self.status().is_client_error() && texts.any(|text| text.contains("invalid_token"))
    }

    async fn bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let announced = self.response.length.unwrap_or_default();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > BODY_LIMIT {
            return Err(Fault::TooLarge);
        }
        // Room for all of it: growing would leave copies behind, of memory and of secrets.
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
        while let Some(chunk) = self.chunk().await? {
            let length = bytes.len() + chunk.len();
            if length > BODY_LIMIT {
                return Err(Fault::TooLarge);
            }
            if length > bytes.capacity() {
                grow(&mut bytes, length);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        let chunk = self.response.body.chunk();
        let chunk = match self.until {
            Some(until) => timeout_at(until, chunk)
                .await
                .map_err(|_| Fault::TimedOut)?,
            None => chunk.await,
        };
        chunk.map_err(Fault::of_body)
    }
}

/// Whether text that calls itself a page is one: some frameworks call every text so.
fn is_markup(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.trim_ascii_start().starts_with(b"<")
}

/// Makes room for `length` bytes and some more, never beyond the limit; what the old room
/// held is wiped.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, length: usize) {
    let room = (length * 2).min(BODY_LIMIT);
    let mut more = Zeroizing::new(Vec::with_capacity(room));
    more.extend_from_slice(bytes);
    *bytes = more;
}

pub(super) fn sent_at(headers: &HeaderMap) -> SystemTime {
    headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now)
}
