//! `POST /verify-otp`, `POST /verify-totp`, `POST /verify-recovery` and `POST /resend-otp`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::Answer;
use super::sign_in::{blocked, mail, welcome};
use crate::app::{App, From};
use crate::attempts::{self, AttemptKind};
use crate::clock::now;
use crate::error::nothing;
use crate::input::Fields;
use crate::limits::Limit;
use crate::otp::Method;
use crate::{otp, sessions};

pub(crate) async fn verify_otp(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    verify(app, from, &headers, &body, Method::Mail).await
}

pub(crate) async fn verify_totp(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    verify(app, from, &headers, &body, Method::Totp).await
}

pub(crate) async fn verify_recovery(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    verify(app, from, &headers, &body, Method::Recovery).await
}

async fn verify(
    app: Arc<App>,
    from: From,
    headers: &HeaderMap,
    body: &[u8],
    method: Method,
) -> Answer {
    let mut fields = Fields::parse(headers, body)?;
    let email = fields.email();
    let code = match method {
        Method::Recovery => fields.recovery_code(),
        Method::Mail | Method::Totp => fields.code(),
    };
    let device = fields.device();
    fields.done()?;
    app.limits.check(Limit::Codes, from.0, "")?;
    app.limits.check(Limit::Verify, from.0, &email)?;

    let shared = Arc::clone(&app);
    let verified = app.store.run(move |tx| {
        let now = now();
        let rules = shared.rules();
        let asked = match otp::asked(tx, &email, &device, now, &rules)? {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(locked) = attempts::locked(tx, AttemptKind::Code, &email, now)? {
            return Ok(Err(locked));
        }
        let account = match otp::verify(tx, &shared.key, asked, method, &code, now)? {
            Ok(account) => account,
            Err(refusal) => {
                // Counted over sign-ins too, so that signing in again does not buy more guesses.
                attempts::count(tx, AttemptKind::Code, &email, now, shared.config.lock_for)?;
                return Ok(Err(refusal));
            }
        };
        if account.blocked {
            return Ok(Err(blocked()));
        }
        attempts::forget(tx, AttemptKind::Code, &email)?;
        let issued = sessions::open(tx, &account.id, &device, now, &rules)?;
        Ok(Ok((account, issued)))
    });
    let (account, issued) = verified.await??;
    welcome(&app, StatusCode::OK, &account, &issued)
}

/// 204 once the mail is sent.
pub(crate) async fn resend(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mut fields = Fields::parse(&headers, &body)?;
    let email = fields.email();
    let device = fields.device();
    fields.done()?;
    app.limits.check(Limit::Codes, from.0, "")?;
    app.limits.check(Limit::Resend, from.0, &email)?;

    let shared = Arc::clone(&app);
    let sent = app
        .store
        .run(move |tx| otp::resend(tx, &shared.key, &email, &device, now(), &shared.rules()));
    let (account, code) = sent.await??;
    mail(&app, &headers, &account, code);
    Ok(nothing())
}
