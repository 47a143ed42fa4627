//! Another process holds the rotation lock: nothing is sent without it, and nobody waits for ever.

use std::time::{Duration, Instant};

use vestibule_core::testing::FileLock;
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_waits_for_another_process_and_a_sign_in_not_for_the_rotation() {
    let harness = Harness::signed_in().await;
    let path = harness.records.join("rotation.lock");
    // The sign-in releases the lock a moment after it returns.
    let elsewhere = FileLock::take(&path, Duration::from_secs(10)).await;
    let elsewhere = elsewhere.expect("a lock").expect("the lock is free");
    let session = harness.session.clone();
    let rotation = tokio::spawn(async move { session.refresh().await });
    let began = Instant::now();
    harness.sign_in(ADMIN).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "a person waited {took:?}");
    assert_eq!(harness.refreshes(), 0, "nothing is sent without the lock");
    assert_eq!(
        user(&harness.state()).map(|user| user.email.as_str()),
        Some(ADMIN)
    );
    drop(elsewhere);
    soon("the rotation's end", rotation)
        .await
        .expect("no panic")
        .expect("the session that is there now");
    harness.session.refresh().await.expect("the lock is free");
    assert!(is_fresh(&harness.state()));
}
