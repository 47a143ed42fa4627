//! Applies a fault to the answer or to the socket beneath it.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Frame, SizeHint};
use serde_json::{Value, json};
use tokio::time::{Sleep, sleep};

use super::{Cut, Effect, Point};
use crate::clock;
use crate::error::answer;
use crate::socket::{Allowance, ConnectionControl};

/// Cutting after this many bytes cuts inside the headers: the status line is shorter, every whole
/// head is longer.
const INSIDE_HEADERS: usize = 40;

/// Applies a fault before the work: returns the answer to send instead, or `None` if the request
/// goes on after a delay.
pub(crate) async fn replace_response(
    effect: &Effect,
    control: &ConnectionControl,
) -> Option<Response<Body>> {
    if let Effect::Delay { ms } = effect {
        sleep(Duration::from_millis(*ms)).await;
        return None;
    }
    let stand_in = answer(
        StatusCode::OK,
        &json!({ "message": "this stands in for an answer; nothing was done" }),
    );
    Some(alter_response(effect, control, stand_in).await)
}

/// Applies a fault after the work: turns the true answer into what is sent.
pub(crate) async fn alter_response(
    effect: &Effect,
    control: &ConnectionControl,
    truth: Response<Body>,
) -> Response<Body> {
    match effect {
        Effect::Delay { ms } => {
            sleep(Duration::from_millis(*ms)).await;
            truth
        }
        Effect::Hang {} => pending().await,
        Effect::Status {
            status,
            code,
            message,
            body,
            headers,
        } => {
            let body = body.clone().unwrap_or_else(|| plain(code, message));
            let mut response = answer(status_of(*status), &body);
            for (name, value) in headers {
                let name = HeaderName::try_from(name);
                if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        Effect::Html { status } => text(*status, "text/html; charset=utf-8", PORTAL),
        Effect::Text {
            status,
            media,
            text: body,
        } => text(*status, media, body),
        Effect::Empty { status } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status_of(*status);
            response
        }
        Effect::WrongJson { status, body } => {
            let body = body
                .clone()
                .unwrap_or_else(|| json!({ "unexpected": true }));
            answer(status_of(*status), &body)
        }
        Effect::BrokenJson { status } => text(*status, "application/json", BROKEN),
        Effect::Redirect { location, status } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status_of(*status);
            if let Ok(location) = HeaderValue::try_from(location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Effect::Truncate { cut } => {
            let (response, body) = whole(truth).await;
            control.cut_after(Allowance::Head(body.len() / 2), *cut);
            response.map(|()| Body::from(body))
        }
        Effect::Reset { at } => match at {
            Point::BeforeHeaders => gone(control, Cut::Reset).await,
            Point::InHeaders => {
                control.cut_after(Allowance::Bytes(INSIDE_HEADERS), Cut::Reset);
                truth
            }
            Point::AfterHeaders => {
                control.cut_after(Allowance::Head(0), Cut::Reset);
                truth
            }
        },
        Effect::Drop { cut } => gone(control, *cut).await,
        Effect::Huge { bytes } => {
            let (response, body) = whole(truth).await;
            let padding = bytes.saturating_sub(body.len() as u64);
            response.map(|()| Body::new(Padded { body, padding }))
        }
        Effect::HugeHeaders { bytes } => with_more_headers(truth, *bytes),
        Effect::Drip { bytes, every_ms } => {
            let (response, body) = whole(truth).await;
            let every = Duration::from_millis(*every_ms);
            response.map(|()| {
                Body::new(Drip {
                    body,
                    at_a_time: (*bytes).max(1),
                    every,
                    wait: Box::pin(sleep(Duration::ZERO)),
                })
            })
        }
        Effect::Patch { body } => patched(truth, body).await,
        Effect::WrongClock { seconds } => by_wrong_clock(truth, *seconds).await,
    }
}

const PORTAL: &str = "<!doctype html><html><head><title>Welcome to the guest network</title>\
    </head><body><h1>Please accept the terms of use</h1></body></html>";
const BROKEN: &str = r#"{"user": {"id": "5f0c", "name": "brok"#;

fn plain(code: &Option<String>, message: &Option<String>) -> Value {
    let mut body = json!({ "message": message.as_deref().unwrap_or("a fault was asked for") });
    if let Some(code) = code {
        body["code"] = code.as_str().into();
    }
    body
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn text(status: u16, media: &str, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status_of(status);
    if let Ok(media) = HeaderValue::try_from(media) {
        response.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    response
}

/// Ends the connection without an answer; the task that serves it then drops this future.
async fn gone(control: &ConnectionControl, cut: Cut) -> Response<Body> {
    control.cut_now(cut);
    pending().await
}

/// The response without its body, and the body.
async fn whole(response: Response<Body>) -> (Response<()>, Bytes) {
    let (mut parts, body) = response.into_parts();
    // The new body sets a length of its own.
    parts.headers.remove(header::CONTENT_LENGTH);
    // Our own answers are in memory: reading them cannot fail.
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    (Response::from_parts(parts, ()), bytes)
}

fn with_more_headers(mut response: Response<Body>, bytes: usize) -> Response<Body> {
    const EACH: usize = 4096;
    let value = HeaderValue::try_from("x".repeat(EACH)).expect("letters make a header");
    for _ in 0..bytes.div_ceil(EACH) {
        response
            .headers_mut()
            .append(HeaderName::from_static("x-padding"), value.clone());
    }
    response
}

async fn patched(response: Response<Body>, patch: &Value) -> Response<Body> {
    let (response, body) = whole(response).await;
    let changed = serde_json::from_slice::<Value>(&body).ok().map(|mut json| {
        merge(&mut json, patch);
        json.to_string()
    });
    response.map(|()| changed.map_or_else(|| Body::from(body), Body::from))
}

/// Applies a merge patch (RFC 7396, section 2).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, change) in members {
        match target.as_object_mut() {
            Some(held) if change.is_null() => drop(held.remove(name)),
            Some(held) => merge(held.entry(name).or_insert(Value::Null), change),
            None => {}
        }
    }
}

async fn by_wrong_clock(response: Response<Body>, seconds: i64) -> Response<Body> {
    let (mut response, body) = whole(response).await;
    let skewed = clock::now().saturating_add(seconds.saturating_mul(1000));
    if let Ok(date) = HeaderValue::try_from(clock::http_date(skewed)) {
        response.headers_mut().insert(header::DATE, date);
    }
    let shifted = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|mut json| {
            let tokens = json.get_mut("tokens")?;
            let life = tokens.get("expiresIn")?.as_i64()?;
            tokens["expires"] = clock::iso8601(skewed + life * 1000).into();
            Some(json.to_string())
        });
    response.map(|()| shifted.map_or_else(|| Body::from(body), Body::from))
}

/// A body followed by spaces up to a given size.
struct Padded {
    body: Bytes,
    padding: u64,
}

impl hyper::body::Body for Padded {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static SPACES: [u8; 16 << 10] = [b' '; 16 << 10];
        if !self.body.is_empty() {
            let body = std::mem::take(&mut self.body);
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        if self.padding == 0 {
            return Poll::Ready(None);
        }
        let most = SPACES.len() as u64;
        let now = self.padding.min(most);
        self.padding -= now;
        let spaces = &SPACES[..usize::try_from(now).unwrap_or(SPACES.len())];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(spaces)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len() as u64 + self.padding)
    }
}

/// A body sent a few bytes at a time.
struct Drip {
    body: Bytes,
    at_a_time: usize,
    every: Duration,
    wait: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Drip {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.body.is_empty() {
            return Poll::Ready(None);
        }
        std::task::ready!(self.wait.as_mut().poll(cx));
        self.wait = Box::pin(sleep(self.every));
        let now = self.at_a_time.min(self.body.len());
        let drop = self.body.split_to(now);
        Poll::Ready(Some(Ok(Frame::data(drop))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len() as u64)
    }
}
