//! The ID token of a refresh (OpenID Connect Core §12.2): it is of the sign-in's issuer and person, or the
//! answer is not used.

use serde_json::{Value, json};
use vestibule_backend::Fault;
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::{answer, code, eventually, is_fresh, is_stale, user};

use super::forged::{Key, claims, header, sign_in};
use super::{App, TOKEN, forms};

/// An app in which Una (`u-7`) has signed in, with a provider that answers nothing yet.
async fn signed_in(key: &Key, more: Value) -> App {
    let app = App::with(more).await;
    let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, json!({}))));
    let ended = sign_in(&app, &[key], signed, &[]).await;
    assert_eq!(ended, Ok(SignInOutcome::SignedIn));
    app.backend().faults().clear();
    app
}

/// Lets the next refresh bring these tokens.
fn bring(app: &App, number: u32, id_token: &str) {
    let body = json!({
        "access_token": format!("a-{number}"), "refresh_token": format!("r-{number}"),
        "id_token": id_token, "token_type": "Bearer", "expires_in": 900,
    });
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, answer(200, body, &[])).times(1));
}

fn publish(app: &App, key: &Key) {
    let keys = answer(200, json!({"keys": [key.public()]}), &[]);
    app.backend()
        .faults()
        .add(Fault::on("GET", "/oidc/keys", keys));
}

fn kept(app: &App) -> Value {
    app.install.item().expect("an item")["token"]["provider"]["token"].clone()
}

fn id(app: &App) -> Option<String> {
    user(&app.state()).map(|user| user.id.clone())
}

/// Refreshes with this ID token, which must change nobody; the next refresh is sound, and goes out with the
/// refresh token `goes_on`.
async fn is_not_used(app: &App, key: &Key, name: &str, id_token: &str, goes_on: &str) {
    bring(app, 2, id_token);
    let refreshed = app.install.session.refresh().await;
    assert_eq!(code(&refreshed), Some(ErrorCode::BadAnswer), "{name}");
    assert!(is_stale(&app.state()), "{name}: {:?}", app.state());
    assert_eq!(id(app).as_deref(), Some("u-7"), "{name}");
    assert_eq!(kept(app), goes_on, "{name}");
    let seen = answer(200, json!({}), &[]);
    app.backend()
        .faults()
        .add(Fault::on("GET", "/me", seen).times(1));
    let called = app
        .install
        .session
        .fetch(vestibule_harness::get("/me"))
        .await;
    assert_eq!(called.expect("a call").status, 200, "{name}");
    let calls = app.backend().recent_requests("GET", "/me");
    let carried = calls[0].header("authorization").expect("a token");
    assert!(
        !carried.contains("a-2") && !carried.contains(id_token),
        "{name}: calls go on as before"
    );

    publish(app, key);
    bring(app, 3, &key.sign(header(), &claims(app, "any", json!({}))));
    app.install.until_fresh().await;
    assert_eq!(id(app).as_deref(), Some("u-7"), "{name}");
    let sent = forms(app, TOKEN);
    let last = sent.last().expect("a request");
    assert_eq!(last["refresh_token"], goes_on, "{name}");
    assert_eq!(kept(app), "r-3", "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_brings_somebody_elses_tokens_changes_nothing() {
    for api_token in ["access_token", "id_token"] {
        let key = Key::new("k1");
        let app = signed_in(&key, json!({ "api_token": api_token })).await;
        let token = key.sign(header(), &claims(&app, "any", somebody()));
        // The refresh token beside it is theirs too.
        is_not_used(&app, &key, api_token, &token, "r").await;
    }
}

fn somebody() -> Value {
    json!({"sub": "u-8", "name": "Bo", "email": "bo@example.com"})
}

/// An old ID token still says whose the tokens beside it are.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_tokens_are_not_used_because_their_id_token_has_expired() {
    let key = Key::new("k1");
    let app = signed_in(&key, json!({})).await;
    let mut old = somebody();
    old["exp"] = json!(1_000_000);
    let token = key.sign(header(), &claims(&app, "any", old));
    is_not_used(&app, &key, "expired", &token, "r").await;
}

/// What was wrong with an answer is forgotten, so its refresh token must be too: the answer to the next one
/// need not say whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_id_token_is_of_the_session_s_own_token() {
    let key = Key::new("k1");
    let app = signed_in(&key, json!({})).await;
    bring(
        &app,
        2,
        &key.sign(header(), &claims(&app, "any", somebody())),
    );
    let refused = app.install.session.refresh().await;
    assert_eq!(code(&refused), Some(ErrorCode::BadAnswer));
    let body = json!({"access_token": "a-3", "token_type": "Bearer", "expires_in": 900});
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, answer(200, body, &[])).times(1));
    app.install.until_fresh().await;
    let sent = forms(&app, TOKEN);
    assert_eq!(sent.last().expect("a request")["refresh_token"], "r");
    assert_eq!(id(&app).as_deref(), Some("u-7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_are_looked_for_once_a_minute() {
    let (key, unknown) = (Key::new("k1"), Key::new("k2"));
    let app = signed_in(&key, json!({})).await;
    publish(&app, &key);
    let before = app.backend().requests("GET", "/oidc/keys");
    let header = json!({"alg": "ES256", "kid": "k2", "typ": "JWT"});
    let token = unknown.sign(header, &claims(&app, "any", json!({})));
    let body = json!({
        "access_token": "a-2", "id_token": token, "token_type": "Bearer", "expires_in": 900,
    });
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, answer(200, body, &[])));
    let refreshed = app.install.session.refresh().await;
    assert_eq!(code(&refreshed), Some(ErrorCode::BadAnswer));
    let again = eventually("more refreshes", || app.refreshes() >= 5);
    app.install.passing(again).await;
    assert!(is_stale(&app.state()));
    assert_eq!(app.backend().requests("GET", "/oidc/keys"), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_with_an_id_token_that_fails_its_checks_changes_nothing() {
    let sound = || header();
    for (name, change, by) in [
        ("audience", json!({"aud": "another-app"}), None),
        ("issuer", json!({"iss": "https://evil.example"}), None),
        ("signature", json!({}), Some(Key::new("k1"))),
    ] {
        for api_token in ["access_token", "id_token"] {
            let key = Key::new("k1");
            let app = signed_in(&key, json!({ "api_token": api_token })).await;
            publish(&app, &key);
            let signer = by.as_ref().unwrap_or(&key);
            let token = signer.sign(sound(), &claims(&app, "any", change.clone()));
            // The provider has replaced the token.
            is_not_used(&app, &key, name, &token, "r-2").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_had_leave_the_user_as_before() {
    let key = Key::new("k1");
    let app = signed_in(&key, json!({})).await;
    let down = vestibule_harness::refusal(503, "DOWN");
    app.backend()
        .faults()
        .add(Fault::on("GET", "/oidc/keys", down));
    // By a key that the app has not seen yet.
    let (next, new) = (
        Key::new("k2"),
        json!({"alg": "ES256", "kid": "k2", "typ": "JWT"}),
    );
    bring(
        &app,
        2,
        &next.sign(new.clone(), &claims(&app, "any", json!({}))),
    );
    app.install.session.refresh().await.expect("renewed");
    assert!(is_fresh(&app.state()));
    assert_eq!(id(&app).as_deref(), Some("u-7"));
    app.backend().faults().clear();
    publish(&app, &next);
    bring(&app, 3, &next.sign(new, &claims(&app, "any", json!({}))));
    let renewed = app.install.session.refresh().await;
    renewed.expect("the keys are looked for again at once");
}
