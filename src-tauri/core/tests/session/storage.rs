//! A keyring that fails during the session: the session goes on, its state says so, and the token
//! is stored later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vestibule_backend::Effect;
use vestibule_core::testing::{BoundedStore, MAX_THREADS, WriteOrder};
use vestibule_core::wire::{SignedOutReason, StorageStatus};
use vestibule_core::{SecretStore as _, StoreError};
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_without_a_keyring_lives_in_memory_and_says_so() {
    let rows = [
        (StoreError::Absent, StorageStatus::Absent),
        (StoreError::Locked, StorageStatus::Locked),
        (StoreError::TooLarge, StorageStatus::TooLarge),
        (StoreError::Failed, StorageStatus::MemoryOnly),
    ];
    for (error, shown) in rows {
        let harness = Harness::new().await;
        harness.store.block(Block::Fail(error));
        harness.sign_in(DEMO).await;
        assert_eq!(harness.state().storage, shown, "{error:?}");
        assert_eq!(
            remembered(&harness.state()),
            Some(false),
            "{error:?}: it will not outlive this run"
        );
        let reply = harness.get("/me").await.expect("a call");
        assert_eq!(reply.status, 200, "{error:?}: the session works");
        harness.session.refresh().await.expect("and refreshes");
        assert_eq!(
            remembered(&harness.state()),
            Some(false),
            "{error:?}: the token is still not stored"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_kept_is_kept_by_the_next_rotation() {
    let mut harness = Harness::new().await;
    harness.store.block(Block::Fail(StoreError::Absent));
    harness.sign_in(DEMO).await;
    harness.store.heal();
    harness.session.refresh().await.expect("refreshed");
    let state = harness.state();
    assert_eq!(state.storage, StorageStatus::Ok, "{state:?}");
    assert_eq!(remembered(&harness.state()), Some(true));
    harness.restart();
    harness.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_kept_late_leaves_the_journal_to_the_rotation_under_way() {
    let harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Failed));
    harness.session.refresh().await.expect("refreshed");
    harness.strike(REFRESH, Effect::Hang {});
    let session = harness.session.clone();
    let flight = tokio::spawn(async move { session.refresh().await });
    harness.reached(REFRESH, 2).await;
    harness.store.heal();
    harness.pass(Duration::from_secs(10));
    harness
        .until("the token to be stored", |state| {
            state.storage == StorageStatus::Ok
        })
        .await;
    let record = std::fs::read_to_string(harness.records.join("session.json"));
    let record = record.expect("a record");
    assert!(record.contains(r#""phase":"rotating""#), "{record}");
    flight.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_kept_is_offered_again() {
    let mut harness = Harness::signed_in().await;
    let first = harness.kept();
    harness.store.block(Block::Fail(StoreError::Failed));
    harness.session.refresh().await.expect("refreshed");
    assert_eq!(
        remembered(&harness.state()),
        Some(false),
        "the new token is in memory only"
    );
    assert_eq!(harness.state().storage, StorageStatus::MemoryOnly);
    harness.store.heal();
    harness.pass(Duration::from_secs(10));
    harness
        .until("the token to be stored after all", |state| {
            remembered(state) == Some(true) && state.storage == StorageStatus::Ok
        })
        .await;
    assert_ne!(harness.kept(), first, "the new token is stored");
    let requests = harness.refreshes();
    assert_eq!(requests, 1, "storing the token needed no refresh");
    harness.restart();
    harness.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_delays_a_sign_in_by_its_bound_and_no_more() {
    let harness = Harness::new().await;
    harness.store.block(Block::Hang);
    let began = Instant::now();
    harness.sign_in(DEMO).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "bounded: {took:?}");
    assert_eq!(harness.state().storage, StorageStatus::Locked);
    assert_eq!(remembered(&harness.state()), Some(false));
    harness.store.heal();
    eventually("the late write", || harness.kept().is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_hangs_for_long_does_not_pile_up_threads() {
    let store = Arc::new(TestStore::default());
    let bounded = BoundedStore::with_limit(store.clone(), WORKSPACE, Duration::from_millis(20));
    store.block(Block::Hang);
    for generation in 1..=50_u64 {
        let value = zeroize::Zeroizing::new(generation.to_string().into_bytes());
        let order = WriteOrder::write(1, generation.into());
        let result = bounded.write(order, value).await;
        assert_eq!(
            result,
            Err(StoreError::TimedOut),
            "the call exceeds its time limit"
        );
    }
    assert!(
        store.waiting() <= MAX_THREADS,
        "{} calls hang at the same time",
        store.waiting()
    );
    store.heal();
    eventually("the late calls to land", || store.waiting() == 0).await;
    eventually("the newest value to be stored", || {
        let held = store.bare().read(WORKSPACE).expect("a memory store");
        held.is_some_and(|held| held.as_slice() == b"50")
    })
    .await;
    eventually("no call to hang", || store.waiting() == 0).await;
    let held = soon("a read", async {
        loop {
            match bounded.read().await {
                Ok(held) => break held,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert_eq!(held[0].as_slice(), b"50", "the keyring works again");
}

/// A session in memory lasts until the app is closed, as its user was told.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_keyring_never_took_is_not_shown_at_the_next_start() {
    for healed in [false, true] {
        let mut harness = Harness::new().await;
        harness.store.block(Block::Fail(StoreError::Absent));
        harness.sign_in(DEMO).await;
        harness.session.refresh().await.expect("refreshed");
        if healed {
            harness.store.heal();
        }
        let before = harness.refreshes();
        harness.restart();
        assert_eq!(
            harness.until_signed_out().await,
            SignedOutReason::Never,
            "no trace of the session is left, keyring healed: {healed}"
        );
        assert_eq!(harness.refreshes(), before, "no refresh was sent");
        let shown = harness.records.join("session.json");
        let text = std::fs::read_to_string(shown).unwrap_or_default();
        assert!(!text.contains(DEMO), "no record names the user: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_memory_leaves_no_way_back_to_the_one_it_replaced() {
    let mut harness = Harness::signed_in().await;
    let replaced = harness.kept();
    harness.store.block(Block::Fail(StoreError::Failed));
    harness.sign_in(ADMIN).await;
    harness.store.heal();
    assert_eq!(
        harness.kept(),
        replaced,
        "the keyring still holds the first token"
    );
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::Never);
    assert_eq!(harness.refreshes(), 0, "the first token was not used");
    harness.until_nothing_kept().await;
    harness.reached("/logout", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_keyring_took_late_is_known_at_a_start_without_the_backend() {
    let mut harness = Harness::new().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.sign_in(DEMO).await;
    harness.store.heal();
    harness.session.unlock_keyring().await.expect("kept");
    assert_eq!(remembered(&harness.state()), Some(true));
    harness.backend.down().await;
    harness.restart();
    let state = harness.until("the last known user", is_stale).await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
}
