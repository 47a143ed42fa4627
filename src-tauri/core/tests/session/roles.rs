//! What roles allow: only what the backend last said.

use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_core::ErrorCode;

use crate::support::*;

const SEE: &str = "people.see";
const EXPORT: &str = "people.export";
const LIST: &str = "/admin/users";

async fn signed_in(email: &str) -> Rig {
    let rig = Rig::new().await;
    rig.sign_in(email).await;
    rig
}

/// Starts the app again while the backend does not answer.
async fn restart_offline(rig: &mut Rig) {
    rig.backend.down().await;
    rig.restart();
    rig.until("the last known user", is_stale).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_opens_what_the_profile_says_and_nothing_else() {
    let rig = signed_in(ADMIN).await;
    assert_eq!(rig.state().may, [EXPORT, SEE]);
    assert_eq!(rig.session.require_right(EXPORT).await, Ok(()));
    let other = rig.session.require_right("people.delete").await;
    assert_eq!(code(&other), Some(ErrorCode::NotAllowed));

    let rig = signed_in(PLAIN).await;
    assert!(rig.state().may.is_empty(), "{:?}", rig.state());
    for permission in [SEE, EXPORT] {
        let refused = rig.session.require_right(permission).await;
        assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    }
    assert_eq!(rig.refreshes(), 0, "confirmed roles cause no refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_do_anything() {
    let rig = Rig::new().await;
    let refused = rig.session.require_right(SEE).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotSignedIn));
    rig.sign_in(ADMIN).await;
    rig.session.logout().await;
    assert!(rig.state().may.is_empty());
    let refused = rig.session.require_right(SEE).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotSignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_taken_away_or_given_counts_from_the_next_refresh() {
    let rig = signed_in(ADMIN).await;
    assert!(rig.backend.set_roles(ADMIN, &["user"]));
    rig.session.refresh().await.expect("a refresh");
    assert!(rig.state().may.is_empty(), "{:?}", rig.state());
    let refused = rig.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    assert!(rig.backend.set_roles(ADMIN, &["user", "admin"]));
    rig.session.refresh().await.expect("a refresh");
    assert_eq!(rig.state().may, [EXPORT, SEE]);
    assert_eq!(rig.session.require_right(EXPORT).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_nobody_confirms_are_shown_and_open_nothing() {
    let mut rig = signed_in(ADMIN).await;
    restart_offline(&mut rig).await;
    assert_eq!(rig.state().may, [EXPORT, SEE], "provisional");
    let refused = rig.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::Unreachable));
    let other = rig.session.require_right("people.delete").await;
    assert_eq!(code(&other), Some(ErrorCode::NotAllowed));
    rig.backend.up().await.expect("the same port");
    rig.pass(Duration::from_secs(6));
    assert_eq!(rig.session.require_right(EXPORT).await, Ok(()), "it asks");
}

/// The record of the last user can be changed by anybody, so it proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn roles_written_into_the_record_open_nothing() {
    let mut rig = signed_in(PLAIN).await;
    let record = std::fs::read_dir(rig.records())
        .expect("the records")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"roles\"")))
        .expect("the record of the last user");
    let text = std::fs::read_to_string(&record).expect("it is text");
    let forged = text.replace(r#""roles":["user"]"#, r#""roles":["user","admin"]"#);
    assert_ne!(forged, text, "a role was added to {text}");
    std::fs::write(&record, forged).expect("it can be written");

    restart_offline(&mut rig).await;
    assert_eq!(rig.state().may, [EXPORT, SEE], "the forged role is shown");
    let refused = rig.session.require_right(EXPORT).await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::Unreachable),
        "the forged role allows nothing"
    );
    rig.backend.up().await.expect("the same port");
    rig.pass(Duration::from_secs(6));
    let refused = rig.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
    assert!(rig.state().may.is_empty(), "{:?}", rig.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backends_refusal_brings_the_roles_as_they_are() {
    let rig = signed_in(ADMIN).await;
    assert_eq!(rig.get(LIST).await.expect("an answer").status, 200);
    assert!(rig.backend.set_roles(ADMIN, &["user"]));
    assert_eq!(rig.get(LIST).await.expect("an answer").status, 403);
    let state = rig
        .until("the true roles", |state| state.may.is_empty())
        .await;
    assert_eq!(user(&state).expect("still signed in").roles, ["user"]);
    assert_eq!(rig.refreshes(), 1);
    // A refusal causes a refresh only if the session still has the role.
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.get(LIST).await.expect("an answer").status, 403);
    assert_eq!(rig.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_all_the_same_is_not_asked_each_time() {
    let rig = signed_in(ADMIN).await;
    let refusal = Fault::on("GET", LIST, Effect::status(403));
    rig.backend.faults().add(refusal);
    for _ in 0..5 {
        assert_eq!(rig.get(LIST).await.expect("an answer").status, 403);
    }
    rig.reached(REFRESH, 1).await;
    assert_eq!(rig.refreshes(), 1, "one refresh for all refusals");
    assert_eq!(rig.state().may, [EXPORT, SEE], "the roles are the same");
    // A call that was sent with the earlier token proves nothing new, so the first may not count.
    let refused_again = async {
        while rig.refreshes() < 2 {
            rig.pass(Duration::from_secs(31));
            assert_eq!(rig.get(LIST).await.expect("an answer").status, 403);
        }
    };
    soon("another refresh", refused_again).await;
}
