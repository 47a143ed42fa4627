//! A sign-out that the backend has not received is delivered later, also after a restart, and its
//! token is never used for anything else.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use vestibule_backend::{Config, Effect, Fault, Point};
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::testing::Clock as _;
use vestibule_core::wire::{Phase, SignedOutReason};
use vestibule_core::{SecretStore as _, StoreError};
use vestibule_harness::{
    Block, DEMO, Harness, REFRESH, WORKSPACE, answer, eventually, files_of, is_stale,
};

const LOGOUT: &str = "/logout";

/// Lets time pass until the backend has received this many sign-outs.
async fn until_told(harness: &Harness, times: usize) {
    harness.passing(harness.reached(LOGOUT, times)).await;
}

/// Lets time pass until no sign-out is pending.
async fn until_settled(harness: &Harness) {
    let settled = eventually("no pending sign-out, after some time", || {
        harness.pass(Duration::from_secs(1));
        !record(harness).exists()
    });
    settled.await;
}

/// The names of the keyring items in the record.
fn slots(harness: &Harness) -> Vec<String> {
    let bytes = std::fs::read(record(harness)).unwrap_or_default();
    let record: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let entries = record["entries"].as_array().cloned().unwrap_or_default();
    let account = |entry: &Value| format!("{WORKSPACE}.revoke.{}", entry["slot"].as_str().unwrap());
    entries.iter().map(account).collect()
}

/// Why each session of the plain account ended, according to the backend.
fn ends(harness: &Harness) -> Vec<Option<String>> {
    let sessions = harness.backend.sessions(DEMO).into_iter();
    sessions.map(|session| session.ended).collect()
}

async fn until_all_ended(harness: &Harness) {
    eventually("the sessions' end at the backend", || {
        ends(harness)
            .iter()
            .all(|end| end.as_deref() == Some("signed_out"))
    })
    .await;
}

/// Signs out while the backend cannot receive it: the token is in the item of the pending sign-out.
async fn signed_out_unheard(harness: &Harness) {
    let fault = harness.backend.faults().add(refused());
    harness.session.logout().await;
    // The refusal was sent, so the fault can be removed now.
    eventually("the refusal", || {
        harness.backend.faults().fired(fault) == Some(1)
    })
    .await;
    harness.backend.faults().clear();
}

fn refused() -> Fault {
    Fault::on("POST", LOGOUT, Effect::status(503))
}

fn later(seconds: &str) -> Effect {
    answer(
        429,
        json!({"message": "later"}),
        &[("retry-after", seconds)],
    )
}

fn record(harness: &Harness) -> PathBuf {
    harness.records.join("pending-sign-outs.json")
}

async fn until_put(harness: &Harness) {
    until(harness, "the sign-out to be in the outbox", |harness| {
        record(harness).exists()
    })
    .await;
}

async fn until_gone(harness: &Harness) {
    until(harness, "no pending sign-out", |harness| {
        !record(harness).exists()
    })
    .await;
}

async fn until(harness: &Harness, what: &str, mut holds: impl FnMut(&Harness) -> bool) {
    eventually(what, || holds(harness)).await;
}

