//! The device record that the backend receives, from one sign-in to the next.

use serde_json::{Value, json};
use uuid::Uuid;
use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::Secret;
use vestibule_core::session::Session;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::*;

fn sent(harness: &Harness, path: &str) -> Value {
    let request = harness
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
    let mut harness = Harness::with(whole()).await;
    let mut input = login(DEMO);
    let extra = json!({"screen": "800x600", "browser": "forged", "fingerprint": "forged"});
    input.fingerprint = extra.as_object().cloned();
    harness.session.login(input).await.expect("signed in");
    let device = sent(&harness, "/login");
    assert_eq!(
        device["screen"], "800x600",
        "the caller's own member is sent too"
    );
    assert_eq!(device["browser"], "Vestibule 0.1.0", "ours wins");
    let id = device["fingerprint"].as_str().expect("text").to_owned();
    assert!(uuid::Uuid::parse_str(&id).is_ok(), "an install id: {id}");
    assert!(device["os"].as_str().is_some_and(|os| !os.is_empty()));
    let request = harness.backend.last_request("POST", "/login").expect("one");
    assert_eq!(
        request.cookie("device_fingerprint"),
        Some(id.as_str()),
        "the id is sent in a cookie too"
    );

    harness
        .session
        .refresh()
        .await
        .expect("a backend that binds the whole record accepts the refresh");
    assert_eq!(sent(&harness, REFRESH), device, "unchanged");
    harness.restart();
    harness.until_fresh().await;
    assert_eq!(
        sent(&harness, REFRESH),
        device,
        "the record is the same after a restart"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_registration_carry_the_same_device() {
    let harness = Harness::with(whole()).await;
    let mut input = login(OTP);
    input.fingerprint = json!({"screen": "1440x900"}).as_object().cloned();
    harness.session.login(input).await.expect("challenged");
    let device = sent(&harness, "/login");
    harness
        .backend
        .set_resend_interval(std::time::Duration::ZERO);
    harness.session.send_otp().await.expect("sent");
    assert_eq!(sent(&harness, "/resend-otp"), device);
    let code = harness.backend.last_code(OTP).expect("a code");
    vestibule_harness::verify(&harness.session, Secret::new(code))
        .await
        .expect("signed in");
    assert_eq!(sent(&harness, "/verify-otp"), device);
    harness.session.refresh().await.expect("refreshed");
    assert_eq!(sent(&harness, REFRESH), device);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_app_changes_nothing_before_the_next_sign_in() {
    let harness = Harness::with(whole()).await;
    harness.sign_in(DEMO).await;
    let device = sent(&harness, "/login");
    let mut updated = harness.config();
    updated.product = "Vestibule 0.2.0".into();
    let session = harness.opened(updated);
    until(&session, "a fresh session", is_fresh).await;
    assert_eq!(sent(&harness, REFRESH), device, "the values of the sign-in");
    session.logout().await;
    session.login(login(DEMO)).await.expect("signed in");
    let renewed = sent(&harness, "/login");
    assert_eq!(
        renewed["browser"], "Vestibule 0.2.0",
        "a new sign-in sends the new values"
    );
    assert_eq!(
        renewed["fingerprint"], device["fingerprint"],
        "the id is unchanged"
    );
    session.refresh().await.expect("refreshed");
    assert_eq!(sent(&harness, REFRESH), renewed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_survives_sign_outs_ends_and_failed_sign_ins() {
    let mut harness = Harness::signed_in().await;
    let id = sent(&harness, "/login")["fingerprint"].clone();
    harness.session.logout().await;
    let mut input = login(DEMO);
    input.password = Secret::new("not it at all");
    harness.session.login(input).await.expect_err("refused");
    assert_eq!(
        sent(&harness, "/login")["fingerprint"],
        id,
        "the id is unchanged after a sign-out"
    );
    harness.sign_in(DEMO).await;
    harness.strike(REFRESH, refusal(403, "DEVICE_MISMATCH"));
    harness.session.refresh().await.expect_err("ended");
    assert_eq!(why(&harness.state()), Some(SignedOutReason::DeviceMismatch));
    harness.restart();
    harness.until_signed_out().await;
    harness.sign_in(DEMO).await;
    assert_eq!(
        sent(&harness, "/login")["fingerprint"],
        id,
        "the id is unchanged after a mismatch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_does_not_change_what_a_refresh_replays() {
    let harness = Harness::with(whole()).await;
    harness.sign_in(DEMO).await;
    let device = sent(&harness, "/login");
    let mut input = login(DEMO);
    input.password = Secret::new("not it at all");
    input.fingerprint = json!({"screen": "1x1"}).as_object().cloned();
    harness.session.login(input).await.expect_err("refused");
    harness.session.refresh().await.expect("refreshed");
    assert_eq!(sent(&harness, REFRESH), device);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_is_a_mismatch() {
    let mut harness = Harness::signed_in().await;
    let record = harness.records.join("session.json");
    let device = std::fs::read_to_string(&record).expect("a record");
    let id = sent(&harness, "/login")["fingerprint"].clone();
    let other = device.replace(id.as_str().expect("an id"), &Uuid::new_v4().to_string());
    std::fs::write(record, other).expect("written");
    harness.restart();
    assert_eq!(
        harness.until_signed_out().await,
        SignedOutReason::DeviceMismatch
    );
    assert_eq!(harness.item(), None, "no token is stored");
    assert_eq!(harness.refreshes(), 1, "asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_record_costs_neither_the_session_nor_the_id() {
    let mut harness = Harness::with(whole()).await;
    let mut input = login(DEMO);
    input.fingerprint = json!({"screen": "800x600"}).as_object().cloned();
    harness.session.login(input).await.expect("signed in");
    let device = sent(&harness, "/login");
    let record = harness.records.join("device.json");
    for (round, damage) in [None, Some("{")].into_iter().enumerate() {
        match damage {
            None => std::fs::remove_file(&record).expect("there was one"),
            Some(text) => std::fs::write(&record, text).expect("written"),
        }
        harness.restart();
        harness.until_fresh().await;
        assert_eq!(sent(&harness, REFRESH), device, "replayed whole");
        assert_eq!(harness.refreshes(), round + 1, "one refresh for each start");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_now_is_not_replaced() {
    let harness = Harness::signed_in().await;
    let record = harness.records.join("device.json");
    std::fs::remove_file(&record).expect("there was one");
    std::os::unix::fs::symlink(&record, &record).expect("a circle");
    let opened = Session::open(harness.config());
    assert!(opened.is_err(), "a new id would end the session");
    assert!(record.is_symlink(), "the record is not overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_name_in_any_script_is_fine() {
    let harness = Harness::new().await;
    let mut named = harness.config();
    named.product = "Vorzimmer für Łódź 入口 1.0".into();
    let session = Session::open(named).expect("opens");
    session.login(login(DEMO)).await.expect("signed in");
    assert_eq!(
        sent(&harness, "/login")["browser"],
        "Vorzimmer für Łódź 入口 1.0"
    );
}
