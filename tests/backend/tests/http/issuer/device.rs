//! A code for another device (RFC 8628).

use vestibule_backend::{Backend, Config};

use crate::support::{DEMO, PASSWORD, Reply, start_with};

use super::{Browser, assert_error, me, text, token};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin_device(backend: &Backend) -> (String, String) {
    let form = [
        ("client_id", "vestibule".to_owned()),
        ("scope", "openid offline_access".to_owned()),
    ];
    let begun = Browser::new(backend).post("/oidc/device", &form).await;
    assert!(
        text(&begun, "verification_uri_complete").starts_with(&text(&begun, "verification_uri"))
    );
    (text(&begun, "device_code"), text(&begun, "user_code"))
}

async fn ask(backend: &Backend, device_code: &str) -> Reply {
    token(
        backend,
        &[("grant_type", DEVICE_GRANT), ("device_code", device_code)],
    )
    .await
}

#[tokio::test]
async fn a_device_is_approved_elsewhere() {
    let at_once = Config {
        device_interval: std::time::Duration::ZERO,
        ..Config::default()
    };
    let backend = start_with(at_once).await;
    let browser = Browser::new(&backend);
    let (device_code, user_code) = begin_device(&backend).await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let typed = |code: &str, decision: &str| {
        vec![
            ("user_code", code.to_owned()),
            ("email", DEMO.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("decision", decision.to_owned()),
        ]
    };
    browser
        .post("/oidc/activate", &typed("WRNG-CDXX", "allow"))
        .await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let as_typed = user_code.to_lowercase().replace('-', " ");
    let done = browser
        .post("/oidc/activate", &typed(&as_typed, "allow"))
        .await;
    assert!(String::from_utf8_lossy(&done.body).contains("Vestibule is signed in"));
    let tokens = ask(&backend, &device_code).await;
    assert_eq!(me(&backend, &text(&tokens, "access_token")).await, 200);
    assert_error(&ask(&backend, &device_code).await, 400, "invalid_grant");

    let (device_code, user_code) = begin_device(&backend).await;
    browser
        .post("/oidc/activate", &typed(&user_code, "refuse"))
        .await;
    assert_error(&ask(&backend, &device_code).await, 400, "access_denied");
}

#[tokio::test]
async fn a_device_that_asks_too_often_is_slowed_down() {
    let seldom = Config {
        device_interval: std::time::Duration::from_secs(3600),
        ..Config::default()
    };
    let backend = start_with(seldom).await;
    let (device_code, user_code) = begin_device(&backend).await;
    assert_error(
        &ask(&backend, &device_code).await,
        400,
        "authorization_pending",
    );
    let form = [
        ("user_code", user_code),
        ("email", DEMO.to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    Browser::new(&backend).post("/oidc/activate", &form).await;
    assert_error(&ask(&backend, &device_code).await, 400, "slow_down");
}
