//! The keyring is tried when the user asks for it. The clock does not advance, so nothing happens
//! because it is due.

use std::time::Duration;

use vestibule_core::wire::{Phase, SessionState, StorageStatus};
use vestibule_core::{ErrorCode, StoreError};
use vestibule_harness::*;

fn is_remembered(state: &SessionState) -> bool {
    let remembered = matches!(
        state.phase,
        Phase::SignedIn {
            remembered: true,
            ..
        }
    );
    remembered && state.storage == StorageStatus::Ok
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_offered_at_once_and_nothing_is_asked_of_the_backend() {
    for error in [StoreError::Locked, StoreError::Absent, StoreError::Failed] {
        let mut harness = Harness::new().await;
        harness.store.block(Block::Fail(error));
        harness.sign_in(DEMO).await;
        assert!(!is_remembered(&harness.state()), "{error:?}");

        let tried = harness.store.reads();
        harness.session.unlock_keyring().await.expect("tried");
        assert_eq!(
            harness.store.reads(),
            tried + 1,
            "{error:?}: the keyring was tried"
        );
        assert!(
            !is_remembered(&harness.state()),
            "{error:?}: the token is still not stored"
        );

        harness.store.heal();
        harness.session.unlock_keyring().await.expect("tried again");
        let state = harness.state();
        assert!(is_remembered(&state), "{error:?}: kept now: {state:?}");
        assert_eq!(harness.refreshes(), 0, "{error:?}");
        harness.restart();
        harness.until_fresh().await;
    }
}

/// Between the two writes an app that starts would find the session to have ended with the last
/// run, so they are not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_offered_twice_at_once_is_stored_once() {
    let harness = Harness::new().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.sign_in(DEMO).await;
    harness.store.heal();
    let before = harness.store.writes();
    let (first, second) = tokio::join!(
        harness.session.unlock_keyring(),
        harness.session.unlock_keyring()
    );
    first.and(second).expect("tried");
    let state = harness.state();
    assert!(is_remembered(&state), "{state:?}");
    assert_eq!(
        harness.store.writes() - before,
        2,
        "once with the mark that it lasts until the app quits, once without"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_behind_the_keyring_goes_on_at_once() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.restart();
    let state = harness.until("the last user, offline", is_stale).await;
    assert_eq!(state.storage, StorageStatus::Locked, "{state:?}");
    let refused = harness.session.unlock_keyring().await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::KeyringUnread),
        "the keyring is still locked"
    );
    assert!(is_stale(&harness.state()), "nobody is signed out");

    harness.store.heal();
    harness
        .session
        .unlock_keyring()
        .await
        .expect("the keyring is open now");
    let state = harness.state();
    assert!(is_fresh(&state) && is_remembered(&state), "{state:?}");
    assert_eq!(harness.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_waits_nothing_is_done() {
    let harness = Harness::signed_in().await;
    let counts = || (harness.store.reads(), harness.store.writes());
    let before = counts();
    harness.session.unlock_keyring().await.expect("no harm");
    assert_eq!(counts(), before, "signed in");
    harness.session.logout().await;
    harness.reached("/logout", 1).await;
    let record = harness.records.join("pending-sign-outs.json");
    eventually("no pending sign-out", || !record.exists()).await;
    let before = counts();
    harness.session.unlock_keyring().await.expect("no harm");
    harness.pass(Duration::ZERO);
    assert_eq!(counts(), before, "signed out");
    assert_eq!(harness.refreshes(), 0);
}
