//! After a crash in the middle of a rotation a rejection may be wrong, so the refresh is sent once
//! more.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::ErrorCode;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::*;

/// Writes what a crash between a refresh and its answer leaves.
fn interrupt(harness: &Harness) {
    let path = harness.records.join("session.json");
    let mut record: Value =
        serde_json::from_slice(&fs::read(&path).expect("a record")).expect("JSON");
    assert_eq!(record["phase"], "idle", "no rotation is in progress before");
    record["phase"] = "rotating".into();
    fs::write(&path, record.to_string()).expect("written");
}

/// Waits until the rejection has come and a second refresh waits for its time.
async fn confirmation_waits(harness: &Harness) {
    let pause = Duration::from_secs(2)..Duration::from_secs(5);
    let clock = &harness.clock;
    clock
        .until_asleep_for("the confirmation to wait", pause)
        .await;
}

/// Starts the app after the crash and has the refresh rejected once: the session has not ended, and
/// no second refresh is sent at once.
async fn rejected_once() -> Harness {
    let mut harness = Harness::signed_in().await;
    interrupt(&harness);
    harness.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    harness.restart();
    harness.reached(REFRESH, 1).await;
    confirmation_waits(&harness).await;
    harness.pass(Duration::from_millis(1_900));
    assert_eq!(harness.refreshes(), 1, "not within two seconds");
    assert_eq!(why(&harness.state()), None, "nobody is signed out yet");
    harness
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_after_a_crash_that_is_taken_back_ends_nothing() {
    let harness = rejected_once().await;
    harness.until_fresh().await;
    assert_eq!(harness.refreshes(), 2, "one confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_after_a_crash_that_is_repeated_ends_the_session() {
    let harness = rejected_once().await;
    harness.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    let why = harness.passing(harness.until_signed_out()).await;
    assert_eq!(why, SignedOutReason::Expired);
    assert_eq!(harness.refreshes(), 2, "one confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_a_page_has_caused_waits_for_five_seconds() {
    let harness = Harness::signed_in().await;
    interrupt(&harness);
    harness.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    let session = harness.session.clone();
    let asked = tokio::spawn(async move { session.refresh_for_page().await });
    harness.reached(REFRESH, 1).await;
    confirmation_waits(&harness).await;
    let moment = Duration::from_millis(1);
    harness.pass(PAGE_GAP - moment);
    let what = "the confirmation to wait for the gap";
    harness.clock.until_asleep_for(what, moment..=moment).await;
    assert_eq!(harness.refreshes(), 1, "not within five seconds");
    harness.pass(moment);
    let asked = soon("a renewal", asked).await.expect("ends");
    asked.expect("the rejection was taken back");
    assert_eq!(harness.refreshes(), 2, "one confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_five_seconds_after_a_confirmation_too() {
    let harness = Harness::signed_in().await;
    interrupt(&harness);
    harness.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    harness.strike(REFRESH, answer(500, json!({}), &[]));
    let session = harness.session.clone();
    let native = tokio::spawn(async move { session.refresh().await });
    harness.reached(REFRESH, 1).await;
    confirmation_waits(&harness).await;
    harness.pass(Duration::from_secs(5));
    let native = soon("an answer", native).await.expect("ends");
    native.expect_err("the confirmation fails");
    assert_eq!(harness.refreshes(), 2, "one confirmation");
    let asked = harness.session.refresh_for_page().await;
    assert_eq!(code(&asked), Some(ErrorCode::Busy));
    assert_eq!(harness.refreshes(), 2, "not within five seconds");
}
