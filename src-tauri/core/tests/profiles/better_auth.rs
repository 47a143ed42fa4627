//! A Better Auth server: the session is a cookie, reading the session extends it, `null` ends it,
//! and the code of a second factor is sent on request.

use serde_json::json;
use vestibule_core::wire::{CodeMethod, LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, Secret};
use vestibule_recordings::{BETTER_AUTH, Recording};

use crate::played::Played;
use vestibule_harness::{code, eventually, is_fresh, verify_by};

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";
const GET_SESSION: &str = "/api/auth/get-session";

async fn played(from: Option<&str>) -> Played {
    let recording = Recording::parse(BETTER_AUTH);
    let recording = match from {
        Some(heading) => recording.from(heading),
        None => recording,
    };
    // Recorded before the app could ask for trust in a device.
    let profile = json!({"extends": "better-auth"});
    Played::playing(recording, profile, "", &["trustDevice"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_signs_in_and_refusals_say_why() {
    let played = played(None).await;
    let outcome = played
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert_eq!(played.name(), "Ann");
    let taken = played
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(
        code(&taken),
        Some(ErrorCode::EmailTaken),
        "the error code decides, not the status 422"
    );
    let invalid = played
        .session
        .register(RegisterInput::new("Ann", "bad", "x"))
        .await;
    assert_eq!(code(&invalid), Some(ErrorCode::InvalidInput));
    let wrong = played
        .session
        .login(LoginInput::new(ANN, "wrong-password"))
        .await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_session_renews_it() {
    let played = played(None).await;
    played.sign_in(ANN, PASSWORD).await;
    let kept = played.kept();
    assert!(
        kept.ends_with("kmXJ5%2B8%3D"),
        "the cookie, untouched: {kept}"
    );
    played.session.refresh().await.expect("renewed");
    assert!(is_fresh(&played.session.snapshot().state));
    assert_eq!(played.asked(GET_SESSION), 1);
    assert_eq!(
        played.kept(),
        kept,
        "a refresh extends the session and keeps its token"
    );
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_read_from_its_own_header() {
    let heading = "no Origin, no cookie (native client)";
    let played = played(Some(heading)).await;
    let limited = played.session.login(LoginInput::new(ANN, PASSWORD)).await;
    let limited = limited.expect_err("limited");
    assert_eq!(limited.code, ErrorCode::RateLimited);
    assert_eq!(limited.retry_after_ms, Some(10_000), "x-retry-after");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_not_trusted_is_told_so() {
    let recording = Recording::parse(BETTER_AUTH).from("tauri origin");
    let profile = json!({"extends": "better-auth", "headers": {"origin": "tauri://localhost"}});
    let played = Played::playing(recording, profile, "", &[]).await;
    let refused = played.session.login(LoginInput::new(ANN, PASSWORD)).await;
    let refused = refused.expect_err("403");
    assert_eq!(
        refused.code,
        ErrorCode::Misconfigured,
        "a wrong origin is a mistake of the configuration"
    );
    assert_eq!(refused.message, "Invalid origin");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_sent_for_and_null_ends_a_session() {
    let heading = "sign-in now asks for second factor";
    let played = played(Some(heading)).await;
    let outcome = played.session.login(LoginInput::new(ANN, PASSWORD)).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::OtpRequired),
        "a flag in a 200 asks for the second factor"
    );
    assert_eq!(
        played.asked("/api/auth/two-factor/send-otp"),
        0,
        "the answer names the authenticator app first"
    );
    played.session.send_otp().await.expect("sent");
    assert_eq!(
        played.asked("/api/auth/two-factor/send-otp"),
        1,
        "the code is sent with the cookie of the challenge"
    );
    let by_mail = |code| verify_by(&played.session, CodeMethod::Otp, Secret::new(code));
    let wrong = by_mail("000000").await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = by_mail("426939").await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    played.session.refresh().await.expect("renewed");
    let item = played.item();

    played.session.logout().await;
    eventually("the backend to receive the sign-out", || {
        played.asked("/api/auth/sign-out") == 1
    })
    .await;
    let late = played.copy(&item);
    assert_eq!(
        late.until_signed_out().await,
        SignedOutReason::Expired,
        "200 with null"
    );
    assert_eq!(played.asked(GET_SESSION), 2);
    played.check_no_strays();
}
