//! After a crash in the middle of a rotation a rejection may be wrong, so the refresh is sent once
//! more.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::ErrorCode;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::wire::SignedOutReason;

use crate::support::*;

/// Writes what a crash between a refresh and its answer leaves.
fn interrupt(rig: &Rig) {
    let path = rig.records().join("session.json");
    let mut record: Value =
        serde_json::from_slice(&fs::read(&path).expect("a record")).expect("JSON");
    assert_eq!(record["phase"], "idle", "no rotation is in progress before");
    record["phase"] = "rotating".into();
    fs::write(&path, record.to_string()).expect("written");
}

async fn time_passes(rig: &Rig) {
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        rig.pass(Duration::from_secs(1));
    }
}

/// Starts the app after the crash and has the refresh rejected once: the session has not ended, and
/// no second refresh is sent at once.
async fn rejected_once() -> Rig {
    let mut rig = Rig::signed_in().await;
    interrupt(&rig);
    rig.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    rig.restart();
    rig.reached(REFRESH, 1).await;
    rig.pass(Duration::from_millis(1_900));
    // Long enough for a second refresh without a pause to arrive.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.refreshes(), 1, "not within two seconds");
    assert_eq!(why(&rig.state()), None, "nobody is signed out yet");
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_after_a_crash_that_is_taken_back_ends_nothing() {
    let rig = rejected_once().await;
    rig.until_fresh().await;
    assert_eq!(rig.refreshes(), 2, "one confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_after_a_crash_that_is_repeated_ends_the_session() {
    let rig = rejected_once().await;
    rig.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    let why = tokio::select! {
        why = rig.until_signed_out() => why,
        () = time_passes(&rig) => unreachable!("for ever"),
    };
    assert_eq!(why, SignedOutReason::Expired);
    assert_eq!(rig.refreshes(), 2, "one confirmation");
}

/// Long enough for a request that is not held back to be sent and answered.
const EXCHANGE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_a_page_has_caused_waits_for_five_seconds() {
    let rig = Rig::signed_in().await;
    interrupt(&rig);
    rig.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    let session = rig.session.clone();
    let asked = tokio::spawn(async move { session.refresh_for_page().await });
    rig.reached(REFRESH, 1).await;
    tokio::time::sleep(EXCHANGE).await;
    rig.pass(PAGE_GAP - Duration::from_millis(1));
    tokio::time::sleep(EXCHANGE).await;
    assert_eq!(rig.refreshes(), 1, "not within five seconds");
    rig.pass(Duration::from_millis(1));
    let asked = soon("a renewal", asked).await.expect("ends");
    asked.expect("the rejection was taken back");
    assert_eq!(rig.refreshes(), 2, "one confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_five_seconds_after_a_confirmation_too() {
    let rig = Rig::signed_in().await;
    interrupt(&rig);
    rig.strike(REFRESH, refusal(401, "TOKEN_EXPIRED"));
    rig.strike(REFRESH, answer(500, json!({}), &[]));
    let session = rig.session.clone();
    let native = tokio::spawn(async move { session.refresh().await });
    rig.reached(REFRESH, 1).await;
    tokio::time::sleep(EXCHANGE).await;
    rig.pass(Duration::from_secs(5));
    let native = soon("an answer", native).await.expect("ends");
    native.expect_err("the confirmation fails");
    assert_eq!(rig.refreshes(), 2, "one confirmation");
    let asked = rig.session.refresh_for_page().await;
    assert_eq!(code(&asked), Some(ErrorCode::Busy));
    assert_eq!(rig.refreshes(), 2, "not within five seconds");
}
