//! A disk that takes no records: the session goes on, and no old record ends it.

use std::fs;
use std::time::Duration;

use vestibule_core::wire::{Phase, SignedOutReason};

use crate::support::*;

/// Puts a folder where this record belongs, so that not even root can replace or remove it.
fn obstruct(rig: &Rig, record: &str) {
    let path = rig.records().join(record);
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
        let rig = Rig::signed_in().await;
        rig.session.logout().await;
        rig.until_signed_out().await;
        obstruct(&rig, record);
        rig.sign_in(PLAIN).await;
        let state = rig.state();
        let Phase::SignedIn { remembered, .. } = state.phase else {
            panic!("{record}: signed in: {state:?}")
        };
        assert!(!remembered, "{record}: and the state says so");
        rig.session.refresh().await.expect(record);
        assert!(is_fresh(&rig.state()), "{record}: {:?}", rig.state());
        rig.session.logout().await;
        rig.until_signed_out().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_elsewhere_still_counts_after_a_marker_that_could_not_be_removed() {
    let rig = Rig::signed_in().await;
    rig.session.logout().await;
    rig.until_signed_out().await;
    obstruct(&rig, "signed-out.json");
    rig.sign_in(PLAIN).await;
    let marker = rig.records().join("signed-out.json");
    fs::remove_dir_all(&marker).expect("the obstacle can be removed");
    let session = rig.item().expect("an item")["session"].clone();
    let text = serde_json::json!({"format": 1, "session": session, "why": "revoked"});
    fs::write(&marker, text.to_string()).expect("another process's");
    rig.session
        .refresh()
        .await
        .expect_err("the session is over");
    assert!(why(&rig.state()).is_some(), "{:?}", rig.state());
}

/// Signs out and waits until the last records are written, or have failed to be.
async fn signed_out_without_a_record(rig: &Rig) {
    obstruct(rig, "pending-sign-outs.json");
    rig.session.logout().await;
    let over = || {
        let record = fs::read(rig.records().join("session.json")).unwrap_or_default();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
        record["user"].is_null()
    };
    eventually("the end of the sign-out", over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_no_record_takes_is_told_by_the_next_run() {
    let mut rig = Rig::signed_in().await;
    rig.backend.down().await;
    signed_out_without_a_record(&rig).await;
    assert!(
        rig.kept().is_some(),
        "the only copy of the token stays in the keyring"
    );
    fs::remove_dir_all(rig.records().join("pending-sign-outs.json"))
        .expect("the obstacle can be removed");
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::ByUser);
    rig.backend.up().await.expect("the backend is back");
    let told = || {
        rig.pass(Duration::from_secs(1));
        let mut sessions = rig.backend.sessions(PLAIN).into_iter();
        sessions.all(|session| session.ended.as_deref() == Some("signed_out"))
    };
    eventually("the backend to receive the sign-out", told).await;
    rig.until_nothing_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_from_memory_is_deleted_and_not_told_again() {
    let rig = Rig::signed_in().await;
    signed_out_without_a_record(&rig).await;
    rig.reached("/logout", 1).await;
    let deleted = || {
        rig.pass(Duration::from_secs(1));
        rig.kept().is_none()
    };
    eventually("the keyring to be empty", deleted).await;
    assert_eq!(rig.backend.requests("POST", "/logout"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_is_laid_aside_at_a_sign_in_and_at_a_start() {
    let mut rig = Rig::signed_in().await;
    let spare = rig.records().join("signed-out.spare");
    let marker = rig.records().join("signed-out.json");
    assert!(
        spare.exists(),
        "the spare record was written at the sign-in"
    );
    rig.restart();
    rig.until_fresh().await;
    fs::remove_file(&spare).expect("gone");
    rig.restart();
    rig.until_fresh().await;
    eventually("a spare record after a start that finds a session", || {
        spare.exists()
    })
    .await;
    fs::rename(&spare, &marker).expect("what a sign-out does without room");
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::ByUser);
}
