//! The bundled backend as an OpenID Connect issuer, for development and tests: apps sign in by the
//! system's browser (RFC 8252, PKCE) or by a code on another device (RFC 8628). Its sessions, refresh
//! tokens and access tokens are the backend's own, so that the API takes them and they end together.
//!
//! There is no session of the browser's: each request asks who it is.

mod authorize;
mod clients;
mod device;
mod discovery;
mod form;
mod grants;
mod page;
mod refusal;
mod revoke;
mod signing;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};

pub(crate) use self::signing::SigningKey;
use crate::app::App;
use crate::error::Refusal;
use crate::routes::local;

/// The issuer's endpoints.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(discovery::configuration),
        )
        .route("/oidc/keys", get(discovery::keys))
        .route(
            "/oidc/authorize",
            get(authorize::show).post(authorize::submit),
        )
        .route("/oidc/token", post(token::exchange))
        .route("/oidc/userinfo", get(token::user_info))
        .route("/oidc/revoke", post(revoke::revoke))
        .route("/oidc/device", post(device::begin))
        .route("/oidc/activate", get(device::show).post(device::submit))
}

/// The issuer's name: the address by which it was asked. Only a name of this machine is taken, so that
/// no page can give it one of its own.
fn issuer(headers: &HeaderMap) -> Result<String, Refusal> {
    local(headers)?;
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    Ok(format!("http://{host}"))
}
