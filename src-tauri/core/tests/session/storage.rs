//! A keyring that fails during the session: the session goes on, its state says so, and the token
//! is stored later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vestibule_backend::Effect;
use vestibule_core::testing::{BoundedStore, MAX_THREADS, WriteOrder};
use vestibule_core::wire::{Phase, SignedOutReason, StorageStatus};
use vestibule_core::{SecretStore as _, StoreError};

use crate::support::*;

fn remembered(rig: &Rig) -> Option<bool> {
    match rig.state().phase {
        Phase::SignedIn { remembered, .. } => Some(remembered),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_without_a_keyring_lives_in_memory_and_says_so() {
    let rows = [
        (StoreError::Absent, StorageStatus::Absent),
        (StoreError::Locked, StorageStatus::Locked),
        (StoreError::TooLarge, StorageStatus::TooLarge),
        (StoreError::Failed, StorageStatus::MemoryOnly),
    ];
    for (error, shown) in rows {
        let rig = Rig::new().await;
        rig.store.block(Block::Fail(error));
        rig.sign_in(PLAIN).await;
        assert_eq!(rig.state().storage, shown, "{error:?}");
        assert_eq!(
            remembered(&rig),
            Some(false),
            "{error:?}: it will not outlive this run"
        );
        let reply = rig.get("/me").await.expect("a call");
        assert_eq!(reply.status, 200, "{error:?}: the session works");
        rig.session.refresh().await.expect("and refreshes");
        assert_eq!(
            remembered(&rig),
            Some(false),
            "{error:?}: the token is still not stored"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_kept_is_kept_by_the_next_rotation() {
    let mut rig = Rig::new().await;
    rig.store.block(Block::Fail(StoreError::Absent));
    rig.sign_in(PLAIN).await;
    rig.store.heal();
    rig.session.refresh().await.expect("refreshed");
    let state = rig.state();
    assert_eq!(state.storage, StorageStatus::Ok, "{state:?}");
    assert_eq!(remembered(&rig), Some(true));
    rig.restart();
    rig.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_kept_late_leaves_the_journal_to_the_rotation_under_way() {
    let rig = Rig::signed_in().await;
    rig.store.block(Block::Fail(StoreError::Failed));
    rig.session.refresh().await.expect("refreshed");
    rig.strike(REFRESH, Effect::Hang {});
    let session = rig.session.clone();
    let flight = tokio::spawn(async move { session.refresh().await });
    rig.reached(REFRESH, 2).await;
    rig.store.heal();
    rig.pass(Duration::from_secs(10));
    rig.until("the token to be stored", |state| {
        state.storage == StorageStatus::Ok
    })
    .await;
    let record = std::fs::read_to_string(rig.records().join("session.json"));
    let record = record.expect("a record");
    assert!(record.contains(r#""phase":"rotating""#), "{record}");
    flight.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_kept_is_offered_again() {
    let mut rig = Rig::signed_in().await;
    let first = rig.kept();
    rig.store.block(Block::Fail(StoreError::Failed));
    rig.session.refresh().await.expect("refreshed");
    assert_eq!(
        remembered(&rig),
        Some(false),
        "the new token is in memory only"
    );
    assert_eq!(rig.state().storage, StorageStatus::MemoryOnly);
    rig.store.heal();
    rig.pass(Duration::from_secs(10));
    rig.until("the token to be stored after all", |state| {
        matches!(
            state.phase,
            Phase::SignedIn {
                remembered: true,
                ..
            }
        ) && state.storage == StorageStatus::Ok
    })
    .await;
    assert_ne!(rig.kept(), first, "the new token is stored");
    let requests = rig.refreshes();
    assert_eq!(requests, 1, "storing the token needed no refresh");
    rig.restart();
    rig.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_delays_a_sign_in_by_its_bound_and_no_more() {
    let rig = Rig::new().await;
    rig.store.block(Block::Hang);
    let began = Instant::now();
    rig.sign_in(PLAIN).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "bounded: {took:?}");
    assert_eq!(rig.state().storage, StorageStatus::Locked);
    assert_eq!(remembered(&rig), Some(false));
    rig.store.heal();
    eventually("the late write", || rig.kept().is_some()).await;
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
        let mut rig = Rig::new().await;
        rig.store.block(Block::Fail(StoreError::Absent));
        rig.sign_in(PLAIN).await;
        rig.session.refresh().await.expect("refreshed");
        if healed {
            rig.store.heal();
        }
        let before = rig.refreshes();
        rig.restart();
        assert_eq!(
            rig.until_signed_out().await,
            SignedOutReason::Never,
            "no trace of the session is left, keyring healed: {healed}"
        );
        assert_eq!(rig.refreshes(), before, "no refresh was sent");
        let shown = rig.records().join("session.json");
        let text = std::fs::read_to_string(shown).unwrap_or_default();
        assert!(!text.contains(PLAIN), "no record names the user: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_memory_leaves_no_way_back_to_the_one_it_replaced() {
    let mut rig = Rig::signed_in().await;
    let replaced = rig.kept();
    rig.store.block(Block::Fail(StoreError::Failed));
    rig.sign_in(ADMIN).await;
    rig.store.heal();
    assert_eq!(
        rig.kept(),
        replaced,
        "the keyring still holds the first token"
    );
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::Never);
    assert_eq!(rig.refreshes(), 0, "the first token was not used");
    rig.until_nothing_kept().await;
    rig.reached("/logout", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_keyring_took_late_is_known_at_a_start_without_the_backend() {
    let mut rig = Rig::new().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.sign_in(PLAIN).await;
    rig.store.heal();
    rig.session.unlock_keyring().await.expect("kept");
    assert_eq!(remembered(&rig), Some(true));
    rig.backend.down().await;
    rig.restart();
    let state = rig.until("the last known user", is_stale).await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(PLAIN));
}
