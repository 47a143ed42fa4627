//! The device record that the backend receives, from one sign-in to the next.

use serde_json::{Value, json};
use uuid::Uuid;
use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::Secret;
use vestibule_core::session::Session;
use vestibule_core::wire::SignedOutReason;

use crate::support::*;

fn sent(rig: &Rig, path: &str) -> Value {
    let request = rig
        .backend
        .last_request("POST", path)
        .expect("one was sent");
    request.json().expect("JSON")["fingerprint"].clone()
}

fn whole() -> Config {
    Config {
        device_binding: DeviceBinding::Whole,
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_members_go_under_ours_and_are_replayed_at_each_refresh() {
    let mut rig = Rig::with(whole()).await;
    let mut input = login(PLAIN);
    let extra = json!({"screen": "800x600", "browser": "forged", "fingerprint": "forged"});
    input.fingerprint = extra.as_object().cloned();
    rig.session.login(input).await.expect("signed in");
    let device = sent(&rig, "/login");
    assert_eq!(
        device["screen"], "800x600",
        "the caller's own member is sent too"
    );
    assert_eq!(device["browser"], "Vestibule 0.1.0", "ours wins");
    let id = device["fingerprint"].as_str().expect("text").to_owned();
    assert!(uuid::Uuid::parse_str(&id).is_ok(), "an install id: {id}");
    assert!(device["os"].as_str().is_some_and(|os| !os.is_empty()));
    let request = rig.backend.last_request("POST", "/login").expect("one");
    assert_eq!(
        request.cookie("device_fingerprint"),
        Some(id.as_str()),
        "the id is sent in a cookie too"
    );

    rig.session
        .refresh()
        .await
        .expect("a backend that binds the whole record accepts the refresh");
    assert_eq!(sent(&rig, REFRESH), device, "unchanged");
    rig.restart();
    rig.until_fresh().await;
    assert_eq!(
        sent(&rig, REFRESH),
        device,
        "the record is the same after a restart"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_registration_carry_the_same_device() {
    let rig = Rig::with(whole()).await;
    let mut input = login(MAILED);
    input.fingerprint = json!({"screen": "1440x900"}).as_object().cloned();
    rig.session.login(input).await.expect("challenged");
    let device = sent(&rig, "/login");
    rig.backend.set_resend_interval(std::time::Duration::ZERO);
    rig.session.resend_otp().await.expect("sent");
    assert_eq!(sent(&rig, "/resend-otp"), device);
    let code = rig.backend.last_code(MAILED).expect("a code");
    crate::support::verify(&rig.session, Secret::new(code))
        .await
        .expect("signed in");
    assert_eq!(sent(&rig, "/verify-otp"), device);
    rig.session.refresh().await.expect("refreshed");
    assert_eq!(sent(&rig, REFRESH), device);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_app_changes_nothing_before_the_next_sign_in() {
    let rig = Rig::with(whole()).await;
    rig.sign_in(PLAIN).await;
    let device = sent(&rig, "/login");
    let mut updated = config(&rig.backend.url(), &rig.store, &rig.folder);
    updated.product = "Vestibule 0.2.0".into();
    let session = Session::open_with_clock(updated, rig.clock.clone()).expect("opens");
    until(&session, "a fresh session", is_fresh).await;
    assert_eq!(sent(&rig, REFRESH), device, "the values of the sign-in");
    session.logout().await;
    session.login(login(PLAIN)).await.expect("signed in");
    let renewed = sent(&rig, "/login");
    assert_eq!(
        renewed["browser"], "Vestibule 0.2.0",
        "a new sign-in sends the new values"
    );
    assert_eq!(
        renewed["fingerprint"], device["fingerprint"],
        "the id is unchanged"
    );
    session.refresh().await.expect("refreshed");
    assert_eq!(sent(&rig, REFRESH), renewed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_survives_sign_outs_ends_and_failed_sign_ins() {
    let mut rig = Rig::signed_in().await;
    let id = sent(&rig, "/login")["fingerprint"].clone();
    rig.session.logout().await;
    let mut input = login(PLAIN);
    input.password = Secret::new("not it at all");
    rig.session.login(input).await.expect_err("refused");
    assert_eq!(
        sent(&rig, "/login")["fingerprint"],
        id,
        "the id is unchanged after a sign-out"
    );
    rig.sign_in(PLAIN).await;
    rig.strike(REFRESH, refusal(403, "DEVICE_MISMATCH"));
    rig.session.refresh().await.expect_err("ended");
    assert_eq!(why(&rig.state()), Some(SignedOutReason::DeviceMismatch));
    rig.restart();
    rig.until_signed_out().await;
    rig.sign_in(PLAIN).await;
    assert_eq!(
        sent(&rig, "/login")["fingerprint"],
        id,
        "the id is unchanged after a mismatch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_does_not_change_what_a_refresh_replays() {
    let rig = Rig::with(whole()).await;
    rig.sign_in(PLAIN).await;
    let device = sent(&rig, "/login");
    let mut input = login(PLAIN);
    input.password = Secret::new("not it at all");
    input.fingerprint = json!({"screen": "1x1"}).as_object().cloned();
    rig.session.login(input).await.expect_err("refused");
    rig.session.refresh().await.expect("refreshed");
    assert_eq!(sent(&rig, REFRESH), device);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_is_a_mismatch() {
    let mut rig = Rig::signed_in().await;
    let record = rig.records().join("session.json");
    let device = std::fs::read_to_string(&record).expect("a record");
    let id = sent(&rig, "/login")["fingerprint"].clone();
    let other = device.replace(id.as_str().expect("an id"), &Uuid::new_v4().to_string());
    std::fs::write(record, other).expect("written");
    rig.restart();
    assert_eq!(
        rig.until_signed_out().await,
        SignedOutReason::DeviceMismatch
    );
    assert_eq!(rig.item(), None, "no token is stored");
    assert_eq!(rig.refreshes(), 1, "asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_record_costs_neither_the_session_nor_the_id() {
    let mut rig = Rig::with(whole()).await;
    let mut input = login(PLAIN);
    input.fingerprint = json!({"screen": "800x600"}).as_object().cloned();
    rig.session.login(input).await.expect("signed in");
    let device = sent(&rig, "/login");
    let record = rig.records().join("device.json");
    for (round, damage) in [None, Some("{")].into_iter().enumerate() {
        match damage {
            None => std::fs::remove_file(&record).expect("there was one"),
            Some(text) => std::fs::write(&record, text).expect("written"),
        }
        rig.restart();
        rig.until_fresh().await;
        assert_eq!(sent(&rig, REFRESH), device, "replayed whole");
        assert_eq!(rig.refreshes(), round + 1, "one refresh for each start");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_now_is_not_replaced() {
    let rig = Rig::signed_in().await;
    let record = rig.records().join("device.json");
    std::fs::remove_file(&record).expect("there was one");
    std::os::unix::fs::symlink(&record, &record).expect("a circle");
    let opened = Session::open(config(&rig.backend.url(), &rig.store, &rig.folder));
    assert!(opened.is_err(), "a new id would end the session");
    assert!(record.is_symlink(), "the record is not overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_name_in_any_script_is_fine() {
    let rig = Rig::new().await;
    let mut named = config(&rig.backend.url(), &rig.store, &rig.folder);
    named.product = "Vorzimmer für Łódź 入口 1.0".into();
    let session = Session::open(named).expect("opens");
    session.login(login(PLAIN)).await.expect("signed in");
    assert_eq!(
        sent(&rig, "/login")["browser"],
        "Vorzimmer für Łódź 入口 1.0"
    );
}
