//! Refusals by which a backend says that a session is over, at the refresh and at the call after it.

use serde_json::json;
use vestibule_core::wire::SignedOutReason;

use crate::played::said;
use crate::token_deviations::{ANN, LOGIN, bare, play, with_user};
use vestibule_harness::{eventually, is_fresh, is_stale, outage};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_session_may_be_any_refusal_that_a_rule_names() {
    let profile = bare(json!({
        "ends": [
            {"status": 400, "code": "session_expired", "why": "expired"},
            {"status": 403, "pointer": "/blocked", "equals": true, "why": "revoked"},
        ],
    }));
    let tokens = with_user(r#""access":"a","refresh":"r""#);
    let refresh = r#"POST /refresh-token -d {"refresh":"r"}"#;
    for (status, body, wanted) in [
        (
            "400 Bad",
            r#"{"code":"session_expired"}"#,
            Some(SignedOutReason::Expired),
        ),
        (
            "403 No",
            r#"{"blocked":true}"#,
            Some(SignedOutReason::Revoked),
        ),
        ("403 No", r#"{"blocked":false}"#, None),
        ("401 No", r#"{"message":"no"}"#, None),
        ("400 Bad", "<html>", None),
    ] {
        let exchanges = [
            said(LOGIN, "200 OK", &[], &tokens),
            said(refresh, status, &[], body),
        ];
        let played = play(profile.clone(), &exchanges).await;
        played.sign_in(ANN, "pw").await;
        let result = played.session.refresh().await;
        match wanted {
            Some(why) => assert_eq!(played.until_signed_out().await, why, "{status} {body}"),
            None => {
                let state = played.session.snapshot().state;
                assert!(is_stale(&state), "{status} {body}: {result:?}");
                assert_eq!(played.kept(), "r", "{status} {body}");
            }
        }
    }
}

/// A backend may renew a session and refuse its access token: the account was blocked meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_may_be_said_by_who_is_asked_whose_session_it_is() {
    let profile = bare(json!({
        "session": {"user_from": "me"},
        "endpoints": {
            "me": {"method": "GET", "path": "/me", "headers": {"authorization": "Bearer $access_token"}},
        },
        "answer": {"me": {"user": ["/user"]}},
        "ends": [
            {"status": 401, "code": "blocked", "why": "revoked"},
            {"status": 403, "why": "expired"},
            {"status": 200, "pointer": "/over", "equals": true, "why": "expired"},
        ],
    }));
    let who = with_user(r#""over":false"#);
    for (status, body, wanted) in [
        (
            "401 No",
            r#"{"code":"blocked"}"#,
            Some(SignedOutReason::Revoked),
        ),
        ("200 OK", r#"{"over":true}"#, Some(SignedOutReason::Expired)),
        // It says whose it is, so it goes on.
        ("200 OK", &with_user(r#""over":true"#), None),
        // By the status alone: it may be about this endpoint.
        ("403 No", r#"{"message":"not for you"}"#, None),
        ("401 No", r#"{"message":"no"}"#, None),
        ("401 No", "<html>", None),
        ("503 Later", r#"{"code":"blocked"}"#, None),
    ] {
        for is_known in [true, false] {
            let refreshed = |old: u32, new: u32| {
                said(
                    &format!(r#"POST /refresh-token -d {{"refresh":"r-{old}"}}"#),
                    "200 OK",
                    &[],
                    &format!(r#"{{"access":"a-{new}","refresh":"r-{new}"}}"#),
                )
            };
            let me = |n: u32| format!("GET /me -H Authorization: Bearer a-{n}");
            let mut played = play(
                profile.clone(),
                &[
                    said(LOGIN, "200 OK", &[], r#"{"access":"a-1","refresh":"r-1"}"#),
                    said(&me(1), "200 OK", &[], &who),
                    refreshed(1, 2),
                    said(&me(2), status, &[], body),
                ],
            )
            .await;
            played.sign_in(ANN, "pw").await;
            let name = format!("{status} {body}, the user known: {is_known}");
            if is_known {
                let _ = played.session.refresh().await;
            } else {
                played.lose_record("session.json");
                played.restart();
                eventually(&name, || played.asked("/me") == 2).await;
            }
            let Some(why) = wanted else {
                let settled = |state: &_| is_fresh(state) || outage(state).is_some();
                let state = played.until(&name, settled).await;
                let has_user = is_known || body.contains("Ann");
                assert_eq!(is_fresh(&state), has_user, "{name}: {state:?}");
                assert_eq!(played.kept(), "r-2", "{name}");
                continue;
            };
            assert_eq!(played.until_signed_out().await, why, "{name}");
            assert_eq!(played.asked("/refresh-token"), 1, "{name}");
            played.until_nothing_kept().await;
            played.check_no_strays();
        }
    }
}
