//! Supabase Auth, by its published contract: these answers were written, not recorded.

use std::time::Duration;

use serde_json::json;
use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_recordings::{Recording, SUPABASE_BY_CONTRACT};

use crate::played::{Played, said};
use vestibule_harness::{code, eventually, user};

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";

async fn played() -> Played {
    let recording = Recording::parse(SUPABASE_BY_CONTRACT);
    let profile = json!({"extends": "supabase", "headers": {"apikey": "publishable"}});
    Played::playing(recording, profile, "", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_registration_to_the_refresh_after_a_sign_out() {
    let played = played().await;
    let outcome = played
        .session
        .register(RegisterInput::new("Ann", ANN, PASSWORD))
        .await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::Accepted),
        "the account must be confirmed first"
    );
    let wrong = played.session.login(LoginInput::new(ANN, "wrong")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials), "a 400");
    let early = played
        .session
        .login(LoginInput::new("new@example.com", PASSWORD))
        .await;
    assert_eq!(code(&early), Some(ErrorCode::AccountBlocked));

    played.sign_in(ANN, PASSWORD).await;
    let state = played.session.snapshot().state;
    let shown = user(&state).expect("signed in");
    assert_eq!((shown.name.as_str(), shown.email_verified), ("Ann", true));
    assert_eq!(shown.roles, ["editor"]);
    let first = played.item();
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "refresh-two");
    let second = played.item();

    let copy = played.copy(&first);
    assert_eq!(copy.until_signed_out().await, SignedOutReason::Reuse);
    played.session.logout().await;
    let logout = "/auth/v1/logout?scope=local";
    eventually("the backend to receive the sign-out", || {
        played.asked(logout) == 1
    })
    .await;
    let late = played.copy(&second);
    assert_eq!(late.until_signed_out().await, SignedOutReason::Expired);
    let limited = played
        .session
        .login(LoginInput::new("many@example.com", PASSWORD))
        .await;
    assert_eq!(code(&limited), Some(ErrorCode::RateLimited));
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dead_refresh_is_a_400_that_says_why() {
    let key = "-H apikey: publishable";
    let login_call = format!(
        r#"POST /auth/v1/token?grant_type=password {key} -d {{"email":"ann@example.com","password":"correct-horse"}}"#
    );
    let refresh = format!(
        r#"POST /auth/v1/token?grant_type=refresh_token {key} -d {{"refresh_token":"r-1"}}"#
    );
    // 1795411840 is ten minutes after the answer's own date; there is no `expires_in`.
    let granted = r#"{"access_token":"a","refresh_token":"r-1","expires_at":1795411840,"user":{"id":"u","email":"ann@example.com"}}"#;
    let date = ["Date: Mon, 23 Nov 2026 05:20:40 GMT"];
    for (dead, wanted) in [
        ("refresh_token_not_found", SignedOutReason::Expired),
        ("refresh_token_already_used", SignedOutReason::Reuse),
        ("session_expired", SignedOutReason::Expired),
        ("session_not_found", SignedOutReason::Revoked),
    ] {
        let refused = format!(r#"{{"code":400,"error_code":"{dead}","msg":"no"}}"#);
        let exchanges = [
            said(&login_call, "200 OK", &date, granted),
            said(&refresh, "200 OK", &date, granted),
            said(&refresh, "400 Bad Request", &[], &refused),
        ];
        let profile = json!({"extends": "supabase", "headers": {"apikey": "publishable"}});
        let recording = Recording::parse(&exchanges.concat());
        let played = Played::playing(recording, profile, "", &[]).await;
        played.sign_in(ANN, PASSWORD).await;
        played.clock.advance(Duration::from_secs(541));
        let asked = "/auth/v1/token?grant_type=refresh_token";
        eventually("the refresh by the timer", || played.asked(asked) == 1).await;
        // The first call may join that refresh, if it is still in progress.
        while played.session.refresh().await.is_ok() {}
        assert_eq!(played.until_signed_out().await, wanted, "{dead}");
        played.check_no_strays();
    }
}
