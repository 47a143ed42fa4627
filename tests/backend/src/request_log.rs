//! The requests received: how many, and the latest of each endpoint for assertions. They hold
//! secrets, so recording is for tests, and `Debug` leaves them out.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use serde_json::Value;
use tokio::sync::watch;

/// Requests kept for each endpoint.
const MAX_REQUESTS: usize = 64;

/// One received request.
#[derive(Clone)]
pub struct RecordedRequest {
    /// The client's address; another port is another connection.
    pub peer: SocketAddr,
    /// The method, in upper case.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, if there was one.
    pub query: Option<String>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }

    /// The value of this cookie, from any `Cookie` header.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == "cookie")
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON; absent if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl std::fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} ({} bytes)",
            self.method,
            self.path,
            self.body.len()
        )
    }
}

#[derive(Default)]
struct Endpoint {
    count: usize,
    read: usize,
    latest: VecDeque<RecordedRequest>,
}

/// The requests received. Counts all of them, and keeps them only when recording is on.
pub(crate) struct RequestLog {
    on: bool,
    endpoints: Mutex<HashMap<(String, String), Endpoint>>,
    total: watch::Sender<usize>,
}

impl RequestLog {
    pub fn new(on: bool) -> Self {
        Self {
            on,
            endpoints: Mutex::default(),
            total: watch::Sender::new(0),
        }
    }

    /// Counts a request whose body may not have arrived yet.
    pub fn arrived(&self, method: &str, path: &str) {
        if self.on {
            self.with(method, path, |endpoint| endpoint.count += 1);
            self.total.send_modify(|total| *total += 1);
        }
    }

    /// Counts the same request once its body has arrived, and keeps it.
    pub fn read(
        &self,
        peer: SocketAddr,
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) {
        if !self.on {
            return;
        }
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let request = RecordedRequest {
            peer,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
                .collect(),
            body: body.to_vec(),
        };
        self.with(method, path, |endpoint| {
            endpoint.read += 1;
            endpoint.latest.push_back(request);
            if endpoint.latest.len() > MAX_REQUESTS {
                endpoint.latest.pop_front();
            }
        });
        // The total is unchanged; waiting callers check the bodies again.
        self.total.send_modify(|_| ());
    }

    pub fn count(&self, method: &str, path: &str) -> usize {
        self.with(method, path, |endpoint| endpoint.count)
    }

    pub fn total(&self) -> usize {
        *self.total.borrow()
    }

    pub fn latest(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        self.with(method, path, |endpoint| {
            endpoint.latest.iter().cloned().collect()
        })
    }

    /// Resolves once this endpoint has received `count` requests.
    pub async fn reached(&self, method: &str, path: &str, count: usize) {
        self.until(|| self.count(method, path) >= count).await;
    }

    /// Resolves once this endpoint has received `count` requests with their bodies.
    pub async fn read_whole(&self, method: &str, path: &str, count: usize) {
        let read = || self.with(method, path, |endpoint| endpoint.read);
        self.until(|| read() >= count).await;
    }

    async fn until(&self, holds: impl Fn() -> bool) {
        let mut total = self.total.subscribe();
        while !holds() {
            if total.changed().await.is_err() {
                return;
            }
        }
    }

    fn with<T>(&self, method: &str, path: &str, work: impl FnOnce(&mut Endpoint) -> T) -> T {
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(
            endpoints
                .entry((method.to_owned(), path.to_owned()))
                .or_default(),
        )
    }
}
