//! A profile whose API takes the ID token. The provider's access token is kept beside it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule_backend::Fault;
use vestibule_harness::{DEMO, answer, eventually, get};

use super::{App, forms};

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("a JWT");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}

/// What the API was sent last.
fn bearer(app: &App) -> String {
    let all = app.backend().recent_requests("GET", "/me");
    let last = all.last().expect("a call");
    let value = last.header("authorization").expect("a header");
    value.strip_prefix("Bearer ").expect("a bearer").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_gets_the_id_token_and_revocation_the_access_token() {
    let app = App::with(json!({"api_token": "id_token"})).await;
    app.sign_in(DEMO).await;
    app.backend()
        .faults()
        .add(Fault::on("GET", "/me", answer(200, json!({}), &[])));
    let reply = app.install.session.fetch(get("/me")).await.expect("a call");
    assert_eq!(reply.status, 200);
    let sent = claims(&bearer(&app));
    assert!(sent["nonce"].is_string(), "the ID token: {sent}");
    app.install.session.logout().await;
    let revoked = || forms(&app, "/oidc/revoke");
    eventually("both tokens", || revoked().len() == 2).await;
    let revoked = revoked();
    let hints: Vec<_> = revoked
        .iter()
        .map(|form| &form["token_type_hint"])
        .collect();
    assert_eq!(hints, ["refresh_token", "access_token"]);
    let access = claims(&revoked[1]["token"]);
    assert!(
        access["sid"].is_string() && access["nonce"].is_null(),
        "{access}"
    );
}
