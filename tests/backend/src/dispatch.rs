//! Handles one request from arrival to answer: counts it, reads its body within limits, applies
//! a fault or routes it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use tokio::time::error::Elapsed;
use tower::ServiceExt as _;

use crate::app::{App, From};
use crate::error::Refusal;
use crate::faults::{self, When};
use crate::routes::transfer;
use crate::socket::ConnectionControl;

/// The largest body that is accepted.
const LARGEST: usize = 64 << 10;
/// How much of a larger body is read and discarded. Closing a connection on unread bytes resets
/// it, and the client would not see the answer.
const DRAINED: usize = 1 << 20;
/// The endpoint that reads its body itself, piece by piece.
const STREAMED: &str = "/transfer";
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) async fn dispatch(
    app: Arc<App>,
    router: Router,
    control: Arc<ConnectionControl>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let began = Instant::now();
    let (mut parts, body) = request.into_parts();
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    app.seen.arrived(&method, &path);

    parts.extensions.insert(From(peer.ip()));
    let query = parts.uri.query().map(str::to_owned);
    let query = query.as_deref();
    let response = match take(&path, body).await {
        Ok(Ok(Taken::Whole(bytes))) => {
            app.seen
                .read(peer, &method, &path, query, &parts.headers, &bytes);
            let request = Request::from_parts(parts, Body::from(bytes));
            answer(&app, router, &control, &method, &path, request).await
        }
        Ok(Ok(Taken::Streamed(body))) => {
            app.seen
                .read(peer, &method, &path, query, &parts.headers, &[]);
            let request = Request::from_parts(parts, body);
            answer(&app, router, &control, &method, &path, request).await
        }
        Ok(Err(refusal)) => closing(refusal),
        Err(_) => closing(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            "the body did not arrive in time",
        )),
    };
    tracing::debug!(
        %method,
        %path,
        status = response.status().as_u16(),
        ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

async fn answer(
    app: &App,
    router: Router,
    control: &ConnectionControl,
    method: &str,
    path: &str,
    request: Request<Body>,
) -> Response<Body> {
    let route = async |request| {
        let Ok(response) = router.oneshot(request).await;
        response
    };
    // Faults do not apply to `/faults`, so that a test can always remove them.
    let spared = path == "/faults" || path.starts_with("/faults/");
    let fault = (!spared).then(|| app.faults.pick(method, path)).flatten();
    match fault {
        None => route(request).await,
        Some(fault) if fault.when == When::Before => {
            match faults::replace_response(&fault.effect, control).await {
                Some(response) => {
                    transfer::leave(request.into_body());
                    response
                }
                None => route(request).await,
            }
        }
        Some(fault) => faults::alter_response(&fault.effect, control, route(request).await).await,
    }
}

/// A body as its route reads it.
enum Taken {
    Whole(Bytes),
    Streamed(Body),
}

async fn take(path: &str, body: Incoming) -> Result<Result<Taken, Refusal>, Elapsed> {
    if path == STREAMED {
        return Ok(Ok(Taken::Streamed(Body::new(body))));
    }
    let whole = tokio::time::timeout(BODY_TIMEOUT, read(body)).await?;
    Ok(whole.map(Taken::Whole))
}

/// Reads the whole body; refuses one that is too large or ends early.
async fn read(mut body: Incoming) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            format!("the body may have {LARGEST} bytes"),
        )
    };
    if body.size_hint().lower() > (LARGEST + DRAINED) as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let broken = |_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "INVALID_BODY",
                "the body broke off",
            )
        };
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            length += data.len();
            if length <= LARGEST {
                bytes.extend_from_slice(&data);
            } else if length > LARGEST + DRAINED {
                return Err(too_large());
            }
        }
    }
    if length > LARGEST {
        return Err(too_large());
    }
    Ok(bytes.into())
}

fn closing(refusal: Refusal) -> Response<Body> {
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
