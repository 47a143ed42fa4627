//! Backends that list sessions in their own ways, and name them by what no window may see.

use serde_json::{Value, json};
use vestibule_core::wire::{LoginInput, SessionList, SignInOutcome};
use vestibule_recordings::Recording;

use crate::played::{Played, said};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const GRANT: &str = r#"{"access":"a-1","sid":"s-2","user":{"id":"u","email":"ann@example.com"}}"#;

/// A profile over the contract, whose sessions end by themselves.
fn profile(more: Value) -> Value {
    let mut profile = json!({
        "cookies": {"device": false},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "logout": false,
        },
        "answer": {"login": {"access_token": ["/access"], "session_id": ["/sid"]}},
    });
    vestibule_harness::merge(&mut profile, more);
    profile
}

async fn signed_in(profile: Value, after: &[String]) -> Played {
    let cookie = ["Set-Cookie: __refresh_token=r-1; Path=/"];
    let exchanges = [&[said(LOGIN, "200 OK", &cookie, GRANT)], after].concat();
    let recording = Recording::parse(&exchanges.concat());
    let played = Played::playing(recording, profile, "", &[]).await;
    played.sign_in(ANN, "pw").await;
    played
}

async fn list(played: &Played) -> SessionList {
    played.session.list_sessions().await.expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_listing_is_read_by_places() {
    let moment = Some(1_795_411_840_000);
    for (places, body) in [
        (
            json!({}),
            r#"[{"id":42,"lastUsedAt":"2026-11-23T05:30:40Z"}]"#,
        ),
        (
            json!({}),
            r#"{"sessions":[{"_id":"x","last_used_at":1795411840}]}"#,
        ),
        (
            json!({}),
            r#"{"data":{"items":[{"id":"x","lastUsedAt":1795411840000}]}}"#,
        ),
        (
            json!({"list": ["/result/rows"], "id": ["/key"], "last_used": ["/seen/at"]}),
            r#"{"result":{"rows":[{"key":7,"seen":{"at":"1795411840"}}]}}"#,
        ),
        (
            json!({}),
            r#"[{"id":"x","lastUsedAt":"2026-11-23 05:30:40"}]"#,
        ),
    ] {
        let exchange = said("GET /sessions", "200 OK", &[], body);
        let more = profile(json!({"answer": {"sessions": places}}));
        let played = signed_in(more, &[exchange]).await;
        let list = list(&played).await;
        assert_eq!(list.sessions.len(), 1, "{body}");
        assert_eq!(list.sessions[0].last_used_at, moment, "{body}");
        played.check_no_strays();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_session_is_found_by_what_the_sign_in_called_it() {
    let body = r#"[{"id":"s-1"},{"id":"s-2"}]"#;
    let exchange = said("GET /sessions", "200 OK", &[], body);
    let played = signed_in(profile(json!({})), &[exchange]).await;
    let marked: Vec<_> = (list(&played).await.sessions.iter())
        .map(|one| one.current)
        .collect();
    assert_eq!(marked, [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_reserved_characters_stays_in_its_segment() {
    for (name, path) in [
        (json!("a/b?c#d"), "/sessions/a%2Fb%3Fc%23d"),
        (json!(42), "/sessions/42"),
        (json!("5b0f7c1e-0d4b"), "/sessions/5b0f7c1e-0d4b"),
        (json!("ä +"), "/sessions/%C3%A4%20%2B"),
    ] {
        let body = json!([{"id": name}]).to_string();
        let exchanges = [
            said("GET /sessions", "200 OK", &[], &body),
            said(&format!("DELETE {path}"), "204 No Content", &[], ""),
        ];
        let played = signed_in(profile(json!({})), &exchanges).await;
        let id = list(&played).await.sessions[0].id;
        played.session.end_session(id).await.expect("ended");
        played.check_no_strays();
    }
    let exchange = said("GET /sessions", "200 OK", &[], r#"[{"id":".."}]"#);
    let played = signed_in(profile(json!({})), &[exchange]).await;
    let id = list(&played).await.sessions[0].id;
    played.session.end_session(id).await.expect_err("no path");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_only_calls_itself_a_page_is_an_end() {
    for (status, body, is_ended) in [
        ("200 OK", "OK", true),
        ("200 OK", "", true),
        ("200 OK", "true", true),
        ("404 Not Found", "Not Found", true),
        ("200 OK", "<!doctype html><title>Sign in</title>", false),
        ("404 Not Found", "<html>Sign in</html>", false),
    ] {
        let end = said("DELETE /sessions/s-1", status, &[], body);
        let exchanges = [
            said("GET /sessions", "200 OK", &[], r#"[{"id":"s-1"}]"#),
            end.replace("application/json", "text/html"),
            said("GET /sessions", "200 OK", &[], "[]"),
        ];
        let played = signed_in(profile(json!({})), &exchanges).await;
        let id = list(&played).await.sessions[0].id;
        let ended = played.session.end_session(id).await;
        assert_eq!(ended.is_ok(), is_ended, "{status} {body}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn better_auth_names_sessions_by_tokens_which_stay_here() {
    const LOGIN: &str =
        r#"POST /api/auth/sign-in/email -d {"email":"ann@example.com","password":"pw"}"#;
    const OWN: &str = "MiH7u5RrmHrgxRwzZSqUYPdyfmlRGZNI";
    const OTHER: &str = "eFvBlQvxh9VF7HQlNyUpgm2EBrmCPhwd";
    // The cookie of the session, and the origin that goes along with it.
    const WITH: &str = "-b jar -H Origin: http://127.0.0.1:1";
    let user = r#"{"id":"u","name":"Ann","email":"ann@example.com"}"#;
    let cookie = format!("Set-Cookie: better-auth.session_token={OWN}.sig; Path=/");
    let entry = |token: &str| {
        json!({
            "expiresAt": "2026-11-30T04:53:38.000Z", "token": token,
            "createdAt": "2026-11-23T04:53:38.000Z", "updatedAt": "2026-11-24T04:53:38.000Z",
            "ipAddress": "", "userAgent": "curl/7.88.1", "userId": "u", "id": format!("id-{token}"),
        })
    };
    let both = json!([entry(OTHER), entry(OWN)]).to_string();
    let ended = format!(r#"POST /api/auth/revoke-session {WITH} -d {{"token":"{OTHER}"}}"#);
    let done = r#"{"status":true}"#;
    let exchanges = [
        said(
            LOGIN,
            "200 OK",
            &[&cookie],
            &format!(r#"{{"token":"{OWN}","user":{user}}}"#),
        ),
        said(
            &format!("GET /api/auth/list-sessions {WITH}"),
            "200 OK",
            &[],
            &both,
        ),
        said(&ended, "200 OK", &[], done),
        said(
            &format!("POST /api/auth/revoke-other-sessions {WITH}"),
            "200 OK",
            &[],
            done,
        ),
    ];
    let recording = Recording::parse(&exchanges.concat());
    let played = Played::playing(recording, json!({"extends": "better-auth"}), "", &[]).await;
    let outcome = played.session.login(LoginInput::new(ANN, "pw")).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let listed = list(&played).await;
    let [other, own] = &listed.sessions[..] else {
        panic!("{listed:?}");
    };
    assert!(own.current && !other.current, "by the token of the sign-in");
    assert_eq!(other.user_agent.as_deref(), Some("curl/7.88.1"));
    assert_eq!(other.address, None, "an empty one");
    assert_eq!(other.expires_at, Some(1_796_014_418_000));
    let told = serde_json::to_string(&listed).expect("JSON");
    assert!(!told.contains(OWN) && !told.contains(OTHER), "{told}");
    played.session.end_session(other.id).await.expect("ended");
    played.session.end_other_sessions().await.expect("ended");
    played.check_no_strays();
}
