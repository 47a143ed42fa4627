//! Sign-ins whose tokens cannot be used. They are alive at the provider, so they are revoked.

use serde_json::{Value, json};
use vestibule_backend::{Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{DEMO, alive, code, eventually, why};

use super::{App, TOKEN, approve_as_demo, forms, outcome, visit};

/// Signs in, and answers which tokens were revoked once none is alive.
async fn revoked(app: &App) -> Vec<String> {
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    let ended = outcome(attempt).await;
    assert_eq!(code(&ended), Some(ErrorCode::BadAnswer));
    eventually("nothing to be alive there", || {
        app.backend().requests("POST", "/oidc/revoke") > 0 && alive(app.backend(), DEMO) == 0
    })
    .await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
    assert_eq!(app.install.item(), None);
    let forms = forms(app, "/oidc/revoke");
    forms
        .iter()
        .map(|form| form["token_type_hint"].clone())
        .collect()
}

async fn app(more: Value, patch: Value) -> App {
    let app = App::with(more).await;
    let patch = Effect::Patch { body: patch };
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, patch).times(1));
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_without_a_token_for_the_api_is_revoked() {
    for (api_token, patch) in [
        ("access_token", json!({"token_type": "DPoP"})),
        ("access_token", json!({"access_token": null})),
        ("id_token", json!({"id_token": null})),
    ] {
        let app = app(json!({ "api_token": api_token }), patch.clone()).await;
        let hints = revoked(&app).await;
        assert_eq!(hints[0], "refresh_token", "{patch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_without_a_refresh_token_is_revoked() {
    for patch in [json!({}), json!({"token_type": "DPoP"})] {
        let short = json!({"scopes": ["openid", "email", "profile"]});
        let app = app(short, patch.clone()).await;
        assert_eq!(revoked(&app).await, ["access_token"], "{patch}");
    }
}
