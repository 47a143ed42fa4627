//! node-express-boilerplate: tokens in bodies, and a refresh whose answer does not name the user.

use serde_json::json;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};
use vestibule_recordings::{NODE_EXPRESS_BOILERPLATE, Recording};

use crate::played::{Played, said};
use vestibule_harness::{code, get, is_fresh, why};

const BOB: &str = "bob@example.com";
const PASSWORD: &str = "password1";

async fn played() -> Played {
    let recording = format!("{NODE_EXPRESS_BOILERPLATE}{}", after_the_sign_out());
    let profile = json!({"extends": "node-express-boilerplate"});
    Played::playing(Recording::parse(&recording), profile, "/v1", &[]).await
}

/// A refresh with the token that was signed out. NOT RECORDED: written from the published source,
/// whose `refreshAuth` answers this to every unknown token.
fn after_the_sign_out() -> String {
    let recorded = Recording::parse(NODE_EXPRESS_BOILERPLATE);
    let mut wanted = recorded.exchanges().iter().map(|exchange| &exchange.wanted);
    let logout = wanted.find(|wanted| wanted.path == "/v1/auth/logout");
    let body = logout.and_then(|logout| logout.body.as_ref());
    let body = body.expect("a sign-out with a token");
    said(
        &format!("POST /v1/auth/refresh-tokens -H Content-Type: application/json -d {body}"),
        "401 Unauthorized",
        &[],
        r#"{"code":401,"message":"Please authenticate"}"#,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_signs_in_and_a_second_is_refused() {
    let played = played().await;
    let outcome = played
        .session
        .register(RegisterInput::new("Bob", BOB, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "201 with tokens");
    assert_eq!(played.name(), "Bob");
    let taken = played
        .session
        .register(RegisterInput::new("Bob", BOB, PASSWORD))
        .await;
    assert_eq!(
        code(&taken),
        Some(ErrorCode::EmailTaken),
        "the message decides, not the status 400"
    );
    let mut invalid = RegisterInput::new("Bob", "bob", "x");
    invalid.more = json!({"extra": 1}).as_object().cloned();
    let error = played.session.register(invalid).await.expect_err("400");
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(error.message.contains("valid email"), "{}", error.message);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_wrong_password_to_the_last_sign_out() {
    let played = played().await;
    let wrong = played.session.login(LoginInput::new(BOB, "nope")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));

    played.sign_in(BOB, PASSWORD).await;
    assert_eq!(played.name(), "Bob");
    let end = played
        .expires_at()
        .expect("the session's end is that of the refresh token");
    assert!(end.starts_with("2026-12-23T05:07:"), "{end}");
    let first = played.item();
    let reply = played
        .session
        .fetch(get("/users/6b03ca081ae4a36a33d44ddc"))
        .await;
    let reply = reply.expect("a call with the access token");
    assert!(reply.status == 200 && reply.body.contains(BOB));

    let before = played.kept();
    played.session.refresh().await.expect("renewed");
    assert!(is_fresh(&played.session.snapshot().state));
    assert_ne!(played.kept(), before, "the new token is in the keyring");
    assert_eq!(played.name(), "Bob", "a refresh keeps the user's name");
    let second = played.item();

    // The registration and this sign-in were recorded within one second, so both got the same
    // token, which the backend lists twice. Using it a second time is therefore no reuse.
    let copy = played.copy(&first);
    copy.until("a session from an old token", is_fresh).await;
    assert_eq!(copy.name(), "Bob", "the record has the user's name");

    played.session.logout().await;
    let state = played.session.snapshot().state;
    assert_eq!(why(&state), Some(SignedOutReason::ByUser));
    vestibule_harness::eventually("the backend to receive the sign-out", || {
        played.asked("/v1/auth/logout") == 1
    })
    .await;
    let late = played.copy(&second);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_said_in_html_is_a_limit() {
    let played = played().await;
    let wrong = || played.session.login(LoginInput::new(BOB, "nope"));
    assert_eq!(code(&wrong().await), Some(ErrorCode::InvalidCredentials));
    let limited = wrong().await.expect_err("limited");
    assert_eq!(limited.code, ErrorCode::RateLimited);
    assert_eq!(
        limited.retry_after_ms,
        Some(900_000),
        "the wait that the backend names"
    );
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_has_not_is_said() {
    let played = played().await;
    let verified = vestibule_harness::verify(&played.session, Secret::new("123456")).await;
    assert_eq!(code(&verified), Some(ErrorCode::NoChallenge));
    let resent = played.session.send_otp().await;
    assert_eq!(code(&resent), Some(ErrorCode::NoChallenge));
}
