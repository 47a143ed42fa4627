//! Well-known backends that the schema was not written for, each by a profile as an adopter
//! would write it, against answers as their documentation has them. None has a line of code.

use std::time::Duration;

use vestibule_core::error::ErrorCode;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};

use crate::rig::{Played, login, newcomer, said};
use crate::support::{code, eventually, get, is_fresh, is_stale, user};

const ANN: &str = "ann@example.com";
const ME: &str = r#"{"id":7,"name":"Ann","email":"ann@example.com"}"#;
/// exp = 1795411840, ten minutes after [`DATE`].
const JWT: &str = "e30.eyJleHAiOjE3OTU0MTE4NDB9.c2ln";
const DATE: &str = "Date: Mon, 23 Nov 2026 05:20:40 GMT";

macro_rules! profile {
    ($name:literal) => {
        ($name, include_str!(concat!("others/", $name, ".toml")))
    };
}

async fn play((name, text): (&str, &str), exchanges: &[String]) -> Played {
    Played::described(name, text, exchanges).await
}

fn ok(request: &str, body: &str) -> String {
    said(request, "200 OK", &[DATE], body)
}

fn name(played: &Played) -> Option<String> {
    let state = played.session.snapshot().state;
    user(&state).map(|user| user.name.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn devise_jwt_gives_its_token_in_a_header() {
    let login_call = r#"POST /login -d {"user":{"email":"ann@example.com","password":"pw"}}"#;
    let bearer = format!("-H Authorization: Bearer {JWT}");
    let me = format!("GET /current_user {bearer}");
    let who = format!(r#"{{"user":{ME}}}"#);
    let taken = r#"{"errors":{"email":["has already been taken"]}}"#;
    let given = format!("Authorization: Bearer {JWT}");
    let mut played = play(
        profile!("devise-jwt"),
        &[
            said(
                r#"POST /signup -d {"user":{"name":"Ann","email":"ann@example.com","password":"pw"}}"#,
                "422 Unprocessable Entity",
                &[],
                taken,
            ),
            said(login_call, "401 Unauthorized", &[], r#"{"error":"Invalid"}"#),
            said(login_call, "200 OK", &[DATE, &given], r#"{"message":"in"}"#),
            ok(&me, &who),
            said(
                &format!("GET /orders {bearer}"),
                "200 OK",
                &["Authorization: Bearer another"],
                "[]",
            ),
            ok(&me, &who),
            ok(&format!("DELETE /logout {bearer}"), "{}"),
        ],
    )
    .await;
    let taken = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let wrong = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    played.sign_in(ANN, "pw").await;
    assert_eq!(
        (name(&played).as_deref(), played.kept().as_str()),
        (Some("Ann"), JWT)
    );
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    let names: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        !names.contains(&"authorization"),
        "not for the window: {names:?}"
    );
    assert_eq!(played.kept(), JWT, "what pages call gives out no session");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    played.session.logout().await;
    eventually("the sign-out", || played.asked("/logout") == 1).await;
    played.check_no_strays();
}

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
    let made = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted), "a 200 without a body");
    let taken = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    for wanted in [ErrorCode::InvalidCredentials, ErrorCode::AccountLocked] {
        let refused = played.session.login(login(ANN, "pw")).await;
        assert_eq!(code(&refused), Some(wanted));
    }
    let outcome = played.session.login(login(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = played.session.verify_otp(Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = played.session.verify_otp(Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    assert_eq!(name(&played).as_deref(), Some(ANN));
    played.session.refresh().await.expect("renewed");

    played.session.refresh().await.expect_err("a page");
    assert!(
        is_stale(&played.session.snapshot().state),
        "a page ends nothing"
    );
    let why = played.until_signed_out_in_time().await;
    assert_eq!(why, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cookies_are_renewed_by_an_answer_without_a_body() {
    let login_call = r#"POST /auth/login -d {"email":"ann@example.com","password":"pw"}"#;
    let pair = |n: u8| {
        [
            format!("Set-Cookie: access_token=a-{n}; Path=/; HttpOnly; Max-Age=900"),
            format!("Set-Cookie: refresh_token=r-{n}; Path=/auth; HttpOnly; Max-Age=604800"),
        ]
    };
    let given = |request: &str, status: &str, n: u8| {
        let pair = pair(n);
        said(request, status, &[&pair[0], &pair[1]], "")
    };
    let refresh = |n: u8| {
        format!("POST /auth/refresh -b jar -H Cookie: access_token=a-{n}; refresh_token=r-{n}")
    };
    let me = "GET /auth/me -b jar";
    let who = r#"{"_id":"u","name":"Ann","email":"ann@example.com"}"#;
    let mut played = play(
        profile!("two-cookies"),
        &[
            given(login_call, "204 No Content", 1),
            ok(me, who),
            given(&refresh(1), "204 No Content", 2),
            ok(me, who),
            ok("GET /orders -b jar -H Cookie: access_token=a-2", "[]"),
            given(
                "POST /auth/refresh -b jar -H Cookie: refresh_token=r-2",
                "204 No Content",
                3,
            ),
            ok(me, who),
            said(&refresh(3), "204 No Content", &[], ""),
            ok(me, who),
            said(
                &refresh(3),
                "401 Unauthorized",
                &[],
                r#"{"message":"Unauthorized"}"#,
            ),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(
        (name(&played).as_deref(), played.kept().as_str()),
        (Some("Ann"), "r-1")
    );
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "r-2");
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    assert_eq!(reply.status, 200, "the access cookie goes along by itself");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    assert_eq!(played.kept(), "r-3", "with the refresh cookie alone");
    // The first may join the refresh of the start, if that has not landed yet.
    while played.asked("/auth/refresh") < 3 {
        let renewed = played.session.refresh().await;
        renewed.expect("no new cookie keeps the old");
    }
    assert_eq!(played.kept(), "r-3");
    played.session.refresh().await.expect_err("dead");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
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
        for wanted in [
            ErrorCode::InvalidCredentials,
            ErrorCode::AccountBlocked,
            ErrorCode::BadAnswer,
        ] {
            let refused = played.session.login(login(ANN, "pw")).await;
            assert_eq!(code(&refused), Some(wanted));
        }
        played.sign_in(ANN, "pw").await;
        played.session.refresh().await.expect("renewed");
        assert_eq!(
            (name(&played).as_deref(), played.kept().as_str()),
            (Some("Ann"), "r-2")
        );
        played.session.refresh().await.expect_err("its own trouble");
        assert!(
            is_stale(&played.session.snapshot().state),
            "which ends nothing"
        );
        assert_eq!(played.until_signed_out_in_time().await, why);
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
    for wanted in [ErrorCode::InvalidCredentials, ErrorCode::BadAnswer] {
        let refused = played.session.login(login(ANN, "pw")).await;
        assert_eq!(code(&refused), Some(wanted));
    }
    let outcome = played.session.login(login(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = played.session.verify_otp(Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = played.session.verify_otp(Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    assert_eq!(name(&played).as_deref(), Some("Ann Lee"));
    played.session.refresh().await.expect("renewed");
    played.session.refresh().await.expect_err("dead");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

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
    let made = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(
        made,
        Ok(SignInOutcome::Accepted),
        "a record, but no session"
    );
    let taken = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let wrong = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    played.sign_in(ANN, "pw").await;
    played.clock.advance(Duration::from_secs(541));
    let asked = format!("{base}/auth-refresh");
    eventually("a refresh by the end in the token", || {
        played.asked(&asked) == 1
    })
    .await;
    // The first may join that one, if it has not landed yet.
    while played.session.refresh().await.is_ok() {}
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn payload_calls_its_token_by_another_name_once_it_is_renewed() {
    let login_call = r#"POST /api/users/login -d {"email":"ann@example.com","password":"pw"}"#;
    let refresh = |n: u8| format!("POST /api/users/refresh-token -H Authorization: JWT t-{n}");
    let error = |name: &str, message: &str| {
        format!(r#"{{"errors":[{{"name":"{name}","message":"{message}"}}]}}"#)
    };
    let forbidden = error("Forbidden", "You are not allowed to perform this action.");
    let played = play(
        profile!("payload"),
        &[
            said(
                login_call,
                "401 Unauthorized",
                &[],
                &error("LockedAuth", "locked"),
            ),
            ok(
                login_call,
                &format!(r#"{{"token":"t-1","exp":1795411840,"user":{ME}}}"#),
            ),
            ok(
                &refresh(1),
                &format!(r#"{{"refreshedToken":"t-2","exp":1795411840,"user":{ME}}}"#),
            ),
            said(
                &refresh(2),
                "403 Forbidden",
                &[],
                r#"{"message":"a firewall's"}"#,
            ),
            said(&refresh(2), "403 Forbidden", &[], &forbidden),
            said(&refresh(2), "403 Forbidden", &[], &forbidden),
        ],
    )
    .await;
    let locked = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&locked), Some(ErrorCode::AccountLocked));
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "t-2");
    played.session.refresh().await.expect_err("somebody's 403");
    assert!(
        is_stale(&played.session.snapshot().state),
        "which ends nothing"
    );
    let why = played.until_signed_out_in_time().await;
    assert_eq!(why, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn simplejwt_ends_its_paths_with_a_slash_and_sorts_errors_by_field() {
    let pair = r#"{"email":"ann@example.com","password":"pw"}"#;
    let login_call = format!("POST /auth/jwt/create/ -d {pair}");
    let register = format!("POST /auth/users/ -d {pair}");
    let refresh = |n: u8| format!(r#"POST /auth/jwt/refresh/ -d {{"refresh":"r-{n}"}}"#);
    let who = r#"{"id":7,"first_name":"Ann","last_name":"Lee","email":"ann@example.com"}"#;
    let me = ok(
        &format!("GET /auth/users/me/ -H Authorization: JWT {JWT}"),
        who,
    );
    let tokens = |n: u8| format!(r#"{{"access":"{JWT}","refresh":"r-{n}"}}"#);
    let dead = r#"{"detail":"Token is blacklisted","code":"token_not_valid"}"#;
    let played = play(
        profile!("simplejwt"),
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
                r#"{"email":["user with this email address already exists."]}"#,
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
    let weak = played.session.register(newcomer("Ann", ANN, "pw")).await;
    let weak = weak.expect_err("refused");
    assert_eq!(
        (weak.code, weak.message.as_str()),
        (ErrorCode::InvalidInput, "This password is too common.")
    );
    let taken = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let made = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted));
    let wrong = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    played.sign_in(ANN, "pw").await;
    assert_eq!(name(&played).as_deref(), Some("Ann Lee"));
    for kept in ["r-2", "r-2"] {
        played.session.refresh().await.expect("renewed");
        assert_eq!(played.kept(), kept, "with rotation and without");
    }
    played.session.refresh().await.expect_err("dead");
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
    let wrong = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    let outcome = played.session.login(login(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let wrong = played.session.verify_otp(Secret::new("000000")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::OtpInvalid));
    let right = played.session.verify_otp(Secret::new("123456")).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    played.session.refresh().await.expect("renewed");
    assert_eq!(
        (name(&played).as_deref(), played.kept().as_str()),
        (Some("Ann"), "r-1")
    );
    played.session.refresh().await.expect_err("dead");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn strapi_has_nothing_to_renew_a_session_with() {
    let login_call = r#"POST /api/auth/local -d {"identifier":"ann@example.com","password":"pw"}"#;
    let register = r#"POST /api/auth/local/register -d {"username":"Ann","email":"ann@example.com","password":"pw"}"#;
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
        profile!("strapi"),
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
    let taken = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    let made = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted), "to be confirmed first");
    for wanted in [ErrorCode::InvalidCredentials, ErrorCode::AccountBlocked] {
        let refused = played.session.login(login(ANN, "pw")).await;
        assert_eq!(code(&refused), Some(wanted));
    }
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("it is alive");
    assert_eq!(name(&played).as_deref(), Some("Ann"));
    played.session.refresh().await.expect_err("dead");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn appwrite_names_its_cookie_after_the_project() {
    let project = "-H X-Appwrite-Project: shop";
    let login_call = format!(
        r#"POST /v1/account/sessions/email {project} -d {{"email":"ann@example.com","password":"pw"}}"#
    );
    let register = format!(
        r#"POST /v1/account {project} -d {{"userId":"unique()","name":"Ann","email":"ann@example.com","password":"pw"}}"#
    );
    let error =
        |kind: &str| format!(r#"{{"message":"no","code":401,"type":"{kind}","version":"1.6"}}"#);
    let cookies = [
        "Set-Cookie: a_session_shop=s-1; Path=/; HttpOnly; Max-Age=31536000",
        "Set-Cookie: a_session_shop_legacy=s-1; Path=/; HttpOnly; Max-Age=31536000",
    ];
    let me = format!("GET /v1/account -b jar {project}");
    let who = r#"{"$id":"u","name":"Ann","email":"ann@example.com","emailVerification":true,"labels":["editor"]}"#;
    let played = play(
        profile!("appwrite"),
        &[
            said(&register, "201 Created", &[], who),
            said(
                &login_call,
                "401 Unauthorized",
                &[],
                &error("user_invalid_credentials"),
            ),
            said(
                &login_call,
                "201 Created",
                &cookies,
                r#"{"$id":"s","userId":"u"}"#,
            ),
            ok(&me, who),
            ok(&me, who),
            ok(
                &format!("GET /v1/databases/d/collections/c/documents -b jar {project}"),
                "{}",
            ),
            said(
                &me,
                "401 Unauthorized",
                &[],
                &error("general_unauthorized_scope"),
            ),
        ],
    )
    .await;
    let made = played.session.register(newcomer("Ann", ANN, "pw")).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted));
    let wrong = played.session.login(login(ANN, "pw")).await;
    assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));
    played.sign_in(ANN, "pw").await;
    let state = played.session.snapshot().state;
    let shown = user(&state).expect("signed in");
    assert_eq!(
        (shown.name.as_str(), &shown.roles),
        ("Ann", &vec!["editor".to_owned()])
    );
    played.session.refresh().await.expect("it is alive");
    let documents = get("/v1/databases/d/collections/c/documents");
    let reply = played.session.fetch(documents).await.expect("a call");
    assert_eq!(reply.status, 200, "the cookies go along");
    played.session.refresh().await.expect_err("dead");
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
    played.check_no_strays();
}
