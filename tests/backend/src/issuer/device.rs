//! Device authorization (RFC 8628): an app without a browser shows a short code, which a person types
//! into a page elsewhere while the app asks again and again.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::json;

use super::authorize::{granted_scope, sign_in};
use super::clients::Client;
use super::form::Parameters;
use super::grants::{DEVICE_LIFE, Grant};
use super::issuer;
use super::page::{self, Form};
use super::refusal::OauthRefusal;
use crate::app::{App, From};
use crate::clock::{Millis, millis, now};
use crate::error::{Refusal, answer};
use crate::limits::Limit;
use crate::secret::{below, hex, random, sha256};

/// The name of this grant at the token endpoint.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Letters of a code that a person types: no vowels, so that it is no word, and none that look alike
/// (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many seconds longer an app has to wait that has asked too soon (RFC 8628, section 3.5).
const SLOWER_S: Millis = 5;

pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, OauthRefusal> {
    let issuer = issuer(&headers)?;
    let form = Parameters::of_form(&headers, &body)?;
    let client = Client::of(form.require("client_id")?).ok_or_else(|| {
        OauthRefusal::new("invalid_client", "client_id: no such client is registered")
    })?;
    let scope = granted_scope(form.get("scope").unwrap_or_default())?;
    let code = hex(&random::<32>());
    let user_code = draw();
    let interval = millis(app.config.device_interval) / 1000;
    let kept = (code.clone(), user_code.clone());
    let added = app.store.run(move |tx| {
        tx.execute("DELETE FROM device_codes WHERE expires_at < ?1", [now()])?;
        tx.execute(
            "INSERT INTO device_codes (hash, user_code, client, scope, interval_s, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                sha256(kept.0.as_bytes()),
                kept.1,
                client.id,
                scope,
                interval,
                now() + DEVICE_LIFE
            ],
        )
    });
    added.await?;
    let page = format!("{issuer}/oidc/activate");
    let body = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": DEVICE_LIFE / 1000,
        "interval": interval,
    });
    Ok(answer(StatusCode::OK, &body))
}

/// The grant of a device that somebody has approved. An app that asks too soon has to ask more slowly.
pub(super) fn redeem(
    tx: &Transaction<'_>,
    code: &str,
    client: &str,
    now: Millis,
) -> rusqlite::Result<Result<Grant, OauthRefusal>> {
    let hash = sha256(code.as_bytes());
    let found = tx
        .prepare_cached("SELECT * FROM device_codes WHERE hash = ?1 AND client = ?2")?
        .query_row(params![hash, client], |row| {
            let grant = Grant {
                account: row.get::<_, Option<String>>("account")?.unwrap_or_default(),
                client: row.get("client")?,
                scope: row.get("scope")?,
                nonce: None,
                signed_in_at: row.get::<_, Option<Millis>>("signed_in_at")?.unwrap_or(now),
            };
            Ok((
                grant,
                row.get::<_, Option<bool>>("approved")?,
                row.get::<_, Millis>("interval_s")?,
                row.get::<_, Option<Millis>>("asked_at")?,
                row.get::<_, Millis>("expires_at")?,
            ))
        })
        .optional()?;
    let Some((grant, approved, interval, asked_at, expires_at)) = found else {
        let words = "the device code is not known, or was used before";
        return Ok(Err(OauthRefusal::invalid_grant(words)));
    };
    let refuse = |error, words: &str| Ok(Err(OauthRefusal::new(error, words)));
    if expires_at <= now {
        return refuse("expired_token", "nobody has entered the code in time");
    }
    let is_too_soon = asked_at.is_some_and(|asked_at| now - asked_at < interval * 1000);
    let slower = if is_too_soon { SLOWER_S } else { 0 };
    tx.execute(
        "UPDATE device_codes SET asked_at = ?2, interval_s = interval_s + ?3 WHERE hash = ?1",
        params![hash, now, slower],
    )?;
    match approved {
        _ if is_too_soon => refuse(
            "slow_down",
            "asked too soon; wait five seconds more each time",
        ),
        None => refuse("authorization_pending", "nobody has entered the code yet"),
        Some(false) => {
            tx.execute("DELETE FROM device_codes WHERE hash = ?1", [hash])?;
            refuse("access_denied", "the sign-in was refused")
        }
        Some(true) => {
            tx.execute("DELETE FROM device_codes WHERE hash = ?1", [hash])?;
            Ok(Ok(grant))
        }
    }
}

