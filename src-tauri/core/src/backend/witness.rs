//! What went over the wire, for whoever examines a backend (`vestibule-doctor`). The app has no
//! witness: without one nothing here is done.
//!
//! An [`Exchange`] holds passwords and tokens as they were sent. It has no `Debug`, and whoever
//! shows it masks it first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{COOKIE, HeaderMap};
use zeroize::Zeroizing;

use super::call::{Call, Payload};
use super::fault::Fault;
use crate::transport::Response;

/// One request and what came of it.
#[derive(Clone)]
pub struct Exchange {
    /// `POST`
    pub method: String,
    /// The path as the profile has it: nothing is filled in.
    pub path: String,
    /// The names of the cookies that went along.
    pub cookies: Vec<String>,
    /// The body, where it was whole.
    pub sent: Option<Bytes>,
    /// When the answer's headers were here, by our clock.
    pub answered_at: SystemTime,
    /// How long they took.
    pub took: Duration,
    /// The status, once there was one.
    pub status: Option<u16>,
    /// The answer's headers, cookies and all.
    pub headers: HeaderMap,
    /// The answer's body, once it was read to its end.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// Why there is no whole answer.
    pub fault: Option<Fault>,
}

/// Keeps every exchange of a [`super::Backend`], in the order in which they began.
#[derive(Clone, Default)]
pub struct Witness(Arc<Mutex<Vec<Exchange>>>);

impl Witness {
    /// All that was seen so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.held().clone()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.held().len()
    }

    /// What was seen from the one with this number on.
    pub fn since(&self, number: usize) -> Vec<Exchange> {
        self.held().iter().skip(number).cloned().collect()
    }

    /// A request is about to go out.
    pub(super) fn sent(&self, call: &Call<'_>, headers: &HeaderMap) -> Sight {
        let mut held = self.held();
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
        Sight {
            witness: self.clone(),
            number: held.len() - 1,
            since: Instant::now(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exchange under way.
pub(super) struct Sight {
    witness: Witness,
    number: usize,
    since: Instant,
}

impl Sight {
    /// The headers are here, or will not come.
    pub fn answered(&self, result: &Result<Response, Fault>) {
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

    /// The body is here, or broke off.
    pub fn read(&self, body: &Result<Zeroizing<Vec<u8>>, Fault>) {
        self.note(|exchange| match body {
            Ok(bytes) => exchange.body = Some(bytes.clone()),
            Err(fault) => exchange.fault = Some(*fault),
        });
    }

    fn note(&self, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.witness.held().get_mut(self.number) {
            change(exchange);
        }
    }
}

fn cookie_names(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    let names = pairs.flat_map(|line| line.split("; "));
    names
        .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
        .collect()
}
