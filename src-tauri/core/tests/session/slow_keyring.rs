//! A keyring that answers late each time: behind a card reader, or a question that a user answers
//! slowly. It is neither locked nor absent: its late answer is used, unless something newer was
//! asked for.

use std::time::Duration;

use vestibule_backend::Config;
use vestibule_core::wire::{SignedOutReason, StorageStatus};
use vestibule_harness::*;

/// A start whose read of the keyring has exceeded its time limit and is still in progress.
async fn slow_start(setup: &Setup) -> Installation {
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    setup.store.block(Block::Hang);
    install.restart();
    eventually("a read of the keyring", || setup.store.waiting() > 0).await;
    install
        .until("the bound of the read", |state| {
            state.storage == StorageStatus::Locked
        })
        .await;
    install
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_to_a_read_counts() {
    let setup = Setup::new(Config::default()).await;
    let install = slow_start(&setup).await;
    setup.store.heal();
    // The schedule's clock does not advance, so this is the answer to the same read.
    install.until("the session", is_fresh).await;
    assert_eq!(owner(&install.session).await.as_deref(), Some(DEMO));
    assert_eq!(install.state().storage, StorageStatus::Ok);
}

/// Every read is late, and the next one begins before the last has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_is_late_each_time_is_heard_in_the_end() {
    let setup = Setup::new(Config::default()).await;
    let install = slow_start(&setup).await;
    install.pass(Duration::from_secs(6));
    install.pass(Duration::from_secs(6));
    setup.store.heal();
    install.until("the session", is_fresh).await;
    assert_eq!(owner(&install.session).await.as_deref(), Some(DEMO));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_does_not_count_once_somebody_else_has_signed_in() {
    let setup = Setup::new(Config::default()).await;
    let mut install = slow_start(&setup).await;
    install.sign_in(ADMIN).await;
    setup.store.heal();
    eventually("all answers", || setup.store.waiting() == 0).await;
    assert_eq!(install.settle("late").await.as_deref(), Ok(ADMIN));
    install.session.refresh().await.expect("refreshed");
    assert_eq!(install.settle("refreshed").await.as_deref(), Ok(ADMIN));
    assert_eq!(setup.ends(ADMIN), [None]);
    install.restart();
    if let Ok(who) = install.settle("the next start").await {
        assert_eq!(who, ADMIN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_does_not_count_after_a_sign_out() {
    let setup = Setup::new(Config::default()).await;
    let mut install = slow_start(&setup).await;
    install.session.logout().await;
    setup.store.heal();
    eventually("all answers", || setup.store.waiting() == 0).await;
    let settled = install.settle("late").await;
    assert_eq!(settled, Err(SignedOutReason::ByUser));
    install
        .passing(eventually("the end at the backend", || {
            setup.alive(DEMO) == 0
        }))
        .await;
    install.restart();
    install
        .settle("the next start")
        .await
        .expect_err("the session has ended");
}
