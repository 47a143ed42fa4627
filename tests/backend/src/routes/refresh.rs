//! `POST /refresh-token` and `POST /logout`: the endpoints that take the refresh token.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::Answer;
use crate::app::{App, From};
use crate::clock::now;
use crate::config::Carrier;
use crate::error::{Refusal, nothing};
use crate::input::Fields;
use crate::limits::Limit;
use crate::sessions::{Device, End};
use crate::{accounts, cookies, sessions};

pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    app.limits.check(Limit::Refresh, from.0, "")?;
    let (token, device) = presented(&app, &headers, &body)?;
    let token = token.ok_or_else(no_token)?;

    let shared = Arc::clone(&app);
    let rotated = app.store.run(move |tx| {
        let rules = shared.rules();
        match sessions::rotate(tx, &shared.key, &token, &device, now(), &rules)? {
            Err(refusal) => Ok(Err(refusal)),
            Ok(issued) => Ok(accounts::by_id(tx, &issued.account)?
                .map(|account| (account, issued))
                .ok_or_else(|| End::refusal(End::SignedOut.word()))),
        }
    });
    let (account, issued) = rotated.await??;
    app.session_answer(StatusCode::OK, &account, &issued)
}

/// 204, also for a session that has ended; 401 without a token or for one that was not issued
/// here. Deletes the cookie in every case.
pub(crate) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Answer {
    let token = match app.config.carrier {
        // A body is ignored, so a malformed one cannot keep a session alive.
        Carrier::Cookie => cookies::read(&headers, cookies::REFRESH),
        Carrier::Body => presented(&app, &headers, &body)?.0,
    };
    let known = match token {
        Some(token) => {
            let ended = app.store.run(move |tx| sessions::sign_out(tx, &token));
            ended.await?
        }
        None => false,
    };
    let mut response = if known {
        nothing()
    } else {
        no_token().into_response()
    };
    if app.config.carrier == Carrier::Cookie {
        app.set_cookie(&mut response, &cookies::no_refresh());
    }
    Ok(response)
}

/// The refresh token of a request, from the cookie or the body, and the device.
fn presented(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Option<String>, Device), Refusal> {
    let cookie = match app.config.carrier {
        Carrier::Cookie => cookies::read(headers, cookies::REFRESH),
        Carrier::Body => None,
    };
    if body.is_empty() {
        return Ok((cookie, Device::default()));
    }
    let mut fields = Fields::parse(headers, body)?;
    let token = match app.config.carrier {
        Carrier::Cookie => cookie,
        Carrier::Body => fields.refresh_token(),
    };
    let device = fields.device();
    fields.done()?;
    Ok((token, device))
}

fn no_token() -> Refusal {
    Refusal::unauthorized("TOKEN_MISSING", "there is no refresh token to go by")
}
