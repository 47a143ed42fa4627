//! A start of the app: who is signed in, after how many requests, and what is shown meanwhile.

use std::time::{Duration, Instant};

use vestibule_backend::{Effect, Fault};
use vestibule_core::session::Session;
use vestibule_core::wire::{Cause, Phase, SignedOutReason, StorageStatus};
use vestibule_core::{SecretStore as _, StoreError};
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_back_with_exactly_one_refresh() {
    let mut harness = Harness::signed_in().await;
    for start in 1..=5 {
        let before = harness.kept();
        harness.restart();
        let state = harness.until_fresh().await;
        assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
        assert_eq!(harness.refreshes(), start, "one refresh for each start");
        assert_ne!(harness.kept(), before, "rotated, and kept");
        let reply = harness.get("/me").await.expect("a call");
        assert_eq!(reply.status, 200, "the session can be used");
    }
    assert_eq!(
        harness.backend.requests("POST", "/login"),
        1,
        "no password was needed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_keeps_its_id_across_starts() {
    let mut harness = Harness::signed_in().await;
    let id = |harness: &Harness| match harness.state().phase {
        Phase::SignedIn { session, .. } => session.id,
        other => panic!("signed in: {other:?}"),
    };
    let first = id(&harness);
    harness.restart();
    harness.until_fresh().await;
    assert_eq!(id(&harness), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_asks_nobody() {
    let harness = Harness::new().await;
    let change = harness.session.snapshot();
    assert_eq!(why(&change.state), Some(SignedOutReason::Never));
    assert_eq!(change.cause, Cause::Start);
    assert_eq!(change.state.storage, StorageStatus::Ok);
    assert_eq!(harness.refreshes(), 0, "without a token no request is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_at_start_leaves_the_last_user_signed_in() {
    let mut harness = Harness::signed_in().await;
    let kept = harness.kept();
    harness.backend.down().await;
    harness.restart();
    let state = harness.until("the last known user", is_stale).await;
    let shown = user(&state).expect("a user");
    assert_eq!(
        (shown.email.as_str(), shown.name.as_str()),
        (DEMO, "Dana Demo")
    );
    assert_eq!(harness.kept(), kept, "the token stays");
    harness.backend.up().await.expect("the same port is free");
    harness.until_fresh().await;
    assert_ne!(harness.kept(), kept, "the token was rotated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_backend_shows_the_last_user_after_about_a_second() {
    let mut harness = Harness::signed_in().await;
    harness.strike(REFRESH, Effect::Delay { ms: 2500 });
    let began = Instant::now();
    harness.restart();
    let state = harness.until("the last known user", is_stale).await;
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(950),
        "not before a second: {took:?}"
    );
    assert!(
        took < Duration::from_millis(2400),
        "not as late as the answer: {took:?}"
    );
    let retry_in = outage(&state).expect("stale").retry_in_ms;
    assert_eq!(retry_in, None, "a refresh is in progress");
    harness.until_fresh().await;
    assert_eq!(
        harness.refreshes(),
        1,
        "the slow one was waited for, not repeated"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_shows_the_last_user_after_about_a_second() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Hang);
    let began = Instant::now();
    harness.restart();
    let state = harness.until("the last known user", is_stale).await;
    let took = began.elapsed();
    assert!(
        took < Duration::from_millis(2400),
        "not as late as the end of the call: {took:?}"
    );
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
    assert_eq!(
        state.storage,
        StorageStatus::Ok,
        "the keyring is not reported as failing yet"
    );
    harness.store.heal();
    harness.until_fresh().await;
    assert_eq!(
        harness.refreshes(),
        1,
        "one read of the keyring, one refresh"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_known_user_is_restoring_until_the_backend_says_who() {
    let mut harness = Harness::signed_in().await;
    std::fs::remove_file(harness.records.join("session.json")).expect("there was one");
    harness.backend.down().await;
    harness.restart();
    let state = harness
        .until("an outage without a user", |state| {
            matches!(
                state.phase,
                Phase::Restoring {
                    outage: Some(_),
                    owner_unknown: true
                }
            )
        })
        .await;
    assert_eq!(
        user(&state),
        None,
        "the state has no user, but is not signed out"
    );
    harness.backend.up().await.expect("the same port is free");
    let state = harness.until_fresh().await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_out_marker_beats_what_the_keyring_still_holds() {
    let mut harness = Harness::signed_in().await;
    let name = harness.session.item_name().to_owned();
    let left_over = harness
        .store
        .bare()
        .read(&name)
        .expect("a store")
        .expect("an item");
    harness.session.logout().await;
    harness.until_nothing_kept().await;
    harness
        .store
        .bare()
        .write(&name, &left_over)
        .expect("a store");
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    harness.until_nothing_kept().await;
    assert_eq!(
        harness.refreshes(),
        0,
        "the token of the signed-out session is not used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origins_item_is_not_sent() {
    let harness = Harness::signed_in().await;
    let other = Harness::new().await;
    let mut moved = harness.config();
    moved.profile = other.profile.clone();
    let moved = harness.opened(moved);
    let state = until(&moved, "nobody signed in", |state| why(state).is_some()).await;
    let never = SignedOutReason::Never;
    assert_eq!(
        why(&state),
        Some(never),
        "no session of this backend has expired"
    );
    assert_eq!(other.refreshes(), 0, "a token goes to its own origin only");
    assert_eq!(
        harness.refreshes(),
        0,
        "the old origin receives nothing either"
    );
    assert!(
        harness.kept().is_some(),
        "the item stays for its own origin"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_records_cost_no_session() {
    for name in ["session.json", "install.json", "device.json"] {
        for damage in ["", "{\"a\":", "[]", "null", "\u{0}\u{0}"] {
            let mut harness = Harness::signed_in().await;
            std::fs::write(harness.records.join(name), damage).expect("written");
            harness.restart();
            let state = harness.until_fresh().await;
            assert_eq!(
                user(&state).map(|user| user.email.as_str()),
                Some(DEMO),
                "{name} as {damage:?}"
            );
            assert_eq!(harness.refreshes(), 1, "{name} as {damage:?}: one refresh");
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_cannot_be_looked_for_ends_nothing() {
    let mut harness = Harness::signed_in().await;
    let marker = harness.records.join("signed-out.json");
    let obstruct = || std::os::unix::fs::symlink(&marker, &marker).expect("a circle");
    obstruct();
    harness.session.refresh().await.expect_err("put off");
    assert_eq!(why(&harness.state()), None, "{:?}", harness.state());
    harness.restart();
    harness
        .until("an outage", |state| outage(state).is_some())
        .await;
    assert!(harness.kept().is_some(), "the keyring still has the token");
    assert_eq!(harness.refreshes(), 0, "nothing is sent");
    std::fs::remove_file(&marker).expect("the obstacle can be removed");
    let state = harness.until_fresh().await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
    obstruct();
    harness.session.logout().await;
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_marker_still_signs_out() {
    let mut harness = Harness::signed_in().await;
    std::fs::write(harness.records.join("signed-out.json"), "").expect("written");
    harness.restart();
    harness.until_signed_out().await;
    assert_eq!(harness.refreshes(), 0, "no request is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_item_that_is_none_of_ours_is_not_sent() {
    for bytes in [&b""[..], b"not json", b"{}", b"[1]", &[0xff; 64]] {
        let mut harness = Harness::signed_in().await;
        let name = harness.session.item_name();
        harness.store.bare().write(name, bytes).expect("a store");
        harness.restart();
        harness.until_signed_out().await;
        assert_eq!(harness.refreshes(), 0, "{bytes:?}");
        harness.sign_in(DEMO).await;
        assert!(
            harness.kept().is_some(),
            "{bytes:?}: a sign-in replaces the item"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_is_no_sign_out() {
    for error in [
        StoreError::Locked,
        StoreError::NoCollection,
        StoreError::Absent,
        StoreError::Failed,
    ] {
        let mut harness = Harness::signed_in().await;
        harness.store.block(Block::Fail(error));
        harness.restart();
        let state = harness.until("the last known user", is_stale).await;
        assert_ne!(
            state.storage,
            StorageStatus::Ok,
            "{error:?} is shown: {state:?}"
        );
        assert_eq!(harness.refreshes(), 0, "{error:?}: no token, no request");
        let call = harness.get("/me").await;
        assert!(
            call.is_err(),
            "{error:?}: a call fails and is not sent without a session"
        );
        harness.store.heal();
        let state = harness.until_fresh().await;
        assert_eq!(state.storage, StorageStatus::Ok, "{error:?} is over");
        assert_eq!(
            harness.refreshes(),
            1,
            "{error:?}: one refresh, once the token is known"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_turns_out_empty_after_all_ends_the_session_quietly() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.restart();
    harness.until("the last known user", is_stale).await;
    let name = harness.session.item_name();
    harness.store.bare().delete(name).expect("a store");
    harness.store.heal();
    harness.pass(Duration::from_secs(6));
    assert_eq!(harness.until_signed_out().await, SignedOutReason::Missing);
    let reads = harness.store.reads();
    let revision = harness.session.snapshot().revision;
    // A schedule without pauses would show in each of these.
    let busy = busy_for(Duration::from_millis(300)).await;
    let more = harness.store.reads() - reads;
    assert!(
        more <= 2,
        "the keyring is not read all the time: {more} more reads"
    );
    assert_eq!(
        harness.session.snapshot().revision,
        revision,
        "nothing changes"
    );
    assert!(
        busy < Duration::from_millis(150),
        "no task runs without pause: {busy:?}"
    );
    assert_eq!(harness.refreshes(), 0, "no token, no request");
}

/// How long this runtime's worker threads were busy during `span`.
async fn busy_for(span: Duration) -> Duration {
    let metrics = tokio::runtime::Handle::current().metrics();
    let busy = || -> Duration {
        (0..metrics.num_workers())
            .map(|worker| metrics.worker_total_busy_duration(worker))
            .sum()
    };
    let before = busy();
    tokio::time::sleep(span).await;
    busy() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_does_not_hold_up_the_start() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Hang);
    let began = Instant::now();
    harness.restart();
    harness.until("the last known user", is_stale).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "bounded: {took:?}");
    harness.store.heal();
    harness.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_while_the_start_still_reads_the_keyring_needs_no_refresh() {
    let mut harness = Harness::new().await;
    harness.store.block(Block::Hang);
    harness.restart();
    eventually("the start to read the keyring", || {
        harness.store.waiting() > 0
    })
    .await;
    let session = harness.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(DEMO)).await });
    harness.reached("/login", 1).await;
    harness.store.heal();
    let outcome = signing_in.await.expect("the login ends");
    assert!(outcome.is_ok(), "{outcome:?}");
    // A refresh that the start sent all the same would be on its way by then.
    for _ in 0..20 {
        assert_eq!(harness.get("/me").await.expect("a call").status, 200);
    }
    assert_eq!(harness.refreshes(), 0, "a new token needs no refresh");
    assert!(is_fresh(&harness.state()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_in_an_outage_asks_again_by_itself() {
    let mut harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(503)).times(3));
    // With the machine's own clock; it takes at most seven seconds.
    let config = harness.config();
    harness.session = Session::open(config).expect("the session opens");
    harness.until("a fresh session", is_fresh).await;
    assert_eq!(harness.refreshes(), 4, "three failures and a success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_never_signed_in_hears_nothing_of_a_keyring_that_is_not_open() {
    for error in [StoreError::Locked, StoreError::NoCollection] {
        let mut harness = Harness::new().await;
        harness.store.block(Block::Fail(error));
        harness.restart();
        assert_eq!(harness.until_signed_out().await, SignedOutReason::Never);
        assert_eq!(harness.state().storage, StorageStatus::Ok, "{error:?}");
    }
}