fn is_signed_out_by_user(harness: &Harness) -> bool {
    let why = SignedOutReason::ByUser;
    harness.state().phase == Phase::SignedOut { why }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_sign_out_is_told_when_the_backend_is_back() {
    let harness = Harness::signed_in().await;
    harness.backend.down().await;
    assert!(harness.session.logout().await.success);
    assert!(is_signed_out_by_user(&harness));
    until_put(&harness).await;
    harness.backend.up().await.expect("the backend is back");
    until_told(&harness, 1).await;
    until_gone(&harness).await;
    let ended = harness.backend.sessions(DEMO);
    assert!(
        ended.iter().all(|session| session.ended.is_some()),
        "the session has ended at the backend"
    );
    assert!(is_signed_out_by_user(&harness));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_by_the_next_run_if_not_by_this_one() {
    let mut harness = Harness::signed_in().await;
    let before = harness.backend.requests("POST", REFRESH);
    harness.backend.down().await;
    harness.session.logout().await;
    harness.until_nothing_kept().await;
    assert!(
        record(&harness).exists(),
        "the pending sign-out is recorded before the deletion"
    );
    harness.restart();
    harness.until_signed_out().await;
    harness.backend.up().await.expect("the backend is back");
    until_told(&harness, 1).await;
    until_gone(&harness).await;
    assert!(is_signed_out_by_user(&harness), "it stays signed out");
    assert_eq!(
        harness.backend.requests("POST", REFRESH),
        before,
        "the token of a pending sign-out is not used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_right_after_the_marker_still_ends_in_a_revocation() {
    let mut harness = Harness::signed_in().await;
    // What a crash at this point leaves: the marker on disk, the token in the keyring.
    std::fs::write(
        harness.records.join("signed-out.json"),
        br#"{"why":"by_user"}"#,
    )
    .expect("the marker");
    harness.restart();
    harness.until_signed_out().await;
    until_told(&harness, 1).await;
    until_gone(&harness).await;
    assert!(harness.item().is_none(), "the session's item is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_week_it_is_tried_once_more_and_let_go() {
    let harness = Harness::signed_in().await;
    signed_out_unheard(&harness).await;
    harness.backend.faults().add(refused());
    // The wall clock decides how long a sign-out stays pending; the schedule only when to try.
    let week = Duration::from_secs(8 * 24 * 3600);
    eventually("no pending sign-out, after some time", || {
        harness.pass(week);
        !record(&harness).exists()
    })
    .await;
    let times = harness.backend.requests("POST", LOGOUT);
    assert!(times > 1, "after {times} tries: there was more than one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_clock_costs_no_sign_out() {
    let mut harness = Harness::signed_in().await;
    let right = harness.clock.wall();
    harness.clock.set_wall(SystemTime::UNIX_EPOCH);
    signed_out_unheard(&harness).await;
    harness.clock.set_wall(right);
    // On a new network the first answer is often that of a captive portal.
    harness.backend.faults().add(refused().times(1));
    harness.restart();
    harness.until_signed_out().await;
    until_told(&harness, 3).await;
    until_all_ended(&harness).await;
    until_gone(&harness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_told_before_the_backend_wants_to_hear_it() {
    let harness = Harness::signed_in().await;
    let before = harness.clock.since_boot();
    harness.strike(LOGOUT, later("120"));
    harness.session.logout().await;
    until_told(&harness, 2).await;
    let waited = harness.clock.since_boot() - before;
    assert!(waited >= Duration::from_secs(120), "{waited:?}");
    until_all_ended(&harness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_sign_out_is_asked_to_wait_for_the_others_wait_for_too() {
    let harness = Harness::signed_in().await;
    signed_out_unheard(&harness).await;
    harness.sign_in(DEMO).await;
    signed_out_unheard(&harness).await;
    assert_eq!(slots(&harness).len(), 2, "both sign-outs are pending");
    harness.strike(LOGOUT, later("120"));
    let told = harness.backend.requests("POST", LOGOUT);
    until_told(&harness, told + 1).await;
    let asked = harness.clock.since_boot();
    // Another sign-out does not cause an earlier delivery of these.
    harness.sign_in(DEMO).await;
    harness.session.logout().await;
    until_told(&harness, told + 2).await;
    let waited = harness.clock.since_boot() - asked;
    assert!(waited >= Duration::from_secs(119), "{waited:?}");
    until_all_ended(&harness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_told_holds_up_no_other() {
    let mut harness = Harness::signed_in().await;
    signed_out_unheard(&harness).await;
    harness.store.block_account(slots(&harness).remove(0));
    harness.restart();
    harness.until_signed_out().await;
    harness.sign_in(DEMO).await;
    harness.session.logout().await;
    until_told(&harness, 2).await;
    until(
        &harness,
        "only the unreadable sign-out to be pending",
        |harness| slots(harness).len() == 1,
    )
    .await;
    assert_eq!(
        ends(&harness).iter().flatten().count(),
        1,
        "the second session has ended"
    );
    harness.store.heal();
    until_told(&harness, 3).await;
    until_all_ended(&harness).await;
    until_settled(&harness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_cannot_be_emptied_is_looked_at_again_and_told_no_more() {
    let harness = Harness::signed_in().await;
    signed_out_unheard(&harness).await;
    harness.store.block(Block::Fail(StoreError::Locked));
    let deletes = harness.store.deletes();
    until_told(&harness, 2).await;
    until_all_ended(&harness).await;
    eventually("another try to delete the item", || {
        harness.store.deletes() > deletes
    })
    .await;
    assert!(
        record(&harness).exists(),
        "the keyring still holds the token"
    );
    harness.store.heal();
    until_settled(&harness).await;
    assert_eq!(
        harness.backend.requests("POST", LOGOUT),
        2,
        "a delivered sign-out is not sent again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_was_never_written_is_let_go() {
    let mut harness = Harness::signed_in().await;
    // What a crash between the record and the item leaves.
    let slot = "00000000-0000-4000-8000-000000000000";
    let entry = json!([{"slot": slot, "origin": harness.backend.url(), "since": 0}]);
    std::fs::write(record(&harness), entry.to_string()).expect("the record");
    harness.restart();
    until_gone(&harness).await;
    assert_eq!(
        harness.backend.requests("POST", LOGOUT),
        0,
        "without a token there is nothing to send"
    );
}

/// A session whose backend requires an access token for a sign-out.
fn with_bearer(harness: &Harness) -> Session {
    let mut config = harness.config();
    config.profile = Profile::from_json(json!({
        "backend": harness.backend.url(),
        "endpoints": {"logout": {
            "path": LOGOUT, "body": false,
            "headers": {"authorization": "Bearer $access_token"},
        }},
    }))
    .expect("a profile");
    harness.opened(config)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_came_on_the_way_survives_a_broken_answer() {
    let mut harness = Harness::signed_in_with(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    signed_out_unheard(&harness).await;
    let reset = Effect::Reset {
        at: Point::AfterHeaders,
    };
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, reset).times(1).after());
    // The process that signed out may still be at its next try. It needs no token, and its clock
    // stands still from here on.
    harness.clock = vestibule_harness::clock();
    harness.session = with_bearer(&harness);
    until_settled(&harness).await;
    assert_eq!(harness.refreshes(), 2, "the answer to the first broke off");
    assert_eq!(
        ends(&harness),
        [Some("signed_out".to_owned())],
        "the sign-out carries the token from the broken answer's headers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_keeps_its_entries() {
    let harness = Harness::signed_in().await;
    harness.backend.faults().add(refused());
    let other = harness.another_process();
    vestibule_harness::until(
        &other,
        "a session in the other process",
        vestibule_harness::is_fresh,
    )
    .await;
    harness.session.logout().await;
    until(&harness, "the first pending sign-out", |harness| {
        slots(harness).len() == 1
    })
    .await;
    other.logout().await;
    until(&harness, "two pending sign-outs", |harness| {
        slots(harness).len() == 2
    })
    .await;
    harness.backend.faults().clear();
    until_settled(&harness).await;
    until_all_ended(&harness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portals_page_is_not_the_backend_hearing_it() {
    let harness = Harness::signed_in().await;
    let statuses = [200, 401, 404];
    for status in statuses {
        let page = Effect::Html { status };
        let portal = Fault::on("POST", LOGOUT, page).times(1);
        harness.backend.faults().add(portal);
    }
    harness.session.logout().await;
    until_told(&harness, statuses.len() + 1).await;
    until_gone(&harness).await;
    until(
        &harness,
        "the backend to have ended the session",
        |harness| {
            harness
                .backend
                .sessions(DEMO)
                .iter()
                .all(|session| session.ended.is_some())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_that_it_replaces() {
    let harness = Harness::signed_in().await;
    harness.sign_in(DEMO).await;
    until_told(&harness, 1).await;
    until(
        &harness,
        "one session to be left at the backend",
        |harness| {
            let sessions = harness.backend.sessions(DEMO);
            sessions
                .iter()
                .filter(|session| session.ended.is_none())
                .count()
                == 1
        },
    )
    .await;
    harness
        .session
        .refresh()
        .await
        .expect("the new session is valid");
}

/// A crash can come after the end of a session was recorded as pending and before its record is
/// deleted. Then the next start shows the session until the keyring can be read.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_not_ended() {
    let mut harness = Harness::signed_in().await;
    let before = std::fs::read(harness.records.join("session.json")).expect("a record");
    let name = harness.session.item_name().to_owned();
    let item = harness.store.bare().read(&name).expect("a memory store");
    signed_out_unheard(&harness).await;
    until_put(&harness).await;
    harness.until_nothing_kept().await;
    harness.session = Harness::new().await.session.clone();
    for marker in files_of(&harness.records) {
        if marker.starts_with("signed-out") {
            std::fs::remove_file(harness.records.join(marker)).expect("a marker");
        }
    }
    std::fs::write(harness.records.join("session.json"), before).expect("a record");
    harness.store.put(&name, &item.expect("an item"));
    let told = harness.backend.requests("POST", LOGOUT);

    harness.store.block_account(name);
    harness.restart();
    harness.until("the earlier session", is_stale).await;
    let reads = harness.store.reads();
    eventually("the keyring is read again and again", || {
        harness.pass(Duration::from_secs(1));
        harness.store.reads() > reads + 3
    })
    .await;
    assert!(is_stale(&harness.state()), "the session is shown");
    assert_eq!(
        harness.backend.requests("POST", LOGOUT),
        told,
        "the session is not ended"
    );

    harness.store.heal();
    until_told(&harness, told + 1).await;
    harness.until_signed_out().await;
    until_all_ended(&harness).await;
}
