//! The wire that a search goes over: the app's own transport, with every exchange kept, a number of
//! requests that is not exceeded, and a moment at which it ends.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use url::Url;
use vestibule_core::reading;
use vestibule_core::transport::{
    BoxFuture, HeaderMap, HttpRequest, HttpResponse, Method, RequestBody, ResponseBodyStream,
    Transport, TransportError,
};

use crate::shape;

/// The most requests of a search.
pub(crate) const MOST_REQUESTS: usize = 600;
/// How long a search may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// The most bytes of an answer that are read.
const LARGEST: usize = 4 * 1024 * 1024;

/// An answer that was read to its end, and what was asked.
#[derive(Clone)]
pub(super) struct Answer {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        reading::json(&self.body)
    }

    pub(super) fn text(&self) -> String {
        reading::text(&self.body).to_string()
    }

    pub(super) fn header(&self, name: &str) -> Cow<'_, str> {
        let value = self.headers.get(name);
        value.map(reading::header_text).unwrap_or_default()
    }

    pub(super) fn is_page(&self) -> bool {
        shape::calls_itself_page(&self.headers) && reading::is_markup(&self.body)
    }

    /// Every `Set-Cookie` line.
    pub(super) fn cookie_lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(reading::header_text)
    }
}

/// The wire. Clones share it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Shared>);

struct Shared {
    below: Arc<dyn Transport>,
    until: Instant,
    state: Mutex<State>,
}

struct State {
    left: usize,
    answers: Vec<Answer>,
}

impl Wire {
    pub(super) fn over(below: Arc<dyn Transport>) -> Self {
        Self(Arc::new(Shared {
            below,
            until: Instant::now() + LONGEST,
            state: Mutex::new(State {
                left: MOST_REQUESTS,
                answers: Vec::new(),
            }),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no request may follow.
    pub(super) fn is_over(&self) -> bool {
        self.lock().left == 0 || Instant::now() >= self.0.until
    }

    /// How many answers there are so far.
    pub(super) fn count(&self) -> usize {
        self.lock().answers.len()
    }

    /// The answers from the one with this number on, counted from zero.
    pub(super) fn since(&self, number: usize) -> Vec<Answer> {
        self.lock().answers.iter().skip(number).cloned().collect()
    }

    /// Sends a request and reads the answer to its end.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, TransportError> {
        let request = HttpRequest {
            method,
            url,
            headers,
            body: body.map_or(RequestBody::Empty, |body| RequestBody::Whole(body.into())),
            new_connection: false,
        };
        Ok(self.exchange(request).await?.0)
    }

    async fn exchange(
        &self,
        request: HttpRequest,
    ) -> Result<(Answer, HttpResponse), TransportError> {
        {
            let mut state = self.lock();
            state.left = state.left.checked_sub(1).ok_or(TransportError::TimedOut)?;
        }
        let url = request.url.clone();
        let work = async {
            let mut response = self.0.below.send(request).await?;
            let mut body = Vec::new();
            while let Some(piece) = response.body.chunk().await? {
                body.extend_from_slice(&piece);
                if body.len() > LARGEST {
                    return Err(TransportError::Broken);
                }
            }
            Ok((response, body))
        };
        let done = tokio::time::timeout_at(self.0.until, work).await;
        let (response, body) = done.map_err(|_| TransportError::TimedOut)??;
        let answer = Answer {
            url,
            status: response.status.as_u16(),
            headers: response.headers.clone(),
            body: body.clone(),
        };
        self.lock().answers.push(answer.clone());
        let length = response.length;
        Ok((
            answer,
            HttpResponse {
                length,
                body: Box::new(InMemory(Some(body.into()))),
                ..response
            },
        ))
    }
}

impl Transport for Wire {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move { Ok(self.exchange(request).await?.1) })
    }

    fn close_idle_connections(&self) {
        self.0.below.close_idle_connections();
    }
}

/// A body that was read already.
struct InMemory(Option<bytes::Bytes>);

impl ResponseBodyStream for InMemory {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<bytes::Bytes>, TransportError>> {
        let next = self.0.take();
        Box::pin(async move { Ok(next) })
    }
}
