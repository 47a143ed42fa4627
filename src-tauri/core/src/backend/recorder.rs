//! Records what goes over the wire, for `vestibule-doctor`. The app has no recorder.
//!
//! An [`Exchange`] holds passwords and tokens as they were sent. So it has no `Debug`, and the
//! doctor masks what it shows of one.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{COOKIE, HeaderMap};
use zeroize::Zeroizing;

use super::error::BackendError;
use super::request::{BackendRequest, Payload};
use crate::header_text;
use crate::transport::HttpResponse;

/// One request and its answer.
#[derive(Clone)]
pub struct Exchange {
    /// The request's method, such as `POST`.
    pub method: String,
    /// The request's path as the profile has it, with its placeholders.
    pub path: String,
    /// The names of the cookies that the request carried.
    pub cookies: Vec<String>,
    /// The request's body, if it was not sent in pieces.
    pub sent: Option<Bytes>,
    /// When the answer's headers came, by the clock of this computer.
    pub answered_at: SystemTime,
    /// How long the answer's headers took.
    pub took: Duration,
    /// The answer's status, once its headers have come.
    pub status: Option<u16>,
    /// The answer's headers, `Set-Cookie` included.
    pub headers: HeaderMap,
    /// The answer's body, once it was read to its end.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// Why there is no whole answer.
    pub fault: Option<BackendError>,
}

/// Records every exchange of a [`super::Backend`], in the order in which the requests began.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Exchange>>>);

impl Recorder {
    /// All exchanges so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock_exchanges().clone()
    }

    /// How many exchanges there are so far.
    pub fn count(&self) -> usize {
        self.lock_exchanges().len()
    }

    /// The exchanges from the one with this number on, counted from zero.
    pub fn since(&self, number: usize) -> Vec<Exchange> {
        self.lock_exchanges().iter().skip(number).cloned().collect()
    }

    /// Notes that a request is about to go out.
    pub(super) fn sent(&self, call: &BackendRequest<'_>, headers: &HeaderMap) -> ExchangeRecording {
        let mut held = self.lock_exchanges();
        held.push(Exchange {
            method: call.method.to_string(),
            path: call.template.clone(),
            cookies: cookie_names(headers),
            sent: match &call.payload {
                Payload::Whole(bytes) => Some(bytes.clone()),
                Payload::None | Payload::Streamed(_) => None,
            },
            answered_at: SystemTime::now(),
            took: Duration::ZERO,
            status: None,
            headers: HeaderMap::new(),
            body: None,
            fault: None,
        });
        ExchangeRecording {
            recorder: self.clone(),
            number: held.len() - 1,
            since: Instant::now(),
        }
    }

    fn lock_exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records the rest of an exchange under way.
pub(super) struct ExchangeRecording {
    recorder: Recorder,
    number: usize,
    since: Instant,
}

impl ExchangeRecording {
    /// Notes the answer's headers, or why there are none.
    pub(super) fn answered(&self, result: &Result<HttpResponse, BackendError>) {
        self.note(|exchange| {
            exchange.answered_at = SystemTime::now();
            exchange.took = self.since.elapsed();
            match result {
                Ok(response) => {
                    exchange.status = Some(response.status.as_u16());
                    exchange.headers = response.headers.clone();
                }
                Err(fault) => exchange.fault = Some(*fault),
            }
        });
    }

    /// Notes the answer's body, or why it broke off.
    pub(super) fn read(&self, body: &Result<Zeroizing<Vec<u8>>, BackendError>) {
        self.note(|exchange| match body {
            Ok(bytes) => exchange.body = Some(bytes.clone()),
            Err(fault) => exchange.fault = Some(*fault),
        });
    }

    fn note(&self, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.recorder.lock_exchanges().get_mut(self.number) {
            change(exchange);
        }
    }
}

fn cookie_names(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter();
    let lines = lines.map(header_text::text);
    let names = |line: Cow<'_, str>| {
        let pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    lines.flat_map(names).collect()
}
