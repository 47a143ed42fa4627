//! How each profile says what its provider wants: the section `browser`, for the server's address.

use serde_json::{Value, json};

/// What the servers here call this app.
const CLIENT: &str = "vestibule-desktop";
/// The sign-in page of the web app beside a Better Auth server.
const PAGE: &str = "/sign-in";
/// The provider that the Better Auth server has by its plugin `genericOAuth`.
const HOUSE: &str = "house";

/// `oidc-provider`, which gives a refresh token to those alone whom the person was asked about.
pub fn oidc_provider(url: &str) -> Value {
    json!({
        "issuer": url,
        "client_id": CLIENT,
        "device": true,
        "parameters": {"prompt": "consent"},
    })
}

/// Better Auth's plugin for desktop apps, by the web app's own page.
pub fn better_auth_page(url: &str) -> Value {
    json!({"page": format!("{url}{PAGE}")})
}

/// The same, straight to another provider.
pub fn better_auth_provider(_url: &str) -> Value {
    let button = json!({"name": HOUSE, "parameters": {"provider": HOUSE}});
    json!({"buttons": [button]})
}

/// Better Auth as an issuer.
pub fn better_auth_issuer(url: &str) -> Value {
    json!({"issuer": format!("{url}/api/auth"), "client_id": CLIENT})
}

/// django-oauth-toolkit as an issuer, whose discovery names no revocation.
pub fn django_oidc(url: &str) -> Value {
    json!({
        "issuer": format!("{url}/o"),
        "revoke": format!("{url}/o/revoke_token/"),
        "client_id": format!("{CLIENT}-browser"),
        "scopes": ["openid", "email"],
    })
}

/// django-oauth-toolkit as OAuth 2 alone.
pub fn django_oauth2(url: &str) -> Value {
    json!({
        "kind": "oauth2",
        "authorize": format!("{url}/o/authorize/"),
        "token": format!("{url}/o/token/"),
        "revoke": format!("{url}/o/revoke_token/"),
        "userinfo": format!("{url}/o/userinfo/"),
        "client_id": format!("{CLIENT}-browser"),
        "scopes": ["openid", "email"],
    })
}
