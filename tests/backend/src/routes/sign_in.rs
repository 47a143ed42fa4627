//! `POST /login` and `POST /register`: from a password to a session, or to a request for a code.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::json;

use super::Answer;
use crate::accounts::{self, Account, SecondFactor};
use crate::app::{App, From};
use crate::attempts::{self, AttemptKind};
use crate::clock::now;
use crate::config::Registration;
use crate::cookies;
use crate::error::{Refusal, answer};
use crate::input::Fields;
use crate::limits::Limit;
use crate::mailbox::Mail;
use crate::otp;
use crate::sessions::{self, Device, Issued};

/// What follows a right password.
enum Next {
    Session(Box<Account>, Issued),
    Code(Box<Account>, Option<String>),
}

pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mut fields = Fields::parse(&headers, &body)?;
    let email = fields.email();
    let password = fields.password();
    let device = fields.device();
    fields.done()?;
    app.limits.check(Limit::Logins, from.0, "")?;
    app.limits.check(Limit::Login, from.0, &email)?;

    let lock_for = app.config.lock_for;
    let found = app.store.run({
        let email = email.clone();
        move |tx| {
            if let Some(locked) = attempts::locked(tx, AttemptKind::Password, &email, now())? {
                return Ok(Err(locked));
            }
            attempts::count(tx, AttemptKind::Password, &email, now(), lock_for)?;
            Ok(Ok(accounts::by_email(tx, &email)?))
        }
    });
    let account = found.await??;
    let stored = account
        .as_ref()
        .map(|account| account.password_hash.clone());
    let right = app.passwords.check(password, stored).await?;
    let account = account.filter(|_| right).ok_or_else(|| {
        Refusal::unauthorized(
            "INVALID_CREDENTIALS",
            "e-mail address and password do not belong together",
        )
    })?;

    let next = app.store.run({
        let app = Arc::clone(&app);
        move |tx| {
            attempts::forget(tx, AttemptKind::Password, &email)?;
            if account.blocked {
                return Ok(Err(blocked()));
            }
            proceed(&app, tx, account, &device)
        }
    });
    respond(&app, &headers, StatusCode::OK, next.await??)
}

/// Registration accepts `locale` in addition to the contract's fields, and refuses others.
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mut fields = Fields::parse(&headers, &body)?;
    let name = fields.line("name", 100);
    let email = fields.email();
    let password = fields.new_password(&email);
    let locale = fields.locale();
    let device = fields.device();
    fields.done()?;
    app.limits.check(Limit::Register, from.0, "")?;

    let hash = app.passwords.hash(password).await?;
    let mut account = Account::new(email, name, hash, now());
    if let Some(locale) = locale {
        account.locale = locale;
    }
    let accept = app.rules().registration == Registration::Accept;
    let created = app.store.run({
        let app = Arc::clone(&app);
        move |tx| {
            if !accounts::create(tx, &account)? {
                return Ok(Err(taken()));
            }
            if accept {
                return Ok(Ok(None));
            }
            Ok(proceed(&app, tx, account, &device)?.map(Some))
        }
    });
    match created.await?? {
        None => Ok(answer(
            StatusCode::CREATED,
            &json!({ "message": "the account is ready; sign in" }),
        )),
        Some(next) => respond(&app, &headers, StatusCode::CREATED, next),
    }
}

/// Opens a session, or asks for a code where the account or the configuration requires one. An
/// account locked by too many wrong codes gets no code; only the right password reveals that.
fn proceed(
    app: &App,
    tx: &rusqlite::Transaction<'_>,
    account: Account,
    device: &Device,
) -> rusqlite::Result<Result<Next, Refusal>> {
    let rules = app.rules();
    let unverified = rules.registration == Registration::Code && !account.email_verified;
    if unverified || account.second_factor != SecondFactor::None {
        if let Some(locked) = attempts::locked(tx, AttemptKind::Code, &account.email, now())? {
            return Ok(Err(locked));
        }
        let code = otp::begin(tx, &app.key, &account, device, now(), &rules)?;
        return Ok(Ok(Next::Code(Box::new(account), code)));
    }
    let issued = sessions::open(tx, &account.id, device, now(), &rules)?;
    Ok(Ok(Next::Session(Box::new(account), issued)))
}

fn respond(app: &App, headers: &HeaderMap, status: StatusCode, next: Next) -> Answer {
    match next {
        Next::Session(account, issued) => welcome(app, status, &account, &issued),
        Next::Code(account, code) => {
            if let Some(code) = code {
                mail(app, headers, &account, code);
            }
            let methods = otp::methods(&account);
            let wanted = json!({ "otpRequired": true, "email": account.email, "methods": methods });
            Ok(answer(StatusCode::OK, &wanted))
        }
    }
}

/// The answer to a completed sign-in, with both cookies.
pub(super) fn welcome(
    app: &App,
    status: StatusCode,
    account: &Account,
    issued: &Issued,
) -> Result<Response<Body>, Refusal> {
    let mut response = app.session_answer(status, account, issued)?;
    app.set_cookie(&mut response, &cookies::locale(&account.locale));
    Ok(response)
}

/// Sends a code, in the language of this device's cookie or else of the account.
pub(super) fn mail(app: &App, headers: &HeaderMap, account: &Account, code: String) {
    let locale = cookies::read(headers, cookies::LOCALE);
    let locale = locale.as_deref().unwrap_or(&account.locale);
    app.mailbox
        .send(Mail::with_code(&account.email, locale, code, now()));
}

fn taken() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "EMAIL_TAKEN",
        "there is an account with this e-mail address",
    )
}

pub(super) fn blocked() -> Refusal {
    Refusal::forbidden("ACCOUNT_BLOCKED", "this account is blocked")
}
