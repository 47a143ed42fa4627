//! What a session is refreshed with: its own token, one endpoint for everything, or nothing.

use std::time::Duration;

use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};

use super::{
    ANN, JWT, ME, found_dead, make_account, name, ok, play, profile, refused_as, sign_in_by_code,
};
use crate::played::said;
use vestibule_harness::{code, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn pocketbase_renews_a_bare_token_by_itself() {
    let base = "/api/collections/users";
    let login_call = format!(
        r#"POST {base}/auth-with-password -d {{"identity":"ann@example.com","password":"pw"}}"#
    );
    let register = format!(
        r#"POST {base}/records -d {{"name":"Ann","email":"ann@example.com","password":"pw","passwordConfirm":"pw"}}"#
    );
    let taken = r#"{"status":400,"message":"Failed to create record.","data":{"email":{"code":"validation_not_unique"}}}"#;
    let signed = format!(r#"{{"token":"{JWT}","record":{ME}}}"#);
    let refresh = format!("POST {base}/auth-refresh -H Authorization: {JWT}");
    let dead = r#"{"status":401,"message":"The request requires valid record authorization token.","data":{}}"#;
    let played = play(
        profile!("pocketbase"),
        &[
            ok(&register, ME),
            said(&register, "400 Bad Request", &[], taken),
            said(
                &login_call,
                "400 Bad Request",
                &[],
                r#"{"status":400,"message":"Failed to authenticate.","data":{}}"#,
            ),
            ok(&login_call, &signed),
            ok(&refresh, &signed),
            said(&refresh, "401 Unauthorized", &[], dead),
        ],
    )
    .await;
    let made = make_account(&played).await;
    assert_eq!(
        made,
        Ok(SignInOutcome::Accepted),
        "a record, but no session"
    );
    let taken = make_account(&played).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    played.sign_in(ANN, "pw").await;
    played.clock.advance(Duration::from_secs(541));
    let asked = format!("{base}/auth-refresh");
    eventually("a refresh by the expiry in the token", || {
        played.asked(&asked) == 1
    })
    .await;
    // The first call may join that refresh, if it is still in progress.
    while played.session.refresh().await.is_ok() {}
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn auth0_has_one_address_for_everything() {
    let login_call = r#"POST /oauth/token -d {"grant_type":"password","client_id":"app","scope":"openid profile email offline_access","username":"ann@example.com","password":"pw"}"#;
    let code_call = |code: &str| {
        format!(
            r#"POST /oauth/token -d {{"grant_type":"http://auth0.com/oauth/grant-type/mfa-otp","client_id":"app","mfa_token":"m-1","otp":"{code}"}}"#
        )
    };
    let refresh = r#"POST /oauth/token -d {"grant_type":"refresh_token","client_id":"app","refresh_token":"r-1"}"#;
    let error = |code: &str| format!(r#"{{"error":"{code}","error_description":"no"}}"#);
    let who = r#"{"sub":"auth0|7","nickname":"ann","name":"Ann","email":"ann@example.com","email_verified":true}"#;
    let me = |n: u8| {
        ok(
            &format!("GET /userinfo -H Authorization: Bearer a-{n}"),
            who,
        )
    };
    let played = play(
        profile!("auth0"),
        &[
            said(login_call, "403 Forbidden", &[], &error("invalid_grant")),
            said(
                login_call,
                "403 Forbidden",
                &[],
                r#"{"error":"mfa_required","mfa_token":"m-1"}"#,
            ),
            said(
                &code_call("000000"),
                "403 Forbidden",
                &[],
                &error("invalid_grant"),
            ),
            ok(
                &code_call("123456"),
                r#"{"access_token":"a-1","refresh_token":"r-1","expires_in":86400}"#,
            ),
            me(1),
            ok(refresh, r#"{"access_token":"a-2","expires_in":86400}"#),
            me(2),
            said(refresh, "403 Forbidden", &[], &error("invalid_grant")),
        ],
    )
    .await;
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    sign_in_by_code(&played).await;
    played.session.refresh().await.expect("renewed");
    assert_eq!(
        (name(&played).as_deref(), played.kept().as_str()),
        (Some("Ann"), "r-1")
    );
    found_dead(&played).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strapi_may_want_an_account_confirmed_and_renews_nothing() {
    let login_call = r#"POST /api/auth/local -d {"identifier":"ann@example.com","password":"pw"}"#;
    let register = r#"POST /api/auth/local/register -d {"username":"ann@example.com","email":"ann@example.com","password":"pw"}"#;
    let error = |name: &str, message: &str| {
        format!(r#"{{"data":null,"error":{{"status":400,"name":"{name}","message":"{message}"}}}}"#)
    };
    let refused = |request: &str, message: &str| {
        said(
            request,
            "400 Bad Request",
            &[],
            &error("ValidationError", message),
        )
    };
    let me = format!("GET /api/users/me -H Authorization: Bearer {JWT}");
    let who = r#"{"id":7,"username":"Ann","email":"ann@example.com","confirmed":true}"#;
    let played = play(
        ("strapi", "schema = 1\nextends = \"strapi\""),
        &[
            refused(register, "Email or Username are already taken"),
            ok(register, &format!(r#"{{"user":{who}}}"#)),
            refused(login_call, "Invalid identifier or password"),
            refused(login_call, "Your account email is not confirmed"),
            ok(login_call, &format!(r#"{{"jwt":"{JWT}","user":{who}}}"#)),
            ok(&me, who),
            said(
                &me,
                "401 Unauthorized",
                &[],
                &error("UnauthorizedError", "no"),
            ),
        ],
    )
    .await;
    let taken = make_account(&played).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let made = make_account(&played).await;
    assert_eq!(
        made,
        Ok(SignInOutcome::Accepted),
        "the account must be confirmed first"
    );
    refused_as(
        &played,
        &[ErrorCode::InvalidCredentials, ErrorCode::AccountBlocked],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played
        .session
        .refresh()
        .await
        .expect("the session is valid");
    assert_eq!(name(&played).as_deref(), Some("Ann"));
    found_dead(&played).await;
}
