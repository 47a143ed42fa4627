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

use crate::support::{
    Block, PLAIN, REFRESH, Rig, WORKSPACE, answer, config, eventually, files_of, is_stale, open,
};

const LOGOUT: &str = "/logout";

/// Lets time pass until the backend has received this many sign-outs.
async fn until_told(rig: &Rig, times: usize) {
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            rig.pass(Duration::from_secs(1));
        }
    };
    tokio::select! {
        () = rig.reached(LOGOUT, times) => {}
        () = passing => {}
    }
}

/// Lets time pass until no sign-out is pending.
async fn until_settled(rig: &Rig) {
    let settled = eventually("no pending sign-out, after some time", || {
        rig.pass(Duration::from_secs(1));
        !record(rig).exists()
    });
    settled.await;
}

/// The names of the keyring items in the record.
fn slots(rig: &Rig) -> Vec<String> {
    let bytes = std::fs::read(record(rig)).unwrap_or_default();
    let record: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let entries = record["entries"].as_array().cloned().unwrap_or_default();
    let account = |entry: &Value| format!("{WORKSPACE}.revoke.{}", entry["slot"].as_str().unwrap());
    entries.iter().map(account).collect()
}

/// Why each session of the plain account ended, according to the backend.
fn ends(rig: &Rig) -> Vec<Option<String>> {
    let sessions = rig.backend.sessions(PLAIN).into_iter();
    sessions.map(|session| session.ended).collect()
}

async fn until_all_ended(rig: &Rig) {
    eventually("the sessions' end at the backend", || {
        ends(rig)
            .iter()
            .all(|end| end.as_deref() == Some("signed_out"))
    })
    .await;
}

