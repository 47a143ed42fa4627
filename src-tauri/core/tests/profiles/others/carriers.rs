//! Where the token travels: in headers, in two cookies, or under two names.

use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};

use super::{ANN, DATE, JWT, ME, found_dead, make_account, name, ok, play, profile, refused_as};
use crate::played::said;
use vestibule_harness::{code, eventually, get, is_fresh, is_stale, user};

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
    let taken = make_account(&played).await;
    assert_eq!(code(&taken), Some(ErrorCode::EmailTaken));
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
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
        "the window does not see this header: {names:?}"
    );
    assert_eq!(
        played.kept(),
        JWT,
        "an API call does not replace the session"
    );
    played.restart();
    played.until("the session after a start", is_fresh).await;
    played.session.logout().await;
    eventually("the sign-out", || played.asked("/logout") == 1).await;
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
    assert_eq!(reply.status, 200, "the access cookie is sent with calls");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    assert_eq!(played.kept(), "r-3", "the refresh cookie alone is stored");
    // The first call may join the refresh of the start, if that is still in progress.
    while played.asked("/auth/refresh") < 3 {
        let renewed = played.session.refresh().await;
        renewed.expect("without a new cookie the old one stays");
    }
    assert_eq!(played.kept(), "r-3");
    found_dead(&played).await;
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
    refused_as(&played, &[ErrorCode::AccountLocked]).await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "t-2");
    played.session.refresh().await.expect_err("somebody's 403");
    assert!(
        is_stale(&played.session.snapshot().state),
        "this refusal ends no session"
    );
    let why = played.until_signed_out().await;
    assert_eq!(why, SignedOutReason::Expired);
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
    let made = make_account(&played).await;
    assert_eq!(made, Ok(SignInOutcome::Accepted));
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    played.sign_in(ANN, "pw").await;
    let state = played.session.snapshot().state;
    let shown = user(&state).expect("signed in");
    assert_eq!(
        (shown.name.as_str(), &shown.roles),
        ("Ann", &vec!["editor".to_owned()])
    );
    played
        .session
        .refresh()
        .await
        .expect("the session is valid");
    let documents = get("/v1/databases/d/collections/c/documents");
    let reply = played.session.fetch(documents).await.expect("a call");
    assert_eq!(reply.status, 200, "the cookies are sent with calls");
    found_dead(&played).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sanctums_token_is_the_whole_answer() {
    let login_call = |password: &str| {
        format!(
            r#"POST /sanctum/token -d {{"email":"ann@example.com","password":"{password}","device_name":"desk"}}"#
        )
    };
    let me = "GET /api/user -H Authorization: Bearer 1|abcDEF";
    let mut played = play(
        profile!("sanctum-token"),
        &[
            said(
                &login_call("pw"),
                "422 Unprocessable Content",
                &[],
                r#"{"message":"The provided credentials are incorrect."}"#,
            ),
            said(
                &login_call("pw"),
                "200 OK",
                &["Content-Type: text/html; charset=UTF-8"],
                "<!DOCTYPE html><title>a portal</title>",
            ),
            said(
                &login_call("pw"),
                "200 OK",
                &["Content-Type: text/html; charset=UTF-8"],
                "1|abcDEF",
            ),
            ok(me, ME),
            ok(me, ME),
            ok("GET /orders -H Authorization: Bearer 1|abcDEF", "[]"),
            said(
                me,
                "401 Unauthorized",
                &[],
                r#"{"message":"Unauthenticated."}"#,
            ),
        ],
    )
    .await;
    refused_as(
        &played,
        &[ErrorCode::InvalidCredentials, ErrorCode::BadAnswer],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(
        (name(&played).as_deref(), played.kept().as_str()),
        (Some("Ann"), "1|abcDEF")
    );
    played.restart();
    played.until("the session after a start", is_fresh).await;
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    assert_eq!(reply.status, 200);
    found_dead(&played).await;
}
