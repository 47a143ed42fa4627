//! Backends with unusual sign-outs, or without any.

use serde_json::{Value, json};
use vestibule_core::wire::SignedOutReason;
use vestibule_recordings::Recording;

use crate::played::{Played, said};
use vestibule_harness::{eventually, why};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const OUTBOX: &str = "pending-sign-outs.json";

/// A profile with tokens in bodies, over the contract, that signs out with these calls.
fn profile(logout: Value, signed_out: Value) -> Value {
    json!({
        "cookies": {"refresh": [], "device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"body": {"refresh": "$refresh_token"}},
            "logout": logout,
        },
        "answer": {
            "login": {"access_token": ["/access"], "refresh_token": ["/refresh"]},
            "refresh": {"access_token": ["/access"], "refresh_token": ["/refresh"]},
        },
        "signed_out": signed_out,
    })
}

fn tokens(n: u8) -> String {
    format!(
        r#"{{"access":"a-{n}","refresh":"r-{n}","user":{{"id":"u","email":"ann@example.com"}}}}"#
    )
}

async fn signed_in(profile: Value, after: &[String]) -> Played {
    let exchanges = [&[said(LOGIN, "200 OK", &[], &tokens(1))], after].concat();
    let recording = Recording::parse(&exchanges.concat());
    let played = Played::playing(recording, profile, "", &[]).await;
    played.sign_in(ANN, "pw").await;
    played
}

async fn sign_out(played: &Played) {
    played.session.logout().await;
    let state = played.session.snapshot().state;
    assert_eq!(why(&state), Some(SignedOutReason::ByUser), "at once");
}

