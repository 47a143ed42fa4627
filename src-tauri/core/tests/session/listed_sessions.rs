//! The list of the account's sessions: what a window sees of it, and the end of sessions by it.

use serde_json::{Value, json};
use vestibule_backend::Fault;
use vestibule_core::session::Session;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::wire::{ListedSession, SessionList, SignedOutReason};
use vestibule_core::{AuthError, ErrorCode, ListedSessionId};
use vestibule_harness::*;

const LIST: &str = "/sessions";

/// Makes the backend answer this in place of its list.
fn listing(harness: &Harness, status: u16, body: Value) {
    let fault = Fault::on("GET", LIST, answer(status, body, &[]));
    harness.backend.faults().add(fault);
}

async fn list(harness: &Harness) -> SessionList {
    harness.session.list_sessions().await.expect("a list")
}

fn one(list: &SessionList, is_own: bool) -> &ListedSession {
    let found = list.sessions.iter().find(|one| one.current == is_own);
    found.expect("one")
}

/// Another installation of the person who is signed in.
async fn elsewhere(here: &Harness) -> Installation {
    let there = Installation::new(here.profile.clone()).await;
    there.sign_in(DEMO).await;
    there
}

async fn two() -> (Harness, Installation) {
    let here = Harness::signed_in().await;
    let there = elsewhere(&here).await;
    (here, there)
}

