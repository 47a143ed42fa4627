//! Bytes without a meaning, as many as are asked for, in either direction, to test the path
//! between an app and its backend. They are not stored.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use hyper::body::{Body as _, Frame, SizeHint};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Answer;
use crate::app::App;
use crate::error::{Refusal, answer};

/// How long the next bytes of a body may take to arrive.
const NEXT_BYTES_TIMEOUT: Duration = Duration::from_secs(20);
/// How many bytes are sent at a time.
const PIECE: usize = 64 << 10;

/// As many bytes as `?bytes=` says. Each byte follows from its position, so that a client can
/// check that all bytes arrived, and in order; see [`fill`].
pub(crate) async fn download(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Answer {
    app.caller(&headers).await?;
    let query = uri.query().unwrap_or_default();
    let asked = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("bytes="));
    let bytes: u64 = asked
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Refusal::invalid("bytes: how many?"))?;
    if bytes > app.config.transfer_limit {
        return Err(too_large(app.config.transfer_limit));
    }
    let mut response = Response::new(Body::new(Pattern { at: 0, end: bytes }));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Reads a body and answers its length and SHA-256.
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    mut body: Body,
) -> Answer {
    let limit = app.config.transfer_limit;
    let refused = match app.caller(&headers).await {
        Err(refusal) => Some(refusal),
        Ok(_) if body.size_hint().lower() > limit => Some(too_large(limit)),
        Ok(_) => None,
    };
    if let Some(refusal) = refused {
        leave(body);
        return Err(refusal);
    }
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    while let Some(data) = next(&mut body).await? {
        bytes += data.len() as u64;
        if bytes > limit {
            leave(body);
            return Err(too_large(limit));
        }
        hash.update(&data);
    }
    let digest = hash.finalize();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(answer(
        StatusCode::OK,
        &json!({ "bytes": bytes, "sha256": digest }),
    ))
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        let frame = tokio::time::timeout(NEXT_BYTES_TIMEOUT, frame)
            .await
            .map_err(|_| {
                let late = "the body did not arrive in time";
                Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", late)
            })?;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let broken = |_| {
            let broken = "the body broke off";
            Refusal::new(StatusCode::BAD_REQUEST, "INVALID_BODY", broken)
        };
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            return Ok(Some(data));
        }
    }
}

/// The most of a refused body that is read.
const LEFT: u64 = 256 << 20;

/// Reads and discards a refused body while its answer is sent: closing a connection on unread
/// bytes resets it, and the client would not see the answer.
pub(crate) fn leave(mut body: Body) {
    tokio::spawn(async move {
        let mut taken = 0;
        while let Ok(Some(data)) = next(&mut body).await {
            taken += data.len() as u64;
            if taken > LEFT {
                return;
            }
        }
    });
}

fn too_large(limit: u64) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "BODY_TOO_LARGE",
        format!("a transfer may have {limit} bytes"),
    )
}

/// The bytes from position `at` on: each group of four is its own index, little-endian.
pub(crate) fn fill(at: u64, piece: &mut [u8]) {
    for (place, byte) in (at..).zip(piece) {
        let number = (place / 4) as u32;
        *byte = number.to_le_bytes()[(place % 4) as usize];
    }
}

struct Pattern {
    at: u64,
    end: u64,
}

impl hyper::body::Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.end - self.at;
        if left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        fill(self.at, &mut piece);
        self.at += piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.at)
    }
}
