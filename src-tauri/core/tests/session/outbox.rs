//! A sign-out that the backend has not heard of is told later, also after a restart, and its
//! token is never used for anything else.

use std::path::PathBuf;
use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_core::secrets::SecretStore as _;
use vestibule_core::wire::{Phase, SignedOutReason};

use crate::support::{PLAIN, REFRESH, Rig, WORKSPACE};

const LOGOUT: &str = "/logout";

/// Lets time pass until the backend has been told this many times.
async fn until_told(rig: &Rig, times: usize) {
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            rig.pass(Duration::from_secs(1));
        }
    };
    tokio::select! {
        () = rig.backend.reached("POST", LOGOUT, times) => {}
        () = passing => {}
    }
}

fn record(rig: &Rig) -> PathBuf {
    rig.records().join("outbox.json")
}

async fn until_put(rig: &Rig) {
    until(rig, "the sign-out to be in the outbox", |rig| {
        record(rig).exists()
    })
    .await;
}

async fn until_gone(rig: &Rig) {
    until(rig, "the outbox to be empty", |rig| !record(rig).exists()).await;
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
        "the backend knows that it is over"
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
        while rig.store.bare().read(WORKSPACE).expect("a store").is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    item_gone.await;
    assert!(record(&rig).exists(), "the slot comes before the deletion");
    rig.restart();
    rig.until_signed_out().await;
    rig.backend.up().await.expect("the backend is back");
    until_told(&rig, 1).await;
    until_gone(&rig).await;
    assert!(is_signed_out_by_user(&rig), "it stays signed out");
    assert_eq!(
        rig.backend.requests("POST", REFRESH),
        before,
        "a token to be revoked is not used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_right_after_the_marker_still_ends_in_a_revocation() {
    let mut rig = Rig::signed_in().await;
    // What such a crash leaves: the marker on disk, the token in the keyring.
    std::fs::write(
        rig.records().join("signed-out.json"),
        br#"{"why":"by_user"}"#,
    )
    .expect("the marker");
    rig.restart();
    rig.until_signed_out().await;
    until_told(&rig, 1).await;
    until_gone(&rig).await;
    assert!(
        rig.store.bare().read(WORKSPACE).expect("a store").is_none(),
        "the session's item is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_week_it_is_let_go() {
    let rig = Rig::signed_in().await;
    rig.backend.down().await;
    rig.session.logout().await;
    until_put(&rig).await;
    // The wall clock says when; the schedule only when to look.
    let week = Duration::from_secs(8 * 24 * 3600);
    for _ in 0..200 {
        rig.pass(week);
        if !record(&rig).exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until_gone(&rig).await;
    assert_eq!(rig.backend.requests("POST", LOGOUT), 0, "nobody was told");
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
    rig.session.refresh().await.expect("the new one stands");
}
