//! Signing in, signing up and signing out.

use serde_json::json;
use vestibule_backend::{Config, Registration};

use crate::support::{DEMO, Device, PASSWORD, start, start_with};

#[tokio::test]
async fn login_answers_the_contract() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let reply = device.login("  Demo@Vestibule.TEST ", PASSWORD).await;
    assert_eq!(
        reply.status, 200,
        "the address is trimmed and compared without case"
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));

    let body = reply.json();
    assert_eq!(body["user"]["email"], DEMO);
    assert_eq!(body["user"]["emailVerified"], true);
    assert_eq!(body["user"]["roles"], json!(["user"]));
    assert!(body["user"]["image"].is_null() && body["user"]["id"].is_string());
    assert_eq!(body["tokens"]["expiresIn"], 900);
    let expires = body["tokens"]["expires"].as_str().expect("a date");
    assert!(expires.ends_with('Z') && expires.contains('T'), "{expires}");

    let cookie = reply.set_cookie("__refresh_token").expect("the cookie");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(
        !cookie.contains("Secure"),
        "cookies are not Secure over plain HTTP"
    );
    let ordinary = reply
        .set_cookie("vestibule_locale")
        .expect("the other cookie");
    assert!(ordinary.starts_with("vestibule_locale=en;"), "{ordinary}");
    assert!(!body.to_string().contains(&reply.refresh_token()));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_apart_by_nothing() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let wrong = device.login(DEMO, "not-the-password").await;
    let unknown = device
        .login("nobody@vestibule.test", "whatever-it-is")
        .await;
    assert_eq!(wrong.refused(), (401, "INVALID_CREDENTIALS".into()));
    assert_eq!(wrong.body, unknown.body);
    assert!(wrong.set_cookie("__refresh_token").is_none());
}

#[tokio::test]
async fn blocked_accounts_are_told_so_only_with_the_right_password() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    assert!(backend.block(DEMO));
    assert_eq!(device.login(DEMO, "wrong-password").await.refused().0, 401);
    let told = device.login(DEMO, PASSWORD).await.refused();
    assert_eq!(told, (403, "ACCOUNT_BLOCKED".into()));
    let refreshed = device.refresh().await.refused();
    assert_eq!(refreshed, (401, "SESSION_REVOKED".into()));
    assert!(backend.unblock(DEMO));
    assert_eq!(device.login(DEMO, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn register_signs_in_and_takes_an_address_once() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let reply = device
        .register("Neo", "Neo@Example.test", "correct horse")
        .await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.json()["user"]["email"], "neo@example.test");
    assert_eq!(reply.json()["user"]["emailVerified"], false);
    assert_eq!(device.refresh().await.status, 200);

    let again = device
        .register("Neo", "neo@example.test", "other password")
        .await;
    assert_eq!(again.refused(), (409, "EMAIL_TAKEN".into()));
    assert_eq!(
        device
            .login("neo@example.test", "correct horse")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn register_keeps_a_locale_and_refuses_what_it_does_not_know() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let account = json!({ "name": "Ida", "email": "ida@example.test",
        "password": "correct horse", "locale": "de-AT" });
    let reply = device.post("/register", account.clone()).await;
    let cookie = reply.set_cookie("vestibule_locale").expect("a cookie");
    assert!(cookie.starts_with("vestibule_locale=de-AT;"), "{cookie}");

    let mut more = account;
    more["email"] = "ida2@example.test".into();
    more["company"] = "ACME".into();
    let refused = device.post("/register", more).await;
    assert_eq!(refused.refused().0, 422);
    let message = refused.json()["message"].to_string();
    assert!(message.contains("company"), "{message}");
}

#[tokio::test]
async fn register_names_every_bad_field() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let reply = device.register(" ", "not-an-address", "short").await;
    assert_eq!(reply.refused(), (422, "INVALID_INPUT".into()));
    let message = reply.json()["message"].to_string();
    for field in ["name", "email", "password"] {
        assert!(message.contains(field), "{field} in {message}");
    }
    let famous = device
        .register("Eve", "eve@example.test", "Password123")
        .await;
    assert_eq!(famous.refused().0, 422, "a common password is refused");
}

#[tokio::test]
async fn register_may_only_accept_or_want_a_code() {
    let accepting = start_with(Config {
        registration: Registration::Accept,
        ..Config::default()
    })
    .await;
    let mut device = Device::new(&accepting);
    let reply = device
        .register("Ann", "ann@example.test", "correct horse")
        .await;
    assert_eq!(reply.status, 201);
    assert!(reply.json().get("tokens").is_none() && device.cookies.is_empty());
    assert_eq!(
        device
            .login("ann@example.test", "correct horse")
            .await
            .status,
        200
    );

    accepting.set_registration(Registration::Code);
    let reply = device
        .register("Bob", "bob@example.test", "correct horse")
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["otpRequired"], true);
    let again = device.login("bob@example.test", "correct horse").await;
    assert_eq!(again.json()["otpRequired"], true, "still unverified");
    let code = accepting.last_code("bob@example.test").expect("a code");
    let verified = device.verify("bob@example.test", &code).await;
    assert_eq!(verified.json()["user"]["emailVerified"], true);
    let later = device.login("bob@example.test", "correct horse").await;
    assert!(
        later.json().get("tokens").is_some(),
        "the address stays verified"
    );
}

#[tokio::test]
async fn logout_ends_the_session_and_deletes_the_cookie() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let before = device.clone();
    let reply = device.logout().await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let cookie = reply.set_cookie("__refresh_token").expect("a deletion");
    assert!(cookie.contains("Max-Age=0"), "{cookie}");

    let mut stolen = before.clone();
    assert_eq!(
        stolen.refresh().await.refused(),
        (401, "SESSION_ENDED".into())
    );
    assert_eq!(
        stolen.get("/me").await.status,
        401,
        "the access token ends with the session"
    );
    assert_eq!(
        before.clone().logout().await.status,
        204,
        "a second sign-out succeeds too"
    );
    let nobody = Device::new(&backend).logout().await;
    assert_eq!(nobody.refused(), (401, "TOKEN_MISSING".into()));
    let strange = before
        .with_refresh_token("ab".repeat(32).as_str())
        .logout()
        .await;
    assert_eq!(
        strange.status, 401,
        "a token that was never issued is refused"
    );
}

#[tokio::test]
async fn ten_failures_lock_the_address_whether_or_not_it_exists() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for email in [DEMO, "ghost@vestibule.test"] {
        for _ in 0..10 {
            assert_eq!(device.login(email, "wrong-password").await.status, 401);
        }
        let locked = device.login(email, PASSWORD).await;
        assert_eq!(locked.refused(), (423, "ACCOUNT_LOCKED".into()), "{email}");
        let wait: u64 = locked
            .header("retry-after")
            .expect("a wait")
            .parse()
            .expect("seconds");
        assert!((890..=900).contains(&wait), "{wait}");
    }
    let admin = device.login("admin@vestibule.test", PASSWORD).await;
    assert_eq!(admin.status, 200, "other accounts are not locked");
}

#[tokio::test]
async fn a_success_in_between_forgets_the_failures() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(device.login(DEMO, "wrong-password").await.status, 401);
        }
        device.sign_in().await;
    }
}
