//! What roles allow: only what the backend last said.

use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_harness::*;

const SEE: &str = "people.see";
const EXPORT: &str = "people.export";
const LIST: &str = "/admin/users";

async fn signed_in(email: &str) -> Harness {
    let harness = Harness::new().await;
    harness.sign_in(email).await;
    harness
}

/// Starts the app again while the backend does not answer.
async fn restart_offline(harness: &mut Harness) {
    harness.backend.down().await;
    harness.restart();
    harness.until("the last known user", is_stale).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_opens_what_the_profile_says_and_nothing_else() {
    let harness = signed_in(ADMIN).await;
    assert_eq!(harness.state().may, [EXPORT, SEE]);
    assert_eq!(harness.session.require_right(EXPORT).await, Ok(()));
    let other = harness.session.require_right("people.delete").await;
    assert_eq!(code(&other), Some(ErrorCode::NotAllowed));

    let harness = signed_in(DEMO).await;
    assert!(harness.state().may.is_empty(), "{:?}", harness.state());
    for right in [SEE, EXPORT] {
        let refused = harness.session.require_right(right).await;
        assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    }
    assert_eq!(harness.refreshes(), 0, "confirmed roles cause no refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_do_anything() {
    let harness = Harness::new().await;
    let refused = harness.session.require_right(SEE).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotSignedIn));
    harness.sign_in(ADMIN).await;
    harness.session.logout().await;
    assert!(harness.state().may.is_empty());
    let refused = harness.session.require_right(SEE).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotSignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_taken_away_or_given_counts_from_the_next_refresh() {
    let harness = signed_in(ADMIN).await;
    assert!(harness.backend.set_roles(ADMIN, &["user"]));
    harness.session.refresh().await.expect("a refresh");
    assert!(harness.state().may.is_empty(), "{:?}", harness.state());
    let refused = harness.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    assert!(harness.backend.set_roles(ADMIN, &["user", "admin"]));
    harness.session.refresh().await.expect("a refresh");
    assert_eq!(harness.state().may, [EXPORT, SEE]);
    assert_eq!(harness.session.require_right(EXPORT).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_nobody_confirms_are_shown_and_open_nothing() {
    let mut harness = signed_in(ADMIN).await;
    restart_offline(&mut harness).await;
    assert_eq!(harness.state().may, [EXPORT, SEE], "provisional");
    let refused = harness.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::Unreachable));
    let other = harness.session.require_right("people.delete").await;
    assert_eq!(code(&other), Some(ErrorCode::NotAllowed));
    harness.backend.up().await.expect("the same port");
    harness.pass(Duration::from_secs(6));
    assert_eq!(
        harness.session.require_right(EXPORT).await,
        Ok(()),
        "it asks"
    );
}

/// The record of the last user can be changed by anybody, so it proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn roles_written_into_the_record_open_nothing() {
    let mut harness = signed_in(DEMO).await;
    let record = std::fs::read_dir(&harness.records)
        .expect("the records")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"roles\"")))
        .expect("the record of the last user");
    let text = std::fs::read_to_string(&record).expect("it is text");
    let forged = text.replace(r#""roles":["user"]"#, r#""roles":["user","admin"]"#);
    assert_ne!(forged, text, "a role was added to {text}");
    std::fs::write(&record, forged).expect("it can be written");

    restart_offline(&mut harness).await;
    assert_eq!(
        harness.state().may,
        [EXPORT, SEE],
        "the forged role is shown"
    );
    let refused = harness.session.require_right(EXPORT).await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::Unreachable),
        "the forged role allows nothing"
    );
    harness.backend.up().await.expect("the same port");
    harness.pass(Duration::from_secs(6));
    let refused = harness.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    assert!(harness.state().may.is_empty(), "{:?}", harness.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backends_refusal_brings_the_roles_as_they_are() {
    let harness = signed_in(ADMIN).await;
    assert_eq!(harness.get(LIST).await.expect("an answer").status, 200);
    assert!(harness.backend.set_roles(ADMIN, &["user"]));
    assert_eq!(harness.get(LIST).await.expect("an answer").status, 403);
    let state = harness
        .until("the true roles", |state| state.may.is_empty())
        .await;
    assert_eq!(user(&state).expect("still signed in").roles, ["user"]);
    assert_eq!(harness.refreshes(), 1);
    // A refusal causes a refresh only if the session still has the role.
    harness.pass(Duration::from_secs(60));
    assert_eq!(harness.get(LIST).await.expect("an answer").status, 403);
    assert_eq!(harness.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_all_the_same_is_not_asked_each_time() {
    let harness = signed_in(ADMIN).await;
    let refusal = Fault::on("GET", LIST, Effect::status(403));
    harness.backend.faults().add(refusal);
    for _ in 0..5 {
        assert_eq!(harness.get(LIST).await.expect("an answer").status, 403);
    }
    harness.reached(REFRESH, 1).await;
    assert_eq!(harness.refreshes(), 1, "one refresh for all refusals");
    assert_eq!(harness.state().may, [EXPORT, SEE], "the roles are the same");
    // A call that was sent with the earlier token proves nothing new, so the first may not count.
    let refused_again = async {
        while harness.refreshes() < 2 {
            harness.pass(Duration::from_secs(31));
            assert_eq!(harness.get(LIST).await.expect("an answer").status, 403);
        }
    };
    soon("another refresh", refused_again).await;
}
