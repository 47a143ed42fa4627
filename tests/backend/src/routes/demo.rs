//! `/demo-accounts` and `/mailbox`: in development only, and only for requests whose `Host` is
//! this machine.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::Answer;
use crate::app::App;
use crate::clock::now;
use crate::demo::{ACCOUNTS, PASSWORD};
use crate::error::{Refusal, answer};
use crate::mailbox::{self, Authenticator};
use crate::{accounts, recovery, totp};

pub(crate) async fn accounts(headers: HeaderMap) -> Answer {
    local(&headers)?;
    let shown: Value = ACCOUNTS
        .iter()
        .map(|demo| json!({ "label": demo.label, "email": demo.email, "password": PASSWORD }))
        .collect();
    Ok(answer(StatusCode::OK, &shown))
}

pub(crate) async fn mailbox(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    local(&headers)?;
    let page = mailbox::page(&app.mailbox.all(), &authenticators(&app).await?);
    let mut response = Response::new(Body::from(page));
    let own = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in own {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

pub(crate) async fn mailbox_json(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    local(&headers)?;
    let shown = mailbox::json(&app.mailbox.all(), &authenticators(&app).await?);
    Ok(answer(StatusCode::OK, &shown))
}

async fn authenticators(app: &App) -> Result<Vec<Authenticator>, Refusal> {
    let key = app.key.clone();
    let accounts = app.store.run(move |tx| {
        let with_codes = accounts::all(tx)?.into_iter().map(|account| {
            let unused = recovery::unused(tx, &key, &account.id)?;
            Ok((account, unused.into_iter().next().map(|(_, code)| code)))
        });
        with_codes.collect::<rusqlite::Result<Vec<_>>>()
    });
    let accounts = accounts.await?;
    // Demo accounts only: secrets of other accounts are not shown, even in development.
    Ok(accounts
        .into_iter()
        .filter(|(account, _)| ACCOUNTS.iter().any(|demo| demo.email == account.email))
        .filter_map(|(account, recovery)| {
            let secret = account.totp_secret?;
            Some(Authenticator {
                code: totp::usable(&secret, now(), account.totp_last_step),
                secret: totp::base32(&secret),
                email: account.email,
                recovery,
            })
        })
        .collect())
}

/// Refuses a `Host` that is not loopback. A page on the internet can point its own name at this
/// machine (DNS rebinding) and read the answers, but the `Host` it sends is then its own name.
pub(super) fn local(headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let loopback = name.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost")
            || name
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    });
    if loopback {
        Ok(())
    } else {
        Err(Refusal::forbidden(
            "LOCAL_ONLY",
            "this is served to the local machine only",
        ))
    }
}
