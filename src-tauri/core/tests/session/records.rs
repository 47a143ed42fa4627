//! A disk that takes no records: the session goes on, and no old record ends it.

use std::fs;
use std::time::Duration;

use vestibule_core::wire::{Phase, SignedOutReason};
use vestibule_harness::*;

/// Puts a folder where this record belongs, so that not even root can replace or remove it.
fn obstruct(harness: &Harness, record: &str) {
    let path = harness.records.join(record);
    // The previous sign-out may still be writing its records.
    let made = (0..1000).any(|_| {
        let _ = fs::remove_file(&path);
        fs::create_dir_all(path.join("in the way")).is_ok()
    });
    assert!(made, "a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_does_not_end_the_session_that_it_belongs_to() {
    for record in ["session.json", "signed-out.json"] {
        let harness = Harness::signed_in().await;
        harness.session.logout().await;
        harness.until_signed_out().await;
        obstruct(&harness, record);
        harness.sign_in(DEMO).await;
        let state = harness.state();
        let Phase::SignedIn { remembered, .. } = state.phase else {
            panic!("{record}: signed in: {state:?}")
        };
        assert!(!remembered, "{record}: and the state says so");
        harness.session.refresh().await.expect(record);
        assert!(
            is_fresh(&harness.state()),
            "{record}: {:?}",
            harness.state()
        );
        harness.session.logout().await;
        harness.until_signed_out().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_elsewhere_still_counts_after_a_marker_that_could_not_be_removed() {
    let harness = Harness::signed_in().await;
    harness.session.logout().await;
    harness.until_signed_out().await;
    obstruct(&harness, "signed-out.json");
    harness.sign_in(DEMO).await;
    let marker = harness.records.join("signed-out.json");
    fs::remove_dir_all(&marker).expect("the obstacle can be removed");
    let session = harness.item().expect("an item")["session"].clone();
    let text = serde_json::json!({"format": 1, "session": session, "why": "revoked"});
    fs::write(&marker, text.to_string()).expect("another process's");
    harness
        .session
        .refresh()
        .await
        .expect_err("the session is over");
    assert!(why(&harness.state()).is_some(), "{:?}", harness.state());
}

/// Signs out and waits until the last records are written, or have failed to be.
async fn signed_out_without_a_record(harness: &Harness) {
    obstruct(harness, "pending-sign-outs.json");
    harness.session.logout().await;
    let over = || {
        let record = fs::read(harness.records.join("session.json")).unwrap_or_default();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
        record["user"].is_null()
    };
    eventually("the end of the sign-out", over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_no_record_takes_is_told_by_the_next_run() {
    let mut harness = Harness::signed_in().await;
    harness.backend.down().await;
    signed_out_without_a_record(&harness).await;
    assert!(
        harness.kept().is_some(),
        "the only copy of the token stays in the keyring"
    );
    fs::remove_dir_all(harness.records.join("pending-sign-outs.json"))
        .expect("the obstacle can be removed");
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    harness.backend.up().await.expect("the backend is back");
    let told = || {
        harness.pass(Duration::from_secs(1));
        let mut sessions = harness.backend.sessions(DEMO).into_iter();
        sessions.all(|session| session.ended.as_deref() == Some("signed_out"))
    };
    eventually("the backend to receive the sign-out", told).await;
    harness.until_nothing_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_from_memory_is_deleted_and_not_told_again() {
    let harness = Harness::signed_in().await;
    signed_out_without_a_record(&harness).await;
    harness.reached("/logout", 1).await;
    let deleted = || {
        harness.pass(Duration::from_secs(1));
        harness.kept().is_none()
    };
    eventually("the keyring to be empty", deleted).await;
    assert_eq!(harness.backend.requests("POST", "/logout"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_is_laid_aside_at_a_sign_in_and_at_a_start() {
    let mut harness = Harness::signed_in().await;
    let spare = harness.records.join("signed-out.spare");
    let marker = harness.records.join("signed-out.json");
    assert!(
        spare.exists(),
        "the spare record was written at the sign-in"
    );
    harness.restart();
    harness.until_fresh().await;
    fs::remove_file(&spare).expect("gone");
    harness.restart();
    harness.until_fresh().await;
    eventually("a spare record after a start that finds a session", || {
        spare.exists()
    })
    .await;
    fs::rename(&spare, &marker).expect("what a sign-out does without room");
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
}
