//! `POST /oidc/revoke` (RFC 7009): ends the session of a token, of either kind, or all of that person's with
//! that client.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::json;

use super::form::Parameters;
use super::refusal::OauthRefusal;
use super::{grants, issuer};
use crate::app::App;
use crate::error::answer;
use crate::sessions::{self, End};

/// A token that is not known, or is another client's, gets the same answer (section 2.2): it is not
/// valid here afterwards either way.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, OauthRefusal> {
    issuer(&headers)?;
    let form = Parameters::of_form(&headers, &body)?;
    let client = form.require("client_id")?.to_owned();
    let token = form.require("token")?.to_owned();
    let of_access = app.access.read(&token).ok().map(|claims| claims.sid);
    let ends_grant = app.config.revocation_ends_grant;
    let ended = app.store.run(move |tx| {
        let session = match of_access {
            Some(session) => Some(session),
            None => sessions::of_token(tx, &token)?,
        };
        let Some(session) = session else {
            return Ok(());
        };
        let grant = grants::of_session(tx, &session)?;
        let Some(grant) = grant.filter(|grant| grant.client == client) else {
            return Ok(());
        };
        if ends_grant {
            return grants::end(tx, &grant);
        }
        sessions::end(tx, &session, End::SignedOut)?;
        Ok(())
    });
    ended.await?;
    Ok(answer(StatusCode::OK, &json!({})))
}
