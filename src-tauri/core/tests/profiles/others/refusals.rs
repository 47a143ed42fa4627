//! How backends refuse: without a reason, for single fields, or with a success status.

use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};

use super::{
    ANN, JWT, found_dead, make_account, name, ok, play, profile, refused_as, sign_in_by_code,
};
use crate::played::said;
use vestibule_harness::{code, is_stale};

#[tokio::test(flavor = "multi_thread")]
async fn aspnet_identity_says_that_a_session_is_dead_by_saying_nothing() {
    let problem =
        |detail: &str| format!(r#"{{"title":"Unauthorized","status":401,"detail":"{detail}"}}"#);
    let tokens = |n: u8| {
        format!(
            r#"{{"tokenType":"Bearer","accessToken":"a-{n}","expiresIn":3600,"refreshToken":"r-{n}"}}"#
        )
    };
    let login_call = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
    let with = |code: &str| {
        format!(
            r#"POST /login -d {{"email":"ann@example.com","password":"pw","twoFactorCode":"{code}"}}"#
        )
    };
    let register = r#"POST /register -d {"email":"ann@example.com","password":"pw"}"#;
    let taken = r#"{"title":"One or more validation errors occurred.","errors":{"DuplicateUserName":["taken"]}}"#;
    let who = r#"{"email":"ann@example.com","isEmailConfirmed":true}"#;
    let me = |n: u8| {
        ok(
            &format!("GET /manage/info -H Authorization: Bearer a-{n}"),
            who,
        )
    };
    let refresh = |n: u8| format!(r#"POST /refresh -d {{"refreshToken":"r-{n}"}}"#);
    let played = play(
        profile!("aspnet-identity"),
        &[
            said(register, "200 OK", &[], ""),
            said(register, "400 Bad Request", &[], taken),
            said(login_call, "401 Unauthorized", &[], &problem("Failed")),
            said(login_call, "401 Unauthorized", &[], &problem("LockedOut")),
            said(
                login_call,
                "401 Unauthorized",
                &[],
                &problem("RequiresTwoFactor"),
            ),
            said(&with("000000"), "401 Unauthorized", &[], &problem("Failed")),
            ok(&with("123456"), &tokens(1)),
            me(1),
            ok(&refresh(1), &tokens(2)),
            me(2),
            said(
                &refresh(2),
                "401 Unauthorized",
                &[],
                "<html>a proxy's</html>",
            ),
            said(&refresh(2), "401 Unauthorized", &[], ""),
            said(&refresh(2), "401 Unauthorized", &[], ""),
        ],
    )
    .await;
    let made = make_account(&played).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted), "a 200 without a body");
    let taken = make_account(&played).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    refused_as(
        &played,
        &[ErrorCode::InvalidCredentials, ErrorCode::AccountLocked],
    )
    .await;
    sign_in_by_code(&played).await;
    assert_eq!(name(&played).as_deref(), Some(ANN));
    played.session.refresh().await.expect("renewed");

    played.session.refresh().await.expect_err("a page");
    assert!(
        is_stale(&played.session.snapshot().state),
        "a web page ends no session"
    );
    let why = played.until_signed_out().await;
    assert_eq!(why, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_may_call_itself_a_success() {
    let login_call = r#"POST /login -d {"account":"ann@example.com","password":"pw"}"#;
    let refused = |code: u32| format!(r#"{{"code":{code},"msg":"no","data":null}}"#);
    let granted = |n: u8, more: &str| {
        format!(
            r#"{{"code":0,"data":{{"token":"a-{n}","refresh":"r-{n}","expireAt":1795411840000{more}}}}}"#
        )
    };
    let refresh = |n: u8| format!("POST /token/refresh -H Authorization: r-{n}");
    let who = r#","user":{"userId":7,"nick":"Ann","mail":"ann@example.com"}"#;
    for (dead, why) in [
        (40101, SignedOutReason::Expired),
        (40102, SignedOutReason::Revoked),
    ] {
        let played = play(
            profile!("always-200"),
            &[
                ok(login_call, &refused(40001)),
                ok(login_call, &refused(40301)),
                ok(login_call, &refused(50000)),
                ok(login_call, &granted(1, who)),
                ok(&refresh(1), &granted(2, "")),
                ok(&refresh(2), &refused(50000)),
                ok(&refresh(2), &refused(dead)),
                ok(&refresh(2), &refused(dead)),
            ],
        )
        .await;
        let codes = [
            ErrorCode::InvalidCredentials,
            ErrorCode::AccountBlocked,
            ErrorCode::BadAnswer,
        ];
        refused_as(&played, &codes).await;
        played.sign_in(ANN, "pw").await;
        played.session.refresh().await.expect("renewed");
        assert_eq!(
            (name(&played).as_deref(), played.kept().as_str()),
            (Some("Ann"), "r-2")
        );
        played
            .session
            .refresh()
            .await
            .expect_err("a failure of the backend itself");
        assert!(
            is_stale(&played.session.snapshot().state),
            "a failure of the backend ends no session"
        );
        assert_eq!(played.until_signed_out().await, why);
        played.check_no_strays();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fusionauth_refuses_without_a_word_and_wants_a_code_by_a_status() {
    let login_call = r#"POST /api/login -d {"loginId":"ann@example.com","password":"pw","applicationId":"11111111-1111-4111-8111-111111111111"}"#;
    let code_call = |code: &str| {
        format!(r#"POST /api/two-factor/login -d {{"code":"{code}","twoFactorId":"c-1"}}"#)
    };
    let tokens = |n: u8| format!(r#"{{"token":"a-{n}","refreshToken":"r-{n}"}}"#);
    let refresh = |n: u8| format!(r#"POST /api/jwt/refresh -d {{"refreshToken":"r-{n}"}}"#);
    let who = r#"{"user":{"id":"u","firstName":"Ann","lastName":"Lee","email":"ann@example.com","verified":true}}"#;
    let me = |n: u8| {
        ok(
            &format!("GET /api/user -H Authorization: Bearer a-{n}"),
            who,
        )
    };
    let dead = r#"{"fieldErrors":{"refreshToken":[{"code":"[invalid]refreshToken"}]}}"#;
    let played = play(
        profile!("fusionauth"),
        &[
            said(login_call, "404 Not Found", &[], ""),
            said(login_call, "404 Not Found", &[], "<html>a portal's</html>"),
            said(
                login_call,
                "242 Two Factor",
                &[],
                r#"{"twoFactorId":"c-1","methods":[]}"#,
            ),
            said(&code_call("000000"), "421 Misdirected", &[], ""),
            ok(&code_call("123456"), &tokens(1)),
            me(1),
            ok(&refresh(1), &tokens(2)),
            me(2),
            said(&refresh(2), "400 Bad Request", &[], dead),
        ],
    )
    .await;
    refused_as(
        &played,
        &[ErrorCode::InvalidCredentials, ErrorCode::BadAnswer],
    )
    .await;
    sign_in_by_code(&played).await;
    assert_eq!(name(&played).as_deref(), Some("Ann Lee"));
    played.session.refresh().await.expect("renewed");
    found_dead(&played).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simplejwt_sorts_errors_by_field_and_rotates_or_not() {
    let pair = r#"{"username":"ann@example.com","password":"pw"}"#;
    let login_call = format!("POST /auth/jwt/create/ -d {pair}");
    let new = r#"{"username":"ann@example.com","email":"ann@example.com","password":"pw"}"#;
    let register = format!("POST /auth/users/ -d {new}");
    let refresh = |n: u8| format!(r#"POST /auth/jwt/refresh/ -d {{"refresh":"r-{n}"}}"#);
    let who = r#"{"id":7,"first_name":"Ann","last_name":"Lee","email":"ann@example.com"}"#;
    let me = ok(
        &format!("GET /auth/users/me/ -H Authorization: JWT {JWT}"),
        who,
    );
    let tokens = |n: u8| format!(r#"{{"access":"{JWT}","refresh":"r-{n}"}}"#);
    let dead = r#"{"detail":"Token is blacklisted","code":"token_not_valid"}"#;
    let played = play(
        ("djoser", "schema = 1\nextends = \"djoser\""),
        &[
            said(
                &register,
                "400 Bad Request",
                &[],
                r#"{"password":["This password is too common."]}"#,
            ),
            said(
                &register,
                "400 Bad Request",
                &[],
                r#"{"username":["A user with that username already exists."]}"#,
            ),
            said(
                &register,
                "201 Created",
                &[],
                r#"{"id":7,"email":"ann@example.com"}"#,
            ),
            said(
                &login_call,
                "401 Unauthorized",
                &[],
                r#"{"detail":"No active account found with the given credentials"}"#,
            ),
            ok(&login_call, &tokens(1)),
            me.clone(),
            ok(&refresh(1), &tokens(2)),
            me.clone(),
            ok(&refresh(2), &format!(r#"{{"access":"{JWT}"}}"#)),
            me,
            said(&refresh(2), "401 Unauthorized", &[], dead),
        ],
    )
    .await;
    let weak = make_account(&played).await;
    let weak = weak.expect_err("refused");
    assert_eq!(
        (weak.code, weak.message.as_str()),
        (ErrorCode::InvalidInput, "This password is too common.")
    );
    let taken = make_account(&played).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let made = make_account(&played).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted));
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(name(&played).as_deref(), Some("Ann Lee"));
    for kept in ["r-2", "r-2"] {
        played.session.refresh().await.expect("renewed");
        assert_eq!(played.kept(), kept, "with rotation and without");
    }
    found_dead(&played).await;
}