/// The page on which a person enters the code and says who they are.
pub(crate) async fn show(headers: HeaderMap, RawQuery(query): RawQuery) -> Response<Body> {
    let shown = || {
        issuer(&headers)?;
        let query = Parameters::of_query(query.as_deref().unwrap_or_default())?;
        Ok::<_, OauthRefusal>(query.get("user_code").map(normalised))
    };
    match shown() {
        Ok(user_code) => page::form(&Form::device(user_code.as_deref(), None)),
        Err(refusal) => page::refused(&refusal),
    }
}

pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let decided = decide(&app, from, &headers, &body).await;
    decided.unwrap_or_else(|refusal| page::refused(&refusal))
}

async fn decide(
    app: &Arc<App>,
    from: From,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<Body>, OauthRefusal> {
    issuer(headers)?;
    page::require_own_form(headers)?;
    let form = Parameters::of_form(headers, body)?;
    let user_code = normalised(form.get("user_code").unwrap_or_default());
    app.limits.check(Limit::Codes, from.0, "")?;
    let wanted = user_code.clone();
    let client = app.store.run(move |tx| {
        tx.query_row(
            "SELECT client FROM device_codes
             WHERE user_code = ?1 AND approved IS NULL AND expires_at > ?2",
            params![wanted, now()],
            |row| row.get::<_, String>(0),
        )
        .optional()
    });
    let Some(client) = client.await?.as_deref().and_then(Client::of) else {
        let words = "This code is not known, or has expired. Ask for a new one in the app.";
        return Ok(page::form(&Form::device(Some(&user_code), Some(words))));
    };
    if form.get("decision") == Some("refuse") {
        settle(app, &user_code, None).await?;
        return Ok(page::message(
            "Refused",
            "The app was not signed in. You can close this page.",
        ));
    }
    let account = match sign_in(app, from, headers, &form).await? {
        Ok(account) => account,
        Err(next) => {
            let mut again = Form::device(Some(&user_code), next.words.as_deref());
            again.ask(&next, client.name);
            return Ok(page::form(&again));
        }
    };
    settle(app, &user_code, Some(account.id)).await?;
    let words = format!("{} is signed in. You can close this page.", client.name);
    Ok(page::message("Done", &words))
}

/// Notes what a person has decided.
async fn settle(app: &App, user_code: &str, account: Option<String>) -> Result<(), Refusal> {
    let user_code = user_code.to_owned();
    let settled = app.store.run(move |tx| {
        tx.execute(
            "UPDATE device_codes SET approved = ?2, account = ?3, signed_in_at = ?4
             WHERE user_code = ?1 AND approved IS NULL",
            params![user_code, account.is_some(), account, now()],
        )
    });
    settled.await.map(drop)
}

fn draw() -> String {
    let letter = || char::from(LETTERS[below(20) as usize]);
    let half = || (0..4).map(|_| letter()).collect::<String>();
    format!("{}-{}", half(), half())
}

/// A code as it was drawn, however a person has typed it.
fn normalised(typed: &str) -> String {
    let letters: String = typed
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_uppercase())
        .take(8)
        .collect();
    match letters.len() {
        8 => format!("{}-{}", &letters[..4], &letters[4..]),
        _ => letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let drawn = draw();
        let bare = drawn.replace('-', "");
        for typed in [
            drawn.clone(),
            bare.to_lowercase(),
            format!(" {bare} "),
            bare.clone(),
        ] {
            assert_eq!(normalised(&typed), drawn, "{typed}");
        }
        assert_eq!(normalised("abc"), "ABC");
        assert_eq!(normalised("ÄÖÜ<script>"), "SCRIPT");
    }
}