async fn until_settled(played: &Played) {
    eventually("no pending sign-out", || !played.has_record(OUTBOX)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_session_needs_no_second_telling() {
    for (status, body, rule) in [
        (
            "404 Not Found",
            r#"{"message":"not found"}"#,
            json!({"status": 404}),
        ),
        ("404 Not Found", "<html>", json!({"status": 404})),
        (
            "400 Bad",
            r#"{"code":"NO_SESSION"}"#,
            json!({"status": 400, "code": "NO_SESSION"}),
        ),
    ] {
        let call = json!({"path": "/logout", "body": {"refresh": "$refresh_token"}});
        let told = said(r#"POST /logout -d {"refresh":"r-1"}"#, status, &[], body);
        let played = signed_in(profile(call, json!([rule])), &[told]).await;
        sign_out(&played).await;
        let is_named = body.contains("code");
        let settled = eventually("no pending sign-out", || {
            played.clock.advance(std::time::Duration::from_secs(1));
            played.asked("/logout") > 0 && !played.has_record(OUTBOX)
        });
        settled.await;
        let times = if is_named { 1 } else { 3 };
        assert_eq!(
            played.asked("/logout"),
            times,
            "{status}: a status alone is asked for three times"
        );
    }
}

/// django-allauth ends the session and answers 401, because nobody is signed in any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_that_says_that_nobody_is_signed_in_is_a_sign_out() {
    const OVER: &str =
        r#"{"status":401,"data":{"flows":[{"id":"login"}]},"meta":{"is_authenticated":false}}"#;
    let call = json!({
        "method": "DELETE", "path": "/auth/session", "body": false,
        "headers": {"x-session-token": "$refresh_token"},
    });
    let told = "DELETE /auth/session -H X-Session-Token: r-1";
    let said_so = json!([{"status": 401, "pointer": "/meta/is_authenticated", "equals": false}]);
    let by_status = json!([{"status": 401}]);
    for (rules, times) in [(said_so, 1), (by_status, 3)] {
        let profile = profile(call.clone(), rules.clone());
        let answers = vec![said(told, "401 Unauthorized", &[], OVER); times];
        let played = signed_in(profile, &answers).await;
        sign_out(&played).await;
        eventually("no pending sign-out", || {
            played.clock.advance(std::time::Duration::from_secs(1));
            played.asked("/auth/session") > 0 && !played.has_record(OUTBOX)
        })
        .await;
        assert_eq!(played.asked("/auth/session"), times, "{rules}");
        played.check_no_strays();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_names_is_told_again() {
    let call = json!({"path": "/logout", "body": {"refresh": "$refresh_token"}});
    let told = r#"POST /logout -d {"refresh":"r-1"}"#;
    let played = signed_in(
        profile(call, json!([{"status": 404}])),
        &[
            said(told, "400 Bad", &[], r#"{"code":"NO_SESSION"}"#),
            said(told, "204 No Content", &[], ""),
        ],
    )
    .await;
    sign_out(&played).await;
    eventually("the first delivery of the sign-out", || {
        played.asked("/logout") == 1
    })
    .await;
    assert!(played.has_record(OUTBOX), "the sign-out is still pending");
    eventually("the second", || {
        played.clock.advance(std::time::Duration::from_secs(1));
        played.asked("/logout") == 2
    })
    .await;
    until_settled(&played).await;
}

/// Django and Express call every answer `text/html` that names no other type: django-oauth-toolkit's
/// revocation answers so, without a body, and Express' `res.send("OK")`.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_only_calls_itself_a_page_is_none() {
    let call = json!({"path": "/logout", "body": {"refresh": "$refresh_token"}});
    let told = r#"POST /logout -d {"refresh":"r-1"}"#;
    let page = |body| said(told, "200 OK", &[], body).replace("application/json", "text/html");
    for body in ["", " \r\n", r#"{"ok":true}"#, "true", "OK", "Bye!"] {
        let played = signed_in(profile(call.clone(), json!([])), &[page(body)]).await;
        sign_out(&played).await;
        eventually("the delivery", || played.asked("/logout") == 1).await;
        until_settled(&played).await;
        played.check_no_strays();
    }

    let again = said(told, "204 No Content", &[], "");
    let portal = page("<!doctype html><title>Sign in to this network</title>");
    let played = signed_in(profile(call, json!([])), &[portal, again]).await;
    sign_out(&played).await;
    eventually("the portal's answer", || played.asked("/logout") == 1).await;
    assert!(played.has_record(OUTBOX), "the backend has not heard it");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_endpoint_nothing_is_sent_and_nothing_waits() {
    let played = signed_in(profile(json!(false), json!([])), &[]).await;
    let before = played.player.played().len();
    sign_out(&played).await;
    until_settled(&played).await;
    assert_eq!(played.player.played().len(), before, "no request was sent");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_wants_an_access_token_gets_one_after_a_restart_too() {
    let call = json!({
        "path": "/logout", "body": false,
        "headers": {"authorization": "Bearer $access_token"},
    });
    let mut played = signed_in(
        profile(call, json!([{"status": 401}])),
        &[
            said(
                "POST /logout -H Authorization: Bearer a-1",
                "503 Later",
                &[],
                "{}",
            ),
            said(
                r#"POST /refresh-token -d {"refresh":"r-1"}"#,
                "200 OK",
                &[],
                &tokens(2),
            ),
            said(
                "POST /logout -H Authorization: Bearer a-2",
                "503 Later",
                &[],
                "{}",
            ),
            said(
                r#"POST /refresh-token -d {"refresh":"r-2"}"#,
                "200 OK",
                &[],
                &tokens(3),
            ),
            said(
                "POST /logout -H Authorization: Bearer a-3",
                "204 No Content",
                &[],
                "",
            ),
        ],
    )
    .await;
    sign_out(&played).await;
    eventually("the first delivery of the sign-out", || {
        played.asked("/logout") == 1
    })
    .await;
    // The process before must not be delivering any more when the clock goes on.
    played.quit().await;
    played.restart();
    eventually("the last delivery of the sign-out", || {
        played.clock.advance(std::time::Duration::from_secs(1));
        played.asked("/logout") == 3
    })
    .await;
    until_settled(&played).await;
    played.check_no_strays();
    let state = played.session.snapshot().state;
    assert_eq!(
        why(&state),
        Some(SignedOutReason::ByUser),
        "the token of a pending sign-out restores no session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_for_two_sign_ins_is_not_revoked_by_the_second() {
    let call = json!({"path": "/logout", "body": {"refresh": "$refresh_token"}});
    let played = signed_in(
        profile(call, json!([])),
        &[
            said(LOGIN, "200 OK", &[], &tokens(1)),
            said(
                r#"POST /refresh-token -d {"refresh":"r-1"}"#,
                "200 OK",
                &[],
                &tokens(2),
            ),
            said(
                r#"POST /logout -d {"refresh":"r-2"}"#,
                "204 No Content",
                &[],
                "",
            ),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("r-1 is alive");
    sign_out(&played).await;
    eventually("no pending sign-out, after some time", || {
        played.clock.advance(std::time::Duration::from_secs(1));
        played.asked("/logout") == 1 && !played.has_record(OUTBOX)
    })
    .await;
    played.check_no_strays();
}
