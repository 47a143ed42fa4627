//! What the issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414), and its public keys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::issuer;
use crate::app::App;
use crate::error::answer;
use crate::routes::Answer;

/// What an app may ask for.
pub(super) const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

pub(crate) async fn configuration(headers: HeaderMap) -> Answer {
    let issuer = issuer(&headers)?;
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oidc/authorize"),
        "token_endpoint": format!("{issuer}/oidc/token"),
        "device_authorization_endpoint": format!("{issuer}/oidc/device"),
        "revocation_endpoint": format!("{issuer}/oidc/revoke"),
        "userinfo_endpoint": format!("{issuer}/oidc/userinfo"),
        "jwks_uri": format!("{issuer}/oidc/keys"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "email",
            "email_verified", "picture", "roles",
        ],
    });
    Ok(answer(StatusCode::OK, &body))
}

pub(crate) async fn keys(State(app): State<Arc<App>>) -> Answer {
    Ok(answer(StatusCode::OK, &app.signing.public()))
}