async fn refused(session: &Session) -> AuthError {
    session.list_sessions().await.expect_err("no list")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_sees_each_session_and_nothing_that_names_it_at_the_backend() {
    let (here, _there) = two().await;
    let list = list(&here).await;
    assert_eq!((list.sessions.len(), list.left_out), (2, 0));
    let own = one(&list, true);
    assert!(own.browser.is_some() && own.os.is_some(), "{own:?}");
    assert!(own.created_at.is_some() && own.last_used_at.is_some());
    let told = serde_json::to_string(&list).expect("JSON");
    for session in here.backend.sessions(DEMO) {
        assert!(!told.contains(&session.id), "an id of ours in its place");
    }
    let again = here.session.list_sessions().await.expect("a list");
    assert_eq!(again, list, "the ids stay the same");
    let sent = here.backend.last_request("GET", LIST).expect("one");
    assert!(sent.header("authorization").is_some(), "the access token");
    assert_eq!(
        sent.cookie(COOKIE),
        None,
        "the refresh token does not go along"
    );
    let page = here.get(LIST).await;
    assert_eq!(
        code(&page),
        Some(ErrorCode::PathRefused),
        "no page asks itself"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_by_its_place_in_the_list() {
    let (here, there) = two().await;
    let listed = list(&here).await;
    let other = one(&listed, false).id;
    here.session.end_session(other).await.expect("ended");
    assert_eq!(alive(&here.backend, DEMO), 1);
    assert_eq!(list(&here).await.sessions.len(), 1);
    let gone = here.session.end_session(other).await;
    assert_eq!(code(&gone), Some(ErrorCode::UnknownSession), "read anew");
    there.session.refresh().await.expect_err("it is over");
    assert_eq!(there.until_signed_out().await, SignedOutReason::Revoked);
    assert!(is_fresh(&here.state()), "this one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn to_end_this_session_is_to_sign_out() {
    let (here, there) = two().await;
    let own = one(&list(&here).await, true).id;
    here.session.end_session(own).await.expect("ended");
    assert_eq!(why(&here.state()), Some(SignedOutReason::ByUser));
    // The backend counts a request as it arrives and ends the session afterwards.
    eventually("the backend to end it", || alive(&here.backend, DEMO) == 1).await;
    assert_eq!(here.backend.requests("POST", "/logout"), 1);
    let late = here.session.end_session(own).await;
    assert_eq!(code(&late), Some(ErrorCode::UnknownSession));
    assert_eq!(
        code(&here.session.list_sessions().await),
        Some(ErrorCode::NotSignedIn)
    );
    assert!(is_fresh(&there.state()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_list_names_nobody() {
    let (here, there) = two().await;
    let listed = list(&here).await;
    let elsewhere = there.session.end_session(one(&listed, false).id).await;
    assert_eq!(code(&elsewhere), Some(ErrorCode::UnknownSession));
    let invented = here.session.end_session(ListedSessionId::new()).await;
    assert_eq!(code(&invented), Some(ErrorCode::UnknownSession));
    assert_eq!(alive(&here.backend, DEMO), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_one_refresh_and_one_replay() {
    let (here, _there) = two().await;
    here.backend.expire_access_tokens();
    let listed = list(&here).await;
    assert_eq!(listed.sessions.len(), 2);
    assert_eq!(
        (here.refreshes(), here.backend.requests("GET", LIST)),
        (1, 2)
    );
    here.pass(PAGE_GAP);
    here.backend.expire_access_tokens();
    here.session
        .end_session(one(&listed, false).id)
        .await
        .expect("ended");
    assert_eq!(here.refreshes(), 2, "for the end of a session too");
    assert_eq!(alive(&here.backend, DEMO), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_refused_says_why_and_the_session_stays() {
    for (status, body, wanted, words) in [
        (404, json!({}), ErrorCode::Unsupported, "does not offer"),
        (405, json!({}), ErrorCode::Unsupported, "does not offer"),
        (501, json!({}), ErrorCode::Unsupported, "does not offer"),
        (
            403,
            json!({"message": "Session is not fresh"}),
            ErrorCode::NotAllowed,
            "The server says: “Session is not fresh”",
        ),
        (401, json!({}), ErrorCode::SessionRefused, "does not accept"),
        (500, json!({}), ErrorCode::BackendFault, "had a problem"),
        (302, json!({}), ErrorCode::BadAnswer, "does not understand"),
        (
            200,
            json!({"sessions": "many"}),
            ErrorCode::BadAnswer,
            "does not understand",
        ),
    ] {
        let harness = Harness::signed_in().await;
        listing(&harness, status, body);
        let error = refused(&harness.session).await;
        assert_eq!(error.code, wanted, "{status}");
        assert!(error.message.contains(words), "{status}: {error}");
        assert!(is_fresh(&harness.state()), "{status} ends no session");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_entries_cost_no_other_entry_and_ten_thousand_are_bounded() {
    let harness = Harness::signed_in().await;
    let half =
        json!({"sessions": [{"id": 42, "lastUsedAt": null, "device": "Laptop"}, {"x": 1}, 7]});
    listing(&harness, 200, half);
    let read = list(&harness).await;
    assert_eq!((read.sessions.len(), read.left_out), (1, 2));
    assert_eq!(read.sessions[0].name.as_deref(), Some("Laptop"));
    assert_eq!(read.sessions[0].last_used_at, None);

    let harness = Harness::signed_in().await;
    let entry = |n: usize| {
        json!({
            "id": format!("0b8f4a52-6f0e-4c6a-9d57-{n:012}"),
            "device": {"fingerprint": "0b8f4a52-6f0e-4c6a-9d57-000000000000", "os": "Debian 12", "browser": "Vestibule"},
            "createdAt": "2026-11-23T05:37:20.173Z",
            "lastUsedAt": 1_795_000_000 + n,
            "current": n == 0,
        })
    };
    listing(
        &harness,
        200,
        Value::Array((0..10_000).map(entry).collect()),
    );
    let read = list(&harness).await;
    assert_eq!((read.sessions.len(), read.left_out), (200, 9_800));
    assert!(read.sessions.iter().any(|one| one.current));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_larger_than_any_is_too_large() {
    let harness = Harness::signed_in().await;
    listing(&harness, 200, json!([{"id": "x".repeat(5 * 1024 * 1024)}]));
    assert_eq!(refused(&harness.session).await.code, ErrorCode::TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_there_means_gone_or_not_offered_as_the_list_says() {
    let here = Harness::signed_in().await;
    let own = here.backend.sessions(DEMO)[0].id.clone();
    let there = elsewhere(&here).await;
    let other = one(&list(&here).await, false).id;
    let sessions = here.backend.sessions(DEMO);
    let theirs = sessions.iter().find(|held| held.id != own).expect("one");
    let path = format!("{LIST}/{}", theirs.id);
    let refused = Fault::on("DELETE", &path, refusal(404, "NO_ROUTE"));
    here.backend.faults().add(refused.times(1));
    let kept = here.session.end_session(other).await;
    assert_eq!(
        code(&kept),
        Some(ErrorCode::Unsupported),
        "it is listed still"
    );
    there.session.logout().await;
    eventually("the other session to end", || {
        alive(&here.backend, DEMO) == 1
    })
    .await;
    here.session.end_session(other).await.expect("gone already");
    assert_eq!(here.backend.requests("DELETE", &path), 2);
    assert_eq!(here.backend.requests("GET", LIST), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_a_name_of_a_session_is_not_shown() {
    let harness = Harness::signed_in().await;
    let token = "token-of-the-other-session";
    let list = json!([{"id": token, "name": token, "userAgent": format!("agent {token}"), "ip": "10.0.0.1"}]);
    listing(&harness, 200, list);
    let read = harness.session.list_sessions().await.expect("a list");
    let one = &read.sessions[0];
    assert_eq!((&one.name, &one.user_agent), (&None, &None));
    assert_eq!(one.address.as_deref(), Some("10.0.0.1"));
}