/// Signs out while the backend cannot receive it: the token is in the item of the pending sign-out.
async fn signed_out_unheard(rig: &Rig) {
    let fault = rig.backend.faults().add(refused());
    rig.session.logout().await;
    // The refusal was sent, so the fault can be removed now.
    eventually("the refusal", || {
        rig.backend.faults().fired(fault) == Some(1)
    })
    .await;
    rig.backend.faults().clear();
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

fn record(rig: &Rig) -> PathBuf {
    rig.records().join("pending-sign-outs.json")
}

async fn until_put(rig: &Rig) {
    until(rig, "the sign-out to be in the outbox", |rig| {
        record(rig).exists()
    })
    .await;
}

async fn until_gone(rig: &Rig) {
    until(rig, "no pending sign-out", |rig| !record(rig).exists()).await;
}

async fn until(rig: &Rig, what: &str, mut holds: impl FnMut(&Rig) -> bool) {
    for _ in 0..1000 {
        if holds(rig) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited for {what}");
}

fn is_signed_out_by_user(rig: &Rig) -> bool {
    let why = SignedOutReason::ByUser;
    rig.state().phase == Phase::SignedOut { why }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_sign_out_is_told_when_the_backend_is_back() {
    let rig = Rig::signed_in().await;
    rig.backend.down().await;
    assert!(rig.session.logout().await.success);
    assert!(is_signed_out_by_user(&rig));
    until_put(&rig).await;
    rig.backend.up().await.expect("the backend is back");
    until_told(&rig, 1).await;
    until_gone(&rig).await;
    let ended = rig.backend.sessions(PLAIN);
    assert!(
        ended.iter().all(|session| session.ended.is_some()),
        "the session has ended at the backend"
    );
    assert!(is_signed_out_by_user(&rig));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_by_the_next_run_if_not_by_this_one() {
    let mut rig = Rig::signed_in().await;
    let before = rig.backend.requests("POST", REFRESH);
    rig.backend.down().await;
    rig.session.logout().await;
    let item_gone = async {
        while rig.item().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    item_gone.await;
    assert!(
        record(&rig).exists(),
        "the pending sign-out is recorded before the deletion"
    );
    rig.restart();
    rig.until_signed_out().await;
    rig.backend.up().await.expect("the backend is back");
    until_told(&rig, 1).await;
    until_gone(&rig).await;
    assert!(is_signed_out_by_user(&rig), "it stays signed out");
    assert_eq!(
        rig.backend.requests("POST", REFRESH),
        before,
        "the token of a pending sign-out is not used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_right_after_the_marker_still_ends_in_a_revocation() {
    let mut rig = Rig::signed_in().await;
    // What a crash at this point leaves: the marker on disk, the token in the keyring.
    std::fs::write(
        rig.records().join("signed-out.json"),
        br#"{"why":"by_user"}"#,
    )
    .expect("the marker");
    rig.restart();
    rig.until_signed_out().await;
    until_told(&rig, 1).await;
    until_gone(&rig).await;
    assert!(rig.item().is_none(), "the session's item is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_week_it_is_tried_once_more_and_let_go() {
    let rig = Rig::signed_in().await;
    signed_out_unheard(&rig).await;
    rig.backend.faults().add(refused());
    // The wall clock decides how long a sign-out stays pending; the schedule only when to try.
    let week = Duration::from_secs(8 * 24 * 3600);
    eventually("no pending sign-out, after some time", || {
        rig.pass(week);
        !record(&rig).exists()
    })
    .await;
    let times = rig.backend.requests("POST", LOGOUT);
    assert!(times > 1, "after {times} tries: there was more than one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_clock_costs_no_sign_out() {
    let mut rig = Rig::signed_in().await;
    let right = rig.clock.wall();
    rig.clock.set_wall(SystemTime::UNIX_EPOCH);
    signed_out_unheard(&rig).await;
    rig.clock.set_wall(right);
    // On a new network the first answer is often that of a captive portal.
    rig.backend.faults().add(refused().times(1));
    rig.restart();
    rig.until_signed_out().await;
    until_told(&rig, 3).await;
    until_all_ended(&rig).await;
    until_gone(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_told_before_the_backend_wants_to_hear_it() {
    let rig = Rig::signed_in().await;
    let before = rig.clock.since_boot();
    rig.strike(LOGOUT, later("120"));
    rig.session.logout().await;
    until_told(&rig, 2).await;
    let waited = rig.clock.since_boot() - before;
    assert!(waited >= Duration::from_secs(120), "{waited:?}");
    until_all_ended(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_sign_out_is_asked_to_wait_for_the_others_wait_for_too() {
    let rig = Rig::signed_in().await;
    signed_out_unheard(&rig).await;
    rig.sign_in(PLAIN).await;
    signed_out_unheard(&rig).await;
    assert_eq!(slots(&rig).len(), 2, "both sign-outs are pending");
    rig.strike(LOGOUT, later("120"));
    let told = rig.backend.requests("POST", LOGOUT);
    until_told(&rig, told + 1).await;
    let asked = rig.clock.since_boot();
    // Another sign-out does not cause an earlier delivery of these.
    rig.sign_in(PLAIN).await;
    rig.session.logout().await;
    until_told(&rig, told + 2).await;
    let waited = rig.clock.since_boot() - asked;
    assert!(waited >= Duration::from_secs(119), "{waited:?}");
    until_all_ended(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_told_holds_up_no_other() {
    let mut rig = Rig::signed_in().await;
    signed_out_unheard(&rig).await;
    rig.store.block_account(slots(&rig).remove(0));
    rig.restart();
    rig.until_signed_out().await;
    rig.sign_in(PLAIN).await;
    rig.session.logout().await;
    until_told(&rig, 2).await;
    until(&rig, "only the unreadable sign-out to be pending", |rig| {
        slots(rig).len() == 1
    })
    .await;
    assert_eq!(
        ends(&rig).iter().flatten().count(),
        1,
        "the second session has ended"
    );
    rig.store.heal();
    until_told(&rig, 3).await;
    until_all_ended(&rig).await;
    until_settled(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_cannot_be_emptied_is_looked_at_again_and_told_no_more() {
    let rig = Rig::signed_in().await;
    signed_out_unheard(&rig).await;
    rig.store.block(Block::Fail(StoreError::Locked));
    let deletes = rig.store.deletes();
    until_told(&rig, 2).await;
    until_all_ended(&rig).await;
    eventually("another try to delete the item", || {
        rig.store.deletes() > deletes
    })
    .await;
    assert!(record(&rig).exists(), "the keyring still holds the token");
    rig.store.heal();
    until_settled(&rig).await;
    assert_eq!(
        rig.backend.requests("POST", LOGOUT),
        2,
        "a delivered sign-out is not sent again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_was_never_written_is_let_go() {
    let mut rig = Rig::signed_in().await;
    // What a crash between the record and the item leaves.
    let slot = "00000000-0000-4000-8000-000000000000";
    let entry = json!([{"slot": slot, "origin": rig.backend.url(), "since": 0}]);
    std::fs::write(record(&rig), entry.to_string()).expect("the record");
    rig.restart();
    until_gone(&rig).await;
    assert_eq!(
        rig.backend.requests("POST", LOGOUT),
        0,
        "without a token there is nothing to send"
    );
}

/// A session whose backend requires an access token for a sign-out.
fn with_bearer(rig: &Rig) -> Session {
    let mut config = config(&rig.backend.url(), &rig.store, &rig.folder);
    config.profile = Profile::from_json(json!({
        "backend": rig.backend.url(),
        "endpoints": {"logout": {
            "path": LOGOUT, "body": false,
            "headers": {"authorization": "Bearer $access_token"},
        }},
    }))
    .expect("a profile");
    Session::open_with_clock(config, rig.clock.clone()).expect("the session opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_came_on_the_way_survives_a_broken_answer() {
    let mut rig = Rig::signed_in_with(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    signed_out_unheard(&rig).await;
    let reset = Effect::Reset {
        at: Point::AfterHeaders,
    };
    rig.backend
        .faults()
        .add(Fault::on("POST", REFRESH, reset).times(1).after());
    rig.session = with_bearer(&rig);
    until_settled(&rig).await;
    assert_eq!(rig.refreshes(), 2, "the answer to the first broke off");
    assert_eq!(
        ends(&rig),
        [Some("signed_out".to_owned())],
        "the sign-out carries the token from the broken answer's headers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_keeps_its_entries() {
    let rig = Rig::signed_in().await;
    rig.backend.faults().add(refused());
    let other = open(&rig.backend.url(), &rig.store, &rig.folder, &rig.clock);
    crate::support::until(
        &other,
        "a session in the other process",
        crate::support::is_fresh,
    )
    .await;
    rig.session.logout().await;
    until(&rig, "the first pending sign-out", |rig| {
        slots(rig).len() == 1
    })
    .await;
    other.logout().await;
    until(&rig, "two pending sign-outs", |rig| slots(rig).len() == 2).await;
    rig.backend.faults().clear();
    until_settled(&rig).await;
    until_all_ended(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portals_page_is_not_the_backend_hearing_it() {
    let rig = Rig::signed_in().await;
    let statuses = [200, 401, 404];
    for status in statuses {
        let page = Effect::Html { status };
        let portal = Fault::on("POST", LOGOUT, page).times(1);
        rig.backend.faults().add(portal);
    }
    rig.session.logout().await;
    until_told(&rig, statuses.len() + 1).await;
    until_gone(&rig).await;
    until(&rig, "the backend to have ended the session", |rig| {
        rig.backend
            .sessions(PLAIN)
            .iter()
            .all(|session| session.ended.is_some())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_that_it_replaces() {
    let rig = Rig::signed_in().await;
    rig.sign_in(PLAIN).await;
    until_told(&rig, 1).await;
    until(&rig, "one session to be left at the backend", |rig| {
        let sessions = rig.backend.sessions(PLAIN);
        sessions
            .iter()
            .filter(|session| session.ended.is_none())
            .count()
            == 1
    })
    .await;
    rig.session
        .refresh()
        .await
        .expect("the new session is valid");
}

/// A crash can come after the end of a session was recorded as pending and before its record is
/// deleted. Then the next start shows the session until the keyring can be read.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_not_ended() {
    let mut rig = Rig::signed_in().await;
    let before = std::fs::read(rig.records().join("session.json")).expect("a record");
    let name = rig.session.item_name().to_owned();
    let item = rig.store.bare().read(&name).expect("a memory store");
    signed_out_unheard(&rig).await;
    until_put(&rig).await;
    rig.until_nothing_kept().await;
    rig.session = Rig::new().await.session.clone();
    for marker in files_of(&rig.records()) {
        if marker.starts_with("signed-out") {
            std::fs::remove_file(rig.records().join(marker)).expect("a marker");
        }
    }
    std::fs::write(rig.records().join("session.json"), before).expect("a record");
    rig.store.put(&name, &item.expect("an item"));
    let told = rig.backend.requests("POST", LOGOUT);

    rig.store.block_account(name);
    rig.restart();
    rig.until("the earlier session", is_stale).await;
    let reads = rig.store.reads();
    eventually("the keyring is read again and again", || {
        rig.pass(Duration::from_secs(1));
        rig.store.reads() > reads + 3
    })
    .await;
    assert!(is_stale(&rig.state()), "the session is shown");
    assert_eq!(
        rig.backend.requests("POST", LOGOUT),
        told,
        "the session is not ended"
    );

    rig.store.heal();
    until_told(&rig, told + 1).await;
    rig.until_signed_out().await;
    until_all_ended(&rig).await;
}
