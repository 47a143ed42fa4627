//! The keyring is tried when the user asks for it. The clock does not advance, so nothing happens
//! because it is due.

use std::time::Duration;

use vestibule_core::wire::{Phase, SessionState, StorageStatus};
use vestibule_core::{ErrorCode, StoreError};

use crate::support::*;

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
        let mut rig = Rig::new().await;
        rig.store.block(Block::Fail(error));
        rig.sign_in(PLAIN).await;
        assert!(!is_remembered(&rig.state()), "{error:?}");

        let tried = rig.store.reads();
        rig.session.unlock_keyring().await.expect("tried");
        assert_eq!(
            rig.store.reads(),
            tried + 1,
            "{error:?}: the keyring was tried"
        );
        assert!(
            !is_remembered(&rig.state()),
            "{error:?}: the token is still not stored"
        );

        rig.store.heal();
        rig.session.unlock_keyring().await.expect("tried again");
        let state = rig.state();
        assert!(is_remembered(&state), "{error:?}: kept now: {state:?}");
        assert_eq!(rig.refreshes(), 0, "{error:?}");
        rig.restart();
        rig.until_fresh().await;
    }
}

/// Between the two writes an app that starts would find the session to have ended with the last
/// run, so they are not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_offered_twice_at_once_is_stored_once() {
    let rig = Rig::new().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.sign_in(PLAIN).await;
    rig.store.heal();
    let before = rig.store.writes();
    let (first, second) = tokio::join!(rig.session.unlock_keyring(), rig.session.unlock_keyring());
    first.and(second).expect("tried");
    let state = rig.state();
    assert!(is_remembered(&state), "{state:?}");
    assert_eq!(
        rig.store.writes() - before,
        2,
        "once with the mark that it lasts until the app quits, once without"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_behind_the_keyring_goes_on_at_once() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.restart();
    let state = rig.until("the last user, offline", is_stale).await;
    assert_eq!(state.storage, StorageStatus::Locked, "{state:?}");
    let refused = rig.session.unlock_keyring().await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::KeyringUnread),
        "the keyring is still locked"
    );
    assert!(is_stale(&rig.state()), "nobody is signed out");

    rig.store.heal();
    rig.session
        .unlock_keyring()
        .await
        .expect("the keyring is open now");
    let state = rig.state();
    assert!(is_fresh(&state) && is_remembered(&state), "{state:?}");
    assert_eq!(rig.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_waits_nothing_is_done() {
    let rig = Rig::signed_in().await;
    let counts = || (rig.store.reads(), rig.store.writes());
    let before = counts();
    rig.session.unlock_keyring().await.expect("no harm");
    assert_eq!(counts(), before, "signed in");
    rig.session.logout().await;
    rig.reached("/logout", 1).await;
    let record = rig.records().join("pending-sign-outs.json");
    eventually("no pending sign-out", || !record.exists()).await;
    let before = counts();
    rig.session.unlock_keyring().await.expect("no harm");
    rig.pass(Duration::ZERO);
    assert_eq!(counts(), before, "signed out");
    assert_eq!(rig.refreshes(), 0);
}
