//! Answers that a browser understands, though they are not what the standard asks for.

use serde_json::json;
use vestibule_core::wire::{LoginInput, SignInOutcome, SignedOutReason};
use vestibule_harness::is_fresh;
use vestibule_recordings::Recording;

use crate::played::{Played, said};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const COOKIE: &str = "Set-Cookie: __refresh_token=r; Path=/";
const SUCCESS: &str =
    r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"},"tokens":{"token":"a"}}"#;

async fn play(exchanges: &[String]) -> Played {
    let profile = json!({
        "cookies": {"device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"body": {}},
        },
    });
    let recording = Recording::parse(&exchanges.concat());
    Played::playing(recording, profile, "", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_costs_nobody_a_sign_in_and_hides_no_end() {
    let ended = "\u{feff}{\"code\":\"SESSION_REVOKED\"}";
    let played = play(&[
        said(LOGIN, "200 OK", &[COOKIE], &format!("\u{feff}{SUCCESS}")),
        said(
            "POST /refresh-token -H Cookie: __refresh_token=r -d {}",
            "401 Unauthorized",
            &[],
            ended,
        ),
    ])
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect_err("revoked");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Revoked);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_in_a_name_costs_nobody_a_sign_in() {
    let name = SUCCESS.replace("Ann", r"Ann \ud83d");
    let played = play(&[said(LOGIN, "200 OK", &[COOKIE], &name)]).await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(played.name(), "Ann \u{fffd}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_deleted_by_an_odd_date_is_deleted() {
    let deleted =
        "Set-Cookie: __refresh_token=deleted; Path=/; Expires=Thu, 1 Jan 1970 00:00:00 UTC";
    let played = play(&[
        said(LOGIN, "200 OK", &[COOKIE], SUCCESS),
        said(
            "POST /refresh-token -H Cookie: __refresh_token=r -d {}",
            "200 OK",
            &[deleted],
            SUCCESS,
        ),
    ])
    .await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    assert!(is_fresh(&played.state()));
    played.session.refresh().await.expect_err("it was deleted");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}
