//! Backends with unusual refreshes: no refresh token, an access token for the refresh, two cookies,
//! an expiry inside a JWT. Each test is a profile and a few exchanges.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, SignInOutcome, SignedOutReason};
use vestibule_recordings::Recording;

use crate::played::{Played, said};
use vestibule_harness::{code, eventually, get, is_fresh, user};

pub const ANN: &str = "ann@example.com";
pub const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const USER: &str = r#""user":{"id":"u","name":"Ann","email":"ann@example.com"}"#;

pub async fn play(profile: Value, exchanges: &[String]) -> Played {
    let recording = Recording::parse(&exchanges.concat());
    Played::playing(recording, profile, "", &[]).await
}

/// A profile without cookies and device, over the contract, with `more` merged in.
pub fn bare(more: Value) -> Value {
    let mut profile = json!({
        "cookies": {"refresh": [], "device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"body": {"refresh": "$refresh_token"}},
            "logout": {"body": false},
        },
        "answer": {
            "login": {"access_token": ["/access"], "refresh_token": ["/refresh"]},
            "refresh": {"access_token": ["/access"], "refresh_token": ["/refresh"]},
        },
        "otp": {"wanted": []},
    });
    merge(&mut profile, more);
    profile
}

fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                merge(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

pub fn with_user(members: &str) -> String {
    format!("{{{members},{USER}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_the_session_asks_whether_it_is_alive() {
    let profile = bare(json!({
        "session": {"single_token": true},
        "endpoints": {
            "refresh": false,
            "me": {"method": "GET", "path": "/me", "headers": {"authorization": "Bearer $access_token"}},
        },
        "answer": {"login": {"refresh_token": []}, "me": {"user": [""]}},
        "api": {"allow": ["/things"]},
    }));
    let me = "GET /me -H Authorization: Bearer the-one-token";
    let who = r#"{"id":"u","name":"Ann","email":"ann@example.com"}"#;
    let mut played = play(
        profile,
        &[
            said(
                LOGIN,
                "200 OK",
                &[],
                &with_user(r#""access":"the-one-token""#),
            ),
            said(me, "200 OK", &[], who),
            said(
                "GET /things -H Authorization: Bearer the-one-token",
                "200 OK",
                &[],
                "[]",
            ),
            said("POST /nothing", "200 OK", &[], "{}"),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(
        played.kept(),
        "the-one-token",
        "the token is stored for the next start"
    );
    played.restart();
    let state = played.until("the session after a start", is_fresh).await;
    assert_eq!(user(&state).map(|user| user.name.as_str()), Some("Ann"));
    assert_eq!(played.asked("/me"), 1, "which asked");
    let reply = played.session.fetch(get("/things")).await;
    assert_eq!(reply.expect("a call").status, 200, "with the same token");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_a_dead_session_is_found_out() {
    let profile = bare(json!({
        "session": {"single_token": true},
        "endpoints": {
            "refresh": false,
            "me": {"method": "GET", "path": "/me", "headers": {"authorization": "Bearer $access_token"}},
        },
        "answer": {"login": {"refresh_token": []}, "me": {"user": [""]}},
        "api": {"allow": ["/things"]},
    }));
    let refusal = r#"{"message":"no"}"#;
    let played = play(
        profile,
        &[
            said(
                LOGIN,
                "200 OK",
                &[],
                &with_user(r#""access":"the-one-token""#),
            ),
            said("GET /things", "401 Unauthorized", &[], refusal),
            said("GET /me", "401 Unauthorized", &[], refusal),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    let reply = played.session.fetch(get("/things")).await;
    // A status alone ends nothing yet, since a gateway can send it too.
    assert_eq!(reply.map(|reply| reply.status), Ok(401));
    assert_eq!(played.until_signed_out().await, SignedOutReason::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_may_travel_as_a_bearer() {
    let profile = bare(json!({
        "endpoints": {"refresh": {
            "path": "/renew", "body": false,
            "headers": {"authorization": "Bearer $refresh_token"},
        }},
    }));
    let tokens = |n: u8| with_user(&format!(r#""access":"a-{n}","refresh":"r-{n}""#));
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &[], &tokens(1)),
            said(
                "POST /renew -H Authorization: Bearer r-1",
                "200 OK",
                &[],
                &tokens(2),
            ),
            said(
                "POST /renew -H Authorization: Bearer r-2",
                "200 OK",
                &[],
                &tokens(3),
            ),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    for kept in ["r-2", "r-3"] {
        played.session.refresh().await.expect("renewed");
        assert_eq!(played.kept(), kept);
    }
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_body_is_safe_before_anything_else_is_asked() {
    let profile = bare(json!({
        "session": {"user_from": "me"},
        "endpoints": {
            "me": {"method": "GET", "path": "/me", "headers": {"authorization": "Bearer $access_token"}},
        },
        "answer": {"me": {"user": [""]}},
    }));
    let refresh = r#"POST /refresh-token -d {"refresh":"r-1"}"#;
    let again = r#"POST /refresh-token -d {"refresh":"r-2"}"#;
    let who = r#"{"id":"u","name":"Ann","email":"ann@example.com"}"#;
    let trouble = r#"{"message":"later"}"#;
    let mut played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &[], r#"{"access":"a-1","refresh":"r-1"}"#),
            said("GET /me -H Authorization: Bearer a-1", "200 OK", &[], who),
            said(
                refresh,
                "200 OK",
                &[],
                r#"{"access":"a-2","refresh":"r-2"}"#,
            ),
            said(
                "GET /me -H Authorization: Bearer a-2",
                "503 Later",
                &[],
                trouble,
            ),
            said(again, "200 OK", &[], r#"{"access":"a-3","refresh":"r-3"}"#),
            said(
                "GET /me -H Authorization: Bearer a-3",
                "503 Later",
                &[],
                trouble,
            ),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("renewed");
    assert_eq!(played.kept(), "r-2");
    let state = played.session.snapshot().state;
    assert!(is_fresh(&state), "the record has the user: {state:?}");

    // The user's record is gone: there is nobody to show, but the token is still stored.
    played.lose_record("session.json");
    played.restart();
    played
        .until("a failed start", |state| {
            vestibule_harness::outage(state).is_some_and(|outage| outage.retry_in_ms.is_some())
        })
        .await;
    assert_eq!(
        played.kept(),
        "r-3",
        "the token is stored although the start failed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cookies_carry_one_session() {
    let profile = json!({
        "cookies": {"refresh": ["sid", "sid.sig"], "device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"body": false},
        },
        "answer": {"login": {"access_token": ["/access"]}, "refresh": {"access_token": ["/access"]}},
    });
    let both = [
        "Set-Cookie: sid=one; Path=/",
        "Set-Cookie: sid.sig=two; Path=/",
    ];
    let one_less = ["Set-Cookie: sid.sig=; Path=/"];
    let none = ["Set-Cookie: sid=; Path=/; Max-Age=900"];
    let tokens = with_user(r#""access":"a""#);
    let refresh = "POST /refresh-token -b jar -H Cookie: ";
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &both, &tokens),
            said(
                &format!("{refresh}sid=one; sid.sig=two"),
                "200 OK",
                &one_less,
                &tokens,
            ),
            said(&format!("{refresh}sid=one"), "200 OK", &none, &tokens),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("renewed, with both");
    assert_eq!(
        played.kept(),
        "one",
        "without one of the two cookies the session goes on"
    );
    let result = played.session.refresh().await;
    assert_eq!(
        code(&result),
        Some(ErrorCode::SessionEnded),
        "without both cookies the session ends"
    );
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_within_a_jwt_plans_the_next_refresh() {
    // exp = 1795411840, ten minutes after the answer's own date.
    const JWT: &str = "e30.eyJleHAiOjE3OTU0MTE4NDB9.c2ln";
    let profile = bare(json!({
        "answer": {
            "login": {"expires": [{"as": "jwt_exp"}]},
            "refresh": {"expires": [{"as": "jwt_exp"}]},
        },
    }));
    let date = ["Date: Mon, 23 Nov 2026 05:20:40 GMT"];
    let tokens = with_user(&format!(r#""access":"{JWT}","refresh":"r""#));
    let refresh = r#"POST /refresh-token -d {"refresh":"r"}"#;
    let played = play(
        profile,
        &[
            said(LOGIN, "200 OK", &date, &tokens),
            said(refresh, "200 OK", &date, &tokens),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    played.clock.advance(Duration::from_secs(419));
    // 419 s of the token's ten minutes: the refresh is not due yet.
    assert_eq!(played.asked("/refresh-token"), 0, "before 70 % of its life");
    played.clock.advance(Duration::from_secs(122));
    eventually("the refresh by the timer", || {
        played.asked("/refresh-token") == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_may_be_all_that_carries_a_call() {
    let profile = json!({
        "cookies": {"refresh": ["sid"], "device": false, "with_api": true},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"method": "GET", "path": "/session", "body": false},
        },
        "answer": {"login": {"access_token": []}, "refresh": {"access_token": []}},
        "headers": {"apikey": "publishable"},
        "api": {"allow": ["/things"]},
    });
    let cookie = ["Set-Cookie: sid=one; Path=/; HttpOnly"];
    let key = "-H apikey: publishable";
    let played = play(
        profile,
        &[
            said(
                &format!(r#"POST /login {key} -d {{"email":"ann@example.com","password":"pw"}}"#),
                "200 OK",
                &cookie,
                &with_user(r#""ok":true"#),
            ),
            said(
                &format!("GET /things -b jar {key} -H Cookie: sid=one"),
                "200 OK",
                &[],
                "[]",
            ),
        ],
    )
    .await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(
        outcome,
        Ok(SignInOutcome::SignedIn),
        "a sign-in without a token succeeds"
    );
    let reply = played.session.fetch(get("/things")).await;
    assert_eq!(reply.expect("a call").status, 200);
    played.check_no_strays();
}
