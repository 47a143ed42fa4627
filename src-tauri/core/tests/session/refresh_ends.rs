//! 'Refresh, at the edges': the answers that end a session and name the reason.

use vestibule_backend::Config;
use vestibule_core::ErrorCode;
use vestibule_core::wire::{Cause, SignedOutReason};
use vestibule_harness::*;

/// Checks the end: the reason is shown and stored, and a restart does not change it.
async fn check_ended(mut harness: Harness, name: &str, wanted: SignedOutReason, requests: usize) {
    let device = harness
        .backend
        .last_request("POST", REFRESH)
        .and_then(|request| request.cookie("device_fingerprint").map(str::to_owned));
    let change = harness.session.snapshot();
    assert_eq!(
        why(&change.state),
        Some(wanted),
        "{name}: signed out, and why"
    );
    assert_eq!(
        change.cause,
        Cause::Rejected,
        "{name}: the backend ended it"
    );
    assert_eq!(harness.item(), None, "{name}: the keyring holds no item");
    assert_eq!(
        harness.refreshes(),
        requests,
        "{name}: the refresh is not sent again"
    );
    let again = harness.session.refresh().await;
    assert!(
        // The second, if the refresh that found out is still ending.
        matches!(
            code(&again),
            Some(ErrorCode::NotSignedIn | ErrorCode::SessionEnded)
        ),
        "{name}: nothing is left to refresh: {again:?}"
    );
    harness.restart();
    assert_eq!(
        harness.until_signed_out().await,
        wanted,
        "{name}: the same after the next start"
    );
    assert_eq!(
        harness.refreshes(),
        requests,
        "{name}: no token, no request"
    );
    let files = std::fs::read_dir(&harness.records).expect("the folder");
    let names: Vec<_> = files
        .map(|file| file.expect("a file").file_name())
        .collect();
    assert!(
        !names.iter().any(|name| name == "session.json"),
        "{name}: the last user is forgotten: {names:?}"
    );
    harness.sign_in(DEMO).await;
    let again = harness
        .backend
        .last_request("POST", "/login")
        .expect("a login");
    assert_eq!(
        again.cookie("device_fingerprint").map(str::to_owned),
        device,
        "{name}: the device id stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_code_that_the_contract_names_ends_the_session() {
    use SignedOutReason::{DeviceMismatch, Expired, Reuse, Revoked};
    let rows = [
        ("401 expired", refusal(401, "TOKEN_EXPIRED"), Expired),
        ("401 unknown", refusal(401, "TOKEN_INVALID"), Expired),
        ("401 missing", refusal(401, "TOKEN_MISSING"), Expired),
        ("401 ended", refusal(401, "SESSION_ENDED"), Expired),
        ("401 reuse", refusal(401, "REFRESH_REUSED"), Reuse),
        ("401 revoked", refusal(401, "SESSION_REVOKED"), Revoked),
        (
            "403 device",
            refusal(403, "DEVICE_MISMATCH"),
            DeviceMismatch,
        ),
    ];
    for (name, effect, wanted) in rows {
        let harness = Harness::signed_in().await;
        harness.strike(REFRESH, effect);
        let result = harness.session.refresh().await;
        assert_eq!(code(&result), Some(ErrorCode::SessionEnded), "{name}");
        check_ended(harness, name, wanted, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_revokes_a_session() {
    let harness = Harness::signed_in().await;
    assert_eq!(
        harness.backend.revoke_session(DEMO),
        1,
        "the account has a session"
    );
    let result = harness.session.refresh().await;
    assert_eq!(code(&result), Some(ErrorCode::SessionEnded));
    check_ended(harness, "revoked", SignedOutReason::Revoked, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_token_expires() {
    let harness = Harness::signed_in().await;
    harness.backend.expire_refresh_tokens();
    let result = harness.session.refresh().await;
    assert_eq!(code(&result), Some(ErrorCode::SessionEnded));
    check_ended(harness, "expired", SignedOutReason::Expired, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_token_was_used() {
    let strict = Config {
        grace: std::time::Duration::ZERO,
        ..Config::default()
    };
    let harness = Harness::signed_in_with(strict).await;
    // A copy of everything, since a record knows that the token of an older item is used.
    let record = harness.records.join("session.json");
    let copies = (harness.store.items(), std::fs::read(&record).expect("one"));
    harness
        .session
        .refresh()
        .await
        .expect("the owner refreshes");
    for (name, value) in &copies.0 {
        harness.store.put(name, value);
    }
    std::fs::write(record, &copies.1).expect("written");
    let mut thief = harness;
    thief.restart();
    assert_eq!(thief.until_signed_out().await, SignedOutReason::Reuse);
    check_ended(thief, "reuse", SignedOutReason::Reuse, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_call_that_finds_the_session_dead_says_so() {
    let harness = Harness::signed_in().await;
    harness.backend.revoke_session(DEMO);
    let result = harness.get("/me").await;
    assert_eq!(code(&result), Some(ErrorCode::SessionEnded), "{result:?}");
    assert_eq!(
        harness.backend.requests("GET", "/me"),
        1,
        "no token to send the call again with"
    );
    check_ended(harness, "found by a call", SignedOutReason::Revoked, 1).await;
}
